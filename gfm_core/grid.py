"""Cells on the lattice, and the windows and tiles that cover them. No files, no tensors.

Cell edges lie at `phase + k * cell_size` from the CRS's origin, so cells, windows and tiles have *absolute* integer
addresses that do not depend on the extent asked for. Rows count southwards: the top edge of row `k` is at
`phase_y - k * cell_size`, the left edge of column `k` at `phase_x + k * cell_size`.

    core     12 x 12 cells whose place in the output a window owns
    window   the core and 2 cells of halo on each side, 16 x 16: one forward pass
    tile     `TILE_WINDOWS` x `TILE_WINDOWS` neighbouring windows that are read together
    piece    the cells that are finished, seen from the north-west, with a tile: it lies 2 cells north and west of the
             tile's cores, for these still wait for the next windows
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from gfm_core.errors import NoOverlapError

CORE = 12
HALO = 2
WINDOW = CORE + 2 * HALO
TILE_WINDOWS = 8

_SNAP = 1e-6  # cells: edges this near to a lattice line are on it


@dataclass(frozen=True, slots=True)
class Bounds:
    """A rectangle in CRS units."""

    left: float
    bottom: float
    right: float
    top: float

    def intersection(self, other: Bounds) -> Bounds | None:
        """The shared rectangle, or None if there is none with an area."""
        shared = Bounds(
            max(self.left, other.left),
            max(self.bottom, other.bottom),
            min(self.right, other.right),
            min(self.top, other.top),
        )
        return shared if shared.left < shared.right and shared.bottom < shared.top else None

    def union(self, other: Bounds) -> Bounds:
        """The smallest rectangle around both."""
        return Bounds(
            min(self.left, other.left),
            min(self.bottom, other.bottom),
            max(self.right, other.right),
            max(self.top, other.top),
        )

    def as_tuple(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top: the order of rasterio and shapely."""
        return self.left, self.bottom, self.right, self.top


def bounds_of(transform: Affine, shape: tuple[int, int]) -> Bounds:
    """Outer edges of an array of `shape` (rows, columns); of a turned one, the rectangle around it."""
    corners = [transform * (col, row) for col in (0, shape[1]) for row in (0, shape[0])]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return Bounds(min(xs), min(ys), max(xs), max(ys))


@dataclass(frozen=True, slots=True)
class CellRange:
    """Cells `[row, row + rows) x [col, col + cols)` by absolute lattice address."""

    row: int
    col: int
    rows: int
    cols: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, columns."""
        return self.rows, self.cols

    @property
    def stop(self) -> tuple[int, int]:
        """First row and column behind the range."""
        return self.row + self.rows, self.col + self.cols

    def intersection(self, other: CellRange) -> CellRange | None:
        """The cells in both, or None."""
        row, col = max(self.row, other.row), max(self.col, other.col)
        rows, cols = min(self.stop[0], other.stop[0]) - row, min(self.stop[1], other.stop[1]) - col
        return CellRange(row, col, rows, cols) if rows > 0 and cols > 0 else None

    def slices_in(self, outer: CellRange) -> tuple[slice, slice]:
        """Where this range lies in an array that holds `outer`."""
        row, col = self.row - outer.row, self.col - outer.col
        return slice(row, row + self.rows), slice(col, col + self.cols)


@dataclass(frozen=True, slots=True)
class Lattice:
    """The endless grid of cells: `cell_size` and phases in CRS units (metres), `crs` as WKT."""

    crs: str
    cell_size: float
    phase_x: float = 0.0
    phase_y: float = 0.0

    def covering(self, bounds: Bounds) -> CellRange:
        """The cells that `bounds` touches with an area, widened to whole cells."""
        left = math.floor((bounds.left - self.phase_x) / self.cell_size + _SNAP)
        right = math.ceil((bounds.right - self.phase_x) / self.cell_size - _SNAP)
        top = math.floor((self.phase_y - bounds.top) / self.cell_size + _SNAP)
        bottom = math.ceil((self.phase_y - bounds.bottom) / self.cell_size - _SNAP)
        return CellRange(top, left, max(bottom - top, 1), max(right - left, 1))

    def bounds(self, cells: CellRange) -> Bounds:
        """Outer edges of `cells`."""
        stop_row, stop_col = cells.stop
        return Bounds(
            self.phase_x + cells.col * self.cell_size,
            self.phase_y - stop_row * self.cell_size,
            self.phase_x + stop_col * self.cell_size,
            self.phase_y - cells.row * self.cell_size,
        )

    def edges(self, cells: CellRange) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Edges of the rows (`[rows + 1]`, y, falling) and of the columns (`[cols + 1]`, x, rising)."""
        row_numbers = np.arange(cells.row, cells.stop[0] + 1, dtype=np.float64)
        col_numbers = np.arange(cells.col, cells.stop[1] + 1, dtype=np.float64)
        return self.phase_y - row_numbers * self.cell_size, self.phase_x + col_numbers * self.cell_size

    def transform(self, cells: CellRange) -> Affine:
        """Affine transform of an array that holds `cells`."""
        bounds = self.bounds(cells)
        return Affine(self.cell_size, 0.0, bounds.left, 0.0, -self.cell_size, bounds.top)

    def area_km2(self, cells: CellRange) -> float:
        """Ground that `cells` cover, in the CRS's own metres."""
        return cells.rows * cells.cols * self.cell_size**2 / 1e6


@dataclass(frozen=True, slots=True)
class WindowIndex:
    """Absolute address of a window: its core starts at cell (12 * row, 12 * col)."""

    row: int
    col: int

    @property
    def cells(self) -> CellRange:
        """The 16 x 16 cells of the forward pass."""
        return CellRange(self.row * CORE - HALO, self.col * CORE - HALO, WINDOW, WINDOW)


@dataclass(frozen=True, slots=True)
class Tile:
    """`side` x `side` windows read together; tile (row, col) starts at window (side * row, side * col)."""

    row: int
    col: int
    side: int = TILE_WINDOWS

    @property
    def cells(self) -> CellRange:
        """All cells of the tile's windows, halo included."""
        length = self.side * CORE + 2 * HALO
        return CellRange(self.row * self.side * CORE - HALO, self.col * self.side * CORE - HALO, length, length)

    @property
    def piece(self) -> CellRange:
        """The cells that need no window behind this tile; pieces of neighbouring tiles meet and do not overlap."""
        length = self.side * CORE
        return CellRange(self.row * length - HALO, self.col * length - HALO, length, length)

    def windows(self, wanted: CellRange) -> list[WindowIndex]:
        """The tile's windows that share a cell with `wanted`, row by row."""
        rows, cols = window_span(wanted.row, wanted.rows), window_span(wanted.col, wanted.cols)
        first_row, first_col = self.row * self.side, self.col * self.side
        return [
            WindowIndex(row, col)
            for row in range(max(rows.start, first_row), min(rows.stop, first_row + self.side))
            for col in range(max(cols.start, first_col), min(cols.stop, first_col + self.side))
        ]


def window_span(start: int, count: int) -> range:
    """Numbers of the windows (along one axis) that share a cell with `[start, start + count)`."""
    first = math.floor((start - (CORE + HALO)) / CORE) + 1
    last = math.floor((start + count - 1 + HALO) / CORE)
    return range(first, last + 1)


def windows(cells: CellRange) -> Iterator[WindowIndex]:
    """Every window that shares a cell with `cells`, row by row."""
    for row in window_span(cells.row, cells.rows):
        for col in window_span(cells.col, cells.cols):
            yield WindowIndex(row, col)


def tiles_with_pieces(cells: CellRange, side: int = TILE_WINDOWS) -> list[Tile]:
    """The tiles whose pieces share a cell with `cells`, row by row."""
    length = side * CORE
    rows = range((cells.row + HALO) // length, (cells.stop[0] - 1 + HALO) // length + 1)
    cols = range((cells.col + HALO) // length, (cells.stop[1] - 1 + HALO) // length + 1)
    return [Tile(row, col, side) for row in rows for col in cols]


def blend_weights() -> NDArray[np.float32]:
    """Weight of a window's 16 rows (or columns): linear over the 4 cells that neighbours share, 1 between.

    The weights of two neighbours sum to exactly one (multiples of 1/8), so a constant stays constant.
    """
    overlap = 2 * HALO
    rise = (np.arange(overlap, dtype=np.float32) + 0.5) / overlap
    return np.concatenate([rise, np.ones(WINDOW - 2 * overlap, np.float32), rise[::-1]]).astype(np.float32)


def cut(whole: CellRange, wanted: CellRange, *, what: str) -> CellRange:
    """`wanted` cut to `whole`; raises `NoOverlapError` naming `what` if nothing is left."""
    shared = whole.intersection(wanted)
    if shared is None:
        raise NoOverlapError(f"{what} does not touch the rasters; give an extent in the grid's CRS that overlaps them.")
    return shared
