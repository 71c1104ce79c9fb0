"""What the report of a map tells, gathered from the run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gfm_core.classes import MapClass
from gfm_core.embedding.file import versions
from gfm_core.heads.score import Scores
from gfm_core.heads.suspects import Suspect
from gfm_core.heads.validate import CrossValidation
from gfm_core.parameters import ClassifyParameters
from gfm_core.raster.ground import as_crs
from gfm_core.report.area import map_areas
from gfm_core.report.html import ReportData, write_report
from gfm_core.report.style import CERTAINTY
from gfm_core.tools.copy_as import as_command, as_python
from gfm_core.tools.map_labels import Fitted
from gfm_core.tools.map_write import MapCounts, MapPaths


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a run found out: the fitted head, the classes with colours, the map's pixels, the score on check labels."""

    fitted: Fitted
    classes: tuple[MapClass, ...]
    counts: MapCounts
    check: Scores | None
    notes: tuple[str, ...]


def report_on(folder: Path, parameters: ClassifyParameters, findings: Findings, made: MapPaths) -> None:
    """Write the report of the map `made` into `folder`."""
    fitted, check = findings.fitted, findings.check
    validation = fitted.cross_validation
    data = ReportData(
        title="Land-cover map",
        map_name=parameters.output.name,
        classes=findings.classes,
        map_path=made.map,
        confidence_path=made.confidence,
        candidates_path=made.candidates,
        facts=_facts(parameters, findings),
        areas=map_areas(made.map),
        folds=validation.fused.to_dict() if validation else None,
        per_fold=tuple(validation.per_fold) if validation else (),
        square_m=fitted.square_m,
        raw_bands=validation.raw_bands.to_dict() if validation and validation.raw_bands else None,
        group_f1=validation.groups if validation else {},
        group_weights=fitted.head.fused.weights,
        choice=_choice(validation),
        calibration=asdict(validation.calibration) if validation else None,
        candidates=_candidates(findings) if validation else None,
        outside=_share(findings.counts.outside, findings) if fitted.head.applicability else None,
        suspects=tuple(_suspect(item, findings) for item in fitted.suspects),
        check=check.to_dict() if check else None,
        check_name=_check_name(parameters),
        notes=findings.notes,
        warnings=(*(fitted.source.stack.doubts if fitted.source.stack else ()), *fitted.warnings),
        inputs=tuple(_input(item) for item in fitted.source.sources),
        parameters=parameters.to_dict(),
        command=as_command(parameters),
        python=as_python(parameters),
        versions=versions(),
    )
    write_report(folder, data)


def _choice(validation: CrossValidation | None) -> dict[str, Any] | None:
    """How the weights of the groups were found."""
    if validation is None:
        return None
    choice = validation.choice
    return {"learnt": choice.learnt, "gain": choice.gain, "error": choice.error}


def _candidates(findings: Findings) -> dict[str, Any]:
    """How many pixels are sure, have two candidates, or more; and what folds say of the promise."""
    validation = findings.fitted.cross_validation
    assert validation is not None, "asked for only with folds"
    shares = {item.name: _share(findings.counts.certainty[item.code], findings) for item in CERTAINTY}
    return {**asdict(validation.candidates), "map": shares}


def _share(pixels: int, findings: Findings) -> float:
    return pixels / max(sum(findings.counts.classes.values()), 1)


def _suspect(item: Suspect, findings: Findings) -> dict[str, Any]:
    names = {one.code: one.name for one in findings.classes}
    x, y = findings.fitted.source.features.grid.transform * (item.col + 0.5, item.row + 0.5)
    return {
        "labelled": names[item.labelled], "looks_like": names[item.looks_like], "quality": item.quality, "x": x, "y": y,
        "pixels": item.pixels,
    }  # fmt: skip


def _facts(parameters: ClassifyParameters, findings: Findings) -> dict[str, str]:
    """What stands under the title."""
    source = findings.fitted.source
    grid = source.features.grid
    rows, cols = grid.shape
    model: Any = source.told["model"]
    facts = {
        "Size": f"{cols} x {rows} pixels",
        "Pixel": f"{grid.pixel_area_m2**0.5:.3g} m",
        "CRS": _crs_name(grid.frame.crs),
        "Feature groups": ", ".join(source.groups),
        "Classifier": parameters.head,
        "Cell": f"{source.told['cell_size']:g} m",
        "Model": model["name"] if model else "none",
    }
    labelled = findings.fitted.labelled
    if labelled is not None:
        facts["Labelled pixels"] = f"{len(labelled.codes):,} in {len(set(labelled.units))} places"
    return facts


def _crs_name(crs: str) -> str:
    """A CRS by name; GDAL calls those that have none `unnamed`, PROJ `unknown`."""
    name: str = as_crs(crs).name
    return "of the finest raster, without a name" if name in ("unnamed", "unknown", "undefined") else name


def _check_name(parameters: ClassifyParameters) -> str:
    if parameters.check is None:
        return ""
    return (
        f"the labels that {parameters.where} leaves out" if parameters.check == "rest" else Path(parameters.check).name
    )


def _input(record: dict[str, Any]) -> dict[str, Any]:
    """One source in the words of the report."""
    return {
        "name": record.get("name", ""),
        "modality": record["modality"],
        "gsd_m": record["gsd"],
        "date": record["date"] or "no date",
        "bands": ", ".join(band["name"] for band in record["bands"]),
        "reasons": record.get("reasons", []),
    }
