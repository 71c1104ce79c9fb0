"""Band names and what they mean."""

from __future__ import annotations

import pytest

from gfm_core.bands import BandKind
from gfm_core.raster.naming import (
    band_by_words,
    band_of_sensor,
    meaningful,
    optical_sensor,
    radar_sensor,
    wavelength_nm,
)
from gfm_core.raster.sensors import SENSORS

from .conftest import facts


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("elevation", BandKind.ELEVATION),
        ("SRTM_elevation", BandKind.ELEVATION),
        ("dem", BandKind.ELEVATION),
        ("Gamma0_VV_db", BandKind.SAR),
        ("VH", BandKind.SAR),
        ("NDVI", BandKind.INDEX),
        ("land cover", BandKind.MAP),
        ("0 unknown, 1 land, 2 water", BandKind.MAP),
        ("SCL", BandKind.MAP),
        ("height above ground, metres", None),
        ("slope of the dem", None),
        ("classic rock", None),
        ("tree cover 2000, percent; above 100 = not land or no data", None),
        ("temperature_2m", None),
        ("B04", None),
    ],
)
def test_words_tell_the_kind(name: str, kind: BandKind | None) -> None:
    band = band_by_words(name, integer=True)
    assert (band and band.kind) == kind


def test_a_map_has_whole_numbers() -> None:
    assert band_by_words("land cover", integer=False) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [("B4 (red)", "B04"), ("swir1", "B11"), ("Near Infrared", "B08"), ("temperature_2m", None), ("b", None)],
)
def test_a_sensors_band_is_found_by_synonyms_and_single_words(name: str, expected: str | None) -> None:
    band = band_of_sensor(name, SENSORS["sentinel2-l2a"])
    assert (band and band.name) == expected


@pytest.mark.parametrize("name", ["Band 1", "band_12", "3", "Layer-2", "channel 4"])
def test_numbers_alone_are_no_names(name: str) -> None:
    assert meaningful(name) is None
    assert meaningful("B1") == "B1"


@pytest.mark.parametrize(
    ("file", "names", "gsd", "expected"),
    [
        ("S2A_MSIL1C_20170216T102101.tif", ["B02", "B03"], 10, "sentinel2-l1c"),
        ("s2_l2a_2018.tif", ["B02", "B03"], 10, "sentinel2-l2a"),
        ("x.tif", ["B02", "B03", "B10"], 10, "sentinel2-l1c"),
        ("x.tif", ["B2", "B3", "B4"], 10, "sentinel2-l2a"),
        ("x.tif", ["B2", "B3", "B4"], 30, "landsat-oli"),
        ("LC08_L2SP_1.tif", ["B2", "B3", "B4"], 30, "landsat-oli"),
        ("LE07_L2SP_1.tif", ["B2", "B3", "B4"], 30, "landsat-etm"),
        ("LT05_L2SP_1.tif", ["B2", "B3", "B4"], 30, "landsat-tm"),
        ("lsat7_2000.tif", ["red", "nir"], 28.5, "landsat-etm"),
        ("x.tif", ["SR_B1", "SR_B2", "SR_B6", "SR_B7"], 30, "landsat-oli"),
        ("x.tif", ["SR_B1", "SR_B5", "SR_B7"], 30, "landsat-etm"),
        ("x.tif", ["sur_refl_b01", "sur_refl_b02"], 500, "modis"),
        ("x.tif", ["red", "nir"], 3, "optical"),
        ("wv3_ms.tif", ["blue", "green"], 1, "worldview"),
        ("landsat8_dem_colours.tif", ["foo", "bar"], 30, None),
    ],
)
def test_the_optical_sensor_comes_from_product_names_then_band_names(
    file: str, names: list[str | None], gsd: float, expected: str | None
) -> None:
    sensor, _ = optical_sensor(facts(names, name=file, gsd=gsd), names)
    assert (sensor and sensor.name) == expected


def test_a_folders_name_makes_no_satellite_image_of_a_photo() -> None:
    photo = facts(["red", "green", "blue"], dtype="uint8", folders=("sentinel-2",))
    sensor, _ = optical_sensor(photo, photo.descriptions)
    assert sensor is not None and sensor.name == "aerial-rgb"


@pytest.mark.parametrize(
    ("names", "values", "file", "expected"),
    [
        (["VV", "VH"], (-25.0, 2.0), "x.tif", "sentinel1-db"),
        (["VV", "VH"], (0.0, 0.9), "x.tif", "sentinel1-linear"),
        (["VV", "VH"], (1.0, 2.0), "s1_db.tif", "sentinel1-db"),
        (["HH", "HV"], (-25.0, 2.0), "palsar.tif", "sar-db"),
        (["HH", "HV"], (-25.0, 2.0), "S1A_EW_GRDM_1SDH.tif", "sentinel1-db"),
    ],
)
def test_radar_is_in_db_if_something_is_negative_or_says_so(
    names: list[str], values: tuple[float, float], file: str, expected: str
) -> None:
    found = facts(list(names), dtype="float32", values=values, name=file)
    assert radar_sensor(found, names, (1, 2))[0].name == expected


@pytest.mark.parametrize(
    ("tags", "name", "expected"),
    [
        ({"CENTRAL_WAVELENGTH_UM": "0.4924"}, None, 492.4),
        ({"WAVELENGTH": "427.5", "WAVELENGTH_UNITS": "Nanometers"}, None, 427.5),
        ({"WAVELENGTH": "2.2", "WAVELENGTH_UNITS": "Micrometers"}, None, 2200.0),
        ({}, "Band 7 (0.655 um)", 655.0),
        ({}, "band 1: 427.5 nm", 427.5),
        ({"WAVELENGTH": "unknown"}, "band 1", None),
    ],
)
def test_wavelengths_come_from_tags_or_names(tags: dict[str, str], name: str | None, expected: float | None) -> None:
    assert wavelength_nm(tags, name) == (expected if expected is None else pytest.approx(expected))
