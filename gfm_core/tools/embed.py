"""Embed: rasters of one place → an embedding file with a vector for every ground cell."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from gfm_core.assets import model_files
from gfm_core.embedding.file import EmbeddingFile, is_embedding, open_embedding
from gfm_core.embedding.journal import remember_journal
from gfm_core.embedding.kept import Kept
from gfm_core.embedding.make import Recipe, kept_for
from gfm_core.embedding.pipeline import Engine
from gfm_core.errors import CheckpointError, ParameterError
from gfm_core.grid import Lattice
from gfm_core.model.checkpoint import LoadedModel
from gfm_core.model.device import resolve_device
from gfm_core.model.precision import resolve_precision
from gfm_core.parameters import EmbedParameters, StackParameters, parameters_of
from gfm_core.progress import CancelCheck, Interrupted, ProgressCallback, Reporter
from gfm_core.raster.ground import as_crs
from gfm_core.raster.plausible import doubts
from gfm_core.raster.stack import Constants, Stack, finest_cells, open_stack
from gfm_core.raster.write import Outputs
from gfm_core.tools.call import described_by
from gfm_core.tools.embed_write import Making, output_folders, output_paths, write_embedding
from gfm_core.tools.ready import NOTHING, Rasters, Ready, from_call

logger = logging.getLogger(__name__)


@described_by(EmbedParameters)
def embed(
    rasters: Rasters,
    output: str | Path,
    *,
    progress: ProgressCallback | None = None,
    cancel: CancelCheck | None = None,
    **options: Any,
) -> EmbeddingFile:
    """Embed rasters of one place (paths, or a stack from `open_stack`) and return the file.

    Raises `GfmError` with one sentence where something cannot work; then nothing is left behind.
    """
    parameters, ready = from_call(EmbedParameters, rasters, output, options)
    return run_embed(parameters, Reporter(progress, cancel), ready)


def run_embed(parameters: EmbedParameters, reporter: Reporter, ready: Ready = NOTHING) -> EmbeddingFile:
    """The tool itself, for the command line, the worker and `embed`."""
    parameters, constants, like = _like(parameters)
    _refuse_embeddings(parameters)
    inputs = [*read_files(parameters), *filter(None, (parameters.like,))]
    with (
        reporter.listening(),
        Outputs(
            output_paths(parameters), folders=output_folders(parameters), inputs=inputs, overwrite=parameters.overwrite
        ) as outputs,
    ):
        stack = ready.stack or stack_of(parameters, constants)
        for note in stack.notes:
            logger.info(note)
        network = "network" in parameters.groups
        model = ready.model_named(parameters.model) if network else None
        _check_same_model(like, model)
        recipe = Recipe(parameters.groups, parameters.dtype, model, told_parameters(parameters, stack))
        engine = engine_of(parameters, model)
        journal = outputs.journal(parameters.output)
        remember_journal(journal, outputs.targets)
        with going_on():
            if parameters.scheduler is None:
                kept, rest = kept_for(stack, recipe, engine, journal=journal), reporter
            else:
                kept = fill_on_cluster(parameters, stack, recipe, journal, reporter.step(0, 0.9))
                rest = reporter.step(0.9, 1)
            write_embedding(parameters, outputs, stack, Making(recipe, engine, kept), rest)
        reporter.check()  # the last moment at which nothing has been written yet
    return open_embedding(parameters.output)


def fill_on_cluster(
    parameters: EmbedParameters, stack: Stack, recipe: Recipe, journal: Path, reporter: Reporter
) -> Kept:
    """The journal with every piece, made by the workers of the scheduler that the parameters name."""
    from gfm_core.tools.dask_cluster import Work, fill_journal

    assert parameters.scheduler is not None
    told = {"precision": recipe.parameters.get("precision", parameters.precision)}
    model = recipe.model
    if model is not None:
        told["model"] = model.name if model.name in model_files() else str(model.path.absolute())
    work = Work(stack, replace(parameters, **told), journal.absolute())
    return fill_journal(work, recipe, parameters.scheduler, reporter)


@contextmanager
def going_on() -> Iterator[None]:
    """Within, an interrupt says that what was done is kept."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted("Stopped; the same command goes on from here (gfm cache lists what waits).") from None


def _refuse_embeddings(parameters: EmbedParameters) -> None:
    for path in plain_paths(parameters.rasters):
        if Path(path).is_file() and is_embedding(path):
            raise ParameterError(f"{Path(path).name} is an embedding already; give the rasters that it was made from.")


def stack_of(parameters: StackParameters, constants: Constants | None = None, lattice: Lattice | None = None) -> Stack:
    """The stack that a tool's parameters describe; what is implausible in its numbers is said."""
    stack = open_stack(
        parameters.rasters, cell_size=parameters.cell_size, extent=parameters.extent, crs=parameters.crs,
        constants=constants, lattice=lattice,
    )  # fmt: skip
    found = doubts(stack)
    for doubt in found:
        logger.warning(doubt)
    return replace(stack, doubts=found)


def engine_of(parameters: StackParameters, model: LoadedModel | None) -> Engine | None:
    """The network where and how the parameters want it."""
    if model is None:
        return None
    device = resolve_device(parameters.device)
    return Engine(model.encoder.to(device), device, resolve_precision(parameters.precision, device), parameters.batch)


def told_parameters(parameters: StackParameters, stack: Stack) -> dict[str, Any]:
    """The parameters that the tags tell; the rasters stand there as sources, in canonical order.

    Those of the grid are what they came to in `stack`, however it was opened; `precision` is the one that `auto` came
    to on this machine, for it changes pixels.
    """
    told = {name: value for name, value in parameters.provenance().items() if name != "rasters"}
    lattice = stack.lattice
    told |= {
        "cell_size": float(lattice.cell_size),
        "crs": as_crs(lattice.crs).to_string(),
        "extent": _told_extent(stack),
    }
    if "network" in told["groups"] or "auto" in told["groups"]:
        dtype = resolve_precision(parameters.precision, resolve_device(parameters.device))
        told["precision"] = "float32" if dtype.itemsize == 4 else "bf16"
    return told


def _told_extent(stack: Stack) -> str | None:
    """The extent that gives the cells of `stack` again, None for all of the finest raster."""
    whole = finest_cells(stack)
    if stack.cells == whole:
        return None
    if stack.cells.intersection(whole) != stack.cells:
        return "union"
    return ",".join(repr(edge) for edge in stack.lattice.bounds(stack.cells).as_tuple())


def plain_paths(rasters: Iterable[str]) -> list[str]:
    """Raster arguments without what follows the file name (`:as=...`)."""
    from gfm_core.raster.argument import parse_argument

    return [parse_argument(item).path for item in rasters]


def read_files(parameters: StackParameters) -> list[str]:
    """What a tool reads: rasters, the model, the layer of the extent. None of them may be written to."""
    others = [item for item in (parameters.model, parameters.extent or "") if _is_file(item)]
    return [*plain_paths(parameters.rasters), *others]


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except OSError:  # too long for a name: an extent with its CRS written out
        return False


def _like(parameters: EmbedParameters) -> tuple[EmbedParameters, Constants | None, EmbeddingFile | None]:
    """`--like`: the cell size, groups, storage, model and normalisation of another embedding.

    A model or precision that is asked for stays: the file may have moved since. Raises `ParameterError` where another
    grid or storage than the file's is asked for.
    """
    if parameters.like is None:
        return parameters, None, None
    other = open_embedding(parameters.like)
    defaults = {info.name: info.default for info in parameters_of(EmbedParameters)}
    told = {
        name: other.parameters[name]
        for name in ("model", "precision")
        if name in other.parameters and getattr(parameters, name) == defaults[name]
    }
    fixed: dict[str, Any] = {"cell_size": other.lattice.cell_size, "groups": tuple(other.groups), "dtype": other.dtype}
    for name, value in fixed.items():
        if getattr(parameters, name) not in (defaults[name], value):
            raise ParameterError(
                f"{name} is {_text(value)} in {other.path.name}, not {_text(getattr(parameters, name))}; "
                f"leave {name} out, or like."
            )
    return replace(parameters, **fixed, **told), other.constants, other


def _text(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else f"{value:g}" if isinstance(value, float) else str(value)


def _check_same_model(like: EmbeddingFile | None, model: LoadedModel | None) -> None:
    if like is not None and model is not None and like.model.get("sha256") != model.sha256:
        raise CheckpointError(
            f"{like.path.name} was made by model {like.model.get('name')} ({like.model.get('sha256', '')[:12]}), and "
            f"{model.name} here is {model.sha256[:12]}; give the same model with --model."
        )
