"""What the report of a map tells, gathered from the run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gfm_core.classes import MapClass
from gfm_core.embedding.file import versions
from gfm_core.heads.score import CrossValidation, Scores
from gfm_core.labels.pixels import LabelPixels
from gfm_core.parameters import ClassifyParameters
from gfm_core.raster.ground import as_crs
from gfm_core.report.area import map_areas
from gfm_core.report.html import ReportData, write_report
from gfm_core.tools.copy_as import as_command, as_python
from gfm_core.tools.map_inputs import MapInputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a run found out: the classes with colours, pixels by class, and how good the map is."""

    classes: tuple[MapClass, ...]
    pixels: dict[int, int]
    labelled: LabelPixels | None
    cross_validation: CrossValidation | None
    square_m: float | None
    check: Scores | None
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def report_on(
    folder: Path, parameters: ClassifyParameters, source: MapInputs, findings: Findings, *, made: Path, confidence: Path
) -> None:
    """Write the report of the map `made` into `folder`."""
    validation, check = findings.cross_validation, findings.check
    data = ReportData(
        title="Land-cover map",
        map_name=parameters.output.name,
        classes=findings.classes,
        map_path=made,
        confidence_path=confidence,
        facts=_facts(parameters, source, findings),
        areas=map_areas(made),
        folds=validation.fused.to_dict() if validation else None,
        per_fold=tuple(validation.per_fold) if validation else (),
        square_m=findings.square_m,
        raw_bands=validation.raw_bands.to_dict() if validation and validation.raw_bands else None,
        group_f1=validation.groups if validation else {},
        check=check.to_dict() if check else None,
        check_name=_check_name(parameters),
        notes=findings.notes,
        warnings=findings.warnings,
        inputs=tuple(_input(item) for item in source.sources),
        parameters=parameters.to_dict(),
        command=as_command(parameters),
        python=as_python(parameters),
        versions=versions(),
    )
    write_report(folder, data)


def _facts(parameters: ClassifyParameters, source: MapInputs, findings: Findings) -> dict[str, str]:
    """What stands under the title."""
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
    if findings.labelled is not None:
        facts["Labelled pixels"] = f"{len(findings.labelled.codes):,} in {len(set(findings.labelled.units))} places"
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
