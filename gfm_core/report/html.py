"""The report of a map: `report.html`, one file that opens anywhere without a net, and `report.json` for programs.

Nothing in it depends on the clock or the folder, so the same map gives the same report.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from gfm_core.classes import MapClass
from gfm_core.errors import OutputError
from gfm_core.report import sections, trust
from gfm_core.report.area import ClassArea
from gfm_core.report.pictures import confidence_png, draw_confidence, draw_map, legend_png, map_png
from gfm_core.report.style import CERTAINTY, hex_of
from gfm_core.whole import write_whole

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportData:
    """Everything a report tells, as plain values; what is None or empty is left out of the page.

    `folds`, `raw_bands` and `check` are scores as `heads.score.Scores.to_dict()` gives them: `macro_f1`, `accuracy`,
    `n`, `classes` (code, name, precision, recall, f1, support of each) and `confusion` (rows truth, columns map).
    """

    title: str
    map_name: str  # the file as the user knows it; `map_path` may still be a temporary name
    classes: tuple[MapClass, ...]  # with colours
    map_path: Path | None = None
    confidence_path: Path | None = None
    candidates_path: Path | None = None  # its first band is drawn
    facts: Mapping[str, str] = field(default_factory=dict)  # shown under the title: pixel size, CRS, model, ...
    areas: tuple[ClassArea, ...] = ()
    folds: Mapping[str, Any] | None = None  # the map's heads, on spatial folds
    per_fold: tuple[float, ...] = ()  # macro-F1 of each fold
    square_m: float | None = None  # side of the ground squares that the folds are made of
    raw_bands: Mapping[str, Any] | None = None  # raw bands alone, on the same folds
    group_f1: Mapping[str, float] = field(default_factory=dict)  # macro-F1 of each feature group alone
    group_weights: Mapping[str, float] = field(default_factory=dict)  # how much each counts in the map, 1 in all
    choice: Mapping[str, Any] | None = None  # learnt, gain, error: see `heads.weights.Choice`
    calibration: Mapping[str, Any] | None = None  # see `heads.calibrate.Calibration`
    candidates: Mapping[str, Any] | None = None  # see `heads.calibrate.Candidates`; `map`: shares of its pixels
    outside: float | None = None  # share of the map outside the area of applicability
    suspects: tuple[Mapping[str, Any], ...] = ()  # labelled, looks_like, quality, x, y, pixels
    check: Mapping[str, Any] | None = None  # the map itself, on check labels
    check_name: str = ""
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    inputs: tuple[Mapping[str, Any], ...] = ()  # name, then whatever was understood; `reasons` may be a list
    parameters: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""
    python: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)


class ReportFiles(NamedTuple):
    """Where a report was written."""

    html: Path
    json: Path


def write_report(folder: str | Path, data: ReportData) -> ReportFiles:
    """Write the report into `folder` (made if missing), with `map.png`, `legend.png` and `confidence.png` for slides.

    The page holds its pictures inside, so it can be sent on alone. Raises `OutputError` if it cannot be written.
    """
    folder = Path(folder)
    make_folder(folder)
    if data.map_path is not None:
        map_png(folder / "map.png", data.map_path, data.classes)
    if data.confidence_path is not None:
        confidence_png(folder / "confidence.png", data.confidence_path)
    if data.classes:
        legend_png(folder / "legend.png", data.classes)
    told = json.dumps(report_dict(data), indent=2, ensure_ascii=False, allow_nan=False)
    return ReportFiles(
        html=write_whole(folder / "report.html", encoded(report_html(data))),
        json=write_whole(folder / "report.json", encoded(told + "\n")),
    )


def make_folder(folder: Path) -> None:
    """Make a report's folder unless it is there; raises `OutputError` if it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The report folder {folder} cannot be made ({error.strerror}); choose another place."
        ) from error


def report_dict(data: ReportData) -> dict[str, Any]:
    """The report as plain values that JSON can hold: numbers that are not known are None."""
    areas = {item.code: item for item in data.areas}
    classes = [
        {
            "code": item.code,
            "name": item.name,
            "value": item.value,
            "colour": hex_of(item.colour) if item.colour is not None else None,
            "pixels": areas[item.code].pixels if item.code in areas else None,
            "area_m2": areas[item.code].area_m2 if item.code in areas else None,
            "area_share": areas[item.code].share if item.code in areas else None,
        }
        for item in data.classes
    ]
    scores = {
        "spatial_folds": data.folds,
        "per_fold_macro_f1": data.per_fold,
        "fold_square_m": data.square_m,
        "raw_bands_alone": data.raw_bands,
        "groups_macro_f1": data.group_f1,
        "groups_weights": data.group_weights,
        "weights_choice": data.choice,
        "calibration": data.calibration,
        "candidates": data.candidates,
        "outside_applicability": data.outside,
        "check": data.check,
        "check_labels": data.check_name or None,
    }
    told = {
        "format_version": FORMAT_VERSION,
        "title": data.title,
        "map": data.map_name,
        "facts": data.facts,
        "classes": classes,
        "scores": scores,
        "suspects": data.suspects,
        "warnings": data.warnings,
        "notes": data.notes,
        "inputs": data.inputs,
        "parameters": data.parameters,
        "copy_as": {"command": data.command, "python": data.python},
        "versions": data.versions,
    }
    found = plain(told)
    assert isinstance(found, dict)
    return found


def report_html(data: ReportData) -> str:
    """The page."""
    map_uri = _uri(draw_map(data.map_path, data.classes, legend=False, max_width=1000)) if data.map_path else ""
    confidence_uri = _uri(draw_confidence(data.confidence_path, max_width=800)) if data.confidence_path else ""
    certainty_uri = ""
    if data.candidates is not None and data.candidates_path is not None:
        certainty_uri = _uri(draw_map(data.candidates_path, CERTAINTY, legend=False, max_width=800))
    code = {item.code: item for item in data.areas}
    body = [
        sections.head(data.title, data.map_name, data.facts),
        sections.warnings(data.warnings),
        sections.headline(
            data.folds,
            data.raw_bands,
            data.check,
            per_fold=data.per_fold,
            square_m=data.square_m,
            check_name=data.check_name,
        ),
        sections.map_and_legend(map_uri, data.map_name, data.classes),
        sections.groups(data.folds, data.group_f1, data.raw_bands, data.group_weights, data.choice),
        sections.per_class(data.classes, data.folds, data.check, code),
        sections.confusion(data.classes, data.folds, "on spatial folds"),
        sections.confusion(data.classes, data.check, "on the check labels"),
        sections.confidence(confidence_uri),
        trust.calibration(data.calibration),
        trust.candidates(data.candidates, certainty_uri, data.outside),
        trust.suspects(data.suspects),
        sections.notes(data.notes),
        sections.inputs(data.inputs),
        sections.repeat(data.command, data.python, data.parameters),
        sections.versions(data.versions),
    ]
    return whole_page(data.title, body)


def whole_page(title: str, body: Iterable[str]) -> str:
    """A page that opens anywhere, from parts that are HTML already; empty ones are left out."""
    # Nothing may be loaded: the page is complete, and a class name cannot smuggle in a script of its own.
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
    return "\n".join([
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{sections.text(title)}</title>",
        f"<style>\n{_asset('report.css')}</style>",
        "</head>",
        "<body>",
        *(part for part in body if part),
        f"<script>\n{_asset('report.js')}</script>",
        "</body>",
        "</html>",
        "",
    ])  # fmt: skip


def _asset(name: str) -> str:
    return (resources.files("gfm_core") / "assets" / "report" / name).read_text(encoding="utf-8")


def _uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def encoded(text: str) -> bytes:
    """UTF-8, whatever file names hold."""
    # A file name of undecodable bytes reaches us as lone surrogates, which UTF-8 has no place for.
    return text.encode("utf-8", errors="replace")


def plain(value: Any) -> Any:
    """`value` for JSON: mappings and sequences to the core, numbers of numpy as Python's, NaN and infinity as None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # arrays and scalars of numpy
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, str | int | float) else str(value)
