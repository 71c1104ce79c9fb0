"""What a finished tool tells, as plain values: one frozen dataclass a tool.

The worker's answer, the outputs of the QGIS algorithm and their table in the docs are made from it, as the form is from
`parameters.py`. A value that a run does not have (no check labels, no folds) is None.
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


def describe_outcome(cls: type[Outcome]) -> list[dict[str, Any]]:
    """The values of an outcome in their order, each with name, label, kind and help."""
    return [{"name": item.name, **{key: str(text) for key, text in item.metadata.items()}} for item in fields(cls)]
