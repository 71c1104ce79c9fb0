"""`places.toml`: a file in a folder of rasters that says what the rasters themselves do not.

[[place]]                                   # rasters of one place; others are grouped by overlap, as without a file
rasters = ["2020/s2_*.tif", "dem.tif"]      # patterns, relative to the file's folder
name = "valley"                             # default: the file's folder and a number
licence = "CC BY 4.0"

[[raster]]                                  # what is known of rasters, as after FILE: on the command line
match = "s2_*.tif"                          # a pattern of the name, or of the path below the file's folder
as = "sentinel2-l2a"
date = "2020-06-01"                         # a list where bands repeat; or date_from = "(?P<year>....)(?P<month>..)"
crs = "EPSG:32633"
nodata = 0
gsd = 0.5                                   # metres, of a raster that lies nowhere
"""

from __future__ import annotations

import datetime
import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gfm_core.errors import ParameterError
from gfm_training.typed_toml import check_names, of_types, read_toml

NAME = "places.toml"

_DECLARED = ("as", "crs", "nodata", "gsd")  # handed on as they are


@dataclass(frozen=True, slots=True)
class PlaceRule:
    """Rasters that make one place."""

    rasters: tuple[str, ...]
    name: str | None = None
    licence: str | None = None


@dataclass(frozen=True, slots=True)
class RasterRule:
    """What is declared of the rasters that `match`; `date_from` finds the date in a name."""

    match: str
    declared: Mapping[str, str]
    date_from: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class PlacesFile:
    """A read `places.toml`; patterns are relative to its `folder`."""

    folder: Path
    places: tuple[PlaceRule, ...] = ()
    rasters: tuple[RasterRule, ...] = ()

    def declared(self, raster: Path) -> dict[str, str]:
        """What the rules declare of a raster, by the key of `FILE:key=value`; later rules win.

        Raises `ParameterError` if a rule looks for a date in a name that has none.
        """
        found: dict[str, str] = {}
        below = raster.relative_to(self.folder).as_posix()
        for rule in self.rasters:
            if fnmatch.fnmatch(raster.name, rule.match) or fnmatch.fnmatch(below, rule.match):
                found |= rule.declared
                if rule.date_from is not None:
                    found["date"] = _date_in(raster.name, rule.date_from, self.folder)
        return found

    def members(self, rule: PlaceRule) -> list[Path]:
        """The files of a place, in order; raises `ParameterError` for a pattern without any."""
        found: set[Path] = set()
        for pattern in rule.rasters:
            files = set(self.folder.glob(pattern))
            if not files:
                raise ParameterError(f"{self.folder / NAME}: no raster is called {pattern}; mend the pattern.")
            found |= files
        return sorted(found)


def read_places(folder: Path) -> PlacesFile | None:
    """The `places.toml` in `folder`, None if it has none; raises `ParameterError` for what is wrong in it."""
    path = folder / NAME
    if not path.is_file():
        return None
    values = read_toml(path)
    check_names(str(path), values, {"place", "raster"})
    places = [_place(path, one) for one in _tables(path, values, "place")]
    rasters = [_raster(path, one) for one in _tables(path, values, "raster")]
    return PlacesFile(folder, tuple(places), tuple(rasters))


def _tables(path: Path, values: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    tables = values.get(name, [])
    if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
        raise ParameterError(f"{path}: write [[{name}]], with two brackets, above each {name}.")
    return tables


def _place(path: Path, values: Mapping[str, Any]) -> PlaceRule:
    told = of_types(PlaceRule, f"place of {path}", values)
    if not told.get("rasters"):
        raise ParameterError(f'{path}: a place needs rasters, a list of patterns such as ["s2_*.tif", "dem.tif"].')
    for pattern in told["rasters"]:
        if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
            raise ParameterError(f"{path}: {pattern} leads out of this folder; give a pattern below it.")
    return PlaceRule(**told)


def _raster(path: Path, values: Mapping[str, Any]) -> RasterRule:
    check_names(f"raster of {path}", values, {"match", "date", "date_from", *_DECLARED})
    if not isinstance(values.get("match"), str):
        raise ParameterError(f'{path}: a [[raster]] needs match, a pattern of names such as "s2_*.tif".')
    declared = {key: str(values[key]) for key in _DECLARED if key in values}
    if "date" in values:
        dates = values["date"] if isinstance(values["date"], list) else [values["date"]]
        declared["date"] = ",".join(map(str, dates))  # TOML knows dates of its own
    return RasterRule(values["match"], declared, _pattern(path, values.get("date_from")))


def _pattern(path: Path, text: str | None) -> re.Pattern[str] | None:
    if text is None:
        return None
    try:
        pattern = re.compile(text)
    except (re.error, TypeError) as error:
        raise ParameterError(f"{path}: date_from {text!r} is no regular expression ({error}); mend it.") from error
    if not {"year", "month", "day"} & set(pattern.groupindex) or "year" not in pattern.groupindex:
        raise ParameterError(f"{path}: date_from {text!r} needs groups (?P<year>...), (?P<month>...), (?P<day>...).")
    return pattern


def _date_in(name: str, pattern: re.Pattern[str], folder: Path) -> str:
    """The date in a file's name as YYYY-MM-DD; a month or day that is not told is the first."""
    found = pattern.search(name)
    parts = found.groupdict() if found else {}
    try:
        return datetime.date(int(parts["year"]), int(parts.get("month") or 1), int(parts.get("day") or 1)).isoformat()
    except (KeyError, ValueError) as error:
        raise ParameterError(
            f"{folder / NAME}: date_from finds no date in {name}; mend the expression, or match fewer names."
        ) from error
