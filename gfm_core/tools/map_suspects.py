"""The layer of suspicious labels: points to step through, the worst first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import pyogrio
from shapely.geometry import Point

from gfm_core.classes import MapClass
from gfm_core.embedding.map_grid import MapGrid
from gfm_core.heads.suspects import Suspect
from gfm_core.raster.ground import as_crs

_LAYER = "suspects"
# A GeoPackage says when it was written; the same map must be the same bytes.
_NO_CLOCK = {"OGR_CURRENT_DATE": "2000-01-01T00:00:00.000Z"}


def write_suspects(path: Path, suspects: Sequence[Suspect], classes: Sequence[MapClass], grid: MapGrid) -> None:
    """Write a GeoPackage with a point a suspect (none: an empty layer) in the map's CRS."""
    names = {item.code: item.name for item in classes}
    frame = gpd.GeoDataFrame(
        {
            "rank": list(range(1, len(suspects) + 1)),
            "labelled": [names[item.labelled] for item in suspects],
            "looks_like": [names[item.looks_like] for item in suspects],
            "probability": [round(item.quality, 3) for item in suspects],
            "pixels": [item.pixels for item in suspects],
        },
        geometry=[Point(grid.transform * (item.col + 0.5, item.row + 0.5)) for item in suspects],
        crs=as_crs(grid.frame.crs).to_wkt(),
    ).astype({"labelled": "str", "looks_like": "str", "probability": "float64", "rank": "int64", "pixels": "int64"})
    before = {name: pyogrio.get_gdal_config_option(name) for name in _NO_CLOCK}
    pyogrio.set_gdal_config_options(_NO_CLOCK)
    try:
        pyogrio.write_dataframe(frame, path, layer=_LAYER, driver="GPKG", geometry_type="Point")
    finally:
        pyogrio.set_gdal_config_options(before)
