"""The layer of suspicious labels: points to step through, the worst first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
from shapely.geometry import Point

from gfm_core.classes import MapClass
from gfm_core.embedding.map_grid import MapGrid
from gfm_core.heads.suspects import Suspect
from gfm_core.tools.layers import write_layer


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
    ).astype({"labelled": "str", "looks_like": "str", "probability": "float64", "rank": "int64", "pixels": "int64"})
    write_layer(path, frame, layer="suspects", crs=grid.frame.crs)
