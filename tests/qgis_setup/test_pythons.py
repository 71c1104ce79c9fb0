"""Which Python an environment is made with."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from qgis_plugin.setup import pythons
from qgis_plugin.setup.failures import SetupError
from qgis_plugin.setup.pythons import candidates, find_base, probe
from tests.qgis_setup.fakes import write_base


@pytest.fixture
def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A computer with nothing but what a test puts into `bin`."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setattr(sys, "base_exec_prefix", str(tmp_path / "qgis"))
    return tmp_path


def sentence() -> str:
    with pytest.raises(SetupError) as caught:
        find_base()
    return str(caught.value)


def test_the_python_of_these_tests_is_one() -> None:
    base = probe(sys.executable)
    assert base is not None
    assert base.version == sys.version_info[:3]
    assert Path(base.path).samefile(getattr(sys, "_base_executable", sys.executable))


def test_3_11_goes_first_wherever_it_is_and_what_is_untested_last(computer: Path) -> None:
    write_base(computer / "bin" / "python3.14", (3, 14, 0))
    write_base(computer / "bin" / "python3", (3, 12, 4))
    assert find_base().text == "3.12.4"
    write_base(computer / "bin" / "python3.13", (3, 13, 1))
    assert find_base().text == "3.13.1"
    write_base(computer / "pyenv" / "versions" / "3.11.7" / "bin" / "python3.11", (3, 11, 7))
    assert find_base().text == "3.11.7"


def test_every_candidate_is_run_before_it_is_believed(computer: Path) -> None:
    shim = computer / "bin" / "python3.11"
    shim.parent.mkdir()
    shim.write_text("#!/bin/sh\necho 'pyenv: python3.11: command not found'\nexit 127\n")
    shim.chmod(0o755)
    liar = write_base(computer / "bin" / "python3.13", (3, 9, 1))
    good = write_base(computer / "bin" / "python3.12", (3, 12, 4))
    assert list(candidates()) == [str(shim), liar, good]
    assert find_base().path == good


def test_the_python_of_qgis_is_a_candidate(computer: Path) -> None:
    own = write_base(computer / "qgis" / "bin" / "python3", (3, 12, 4))
    assert find_base().path == own


def test_on_windows_it_is_not_qgis_itself(computer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = write_base(computer / "qgis" / "python.exe", (3, 12, 4))
    write_base(computer / "bin" / "py", (3, 12, 4))
    monkeypatch.setattr(sys, "platform", "win32")
    assert own in list(pythons._of_qgis())


def test_on_macos_it_lies_beside_qgis_itself(computer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = write_base(computer / "QGIS.app" / "Contents" / "MacOS" / "bin" / "python3", (3, 12, 4))
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(sys, "executable", str(computer / "QGIS.app" / "Contents" / "MacOS" / "QGIS"))
    assert next(pythons._of_qgis()) == own


def test_the_launcher_of_windows_is_asked(computer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (computer / "bin").mkdir()
    launcher = computer / "bin" / "py"
    launcher.write_text("#!/bin/sh\n[ \"$1\" = -3.12 ] && echo 'C:\\Python312\\python.exe'\n")
    launcher.chmod(0o755)
    assert list(pythons._from_launcher("3.12")) == ["C:\\Python312\\python.exe"]
    assert list(pythons._from_launcher("3.11")) == []


def test_of_a_chosen_folder_the_python_is_taken_and_no_other(computer: Path) -> None:
    write_base(computer / "bin" / "python3", (3, 12, 4))
    chosen = write_base(computer / "mine" / "bin" / "python", (3, 13, 1))
    assert find_base(f" {computer / 'mine'} ").path == chosen
    with pytest.raises(SetupError, match="is no Python that can be run; choose another"):
        find_base(str(computer / "nothing"))


def test_what_the_best_one_lacks_is_told(computer: Path) -> None:
    assert sentence().startswith("There is no Python 3.11 or newer on this computer; install Python 3.11")
    write_base(computer / "bin" / "python3", (3, 9, 18))
    assert "/python3 is 3.9.18; install Python 3.11, 3.12 or 3.13" in sentence()
    write_base(computer / "bin" / "python", (3, 12, 4), is_64_bit=False)
    assert "has 32 bits and torch needs 64" in sentence()
    write_base(computer / "bin" / "python3.11", (3, 11, 2), has_venv=False)
    assert (
        "cannot make an environment; install what it lacks (Debian, Ubuntu: sudo apt install python3-venv)"
        in sentence()
    )


def test_a_python_that_hangs_is_none(computer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pythons, "_SECONDS", 0.3)
    hanging = computer / "python"
    hanging.write_text("#!/bin/sh\nexec sleep 30\n")
    hanging.chmod(0o755)
    monkeypatch.setenv("PATH", os.defpath)
    assert probe(str(hanging)) is None
