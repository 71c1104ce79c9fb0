"""What a Python caller may hand to a tool instead of file names: an opened stack, a loaded model, an embedding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from gfm_core.embedding.file import EmbeddingFile
from gfm_core.errors import ParameterError
from gfm_core.model.checkpoint import LoadedModel, load_model
from gfm_core.parameters import StackParameters
from gfm_core.raster.stack import Stack

if TYPE_CHECKING:
    from gfm_core.tools.live_map import LiveMap  # which stands on tools that read this file

P = TypeVar("P", bound=StackParameters)

Rasters = Stack | EmbeddingFile | Iterable[str | Path] | str | Path

_FIXED_BY_STACK = ("cell_size", "extent", "crs", "like")


@dataclass(frozen=True, slots=True)
class Ready:
    """What the caller has at hand already; `embedding` is that of the stack, in the groups that are wanted.

    `load` opens a model by the name that a user gave, `live` an embedding for previews; a process that lives long keeps
    them there.
    """

    stack: Stack | None = None
    model: LoadedModel | None = None
    embedding: EmbeddingFile | None = None
    load: Callable[[str], LoadedModel] = load_model
    live: Callable[[str], LiveMap] | None = None

    def model_named(self, name: str) -> LoadedModel:
        """The model at hand, whatever it is called, else the one called `name`."""
        return self.model or self.load(name)


NOTHING = Ready()


def from_call(cls: type[P], rasters: Rasters, output: str | Path, options: Mapping[str, Any]) -> tuple[P, Ready]:
    """A Python call as the tool's parameters, and what it brought along."""
    given = dict(options)
    stack = rasters if isinstance(rasters, Stack) else None
    fixed = next((name for name in _FIXED_BY_STACK if stack is not None and given.get(name) is not None), None)
    if fixed is not None:
        raise ParameterError(f"{fixed} cannot change an opened stack; give it to open_stack, or give the files.")
    model = given.get("model")
    loaded = model if isinstance(model, LoadedModel) else None
    if loaded is not None:
        given["model"] = loaded.name
    return cls(rasters=_paths(rasters), output=Path(output), **given), Ready(stack, loaded)


def _paths(rasters: Rasters) -> tuple[str, ...]:
    if isinstance(rasters, Stack):
        return tuple(str(path) for source in rasters.sources for path in source.files or (source.path,))
    if isinstance(rasters, EmbeddingFile):
        return (str(rasters.path),)
    if isinstance(rasters, str | Path):
        return (str(rasters),)
    return tuple(str(item) for item in rasters)
