"""Latents of overlapping windows → one value a cell, the same whatever the order in which windows arrive.

Along each axis a cell lies in at most two windows. Neighbours in a row are added first, then rows: each sum has two
terms, and a + b is b + a, so the order cannot change a bit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gfm_core.grid import CORE, HALO, WINDOW, CellRange, Tile, WindowIndex, blend_weights

_SHARED = 2 * HALO  # cells along an axis that two neighbours share


@dataclass(frozen=True, slots=True)
class WindowPart:
    """What a window gave for `cells`, all or some of its own: `latents [rows, cols, D]`, `present [rows, cols]`."""

    window: WindowIndex
    cells: CellRange
    latents: NDArray[np.float32]
    present: NDArray[np.bool_]

    def cut(self, *, south: bool) -> WindowPart:
        """The cells shared with the window to the south, or to the east; a copy, so that the rest can go."""
        rows, cols = (slice(CORE, None), slice(None)) if south else (slice(None), slice(CORE, None))
        cells = self.cells
        kept = (
            CellRange(cells.row + CORE, cells.col, _SHARED, cells.cols)
            if south
            else CellRange(cells.row, cells.col + CORE, cells.rows, _SHARED)
        )
        return WindowPart(self.window, kept, self.latents[rows, cols].copy(), self.present[rows, cols].copy())


def blended(cells: CellRange, parts: Iterable[WindowPart], dim: int) -> NDArray[np.float32]:
    """Values `[D, rows, cols]` of `cells` from the windows that cover them, NaN where none tells of a cell."""
    weights = blend_weights()
    totals = np.zeros((2, *cells.shape, dim), np.float32)  # of windows in even and in odd rows
    known = np.zeros(cells.shape, np.bool_)
    for part in parts:
        shared = part.cells.intersection(cells)
        if shared is None:
            continue
        inner, outer = shared.slices_in(part.cells), shared.slices_in(cells)
        there = part.present[inner]
        first = shared.col - part.window.cells.col
        along = weights[first : first + shared.cols, None]
        # where, not a product alone: an absent cell may hold anything.
        totals[(part.window.row % 2, *outer)] += np.where(there[..., None], part.latents[inner], np.float32(0)) * along
        known[outer] |= there
    down = _row_weights(cells, weights)[:, :, None, None]
    found = totals[0] * down[0]
    found += totals[1] * down[1]
    found[~known] = np.nan
    return np.moveaxis(found, -1, 0)


def _row_weights(cells: CellRange, weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """`[2, rows]`: how much the window in an even and in an odd row counts in each row of cells."""
    rows = np.arange(cells.row, cells.stop[0])
    found = np.zeros((2, cells.rows), np.float32)
    for back in (0, 1):  # the last window that covers a row, and the one before it
        window = (rows + HALO) // CORE - back
        inside = rows + HALO - window * CORE
        covers = inside < WINDOW
        found[window[covers] % 2, np.flatnonzero(covers)] = weights[inside[covers]]
    return found


class Seams:
    """Keeps of the tiles that have come what the pieces of later ones need: the last cells of their windows."""

    def __init__(self) -> None:
        self._south: dict[tuple[int, int], list[WindowPart]] = {}
        self._east: dict[tuple[int, int], list[WindowPart]] = {}

    def parts_for(self, tile: Tile, own: list[WindowPart]) -> list[WindowPart]:
        """All that covers the piece of `tile`, from its `own` windows and from those before it."""
        north = [(tile.row - 1, tile.col + step) for step in (-1, 0)]
        west = (tile.row, tile.col - 1)
        return [*own, *(part for place in north for part in self._south.get(place, ())), *self._east.get(west, ())]

    def keep(self, tile: Tile, own: list[WindowPart]) -> None:
        """Remember the seams of a tile; tiles come row by row, so that older ones can be forgotten."""
        last_row, last_col = tile.side * (tile.row + 1) - 1, tile.side * (tile.col + 1) - 1
        self._south[tile.row, tile.col] = [part.cut(south=True) for part in own if part.window.row == last_row]
        self._east = {
            (tile.row, tile.col): [part.cut(south=False) for part in own if part.window.col == last_col]
        }  # fmt: skip
        for place in [place for place in self._south if place[0] < tile.row - 1 or place < (tile.row - 1, tile.col)]:
            del self._south[place]
