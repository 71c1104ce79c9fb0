"""Fixtures inside QGIS: the provider as QGIS registers it, the worker's environment, a small place."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsApplication, QgsProcessingFeedback, QgsProject
from qgis.PyQt.QtCore import QCoreApplication, QLocale

from qgis_plugin import session, settings
from qgis_plugin.provider import JepaGfmProvider
from tests.qgis.place import PYTHON, SmallPlace, cut

QLocale.setDefault(QLocale.c())  # English, whoever runs the tests: the plugin follows the language of QGIS

_status = [0]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(exitstatus: int) -> None:
    _status[0] = int(exitstatus)


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure() -> None:
    """End here, all being told: pytest collects garbage once more after QGIS has gone, and PyQt then crashes now and
    then on objects that QGIS took along.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(_status[0])


def wait_for(done: Callable[[], Any], seconds: float = 60, told: Callable[[], Any] = str) -> Any:
    """Let QGIS work until it is so; what `told` says if it never is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QCoreApplication.processEvents()
        found = done()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"nothing came: {told()}")


class Told(QgsProcessingFeedback):
    """A feedback that keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(False)
        self.infos: list[str] = []
        self.warnings: list[str] = []
        self.errors: list[str] = []
        self.commands: list[str] = []
        self.fractions: list[float] = []
        self.progressChanged.connect(self.fractions.append)

    def pushInfo(self, info: str) -> None:
        self.infos.append(info)

    def pushWarning(self, warning: str) -> None:
        self.warnings.append(warning)

    def pushCommandInfo(self, info: str) -> None:
        self.commands.append(info)

    def reportError(self, error: str, fatalError: bool = False) -> None:
        self.errors.append(error)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture(scope="session")
def processing_in_qgis(qgis_app: QgsApplication, qgis_processing: None) -> Iterator[None]:
    """Processing, and at the end no worker and no provider of ours."""
    yield
    session.stop_worker()
    if QgsApplication.processingRegistry().providerById("jepagfm") is not None:
        QgsApplication.processingRegistry().removeProvider("jepagfm")


@pytest.fixture
def provider(processing_in_qgis: None) -> JepaGfmProvider:
    """The provider; registered unless a test before took it away."""
    registry = QgsApplication.processingRegistry()
    if registry.providerById("jepagfm") is None:
        _kept.append(JepaGfmProvider())
        registry.addProvider(_kept[-1])
    return _kept[-1]


_kept: list[JepaGfmProvider] = []  # without a reference QGIS would find no Python behind the algorithms


@pytest.fixture
def environment(provider: JepaGfmProvider) -> Iterator[None]:
    """A user who has chosen the repository's environment; the worker stays warm from test to test."""
    settings.choose_python(PYTHON)
    yield
    QgsProject.instance().clear()
    settings.choose_python("")


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> SmallPlace:
    return cut(tmp_path_factory.mktemp("place"))


@pytest.fixture(scope="session")
def embedding(place: SmallPlace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The place embedded by the command line."""
    from tests.qgis.place import gfm

    path = tmp_path_factory.mktemp("embedding") / "embedding.tif"
    gfm("embed", *place.rasters, "-o", path)
    return path
