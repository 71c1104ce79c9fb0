"""Frames: endless pixel grids that sources are read on, and which of their pixels lie in a cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from gfm_core.grid import CellRange, Lattice
from gfm_core.raster.ground import same_crs
from gfm_core.raster.source import Source

_ALIGNED = 1e-3  # pixels: grids this near to each other are the same grid
_ON_EDGE = 1e-6  # pixels: a centre this near to a cell's edge is on it


def apply_affine(
    transform: Affine, xs: NDArray[np.float64], ys: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`transform` at many points, `xs` and `ys` of one shape."""
    return (
        np.asarray(transform.a * xs + transform.b * ys + transform.c, np.float64),
        np.asarray(transform.d * xs + transform.e * ys + transform.f, np.float64),
    )


@dataclass(frozen=True, slots=True)
class Region:
    """Pixels `[row, row + rows) x [col, col + cols)` of a frame, by the frame's own addresses."""

    row: int
    col: int
    rows: int
    cols: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, columns."""
        return self.rows, self.cols

    def grown(self, margin: int) -> Region:
        """The region with `margin` more pixels on each side."""
        return Region(self.row - margin, self.col - margin, self.rows + 2 * margin, self.cols + 2 * margin)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a source lies on a frame that it fits exactly: frame pixel (row, col) is its own first pixel.

    `factor` source pixels, squared, make one frame pixel.
    """

    row: int
    col: int
    factor: int


@dataclass(frozen=True, slots=True)
class Frame:
    """An endless pixel grid: `transform` leads from (column, row) to coordinates of `crs` (WKT)."""

    crs: str
    transform: Affine

    def region_transform(self, region: Region) -> Affine:
        """Affine transform of an array that holds `region`."""
        return self.transform * Affine.translation(region.col, region.row)

    def placement(self, source: Source) -> Placement | None:
        """How `source` is read plainly on this frame, or None where it must be warped."""
        if not same_crs(self.crs, source.crs):
            return None
        own = ~self.transform * source.transform  # source pixels → frame pixels
        factor = round(1 / own.a) if own.a > 0 else 0
        if factor < 1 or not _is_scaling(own, 1 / factor, max(source.shape)):
            return None
        row, col = round(own.f), round(own.c)
        aligned = abs(own.f - row) < _ALIGNED and abs(own.c - col) < _ALIGNED
        return Placement(row, col, factor) if aligned else None

    def footprint(self, source: Source) -> Region:
        """The frame's pixels around `source` when both share a CRS and axes; whole pixels only."""
        own = ~self.transform * source.transform
        corners = [own * (col, row) for col in (0, source.width) for row in (0, source.height)]
        cols, rows = [col for col, _ in corners], [row for _, row in corners]
        row, col = round(min(rows)), round(min(cols))
        return Region(row, col, max(round(max(rows)) - row, 1), max(round(max(cols)) - col, 1))


def _is_scaling(affine: Affine, factor: float, length: int) -> bool:
    """Whether `affine` only scales by `factor`: over `length` pixels it drifts by less than a tenth of one."""
    drift = max(abs(affine.a - factor), abs(affine.e - factor), abs(affine.b), abs(affine.d))
    return drift * length < 0.1 * factor


@dataclass(frozen=True, slots=True)
class Patches:
    """Which pixels of a frame lie in each cell of a range, rows and columns apart.

    `rows [n_r, 2]` and `cols [n_c, 2]` are first and stop addresses; `offset_rows [n_r]` and `offset_cols [n_c]` tell
    how far a patch's centre lies from its cell's, in cells, southwards and eastwards.
    """

    rows: NDArray[np.int64]
    cols: NDArray[np.int64]
    offset_rows: NDArray[np.float32]
    offset_cols: NDArray[np.float32]

    def region(self, margin: int) -> Region:
        """The frame's pixels under all cells and `margin` more on each side."""
        row, col = int(self.rows.min()), int(self.cols.min())
        return Region(row, col, int(self.rows.max()) - row, int(self.cols.max()) - col).grown(margin)


def patches(frame: Frame, lattice: Lattice, cells: CellRange) -> Patches:
    """The patches of `cells` on a north-up frame in the lattice's CRS.

    Finer than the cell: the pixels whose centres lie in it. Coarser: the one pixel that covers the cell's centre.
    """
    y_edges, x_edges = lattice.edges(cells)
    rows, offset_rows = _along((frame.transform.f - y_edges) / -frame.transform.e)
    cols, offset_cols = _along((x_edges - frame.transform.c) / frame.transform.a)
    return Patches(rows, cols, offset_rows, offset_cols)


def _along(edges: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """One axis: cell `edges [n + 1]` in pixels from the frame's origin → ranges `[n, 2]` and offsets `[n]` in cells."""
    first = np.ceil(edges - 0.5 - _ON_EDGE).astype(np.int64)
    start, stop = first[:-1], first[1:]
    centre = (edges[:-1] + edges[1:]) / 2
    covering = np.floor(centre + _ON_EDGE).astype(np.int64)
    empty = stop <= start
    start, stop = np.where(empty, covering, start), np.where(empty, covering + 1, stop)
    offset = ((start + stop) / 2 - centre) / np.diff(edges)
    return np.stack([start, stop], axis=1), offset.astype(np.float32)
