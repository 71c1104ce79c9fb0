"""What is kept of finished work: the journal beside an output, and the user's cache.

Both hold pieces under a key that tells everything that decides their bytes: the sources and how they were understood,
the lattice, the group, the model, the precision, the versions and the code. The extent is not in it: a piece is the
same whatever was asked for around it.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

import gfm_core
from gfm_core.embedding.cache import Cache
from gfm_core.embedding.file import source_records, versions
from gfm_core.embedding.pieces import FORMAT_VERSION, PieceStore
from gfm_core.embedding.pipeline import Engine, tile_side
from gfm_core.errors import unwritable
from gfm_core.grid import CellRange, Tile
from gfm_core.raster.stack import Stack

_CODE = ("raster", "model", "features", "embedding", "grid.py", "bands.py")  # what decides a piece's bytes


def piece_keys(
    stack: Stack, groups: tuple[str, ...], dtype: str, model: Mapping[str, str], engine: Engine | None
) -> dict[str, str]:
    """The key of each group's pieces: equal keys, equal bytes."""
    sources = [{**record, "reasons": None} for record in source_records(stack)]
    shared = {
        "format": FORMAT_VERSION, "lattice": asdict(stack.lattice), "side": tile_side(stack), "dtype": dtype,
        "sources": sources, "changed": [source.fingerprint for source in stack.sources], "versions": versions(),
        "code": _code(),
    }  # fmt: skip
    network = (
        {"model": model.get("sha256"), "precision": str(engine.dtype), "device": engine.device.type} if engine else {}
    )
    return {group: _sha({**shared, "group": group, **(network if group == "network" else {})}) for group in groups}


def _sha(values: Any) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()[:32]


@functools.cache
def _code() -> str:
    """A sum of the code that computes pieces: what another version computed is another thing."""
    root, total = Path(gfm_core.__file__).parent, hashlib.sha256()
    for name in _CODE:
        for file in sorted((root / name).rglob("*.py")) if (root / name).is_dir() else [root / name]:
            total.update(file.read_bytes())
    return total.hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Kept:
    """The stores of one run: pieces are looked for in both and put into both."""

    journal: Mapping[str, PieceStore]  # by group
    cached: Mapping[str, PieceStore]
    cache: Cache | None = None

    @classmethod
    def nothing(cls) -> Kept:
        """No store at all."""
        return cls({}, {})

    def get(self, group: str, tile: Tile, wanted: CellRange) -> NDArray[Any] | None:
        """Stored values of `wanted`, or None."""
        for stores in (self.journal, self.cached):
            found = stores[group].get(group, tile, wanted) if group in stores else None
            if found is not None:
                return found
        return None

    def put(self, group: str, tile: Tile, cells: CellRange, values: NDArray[Any]) -> None:
        """Keep a finished piece. Raises `DiskFullError` if the journal cannot; the cache then does without."""
        if group in self.cached:
            with suppress(OSError):
                self.cached[group].put(group, tile, cells, values)
        if group in self.journal:
            try:
                self.journal[group].put(group, tile, cells, values)
            except OSError as error:
                raise unwritable(self.journal[group].folder, error) from error

    def close(self) -> None:
        """What the cache holds too much goes."""
        if self.cache is not None and self.cached:
            self.cache.trim()
