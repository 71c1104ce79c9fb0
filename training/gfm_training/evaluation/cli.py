"""`gfm evaluate`: a model and folders of rasters in, one page and one JSON file out."""

from __future__ import annotations

import dataclasses
import shlex
import sys
from pathlib import Path

import click

from gfm_training.cli import say
from gfm_training.settings import read_recipe


@click.command("evaluate")
@click.argument("model")
@click.argument("folders", nargs=-1, required=True, metavar="FOLDER...", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", required=True, metavar="REPORT", type=click.Path(path_type=Path), help="Folder of the report."
)
@click.option(
    "--config", metavar="TOML", type=click.Path(path_type=Path),
    help="Recipe of training: what to leave out, and its [[probe]] scenes.",
)  # fmt: skip
@click.option(
    "--places", type=click.IntRange(min=1), default=4, show_default=True, help="Places of each kind to look at."
)
@click.option("--windows", type=click.IntRange(min=1), default=9, show_default=True, help="Windows of each place.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of masks and draws.")
@click.option("--overwrite", is_flag=True, help="Replace a report that is there.")
def evaluate_command(  # noqa: PLR0917 (click passes them by name)
    model: str, folders: tuple[Path, ...], output: Path, config: Path | None, places: int, windows: int, seed: int,
    overwrite: bool,
) -> None:  # fmt: skip
    """Say what a model is worth on your own rasters, beside the untrained network.

    MODEL is a name, a file or the folder of a training run. Measured are maps from a few labels, other resolutions, the
    place without each layer and date, and the prediction of what is hidden; REPORT/report.html shows it with pictures,
    REPORT/report.json holds the numbers.

    Example: gfm evaluate runs/mine ./scenes -o runs/mine/evaluation
    """
    from gfm_training.evaluation.run import Order, evaluate

    recipe = read_recipe(config)
    recipe = dataclasses.replace(recipe, train=dataclasses.replace(recipe.train, seed=seed))
    order = Order(
        model, folders, output, recipe, places=places, windows=windows, overwrite=overwrite,
        command=shlex.join(["gfm", *sys.argv[1:]]),
    )  # fmt: skip
    say(f"report: {evaluate(order, say=say)}")
