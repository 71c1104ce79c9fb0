"""Windows of a stack against plain rasterio, rasterio.merge and rasterio.warp."""

from __future__ import annotations

import dataclasses
import math
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
import rasterio
import rasterio.merge
import rasterio.warp
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from rasterio.control import GroundControlPoint
from rasterio.enums import Resampling
from rasterio.windows import Window

from gfm_core.errors import InputError
from gfm_core.grid import CellRange, WindowIndex, windows
from gfm_core.raster import read
from gfm_core.raster.frame import Frame, Region, patches
from gfm_core.raster.read import PixelWindow, StackReader, read_window
from gfm_core.raster.source import open_source
from gfm_core.raster.stack import Stack, open_stack
from tests.conftest import NORTH_UP, MakeRaster, write_raster

UTM = "EPSG:32633"
S2 = ["B02", "B03", "B04", "B08"]


def speckled(rows: int = 60, cols: int = 50, bands: int = 4, seed: int = 0) -> NDArray[np.uint16]:
    """Random numbers with a tenth of zeros."""
    generator = np.random.default_rng(seed)
    values = generator.integers(500, 3000, (bands, rows, cols)).astype(np.uint16)
    values[generator.random(values.shape) < 0.1] = 0
    return values


def whole(stack: Stack, number: int = 0, margin: int = 0) -> PixelWindow:
    """One modality under all cells."""
    with StackReader(stack) as reader:
        return reader.window(stack.modalities[number], stack.cells, margin)


def pixel_region(stack: Stack, cells: CellRange, margin: int, number: int = 0) -> Region:
    return patches(stack.modalities[number].frame, stack.lattice, cells).region(margin)


# ---- Plain reads -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Stack]:
    path = write_raster(tmp_path_factory.mktemp("plain") / "s2.tif", speckled(), names=S2, nodata=0)
    return path, open_stack([path], cell_size=30)


corners, shapes = (st.tuples(numbers, numbers) for numbers in (st.integers(-6, 20), st.integers(1, 12)))


@given(corners, shapes, st.integers(0, 40))
@settings(max_examples=50)
def test_any_cells_read_what_rasterio_reads_with_nothing_outside(
    plain: tuple[Path, Stack], corner: tuple[int, int], shape: tuple[int, int], margin: int
) -> None:
    (row, col), (rows, cols) = corner, shape
    path, stack = plain
    cells = CellRange(stack.cells.row + row, stack.cells.col + col, rows, cols)
    bounds = stack.lattice.bounds(cells)
    with StackReader(stack) as reader:
        found = reader.window(stack.modalities[0], cells, margin)
    with rasterio.open(path) as dataset:
        left, top = round((bounds.left - 400_000) / 10), round((5_800_000 - bounds.top) / 10)
        window = Window(left - margin, top - margin, 3 * cols + 2 * margin, 3 * rows + 2 * margin)
        expected = dataset.read(window=window, boundless=True, fill_value=0)
    assert found.pixels.shape == (1, *expected.shape)
    assert np.array_equal(found.valid[0], expected != 0)
    assert np.array_equal(found.pixels[0][found.valid[0]], expected[expected != 0].astype(np.float32))
    ys, xs = np.mgrid[: window.height, : window.width]
    assert np.array_equal(
        found.inside,
        (ys + window.row_off >= 0)
        & (ys + window.row_off < 60)
        & (xs + window.col_off >= 0)
        & (xs + window.col_off < 50),
    )
    assert found.rows.tolist() == [[margin + 3 * n, margin + 3 * n + 3] for n in range(rows)]
    assert found.cols.tolist() == [[margin + 3 * n, margin + 3 * n + 3] for n in range(cols)]
    assert not found.offset.any()


def test_read_window_gives_every_modality_under_the_16_cells_of_a_window(make_raster: MakeRaster) -> None:
    coarse = Affine(60, 0, 400_000, 0, -60, 5_800_000)
    stack = open_stack(
        [
            make_raster("s2.tif", speckled(240, 240), names=S2),
            make_raster("aerosol.tif", speckled(40, 40, 2), names=["B01", "B09"], transform=coarse),
        ]
    )
    window = next(iter(windows(stack.cells)))
    window = WindowIndex(window.row + 2, window.col + 2)
    found = read_window(stack, window, margin=5)
    assert list(found) == [item.name for item in stack.modalities]
    fine, wide = found.values()
    assert fine.pixels.shape == (1, 4, 32 + 10, 32 + 10)
    # Coarser pixels: each cell of 20 m takes the 60 m pixel under its centre, and tells how far its centre is.
    bounds = stack.lattice.bounds(window.cells)
    centres = bounds.left + 10 + 20 * np.arange(16)
    expected = np.floor((centres - 400_000) / 60).astype(int)
    region = pixel_region(stack, window.cells, 5, number=1)
    assert (wide.cols[:, 0] + region.col).tolist() == expected.tolist()
    assert (wide.cols[:, 1] - wide.cols[:, 0]).tolist() == [1] * 16
    assert wide.offset[0, :, 1] == pytest.approx((400_000 + 60 * expected + 30 - centres) / 20, abs=1e-5)
    assert wide.offset[:, 0, 0].min() >= -1.0001


def test_two_dates_and_bands_keep_their_order(make_raster: MakeRaster) -> None:
    early, late = speckled(seed=1), speckled(seed=2)
    stack = open_stack(
        [
            make_raster("s2_20210801.tif", late, names=S2),
            make_raster("s2_20210601.tif", early, names=S2),
        ]
    )
    found = whole(stack)
    assert np.array_equal(found.pixels, np.stack([early, late]).astype(np.float32))


@pytest.mark.parametrize("shift", [(0, 20), (7, -20), (-30, 3)])
def test_a_mosaic_is_rasterios_merge_in_canonical_order(make_raster: MakeRaster, shift: tuple[int, int]) -> None:
    row, col = shift
    paths = [
        make_raster("s2_a_20210601.tif", speckled(seed=1), names=S2, nodata=0),
        make_raster("s2_b_20210601.tif", speckled(seed=2), names=S2, nodata=0,
                    transform=NORTH_UP * Affine.translation(col, row)),
    ]  # fmt: skip
    stack = open_stack(paths, cell_size=10)
    # Same GSD, sensor and date: bounds decide, from the west.
    order = paths if col >= 0 else paths[::-1]
    expected, transform = rasterio.merge.merge(order, method="first")
    found = whole(stack)
    assert stack.lattice.transform(stack.cells).almost_equals(transform)
    assert np.array_equal(found.valid[0], expected != 0)
    assert np.array_equal(found.pixels[0] * found.valid[0], expected.astype(np.float32))


def test_bands_are_those_of_the_source_and_a_file_may_hold_several_sources(shared_data: Path) -> None:
    path = shared_data / "togo" / "monthly_s1_s2_era5_srtm.tif"
    radar = next(source for source in open_source(path) if "sentinel1-db" in source.sensor and "05" in source.name)
    with StackReader(open_stack([path])) as reader:
        found = reader.region([[radar]], Frame(radar.crs, radar.transform), Region(-2, 3, 12, 20))
    with rasterio.open(path) as dataset:
        expected = dataset.read(radar.indexes, boundless=True, fill_value=0, window=Window(3, -2, 20, 12))
    assert np.array_equal(found.pixels[0], expected)
    assert np.array_equal(found.valid[0], np.broadcast_to(found.inside, expected.shape))
    assert found.inside.sum() == 10 * 14  # of 17 x 17 pixels


def test_patches_of_many_pixels_are_block_means_anchored_to_the_source(make_raster: MakeRaster) -> None:
    values = np.random.default_rng(0).integers(0, 3000, (4, 256, 512)).astype(np.float32)
    stack = open_stack([make_raster("s2.tif", values, names=S2)], cell_size=1280)  # 128 pixels: read in halves
    found = whole(stack)
    expected = values.reshape(4, 128, 2, 256, 2).mean(axis=(2, 4))
    assert found.valid.sum() == expected.size
    assert np.allclose(found.pixels[found.valid], expected.ravel(), rtol=1e-5)
    one = CellRange(stack.cells.row + 1, stack.cells.col + 2, 1, 1)
    with StackReader(stack) as reader:
        part = reader.window(stack.modalities[0], one, 7)
    assert np.array_equal(part.pixels[0, :, 7:-7, 7:-7], found.pixels[0, :, 64:128, 128:192])


# ---- Other grids: values against rasterio.warp ----------------------------------------------------------------------


def smooth(rows: int, cols: int, bands: int = 2) -> NDArray[np.float32]:
    ys, xs = np.mgrid[:rows, :cols].astype(np.float32)
    return np.stack([np.sin(xs / 9 + band) * 100 + np.cos(ys / 7) * 50 for band in range(bands)]).astype(np.float32)


def test_another_crs_is_warped_as_rasterio_warps_it(make_raster: MakeRaster) -> None:
    holes = smooth(80, 80)
    holes[0, 20:30, 10:40] = np.nan  # each band its own gap
    holes[1, 50:60, 30:70] = np.nan
    path = make_raster("measured.tif", holes, crs="EPSG:3035", transform=Affine(10, 0, 4.5e6, 0, -10, 3.2e6))
    left, _, _, top = rasterio.warp.transform_bounds("EPSG:3035", UTM, *open_bounds(path))
    fine = make_raster(
        "s2.tif", speckled(90, 90), names=S2, transform=Affine(10, 0, round(left, -1), 0, -10, round(top, -1))
    )
    stack = open_stack([fine, path], crs=UTM)
    number = next(i for i, item in enumerate(stack.modalities) if item.sensor == "custom")
    found = whole(stack, number)
    region = pixel_region(stack, stack.cells, 0, number)
    with rasterio.open(path) as dataset:
        for band in range(2):  # one by one, so that the gap of one is none of the other
            expected = np.full(region.shape, np.nan, np.float32)
            rasterio.warp.reproject(
                dataset.read(band + 1), expected, src_transform=dataset.transform, src_crs=dataset.crs,
                src_nodata=np.nan, dst_nodata=np.nan, dst_crs=UTM, resampling=Resampling.bilinear,
                dst_transform=stack.modalities[number].frame.region_transform(region),
            )  # fmt: skip
            valid = np.isfinite(expected)
            assert (found.valid[0, band] == valid).mean() > 0.999
            both = found.valid[0, band] & valid
            assert np.abs(found.pixels[0, band] - expected)[both].max() < 1.0  # of a swing of 300: an eighth of a pixel
    assert 0 < found.valid.mean() < 1


def open_bounds(path: Path) -> tuple[float, float, float, float]:
    with rasterio.open(path) as dataset:
        left, bottom, right, top = dataset.bounds
    return left, bottom, right, top


# ---- Other grids: ground positions -----------------------------------------------------------------------------------


def positions(transform: Affine, rows: int, cols: int) -> NDArray[np.float64]:
    """x and y of each pixel's centre in the raster's own CRS: what these rasters hold."""
    xs, ys = np.meshgrid(np.arange(cols) + 0.5, np.arange(rows) + 0.5)
    return np.stack(
        [transform.a * xs + transform.b * ys + transform.c, transform.d * xs + transform.e * ys + transform.f]
    )


TURNED = Affine.translation(400_000, 5_800_000) * Affine.rotation(25) * Affine.scale(10, -10)
PLACED: dict[str, tuple[str, Affine]] = {
    "north-up": (UTM, NORTH_UP),
    "degrees": ("EPSG:4326", Affine(1.4e-4, 0, 14.2, 0, -0.9e-4, 52.0)),
    "degrees at 70 north": ("EPSG:4326", Affine(2.6e-4, 0, 24.2, 0, -0.9e-4, 70.0)),
    "US survey feet": ("EPSG:2264", Affine(30, 0, 1_500_000, 0, -30, 600_000)),
    "south-up": (UTM, Affine(10, 0, 400_000, 0, 10, 5_800_000)),
    "mirrored": (UTM, Affine(-10, 0, 400_000, 0, -10, 5_800_000)),
    "turned": (UTM, TURNED),
    "sheared": (UTM, Affine(10, 3, 400_000, 1, -10, 5_800_000)),
    "sinusoidal": ("ESRI:54008", Affine(10, 0, 900_000, 0, -10, 5_500_000)),
}


@pytest.mark.parametrize("kind", PLACED)
def test_fault_02_pixels_lie_where_they_are_on_the_ground(make_raster: MakeRaster, kind: str) -> None:
    crs, transform = PLACED[kind]
    held = positions(transform, 60, 60)
    origin = held.mean(axis=(1, 2), keepdims=True)
    # As differences from the middle, so that float32 holds them exactly enough.
    path = make_raster(values=(held - origin).astype(np.float32), crs=crs, transform=transform)
    stack = open_stack([f"{path}:as=custom"])
    found = whole(stack)
    region = pixel_region(stack, stack.cells, 0)
    frame = stack.modalities[0].frame
    x, y = positions(frame.region_transform(region), *region.shape)
    own = pyproj.Transformer.from_crs(stack.lattice.crs, crs, always_xy=True).transform(x, y)
    inner = found.valid[0].all(axis=0)
    # Beyond the outermost centres bilinear reading repeats the edge: keep what lies between centres.
    cols, rows = ~transform * (np.asarray(own[0]), np.asarray(own[1]))
    inner &= (cols > 1) & (cols < 59) & (rows > 1) & (rows < 59)
    assert inner.sum() > 2000
    pixel = math.sqrt(abs(transform.determinant))
    for axis in range(2):
        error = np.abs(found.pixels[0, axis] + origin[axis, 0, 0] - own[axis])[inner]
        assert error.max() < 0.15 * pixel  # GDAL's own tolerance is an eighth


def test_fault_03_ground_control_points_place_a_raster(make_raster: MakeRaster) -> None:
    held = positions(NORTH_UP, 60, 60)
    origin = held.mean(axis=(1, 2), keepdims=True)
    corners = [(row, col) for row in (0, 30, 60) for col in (0, 30, 60)]
    points = [GroundControlPoint(row, col, *(NORTH_UP * (col, row))) for row, col in corners]
    path = make_raster(values=(held - origin).astype(np.float32), gcps=points)
    stack = open_stack([f"{path}:as=custom"])
    found = whole(stack)
    x, y = positions(
        stack.modalities[0].frame.region_transform(pixel_region(stack, stack.cells, 0)), *found.inside.shape
    )
    inner = found.valid[0].all(axis=0)
    inner[:2], inner[-2:], inner[:, :2], inner[:, -2:] = False, False, False, False
    assert inner.sum() > 2000
    assert np.abs(found.pixels[0, 0] + origin[0, 0, 0] - x)[inner].max() < 1.5  # m; a pixel has 10
    assert np.abs(found.pixels[0, 1] + origin[1, 0, 0] - y)[inner].max() < 1.5


@pytest.mark.parametrize("flip", ["south-up", "mirrored"])
def test_turned_round_rasters_give_the_very_pixels_of_north_up_ones(make_raster: MakeRaster, flip: str) -> None:
    values = speckled()
    straight = open_stack([make_raster("s2.tif", values, names=S2, nodata=0)])
    if flip == "south-up":
        other = make_raster("flipped_s2.tif", values[:, ::-1], names=S2, nodata=0,
                            transform=Affine(10, 0, 400_000, 0, 10, 5_799_400))  # fmt: skip
    else:
        other = make_raster("flipped_s2.tif", values[:, :, ::-1], names=S2, nodata=0,
                            transform=Affine(-10, 0, 400_500, 0, -10, 5_800_000))  # fmt: skip
    turned = open_stack([other])
    assert turned.cells == straight.cells
    found, expected = whole(turned), whole(straight)
    assert np.array_equal(found.valid, expected.valid)
    assert np.allclose(found.pixels * found.valid, expected.pixels * expected.valid, atol=1e-3)


def test_a_warped_part_tells_its_own_outside_from_its_gaps(make_raster: MakeRaster) -> None:
    values = smooth(60, 60)
    values[:, 20:40, 20:40] = np.nan
    stack = open_stack([make_raster("measured.tif", values, transform=TURNED)])
    found = whole(stack)
    gaps = found.inside & ~found.valid[0, 0]
    assert gaps.sum() == pytest.approx(400, abs=85)
    assert found.inside.sum() == pytest.approx(3600, rel=0.03)
    assert not (found.valid[0, 0] & ~found.inside).any()


def test_a_finer_raster_in_another_crs_is_averaged_and_not_picked(make_raster: MakeRaster) -> None:
    noise = np.random.default_rng(0).normal(0, 1, (1, 400, 400)).astype(np.float32)
    noise[0, 200:] = np.nan  # the south
    path = make_raster("measured.tif", noise, crs="EPSG:3035", transform=Affine(10, 0, 4.5e6, 0, -10, 3.2e6))
    source = open_source(path)[0]
    left, _, _, top = rasterio.warp.transform_bounds("EPSG:3035", UTM, *source.bounds.as_tuple())
    frame = Frame(UTM, Affine(80, 0, left, 0, -80, top))
    with StackReader(open_stack([path])) as reader:
        found = reader.region([[source]], frame, Region(15, 15, 20, 20))
    assert found.inside.all()
    x, y = positions(frame.region_transform(Region(15, 15, 20, 20)), 20, 20)
    _, own = pyproj.Transformer.from_crs(UTM, "EPSG:3035", always_xy=True).transform(x, y)
    sure = np.abs(own - 3_198_000) > 45  # m from the edge of the gap; a frame pixel has 80
    assert np.array_equal(found.valid[0, 0][sure], own[sure] > 3_198_000)
    assert found.pixels[found.valid].std() == pytest.approx(1 / 8, rel=0.3)  # of 64 pixels


# ---- Regions ---------------------------------------------------------------------------------------------------------

PIECES = [Region(200, 150, 40, 40), Region(150, 100, 120, 200), Region(0, 0, 300, 600), Region(-9, -5, 250, 171)]


@pytest.mark.parametrize("shrink", [1, 2.3, 7])
@pytest.mark.parametrize("gaps", [False, True])
def test_a_warped_pixel_is_the_same_in_whatever_region_it_is_read(
    make_raster: MakeRaster, shrink: float, gaps: bool
) -> None:
    size = 1e-4 / shrink
    values = np.random.default_rng(0).normal(0, 1000, (2, 420, 701)).astype(np.float32)
    if gaps:
        values[0, 100:130, 200:260] = np.nan
    path = make_raster("measured.tif", values, crs="EPSG:4326", transform=Affine(size, 0, 14.2, 0, -size, 52.0))
    source = open_source(path)[0]
    left, _, _, top = rasterio.warp.transform_bounds("EPSG:4326", UTM, *source.bounds.as_tuple())
    frame = Frame(UTM, Affine(8, 0, left, 0, -8, top))
    pieces = [Region(*(round(item / shrink) for item in dataclasses.astuple(piece))) for piece in PIECES]
    with StackReader(open_stack([path])) as reader:
        full = reader.region([[source]], frame, Region(-20, -20, 700, 1000))
        parts = [reader.region([[source]], frame, piece) for piece in pieces]
    assert full.valid.any()
    for piece, part in zip(pieces, parts, strict=True):
        rows = slice(piece.row + 20, piece.row + 20 + piece.rows)
        cols = slice(piece.col + 20, piece.col + 20 + piece.cols)
        assert part.valid.mean() > 0.2
        assert np.array_equal(part.pixels, full.pixels[..., rows, cols])
        assert np.array_equal(part.valid, full.valid[..., rows, cols])
        assert np.array_equal(part.inside, full.inside[rows, cols])


@pytest.mark.parametrize(("shrink", "tolerance"), [(1, 0.5), (4, 6.0), (7, 6.0)])
def test_warped_pixels_are_rasterios_over_the_whole_raster(
    make_raster: MakeRaster, shrink: int, tolerance: float
) -> None:
    size = 1e-4 / shrink
    ys, xs = np.mgrid[: 90 * shrink, : 120 * shrink] / shrink
    values = (np.sin(xs / 9) * 100 + np.cos(ys / 7) * 50)[None].astype(np.float32)
    path = make_raster("measured.tif", values, crs="EPSG:4326", transform=Affine(size, 0, 14.2, 0, -size, 52.0))
    source = open_source(path)[0]
    left, _, _, top = rasterio.warp.transform_bounds("EPSG:4326", UTM, *source.bounds.as_tuple())
    frame, region = Frame(UTM, Affine(8, 0, left, 0, -8, top)), Region(0, 0, 130, 110)
    with StackReader(open_stack([path])) as reader:
        found = reader.region([[source]], frame, region)
    expected = np.full(region.shape, np.nan, np.float32)
    rasterio.warp.reproject(
        values[0], expected, src_transform=source.transform, src_crs=source.crs, src_nodata=np.nan, dst_nodata=np.nan,
        dst_crs=UTM, dst_transform=frame.transform, tolerance=0,
        resampling=Resampling.bilinear if shrink == 1 else Resampling.average, XSCALE=shrink, YSCALE=shrink,
    )  # fmt: skip
    both = found.valid[0, 0] & np.isfinite(expected)
    assert both.sum() > 0.97 * found.valid.sum() > 5000
    assert np.abs(found.pixels[0, 0] - expected)[both].max() < tolerance  # of a swing of 300


# ---- Threads and failures --------------------------------------------------------------------------------------------


def test_threads_read_the_same_with_handles_of_their_own(plain: tuple[Path, Stack]) -> None:
    _, stack = plain
    cells = [CellRange(stack.cells.row + row, stack.cells.col, 4, 10) for row in range(16)]
    with StackReader(stack) as reader:
        alone = [reader.window(stack.modalities[0], item, 8).pixels for item in cells]
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(lambda item: reader.window(stack.modalities[0], item, 8).pixels, cells))
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))


def test_a_mosaic_of_many_tiles_keeps_few_files_open_and_opens_only_those_it_needs(
    make_raster: MakeRaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = speckled(8, 8)
    tiles = [
        make_raster(
            f"s2_{number}_20210601.tif", values, names=S2, transform=NORTH_UP * Affine.translation(8 * number, 0)
        )
        for number in range(9)
    ]
    stack = open_stack(tiles, cell_size=10)
    opened: list[str] = []
    opening = read.open_dataset
    monkeypatch.setattr(read, "open_dataset", lambda source: (opened.append(source.name), opening(source))[1])
    monkeypatch.setattr(read, "_OPEN_FILES", 3)
    with StackReader(stack) as reader:
        one = CellRange(stack.cells.row, stack.cells.col + 25, 4, 4)
        reader.window(stack.modalities[0], one, 0)
        assert opened == ["s2_3_20210601.tif"]
        found = reader.window(stack.modalities[0], stack.cells, 0)
        assert len(reader._opened) == 3
    assert np.array_equal(found.pixels[0], np.tile(values, 9))


def test_tiles_to_be_warped_are_opened_only_where_they_lie(
    make_raster: MakeRaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_raster("measured.tif", smooth(60, 60), transform=TURNED)
    source = open_source(path)[0]
    with StackReader(open_stack([path])) as reader:
        monkeypatch.setattr(read, "open_dataset", lambda _: pytest.fail("opened"))
        found = reader.region([[source]], Frame(UTM, NORTH_UP), Region(500, 500, 20, 20))
    assert not found.inside.any()


def test_closing_a_reader_closes_every_threads_files(plain: tuple[Path, Stack]) -> None:
    _, stack = plain
    reader = StackReader(stack)
    barrier = threading.Barrier(3)

    def work(_: int) -> None:
        barrier.wait()
        reader.window(stack.modalities[0], stack.cells, 0)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    handles: list[Any] = list(reader._opened.values())
    assert len(handles) == 3
    reader.close()
    assert all(handle.closed for handle in handles)
    assert whole(stack).pixels.any()  # and another reader is not disturbed


def test_fault_01_a_damaged_block_is_one_sentence_with_the_files_name(make_raster: MakeRaster) -> None:
    noise = np.random.default_rng(0).integers(1, 3000, (4, 256, 256)).astype(np.uint16)
    path = make_raster("s2.tif", noise, names=S2, tiled=True, blockxsize=64, blockysize=64, compress="deflate")
    stack = open_stack([path])
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 60_000] = b"\xff" * 60_000  # more than a block, so that one loses its head
    path.write_bytes(data)
    with pytest.raises(
        InputError, match=r"^s2\.tif is damaged \(block \d across, \d down.*\); copy or download it again\.$"
    ):
        whole(stack)


# ---- Many windows ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("cell_size", [20, 45, 90])
def test_windows_read_in_rows_are_those_read_alone(place: tuple[Path, ...], cell_size: float, threads: int) -> None:
    stack = open_stack(place, cell_size=cell_size)
    ranges = [
        CellRange(stack.cells.row + row, stack.cells.col + col, rows, 7)
        for row, rows in ((-3, 9), (4, 9), (4, 5))
        for col in (-4, 1, 5, 40, 3)  # overlapping, touching, apart, and backwards
    ]
    with StackReader(stack) as reader:
        found = list(reader.windows(ranges, 3, threads=threads))
        assert len(found) == len(ranges)
        for window, cells in zip(found, ranges, strict=True):
            for modality in stack.modalities:
                alone, mine = reader.window(modality, cells, 3), window[modality.name]
                for field in dataclasses.fields(PixelWindow):
                    assert np.array_equal(getattr(mine, field.name), getattr(alone, field.name)), field.name


def test_a_row_of_windows_is_read_once_and_memory_is_bounded(
    plain: tuple[Path, Stack], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, stack = plain
    read_regions: list[Any] = []
    window = StackReader.window
    monkeypatch.setattr(StackReader, "window", lambda *given: (read_regions.append(given[2]), window(*given))[1])
    ranges = [
        CellRange(stack.cells.row + row, stack.cells.col + col, 4, 4) for row in (0, 3) for col in range(0, 12, 3)
    ]
    with StackReader(stack) as reader:
        list(reader.windows(ranges))
        assert [part.shape for part in read_regions] == [(4, 13), (4, 13)]
        monkeypatch.setattr(read, "_ROW_CELLS", 30)
        read_regions.clear()
        list(reader.windows(ranges))
        assert [part.shape for part in read_regions] == [(4, 7)] * 4


def test_an_error_of_a_window_arrives_and_no_reading_thread_is_left(
    plain: tuple[Path, Stack], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, stack = plain

    def fail(*_: Any) -> Any:
        raise InputError("s2.tif is damaged; copy it again.")

    monkeypatch.setattr(StackReader, "window", fail)
    with StackReader(stack) as reader, pytest.raises(InputError, match="damaged"):
        list(reader.windows([stack.cells], threads=3))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("gfm-read")]
