"""Finished cells on disk, a file a group and tile: what a stopped run goes on from, and what a later one need not do.

    8 bytes  magic                      GFMPIECE
    32       row, col, rows, cols       of the cells, int64 little-endian
    8        bands, bytes a value       uint32
    8        format, CRC-32             uint32; the sum covers all that stands before it and the values
    rest     values                     [bands, rows, cols], as the embedding stores them

A file that is cut off, damaged or of another version is no piece: it is made again.
"""

from __future__ import annotations

import logging
import os
import secrets
import struct
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gfm_core.grid import CellRange, Tile

FORMAT_VERSION = 1
SUFFIX = ".piece"

_HEAD = struct.Struct("<8s4q2I2I")
_BEFORE_SUM = _HEAD.size - 4
_MAGIC = b"GFMPIECE"
_TYPES = {1: np.uint8, 4: np.float32}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PieceStore:
    """Pieces of one stack, model and way of computing, in a folder of their own that others have made."""

    folder: Path

    def get(self, group: str, tile: Tile, wanted: CellRange) -> NDArray[Any] | None:
        """Stored values `[bands, rows, cols]` of `wanted` (within the tile's piece), or None."""
        path = self._path(group, tile)
        found = read_piece(path)
        if found is None:
            return None
        cells, values = found
        if cells.intersection(wanted) != wanted:
            return None
        with suppress(OSError):
            os.utime(path)  # a cache lets go of what was unused for longest
        return values[(slice(None), *wanted.slices_in(cells))]

    def put(self, group: str, tile: Tile, cells: CellRange, values: NDArray[Any]) -> int:
        """Keep the values of `cells`, unless as many are kept already; returns the bytes written.

        Raises OSError where they cannot be written.
        """
        path = self._path(group, tile)
        held = _cells_in(path)
        if held is not None and held.intersection(cells) == cells:
            return 0
        return write_piece(path, cells, values)

    def _path(self, group: str, tile: Tile) -> Path:
        return self.folder / f"{group}_{tile.row}_{tile.col}{SUFFIX}"


def write_piece(path: Path, cells: CellRange, values: NDArray[Any]) -> int:
    """Write one piece whole or not at all; returns its bytes. It need not survive a power cut: its sum would tell."""
    held = np.ascontiguousarray(values)
    place = (cells.row, cells.col, cells.rows, cells.cols, len(held), held.dtype.itemsize, FORMAT_VERSION)
    head = _HEAD.pack(_MAGIC, *place, 0)[:_BEFORE_SUM]
    total = zlib.crc32(held.data, zlib.crc32(head))
    temporary = path.with_name(f"{secrets.token_hex(8)}{SUFFIX}")  # a killed run's is counted, and goes, like any piece
    try:
        with temporary.open("wb") as file:
            file.write(head + struct.pack("<I", total))
            file.write(held.data)
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    return _HEAD.size + held.nbytes


def read_piece(path: Path) -> tuple[CellRange, NDArray[Any]] | None:
    """The cells and values of a piece; None if there is none, or what is there is not whole (said in the log)."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    found = _parsed(data)
    if found is None:
        logger.info("%s is damaged or of another version: it is made again.", path.name)
    return found


def _parsed(data: bytes) -> tuple[CellRange, NDArray[Any]] | None:
    place = _head(data[: _HEAD.size], len(data))
    if place is None:
        return None
    cells, bands, size, total = place
    if zlib.crc32(memoryview(data)[_HEAD.size :], zlib.crc32(data[:_BEFORE_SUM])) != total:
        return None
    return cells, np.frombuffer(data, _TYPES[size], offset=_HEAD.size).reshape(bands, *cells.shape)


def _cells_in(path: Path) -> CellRange | None:
    """What a piece holds by its head alone."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD.size)
            place = _head(head, os.fstat(file.fileno()).st_size)
    except OSError:
        return None
    return place[0] if place else None


def _head(head: bytes, length: int) -> tuple[CellRange, int, int, int] | None:
    """Cells, bands, bytes a value and sum of a file of `length` bytes, if its head can be true."""
    if len(head) < _HEAD.size:
        return None
    magic, row, col, rows, cols, bands, size, version, total = _HEAD.unpack(head)
    if magic != _MAGIC or version != FORMAT_VERSION or size not in _TYPES or min(rows, cols, bands) < 1:
        return None
    if _HEAD.size + rows * cols * bands * size != length:
        return None
    return CellRange(row, col, rows, cols), bands, size, total
