"""The user's cache of finished pieces, with a limit: a view, or a later map, need not embed the same ground again."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gfm_core.embedding.pieces import SUFFIX, PieceStore
from gfm_core.errors import OutputError
from gfm_core.whole import write_whole

DEFAULT_LIMIT_MB = 2048

_LIMIT_VARIABLE = "GFM_CACHE_MB"  # 0 = no cache
_LIMIT_FILE = "limit.json"
_PIECES = "pieces"


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


def pieces_folder() -> Path | None:
    """Where the cache's pieces lie."""
    place = cache_folder()
    return place / _PIECES if place is not None else None


@dataclass(frozen=True, slots=True)
class Cache:
    """Pieces of all runs under one folder, no more than `limit` bytes; the ones unused for longest go first."""

    folder: Path
    limit: int

    @classmethod
    def of_user(cls) -> Cache | None:
        """The user's cache; None if there is no place for it, or it is switched off."""
        place, limit = pieces_folder(), cache_limit_mb() * 1_000_000
        return cls(place, limit) if place is not None and limit > 0 else None

    def stores(self, keys: Mapping[str, str], bytes_needed: int) -> dict[str, PieceStore]:
        """Stores of a run that will hold so many bytes, a group each; none for one that would push all else out."""
        if bytes_needed > self.limit / 2:
            return {}
        stores = {group: PieceStore(self.folder / key[:2] / key) for group, key in keys.items()}
        with suppress(OSError):  # a cache that cannot be written holds nothing
            for store in stores.values():
                store.folder.mkdir(parents=True, exist_ok=True)
        return stores

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
