"""What a user asks for as an extent: four numbers, or a layer's file."""

from __future__ import annotations

from pathlib import Path

import rasterio
from rasterio.errors import RasterioIOError

from gfm_core.errors import ParameterError
from gfm_core.grid import Bounds
from gfm_core.raster.ground import as_crs, transform_bounds


def requested_bounds(extent: str, crs: str) -> Bounds:
    """`"x0,y0,x1,y1"` in `crs`, or the rectangle around a raster or vector file, carried into `crs`."""
    numbers = _four_numbers(extent)
    if numbers is not None:
        x0, y0, x1, y1 = numbers
        if x0 == x1 or y0 == y1:
            raise ParameterError(f"extent {extent} has no area; give X0,Y0,X1,Y1 of two opposite corners.")
        return Bounds(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    if not Path(extent).exists():
        raise ParameterError(
            f"extent {extent!r} is no file and not X0,Y0,X1,Y1; give four numbers, a file, union or intersection."
        )
    bounds, own = _layer_bounds(extent)
    return transform_bounds(bounds, own, crs)


def _four_numbers(extent: str) -> tuple[float, float, float, float] | None:
    """The numbers, also as QGIS writes them: with a CRS in brackets behind, which is left to the caller."""
    parts = extent.partition("[")[0].split(",")
    try:
        x0, y0, x1, y1 = (float(part) for part in parts)
    except ValueError:
        return None
    return x0, y0, x1, y1


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
