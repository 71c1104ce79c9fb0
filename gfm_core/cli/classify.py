"""`gfm classify`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gfm_core.cli.options import parsed, with_parameters
from gfm_core.cli.show import progress_shown
from gfm_core.parameters import ClassifyParameters

if TYPE_CHECKING:
    from gfm_core.tools.classify import ClassMap


@click.command("classify")
@with_parameters(ClassifyParameters)
@click.pass_obj
def classify_command(shared: dict[str, bool], /, **values: Any) -> None:
    """Make a land-cover map from a few labels, with a confidence layer, honest scores and a report.

    \b
    gfm classify s2_10m.tif s2_20m.tif -o map.tif --labels polygons.gpkg --field class
    gfm classify embedding.tif -o map.tif --labels points.gpkg --where "year = 2020" --check rest
    """
    parameters = parsed(ClassifyParameters, values)
    from gfm_core.progress import Reporter
    from gfm_core.tools.classify import run_classify

    with progress_shown(shared["quiet"]) as progress:
        made = run_classify(parameters, Reporter(progress))
    for line in result_lines(made):
        click.echo(line)


def result_lines(made: ClassMap) -> list[str]:
    """What was made and how good it is, a line each."""
    lines = [f"{made.path}: {len(made.classes)} classes", f"{made.confidence}: probability of the class in %"]
    lines.append(f"{made.candidates}: sure, two candidates or don't know, and where the labels say nothing")
    if made.suspects is not None:
        lines.append(f"{made.suspects}: labels that look like another class")
    if made.cross_validation is not None:
        fused, bands = made.cross_validation.fused, made.cross_validation.raw_bands
        beside = f" (raw bands alone: {bands.macro_f1:.3f})" if bands else ""
        lines.append(f"macro-F1 on spatial folds: {fused.macro_f1:.3f}{beside}")
    if made.check is not None:
        lines.append(f"macro-F1 on the check labels: {made.check.macro_f1:.3f} ({made.check.n} pixels)")
    lines.append(f"{made.report}: the report")
    return lines
