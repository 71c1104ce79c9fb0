"""`gfm embed`."""

from __future__ import annotations

from typing import Any

import click

from gfm_core.cli.options import parsed, with_parameters
from gfm_core.cli.show import progress_shown
from gfm_core.parameters import EmbedParameters


@click.command("embed")
@with_parameters(EmbedParameters)
@click.pass_obj
def embed_command(shared: dict[str, bool], /, **values: Any) -> None:
    """Turn rasters of one place into an embedding: a raster with a vector for every ground cell.

    \b
    gfm embed s2_10m.tif s2_20m.tif dem.tif -o embedding.tif
    gfm embed photo.tif:as=aerial-rgb -o embedding.tif --cell 1 --extent 400000,5820000,401000,5821000
    """
    parameters = parsed(EmbedParameters, values)
    from gfm_core.progress import Reporter
    from gfm_core.tools.embed import run_embed
    from gfm_core.tools.embed_write import preview_path

    with progress_shown(shared["quiet"]) as progress:
        made = run_embed(parameters, Reporter(progress))
    rows, cols = made.cells.shape
    click.echo(f"{made.path}: {rows} x {cols} cells of {made.lattice.cell_size:g} m, {len(made.columns)} bands")
    click.echo(f"{preview_path(made.path)}: a picture of it")
