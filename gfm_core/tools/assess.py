"""Assess: a map → points to look at; with these points → error matrix, accuracies and areas with intervals."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.windows import Window

from gfm_core.answers.accuracy import Assessment, Interval, allocation, assess_matrix, sample_size
from gfm_core.classes import MapClass
from gfm_core.embedding.file import versions
from gfm_core.errors import InputError, LabelError, ParameterError
from gfm_core.labels.categories import read_raster_labels
from gfm_core.labels.numbering import plain_value
from gfm_core.labels.places import read_features
from gfm_core.parameters import AssessParameters
from gfm_core.progress import CancelCheck, ProgressCallback, Reporter, stop_if_asked
from gfm_core.raster.write import Outputs
from gfm_core.report import page, sections
from gfm_core.report.area import map_areas
from gfm_core.report.style import write_ring_style
from gfm_core.tools.call import described_by
from gfm_core.tools.copy_as import as_command, as_python
from gfm_core.tools.layers import write_layer

REFERENCE = "reference"  # the field that is filled by whoever looks at the points

_STRIP = 4_000_000  # pixels read at a time
_LARGEST = 65_535  # that a class may be numbered
_FEW = 10  # points of a class: its accuracies say little
_HECTARE = 1e4

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Assessed:
    """The points (`path`), `drawn` by class name; with a sample `result` and its `report`, the classes in order."""

    path: Path
    classes: tuple[str, ...]
    drawn: dict[str, int]
    result: Assessment | None = None
    report: Path | None = None


class _Map(NamedTuple):
    """A map's classes with the pixels and the ground (m²) that each has in it."""

    path: str
    classes: tuple[MapClass, ...]
    pixels: NDArray[np.int64]
    areas: NDArray[np.float64]

    @property
    def values(self) -> NDArray[np.int64]:
        """What the map's pixels hold, by class."""
        return np.array([int(item.value) for item in self.classes], np.int64)

    @property
    def shares(self) -> NDArray[np.float64]:
        """Shares of the mapped ground, by class."""
        found: NDArray[np.float64] = self.areas / self.areas.sum()
        return found


@described_by(AssessParameters)
def assess(
    map: str | Path,
    output: str | Path,
    *,
    progress: ProgressCallback | None = None,
    cancel: CancelCheck | None = None,
    **options: Any,
) -> Assessed:
    """Draw the points that say how right a map is, or with them looked at, say it.

    Raises `GfmError` with one sentence where something cannot work; then nothing is left behind.
    """
    return run_assess(AssessParameters(map=str(map), output=Path(output), **options), Reporter(progress, cancel))


def run_assess(parameters: AssessParameters, reporter: Reporter) -> Assessed:
    """The tool itself, for the command line, the worker and `assess`."""
    made = parameters.output
    report = parameters.report or made.with_name(f"{made.stem}_report")
    drawing = parameters.sample is None
    if made.suffix.lower() != ".gpkg":
        raise ParameterError(f"output {made.name} must end on .gpkg; give such a name.")
    if drawing and (parameters.field is not None or parameters.report is not None):
        raise ParameterError("field and report belong to points that were looked at; give them with sample.")
    targets = [made] if drawing else [made, report]
    with (
        reporter.listening(),
        Outputs(
            targets, folders=targets[1:], inputs=[parameters.map, *filter(None, (parameters.sample,))],
            overwrite=parameters.overwrite,
        ) as outputs,
    ):  # fmt: skip
        reporter.update(0.05, "counting the map")
        told = _map(parameters.map)
        if drawing:
            found = _draw(told, parameters, outputs.partial(made), reporter)
        else:
            found = _judge(told, parameters, outputs.partial(made), outputs.partial(report))
        reporter.update(1.0, "done")
    return found if drawing else _in_place(found, report)


def _in_place(found: Assessed, report: Path) -> Assessed:
    return Assessed(found.path, found.classes, found.drawn, found.result, report / "report.html")


def _map(path: str) -> _Map:
    labels = read_raster_labels(path)
    with rasterio.open(path) as dataset:
        if dataset.crs is None:
            raise InputError(f"{Path(path).name} has no CRS, so its areas cannot be told; assign one first.")
        if not np.issubdtype(np.dtype(dataset.dtypes[0]), np.integer):
            raise InputError(f"{Path(path).name} holds no whole numbers; give a map of classes.")
    if any(not 0 <= int(item.value) <= _LARGEST for item in labels.classes):
        raise InputError(f"{Path(path).name} holds numbers outside 0 to {_LARGEST}; renumber its classes.")
    ground = {item.code: item for item in map_areas(path)}
    classes = tuple(item for item in labels.classes if int(item.value) in ground)
    found = [ground[int(item.value)] for item in classes]
    pixels = np.array([item.pixels for item in found], np.int64)
    return _Map(path, classes, pixels, np.array([item.area_m2 for item in found]))


# ---- Points to look at -----------------------------------------------------------------------------------------------


def _draw(told: _Map, parameters: AssessParameters, path: Path, reporter: Reporter) -> Assessed:
    count = parameters.count or sample_size(told.shares, parameters.expected, parameters.error)
    wanted = allocation(told.shares, count, parameters.least, told.pixels)
    chance = np.random.default_rng(parameters.seed)
    ranks = {
        value: np.sort(chance.choice(pixels, number, replace=False))
        for value, pixels, number in zip(told.values.tolist(), told.pixels.tolist(), wanted.tolist(), strict=True)
    }
    rows, cols = _positions(told.path, ranks, reporter)
    order = chance.permutation(len(rows))  # whoever looks must not know what the map says, from the order either
    with rasterio.open(told.path) as dataset:
        x, y = dataset.transform * (cols[order] + 0.5, rows[order] + 0.5)
        crs = dataset.crs.to_wkt()
    frame = gpd.GeoDataFrame(
        {"point": np.arange(1, len(order) + 1), REFERENCE: pd.array([None] * len(order), dtype="str")},
        geometry=shapely.points(x, y),
    )
    write_layer(path, frame, layer="points", crs=crs)
    write_ring_style(path)
    names = tuple(item.name for item in told.classes)
    drawn = dict(zip(names, wanted.tolist(), strict=True))
    logger.info(
        "Write what you see at each point into the field %r: %s.", REFERENCE, ", ".join(names)
    )  # fmt: skip
    return Assessed(parameters.output, names, drawn)


def _positions(
    path: str, ranks: dict[int, NDArray[np.int64]], reporter: Reporter
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of the pixels that are the `ranks`-th of their class, in the map's order."""
    rows: list[NDArray[np.int64]] = []
    cols: list[NDArray[np.int64]] = []
    seen = dict.fromkeys(ranks, 0)
    with rasterio.open(path) as dataset:
        height, width = dataset.shape
        step = max(1, _STRIP // width)
        for top in range(0, height, step):
            stop_if_asked()
            strip = dataset.read(1, window=Window(0, top, width, min(step, height - top))).ravel()
            for value, wanted in ranks.items():
                at = np.flatnonzero(strip == value)
                first = seen[value]
                inside = wanted[(wanted >= first) & (wanted < first + len(at))] - first
                rows.append(top + at[inside] // width)
                cols.append(at[inside] % width)
                seen[value] += len(at)
            reporter.update(0.1 + 0.8 * (top + step) / height, "drawing points")
    return np.concatenate(rows), np.concatenate(cols)


# ---- Points that were looked at --------------------------------------------------------------------------------------


def _judge(told: _Map, parameters: AssessParameters, path: Path, report: Path) -> Assessed:
    points = _points(told, parameters)
    matrix = np.zeros((len(told.classes),) * 2, np.int64)
    np.add.at(matrix, (points["mapped_at"], points["there_at"]), 1)
    result = assess_matrix(matrix, told.areas, parameters.confidence)
    names = [item.name for item in told.classes]
    frame = gpd.GeoDataFrame(
        {
            "map": [names[at] for at in points["mapped_at"]], REFERENCE: [names[at] for at in points["there_at"]],
            "agrees": (points["mapped_at"] == points["there_at"]).astype(int),
        },
        geometry=points.geometry, crs=points.crs,
    )  # fmt: skip
    write_layer(path, frame, layer="points")
    write_ring_style(path)
    warnings = _doubts(told, matrix)
    for warning in warnings:
        logger.warning(warning)
    _report(report, parameters, told, result, warnings)
    drawn = dict(zip(names, matrix.sum(axis=1).tolist(), strict=True))
    return Assessed(parameters.output, tuple(names), drawn, result)


def _points(told: _Map, parameters: AssessParameters) -> gpd.GeoDataFrame:
    """Points with `mapped_at` and `there_at`: numbers of their classes in the map and by the reference."""
    assert parameters.sample is not None
    name, field = Path(parameters.sample).name, parameters.field or REFERENCE
    frame = read_features(parameters.sample, layer=parameters.layer)
    if field not in frame.columns:
        raise LabelError(f"{name} has no field {field!r}; choose the one that holds what is there with field.")
    if not (frame.geometry.geom_type == "Point").all():
        raise LabelError(f"{name} must hold points only; give the points that were drawn.")
    there = _class_numbers(frame[field], told.classes, name, field)
    mapped = _mapped(told, frame)
    kept = (there >= 0) & (mapped >= 0)
    if not kept.any():
        raise LabelError(
            f"No point of {name} with a value in {field!r} lies on the map; fill the field, or check its CRS."
        )
    left = {f"without a value in {field!r}": int((there < 0).sum()), "off the map": int((mapped < 0).sum())}
    for what, count in left.items():
        if count:
            logger.info("Points of %s %s, not used: %d of %d.", name, what, count, len(frame))
    found = {"mapped_at": mapped[kept], "there_at": there[kept]}
    return gpd.GeoDataFrame(found, geometry=frame.geometry.array[kept], crs=frame.crs)


def _class_numbers(column: pd.Series[Any], classes: Sequence[MapClass], name: str, field: str) -> NDArray[np.int64]:
    """Which class each value names, by its name or its number; -1 where there is none."""
    by_text = {str(item.value): at for at, item in enumerate(classes)}
    by_text |= {item.name.casefold(): at for at, item in enumerate(classes)}
    found = np.full(len(column), -1, np.int64)
    foreign: list[str] = []
    for row, value in enumerate(column):
        plain = plain_value(value)
        if plain is None or not str(plain).strip():
            continue
        at = by_text.get(str(plain).strip().casefold(), by_text.get(str(plain).strip()))
        if at is None:
            foreign.append(str(plain))
        else:
            found[row] = at
    if foreign:
        listed = ", ".join(repr(item) for item in list(dict.fromkeys(foreign))[:5])
        known = ", ".join(item.name for item in classes)
        raise LabelError(f"{field!r} of {name} holds {listed}, which the map does not have; write one of {known}.")
    return found


def _mapped(told: _Map, frame: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """Which class the map has at each point; -1 off the map."""
    at_value = {value: at for at, value in enumerate(told.values.tolist())}
    with rasterio.open(told.path) as dataset:
        placed = frame.to_crs(dataset.crs.to_wkt()) if frame.crs is not None else frame
        cols, rows = ~dataset.transform * (placed.geometry.x.to_numpy(), placed.geometry.y.to_numpy())
        row, col = np.floor(rows).astype(np.int64), np.floor(cols).astype(np.int64)
        inside = (row >= 0) & (col >= 0) & (row < dataset.height) & (col < dataset.width)
        found = np.full(len(frame), -1, np.int64)
        for number in np.flatnonzero(inside):
            value = dataset.read(1, window=Window(int(col[number]), int(row[number]), 1, 1))[0, 0]
            found[number] = at_value.get(int(value), -1)
    return found


def _doubts(told: _Map, matrix: NDArray[np.int64]) -> list[str]:
    """What the reader should know before believing the numbers."""
    found = []
    for item, row, share in zip(told.classes, matrix, told.shares, strict=True):
        if row.sum() == 0:
            found.append(f"No point lies on class {item.name!r} ({share:.1%} of the map); its ground is left out.")
        elif row.sum() < _FEW:
            found.append(f"Class {item.name!r} has {row.sum()} points only; its accuracy and its interval say little.")
    return found


def _report(
    folder: Path, parameters: AssessParameters, told: _Map, result: Assessment, warnings: Sequence[str]
) -> None:
    names = [item.name for item in told.classes]
    sure = f"{parameters.confidence:.0%}"
    title = "Accuracy and area"
    facts = {"points": f"{int(result.matrix.sum())}", "classes": f"{len(names)}", "intervals": sure}
    shown = result.overall
    matrix = [
        [name, *row.tolist(), int(row.sum()), f"{area / _HECTARE:.4g}"]
        for name, row, area in zip(names, result.matrix, result.mapped, strict=True)
    ]
    shares = [[name, *(f"{share:.4f}" for share in row)] for name, row in zip(names, result.shares, strict=True)]
    accuracies = [
        [name, _percent(one), _percent(other)]
        for name, one, other in zip(names, result.users, result.producers, strict=True)
    ]
    areas = [
        [name, f"{mapped / _HECTARE:.4g}", f"{area.value / _HECTARE:.4g}", f"± {area.half_width / _HECTARE:.3g}"]
        for name, mapped, area in zip(names, result.mapped, result.areas, strict=True)
    ]
    body = [
        sections.head(title, Path(told.path).name, facts),
        sections.warnings(warnings),
        page.cards([(f"{shown.value:.1%}", "Overall accuracy", f"± {shown.half_width:.1%} at {sure}")]),
        sections.section(
            "Areas", page.table(["Class", "mapped, ha", "really there, ha", sure], areas)
            + "<p>What a map counts is shifted by its confusions; the sample takes that out.</p>",
        ),
        sections.section("Accuracies", page.table(["Class", "user's", "producer's"], accuracies)),
        sections.section(
            "Error matrix",
            page.table(["Map \\ there", *names, "points", "mapped, ha"], matrix, caption="Points: rows are the map.")
            + page.table(["Map \\ there", *names], shares, caption="Shares of the ground."),
        ),
        "<section><p class='soft'>After Olofsson et al. (2014), Good practices for estimating area and assessing "
        "accuracy of land change, doi:10.1016/j.rse.2014.02.015; the strata are the classes of the map.</p></section>",
        sections.repeat(as_command(parameters), as_python(parameters), parameters.to_dict()),
        sections.versions(versions()),
    ]  # fmt: skip
    plain = asdict(result)
    page.write_page(folder, title, body, {"format_version": 1, "map": told.path, "classes": names, **plain})


def _percent(item: Interval) -> str:
    return "" if np.isnan(item.value) else f"{item.value:.1%} ± {item.half_width:.1%}"
