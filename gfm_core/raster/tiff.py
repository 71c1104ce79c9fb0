"""Is a TIFF whole? Its own tables say where every block should lie; nothing else is read.

GDAL opens a file that was cut off and fails at the first missing block, perhaps an hour into a run.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np

_BLOCK_OFFSETS, _BLOCK_SIZES = (273, 324), (279, 325)  # strips, tiles (TIFF 6.0, sections 8 and 15)
_TYPE_SIZES = {3: 2, 4: 4, 16: 8}  # SHORT, LONG, LONG8
_MAX_DIRECTORIES = 10_000
_MAX_ENTRIES = 4096
_MAX_TABLE_BYTES = 2**31


def missing_bytes(path: Path) -> int:
    """Bytes that the blocks of a TIFF need beyond the end of the file: 0 if it is whole, or no TIFF at all."""
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            return max(_last_byte(file) - size, 0)
    except (struct.error, ValueError, OverflowError):  # the tables themselves are cut: GDAL will say so
        return 0


def _last_byte(file: BinaryIO) -> int:
    head = file.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 16:
        return 0
    version = struct.unpack(order + "H", head[2:4])[0]
    if version not in (42, 43):
        return 0
    big = version == 43
    directory = struct.unpack(order + "Q", head[8:16])[0] if big else struct.unpack(order + "I", head[4:8])[0]
    furthest = 0
    visited: set[int] = set()
    while directory and directory not in visited and len(visited) < _MAX_DIRECTORIES:
        visited.add(directory)
        entries, directory = _directory(file, directory, order, big=big)
        furthest = max(furthest, _block_end(file, entries, order))
    return furthest


Entries = dict[int, tuple[int, int, bytes, int]]  # tag -> type, count, inline bytes, where the values start


def _directory(file: BinaryIO, position: int, order: str, *, big: bool) -> tuple[Entries, int]:
    """The entries of one image file directory, and where the next one starts (0 = none)."""
    file.seek(position)
    count_format, entry_format, pointer = ("Q", "HHQ8s", "Q") if big else ("H", "HHI4s", "I")
    count = struct.unpack(order + count_format, file.read(struct.calcsize(order + count_format)))[0]
    entry_size = struct.calcsize(order + entry_format)
    if count > _MAX_ENTRIES:
        raise ValueError(f"a directory of {count} entries is no directory")
    table = file.read(count * entry_size)
    entries = {}
    for start in range(0, count * entry_size, entry_size):
        tag, kind, length, value = struct.unpack_from(order + entry_format, table, start)
        entries[tag] = (kind, length, value, struct.unpack(order + pointer, value)[0])
    following = struct.unpack(order + pointer, file.read(struct.calcsize(order + pointer)))[0]
    return entries, following


def _block_end(file: BinaryIO, entries: Entries, order: str) -> int:
    """First byte behind the furthest block of a directory."""
    furthest = 0
    for offsets_tag, sizes_tag in zip(_BLOCK_OFFSETS, _BLOCK_SIZES, strict=True):
        if offsets_tag in entries and sizes_tag in entries:
            furthest = max(furthest, *(_table_end(entries[tag]) for tag in (offsets_tag, sizes_tag)))
            offsets, sizes = _values(file, entries[offsets_tag], order), _values(file, entries[sizes_tag], order)
            if len(offsets) == len(sizes) > 0:
                furthest = max(furthest, int((offsets + sizes).max()))
    return furthest


def _table_end(entry: tuple[int, int, bytes, int]) -> int:
    """First byte behind a table of values: it may be what was cut off."""
    kind, count, inline, position = entry
    length = count * _TYPE_SIZES.get(kind, 0)
    return position + length if len(inline) < length <= _MAX_TABLE_BYTES else 0


def _values(
    file: BinaryIO, entry: tuple[int, int, bytes, int], order: str
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    kind, count, inline, position = entry
    width = _TYPE_SIZES.get(kind, 0)
    if not width:
        return np.zeros(0, np.int64)
    if count * width > _MAX_TABLE_BYTES:
        raise ValueError(f"a table of {count} blocks is no table")
    if count * width <= len(inline):
        raw = inline[: count * width]
    else:
        file.seek(position)
        raw = file.read(count * width)
    return np.frombuffer(raw[: len(raw) // width * width], f"{order}u{width}").astype(np.int64)
