"""The sensor table."""

from __future__ import annotations

import itertools

import pytest

from gfm_core.bands import Band, BandKind
from gfm_core.raster.sensors import SENSORS, Units, land_reflectance, normalisation_of


@pytest.mark.parametrize("name", list(SENSORS))
def test_every_order_and_alias_leads_to_a_band_of_its_sensor(name: str) -> None:
    sensor = SENSORS[name]
    names = {band.name for band in sensor.bands}
    assert {band for order in sensor.orders for band in order} <= names
    unknown = set(sensor.aliases.values()) - names
    assert unknown <= ({"B10"} if name == "sentinel2-l2a" else set())  # L2A has no cirrus band
    assert len(sensor.normalisation) == len(sensor.bands)


@pytest.mark.parametrize(
    ("wavelength_nm", "expected"),
    [(490, (0.10, 0.06)), (665, (0.10, 0.06)), (842, (0.25, 0.10)), (1610, (0.20, 0.10)), (1375, (0.005, 0.01))],
)
def test_typical_land_has_the_constants_of_the_design(wavelength_nm: float, expected: tuple[float, float]) -> None:
    assert land_reflectance(wavelength_nm) == expected


def test_land_reflectance_has_no_jump_at_the_red_edge() -> None:
    values = [land_reflectance(nm)[0] for nm in range(680, 800)]
    assert max(abs(a - b) for a, b in itertools.pairwise(values)) < 0.005


@pytest.mark.parametrize(
    ("name", "units", "expected"),
    [("VV", Units.DECIBEL, (-11, 4)), ("VH", Units.DECIBEL, (-18, 5)), ("HV", Units.DECIBEL, (-18, 5))],
)
def test_radar_in_db_is_centred_on_typical_land(name: str, units: Units, expected: tuple[float, float]) -> None:
    found = normalisation_of(Band(name, BandKind.SAR), units)
    assert found is not None and (found.centre, found.spread) == expected


def test_landsat_collection_2_numbers_become_reflectance() -> None:
    # USGS, Landsat Collection 2 level 2: 7273 is reflectance 0.0000075, 43636 is 0.99999
    red = SENSORS["landsat-oli"].normalisation[3]
    assert red is not None
    assert 7273 * red.scale + red.offset == pytest.approx(0.0, abs=1e-4)
    assert 43636 * red.scale + red.offset == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(
    ("sensor", "name", "wavelength_nm"),
    [
        ("sentinel2-l2a", "B4", 664.6),
        ("sentinel2-l2a", "b04", 664.6),
        ("sentinel2-l1c", "B10", 1373.5),
        ("landsat-oli", "SR_B5", 864.7),
        ("landsat-etm", "B4", 835.0),
        ("modis", "Nadir_Reflectance_Band2", 858.5),
        ("modis", "sur_refl_b01", 645.0),
    ],
)
def test_a_band_is_found_under_the_names_that_files_use(sensor: str, name: str, wavelength_nm: float) -> None:
    band = SENSORS[sensor].band(name)
    assert band is not None and band.wavelength_nm == wavelength_nm


def test_elevation_and_classes_keep_their_numbers() -> None:
    for name in ("dem", "map"):
        (only,) = SENSORS[name].normalisation
        assert only is not None and only.linear() == (1.0, 0.0)
