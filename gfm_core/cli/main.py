"""`gfm`: the group of commands, what they share, and how errors leave."""

from __future__ import annotations

import importlib
import importlib.metadata
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

import click

from gfm_core.errors import GfmError, OutputError
from gfm_core.progress import Cancelled, Interrupted

logger = logging.getLogger(__name__)

_COMMANDS = {  # name: module and attribute, loaded when called, so that `gfm --help` is quick
    "embed": ("gfm_core.cli.embed", "embed_command", "Turn rasters of one place into an embedding."),
    "classify": ("gfm_core.cli.classify", "classify_command", "Make a land-cover map from a few labels."),
    "apply": ("gfm_core.cli.answers", "apply_command", "Map another area or date with a saved classifier."),
    "similar": ("gfm_core.cli.answers", "similar_command", "Find places that look like a few examples."),
    "change": ("gfm_core.cli.answers", "change_command", "Find what changed between two dates."),
    "cluster": ("gfm_core.cli.answers", "cluster_command", "Sort the ground into kinds without labels."),
    "estimate": ("gfm_core.cli.answers", "estimate_command", "Estimate a number on every cell."),
    "assess": ("gfm_core.cli.answers", "assess_command", "Say how right a map is, and how much ground each class has."),
    "vector": ("gfm_core.cli.answers", "vector_command", "Give polygons the embedding inside them."),
    "preview": ("gfm_core.cli.answers", "preview_command", "Show at once what labels make of an embedding."),
    "suggest": ("gfm_core.cli.suggest", "suggest_command", "Say which places are worth a label next."),
    "info": ("gfm_core.cli.info", "info_command", "Say what is understood of rasters, embeddings, heads and models."),
    "synth": ("gfm_core.cli.synth", "synth_command", "Write a synthetic scene with labels."),
    "demo": ("gfm_core.cli.demo", "demo_command", "Embed and classify the sample scene."),
    "cache": ("gfm_core.cli.cache", "cache_command", "Show or empty what earlier runs left for later ones."),
    "doctor": ("gfm_core.cli.doctor", "doctor_command", "Check the installation."),
}

_ADDED = {  # by the extra `train`
    "train": "Train a model on folders of rasters.",
    "evaluate": "Say what a model is worth on your own rasters.",
}


class _LazyGroup(click.Group):
    """Commands of this package by name, and those that other packages add through `gfm.commands`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Ours in the order of their use, then those of others."""
        return [*_COMMANDS, *sorted(_added())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load a command's module."""
        if cmd_name in _COMMANDS:
            module, attribute, _ = _COMMANDS[cmd_name]
            command: click.Command = getattr(importlib.import_module(module), attribute)
            return command
        point = _added().get(cmd_name)
        return point.load() if point else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list of commands without loading any."""
        added = [(name, _ADDED.get(name, "")) for name in sorted(_added())]
        with formatter.section("Commands"):
            formatter.write_dl([(name, told) for name, (_, _, told) in _COMMANDS.items()] + added)


def _added() -> dict[str, importlib.metadata.EntryPoint]:
    return {point.name: point for point in importlib.metadata.entry_points(group="gfm.commands")}


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="jepa-gfm", prog_name="gfm")
@click.option("--verbose", "-v", is_flag=True, help="Say everything that is done.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing but errors.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option("--log-file", type=click.Path(dir_okay=False, path_type=Path), help="Also write the log to this file.")
@click.pass_context
def gfm(ctx: click.Context, verbose: bool, quiet: bool, debug: bool, log_file: Path | None) -> None:
    """Embeddings and land-cover maps from rasters as they are.

    \b
    gfm demo                                   the sample scene, start to end
    gfm embed s2.tif dem.tif -o emb.tif        an embedding
    gfm classify s2.tif -o map.tif --labels polygons.gpkg --field class
    gfm change emb_2018.tif --after emb_2024.tif -o change.tif
    """
    ctx.obj = {"quiet": quiet, "debug": debug}
    _log(logging.DEBUG if verbose else logging.ERROR if quiet else logging.INFO, log_file)


def _log(level: int, log_file: Path | None) -> None:
    """Our messages and GDAL's to stderr, and to a file if asked for."""
    _handle(logging.StreamHandler(sys.stderr))
    if log_file is not None:
        try:
            _handle(logging.FileHandler(log_file, encoding="utf-8"))
        except OSError as error:
            raise OutputError(f"The log {log_file} cannot be written ({error.strerror}); choose another.") from error
    logging.getLogger("gfm_core").setLevel(level)
    logging.getLogger("gfm_training").setLevel(level)
    logging.getLogger("rasterio").setLevel(logging.CRITICAL if level > logging.DEBUG else logging.DEBUG)


def _handle(handler: logging.Handler) -> None:
    handler.setFormatter(logging.Formatter("%(message)s"))
    logging.getLogger().addHandler(handler)


def _stop(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt


def _sentence(error: Exception) -> str:
    """What a user can do something about, as it is; anything else is a fault of ours, in one line."""
    if isinstance(error, GfmError):
        return str(error)
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:500]
    return f"This should not have happened ({reason}); run gfm --debug ... to see where, and tell us."


def main() -> None:
    """Run `gfm`: a `GfmError` is one line on stderr and exit code 1, wrong usage 2, an interrupt 130."""
    signal.signal(signal.SIGTERM, _stop)
    debug = "--debug" in sys.argv
    try:
        code = gfm.main(prog_name="gfm", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("Stopped; nothing was written.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Interrupted as stopped:
        click.echo(str(stopped), err=True)
        sys.exit(130)
    except (KeyboardInterrupt, Cancelled):
        click.echo("Stopped; nothing was written.", err=True)
        sys.exit(130)
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if debug:
            raise
        logger.error("Error: %s", _sentence(error))  # to stderr, and to the log file
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)
