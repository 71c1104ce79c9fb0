"""What is kept of finished work: the journal beside an output, and the user's cache.

Both hold pieces under a key that tells everything that decides their bytes: the sources and how they were understood,
the lattice, the group, the model, the precision, the versions and the code. The extent is not in it: a piece is the
same whatever was asked for around it.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

import gfm_core
from gfm_core.embedding.file import source_records, versions
from gfm_core.embedding.pieces import FORMAT_VERSION, SUFFIX, PieceStore
from gfm_core.embedding.pipeline import Engine, tile_side
from gfm_core.errors import DiskFullError, OutputError, is_disk_full
from gfm_core.grid import CellRange, Tile
from gfm_core.raster.stack import Stack
from gfm_core.whole import write_whole

DEFAULT_LIMIT_MB = 2048

_LIMIT_VARIABLE = "GFM_CACHE_MB"  # 0 = no cache
_LIMIT_FILE = "limit.json"
_PIECES, _JOURNALS = "pieces", "journals"
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
    cache: Mapping[str, PieceStore]

    @classmethod
    def nothing(cls) -> Kept:
        """No store at all."""
        return cls({}, {})

    def get(self, group: str, tile: Tile, wanted: CellRange) -> NDArray[Any] | None:
        """Stored values of `wanted`, or None."""
        for stores in (self.journal, self.cache):
            found = stores[group].get(group, tile, wanted) if group in stores else None
            if found is not None:
                return found
        return None

    def put(self, group: str, tile: Tile, cells: CellRange, values: NDArray[Any]) -> None:
        """Keep a finished piece. Raises `DiskFullError` if the journal cannot; the cache then does without."""
        if group in self.cache:
            with suppress(OSError):
                self.cache[group].put(group, tile, cells, values)
        if group in self.journal:
            try:
                self.journal[group].put(group, tile, cells, values)
            except OSError as error:
                if is_disk_full(error):
                    raise DiskFullError.at(self.journal[group].folder) from error
                raise OutputError(
                    f"{self.journal[group].folder} cannot be written ({error.strerror}); choose another place."
                ) from error


# ---- The journal ------------------------------------------------------------------------------------------------------


def open_journal(folder: Path, keys: Mapping[str, str]) -> dict[str, PieceStore]:
    """Stores in the journal `folder` of an output, a group each; what another command left there is removed."""
    for item in folder.iterdir() if folder.is_dir() else ():
        if item.name not in keys.values():
            shutil.rmtree(item, ignore_errors=True)
    return {group: PieceStore(folder / key) for group, key in keys.items()}


def check_room(folder: Path, needed: int) -> None:
    """Raise `DiskFullError` if `needed` bytes, less what the folder holds already, are not free there."""
    held = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if needed - held > shutil.disk_usage(folder).free:
        raise DiskFullError.at(folder, needed - held)


def remember_journal(folder: Path, target: Path) -> None:
    """Note where a journal lies, so that `gfm cache` can list it; a user without a cache folder does without."""
    place = cache_folder()
    if place is None:
        return
    with suppress(OSError, OutputError):
        (place / _JOURNALS).mkdir(parents=True, exist_ok=True)
        told = {"folder": str(folder.absolute()), "output": str(target.absolute())}
        write_whole(place / _JOURNALS / f"{_sha(told)}.json", json.dumps(told).encode())


def known_journals() -> list[tuple[Path, Path]]:
    """Folder and output of every journal that is still there; notes of those that are gone are removed."""
    place, found = cache_folder(), []
    for note in sorted((place / _JOURNALS).glob("*.json")) if place else ():
        try:
            told = json.loads(note.read_bytes())
            folder, output = Path(told["folder"]), Path(told["output"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if folder.is_dir():
            found.append((folder, output))
        else:
            with suppress(OSError):
                note.unlink()
    return found


# ---- The cache --------------------------------------------------------------------------------------------------------


def cache_folder() -> Path | None:
    """The user's cache folder of JEPA-GFM; None for a user without a home."""
    try:
        return _user_cache() / "jepa-gfm"
    except RuntimeError:
        return None


def _user_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "Cache"
    told = Path(os.environ.get("XDG_CACHE_HOME", ""))  # a relative one is to be ignored, says its specification
    if told.is_absolute():
        return told
    return Path.home() / "Library" / "Caches" if sys.platform == "darwin" else Path.home() / ".cache"


@dataclass(frozen=True, slots=True)
class Cache:
    """Pieces of all runs under one folder, no more than `limit` bytes; the ones unused for longest go first."""

    folder: Path
    limit: int

    @classmethod
    def of_user(cls) -> Cache | None:
        """The user's cache; None if there is no place for it, or it is switched off."""
        place = cache_folder()
        limit = cache_limit_mb() * 1_000_000
        return cls(place / _PIECES, limit) if place is not None and limit > 0 else None

    def stores(self, keys: Mapping[str, str], stack: Stack, bytes_needed: int) -> dict[str, PieceStore]:
        """Stores of a run that will hold so many bytes, a group each.

        None for sources that cannot be known to be unchanged (URLs), and none for a run that would push everything
        else out: it has its file.
        """
        if bytes_needed > self.limit / 2 or not all(source.files for source in stack.sources):
            return {}
        return {group: PieceStore(self.folder / key[:2] / key) for group, key in keys.items()}

    def files(self) -> list[tuple[float, int, Path]]:
        """Time of the last use, bytes and path of every piece."""
        found = []
        for path in self.folder.rglob(f"*{SUFFIX}"):
            with suppress(OSError):
                state = path.stat()
                found.append((state.st_mtime, state.st_size, path))
        return found

    def trim(self) -> None:
        """Remove the pieces unused for longest until the rest fits."""
        files = sorted(self.files())
        excess = sum(size for _, size, _ in files) - self.limit
        for _, size, path in files:
            if excess <= 0:
                return
            with suppress(OSError):
                path.unlink()
                excess -= size

    def empty(self) -> None:
        """Remove every piece."""
        shutil.rmtree(self.folder, ignore_errors=True)


def cache_limit_mb() -> int:
    """The size limit in MB: the environment's, else the user's, else 2 GB."""
    told = os.environ.get(_LIMIT_VARIABLE, "")
    if told.isdigit():
        return int(told)
    place = cache_folder()
    try:
        limit = json.loads((place / _LIMIT_FILE).read_bytes())["mb"] if place else DEFAULT_LIMIT_MB
    except (OSError, ValueError, KeyError, TypeError):
        return DEFAULT_LIMIT_MB
    return limit if isinstance(limit, int) and limit >= 0 else DEFAULT_LIMIT_MB


def set_cache_limit(megabytes: int) -> None:
    """Keep the user's limit for later runs. Raises `OutputError` if it cannot be kept."""
    place = cache_folder()
    if place is None:
        raise OutputError("This user has no home folder to write to; set HOME.")
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {place} cannot be made ({error.strerror}); set XDG_CACHE_HOME.") from error
    write_whole(place / _LIMIT_FILE, json.dumps({"mb": megabytes}).encode())
