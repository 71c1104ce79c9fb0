"""Make an embedding file: tiles in order, blended, stored, row by row, so that memory does not grow with the raster.

What is finished goes into the file and, as pieces, into stores: the journal that a stopped run goes on from, and the
cache that later runs share. A run computes only what no store holds, and the file is the same to the byte.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gfm_core.embedding.blend import Seams, blended
from gfm_core.embedding.cache import Cache
from gfm_core.embedding.file import EmbeddingFile, create, open_embedding
from gfm_core.embedding.journal import check_room, open_journal
from gfm_core.embedding.kept import Kept, piece_keys
from gfm_core.embedding.map_grid import derived_bands
from gfm_core.embedding.pieces import PieceStore
from gfm_core.embedding.pipeline import (
    Engine,
    TileContent,
    TileJob,
    TileWork,
    as_stored,
    contents_in_order,
    tile_side,
)
from gfm_core.embedding.quantise import Clipping
from gfm_core.errors import InputError
from gfm_core.features.groups import Column, network_columns, statistic_columns
from gfm_core.grid import CellRange, Tile, WindowIndex, tiles_with_pieces
from gfm_core.model.checkpoint import LoadedModel
from gfm_core.progress import Reporter
from gfm_core.raster.finish import add_overviews
from gfm_core.raster.read import StackReader
from gfm_core.raster.source import fingerprint
from gfm_core.raster.stack import Stack
from gfm_core.raster.write import BlockRowWriter

_MUCH_CLIPPED = 0.01  # share of values: more is said

Columns = Mapping[str, tuple[Column, ...]]

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
    path: Path, stack: Stack, recipe: Recipe, engine: Engine | None, *, threads: int | None, reporter: Reporter,
    kept: Kept | None = None, overviews: bool = True,
) -> EmbeddingFile:  # fmt: skip
    """Write the embedding of `stack` to `path` (its place must be safe: see `Outputs`) and open it."""
    columns = embedding_columns(stack, recipe)
    run = Run(stack, columns, recipe.dtype, kept or Kept.nothing(), stack.cells)
    first = dict(zip(columns, np.cumsum([0, *map(len, columns.values())]).tolist(), strict=False))
    with create(
        path, stack, columns, dtype=recipe.dtype, model=recipe.told_model, parameters=recipe.parameters
    ) as file:
        for cells, stored in run.pieces(engine, threads, reporter.step(0, 0.97)):
            _put(file, first, stored, cells.row - stack.cells.row, cells.col - stack.cells.col)
    check_unchanged(stack)
    run.kept.close()
    _tell(stack, run.clipping)
    if overviews:
        add_overviews(path, categorical=False)
    reporter.update(1.0, "embedding", stack.area_km2)
    return open_embedding(path)


def _put(
    file: BlockRowWriter, first: Mapping[str, int], stored: Mapping[str, NDArray[Any]], row: int, col: int
) -> None:
    for group, values in stored.items():
        file.put(first[group], row, values, col)


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


def kept_for(stack: Stack, recipe: Recipe, engine: Engine | None, *, journal: Path | None = None) -> Kept:
    """The stores of a run: the user's cache and, where a `journal` folder is given, that of the output.

    Raises `DiskFullError` before any work if the journal and the file cannot fit.
    """
    keys = piece_keys(stack, recipe.groups, recipe.dtype, recipe.told_model, engine)
    columns = embedding_columns(stack, recipe)
    needed = stored_bytes(columns, recipe.dtype, stack.cells)
    cache = Cache.of_user() if all(source.files for source in stack.sources) else None  # a URL may have changed
    cached = cache.stores(keys, needed) if cache is not None else {}
    if journal is None:
        return Kept({}, cached, cache)
    return Kept(journal_with_room(journal, keys, stack, columns, recipe.dtype), cached, cache)


def journal_with_room(
    folder: Path, keys: Mapping[str, str], stack: Stack, columns: Columns, dtype: str
) -> dict[str, PieceStore]:
    """The stores of a journal. Raises `DiskFullError` if all of a stack's pieces and its file cannot fit."""
    opened, needed = open_journal(folder, keys), stored_bytes(columns, dtype, stack.cells)
    check_room(folder.parent, needed + needed // 2)  # the pieces as they are, the file about half as large
    return opened


def stored_bytes(columns: Columns, dtype: str, cells: CellRange) -> int:
    """Bytes of an embedding's values without compression."""
    return cells.rows * cells.cols * sum(map(len, columns.values())) * np.dtype(dtype).itemsize


@dataclass(frozen=True)
class Run:
    """One pass over `cells` of a stack: pieces of all groups, from stores where they hold them, else computed."""

    stack: Stack
    columns: Columns
    dtype: str
    kept: Kept
    cells: CellRange
    clipping: Clipping = field(default_factory=Clipping)

    def pieces(
        self, engine: Engine | None, threads: int | None, reporter: Reporter
    ) -> Iterator[tuple[CellRange, dict[str, NDArray[Any]]]]:
        """Every piece in order from the north-west: its cells, and the stored values of each group."""
        tiles = tiles_with_pieces(self.cells, tile_side(self.stack))
        missing = self.missing()
        if len(missing) < len(tiles):
            logger.info("%d of %d pieces were kept from before.", len(tiles) - len(missing), len(tiles))
        jobs = list(self._jobs(missing))
        left = iter(tiles)
        seams = Seams()
        area, done = self.stack.area_km2, 0
        with StackReader(self.stack) as reader:
            work = TileWork(reader, self.columns, self.dtype, engine).content
            # Closed before the reader is: no thread may read from files that a stopped run closes.
            with closing(contents_in_order(work, jobs, threads)) as contents:
                for content in contents:
                    job = content.job
                    if job.piece is not None:
                        for tile in left:
                            if tile == job.tile:
                                break
                            yield self._wanted(tile), self._from_store(tile, engine)
                        yield job.piece, self._finished(content, seams)
                    seams.keep(job.tile, content.latents)
                    done += 1
                    reporter.update(done / len(jobs), "embedding", area * done / len(jobs))
        for tile in left:
            yield self._wanted(tile), self._from_store(tile, engine)

    def missing(self) -> dict[Tile, CellRange]:
        """The tiles whose pieces no store holds, and the cells wanted of each."""
        tiles = tiles_with_pieces(self.cells, tile_side(self.stack))
        return {tile: wanted for tile in tiles if not self._is_kept(tile, wanted := self._wanted(tile))}

    def _wanted(self, tile: Tile) -> CellRange:
        wanted = tile.piece.intersection(self.cells)
        assert wanted is not None
        return wanted

    def _is_kept(self, tile: Tile, wanted: CellRange) -> bool:
        return all(self.kept.get(group, tile, wanted) is not None for group in self.columns)

    def _from_store(self, tile: Tile, engine: Engine | None) -> dict[str, NDArray[Any]]:
        """The stored values of a piece; what another run has let go of meanwhile is computed after all."""
        wanted = self._wanted(tile)
        found = {group: self.kept.get(group, tile, wanted) for group in self.columns}
        stored = {group: values for group, values in found.items() if values is not None}
        if len(stored) < len(found):
            alone = Run(self.stack, self.columns, self.dtype, Kept.nothing(), wanted, self.clipping)
            return next(stored for _, stored in alone.pieces(engine, 1, Reporter()))
        for values in stored.values():
            self.clipping.values += int(np.count_nonzero(values if self.dtype == "uint8" else np.isfinite(values)))
        return stored

    def _jobs(self, missing: Mapping[Tile, CellRange]) -> Iterable[TileJob]:
        """What every tile has to give, so that all that is `missing` can be finished: in order, row by row."""
        windows: dict[Tile, set[WindowIndex]] = {tile: set() for tile in missing}
        if "network" in self.columns:
            for tile, wanted in missing.items():
                for down in (-1, 0):
                    for right in (-1, 0):
                        other = Tile(tile.row + down, tile.col + right, tile.side)
                        windows.setdefault(other, set()).update(other.windows(wanted))
        for tile in sorted(windows, key=lambda tile: (tile.row, tile.col)):
            ordered = tuple(sorted(windows[tile], key=lambda window: (window.row, window.col)))
            if ordered or tile in missing:
                yield TileJob(tile, ordered, missing.get(tile))

    def _finished(self, content: TileContent, seams: Seams) -> dict[str, NDArray[Any]]:
        """The stored values of a job's piece, in the order of the groups; they go to the stores too."""
        job = content.job
        assert job.piece is not None
        self.clipping.add(content.clipping)
        stored: dict[str, NDArray[Any]] = {}
        for group, columns in self.columns.items():
            if group == "network":
                values = blended(job.piece, seams.parts_for(job.tile, content.latents), len(columns))
                stored[group] = as_stored(values, columns, self.dtype, self.clipping)
            else:
                stored[group] = content.columns[group]
            self.kept.put(group, job.tile, job.piece, stored[group])
        return stored


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
