"""What a user types for a raster: a path, URL or folder, and what they declare about it after colons.

dem.tif    C:\\data\\s2.tif    https://host/s2.tif    s2.tif:as=sentinel2-l2a    dem.tif:crs=EPSG:32633:nodata=0
"""

from __future__ import annotations

import datetime
import difflib
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path

from pyproj import CRS
from pyproj.exceptions import CRSError

from gfm_core.errors import ParameterError
from gfm_core.raster.sensors import SENSORS

_DECLARATION = re.compile(r":(as|crs|date|gsd|nodata)=")
_URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://")  # two letters at least: C:/ is a drive


@dataclass(frozen=True, slots=True)
class RasterArgument:
    """One raster as given, with what was declared (None = guess it)."""

    path: str  # absolute for local files
    name: str
    local: bool  # a path of this machine, not a URL or /vsi... name
    sensor: str | None = None
    crs: str | None = None  # WKT2
    dates: tuple[datetime.date, ...] = ()  # one, or one for each part of a file whose bands repeat
    nodata: float | None = None
    gsd: float | None = None  # metres, of a raster that lies nowhere


def parse_argument(argument: str | Path) -> RasterArgument:
    """Sort out a raster argument once; raises `ParameterError` naming what cannot be understood."""
    text = os.fspath(argument)
    # A file that really has such a name wins.
    path, *pairs = [text] if isinstance(argument, Path) or _exists(text) else _DECLARATION.split(text)
    if not path:
        raise ParameterError(f"{text!r} names no raster; give a file, folder or URL.")
    declared = dict(zip(pairs[::2], pairs[1::2], strict=True))
    local = not path.startswith("/vsi") and not _URL.match(path) and not path.startswith("<VRTDataset")
    return RasterArgument(
        path=str(Path(path).expanduser().absolute()) if local else path,
        name=_name(path, local=local),
        local=local,
        sensor=_sensor(declared["as"]) if "as" in declared else None,
        crs=_crs(declared["crs"]) if "crs" in declared else None,
        dates=tuple(map(_date, declared["date"].split(","))) if "date" in declared else (),
        nodata=_nodata(declared["nodata"]) if "nodata" in declared else None,
        gsd=_gsd(declared["gsd"]) if "gsd" in declared else None,
    )


def _exists(text: str) -> bool:
    try:
        return Path(text).exists()
    except OSError:  # a name too long for this file system
        return False


def _name(path: str, *, local: bool) -> str:
    if local:
        return Path(path).expanduser().absolute().name or path
    return re.split(r"[?#]", path)[0].rstrip("/").rsplit("/", 1)[-1] or path


def _sensor(text: str) -> str:
    if text in SENSORS:
        return text
    near = difflib.get_close_matches(text.lower(), SENSORS, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}? The sensors are" if near else "use one of"
    raise ParameterError(f"as={text} is no known sensor; {hint} {', '.join(SENSORS)}.")


def _crs(text: str) -> str:
    try:
        return CRS.from_user_input(text).to_wkt()
    except CRSError:
        raise ParameterError(f"crs={text} is no known CRS; give one like crs=EPSG:32633, or its WKT.") from None


def _date(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise ParameterError(f"date={text} is no date; give it as date=YYYY-MM-DD.") from None


def _gsd(text: str) -> float:
    try:
        metres = float(text)
    except ValueError:
        metres = math.nan
    if not 0 < metres < math.inf:
        raise ParameterError(f"gsd={text} is no size of a pixel; give metres, as in gsd=0.5.")
    return metres


def _nodata(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ParameterError(f"nodata={text} is no number; give it as nodata=0 or nodata=nan.") from None
