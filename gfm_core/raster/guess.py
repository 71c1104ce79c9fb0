"""What a file's bands are: sensor, kind, wavelength, normalisation and date, from its own words, and why.

Bands of different nature in one file (optical, radar, elevation, classes) become parts of their own, and so does each
date. What is not understood is `custom`, and said.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gfm_core.bands import Band, BandKind, Normalisation
from gfm_core.errors import InputError
from gfm_core.raster.dates import Part, acquisition_date, split_by_date
from gfm_core.raster.facts import Facts
from gfm_core.raster.naming import (
    band_by_words,
    band_of_sensor,
    meaningful,
    optical_sensor,
    radar_sensor,
    wavelength_nm,
)
from gfm_core.raster.radiometry import normalisations
from gfm_core.raster.sensors import CUSTOM, SENSORS, Sensor

_THERMAL_FROM_NM = 5000.0
_HYPERSPECTRAL_BANDS = 20
# Sensors whose bands are whatever the file has, all of one kind.
_ONE_KIND = {"dem": BandKind.ELEVATION, "map": BandKind.MAP, "index": BandKind.INDEX, CUSTOM: BandKind.CUSTOM}


@dataclass(frozen=True, slots=True)
class Understanding:
    """One part of a file, understood. `indexes` (from 1) and `normalisation` go with `bands`, one each."""

    label: str  # which part of the file, "" if it is the whole
    sensor: str
    bands: tuple[Band, ...]
    indexes: tuple[int, ...]
    normalisation: tuple[Normalisation | None, ...]
    date: datetime.date | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    """Bands of one nature. `places` count within the part (from 0)."""

    sensor: Sensor
    bands: tuple[Band, ...]
    places: tuple[int, ...]
    reason: str


def guess(
    facts: Facts, *, sensor: str | None = None, dates: Sequence[datetime.date] = (), alpha: Sequence[int] = ()
) -> tuple[Understanding, ...]:
    """Understand a file; `sensor` and `dates` are what the user declared, `alpha` the bands (from 1) that are masks.

    Raises InputError if the declared sensor cannot have these bands, or the file holds another number of dates.
    """
    indexes = [index for index in range(1, len(facts.dtypes) + 1) if index not in alpha]
    if not indexes:
        raise InputError(f"{facts.name} has no band but an alpha band; give the raster that it masks.")
    parts = [
        replace(part, indexes=tuple(indexes[index - 1] for index in part.indexes))
        for part in split_by_date([facts.descriptions[index - 1] for index in indexes])
    ]
    if dates:
        parts = _dated(facts, parts, dates)
    alone = len(dates) == 1
    file_date, date_reasons = (dates[0], [f"date {dates[0]}: declared"]) if alone else _file_date(facts, parts)
    series: dict[tuple[str | None, ...], list[Part]] = {}
    for part in parts:
        series.setdefault(part.names, []).append(part)
    understood: dict[int, list[Understanding]] = {}
    for members in series.values():
        told = "declared" if dates else "band names"
        for part, found in _understand(facts, members, sensor, file_date, date_reasons, told=told):
            understood.setdefault(part.indexes[0], []).append(found)
    return tuple(found for part in parts for found in understood[part.indexes[0]])


def _dated(facts: Facts, parts: Sequence[Part], dates: Sequence[datetime.date]) -> list[Part]:
    """The parts with the declared dates, in their order; bands that belong to all dates have none."""
    repeated = [part for part in parts if part.label]
    if any(part.date for part in repeated):
        raise InputError(f"{facts.name} holds {len(repeated)} dates in its bands; leave out :date=.")
    if len(dates) != max(len(repeated), 1):
        holds = f"the bands of {facts.name} repeat {len(repeated)} times" if repeated else f"{facts.name} has one date"
        raise InputError(f"{len(dates)} dates are declared, but {holds}; give :date= as many, with commas.")
    if not repeated:
        return list(parts)
    told = dict(zip([part.label for part in repeated], dates, strict=True))
    return [replace(part, date=told.get(part.label)) for part in parts]


def _file_date(facts: Facts, parts: Sequence[Part]) -> tuple[datetime.date | None, list[str]]:
    if len(parts) > 1:
        return None, []
    return acquisition_date(facts.tags, facts.name, facts.folders)


def _understand(
    facts: Facts,
    parts: Sequence[Part],
    declared: str | None,
    date: datetime.date | None,
    date_reasons: list[str],
    *,
    told: str,
) -> list[tuple[Part, Understanding]]:
    """Parts whose bands are called alike: identified once, normalised alike. `told` says where their dates are from."""
    first = parts[0]
    names = tuple(meaningful(name) for name in first.names)
    groups = [_declared(facts, SENSORS[declared], names, first.indexes)] if declared else _groups(facts, names, first)
    result = []
    for group in groups:
        samples = [tuple(part.indexes[place] for part in parts) for place in group.places]
        values, why = normalisations(facts, group.sensor, group.bands, samples, first.date or date)
        for part in parts:
            when = [f"date {part.date}: {told}"] if part.date else date_reasons
            if part.label and not part.date:
                when = [f"part {part.label}: band names repeat, without dates; give them with :date=D1,D2,..."]
            found = Understanding(
                label=part.label,
                sensor=group.sensor.name,
                bands=group.bands,
                indexes=tuple(part.indexes[place] for place in group.places),
                normalisation=values,
                date=part.date or date,
                reasons=(group.reason, *why, *when),
            )
            result.append((part, found))
    return result


def _groups(facts: Facts, names: tuple[str | None, ...], part: Part) -> list[_Group]:
    """Identify the bands of one part and sort them by nature."""
    if facts.palette:
        return [
            _Group(SENSORS["map"], (Band(names[0] or "class", BandKind.MAP),), (0,), "Map of classes: has a palette")
        ]
    names = _named(facts, names, part)
    bands = [
        band_by_words(name, integer=facts.integer(index)) if name else None
        for name, index in zip(names, part.indexes, strict=True)
    ]
    optical, why = _optical(facts, names, bands, part)
    for place, name in enumerate(names):
        if bands[place] is None and name and optical:
            bands[place] = band_of_sensor(name, optical)
    if optical and not any(names):
        bands, why = _in_order(optical, bands, why)
    if not any(band and band.kind in (BandKind.OPTICAL, BandKind.THERMAL) for band in bands):
        bands, optical, why = _by_wavelength(facts, names, bands, part, (optical, why))
    return _sorted_by_nature(facts, names, bands, part, (optical, why))


def _named(facts: Facts, names: tuple[str | None, ...], part: Part) -> tuple[str | None, ...]:
    """Names for bands without one: of a single band the telling word in the file's name, else GDAL's colours."""
    if any(names):
        return names
    if len(names) == 1:
        return (_word_in_file_name(facts, part.indexes[0]),)
    colours = [facts.colours[index - 1] for index in part.indexes]
    if colours[:3] != ["red", "green", "blue"]:
        return names
    if len(names) == 4 and colours[3] in ("undefined", "alpha", "nir"):  # four-band aerial images are written so
        colours[3] = "nir"
    return tuple(colour if colour in ("red", "green", "blue", "nir") else None for colour in colours)


def _word_in_file_name(facts: Facts, index: int) -> str | None:
    words = facts.name.rsplit(".", 1)[0].replace("-", "_").split("_")
    stem = facts.name.rsplit(".", 1)[0]
    if band_by_words(stem, integer=facts.integer(index)):
        return stem
    sensors = [SENSORS[name] for name in ("sentinel2-l1c", "landsat-oli", "modis", "optical")]
    for word in reversed(words):
        if len(word) > 1 and any(band_of_sensor(word, sensor) for sensor in sensors):
            return word
    return None


def _optical(
    facts: Facts, names: Sequence[str | None], bands: Sequence[Band | None], part: Part
) -> tuple[Sensor | None, str]:
    """The optical sensor of the bands that words have not explained; none if words explained all but indices."""
    rest = [name for name, band in zip(names, bands, strict=True) if band is None]
    if not rest:
        only_indices = all(band and band.kind is BandKind.INDEX for band in bands)
        hint, why = optical_sensor(facts, ())
        return (hint, why) if only_indices and hint else (None, "")
    if not any(rest) and len(rest) < len(names):
        return None, ""
    unnamed_photo = not any(names) and len(part.indexes) < 3
    return (None, "") if unnamed_photo else optical_sensor(facts, rest if any(rest) else ())


def _in_order(optical: Sensor, bands: list[Band | None], why: str) -> tuple[list[Band | None], str]:
    order = optical.in_order(len(bands))
    if order is None:
        return bands, why
    return list(order), f"{why}; unnamed bands taken as {' '.join(band.name for band in order)}"


def _by_wavelength(
    facts: Facts, names: Sequence[str | None], bands: list[Band | None], part: Part, optical: tuple[Sensor | None, str]
) -> tuple[list[Band | None], Sensor | None, str]:
    """Bands that no name explains, by their wavelength tags."""
    found = list(bands)
    for place, (name, index) in enumerate(zip(names, part.indexes, strict=True)):
        if found[place] is None and (nm := wavelength_nm(dict(facts.band_tags[index - 1]), name)):
            kind = BandKind.THERMAL if nm >= _THERMAL_FROM_NM else BandKind.OPTICAL
            found[place] = Band(name or f"{nm:g} nm", kind, nm)
    count = sum(band is not None for band in found) - sum(band is not None for band in bands)
    if not count:
        return bands, *optical
    return found, SENSORS["hyperspectral"], f"{count} optical bands by their wavelengths"


def _sorted_by_nature(
    facts: Facts,
    names: Sequence[str | None],
    bands: Sequence[Band | None],
    part: Part,
    optical: tuple[Sensor | None, str],
) -> list[_Group]:
    natures: dict[str, list[tuple[int, Band]]] = {}
    for place, (band, name) in enumerate(zip(bands, names, strict=True)):
        known = band or Band(name or f"band {part.indexes[place]}", BandKind.CUSTOM)
        nature = "optical" if known.kind in (BandKind.THERMAL, BandKind.INDEX) else known.kind.value
        natures.setdefault(nature, []).append((place, known))
    groups = []
    for nature, members in natures.items():
        places, found = tuple(place for place, _ in members), tuple(band for _, band in members)
        sensor, reason = _sensor_of(facts, nature, found, tuple(part.indexes[place] for place in places), optical)
        groups.append(_Group(sensor, _distinct(found), places, reason))
    return groups


def _sensor_of(
    facts: Facts, nature: str, bands: tuple[Band, ...], indexes: tuple[int, ...], optical: tuple[Sensor | None, str]
) -> tuple[Sensor, str]:
    listed = ", ".join(band.name for band in bands[:6]) + (", ..." if len(bands) > 6 else "")
    if nature == "optical":
        return (optical[0], optical[1]) if optical[0] else (SENSORS["index"], f"Spectral index {listed}: name")
    if nature == "sar":
        return radar_sensor(facts, [band.name for band in bands], indexes)
    if nature == "elevation":
        return SENSORS["dem"], "Elevation: name"
    if nature == "map":
        return SENSORS["map"], f"Map of classes: name {listed}"
    return SENSORS[CUSTOM], f"not understood: {listed}; say what it is with FILE:as=SENSOR"


def _distinct(bands: tuple[Band, ...]) -> tuple[Band, ...]:
    """Bands under names that differ: a second `red` becomes `red 2`."""
    seen: dict[str, int] = {}
    result = []
    for band in bands:
        seen[band.name] = seen.get(band.name, 0) + 1
        result.append(band if seen[band.name] == 1 else replace(band, name=f"{band.name} {seen[band.name]}"))
    return tuple(result)


def _declared(facts: Facts, sensor: Sensor, names: Sequence[str | None], indexes: Sequence[int]) -> _Group:
    """All bands as those of the sensor that the user named: by name, else by its usual order."""
    places, reason = tuple(range(len(names))), f"{sensor.title}: declared"
    kind = _ONE_KIND.get(sensor.name)
    if kind is not None:
        usual = sensor.bands[0].name if sensor.bands and len(names) == 1 else "band"
        bands = [Band(name or (usual if len(names) == 1 else f"band {index}"), kind)
                 for name, index in zip(names, indexes, strict=True)]  # fmt: skip
        return _Group(sensor, _distinct(tuple(bands)), places, reason)
    if sensor.name == "hyperspectral":
        return _declared_spectrum(facts, sensor, names, indexes)
    named = [band_of_sensor(name, sensor) if name else None for name in names]
    known = [band for band in named if band]
    if len(known) == len(names):
        return _Group(sensor, _distinct(tuple(known)), places, reason)
    order = sensor.in_order(len(names))
    if order is None:
        counts = ", ".join(str(len(order)) for order in sensor.orders) or "named ones only"
        raise InputError(
            f"{facts.name} has {len(names)} bands, which {sensor.name} cannot name; name them in the file "
            f"({', '.join(band.name for band in sensor.bands)}) or give a file with its usual number ({counts})."
        )
    return _Group(sensor, order, places, f"{reason}; bands taken in the order {' '.join(band.name for band in order)}")


def _declared_spectrum(facts: Facts, sensor: Sensor, names: Sequence[str | None], indexes: Sequence[int]) -> _Group:
    waves = [wavelength_nm(dict(facts.band_tags[index - 1]), name) for name, index in zip(names, indexes, strict=True)]
    bands = tuple(
        Band(name or f"{nm:g} nm", BandKind.THERMAL if nm >= _THERMAL_FROM_NM else BandKind.OPTICAL, nm)
        for name, nm in zip(names, waves, strict=True)
        if nm
    )
    if len(bands) < len(names):
        raise InputError(
            f"{facts.name} has bands without a wavelength tag; write one for each band, or leave out :as=."
        )
    return _Group(sensor, _distinct(bands), tuple(range(len(names))), f"{sensor.title}: declared")


def alpha_bands(facts: Facts) -> tuple[int, ...]:
    """Bands (from 1) that are masks: GDAL calls them alpha, no name says otherwise, and they are mostly all or nothing.

    GDAL calls the fourth band of any 8-bit file alpha unless it is told not to; there it is often near infrared.
    """
    found = []
    for index, colour in enumerate(facts.colours, start=1):
        if colour == "alpha" and (facts.descriptions[index - 1] or "alpha").lower() == "alpha":
            values = facts.values(index)
            extremes = {0.0, 255.0 if facts.byte(index) else 65_535.0, 1.0}
            if not values.size or np.isin(values, list(extremes)).mean() >= 0.95:
                found.append(index)
    return tuple(found)
