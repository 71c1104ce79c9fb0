"""`gfm cache`."""

from __future__ import annotations

import json

import click


@click.command("cache")
@click.option("--empty", is_flag=True, help="Remove every piece in the cache.")
@click.option("--discard", is_flag=True, help="Remove what interrupted runs left beside their outputs.")
@click.option(
    "--limit", type=click.IntRange(min=0), metavar="MB", help="Keep no more than this from now on; 0: nothing."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def cache_command(empty: bool, discard: bool, limit: int | None, as_json: bool) -> None:
    """Show or empty what earlier runs left for later ones.

    Finished pieces of embeddings are kept in a cache, so that a view or a map of the same rasters does not embed them
    again. A run that was interrupted keeps its pieces beside its output, and the same command goes on from there.

    \b
    gfm cache
    gfm cache --limit 500
    gfm cache --empty --discard
    """
    from gfm_core.embedding.cache import set_cache_limit
    from gfm_core.errors import megabytes
    from gfm_core.tools.cache import cache_state, discard_interrupted, empty_cache

    if limit is not None:
        set_cache_limit(limit)
    if empty:
        empty_cache()
    if discard:
        discard_interrupted()
    state = cache_state()
    if as_json:
        click.echo(json.dumps(state.to_dict(), indent=2))
        return
    where = state.folder or "no folder: this user has no home"
    click.echo(f"cache: {megabytes(state.bytes)} in {state.pieces} pieces, at most {state.limit_mb} MB ({where})")
    for run in state.interrupted:
        held = " (running)" if run.running else ""
        click.echo(f"interrupted: {run.output}, {megabytes(run.bytes)} in {run.pieces} pieces{held}")
