"""From a band's name to what it is: words that mean elevation, radar, an index, a map, a part of the spectrum."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gfm_core.bands import Band, BandKind
from gfm_core.raster.facts import Facts, plain_words
from gfm_core.raster.sensors import SENSORS, SYNONYMS, Sensor

_POLARISATION = re.compile(r"(?:^|[^a-z])(vv|vh|hh|hv)(?:$|[^a-z])")
# "0 land, 1 water, 2 shadow": a band that explains its codes.
_CODE_LIST = re.compile(r"^\d+ [^,\d][^,]*(, ?\d+ [^,]+)+$")
_MAP_WORDS = re.compile(
    r"\b(land ?cover|land ?use|lulc|lc ?class|land ?class\d*|classes|class|classification"
    r"|world ?cover|nlcd|corine|clc\d*|cdl|scl|fmask|qa ?pixel"
    r"|cloud ?mask|water ?mask|mask|labels?|crop ?types?|change ?map)\b"
)
_HEIGHT_WORDS = re.compile(r"\b(elevation|dem|dsm|dtm|srtm|nasadem|copdem|cop ?dem|gdem|altitude|fabdem|merit)\b")
# Heights above ground and derivatives of terrain are numbers of their own: relief is not taken from them.
_NOT_ELEVATION = re.compile(r"\b(above ground|canopy|chm|ndsm|slope|aspect|hillshade|roughness|tpi|tri|curvature)\b")
_INDEX_WORDS = re.compile(r"\b(ndvi|evi2?|m?savi2?|osavi|gndvi|arvi|m?ndwi|ndmi|ndsi|ndbi|nbr2?|bsi|ndre|ndti)\b")
_MEANINGLESS = re.compile(r"^(band|layer|channel|bd)?[ _-]?\d+$")
_NUMBERED = re.compile(r"^(sr_|st_)?b\d{1,2}a?$")


def meaningful(name: str | None) -> str | None:
    """The name if it says anything: `Band 3` does not."""
    return None if name is None or _MEANINGLESS.match(name.strip().lower()) else name


def band_by_words(name: str, *, integer: bool) -> Band | None:
    """The band that a name describes, of any kind but optical and thermal; None if it does not say."""
    words = plain_words(name)
    if integer and (_CODE_LIST.match(name.strip()) or _MAP_WORDS.search(words)):
        return Band(name, BandKind.MAP)
    if match := _POLARISATION.search(name.lower()):
        return Band(match[1].upper(), BandKind.SAR)
    if match := _INDEX_WORDS.search(words):
        return Band(match[1], BandKind.INDEX)
    if _HEIGHT_WORDS.search(words) and not _NOT_ELEVATION.search(words):
        return Band("elevation", BandKind.ELEVATION)
    return None


def band_of_sensor(name: str, sensor: Sensor) -> Band | None:
    """The sensor's band that `name` means, as a whole or by one of its words (`B4 (red)`)."""
    whole = name.strip().lower()
    words = [word for word in plain_words(name).split(" ") if len(word) > 1]
    for text in (whole, *words):
        found = sensor.band(text) or sensor.band(SYNONYMS.get(text, text))
        if found is not None:
            return found
    return None


def optical_sensor(facts: Facts, names: Sequence[str | None]) -> tuple[Sensor | None, str]:
    """The optical sensor that a file is of, and why: its product words first, then how its bands are called.

    None if neither tells. Bands known by common names alone are of the sensor `optical`, or of an aerial photo if they
    have 8 bits and are only red, green, blue and near infrared.
    """
    present = [name.strip().lower() for name in names if name]
    numbered = [name for name in present if _NUMBERED.match(name)]
    for words, where in ((facts.words, "file name or tags"), (facts.folder_words, "folder")):
        sensor = _by_product_words(words, numbered)
        if sensor is not None and (not present or any(band_of_sensor(name, sensor) for name in present)):
            # A folder's name is weak: it must not make a satellite image of a photo.
            if where == "folder" and not numbered:
                continue
            if sensor.name == "aerial-rgbn" and not all(facts.byte(index + 1) for index in range(len(names))):
                continue
            return _fitted_to_count(sensor, names), f"{sensor.title}: {where}"
    if numbered:
        return _by_numbers(numbered, facts.gsd)
    if any(re.match(r"(nadir_reflectance_band|sur_refl_b)", name) for name in present):
        return SENSORS["modis"], "MODIS: band names"
    return _by_common_names(facts, present)


def _fitted_to_count(sensor: Sensor, names: Sequence[str | None]) -> Sensor:
    """Three-band NAIP is a plain colour photo."""
    return SENSORS["aerial-rgb"] if sensor.name == "aerial-rgbn" and len(names) == 3 else sensor


def _by_product_words(words: str, numbered: Sequence[str]) -> Sensor | None:
    for sensor in SENSORS.values():
        if sensor.files and sensor.bands[0].kind is BandKind.OPTICAL and re.search(sensor.files, words):
            return sensor
    if re.search(r"\bs2[abc]?\b|\bsentinel ?2[abc]?\b", words):
        return _sentinel2_level(words, numbered)
    return None


def _sentinel2_level(words: str, numbered: Sequence[str]) -> Sensor:
    """L1C if its words say so or its cirrus band is there, which L2A lacks; else L2A."""
    l1c = bool(re.search(r"\b(l1c|msil1c)\b", words)) or "b10" in numbered
    return SENSORS["sentinel2-l1c" if l1c else "sentinel2-l2a"]


def _by_numbers(numbered: Sequence[str], gsd: float) -> tuple[Sensor, str]:
    """`B04`, `SR_B4`: Sentinel-2 and Landsat number their bands; each has numbers or a GSD that the other lacks."""
    if any(name.startswith(("sr_", "st_")) for name in numbered):
        older = "st_b6" in numbered or ("sr_b7" in numbered and "sr_b6" not in numbered)
        sensor = SENSORS["landsat-etm" if older else "landsat-oli"]
        return sensor, f"{sensor.title}: Landsat band names, which of the series by their numbers"
    if "b8a" in numbered or "b12" in numbered or any(re.match(r"b0\d", name) for name in numbered):
        sensor = _sentinel2_level("", numbered)
        return sensor, f"{sensor.title}: band names"
    if 25 <= gsd <= 35:
        return SENSORS["landsat-oli"], f"Landsat 8-9 assumed: band numbers and a GSD of {gsd:g} m"
    sensor = _sentinel2_level("", numbered)
    return sensor, f"{sensor.title} assumed: band numbers and a GSD of {gsd:g} m"


def _by_common_names(facts: Facts, present: Sequence[str]) -> tuple[Sensor | None, str]:
    found = [band_of_sensor(name, SENSORS["optical"]) for name in present]
    known = {band.name for band in found if band}
    if not known:
        return None, ""
    every_byte = all(dtype in ("uint8", "int8") for dtype in facts.dtypes)
    if every_byte and len(known) >= 3 and known <= {"red", "green", "blue", "nir"}:
        sensor = SENSORS["aerial-rgbn" if "nir" in known else "aerial-rgb"]
        return sensor, f"{sensor.title}: band names"
    return SENSORS["optical"], f"{SENSORS['optical'].title}: no product named"


def radar_sensor(facts: Facts, names: Sequence[str], indexes: tuple[int, ...]) -> tuple[Sensor, str]:
    """Sentinel-1 or another radar, in dB or linear power, and why."""
    words = f"{facts.words} {' '.join(names)}".lower()
    sentinel1 = bool(re.search(SENSORS["sentinel1-db"].files, words)) or not {"HH", "HV"} & set(names)
    unit = " ".join([*facts.units, facts.tags.get("UNITS", "")]).lower()
    decibel, why = _decibel(facts, words, unit, indexes)
    sensor = SENSORS[f"{'sentinel1' if sentinel1 else 'sar'}-{'db' if decibel else 'linear'}"]
    return sensor, f"{sensor.title}: polarisation names, {why}"


def _decibel(facts: Facts, words: str, unit: str, indexes: tuple[int, ...]) -> tuple[bool, str]:
    if re.search(r"\bdb\b", f"{words} {unit}".replace("_", " ")):
        return True, "dB by name or tag"
    spread = facts.percentiles(indexes)
    if spread is None:
        return True, "dB assumed"
    return (True, "dB by negative values") if spread[0] < 0 else (False, "linear as no value is negative")


def wavelength_nm(tags: dict[str, str], name: str | None) -> float | None:
    """A band's centre wavelength from GDAL's IMAGERY domain, ENVI's tags, or a name like `427.5 nm`; None if untold."""
    for key, factor in (("CENTRAL_WAVELENGTH_UM", 1000.0), ("WAVELENGTH", 1.0)):
        try:
            value = float(tags[key]) * factor
        except (KeyError, ValueError):
            continue
        if key == "WAVELENGTH" and ("MICRO" in tags.get("WAVELENGTH_UNITS", "").upper() or value < 100):
            value *= 1000.0
        return value if 100 <= value <= 1_000_000 else None
    match = re.search(r"(\d+(?:\.\d+)?) ?(nm|nanometers?|um|µm|micrometers?|micrometres?)\b", (name or "").lower())
    if not match:
        return None
    value = float(match[1]) * (1.0 if match[2].startswith("n") else 1000.0)
    return value if 100 <= value <= 1_000_000 else None
