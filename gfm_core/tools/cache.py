"""Cache: what earlier runs left for later ones, in the user's cache and beside outputs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from gfm_core.embedding.cache import Cache, cache_folder, cache_limit_mb, pieces_folder
from gfm_core.embedding.journal import known_journals
from gfm_core.embedding.pieces import SUFFIX
from gfm_core.errors import OutputError
from gfm_core.hidden import HiddenFolder, is_held


@dataclass(frozen=True, slots=True)
class InterruptedRun:
    """A journal that waits for the same command: its `output`, how much it holds, whether a run is at it now."""

    output: str
    bytes: int
    pieces: int
    running: bool


@dataclass(frozen=True, slots=True)
class CacheState:
    """What is kept: the cache's folder (None for a user without a home), size and limit, and interrupted runs."""

    folder: str | None
    bytes: int
    pieces: int
    limit_mb: int
    interrupted: tuple[InterruptedRun, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def cache_state() -> CacheState:
    """What the cache and the journals that are known hold."""
    place = cache_folder()
    cache = _user_cache()
    files = cache.files() if cache is not None else []
    runs = []
    for folder, outputs in known_journals():
        sizes = [path.stat().st_size for path in folder.rglob(f"*{SUFFIX}")]
        runs.append(InterruptedRun(str(outputs[0]), sum(sizes), len(sizes), is_held(folder.parent)))
    return CacheState(
        folder=str(place) if place else None, bytes=sum(size for _, size, _ in files), pieces=len(files),
        limit_mb=cache_limit_mb(), interrupted=tuple(runs),
    )  # fmt: skip


def empty_cache() -> None:
    """Remove every piece of the cache."""
    cache = _user_cache()
    if cache is not None:
        cache.empty()


def discard_interrupted() -> None:
    """Remove what interrupted runs left beside their outputs, but not of a run that is at work."""
    for _, outputs in known_journals():
        for output in outputs:
            with suppress(OutputError):  # held by another run, or on a disk that cannot be written now
                HiddenFolder.claim(output).release()


def _user_cache() -> Cache | None:
    """The cache whatever its limit is: a limit of 0 leaves what was there before."""
    place = pieces_folder()
    return Cache(place, cache_limit_mb() * 1_000_000) if place is not None else None
