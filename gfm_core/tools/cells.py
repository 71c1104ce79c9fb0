"""Where the tools that answer from cells begin: the embedding they were given, or one made of the rasters first."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gfm_core.embedding.file import EmbeddingFile, is_embedding, open_embedding
from gfm_core.embedding.make import Recipe, check_unchanged, kept_for, make_embedding
from gfm_core.errors import LabelError, ParameterError
from gfm_core.labels.burn import burn
from gfm_core.labels.pixels import LabelPixels
from gfm_core.labels.read import VectorLabels
from gfm_core.parameters import GROUPS, CellParameters
from gfm_core.progress import Reporter
from gfm_core.raster.ground import as_crs
from gfm_core.raster.stack import Stack
from gfm_core.raster.write import BlockRowWriter, Outputs
from gfm_core.tools.embed import engine_of, plain_paths, stack_of, told_parameters
from gfm_core.tools.ready import Ready

EVERY = 200_000  # labelled cells that are looked at

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Cells:
    """An embedding, and the stack that it was made of just now (None: it was given)."""

    embedding: EmbeddingFile
    stack: Stack | None = None

    def check_unchanged(self) -> None:
        """Raise `InputError` if a raster was written to, or vanished, since it was opened."""
        if self.stack is not None:
            check_unchanged(self.stack)

    @property
    def place(self) -> dict[str, Any]:
        """What `BlockRowWriter` needs for a raster of the same cells."""
        lattice, cells = self.embedding.lattice, self.embedding.cells
        return {
            "shape": cells.shape, "crs": as_crs(lattice.crs).to_wkt(), "transform": lattice.transform(cells),
        }  # fmt: skip

    def burnt(self, labels: VectorLabels) -> LabelPixels:
        """The cells that places cover; what was left out is said."""
        place = self.place
        pixels = burn(labels, place["transform"], place["crs"], place["shape"], per_class=EVERY)
        for note in pixels.notes:
            logger.info(note)
        return pixels


def cells_of(
    parameters: CellParameters, outputs: Outputs, reporter: Reporter, ready: Ready, *, like: EmbeddingFile | None = None
) -> Cells:
    """The cells that the parameters name; rasters are embedded beside the outputs, which takes them away again.

    `like` is an embedding of the same ground whose cells, groups, model and normalisation are wanted.
    """
    paths = plain_paths(parameters.rasters)
    given = [path for path in paths if ready.stack is None and Path(path).is_file() and is_embedding(path)]
    if given and len(paths) > 1:
        raise ParameterError(f"{Path(given[0]).name} is an embedding; give it alone, or rasters alone.")
    if given:
        return Cells(_given(parameters, open_embedding(given[0])))
    constants, lattice = (like.constants, like.lattice) if like is not None else (None, None)
    stack = ready.stack or stack_of(parameters, constants, lattice)
    for note in stack.notes:
        logger.info(note)
    groups = tuple(like.groups) if like is not None else _groups(parameters)
    loaded = ready.model_named(parameters.model) if "network" in groups else None
    told = replace(parameters, groups=groups)
    recipe = Recipe(groups, "uint8", loaded, told_parameters(told, stack))
    engine = engine_of(parameters, loaded)
    scratch = outputs.partial(outputs.targets[0]).parent / "scratch"
    scratch.mkdir(exist_ok=True)
    embedding = make_embedding(
        scratch / f"embedding_{len(list(scratch.iterdir()))}.tif", stack, recipe, engine, threads=parameters.threads,
        reporter=reporter, kept=kept_for(stack, recipe, engine), overviews=False,
    )  # fmt: skip
    return Cells(embedding, stack)


def _groups(parameters: CellParameters) -> tuple[str, ...]:
    """The groups that are embedded: all of them, or those asked for, in their fixed order."""
    return tuple(group for group in GROUPS if "auto" in parameters.groups or group in parameters.groups)


def asked_groups(parameters: CellParameters, best: Sequence[str] = ()) -> tuple[str, ...]:
    """The groups to look at, for `CellSpace.of`; for `auto` the `best` of them, or all."""
    return tuple(best) if "auto" in parameters.groups else parameters.groups


def _given(parameters: CellParameters, embedding: EmbeddingFile) -> EmbeddingFile:
    for name, value in (("extent", parameters.extent), ("crs", parameters.crs)):
        if value is not None:
            raise ParameterError(f"{name} needs rasters; an embedding alone is taken with all of its cells.")
    if parameters.cell_size not in (None, embedding.lattice.cell_size):
        raise ParameterError(
            f"cell_size is {embedding.lattice.cell_size:g} m in {embedding.path.name}; embed again for another one."
        )
    return embedding


def with_data(known: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Numbers of the labelled cells that hold data; raises LabelError if there is none."""
    if not known.any():
        raise LabelError("No labelled cell holds data; give places where the rasters do.")
    if not known.all():
        logger.info("%d labelled cells hold no data and were left out.", int((~known).sum()))
    return np.flatnonzero(known)


@contextmanager
def raster_of(path: Path, cells: Cells, *, bands: Sequence[str], dtype: str, nodata: float) -> Iterator[BlockRowWriter]:
    """A new raster of the same cells with described bands."""
    dense = dtype == "float32"  # numbers of many digits: a third of the time to pack
    with BlockRowWriter(path, bands=len(bands), dtype=dtype, nodata=nodata, dense=dense, **cells.place) as writer:
        writer.dataset.descriptions = tuple(bands)
        yield writer
