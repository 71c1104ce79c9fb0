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

LABELS_RASTER = "LABELS_RASTER"
CHECK_REST = "CHECK_REST"

# In the form; the others follow in the order of the command line.
FIRST = ("rasters", "map", "after", "labels", "sample", "field", "head")

# A Processing destination is meant to be replaced; QGIS itself asks the user before.
_FIXED: dict[str, Any] = {"overwrite": True}
_HIDDEN = {"device", "layer"}  # from the settings; known by the layer
_RASTER_OF_LABELS = {  # tools that take a raster instead of features: what it is called
    "classify": (
        translatable("Labels from a raster"),
        translatable("A raster whose values are classes, instead of polygons or points."),
    ),
    "estimate": (
        translatable("Known values from a raster"),
        translatable("A raster of the number, instead of points or polygons."),
    ),
}

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
    "apply": translatable(
        "Choose the rasters of another year and the classifier that Classify land cover kept in a file, and run."
    ),
    "similar": translatable(
        "Draw three polygons around solar parks, choose them and an embedding of the county, and run: the places are "
        "a layer to step through, the surest first."
    ),
    "change": translatable(
        "Choose the rasters before a storm and those after it, and run: what changed is a layer of polygons."
    ),
    "cluster": translatable("Choose an embedding and run: each colour is a kind of ground that can be told apart."),
    "estimate": translatable(
        "Choose an embedding, a layer of forest plots and its field of canopy cover, and run: the map of cover opens "
        "with its interval, and the report with R² and RMSE."
    ),
    "assess": translatable(
        "Choose a map and run: points open. Write what you see at each into the field reference, then run again with "
        "the points: the report tells the accuracies and the areas."
    ),
    "vector": translatable("Choose an embedding and a layer of parcels, and run: each parcel has its statistics."),
}

# What a run's layer is called in the layer tree, before the names of its inputs.
LAYER_NAMES = {
    "embed": translatable("Embedding"),
    "classify": translatable("Land cover"),
    "apply": translatable("Land cover"),
    "similar": translatable("Similarity"),
    "change": translatable("Change"),
    "cluster": translatable("Clusters"),
    "estimate": translatable("Estimate"),
    "assess": translatable("Points"),
    "vector": translatable("Polygons with statistics"),
}


def may_be_left_out(tool: Tool, parameter: Parameter) -> bool:
    """Whether the form lets a parameter be empty: it is optional, or a raster may stand in its place."""
    return not parameter.required or (parameter.name == "labels" and tool.name in _RASTER_OF_LABELS)


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
    if after.name == "labels" and tool.name in _RASTER_OF_LABELS:
        label, help = _RASTER_OF_LABELS[tool.name]
        yield QgsProcessingParameterRasterLayer(LABELS_RASTER, tr(label), optional=True), help, True
    if after.name == "check":
        label = tr("Check on the labels that the expression leaves out")
        definition = QgsProcessingParameterBoolean(CHECK_REST, label, False)
        yield definition, translatable("Needs an expression for the labels."), True
