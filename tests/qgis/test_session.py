"""The one worker of a profile follows the settings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from qgis.core import QgsApplication, QgsSettings

from qgis_plugin import environment, session, settings
from qgis_plugin.worker_client import WorkerError
from tests.qgis_plugin.fake_worker import is_running, write_python


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


def test_without_an_environment_the_sentence_tells_where_to_set_it_up() -> None:
    with pytest.raises(WorkerError) as caught:
        session.worker()
    assert "set it up in Settings > Options > JEPA-GFM" in str(caught.value)


def test_the_installed_environment_is_used_until_another_is_chosen(tmp_path: Path) -> None:
    told = {"format": 1, "python": "/opt/gfm/bin/python", "version": "0.1.0"}
    environment.data_folder().mkdir(parents=True)
    (environment.data_folder() / "environment.json").write_text(json.dumps(told))
    assert session.worker().python == "/opt/gfm/bin/python"
    settings.choose_python(str(tmp_path / "python"))
    assert session.worker().python == str(tmp_path / "python")


def test_runs_share_one_worker_and_asking_for_it_starts_nothing(tmp_path: Path) -> None:
    settings.choose_python(write_python(tmp_path / "python"))
    worker = session.worker()
    assert worker.pid is None
    assert session.worker() is worker
    pid = worker.call("embed", {})["pid"]
    assert session.worker().call("embed", {})["pid"] == pid


def test_another_python_ends_the_worker_of_the_one_before(tmp_path: Path) -> None:
    settings.choose_python(write_python(tmp_path / "one"))
    first = session.worker().hello()["pid"]
    settings.choose_python(write_python(tmp_path / "two"))
    assert session.worker().hello()["pid"] != first
    assert not is_running(first)


def test_a_stopped_worker_is_gone_and_the_next_run_starts_another(tmp_path: Path) -> None:
    settings.choose_python(write_python(tmp_path / "python"))
    first = session.worker().hello()["pid"]
    session.stop_worker()
    session.stop_worker()
    assert not is_running(first)
    assert session.worker().hello()["pid"] != first


def test_the_log_lies_in_the_profile() -> None:
    assert Path(QgsApplication.qgisSettingsDirPath()) in session.log_file().parents


def test_the_version_is_that_of_the_library() -> None:
    project = (Path(__file__).resolve().parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{session.plugin_version()}"\n' in project
    assert re.fullmatch(r"\d+\.\d+\.\d+", session.plugin_version())


def test_a_device_that_is_none_is_the_automatic_one() -> None:
    assert settings.device() == "auto"
    settings.choose_device("cpu")
    assert settings.device() == "cpu"
    QgsSettings().setValue(settings.DEVICE, "toaster")
    assert settings.device() == "auto"


def test_defaults_are_not_kept() -> None:
    settings.choose_python("/a/python")
    settings.choose_device("cuda")
    settings.choose_python(" ")
    settings.choose_device("auto")
    assert not QgsSettings().contains(settings.PYTHON)
    assert not QgsSettings().contains(settings.DEVICE)
