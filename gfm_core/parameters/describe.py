"""How a tool is described: one frozen dataclass, each field declared once with `parameter(...)`.

The same dataclass validates the Python call, makes the command line's options and help, the worker's method, the QGIS
form, the table in the docs, "copy as command" and the provenance tag in the output; `describe` turns a class into
plain values for those readers.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from gfm_core.errors import ParameterError

# Names by which GIS take a file for something else than the GeoTIFF that we write.
_OTHER_FORMATS = frozenset((
    ".asc", ".bmp", ".csv", ".ecw", ".geojson", ".gif", ".gpkg", ".grd", ".h5", ".hdf", ".img", ".jp2", ".jpeg", ".jpg",
    ".json", ".kml", ".nc", ".pdf", ".png", ".shp", ".sid", ".webp", ".zarr", ".zip",
))  # fmt: skip


class Role(StrEnum):
    """What a parameter is to the user: forms choose their widget by it."""

    RASTERS = "rasters"
    RASTER = "raster"
    LABELS = "labels"
    LAYER = "layer"
    FIELD = "field"
    EXPRESSION = "expression"
    FILE = "file"
    FOLDER = "folder"
    OUTPUT_RASTER = "output raster"
    OUTPUT_VECTOR = "output vector"
    OUTPUT_FILE = "output file"
    OUTPUT_FOLDER = "output folder"
    EXTENT = "extent"
    CRS = "crs"
    DISTANCE = "distance"
    NUMBER = "number"
    CHOICE = "choice"
    CHOICES = "choices"
    CHOICE_OR_FILE = "choice or file"
    MODEL = "model"
    FLAG = "flag"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Spec:
    """What a parameter's dataclass field cannot say by itself."""

    help: str
    role: Role
    label: str = ""  # the form's name, as short as can be; "" = the field's
    in_form: str = ""  # help in a form with widgets, where it cannot be that of a typed value; "" = the help
    flag: str = ""  # the command line's name, without dashes; "" = the field's
    short: str = ""
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    advanced: bool = False
    changes_pixels: bool = True  # False: left out of provenance, for it cannot change a byte of the output


def parameter(help: str, role: Role, *, default: Any = dataclasses.MISSING, **spec: Any) -> Any:
    """A field of a parameters dataclass: its help (one sentence), role, and the rest of `Spec`."""
    metadata = {"spec": Spec(help, role, **spec)}
    if default is dataclasses.MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class ParameterInfo:
    """One parameter as its readers see it."""

    name: str
    spec: Spec
    annotation: Any
    default: Any
    required: bool

    @property
    def flag(self) -> str:
        """Name on the command line, without dashes."""
        return self.spec.flag or self.name.replace("_", "-")

    @property
    def label(self) -> str:
        """Name in a form: `cell_size` → `Cell size`."""
        return self.spec.label or self.name.replace("_", " ").capitalize()

    @property
    def optional(self) -> bool:
        """Whether None is a value."""
        return type(None) in typing.get_args(self.annotation)

    @property
    def type(self) -> Any:
        """The annotation without None: `str`, `int`, `float`, `bool`, `Path` or `tuple[str, ...]`."""
        if isinstance(self.annotation, types.UnionType):
            return next(part for part in typing.get_args(self.annotation) if part is not type(None))
        return self.annotation


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Base of the parameters of every tool: types, ranges and choices are checked when one is made."""

    def __post_init__(self) -> None:
        for info in parameters_of(type(self)):
            object.__setattr__(self, info.name, _checked(info, getattr(self, info.name)))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """From plain values (JSON, tags); unknown names raise `ParameterError` with the known ones."""
        known = {info.name for info in parameters_of(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ParameterError(
                f"{unknown[0]} is not a parameter of {tool_name(cls)}; use {', '.join(sorted(known))}."
            )
        missing = [info.name for info in parameters_of(cls) if info.required and info.name not in values]
        if missing:
            raise ParameterError(f"{tool_name(cls)} needs {missing[0]}; give it a value.")
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON can hold, every parameter."""
        return {info.name: _plain(getattr(self, info.name)) for info in parameters_of(type(self))}

    def provenance(self) -> dict[str, Any]:
        """The parameters that can change pixels: what an output's tags tell."""
        told = {info.name for info in parameters_of(type(self)) if info.spec.changes_pixels}
        return {name: value for name, value in self.to_dict().items() if name in told}


def parameters_of(cls: type[Parameters]) -> tuple[ParameterInfo, ...]:
    """The parameters of a tool in the order of its form."""
    hints = typing.get_type_hints(cls)
    return tuple(
        ParameterInfo(
            name=item.name,
            spec=item.metadata["spec"],
            annotation=hints[item.name],
            default=None if item.default is dataclasses.MISSING else item.default,
            required=item.default is dataclasses.MISSING,
        )
        for item in fields(cls)
    )


def tool_name(cls: type[Parameters]) -> str:
    """`EmbedParameters` → `embed`."""
    return cls.__name__.removesuffix("Parameters").lower()


def describe(cls: type[Parameters]) -> dict[str, Any]:
    """A tool as plain values: name, help (a sentence), about (when and how), each parameter as a form needs it."""
    help, _, about = inspect.cleandoc(cls.__doc__ or "").partition("\n\n")
    return {
        "name": tool_name(cls),
        "help": help,
        "about": "\n\n".join(" ".join(part.split()) for part in about.split("\n\n")),
        "parameters": [
            {
                **dataclasses.asdict(info.spec),
                "name": info.name,
                "flag": info.flag,
                "label": info.label,
                "role": str(info.spec.role),
                "choices": list(info.spec.choices),
                "type": getattr(info.type, "__name__", str(info.type)),
                "default": _plain(info.default),
                "required": info.required,
            }
            for info in parameters_of(cls)
        ],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _checked(info: ParameterInfo, value: Any) -> Any:
    """`value` as the parameter's type, or a `ParameterError` that says what would be right."""
    if value is None:
        if info.optional:
            return None
        raise ParameterError(f"{info.name} needs a value; give {_lower(info.spec.help)}")
    value = _converted(info, value)
    if value == ():
        raise ParameterError(f"{info.name} needs at least one value; give {_lower(info.spec.help)}")
    for item in value if isinstance(value, tuple) else (value,):
        if "\0" in str(item):
            raise ParameterError(f"{info.name} holds a NUL character, which no name can have; leave it out.")
        _check_choice(info, item)
        _check_range(info, item)
        _check_format(info, item)
    return value


def _converted(info: ParameterInfo, value: Any) -> Any:
    """Loose input made strict: `"20"` → 20.0, a list or a single text → a tuple, text → `Path`."""
    wanted = info.type
    if typing.get_origin(wanted) is tuple:
        if isinstance(value, str | Path):
            return (str(value),)
        if not isinstance(value, Iterable) or isinstance(value, Mapping):
            raise ParameterError(f"{info.name} must be a list of texts, not {value!r}.")
        return tuple(str(item) for item in value)
    if wanted is bool and not isinstance(value, bool):
        raise ParameterError(f"{info.name} must be true or false, not {value!r}.")
    if isinstance(value, bool) and wanted is not bool:
        raise ParameterError(f"{info.name} must be {_kind(wanted)}, not {value!r}.")
    try:
        converted = wanted(value)
    except (TypeError, ValueError, OverflowError):
        raise ParameterError(f"{info.name} must be {_kind(wanted)}, not {value!r}.") from None
    if wanted is int and isinstance(value, float) and converted != value:
        raise ParameterError(f"{info.name} must be a whole number, not {value!r}.")
    return converted


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def _kind(wanted: Any) -> str:
    return {int: "a whole number", float: "a number", Path: "a file name"}.get(wanted, "text")


def _check_choice(info: ParameterInfo, item: Any) -> None:
    if info.spec.choices and info.spec.role in (Role.CHOICE, Role.CHOICES) and item not in info.spec.choices:
        raise ParameterError(f"{info.name} cannot be {item!r}; use {', '.join(info.spec.choices)}.")


def _check_format(info: ParameterInfo, item: Any) -> None:
    if info.spec.role is Role.OUTPUT_RASTER and item.suffix.lower() in _OTHER_FORMATS:
        raise ParameterError(
            f"{info.name} would be a GeoTIFF under the name {item.name}; name it {item.with_suffix('.tif').name}."
        )


def _check_range(info: ParameterInfo, item: Any) -> None:
    if not isinstance(item, int | float) or isinstance(item, bool):
        return
    low, high = info.spec.minimum, info.spec.maximum
    if not math.isfinite(item) or (low is not None and item < low) or (high is not None and item > high):
        span = " and ".join(
            f"{word} {bound:g}" for word, bound in (("at least", low), ("at most", high)) if bound is not None
        )
        raise ParameterError(f"{info.name} must be {span or 'a finite number'}, not {item:g}.")
