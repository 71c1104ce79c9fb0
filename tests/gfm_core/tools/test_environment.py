"""The file that tells QGIS which Python has JEPA-GFM."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gfm_core.errors import OutputError
from gfm_core.tools.environment import data_folder, write_environment
from tests.conftest import RunGfm


@pytest.fixture
def data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data folder, which does not exist yet."""
    folder = tmp_path / "data home"
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    return folder


def test_the_file_names_this_python_by_its_own_path_and_the_version(data_home: Path) -> None:
    path = write_environment()
    assert path == data_home / "jepa-gfm" / "environment.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    assert told["format"] == 1
    code = "import gfm_core, importlib.metadata; print(importlib.metadata.version('jepa-gfm'))"
    ran = subprocess.run([told["python"], "-I", "-c", code], capture_output=True, text=True, check=True)
    assert told["version"] == ran.stdout.strip()


def test_a_virtual_environment_is_told_by_its_link_not_by_what_that_leads_to(
    data_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "python").symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert json.loads(write_environment().read_text())["python"] == str(tmp_path / "python")


def test_the_file_of_an_older_installation_is_replaced_and_nothing_else_is_written(data_home: Path) -> None:
    (data_home / "jepa-gfm").mkdir(parents=True)
    (data_home / "jepa-gfm" / "environment.json").write_text('{"format": 1, "python": "/old"}')
    path = write_environment()
    assert json.loads(path.read_text())["python"] == sys.executable
    assert list(data_home.rglob("*.*")) == [path]


def test_a_data_home_that_is_not_absolute_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", "/home/ana")
    for told in ("", "here/there"):
        monkeypatch.setenv("XDG_DATA_HOME", told)
        assert data_folder() == Path("/home/ana/.local/share/jepa-gfm")


def test_a_user_without_a_home_gets_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", "")
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    with pytest.raises(OutputError, match="no home folder"):
        write_environment()


def test_the_command_tells_one_line_and_checks_nothing(data_home: Path, run_gfm: RunGfm) -> None:
    ran = run_gfm("doctor", "--for-qgis")
    assert ran.code == 0
    assert ran.out.splitlines() == [
        f"{data_home / 'jepa-gfm' / 'environment.json'}: tells the QGIS plugin of this environment"
    ]


@pytest.mark.parametrize("in_the_way", ["data home", "data home/jepa-gfm", "data home/jepa-gfm/environment.json"])
def test_where_it_cannot_be_written_the_command_says_so_in_one_line_and_goes_on(
    data_home: Path, run_gfm: RunGfm, in_the_way: str
) -> None:
    blocked = data_home.parent / in_the_way
    if blocked.suffix:
        (blocked / "full").mkdir(parents=True)
    else:
        blocked.parent.mkdir(exist_ok=True)
        blocked.write_text("a file")
    ran = run_gfm("doctor", "--for-qgis")
    assert ran.code == 0
    assert ran.err == ""
    (line,) = ran.out.splitlines()
    assert line.startswith("QGIS was not told of this environment: ")
    assert str(blocked.relative_to(data_home.parent)) in line


def test_telling_qgis_loads_no_torch(data_home: Path) -> None:
    code = "import sys; sys.argv[1:] = ['doctor', '--for-qgis']; import gfm_core.cli.__main__"
    check = f"import atexit, sys; atexit.register(lambda: print('torch' in sys.modules)); {code}"
    ran = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "False"
