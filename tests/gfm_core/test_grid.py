"""The lattice, its windows and tiles: absolute addresses, checked against rasterio."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio.transform
import rasterio.windows
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gfm_core.errors import NoOverlapError
from gfm_core.grid import (
    CORE,
    HALO,
    WINDOW,
    Bounds,
    CellRange,
    Lattice,
    Tile,
    WindowIndex,
    blend_weights,
    cut,
    tiles_with_pieces,
    window_span,
    windows,
)

UTM = "EPSG:32633"

addresses = st.integers(-10_000, 10_000)
ranges = st.builds(CellRange, addresses, addresses, st.integers(1, 70), st.integers(1, 70))
lattices = st.builds(
    Lattice,
    st.just(UTM),
    st.sampled_from([0.2, 1.0, 7.3, 20.0, 57.0, 926.625]),
    st.floats(0, 1000),
    st.floats(0, 1000),
)


def cells_of(window: WindowIndex) -> set[tuple[int, int]]:
    cells = window.cells
    return {(row, col) for row in range(cells.row, cells.stop[0]) for col in range(cells.col, cells.stop[1])}


# ---- Cells -----------------------------------------------------------------------------------------------------------


@given(lattices, ranges)
def test_the_cells_that_cover_the_bounds_of_cells_are_those_cells(lattice: Lattice, cells: CellRange) -> None:
    assert lattice.covering(lattice.bounds(cells)) == cells


@given(lattices, ranges)
def test_bounds_and_transform_agree_with_rasterio(lattice: Lattice, cells: CellRange) -> None:
    expected = rasterio.transform.from_bounds(*lattice.bounds(cells).as_tuple(), cells.cols, cells.rows)
    assert tuple(lattice.transform(cells))[:6] == pytest.approx(tuple(expected)[:6], rel=1e-6)
    bounds = rasterio.transform.array_bounds(*cells.shape, lattice.transform(cells))
    assert lattice.bounds(cells).as_tuple() == pytest.approx(bounds, rel=1e-12, abs=1e-6)


@given(lattices, ranges)
def test_edges_agree_with_the_cell_centres_of_rasterio(lattice: Lattice, cells: CellRange) -> None:
    rows, cols = lattice.edges(cells)
    transform = lattice.transform(cells)
    _, y = rasterio.transform.xy(transform, np.arange(cells.rows), np.zeros(cells.rows))
    x, _ = rasterio.transform.xy(transform, np.zeros(cells.cols), np.arange(cells.cols))
    assert (rows[:-1] + rows[1:]) / 2 == pytest.approx(np.asarray(y), rel=1e-12, abs=1e-6)
    assert (cols[:-1] + cols[1:]) / 2 == pytest.approx(np.asarray(x), rel=1e-12, abs=1e-6)


@given(
    lattices, st.floats(-1e5, 1e5), st.floats(-1e5, 1e5), st.floats(0.01, 40), st.floats(0.01, 40)
)  # fmt: skip
def test_covering_cells_hold_the_bounds_and_no_row_or_column_more(
    lattice: Lattice, left: float, bottom: float, width: float, height: float
) -> None:
    size = lattice.cell_size
    wanted = Bounds(left, bottom, left + width * size, bottom + height * size)
    covered = lattice.bounds(lattice.covering(wanted))
    near = 1e-5 * size + 1e-9 * max(abs(left), abs(bottom))
    assert covered.left <= wanted.left + near < covered.left + size + 2 * near
    assert covered.right >= wanted.right - near > covered.right - size - 2 * near
    assert covered.bottom <= wanted.bottom + near < covered.bottom + size + 2 * near
    assert covered.top >= wanted.top - near > covered.top - size - 2 * near


@given(lattices, ranges, ranges)
def test_the_address_of_a_cell_does_not_depend_on_the_extent(
    lattice: Lattice, one: CellRange, other: CellRange
) -> None:
    """The edges of shared cells are the same floats, to the bit, whichever range they are read from."""
    other = CellRange(one.row + other.row % 50 - 25, one.col + other.col % 50 - 25, other.rows, other.cols)
    shared = one.intersection(other)
    assume(shared is not None)
    rows, cols = lattice.edges(shared)
    for cells in (one, other):
        row_slice, col_slice = shared.slices_in(cells)
        assert np.array_equal(lattice.edges(cells)[0][:-1][row_slice], rows[:-1])
        assert np.array_equal(lattice.edges(cells)[1][:-1][col_slice], cols[:-1])


@given(ranges, st.integers(-80, 80), st.integers(-80, 80), st.integers(1, 70), st.integers(1, 70))
def test_intersections_and_slices_agree_with_rasterio_windows(
    one: CellRange, row: int, col: int, rows: int, cols: int
) -> None:
    other = CellRange(one.row + row, one.col + col, rows, cols)
    as_windows = [rasterio.windows.Window(c.col, c.row, c.cols, c.rows) for c in (one, other)]
    shared = one.intersection(other)
    assert (shared is not None) == rasterio.windows.intersect(as_windows)
    if shared is not None:
        expected = rasterio.windows.intersection(as_windows)
        assert (shared.col, shared.row, shared.cols, shared.rows) == expected.flatten()
        numbers = np.arange(one.rows * one.cols).reshape(one.shape)
        assert numbers[shared.slices_in(one)].shape == shared.shape


def test_an_edge_that_misses_a_line_by_rounding_takes_no_extra_cell() -> None:
    lattice = Lattice(UTM, 0.3, phase_x=0.1)
    bounds = Bounds(0.1 + 0.3 * 7, -0.3 * 9, 0.1 + 0.3 * 12, -0.3 * 4)  # none of these are exact in binary
    assert lattice.covering(bounds) == CellRange(4, 7, 5, 5)


def test_bounds_smaller_than_a_cell_take_the_cell_they_lie_in() -> None:
    assert Lattice(UTM, 20.0).covering(Bounds(101, 55, 102, 56)) == CellRange(-3, 5, 1, 1)


def test_area_is_that_of_the_cells() -> None:
    assert Lattice(UTM, 20.0).area_km2(CellRange(0, 0, 50, 100)) == pytest.approx(2.0)


# ---- Bounds ----------------------------------------------------------------------------------------------------------


def test_bounds_that_only_share_an_edge_share_no_ground() -> None:
    assert Bounds(0, 0, 1, 1).intersection(Bounds(1, 0, 2, 1)) is None


def test_union_and_intersection_of_bounds() -> None:
    one, other = Bounds(0, 0, 4, 4), Bounds(2, -1, 6, 3)
    assert one.intersection(other) == Bounds(2, 0, 4, 3)
    assert one.union(other) == Bounds(0, -1, 6, 4)


# ---- Windows ---------------------------------------------------------------------------------------------------------


@given(ranges)
@settings(max_examples=40)
def test_windows_cover_every_cell_and_none_is_idle(cells: CellRange) -> None:
    wanted = {(row, col) for row in range(cells.row, cells.stop[0]) for col in range(cells.col, cells.stop[1])}
    taken = list(windows(cells))
    assert len(taken) == len(set(taken))
    assert wanted <= set().union(*(cells_of(window) for window in taken))
    assert all(cells_of(window) & wanted for window in taken)


@given(addresses, st.integers(1, 200))
def test_window_numbers_are_all_that_share_a_cell(start: int, count: int) -> None:
    near = range((start - 100) // CORE, (start + count + 100) // CORE)
    expected = [k for k in near if k * CORE - HALO < start + count and k * CORE - HALO + WINDOW > start]
    assert list(window_span(start, count)) == expected


@given(ranges)
@settings(max_examples=40)
def test_weights_sum_to_exactly_one_in_every_cell(cells: CellRange) -> None:
    weights = blend_weights()
    total = np.zeros(cells.shape, np.float32)
    for window in windows(cells):
        shared = window.cells.intersection(cells)
        assert shared is not None
        total[shared.slices_in(cells)] += np.outer(weights, weights)[shared.slices_in(window.cells)]
    assert np.array_equal(total, np.ones(cells.shape, np.float32))


def test_weights_are_a_straight_ramp_over_the_cells_that_neighbours_share() -> None:
    weights = blend_weights()
    assert weights.dtype == np.float32
    assert list(weights[: 2 * HALO]) == [0.125, 0.375, 0.625, 0.875]
    assert np.array_equal(weights, weights[::-1])
    assert (weights[2 * HALO : -2 * HALO] == 1).all()


@given(ranges, st.integers(0, 30), st.integers(0, 30), st.integers(1, 40), st.integers(1, 40))
def test_the_windows_of_a_part_are_windows_of_the_whole(
    whole: CellRange, row: int, col: int, rows: int, cols: int
) -> None:
    part = whole.intersection(CellRange(whole.row + row, whole.col + col, rows, cols))
    assume(part is not None)
    touching = [window for window in windows(whole) if window.cells.intersection(part)]
    assert list(windows(part)) == touching


# ---- Tiles -----------------------------------------------------------------------------------------------------------


@given(ranges, st.integers(1, 5))
@settings(max_examples=40)
def test_pieces_hold_each_cell_once_and_their_windows_lie_in_the_tile_or_before_it(cells: CellRange, side: int) -> None:
    tiles = tiles_with_pieces(cells, side)
    assert tiles == sorted(tiles, key=lambda tile: (tile.row, tile.col))
    held = np.zeros(cells.shape, int)
    for tile in tiles:
        wanted = tile.piece.intersection(cells)
        assert wanted is not None, "a tile without a cell would be read for nothing"
        held[wanted.slices_in(cells)] += 1
        nearby = [Tile(tile.row + down, tile.col + right, side) for down in (-1, 0) for right in (-1, 0)]
        found = [window for other in nearby for window in other.windows(wanted)]
        assert sorted(found, key=lambda window: (window.row, window.col)) == list(windows(wanted))
        for other in nearby:
            assert all(other.cells.intersection(window.cells) == window.cells for window in other.windows(wanted))
    assert (held == 1).all()


def test_a_tile_is_as_wide_as_its_windows_with_their_halo() -> None:
    tile = Tile(-1, 2, side=4)
    first, last = WindowIndex(-4, 8).cells, WindowIndex(-1, 11).cells
    assert (tile.cells.row, tile.cells.col) == (first.row, first.col)
    assert tile.cells.stop == last.stop


def test_cells_outside_the_whole_are_refused_by_name() -> None:
    whole = CellRange(0, 0, 10, 10)
    assert cut(whole, CellRange(5, 5, 10, 10), what="The extent") == CellRange(5, 5, 5, 5)
    with pytest.raises(NoOverlapError, match=r"^The extent does not touch the rasters; "):
        cut(whole, CellRange(10, 0, 5, 5), what="The extent")
