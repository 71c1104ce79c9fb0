"""Every part of the installation is looked at, and what is broken is told with its mend."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import PIL
import pytest
import sklearn
import torch

from gfm_core.model import checkpoint
from gfm_core.tools import doctor
from gfm_core.tools.doctor import check_installation


@pytest.fixture(autouse=True)
def model_at_hand(monkeypatch: pytest.MonkeyPatch, nano_path: Path) -> None:
    """A fresh clone may hold no packaged model yet."""
    monkeypatch.setattr(checkpoint, "model_files", lambda: {"nano": nano_path})


def test_a_working_installation_is_all_well() -> None:
    checks = {check.name: check for check in check_installation()}
    assert all(check.ok and not check.mend for check in checks.values())
    assert {"python", "JEPA-GFM", "torch", "rasterio", "device", "PROJ", "model", "round trip"} <= set(checks)
    for name, module in (("torch", torch), ("sklearn", sklearn), ("PIL", PIL)):
        assert checks[name].found == module.__version__
    assert "became 20 x 20 cells" in checks["round trip"].found


def test_a_package_that_does_not_load_is_told_and_nothing_is_tried_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def broken(name: str, *more: Any) -> ModuleType:
        if name == "pyogrio":
            raise OSError("libgdal.so: cannot open")
        return real(name, *more)

    monkeypatch.setattr(doctor.importlib, "import_module", broken)
    checks = {check.name: check for check in check_installation()}
    assert not checks["pyogrio"].ok
    assert "OSError: libgdal.so" in checks["pyogrio"].found
    assert "pip install" in checks["pyogrio"].mend
    assert "round trip" not in checks


def test_what_fails_while_it_is_tried_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> NoReturn:
        raise ValueError("two\nlines")

    monkeypatch.setattr(doctor, "_model", fail)
    checks = {check.name: check for check in check_installation()}
    assert not checks["model"].ok
    assert checks["model"].found == "ValueError: two lines"
    assert checks["round trip"].ok
