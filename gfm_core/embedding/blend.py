"""Latents of overlapping windows → one value a cell, the same whatever the order in which windows arrive.

Along each axis a cell lies in at most two windows. Neighbours in a row are added first, then rows: each sum has two
terms, and a + b is b + a, so the order cannot change a bit.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gfm_core.grid import CORE, HALO, WINDOW, CellRange, WindowIndex, blend_weights

_SHARED = 2 * HALO  # cells along an axis that two neighbours share


class Blender:
    """Collects the windows of `cells` row by row of windows and hands out finished rows of cells from the north."""

    def __init__(self, cells: CellRange, dim: int) -> None:
        self._cells, self._dim = cells, dim
        self._weights = blend_weights()
        self._strips: dict[int, tuple[NDArray[np.float32], NDArray[np.bool_]]] = {}
        self._carry = np.zeros((_SHARED, cells.cols, dim), np.float32)
        self._carry_present = np.zeros((_SHARED, cells.cols), np.bool_)

    def add(self, window: WindowIndex, latents: NDArray[np.float32], present: NDArray[np.bool_]) -> None:
        """`latents [16, 16, D]` of a window, and which of its cells are `present [16, 16]`."""
        shared = window.cells.intersection(CellRange(window.cells.row, self._cells.col, WINDOW, self._cells.cols))
        if shared is None:
            return
        strip, strip_present = self._strip(window.row)
        _, inner = shared.slices_in(window.cells)
        _, outer = shared.slices_in(CellRange(window.cells.row, self._cells.col, WINDOW, self._cells.cols))
        weighted = np.where(present[..., None], latents, np.float32(0)) * self._weights[None, :, None]
        strip[:, outer] += weighted[:, inner]
        strip_present[:, outer] |= present[:, inner]

    def finish(self, window_row: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Close a row of windows: yields (row in `cells`, values `[D, rows, cols]` with NaN where absent)."""
        strip, present = self._strips.pop(window_row, self._empty())
        weighted = strip * self._weights[:, None, None]
        top = self._carry + weighted[:_SHARED]
        carried = self._carry_present
        self._carry, self._carry_present = weighted[CORE:].copy(), present[CORE:].copy()  # a view would keep it all
        done = np.concatenate([top, weighted[_SHARED:CORE]])
        done_present = np.concatenate([carried | present[:_SHARED], present[_SHARED:CORE]])
        done[~done_present] = np.nan
        rows = CellRange(window_row * CORE - HALO, self._cells.col, CORE, self._cells.cols)
        wanted = rows.intersection(self._cells)
        if wanted is not None:
            inner, _ = wanted.slices_in(rows)
            yield wanted.row - self._cells.row, np.moveaxis(done[inner], -1, 0)

    def _strip(self, window_row: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        if window_row not in self._strips:
            self._strips[window_row] = self._empty()
        return self._strips[window_row]

    def _empty(self) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        shape = (WINDOW, self._cells.cols)
        return np.zeros((*shape, self._dim), np.float32), np.zeros(shape, np.bool_)
