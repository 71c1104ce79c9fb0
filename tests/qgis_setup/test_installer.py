"""The set-up itself, with the real venv and pip and a library of a few lines: made, cancelled, broken, made anew."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from qgis_plugin.environment import find_python
from qgis_plugin.setup import folder as place
from qgis_plugin.setup import plan, removal
from qgis_plugin.setup.failures import SetupError
from qgis_plugin.setup.installer import Installer
from qgis_plugin.setup.plan import Order
from qgis_plugin.setup.processes import SetupCancelled
from tests.qgis_plugin.fake_worker import is_running, wait_until
from tests.qgis_setup.fakes import write_base, write_library

REPOSITORY = Path(__file__).resolve().parents[2]
MakeOrder = Callable[..., Order]


@dataclass
class Told:
    """What a set-up tells, and when it is to be cancelled."""

    lines: list[str] = field(default_factory=list)
    fractions: list[float] = field(default_factory=list)
    cancelled: Callable[[], bool] = lambda: False

    def run(self, order: Order) -> str:
        installer = Installer(
            order, log=self.lines.append, progress=self.fractions.append, cancelled=self.cancelled
        )  # fmt: skip
        return installer.run()


def sentence_of(order: Order) -> str:
    """The one sentence of a set-up that must fail."""
    with pytest.raises(SetupError) as caught:
        Told().run(order)
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    return text


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def modules_of(python: str) -> str:
    """Whether the library is there: what it imports."""
    code = "import tiny_part, gfm_core; print('both')"
    ran = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=False)
    return ran.stdout.strip() or ran.stderr


# ---- What is made ----------------------------------------------------------------------------------------------------


def test_an_environment_is_made_from_a_folder_of_wheels(order: MakeOrder, data: Path) -> None:
    told = Told()
    python = told.run(order())
    assert python == str(data / "environment" / "bin" / "python") == find_python()
    assert modules_of(python) == "both"
    assert names(data) == {"environment", "environment.json", "environment.lock", "doctor.pid"}
    assert not {place.BEGUN, "tmp"} & names(data / "environment")
    assert told.fractions == sorted(told.fractions)
    assert told.fractions[-1] == 100
    assert [fraction for fraction in told.fractions if 5 < fraction < 50]  # packages, one by one
    assert any("--no-index" in line and "--constraint" in line for line in told.lines)
    written = json.loads((data / "environment" / place.MARKER).read_text())
    assert written["version"] == "0.1.0"
    assert "/pip" not in (data / "environment" / place.MARKER).read_text()


@pytest.mark.long
def test_settings_of_pip_that_would_lead_the_packages_elsewhere_do_no_harm(
    order: MakeOrder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pip.conf").write_text("[install]\nuser = true\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("PIP_TARGET", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    assert modules_of(Told().run(order())) == "both"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.long
def test_a_new_one_takes_the_place_of_the_old_one_which_comes_back_if_it_fails(
    order: MakeOrder, data: Path, wheels: Path
) -> None:
    python = Told().run(order())
    (data / "environment" / "old").touch()
    (wheels / "tiny_part-1.0-py3-none-any.whl").rename(wheels / "other-1.0-py3-none-any.whl")
    assert "holds no tiny-part" in sentence_of(order())
    assert (data / "environment" / "old").exists()
    assert modules_of(python) == "both"
    (wheels / "other-1.0-py3-none-any.whl").rename(wheels / "tiny_part-1.0-py3-none-any.whl")
    (data / "environment.before").mkdir()  # an older one, whose removal was interrupted
    (data / "environment.before" / place.BEGUN).touch()
    assert Told().run(order()) == python
    assert not (data / "environment" / "old").exists()
    assert "environment.before" not in names(data)


# ---- Cancel, and the death of QGIS -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("Making the environment", marks=pytest.mark.long), "Installing the packages",
        pytest.param("Checking that", marks=pytest.mark.long),
    ],
)  # fmt: skip
def test_a_cancelled_set_up_ends_at_once_and_leaves_nothing(
    order: MakeOrder, data: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setenv("FAKE_DOCTOR", "60")
    told = Told()
    told.cancelled = lambda: any(line in said for said in told.lines)
    started = time.monotonic()
    with pytest.raises(SetupCancelled):
        told.run(order())
    assert time.monotonic() - started < 30
    assert names(data) <= {"environment.lock", "doctor.pid", "child.pid"}


@pytest.mark.long
def test_what_a_cancelled_step_has_started_is_ended_too(
    order: MakeOrder, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_DOCTOR", "60")
    pid = data / "doctor.pid"
    with pytest.raises(SetupCancelled):
        Told(cancelled=lambda: pid.exists() and pid.read_text() != "").run(order())
    assert not is_running(int(pid.read_text()))
    assert not is_running(int((data / "child.pid").read_text()))


def test_a_set_up_that_was_killed_in_the_middle_is_seen_and_made_anew(
    order: MakeOrder, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_DOCTOR", "60")
    asked = order()
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]);"
        "from qgis_plugin.setup.installer import Installer; from qgis_plugin.setup.plan import Order;"
        "folder, wheel, pins = map(Path, sys.argv[2:5]);"
        "Installer(Order(folder, wheel, pins, '0.1.0', *sys.argv[5:])).run()"
    )
    arguments = [REPOSITORY, asked.folder, asked.wheel, asked.pins, asked.python, asked.wheel_folder]
    qgis = subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)])
    pid = data / "doctor.pid"
    wait_until(lambda: pid.exists() and pid.read_text() != "", 60)
    assert "Another QGIS sets up" in sentence_of(asked)
    qgis.kill()
    qgis.wait()
    for left in (pid, data / "child.pid"):  # left alone, they would end by themselves
        os.kill(int(left.read_text()), signal.SIGKILL)
    assert place.is_interrupted(asked.folder)
    assert place.marker(asked.folder) is None
    monkeypatch.setenv("FAKE_DOCTOR", "0")
    assert modules_of(Told().run(asked)) == "both"
    assert not place.is_interrupted(asked.folder)


@pytest.mark.long
def test_the_old_one_comes_back_also_if_qgis_died_while_the_new_one_was_made(
    order: MakeOrder, data: Path, wheels: Path
) -> None:
    python = Told().run(order())
    (data / "environment").rename(data / "environment.before")
    (data / "environment").mkdir()
    (data / "environment" / place.BEGUN).touch()
    (wheels / "tiny_part-1.0-py3-none-any.whl").rename(wheels / "other-1.0-py3-none-any.whl")
    assert "holds no tiny-part" in sentence_of(order())
    assert modules_of(python) == "both"
    assert place.marker(data / "environment") is not None


@pytest.mark.long
def test_an_environment_that_cannot_be_put_aside_stays(
    order: MakeOrder, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = Told().run(order())

    def locked(path: Path, target: Path) -> None:
        raise PermissionError(13, "it is in use")

    with monkeypatch.context() as windows:
        windows.setattr(Path, "rename", locked)
        assert "environment cannot be made or changed (it is in use); close other QGIS" in sentence_of(order())
    assert modules_of(python) == "both"
    assert not place.is_interrupted(data / "environment")


# ---- What breaks it --------------------------------------------------------------------------------------------------


def test_without_room_on_the_disk_nothing_is_begun(
    order: MakeOrder, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "free_space", lambda folder: 1.9)
    assert "needs 1.6 GB, and 2.0 GB while it is made" in (told := sentence_of(order()))
    assert "1.9 GB free; free some space" in told
    assert names(data) == set()


def test_a_damaged_wheel_is_told_with_its_name(order: MakeOrder, data: Path, wheels: Path) -> None:
    wheel = wheels / "tiny_part-1.0-py3-none-any.whl"
    wheel.write_bytes(wheel.read_bytes()[:200])
    told = sentence_of(order())
    assert "is damaged" in told
    assert "tiny_part-1.0" in told
    assert names(data) == {"environment.lock"}


def test_a_wheel_that_is_missing_is_told_by_name(order: MakeOrder, data: Path, wheels: Path, tmp_path: Path) -> None:
    write_library(wheels)
    (wheels / "tiny_part-1.0-py3-none-any.whl").unlink()
    assert f"The folder {wheels} holds no tiny-part in the tested version for Python 3." in sentence_of(order())
    assert names(data) == {"environment.lock"}


def test_a_folder_with_something_else_is_left_as_it_is(order: MakeOrder, data: Path) -> None:
    (data / "environment").mkdir()
    (data / "environment" / "thesis.odt").write_text("mine")
    assert "holds something that no set-up has made" in sentence_of(order())
    assert (data / "environment" / "thesis.odt").read_text() == "mine"
    with pytest.raises(SetupError, match="was not made by a set-up"):
        removal.remove(data / "environment")
    assert names(data / "environment") == {"thesis.odt"}


def test_a_python_that_is_too_old_is_told_before_anything_is_made(order: MakeOrder, data: Path, tmp_path: Path) -> None:
    old = write_base(tmp_path / "python3.9", (3, 9, 18))
    assert f"needs Python 3.11 or newer and {old} is 3.9.18; install" in sentence_of(order(python=old))
    assert names(data) == set()


@pytest.mark.long
def test_an_environment_that_does_not_work_is_told_and_not_left(
    order: MakeOrder, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_DOCTOR", "ImportError: libgomp.so.1 is missing")
    assert "The check of torch failed (ImportError: libgomp.so.1 is missing" in sentence_of(order())
    assert names(data) == {"environment.lock"}


@pytest.mark.long
def test_a_sample_that_cannot_be_embedded_is_told_and_nothing_left(
    order: MakeOrder, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_EMBED", "Error: The network gives no numbers.")
    assert "Embedding a piece of the sample failed (The network gives no numbers); read" in sentence_of(order())
    assert names(data) == {"environment.lock", "doctor.pid"}


def test_a_library_of_another_version_is_refused(order: MakeOrder) -> None:
    assert "This plugin is 0.2.0" in sentence_of(order(version="0.2.0"))


@pytest.mark.long
def test_no_network_and_a_dead_proxy_are_told_apart(order: MakeOrder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setattr("qgis_plugin.setup.builds.CPU_INDEX", "http://127.0.0.1:9/cpu")
    monkeypatch.setattr("qgis_plugin.setup.builds.has_nvidia", lambda: False)
    assert "The package registry cannot be reached" in sentence_of(order(wheel_folder=""))
    assert "The proxy refused the connection" in sentence_of(order(wheel_folder="", proxy="http://127.0.0.1:9"))


# ---- Removal ---------------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_removal_takes_the_environment_and_what_tells_of_it(order: MakeOrder, data: Path) -> None:
    Told().run(order())
    removal.remove(data / "environment")
    assert names(data) == {"environment.lock", "doctor.pid"}
    assert find_python() is None


@pytest.mark.long
def test_a_link_to_another_disk_is_followed(order: MakeOrder, data: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disks" / "environment"
    disk.mkdir(parents=True)
    (data / "environment").symlink_to(disk)
    Told().run(order())
    assert modules_of(Told().run(order())) == "both"
    assert (disk / place.MARKER).is_file()
    removal.remove(place.default_folder())
    assert names(tmp_path / "disks") == {"environment.lock"}
    assert (data / "environment").is_symlink()
    assert find_python() is None
