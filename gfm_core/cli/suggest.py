"""`gfm suggest`."""

from __future__ import annotations

from typing import Any

import click

from gfm_core.cli.options import parsed, with_parameters
from gfm_core.cli.show import progress_shown
from gfm_core.parameters import SuggestParameters


@click.command("suggest")
@with_parameters(SuggestParameters)
@click.pass_obj
def suggest_command(shared: dict[str, bool], /, **values: Any) -> None:
    """Say which places are worth a label next: where those who make the map contradict each other.

    \b
    gfm suggest embedding.tif -o next.gpkg --labels points.gpkg --field class
    """
    parameters = parsed(SuggestParameters, values)
    from gfm_core.progress import Reporter
    from gfm_core.tools.suggest import run_suggest

    with progress_shown(shared["quiet"]) as progress:
        found = run_suggest(parameters, Reporter(progress))
    so_far = ", ".join(f"{name} {count}" for name, count in found.labelled.items())
    click.echo(f"{found.path}: {len(found.points)} points worth a label (so far: {so_far})")
