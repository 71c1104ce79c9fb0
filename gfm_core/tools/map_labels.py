"""Labels on the map's grid: fit and cross-validate heads on them, or score a finished map with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray

from gfm_core.classes import MapClass
from gfm_core.embedding.map_grid import MapGrid
from gfm_core.errors import LabelError
from gfm_core.heads.mapper import MapHead, fit_map_head
from gfm_core.heads.score import Scores, score
from gfm_core.heads.suspects import Suspect, find_suspects
from gfm_core.heads.validate import CrossValidation
from gfm_core.labels.burn import burn
from gfm_core.labels.folds import spatial_folds
from gfm_core.labels.pixels import LabelPixels
from gfm_core.labels.read import RasterLabels, VectorLabels, read_labels
from gfm_core.parameters import ClassifyParameters
from gfm_core.progress import Reporter
from gfm_core.raster.frame import Region
from gfm_core.tools.map_inputs import Features, MapInputs

Labels = VectorLabels | RasterLabels

_TRAINING_PIXELS = 2000  # a class: more add nothing (macro-F1 of nine scenes: .708 with 100 of a class, .712 with all)
REACH = 32  # pixels: half the widest window of the statistics; nearer samples share most of what they see
_CHECK_PIXELS = 1_000_000  # a class: all of them, within reason


@dataclass(frozen=True, slots=True)
class Fitted:
    """A head, the inputs that it sees, and what is known of it before it is used."""

    head: MapHead
    source: MapInputs
    labelled: LabelPixels | None = None
    cross_validation: CrossValidation | None = None
    square_m: float | None = None  # side of the ground squares of its folds
    suspects: tuple[Suspect, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()  # what the user should know before believing the scores


@dataclass(frozen=True, slots=True)
class GivenLabels:
    """What labels the user gave, read before any work: to fit a head, and to score the map."""

    training: Labels | None
    check: Labels | None


def given_labels(parameters: ClassifyParameters, head: MapHead | None) -> GivenLabels:
    """Read the labels that the parameters name; a stored `head` needs none to be fitted on, and knows the classes."""
    training = None
    if head is None and parameters.labels is not None:
        training = read_labels(
            parameters.labels, layer=parameters.layer, field=parameters.field, where=parameters.where
        )  # fmt: skip
    if parameters.check is None:
        return GivenLabels(training, None)
    classes = head.classes if head is not None else training.classes if training is not None else None
    rest = parameters.check == "rest"
    if rest and (parameters.where is None or parameters.labels is None):
        raise LabelError("check 'rest' means the labels that --where leaves out; give --where, or a file to check on.")
    check = read_labels(
        parameters.labels if rest and parameters.labels else parameters.check,
        layer=parameters.layer if rest else None,
        field=parameters.field,
        where=parameters.where if rest else None,
        rest=rest,
        classes=classes,
    )
    return GivenLabels(training, check)


def fit_on_labels(labels: Labels, parameters: ClassifyParameters, source: MapInputs, reporter: Reporter) -> Fitted:
    """Burn the labels, read their features, fit heads on them, and judge these on spatial folds."""
    grid = source.features.grid
    source, scene = source.look()
    pixels, features, lost = training_pixels(labels, source, reporter.step(0, 0.6))
    names = {item.code: item.name for item in pixels.classes}
    x, y = ground_metres(grid, pixels.rows, pixels.cols)
    reach = REACH * float(np.sqrt(grid.pixel_area_m2))
    folds = spatial_folds(x, y, pixels.codes, units=pixels.units, reach=reach, names=names)
    fitted = fit_map_head(
        features, pixels.codes, folds.numbers, pixels.classes, "lda" if parameters.head == "auto" else parameters.head,
        scene=scene, units=pixels.units, prototypes=source.features.prototypes, level=parameters.coverage,
        smoothing=parameters.smoothing == "auto", reporter=reporter.step(0.6, 1),
    )  # fmt: skip
    validation = fitted.validation
    suspects: tuple[Suspect, ...] = ()
    if validation is not None:
        suspects = find_suspects(
            validation.log_proba, pixels.codes, pixels.units, (pixels.rows, pixels.cols), pixels.classes
        )
    return Fitted(
        fitted.head, source, pixels, validation, folds.square_m, suspects, (*pixels.notes, *lost),
        (*_single_places(pixels), *folds.notes, *fitted.notes),
    )  # fmt: skip


def training_pixels(
    labels: Labels, source: MapInputs, reporter: Reporter
) -> tuple[LabelPixels, Features, tuple[str, ...]]:
    """The labelled pixels that hold data, their features, and notes on those that hold none.

    Raises `LabelError` where fewer than two classes lie in the rasters.
    """
    grid = source.features.grid
    pixels = burn(labels, grid.transform, grid.frame.crs, grid.shape, per_class=_TRAINING_PIXELS)
    if len(pixels.classes) < 2:
        raise LabelError(
            f"{labels.name} has only the class {pixels.classes[0].name!r} inside the rasters; "
            "label at least two classes there."
        )
    return _with_data(pixels, source.at(pixels.rows, pixels.cols, reporter))


def _single_places(pixels: LabelPixels) -> list[str]:
    """A warning for each class that was labelled in one place: its folds are neighbours of each other."""
    return [
        f"Class {item.name!r} is labelled in one place only; its score is weak evidence: label it in more places."
        for item in pixels.classes
        if len(np.unique(pixels.units[pixels.codes == item.code])) == 1
    ]


def _with_data(pixels: LabelPixels, features: Features) -> tuple[LabelPixels, Features, tuple[str, ...]]:
    """Without the pixels where no group has data; raises `LabelError` if a single class or none is left."""
    kept = np.zeros(len(pixels.codes), np.bool_)
    for values in features.values():
        kept |= np.isfinite(values).any(axis=1)
    if kept.all():
        return pixels, features, ()
    left = {int(code) for code in np.unique(pixels.codes[kept])}
    if len(left) < 2:
        raise LabelError("Labels of two classes or more must lie where the rasters hold data; move some there.")
    classes = tuple(item for item in pixels.classes if item.code in left)
    fewer = replace(
        pixels, rows=pixels.rows[kept], cols=pixels.cols[kept], codes=pixels.codes[kept], units=pixels.units[kept],
        classes=classes,
    )  # fmt: skip
    note = f"{int((~kept).sum())} labelled pixels lie where the rasters hold no data and were left out."
    return fewer, {group: values[kept] for group, values in features.items()}, (note,)


def ground_metres(
    grid: MapGrid, rows: NDArray[np.int64], cols: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions of map pixels in metres, good enough to cut the ground into squares."""
    side = float(np.sqrt(grid.pixel_area_m2))
    return np.asarray((cols + 0.5) * side, np.float64), np.asarray(-(rows + 0.5) * side, np.float64)


def score_map(labels: Labels, made: Path, source: MapInputs, classes: tuple[MapClass, ...]) -> Scores:
    """The written map against the check labels, pixel by pixel."""
    grid = source.features.grid
    pixels = burn(labels, grid.transform, grid.frame.crs, grid.shape, per_class=_CHECK_PIXELS)
    mapped = _map_codes(made, grid, pixels)
    scores = score(pixels.codes, mapped, classes)
    return replace(scores, notes=(*scores.notes, *pixels.notes))


def _map_codes(made: Path, grid: MapGrid, pixels: LabelPixels) -> NDArray[np.int64]:
    """The map's codes at labelled pixels, read a piece at a time."""
    codes = np.zeros(len(pixels.rows), np.int64)
    with rasterio.open(made) as dataset:
        for part in grid.tiles(1024, 1024):
            inside = _inside(part, pixels)
            if inside.any():
                window = rasterio.windows.Window(part.col, part.row, part.cols, part.rows)
                values = dataset.read(1, window=window)
                codes[inside] = values[pixels.rows[inside] - part.row, pixels.cols[inside] - part.col]
    return codes


def _inside(part: Region, pixels: LabelPixels) -> NDArray[np.bool_]:
    rows = (pixels.rows >= part.row) & (pixels.rows < part.row + part.rows)
    inside: NDArray[np.bool_] = rows & (pixels.cols >= part.col) & (pixels.cols < part.col + part.cols)
    return inside
