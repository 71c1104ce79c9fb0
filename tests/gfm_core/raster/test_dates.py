"""Dates in tags, names and band descriptions."""

from __future__ import annotations

import datetime

import pytest

from gfm_core.raster.dates import acquisition_date, date_in, split_by_date

DAY = datetime.date(2018, 4, 18)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s2_l2a_2018-04-18_10m.tif", DAY),
        ("20180418.tif", DAY),
        ("2018:04:18 10:21:01", DAY),
        ("20180418105031_B02", DAY),
        ("S2A_MSIL2A_20170216T102101_N0204_R065_T33UUU_20170218T000000.SAFE", datetime.date(2017, 2, 16)),
        ("LC08_L2SP_190024_20200518_20200820_02_T1_SR_B4.TIF", datetime.date(2020, 5, 18)),
        ("MOD13Q1.A2007257.h12v10.006.tif", datetime.date(2007, 9, 14)),
        ("LE71700551999255AGS00", datetime.date(1999, 9, 12)),
        ("2018_SJER_3_252000_4107000.tif", None),
        ("2018-02-30", None),
        ("scene_19.tif", None),
        ("0000:00:00 00:00:00", None),
    ],
)
def test_the_first_date_of_a_name_is_found(text: str, expected: datetime.date | None) -> None:
    assert date_in(text) == expected


def test_an_acquisition_tag_wins_over_all_else() -> None:
    tags = {"ACQUISITIONDATETIME": "2018-04-18T10:50:31", "TIFFTAG_DATETIME": "2016:01:01 00:00:00"}
    assert acquisition_date(tags, "export_2015-01-01.tif")[0] == DAY


@pytest.mark.parametrize(
    ("tag", "name"), [("2024:01:02 00:00:00", "s2_2018-04-18.tif"), ("2018:04:18 00:00:00", "export_20240102.tif")]
)
def test_of_two_dates_the_earlier_is_the_acquisition_and_both_are_said(tag: str, name: str) -> None:
    date, reasons = acquisition_date({"TIFFTAG_DATETIME": tag}, name)
    assert date == DAY
    assert "2024-01-02" in reasons[0] and "2018-04-18" in reasons[0]


def test_a_file_without_date_says_how_to_give_one() -> None:
    date, reasons = acquisition_date({"TIFFTAG_DATETIME": ""}, "dem.tif")
    assert date is None and ":date=" in reasons[0]


def test_bands_named_by_date_become_parts_in_order_of_time() -> None:
    parts = split_by_date(["B02 2019-01-05", "B03 2019-01-05", "B02 2018-04-18", "B03 2018-04-18"])
    assert [part.date for part in parts] == [DAY, datetime.date(2019, 1, 5)]
    assert [part.indexes for part in parts] == [(3, 4), (1, 2)]
    assert {part.names for part in parts} == {("B02", "B03")}


@pytest.mark.parametrize(
    "names",
    [
        ["VV", "VH", "VV_1", "VH_1", "VV_2", "VH_2"],
        ["VV", "VH", "VV", "VH", "VV", "VH"],
        ["0_VV", "0_VH", "1_VV", "1_VH", "2_VV", "2_VH"],
    ],
)
def test_names_that_repeat_become_one_part_a_turn(names: list[str]) -> None:
    parts = split_by_date(names)
    assert [part.indexes for part in parts] == [(1, 2), (3, 4), (5, 6)]
    assert [part.names for part in parts] == [("VV", "VH")] * 3
    assert [part.label for part in parts] == ["1 of 3", "2 of 3", "3 of 3"]


def test_bands_that_do_not_repeat_are_a_part_of_their_own() -> None:
    parts = split_by_date(["VV", "VV_1", "elevation"])
    assert [part.names for part in parts] == [("elevation",), ("VV",), ("VV",)]


@pytest.mark.parametrize(
    "names", [["B02", "B03"], ["sur_refl_b01_1", "sur_refl_b02_1"], ["band_1", "band_2"], [None, None], ["2018-04-18"]]
)
def test_other_names_are_one_part(names: list[str | None]) -> None:
    (part,) = split_by_date(names)
    assert part.indexes == tuple(range(1, len(names) + 1))
