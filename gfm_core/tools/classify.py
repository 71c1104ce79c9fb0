"""Classify: rasters or an embedding, and a few labels → a land-cover map with confidence, scores and a report."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gfm_core.bands import Normalisation
from gfm_core.classes import MapClass
from gfm_core.errors import ParameterError
from gfm_core.heads.mapper import MapHead
from gfm_core.heads.score import Scores
from gfm_core.heads.store import check_head, load_head, save_head
from gfm_core.heads.validate import CrossValidation
from gfm_core.parameters import HEADS, ClassifyParameters
from gfm_core.progress import CancelCheck, ProgressCallback, Reporter
from gfm_core.raster.stack import BandKey, Constants
from gfm_core.raster.write import Outputs
from gfm_core.report.palette import with_colours
from gfm_core.report.pictures import legend_png
from gfm_core.report.style import (
    class_colormap,
    write_certainty_style,
    write_class_style,
    write_confidence_style,
    write_ring_style,
)
from gfm_core.tools.call import described_by
from gfm_core.tools.embed import read_files
from gfm_core.tools.map_inputs import MapInputs, map_inputs
from gfm_core.tools.map_labels import Fitted, Labels, fit_on_labels, given_labels, score_map
from gfm_core.tools.map_report import Findings, report_on
from gfm_core.tools.map_suspects import write_suspects
from gfm_core.tools.map_write import MapCounts, MapPaths, class_names, write_map
from gfm_core.tools.ready import NOTHING, Rasters, Ready, from_call

_StoredHead = tuple[MapHead, dict[str, Any]]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClassMap:
    """A finished map: where it lies, its classes, and how good it is.

    `cross_validation` and `suspects` are None for a stored head, `check` without check labels; `pixels` counts the map
    by class code; `outside` is the share of it outside the area of applicability, None where that is not known.
    """

    path: Path
    confidence: Path
    candidates: Path
    suspects: Path | None
    legend: Path
    report: Path
    classes: tuple[MapClass, ...]
    cross_validation: CrossValidation | None
    check: Scores | None
    pixels: dict[int, int]
    outside: float | None
    notes: tuple[str, ...]


@described_by(ClassifyParameters)
def classify(
    rasters: Rasters,
    output: str | Path,
    *,
    progress: ProgressCallback | None = None,
    cancel: CancelCheck | None = None,
    **options: Any,
) -> ClassMap:
    """Map land cover from rasters of one place (paths, a stack, or an embedding) and labels, or a stored head.

    Raises `GfmError` with one sentence where something cannot work; then nothing is left behind.
    """
    parameters, ready = from_call(ClassifyParameters, rasters, output, options)
    return run_classify(parameters, Reporter(progress, cancel), ready)


def run_classify(parameters: ClassifyParameters, reporter: Reporter, ready: Ready = NOTHING) -> ClassMap:
    """The tool itself, for the command line, the worker and `classify`."""
    stored = _stored_head(parameters)
    if stored is not None:
        parameters = _like_head(parameters, stored[1])
    labels = given_labels(parameters, stored[0] if stored else None)
    places = _Places.of(parameters)
    with (
        reporter.listening(),
        Outputs(
            places.targets, folders=(places.report,), inputs=_inputs(parameters), overwrite=parameters.overwrite
        ) as outputs,
        ExitStack() as opened_files,
    ):
        scratch = outputs.partial(places.map).parent / "scratch"
        scratch.mkdir()
        constants = _constants(stored[1]) if stored else None
        source = map_inputs(parameters, scratch, opened_files, reporter.step(0, 0.5), ready=ready, constants=constants)
        fitted = _fitted(parameters, source, stored or labels.training, reporter.step(0.5, 0.7))
        return _finish(parameters, outputs, fitted, reporter.step(0.7, 1), check_labels=labels.check)


def _inputs(parameters: ClassifyParameters) -> list[str]:
    """Every file that is read, so that none of them is written to."""
    others = (parameters.labels, parameters.check, parameters.head)
    return [*read_files(parameters), *filter(None, others)]


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the outputs go."""

    map: Path
    confidence: Path
    candidates: Path
    suspects: Path | None
    legend: Path
    report: Path
    head: Path | None

    @classmethod
    def of(cls, parameters: ClassifyParameters) -> _Places:
        """`MAP.tif`, `MAP_confidence.tif` and so on; `MAP_report/` unless told otherwise."""
        made, stem = parameters.output, parameters.output.stem
        return cls(
            map=made,
            confidence=made.with_name(f"{stem}_confidence.tif"),
            candidates=made.with_name(f"{stem}_candidates.tif"),
            suspects=made.with_name(f"{stem}_suspects.gpkg") if parameters.head in HEADS else None,
            legend=made.with_name(f"{stem}_legend.png"),
            report=parameters.report or made.with_name(f"{stem}_report"),
            head=parameters.save_head,
        )

    @property
    def targets(self) -> list[Path]:
        """Every output, the map first."""
        every = (self.map, self.confidence, self.candidates, self.suspects, self.legend, self.report, self.head)
        return [item for item in every if item is not None]

    def unfinished(self, outputs: Outputs) -> MapPaths:
        """Where the rasters lie until all is done."""
        return MapPaths(*(outputs.partial(item) for item in (self.map, self.confidence, self.candidates)))


def _stored_head(parameters: ClassifyParameters) -> _StoredHead | None:
    """A head from a file, or None where one is to be fitted; raises `ParameterError` if neither can work."""
    if parameters.head in HEADS:
        if parameters.labels is None:
            raise ParameterError(
                "classify needs labels to fit a head; give --labels FILE, or a stored one with --head FILE."
            )
        return None
    if not Path(parameters.head).is_file():
        raise ParameterError(f"head {parameters.head!r} is no file and none of {', '.join(HEADS)}; give one of these.")
    return load_head(Path(parameters.head))


def _like_head(parameters: ClassifyParameters, meta: dict[str, Any]) -> ClassifyParameters:
    """The groups, and unless given the cell size, that a stored head was fitted on."""
    return replace(parameters, groups=tuple(meta["groups"]), cell_size=parameters.cell_size or meta["cell_size"])


def _constants(meta: dict[str, Any]) -> Constants:
    """The normalisation that a stored head was fitted with."""
    names = ("scale", "offset", "centre", "spread", "fitted")
    return {
        BandKey(item["sensor"], item["gsd"], tuple(item["bands"]), item["band"]): Normalisation(
            **{name: item[name] for name in names}
        )
        for item in meta["normalisation"]
    }


def _fitted(
    parameters: ClassifyParameters, source: MapInputs, given: _StoredHead | Labels | None, reporter: Reporter
) -> Fitted:
    """The stored head, checked against the input, or one fitted on the labels."""
    assert given is not None, "checked by _stored_head"
    if isinstance(given, tuple):
        head, meta = given
        source = source.knowing(head.prototypes)
        check_head(meta, source.told, name=Path(parameters.head).name)
        return Fitted(head if parameters.smoothing == "auto" else replace(head, guide=None), source)
    return fit_on_labels(given, parameters, source, reporter)


def _finish(
    parameters: ClassifyParameters, outputs: Outputs, fitted: Fitted, reporter: Reporter, *,
    check_labels: Labels | None,
) -> ClassMap:  # fmt: skip
    """Write the map, what belongs to it, the head and the report; score the map on the check labels."""
    places, source = _Places.of(parameters), fitted.source
    classes = with_colours(fitted.head.classes, parameters.labels, parameters.field, layer=parameters.layer)
    made = places.unfinished(outputs)
    counts = write_map(
        source.features, fitted.head, made, near=source.near, colormap=class_colormap(classes),
        threads=parameters.threads, reporter=reporter.step(0, 0.8), tags=class_names(classes),
    )  # fmt: skip
    write_class_style(made.map, classes, counts=counts.classes)
    write_confidence_style(made.confidence)
    write_certainty_style(made.candidates)
    legend_png(outputs.partial(places.legend), classes)
    if places.suspects is not None:
        suspects = outputs.partial(places.suspects)
        write_suspects(suspects, fitted.suspects, classes, source.features.grid)
        write_ring_style(suspects)
    source.check_unchanged()
    reporter.update(0.85, "scoring the map")
    check = score_map(check_labels, made.map, source, classes) if check_labels is not None else None
    if places.head is not None:
        save_head(outputs.partial(places.head), fitted.head, source.told)
    found = (*fitted.notes, *(check.notes if check else ()))
    for note in found:
        logger.info(note)
    for warning in fitted.warnings:
        logger.warning(warning)
    notes = (*source.notes, *found)
    findings = Findings(fitted=fitted, classes=classes, counts=counts, check=check, notes=notes)
    reporter.update(0.97, "writing the report")
    report_on(outputs.partial(places.report), parameters, findings, made)
    reporter.update(1.0, "done")
    return ClassMap(
        places.map, places.confidence, places.candidates, places.suspects, places.legend,
        places.report / "report.html", classes, fitted.cross_validation, check, counts.classes,
        _outside(fitted, counts), (*notes, *fitted.warnings),
    )  # fmt: skip


def _outside(fitted: Fitted, counts: MapCounts) -> float | None:
    mapped = sum(counts.classes.values())
    return counts.outside / mapped if fitted.head.applicability is not None and mapped else None
