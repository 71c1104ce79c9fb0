"""From what labels hold to the classes of a map: codes, names, and the original values, kept exactly."""

from __future__ import annotations

import datetime
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np

from gfm_core.classes import MapClass
from gfm_core.errors import LabelError

Value = str | int | float

MOST_CLASSES = 65_535
_EXACT = 2**53  # whole floats up to here are the same number as the integer


def plain_value(item: object) -> Value | None:
    """A field's value as plain Python keeps it; None where there is no class (null, blank text, NaN, infinity).

    Whole floats become integers (a Real field is how many formats store them), so 3.0 and 3 are one class.
    """
    if isinstance(item, str):
        return item if item.strip() else None
    if isinstance(item, bool | np.bool_):
        return "true" if item else "false"
    if isinstance(item, int | np.integer):
        return int(item)
    if isinstance(item, float | np.floating):
        return _plain_number(item)
    # A date without a value (NaT) has no year.
    return item.isoformat() if isinstance(item, datetime.date) and math.isfinite(item.year) else None


def class_name(value: Value) -> str:
    """The name of a class that has only its value."""
    return value if isinstance(value, str) else repr(value)


def number_classes(values: Iterable[Value], *, names: Mapping[Value, str] | None = None) -> tuple[MapClass, ...]:
    """Classes in order of their codes.

    Whole numbers 1-255 keep their number (also where a text field holds them, as CSV files do); all others get 1..n
    in sorted order: numbers by size, texts by code point. Raises LabelError above 65 535 classes.
    """
    names = names or {}
    distinct = sorted(set(values), key=lambda value: (isinstance(value, str), value))
    if len(distinct) > MOST_CLASSES:
        raise LabelError(
            f"The labels hold {len(distinct)} different values but a map has room for {MOST_CLASSES} classes; "
            "choose a field (or raster) of classes, not of measurements."
        )
    kept = [_own_number(value) for value in distinct]
    own = [code for code in kept if code is not None]
    codes = own if len(own) == len(set(own)) == len(distinct) else list(range(1, len(distinct) + 1))
    classes = (
        MapClass(code, names.get(value) or class_name(value), value)
        for code, value in zip(codes, distinct, strict=True)
    )
    return tuple(sorted(classes, key=lambda item: item.code))


def codes_of(
    values: Iterable[Value], *, names: Mapping[Value, str] | None = None, known: tuple[MapClass, ...] | None = None
) -> tuple[dict[Value, int], tuple[MapClass, ...], list[Value]]:
    """Code of each value, the classes, and the values that are none of `known`.

    Without `known` the classes are numbered from the values. With it (check labels of a map), a value belongs to the
    class of the same name; where no name fits and all values are codes of the map, to the class of that code.
    """
    distinct = list(dict.fromkeys(values))
    if known is None:
        classes = number_classes(distinct, names=names)
        return {item.value: item.code for item in classes}, classes, []
    names = names or {}
    by_name = {item.name: item.code for item in known}
    by_code = {item.code for item in known}
    named = {value: by_name.get(names.get(value) or class_name(value)) for value in distinct}
    found = {value: code for value, code in named.items() if code is not None}
    if not found and all(_own_number(value, highest=MOST_CLASSES) in by_code for value in distinct):
        found = {value: int(value) for value in distinct}
    return found, known, [value for value in distinct if value not in found]


def lookalikes(classes: Iterable[MapClass]) -> list[str]:
    """A note for every group of classes whose names differ only in case or blanks: usually one class, typed twice."""
    groups: dict[str, list[str]] = defaultdict(list)
    for item in classes:
        groups[" ".join(item.name.casefold().split())].append(item.name)
    return [
        f"Classes {' and '.join(repr(name) for name in names)} differ only in case or blanks; they are kept apart."
        for names in groups.values()
        if len(names) > 1
    ]


def _plain_number(item: float | np.floating) -> Value | None:
    # By its shortest text: a float32 of 0.1 is the class 0.1, not 0.10000000149011612.
    number = float(str(item))
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() and abs(number) <= _EXACT else number


def _own_number(value: Value, *, highest: int = 255) -> int | None:
    """The whole number 1-`highest` that `value` is, or None."""
    if isinstance(value, str):
        # Only as it would be printed: "07" and "7" may be two classes.
        number = int(value) if value.isascii() and value.isdecimal() and not value.startswith("0") else 0
    else:
        number = value if isinstance(value, int) else 0
    return number if 1 <= number <= highest else None
