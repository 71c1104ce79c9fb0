"""Fault matrix, rows 1-15 and 34: what is wrong with rasters ends in one sentence and leaves nothing, or just works."""

from __future__ import annotations

import json
import locale
import math
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.warp
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import ColorInterp
from rasterio.windows import Window

import gfm_core as gfm
from gfm_core.embedding.file import EmbeddingFile
from gfm_core.tools import embed as embed_tool
from tests.conftest import NORTH_UP, MakeRaster
from tests.faults.conftest import Bench, state_of

SIDE = 40


def noise(bands: int = 3, side: int = SIDE, dtype: str = "uint16") -> NDArray[Any]:
    """Numbers like those of an optical sensor."""
    return np.random.default_rng(0).integers(300, 3000, (bands, side, side)).astype(dtype)


def values_of(embedding: EmbeddingFile, band: int = 0) -> NDArray[np.float64]:
    """The first band's cell means in the raster's own numbers, from a float32 embedding of `fine`."""
    columns = [number for number, item in enumerate(embedding.columns_of("fine")) if item.name.endswith(" value")]
    stored = embedding.read("fine", embedding.cells)[columns[band]].astype(np.float64)
    factor, constant = list(embedding.constants.values())[band].linear()
    return (stored - constant) / factor


FINE = {"groups": "fine", "dtype": "float32"}


# Row 1: files that are none, or broken


def test_01_a_missing_file_is_named(bench: Bench) -> None:
    sentence = bench.refused(bench.inputs / "no such.tif")
    assert "no such.tif does not exist" in sentence


def test_01_a_folder_without_rasters_is_named(bench: Bench) -> None:
    (bench.inputs / "folder").mkdir()
    assert "folder is a folder without rasters; give a raster" in bench.refused(bench.inputs / "folder")


def test_01_an_empty_file_is_named(bench: Bench) -> None:
    (bench.inputs / "empty.tif").touch()
    assert "empty.tif is empty; copy or download it again" in bench.refused(bench.inputs / "empty.tif")


def test_01_a_text_named_tif_is_named(bench: Bench) -> None:
    (bench.inputs / "text.tif").write_text("x,y\n1,2\n")
    sentence = bench.refused(bench.inputs / "text.tif")
    assert "text.tif cannot be read as a raster" in sentence
    assert "get it again" in sentence


@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_01_a_file_that_was_cut_off_is_named(bench: Bench, make_raster: MakeRaster, share: float) -> None:
    whole = make_raster("whole.tif", noise(side=200), compress="deflate", tiled=True, blockxsize=64, blockysize=64)
    content = whole.read_bytes()
    (bench.inputs / "cut.tif").write_bytes(content[: int(len(content) * share)])
    sentence = bench.refused(bench.inputs / "cut.tif")
    assert "cut.tif" in sentence
    assert "again" in sentence


def damage_block(path: Path, *, across: int, down: int) -> None:
    """Overwrite the bytes of one block of band 1 of a tiled TIFF, found in GDAL's own words."""
    with rasterio.open(path) as dataset:
        offset = int(dataset.get_tag_item(f"BLOCK_OFFSET_{across}_{down}", "TIFF", bidx=1))
        length = int(dataset.get_tag_item(f"BLOCK_SIZE_{across}_{down}", "TIFF", bidx=1))
    content = bytearray(path.read_bytes())
    content[offset : offset + length] = b"\xff" * length
    path.write_bytes(content)


@pytest.mark.parametrize("sensor", ["custom", "sentinel2-l2a"])
def test_01_a_damaged_tile_in_the_middle_is_named_with_its_block(
    bench: Bench, make_raster: MakeRaster, sensor: str
) -> None:
    # A custom sensor's numbers are sampled when the stack is opened; a known one's are first read tile by tile.
    names = None if sensor == "custom" else ["B02", "B03", "B04"]
    path = make_raster(
        "damaged.tif", noise(side=320), names=names, tiled=True, blockxsize=64, blockysize=64, compress="deflate"
    )
    damage_block(path, across=1, down=3)
    sentence = bench.refused(path)
    assert "damaged.tif is damaged (block 1 across, 3 down" in sentence
    assert "copy or download it again" in sentence


def test_01_the_installed_command_leaves_with_1_and_one_line(bench: Bench) -> None:
    gfm_command = Path(sys.executable).with_name("gfm")
    ran = subprocess.run(
        [gfm_command, "embed", bench.inputs / "none.tif", "-o", bench.out / "embedding.tif"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 1
    assert ran.stderr == f"Error: {bench.inputs / 'none.tif'} does not exist; check the path.\n"
    assert ran.stdout == ""
    assert state_of(bench.out) == {}


# Row 2: where a raster lies


def test_02_a_raster_without_crs_is_named_with_the_mend(bench: Bench, make_raster: MakeRaster) -> None:
    path = make_raster("lost.tif", noise(), crs=None)
    assert "lost.tif has no CRS; give it one with lost.tif:crs=EPSG:N" in bench.refused(path)
    placed, _ = bench.made(f"{path}:crs=EPSG:32633", groups="fine")
    assert placed.cells.shape == (SIDE // 2, SIDE // 2)


PLACES = {
    "degrees": ("EPSG:4326", Affine(1.5e-4, 0, 13.5, 0, -1e-4, 52.3)),
    "feet": ("EPSG:2263", Affine(30, 0, 980_000, 0, -30, 200_000)),
    "rotated": ("EPSG:32633", Affine(8, 6, 400_000, 6, -8, 5_800_000)),
    "sheared": ("EPSG:32633", Affine(10, 3, 400_000, 0, -10, 5_800_000)),
    "south-up": ("EPSG:32633", Affine(10, 0, 400_000, 0, 10, 5_800_000)),
    "west-up": ("EPSG:32633", Affine(-10, 0, 400_000, 0, -10, 5_800_000)),
}


def ramp(columns: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """A plane that no shift, flip or turn leaves as it is, over fractional pixel positions (corner = 0)."""
    return np.asarray(1000 + 3 * columns + 10 * rows)


def check_on_ground(embedding: EmbeddingFile, path: Path) -> None:
    """Cell values are the plane's at the cell centres, whose places in the raster rasterio.warp tells."""
    found = values_of(embedding)
    inner = np.isfinite(found)
    inner[[0, -1]] = False
    inner[:, [0, -1]] = False
    rows, cols = np.nonzero(inner)
    transform = embedding.lattice.transform(embedding.cells)
    xs, ys = transform.c + transform.a * (cols + 0.5), transform.f + transform.e * (rows + 0.5)
    with rasterio.open(path) as dataset:
        own_x, own_y = rasterio.warp.transform(embedding.lattice.crs, dataset.crs, xs, ys)
        back = ~dataset.transform
        height, width = dataset.shape
    own_x, own_y = np.asarray(own_x), np.asarray(own_y)
    columns, lines = back.a * own_x + back.b * own_y + back.c, back.d * own_x + back.e * own_y + back.f
    deep = (columns > 3) & (columns < width - 3) & (lines > 3) & (lines < height - 3)
    assert deep.sum() > 100
    difference = found[rows[deep], cols[deep]] - ramp(columns[deep], lines[deep])
    assert np.abs(difference).max() < 3, "more than a fraction of a pixel away"


@pytest.mark.parametrize("place", PLACES)
def test_02_a_raster_lies_where_rasterio_says_it_lies(bench: Bench, make_raster: MakeRaster, place: str) -> None:
    crs, transform = PLACES[place]
    rows, cols = np.mgrid[:60, :60] + 0.5
    path = make_raster("plane.tif", ramp(cols, rows).astype(np.float32)[None], crs=crs, transform=transform)
    embedding, _ = bench.made(path, **FINE)
    check_on_ground(embedding, path)


FAR = {
    "across the antimeridian in UTM": ("EPSG:32601", Affine(10, 0, 374_700, 0, -10, 7_600_000)),
    "across the antimeridian in degrees": ("EPSG:4326", Affine(1.5e-4, 0, 179.9955, 0, -1e-4, 52.3)),
    "across the antimeridian from the other side": ("EPSG:4326", Affine(1.5e-4, 0, -180.0045, 0, -1e-4, 52.3)),
    "at 80 degrees": ("EPSG:4326", Affine(5.7e-4, 0, 20.0, 0, -1e-4, 80.0)),
    "across a border of UTM zones": ("EPSG:4326", Affine(1.5e-4, 0, 11.9955, 0, -1e-4, 52.3)),
}


@pytest.mark.parametrize("place", FAR)
def test_05_a_raster_at_an_edge_of_the_map_lies_where_it_lies(
    bench: Bench, make_raster: MakeRaster, place: str
) -> None:
    crs, transform = FAR[place]
    rows, cols = np.mgrid[:60, :60] + 0.5
    path = make_raster("plane.tif", ramp(cols, rows).astype(np.float32)[None], crs=crs, transform=transform)
    embedding, _ = bench.made(path, **FINE)
    assert max(embedding.cells.shape) < 80, "as wide as the raster and not as the Earth"
    assert math.isclose(embedding.lattice.cell_size, 2 * 10, rel_tol=0.12)
    check_on_ground(embedding, path)


def test_02_a_pixel_is_point_raster_lies_where_rasterio_says_it_lies(bench: Bench, make_raster: MakeRaster) -> None:
    rows, cols = np.mgrid[:60, :60] + 0.5
    path = make_raster("point.tif", ramp(cols, rows).astype(np.float32)[None], tags={"AREA_OR_POINT": "Point"})
    with rasterio.open(path) as dataset:
        assert dataset.tags()["AREA_OR_POINT"] == "Point"
    embedding, _ = bench.made(path, **FINE)
    check_on_ground(embedding, path)


# Row 4: rasters that share no ground


def test_04_rasters_of_two_places_are_named(bench: Bench, make_raster: MakeRaster) -> None:
    here = make_raster("here.tif", noise())
    there = make_raster("there.tif", noise(), transform=Affine.translation(200_000, 0) * NORTH_UP)
    sentence = bench.refused(here, there)
    assert "here.tif does not overlap there.tif by a cell" in sentence
    assert "check its CRS" in sentence


def test_04_an_overlap_of_less_than_a_cell_is_none(bench: Bench, make_raster: MakeRaster) -> None:
    here = make_raster("here.tif", noise())
    corner = make_raster("corner.tif", noise(1), transform=Affine.translation(390, -390) * NORTH_UP)
    assert "does not overlap" in bench.refused(here, corner)
    edge = make_raster("edge.tif", noise(1), transform=Affine.translation(360, -360) * NORTH_UP)
    assert bench.made(here, edge, groups="fine")


def test_04_the_one_far_away_among_five_is_named(bench: Bench, make_raster: MakeRaster) -> None:
    near = [
        make_raster(f"near{number}.tif", noise(), transform=Affine.translation(20 * number, 0) * NORTH_UP)
        for number in range(4)
    ]
    far = make_raster("far.tif", noise(), crs="EPSG:32733")
    sentence = bench.refused(*near, far)
    assert "far.tif does not overlap" in sentence
    assert not any(path.name in sentence for path in near)


# Row 6: what holds no data


def holes(bench: Bench, argument: object) -> NDArray[np.bool_]:
    """`[bands, rows, cols]`: pixels without a value in an embedding whose cells are pixels."""
    embedding, _ = bench.made(argument, cell=10, **FINE)
    columns = [number for number, item in enumerate(embedding.columns_of("fine")) if item.name.endswith(" value")]
    return np.isnan(embedding.read("fine", embedding.cells)[columns])


def block(bands: tuple[int, ...] = (0, 1, 2)) -> NDArray[np.bool_]:
    """A rectangle of pixels in some of three bands."""
    gap = np.zeros((3, SIDE, SIDE), np.bool_)
    gap[list(bands), 5:12, 20:33] = True
    return gap


def test_06_a_gap_is_a_gap_whatever_declares_it(bench: Bench, make_raster: MakeRaster) -> None:
    gap, pixels = block(), noise()
    zeros = np.where(gap, 0, pixels).astype(np.uint16)
    cases = {
        "nodata": make_raster("nodata.tif", zeros, nodata=0),
        "NaN": make_raster("nan.tif", np.where(gap, np.nan, pixels).astype(np.float32), nodata=np.nan),
        "undeclared NaN": make_raster("nan2.tif", np.where(gap, np.nan, pixels).astype(np.float32)),
        "mask": make_raster("mask.tif", pixels, mask=np.where(gap[0], 0, 255).astype(np.uint8)),
        "by hand": f"{make_raster('hand.tif', zeros)}:nodata=0",
    }
    for case, argument in cases.items():
        np.testing.assert_array_equal(holes(bench, argument), gap, err_msg=case)


def test_06_alpha_is_the_mask_and_no_band(bench: Bench, make_raster: MakeRaster) -> None:
    gap = block()
    alpha = np.where(gap[0], 0, 255).astype(np.uint8)
    pixels = np.concatenate([np.random.default_rng(0).integers(1, 200, (3, SIDE, SIDE)).astype(np.uint8), alpha[None]])
    colours = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]
    path = make_raster("photo.tif", pixels, colours=colours, photometric="RGB", alpha="unspecified")
    np.testing.assert_array_equal(holes(bench, path), gap)


def test_06_nodata_of_one_band_is_no_gap_in_another(bench: Bench, make_raster: MakeRaster) -> None:
    gap = block((1,))
    pixels = np.where(gap, 7, noise()).astype(np.uint16)
    vrt = bench.inputs / "bands.vrt"
    files = [make_raster(f"band{number}.tif", pixels[number : number + 1]) for number in range(3)]
    sources = "".join(
        f'<VRTRasterBand dataType="UInt16" band="{number + 1}">'
        f"{'<NoDataValue>7</NoDataValue>' if number == 1 else ''}"
        f'<SimpleSource><SourceFilename relativeToVRT="1">{path.name}</SourceFilename></SimpleSource></VRTRasterBand>'
        for number, path in enumerate(files)
    )
    geo = ",".join(map(str, NORTH_UP.to_gdal()))
    vrt.write_text(
        f'<VRTDataset rasterXSize="{SIDE}" rasterYSize="{SIDE}"><SRS>EPSG:32633</SRS>'
        f"<GeoTransform>{geo}</GeoTransform>{sources}</VRTDataset>"
    )
    np.testing.assert_array_equal(holes(bench, vrt), gap)


def test_06_nodata_outside_the_dtype_is_ignored_and_said(bench: Bench, make_raster: MakeRaster) -> None:
    path = make_raster("odd.tif", noise())
    path.with_name("odd.tif.aux.xml").write_text(
        '<PAMDataset><PAMRasterBand band="1"><NoDataValue>-9999</NoDataValue></PAMRasterBand></PAMDataset>'
    )
    assert not holes(bench, path).any()
    assert "nodata -9999 is given but cannot occur in uint16: ignored" in bench.run("info", f"{path}:nodata=-9999").out


def test_06_border_zeros_that_nobody_declared_are_warned_of(bench: Bench, make_raster: MakeRaster) -> None:
    pixels = noise()
    pixels[:, :10] = 0
    path = make_raster("swath.tif", pixels)
    _, told = bench.made(path, groups="fine")
    assert "swath.tif: a corner is 0 in every band" in told
    assert "FILE:nodata=0" in told
    _, told = bench.made(make_raster("whole.tif", noise()), groups="fine")
    assert "corner" not in told


# Row 7: hardly any data


def test_07_a_raster_without_data_gives_nodata_and_a_warning(bench: Bench, make_raster: MakeRaster) -> None:
    path = make_raster("void.tif", np.zeros((3, SIDE, SIDE), np.uint16), nodata=0)
    embedding, told = bench.made(path)
    assert "No pixel of the rasters is valid here" in told
    with rasterio.open(embedding.path) as dataset:
        assert not dataset.read().any()
        assert not dataset.dataset_mask().any()


def test_07_one_valid_pixel_is_enough(bench: Bench, make_raster: MakeRaster) -> None:
    pixels = np.zeros((3, SIDE, SIDE), np.uint16)
    pixels[:, 10, 14] = 1200
    embedding, told = bench.made(make_raster("spark.tif", pixels, nodata=0), cell=10)
    assert "No pixel" not in told
    assert list(zip(*np.nonzero(np.isfinite(embedding.read("network", embedding.cells)[0])), strict=True)) == [(10, 14)]


def test_07_a_scene_under_clouds_keeps_its_gaps(bench: Bench, make_raster: MakeRaster) -> None:
    clear = np.random.default_rng(1).random((SIDE, SIDE)) < 0.01
    path = make_raster("cloudy.tif", noise(), mask=np.where(clear, 255, 0).astype(np.uint8))
    embedding, _ = bench.made(path, cell=10)
    np.testing.assert_array_equal(np.isfinite(embedding.read("network", embedding.cells)[0]), clear)


# Row 8: number formats


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"])
def test_08_every_dtype_gives_its_values(bench: Bench, make_raster: MakeRaster, dtype: str) -> None:
    pixels = np.random.default_rng(0).integers(1, 120, (1, SIDE, SIDE)).astype(dtype)
    pixels[0, 0, 0] = 127  # with values this few a whole-number band could be a map of classes
    embedding, _ = bench.made(f"{make_raster('numbers.tif', pixels)}:as=custom", cell=10, **FINE)
    np.testing.assert_allclose(values_of(embedding), pixels[0], atol=1e-3)


def test_08_complex_numbers_are_refused_with_the_mend(bench: Bench, make_raster: MakeRaster) -> None:
    path = make_raster("slc.tif", noise(1).astype(np.complex64))
    sentence = bench.refused(path)
    assert "slc.tif holds complex numbers" in sentence
    assert "amplitude or intensity" in sentence


def test_08_a_palette_is_a_map_of_classes(bench: Bench, make_raster: MakeRaster) -> None:
    palette = make_raster("palette.tif", np.random.default_rng(0).integers(0, 3, (1, SIDE, SIDE)).astype(np.uint8))
    with rasterio.open(palette, "r+") as dataset:
        dataset.write_colormap(1, {0: (0, 0, 0, 255), 1: (255, 0, 0, 255), 2: (0, 255, 0, 255)})
    assert "is a map of classes; add an image" in bench.refused(palette)
    embedding, told = bench.made(make_raster("image.tif", noise()), palette, groups="fine")
    assert "palette.tif is a map of classes and is not embedded" in told
    assert [source["name"] for source in embedding.sources] == ["image.tif"]


def test_08_scale_and_offset_tags_are_used(bench: Bench, make_raster: MakeRaster) -> None:
    names = ["B02", "B03", "B04"]
    plain, _ = bench.made(make_raster("plain_B.tif", noise(), names=names), cell=10, **FINE)
    first = plain.read("fine", plain.cells)
    scaled, _ = bench.made(make_raster("scaled_B.tif", noise() * 2, names=names, scale=0.00005), cell=10, **FINE)
    np.testing.assert_allclose(scaled.read("fine", scaled.cells), first, rtol=1e-3, atol=1e-3)


# Row 9: numbers that are none


def test_09_infinity_fill_values_and_nan_reach_no_output(bench: Bench, make_raster: MakeRaster) -> None:
    pixels = np.random.default_rng(0).random((3, SIDE, SIDE)).astype(np.float32)
    for band, value in ((0, np.inf), (1, -np.inf), (2, 1e38), (0, np.nan), (1, -9999.0), (2, -3.4e38)):
        row, col = np.random.default_rng(abs(hash(str(value))) % 100).integers(2, SIDE - 2, 2)
        pixels[band, row, col] = value
    embedding, _ = bench.made(make_raster("wild.tif", pixels), dtype="float32")
    for group in embedding.groups:  # a cell is 2 x 2 pixels: each keeps enough valid ones
        stored = embedding.read(group, embedding.cells)
        assert np.isfinite(stored).all(), group
        assert np.abs(stored).max() < 100, group


def test_09_a_constant_band_is_warned_of_and_gives_no_nan(bench: Bench, make_raster: MakeRaster) -> None:
    pixels = noise().astype(np.float32)
    pixels[1] = 7
    embedding, told = bench.made(make_raster("flat.tif", pixels), dtype="float32")
    assert "flat.tif: band 2 is constant." in told
    assert all(np.isfinite(embedding.read(group, embedding.cells)).all() for group in embedding.groups)


# Row 10: shapes


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1)])
def test_10_a_pixel_a_row_and_a_column_work(bench: Bench, make_raster: MakeRaster, shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(300, 3000, (2, *shape)).astype(np.uint16)
    path = make_raster("thin.tif", pixels)
    embedding, _ = bench.made(path)
    assert embedding.cells.shape == (-(-shape[0] // 2), -(-shape[1] // 2))
    assert np.isfinite(embedding.read("network", embedding.cells)).all()
    assert f"{shape[1]} x {shape[0]} px" in bench.run("info", path).out


@pytest.mark.parametrize(("shape", "extent", "cells"), [
    ((3, 100_000), "900000,5799960,900300,5800000", (2, 15)),
    ((100_000, 3), "400000,5200000,400040,5200300", (15, 2)),
])  # fmt: skip
def test_10_a_part_of_a_very_long_raster_works(
    bench: Bench, make_raster: MakeRaster, shape: tuple[int, int], extent: str, cells: tuple[int, int]
) -> None:
    path = make_raster("long.tif", np.random.default_rng(0).integers(300, 3000, (1, *shape)).astype(np.uint16))
    assert f"{shape[1]} x {shape[0]} px" in bench.run("info", path).out
    embedding, _ = bench.made(path, extent=extent)
    assert embedding.cells.shape == cells


MEASURED = """
import json, resource, sys
from gfm_core.cli.main import main
for command in json.loads(sys.argv[1]):
    sys.argv = ["gfm", *command]
    try:
        main()
    except SystemExit as left:
        assert left.code == 0, left.code
print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_10_a_part_of_a_raster_of_ten_billion_pixels_needs_little_memory(bench: Bench) -> None:
    path, side = bench.inputs / "huge.tif", 100_000
    with rasterio.open(
        path, "w", driver="GTiff", height=side, width=side, count=3, dtype="uint16", crs="EPSG:32633",
        transform=NORTH_UP, tiled=True, blockxsize=512, blockysize=512, sparse_ok=True, bigtiff="yes",
    ) as dataset:  # fmt: skip
        dataset.write(noise(side=512), window=Window(51_200, 51_200, 512, 512))
    left, top = NORTH_UP.c + 512_000, NORTH_UP.f - 512_000
    extent = f"{left},{top - 1000},{left + 1000},{top}"
    made = bench.out / "part.tif"
    commands = [
        ["info", str(path)],
        ["-q", "embed", str(path), "-o", str(made), "--extent", extent, "--model", str(bench.model), "--threads", "1"],
    ]
    ran = subprocess.run(
        [sys.executable, "-c", MEASURED, json.dumps(commands)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "100000 x 100000 px" in ran.stdout
    peak_kilobytes = int(ran.stdout.split()[-1])
    assert peak_kilobytes < 1.5e6
    with rasterio.open(made) as dataset:
        assert dataset.shape == (50, 50)
        assert dataset.bounds == pytest.approx((left, top - 1000, left + 1000, top))


# Row 11: one band, and very many


def test_11_426_bands_without_wavelengths_work(bench: Bench, make_raster: MakeRaster) -> None:
    embedding, _ = bench.made(make_raster("hyper.tif", noise(426, 8)), groups="fine")
    assert len(embedding.columns_of("fine")) == 426 * 7


# Row 12: names


NAMES = ["with space.tif", "quo'te \".tif", "grün—日本.tif", "100%20 #1.tif", "a:b.tif", "x" * 246 + ".tif"]


@pytest.mark.parametrize("name", NAMES)
def test_12_any_name_works_for_inputs_and_outputs(bench: Bench, make_raster: MakeRaster, name: str) -> None:
    path = make_raster(name, noise(1, 16))
    output = bench.out / (name if len(name) < 200 else "y" * 230 + ".tif")
    assert bench.embed(path, output=output).told is not None
    embedding = gfm.open_embedding(output)
    assert embedding.sources[0]["name"] == name
    assert embedding.sources[0]["paths"] == [str(path)]
    assert name in bench.run("info", path).out


def test_12_a_name_too_long_for_its_sidecars_is_refused_before_any_work(bench: Bench, make_raster: MakeRaster) -> None:
    sentence = bench.refused(make_raster("good.tif"), output=bench.out / ("y" * 245 + ".tif"))
    assert "too long" in sentence
    assert "shorter" in sentence


def test_12_relative_symlinked_and_zipped_rasters_are_the_same(
    bench: Bench, make_raster: MakeRaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_raster("good.tif", noise())
    expected, _ = bench.made(path)
    wanted = [expected.read(group, expected.cells) for group in expected.groups]
    (bench.inputs / "link.tif").symlink_to("good.tif")
    with zipfile.ZipFile(bench.inputs / "good.zip", "w") as archive:
        archive.write(path, "inner/good.tif")
    monkeypatch.chdir(bench.inputs)
    for argument in ("good.tif", "link.tif", f"/vsizip/{bench.inputs}/good.zip/inner/good.tif"):
        embedding, _ = bench.made(argument)
        found = [embedding.read(group, embedding.cells) for group in embedding.groups]
        assert all(np.array_equal(one, other) for one, other in zip(found, wanted, strict=True)), argument


def test_12_a_name_that_is_not_in_the_archive_is_named(bench: Bench, make_raster: MakeRaster) -> None:
    path = make_raster("good.tif", noise())
    with zipfile.ZipFile(bench.inputs / "good.zip", "w") as archive:
        archive.write(path, "good.tif")
    assert "other.tif" in bench.refused(f"/vsizip/{bench.inputs}/good.zip/other.tif")


# Row 14: inputs that change


@pytest.mark.parametrize("change", ["written to", "removed"])
def test_14_an_input_that_changes_during_the_run_is_noticed(
    bench: Bench, make_raster: MakeRaster, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    path = make_raster("live.tif", noise())
    open_stack = embed_tool.open_stack

    def and_then(*arguments: Any, **options: Any) -> gfm.Stack:
        stack = open_stack(*arguments, **options)
        if change == "removed":
            path.unlink()
        else:
            os.utime(path, ns=(1, 1))
        return stack

    monkeypatch.setattr(embed_tool, "open_stack", and_then)
    sentence = bench.run("embed", path, "-o", bench.out / "embedding.tif", "--model", bench.model).sentence
    assert "live.tif" in sentence
    assert "run again" in sentence or "again" in sentence
    assert state_of(bench.out) == {}


# Row 15: where the output goes


def test_15_an_output_that_is_an_input_is_refused_even_with_overwrite(bench: Bench, make_raster: MakeRaster) -> None:
    path = make_raster("good.tif", noise())
    (bench.inputs / "link.tif").symlink_to("good.tif")
    for name in ("good.tif", "link.tif", "../" + bench.inputs.name + "/good.tif"):
        sentence = bench.embed(path, output=bench.inputs / name, options=("--overwrite",)).sentence
        assert "is one of the inputs; give the output another name" in sentence


def test_15_a_file_in_a_folder_that_is_the_input_is_not_replaced(bench: Bench, make_raster: MakeRaster) -> None:
    band = make_raster("R10m/T33UUU_20230504T101559_B02_10m.tif", noise(1))
    sentence = bench.embed(band.parent, output=band, options=("--overwrite",)).sentence
    assert "is one of the inputs" in sentence


def test_15_an_output_folder_that_is_missing_is_named(bench: Bench, make_raster: MakeRaster) -> None:
    sentence = bench.refused(make_raster("good.tif"), output=bench.out / "none" / "embedding.tif")
    assert f"The folder {bench.out / 'none'} of embedding.tif does not exist; make it first" in sentence


def test_15_an_output_folder_that_cannot_be_written_is_named(bench: Bench, make_raster: MakeRaster) -> None:
    sentence = bench.refused(make_raster("good.tif"), output=Path("/proc/embedding.tif"))  # not even by root
    assert "/proc cannot be written" in sentence
    assert "choose another" in sentence


def test_15_an_output_that_exists_is_replaced_only_with_overwrite(bench: Bench, make_raster: MakeRaster) -> None:
    path, output = make_raster("good.tif", noise()), bench.out / "embedding.tif"
    output.write_text("precious")
    assert f"{output} exists; give another name, or --overwrite" in bench.refused(path)
    assert output.read_text() == "precious"
    bench.made(path)
    assert gfm.open_embedding(output).sources


@pytest.mark.parametrize("name", ["embedding.qml", "embedding.tif.aux.xml", "embedding_pca.png"])
def test_15_what_lies_beside_the_output_is_not_replaced_either(
    bench: Bench, make_raster: MakeRaster, name: str
) -> None:
    (bench.out / name).write_text("the style of another layer")
    assert f"{name} exists" in bench.refused(make_raster("good.tif", noise()))


def test_15_a_folder_is_no_place_for_a_file(bench: Bench, make_raster: MakeRaster) -> None:
    (bench.out / "embedding.tif").mkdir()
    path = make_raster("good.tif", noise())
    assert "is a folder; give the name of a file" in bench.refused(path)
    assert "is a folder" in bench.embed(path, options=("--overwrite",)).sentence


def test_15_the_embedding_to_repeat_is_not_replaced(bench: Bench, make_raster: MakeRaster) -> None:
    path = make_raster("good.tif", noise())
    embedding, _ = bench.made(path, groups="fine")
    before = embedding.path.read_bytes()
    sentence = bench.embed(path, options=("--like", embedding.path, "--overwrite")).sentence
    assert "is one of the inputs" in sentence
    assert embedding.path.read_bytes() == before


# Row 34: what other programs and systems leave behind


def pixels_of(path: Path) -> NDArray[Any]:
    with rasterio.open(path) as dataset:
        return dataset.read()


def test_34_no_home_no_temporary_folder_and_another_programs_proj_change_nothing(
    bench: Bench, make_raster: MakeRaster
) -> None:
    crs, transform = PLACES["degrees"]
    path = make_raster("degrees.tif", noise(), crs=crs, transform=transform)
    here, _ = bench.made(path)
    foreign = bench.inputs / "foreign"
    foreign.mkdir()
    (foreign / "proj.db").write_bytes(b"of another version" * 100)
    environment = {name: value for name, value in os.environ.items() if name != "HOME"}
    environment |= dict.fromkeys(("PROJ_LIB", "PROJ_DATA", "GDAL_DATA"), str(foreign))
    environment["TMPDIR"] = str(bench.inputs / "nowhere")
    made = bench.out / "there.tif"
    ran = subprocess.run(
        [Path(sys.executable).with_name("gfm"), "-q", "embed", path, "-o", made, "--model", bench.model],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    np.testing.assert_array_equal(pixels_of(made), pixels_of(here.path))


def test_34_a_decimal_comma_changes_nothing(bench: Bench, make_raster: MakeRaster) -> None:
    path = make_raster("good.tif", noise())
    expected = pixels_of(bench.made(path, cell="25.5")[0].path)
    before = locale.setlocale(locale.LC_ALL)
    for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "de_DE.utf8", "pl_PL.UTF-8"):
        try:
            locale.setlocale(locale.LC_ALL, name)
            break
        except locale.Error:
            continue
    else:
        pytest.skip("no locale with a decimal comma is installed here (locale-gen de_DE.UTF-8)")
    try:
        np.testing.assert_array_equal(pixels_of(bench.made(path, cell="25.5")[0].path), expected)
    finally:
        locale.setlocale(locale.LC_ALL, before)
