"""TOML files whose every name and type is checked, with a sentence that says the mend."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from gfm_core.errors import ParameterError


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file holds; raises `ParameterError` for one that cannot be read or is none."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ParameterError(f"{path} cannot be read ({error.strerror}); check its name and permissions.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ParameterError(f"{path} is not valid TOML ({error}); mend it.") from error


def of_types(cls: Any, table: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` from TOML or JSON for the fields of a dataclass: lists become tuples, and every type is checked.

    Raises `ParameterError` for an unknown name, with the nearest one, and for a value of another type.
    """
    types = get_type_hints(cls)
    check_names(table, values, set(types))
    for name, value in values.items():
        if not _fits(value, types[name]):
            raise ParameterError(f"{name} in {table} must be {_words(types[name])}, not {value!r}.")
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def _fits(value: Any, wanted: Any) -> bool:
    """Whether a value is of a type; true and false are no numbers."""
    options = get_args(wanted)
    if get_origin(wanted) is tuple:
        return isinstance(value, list | tuple) and all(_fits(one, options[0]) for one in value)
    if get_origin(wanted) is dict:
        return isinstance(value, dict) and all(_fits(one, options[1]) for one in value.values())
    if options:
        return any(_fits(value, one) for one in options)
    if wanted is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return isinstance(value, wanted) and not (wanted is int and isinstance(value, bool))


def _words(wanted: Any) -> str:
    """A type as users call it."""
    options = [one for one in get_args(wanted) if one not in (type(None), Ellipsis)]
    if get_origin(wanted) is tuple:
        return f"a list of {_words(options[0]).split(' ', 1)[1]}s"
    if get_origin(wanted) is dict:
        return f"a table of {_words(options[1]).split(' ', 1)[1]}s"
    return _words(options[0]) if options else {int: "a whole number", float: "a number"}.get(wanted, "a text")


def check_names(table: str, values: Mapping[str, Any], known: set[str]) -> None:
    """Raise `ParameterError` for a name in `values` that is not `known`, with the nearest one."""
    for name in values:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1) or sorted(known)
            raise ParameterError(f"{name} is unknown in {table}; use {', '.join(near)}.")
