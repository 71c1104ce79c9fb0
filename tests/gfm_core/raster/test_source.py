"""Opening sources: faults, placement, masks and real files."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import os
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp
from rasterio.rpc import RPC

from gfm_core.bands import BandKind
from gfm_core.errors import InputError, MissingCrsError, ParameterError
from gfm_core.raster.source import describe_source, open_dataset, open_source
from tests.conftest import NORTH_UP, MakeRaster


def refused(argument: Any, kind: type[InputError] = InputError) -> str:
    with pytest.raises(kind) as error:
        open_source(argument)
    sentence = str(error.value)
    assert sentence.endswith(".") and "\n" not in sentence
    return sentence


# ---- Faults (shared/faults.md) -------------------------------------------------------------------


def test_fault_01_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "nowhere.tif does not exist" in refused(tmp_path / "nowhere.tif")


def test_fault_01_a_folder_without_rasters(tmp_path: Path) -> None:
    assert "without rasters" in refused(tmp_path)


def test_fault_01_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty.tif").write_bytes(b"")
    assert "empty.tif is empty" in refused(tmp_path / "empty.tif")


def test_fault_01_text_named_tif(tmp_path: Path) -> None:
    (tmp_path / "text.tif").write_text("dear reader")
    assert "text.tif cannot be read as a raster" in refused(tmp_path / "text.tif")


@pytest.mark.parametrize("suffix", ["tif", "png", "jp2"])
def test_fault_01_a_raster_cut_in_half(make_raster: MakeRaster, suffix: str) -> None:
    values = np.random.default_rng(0).integers(1, 255, (3, 300, 300), dtype=np.uint8)
    driver = {"tif": "GTiff", "png": "PNG", "jp2": "JP2OpenJPEG"}[suffix]
    path = make_raster(f"cut.{suffix}", values, driver=driver)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "cut." in refused(f"{path}:crs=EPSG:32633")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_fault_01_a_file_without_read_permission(make_raster: MakeRaster) -> None:
    path = make_raster()
    path.chmod(0)
    assert "permissions" in refused(path)


def test_fault_02_no_crs_names_the_mend_which_works(make_raster: MakeRaster) -> None:
    path = make_raster(crs=None)
    assert "tiny.tif:crs=EPSG:N" in refused(path, MissingCrsError)
    (source,) = open_source(f"{path}:crs=EPSG:32633")
    assert rasterio.CRS.from_wkt(source.crs).to_epsg() == 32633


@pytest.mark.parametrize(
    "transform",
    [NORTH_UP, NORTH_UP * Affine.rotation(20), NORTH_UP * Affine.scale(1, -1), NORTH_UP * Affine.shear(10, 0)],
    ids=["north-up", "rotated", "south-up", "sheared"],
)
def test_fault_02_any_transform_is_carried_and_bounds_hold_all_corners(
    make_raster: MakeRaster, transform: Affine
) -> None:
    path = make_raster(values=np.ones((1, 8, 12), np.uint16), transform=transform)
    (source,) = open_source(path)
    assert source.transform.almost_equals(transform)
    corners = [transform * corner for corner in ((0, 0), (12, 0), (0, 8), (12, 8))]
    left, bottom, right, top = source.bounds.as_tuple()
    assert (left, right) == pytest.approx((min(x for x, _ in corners), max(x for x, _ in corners)))
    assert (bottom, top) == pytest.approx((min(y for _, y in corners), max(y for _, y in corners)))


def test_fault_02_pixel_is_point_is_placed_as_gdal_places_it(make_raster: MakeRaster) -> None:
    path = make_raster(tags={"AREA_OR_POINT": "Point"})
    with rasterio.open(path) as dataset:
        assert open_source(path)[0].transform == dataset.transform


def test_fault_03_ground_control_points_give_a_grid_that_reads_back(make_raster: MakeRaster) -> None:
    values = np.zeros((1, 40, 60), np.uint16)
    values[:, 10:20, 30:40] = 500
    corners = [(0, 0), (0, 60), (40, 0), (40, 60)]
    points = [GroundControlPoint(row, col, *(NORTH_UP * (col, row))) for row, col in corners]
    (source,) = open_source(make_raster(values=values, gcps=points))
    assert source.gcps and source.gsd == pytest.approx(10, abs=0.05)
    assert source.bounds.as_tuple() == pytest.approx((400_000, 5_799_600, 400_600, 5_800_000), abs=1)
    with open_dataset(source) as dataset:
        assert (dataset.transform, dataset.shape) == (source.transform, source.shape)
        col, row = ~source.transform * (NORTH_UP * (35, 15))
        assert dataset.read(1)[int(row), int(col)] == 500


def test_fault_03_what_lies_outside_the_warped_raster_is_masked(make_raster: MakeRaster) -> None:
    turned = NORTH_UP * Affine.rotation(30)
    points = [GroundControlPoint(row, col, *(turned * (col, row))) for row in (0, 40) for col in (0, 40)]
    (source,) = open_source(make_raster(values=np.full((1, 40, 40), 7, np.uint16), gcps=points))
    assert source.mask_band
    with open_dataset(source) as dataset:
        mask = dataset.read_masks(1)
    assert mask[0, 0] == 0 and mask[mask.shape[0] // 2, mask.shape[1] // 2] == 255


def test_fault_03_rpcs_alone_are_refused_with_the_command_that_helps(make_raster: MakeRaster) -> None:
    path = make_raster(crs=None, transform=Affine.identity())
    numbers = {f"{kind}_{part}_coeff": [1.0] * 20 for kind in ("line", "samp") for part in ("num", "den")}
    scales = dict.fromkeys(("height_scale", "lat_scale", "line_scale", "long_scale", "samp_scale"), 1.0)
    offsets = dict.fromkeys(("height_off", "lat_off", "line_off", "long_off", "samp_off"), 1.0)
    with rasterio.open(path, "r+") as dataset:
        dataset.rpcs = RPC(**numbers, **scales, **offsets)
    assert "gdalwarp" in refused(path)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"])
def test_fault_08_every_real_dtype_is_opened(make_raster: MakeRaster, dtype: str) -> None:
    (source,) = open_source(make_raster(values=np.ones((1, 4, 4), dtype)))
    assert source.dtype == dtype and source.sensor == "custom" and source.normalisation == (None,)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_fault_08_complex_numbers_are_refused(make_raster: MakeRaster, dtype: str) -> None:
    assert dtype in refused(make_raster(values=np.ones((1, 4, 4), dtype)))


def test_fault_08_a_palette_makes_a_map(make_raster: MakeRaster) -> None:
    path = make_raster(values=np.ones((1, 4, 4), np.uint8))
    with rasterio.open(path, "r+") as dataset:
        dataset.write_colormap(1, {1: (255, 0, 0, 255)})
    (source,) = open_source(path)
    assert (source.sensor, source.bands[0].kind) == ("map", BandKind.MAP)


def test_fault_08_scale_tags_lead_to_reflectance(make_raster: MakeRaster) -> None:
    path = make_raster("s2.tif", np.full((2, 4, 4), 6000, np.uint16), names=["B02", "B03"], scale=1 / 65535)
    (source,) = open_source(path)
    assert source.normalisation[0] is not None and source.normalisation[0].scale == pytest.approx(1 / 65535)


# ---- Which pixels are data -----------------------------------------------------------------------


def test_fault_06_black_corners_without_nodata_are_warned_of_and_mended_by_declaring(make_raster: MakeRaster) -> None:
    values = np.full((3, 32, 32), 90, np.uint8)
    values[:, :6, :6] = 0
    path = make_raster("photo.tif", values)
    assert any("nodata=0" in reason for reason in open_source(path)[0].reasons)
    (mended,) = open_source(f"{path}:nodata=0")
    assert mended.nodata == (0.0, 0.0, 0.0)
    assert not any("corner" in reason for reason in mended.reasons)


def test_fault_06_nodata_that_the_dtype_cannot_hold_is_ignored_and_said(make_raster: MakeRaster) -> None:
    (source,) = open_source(f"{make_raster(values=np.full((1, 4, 4), 5, np.uint8))}:nodata=-9999")
    assert source.nodata == (None,)
    assert any("-9999" in reason and "uint8" in reason for reason in source.reasons)


def test_fault_06_an_internal_mask_is_noticed(make_raster: MakeRaster) -> None:
    mask = np.ones((8, 8), bool)
    mask[:2] = False
    (source,) = open_source(make_raster(values=np.full((1, 8, 8), 5, np.uint16), mask=mask))
    assert source.mask_band


def test_fault_06_a_true_alpha_band_is_the_mask_and_no_band(make_raster: MakeRaster) -> None:
    values = np.full((4, 32, 32), 90, np.uint8)
    values[3] = 255
    values[3, :8] = 0
    colours = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]
    (source,) = open_source(make_raster("photo.tif", values, colours=colours))
    assert source.mask_band and source.indexes == (1, 2, 3) and source.sensor == "aerial-rgb"


@pytest.mark.parametrize("names", [None, ["red", "green", "blue", "nir"]])
def test_near_infrared_that_gdal_calls_alpha_stays_a_band(make_raster: MakeRaster, names: list[str] | None) -> None:
    values = np.random.default_rng(0).integers(1, 250, (4, 64, 64), dtype=np.uint8)
    (source,) = open_source(make_raster("photo.tif", values, names=names))
    with rasterio.open(source.path) as dataset:
        assert dataset.colorinterp[3] is ColorInterp.alpha  # what GDAL does by default
    assert not source.mask_band and source.sensor == "aerial-rgbn"
    assert [band.name for band in source.bands] == ["red", "green", "blue", "nir"]


# ---- Arguments -----------------------------------------------------------------------------------


def test_declared_sensor_and_date_win(make_raster: MakeRaster) -> None:
    path = make_raster("x.tif", np.full((4, 4, 4), 900, np.uint16))
    (source,) = open_source(f"{path}:as=sentinel2-l2a:date=2018-04-18")
    assert [band.name for band in source.bands] == ["B02", "B03", "B04", "B08"]
    assert source.date == datetime.date(2018, 4, 18)


def test_a_declared_sensor_that_cannot_have_these_bands_is_refused(make_raster: MakeRaster) -> None:
    path = make_raster("x.tif", np.ones((5, 4, 4), np.uint16))
    assert "5 bands" in refused(f"{path}:as=sentinel2-l2a")


def test_an_unknown_sensor_is_refused_before_the_file_is_opened() -> None:
    with pytest.raises(ParameterError, match="sentinel2-l2a"):
        open_source("nowhere.tif:as=sentinel2")


@pytest.mark.parametrize("name", ["with space.tif", "quo'te\".tif", "größe 大.tif", f"{'n' * 240}.tif"])
def test_fault_12_odd_names_are_opened(make_raster: MakeRaster, name: str) -> None:
    (source,) = open_source(make_raster(name))
    assert source.name == name


def test_fault_12_vsizip_is_opened_without_a_fingerprint(make_raster: MakeRaster, tmp_path: Path) -> None:
    import zipfile

    path = make_raster()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(path, "inner.tif")
    (source,) = open_source(f"/vsizip/{tmp_path}/a.zip/inner.tif")
    assert source.name == "inner.tif" and source.fingerprint == (0, 0)


def test_the_fingerprint_changes_with_the_file(make_raster: MakeRaster) -> None:
    path = make_raster()
    before = open_source(path)[0].fingerprint
    assert before == (path.stat().st_size, path.stat().st_mtime_ns)
    os.utime(path, ns=(1, 1))
    assert open_source(path)[0].fingerprint != before


def test_fault_10_a_huge_sparse_raster_is_opened_at_once(tmp_path: Path) -> None:
    path = tmp_path / "huge.tif"
    profile = {"driver": "GTiff", "width": 100_000, "height": 100_000, "count": 1, "dtype": "uint16"}
    layout = {"tiled": True, "blockxsize": 512, "blockysize": 512, "SPARSE_OK": True, "compress": "deflate"}
    with rasterio.open(path, "w", **profile, **layout, crs="EPSG:32633", transform=NORTH_UP):
        pass
    assert open_source(path)[0].shape == (100_000, 100_000)


def test_a_description_names_sensor_bands_and_reasons(make_raster: MakeRaster) -> None:
    path = make_raster("s2_2018-04-18.tif", np.full((2, 8, 8), 900, np.uint16), names=["B02", "B03"])
    text = "\n".join(describe_source(open_source(path)[0]))
    for words in ("sentinel2-l2a", "EPSG:32633", "2018-04-18", "B02, optical 492.4 nm", "because: "):
        assert words in text


# ---- Real files ----------------------------------------------------------------------------------

REAL = [
    # file, sources, sensor, kinds, date of the first, pixel size, normalised
    ("brandenburg/s2_l1c_10m.tif", 1, "sentinel2-l1c", "optical", "2017-02-16", 10, True),
    ("brandenburg/s2_l1c_60m.tif", 1, "sentinel2-l1c", "optical", "2017-02-16", 60, True),
    ("languedoc/s2_l2a_2018-04-18_20m.tif", 1, "sentinel2-l2a", "optical", "2018-04-18", 20, True),
    ("jura/s2_10m.tif", 1, "sentinel2-l2a", "optical", None, 10, True),
    ("beaufort/s2_8bit.tif", 1, "sentinel2-l1c", "optical", "2018-10-13", None, False),
    ("karoo/s2_10m.tif", 1, "sentinel2-l2a", "optical", "2015-10-03", 10, False),
    ("karoo/landsat8_30m.tif", 1, "landsat-oli", "optical", "2015-09-23", 30, False),
    ("karoo/modis_463m.tif", 1, "modis", "optical", "2015-09-15", 463.313, True),
    ("karoo/aerial_5m_1.tif", 1, "aerial-rgb", "optical", "2015-10-04", 5, True),
    ("north_carolina/lsat7_28m.tif", 1, "landsat-etm", "optical", "2000-03-31", 28.5, False),
    ("north_carolina/labelled_pixels.tif", 1, "map", "map", None, 28.5, True),
    ("chiapas/landsat7_1999-11-18.tif", 1, "landsat-etm", "optical", "1999-11-18", 30, True),
    ("chiapas/fmask_1999-11-18.tif", 1, "map", "map", "1999-11-18", 30, True),
    ("paraguay/landsat8_30m.tif", 1, "landsat-oli", "optical", "2020-05-18", 30, False),
    ("madagascar/landsat8_2017-01-18.tif", 1, "landsat-oli", "optical", "2017-01-18", 57.7, True),
    ("australia/s2_l2a_2018-12-01.tif", 1, "sentinel2-l2a", "optical", "2018-12-01", 9.26, True),
    ("spain_flood/s1_grd_db.tif", 1, "sentinel1-db", "sar", "2019-09-17", 8.86, True),
    ("rotterdam/sar_db.tif", 1, "sar-db", "sar", "2019-08-23", 4.5, True),
    ("rotterdam/wv2_pan_1.tif", 1, "worldview", "optical", "2019-08-31", 0.5, False),
    ("rgbn_5m/rgbn.tif", 1, "aerial-rgbn", "optical", None, 5, True),
    ("aerial/australia.tif", 1, "aerial-rgb", "optical", None, 0.018, True),
    ("terramesh/kenya/dem.tif", 1, "dem", "elevation", None, 10, True),
    ("terramesh/kenya/lulc.tif", 1, "map", "map", None, 10, True),
    ("kootenay/canopy_height.tif", 1, "custom", "custom", "2016-06-16", 0.5, False),
    ("gewata/tree_cover_percent.tif", 1, "custom", "custom", None, 30, False),
    ("gewata/ndvi_series_30m.tif", 166, "index", "index", "1984-06-06", 30, True),
    ("mato_grosso/modis_ndvi.tif", 137, "modis", "index", "2007-09-14", 231.656, True),
    ("mato_grosso/modis_mir.tif", 137, "modis", "optical", "2007-09-14", 231.656, True),
]  # fmt: skip


@pytest.mark.parametrize("expected", REAL, ids=[row[0] for row in REAL])
def test_a_real_file_is_understood(shared_data: Path, expected: tuple[Any, ...]) -> None:
    name, count, sensor, kinds, date, gsd, normalised = expected
    sources = open_source(shared_data / name)
    first = sources[0]
    assert (len(sources), first.sensor, {str(band.kind) for band in first.bands}) == (count, sensor, {kinds})
    assert first.date == (None if date is None else datetime.date.fromisoformat(date))
    assert gsd is None or first.gsd == gsd
    assert [value is not None for value in first.normalisation] == [normalised] * len(first.bands)
    if count > 1:
        dates = [source.date for source in sources]
        assert dates == sorted(dates) and len(set(dates)) == count


@pytest.mark.parametrize("name", ["", "missing.tif"])
def test_fault_13_a_url_that_gives_no_raster_is_a_sentence(tmp_path: Path, name: str) -> None:
    handler = functools.partial(QuietHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            assert "cannot be read" in refused(f"http://127.0.0.1:{server.server_port}/{name}")
        finally:
            server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    """A server that keeps the test's output clean."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_fault_12_a_url_is_opened_like_a_file(make_raster: MakeRaster, tmp_path: Path) -> None:
    path = make_raster("s2_2018-04-18.tif", np.full((2, 8, 8), 900, np.uint16), names=["B02", "B03"])
    handler = functools.partial(QuietHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            (remote,) = open_source(f"http://127.0.0.1:{server.server_port}/{path.name}?sig=1:nodata=0")
        finally:
            server.shutdown()
    (local,) = open_source(f"{path}:nodata=0")
    here = {"path": local.path, "fingerprint": local.fingerprint, "files": local.files}
    assert remote.files == () and dataclasses.replace(remote, **here) == local


def test_a_year_of_months_in_one_file_is_taken_apart_by_sensor_and_month(shared_data: Path) -> None:
    sources = open_source(shared_data / "togo" / "monthly_s1_s2_era5_srtm.tif")
    counts = {sensor: sum(source.sensor == sensor for source in sources) for sensor in {s.sensor for s in sources}}
    assert counts == {"sentinel1-db": 12, "sentinel2-l1c": 12, "custom": 13, "dem": 1}
    seen = [index for source in sources for index in source.indexes]
    assert sorted(seen) == list(range(1, 207))
    names = [source.name for source in sources if source.sensor == "sentinel1-db"]
    assert names == sorted(names)


@pytest.mark.parametrize("name", ["brandenburg/s2_l1c_20m.tif", "jura/s2_10m.tif", "terramesh/kenya/s1_rtc_db.tif",
                                  "chiapas/landsat7_1999-11-18.tif", "aerial/OSBS_029.tif"])  # fmt: skip
def test_normalised_real_land_lies_about_zero(shared_data: Path, name: str) -> None:
    (source,) = open_source(shared_data / name)
    with rasterio.open(source.path) as dataset:
        values = dataset.read().astype(np.float64)
    for band, normalisation in zip(values, source.normalisation, strict=True):
        assert normalisation is not None
        factor, constant = normalisation.linear()
        assert abs(np.median(band) * factor + constant) < 2.5


def test_real_files_without_position_open_with_a_declared_crs(shared_data: Path) -> None:
    folder = shared_data / "west_virginia"
    assert "naip_new.tif has no CRS" in refused(folder / "naip_new.tif")
    (naip,) = open_source(f"{folder / 'naip_new.tif'}:crs=EPSG:32617")
    assert (naip.sensor, naip.mask_band, len(naip.bands)) == ("aerial-rgbn", False, 4)
    (landsat,) = open_source(f"{folder / 'landsat8_leaf_off.tif'}:crs=EPSG:32617")
    assert landsat.sensor == "landsat-oli"
    assert [band.kind for band in landsat.bands].count(BandKind.THERMAL) == 2
    assert all(landsat.normalisation)
