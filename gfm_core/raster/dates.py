"""When a raster was taken: dates in tags and names, and files that hold several dates as bands."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

# 2018-04-18, 2018_04_18, 2018:04:18, 20180418, 20180418T105031, 20180418105031
_CALENDAR = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<sep>[-_.:]?)(?P<month>0[1-9]|1[0-2])(?P=sep)(?P<day>0[1-9]|[12]\d|3[01])"
    r"(?=\d{6}(?!\d)|(?!\d))"
)
# MODIS: A2007257 is the 257th day; Landsat before Collection 1: LE71700551999255AGS00, path, row, year, day.
_DAY_OF_YEAR = (
    re.compile(r"(?<![0-9A-Za-z])A(?P<year>(?:19|20)\d\d)(?P<day>[0-3]\d\d)(?!\d)"),
    re.compile(r"L[CEMOT]\d\d{6}(?P<year>(?:19|20)\d\d)(?P<day>[0-3]\d\d)[A-Z]{3}\d\d"),
)
# Tags that hold the time of acquisition. TIFF's own tag comes apart: some programs put the time of writing there.
_ACQUISITION_TAGS = (
    "ACQUISITIONDATETIME", "ACQUISITION_DATETIME", "ACQUISITION_DATE", "DATE_ACQUIRED",
    "DATATAKE_1_DATATAKE_SENSING_START", "PRODUCT_START_TIME", "SENSING_TIME", "RANGEBEGINNINGDATE", "DATETIME", "DATE",
)  # fmt: skip
_TIFF_TAG = "TIFFTAG_DATETIME"


@dataclass(frozen=True, slots=True)
class Part:
    """The bands of one date in a file: `indexes` (from 1) and their names without the date, None where unnamed."""

    label: str  # for messages: "2018-04-18" or "03 of 12"; "" if the file is one part
    date: datetime.date | None
    indexes: tuple[int, ...]
    names: tuple[str | None, ...]


def dates_in(text: str) -> Iterator[tuple[datetime.date, str]]:
    """The dates in a text, first ones first, each with the characters that held it."""
    for match in _CALENDAR.finditer(text):
        try:
            yield datetime.date(*(int(match[part]) for part in ("year", "month", "day"))), match[0]
        except ValueError:  # the 31st of a short month is no date
            continue
    for pattern in _DAY_OF_YEAR:
        for match in pattern.finditer(text):
            if 1 <= int(match["day"]) <= 366:
                first = datetime.date(int(match["year"]), 1, 1)
                yield first + datetime.timedelta(days=int(match["day"]) - 1), match[0]


def date_in(text: str) -> datetime.date | None:
    """The first date in a text: product names give the acquisition before the processing."""
    return next((date for date, _ in dates_in(text)), None)


def acquisition_date(
    tags: Mapping[str, str], name: str, folders: Sequence[str] = ()
) -> tuple[datetime.date | None, list[str]]:
    """The date of a whole file from its tags (keys in capitals), its name and the folders above, and why."""
    for key in _ACQUISITION_TAGS:
        if key in tags and (date := date_in(tags[key])):
            return date, [f"date {date}: tag {key}"]
    tagged, named = date_in(tags.get(_TIFF_TAG, "")), date_in(name)
    if tagged and named and tagged != named:
        # What is written later than it was taken shows two dates: the earlier one is the acquisition.
        date = min(tagged, named)
        return date, [f"date {date}: the earlier of tag {_TIFF_TAG} ({tagged}) and the file name ({named})"]
    if tagged:
        return tagged, [f"date {tagged}: tag {_TIFF_TAG}"]
    if named:
        return named, [f"date {named}: file name"]
    for folder in folders:
        if date := date_in(folder):
            return date, [f"date {date}: folder {folder}"]
    return None, ["no date found; give one with FILE:date=YYYY-MM-DD"]


def split_by_date(descriptions: Sequence[str | None]) -> tuple[Part, ...]:
    """One part a date if band descriptions carry several dates or repeat (`VV`, ..., `VV_1`, ...), else one part."""
    whole = Part("", None, tuple(range(1, len(descriptions) + 1)), tuple(descriptions))
    if len(descriptions) < 2 or not all(descriptions):
        return (whole,)
    names = [description or "" for description in descriptions]
    return _by_date_in_name(names) or _by_repetition(names) or (whole,)


def _by_date_in_name(names: list[str]) -> tuple[Part, ...]:
    found = [next(dates_in(name), None) for name in names]
    if len({hit[0] for hit in found if hit}) < 2:
        return ()
    groups: dict[datetime.date | None, list[tuple[int, str | None]]] = {}
    for index, (name, hit) in enumerate(zip(names, found, strict=True), start=1):
        rest = name if hit is None else name.replace(hit[1], " ").strip(" _-.:T")
        groups.setdefault(hit[0] if hit else None, []).append((index, rest or None))
    ordered = sorted(groups.items(), key=lambda item: item[0] or datetime.date.min)
    return tuple(_part(str(date or ""), date, members) for date, members in ordered)


def _by_repetition(names: list[str]) -> tuple[Part, ...]:
    """Parts in a file whose names repeat: VV VH VV VH, or VV VH VV_1 VH_1, or 0_VV 0_VH 1_VV 1_VH."""
    keys = _repeated(names) or _suffixed(names) or _prefixed(names)
    turns = max((turn for turn, _ in keys if turn is not None), default=0) + 1
    if turns < 2:
        return ()
    width = len(str(turns))
    groups: dict[int | None, list[tuple[int, str | None]]] = {}
    for index, (turn, name) in enumerate(keys, start=1):
        groups.setdefault(turn, []).append((index, name))
    return tuple(
        _part("" if turn is None else f"{turn + 1:0{width}d} of {turns}", None, members)
        for turn, members in sorted(groups.items(), key=lambda item: -1 if item[0] is None else item[0])
    )


Keys = list[tuple[int | None, str]]  # for each band: which turn (None = belongs to all), and its bare name


def _repeated(names: list[str]) -> Keys:
    counts = Counter(names)
    # One name over and over says nothing of dates: it may be "Layer".
    if len(counts) < 2 or len(set(counts.values())) != 1 or counts[names[0]] < 2:
        return []
    seen: Counter[str] = Counter()
    keys: Keys = []
    for name in names:
        keys.append((seen[name], name))
        seen[name] += 1
    return keys


def _suffixed(names: list[str]) -> Keys:
    """`VV`, `VV_1`, `VV_2`: a name is a repetition only if its bare form and all numbers below it are there too."""
    present = set(names)
    keys: Keys = []
    for name in names:
        bare, _, number = name.rpartition("_")
        if number.isdigit() and bare in present and all(f"{bare}_{k}" in present for k in range(1, int(number))):
            keys.append((int(number), bare))
        else:
            keys.append((0 if f"{name}_1" in present else None, name))
    return keys if any(turn for turn, _ in keys) else []


def _prefixed(names: list[str]) -> Keys:
    """`0_VV`, `1_VV`: every name has a number in front, and every number has the same names."""
    matches = [re.fullmatch(r"(\d+)_(.+)", name) for name in names]
    pairs = [(int(match[1]), match[2]) for match in matches if match]
    if len(pairs) < len(names):
        return []
    numbers = sorted({number for number, _ in pairs})
    sets = {frozenset(name for n, name in pairs if n == number) for number in numbers}
    return [(numbers.index(number), name) for number, name in pairs] if len(sets) == 1 else []


def _part(label: str, date: datetime.date | None, members: list[tuple[int, str | None]]) -> Part:
    return Part(label, date, tuple(index for index, _ in members), tuple(name for _, name in members))
