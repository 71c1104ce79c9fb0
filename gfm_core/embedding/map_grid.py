"""The grid of a map, and the features of its pixels: `fine` read per pixel, cell groups interpolated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from affine import Affine
from numpy.typing import NDArray
from pyproj import Geod

from gfm_core.bands import Band
from gfm_core.embedding.file import EmbeddingFile
from gfm_core.features.groups import Column, pixel_columns, statistic_columns
from gfm_core.grid import Bounds, CellRange, Lattice
from gfm_core.model.statistics import derive, margin_pixels
from gfm_core.raster.frame import Frame, Region, apply_affine
from gfm_core.raster.ground import same_crs, transform_bounds, transformer
from gfm_core.raster.normalise import normalise
from gfm_core.raster.read import StackReader
from gfm_core.raster.stack import Modality, Stack

_FINE_MARGIN = 4  # pixels: half of the widest window of `fine`


@dataclass(frozen=True, slots=True)
class MapGrid:
    """The pixels of a map: `region` of a frame."""

    frame: Frame
    region: Region

    @property
    def transform(self) -> Affine:
        """Affine transform of the map's array."""
        return self.frame.region_transform(self.region)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, columns."""
        return self.region.shape

    @property
    def bounds(self) -> Bounds:
        """The rectangle around the map in its own CRS."""
        height, width = self.shape
        corners = [self.transform * (col, row) for col in (0, width) for row in (0, height)]
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        return Bounds(min(xs), min(ys), max(xs), max(ys))

    def tiles(self, rows: int, cols: int) -> Iterator[Region]:
        """The map cut into pieces of `rows` x `cols` pixels, row by row, by position in the map's array."""
        height, width = self.shape
        for row in range(0, height, rows):
            for col in range(0, width, cols):
                yield Region(row, col, min(rows, height - row), min(cols, width - col))

    def centres(self, part: Region, crs: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Coordinates `x, y [h, w]` in `crs` of the pixel centres of `part` (by position in the map's array)."""
        cols, rows = np.meshgrid(
            self.region.col + part.col + np.arange(part.cols) + 0.5,
            self.region.row + part.row + np.arange(part.rows) + 0.5,
        )
        x, y = apply_affine(self.frame.transform, cols, rows)
        if not same_crs(self.frame.crs, crs):
            x, y = transformer(self.frame.crs, crs).transform(x, y)
        return np.asarray(x), np.asarray(y)

    @property
    def pixel_area_m2(self) -> float:
        """Ground under one pixel at the map's centre."""
        height, width = self.shape
        corner = [(width / 2 + dx, height / 2 + dy) for dx, dy in ((0, 0), (1, 0), (1, 1), (0, 1))]
        xs, ys = zip(*(self.transform * point for point in corner), strict=True)
        lon, lat = transformer(self.frame.crs, "EPSG:4326").transform(xs, ys)
        return abs(float(Geod(ellps="WGS84").polygon_area_perimeter(lon, lat)[0]))


def map_grid(stack: Stack, *, map_gsd: float | None, cut_to_cells: bool) -> MapGrid:
    """The finest source's own pixels (also in degrees or rotated), or square ones of `map_gsd` metres on the lattice.

    `cut_to_cells`: an extent was asked for, so the map covers the cells' ground and not the whole footprint.
    """
    own = _finest_pixels(stack, cut_to_cells=cut_to_cells)
    if map_gsd is None:
        return own
    lattice = Lattice(stack.lattice.crs, map_gsd, stack.lattice.phase_x, stack.lattice.phase_y)
    covered = lattice.covering(transform_bounds(own.bounds, own.frame.crs, lattice.crs))
    frame = Frame(lattice.crs, lattice.transform(CellRange(0, 0, 1, 1)))
    return MapGrid(frame, Region(covered.row, covered.col, covered.rows, covered.cols))


def _finest_pixels(stack: Stack, *, cut_to_cells: bool) -> MapGrid:
    """The pixels of all sources of the finest modality on the grid of the first, or only those around the cells."""
    finest = stack.finest
    frame = Frame(finest.crs, finest.transform)
    if cut_to_cells:
        return MapGrid(frame, _region_around(frame, stack.lattice.bounds(stack.cells), stack.lattice.crs))
    parts = [
        frame.footprint(source)
        for date in stack.modalities[0].sources
        for source in date
        if same_crs(source.crs, finest.crs)
    ]
    row, col = min(part.row for part in parts), min(part.col for part in parts)
    stop_row, stop_col = max(part.row + part.rows for part in parts), max(part.col + part.cols for part in parts)
    return MapGrid(frame, Region(row, col, stop_row - row, stop_col - col))


def _region_around(frame: Frame, bounds: Bounds, crs: str) -> Region:
    """The frame's whole pixels around `bounds`."""
    box = transform_bounds(bounds, crs, frame.crs)
    corners = [~frame.transform * (x, y) for x in (box.left, box.right) for y in (box.bottom, box.top)]
    cols, rows = [col for col, _ in corners], [row for _, row in corners]
    row, col = int(np.floor(min(rows) + 1e-6)), int(np.floor(min(cols) + 1e-6))
    stop_row, stop_col = int(np.ceil(max(rows) - 1e-6)), int(np.ceil(max(cols) - 1e-6))
    return Region(row, col, max(stop_row - row, 1), max(stop_col - col, 1))


class MapFeatures(Protocol):
    """The features of a map's pixels, a part of the map at a time."""

    @property
    def grid(self) -> MapGrid:
        """The map's pixels."""
        ...

    @property
    def columns(self) -> dict[str, tuple[Column, ...]]:
        """The columns of each group."""
        ...

    def read(self, part: Region) -> dict[str, NDArray[np.float32]]:
        """Groups as `[columns, h, w]`, NaN where absent."""
        ...


@dataclass(frozen=True)
class CellFeatures:
    """Features from an embedding file alone: the map has its cells."""

    embedding: EmbeddingFile
    groups: tuple[str, ...]

    @cached_property
    def grid(self) -> MapGrid:
        """One pixel a cell."""
        lattice, cells = self.embedding.lattice, self.embedding.cells
        frame = Frame(lattice.crs, lattice.transform(CellRange(0, 0, 1, 1)))
        return MapGrid(frame, Region(cells.row, cells.col, cells.rows, cells.cols))

    @cached_property
    def columns(self) -> dict[str, tuple[Column, ...]]:
        """The columns of each group."""
        return {group: self.embedding.columns_of(group) for group in self.groups}

    def read(self, part: Region) -> dict[str, NDArray[np.float32]]:
        """Groups as `[columns, h, w]`, NaN where absent."""
        cells = self.embedding.cells
        wanted = CellRange(cells.row + part.row, cells.col + part.col, part.rows, part.cols)
        return {group: self.embedding.read(group, wanted) for group in self.groups}


@dataclass(frozen=True)
class StackFeatures:
    """Features of a stack's map: `fine` from the rasters, the other groups from an embedding of the same stack."""

    reader: StackReader
    grid: MapGrid
    groups: tuple[str, ...]
    embedding: EmbeddingFile | None

    @cached_property
    def columns(self) -> dict[str, tuple[Column, ...]]:
        """The columns of each group."""
        told: dict[str, tuple[Column, ...]] = {}
        for group in self.groups:
            if group == "fine":
                parts = (
                    statistic_columns("fine", item.name, item.dates, derived_bands(item))
                    for item in self.reader.stack.modalities
                )
                told[group] = tuple(column for part in parts for column in part)
            elif self.embedding is not None:
                told[group] = self.embedding.columns_of(group)
        return told

    def read(self, part: Region) -> dict[str, NDArray[np.float32]]:
        """Groups as `[columns, h, w]`, NaN where absent."""
        found: dict[str, NDArray[np.float32]] = {}
        lattice = self.reader.stack.lattice
        x, y = self.grid.centres(part, lattice.crs)
        for group in self.columns:
            if group == "fine":
                every = [self._fine(item, part, x, y) for item in self.reader.stack.modalities]
                found[group] = np.concatenate(every)
            elif self.embedding is not None:
                found[group] = _interpolated_cells(self.embedding, group, x, y)
        return found

    def _fine(
        self, modality: Modality, part: Region, x: NDArray[np.float64], y: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """`fine` of one modality: on the map's own pixels where they are its pixels, else interpolated from them."""
        first = modality.sources[0][0]
        place = self.grid.frame.placement(first)
        if place is not None:
            region = Region(self.grid.region.row + part.row, self.grid.region.col + part.col, part.rows, part.cols)
            return self._columns(modality, self.grid.frame, region, gsd=first.gsd * place.factor)
        transform = modality.frame.transform
        cols, rows = apply_affine(~transform, x, y)
        row, col = int(np.floor(rows.min() - 0.5)), int(np.floor(cols.min() - 0.5))
        height, width = int(np.ceil(rows.max() + 0.5)) - row + 1, int(np.ceil(cols.max() + 0.5)) - col + 1
        values = self._columns(modality, modality.frame, Region(row, col, height, width), gsd=modality.gsd)
        return bilinear(values, rows - row - 0.5, cols - col - 0.5)

    def _columns(self, modality: Modality, frame: Frame, region: Region, *, gsd: float) -> NDArray[np.float32]:
        """`fine` of the pixels of `region`; `gsd` is that of the frame's pixels."""
        margin = margin_pixels(modality.bands, (2 * _FINE_MARGIN + 1,))
        content = self.reader.region(modality.sources, frame, region.grown(margin))
        pixels = normalise(content.pixels, content.valid, modality.normalisation, modality.bands)
        derived, valid, _ = derive(
            torch.from_numpy(pixels), torch.from_numpy(content.valid), modality.bands, gsd
        )  # fmt: skip
        return pixel_columns(derived.numpy(), valid.numpy(), margin)


def derived_bands(modality: Modality) -> tuple[Band, ...]:
    """The bands of a modality as the network and the groups see them: elevation as relief and slope."""
    nothing = torch.zeros((1, len(modality.bands), 1, 1))
    return derive(nothing, nothing > 0, modality.bands, modality.gsd)[2]


def _interpolated_cells(
    embedding: EmbeddingFile, group: str, x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.float32]:
    """A cell group at points in the lattice's CRS: bilinear between cell centres, absent where the own cell is."""
    lattice = embedding.lattice
    rows, cols = (lattice.phase_y - y) / lattice.cell_size, (x - lattice.phase_x) / lattice.cell_size
    row, col = int(np.floor(rows.min() - 0.5)), int(np.floor(cols.min() - 0.5))
    stop_row, stop_col = int(np.ceil(rows.max() + 0.5)) + 1, int(np.ceil(cols.max() + 0.5)) + 1
    values = embedding.read(group, CellRange(row, col, stop_row - row, stop_col - col))
    return bilinear(values, rows - row - 0.5, cols - col - 0.5)


def bilinear(values: NDArray[np.float32], rows: NDArray[np.float64], cols: NDArray[np.float64]) -> NDArray[np.float32]:
    """`values [C, H, W]` at fractional positions `rows`, `cols [h, w]` (0 = centre of the first pixel) → `[C, h, w]`.

    Gaps (NaN) leave the mean; a point whose nearest pixel is a gap is a gap.
    """
    height, width = values.shape[1:]
    top, left = np.floor(rows).astype(np.int64), np.floor(cols).astype(np.int64)
    down, right = (rows - top).astype(np.float32), (cols - left).astype(np.float32)
    known = np.isfinite(values)
    filled = np.where(known, values, np.float32(0))
    gaps = not known.all()
    total = np.zeros((len(values), *rows.shape), np.float32)
    weight = np.zeros_like(total) if gaps else None
    for step_row, share_row in ((0, 1 - down), (1, down)):
        at_row = np.clip(top + step_row, 0, height - 1)
        for step_col, share_col in ((0, 1 - right), (1, right)):
            at_col = np.clip(left + step_col, 0, width - 1)
            share = share_row * share_col
            total += filled[:, at_row, at_col] * share
            if weight is not None:
                weight += known[:, at_row, at_col] * share
    if weight is None:
        return total
    own_row, own_col = (np.floor(item + 0.5).astype(np.int64) for item in (rows, cols))  # half rounds up, not to even
    nearest = known[:, np.clip(own_row, 0, height - 1), np.clip(own_col, 0, width - 1)]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(nearest & (weight > 0), total / weight, np.float32(np.nan)).astype(np.float32)
