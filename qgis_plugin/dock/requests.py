"""What the dock asks the worker for, in the worker's own parameters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qgis.core import QgsPointXY, QgsRasterLayer
from qgis.PyQt.QtCore import QSize

from .. import settings
from ..algorithms.labels import LabelFile
from ..algorithms.values import raster_argument, raster_file
from ..translation import tr
from .ground import Ground
from .label_set import LabelSet
from .runner import Job
from .views import points_file

_MOST_CELLS = 150_000  # of a view: more are no finer on a screen, and cost memory


def refusal(layers: Sequence[QgsRasterLayer]) -> str:
    """Why rasters cannot be embedded, as far as QGIS knows; else empty."""
    for layer in layers:
        if not layer.isValid() or raster_file(layer) is None:
            return tr("The layer {name} has no raster file to read; export it as a GeoTIFF and choose that.").format(
                name=layer.name()
            )
        if not layer.crs().isValid():
            return tr("The layer {name} has no CRS; set it with Layer CRS in its menu.").format(name=layer.name())
    return "" if layers else tr("Choose the rasters to look at first.")


def to_embed(layers: Sequence[QgsRasterLayer], output: Path, cell_size: float | None, extent: str) -> Job:
    """An embedding of an extent, or of all where that is empty."""
    params: dict[str, Any] = {
        "rasters": [raster_argument(layer) for layer in layers], "output": str(output),
        "device": settings.device(), "overwrite": True,
        **({"cell_size": cell_size} if cell_size else {}), **({"extent": extent} if extent else {}),
    }  # fmt: skip
    return Job("embed", params, outputs=[str(output)])


def to_look(path: str) -> Job:
    """Nothing yet: the first preview is quick if the worker is ready for it before there are labels."""
    return Job("look", {"embedding": path})


def to_preview(ground: Ground, file: LabelFile, field: str, output: Path, *, extent: str, size: QSize) -> Job:
    """The map of what a canvas of `size` pixels shows."""
    params: dict[str, Any] = {
        "embedding": ground.path, "output": str(output), "labels": file.path, "field": field, "extent": extent,
        "cells": max(1, min(_MOST_CELLS, size.width() * size.height())), "overwrite": True,
        **({"layer": file.layer} if file.layer else {}),
    }  # fmt: skip
    return Job("preview", params, outputs=[str(output)])


def to_find_alike(ground: Ground, like: Sequence[QgsPointXY], unlike: Sequence[QgsPointXY], output: Path) -> Job:
    """Places like some, and unlike others, of the embedding's CRS."""
    params: dict[str, Any] = {
        "rasters": [ground.path], "output": str(output), "overwrite": True,
        "labels": points_file(output.with_name("like.geojson"), like, ground.crs),
    }  # fmt: skip
    if unlike:
        params["counter"] = points_file(output.with_name("unlike.geojson"), unlike, ground.crs)
    return Job("similar", params, outputs=[str(output)])


def whole_map(
    layers: Sequence[QgsRasterLayer], embedding: str, labels: LabelSet | None, cell_size: float | None
) -> dict[str, Any]:
    """The values of *Classify land cover* for the map of all that the rasters cover, or else of the embedding."""
    values: dict[str, Any] = {}
    inputs = [layer.id() for layer in layers] or ([embedding] if embedding else [])
    if inputs:
        values["INPUTS"] = inputs
    if labels is not None:
        values |= {"LABELS": labels.layer.id(), "FIELD": labels.field}
    if cell_size and layers:
        values["CELL_SIZE"] = cell_size
    return values
