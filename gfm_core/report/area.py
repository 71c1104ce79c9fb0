"""Areas of the classes of a map, by counting pixels.

A count says how much ground the *map* gives to a class. It is no unbiased estimate of how much there is: confusions
between classes shift it (Olofsson et al. 2014, doi:10.1016/j.rse.2014.02.015), which needs a test sample to mend.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import Geod

from gfm_core.raster.ground import transformer

_STRIP_PIXELS = 4_000_000  # read at a time
_WGS84 = Geod(ellps="WGS84")


@dataclass(frozen=True, slots=True)
class ClassArea:
    """Ground that a map gives to one class; `share` is of all mapped pixels' area (0-1), nodata left out."""

    code: int
    pixels: int
    area_m2: float
    share: float


@dataclass(frozen=True, slots=True)
class GroundPixel:
    """One pixel on the ground: lengths of its middle lines in metres, and its area in m²."""

    width: float
    height: float
    area: float


def map_areas(map_path: str | Path) -> tuple[ClassArea, ...]:
    """Areas of the classes found in a class map with a CRS, strip by strip.

    A pixel's area is that on the ground in its row, so maps in degrees or web projections come out right too.
    """
    import rasterio
    from rasterio.windows import Window

    counts = np.zeros(65536, np.int64)
    areas = np.zeros(65536)
    with rasterio.open(map_path) as dataset:
        crs, nodata = dataset.crs.to_wkt(), dataset.nodata
        rows = max(1, min(dataset.height, _STRIP_PIXELS // max(dataset.width, 1)))
        for top in range(0, dataset.height, rows):
            strip = dataset.read(1, window=Window(0, top, dataset.width, min(rows, dataset.height - top)))
            pixels = _pixel_areas(crs, dataset.transform, top + np.arange(len(strip)) + 0.5, dataset.width / 2)
            codes = strip.ravel()
            counts += np.bincount(codes, minlength=65536)
            areas += np.bincount(codes, weights=np.repeat(pixels, dataset.width), minlength=65536)
    found = [int(code) for code in np.flatnonzero(counts) if code != nodata]
    return _areas({code: int(counts[code]) for code in found}, {code: float(areas[code]) for code in found})


def ground_pixel(crs: str, transform: Affine, *, row: float, col: float) -> GroundPixel:
    """The pixel around (`row`, `col`), in pixels from the raster's corner, on the WGS 84 ellipsoid."""
    across, down, turn = _sides(crs, transform, np.array([row]), col)
    return GroundPixel(float(across[0]), float(down[0]), float(across[0] * down[0] * turn[0]))


def _pixel_areas(crs: str, transform: Affine, rows: NDArray[np.floating[Any]], col: float) -> NDArray[np.float64]:
    across, down, turn = _sides(crs, transform, rows, col)
    return across * down * turn


def _sides(
    crs: str, transform: Affine, rows: NDArray[np.floating[Any]], col: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Lengths in metres of pixels' middle lines, across and down, and the sine between them; `[n]` each."""
    lons, lats = [], []
    for dx, dy in ((-0.5, 0), (0.5, 0), (0, -0.5), (0, 0.5)):
        x = transform.a * (col + dx) + transform.b * (rows + dy) + transform.c
        y = transform.d * (col + dx) + transform.e * (rows + dy) + transform.f
        lon, lat = transformer(crs, "EPSG:4326").transform(x, y)
        lons.append(np.asarray(lon))
        lats.append(np.asarray(lat))
    east, _, across = _WGS84.inv(lons[0], lats[0], lons[1], lats[1])
    south, _, down = _WGS84.inv(lons[2], lats[2], lons[3], lats[3])
    return across, down, np.abs(np.sin(np.radians(south - east)))


def _areas(counts: Mapping[int, int], areas: Mapping[int, float]) -> tuple[ClassArea, ...]:
    mapped = sum(area for code, area in areas.items() if code != 0)
    return tuple(
        ClassArea(code, counts[code], areas[code], areas[code] / mapped if mapped > 0 else 0.0)
        for code in sorted(counts)
        if code != 0
    )
