"""Geometries of labels made burnable: valid polygons and points, everything else counted."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

_POINTS, _LINES, _AREAS, _COLLECTION = (0, 4), (1, 2, 5), (3, 6), (7,)  # shapely's geometry type numbers


def burnable(frame: gpd.GeoDataFrame, name: str) -> tuple[gpd.GeoDataFrame, list[str]]:
    """`frame` with valid polygons and points only, one single geometry a row, and notes on what was mended or skipped.

    Self-crossing polygons are repaired; parts of multi-geometries and collections become rows with the same unit.
    """
    geometry = shapely.force_2d(np.asarray(frame.geometry.array, dtype=object))
    notes = []
    missing = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    geometry[missing] = None  # GEOS has no coordinates of an empty point
    if missing.any():
        notes.append(f"Labels of {name} without a geometry, not used: {missing.sum()}.")
    geometry, repaired = _repaired(geometry)
    if repaired:
        notes.append(f"Invalid polygons of {name} (crossing themselves, for example), repaired: {repaired}.")
    parts, rows = _single_parts(geometry)
    kinds = shapely.get_type_id(parts)
    usable = (np.isin(kinds, _POINTS) & np.isfinite(shapely.get_x(parts)) & np.isfinite(shapely.get_y(parts))) | (
        np.isin(kinds, _AREAS) & (shapely.area(parts) > 0)
    )
    for what, lost in _lost(frame, geometry, missing, rows, usable).items():
        if lost:
            notes.append(f"Labels of {name} that are {what}, not used: {lost}; draw polygons or points.")
    kept = rows[usable]
    columns = {"code": frame["code"].to_numpy()[kept], "unit": frame["unit"].to_numpy()[kept]}
    return gpd.GeoDataFrame(columns, geometry=parts[usable], crs=frame.crs), notes


def _repaired(geometry: NDArray[np.object_]) -> tuple[NDArray[np.object_], int]:
    """With valid polygons, and how many were not. Points and lines are left alone."""
    broken = np.isin(shapely.get_type_id(geometry), (*_AREAS, *_COLLECTION)) & ~shapely.is_valid(geometry)
    mended = geometry.copy()
    mended[broken] = shapely.make_valid(geometry[broken])
    # A polygon without area becomes a line: nothing was repaired, and it is counted as what it is.
    flat = broken & (shapely.area(mended) == 0)
    return np.where(flat, geometry, mended), int((broken & ~flat).sum())


def _single_parts(geometry: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Polygons, points and lines with the row of each; collections may hold multi-geometries, so until none is left."""
    parts, rows = geometry, np.arange(len(geometry), dtype=np.int64)
    while (shapely.get_type_id(parts) > 3).any():
        parts, index = shapely.get_parts(parts, return_index=True)
        rows = rows[index]
    return parts, rows


def _lost(
    frame: gpd.GeoDataFrame,
    geometry: NDArray[np.object_],
    missing: NDArray[np.bool_],
    rows: NDArray[np.int64],
    usable: NDArray[np.bool_],
) -> dict[str, int]:
    """How many labels lost everything they had, by what they are."""
    lost = ~missing & ~np.isin(np.arange(len(frame)), rows[usable])
    kinds = shapely.get_type_id(geometry)
    lines, areas = lost & np.isin(kinds, _LINES), lost & np.isin(kinds, _AREAS)
    return {
        "lines": int(lines.sum()),
        "polygons without an area": int(areas.sum()),
        "neither polygons nor points": int((lost & ~lines & ~areas).sum()),
    }
