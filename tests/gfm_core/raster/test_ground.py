"""CRS questions and rectangles between CRSs, against pyproj's database and rasterio.warp."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import pyproj
import pytest
import rasterio.warp
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_utm_crs_info

from gfm_core.errors import InputError, ParameterError
from gfm_core.grid import Bounds
from gfm_core.raster.ground import as_crs, is_metric, pixel_size_in, same_crs, transform_bounds, utm_crs

UTM = pyproj.CRS("EPSG:32633").to_wkt()


def test_a_text_that_is_no_crs_is_refused_with_an_example() -> None:
    with pytest.raises(ParameterError, match="'nonsense' is not a CRS; give one such as EPSG:32633"):
        as_crs("nonsense")


@pytest.mark.parametrize(
    ("first", "other", "same"),
    [
        ("EPSG:32633", UTM, True),
        ("EPSG:32633", pyproj.CRS("EPSG:32633").to_wkt("WKT1_GDAL"), True),
        ("EPSG:32633", "EPSG:32634", False),
        ("EPSG:4326", "OGC:CRS84", True),  # the same place, axes the other way round
        ("EPSG:4326", "EPSG:4258", False),
        ("EPSG:2154", "+proj=lcc +lat_0=46.5 +lon_0=3 +lat_1=49 +lat_2=44 +x_0=0 +y_0=6600000 +ellps=GRS80", False),
    ],
)
def test_two_crs_texts_are_the_same_whatever_their_form(first: str, other: str, same: bool) -> None:
    assert same_crs(first, other) is same


@pytest.mark.parametrize(
    ("crs", "metric"),
    [
        ("EPSG:32633", True),
        ("EPSG:3857", True),
        ("EPSG:4326", False),
        ("EPSG:2264", False),  # US survey feet
        ("EPSG:32633+5773", True),  # with heights
    ],
)
def test_only_projections_in_metres_are_metric(crs: str, metric: bool) -> None:
    assert is_metric(crs) is metric


places = st.tuples(st.floats(-170, 165), st.floats(-70, 70), st.floats(0.01, 2.0), st.floats(0.01, 2.0))


@given(places)
@settings(max_examples=50)
def test_rectangles_between_crs_agree_with_rasterio(place: tuple[float, float, float, float]) -> None:
    lon, lat, width, height = place
    degrees = Bounds(lon, lat, lon + width, lat + height)
    target = utm_crs(degrees, "EPSG:4326")
    found = np.array(transform_bounds(degrees, "EPSG:4326", target).as_tuple())
    expected = rasterio.warp.transform_bounds("EPSG:4326", target, *degrees.as_tuple(), densify_pts=101)
    # Both walk along the edges; between their points an edge bulges by less than a thousandth of the rectangle.
    assert np.abs(found - expected).max() < 1e-3 * max(found[2] - found[0], found[3] - found[1])


def test_an_edge_that_bulges_between_its_corners_stays_inside() -> None:
    # A parallel is an arc in Europe's equal-area projection: its middle lies 1.8 degrees south of the chord's.
    europe = Bounds(-5, 45, 25, 60)
    found = transform_bounds(europe, "EPSG:4326", "EPSG:3035")
    to_plane = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:3035", always_xy=True)
    _, lowest = to_plane.transform(10, 45)
    assert found.bottom == pytest.approx(lowest, abs=1)
    _, corner = to_plane.transform(-5, 45)
    assert corner - lowest > 100_000


def test_a_rectangle_in_the_same_crs_stays_as_it_is_to_the_bit() -> None:
    bounds = Bounds(0.1, 0.2, 0.3, 0.7)
    assert transform_bounds(bounds, "EPSG:32633", UTM) == bounds


def test_a_rectangle_that_the_crs_cannot_reach_is_refused() -> None:
    with pytest.raises(InputError, match="has no place in WGS 84 / UTM zone 33N; choose another CRS with --crs"):
        transform_bounds(Bounds(0, 80, 10, 95), "EPSG:4326", UTM)


@given(st.integers(-1799, 1799), st.integers(-799, 839))
def test_the_utm_zone_is_that_of_the_epsg_database(lon_tenths: int, lat_tenths: int) -> None:
    lon, lat = lon_tenths / 10 + 0.05, lat_tenths / 10 + 0.05  # not on a border between zones
    code = pyproj.CRS(utm_crs(Bounds(lon, lat, lon, lat), "EPSG:4326")).to_epsg()
    area = areas_of_utm_zones()[str(code)]
    assert area.west <= lon <= area.east
    assert area.south <= lat <= area.north


@functools.cache
def areas_of_utm_zones() -> dict[str, Any]:
    """What the EPSG database says of each UTM zone's area of use, by code."""
    return {info.code: info.area_of_use for info in query_utm_crs_info("WGS 84", AreaOfInterest(-180, -80, 180, 84))}


@pytest.mark.parametrize(("lat", "code"), [(84.5, 5041), (-80.5, 5042)])
def test_beyond_utm_lie_the_polar_grids(lat: float, code: int) -> None:
    assert pyproj.CRS(utm_crs(Bounds(0, lat, 1, lat), "EPSG:4326")).to_epsg() == code


def test_the_size_of_a_pixel_in_degrees_is_measured_in_the_target_crs() -> None:
    step, lon, lat = 1e-4, 15.0, 52.0  # on the central meridian of zone 33
    transform = Affine(step, 0, lon, 0, -step, lat)
    size = pixel_size_in("EPSG:32633", transform, (2, 2), "EPSG:4326")
    geod = pyproj.Geod(ellps="WGS84")
    across = geod.inv(lon, lat, lon + step, lat)[2]
    down = geod.inv(lon, lat, lon, lat - step)[2]
    expected = 0.9996 * math.sqrt(across * down)  # UTM's scale on its meridian
    assert size == float(f"{expected:.3g}")


def test_the_size_of_a_turned_pixel_is_the_root_of_its_area() -> None:
    turned = Affine.translation(500_000, 5_000_000) * Affine.rotation(30) * Affine.scale(8, -2)
    assert pixel_size_in("EPSG:32633", turned, (10, 10), "EPSG:32633") == pytest.approx(4.0, rel=1e-9)
