"""Which pixels lie in a cell, against counting them one by one, and frames against rasterio's windows."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import rasterio
import rasterio.windows
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from rasterio.windows import Window

from gfm_core.grid import CellRange, Lattice
from gfm_core.raster.frame import Frame, Placement, Region, apply_affine, patches
from gfm_core.raster.source import Source, open_source
from tests.conftest import NORTH_UP, write_raster

UTM = "EPSG:32633"

# Multiples of 1/8 m keep every number exact, so that counting and formula can be compared without tolerance.
eighths = st.integers(1, 400).map(lambda number: number / 8)
phases = st.integers(-4000, 4000).map(lambda number: number / 8)
addresses = st.integers(-500, 500)
ranges = st.builds(CellRange, addresses, addresses, st.integers(1, 12), st.integers(1, 12))


def counted(left: float, right: float, origin: float, size: float) -> list[int]:
    """Pixels with their centre in `[left, right)`, else the one that covers the middle, found one by one."""
    near = range(math.floor((left - origin) / size) - 2, math.ceil((right - origin) / size) + 3)
    inside = [number for number in near if left <= origin + (number + 0.5) * size < right]
    middle = (left + right) / 2
    covering = [number for number in near if origin + number * size <= middle < origin + (number + 1) * size]
    return inside or covering


@given(cell=eighths, pixel=eighths, phase=phases, origin=phases, cells=ranges)
def test_a_cell_takes_the_pixels_whose_centres_lie_in_it_or_the_one_under_its_centre(
    cell: float, pixel: float, phase: float, origin: float, cells: CellRange
) -> None:
    frame = Frame(UTM, Affine(pixel, 0, origin, 0, -pixel, -origin))
    found = patches(frame, Lattice(UTM, cell, phase, -phase), cells)
    for number in range(cells.cols):
        left = phase + (cells.col + number) * cell
        taken = counted(left, left + cell, origin, pixel)
        assert list(range(*found.cols[number])) == taken
        centre = origin + (taken[0] + taken[-1] + 1) / 2 * pixel
        assert found.offset_cols[number] == pytest.approx((centre - left - cell / 2) / cell, abs=1e-6)
    for number in range(cells.rows):
        down = phase + (cells.row + number) * cell  # southwards from the origin, both turned round
        taken = counted(down, down + cell, origin, pixel)
        assert list(range(*found.rows[number])) == taken
        centre = origin + (taken[0] + taken[-1] + 1) / 2 * pixel
        assert found.offset_rows[number] == pytest.approx((centre - down - cell / 2) / cell, abs=1e-6)


@given(cell=eighths, pixel=eighths, phase=phases, origin=phases)
def test_pixels_not_coarser_than_cells_belong_to_exactly_one(
    cell: float, pixel: float, phase: float, origin: float
) -> None:
    pixel = min(pixel, cell)
    found = patches(
        Frame(UTM, Affine(pixel, 0, origin, 0, -pixel, origin)), Lattice(UTM, cell, phase), CellRange(0, 0, 1, 40)
    )
    taken = [number for first, stop in found.cols for number in range(first, stop)]
    assert taken == list(range(taken[0], taken[0] + len(taken)))


@pytest.mark.parametrize(("pixel", "expected"), [(20.0, [[0, 1], [1, 2]]), (40.0, [[0, 1], [0, 1]])])
def test_half_rounds_up_to_the_pixel_after_and_not_to_even(pixel: float, expected: list[list[int]]) -> None:
    # Cells from 10 m on: with 20 m pixels, centres lie on cell edges (10, 30); with 40 m ones, cells share a pixel.
    found = patches(Frame(UTM, Affine(pixel, 0, 0, 0, -pixel, 0)), Lattice(UTM, 20.0, 10.0), CellRange(0, 0, 1, 2))
    assert found.cols.tolist() == expected or pixel == 40.0
    shifted = patches(Frame(UTM, Affine(40.0, 0, 0, 0, -40.0, 0)), Lattice(UTM, 20.0, -10.0), CellRange(0, 0, 1, 6))
    # Centres 0, 20, 40, 60, ...: 0, 40 and 80 are pixel edges and belong to the pixel that begins there.
    assert shifted.cols[:, 0].tolist() == [0, 0, 1, 1, 2, 2]


@given(ranges, st.sampled_from([0.3, 1.0, 7.0, 10.0, 30.1, 463.3127]))
def test_a_cell_has_the_same_pixels_and_offset_bits_in_every_range(cells: CellRange, pixel: float) -> None:
    frame, lattice = Frame(UTM, Affine(pixel, 0, 400_003.7, 0, -pixel, 5_800_001.1)), Lattice(UTM, 20.0, 3.7, 1.1)
    whole = patches(frame, lattice, CellRange(cells.row - 5, cells.col - 7, cells.rows + 9, cells.cols + 11))
    part = patches(frame, lattice, cells)
    rows, cols = slice(5, 5 + cells.rows), slice(7, 7 + cells.cols)
    assert np.array_equal(part.rows, whole.rows[rows])
    assert np.array_equal(part.cols, whole.cols[cols])
    assert part.offset_rows.tobytes() == whole.offset_rows[rows].tobytes()
    assert part.offset_cols.tobytes() == whole.offset_cols[cols].tobytes()


def test_the_region_of_patches_is_just_around_them_and_their_margin() -> None:
    frame = Frame(UTM, NORTH_UP)
    found = patches(frame, Lattice(UTM, 20.0), CellRange(-290_010, 20_000, 3, 4))
    # x from 400 000 m, 4 x 20 m; y from 5 800 200 m down, 3 x 20 m.
    assert found.region(0) == Region(row=-20, col=0, rows=6, cols=8)
    assert found.region(5) == Region(row=-25, col=-5, rows=16, cols=18)


def test_a_regions_transform_is_that_of_rasterios_window() -> None:
    turned = NORTH_UP * Affine.rotation(20)
    expected = rasterio.windows.transform(Window(col_off=7, row_off=-3, width=4, height=5), turned)
    assert Frame(UTM, turned).region_transform(Region(-3, 7, 5, 4)).almost_equals(expected)


def test_an_affine_at_many_points_is_the_affine_at_each() -> None:
    turned = NORTH_UP * Affine.rotation(20)
    xs, ys = np.meshgrid(np.arange(4.0), np.arange(3.0))
    found = apply_affine(turned, xs, ys)
    expected = np.array([[turned * (x, y) for x in range(4)] for y in range(3)])
    assert np.allclose(np.stack(found, -1), expected, rtol=0, atol=1e-6)


# ---- Placement -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def any_source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    return open_source(write_raster(tmp_path_factory.mktemp("frame") / "any.tif", np.zeros((1, 8, 12), np.uint8)))[0]


@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        (NORTH_UP, Placement(0, 0, 1)),
        (NORTH_UP * Affine.translation(5, -3), Placement(3, -5, 1)),
        (NORTH_UP * Affine.translation(5 + 1e-5, -3), Placement(3, -5, 1)),  # noise of a text format
        (NORTH_UP * Affine.translation(-4, -4) * Affine.scale(2), Placement(2, 2, 2)),
        (NORTH_UP * Affine.translation(0.5, 0), None),  # another phase
        (NORTH_UP * Affine.translation(-1, 0) * Affine.scale(2), None),
        (NORTH_UP * Affine.scale(0.5), None),  # coarser than the frame: not a plain read
        (NORTH_UP * Affine.scale(1.5), None),
        (NORTH_UP * Affine.scale(1, -1), None),
        (NORTH_UP * Affine.rotation(1), None),
    ],
)
def test_a_source_is_read_plainly_only_where_its_pixels_are_the_frames(
    any_source: Source, transform: Affine, expected: Placement | None
) -> None:
    assert Frame(any_source.crs, transform).placement(any_source) == expected


def test_a_source_in_another_crs_is_never_read_plainly(any_source: Source) -> None:
    assert Frame("EPSG:32634", any_source.transform).placement(any_source) is None


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(1, 9), st.integers(1, 9))
def test_a_footprint_is_rasterios_window_of_the_bounds(
    any_source: Source, row: int, col: int, rows: int, cols: int
) -> None:
    place = NORTH_UP * Affine.translation(col, row)
    source = dataclasses.replace(any_source, transform=place, height=rows, width=cols)
    expected = rasterio.windows.from_bounds(*source.bounds.as_tuple(), NORTH_UP)
    found = Frame(UTM, NORTH_UP).footprint(source)
    assert (found.row, found.col, found.rows, found.cols) == (
        round(expected.row_off), round(expected.col_off), round(expected.height), round(expected.width),
    )  # fmt: skip
