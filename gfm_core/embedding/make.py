"""Make an embedding file: tiles in order, blended, stored, row by row, so that memory does not grow with the raster."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gfm_core.embedding.blend import Blender
from gfm_core.embedding.file import EmbeddingFile, create, open_embedding
from gfm_core.embedding.map_grid import derived_bands
from gfm_core.embedding.pipeline import Engine, TileContent, tile_side, tiles_in_order
from gfm_core.embedding.quantise import Clipping, quantise
from gfm_core.errors import InputError
from gfm_core.features.groups import Column, network_columns, statistic_columns
from gfm_core.grid import CORE, HALO, CellRange, tile_rows
from gfm_core.model.checkpoint import LoadedModel
from gfm_core.progress import Reporter
from gfm_core.raster.read import StackReader
from gfm_core.raster.source import fingerprint
from gfm_core.raster.stack import Stack
from gfm_core.raster.write import BlockRowWriter, add_overviews

_STRIP = 64  # cells: width of a blender, a little more than a tile
_MUCH_CLIPPED = 0.01  # share of values: more is said

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to store: the groups, in which numbers, by which model, and the parameters that its tags tell."""

    groups: tuple[str, ...]
    dtype: str
    model: LoadedModel | None
    parameters: Mapping[str, Any]

    @property
    def told_model(self) -> dict[str, str]:
        """Name and hash of the model, empty without one."""
        return {"name": self.model.name, "sha256": self.model.sha256} if self.model else {}


def make_embedding(
    path: Path, stack: Stack, recipe: Recipe, engine: Engine | None, *, threads: int | None, reporter: Reporter
) -> EmbeddingFile:
    """Write the embedding of `stack` to `path` (its place must be safe: see `Outputs`) and open it."""
    columns = embedding_columns(stack, recipe)
    clipping = Clipping()
    with (
        StackReader(stack) as reader,
        create(path, stack, columns, dtype=recipe.dtype, model=recipe.told_model, parameters=recipe.parameters) as file,
    ):
        sink = _Sink(file, stack.cells, columns, recipe.dtype, clipping)
        total = sum(len(row) for row in tile_rows(stack.cells, tile_side(stack)))
        # Closed before the reader is: no thread may read from files that a stopped run closes.
        with closing(tiles_in_order(reader, stack.cells, tuple(columns), engine, threads)) as contents:
            for done, content in enumerate(contents, start=1):
                sink.take(content)
                reporter.update(0.97 * done / total, "embedding", stack.area_km2 * done / total)
        sink.close()
    check_unchanged(stack)
    _tell(stack, clipping)
    add_overviews(path, categorical=False)
    reporter.update(1.0, "embedding", stack.area_km2)
    return open_embedding(path)


def embedding_columns(stack: Stack, recipe: Recipe) -> dict[str, tuple[Column, ...]]:
    """The columns of every group in the order of the file's bands."""
    columns: dict[str, tuple[Column, ...]] = {}
    for group in recipe.groups:
        if group == "network":
            if recipe.model is None:
                raise ValueError("the group network needs a model")
            stored = recipe.model.header["quantisation"]["network"]
            columns[group] = network_columns(stored["scale"], stored["offset"])
        else:
            parts = (statistic_columns(group, item.name, item.dates, derived_bands(item)) for item in stack.modalities)
            columns[group] = tuple(column for part in parts for column in part)
    return columns


class _Sink:
    """Brings tile contents into the file's rows, whatever group they belong to."""

    def __init__(
        self,
        file: BlockRowWriter,
        cells: CellRange,
        columns: Mapping[str, Sequence[Column]],
        dtype: str,
        clipping: Clipping,
    ) -> None:
        self._file, self._cells, self._columns = file, cells, columns
        self._dtype, self._clipping = dtype, clipping
        self._first: dict[str, int] = {}
        first = 0
        for group, items in columns.items():
            self._first[group] = first
            first += len(items)
        # Blenders side by side: what is finished in the west is written before the east has come.
        self._blenders: list[Blender] = []
        if "network" in columns:
            strips = range(cells.col, cells.stop[1], _STRIP)
            each = [CellRange(cells.row, col, cells.rows, min(_STRIP, cells.stop[1] - col)) for col in strips]
            self._blenders = [Blender(strip, len(columns["network"])) for strip in each]
        self._windows: range | None = None  # the rows of windows of the row of tiles that is coming in
        self._done = 0  # blenders that have all windows of these rows

    def take(self, content: TileContent) -> None:
        """The next tile, in order."""
        tile = content.tile
        windows = range(tile.row * tile.side, (tile.row + 1) * tile.side)
        if windows != self._windows:
            self._finish_until(len(self._blenders))
            self._windows, self._done = windows, 0
        for group, values in content.columns.items():
            self._put_columns(group, content.owned, values)
        for window, latents in content.latents:
            present = content.present[window.cells.slices_in(tile.cells)]
            first, last = self._strip_of(window.cells.col), self._strip_of(window.cells.stop[1] - 1)
            for blender in self._blenders[first : last + 1]:
                blender.add(window, latents, present)
        self._finish_until(self._strip_of(tile.cells.stop[1] - 2 * HALO))  # where the next tile's windows begin

    def close(self) -> None:
        """The last row of tiles, and the cells that waited for windows south of it, which do not exist."""
        self._finish_until(len(self._blenders))
        if self._windows is not None and self._windows.stop * CORE < self._cells.stop[0] + CORE:
            self._windows, self._done = range(self._windows.stop, self._windows.stop + 1), 0
            self._finish_until(len(self._blenders))

    def _strip_of(self, col: int) -> int:
        """The number of the blender in which a column of cells lies."""
        return min(max((col - self._cells.col) // _STRIP, 0), len(self._blenders))

    def _finish_until(self, stop: int) -> None:
        """Write the rows of windows that are coming in from the blenders before number `stop`."""
        for number in range(self._done, stop):
            for window_row in self._windows or ():
                for row, values in self._blenders[number].finish(window_row):
                    self._put("network", values, row, number * _STRIP)
        self._done = max(self._done, stop)

    def _put_columns(self, group: str, owned: CellRange, values: NDArray[np.float32]) -> None:
        wanted = owned.intersection(self._cells)
        if wanted is not None:
            part = values[(slice(None), *wanted.slices_in(owned))]
            self._put(group, part, wanted.row - self._cells.row, wanted.col - self._cells.col)

    def _put(self, group: str, values: NDArray[np.float32], row: int, col: int = 0) -> None:
        stored: NDArray[Any] = values
        if self._dtype == "uint8":
            stored = quantise(values, self._columns[group], self._clipping)
        else:
            self._clipping.values += int(np.isfinite(values).sum())
        self._file.put(self._first[group], row, stored, col)


def check_unchanged(stack: Stack) -> None:
    """Raise `InputError` if a file was written to, or vanished, since the stack was opened."""
    for source in stack.sources:
        try:
            now = fingerprint(source.files)
        except OSError:
            raise InputError(f"{source.name} vanished during the run; put it back and run again.") from None
        if now != source.fingerprint:
            raise InputError(f"{source.name} changed during the run; run again when nothing writes to it.")


def _tell(stack: Stack, clipping: Clipping) -> None:
    if clipping.values == 0 and stack.modalities:
        logger.warning("No pixel of the rasters is valid here: the result is nodata everywhere.")
    if clipping.share > _MUCH_CLIPPED:
        logger.warning("%.1f %% of the values lie outside the 8-bit range and were cut; --dtype float32 keeps them.",
                       100 * clipping.share)  # fmt: skip
