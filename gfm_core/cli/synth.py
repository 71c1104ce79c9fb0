"""`gfm synth`."""

from __future__ import annotations

from typing import Any

import click

from gfm_core.cli.options import parsed, with_parameters
from gfm_core.parameters import SynthParameters


@click.command("synth")
@with_parameters(SynthParameters)
def synth_command(**values: Any) -> None:
    """Write a made-up place into DIR: rasters of several sensors, resolutions and dates, with labels and the truth.

    \b
    gfm synth place/ --seed 3
    gfm classify place/*.tif -o map.tif --labels place/labels.gpkg --field class
    """
    parameters = parsed(SynthParameters, values)
    from gfm_core.synthetic import synth

    made = synth(parameters)
    for path in (*made.paths, made.labels, made.truth):
        click.echo(str(path))
