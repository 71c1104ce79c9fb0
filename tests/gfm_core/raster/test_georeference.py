"""Where rasters lie and how large their pixels are on the ground."""

from __future__ import annotations

import math

import pytest
from affine import Affine
from pyproj import CRS

from gfm_core.errors import InputError
from gfm_core.raster.georeference import ground_sample_distance


def gsd(crs: str, transform: Affine, size: int = 100) -> float:
    return ground_sample_distance(CRS.from_user_input(crs), transform, size, size, "x.tif")


def test_utm_counts_its_own_metres_so_that_neighbours_agree() -> None:
    centre, edge = Affine(10, 0, 500_000, 0, -10, 5_800_000), Affine(10, 0, 200_000, 0, -10, 5_800_000)
    assert gsd("EPSG:32633", centre) == gsd("EPSG:32633", edge) == 10.0


def test_degrees_are_measured_on_the_ellipsoid() -> None:
    # WGS 84 at latitude 60: a degree is 55 800 m along the parallel, 111 412 m along the meridian (series of Helmert)
    step = 0.001
    expected = step * math.sqrt(55_800 * 111_412)
    assert gsd("EPSG:4326", Affine(step, 0, 25, 0, -step, 60 + 50 * step)) == pytest.approx(expected, rel=2e-3)


def test_web_mercator_shrinks_with_the_cosine_of_latitude() -> None:
    y = 8_399_737.9  # latitude 60
    assert gsd("EPSG:3857", Affine(10, 0, 0, 0, -10, y + 500)) == pytest.approx(5.0, abs=0.02)


def test_web_mercator_in_the_tropics_is_measured_too() -> None:
    y, latitude = 2_273_030.9, math.radians(20)
    # Radii of curvature of WGS 84 in units of its semi-major axis, along the meridian and across it.
    squared = 0.00669438 * math.sin(latitude) ** 2
    along, across = (1 - 0.00669438) / (1 - squared) ** 1.5, 1 / math.sqrt(1 - squared)
    expected = 10 * math.cos(latitude) * math.sqrt(along * across)
    assert gsd("EPSG:3857", Affine(10, 0, 0, 0, -10, y + 500)) == pytest.approx(expected, abs=0.006)


def test_feet_become_metres() -> None:
    found = gsd("EPSG:2264", Affine(10, 0, 2_000_000, 0, -10, 600_000))  # North Carolina, US survey feet
    assert found == pytest.approx(10 * 1200 / 3937, abs=1e-3)


@pytest.mark.parametrize("turn", [Affine.rotation(30), Affine.scale(1, -1)], ids=["rotated", "south-up"])
def test_rotation_and_south_up_do_not_change_the_pixel_size(turn: Affine) -> None:
    assert gsd("EPSG:32633", Affine.translation(400_000, 5_800_000) * turn * Affine.scale(10, -10)) == 10.0


def test_a_sinusoidal_grid_far_from_its_meridian_keeps_the_area_of_its_pixels() -> None:
    modis = "+proj=sinu +R=6371007.181 +units=m"
    assert gsd(modis, Affine(231.656, 0, -6_089_550, 0, -231.656, -1_332_950), 30) == 231.656


def test_centimetres_are_kept() -> None:
    assert gsd("EPSG:32753", Affine(0.018, 0, 278_966, 0, -0.018, 8_597_744), 700) == 0.018


@pytest.mark.parametrize(
    ("crs", "transform"),
    [
        ("EPSG:4326", Affine(10, 0, 300_000, 0, -10, 5_000_000)),  # metres under a CRS in degrees
        ('LOCAL_CS["local",UNIT["metre",1]]', Affine(10, 0, 0, 0, -10, 0)),
    ],
)
def test_a_place_off_the_earth_is_a_sentence_with_a_mend(crs: str, transform: Affine) -> None:
    with pytest.raises(InputError, match=r"x\.tif .*:crs="):
        gsd(crs, transform)
