"""`gfm info`."""

from __future__ import annotations

import json
from typing import Any

import click


@click.command("info")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info_command(files: tuple[str, ...], as_json: bool) -> None:
    """Say what is understood of rasters (and why), embeddings, heads and models.

    \b
    gfm info s2_10m.tif dem.tif
    gfm info embedding.tif --json
    """
    from gfm_core.tools.info import info

    told: list[dict[str, Any]] = [info(file) for file in files]
    if as_json:
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for item in told:
        click.echo("\n".join(item["text"]))
