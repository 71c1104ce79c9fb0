"""`gfm train`: folders of rasters in, a checkpoint out."""

from __future__ import annotations

import dataclasses
import re
import shlex
import sys
from pathlib import Path

import click

from gfm_core.errors import ParameterError
from gfm_training.settings import STRATEGIES, printed, read_recipe

_UNITS = {"s": 1, "m": 60, "h": 3600}


@click.command("train")
@click.argument("folders", nargs=-1, metavar="FOLDER...", type=click.Path(path_type=Path))
@click.option("-o", "--output", metavar="RUN", type=click.Path(path_type=Path), help="Folder of the run.")
@click.option("--config", metavar="TOML", type=click.Path(path_type=Path), help="Recipe; default: all rasters, nano.")
@click.option("--init", metavar="NAME", help="Start from this model (name, file or run) instead of random weights.")
@click.option("--budget", metavar="TIME", help="Time the whole run may take, such as 10m, 1h or 90s.")
@click.option("--steps", type=click.IntRange(min=1), help="Steps to learn, instead of the recipe's.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of every draw, instead of the recipe's.")
@click.option("--devices", type=click.IntRange(min=1), help="Processes on this machine, one a GPU; on CPUs too.")
@click.option("--strategy", type=click.Choice(STRATEGIES), help="How several processes share the work.")
@click.option("--dry-run", is_flag=True, help="Say what was understood, and stop.")
@click.option("--print-config", is_flag=True, help="Print the whole recipe in effect as TOML, and stop.")
@click.option("--overwrite", is_flag=True, help="Begin the run anew if RUN holds one.")
def train_command(  # noqa: PLR0917 (click passes them by name)
    folders: tuple[Path, ...], output: Path | None, config: Path | None, init: str | None, budget: str | None,
    steps: int | None, seed: int | None, devices: int | None, strategy: str | None, dry_run: bool,
    print_config: bool, overwrite: bool,
) -> None:  # fmt: skip
    """Train a network on your own rasters, without labels.

    The rasters of one folder that share ground are one place. A run that was stopped goes on when the same command is
    given again. RUN/model.safetensors is the best network along the run; --model RUN takes it. RUN/report.html tells
    how it went; tensorboard --logdir RUN shows it while it goes.

    \b
    gfm train ./scenes -o runs/mine --budget 10m
    gfm train ./scenes -o runs/mine --init nano       go on from the model that ships
    gfm train ./scenes -o runs/mine --devices 2       two processes; or torchrun -m gfm_core.cli train ...
    """
    changes = {"steps": steps, "seed": seed, "devices": devices, "strategy": strategy}
    recipe = read_recipe(config)
    given = {name: value for name, value in changes.items() if value is not None}
    recipe = dataclasses.replace(recipe, train=dataclasses.replace(recipe.train, **given))
    if print_config:
        click.echo(printed(recipe), nl=False)
        return
    if not folders:
        raise click.UsageError("Missing argument 'FOLDER...'; give the folders that hold your rasters.")
    if output is None and not dry_run:
        raise click.UsageError("Missing option '-o'; give a new folder for the run.")
    seconds = parse_budget(budget) if budget else None
    from gfm_training.across import launched
    from gfm_training.launch import launch

    if recipe.train.devices > 1 and not dry_run and not launched():
        launch(sys.argv[1:], recipe.train.devices)
        return
    from gfm_training.run import Order, train

    order = Order(
        folders, output or Path(), recipe, init=init, seconds=seconds, overwrite=overwrite,
        command=shlex.join(["gfm", *sys.argv[1:]]),
    )  # fmt: skip
    train(order, say=say, dry_run=dry_run)


def parse_budget(text: str) -> float:
    """`10m`, `1h`, `90s` in seconds; anything else raises `ParameterError`."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh])\s*", text)
    if match is None or float(match[1]) == 0:
        raise ParameterError(f"budget cannot be {text!r}; give a time such as 10m, 1h or 90s.")
    return float(match[1]) * _UNITS[match[2]]


def say(line: str) -> None:
    """One line of progress: plain, and at once, also into a log file."""
    click.echo(line)
    sys.stdout.flush()
