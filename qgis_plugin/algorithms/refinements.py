"""The small differences by hand: what a form in QGIS does not ask, or asks in another way than a command line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qgis.core import (
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterRasterLayer,
)

from .. import settings
from ..description import Parameter, Tool
from ..translation import tr, translatable

LABELS = "LABELS"
LABELS_RASTER = "LABELS_RASTER"
CHECK_REST = "CHECK_REST"

FIRST = ("rasters", "labels", "field")  # in the form; the others follow in the order of the command line

# A Processing destination is meant to be replaced; QGIS itself asks the user before.
_FIXED: dict[str, Any] = {"overwrite": True}
_HIDDEN = {"device", "layer"}  # from the settings; known by the layer

FILE_FILTERS = {
    "model": "Checkpoint (*.safetensors)",
    "head": "Fitted classifier (*.safetensors)",
    "save_head": "Fitted classifier (*.safetensors)",
    "like": "Embedding (*.tif)",
}

EXAMPLES = {
    "embed": translatable(
        "Choose the Sentinel-2 files at 10, 20 and 60 m of one place and run: every 20 m cell becomes a vector, "
        "and the layer shows its three strongest bands as colours."
    ),
    "classify": translatable(
        "Choose the same files, or an embedding of them, a layer of polygons as labels and its class field, "
        "and run: the map opens with the classes' names and colours, and the report with the scores."
    ),
}

# What a run's layer is called in the layer tree, before the names of its inputs.
LAYER_NAMES = {"embed": translatable("Embedding"), "classify": translatable("Land cover")}


def is_hidden(parameter: Parameter) -> bool:
    """Whether the form does not ask for a parameter."""
    return parameter.name in _HIDDEN or parameter.name in _FIXED


def fixed_values(tool: Tool) -> dict[str, Any]:
    """What is sent for the parameters that the form does not ask for."""
    known = {parameter.name for parameter in tool.parameters}
    values = {**_FIXED, "device": settings.device()}
    return {name: value for name, value in values.items() if name in known}


def extra_parameters(tool: Tool, after: Parameter) -> Iterator[tuple[QgsProcessingParameterDefinition, str, bool]]:
    """Parameters of the form alone that stand behind `after`: definition, help, advanced."""
    if tool.name != "classify":
        return
    if after.name == "labels":
        definition = QgsProcessingParameterRasterLayer(LABELS_RASTER, tr("Labels from a raster"), optional=True)
        yield definition, translatable("A raster whose values are classes, instead of polygons or points."), True
    if after.name == "check":
        label = tr("Check on the labels that the expression leaves out")
        definition = QgsProcessingParameterBoolean(CHECK_REST, label, False)
        yield definition, translatable("Needs an expression for the labels."), True
