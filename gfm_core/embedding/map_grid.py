"""The grid of a map, and the features of its pixels: `fine` read per pixel, cell groups interpolated."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Protocol

import numpy as np
import torch
from affine import Affine
from numpy.typing import NDArray
from pyproj import Geod

from gfm_core.bands import Band
from gfm_core.embedding.file import EmbeddingFile
from gfm_core.features.groups import Column, pixel_columns, statistic_columns
from gfm_core.grid import Bounds, CellRange, Lattice, bounds_of
from gfm_core.model.statistics import derive, margin_pixels
from gfm_core.raster.frame import Frame, Region, apply_affine
from gfm_core.raster.ground import same_crs, transform_bounds, transformer
from gfm_core.raster.normalise import normalise
from gfm_core.raster.read import StackReader
from gfm_core.raster.resample import bilinear
from gfm_core.raster.stack import PIXELS_ALONG_CELL, Modality, Stack, every_source, finest_cells

_FINE_MARGIN = 4  # pixels: half of the widest window of `fine`
_POINTS = 2**17  # at once, of which map pixels are the mean: bounds memory where these are coarse

_Interpolate = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float32]]


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
        return bounds_of(self.transform, self.shape)

    def tiles(self, rows: int, cols: int) -> Iterator[Region]:
        """The map cut into pieces of `rows` x `cols` pixels, row by row, by position in the map's array."""
        height, width = self.shape
        for row in range(0, height, rows):
            for col in range(0, width, cols):
                yield Region(row, col, min(rows, height - row), min(cols, width - col))

    def centres(self, part: Region, crs: str, *, side: int = 1) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Coordinates `x, y [h, w]` in `crs` of the pixel centres of `part` (by position in the map's array).

        Or of the centres of `side` x `side` equal parts of each pixel: `[h * side, w * side]`.
        """
        cols, rows = np.meshgrid(
            self.region.col + part.col + (np.arange(part.cols * side) + 0.5) / side,
            self.region.row + part.row + (np.arange(part.rows * side) + 0.5) / side,
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


def map_grid(stack: Stack, *, map_gsd: float | None) -> MapGrid:
    """The finest source's own pixels (also in degrees or rotated), or square ones of `map_gsd` metres on the lattice.

    Of a stack that was cut to an extent, the map covers the cells' ground and not the whole footprint.
    """
    own = _finest_pixels(stack)
    if map_gsd is None:
        return own
    lattice = Lattice(stack.lattice.crs, map_gsd, stack.lattice.phase_x, stack.lattice.phase_y)
    covered = lattice.covering(transform_bounds(own.bounds, own.frame.crs, lattice.crs))
    frame = Frame(lattice.crs, lattice.transform(CellRange(0, 0, 1, 1)))
    return MapGrid(frame, Region(covered.row, covered.col, covered.rows, covered.cols))


def _finest_pixels(stack: Stack) -> MapGrid:
    """The pixels of all sources of the finest modality on the grid of the first, or only those around the cells."""
    finest = stack.finest
    frame = Frame(finest.crs, finest.transform)
    footprint, whole = _footprint(stack, frame), finest_cells(stack)
    if stack.cells == whole:
        return MapGrid(frame, footprint)
    around = _region_around(frame, stack.lattice.bounds(stack.cells), stack.lattice.crs)
    if stack.cells.intersection(whole) != stack.cells:  # the union of all rasters: more ground than the finest has
        return MapGrid(frame, around)
    return MapGrid(frame, _shared(around, footprint))


def _footprint(stack: Stack, frame: Frame) -> Region:
    """The frame's pixels around all sources of the finest modality that share its CRS."""
    parts = [frame.footprint(source) for source in every_source(stack.modalities[0]) if same_crs(source.crs, frame.crs)]
    row, col = min(part.row for part in parts), min(part.col for part in parts)
    stop_row, stop_col = max(part.row + part.rows for part in parts), max(part.col + part.cols for part in parts)
    return Region(row, col, stop_row - row, stop_col - col)


def _shared(first: Region, other: Region) -> Region:
    """The pixels of `first` that `other` holds too, one at least."""
    row, col = max(first.row, other.row), max(first.col, other.col)
    stop_row, stop_col = (
        min(first.row + first.rows, other.row + other.rows),
        min(first.col + first.cols, other.col + other.cols),
    )
    return Region(row, col, max(stop_row - row, 1), max(stop_col - col, 1))


def _region_around(frame: Frame, bounds: Bounds, crs: str) -> Region:
    """The frame's whole pixels around `bounds`."""
    box = transform_bounds(bounds, crs, frame.crs)
    corners = [~frame.transform * (x, y) for x in (box.left, box.right) for y in (box.bottom, box.top)]
    cols, rows = [col for col, _ in corners], [row for _, row in corners]
    row, col = int(np.floor(min(rows) + 1e-6)), int(np.floor(min(cols) + 1e-6))
    stop_row, stop_col = int(np.ceil(max(rows) - 1e-6)), int(np.ceil(max(cols) - 1e-6))
    return Region(row, col, max(stop_row - row, 1), max(stop_col - col, 1))


Chosen = tuple[NDArray[np.int64], NDArray[np.int64]]  # rows and columns of single pixels in a part


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

    def read_at(self, part: Region, chosen: Chosen) -> dict[str, NDArray[np.float32]]:
        """Groups of the `chosen` pixels of `part` alone, `[columns, n]`: what `read` gives there, sooner."""
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

    def read_at(self, part: Region, chosen: Chosen) -> dict[str, NDArray[np.float32]]:
        """Groups of some pixels, `[columns, n]`."""
        return {group: values[:, chosen[0], chosen[1]] for group, values in self.read(part).items()}


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
        return self._read(part, None)

    def read_at(self, part: Region, chosen: Chosen) -> dict[str, NDArray[np.float32]]:
        """Groups of some pixels, `[columns, n]`: only these are interpolated."""
        return {group: values[:, 0] for group, values in self._read(part, chosen).items()}

    def _read(self, part: Region, chosen: Chosen | None) -> dict[str, NDArray[np.float32]]:
        """Groups `[columns, h, w]`, or `[columns, 1, n]` of the chosen pixels."""
        found: dict[str, NDArray[np.float32]] = {}
        for group in self.columns:
            if group == "fine":
                parts = [self._fine(item, part, chosen) for item in self.reader.stack.modalities]
                found[group] = np.concatenate(parts)
            elif self.embedding is not None:
                interpolate = partial(_interpolated_cells, self.embedding, group)
                side = self._side(self.embedding.lattice.cell_size)
                found[group] = self._at_pixels(part, interpolate, side, chosen)
        return found

    def _fine(self, modality: Modality, part: Region, chosen: Chosen | None) -> NDArray[np.float32]:
        """`fine` of one modality: statistics of its own pixels, whatever the map's are.

        Taken as they are where its pixels are the map's, else interpolated between them or averaged over them.
        """
        first = modality.sources[0][0]
        place = self.grid.frame.placement(first)
        if place is not None and place.factor == 1:
            region = Region(self.grid.region.row + part.row, self.grid.region.col + part.col, part.rows, part.cols)
            return _picked(self._columns(modality, self.grid.frame, region, gsd=first.gsd), chosen)
        along = self._side(modality.frame.transform.a)
        shrink = 2 ** math.ceil(math.log2(along / PIXELS_ALONG_CELL)) if along > PIXELS_ALONG_CELL else 1
        frame = Frame(modality.frame.crs, modality.frame.transform * Affine.scale(shrink))
        interpolate = partial(self._interpolated, modality, frame, modality.gsd * shrink)
        return self._at_pixels(part, interpolate, max(round(along / shrink), 1), chosen)

    def _side(self, size: float) -> int:
        """How many pixels of `size` metres lie along one of the map's, at least 1."""
        if not same_crs(self.grid.frame.crs, self.reader.stack.lattice.crs):
            return 1  # only the finest source's own pixels can lie in another CRS
        return max(round(math.sqrt(abs(self.grid.frame.transform.determinant)) / size), 1)

    def _at_pixels(
        self, part: Region, interpolate: _Interpolate, side: int, chosen: Chosen | None = None
    ) -> NDArray[np.float32]:
        """The mean of what `interpolate` gives at `side` x `side` points in each map pixel, `[columns, h, w]`.

        Or `[columns, 1, n]` of chosen pixels.

        A pixel where less than half of them are known is a gap. A part with many points is read in halves.
        """
        side = min(side, PIXELS_ALONG_CELL)
        if chosen is not None and side == 1:
            x, y = self.grid.centres(part, self.reader.stack.lattice.crs)
            return interpolate(x[chosen][None], y[chosen][None])
        if chosen is not None:
            return _picked(self._at_pixels(part, interpolate, side), chosen)
        if part.rows * part.cols * side**2 > _POINTS and part.rows * part.cols > 1:
            axis = 1 if part.rows > part.cols else 2
            return np.concatenate([self._at_pixels(half, interpolate, side) for half in _halves(part)], axis=axis)
        values = interpolate(*self.grid.centres(part, self.reader.stack.lattice.crs, side=side))
        if side == 1:
            return values
        blocks = values.reshape(len(values), part.rows, side, part.cols, side)
        known = np.isfinite(blocks)
        count = known.sum(axis=(2, 4))
        total = np.where(known, blocks, 0).sum(axis=(2, 4), dtype=np.float64)
        return np.where(2 * count >= side**2, total / np.maximum(count, 1), np.nan).astype(np.float32)

    def _interpolated(
        self, modality: Modality, frame: Frame, gsd: float, x: NDArray[np.float64], y: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """`fine` of one modality on `frame`, bilinear at points in the lattice's CRS."""
        cols, rows = apply_affine(~frame.transform, x, y)
        row, col = int(np.floor(rows.min() - 0.5)), int(np.floor(cols.min() - 0.5))
        height, width = int(np.ceil(rows.max() + 0.5)) - row + 1, int(np.ceil(cols.max() + 0.5)) - col + 1
        values = self._columns(modality, frame, Region(row, col, height, width), gsd=gsd)
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


def _picked(values: NDArray[np.float32], chosen: Chosen | None) -> NDArray[np.float32]:
    """All of `[columns, h, w]`, or the chosen pixels as `[columns, 1, n]`."""
    return values if chosen is None else values[:, chosen[0], chosen[1]][:, None]


def _halves(part: Region) -> tuple[Region, Region]:
    """`part` cut across its longer side."""
    if part.rows > part.cols:
        first = part.rows // 2
        return replace(part, rows=first), replace(part, row=part.row + first, rows=part.rows - first)
    first = part.cols // 2
    return replace(part, cols=first), replace(part, col=part.col + first, cols=part.cols - first)


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
