"""The embedding that a tool was given instead of rasters, or makes of its rasters on the way to an answer."""

from __future__ import annotations

from pathlib import Path

from gfm_core.embedding.file import EmbeddingFile, is_embedding, open_embedding
from gfm_core.embedding.make import Recipe, kept_for, make_embedding
from gfm_core.errors import ParameterError
from gfm_core.parameters import StackParameters
from gfm_core.progress import Reporter
from gfm_core.raster.stack import Stack
from gfm_core.tools.embed import engine_of, plain_paths, told_parameters
from gfm_core.tools.ready import Ready


def given_embedding(parameters: StackParameters, ready: Ready) -> EmbeddingFile | None:
    """The one embedding that stands in place of rasters; None for rasters, `ParameterError` for a mixture."""
    paths = plain_paths(parameters.rasters)
    found = [path for path in paths if ready.stack is None and Path(path).is_file() and is_embedding(path)]
    if found and len(paths) > 1:
        raise ParameterError(f"{Path(found[0]).name} is an embedding; give it alone, or rasters alone.")
    return open_embedding(found[0]) if found else None


def embed_on_the_way(
    path: Path, parameters: StackParameters, stack: Stack, groups: tuple[str, ...], reporter: Reporter, *, ready: Ready
) -> EmbeddingFile:
    """The stack's `groups` in a file that nobody keeps; pieces come from the user's cache and go there."""
    loaded = ready.model_named(parameters.model) if "network" in groups else None
    recipe = Recipe(groups, "uint8", loaded, told_parameters(parameters, stack))
    engine = engine_of(parameters, loaded)
    return make_embedding(
        path, stack, recipe, engine, threads=parameters.threads, reporter=reporter,
        kept=kept_for(stack, recipe, engine), overviews=False,
    )  # fmt: skip
