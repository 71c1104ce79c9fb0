"""A run as text that repeats it: a command for the shell, or a call for Python."""

from __future__ import annotations

import shlex
from typing import Any

from gfm_core.parameters import ParameterInfo, Parameters, Role, parameters_of, tool_name

INPUTS = ("rasters", "map", "embedding")  # what a call and a command name first, without a word for it
_NOT_REPEATED = ("overwrite",)  # whoever repeats a run decides anew whether to replace what it made


def as_command(parameters: Parameters) -> str:
    """`gfm embed a.tif b.tif -o out.tif --cell 20.0`: only what differs from the defaults."""
    words = ["gfm", tool_name(type(parameters))]
    for info in parameters_of(type(parameters)):
        value = getattr(parameters, info.name)
        if info.name in INPUTS:
            words += map(_word, value if isinstance(value, tuple) else (value,))
        elif info.spec.role is Role.RASTERS:
            words += [word for item in value for word in (f"--{info.flag}", item)]
        elif info.spec.role is Role.OUTPUT_FOLDER and info.required:
            words.append(_word(str(value)))
        elif value != info.default and info.name not in _NOT_REPEATED:
            words += _option(info, value)
    return shlex.join(words)


def _word(text: str) -> str:
    """A file name that no shell command takes for an option."""
    return f"./{text}" if text.startswith("-") else text


def _option(info: ParameterInfo, value: Any) -> list[str]:
    flag = f"-{info.spec.short}" if info.spec.short else f"--{info.flag}"
    if info.spec.role is Role.FLAG:
        return [flag]
    return [flag, ",".join(value) if isinstance(value, tuple) else str(value)]


def as_python(parameters: Parameters) -> str:
    """`gfm.embed(['a.tif'], 'out.tif', cell_size=20.0)`: only what differs from the defaults."""
    plain = parameters.to_dict()
    options = [
        f"{info.name}={plain[info.name]!r}"
        for info in parameters_of(type(parameters))
        if info.name not in (*INPUTS, "output", *_NOT_REPEATED) and getattr(parameters, info.name) != info.default
    ]
    given = next(plain[name] for name in INPUTS if name in plain)
    arguments = ", ".join([repr(given), repr(plain["output"]), *options])
    return f"import gfm_core as gfm\ngfm.{tool_name(type(parameters))}({arguments})"
