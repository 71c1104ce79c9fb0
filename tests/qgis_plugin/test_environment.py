"""Where the plugin finds the worker's Python, and what it makes of `gfm doctor`."""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from pathlib import Path

import pytest

from gfm_core.tools import doctor
from gfm_core.tools import environment as library
from qgis_plugin import environment as plugin
from qgis_plugin.environment import Check, check, checks_of, clean_environ, find_python, for_version, python_in
from tests.conftest import RunGfm
from tests.qgis_plugin.fake_worker import write_python


@pytest.fixture
def data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


# ---- Which Python ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32", "freebsd14"])
@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"XDG_DATA_HOME": "/data/ana", "LOCALAPPDATA": "/C/Users/ana/AppData/Local"},
        {"XDG_DATA_HOME": "not/absolute", "LOCALAPPDATA": ""},
        {"HOME": "/home/other"},
    ],
)
def test_the_plugin_looks_where_the_library_writes(
    monkeypatch: pytest.MonkeyPatch, platform: str, variables: dict[str, str]
) -> None:
    for name in ("XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert plugin.data_folder() == library.data_folder()


def test_the_python_that_the_library_told_of_is_found(data_home: Path) -> None:
    assert find_python() is None
    library.write_environment()
    assert find_python() == sys.executable
    assert find_python("  ") == sys.executable


def test_what_the_user_chose_goes_before_what_was_installed(data_home: Path) -> None:
    library.write_environment()
    assert find_python("/opt/gfm/bin/python") == "/opt/gfm/bin/python"


@pytest.mark.parametrize(
    "text",
    ["", "no json", "[]", "{}", '{"format": 2, "python": "/a/python"}', '{"format": 1, "python": 5}',
     '{"format": 1, "python": "python"}', '{"format": 1}', "\udcff"],
)  # fmt: skip
def test_a_file_that_tells_nothing_is_as_none(data_home: Path, text: str) -> None:
    (data_home / "jepa-gfm").mkdir(parents=True)
    (data_home / "jepa-gfm" / "environment.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert find_python() is None


@pytest.mark.parametrize("inside", ["bin/python", "bin/python3", "Scripts/python.exe", "python.exe"])
def test_the_folder_of_an_environment_stands_for_its_python(tmp_path: Path, inside: str) -> None:
    (tmp_path / inside).parent.mkdir(exist_ok=True)
    (tmp_path / inside).write_text("")
    assert python_in(str(tmp_path)) == find_python(f" {tmp_path} ") == str(tmp_path / inside)


def test_a_home_folder_may_be_written_short(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert python_in("~/venv/bin/python") == str(tmp_path / "venv/bin/python")
    assert python_in("~no-such-user/python") == "~no-such-user/python"


# ---- A clean environment ---------------------------------------------------------------------------------------------


def test_of_the_path_only_what_lies_in_qgis_s_own_folder_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    path = os.pathsep.join(["/osgeo4w/bin", "/usr/bin", "/osgeo4w", "/osgeo4w2/bin", "/osgeo4w/./apps/qgis/bin"])
    monkeypatch.setenv("PATH", path)
    monkeypatch.delenv("OSGEO4W_ROOT", raising=False)
    assert clean_environ()["PATH"] == path
    monkeypatch.setenv("OSGEO4W_ROOT", "/osgeo4w/")
    assert clean_environ()["PATH"] == os.pathsep.join(["/usr/bin", "/osgeo4w2/bin"])


def test_the_environment_of_qgis_itself_is_not_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDAL_DATA", "/usr/share/gdal")
    clean_environ().clear()
    assert os.environ["GDAL_DATA"] == "/usr/share/gdal"


# ---- Check -----------------------------------------------------------------------------------------------------------

FOUND = [
    {"name": "python", "ok": True, "found": "3.11.7", "mend": ""},
    {"name": "torch", "ok": False, "found": "ImportError", "mend": "Install it."},
]


def test_what_doctor_found_is_told_also_when_it_leaves_with_1(tmp_path: Path) -> None:
    python = write_python(tmp_path / "python", f"print('''{json.dumps(FOUND)}'''); sys.exit(1)")
    assert check(python) == [Check("python", True, "3.11.7"), Check("torch", False, "ImportError", "Install it.")]


@pytest.mark.parametrize(("version", "ok"), [("0.1.0", True), ("0.2.0", False)])
def test_a_library_of_another_version_than_the_plugin_is_a_check_that_failed(version: str, ok: bool) -> None:
    python, library_version = for_version([Check("python", True, "3.11.7"), Check("JEPA-GFM", True, "0.1.0")], version)
    assert python == Check("python", True, "3.11.7")
    assert library_version.ok is ok
    assert library_version.mend == ("" if ok else "This plugin is 0.2.0; update the older of the two.")


def test_the_doctor_of_the_library_is_understood(run_gfm: RunGfm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_NEEDED", ("click",))
    for name in ("_device", "_model", "_round_trip"):  # what they find takes long, and is no part of the form
        monkeypatch.setattr(doctor, name, lambda: "works")
    told = checks_of("python", run_gfm("doctor", "--json").out.encode(), b"")
    assert [item.name for item in told] == ["python", "JEPA-GFM", "click", "device", "PROJ", "model", "round trip"]
    assert all(item.ok for item in told)
    assert for_version(told, importlib.metadata.version("jepa-gfm")) == told


def test_an_environment_without_jepa_gfm_is_a_check_that_failed(tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    (told,) = check(str(bare))
    assert not told.ok
    assert told.found == str(bare)
    assert told.mend.startswith("It holds no JEPA-GFM;")


def test_a_python_that_cannot_be_started_is_a_check_that_failed(tmp_path: Path) -> None:
    (told,) = check(str(tmp_path / "python"))
    assert not told.ok
    assert told.mend.startswith("There is no Python at")


def test_a_check_that_takes_for_ever_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin, "_CHECK_SECONDS", 0.6)
    (told,) = check(write_python(tmp_path / "python", "time.sleep(60)"))
    assert not told.ok
    assert told.mend == "The check took more than 1 s; press Check again."


@pytest.mark.parametrize("out", [b"", b"x", b"[1]", b'[{"name": "python"}]', b"{}", b"[]", b"\xff"])
def test_output_that_is_no_list_of_checks_tells_the_last_line_of_the_error(out: bytes) -> None:
    told = checks_of("/venv/bin/python", out, b"Traceback\n  ...\nOSError: broken\n")
    assert [item.ok for item in told] == [False]
    assert "The check did not run (OSError: broken)" in told[0].mend
