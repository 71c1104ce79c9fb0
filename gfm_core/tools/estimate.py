"""Estimate: an embedding and places with a number → that number on every cell, its interval, and how good it is."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gfm_core.answers.regression import FITS, Fit, Goodness, Regressor, covered, half_width, unseen
from gfm_core.embedding.file import source_records, versions
from gfm_core.embedding.space import CellSpace, Vectors
from gfm_core.errors import LabelError
from gfm_core.features.groups import band_positions
from gfm_core.grid import CellRange
from gfm_core.labels.folds import spatial_folds
from gfm_core.labels.numbers import raster_numbers
from gfm_core.labels.pixels import LabelPixels
from gfm_core.labels.places import is_raster, read_numbers
from gfm_core.parameters import EstimateParameters
from gfm_core.progress import Reporter
from gfm_core.raster.finish import add_overviews
from gfm_core.raster.write import Outputs
from gfm_core.report import page, sections
from gfm_core.report.style import write_ramp_style
from gfm_core.tools.call import call_of
from gfm_core.tools.cells import Cells, asked_groups, cells_of, raster_of, with_data
from gfm_core.tools.copy_as import as_command, as_python
from gfm_core.tools.embed import read_files
from gfm_core.tools.ready import NOTHING, Ready

_FEWEST = 10  # places: fewer say nothing of how good an estimate is
_REACH = 32  # pixels of the finest raster: nearer places share most of what they see

logger = logging.getLogger(__name__)

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """The number on every cell (`path`), the lower and upper end of its interval, and the scores on spatial folds.

    `goodness` is that of the method, `raw_bands` and `statistics` those of a ridge on the bands alone and with their
    statistics (None where the embedding holds none), `coverage` the share of places inside their interval. All are None
    where the places allow no folds.
    """

    path: Path
    interval: Path
    report: Path
    places: int
    goodness: Goodness | None
    raw_bands: Goodness | None
    statistics: Goodness | None
    coverage: float | None


@dataclass(frozen=True, slots=True)
class _Known:
    """Places with a number: `vectors` of each (of a polygon: the mean of its cells), numbers, and where in metres."""

    vectors: Vectors
    numbers: Numbers
    x: Numbers
    y: Numbers


@dataclass(frozen=True, slots=True)
class _Scores:
    told: Numbers
    half_width: float
    goodness: Goodness
    raw_bands: Goodness | None
    statistics: Goodness | None
    coverage: float
    folds: int
    square_m: float


def run_estimate(parameters: EstimateParameters, reporter: Reporter, ready: Ready = NOTHING) -> Estimate:
    """The tool itself, for the command line, the worker and `estimate`."""
    made = parameters.output
    interval = made.with_name(f"{made.stem}_interval.tif")
    report = parameters.report or made.with_name(f"{made.stem}_report")
    places = None
    if not is_raster(parameters.labels):
        places = read_numbers(
            parameters.labels, layer=parameters.layer, field=parameters.field, where=parameters.where,
            lowest=parameters.lowest, highest=parameters.highest,
        )  # fmt: skip
    with (
        reporter.listening(),
        Outputs(
            [made, interval, report], folders=[report], inputs=[*read_files(parameters), parameters.labels],
            overwrite=parameters.overwrite,
        ) as outputs,
    ):  # fmt: skip
        cells = cells_of(parameters, outputs, reporter.step(0, 0.4), ready)
        space = CellSpace.of(cells.embedding, asked_groups(parameters))
        reporter.update(0.4, "reading the known places")
        if places is None:
            known = _from_raster(parameters, cells, space)
        else:
            assert places.numbers is not None
            known = _from_places(places.numbers, cells, space, cells.burnt(places.labels))
        _check(known, parameters)
        reporter.update(0.45, "judging on spatial folds")
        fit = _fit_of(parameters)
        scores = _scores(known, space, cells, parameters)
        reporter.update(0.6, "fitting")
        regressor = fit(_rows(known.vectors), known.numbers)
        writing = _Writing(outputs.partial(made), outputs.partial(interval), scores.half_width if scores else np.nan)
        _write(writing, cells, space, regressor, parameters, reporter=reporter.step(0.6, 0.95))
        _report(outputs.partial(report), parameters, cells, known, scores)
        cells.check_unchanged()
        reporter.update(1.0, "done")
    return Estimate(
        made, interval, report / "report.html", len(known.numbers), *_told(scores),
        scores.coverage if scores else None,
    )  # fmt: skip


estimate = call_of(EstimateParameters, run_estimate, "Estimate a number on every cell from places where it is known.")


def _told(scores: _Scores | None) -> tuple[Goodness | None, Goodness | None, Goodness | None]:
    return (scores.goodness, scores.raw_bands, scores.statistics) if scores else (None, None, None)


def _fit_of(parameters: EstimateParameters) -> Fit:
    return FITS["ridge" if parameters.method == "auto" else parameters.method]


def _rows(vectors: Vectors) -> NDArray[np.float32]:
    return np.ascontiguousarray(vectors.joined().T)


def _from_places(numbers: Numbers, cells: Cells, space: CellSpace, pixels: LabelPixels) -> _Known:
    """One sample a place: the mean of its cells."""
    vectors = space.at(pixels.rows, pixels.cols)
    kept = with_data(vectors.anywhere)
    units, number, count = np.unique(pixels.units[kept], return_inverse=True, return_counts=True)
    values, known = {}, {}
    for group, part in vectors.take(kept).values.items():
        total = np.stack([np.bincount(number, weights=column, minlength=len(units)) for column in part])
        values[group] = (total / count).astype(np.float32)
        known[group] = np.ones(len(units), np.bool_)
    size = cells.embedding.lattice.cell_size
    x, y = _middle(pixels.cols[kept], number, size), _middle(pixels.rows[kept], number, -size)
    return _Known(Vectors(values, known), numbers[units], x, y)


def _middle(positions: NDArray[np.int64], number: NDArray[np.int64], size: float) -> Numbers:
    """Mean position of the cells of each place, in metres for cells of `size`."""
    total = np.bincount(number, weights=(positions + 0.5) * size)
    return np.asarray(total / np.bincount(number), np.float64)


def _from_raster(parameters: EstimateParameters, cells: Cells, space: CellSpace) -> _Known:
    """A sample of the cells in which a raster of numbers is known."""
    numbers = raster_numbers(
        parameters.labels, **cells.place, lowest=parameters.lowest, highest=parameters.highest
    )  # fmt: skip
    rows, cols = np.nonzero(np.isfinite(numbers))
    if len(rows) > parameters.samples:
        chosen = np.sort(np.random.default_rng(0).choice(len(rows), parameters.samples, replace=False))
        rows, cols = rows[chosen], cols[chosen]
    if not len(rows):
        raise LabelError(f"{Path(parameters.labels).name} holds no number where the rasters lie; check its CRS.")
    vectors = space.at(rows, cols)
    kept = np.flatnonzero(vectors.anywhere)
    size = cells.embedding.lattice.cell_size
    found = numbers[rows[kept], cols[kept]].astype(np.float64)
    each = np.arange(len(kept))
    x, y = _middle(cols[kept], each, size), _middle(rows[kept], each, -size)
    return _Known(vectors.take(kept), found, x, y)


def _check(known: _Known, parameters: EstimateParameters) -> None:
    name = Path(parameters.labels).name
    if len(known.numbers) < _FEWEST:
        raise LabelError(
            f"{name} has {len(known.numbers)} known numbers where the rasters hold data; give {_FEWEST} or more."
        )
    if np.ptp(known.numbers) == 0:
        raise LabelError(f"All places of {name} have the number {known.numbers[0]:g}; give places that differ.")


def _scores(known: _Known, space: CellSpace, cells: Cells, parameters: EstimateParameters) -> _Scores | None:
    """How good numbers are told on ground that was not seen; None where all places lie together."""
    reach = _REACH * min(float(source["gsd"]) for source in cells.embedding.sources)
    one_kind = np.ones(len(known.x), np.int32)
    folds = spatial_folds(known.x, known.y, one_kind, reach=reach)
    if folds.square_m < reach:
        folds = spatial_folds(known.x, known.y, one_kind, square=reach)
    if folds.count < 2:
        logger.warning("All places lie together: nothing can be said of how good the estimate is elsewhere.")
        return None
    fit = _fit_of(parameters)
    told = unseen(_rows(known.vectors), known.numbers, folds.numbers, fit)
    raw_bands, statistics = _peers(known, space, folds.numbers)
    return _Scores(
        told=told,
        half_width=half_width(told, known.numbers, parameters.coverage),
        goodness=Goodness.of(told, known.numbers),
        raw_bands=raw_bands,
        statistics=statistics,
        coverage=covered(told, known.numbers, folds.numbers, parameters.coverage),
        folds=folds.count,
        square_m=folds.square_m,
    )


def _peers(known: _Known, space: CellSpace, folds: NDArray[np.int64]) -> tuple[Goodness | None, Goodness | None]:
    """A ridge on the raw bands alone, and on the bands with their statistics, on the same folds."""
    values = known.vectors.values
    if "fine" not in values:
        return None, None
    bands = values["fine"][band_positions(space.embedding.columns_of("fine"))]
    both = np.concatenate([values[group] for group in ("fine", "coarse") if group in values])
    found = [
        Goodness.of(unseen(np.ascontiguousarray(rows.T), known.numbers, folds, FITS["ridge"]), known.numbers)
        for rows in (bands, both)
    ]
    return found[0], found[1]


@dataclass(frozen=True, slots=True)
class _Writing:
    """Both files, and half the width of the interval (NaN: not known)."""

    path: Path
    interval: Path
    half_width: float


def _write(
    to: _Writing, cells: Cells, space: CellSpace, regressor: Regressor, parameters: EstimateParameters, *,
    reporter: Reporter,
) -> None:  # fmt: skip
    low, high = np.inf, -np.inf
    ends = [f"{end} end, {parameters.coverage:.0%} interval" for end in ("lower", "upper")]
    with (
        raster_of(to.path, cells, bands=["estimate"], dtype="float32", nodata=np.nan) as estimates,
        raster_of(to.interval, cells, bands=ends, dtype="float32", nodata=np.nan) as intervals,
    ):
        for row, found in space.strips(
            partial(_answer, regressor), threads=parameters.threads, reporter=reporter, message="estimating"
        ):
            strip = np.clip(found, parameters.lowest, parameters.highest)
            estimates.put(0, row, strip)
            both = np.concatenate([strip - to.half_width, strip + to.half_width])
            intervals.put(0, row, np.clip(both, parameters.lowest, parameters.highest).astype(np.float32))
            if np.isfinite(strip).any():
                low, high = min(low, float(np.nanmin(strip))), max(high, float(np.nanmax(strip)))
    for made in (to.path, to.interval):
        add_overviews(made, categorical=False)
        write_ramp_style(made, *((low, high) if low < high else (0, 1)), unit="")


def _answer(regressor: Regressor, vectors: Vectors, _: CellRange) -> NDArray[np.float32]:
    known = vectors.anywhere
    if known.all():
        return regressor.of(vectors.joined().T).astype(np.float32)
    told = np.full(vectors.count, np.nan, np.float32)
    if known.any():
        told[known] = regressor.of(vectors.take(known).joined().T)
    return told


def _report(folder: Path, parameters: EstimateParameters, cells: Cells, known: _Known, scores: _Scores | None) -> None:
    name = parameters.output.name
    field = parameters.field or Path(parameters.labels).stem
    numbers = known.numbers
    facts = {
        "places": f"{len(numbers)}", "numbers": f"{numbers.min():.4g} to {numbers.max():.4g}",
        "cell": f"{cells.embedding.lattice.cell_size:g} m", "method": parameters.method,
    }  # fmt: skip
    body = [sections.head(f"Estimate of {field}", name, facts)]
    if scores is not None:
        body += _scored(scores, known, parameters)
    else:
        body.append(sections.warnings(["All places lie together: this estimate has not been scored."]))
    sources = source_records(cells.stack) if cells.stack is not None else list(cells.embedding.sources)
    body += [
        sections.inputs([{"name": item["name"], "sensor": item["sensor"], "date": item["date"]} for item in sources]),
        sections.repeat(as_command(parameters), as_python(parameters), parameters.to_dict()),
        sections.versions(versions()),
    ]
    told = {
        "format_version": 1, "result": name, "places": len(numbers), "parameters": parameters.to_dict(),
        "scores": None if scores is None else {
            "spatial_folds": asdict(scores.goodness), "coverage": scores.coverage, "half_width": scores.half_width,
            "raw_bands": asdict(scores.raw_bands) if scores.raw_bands else None,
            "bands_and_statistics": asdict(scores.statistics) if scores.statistics else None,
            "fold_square_m": scores.square_m,
        },
        "copy_as": {"command": as_command(parameters), "python": as_python(parameters)}, "versions": versions(),
    }  # fmt: skip
    page.write_page(folder, f"Estimate of {field}", body, told)


def _scored(scores: _Scores, known: _Known, parameters: EstimateParameters) -> list[str]:
    found = scores.goodness
    cards = [
        (f"{found.r2:.3f}", "R² on ground not seen", f"{scores.folds} folds of squares of {scores.square_m:.4g} m"),
        (f"{found.rmse:.3g}", "RMSE", f"mean absolute error {found.mae:.3g}, bias {found.bias:+.2g}"),
        (f"± {scores.half_width:.3g}", f"{parameters.coverage:.0%} interval", f"held {scores.coverage:.0%} of them"),
    ]
    rows = [
        (label, f"{item.r2:.3f}", f"{item.rmse:.4g}", f"{item.mae:.4g}")
        for label, item in (
            ("this estimate", found), ("raw bands alone, ridge", scores.raw_bands),
            ("bands and their statistics, ridge", scores.statistics),
        )
        if item is not None
    ]  # fmt: skip
    return [
        page.cards(cards),
        sections.section("Beside simpler ways", page.table(["", "R²", "RMSE", "MAE"], rows)),
        page.scatter(
            "Estimated against known", known.numbers.tolist(), scores.told.tolist(), half_width=scores.half_width
        ),
    ]
