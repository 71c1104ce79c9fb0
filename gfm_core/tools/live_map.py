"""An embedding that is asked again and again while labels are made: what the answers need stays in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from gfm_core.embedding.derived import DerivedFeatures
from gfm_core.embedding.file import EmbeddingFile, open_embedding
from gfm_core.embedding.map_grid import CellFeatures, Chosen, MapGrid
from gfm_core.errors import ParameterError
from gfm_core.features.groups import Column
from gfm_core.grid import CellRange
from gfm_core.heads.fuse import FusedHead
from gfm_core.heads.suggest import disagreement
from gfm_core.parameters import ClassifyParameters
from gfm_core.raster.extent import requested_bounds
from gfm_core.raster.frame import Region
from gfm_core.tools.map_inputs import Features, MapInputs, from_embedding

_MOST_REMEMBERED = 50_000  # labelled cells
_ROWS = 32_768  # cells painted at once


class RememberedCells:
    """`CellFeatures` that keep the single cells they were asked for: a click costs one read, and later ones none."""

    def __init__(self, cells: CellFeatures) -> None:
        self._cells = cells
        self._known: dict[int, NDArray[np.float32]] = {}  # all groups of a cell in one vector

    @property
    def grid(self) -> MapGrid:
        """One pixel a cell."""
        return self._cells.grid

    @property
    def columns(self) -> dict[str, tuple[Column, ...]]:
        """The columns of each group."""
        return self._cells.columns

    def read(self, part: Region) -> dict[str, NDArray[np.float32]]:
        """Groups as `[columns, h, w]`, NaN where absent."""
        return self._cells.read(part)

    def read_at(self, part: Region, chosen: Chosen) -> dict[str, NDArray[np.float32]]:
        """Groups of some pixels, `[columns, n]`."""
        rows, cols = part.row + chosen[0], part.col + chosen[1]
        keys = (rows * self.grid.shape[1] + cols).tolist()
        new = np.flatnonzero([key not in self._known for key in keys])
        if len(new):
            self._read(keys, rows, cols, new)
        together = np.stack([self._known[key] for key in keys], axis=1)
        ends = np.cumsum([len(columns) for columns in self.columns.values()])
        return dict(zip(self.columns, np.split(together, ends[:-1]), strict=True))

    def _read(self, keys: list[int], rows: NDArray[np.int64], cols: NDArray[np.int64], new: NDArray[np.int64]) -> None:
        row, col = int(rows[new].min()), int(cols[new].min())
        around = Region(row, col, int(rows[new].max()) - row + 1, int(cols[new].max()) - col + 1)
        found = self._cells.read_at(around, (rows[new] - row, cols[new] - col))
        vectors = np.concatenate([found[group] for group in self.columns]).T
        if len(self._known) + len(new) > _MOST_REMEMBERED:
            self._known = {key: self._known[key] for key in keys if key in self._known}
        self._known.update(zip((keys[at] for at in new), np.ascontiguousarray(vectors), strict=True))


@dataclass(frozen=True, slots=True)
class View:
    """What the screen shows: `features` `[n, columns]` a group of `shape` pixels, each of `step` x `step` cells."""

    cells: CellRange
    step: int
    shape: tuple[int, int]
    transform: Affine
    features: Features


@dataclass(frozen=True, slots=True)
class Painted:
    """A view by fused heads: `codes` uint16 (0 = nodata), and the `dispute` of the groups in nats (NaN = nodata)."""

    codes: NDArray[np.uint16]
    probability: NDArray[np.float32]
    dispute: NDArray[np.float32]


class LiveMap:
    """An embedding with its scene looked at, its labelled cells remembered, and the last view at hand."""

    def __init__(self, embedding: EmbeddingFile) -> None:
        self.embedding = embedding
        asked = ClassifyParameters(rasters=(str(embedding.path),), output=Path("map.tif"), labels="labels")
        source = from_embedding(embedding, asked)
        base = source.features.base
        assert isinstance(base, CellFeatures), "made from an embedding"
        self.source: MapInputs = replace(source, features=replace(source.features, base=RememberedCells(base)))
        self._view: tuple[tuple[CellRange, int], View] | None = None

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Raises `GfmError` for what is no embedding."""
        return cls(open_embedding(path))

    def look(self) -> DerivedFeatures:
        """The features of its cells, prototypes of the scene among them; the first time takes seconds."""
        return self.source.look()[0].features

    def view(self, extent: str | None, most: int) -> View:
        """The cells of an extent (see `requested_bounds`; None: all), or means of squares of them: `most` at most."""
        whole, lattice = self.embedding.cells, self.embedding.lattice
        cells: CellRange | None = whole
        if extent is not None:
            cells = lattice.covering(requested_bounds(extent, lattice.crs)).intersection(whole)
        if cells is None:
            raise ParameterError(f"extent {extent} shows nothing of {self.embedding.path.name}; move the view there.")
        step = max(1, int(np.ceil(np.sqrt(cells.rows * cells.cols / most))))
        if self._view is None or self._view[0] != (cells, step):
            self._view = None  # two of them would be too much
            self._view = ((cells, step), self._read(cells, step))
        return self._view[1]

    def _read(self, cells: CellRange, step: int) -> View:
        """A view of whole squares of `step` cells; what is left over at the right and the lower edge is not shown."""
        shape = max(cells.rows // step, 1), max(cells.cols // step, 1)
        shown = CellRange(cells.row, cells.col, min(shape[0] * step, cells.rows), min(shape[1] * step, cells.cols))
        looked = self.look()
        stored = {group: self.embedding.read_shrunk(group, shown, shape) for group in looked.base.columns}
        found = looked.with_derived(stored)
        features = {
            group: np.ascontiguousarray(found[group].reshape(len(found[group]), -1).T) for group in looked.columns
        }
        scale = Affine.scale(shown.cols / shape[1], shown.rows / shape[0])
        return View(shown, step, shape, self.embedding.lattice.transform(shown) * scale, features)


def paint(view: View, head: FusedHead) -> Painted:
    """The view by `head`, a piece at a time."""
    count = view.shape[0] * view.shape[1]
    codes, probability = np.zeros(count, np.uint16), np.full(count, np.nan, np.float32)
    dispute = np.full(count, np.nan, np.float32)
    for first in range(0, count, _ROWS):
        part = slice(first, first + _ROWS)
        logs = head.by_group(_rows(view.features, part, head))
        codes[part], probability[part] = head.likeliest(head.mean(logs))
        dispute[part] = np.where(codes[part] > 0, disagreement(logs), np.nan)
    shape = view.shape
    return Painted(codes.reshape(shape), probability.reshape(shape), dispute.reshape(shape))


def _rows(features: Mapping[str, NDArray[np.float32]], part: slice, head: FusedHead) -> dict[str, NDArray[np.float32]]:
    return {group: features[group][part] for group in head.heads}
