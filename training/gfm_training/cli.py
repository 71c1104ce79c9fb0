"""`gfm train`: folders of rasters in, a checkpoint out."""

from __future__ import annotations

import dataclasses
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from gfm_core.errors import ParameterError
from gfm_training.settings import read_recipe

_UNITS = {"s": 1, "m": 60, "h": 3600}


@click.command("train")
@click.argument("folders", nargs=-1, required=True, metavar="FOLDER...", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", required=True, metavar="RUN", type=click.Path(path_type=Path), help="Folder of the run."
)
@click.option("--config", metavar="TOML", type=click.Path(path_type=Path), help="Recipe; default: all rasters, nano.")
@click.option("--init", metavar="NAME", help="Start from this model (name, file or run) instead of random weights.")
@click.option("--budget", metavar="TIME", help="Time the whole run may take, such as 10m, 1h or 90s.")
@click.option("--steps", type=click.IntRange(min=1), help="Steps to learn, instead of the recipe's.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of every draw, instead of the recipe's.")
@click.option("--dry-run", is_flag=True, help="Say what was understood, and stop.")
@click.option("--overwrite", is_flag=True, help="Begin the run anew if RUN holds one.")
def train_command(  # noqa: PLR0917 (click passes them by name)
    folders: tuple[Path, ...], output: Path, config: Path | None, init: str | None, budget: str | None,
    steps: int | None, seed: int | None, dry_run: bool, overwrite: bool,
) -> None:  # fmt: skip
    """Train a network on your own rasters, without labels.

    The rasters of one folder that share ground are one place. A run that was stopped goes on when the same command is
    given again. RUN/best.safetensors is the best network along the run; --model RUN takes it.

    Example: gfm train ./scenes -o runs/mine --budget 10m
    """
    from gfm_training.run import Order, train

    recipe = read_recipe(config)
    changes: dict[str, Any] = {name: value for name, value in (("steps", steps), ("seed", seed)) if value is not None}
    recipe = dataclasses.replace(recipe, train=dataclasses.replace(recipe.train, **changes))
    order = Order(
        folders, output, recipe, init=init, seconds=parse_budget(budget) if budget else None, overwrite=overwrite,
        command=shlex.join(["gfm", *sys.argv[1:]]),
    )  # fmt: skip
    train(order, say=_say, dry_run=dry_run)


def parse_budget(text: str) -> float:
    """`10m`, `1h`, `90s` in seconds; anything else raises `ParameterError`."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh])\s*", text)
    if match is None or float(match[1]) == 0:
        raise ParameterError(f"budget cannot be {text!r}; give a time such as 10m, 1h or 90s.")
    return float(match[1]) * _UNITS[match[2]]


def _say(line: str) -> None:
    """One line of progress: plain, and at once, also into a log file."""
    click.echo(line)
    sys.stdout.flush()
