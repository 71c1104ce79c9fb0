"""A tool's parameters as options of a command: flags, help, defaults and metavars come from the one description."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gfm_core.parameters import ParameterInfo, Parameters, Role, parameters_of
from gfm_core.tools.copy_as import INPUTS

P = TypeVar("P", bound=Parameters)

_METAVARS = {
    Role.RASTERS: "RASTER", Role.LABELS: "FILE", Role.FILE: "FILE", Role.FOLDER: "DIR", Role.OUTPUT_RASTER: "FILE",
    Role.OUTPUT_VECTOR: "FILE", Role.OUTPUT_FILE: "FILE", Role.OUTPUT_FOLDER: "DIR", Role.LAYER: "NAME",
    Role.FIELD: "NAME", Role.EXPRESSION: "SQL", Role.DISTANCE: "METRES", Role.MODEL: "NAME|FILE|RUN", Role.CRS: "CRS",
    Role.EXTENT: "EXTENT", Role.NUMBER: "N",
}  # fmt: skip


def with_parameters(cls: type[Parameters]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command an argument or option for each parameter of `cls`; it is called with their raw values."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for info in reversed(parameters_of(cls)):
            function = _attach(info)(function)
        return function

    return decorate


def parsed(cls: type[P], values: dict[str, Any]) -> P:
    """The parameters from a command's values; options not given keep their defaults."""
    given = {}
    for info in parameters_of(cls):
        value = values[info.name]
        if value is None or value == ():
            continue
        several = info.spec.role is Role.CHOICES
        given[info.name] = tuple(part.strip() for part in value.split(",")) if several else value
    return cls.from_dict(given)


def _attach(info: ParameterInfo) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    if info.name in INPUTS:
        several = info.spec.role is Role.RASTERS
        return click.argument(
            info.name, nargs=-1 if several else 1, required=True, metavar="RASTER..." if several else "RASTER"
        )  # fmt: skip
    if info.spec.role is Role.OUTPUT_FOLDER and info.required:
        return click.argument(info.name, metavar=_METAVARS[info.spec.role])
    names = [f"--{info.flag}", info.name]
    if info.spec.short:
        names.insert(0, f"-{info.spec.short}")
    if info.spec.role is Role.FLAG:
        return click.option(*names, is_flag=True, default=None, help=info.spec.help)
    # No default=None here: click 8.3 takes that for a value, and then nothing is required any more.
    return click.option(
        *names, type=_click_type(info), required=info.required, metavar=_metavar(info), help=_help(info),
        multiple=info.spec.role is Role.RASTERS,
    )  # fmt: skip


def _click_type(info: ParameterInfo) -> Any:
    """Numbers are parsed here, so that a slip is a usage error; everything else is checked by the dataclass."""
    return {int: int, float: float}.get(info.type, str)


def _metavar(info: ParameterInfo) -> str:
    if info.spec.role is Role.CHOICE:
        return "|".join(info.spec.choices)
    if info.spec.role is Role.CHOICES:
        return ",".join(info.spec.choices)
    if info.spec.role is Role.CHOICE_OR_FILE:
        return "|".join((*info.spec.choices, "FILE"))
    return _METAVARS.get(info.spec.role, "TEXT")


def _help(info: ParameterInfo) -> str:
    default = info.default
    if default is None or isinstance(default, bool):
        return info.spec.help
    shown = ",".join(default) if isinstance(default, tuple) else default
    return f"{info.spec.help} [default: {Path(shown) if isinstance(shown, Path) else shown}]"
