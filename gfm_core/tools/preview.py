"""Preview: an embedding and the labels so far → the map of a view at once, its scores, and where to label next."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gfm_core.classes import MapClass
from gfm_core.heads.suggest import drawn
from gfm_core.labels.read import read_labels
from gfm_core.parameters import ClassifyParameters, PreviewParameters
from gfm_core.progress import CancelCheck, ProgressCallback, Reporter
from gfm_core.raster.ground import as_crs
from gfm_core.raster.write import BlockRowWriter, Outputs
from gfm_core.report.palette import with_colours
from gfm_core.report.style import class_colormap, write_class_style, write_confidence_style
from gfm_core.tools.call import described_by
from gfm_core.tools.live_map import LiveMap, Painted, View, paint
from gfm_core.tools.map_labels import Fitted, fit_on_labels
from gfm_core.tools.map_write import CONFIDENCE_NODATA
from gfm_core.tools.ready import NOTHING, Ready


@dataclass(frozen=True, slots=True)
class Preview:
    """A finished preview; `next` and `suspects` are places in the embedding's CRS."""

    path: Path
    dispute: Path
    classes: tuple[dict[str, Any], ...]
    macro_f1: float | None
    macro_f1_raw_bands: float | None
    next: tuple[dict[str, Any], ...]
    suspects: tuple[dict[str, Any], ...]
    warnings: tuple[str, ...]
    step: int
    refit_seconds: float
    paint_seconds: float


@described_by(PreviewParameters)
def preview(
    embedding: str | Path,
    output: str | Path,
    *,
    progress: ProgressCallback | None = None,
    cancel: CancelCheck | None = None,
    **options: Any,
) -> Preview:
    """Show what labels make of an embedding: the map of a view, its scores on folds, places to label next.

    Raises `GfmError` with one sentence where something cannot work; then nothing is left behind.
    """
    parameters = PreviewParameters(embedding=str(embedding), output=Path(output), **options)
    return run_preview(parameters, Reporter(progress, cancel))


def run_preview(parameters: PreviewParameters, reporter: Reporter, ready: Ready = NOTHING) -> Preview:
    """The tool itself, for the command line, the worker and `preview`."""
    made = parameters.output
    dispute = made.with_name(f"{made.stem}_dispute.tif")
    inputs = [parameters.embedding, parameters.labels]
    with reporter.listening(), Outputs([made, dispute], inputs=inputs, overwrite=parameters.overwrite) as outputs:
        live = (ready.live or LiveMap.open)(parameters.embedding)
        view = live.view(parameters.extent, parameters.cells)
        started = time.perf_counter()
        fitted = _fit(parameters, live, reporter.step(0.4, 0.7))
        refitted = time.perf_counter()
        painted = paint(view, fitted.head.fused)
        classes = with_colours(fitted.head.classes, parameters.labels, parameters.field, layer=parameters.layer)
        places = outputs.partial(made), outputs.partial(dispute)
        _write(places, live.embedding.lattice.crs, view, painted, classes)
        done = time.perf_counter()
        found = Preview(
            made, dispute, tuple(_classes(fitted, painted, classes)), *_scores(fitted),
            tuple(_next(parameters, fitted, view, painted, live)), tuple(_suspects(fitted, live)), fitted.warnings,
            view.step, refitted - started, done - refitted,
        )  # fmt: skip
        reporter.update(1.0, "done")
    return found


def _fit(parameters: PreviewParameters, live: LiveMap, reporter: Reporter) -> Fitted:
    """Heads, folds and suspects by the labels, as gfm classify makes them."""
    labels = read_labels(parameters.labels, layer=parameters.layer, field=parameters.field)
    asked = ClassifyParameters(
        rasters=(parameters.embedding,), output=parameters.output, labels=parameters.labels, layer=parameters.layer,
        field=parameters.field, smoothing="none",
    )  # fmt: skip
    return fit_on_labels(labels, asked, live.source, reporter)


def _scores(fitted: Fitted) -> tuple[float | None, float | None]:
    folds = fitted.cross_validation
    if folds is None:
        return None, None
    return folds.fused.macro_f1, folds.raw_bands.macro_f1 if folds.raw_bands else None


def _classes(fitted: Fitted, painted: Painted, classes: tuple[MapClass, ...]) -> Iterator[dict[str, Any]]:
    """What is known of each class."""
    counts = np.bincount(painted.codes.ravel(), minlength=max(item.code for item in classes) + 1)
    known = max(int(counts[1:].sum()), 1)
    scores = {} if fitted.cross_validation is None else {
        item.code: item.f1 for item in fitted.cross_validation.fused.per_class
    }  # fmt: skip
    labelled = fitted.labelled
    for item in classes:
        units = 0 if labelled is None else len(np.unique(labelled.units[labelled.codes == item.code]))
        yield {
            "code": item.code, "name": item.name, "labels": units, "f1": scores.get(item.code),
            "share": float(counts[item.code]) / known,
        }  # fmt: skip


def _next(
    parameters: PreviewParameters, fitted: Fitted, view: View, painted: Painted, live: LiveMap
) -> Iterator[dict[str, Any]]:
    """Places of the view without a label, as `gfm suggest` draws them."""
    open_ground = np.isfinite(painted.dispute)
    open_ground[_labelled(fitted, view, live)] = False
    places = np.flatnonzero(open_ground)
    if not len(places):
        return
    names = {item.code: item.name for item in fitted.head.classes}
    disputed = painted.dispute.ravel()[places].astype(np.float64)
    for at in places[drawn(disputed, parameters.count, seed=parameters.seed)].tolist():
        row, col = divmod(at, view.shape[1])
        x, y = view.transform * (col + 0.5, row + 0.5)
        yield {
            "x": x, "y": y, "looks_like": names[int(painted.codes[row, col])],
            "probability": float(painted.probability[row, col]),
        }  # fmt: skip


def _labelled(fitted: Fitted, view: View, live: LiveMap) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pixels of the view in which a label lies."""
    assert fitted.labelled is not None, "fitted on labels"
    whole = live.embedding.cells
    rows = (fitted.labelled.rows + whole.row - view.cells.row) // view.step
    cols = (fitted.labelled.cols + whole.col - view.cells.col) // view.step
    inside = (rows >= 0) & (rows < view.shape[0]) & (cols >= 0) & (cols < view.shape[1])
    return rows[inside], cols[inside]


def _suspects(fitted: Fitted, live: LiveMap) -> Iterator[dict[str, Any]]:
    """Labels that look like another class, the worst first."""
    names = {item.code: item.name for item in fitted.head.classes}
    transform = live.source.features.grid.transform
    for item in fitted.suspects:
        x, y = transform * (item.col + 0.5, item.row + 0.5)
        yield {
            "x": x, "y": y, "labelled": names[item.labelled], "looks_like": names[item.looks_like],
            "probability": item.quality,
        }  # fmt: skip


def _write(paths: tuple[Path, Path], crs: str, view: View, painted: Painted, classes: tuple[MapClass, ...]) -> None:
    """Both rasters with their styles."""
    made, dispute = paths
    place: dict[str, Any] = {
        "shape": view.shape, "crs": as_crs(crs).to_wkt(), "transform": view.transform,
    }  # fmt: skip
    code_type = "uint16" if max(item.code for item in classes) > np.iinfo(np.uint8).max else "uint8"
    with BlockRowWriter(made, bands=1, dtype=code_type, nodata=0, **place) as writer:
        if code_type == "uint8":
            writer.dataset.write_colormap(1, class_colormap(classes))
        writer.put(0, 0, painted.codes[None].astype(code_type))
    known = np.isfinite(painted.dispute)
    highest = float(np.log(max(len(classes), 2)))  # all groups sure, each of another class
    share = np.where(known, painted.dispute, 0.0) / highest
    percent = np.where(known, np.floor(100 * np.clip(share, 0, 1) + 0.5), CONFIDENCE_NODATA).astype(np.uint8)
    with BlockRowWriter(dispute, bands=1, dtype="uint8", nodata=CONFIDENCE_NODATA, **place) as writer:
        writer.put(0, 0, percent[None])
    write_class_style(made, classes)
    write_confidence_style(dispute)
