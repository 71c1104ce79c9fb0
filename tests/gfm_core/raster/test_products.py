"""Product folders."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from gfm_core.raster.source import open_dataset, open_source
from tests.conftest import MakeRaster

SAFE = "S2A_MSIL2A_20230601T102101_N0509_R065_T33UUU_20230601T160000.SAFE"
METADATA = """<?xml version="1.0"?><n1:Level-2A_User_Product xmlns:n1="x"><n1:General_Info>
<PROCESSING_BASELINE>05.09</PROCESSING_BASELINE><BOA_QUANTIFICATION_VALUE unit="none">10000</BOA_QUANTIFICATION_VALUE>
<BOA_ADD_OFFSET band_id="0">-1000</BOA_ADD_OFFSET></n1:General_Info></n1:Level-2A_User_Product>"""


def band_file(make_raster: MakeRaster, name: str, gsd: float, value: int) -> Path:
    side = int(120 // gsd)
    transform = Affine(gsd, 0, 400_000, 0, -gsd, 5_800_000)
    return make_raster(name, np.full((1, side, side), value, np.uint16), transform=transform)


@pytest.fixture
def safe(make_raster: MakeRaster, tmp_path: Path) -> Path:
    """A .SAFE folder with GeoTIFF bands at 10, 20 and 60 m, coarser copies, a quality mask and metadata."""
    images = f"{SAFE}/GRANULE/L2A_T33UUU/IMG_DATA"
    for number, (folder, gsd, bands) in enumerate(
        [("R10m", 10, ["B02", "B04"]), ("R20m", 20, ["B02", "B05", "B8A"]), ("R60m", 60, ["B01", "B05"])]
    ):
        for band in bands:
            name = f"{images}/{folder}/T33UUU_20230601T102101_{band}_{folder[1:]}.tif"
            band_file(make_raster, name, gsd, 2000 + 100 * number + int(band[1]))
    band_file(make_raster, f"{SAFE}/GRANULE/L2A_T33UUU/QI_DATA/T33UUU_20230601T102101_B02.tif", 10, 1)
    (tmp_path / SAFE / "MTD_MSIL2A.xml").write_text(METADATA)
    return tmp_path / SAFE


def test_a_safe_folder_gives_each_band_once_at_its_finest(safe: Path) -> None:
    sources = open_source(safe)
    assert [(source.gsd, [band.name for band in source.bands]) for source in sources] == [
        (10, ["B02", "B04"]), (20, ["B05", "B8A"]), (60, ["B01"]),
    ]  # fmt: skip
    assert {source.sensor for source in sources} == {"sentinel2-l2a"}
    assert {source.date for source in sources} == {datetime.date(2023, 6, 1)}


def test_a_safe_folder_carries_its_offset_and_nodata(safe: Path) -> None:
    for source in open_source(safe):
        assert {(n.scale, n.offset) for n in source.normalisation if n} == {(1e-4, -0.1)}
        assert set(source.nodata) == {0.0}


def test_the_joined_bands_read_back(safe: Path) -> None:
    with open_dataset(open_source(safe)[0]) as dataset:
        assert dataset.read()[:, 0, 0].tolist() == [2000, 2000]
    with open_dataset(open_source(safe)[1]) as dataset:
        assert dataset.read()[:, 0, 0].tolist() == [2100, 2108]


def test_the_metadata_file_stands_for_its_folder(safe: Path) -> None:
    assert open_source(safe / "MTD_MSIL2A.xml") == open_source(safe)


def test_an_inner_folder_finds_the_metadata_above_it(safe: Path) -> None:
    (source,) = open_source(safe / "GRANULE" / "L2A_T33UUU" / "IMG_DATA" / "R10m")
    assert source.normalisation[0] is not None and source.normalisation[0].offset == -0.1


def test_the_finest_copy_of_a_band_is_taken_whatever_its_folder_is_called(
    make_raster: MakeRaster, tmp_path: Path
) -> None:
    for folder, gsd in (("1_coarse", 60), ("2_fine", 10)):
        band_file(make_raster, f"product/{folder}/T33UUU_20230601T102101_B02.tif", gsd, 2000)
    (source,) = open_source(tmp_path / "product")
    assert source.gsd == 10


def test_a_landsat_folder_is_joined_with_its_thermal_band(make_raster: MakeRaster, tmp_path: Path) -> None:
    product = "LC08_L2SP_190024_20200518_20200820_02_T1"
    for band, value in [("SR_B2", 8000), ("SR_B4", 9000), ("ST_B10", 42_000), ("QA_PIXEL", 1)]:
        band_file(make_raster, f"{product}/{product}_{band}.TIF", 30, value)
    (source,) = open_source(tmp_path / product)
    assert (source.sensor, source.date) == ("landsat-oli", datetime.date(2020, 5, 18))
    assert [band.name for band in source.bands] == ["blue", "red", "thermal1"]
    blue, _, thermal = source.normalisation
    assert blue is not None and 8000 * blue.scale + blue.offset == pytest.approx(0.02)
    assert thermal is not None and 42_000 * thermal.scale + thermal.offset == pytest.approx(292.55684)


def test_any_other_folder_gives_its_rasters(make_raster: MakeRaster, tmp_path: Path) -> None:
    make_raster("folder/a.tif")
    make_raster("folder/b.tif")
    assert [source.name for source in open_source(tmp_path / "folder")] == ["a.tif", "b.tif"]
