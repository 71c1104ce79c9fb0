"""Which pixels hold data, against rasterio's masks and plain numpy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp
from rasterio.windows import Window

from gfm_core.raster import validity
from gfm_core.raster.source import open_dataset, open_source
from gfm_core.raster.validity import read_with_validity
from tests.conftest import MakeRaster

WINDOW = Window(col_off=3, row_off=2, width=9, height=7)
PART = (slice(None), slice(2, 9), slice(3, 12))


def read(
    argument: Any, window: Window = WINDOW, out_shape: tuple[int, int] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    source = open_source(argument)[0]
    with open_dataset(source) as dataset:
        return read_with_validity(dataset, source, window, range(len(source.bands)), out_shape)


def values(bands: int = 3, dtype: str = "uint8", low: int = 1) -> NDArray[Any]:
    return np.random.default_rng(0).integers(low, 120, (bands, 16, 16)).astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"])
def test_pixels_are_rasterios_in_every_dtype_and_the_declared_nodata_is_invalid(
    make_raster: MakeRaster, dtype: str
) -> None:
    path = make_raster(values=values(dtype=dtype), dtype=dtype, nodata=7)
    pixels, valid = read(path)
    with rasterio.open(path) as dataset:
        expected = dataset.read(window=WINDOW, masked=True)
    assert np.array_equal(valid, ~np.ma.getmaskarray(expected))
    assert np.array_equal(pixels[valid], expected.data[valid].astype(np.float32))
    assert pixels.dtype == np.float32
    assert 0 < valid.sum() < valid.size


def test_zero_is_data_unless_it_is_declared(make_raster: MakeRaster) -> None:
    zeros = np.zeros((1, 16, 16), np.uint8)
    assert read(make_raster("undeclared.tif", zeros))[1].all()
    assert not read(make_raster("declared.tif", zeros, nodata=0))[1].any()


def test_a_nodata_value_that_the_dtype_cannot_hold_hides_nothing(make_raster: MakeRaster, tmp_path: Path) -> None:
    path = make_raster(values=values())
    vrt = tmp_path / "odd.vrt"
    vrt.write_text(_vrt(path, nodata=(-9999, 0.5, 300)))
    assert read(vrt)[1].all()


def test_each_band_has_its_own_nodata(make_raster: MakeRaster, tmp_path: Path) -> None:
    path = make_raster(values=values())
    vrt = tmp_path / "own.vrt"
    vrt.write_text(_vrt(path, nodata=(7, 8, 9)))
    with rasterio.open(vrt) as dataset:
        assert dataset.nodatavals == (7, 8, 9)
        expected = dataset.read_masks(window=WINDOW) > 0
    assert np.array_equal(read(vrt)[1], expected)
    assert len({band.tobytes() for band in expected}) == 3


def _vrt(path: Path, nodata: tuple[float, ...]) -> str:
    bands = "".join(
        f'<VRTRasterBand dataType="Byte" band="{number}"><NoDataValue>{value}</NoDataValue><SimpleSource>'
        f"<SourceFilename>{path}</SourceFilename><SourceBand>{number}</SourceBand></SimpleSource></VRTRasterBand>"
        for number, value in enumerate(nodata, start=1)
    )
    with rasterio.open(path) as dataset:
        place = ", ".join(str(number) for number in dataset.transform.to_gdal())
        return (
            f'<VRTDataset rasterXSize="16" rasterYSize="16"><SRS>EPSG:32633</SRS><GeoTransform>{place}</GeoTransform>'
            f"{bands}</VRTDataset>"
        )


def test_an_internal_mask_is_honoured(make_raster: MakeRaster) -> None:
    mask = np.random.default_rng(1).integers(0, 2, (16, 16)).astype(bool)
    path = make_raster(values=values(), mask=mask)
    assert np.array_equal(read(path)[1], np.broadcast_to(mask, (3, 16, 16))[PART])


RGBA = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]


@pytest.mark.parametrize("nodata", [None, 7])
def test_alpha_is_a_mask_and_no_band_also_beside_a_nodata_value(make_raster: MakeRaster, nodata: int | None) -> None:
    rgba = values(4)
    rgba[3] = np.random.default_rng(1).integers(0, 2, (16, 16)) * 255
    path = make_raster(values=rgba, colours=RGBA, nodata=nodata)
    _, valid = read(path)
    expected = np.broadcast_to(rgba[3] > 0, (3, 16, 16))
    if nodata is not None:
        expected = expected & (rgba[:3] != nodata)
    assert np.array_equal(valid, expected[PART])


def test_nan_infinity_and_forgotten_fill_values_are_invalid_and_leave_nothing_behind(make_raster: MakeRaster) -> None:
    data = values(1, "float32")
    data[0, 3, 3:9] = [np.nan, np.inf, -np.inf, 1e38, -3.4e38, -9999]
    pixels, valid = read(make_raster(values=data))
    # -9999 is a possible number that nobody declared.
    assert valid[0, 1].tolist() == [False] * 5 + [True] * 4
    assert np.isfinite(pixels).all()


@pytest.mark.parametrize("nodata", [np.nan, -3.4e38, 1e39, -1.7976931348623157e308])
def test_nodata_values_at_the_edge_of_floats_are_compared_without_warnings(
    make_raster: MakeRaster, nodata: float
) -> None:
    data = values(1, "float64" if abs(nodata) > 3.5e38 else "float32")
    data[0, 5, 5] = nodata
    _, valid = read(make_raster(values=data, nodata=nodata))
    assert not valid[0, 3, 2]
    assert valid.sum() == valid.size - 1


@pytest.mark.filterwarnings("ignore:overflow encountered")  # rasterio asks numpy, too
def test_a_nodata_value_beyond_float32_is_no_value_of_float32_pixels(make_raster: MakeRaster, tmp_path: Path) -> None:
    vrt = tmp_path / "huge.vrt"
    path = make_raster(values=values(1, "float32"))
    vrt.write_text(_vrt(path, nodata=(1e300,)).replace("Byte", "Float32"))
    assert read(vrt)[1].all()


@pytest.mark.parametrize("nodata", [None, 7])
def test_an_averaged_read_is_the_mean_of_the_valid_pixels(make_raster: MakeRaster, nodata: int | None) -> None:
    data = values(2, "float32")
    path = make_raster(values=data, nodata=nodata)
    pixels, valid = read(path, Window(0, 0, 16, 16), out_shape=(4, 4))
    blocks = data.reshape(2, 4, 4, 4, 4).transpose(0, 1, 3, 2, 4).reshape(2, 4, 4, 16)
    expected = np.nanmean(np.where(blocks == nodata, np.nan, blocks), axis=-1)
    assert valid.all()
    assert np.allclose(pixels, expected, rtol=1e-5)


def test_a_nodata_value_that_only_the_user_knows_is_left_out_of_means(make_raster: MakeRaster) -> None:
    data = values(2, "uint16", low=100)
    data[0, :6, :6] = 0
    path = make_raster(values=data)
    pixels, valid = read(f"{path}:nodata=0", Window(0, 0, 16, 16), out_shape=(4, 4))
    told = read(make_raster("told.tif", data.astype(np.float32), nodata=0), Window(0, 0, 16, 16), out_shape=(4, 4))
    assert np.array_equal(valid, told[1])
    assert not valid[0, 0, 0]
    assert valid.sum() == valid.size - 1
    assert np.allclose(pixels[valid], told[0][valid], rtol=1e-5)
    assert pixels[valid].min() >= 100


def test_strips_of_an_averaged_read_join_without_a_seam(
    make_raster: MakeRaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = values(2, "float32")
    source = open_source(make_raster(values=data))[0]
    monkeypatch.setattr(validity, "_PIECE", 1)
    with open_dataset(source) as dataset:
        pixels, valid = validity.read_averaged(dataset, source, Window(0, 0, 16, 16), (0, 1), 6, least=0.5)
    assert valid.all()
    edges = [slice(0, 6), slice(6, 12), slice(12, 16)]  # the last blocks are incomplete
    expected = [[data[:, rows, cols].mean(axis=(1, 2)) for cols in edges] for rows in edges]
    assert np.allclose(pixels, np.moveaxis(np.array(expected), 2, 0), rtol=1e-5)


def test_an_averaged_pixel_is_valid_where_half_of_its_mask_is(make_raster: MakeRaster) -> None:
    mask = np.zeros((16, 16), bool)
    mask[:, :2] = True  # half of the first column of blocks
    mask[:, 4] = True  # a quarter of the second
    _, valid = read(make_raster(values=values(), mask=mask), Window(0, 0, 16, 16), out_shape=(4, 4))
    assert valid[:, :, 0].all()
    assert not valid[:, :, 1:].any()
