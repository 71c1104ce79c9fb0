"""From a tool's parameters to its Python call: signature and docstring come from the one description."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from gfm_core.parameters import Parameters, describe, parameters_of

Call = TypeVar("Call", bound=Callable[..., Any])


def described_by(cls: type[Parameters]) -> Callable[[Call], Call]:
    """Give a call `f(rasters, output, *, progress, cancel, **options)` the signature and docstring of `cls`."""

    def decorate(function: Call) -> Call:
        function.__doc__ = f"{inspect.cleandoc(function.__doc__ or '')}\n\n{_arguments(cls)}"
        function.__signature__ = _signature(cls, function)  # type: ignore[attr-defined]
        return function

    return decorate


def _signature(cls: type[Parameters], function: Callable[..., Any]) -> inspect.Signature:
    own = inspect.signature(function)
    positional = [item for item in own.parameters.values() if item.kind is item.POSITIONAL_OR_KEYWORD]
    spoken_for = {item.name for item in positional}
    options = [
        inspect.Parameter(
            info.name, inspect.Parameter.KEYWORD_ONLY, annotation=info.annotation,
            default=inspect.Parameter.empty if info.required else info.default,
        )
        for info in parameters_of(cls)
        if info.name not in spoken_for
    ]  # fmt: skip
    return own.replace(parameters=[*positional, *options, own.parameters["progress"], own.parameters["cancel"]])


def _arguments(cls: type[Parameters]) -> str:
    lines = ["Parameters:"]
    for item in describe(cls)["parameters"]:
        unit = f" ({item['unit']})" if item["unit"] else ""
        lines.append(f"    {item['name']}{unit}: {item['help']}")
    return "\n".join(lines)
