"""Similar: an embedding and a few examples → how alike every cell is, and the best places as polygons."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from gfm_core.answers.regions import find_regions
from gfm_core.answers.similarity import Likeness, threshold_of
from gfm_core.embedding.space import CellSpace, Vectors
from gfm_core.labels.places import read_places
from gfm_core.labels.read import VectorLabels
from gfm_core.parameters import SimilarParameters
from gfm_core.progress import Reporter
from gfm_core.raster.finish import add_overviews
from gfm_core.raster.write import Outputs
from gfm_core.report.style import write_outline_style, write_ramp_style
from gfm_core.tools.call import call_of
from gfm_core.tools.cells import Cells, asked_groups, cells_of, raster_of, with_data
from gfm_core.tools.embed import read_files
from gfm_core.tools.layers import write_layer
from gfm_core.tools.ready import NOTHING, Ready

_NODATA = 255
_UNLIKE = 20.0  # of 100: examples of one kind are about 60 alike

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Similarity:
    """How alike each cell is to the examples (`path`, 0-100), and `count` places from `threshold` on in `places`."""

    path: Path
    places: Path
    count: int
    threshold: float


@dataclass(frozen=True, slots=True)
class _Examples:
    vectors: Vectors
    units: NDArray[np.int32]
    rows: NDArray[np.int64]
    cols: NDArray[np.int64]

    @classmethod
    def of(cls, labels: VectorLabels, cells: Cells, space: CellSpace) -> _Examples:
        pixels = cells.burnt(labels)
        vectors = space.at(pixels.rows, pixels.cols)
        kept = with_data(vectors.anywhere)
        return cls(vectors.take(kept), pixels.units[kept], pixels.rows[kept], pixels.cols[kept])


def run_similar(parameters: SimilarParameters, reporter: Reporter, ready: Ready = NOTHING) -> Similarity:
    """The tool itself, for the command line, the worker and `similar`."""
    examples = read_places(parameters.labels, layer=parameters.layer, where=parameters.where).labels
    counter = read_places(parameters.counter).labels if parameters.counter is not None else None
    made = parameters.output
    places = made.with_name(f"{made.stem}_places.gpkg")
    inputs = [*read_files(parameters), *filter(None, (parameters.labels, parameters.counter))]
    with (
        reporter.listening(),
        Outputs([made, places], inputs=inputs, overwrite=parameters.overwrite) as outputs,
    ):
        cells = cells_of(parameters, outputs, reporter.step(0, 0.5), ready)
        space = CellSpace.of(cells.embedding, asked_groups(parameters))
        scene, shown = space.look(), _Examples.of(examples, cells, space)
        against = _Examples.of(counter, cells, space).vectors if counter is not None else None
        reporter.update(0.55, "looking at the examples")
        likeness = Likeness.fit(scene, shown.vectors, shown.units, against)
        threshold = parameters.threshold
        if threshold is None:
            threshold = threshold_of(likeness, scene, shown.vectors, shown.units)
            if threshold < _UNLIKE:
                logger.warning(
                    "The examples are not much like each other (%.0f of 100), so nearly everything is a place; give "
                    "examples of one kind, or a threshold.", threshold,
                )  # fmt: skip
        alike = _write(
            outputs.partial(made), cells, space, likeness, threads=parameters.threads, reporter=reporter.step(0.55, 0.9)
        )
        frame = _places(alike, threshold, parameters, cells, shown)
        write_layer(outputs.partial(places), frame, layer="places", geometry_type="Polygon")
        write_outline_style(outputs.partial(places))
        cells.check_unchanged()
        reporter.update(1.0, "done")
    return Similarity(made, places, len(frame), threshold)


similar = call_of(SimilarParameters, run_similar, "Find places of rasters that look like a few examples.")


def _write(
    path: Path, cells: Cells, space: CellSpace, likeness: Likeness, *, threads: int | None, reporter: Reporter
) -> NDArray[np.float32]:
    """Write the raster; returns how alike each cell is, NaN where nothing is known."""
    alike = np.full(cells.embedding.cells.shape, np.nan, np.float32)
    with raster_of(path, cells, bands=["how alike, 0-100"], dtype="uint8", nodata=_NODATA) as writer:
        for row, strip in space.strips(
            lambda vectors, _: likeness.of(vectors),
            threads=threads,
            reporter=reporter,
            message="comparing cells",
        ):
            alike[row : row + strip.shape[1]] = strip[0]
            stored = np.where(np.isfinite(strip), np.floor(np.nan_to_num(strip) + 0.5), _NODATA)
            writer.put(0, row, stored.astype(np.uint8))
    add_overviews(path, categorical=False)
    write_ramp_style(path, 0, 100, unit="")
    return alike


def _places(
    alike: NDArray[np.float32], threshold: float, parameters: SimilarParameters, cells: Cells, shown: _Examples
) -> gpd.GeoDataFrame:
    """The best places, the surest first; `example` tells those that an example lies in."""
    with np.errstate(invalid="ignore"):
        mask = (alike >= threshold).astype(np.uint8)
    cell_m2 = cells.embedding.lattice.cell_size**2
    least = max(1, int(np.ceil((parameters.min_area or 0) / cell_m2)))
    regions = find_regions(mask, alike, least=least).best(parameters.count)
    frame = regions.polygons(cells.place["transform"], cells.embedding.lattice.crs)
    holds = np.unique(regions.labels[shown.rows, shown.cols])
    numbers = np.arange(1, len(frame) + 1)
    frame.insert(0, "rank", numbers)
    frame.insert(1, "alike", np.round(regions.mean, 1))
    frame.insert(2, "highest", np.round(regions.highest, 1))
    frame.insert(3, "cells", regions.cells)
    frame.insert(4, "example", np.isin(numbers, holds).astype(np.int64))
    logger.info("%d places are at least %.0f alike.", len(frame), threshold)
    return frame
