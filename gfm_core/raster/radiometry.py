"""How stored numbers become physical: reflectance coding, dB or power, kelvin, metres. Guessed, and said."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from gfm_core.bands import Band, BandKind, Normalisation
from gfm_core.raster.facts import Facts
from gfm_core.raster.sensors import LANDSAT_C2_KELVIN, LANDSAT_C2_REFLECTANCE, Sensor, Units, normalisation_of

_QUANTIFICATION_TAGS = (
    "QUANTIFICATION_VALUE", "BOA_QUANTIFICATION_VALUE", "REFLECTANCE_SCALE_FACTOR", "REFLECTANCE SCALE FACTOR",
)  # fmt: skip
_OFFSET_TAGS = ("BOA_ADD_OFFSET", "RADIO_ADD_OFFSET")
_BASELINE_4_START = datetime.date(2022, 1, 25)  # from then on new Sentinel-2 products carry the offset
_FOOT_M = {"ft": 0.3048, "foot": 0.3048, "feet": 0.3048, "us survey foot": 1200 / 3937, "ftus": 1200 / 3937}


@dataclass(slots=True)
class Coding:
    """Scale and offset found for one kind of band, None where the numbers have no known meaning; `reasons` say why."""

    scale_offset: tuple[float, float] | None
    reasons: list[str] = field(default_factory=list)


def normalisations(
    facts: Facts, sensor: Sensor, bands: Sequence[Band], samples: Sequence[tuple[int, ...]], date: datetime.date | None
) -> tuple[tuple[Normalisation | None, ...], list[str]]:
    """Of each band of a source, and the reasons. `samples[i]` are the file's bands (from 1) that hold `bands[i]`."""
    result: list[Normalisation | None] = []
    reasons: list[str] = []
    codings: dict[BandKind, Coding] = {}
    for band, indexes in zip(bands, samples, strict=True):
        if band.kind not in codings:
            same = tuple(members for other, members in zip(bands, samples, strict=True) if other.kind is band.kind)
            codings[band.kind] = _coding(facts, sensor, band, same, date)
            reasons += codings[band.kind].reasons
        result.append(_normalisation(facts, sensor, band, indexes, codings[band.kind]))
    return tuple(result), reasons


def _normalisation(
    facts: Facts, sensor: Sensor, band: Band, indexes: tuple[int, ...], coding: Coding
) -> Normalisation | None:
    own = _gdal_scale(facts, indexes[0])
    if coding.scale_offset is None or (own is None and band.kind is BandKind.CUSTOM):
        return None
    units = sensor.units
    if units is Units.BYTE and not facts.byte(indexes[0]):
        units = Units.REFLECTANCE
    return normalisation_of(band, units, *(own or coding.scale_offset))


def _coding(
    facts: Facts, sensor: Sensor, band: Band, samples: Sequence[tuple[int, ...]], date: datetime.date | None
) -> Coding:
    """The coding that all bands of one kind share."""
    index = samples[0][0]
    scaled = _gdal_scale(facts, index)
    if scaled and band.kind is not BandKind.CUSTOM:
        return Coding(scaled, [f"{band.kind} numbers scaled by the file's own {scaled[0]:g} and offset {scaled[1]:g}"])
    match band.kind:
        case BandKind.OPTICAL:
            coding = _reflectance(facts, sensor, samples, date)
        case BandKind.THERMAL:
            coding = _kelvin(facts, sensor, index, facts.percentiles(samples[0]))
        case BandKind.INDEX:
            coding = _index(facts, facts.percentiles(samples[0]))
        case BandKind.ELEVATION:
            coding = _elevation(facts, index)
        case BandKind.SAR:
            coding = _backscatter(facts, sensor, index)
        case _:
            coding = Coding((1.0, 0.0) if band.kind is BandKind.MAP else None)
    return coding


def _backscatter(facts: Facts, sensor: Sensor, index: int) -> Coding:
    if facts.integer(index) and sensor.units is Units.POWER:
        return Coding(None, ["radar numbers are integers of unknown calibration: normalised by their own values"])
    return Coding((1.0, 0.0))


def _gdal_scale(facts: Facts, index: int) -> tuple[float, float] | None:
    scale, offset = facts.scales[index - 1], facts.offsets[index - 1]
    return (scale, offset) if (scale, offset) != (1.0, 0.0) and scale != 0 else None


def _reflectance(
    facts: Facts, sensor: Sensor, samples: Sequence[tuple[int, ...]], date: datetime.date | None
) -> Coding:
    """Scale and offset to reflectance: what tags say, else what the sensor and the values suggest."""
    index = samples[0][0]
    if facts.byte(index):
        if sensor.units is Units.BYTE:
            return Coding((1 / 255, 0.0), ["8-bit brightness: value / 255"])
        return Coding(None, ["8-bit numbers are not reflectance: normalised by their own values"])
    if re.search(r"\bdigital numbers?\b|\bnot reflectance\b", facts.words):
        return Coding(None, ["the file says digital numbers: normalised by their own values"])
    if sensor.name.startswith("sentinel2") and facts.integer(index):
        return _sentinel2(facts, samples, date)
    if divisor := _divisor(facts):
        return Coding((1 / divisor, _tagged_offset(facts, divisor) or 0.0), [f"reflectance x {divisor:g}: tag"])
    return _by_values(facts, sensor, samples)


def _divisor(facts: Facts) -> float | None:
    """What numbers are divided by to be reflectance, from tags; None if none says."""
    for key in _QUANTIFICATION_TAGS:
        try:
            value = float(facts.tags[key])
        except (KeyError, ValueError):
            continue
        if value >= 1:
            return value
    match = re.search(r"\bx (10000|10 000|1000|65535)\b", facts.words)
    return float(match[1].replace(" ", "")) if match else None


def _tagged_offset(facts: Facts, divisor: float) -> float | None:
    """Offset in reflectance from a tag in stored numbers (-1000), None if no tag holds one."""
    for key, value in facts.tags.items():
        if key.startswith(_OFFSET_TAGS):
            try:
                return float(value) / divisor
            except ValueError:
                continue
    return None


def _sentinel2(facts: Facts, samples: Sequence[tuple[int, ...]], date: datetime.date | None) -> Coding:
    divisor = _divisor(facts)
    scale = divisor or 10_000.0
    reasons = [f"reflectance x {scale:g}: {'tag' if divisor else 'usual for Sentinel-2, assumed'}"]
    if divisor is None and (spread := facts.percentiles(samples[len(samples) // 2])) and spread[2] > 30_000:
        return Coding(None, ["numbers too large for reflectance x 10000: normalised by their own values"])
    tagged = _tagged_offset(facts, scale)
    if tagged is not None:
        return Coding((1 / scale, tagged), [*reasons, f"offset {tagged * scale:g}: tag"])
    if baseline := _baseline(facts):
        offset = -1000.0 if baseline >= 4 else 0.0
        return Coding((1 / scale, offset / scale), [*reasons, f"offset {offset:g}: processing baseline {baseline:g}"])
    late = date is None or date >= _BASELINE_4_START
    if late and _all_above(facts, samples, 1000.0):
        reasons.append("offset -1000 assumed (processing baseline 4 or later): no pixel of the sample is below 1000")
        return Coding((1 / scale, -1000.0 / scale), reasons)
    return Coding((1 / scale, 0.0), reasons)


def _baseline(facts: Facts) -> float | None:
    """Sentinel-2 processing baseline: from a tag, a note, or `_N0400_` in a product's name; None if unknown."""
    tag = facts.tags.get("PROCESSING_BASELINE", "")
    if re.fullmatch(r"\d+(\.\d+)?", tag.strip()):
        return float(tag)
    words = f"{facts.words} {facts.folder_words}"
    if match := re.search(r"\bn(0\d)(\d\d)\b", words):
        return int(match[1]) + int(match[2]) / 100
    match = re.search(r"\bbaseline (\d+)\b", words)
    return float(match[1]) if match else None


def _all_above(facts: Facts, samples: Sequence[tuple[int, ...]], threshold: float) -> bool:
    """Whether the 1st percentile of every band lies at or above `threshold`, zeros (outside) left out."""
    for indexes in samples:
        values = facts.values(indexes[0])
        values = values[values > 0]
        if not values.size or sorted(values)[len(values) // 100] < threshold:
            return False
    return True


def _by_values(facts: Facts, sensor: Sensor, samples: Sequence[tuple[int, ...]]) -> Coding:
    """No tag tells: float reflectance is seen by its range, integers by the sensor's usual coding where it fits."""
    index = samples[0][0]
    ranges = [found for indexes in samples if (found := facts.percentiles(indexes))]
    if not ranges:
        return Coding(None, ["no valid pixel in the sample: normalised by the whole raster's values"])
    low, high = min(low for low, _, _ in ranges), max(high for _, _, high in ranges)
    known = sensor.scale is not None and sensor.units is Units.REFLECTANCE
    coding = Coding(None, ["the coding of the optical numbers is not known: normalised by their own values"])
    if not facts.integer(index):
        if low >= -0.5 and high <= 2.0:
            coding = Coding((1.0, 0.0), ["reflectance 0-1: range of the values"])
        elif known and 100 < high <= 20_000:
            coding = Coding((1e-4, 0.0), [f"reflectance x 10000 assumed: values reach {high:g}"])
    elif known and sensor.name.startswith("landsat"):
        coding = _landsat(facts, index, low) or coding
    elif known:
        coding = Coding((1e-4, 0.0), [f"reflectance x 10000: usual for {sensor.title}, assumed"])
    return coding


def _landsat(facts: Facts, index: int, low: float) -> Coding | None:
    """Landsat integers: Collection 2 starts near 7000, older surface reflectance is signed, DNs say nothing."""
    if low >= 5000 and re.search(r"\bsr\b|\bl2s[pr]\b|\bsurface reflectance\b", _all_words(facts)):
        return Coding(LANDSAT_C2_REFLECTANCE, ["Landsat Collection 2 coding of surface reflectance, by its names"])
    if facts.dtypes[index - 1] == "int16" or re.search(r"\bsurface reflectance\b", facts.words):
        return Coding((1e-4, 0.0), ["reflectance x 10000 assumed: signed numbers of a Landsat product"])
    return None


def _all_words(facts: Facts) -> str:
    """Names of file and bands together: `SR_B4` gives the word `sr`."""
    names = " ".join(text or "" for text in facts.descriptions)
    return f"{facts.words} {re.sub(r'[^a-z0-9]+', ' ', names.lower())}"


def _kelvin(facts: Facts, sensor: Sensor, index: int, spread: tuple[float, float, float] | None) -> Coding:
    middle = spread[1] if spread else 0.0
    if 200 <= middle <= 350:
        return Coding((1.0, 0.0), ["thermal in kelvin: range of the values"])
    if 2000 <= middle <= 3500:
        return Coding((0.1, 0.0), ["thermal in kelvin x 10: range of the values"])
    if sensor.name.startswith("landsat") and facts.integer(index) and 20_000 <= middle <= 60_000:
        return Coding(LANDSAT_C2_KELVIN, ["thermal in Landsat Collection 2 coding: range of the values"])
    if not facts.integer(index) and -60 <= middle <= 70:
        return Coding((1.0, 273.15), ["thermal in degrees Celsius: range of the values"])
    return Coding(None, ["the coding of the thermal numbers is not known: normalised by their own values"])


def _index(facts: Facts, spread: tuple[float, float, float] | None) -> Coding:
    if divisor := _divisor(facts):
        return Coding((1 / divisor, 0.0), [f"index x {divisor:g}: tag"])
    largest = max(abs(spread[0]), abs(spread[2])) if spread else 0.0
    if 0 < largest <= 2:
        return Coding((1.0, 0.0), ["index -1 to 1: range of the values"])
    if 1000 < largest <= 12_000:
        return Coding((1e-4, 0.0), ["index x 10000: range of the values"])
    return Coding(None, ["the coding of the index is not known: normalised by its own values"])


def _elevation(facts: Facts, index: int) -> Coding:
    unit = facts.units[index - 1].strip().lower()
    if unit in _FOOT_M:
        return Coding((_FOOT_M[unit], 0.0), [f"elevation in {unit}, turned into metres"])
    return Coding((1.0, 0.0))
