"""Places without a class: examples of one kind, places with a number, polygons to be described."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gfm_core.classes import MapClass
from gfm_core.errors import LabelError
from gfm_core.labels.geometry import burnable
from gfm_core.labels.read import LabelLayer, VectorLabels, chosen_layer, described, layers_of, nearest, rows_of

_PLACE = MapClass(1, "place", 1)

logger = logging.getLogger(__name__)
_NUMBERS = ("int", "float", "uint")


@dataclass(frozen=True, slots=True)
class Places:
    """`labels` to burn, all of one class; `numbers` float64 by unit where a field was asked for, else None."""

    labels: VectorLabels
    numbers: NDArray[np.float64] | None = None


def is_raster(path: str | Path) -> bool:
    """Whether a file holds pixels and no features. Raises LabelError if there is no such file."""
    return not layers_of(_there(path))


def read_places(path: str | Path, *, layer: str | None = None, where: str | None = None) -> Places:
    """Polygons and points, whatever their fields hold. Raises LabelError for what cannot be used."""
    found = _layer(path, layer)
    return Places(_as_labels(found, rows_of(found, [], where), []))


def read_numbers(
    path: str | Path, *, layer: str | None = None, field: str | None = None, where: str | None = None,
    lowest: float | None = None, highest: float | None = None,
) -> Places:  # fmt: skip
    """Polygons and points with a number in `field` (default: the only one of numbers), `lowest` to `highest`."""
    found = _layer(path, layer)
    name, column = Path(found.path).name, _number_field(found, field)
    frame = rows_of(found, [column], where)
    _check_some(found, frame, where)
    numbers = pd.to_numeric(frame[column], errors="coerce").to_numpy(np.float64)
    known = np.isfinite(numbers)
    with np.errstate(invalid="ignore"):
        known &= numbers >= (-np.inf if lowest is None else lowest)
        known &= numbers <= (np.inf if highest is None else highest)
    span = "" if lowest is None and highest is None else " from lowest to highest"
    if not known.any():
        raise LabelError(f"Field {column!r} of {name} holds no number{span}; choose the field that does.")
    notes = [f"Places of {name} without a number{span} in {column!r}, not used: {int((~known).sum())}."]
    labels = _as_labels(found, frame[known], notes if not known.all() else [])
    return Places(labels, numbers[known])


def read_features(path: str | Path, *, layer: str | None = None, where: str | None = None) -> gpd.GeoDataFrame:
    """A layer as it is, all fields and geometries. Raises LabelError if it cannot be read or is empty."""
    found = _layer(path, layer)
    frame = rows_of(found, list(found.fields), where)
    _check_some(found, frame, where)
    if frame.crs is None:
        logger.info("%s has no CRS; its coordinates are taken to be in the raster's.", Path(found.path).name)
    return frame


def _there(path: str | Path) -> str:
    text = str(path)
    if "://" not in text and not text.startswith("/vsi") and not Path(text).exists():
        raise LabelError(f"{Path(text).name} does not exist in {Path(text).parent}; give the path of a layer.")
    return text


def _layer(path: str | Path, layer: str | None) -> LabelLayer:
    text = _there(path)
    layers = layers_of(text)
    if not layers:
        raise LabelError(
            f"{Path(text).name} is no layer of features, or is damaged; give a layer of polygons or points."
        )
    return described(text, chosen_layer(Path(text).name, layers, layer))


def _number_field(layer: LabelLayer, wanted: str | None) -> str:
    name = Path(layer.path).name
    if wanted is not None:
        if wanted not in layer.fields:
            raise LabelError(f"{name} has no field {wanted!r}; use {nearest(wanted, list(layer.fields))}.")
        return wanted
    numeric = [
        field for field, kind in zip(layer.fields, layer.dtypes, strict=True) if kind.lower().startswith(_NUMBERS)
    ]
    if len(numeric) != 1:
        listed = ", ".join(repr(field) for field in (numeric or layer.fields)[:20]) or "none"
        raise LabelError(f"{name} has no one field of numbers; choose it with field: {listed}.")
    return numeric[0]


def _as_labels(layer: LabelLayer, frame: gpd.GeoDataFrame, notes: list[str]) -> VectorLabels:
    name = Path(layer.path).name
    marked = gpd.GeoDataFrame(
        {"code": np.ones(len(frame), np.int32), "unit": np.arange(len(frame), dtype=np.int64)},
        geometry=frame.geometry.array, crs=frame.crs,
    )  # fmt: skip
    usable, mended = burnable(marked, name)
    if usable.empty:
        raise LabelError(f"{name} has no usable polygons or points; give a layer that holds some.")
    if frame.crs is None:
        notes = [*notes, f"{name} has no CRS; its coordinates are taken to be in the raster's."]
    return VectorLabels(layer.path, usable.reset_index(drop=True), (_PLACE,), (*notes, *mended))


def _check_some(layer: LabelLayer, frame: gpd.GeoDataFrame, where: str | None) -> None:
    if frame.empty:
        raise LabelError(f"{Path(layer.path).name} has no features{_why(where)}; give a layer that holds some.")


def _why(where: str | None) -> str:
    return f" for which {where} holds" if where else ""
