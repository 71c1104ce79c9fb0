"""Vector layers as GeoPackages that are the same bytes whenever they are written."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pyogrio

from gfm_core.raster.ground import as_crs

_NO_CLOCK = {"OGR_CURRENT_DATE": "2000-01-01T00:00:00.000Z"}  # a GeoPackage says when it was written


def write_layer(
    path: Path, frame: gpd.GeoDataFrame, *, layer: str, crs: str | None = None, geometry_type: str = "Point"
) -> None:
    """Write features (none: an empty layer with the same fields); `crs` is that of the frame unless it has one."""
    before = {name: pyogrio.get_gdal_config_option(name) for name in _NO_CLOCK}
    pyogrio.set_gdal_config_options(_NO_CLOCK)
    try:
        placed = frame if crs is None else frame.set_crs(as_crs(crs).to_wkt(), allow_override=True)
        pyogrio.write_dataframe(placed, path, layer=layer, driver="GPKG", geometry_type=geometry_type)
    finally:
        pyogrio.set_gdal_config_options(before)
