"""Change: two embeddings of one place → how much each cell changed, and what changed as polygons."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from gfm_core.answers.change import ChangeModel, change_threshold
from gfm_core.answers.regions import Regions, find_regions
from gfm_core.classes import MapClass
from gfm_core.embedding.file import EmbeddingFile
from gfm_core.embedding.space import CellSpace, Vectors, squares_of
from gfm_core.errors import InputError, NoOverlapError
from gfm_core.features.groups import narrow_positions
from gfm_core.grid import CellRange
from gfm_core.heads.store import load_head
from gfm_core.parameters import ChangeParameters
from gfm_core.progress import Reporter
from gfm_core.raster.finish import add_overviews
from gfm_core.raster.ground import same_crs
from gfm_core.raster.write import Outputs
from gfm_core.report.style import write_outline_style, write_ramp_style
from gfm_core.tools.call import call_of
from gfm_core.tools.cells import Cells, asked_groups, cells_of, raster_of
from gfm_core.tools.embed import plain_paths, read_files
from gfm_core.tools.head_on_cells import classes_of_cells
from gfm_core.tools.layers import write_layer
from gfm_core.tools.ready import NOTHING, Ready

# Of `fine` only what looks no further than the next pixel: wider windows see a change beyond its edge, and `coarse` and
# `network`, which look further still, add nothing on marked changes (docs/experiments.md).
_BEST = "fine"
_SHOWN = 10.0  # standard deviations: the end of the ramp
_CELLS = 4  # the smallest change, unless told otherwise

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChangeMap:
    """Magnitude in standard deviations of unchanged ground (`path`), and `count` polygons above `threshold`.

    `area_m2` is the ground inside the polygons.
    """

    path: Path
    changes: Path
    count: int
    threshold: float
    area_m2: float


def run_change(parameters: ChangeParameters, reporter: Reporter, ready: Ready = NOTHING) -> ChangeMap:
    """The tool itself, for the command line, the worker and `change`."""
    head = load_head(Path(parameters.head)) if parameters.head is not None else None
    made = parameters.output
    changes = made.with_name(f"{made.stem}_changes.gpkg")
    inputs = [*read_files(parameters), *plain_paths(parameters.after), *filter(None, (parameters.head,))]
    with (
        reporter.listening(),
        Outputs([made, changes], inputs=inputs, overwrite=parameters.overwrite) as outputs,
    ):
        before = cells_of(parameters, outputs, reporter.step(0, 0.3), ready)
        after = cells_of(
            replace(parameters, rasters=parameters.after),
            outputs,
            reporter.step(0.3, 0.6),
            NOTHING,
            like=before.embedding,
        )
        pair = _Pair.of(before, after, parameters)
        reporter.update(0.6, "learning what differs everywhere")
        model = ChangeModel.fit(*pair.look())
        magnitude = _write(outputs.partial(made), parameters, pair, model, reporter.step(0.6, 0.85))
        threshold = parameters.threshold if parameters.threshold is not None else change_threshold(magnitude)
        kinds: _Kinds | None = None
        if head is not None:
            reporter.update(0.87, "telling what was there and is there")
            maps = [
                classes_of_cells(item.embedding, parameters, Path(parameters.head or ""), head) for item in pair.both
            ]
            kinds = _Kinds(head[0].classes, *maps)
        frame = _changes(magnitude, threshold, parameters, before, kinds)
        write_layer(outputs.partial(changes), frame, layer="changes", geometry_type="Polygon")
        write_outline_style(outputs.partial(changes))
        before.check_unchanged()
        after.check_unchanged()
        area = float(frame["area_m2"].sum())
        logger.info(
            "%.4g ha changed by %.1f standard deviations or more, in %d places.", area / 1e4, threshold, len(frame)
        )
        reporter.update(1.0, "done")
    return ChangeMap(made, changes, len(frame), threshold, area)


change = call_of(ChangeParameters, run_change, "Find what changed on the ground between two dates.")


@dataclass(frozen=True, slots=True)
class _Pair:
    """Both dates in one space, `after` read at the addresses of `before`."""

    before: CellSpace
    after: CellSpace
    both: tuple[Cells, Cells]

    @classmethod
    def of(cls, before: Cells, after: Cells, parameters: ChangeParameters) -> _Pair:
        first, second = before.embedding, after.embedding
        _check_grid(first, second)
        best = [_BEST] if _BEST in first.groups and _BEST in second.groups else []
        narrow = {_BEST: narrow_positions(first.columns_of(_BEST))} if "auto" in parameters.groups and best else {}
        space = CellSpace.of(first, asked_groups(parameters, best), columns=narrow)
        return cls(*space.shared_with(second), (before, after))

    def read(self, cells: CellRange) -> tuple[Vectors, Vectors]:
        """Both dates of `cells` side by side; what the later one does not cover is not known."""
        return self.before.read(cells), self.after.read_within(cells)

    def look(self) -> tuple[Vectors, Vectors]:
        """Cells evenly spread over the scene that both dates know."""
        parts = [self.read(square) for square in squares_of(self.before.embedding.cells)]
        before, after = (Vectors.together([part[number] for part in parts]) for number in (0, 1))
        known = before.anywhere & after.anywhere
        if known.sum() < 2:
            raise NoOverlapError("No cell holds data on both dates; give rasters of the same ground.")
        return before.take(known), after.take(known)


def _check_grid(first: EmbeddingFile, second: EmbeddingFile) -> None:
    one, other = first.lattice, second.lattice
    fits = (one.cell_size, one.phase_x, one.phase_y) == (other.cell_size, other.phase_x, other.phase_y)
    if not fits or not same_crs(one.crs, other.crs):
        raise InputError(
            f"{first.path.name} and {second.path.name} lie on different grids of cells; embed the later date with "
            "--like the earlier one, or give the rasters of both."
        )
    if first.cells.intersection(second.cells) is None:
        raise NoOverlapError(
            f"{first.path.name} and {second.path.name} share no ground; give two dates of one place."
        )  # fmt: skip


def _write(
    path: Path, parameters: ChangeParameters, pair: _Pair, model: ChangeModel, reporter: Reporter
) -> NDArray[np.float32]:
    """Write the magnitude and return it, NaN where a date is not known."""
    cells = pair.both[0]
    magnitude = np.full(cells.embedding.cells.shape, np.nan, np.float32)
    strips = pair.before.strips(
        partial(_magnitude, model, pair), threads=parameters.threads, reporter=reporter,
        message="comparing the dates",
    )  # fmt: skip
    with raster_of(
        path, cells, bands=["change, standard deviations of unchanged ground"], dtype="float32", nodata=np.nan
    ) as writer:
        for row, strip in strips:
            magnitude[row : row + strip.shape[1]] = strip[0]
            writer.put(0, row, strip)
    add_overviews(path, categorical=False)
    write_ramp_style(path, 0, _SHOWN, unit=" sd")
    return magnitude


def _magnitude(model: ChangeModel, pair: _Pair, before: Vectors, cells: CellRange) -> NDArray[np.float32]:
    return model.magnitude(before, pair.after.read_within(cells))


@dataclass(frozen=True, slots=True)
class _Kinds:
    """What was there and what is there: class codes of both dates `[rows, cols]`."""

    classes: tuple[MapClass, ...]
    before: NDArray[np.uint16]
    after: NDArray[np.uint16]

    def codes(self) -> NDArray[np.int64]:
        """A number for each pair of kinds."""
        found: NDArray[np.int64] = 1 + self.before.astype(np.int64) * 65536 + self.after
        return found

    def names(self, regions: Regions) -> tuple[list[str], list[str]]:
        """Class names before and after of regions of one pair each."""
        name = {0: "", **{item.code: item.name for item in self.classes}}
        pairs = regions.codes - 1
        return [name[int(code)] for code in pairs // 65536], [name[int(code)] for code in pairs % 65536]


def _changes(
    magnitude: NDArray[np.float32], threshold: float, parameters: ChangeParameters, cells: Cells, kinds: _Kinds | None
) -> gpd.GeoDataFrame:
    """Changed ground, the strongest first."""
    with np.errstate(invalid="ignore"):
        mask = magnitude >= threshold
    codes = np.where(mask, kinds.codes() if kinds is not None else 1, 0)
    size = cells.embedding.lattice.cell_size
    wanted = _CELLS if parameters.min_area is None else int(np.ceil(parameters.min_area / size**2))
    regions = find_regions(codes, magnitude, least=max(wanted, 1))
    regions = regions.best(len(regions.mean))
    frame = regions.polygons(cells.place["transform"], cells.embedding.lattice.crs)
    frame.insert(0, "rank", np.arange(1, len(frame) + 1))
    frame.insert(1, "change", np.round(regions.mean, 2))
    frame.insert(2, "highest", np.round(regions.highest, 2))
    frame.insert(3, "cells", regions.cells)
    if kinds is not None:
        before, after = kinds.names(regions)
        frame.insert(4, "before", before)
        frame.insert(5, "after", after)
    return frame
