"""From a tool's parameters to its Python call: signature and docstring come from the one description."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from gfm_core.parameters import Parameters, StackParameters, describe, parameters_of, tool_name
from gfm_core.progress import CancelCheck, ProgressCallback, Reporter
from gfm_core.tools.ready import Rasters, Ready, from_call

Call = TypeVar("Call", bound=Callable[..., Any])
Made = TypeVar("Made")


def described_by(cls: type[Parameters]) -> Callable[[Call], Call]:
    """Give a call `f(rasters, output, *, progress, cancel, **options)` the signature and docstring of `cls`."""

    def decorate(function: Call) -> Call:
        function.__doc__ = f"{inspect.cleandoc(function.__doc__ or '')}\n\n{_arguments(cls)}"
        function.__signature__ = _signature(cls, function)  # type: ignore[attr-defined]
        return function

    return decorate


def call_of(cls: type[StackParameters], run: Callable[[Any, Reporter, Ready], Made], does: str) -> Callable[..., Made]:
    """The Python call of a tool that reads rasters (paths, a stack, or an embedding): `does` is its first sentence."""

    def call(
        rasters: Rasters,
        output: str | Path,
        *,
        progress: ProgressCallback | None = None,
        cancel: CancelCheck | None = None,
        **options: Any,
    ) -> Made:
        parameters, ready = from_call(cls, rasters, output, options)
        return run(parameters, Reporter(progress, cancel), ready)

    call.__doc__ = f"{does}\n\n{_RAISES}"
    call.__name__ = call.__qualname__ = tool_name(cls)
    call.__module__ = run.__module__
    call.__annotations__["return"] = inspect.get_annotations(run)["return"]  # what it really makes, for help()
    return described_by(cls)(call)


_RAISES = "Raises `GfmError` with one sentence where something cannot work; then nothing is left behind."


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
