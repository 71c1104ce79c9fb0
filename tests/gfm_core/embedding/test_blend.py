"""Overlapping windows: smooth, order-free, and exact where nothing changes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gfm_core.embedding import blend
from gfm_core.embedding.blend import Seams, WindowPart
from gfm_core.grid import HALO, WINDOW, CellRange, WindowIndex, tiles_with_pieces, windows

ranges = st.builds(CellRange, st.integers(-30, 30), st.integers(-30, 30), st.integers(1, 40), st.integers(1, 40))
EVERYWHERE = np.ones((WINDOW, WINDOW), bool)


def blended(
    cells: CellRange,
    latents: dict[WindowIndex, NDArray[np.float32]],
    present: dict[WindowIndex, NDArray[np.bool_]] | None = None,
    order: Iterable[WindowIndex] | None = None,
) -> NDArray[np.float32]:
    """All windows blended at once: `[D, rows, cols]`."""
    parts = [
        WindowPart(window, window.cells, latents[window], EVERYWHERE if present is None else present[window])
        for window in (latents if order is None else order)
    ]
    return blend.blended(cells, parts, next(iter(latents.values())).shape[-1])


def noise(cells: CellRange, dim: int = 3, seed: int = 0) -> dict[WindowIndex, NDArray[np.float32]]:
    generator = np.random.default_rng(seed)
    return {window: generator.normal(size=(WINDOW, WINDOW, dim)).astype(np.float32) for window in windows(cells)}


@given(ranges)
@settings(max_examples=40)
def test_weights_sum_to_one_at_every_cell_so_that_a_constant_stays_one(cells: CellRange) -> None:
    ones = {window: np.full((WINDOW, WINDOW, 2), [1.0, -4.0], np.float32) for window in windows(cells)}
    found = blended(cells, ones)
    assert (found[0] == 1).all()
    assert (found[1] == -4).all()
    thirds = {window: np.full((WINDOW, WINDOW, 1), 1 / 3, np.float32) for window in windows(cells)}
    assert np.allclose(blended(cells, thirds), 1 / 3, rtol=3e-7)


@given(ranges, st.randoms(use_true_random=False))
@settings(max_examples=25)
def test_the_order_of_windows_changes_no_bit(cells: CellRange, random: object) -> None:
    latents = noise(cells)
    order = list(latents)
    random.shuffle(order)  # type: ignore[attr-defined]
    assert blended(cells, latents, order=order).tobytes() == blended(cells, latents).tobytes()


@given(ranges, st.integers(0, 10), st.integers(0, 10))
@settings(max_examples=25)
def test_a_part_has_the_very_bits_of_the_whole(cells: CellRange, down: int, right: int) -> None:
    latents = noise(cells)
    rows, cols = max(1, cells.rows - down), max(1, cells.cols - right)
    part = CellRange(cells.stop[0] - rows, cells.stop[1] - cols, rows, cols)
    mine = {window: latents[window] for window in windows(part)}
    whole = blended(cells, latents)
    assert blended(part, mine).tobytes() == np.ascontiguousarray(whole[(slice(None), *part.slices_in(cells))]).tobytes()


def test_every_cell_is_the_weighted_mean_of_the_windows_that_cover_it() -> None:
    cells = CellRange(-7, 5, 33, 29)
    latents = noise(cells)
    along = np.minimum(1, (np.arange(WINDOW) + 0.5) / (2 * HALO))
    weights = np.minimum(along, along[::-1])  # linear over the four cells that neighbours share
    total, weight = np.zeros((*cells.shape, 3)), np.zeros(cells.shape)
    for window, values in latents.items():
        for row in range(WINDOW):
            for col in range(WINDOW):
                at = (window.cells.row + row - cells.row, window.cells.col + col - cells.col)
                if 0 <= at[0] < cells.rows and 0 <= at[1] < cells.cols:
                    total[at] += weights[row] * weights[col] * values[row, col]
                    weight[at] += weights[row] * weights[col]
    assert np.allclose(weight, 1)
    assert np.allclose(np.moveaxis(blended(cells, latents), 0, -1), total, atol=1e-5)


def test_absent_cells_are_gaps_and_dim_no_neighbour() -> None:
    cells = CellRange(0, 0, 30, 30)
    there = np.random.default_rng(1).random(cells.shape) > 0.3
    latents, present = {}, {}
    for window in windows(cells):
        mask = np.zeros((WINDOW, WINDOW), bool)
        shared = window.cells.intersection(cells)
        assert shared is not None
        mask[shared.slices_in(window.cells)] = there[shared.slices_in(cells)]
        present[window] = mask
        latents[window] = np.where(mask[..., None], np.float32(2), np.float32(np.nan))
    found = blended(cells, latents, present)[0]
    assert np.array_equal(np.isnan(found), ~there)
    assert (found[there] == 2).all()


def test_a_window_that_never_came_is_a_gap() -> None:
    cells = CellRange(0, 0, 12, 36)
    latents = noise(cells)
    kept = {window: values for window, values in latents.items() if window.col in (-1, 0)}
    found = blended(cells, kept)
    assert np.isfinite(found[:, :, :14]).all()
    assert np.isnan(found[:, :, 14:]).all()


@given(ranges, st.integers(1, 3))
@settings(max_examples=25)
def test_pieces_from_seams_are_the_very_cells_of_the_whole(cells: CellRange, side: int) -> None:
    latents = noise(cells)
    whole, seams, found = blended(cells, latents), Seams(), np.full((3, *cells.shape), np.nan, np.float32)
    for tile in tiles_with_pieces(cells, side):
        own = [WindowPart(window, window.cells, latents[window], EVERYWHERE) for window in tile.windows(cells)]
        wanted = tile.piece.intersection(cells)
        assert wanted is not None
        covering = seams.parts_for(tile, own)
        if tile.row * side <= min(window.row for window in latents) and tile.col * side <= min(w.col for w in latents):
            assert covering == own  # nothing lies before the first tile
        # Windows before the first tile of a row or column come from tiles without a piece here.
        before = [
            WindowPart(window, window.cells, latents[window], EVERYWHERE)
            for window in windows(wanted)
            if window not in {part.window for part in covering}
        ]
        found[(slice(None), *wanted.slices_in(cells))] = blend.blended(wanted, [*covering, *before], 3)
        seams.keep(tile, own)
    assert found.tobytes() == np.ascontiguousarray(whole).tobytes()
