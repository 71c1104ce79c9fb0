"""What users give as an extent."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio.warp
import shapely
from rasterio.crs import CRS

from gfm_core.errors import ParameterError
from gfm_core.grid import Bounds
from gfm_core.raster.extent import requested_bounds
from tests.conftest import MakeRaster

UTM = "EPSG:32633"
DEGREES = (13.4, 52.3, 13.5, 52.4)


@pytest.mark.parametrize(
    "text", ["400000,5799000,400500,5799500", " 400500, 5799500,400000 ,5799000", "4e5,5.7995e6,4.005e5,5.799e6"]
)
def test_four_numbers_are_two_opposite_corners(text: str) -> None:
    assert requested_bounds(text, UTM) == Bounds(400_000, 5_799_000, 400_500, 5_799_500)


def test_an_extent_as_qgis_writes_it_has_its_own_order_and_crs() -> None:
    left, bottom, right, top = DEGREES
    found = requested_bounds(f"{left},{right},{bottom},{top} [EPSG:4326]", UTM)
    expected = rasterio.warp.transform_bounds("EPSG:4326", UTM, *DEGREES, densify_pts=21)
    assert found.as_tuple() == pytest.approx(expected, abs=1.0)


def test_an_extent_of_qgis_may_have_its_crs_written_out() -> None:
    left, bottom, right, top = DEGREES
    for text in (CRS.from_epsg(4326).to_wkt(), f" {CRS.from_epsg(4326).to_wkt()} "):
        found = requested_bounds(f"{left},{right},{bottom},{top} [{text}]", UTM)
        assert found == requested_bounds(f"{left},{right},{bottom},{top} [EPSG:4326]", UTM)


def test_a_vector_layer_in_another_crs_gives_the_rectangle_around_it(tmp_path: Path) -> None:
    layer = tmp_path / "area.gpkg"
    left, bottom, right, top = DEGREES
    triangle = shapely.Polygon([(left, bottom), (right, bottom), (right, top)])
    gpd.GeoDataFrame(geometry=[triangle], crs="EPSG:4326").to_file(layer)
    expected = rasterio.warp.transform_bounds("EPSG:4326", UTM, *DEGREES, densify_pts=21)
    assert requested_bounds(str(layer), UTM).as_tuple() == pytest.approx(expected, abs=1.0)


def test_a_raster_gives_its_outer_edges(make_raster: MakeRaster) -> None:
    path = make_raster("area.tif", np.zeros((1, 20, 30), np.uint8))
    assert requested_bounds(str(path), UTM) == Bounds(400_000, 5_799_800, 400_300, 5_800_000)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,2,1,4", "has no area"),
        ("nan,0,1,1", "finite"),
        ("0,0,inf,1", "finite"),
        ("1,2,3", "is no file and not X0,Y0,X1,Y1"),
        ("nowhere.gpkg", "is no file and not X0,Y0,X1,Y1"),
        ("x" * 300, "is no file and not X0,Y0,X1,Y1"),
        ("1,2,3,4 [EPSG:0]", "is not a CRS"),
    ],
)
def test_an_extent_that_is_none_is_refused_in_one_sentence(text: str, said: str) -> None:
    with pytest.raises(ParameterError, match=said) as error:
        requested_bounds(text, UTM)
    assert str(error.value).endswith(".")


def test_a_file_that_is_no_layer_or_an_empty_or_placeless_one_is_refused(
    tmp_path: Path, make_raster: MakeRaster
) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    with pytest.raises(ParameterError, match="neither a raster nor a vector layer"):
        requested_bounds(str(text), UTM)
    empty = tmp_path / "empty.gpkg"
    gpd.GeoDataFrame({"a": []}, geometry=[], crs=UTM).to_file(empty)
    with pytest.raises(ParameterError, match="is empty"):
        requested_bounds(str(empty), UTM)
    with pytest.raises(ParameterError, match="has no CRS"):
        requested_bounds(str(make_raster("bare.tif", crs=None)), UTM)
