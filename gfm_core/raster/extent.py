"""Extents: the ground around rasters, and what a user asks for as four numbers or a layer's file."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import reduce
from pathlib import Path

import rasterio
from rasterio.errors import RasterioIOError

from gfm_core.errors import ParameterError
from gfm_core.grid import Bounds
from gfm_core.raster.ground import as_crs, transform_bounds
from gfm_core.raster.source import Source


def around(sources: Iterable[Source], crs: str) -> Bounds:
    """The rectangle around all `sources` in `crs`."""
    return reduce(Bounds.union, (transform_bounds(source.bounds, source.crs, crs) for source in sources))


def requested_bounds(extent: str, crs: str) -> Bounds:
    """`"x0,y0,x1,y1"` in `crs`, or the rectangle around a raster or vector file, carried into `crs`.

    Also the text that QGIS writes, `"x0,x1,y0,y1 [EPSG:N]"`: its order is another, its CRS its own (a code or WKT).
    """
    text, _, own = extent.partition("[")
    numbers = _four_numbers(text)
    if numbers is not None and own:
        x0, x1, y0, y1 = numbers
        return transform_bounds(_bounds(extent, x0, y0, x1, y1), as_crs(own.strip().removesuffix("]")).to_wkt(), crs)
    if numbers is not None:
        return _bounds(extent, *numbers)
    if not _exists(extent):
        raise ParameterError(
            f"extent {extent!r} is no file and not X0,Y0,X1,Y1; give four numbers, a file, union or intersection."
        )
    bounds, own = _layer_bounds(extent)
    return transform_bounds(bounds, own, crs)


def _four_numbers(text: str) -> tuple[float, float, float, float] | None:
    try:
        first, second, third, fourth = (float(part) for part in text.split(","))
    except ValueError:
        return None
    return first, second, third, fourth


def _bounds(extent: str, x0: float, y0: float, x1: float, y1: float) -> Bounds:
    if not all(map(math.isfinite, (x0, y0, x1, y1))):
        raise ParameterError(f"extent {extent} has a number that is not finite; give X0,Y0,X1,Y1.")
    if x0 == x1 or y0 == y1:
        raise ParameterError(f"extent {extent} has no area; give X0,Y0,X1,Y1 of two opposite corners.")
    return Bounds(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except OSError:  # too long for a name
        return False


def _layer_bounds(path: str) -> tuple[Bounds, str]:
    try:
        with rasterio.open(path) as dataset:
            return Bounds(*dataset.bounds), _crs_text(dataset.crs and dataset.crs.to_wkt(), path)
    except RasterioIOError:
        pass
    import pyogrio

    try:
        info = pyogrio.read_info(path, force_total_bounds=True)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError):
        raise ParameterError(f"extent {path} is neither a raster nor a vector layer; give another file.") from None
    if info["total_bounds"] is None:
        raise ParameterError(f"extent {path} is empty; give a layer with features.")
    return Bounds(*map(float, info["total_bounds"])), _crs_text(info["crs"], path)


def _crs_text(crs: str | None, path: str) -> str:
    if not crs:
        raise ParameterError(f"extent {path} has no CRS; give the extent as X0,Y0,X1,Y1 instead.")
    return as_crs(crs).to_wkt()
