"""Layers of points as GeoPackages that are the same bytes whenever they are written."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pyogrio

from gfm_core.raster.ground import as_crs

_NO_CLOCK = {"OGR_CURRENT_DATE": "2000-01-01T00:00:00.000Z"}  # a GeoPackage says when it was written


def write_points(path: Path, frame: gpd.GeoDataFrame, *, layer: str, crs: str) -> None:
    """Write points (none: an empty layer with the same fields)."""
    before = {name: pyogrio.get_gdal_config_option(name) for name in _NO_CLOCK}
    pyogrio.set_gdal_config_options(_NO_CLOCK)
    try:
        placed = frame.set_crs(as_crs(crs).to_wkt())
        pyogrio.write_dataframe(placed, path, layer=layer, driver="GPKG", geometry_type="Point")
    finally:
        pyogrio.set_gdal_config_options(before)
