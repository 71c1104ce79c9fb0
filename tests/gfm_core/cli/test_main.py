"""The command line as a whole: help, exit codes, and what is said where."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import Any, NoReturn

import click
import pytest

from gfm_core.cli.main import gfm
from gfm_core.errors import InputError
from gfm_core.progress import Cancelled, Interrupted
from gfm_core.tools import embed as embed_tool
from tests.conftest import MakeRaster, RunGfm

COMMANDS = gfm.list_commands(click.Context(gfm))


def test_the_commands_are_those_that_are_promised() -> None:
    assert {"embed", "classify", "info", "synth", "demo", "doctor"} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(run_gfm: RunGfm, command: str) -> None:
    ran = run_gfm(command, "--help")
    assert ran.code == 0
    assert ran.out.startswith(f"Usage: gfm {command} ")
    assert re.search(rf"\bgfm {command} \S", ran.out.split("\n", 1)[1])
    assert run_gfm(command, "-h").out == ran.out


def test_gfm_alone_shows_every_command_and_its_version(run_gfm: RunGfm) -> None:
    shown = run_gfm("--help").out
    assert all(re.search(rf"^  {command}  +\S", shown, re.MULTILINE) for command in COMMANDS)
    assert re.fullmatch(r"gfm, version \d+\.\d+\S*\n", run_gfm("--version").out)


@pytest.mark.parametrize("words", [
    ["fly"], ["embed"], ["embed", "a.tif"], ["embed", "a.tif", "-o", "b.tif", "--cell", "wide"],
    ["embed", "a.tif", "-o", "b.tif", "--altitude", "3"], ["info"], ["classify", "a.tif", "--labels", "l.gpkg"],
    ["synth"], ["synth", "place", "--seed", "1.5"],
])  # fmt: skip
def test_wrong_usage_leaves_with_2_and_says_how_to_get_help(run_gfm: RunGfm, words: list[str]) -> None:
    ran = run_gfm(*words)
    assert ran.code == 2
    assert ran.err.startswith("Usage: gfm ")
    assert "Error: " in ran.err
    assert ran.out == ""


@pytest.mark.parametrize("words", [
    ["--cell", "-3"], ["--device", "abacus"], ["--groups", "fine,fancy"], ["--extent", "1,2,3"], ["--crs", "EPSG:4326"],
])  # fmt: skip
def test_a_value_that_cannot_work_leaves_with_1_and_one_sentence(
    run_gfm: RunGfm, make_raster: MakeRaster, tmp_path: Path, nano_path: Path, words: list[str]
) -> None:
    ran = run_gfm("embed", make_raster(), "-o", tmp_path / "e.tif", "--model", nano_path, *words)
    name = {"--cell": "cell_size"}.get(words[0], words[0].removeprefix("--"))
    assert name in ran.sentence
    assert ran.err.count("\n") == 1


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    monkeypatch.setattr(embed_tool, "run_embed", fail)


EMBED = ("embed", "a.tif", "-o", "b.tif")


def test_an_error_of_ours_leaves_with_1_and_its_sentence(run_gfm: RunGfm, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, InputError("a.tif is odd; give another."))
    ran = run_gfm(*EMBED)
    assert (ran.code, ran.out, ran.err) == (1, "", "Error: a.tif is odd; give another.\n")
    with pytest.raises(InputError):
        run_gfm("--debug", *EMBED)


def test_a_fault_of_ours_is_one_line_too_and_names_debug(run_gfm: RunGfm, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, KeyError("no\nsuch key"))
    ran = run_gfm(*EMBED)
    assert ran.code == 1
    assert ran.err.count("\n") == 1
    assert "KeyError" in ran.err
    assert "gfm --debug" in ran.err
    with pytest.raises(KeyError):
        run_gfm("--debug", *EMBED)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Cancelled("Stopped.")])
def test_being_stopped_leaves_with_130(run_gfm: RunGfm, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    failing(monkeypatch, error)
    ran = run_gfm(*EMBED)
    assert ran.code == 130
    assert ran.err.strip() == "Stopped; nothing was written."


def test_what_is_kept_when_stopped_is_said(run_gfm: RunGfm, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, Interrupted("Stopped; it goes on from here."))
    ran = run_gfm(*EMBED)
    assert (ran.code, ran.err.strip()) == (130, "Stopped; it goes on from here.")


def test_a_signal_to_terminate_keeps_what_was_done_out_of_sight(
    run_gfm: RunGfm, make_raster: MakeRaster, nano_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def terminate(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    (tmp_path / "out").mkdir()
    command = ("embed", make_raster(), "-o", tmp_path / "out" / "e.tif", "--model", nano_path)
    with monkeypatch.context() as within:
        within.setattr("gfm_core.tools.embed_write.write_preview", terminate)
        ran = run_gfm(*command)
    assert ran.code == 130
    assert "the same command goes on from here" in ran.err
    assert [item.name.startswith(".gfm-partial-") for item in (tmp_path / "out").iterdir()] == [True]
    assert run_gfm(*command).code == 0
    assert not list((tmp_path / "out").glob(".gfm*"))


def constant(make_raster: MakeRaster) -> Path:
    """A raster that a note is made of: its band is constant."""
    return make_raster("flat.tif")


def embedded(run_gfm: RunGfm, raster: Path, model: Path, *shared: object) -> tuple[str, str]:
    made = raster.with_name("embedding.tif")
    ran = run_gfm(*shared, "embed", raster, "-o", made, "--model", model, "--groups", "fine", "--overwrite")
    assert ran.code == 0
    assert str(made) in ran.out
    return ran.out, ran.err


def test_notes_and_progress_go_to_stderr_and_quiet_silences_them(
    run_gfm: RunGfm, make_raster: MakeRaster, nano_path: Path
) -> None:
    raster = constant(make_raster)
    out, err = embedded(run_gfm, raster, nano_path)
    assert "flat.tif: band 1 is constant." in err.splitlines()
    assert "% embedding" in err
    quiet_out, quiet_err = embedded(run_gfm, raster, nano_path, "--quiet")
    assert (quiet_out, quiet_err) == (out, "")


def test_verbose_says_more(run_gfm: RunGfm, make_raster: MakeRaster, nano_path: Path) -> None:
    raster = constant(make_raster)
    plain = embedded(run_gfm, raster, nano_path)[1].splitlines()
    more = embedded(run_gfm, raster, nano_path, "--verbose")[1].splitlines()
    assert "flat.tif: band 1 is constant." in more
    assert len(more) > len(plain)


def test_the_log_file_holds_notes_and_errors(
    run_gfm: RunGfm, make_raster: MakeRaster, nano_path: Path, tmp_path: Path
) -> None:
    log = tmp_path / "run.log"
    embedded(run_gfm, constant(make_raster), nano_path, "--log-file", log)
    assert log.read_text(encoding="utf-8").splitlines() == ["flat.tif: band 1 is constant."]
    missing = run_gfm("--log-file", log, "info", tmp_path / "none.tif").sentence
    assert log.read_text(encoding="utf-8").splitlines()[1:] == [missing]
    sentence = run_gfm("--log-file", tmp_path / "none" / "run.log", "info", "x.tif").sentence
    assert "run.log cannot be written" in sentence


def test_commands_of_other_packages_join(run_gfm: RunGfm, monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        name = "fly"

        def load(self) -> click.Command:
            return click.Command("fly", callback=lambda: click.echo("flying"))

    def entry_points(group: str) -> list[Any]:
        assert group == "gfm.commands"
        return [Point()]

    monkeypatch.setattr("importlib.metadata.entry_points", entry_points)
    assert run_gfm("fly").out == "flying\n"
    assert "  fly" in run_gfm("--help").out
