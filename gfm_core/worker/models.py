"""Models that stay in memory between requests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gfm_core.assets import model_files

if TYPE_CHECKING:
    from gfm_core.model.checkpoint import LoadedModel  # torch: an environment without it must still answer

_KEPT = 2

Stamp = tuple[str, int, int]  # path, size, time of the last change in ns


class Models:
    """The last few models by the name that was asked for; a file that changed is loaded anew."""

    def __init__(self) -> None:
        self._models: dict[str, tuple[Stamp | None, LoadedModel]] = {}

    def load(self, name: str) -> LoadedModel:
        """The model called `name` (see `load_model`)."""
        from gfm_core.model.checkpoint import load_model

        stamp = _stamp(name)
        kept = self._models.pop(name, None)
        if kept is None or stamp is None or kept[0] != stamp:
            kept = (stamp, load_model(name))
        self._models[name] = kept
        while len(self._models) > _KEPT:
            del self._models[next(iter(self._models))]
        return kept[1]


def _stamp(name: str) -> Stamp | None:
    """What tells one state of a model's file from the next; None if there is no such file."""
    from gfm_core.model.checkpoint import BEST

    path = model_files().get(name) or Path(name)
    try:
        path = path / BEST if path.is_dir() else path
    except (OSError, ValueError):  # a folder that may not be looked into
        return None
    return stamp_of(path)


def stamp_of(path: Path) -> Stamp | None:
    """What tells one state of a file from the next; None if there is no such file."""
    try:
        state = path.stat()
    except (OSError, ValueError):
        return None
    return str(path.resolve()), state.st_size, state.st_mtime_ns
