"""What a map is made from: rasters (embedded on the way) or one embedding file, and the groups that they give."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gfm_core.bands import Band, BandKind, Normalisation
from gfm_core.embedding.derived import DerivedFeatures
from gfm_core.embedding.file import EmbeddingFile, source_records
from gfm_core.embedding.make import check_unchanged
from gfm_core.embedding.map_grid import CellFeatures, MapFeatures, StackFeatures, map_grid
from gfm_core.errors import ParameterError
from gfm_core.features.groups import band_positions
from gfm_core.features.indices import SensorBands, find_indices
from gfm_core.features.prototypes import SOURCES, Prototypes
from gfm_core.heads.scene import SceneFacts, flat
from gfm_core.heads.validate import RAW_BANDS
from gfm_core.parameters import DERIVED, GROUPS, HEADS, MAP_GROUPS, ClassifyParameters
from gfm_core.progress import Reporter, stop_if_asked
from gfm_core.raster.frame import Region
from gfm_core.raster.read import StackReader
from gfm_core.raster.stack import Constants, Stack, with_ring
from gfm_core.tools.embed import stack_of
from gfm_core.tools.on_the_way import embed_on_the_way, given_embedding
from gfm_core.tools.ready import Ready

_SAMPLE_TILE = 48  # pixels: the scene is sampled in squares of this side ...
_SAMPLE_TILES = 24  # ... so many of them at most, evenly spread
_NEAR_PIXELS, _NEAR_CELLS = 4, 2  # see `MapInputs.near`; a cell is two pixels unless asked otherwise
_PIECE = 256  # pixels: label pixels are read in squares of this side

Sensors = Iterable[SensorBands]
Features = dict[str, NDArray[np.float32]]  # [n, columns] a group; a row of NaN where the group is absent

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class MapInputs:
    """Everything a map is made from.

    `near`: pixels of the map over which neighbours tell of the same place. `stack` is None for an embedding alone.
    """

    features: DerivedFeatures
    sources: list[dict[str, Any]]
    notes: tuple[str, ...]
    near: int
    model: dict[str, str]
    cell_size: float
    constants: Constants
    stack: Stack | None = None

    @property
    def told(self) -> dict[str, Any]:
        """What a stored head needs to recognise its own kind of input."""
        return {
            "model": self.model,
            "cell_size": self.cell_size,
            "groups": {group: [column.name for column in found] for group, found in self.features.columns.items()},
            "normalisation": [
                {**key._asdict(), "bands": list(key.bands), **constant.to_dict()}
                for key, constant in self.constants.items()
            ],  # a list, as JSON gives it back
        }

    def check_unchanged(self) -> None:
        """Raise `InputError` if a raster was written to, or vanished, since it was opened."""
        if self.stack is not None:
            check_unchanged(self.stack)

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that the heads see."""
        return tuple(self.features.columns)

    def knowing(self, prototypes: Prototypes | None) -> MapInputs:
        """The same with the prototypes of a stored head."""
        return replace(self, features=self.features.knowing(prototypes))

    def look(self) -> tuple[MapInputs, SceneFacts]:
        """The scene without its labels: the inputs with prototypes, if they are wanted, and what heads need to know."""
        return self._looked

    @cached_property
    def _looked(self) -> tuple[MapInputs, SceneFacts]:
        stored = self._squares()
        source = self
        if "prototypes" in self.features.groups:
            found = Prototypes.fit({group: flat(values) for group, values in stored.items() if group in SOURCES})
            source = self.knowing(found)
        squares = [
            source.features.with_derived({group: values[number] for group, values in stored.items()})
            for number in range(len(next(iter(stored.values()))))
        ]
        groups = {group: np.stack([square[group] for square in squares]) for group in source.features.columns}
        return source, SceneFacts.of(with_bands(groups, source.features), apart=self.near)

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
            inside = rows[chosen] - part.row, cols[chosen] - part.col
            for group, values in self.features.read_at(part, inside).items():
                found[group][chosen] = values.T
            reporter.update((number + 1) / len(pieces), "reading labelled pixels")
        return with_bands(found, self.features)

    def _squares(self) -> dict[str, NDArray[np.float32]]:
        """Squares spread evenly over the map, `[squares, columns, h, w]` a stored group."""
        height, width = self.features.grid.shape
        side = int(np.sqrt(_SAMPLE_TILES))
        rows = np.unique(np.linspace(0, max(height - _SAMPLE_TILE, 0), side).astype(int))
        cols = np.unique(np.linspace(0, max(width - _SAMPLE_TILE, 0), _SAMPLE_TILES // side).astype(int))
        parts: list[dict[str, NDArray[np.float32]]] = []
        for row in rows:
            for col in cols:
                stop_if_asked()
                part = Region(int(row), int(col), min(_SAMPLE_TILE, height), min(_SAMPLE_TILE, width))
                parts.append(self.features.base.read(part))
        return {group: np.stack([part[group] for part in parts]) for group in parts[0]}


def _around(rows: NDArray[np.int64], cols: NDArray[np.int64]) -> Region:
    row, col = int(rows.min()), int(cols.min())
    return Region(row, col, int(rows.max()) - row + 1, int(cols.max()) - col + 1)


def with_bands(features: Features, source: MapFeatures) -> Features:
    """`features` `[n, columns, ...]` and, as `bands`, the raw bands among `fine`: the floor that maps have to beat."""
    if "fine" not in features:
        return features
    return {**features, RAW_BANDS: features["fine"][:, band_positions(source.columns["fine"])]}


def map_inputs(
    parameters: ClassifyParameters, scratch: Path, opened: ExitStack, reporter: Reporter, *, ready: Ready,
    constants: Constants | None,
) -> MapInputs:  # fmt: skip
    """Open what the parameters name, unless it is `ready`; rasters are embedded into the folder `scratch` first."""
    given = given_embedding(parameters, ready)
    if given is not None:
        return from_embedding(given, parameters)
    stack = ready.stack or stack_of(parameters, constants)
    for note in stack.notes:
        logger.info(note)
    groups = _wanted(parameters, GROUPS)
    embedding = ready.embedding
    cells = tuple(group for group in _stored(groups, GROUPS) if group != "fine")
    if cells and embedding is None:
        reach = math.ceil(_NEAR_PIXELS * (parameters.map_gsd or stack.finest.gsd) / stack.lattice.cell_size)
        wide = with_ring(stack, reach + 1)
        embedding = embed_on_the_way(scratch / "embedding.tif", parameters, wide, cells, reporter, ready=ready)
    return _from_rasters(parameters, opened, stack, groups, embedding)


def _wanted(parameters: ClassifyParameters, there: tuple[str, ...]) -> tuple[str, ...]:
    """The groups asked for, in their fixed order; `auto` is all that the stored groups `there` give."""
    possible = {*there, *(group for group, needed in DERIVED.items() if any(one in there for one in needed))}
    if "auto" in parameters.groups:
        return tuple(group for group in MAP_GROUPS if group in possible)
    for group in parameters.groups:
        if group not in possible:
            raise ParameterError(
                f"groups: the embedding holds no {' or '.join(DERIVED.get(group, (group,)))}, only "
                f"{', '.join(there)}; embed again with it."
            )
    return tuple(group for group in MAP_GROUPS if group in parameters.groups)


def _stored(groups: tuple[str, ...], there: tuple[str, ...]) -> tuple[str, ...]:
    """The stored groups that are read for `groups`: their own, and what the derived ones are made from."""
    needed = {one for group in groups for one in DERIVED.get(group, (group,))}
    return tuple(group for group in there if group in needed)


def _derived(
    base: MapFeatures, groups: tuple[str, ...], parameters: ClassifyParameters, sensors: Sensors
) -> DerivedFeatures:
    """The groups with the indices that the bands allow; raises `ParameterError` if nothing is left."""
    indices = find_indices(base.columns["fine"], sensors) if "indices" in groups else ()
    if "indices" in parameters.groups and not indices:
        raise ParameterError(
            "groups: indices need two bands of known wavelength in one raster; leave them out, or say what the bands "
            "are with FILE:as=SENSOR."
        )
    return DerivedFeatures(base, groups, indices)


def from_embedding(embedding: EmbeddingFile, parameters: ClassifyParameters) -> MapInputs:
    """A map on the cells of `embedding`, nothing else."""
    groups = _wanted(parameters, tuple(embedding.groups))
    notes = ("Made from the embedding alone: the map has its cells, and per-pixel detail of the rasters is not used.",)
    logger.info(notes[0])
    for name, value in (("map_gsd", parameters.map_gsd), ("extent", parameters.extent), ("crs", parameters.crs)):
        if value is not None:
            raise ParameterError(f"{name} needs rasters; an embedding alone gives a map of all its cells.")
    size = embedding.lattice.cell_size
    if parameters.head in HEADS and parameters.cell_size not in (None, size):
        raise ParameterError(f"cell_size is {size:g} m in {embedding.path.name}; embed again for another one.")
    base = CellFeatures(embedding, _stored(groups, tuple(embedding.groups)))
    features = _derived(base, groups, parameters, _recorded_sensors(embedding))
    return MapInputs(
        features, list(embedding.sources), notes, _NEAR_CELLS, embedding.model, embedding.lattice.cell_size,
        embedding.constants,
    )  # fmt: skip


def _from_rasters(
    parameters: ClassifyParameters, opened: ExitStack, stack: Stack, groups: tuple[str, ...],
    embedding: EmbeddingFile | None,
) -> MapInputs:  # fmt: skip
    grid = map_grid(stack, map_gsd=parameters.map_gsd)
    reader = opened.enter_context(StackReader(stack))
    base = StackFeatures(reader, grid, _stored(groups, GROUPS), embedding)
    sensors = [SensorBands(item.name, len(item.dates), item.bands, item.normalisation) for item in stack.modalities]
    features = _derived(base, groups, parameters, sensors)
    model = embedding.model if embedding is not None and "network" in groups else {}
    return MapInputs(
        features, source_records(stack), stack.notes, _NEAR_PIXELS, model, stack.lattice.cell_size, stack.constants,
        stack,
    )  # fmt: skip


def _recorded_sensors(embedding: EmbeddingFile) -> list[SensorBands]:
    """What an embedding tells of the bands behind its columns."""
    dates: dict[str, set[str | None]] = {}
    bands: dict[str, list[dict[str, Any]]] = {}
    for record in embedding.sources:
        dates.setdefault(record["modality"], set()).add(record["date"])
        bands.setdefault(record["modality"], record["bands"])  # of a modality, the first source's
    return [
        SensorBands(
            name, len(dates[name]),
            [Band(band["name"], BandKind(band["kind"]), band["wavelength_nm"]) for band in found],
            [Normalisation(**band["normalisation"]) for band in found],
        )
        for name, found in bands.items()
    ]  # fmt: skip
