from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from pyproj import CRS

from gfm_core.report.area import ground_pixel, map_areas

WriteRaster = Callable[..., Path]  # the fixture of conftest.py

A, E2 = 6_378_137.0, 0.00669437999014  # WGS 84


def degree_cell(lat: float, size: float) -> float:
    """Area of a small cell of `size` degrees: M * N * cos(lat) * dlat * dlon (Snyder 1987, section 3)."""
    sine = math.sin(math.radians(lat))
    meridian = A * (1 - E2) / (1 - E2 * sine**2) ** 1.5
    normal = A / math.sqrt(1 - E2 * sine**2)
    return meridian * normal * math.cos(math.radians(lat)) * math.radians(size) ** 2


@pytest.mark.parametrize("lat", [0.0, 47.0, -80.0])
def test_pixel_in_degrees_has_the_area_of_the_closed_form(lat: float) -> None:
    pixel = ground_pixel(CRS.from_epsg(4326).to_wkt(), Affine(1e-4, 0, 10, 0, -1e-4, lat), row=0, col=0)
    assert pixel.area == pytest.approx(degree_cell(lat, 1e-4), rel=1e-6)


def test_pixel_of_an_equal_area_projection_has_its_nominal_area_even_if_rotated() -> None:
    turned = Affine.translation(2e6, 5e6) * Affine.rotation(30) * Affine.scale(50, -20)
    pixel = ground_pixel(CRS.from_epsg(6933).to_wkt(), turned, row=3, col=4)
    assert pixel.area == pytest.approx(1000.0, rel=1e-5)


def test_pixel_on_the_central_meridian_of_utm_is_larger_than_its_nominal_size() -> None:
    pixel = ground_pixel(CRS.from_epsg(32633).to_wkt(), Affine(0.02, 0, 500_000, 0, -0.02, 5_800_000), row=0, col=0)
    assert pixel.width == pytest.approx(0.02 / 0.9996, rel=1e-6)  # scale factor of UTM
    assert pixel.height == pytest.approx(0.02 / 0.9996, rel=1e-6)


def test_areas_of_a_map_in_degrees_follow_the_latitude(write_raster: WriteRaster) -> None:
    values = np.ones((600, 3), np.uint8)
    values[300:] = 2
    path = write_raster(values, crs="EPSG:4326", transform=Affine(0.01, 0, 10, 0, -0.01, 63))
    north, south = map_areas(path)
    assert (north.pixels, south.pixels) == (900, 900)
    assert north.area_m2 == pytest.approx(
        3 * sum(degree_cell(63 - (row + 0.5) / 100, 0.01) for row in range(300)), rel=1e-4
    )
    assert south.area_m2 > 1.04 * north.area_m2
    assert north.share + south.share == pytest.approx(1)


def test_nodata_of_the_file_is_left_out(write_raster: WriteRaster) -> None:
    (only,) = map_areas(write_raster(np.array([[1, 1, 255]], np.uint8), nodata=255))
    assert (only.code, only.pixels, only.share) == (1, 2, 1.0)


def test_zero_is_no_class_and_a_map_of_zeros_has_no_areas(write_raster: WriteRaster) -> None:
    first, second = map_areas(write_raster(np.array([[0, 0, 1, 1, 1, 2]], np.uint8)))
    assert [(item.code, item.pixels) for item in (first, second)] == [(1, 3), (2, 1)]
    assert (first.share, second.share) == (pytest.approx(0.75, rel=1e-5), pytest.approx(0.25, rel=1e-5))
    assert map_areas(write_raster(np.zeros((1, 5), np.uint8))) == ()
