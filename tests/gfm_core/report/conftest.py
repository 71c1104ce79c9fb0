"""A small class map on disk, as the tests of this folder need it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from numpy.typing import NDArray

from gfm_core.classes import MapClass

WriteRaster = Callable[..., Path]


@pytest.fixture
def write_raster(tmp_path: Path) -> WriteRaster:
    """Writes one band: `write_raster(values, nodata=0, crs=..., transform=...)`, 10 m UTM pixels unless told."""

    def write(values: NDArray[Any], name: str = "map.tif", **options: Any) -> Path:
        profile = {
            "driver": "GTiff", "width": values.shape[1], "height": values.shape[0], "count": 1, "dtype": values.dtype,
            "nodata": 0, "crs": "EPSG:32633", "transform": Affine(10, 0, 500_000, 0, -10, 5_800_000), **options,
        }  # fmt: skip
        path = tmp_path / name
        with rasterio.open(path, "w", **profile) as dataset:
            dataset.write(values, 1)
        return path

    return write


@pytest.fixture
def classes() -> tuple[MapClass, ...]:
    """Three classes with colours that are easy to find in a picture."""
    return (
        MapClass(1, "forest", "forest", (10, 120, 60)),
        MapClass(2, "water", "water", (40, 90, 200)),
        MapClass(5, "meadow", "meadow", (170, 200, 90)),
    )


@pytest.fixture
def class_map(write_raster: WriteRaster) -> Path:
    """20 x 40 pixels: a quarter forest, a quarter water, three eighths meadow, an eighth without data."""
    values = np.zeros((20, 40), np.uint8)
    values[:10, :20], values[:10, 20:], values[10:, :30] = 1, 2, 5
    return write_raster(values)
