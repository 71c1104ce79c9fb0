"""Embeddings that stay in memory between previews."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gfm_core.worker.models import Stamp, stamp_of

if TYPE_CHECKING:
    from gfm_core.tools.live_map import LiveMap  # torch: an environment without it must still answer


class LiveMaps:
    """The embedding that was asked for last; a file that changed is opened anew."""

    def __init__(self) -> None:
        self._kept: tuple[Stamp, LiveMap] | None = None

    def open(self, path: str) -> LiveMap:
        """The live map of the embedding at `path`."""
        from gfm_core.tools.live_map import LiveMap

        stamp = stamp_of(Path(path))
        if self._kept is None or self._kept[0] != stamp:
            self._kept = None  # before the next is opened: each holds a few hundred MB
            made = LiveMap.open(path)
            if stamp is None:
                return made
            self._kept = (stamp, made)
        return self._kept[1]

    def look(self, path: str) -> None:
        """All that the first preview of an embedding needs beside labels: libraries, and a look at its scene."""
        import gfm_core.tools.preview  # noqa: F401 - loads them

        self.open(path).look()
