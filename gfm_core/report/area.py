"""Areas of the classes of a map, by counting pixels.

A count says how much ground the *map* gives to a class. It is no unbiased estimate of how much there is: confusions
between classes shift it (Olofsson et al. 2014, doi:10.1016/j.rse.2014.02.015), which needs a test sample to mend.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from affine import Affine
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
    """One pixel on the ground, in metres: length of its upper edge, of its left edge, and its area in m²."""

    width: float
    height: float
    area: float


def class_areas(counts: Mapping[int, int], pixel_area_m2: float) -> tuple[ClassArea, ...]:
    """Areas by code from pixel counts; code 0 (nodata) is left out, a class without pixels is told as zero."""
    return _areas(counts, {code: count * pixel_area_m2 for code, count in counts.items()})


def map_areas(map_path: str | Path) -> tuple[ClassArea, ...]:
    """Areas of the classes found in a class map with a CRS, strip by strip.

    The pixel's area is that on the ground at each strip, so maps in degrees or web projections come out right too.
    """
    import rasterio
    from rasterio.windows import Window

    counts: dict[int, int] = {}
    areas: dict[int, float] = {}
    with rasterio.open(map_path) as dataset:
        crs, nodata = dataset.crs.to_wkt(), dataset.nodata
        rows = max(1, min(256, _STRIP_PIXELS // max(dataset.width, 1)))
        for top in range(0, dataset.height, rows):
            strip = dataset.read(1, window=Window(0, top, dataset.width, min(rows, dataset.height - top)))
            pixel = ground_pixel(crs, dataset.transform, row=top + strip.shape[0] / 2, col=dataset.width / 2)
            for code, count in zip(*map(np.ndarray.tolist, np.unique(strip, return_counts=True)), strict=True):
                if code != nodata:
                    counts[code] = counts.get(code, 0) + count
                    areas[code] = areas.get(code, 0.0) + count * pixel.area
    return _areas(counts, areas)


def ground_pixel(crs: str, transform: Affine, *, row: float, col: float) -> GroundPixel:
    """The pixel around (`row`, `col`) on the WGS 84 ellipsoid."""
    corners = [transform * (col + dx, row + dy) for dx, dy in ((-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5))]
    lons, lats = transformer(crs, "EPSG:4326").transform([x for x, _ in corners], [y for _, y in corners])
    azimuths, _, lengths = _WGS84.inv(lons[:1] * 2, lats[:1] * 2, lons[1:], lats[1:])
    across, down = lengths
    turn = math.radians(azimuths[1] - azimuths[0])
    return GroundPixel(across, down, abs(across * down * math.sin(turn)))


def _areas(counts: Mapping[int, int], areas: Mapping[int, float]) -> tuple[ClassArea, ...]:
    mapped = sum(area for code, area in areas.items() if code != 0)
    return tuple(
        ClassArea(code, counts[code], areas[code], areas[code] / mapped if mapped > 0 else 0.0)
        for code in sorted(counts)
        if code != 0
    )
