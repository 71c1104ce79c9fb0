"""Where the tools that answer from cells begin: the embedding they were given, or one made of the rasters first."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gfm_core.embedding.file import EmbeddingFile
from gfm_core.embedding.make import check_unchanged
from gfm_core.errors import LabelError, ParameterError
from gfm_core.labels.burn import burn
from gfm_core.labels.pixels import LabelPixels
from gfm_core.labels.read import VectorLabels
from gfm_core.parameters import GROUPS, CellParameters
from gfm_core.progress import Reporter
from gfm_core.raster.ground import as_crs
from gfm_core.raster.stack import Stack
from gfm_core.raster.write import BlockRowWriter, Outputs
from gfm_core.tools.embed import stack_of
from gfm_core.tools.on_the_way import embed_on_the_way, given_embedding
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
    given = given_embedding(parameters, ready)
    if given is not None:
        return Cells(_checked(given, parameters))
    constants, lattice = (like.constants, like.lattice) if like is not None else (None, None)
    stack = ready.stack or stack_of(parameters, constants, lattice)
    for note in stack.notes:
        logger.info(note)
    groups = tuple(like.groups) if like is not None else _groups(parameters)
    scratch = outputs.partial(outputs.targets[0]).parent / "scratch"
    scratch.mkdir(exist_ok=True)
    path = scratch / f"embedding_{len(list(scratch.iterdir()))}.tif"
    return Cells(embed_on_the_way(path, parameters, stack, groups, reporter, ready=ready), stack)


def _groups(parameters: CellParameters) -> tuple[str, ...]:
    """The groups that are embedded: all of them, or those asked for, in their fixed order."""
    return tuple(group for group in GROUPS if "auto" in parameters.groups or group in parameters.groups)


def asked_groups(parameters: CellParameters, best: Sequence[str] = ()) -> tuple[str, ...]:
    """The groups to look at, for `CellSpace.of`; for `auto` the `best` of them, or all."""
    return tuple(best) if "auto" in parameters.groups else parameters.groups


def _checked(embedding: EmbeddingFile, parameters: CellParameters) -> EmbeddingFile:
    """A given embedding, unless the parameters want another grid than its own."""
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
