"""What a file's bands are."""

from __future__ import annotations

import datetime

import pytest

from gfm_core.bands import BandKind
from gfm_core.errors import InputError
from gfm_core.raster.guess import guess

from .conftest import facts


def test_bands_of_different_nature_become_parts_of_their_own() -> None:
    found = guess(facts(["B02", "VV", "B03", "elevation", "SCL", "foo"], name="s2_l2a.tif"))
    assert {part.sensor: part.indexes for part in found} == {
        "sentinel2-l2a": (1, 3), "sentinel1-linear": (2,), "dem": (4,), "map": (5,), "custom": (6,),
    }  # fmt: skip


def test_indices_stay_with_the_bands_they_were_made_from() -> None:
    (found,) = guess(facts(["B04", "B08", "ndvi"], name="s2_l2a.tif"))
    assert [band.kind for band in found.bands] == [BandKind.OPTICAL, BandKind.OPTICAL, BandKind.INDEX]


@pytest.mark.parametrize(
    ("name", "sensor", "band"),
    [
        ("T33UUU_20170216T102101_B02.jp2", "sentinel2-l2a", "B02"),
        ("LC08_L2SP_190024_20200518_20200820_02_T1_SR_B4.TIF", "landsat-oli", "red"),
        ("copernicus_dem.tif", "dem", "elevation"),
        ("lulc.tif", "map", "lulc"),
        ("modis_ndvi.tif", "modis", "ndvi"),
        ("s1_20200101_VV.tif", "sentinel1-linear", "VV"),
        ("thing.tif", "custom", "band 1"),
    ],
)
def test_a_single_unnamed_band_is_known_by_the_file_name(name: str, sensor: str, band: str) -> None:
    (found,) = guess(facts([None], name=name))
    assert (found.sensor, found.bands[0].name) == (sensor, band)


def test_unnamed_bands_of_a_named_product_are_taken_in_its_order_and_that_is_said() -> None:
    (found,) = guess(facts([None] * 13, name="s2_l1c.tif"))
    assert [band.name for band in found.bands][7:9] == ["B08", "B8A"]
    assert any("unnamed bands taken as" in reason for reason in found.reasons)


def test_unnamed_bands_without_a_product_are_custom_and_said() -> None:
    (found,) = guess(facts([None] * 5, name="mystery.tif"))
    assert found.sensor == "custom" and found.normalisation == (None,) * 5
    assert any("not understood" in reason for reason in found.reasons)


def test_hundreds_of_bands_are_known_by_their_wavelengths() -> None:
    tags = tuple({"CENTRAL_WAVELENGTH_UM": str(0.4 + 0.005 * k)} for k in range(426))
    (found,) = guess(facts([f"Band {k}" for k in range(1, 427)], band_tags=tags, dtype="float32", values=(0.0, 0.6)))
    assert found.sensor == "hyperspectral" and len(found.bands) == 426
    assert found.bands[100].wavelength_nm == pytest.approx(900)
    assert found.normalisation[100] is not None and found.normalisation[100].centre == 0.25


def test_every_date_of_a_series_has_the_same_normalisation() -> None:
    found = guess(facts(["2018-01-01", "2018-02-01", "2018-03-01"], name="modis_red.tif"))
    assert [part.label for part in found] == ["2018-01-01", "2018-02-01", "2018-03-01"]
    assert len({part.normalisation for part in found}) == 1
    assert {part.bands for part in found} == {found[0].bands}


@pytest.mark.parametrize(
    ("names", "declared", "expected"),
    [
        (["a", "b", "c", "d"], "sentinel2-l2a", ["B02", "B03", "B04", "B08"]),
        (["B8", "B4"], "sentinel2-l2a", ["B08", "B04"]),
        (["a", "b", "c"], "aerial-rgb", ["red", "green", "blue"]),
        (["foo"], "dem", ["foo"]),
        ([None], "dem", ["elevation"]),
        (["foo", "foo"], "custom", ["foo", "foo 2"]),
        ([None], "sentinel1-db", ["VV"]),
        (["nir", "red"], "optical", ["nir", "red"]),
    ],
)
def test_a_declared_sensor_names_the_bands(names: list[str | None], declared: str, expected: list[str]) -> None:
    found = guess(facts(names), sensor=declared)
    assert [part.sensor for part in found] == [declared] * len(found)
    assert [band.name for part in found for band in part.bands] == expected


def test_a_date_declared_for_a_file_of_several_is_refused() -> None:
    import datetime

    with pytest.raises(InputError, match=r"holds 2 dates.*leave out :date="):
        guess(facts(["2018-01-01", "2018-02-01"]), dates=(datetime.date(2018, 1, 1),))


def test_dates_of_bands_that_repeat_can_be_declared() -> None:
    names = ["VV", "VH", "VV_1", "VH_1", "elevation"]
    days = (datetime.date(2019, 2, 15), datetime.date(2019, 3, 15))
    found = guess(facts(names, dtype="float32", values=(-20.0, -5.0)), dates=days)
    assert [(part.sensor, part.date) for part in found] == [
        ("dem", None), ("sentinel1-db", days[0]), ("sentinel1-db", days[1]),
    ]  # fmt: skip
    assert "date 2019-02-15: declared" in found[1].reasons
    with pytest.raises(
        InputError, match=r"1 dates are declared, but the bands of .* repeat 2 times; give :date= as many"
    ):
        guess(facts(names, dtype="float32", values=(-20.0, -5.0)), dates=days[:1])
    with pytest.raises(InputError, match=r"2 dates are declared, but .* has one date"):
        guess(facts(["B02", "B03", "B04"]), dates=days)
