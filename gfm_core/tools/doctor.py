"""Doctor: does everything that is needed work here, and what mends what does not."""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    """One part of the installation: whether it works, what was found, and the mend where it does not."""

    name: str
    ok: bool
    found: str
    mend: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


_NEEDED = ("torch", "rasterio", "geopandas", "pyogrio", "shapely", "pyproj", "numpy", "scipy", "sklearn",
           "safetensors", "PIL", "click", "rich")  # fmt: skip
_DISTRIBUTIONS = {"sklearn": "scikit-learn", "PIL": "pillow"}  # their names in registries


def check_installation() -> list[Check]:
    """Every check in the order in which a user would mend things."""
    checks = [_python(), _guarded("JEPA-GFM", _version), *(_package(name) for name in _NEEDED)]
    if all(check.ok for check in checks):
        checks += [_guarded("device", _device), _guarded("PROJ", _proj), _guarded("model", _model)]
        checks.append(_guarded("round trip", _round_trip))
    return checks


def _python() -> Check:
    version = platform.python_version()
    ok = sys.version_info >= (3, 11)
    return Check(
        "python", ok, f"{version} at {sys.executable}", "" if ok else "Make the environment with Python 3.11 or newer."
    )


def _version() -> str:
    return importlib.metadata.version("jepa-gfm")


def _package(name: str) -> Check:
    try:
        importlib.import_module(name)
        version = importlib.metadata.version(_DISTRIBUTIONS.get(name, name))
    except Exception as error:  # noqa: BLE001 - a broken package may raise anything
        return Check(
            name, False, f"{type(error).__name__}: {error}", "Install the package again: pip install jepa-gfm."
        )
    return Check(name, True, version)


def _guarded(name: str, check: Callable[[], str]) -> Check:
    """A check that runs something; whatever it raises becomes its finding."""
    try:
        return Check(name, True, check())
    except Exception as error:  # noqa: BLE001 - what is broken may raise anything
        reason = " ".join(str(error).split())[:300]
        return Check(
            name, False, f"{type(error).__name__}: {reason}", "Make a fresh environment and install jepa-gfm again."
        )


def _device() -> str:
    from gfm_core.model.device import resolve_device
    from gfm_core.model.precision import resolve_precision

    device = resolve_device("auto")
    reason = "" if device.type == "cuda" else " (torch sees no GPU)"
    return f"{device}{reason}, {resolve_precision('auto', device)}"


def _proj() -> str:
    from pyproj import Transformer

    x, y = Transformer.from_crs("EPSG:4326", "EPSG:32633", always_xy=True).transform(15.0, 52.0)
    if abs(x - 500_000) > 1 or abs(y - 5_761_038) > 100:
        raise RuntimeError(f"15° E 52° N became {x:.0f}, {y:.0f} in EPSG:32633; another program's PROJ_DATA may be set")
    return "coordinates are right"


def _model() -> str:
    from gfm_core.model.checkpoint import load_model

    model = load_model("nano")
    return f"{model.name} {model.sha256[:12]}"


def _round_trip() -> str:
    """A small raster written, embedded and read back."""
    import numpy as np
    import rasterio
    from rasterio.transform import from_origin

    from gfm_core.tools.embed import embed

    with tempfile.TemporaryDirectory() as folder:
        raster = Path(folder) / "small.tif"
        pixels = np.random.default_rng(0).integers(1, 3000, (3, 40, 40), dtype=np.uint16)
        profile = {"driver": "GTiff", "height": 40, "width": 40, "count": 3, "dtype": "uint16"}
        with rasterio.open(
            raster, "w", crs="EPSG:32633", transform=from_origin(5e5, 5e6, 10, 10), **profile
        ) as dataset:
            dataset.write(pixels)
        made = embed([raster], Path(folder) / "embedding.tif")
        return f"a raster became {made.cells.rows} x {made.cells.cols} cells in {len(made.columns)} bands"
