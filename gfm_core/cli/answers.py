"""`gfm similar`, `change` and the other commands that are made from their description alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import click

from gfm_core.cli.options import parsed, with_parameters
from gfm_core.cli.show import progress_shown
from gfm_core.outcomes import Kind, Outcome
from gfm_core.progress import Reporter
from gfm_core.tools.catalogue import TOOLS, Tool
from gfm_core.tools.ready import NOTHING


def command_of(tool: Tool) -> click.Command:
    """The command of a tool: its parameters as options, what it made as lines."""

    @click.command(tool.name, help=_help(tool))
    @with_parameters(tool.parameters)
    @click.pass_obj
    def command(shared: dict[str, bool], /, **values: Any) -> None:
        parameters = parsed(tool.parameters, values)
        with progress_shown(shared["quiet"]) as progress:
            outcome = tool.run(parameters, Reporter(progress), NOTHING)
        for line in lines_of(outcome):
            click.echo(line)

    return command


def _help(tool: Tool) -> str:
    """The description, then commands to copy; `\\b` keeps their lines apart."""
    told = tool.describe()
    return "\n\n".join([told["help"], told["about"], "\b\n" + "\n".join(tool.examples)])


def lines_of(outcome: Outcome) -> Iterator[str]:
    """What was made, a line each: files with what they hold, numbers by name."""
    for item in fields(outcome):
        value, kind = getattr(outcome, item.name), item.metadata["kind"]
        if value is None or kind in (Kind.TEXT, Kind.LIST):
            continue
        if kind is Kind.NUMBER:
            shown = f"{value:.4g}" if isinstance(value, float) else str(value)
            yield f"{item.metadata['label']}: {shown}"
        else:
            yield f"{value}: {item.metadata['help']}"


similar_command = command_of(TOOLS["similar"])
change_command = command_of(TOOLS["change"])
cluster_command = command_of(TOOLS["cluster"])
estimate_command = command_of(TOOLS["estimate"])
apply_command = command_of(TOOLS["apply"])
assess_command = command_of(TOOLS["assess"])
vector_command = command_of(TOOLS["vector"])
preview_command = command_of(TOOLS["preview"])
