"""The cells of an embedding as vectors in standard deviations of the scene: what tools that make no map stand on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Self

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.windows import Window

from gfm_core.embedding.file import EmbeddingFile
from gfm_core.embedding.pipeline import worker_threads
from gfm_core.embedding.quantise import NODATA, dequantise
from gfm_core.errors import InputError, ParameterError
from gfm_core.features.groups import Column
from gfm_core.features.scaler import Scaler
from gfm_core.grid import CellRange
from gfm_core.progress import Reporter, in_this_call, stop_if_asked
from gfm_core.raster.source import unreadable
from gfm_core.raster.write import BLOCK

_TILE_COLS = 256  # cells: with BLOCK rows, what one thread reads at once
_SQUARE, _SQUARES = 48, 24  # cells: the scene is looked at in so many squares of this side at most, evenly spread
_FEW = 24  # blocks: fewer are looked at in more places than one a block

Values = dict[str, NDArray[np.float32]]  # [D, n] a group, 0 where a column is not known
Stored = dict[str, NDArray[Any]]  # [columns, rows, cols] a group, as the file holds them


@dataclass(frozen=True, slots=True)
class Vectors:
    """Cells in standard deviations: `values` `[D, n]` and `known` bool `[n]` by group."""

    values: Values
    known: dict[str, NDArray[np.bool_]]

    @property
    def anywhere(self) -> NDArray[np.bool_]:
        """Cells `[n]` of which any group is known."""
        found: NDArray[np.bool_] = np.logical_or.reduce(list(self.known.values()))
        return found

    @property
    def count(self) -> int:
        """n."""
        return len(next(iter(self.known.values())))

    def joined(self) -> NDArray[np.float32]:
        """All groups as `[D, n]`, each divided by the root of its width, so that none drowns another."""
        parts = [part / np.float32(np.sqrt(len(part))) for part in self.values.values()]
        return np.concatenate(parts)

    def take(self, chosen: NDArray[Any]) -> Vectors:
        """Some of the cells, by number or by mask."""
        return Vectors(
            {group: part[:, chosen] for group, part in self.values.items()},
            {group: part[chosen] for group, part in self.known.items()},
        )

    @classmethod
    def together(cls, parts: Sequence[Vectors]) -> Vectors:
        """Cells of several parts, one after the other."""
        groups = parts[0].values
        return cls(
            {group: np.concatenate([part.values[group] for part in parts], axis=1) for group in groups},
            {group: np.concatenate([part.known[group] for part in parts]) for group in groups},
        )


def of_length_one(vectors: NDArray[np.float32], *, out: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """Columns `[D, n]`, each over its length, in `out` if given; zeros stay zeros."""
    length = np.sqrt(np.einsum("dn,dn->n", vectors, vectors))
    found: NDArray[np.float32] = np.divide(vectors, np.maximum(length, 1e-9), out=out)
    return found


Answer = Callable[[Vectors, CellRange], NDArray[Any]]  # cells and their address → [k, n] or [n]
Positions = Mapping[str, Sequence[int]]  # columns of groups, counted within each


@dataclass(frozen=True)
class CellSpace:
    """Columns of an embedding by group, with the scale of each (`scalers`), fitted on the scene itself.

    `squares` is what was looked at for that: the file's numbers of squares evenly spread over the scene.
    """

    embedding: EmbeddingFile
    positions: dict[str, tuple[int, ...]]
    scalers: dict[str, Scaler]
    squares: tuple[Stored, ...] = ()

    @classmethod
    def of(cls, embedding: EmbeddingFile, groups: Sequence[str] = (), *, columns: Positions | None = None) -> Self:
        """All groups that are stored, or those asked for, with all of their columns, or those in `columns`.

        Raises `ParameterError` for a group that the file lacks.
        """
        for group in groups:
            if group not in embedding.groups:
                raise ParameterError(
                    f"groups: {embedding.path.name} holds no {group}, only {', '.join(embedding.groups)}; embed again "
                    "with it."
                )
        positions = {
            group: tuple((columns or {}).get(group, range(len(bands))))
            for group, bands in embedding.groups.items()
            if not groups or group in groups
        }
        squares = tuple(_stored(embedding, positions, square) for square in squares_of(embedding.cells))
        scalers = {}
        for group in positions:
            stored = np.concatenate([part[group].reshape(len(part[group]), -1) for part in squares], axis=1)
            scalers[group] = Scaler.fit(_meant(embedding, _columns(embedding, positions)[group], stored).T)
        return cls(embedding, positions, scalers, squares)

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups, in the order of the file."""
        return tuple(self.positions)

    def shared_with(self, other: EmbeddingFile) -> tuple[CellSpace, CellSpace]:
        """This space and one of `other` in its units, both with the columns that are in both, by name.

        Raises `InputError` if there are none.
        """
        ours: dict[str, tuple[int, ...]] = {}
        theirs: dict[str, tuple[int, ...]] = {}
        scalers = {}
        for group, columns in _columns(self.embedding, self.positions).items():
            named = other.columns_of(group) if group in other.groups else ()
            there = {column.name: at for at, column in enumerate(named)}
            kept = [at for at, column in enumerate(columns) if column.name in there]
            if kept:
                ours[group] = tuple(self.positions[group][at] for at in kept)
                theirs[group] = tuple(there[columns[at].name] for at in kept)
                scaler = self.scalers[group]
                scalers[group] = Scaler(scaler.mean[kept], scaler.sd[kept])
        if not ours:
            raise InputError(
                f"{self.embedding.path.name} and {other.path.name} hold no band of the same sensor; give rasters of "
                "the same sensors and bands."
            )
        return CellSpace(self.embedding, ours, scalers), CellSpace(other, theirs, scalers)

    @cached_property
    def _tables(self) -> dict[str, NDArray[np.float32]]:
        """What each of the 256 bytes of a column means in standard deviations, `[D, 256]` a group; 0 for nodata."""
        found = {}
        for group, columns in _columns(self.embedding, self.positions).items():
            stored = np.broadcast_to(np.arange(256, dtype=np.uint8), (len(columns), 256))
            table = self.scalers[group].apply(_meant(self.embedding, columns, stored).T).T
            table[:, NODATA] = 0
            found[group] = np.ascontiguousarray(table)
        return found

    def read(self, cells: CellRange) -> Vectors:
        """The vectors of `cells` (absolute addresses within the file), row by row."""
        return self._vectors(_stored(self.embedding, self.positions, cells))

    def _vectors(self, numbers: Stored) -> Vectors:
        values, known = {}, {}
        for group in self.groups:
            stored = numbers[group]
            flat = stored.reshape(len(stored), -1)
            if flat.dtype == np.uint8:
                table = self._tables[group]
                values[group] = np.empty(flat.shape, np.float32)
                for number, column in enumerate(flat):
                    np.take(table[number], column, out=values[group][number], mode="clip")  # bytes are all in range
                known[group] = (flat != NODATA).any(axis=0)
            else:
                values[group] = self.scalers[group].apply(flat.T).T
                known[group] = np.isfinite(flat).any(axis=0)
        return Vectors(values, known)

    def read_within(self, cells: CellRange) -> Vectors:
        """The same for cells that may lie outside the file, where nothing is known."""
        shared = cells.intersection(self.embedding.cells)
        if shared == cells:
            return self.read(cells)
        nothing = {group: np.zeros((len(self.positions[group]), *cells.shape), np.float32) for group in self.groups}
        nowhere = {group: np.zeros(cells.shape, np.bool_) for group in self.groups}
        if shared is not None:
            rows, cols = shared.slices_in(cells)
            part = self.read(shared)
            for group in self.groups:
                nothing[group][:, rows, cols] = part.values[group].reshape(-1, *shared.shape)
                nowhere[group][rows, cols] = part.known[group].reshape(shared.shape)
        return Vectors(
            {group: values.reshape(len(values), -1) for group, values in nothing.items()},
            {group: known.ravel() for group, known in nowhere.items()},
        )

    def look(self) -> Vectors:
        """Cells evenly spread over the scene of which something is known."""
        seen = Vectors.together([self._vectors(square) for square in self.squares])
        return seen.take(seen.anywhere)

    def at(self, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> Vectors:
        """The vectors of single cells, by position in the file."""
        origin = self.embedding.cells
        pieces = np.stack([rows // BLOCK, cols // _TILE_COLS], axis=1)
        parts, order = [], []
        for row, col in np.unique(pieces, axis=0).tolist():
            stop_if_asked()
            chosen = np.flatnonzero((pieces[:, 0] == row) & (pieces[:, 1] == col))
            top, left = int(rows[chosen].min()), int(cols[chosen].min())
            high, wide = int(rows[chosen].max()) - top + 1, int(cols[chosen].max()) - left + 1
            part = self.read(CellRange(origin.row + top, origin.col + left, high, wide))
            parts.append(part.take((rows[chosen] - top) * wide + cols[chosen] - left))
            order.append(chosen)
        return Vectors.together(parts).take(np.argsort(np.concatenate(order), kind="stable"))

    def strips(
        self, answer: Answer, *, threads: int | None, reporter: Reporter, message: str
    ) -> Iterator[tuple[int, NDArray[Any]]]:
        """`answer` of all cells, a row of blocks at a time: the first row, and `[k, rows, cols]`."""
        cells = self.embedding.cells
        cell_km2 = (self.embedding.lattice.cell_size / 1000) ** 2
        work = in_this_call(partial(self._answered, answer))
        with worker_threads(threads or os.cpu_count() or 1) as pool:
            for row in range(0, cells.rows, BLOCK):
                rows = min(BLOCK, cells.rows - row)
                parts = [
                    CellRange(cells.row + row, cells.col + col, rows, min(_TILE_COLS, cells.cols - col))
                    for col in range(0, cells.cols, _TILE_COLS)
                ]
                yield row, np.concatenate(list(pool.map(work, parts)), axis=2)
                done = row + rows
                reporter.update(done / cells.rows, message, done * cells.cols * cell_km2)

    def _answered(self, answer: Answer, part: CellRange) -> NDArray[Any]:
        found = answer(self.read(part), part)
        return found.reshape(-1, *part.shape)


def _columns(embedding: EmbeddingFile, positions: Positions) -> dict[str, list[Column]]:
    """The columns at `positions`."""
    return {group: [embedding.columns_of(group)[at] for at in chosen] for group, chosen in positions.items()}


def _meant(embedding: EmbeddingFile, columns: Sequence[Column], stored: NDArray[Any]) -> NDArray[np.float32]:
    """The file's numbers `[D, ...]` as values, NaN where nodata."""
    return stored if embedding.dtype == "float32" else dequantise(stored, columns)


def _stored(embedding: EmbeddingFile, positions: Positions, cells: CellRange) -> Stored:
    """The file's numbers `[columns, rows, cols]` a group, all read at once."""
    bands = [embedding.groups[group][at] for group, chosen in positions.items() for at in chosen]
    rows, cols = cells.slices_in(embedding.cells)
    window = Window(col_off=cols.start, row_off=rows.start, width=cells.cols, height=cells.rows)
    try:
        with rasterio.open(embedding.path) as dataset:
            stored = dataset.read([band + 1 for band in bands], window=window)
    except RasterioError as error:
        raise unreadable(embedding.path.name, error) from error
    found, first = {}, 0
    for group, chosen in positions.items():
        found[group] = stored[first : first + len(chosen)]
        first += len(chosen)
    return found


def squares_of(cells: CellRange) -> list[CellRange]:
    """Squares evenly spread over `cells`, each within one block of the file: reading it unpacks no other."""
    blocks = [(row, col) for row in range(0, cells.rows, BLOCK) for col in range(0, cells.cols, BLOCK)]
    if len(blocks) <= _FEW:  # small scenes: all of their cells, or nearly
        blocks = [(row, col) for row in range(0, cells.rows, _SQUARE) for col in range(0, cells.cols, _SQUARE)]
    chosen = np.linspace(0, len(blocks) - 1, min(len(blocks), _SQUARES)).round().astype(int)
    inset = (BLOCK - _SQUARE) // 2 if len(blocks) > _FEW else 0
    found = []
    for row, col in (blocks[number] for number in chosen):
        top, left = min(row + inset, max(cells.rows - _SQUARE, row)), min(col + inset, max(cells.cols - _SQUARE, col))
        rows, cols = min(_SQUARE, cells.rows - top), min(_SQUARE, cells.cols - left)
        found.append(CellRange(cells.row + top, cells.col + left, rows, cols))
    return found
