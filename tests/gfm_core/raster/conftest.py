"""Fixtures for raster tests: a maker of tiny rasters with every awkward thing in them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning

from gfm_core.raster.facts import Facts

NORTH_UP = Affine(10.0, 0.0, 400_000.0, 0.0, -10.0, 5_800_000.0)
MakeRaster = Callable[..., Path]


@pytest.fixture
def make_raster(tmp_path: Path) -> MakeRaster:
    """Writes `values` `[bands, rows, cols]` to `name` and returns its path; `tags`, `names`, ... as they are called."""

    def make(
        name: str = "tiny.tif",
        values: np.ndarray[Any, Any] | None = None,
        *,
        names: list[str] | None = None,
        tags: dict[str, str] | None = None,
        colours: list[ColorInterp] | None = None,
        gcps: Any = None,
        scale: float | None = None,
        mask: np.ndarray[Any, Any] | None = None,
        **profile: Any,
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        array = np.full((1, 16, 16), 1200, np.uint16) if values is None else values
        count, height, width = array.shape
        settings = {
            "driver": "GTiff", "count": count, "height": height, "width": width, "dtype": array.dtype,
            "crs": "EPSG:32633", "transform": NORTH_UP, **profile,
        }  # fmt: skip
        if gcps is not None:
            settings.pop("transform")
        with warnings.catch_warnings(), rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path, "w", **settings) as dataset:
                if gcps is not None:
                    dataset.gcps = (gcps, settings["crs"])
                if colours:
                    dataset.colorinterp = colours
                dataset.write(array)
                dataset.update_tags(**(tags or {}))
                for number, text in enumerate(names or [], start=1):
                    dataset.set_band_description(number, text)
                if scale:
                    dataset.scales = (scale,) * count
                if mask is not None:
                    dataset.write_mask(mask)
        return path

    return make


def facts(
    names: list[str | None],
    *,
    name: str = "x.tif",
    dtype: str = "uint16",
    values: float | tuple[float, float] | list[float] = 1500.0,
    tags: dict[str, str] | None = None,
    gsd: float = 10.0,
    **more: Any,
) -> Facts:
    """What a file would say: `names` of its bands, and sample values (one number or a range for all, or one a band)."""
    count = len(names)

    def sample(index: int) -> np.ndarray[Any, Any]:
        here = values[index - 1] if isinstance(values, list) else values
        low, high = here if isinstance(here, tuple) else (here, here)
        return np.linspace(low, high, 200)

    settings: dict[str, Any] = {
        "folders": (), "dtypes": (dtype,) * count, "descriptions": tuple(names), "colours": ("undefined",) * count,
        "band_tags": ({},) * count, "scales": (1.0,) * count, "offsets": (0.0,) * count, "units": ("",) * count,
        "palette": False, **more,
    }  # fmt: skip
    return Facts(name=name, tags=tags or {}, gsd=gsd, values=sample, **settings)
