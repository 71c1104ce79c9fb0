"""Maps of classes that lie in the training folders: what cells are called there. Targets only, never inputs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePath

import numpy as np
import torch
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.windows import Window
from torch import Tensor

from gfm_core.bands import BandKind
from gfm_core.grid import Bounds, CellRange, Lattice
from gfm_core.raster.frame import apply_affine
from gfm_core.raster.ground import same_crs, transform_bounds, transformer
from gfm_core.raster.source import Source, open_dataset, unreadable
from gfm_core.raster.validity import read_with_validity

NO_CLASS = -1

_POINTS = 4  # along a side of a cell: each is looked up in the map
_LEAST_SHARE = 0.5  # of a cell's points that must have a class
_KEPT = 80_000_000  # pixels of a map that is kept in memory, 4 bytes each; larger ones are read as they are asked for
_DATE = re.compile(r"[-_ ]?\d[\d-]*")


def is_map(source: Source) -> bool:
    """Whether a source names classes instead of measuring anything."""
    return all(band.kind is BandKind.MAP for band in source.bands)


def maps_over(ground: Bounds, crs: str, sources: Iterable[Source]) -> tuple[MapLayer, ...]:
    """The maps among `sources` that share ground with a place; `ground` is in `crs`."""
    return tuple(
        MapLayer(source)
        for source in sources
        if is_map(source) and ground.intersection(transform_bounds(source.bounds, source.crs, crs)) is not None
    )


class MapLayer:
    """One map. `name` is that of its file and band without dates: maps of one name share their classes."""

    def __init__(self, source: Source) -> None:
        self.source = source
        stem = _DATE.sub("", PurePath(source.name.split(" [")[0]).stem.lower())
        self.name = f"{stem}: {source.bands[0].name}"
        self._whole: NDArray[np.int32] | None = None

    def load(self) -> None:
        """Keep the map in memory if it is not too large."""
        if self.source.width * self.source.height <= _KEPT:
            self._whole = self._read(Window(0, 0, self.source.width, self.source.height))

    def classes(self, lattice: Lattice, cells: CellRange) -> NDArray[np.int64]:
        """The most frequent class `[rows, cols]` of each cell (the lowest of equal ones), -1 if most of it has none."""
        found = self._at(*_points(lattice, cells))
        found = found.reshape(cells.rows, _POINTS, cells.cols, _POINTS).transpose(0, 2, 1, 3)
        found = found.reshape(cells.rows, cells.cols, -1)
        codes = np.unique(found[found != NO_CLASS])
        if not codes.size:
            return np.full(cells.shape, NO_CLASS, np.int64)
        counts = (found[..., None] == codes).sum(axis=2)
        enough = counts.sum(axis=-1) >= _LEAST_SHARE * _POINTS**2
        return np.where(enough, codes[counts.argmax(axis=-1)], NO_CLASS).astype(np.int64)

    def _at(self, xs: NDArray[np.float64], ys: NDArray[np.float64], crs: str) -> NDArray[np.int32]:
        """The class of the pixel that holds each point; -1 outside."""
        source = self.source
        if not same_crs(crs, source.crs):
            xs, ys = transformer(crs, source.crs).transform(xs, ys)
        cols, rows = (np.floor(item) for item in apply_affine(~source.transform, xs, ys))
        inside = (cols >= 0) & (cols < source.width) & (rows >= 0) & (rows < source.height)  # False for infinity
        found = np.full(xs.shape, NO_CLASS, np.int32)
        if inside.any():
            row, col = rows[inside].astype(np.int64), cols[inside].astype(np.int64)
            found[inside] = self._pixels(row, col)
        return found

    def _pixels(self, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> NDArray[np.int32]:
        if self._whole is not None:
            return self._whole[rows, cols]
        top, left = int(rows.min()), int(cols.min())
        around = Window(left, top, int(cols.max()) - left + 1, int(rows.max()) - top + 1)
        return self._read(around)[rows - top, cols - left]

    def _read(self, window: Window) -> NDArray[np.int32]:
        try:
            with open_dataset(self.source) as dataset:
                pixels, valid = read_with_validity(dataset, self.source, window, (0,))
        except RasterioError as error:
            raise unreadable(self.source.name, error) from error
        return np.where(valid[0], pixels[0], NO_CLASS).astype(np.int32)


def map_classes(layers: Sequence[MapLayer], lattice: Lattice, windows: Sequence[CellRange]) -> dict[str, Tensor]:
    """Class codes `[windows * n * n]` int64 by map; where several maps share a name, the first that has a class."""
    found: dict[str, NDArray[np.int64]] = {}
    for layer in layers:
        codes = np.concatenate([layer.classes(lattice, cells).ravel() for cells in windows])
        before = found.get(layer.name)
        found[layer.name] = codes if before is None else np.where(before == NO_CLASS, codes, before)
    return {name: torch.from_numpy(codes) for name, codes in found.items()}


def _points(lattice: Lattice, cells: CellRange) -> tuple[NDArray[np.float64], NDArray[np.float64], str]:
    """Points spread evenly over each cell, row by row, in the lattice's CRS."""
    ground = lattice.bounds(cells)
    step = lattice.cell_size / _POINTS
    across = ground.left + (np.arange(cells.cols * _POINTS) + 0.5) * step
    down = ground.top - (np.arange(cells.rows * _POINTS) + 0.5) * step
    xs, ys = np.meshgrid(across, down)
    return xs, ys, lattice.crs
