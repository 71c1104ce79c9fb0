"""What a finished tool tells, as plain values: one frozen dataclass a tool.

The worker's answer, the outputs of the QGIS algorithm and their table in the docs are made from it, as the form is from
`parameters/`. A value that a run does not have (no check labels, no folds) is None.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any


class Kind(StrEnum):
    """What a value is to the user: a file that opens as a layer, a page, a number, a text."""

    RASTER = "raster"
    VECTOR = "vector"
    FILE = "file"
    HTML = "html"
    NUMBER = "number"
    TEXT = "text"
    LIST = "list"  # of plain values by name


def value(help: str, kind: Kind, *, label: str) -> Any:
    """A field of an outcome: its help (one sentence), kind, and name in a form."""
    return field(metadata={"help": help, "kind": kind, "label": label})


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Base of the outcomes of every tool. `output` is the file that the user asked for."""

    output: Path = value("The result.", Kind.RASTER, label="Result")
    command: str = value("The command that repeats the run in a shell.", Kind.TEXT, label="As command")
    python: str = value("The lines that repeat the run in Python.", Kind.TEXT, label="As Python")

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON can hold."""
        plain = dataclasses.asdict(self)
        return {name: str(item) if isinstance(item, Path) else item for name, item in plain.items()}


@dataclass(frozen=True, kw_only=True)
class EmbedOutcome(Outcome):
    """What an embedding run made."""

    preview: Path = value("A picture of the embedding: its three main components.", Kind.FILE, label="Picture")
    rows: int = value("Rows of cells.", Kind.NUMBER, label="Rows")
    cols: int = value("Columns of cells.", Kind.NUMBER, label="Columns")
    cell_size: float = value("Side of a cell in metres.", Kind.NUMBER, label="Cell size (m)")
    bands: int = value("Bands of the embedding.", Kind.NUMBER, label="Bands")


@dataclass(frozen=True, kw_only=True)
class ClassifyOutcome(Outcome):
    """What a map is and how good it is."""

    confidence: Path = value("Probability of each pixel's class in %.", Kind.RASTER, label="Confidence")
    candidates: Path = value(
        "How sure each pixel is: one candidate, two, or don't know; the candidates; where labels say nothing.",
        Kind.RASTER, label="Candidates",
    )  # fmt: skip
    suspects: Path | None = value(
        "Labels that look like another class, the worst first.", Kind.VECTOR, label="Suspicious labels"
    )
    report: Path = value("The report: scores, areas, settings.", Kind.HTML, label="Report")
    legend: Path = value("A picture of the legend.", Kind.FILE, label="Legend")
    classes: int = value("Number of classes.", Kind.NUMBER, label="Classes")
    macro_f1: float | None = value(
        "Mean F1 of the classes on spatial folds, 0 to 1.", Kind.NUMBER, label="Macro-F1 on folds"
    )
    macro_f1_raw_bands: float | None = value(
        "The same score of the raw bands alone.", Kind.NUMBER, label="Macro-F1 of raw bands"
    )
    macro_f1_check: float | None = value(
        "Mean F1 of the classes on the labels to check on.", Kind.NUMBER, label="Macro-F1 on check labels"
    )


@dataclass(frozen=True, kw_only=True)
class PreviewOutcome(Outcome):
    """What labels make of a view; places are in the embedding's CRS."""

    output: Path = value("The map of the view.", Kind.RASTER, label="Result")
    dispute: Path = value("How much the feature groups contradict each other, in %.", Kind.RASTER, label="Dispute")
    classes: list[dict[str, Any]] = value(
        "Code, name, labels, F1 on folds (None: unknown), share of the view.", Kind.LIST, label="Classes"
    )
    macro_f1: float | None = value(
        "Mean F1 of the classes on spatial folds, 0 to 1.", Kind.NUMBER, label="Macro-F1 on folds"
    )
    macro_f1_raw_bands: float | None = value(
        "The same score of the raw bands alone.", Kind.NUMBER, label="Macro-F1 of raw bands"
    )
    next: list[dict[str, Any]] = value("Places worth a label: x, y, looks_like, probability.", Kind.LIST, label="Next")
    suspects: list[dict[str, Any]] = value(
        "Labels that look like another class: x, y, labelled, looks_like, probability.", Kind.LIST, label="Suspects"
    )
    warnings: list[str] = value("What to know before believing the scores.", Kind.LIST, label="Warnings")
    step: int = value("Cells along a pixel of the map of the view.", Kind.NUMBER, label="Cells along a pixel")
    refit_seconds: float = value("Seconds of reading labels, fitting and scoring.", Kind.NUMBER, label="Refit (s)")
    paint_seconds: float = value("Seconds of painting the view.", Kind.NUMBER, label="Paint (s)")


@dataclass(frozen=True, kw_only=True)
class SimilarOutcome(Outcome):
    """How alike the ground is to examples."""

    output: Path = value("How alike each cell is to the examples, 0 to 100.", Kind.RASTER, label="Similarity")
    places: Path = value("The best places, the surest first.", Kind.VECTOR, label="Places")
    count: int = value("Number of places.", Kind.NUMBER, label="Places")
    threshold: float = value("How alike a place is at least.", Kind.NUMBER, label="Threshold")


@dataclass(frozen=True, kw_only=True)
class ChangeOutcome(Outcome):
    """What changed."""

    output: Path = value("Change in standard deviations of unchanged ground.", Kind.RASTER, label="Change")
    changes: Path = value("What changed, the strongest first.", Kind.VECTOR, label="Changes")
    count: int = value("Number of changes.", Kind.NUMBER, label="Changes")
    threshold: float = value("Standard deviations from which on ground has changed.", Kind.NUMBER, label="Threshold")
    area_m2: float = value("Ground that changed, in m².", Kind.NUMBER, label="Changed ground (m²)")


@dataclass(frozen=True, kw_only=True)
class ClusterOutcome(Outcome):
    """Kinds of ground."""

    output: Path = value("Clusters, the largest first.", Kind.RASTER, label="Clusters")
    legend: Path = value("A picture of the legend.", Kind.FILE, label="Legend")
    largest: float = value("Share of the ground in the largest cluster, 0 to 1.", Kind.NUMBER, label="Largest cluster")


@dataclass(frozen=True, kw_only=True)
class EstimateOutcome(Outcome):
    """A number on every cell, and how good it is."""

    output: Path = value("The number on every cell.", Kind.RASTER, label="Estimate")
    interval: Path = value("Lower and upper end of its interval.", Kind.RASTER, label="Interval")
    report: Path = value("The report: scores, scatter plot, settings.", Kind.HTML, label="Report")
    places: int = value("Places that it was learnt from.", Kind.NUMBER, label="Known places")
    r2: float | None = value("R² on spatial folds: 1 is perfect, 0 no better than the mean.", Kind.NUMBER, label="R²")
    rmse: float | None = value("Root of the mean squared error on spatial folds.", Kind.NUMBER, label="RMSE")
    r2_raw_bands: float | None = value("The same R² of the raw bands alone.", Kind.NUMBER, label="R² of raw bands")
    r2_statistics: float | None = value(
        "The same R² of the bands with their statistics.", Kind.NUMBER, label="R² of bands and statistics"
    )
    coverage: float | None = value(
        "Share of places inside their interval on spatial folds.", Kind.NUMBER, label="Inside the interval"
    )


@dataclass(frozen=True, kw_only=True)
class ApplyOutcome(Outcome):
    """The map of another place by a classifier that was fitted before."""

    output: Path = value("The map of classes.", Kind.RASTER, label="Result")
    confidence: Path = value("Probability of each pixel's class in %.", Kind.RASTER, label="Confidence")
    candidates: Path = value(
        "How sure each pixel is, its candidates, and where the ground looks like nothing that was labelled.",
        Kind.RASTER, label="Candidates",
    )  # fmt: skip
    report: Path = value("The report: areas, settings.", Kind.HTML, label="Report")
    legend: Path = value("A picture of the legend.", Kind.FILE, label="Legend")
    classes: int = value("Number of classes.", Kind.NUMBER, label="Classes")
    outside: float | None = value(
        "Share of the map outside the classifier's area of applicability, 0 to 1.", Kind.NUMBER,
        label="Outside applicability",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class AssessOutcome(Outcome):
    """Points to look at, or how right the map is by them."""

    output: Path = value("The points.", Kind.VECTOR, label="Points")
    report: Path | None = value("The report: error matrix, accuracies, areas.", Kind.HTML, label="Report")
    points: int = value("Number of points.", Kind.NUMBER, label="Points")
    accuracy: float | None = value("Overall accuracy, 0 to 1.", Kind.NUMBER, label="Overall accuracy")
    half_width: float | None = value("Half the width of its interval.", Kind.NUMBER, label="± overall accuracy")


@dataclass(frozen=True, kw_only=True)
class VectorOutcome(Outcome):
    """Polygons with statistics."""

    output: Path = value("The polygons with their statistics.", Kind.VECTOR, label="Polygons")
    rows: int = value("Number of polygons.", Kind.NUMBER, label="Polygons")
    fields: int = value("Number of fields that were added.", Kind.NUMBER, label="Fields added")
    empty: int = value("Polygons outside the rasters.", Kind.NUMBER, label="Polygons outside")


def describe_outcome(cls: type[Outcome]) -> list[dict[str, Any]]:
    """The values of an outcome in their order, each with name, label, kind and help."""
    return [{"name": item.name, **{key: str(text) for key, text in item.metadata.items()}} for item in fields(cls)]
