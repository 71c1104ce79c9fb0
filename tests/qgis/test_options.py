"""Settings > Options > JEPA-GFM."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from qgis.core import QgsApplication, QgsSettings
from qgis.PyQt.QtCore import QEventLoop, QTimer
from qgis.PyQt.QtWidgets import QDialog, QStackedWidget, QVBoxLayout, QWidget

from qgis_plugin import environment, session, settings
from qgis_plugin.setup.options import OptionsFactory, OptionsPage
from tests.qgis_plugin.fake_worker import is_running, write_python

WORKS = [{"name": "python", "ok": True, "found": "3.11.7", "mend": ""},
         {"name": "JEPA-GFM", "ok": True, "found": "0.1.0", "mend": ""}]  # fmt: skip
BROKEN = [WORKS[0], {"name": "torch", "ok": False, "found": "ImportError", "mend": "Install it."}]


@pytest.fixture(autouse=True)
def no_environment(qgis_app: QgsApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A user who has set up nothing."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    for key in (settings.PYTHON, settings.DEVICE):
        QgsSettings().remove(key)
    yield
    session.stop_worker()
    for key in (settings.PYTHON, settings.DEVICE):
        QgsSettings().remove(key)


@pytest.fixture
def installed(tmp_path: Path) -> str:
    """What `gfm doctor --for-qgis` left behind."""
    python = str(tmp_path / "installed" / "bin" / "python")
    environment.data_folder().mkdir(parents=True)
    told = json.dumps({"format": 1, "python": python, "version": "0.1.0"})
    (environment.data_folder() / "environment.json").write_text(told)
    return python


@pytest.fixture
def page() -> Iterator[OptionsPage]:
    """The page as the options dialog makes it."""
    factory = OptionsFactory()
    made = factory.createWidget(None)
    yield made
    made.close()
    made.deleteLater()


def doctor(path: Path, checks: list[dict[str, object]], *, seconds: float = 0.0) -> str:
    """A Python whose `gfm doctor --json` finds this, after so many seconds, and leaves its pid beside it."""
    return write_python(
        path,
        f"""
        open({str(path) + ".pid"!r}, "w").write(str(os.getpid()))
        time.sleep({seconds})
        print({json.dumps(checks)!r})
        sys.exit(1)
        """,
    )


def lines(page: OptionsPage) -> list[str]:
    return [page.results.item(row).text() for row in range(page.results.count())]


def process_until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Let Qt work until it has come about."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        loop = QEventLoop()
        QTimer.singleShot(10, loop.quit)
        getattr(loop, "exec", None)() if hasattr(loop, "exec") else loop.exec_()


def checked(page: OptionsPage) -> list[str]:
    """Press Check and wait for the result."""
    page.button.click()
    process_until(lambda: page.button.text() == "Check")
    return lines(page)


# ---- The environment -------------------------------------------------------------------------------------------------


def test_opening_the_page_starts_nothing(installed: str, tmp_path: Path) -> None:
    Path(installed).parent.mkdir(parents=True)
    doctor(Path(installed), WORKS)
    page = OptionsFactory().createWidget(None)
    later = time.monotonic() + 0.3
    process_until(lambda: time.monotonic() > later)
    assert not Path(f"{installed}.pid").exists()
    assert session.worker().pid is None
    assert (lines(page), page.told.text(), page.button.text()) == ([], "", "Check")


def test_without_an_environment_the_page_tells_how_to_get_one(page: OptionsPage) -> None:
    assert page.python.lineEdit().placeholderText() == "none found"
    assert "gfm doctor --for-qgis" in page.source.text()
    (line,) = checked(page)
    assert line.startswith("✗ python: none found\n")


def test_the_environment_that_was_found_stands_in_the_empty_field(installed: str, page: OptionsPage) -> None:
    assert page.python.filePath() == ""
    assert page.python.lineEdit().placeholderText() == installed
    assert page.source.text().startswith("Found: ")


def test_an_environment_may_be_chosen_by_its_folder(page: OptionsPage, tmp_path: Path) -> None:
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    python = write_python(tmp_path / "venv" / "bin" / "python")
    page.python.setFilePath(str(tmp_path / "venv"))
    assert page.source.text() == f"Chosen here: {python}"
    page.apply()
    assert session.worker().python == python


def test_what_is_applied_stands_there_the_next_time(page: OptionsPage, tmp_path: Path) -> None:
    page.python.setFilePath(f' "{tmp_path / "my python"}" ')
    page.device.setCurrentIndex(page.device.findData("cpu"))
    assert settings.chosen_python() == ""
    page.apply()
    again = OptionsPage()
    assert again.python.filePath() == str(tmp_path / "my python")
    assert again.device.currentData() == "cpu"
    again.python.setFilePath("")
    again.device.setCurrentIndex(0)
    again.apply()
    assert not QgsSettings().contains(settings.PYTHON)
    assert settings.device() == "auto"


def test_a_worker_is_stopped_when_another_python_is_applied_and_only_then(page: OptionsPage, tmp_path: Path) -> None:
    settings.choose_python(write_python(tmp_path / "one"))
    pid = session.worker().hello()["pid"]
    page = OptionsPage()
    page.device.setCurrentIndex(1)
    page.apply()
    assert is_running(pid)
    page.python.setFilePath(write_python(tmp_path / "two"))
    assert is_running(pid)
    page.apply()
    assert not is_running(pid)


# ---- Check -----------------------------------------------------------------------------------------------------------


def test_check_lists_what_works(page: OptionsPage, tmp_path: Path) -> None:
    page.python.setFilePath(doctor(tmp_path / "python", WORKS))
    assert checked(page) == ["✓ python: 3.11.7", "✓ JEPA-GFM: 0.1.0"]
    assert page.told.text() == "Everything works."


def test_check_lists_what_does_not_with_cause_and_mend(page: OptionsPage, tmp_path: Path) -> None:
    page.python.setFilePath(doctor(tmp_path / "python", BROKEN))
    assert checked(page) == ["✓ python: 3.11.7", "✗ torch: ImportError\nInstall it."]
    assert "cross" in page.told.text()


def test_a_library_of_another_version_has_a_cross(page: OptionsPage, tmp_path: Path) -> None:
    page.python.setFilePath(doctor(tmp_path / "python", [{**WORKS[1], "found": "0.0.9"}]))
    (line,) = checked(page)
    assert line == f"✗ JEPA-GFM: 0.0.9\nThis plugin is {session.plugin_version()}; update the older of the two."


def test_check_looks_at_what_stands_in_the_field_before_it_is_applied(page: OptionsPage, tmp_path: Path) -> None:
    settings.choose_python(doctor(tmp_path / "kept", BROKEN))
    page.python.setFilePath(doctor(tmp_path / "typed", WORKS))
    assert len(checked(page)) == 2
    assert page.told.text() == "Everything works."


@pytest.mark.parametrize(("there", "words"), [(False, "There is no Python at"), (True, "may not be executed")])
def test_a_python_that_does_not_start_is_told(page: OptionsPage, tmp_path: Path, there: bool, words: str) -> None:
    if there:
        (tmp_path / "python").write_text("")
    page.python.setFilePath(str(tmp_path / "python"))
    (line,) = checked(page)
    assert line.startswith(f"✗ python: {tmp_path / 'python'}\n")
    assert words in line


def test_a_check_that_dies_is_told(page: OptionsPage, tmp_path: Path) -> None:
    page.python.setFilePath(write_python(tmp_path / "python", "os.kill(os.getpid(), signal.SIGSEGV)"))
    (line,) = checked(page)
    assert "The check did not run" in line


def slow_check(page: OptionsPage, tmp_path: Path) -> int:
    """A check under way: its process."""
    page.python.setFilePath(doctor(tmp_path / "python", WORKS, seconds=60))
    page.button.click()
    told = tmp_path / "python.pid"
    process_until(lambda: told.exists() and told.read_text() != "")
    return int(told.read_text())


def test_the_window_works_on_while_a_check_runs(page: OptionsPage, tmp_path: Path) -> None:
    before = time.monotonic()
    pid = slow_check(page, tmp_path)
    assert time.monotonic() - before < 2
    assert page.button.text() == "Stop"
    page.device.setCurrentIndex(2)
    assert page.device.currentData() == "cuda"
    assert is_running(pid)


def test_the_same_button_stops_a_check(page: OptionsPage, tmp_path: Path) -> None:
    pid = slow_check(page, tmp_path)
    page.button.click()
    assert not is_running(pid)
    assert page.button.text() == "Check"
    assert lines(page) == []


def test_closing_the_options_stops_a_check_and_looking_at_another_page_does_not(tmp_path: Path) -> None:
    dialog, pages = QDialog(), QStackedWidget()
    QVBoxLayout(dialog).addWidget(pages)
    page = OptionsPage(dialog)
    pages.addWidget(page)
    pages.addWidget(QWidget())
    dialog.show()
    pid = slow_check(page, tmp_path)
    pages.setCurrentIndex(1)
    assert not page.isVisible()
    assert is_running(pid)
    pages.setCurrentIndex(0)
    dialog.reject()
    assert not is_running(pid)


def test_options_that_are_closed_while_another_page_is_shown_stop_a_check(tmp_path: Path) -> None:
    dialog, pages = QDialog(), QStackedWidget()
    QVBoxLayout(dialog).addWidget(pages)
    pages.addWidget(OptionsPage(dialog))
    pages.addWidget(QWidget())
    dialog.show()
    pid = slow_check(pages.widget(0), tmp_path)
    pages.setCurrentIndex(1)
    dialog.reject()
    dialog.deleteLater()
    del dialog, pages
    process_until(lambda: not is_running(pid))
