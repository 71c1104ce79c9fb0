"""What a map is made from: rasters (embedded on the way) or one embedding file, and the groups that they give."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gfm_core.embedding.file import EmbeddingFile, is_embedding, open_embedding, source_records
from gfm_core.embedding.make import Recipe, check_unchanged, make_embedding
from gfm_core.embedding.map_grid import CellFeatures, MapFeatures, StackFeatures, map_grid
from gfm_core.errors import ParameterError
from gfm_core.features.groups import band_positions
from gfm_core.parameters import GROUPS, HEADS, ClassifyParameters
from gfm_core.progress import Reporter, stop_if_asked
from gfm_core.raster.frame import Region
from gfm_core.raster.read import StackReader
from gfm_core.raster.stack import Constants, Stack, with_ring
from gfm_core.tools.embed import engine_of, plain_paths, stack_of, told_parameters
from gfm_core.tools.ready import Ready

_SAMPLE_TILE = 48  # pixels: the scene is sampled in squares of this side ...
_SAMPLE_TILES = 24  # ... so many of them at most, evenly spread
_PIECE = 256  # pixels: label pixels are read in squares of this side

Features = dict[str, NDArray[np.float32]]  # [n, columns] a group; a row of NaN where the group is absent

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class MapInputs:
    """Everything a map is made from. `told` is what a stored head needs to recognise its own kind of input."""

    features: MapFeatures
    sources: list[dict[str, Any]]
    notes: tuple[str, ...]
    told: dict[str, Any]

    def check_unchanged(self) -> None:
        """Raise `InputError` if a raster was written to, or vanished, since it was opened."""
        if isinstance(self.features, StackFeatures):
            check_unchanged(self.features.reader.stack)

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that the heads see."""
        return tuple(self.features.columns)

    def at(self, rows: NDArray[np.int64], cols: NDArray[np.int64], reporter: Reporter) -> Features:
        """Features of single map pixels, `[n, columns]` a group, and raw `bands` where `fine` is there."""
        found = {
            group: np.full((len(rows), len(columns)), np.nan, np.float32)
            for group, columns in self.features.columns.items()
        }
        pieces = np.unique(np.stack([rows // _PIECE, cols // _PIECE], axis=1), axis=0)
        for number, (piece_row, piece_col) in enumerate(pieces):
            chosen = np.flatnonzero((rows // _PIECE == piece_row) & (cols // _PIECE == piece_col))
            part = _around(rows[chosen], cols[chosen])
            for group, values in self.features.read(part).items():
                found[group][chosen] = values[:, rows[chosen] - part.row, cols[chosen] - part.col].T
            reporter.update((number + 1) / len(pieces), "reading labelled pixels")
        return with_bands(found, self.features)

    def sample(self) -> Features:
        """Features of pixels spread evenly over the map: what the scene looks like, labels apart."""
        height, width = self.features.grid.shape
        side = int(np.sqrt(_SAMPLE_TILES))
        rows = np.unique(np.linspace(0, max(height - _SAMPLE_TILE, 0), side).astype(int))
        cols = np.unique(np.linspace(0, max(width - _SAMPLE_TILE, 0), _SAMPLE_TILES // side).astype(int))
        parts: dict[str, list[NDArray[np.float32]]] = {group: [] for group in self.groups}
        for row in rows:
            for col in cols:
                stop_if_asked()
                part = Region(int(row), int(col), min(_SAMPLE_TILE, height), min(_SAMPLE_TILE, width))
                for group, values in self.features.read(part).items():
                    parts[group].append(values.reshape(len(values), -1).T)
        return with_bands({group: np.concatenate(items) for group, items in parts.items()}, self.features)


def _around(rows: NDArray[np.int64], cols: NDArray[np.int64]) -> Region:
    row, col = int(rows.min()), int(cols.min())
    return Region(row, col, int(rows.max()) - row + 1, int(cols.max()) - col + 1)


def with_bands(features: Features, source: MapFeatures) -> Features:
    """`features` and, as `bands`, the raw bands among the columns of `fine`: the floor that every map has to beat."""
    if "fine" not in features:
        return features
    return {**features, "bands": features["fine"][:, band_positions(source.columns["fine"])]}


def map_inputs(
    parameters: ClassifyParameters, scratch: Path, opened: ExitStack, reporter: Reporter, *, ready: Ready,
    constants: Constants | None,
) -> MapInputs:  # fmt: skip
    """Open what the parameters name, unless it is `ready`; rasters are embedded into the folder `scratch` first."""
    paths = plain_paths(parameters.rasters)
    embeddings = [path for path in paths if ready.stack is None and Path(path).is_file() and is_embedding(path)]
    if embeddings and len(paths) > 1:
        raise ParameterError(f"{Path(embeddings[0]).name} is an embedding; give it alone, or rasters alone.")
    if embeddings:
        return _from_embedding(open_embedding(embeddings[0]), parameters)
    stack = ready.stack or stack_of(parameters, constants)
    for note in stack.notes:
        logger.info(note)
    groups = _wanted(parameters, GROUPS)
    embedding = ready.embedding
    stored = tuple(group for group in groups if group != "fine")
    if stored and embedding is None:
        embedding = _embedded(parameters, with_ring(stack), stored, scratch, reporter, ready=ready)
    return _from_rasters(parameters, opened, stack, groups, embedding)


def _wanted(parameters: ClassifyParameters, there: tuple[str, ...]) -> tuple[str, ...]:
    """The groups asked for, in their fixed order; `auto` is all that the input gives."""
    if "auto" in parameters.groups:
        return there
    missing = [group for group in parameters.groups if group not in there]
    if missing:
        raise ParameterError(
            f"groups: the embedding holds no {missing[0]}, only {', '.join(there)}; embed again with it."
        )
    return tuple(group for group in GROUPS if group in parameters.groups)


def _from_embedding(embedding: EmbeddingFile, parameters: ClassifyParameters) -> MapInputs:
    groups = _wanted(parameters, tuple(embedding.groups))
    notes = ("Made from the embedding alone: the map has its cells, and per-pixel detail of the rasters is not used.",)
    logger.info(notes[0])
    for name, value in (("map_gsd", parameters.map_gsd), ("extent", parameters.extent), ("crs", parameters.crs)):
        if value is not None:
            raise ParameterError(f"{name} needs rasters; an embedding alone gives a map of all its cells.")
    size = embedding.lattice.cell_size
    if parameters.head in HEADS and parameters.cell_size not in (None, size):
        raise ParameterError(f"cell_size is {size:g} m in {embedding.path.name}; embed again for another one.")
    features = CellFeatures(embedding, groups)
    told = _told(features, embedding.model, embedding.constants, embedding.lattice.cell_size)
    return MapInputs(features, list(embedding.sources), notes, told)


def _embedded(
    parameters: ClassifyParameters, stack: Stack, groups: tuple[str, ...], scratch: Path, reporter: Reporter, *,
    ready: Ready,
) -> EmbeddingFile:  # fmt: skip
    """The stack's cell groups, embedded into the folder `scratch`."""
    loaded = ready.model_named(parameters.model) if "network" in groups else None
    recipe = Recipe(groups, "uint8", loaded, told_parameters(parameters, stack))
    engine = engine_of(parameters, loaded)
    return make_embedding(
        scratch / "embedding.tif", stack, recipe, engine, threads=parameters.threads, reporter=reporter
    )  # fmt: skip


def _from_rasters(
    parameters: ClassifyParameters, opened: ExitStack, stack: Stack, groups: tuple[str, ...],
    embedding: EmbeddingFile | None,
) -> MapInputs:  # fmt: skip
    grid = map_grid(stack, map_gsd=parameters.map_gsd)
    features = StackFeatures(opened.enter_context(StackReader(stack)), grid, groups, embedding)
    model = embedding.model if embedding is not None and "network" in groups else {}
    told = _told(features, model, stack.constants, stack.lattice.cell_size)
    return MapInputs(features, source_records(stack), stack.notes, told)


def _told(features: MapFeatures, model: dict[str, str], constants: Constants, cell_size: float) -> dict[str, Any]:
    return {
        "model": model,
        "cell_size": cell_size,
        "groups": {group: [column.name for column in columns] for group, columns in features.columns.items()},
        "normalisation": [
            {**key._asdict(), "bands": list(key.bands), **constant.to_dict()} for key, constant in constants.items()
        ],  # a list, as JSON gives it back
    }
