"""`gfm demo`."""

from __future__ import annotations

from pathlib import Path

import click

from gfm_core.cli.classify import result_lines
from gfm_core.cli.show import progress_shown


@click.command("demo")
@click.argument("folder", default="gfm-demo", type=click.Path(file_okay=False, path_type=Path), metavar="[DIR]")
@click.pass_obj
def demo_command(shared: dict[str, bool], folder: Path) -> None:
    """Embed and classify the sample scene (Brandenburg, Sentinel-2 at 10, 20 and 60 m) into DIR.

    \b
    gfm demo out/
    """
    from gfm_core.progress import Reporter
    from gfm_core.tools.demo import run_demo

    with progress_shown(shared["quiet"]) as progress:
        made = run_demo(folder, Reporter(progress))
    click.echo(f"{made.embedding.path}: the embedding, {len(made.embedding.columns)} bands")
    for line in result_lines(made.map):
        click.echo(line)
    click.echo(f"{made.picture}: a picture of the map")
