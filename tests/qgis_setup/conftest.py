"""What the tests of the set-up share: a user with a plain pip, a folder of wheels, an order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qgis_plugin.setup.folder import default_folder
from qgis_plugin.setup.plan import Order
from tests.qgis_setup.fakes import VERSION, base_python, plain_pip, write_library, write_part


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of a user who has set up nothing, with a blank in its name."""
    home = tmp_path / "a home ü"
    plain_pip(monkeypatch, home)
    (home / "jepa-gfm").mkdir(parents=True)
    return home / "jepa-gfm"


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """A folder of wheels with all that the library needs."""
    return write_part(tmp_path / "wheels").parent


@pytest.fixture
def order(data: Path, wheels: Path, tmp_path: Path) -> Callable[..., Order]:
    """An order that works without network; `changes` are its fields."""
    pins = tmp_path / "pins.txt"
    pins.write_text("tiny-part==1.0\n")
    library = write_library(tmp_path / "library")

    def make(**changes: Any) -> Order:
        kept = {"python": base_python(), "wheel_folder": str(wheels), "version": VERSION, **changes}
        return Order(default_folder(), library, pins, **kept)

    return make
