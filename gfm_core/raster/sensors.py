"""The sensor table: what bands each sensor has, and the fixed constants that make its numbers comparable.

Centre wavelengths are the makers' (Sentinel-2A MSI, Landsat TM/ETM+/OLI/TIRS, MODIS, WorldView-2), in nm. Centre and
spread describe typical land (reflectance, dB, kelvin), so that a normalised band is about N(0, 1) there; they belong
to the band, never to a file, and must not be changed: stored embeddings and heads depend on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from gfm_core.bands import Band, BandKind, Normalisation

CUSTOM = "custom"

# Typical reflectance of land: wavelength (nm), centre, spread. Straight lines between, flat outside.
_LAND = np.array([(690.0, 0.10, 0.06), (780.0, 0.25, 0.10), (1250.0, 0.25, 0.10), (1600.0, 0.20, 0.10)])
# Water vapour takes nearly all light here: only high cloud is bright.
_CIRRUS_NM = (1340.0, 1420.0)
_CIRRUS = (0.005, 0.01)
_KELVIN = (295.0, 12.0)
_BYTE = (0.4, 0.2)
_VEGETATION_INDICES = frozenset({"ndvi", "evi", "evi2", "savi", "msavi", "osavi", "gndvi", "arvi"})


class Units(StrEnum):
    """What a sensor's optical or radar numbers are once scale and offset have been applied."""

    REFLECTANCE = "reflectance"
    BYTE = "8-bit brightness"
    DECIBEL = "dB"
    POWER = "linear power"
    OTHER = "as stored"


_LIKE_POLARISED = {Units.DECIBEL: (-11.0, 4.0), Units.POWER: (0.10, 0.10)}
_CROSS_POLARISED = {Units.DECIBEL: (-18.0, 5.0), Units.POWER: (0.02, 0.02)}


@dataclass(frozen=True, slots=True)
class Sensor:
    """One row of the table.

    `scale` and `offset` are those of the sensor's usual integer product, None where there is no usual one. `aliases`
    leads from names found in files (lower case) to band names; `orders` are band lists that unnamed files hold.
    """

    name: str
    title: str
    bands: tuple[Band, ...] = ()
    units: Units = Units.OTHER
    scale: float | None = None
    offset: float = 0.0
    aliases: Mapping[str, str] = field(default_factory=dict)
    orders: tuple[tuple[str, ...], ...] = ()
    files: str = ""  # regular expression on a file name or product tag in lower case, words split by single spaces

    @property
    def normalisation(self) -> tuple[Normalisation | None, ...]:
        """Of each band in the sensor's usual product; None where it must be fitted."""
        if self.scale is None:
            return (None,) * len(self.bands)
        return tuple(normalisation_of(band, self.units, self.scale, self.offset) for band in self.bands)

    def band(self, name: str) -> Band | None:
        """The band that a file calls `name`, whatever its case, or None."""
        wanted = name.strip().lower()
        wanted = self.aliases.get(wanted, wanted).lower()
        return next((band for band in self.bands if band.name.lower() == wanted), None)

    def in_order(self, count: int) -> tuple[Band, ...] | None:
        """The bands of an unnamed file with `count` bands, if the sensor has a usual order for so many."""
        for order in self.orders:
            if len(order) == count:
                return tuple(band for name in order for band in self.bands if band.name == name)
        return None


def land_reflectance(wavelength_nm: float) -> tuple[float, float]:
    """Centre and spread of the reflectance of typical land: a continuous function of the wavelength."""
    if _CIRRUS_NM[0] <= wavelength_nm <= _CIRRUS_NM[1]:
        return _CIRRUS
    centre = np.interp(wavelength_nm, _LAND[:, 0], _LAND[:, 1])
    spread = np.interp(wavelength_nm, _LAND[:, 0], _LAND[:, 2])
    return round(float(centre), 4), round(float(spread), 4)


def normalisation_of(band: Band, units: Units, scale: float = 1.0, offset: float = 0.0) -> Normalisation | None:
    """Constants of one band whose stored numbers become physical by `scale` and `offset`; None if they must be fitted.

    Elevation keeps its metres (relief and slope are made from them later) and classes of a map stay as they are.
    """
    if band.kind in (BandKind.ELEVATION, BandKind.MAP):
        return Normalisation(scale, offset)
    centre_spread = _centre_and_spread(band, units)
    return None if centre_spread is None else Normalisation(scale, offset, *centre_spread)


def _centre_and_spread(band: Band, units: Units) -> tuple[float, float] | None:
    if band.kind is BandKind.THERMAL:
        return _KELVIN
    if band.kind is BandKind.INDEX:
        return (0.4, 0.3) if band.name.lower() in _VEGETATION_INDICES else (0.0, 0.3)
    if band.kind is BandKind.SAR:
        cross = band.name.upper() in ("VH", "HV")
        return (_CROSS_POLARISED if cross else _LIKE_POLARISED).get(units)
    if band.kind is BandKind.OPTICAL and units is Units.BYTE:
        return _BYTE
    reflects = band.kind is BandKind.OPTICAL and units is Units.REFLECTANCE
    return land_reflectance(band.wavelength_nm) if reflects and band.wavelength_nm is not None else None


def _optical(**wavelengths_nm: float) -> tuple[Band, ...]:
    return tuple(Band(name, BandKind.OPTICAL, nm) for name, nm in wavelengths_nm.items())


def _thermal(**wavelengths_nm: float) -> tuple[Band, ...]:
    return tuple(Band(name, BandKind.THERMAL, nm) for name, nm in wavelengths_nm.items())


def _sar(*names: str) -> tuple[Band, ...]:
    return tuple(Band(name, BandKind.SAR) for name in names)


def _numbered(numbers: Mapping[str, str], *prefixes: str) -> dict[str, str]:
    """Aliases of bands that files call by number: `{"4": "red"}` with `b`, `sr_b` gives b4, b04, sr_b4, sr_b04."""
    return {
        f"{prefix}{text}": name
        for number, name in numbers.items()
        for prefix in prefixes
        for text in (number, number.zfill(2))
    }


# Names that mean a part of the spectrum whatever the sensor (those of STAC first), as tables call them.
SYNONYMS: dict[str, str] = {
    **dict.fromkeys(("coastal aerosol", "coastal_aerosol", "ultra blue", "ultrablue", "aerosol"), "coastal"),
    **dict.fromkeys(("yellow band",), "yellow"),
    **dict.fromkeys(
        ("nir08", "nir1", "near infrared", "near-infrared", "near_infrared", "infrared", "nir band"), "nir"
    ),
    **dict.fromkeys(("red edge", "red-edge", "red_edge", "re"), "rededge"),
    **dict.fromkeys(("swir1", "swir 1", "swir_1", "swir-1", "swir"), "swir16"),
    **dict.fromkeys(("swir2", "swir 2", "swir_2", "swir-2"), "swir22"),
    **dict.fromkeys(("panchromatic", "pan band"), "pan"),
    **dict.fromkeys(("lwir", "lwir11", "thermal", "tir", "tir1", "tirs1", "thermal infrared"), "thermal1"),
    **dict.fromkeys(("lwir12", "tir2", "tirs2"), "thermal2"),
    **{f"{name} band": name for name in ("red", "green", "blue")},
}

_S2_BANDS = _optical(
    B01=442.7, B02=492.4, B03=559.8, B04=664.6, B05=704.1, B06=740.5, B07=782.8, B08=832.8, B8A=864.7, B09=945.1,
    B10=1373.5, B11=1613.7, B12=2202.4,
)  # fmt: skip
_S2_NAMES = tuple(band.name for band in _S2_BANDS)
_S2_10M, _S2_20M = ("B02", "B03", "B04", "B08"), ("B05", "B06", "B07", "B8A", "B11", "B12")
_S2_ALIASES = {
    **{f"b{int(name[1:])}": name for name in _S2_NAMES if name[1:].isdigit()},
    "coastal": "B01", "blue": "B02", "green": "B03", "red": "B04", "rededge1": "B05", "rededge": "B05",
    "rededge2": "B06", "rededge3": "B07", "nir": "B08", "nir08": "B8A", "nir8a": "B8A", "nir09": "B09",
    "cirrus": "B10", "swir16": "B11", "swir22": "B12",
}  # fmt: skip
_TM_NUMBERS = {"1": "blue", "2": "green", "3": "red", "4": "nir", "5": "swir16", "7": "swir22"}
_ETM_NUMBERS = {**_TM_NUMBERS, "8": "pan"}
_OLI_NUMBERS = {
    "1": "coastal", "2": "blue", "3": "green", "4": "red", "5": "nir", "6": "swir16", "7": "swir22", "8": "pan",
    "9": "cirrus", "10": "thermal1", "11": "thermal2",
}  # fmt: skip
_MODIS_NUMBERS = {"1": "red", "2": "nir", "3": "blue", "4": "green", "5": "nir1240", "6": "swir16", "7": "swir22"}
_MODIS_PREFIXES = ("b", "band", "band ", "band_", "sur_refl_b", "nadir_reflectance_band", "nadir_reflectance_band_")
_TM_ORDERS = (
    ("blue", "green", "red", "nir", "swir16", "swir22"),
    ("blue", "green", "red", "nir", "swir16", "thermal1", "swir22"),
)
_OLI_ORDER = tuple(_OLI_NUMBERS.values())
# Collection 2 level 2: reflectance = number * 0.0000275 - 0.2; kelvin = number * 0.00341802 + 149.
LANDSAT_C2_REFLECTANCE = (0.0000275, -0.2)
LANDSAT_C2_KELVIN = (0.00341802, 149.0)

_LANDSAT_WORDS = r"\blandsat ?{n}\b|\blsat ?{n}\b|\bl{s}0?{n}\b|\bl{s}{n}\d{{13}}[a-z]{{3}}|\blandsat ?{n} "

_TABLE = (
    Sensor(
        "sentinel2-l2a", "Sentinel-2 surface reflectance (L2A)",
        tuple(band for band in _S2_BANDS if band.name != "B10"), Units.REFLECTANCE, 1e-4, aliases=_S2_ALIASES,
        orders=(tuple(name for name in _S2_NAMES if name != "B10"), _S2_10M, _S2_20M,
                ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")),
        files=r"\b(s2[abc]?|sentinel ?2[abc]?)\b.*\b(msil2a|l2a)\b|\bmsil2a\b|\bs2l2a\b",
    ),
    Sensor(
        "sentinel2-l1c", "Sentinel-2 top-of-atmosphere reflectance (L1C)", _S2_BANDS, Units.REFLECTANCE, 1e-4,
        aliases=_S2_ALIASES, orders=(_S2_NAMES, _S2_10M, _S2_20M, ("B01", "B09", "B10")),
        files=r"\b(s2[abc]?|sentinel ?2[abc]?)\b.*\b(msil1c|l1c)\b|\bmsil1c\b|\bs2l1c\b",
    ),
    Sensor(
        "landsat-tm", "Landsat 4-5 TM",
        _optical(blue=486.0, green=570.0, red=660.0, nir=838.0, swir16=1677.0, swir22=2217.0)
        + _thermal(thermal1=11435.0),
        Units.REFLECTANCE, *LANDSAT_C2_REFLECTANCE,
        aliases={**_numbered(_TM_NUMBERS, "b", "sr_b", "band", "band "), "b6": "thermal1", "st_b6": "thermal1"},
        orders=_TM_ORDERS, files=_LANDSAT_WORDS.format(n="[45]", s="t"),
    ),
    Sensor(
        "landsat-etm", "Landsat 7 ETM+",
        _optical(blue=478.0, green=561.0, red=661.0, nir=835.0, swir16=1648.0, swir22=2206.0, pan=706.0)
        + _thermal(thermal1=11450.0),
        Units.REFLECTANCE, *LANDSAT_C2_REFLECTANCE,
        aliases={**_numbered(_ETM_NUMBERS, "b", "sr_b", "band", "band "), "b6": "thermal1", "st_b6": "thermal1"},
        orders=_TM_ORDERS, files=_LANDSAT_WORDS.format(n="7", s="e") + r"|\betm\b",
    ),
    Sensor(
        "landsat-oli", "Landsat 8-9 OLI and TIRS",
        _optical(coastal=443.0, blue=482.0, green=561.4, red=654.6, nir=864.7, swir16=1608.9, swir22=2200.7,
                 pan=589.5, cirrus=1373.4) + _thermal(thermal1=10895.0, thermal2=12005.0),
        Units.REFLECTANCE, *LANDSAT_C2_REFLECTANCE,
        aliases={**_numbered(_OLI_NUMBERS, "b", "sr_b", "st_b", "band", "band ")},
        orders=(_OLI_ORDER, _OLI_ORDER[:7], _OLI_ORDER[1:7]),
        files=_LANDSAT_WORDS.format(n="[89]", s="[co]") + r"|\boli\b|\bhls l30\b",
    ),
    Sensor(
        "modis", "MODIS land bands",
        _optical(red=645.0, nir=858.5, blue=469.0, green=555.0, nir1240=1240.0, swir16=1640.0, swir22=2130.0),
        Units.REFLECTANCE, 1e-4, aliases={**_numbered(_MODIS_NUMBERS, *_MODIS_PREFIXES), "mir": "swir22"},
        orders=(tuple(_MODIS_NUMBERS.values()),), files=r"\bmodis\b|\bm[oycx]d(09|13|43)[a-z]\d\b",
    ),
    Sensor(
        "worldview", "WorldView-2 and -3",
        _optical(coastal=427.0, blue=478.0, green=546.0, yellow=608.0, red=659.0, rededge=724.0, nir=831.0,
                 nir2=908.0, pan=632.0),
        Units.REFLECTANCE, aliases={"nir1": "nir"}, files=r"\bworld ?view ?[234]?\b|\bwv ?[23]\b",
        orders=(("coastal", "blue", "green", "yellow", "red", "rededge", "nir", "nir2"),
                ("blue", "green", "red", "nir"), ("pan",)),
    ),
    Sensor(
        "aerial-rgb", "Aerial or drone photo, red green blue, 8 bit", _optical(red=650.0, green=555.0, blue=465.0),
        Units.BYTE, 1 / 255, orders=(("red", "green", "blue"),),
    ),
    Sensor(
        "aerial-rgbn", "Aerial photo with near infrared, 8 bit",
        _optical(red=650.0, green=555.0, blue=465.0, nir=830.0), Units.BYTE, 1 / 255,
        orders=(("red", "green", "blue", "nir"),), files=r"\bnaip\b",
    ),
    Sensor(
        "optical", "Optical bands known by name",
        _optical(coastal=443.0, blue=480.0, green=560.0, yellow=605.0, red=660.0, rededge=715.0, rededge1=705.0,
                 rededge2=740.0, rededge3=783.0, nir=840.0, nir2=910.0, nir09=945.0, cirrus=1375.0, swir16=1610.0,
                 swir22=2200.0, mir=2130.0, pan=600.0) + _thermal(thermal1=10900.0, thermal2=12000.0),
        Units.REFLECTANCE,
    ),
    Sensor("hyperspectral", "Optical bands known by wavelength", units=Units.REFLECTANCE),
    Sensor(
        "sentinel1-db", "Sentinel-1 backscatter in dB", _sar("VV", "VH", "HH", "HV"), Units.DECIBEL, 1.0,
        orders=(("VV", "VH"), ("VV",)), files=r"\bs1[abc]?\b|\bsentinel ?1[abc]?\b",
    ),
    Sensor(
        "sentinel1-linear", "Sentinel-1 backscatter, linear power", _sar("VV", "VH", "HH", "HV"), Units.POWER, 1.0,
        orders=(("VV", "VH"), ("VV",)), files=r"\bs1[abc]?\b|\bsentinel ?1[abc]?\b",
    ),
    Sensor("sar-db", "Radar backscatter in dB", _sar("HH", "HV", "VH", "VV"), Units.DECIBEL, 1.0),
    Sensor("sar-linear", "Radar backscatter, linear power", _sar("HH", "HV", "VH", "VV"), Units.POWER, 1.0),
    Sensor("dem", "Elevation in metres", (Band("elevation", BandKind.ELEVATION),), scale=1.0, orders=(("elevation",),)),
    Sensor("index", "Spectral index"),
    Sensor("map", "Map of classes", (Band("class", BandKind.MAP),), scale=1.0, orders=(("class",),)),
    Sensor(CUSTOM, "Not understood: normalised by its own values"),
)  # fmt: skip

SENSORS: dict[str, Sensor] = {sensor.name: sensor for sensor in _TABLE}
