"""Embeddings that stay in memory between previews."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gfm_core.tools.live_map import LiveMap  # torch: an environment without it must still answer

_Stamp = tuple[str, int, int]  # path, size, time of the last change in ns


class LiveMaps:
    """The embedding that was asked for last; a file that changed is opened anew."""

    def __init__(self) -> None:
        self._kept: tuple[_Stamp, LiveMap] | None = None

    def open(self, path: str) -> LiveMap:
        """The live map of the embedding at `path`."""
        from gfm_core.tools.live_map import LiveMap

        stamp = _stamp(path)
        if self._kept is None or self._kept[0] != stamp:
            self._kept = None  # before the next is opened: each holds a few hundred MB
            made = LiveMap.open(path)
            if stamp is None:
                return made
            self._kept = (stamp, made)
        return self._kept[1]


def _stamp(path: str) -> _Stamp | None:
    try:
        state = Path(path).stat()
    except (OSError, ValueError):
        return None
    return str(Path(path).resolve()), state.st_size, state.st_mtime_ns
