"""Killed, interrupted, out of space: the same command goes on, and ends with the same bytes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gfm_core.embedding.pieces import SUFFIX
from gfm_core.hidden import PREFIX
from tests.conftest import RunGfm, write_raster

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.fixture(scope="module")
def raster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    values = np.random.default_rng(0).integers(200, 4000, (4, 500, 500)).astype(np.uint16)
    values[:, 100:130, 100:400] = 0
    return write_raster(
        tmp_path_factory.mktemp("inputs") / "s2.tif", values, names=["B02", "B03", "B04", "B08"], nodata=0
    )


@pytest.fixture(scope="module")
def whole(raster: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    output = tmp_path_factory.mktemp("whole") / "e.tif"
    subprocess.run([*GFM, "embed", str(raster), "-o", str(output)], check=True, capture_output=True)
    return output.read_bytes()


GFM = (sys.executable, "-m", "gfm_core.cli")


def start(raster: Path, output: Path, *more: str) -> subprocess.Popen[str]:
    command = [*GFM, "embed", str(raster), "-o", str(output), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def pieces(folder: Path) -> list[Path]:
    """Finished pieces: one that is being written has no underscore in its name yet."""
    walked = os.walk(folder)  # unlike rglob, it does not mind what vanishes on the way
    found = (Path(place) / name for place, _, files in walked for name in files if name.endswith(SUFFIX))
    return sorted(path for path in found if "_" in path.name)


def when_there_are(count: int, folder: Path, process: subprocess.Popen[str]) -> None:
    """Wait until so many pieces lie in the journal."""
    until = time.monotonic() + 120
    while len(pieces(folder)) < count and process.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.005)


def finish(raster: Path, output: Path) -> str:
    done = subprocess.run([*GFM, "embed", str(raster), "-o", str(output)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_fault_24_a_run_that_is_killed_again_and_again_ends_with_the_same_bytes(
    raster: Path, whole: bytes, tmp_path: Path
) -> None:
    output = tmp_path / "e.tif"
    for count in (1, 9, 18):
        process = start(raster, output)
        when_there_are(count, tmp_path, process)
        process.kill()
        process.communicate()
        assert not output.exists()
        assert all(name.startswith(PREFIX) for name in names(tmp_path))
    assert len(pieces(tmp_path)) >= 18
    assert "pieces were kept from before" in finish(raster, output)
    assert output.read_bytes() == whole
    assert names(tmp_path) == ["e.qml", "e.tif", "e_pca.png"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_fault_24_an_interrupt_says_that_the_same_command_goes_on(
    raster: Path, whole: bytes, tmp_path: Path, number: signal.Signals
) -> None:
    output = tmp_path / "e.tif"
    for _ in range(5):  # a busy machine may end the run before the signal reaches it
        process = start(raster, output)
        when_there_are(2, tmp_path, process)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
        if process.returncode != 0:
            break
        for made in tmp_path.glob("e*"):
            made.unlink()
    assert process.returncode == 130
    assert err.strip().endswith("Stopped; the same command goes on from here (gfm cache lists what waits).")
    kept = pieces(tmp_path)
    assert len(kept) >= 2
    stamps = {path: path.stat().st_ino for path in kept}
    process = start(raster, output)
    when_there_are(len(kept) + 1, tmp_path, process)
    now = {path: path.stat().st_ino for path in kept if path.exists()}
    assert now.items() <= stamps.items()  # they were not made again
    process.send_signal(number)
    process.communicate()
    for made in tmp_path.glob("e*"):  # if the signal came too late
        made.unlink()
    finish(raster, output)
    assert output.read_bytes() == whole


def test_another_command_for_the_output_discards_what_waits(raster: Path, tmp_path: Path) -> None:
    output = tmp_path / "e.tif"
    process = start(raster, output)
    when_there_are(3, tmp_path, process)
    process.kill()
    process.communicate()
    process = start(raster, output, "--cell", "30")
    when_there_are(1000, tmp_path, process)  # until it ends
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert "kept from before" not in err
    assert names(tmp_path) == ["e.qml", "e.tif", "e_pca.png"]


def test_fault_23_a_damaged_journal_is_made_again_where_it_is_damaged(
    raster: Path, whole: bytes, tmp_path: Path
) -> None:
    output = tmp_path / "e.tif"
    process = start(raster, output)
    when_there_are(18, tmp_path, process)
    process.kill()
    process.communicate()
    for number, path in enumerate(pieces(tmp_path)):
        if number % 3 == 0:
            path.write_bytes(path.read_bytes()[: number * 50])
    assert "is made again" in finish(raster, output)
    assert output.read_bytes() == whole


def test_an_interrupted_run_is_listed_and_can_be_discarded(
    raster: Path, tmp_path: Path, run_gfm: RunGfm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "out").mkdir()
    output = tmp_path / "out" / "e.tif"
    process = start(raster, output)
    when_there_are(3, tmp_path / "out", process)
    state = json.loads(run_gfm("cache", "--json").out)
    assert [(run["output"], run["running"]) for run in state["interrupted"]] == [(str(output), True)]
    run_gfm("cache", "--discard")
    assert process.poll() is None, "a run at work is left alone"
    process.kill()
    process.communicate()
    assert f"interrupted: {output}, " in run_gfm("cache").out
    run_gfm("cache", "--discard")
    assert names(tmp_path / "out") == []
    assert json.loads(run_gfm("cache", "--json").out)["interrupted"] == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 28 MB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() or mount is None or not sys.platform.startswith("linux"):
        pytest.skip("a small disk needs root on Linux")
    if subprocess.run([mount, "-t", "tmpfs", "-o", "size=28m", "tmpfs", str(folder)], check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_fault_25_too_little_room_is_said_before_any_work(raster: Path, small_disk: Path, run_gfm: RunGfm) -> None:
    (small_disk / "other").write_bytes(bytes(15_000_000))
    ran = run_gfm("embed", raster, "-o", small_disk / "e.tif")
    assert "is full: about " in ran.sentence
    assert " MB are needed, " in ran.sentence
    assert names(small_disk) == ["other"]


def test_fault_25_a_disk_that_fills_up_keeps_what_was_done(raster: Path, whole: bytes, small_disk: Path) -> None:
    output = small_disk / "e.tif"
    process = start(raster, output)
    when_there_are(5, small_disk, process)
    free = shutil.disk_usage(small_disk).free
    (small_disk / "other").write_bytes(bytes(max(free - 2_000_000, 0)))
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "is full" in err.splitlines()[-1]
    assert err.splitlines()[-1].endswith("make room and run the same command again.")
    assert "Traceback" not in err
    assert not output.exists()
    kept = len(pieces(small_disk))
    assert kept >= 5
    (small_disk / "other").unlink()
    assert "pieces were kept from before" in finish(raster, output)
    assert output.read_bytes() == whole


def test_fault_25_an_output_folder_that_vanishes_is_a_sentence(raster: Path, tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    process = start(raster, folder / "e.tif")
    when_there_are(3, folder, process)
    # In one step: rmtree fails with "Directory not empty" where a piece is written while it empties the folder.
    folder.rename(tmp_path / "elsewhere")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in err
    assert err.splitlines()[-1].startswith("Error: ")
    assert "should not have happened" not in err
