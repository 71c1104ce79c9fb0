"""Suggest: rasters or an embedding, and the labels so far → points that are worth a label next."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from gfm_core.errors import LabelError
from gfm_core.heads.fuse import fit_fused
from gfm_core.heads.suggest import suggest
from gfm_core.heads.validate import without_bands
from gfm_core.labels.burn import burn
from gfm_core.labels.read import read_labels
from gfm_core.parameters import ClassifyParameters, SuggestParameters, parameters_of
from gfm_core.progress import CancelCheck, ProgressCallback, Reporter
from gfm_core.raster.frame import Region
from gfm_core.raster.write import Outputs
from gfm_core.tools.call import described_by
from gfm_core.tools.embed import read_files
from gfm_core.tools.layers import write_layer
from gfm_core.tools.map_inputs import Features, MapInputs, map_inputs
from gfm_core.tools.map_labels import training_pixels
from gfm_core.tools.ready import NOTHING, Rasters, Ready, from_call

_SQUARE = 32  # pixels: places are looked at in squares of this side ...
_SQUARES = 64  # ... so many of them at most, drawn at random ...
_LOOKED_AT = 4_000  # ... and so many of their pixels
_EVERY = 1_000_000  # labelled pixels a class: none of them is suggested again

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A point worth a label, in the map's CRS: what it looks like so far, and the probability of that (0-1)."""

    x: float
    y: float
    looks_like: str
    probability: float


@dataclass(frozen=True, slots=True)
class Suggestions:
    """The points, the most disputed first, in the file `path`; `labelled`: labels of each class so far."""

    path: Path
    points: tuple[Suggestion, ...]
    labelled: dict[str, int]


@described_by(SuggestParameters)
def suggest_labels(
    rasters: Rasters,
    output: str | Path,
    *,
    progress: ProgressCallback | None = None,
    cancel: CancelCheck | None = None,
    **options: Any,
) -> Suggestions:
    """Say which places of rasters (paths, a stack, or an embedding) are worth a label next.

    Raises `GfmError` with one sentence where something cannot work; then nothing is left behind.
    """
    parameters, ready = from_call(SuggestParameters, rasters, output, options)
    return run_suggest(parameters, Reporter(progress, cancel), ready)


def run_suggest(parameters: SuggestParameters, reporter: Reporter, ready: Ready = NOTHING) -> Suggestions:
    """The tool itself, for the command line and `suggest_labels`."""
    labels = read_labels(parameters.labels, layer=parameters.layer, field=parameters.field, where=parameters.where)
    made = parameters.output
    inputs = [*read_files(parameters), parameters.labels]
    with (
        reporter.listening(),
        Outputs([made], inputs=inputs, overwrite=parameters.overwrite) as outputs,
        ExitStack() as opened,
    ):
        scratch = outputs.partial(made).parent / "scratch"
        scratch.mkdir()
        source = map_inputs(
            _as_classify(parameters), scratch, opened, reporter.step(0, 0.6), ready=ready, constants=None
        )
        source, scene = source.look()
        pixels, features, _ = training_pixels(labels, source, reporter.step(0.6, 0.7))
        head = fit_fused(without_bands(features), pixels.codes, pixels.classes, "lda", scene)
        grid = source.features.grid
        known = burn(labels, grid.transform, grid.frame.crs, grid.shape, per_class=_EVERY)
        rows, cols, pool = _pool(source, known.rows * grid.shape[1] + known.cols, parameters.seed, reporter)
        probabilities = np.exp(head.log_proba(pool))
        units = [len(np.unique(pixels.units[pixels.codes == item.code])) for item in head.classes]
        chosen = suggest(head.by_group(pool), parameters.count, seed=parameters.seed)
        names = [item.name for item in head.classes]
        points = tuple(
            Suggestion(
                *(grid.transform * (float(cols[at]) + 0.5, float(rows[at]) + 0.5)),
                names[int(probabilities[at].argmax())], float(probabilities[at].max()),
            )
            for at in chosen
        )  # fmt: skip
        _write(outputs.partial(made), points, grid.frame.crs)
        reporter.update(1.0, "done")
    return Suggestions(made, points, dict(zip(names, units, strict=True)))


def _as_classify(parameters: SuggestParameters) -> ClassifyParameters:
    """The map that is asked: that of the labels so far, with the parameters that both tools share."""
    shared = {info.name for info in parameters_of(ClassifyParameters)} & {item.name for item in fields(parameters)}
    told = {name: getattr(parameters, name) for name in shared}
    return ClassifyParameters(**{**told, "output": parameters.output.with_suffix(".tif")})  # which is never written


def _pool(
    source: MapInputs, labelled: NDArray[np.int64], seed: int, reporter: Reporter
) -> tuple[NDArray[np.int64], NDArray[np.int64], Features]:
    """Pixels of random squares that hold data and no label: rows, columns, features."""
    height, width = source.features.grid.shape
    chance = np.random.default_rng(seed)
    side_rows, side_cols = min(_SQUARE, height), min(_SQUARE, width)
    squares = [(row, col) for row in range(0, height, side_rows) for col in range(0, width, side_cols)]
    picked = chance.permutation(len(squares))[:_SQUARES]
    each = -(-_LOOKED_AT // len(picked))
    rows: list[NDArray[np.int64]] = []
    cols: list[NDArray[np.int64]] = []
    parts: list[Features] = []
    for number, square in enumerate(sorted(picked.tolist())):
        reporter.update(0.7 + 0.25 * number / len(picked), "looking at places")
        top, left = squares[square]
        part = Region(top, left, min(side_rows, height - top), min(side_cols, width - left))
        inside = chance.permutation(part.rows * part.cols)[:each]
        row, col = part.row + inside // part.cols, part.col + inside % part.cols
        inside = inside[~np.isin(row * width + col, labelled)]
        values = {group: found.reshape(len(found), -1).T[inside] for group, found in source.features.read(part).items()}
        kept = np.zeros(len(inside), np.bool_)
        for X in values.values():
            kept |= np.isfinite(X).any(axis=1)
        rows.append(part.row + inside[kept] // part.cols)
        cols.append(part.col + inside[kept] % part.cols)
        parts.append({group: X[kept] for group, X in values.items()})
    if not sum(map(len, rows)):
        raise LabelError("Every pixel that holds data has a label already; there is nothing to suggest.")
    return (
        np.concatenate(rows), np.concatenate(cols),
        {group: np.concatenate([part[group] for part in parts]) for group in parts[0]},
    )  # fmt: skip


def _write(path: Path, points: tuple[Suggestion, ...], crs: str) -> None:
    """The points with an empty field `class` to be filled in."""
    columns = {
        "rank": np.arange(1, len(points) + 1),
        "class": np.array([None] * len(points), dtype=object),
        "looks_like": [point.looks_like for point in points],
        "probability": [round(point.probability, 3) for point in points],
    }
    frame = gpd.GeoDataFrame(
        columns, geometry=gpd.points_from_xy([point.x for point in points], [point.y for point in points])
    )
    write_layer(path, frame, layer="suggestions", crs=crs)
