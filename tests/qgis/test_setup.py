"""Settings > Options > JEPA-GFM: setting the environment up, cancelling that, removing it, and the report."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from qgis.core import QgsApplication, QgsSettings
from qgis.PyQt.QtWidgets import QFileDialog, QMessageBox

from qgis_plugin import session, settings
from qgis_plugin.environment import data_folder, find_python
from qgis_plugin.plugin import JepaGfmPlugin
from qgis_plugin.setup import folder, network, plan, task
from qgis_plugin.setup.options import OptionsFactory, OptionsPage
from tests.qgis.test_options import process_until
from tests.qgis_plugin.fake_worker import is_running, write_python
from tests.qgis_setup.fakes import plain_pip, write_library, write_part

PROXY = ("proxyEnabled", "proxyType", "proxyHost", "proxyPort", "proxyUser", "proxyPassword")


@pytest.fixture(autouse=True)
def new_user(qgis_app: QgsApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A user who has set up nothing, with a plugin whose library is a few lines."""
    plain_pip(monkeypatch, tmp_path / "data")
    pins = tmp_path / "pins.txt"
    pins.write_text("tiny-part==1.0\n")
    library = write_library(tmp_path / "library", session.plugin_version())
    monkeypatch.setattr(plan, "bundled_wheel", lambda: library)
    monkeypatch.setattr(plan, "PINS", pins)
    _forget()
    yield
    task.stop()
    process_until(lambda: task.current() is None)
    session.stop_worker()
    _forget()


def _forget() -> None:
    for key in (settings.PYTHON, settings.DEVICE, *(f"proxy/{name}" for name in PROXY)):
        QgsSettings().remove(key)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[OptionsPage]:
    """The page, with a folder of wheels in its field."""
    made = OptionsPage()
    made.setup.wheels.setFilePath(str(write_part(tmp_path / "wheels").parent))
    yield made
    made.close()
    made.deleteLater()


def set_up(page: OptionsPage) -> str:
    """Press Set up and wait; what the page says then."""
    page.setup.start.click()
    process_until(lambda: task.current() is None, 60)
    return page.setup.told.text()


def begun(page: OptionsPage, monkeypatch: pytest.MonkeyPatch) -> int:
    """A set-up in the middle of its check: the process."""
    monkeypatch.setenv("FAKE_DOCTOR", "60")
    page.setup.start.click()
    told = data_folder() / "doctor.pid"
    process_until(lambda: told.exists() and told.read_text() != "", 60)
    return int(told.read_text())


# ---- Before ----------------------------------------------------------------------------------------------------------


def test_what_it_needs_is_said_before_it_starts(page: OptionsPage) -> None:
    text = page.setup.need.text()
    assert "Needs 1.6 GB on the disk (7 GB with an NVIDIA graphics card);" in text
    assert str(data_folder() / "environment") in text
    assert page.setup.start.isEnabled()
    assert not page.setup.cancel.isEnabled()
    assert not page.setup.remove.isEnabled()
    assert "press Set up" in page.source.text()


def test_opening_the_page_makes_no_folder(page: OptionsPage) -> None:
    assert not data_folder().exists()


def test_a_wheel_folder_without_wheels_is_refused_at_once(page: OptionsPage, tmp_path: Path) -> None:
    page.setup.wheels.setFilePath(str(tmp_path / "nothing"))
    page.setup.start.click()
    assert "is no folder with wheels" in page.setup.told.text()
    assert task.current() is None


# ---- Set up ----------------------------------------------------------------------------------------------------------


def test_one_click_sets_up_and_the_settings_use_it(page: OptionsPage, tmp_path: Path) -> None:
    settings.choose_python(write_python(tmp_path / "other"))
    worker = session.worker().hello()["pid"]
    said = set_up(page)
    assert said == "Everything works.", page.setup.log.toPlainText()
    python = str(data_folder() / "environment" / "bin" / "python")
    assert settings.chosen_python() == ""
    assert find_python() == python
    assert page.python.filePath() == ""
    assert page.python.lineEdit().placeholderText() == python
    assert page.source.text().startswith("Found: ")
    assert not is_running(worker)
    assert session.worker().python == python
    assert page.setup.remove.isEnabled()


def test_a_worker_is_ended_before_its_files_are_replaced(
    page: OptionsPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.choose_python(write_python(tmp_path / "other"))
    worker = session.worker().hello()["pid"]
    begun(page, monkeypatch)
    assert not is_running(worker)


def test_the_log_comes_while_qgis_works_on(page: OptionsPage, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = begun(page, monkeypatch)
    assert "Installing the packages" in page.setup.log.toPlainText()
    assert not page.setup.start.isEnabled()
    longest, last, end = 0.0, time.monotonic(), time.monotonic() + 1.0

    def ticked() -> bool:
        nonlocal longest, last
        now = time.monotonic()
        longest, last = max(longest, now - last), now
        return now > end

    process_until(ticked)
    assert longest < 0.3
    assert is_running(pid)
    assert page.setup.bar.value() == 80


def test_cancel_ends_it_at_once_and_leaves_nothing(page: OptionsPage, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = begun(page, monkeypatch)
    started = time.monotonic()
    page.setup.cancel.click()
    process_until(lambda: task.current() is None, 10)
    assert time.monotonic() - started < 5
    assert not is_running(pid)
    assert page.setup.told.text() == "Cancelled; what was begun is removed again."
    assert not (data_folder() / "environment").exists()
    assert page.setup.start.isEnabled()


def test_closing_the_options_does_not_end_it_and_the_next_page_follows(
    page: OptionsPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = begun(page, monkeypatch)
    page.close()
    again = OptionsPage()
    assert is_running(pid)
    assert "Installing the packages" in again.setup.log.toPlainText()
    assert not again.setup.start.isEnabled()
    again.setup.cancel.click()
    process_until(lambda: task.current() is None, 10)
    assert again.setup.told.text().startswith("Cancelled")


class Window:
    """What the plugin asks of QGIS's window when it leaves."""

    def unregisterOptionsWidgetFactory(self, factory: OptionsFactory) -> None:
        self.gone = factory


def test_unloading_the_plugin_ends_it(page: OptionsPage, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = begun(page, monkeypatch)
    plugin = JepaGfmPlugin(Window())
    plugin._options = OptionsFactory()
    plugin.unload()
    assert not is_running(pid)
    assert not folder.is_ours(data_folder() / "environment")


def test_a_failure_is_a_sentence_and_the_environment_in_use_stays(page: OptionsPage, tmp_path: Path) -> None:
    chosen = write_python(tmp_path / "other")
    settings.choose_python(chosen)
    (tmp_path / "wheels" / "tiny_part-1.0-py3-none-any.whl").rename(tmp_path / "wheels" / "other-1.0-py3-none-any.whl")
    assert "holds no tiny-part in the tested version" in set_up(page)
    assert settings.chosen_python() == chosen
    assert page.setup.told.text() in page.setup.log.toPlainText()


def test_an_interrupted_one_is_told_and_made_anew(page: OptionsPage) -> None:
    (data_folder() / "environment").mkdir(parents=True)
    (data_folder() / "environment" / folder.BEGUN).touch()
    (data_folder() / "environment" / "half").touch()
    assert "was interrupted; press Set up" in OptionsPage().setup.told.text()
    assert set_up(page) == "Everything works."
    assert not (data_folder() / "environment" / "half").exists()


# ---- Remove ----------------------------------------------------------------------------------------------------------


def test_remove_asks_and_then_takes_only_what_was_set_up(page: OptionsPage, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(page)
    (data_folder() / "mine.txt").touch()
    answers = [QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes]
    monkeypatch.setattr(QMessageBox, "question", lambda *_: answers.pop(0))
    page.setup.remove.click()
    assert find_python() is not None
    page.setup.remove.click()
    assert page.setup.told.text() == "The environment is removed."
    assert find_python() is None
    assert not (data_folder() / "environment").exists()
    assert (data_folder() / "mine.txt").exists()
    assert page.python.lineEdit().placeholderText() == "none found"
    assert not page.setup.remove.isEnabled()


# ---- The report and the proxy ----------------------------------------------------------------------------------------


def test_the_report_has_versions_check_and_log(
    page: OptionsPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://ana:secret@127.0.0.1:9")
    set_up(page)
    path = tmp_path / "report.txt"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), "*.txt"))
    page.report.click()
    process_until(path.exists, 20)
    process_until(lambda: str(path) in page.told.text())
    text = path.read_text(encoding="utf-8")
    for part in ("QGIS: 3.", "Qt: ", f"plugin: {session.plugin_version()}", "ok   JEPA-GFM", "Successfully installed"):
        assert part in text
    assert "secret" not in text


def test_without_an_environment_the_report_says_so(
    page: OptionsPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.txt"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), "*.txt"))
    page.report.click()
    assert "environment: none" in path.read_text(encoding="utf-8")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "no" / "report.txt"), ""))
    page.report.click()
    assert "could not be written (No such file or directory); choose another folder." in page.told.text()


@pytest.mark.parametrize(
    ("kept", "address"),
    [
        ((True, "HttpProxy", "proxy", "3128", "ana", "p@ss word"), "http://ana:p%40ss%20word@proxy:3128"),
        (("true", "Socks5Proxy", "proxy", "1080", "", ""), "socks5://proxy:1080"),
        ((True, "HttpProxy", "proxy", "0", "", ""), "http://proxy"),
        ((False, "HttpProxy", "proxy", "3128", "", ""), ""),
        ((True, "DefaultProxy", "proxy", "3128", "", ""), ""),
        ((True, "HttpProxy", "", "3128", "", ""), ""),
    ],
)
def test_qgis_s_proxy_is_pip_s(kept: tuple[object, ...], address: str) -> None:
    for name, value in zip(PROXY, kept, strict=True):
        QgsSettings().setValue(f"proxy/{name}", value)
    assert network.proxy() == address
