"""Raster arguments: paths, URLs and what is declared behind them."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from pyproj import CRS

from gfm_core.errors import ParameterError
from gfm_core.raster.argument import parse_argument


def test_declarations_come_in_any_order() -> None:
    found = parse_argument("/data/s2.tif:crs=EPSG:32633:as=sentinel2-l2a:date=2018-04-18:nodata=-9999")
    assert (found.path, found.name, found.sensor) == ("/data/s2.tif", "s2.tif", "sentinel2-l2a")
    assert found.crs is not None and CRS.from_wkt(found.crs).to_epsg() == 32633
    assert (found.dates, found.nodata) == ((datetime.date(2018, 4, 18),), -9999)


@pytest.mark.parametrize(
    "text", [r"C:\data\s2.tif", "https://host:8080/a/s2.tif?as=x", "/vsizip/a.zip/s2.tif", "a:b.tif"]
)
def test_colons_of_drives_urls_and_names_are_no_declarations(text: str) -> None:
    found = parse_argument(text)
    assert found.path.endswith(text)
    assert found.sensor is None and found.crs is None


def test_a_relative_path_becomes_absolute_and_a_url_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_argument("a b.tif:nodata=0").path == str(tmp_path / "a b.tif")
    url = parse_argument("https://host/x/s2.tif?sig=1:crs=EPSG:4326")
    assert (url.path, url.name, url.local) == ("https://host/x/s2.tif?sig=1", "s2.tif", False)


def test_a_file_that_really_has_such_a_name_is_that_file(tmp_path: Path) -> None:
    odd = tmp_path / "x.tif:as=dem"
    odd.write_bytes(b"")
    assert parse_argument(str(odd)).path == str(odd)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x.tif:as=sentinel2", "sentinel2-l2a"),
        ("x.tif:as=", "sentinel1-db"),
        ("x.tif:crs=EPSG:99999999", "crs=EPSG:99999999"),
        ("x.tif:date=18.4.2018", "YYYY-MM-DD"),
        ("x.tif:nodata=black", "nodata=black"),
        (":as=dem", "no raster"),
    ],
)
def test_what_cannot_be_understood_is_one_sentence_with_a_mend(text: str, words: str) -> None:
    with pytest.raises(ParameterError, match=words) as error:
        parse_argument(text)
    assert "\n" not in str(error.value) and str(error.value).endswith(".")
