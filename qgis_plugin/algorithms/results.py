"""Results that can be read: names, styles, and how each layer was made, once QGIS has loaded it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from qgis.core import (
    QgsLayerMetadata,
    QgsMapLayer,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)

from ..description import Outcome, Tool
from ..layer_actions import LayerActions, Origin
from ..translation import tr
from .refinements import LAYER_NAMES
from .values import Request

_NAMES = 2  # of inputs in a layer's name


@dataclass(frozen=True)
class Finish:
    """What a loaded layer gets; `shown`: whether it is visible at first."""

    name: str
    abstract: str
    history: str
    origin: Origin
    shown: bool = True


class Finisher(QgsProcessingLayerPostProcessorInterface):
    """Runs in the main thread when QGIS has loaded the layer."""

    # QGIS keeps no reference: without one of ours it is collected before it runs. A few, for runs that are not loaded.
    _alive: ClassVar[list[Finisher]] = []
    _MOST: ClassVar[int] = 64

    def __init__(self, finish: Finish) -> None:
        super().__init__()
        self._finish = finish
        Finisher._alive = [*Finisher._alive[-self._MOST :], self]

    def postProcessLayer(
        self,
        layer: QgsMapLayer,
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,  # noqa: ARG002 - QGIS's signature
    ) -> None:
        """Name, style and metadata of the layer."""
        if not isinstance(layer, (QgsRasterLayer, QgsVectorLayer)) or not layer.isValid():
            return
        layer.setName(self._finish.name)
        style = Path(layer.source().split("|")[0]).with_suffix(".qml")  # a vector layer's source names its table too
        if style.is_file():
            layer.loadNamedStyle(str(style))
        layer.setMetadata(_metadata(layer, self._finish))
        self._finish.origin.keep(layer)
        LayerActions.offer(layer)
        node = (context.project() or QgsProject.instance()).layerTreeRoot().findLayer(layer.id())
        if node is not None and not self._finish.shown:
            node.setItemVisibilityChecked(False)
            node.setExpanded(False)
        layer.triggerRepaint()


def _metadata(layer: QgsMapLayer, finish: Finish) -> QgsLayerMetadata:
    metadata = QgsLayerMetadata(layer.metadata())
    metadata.setType("dataset")
    metadata.setTitle(finish.name)
    metadata.setAbstract(finish.abstract)
    metadata.setHistory([finish.history])
    metadata.setCrs(layer.crs())
    return metadata


def arrange_layers(
    tool: Tool, request: Request, outcome: dict[str, Any], context: QgsProcessingContext, *, version: str
) -> None:
    """See to it that the result is loaded readable, and its other layers with it, if the result is loaded at all."""
    output = outcome["output"]
    if not context.willLoadLayerOnCompletion(output):
        return
    history = f"JEPA-GFM {version}: {outcome['command']}"
    abstract = _abstract(tool, outcome)
    name, inputs = layer_name(tool, request.names), request.names
    origin = Origin(outcome["command"], outcome["python"], f"jepagfm:{tool.id}", request.repeatable)
    context.layerToLoadOnCompletionDetails(output).setPostProcessor(Finisher(Finish(name, abstract, history, origin)))
    for item in tool.outcomes:
        if item.kind in ("raster", "vector") and item.name != "output" and outcome.get(item.name):
            below = Finish(
                f"{tr(item.label)}: {listed_names(inputs)}", tr(item.help), history, origin, shown=_is_shown(item)
            )
            details = QgsProcessingContext.LayerDetails(below.name, context.project(), item.name.upper())
            details.setPostProcessor(Finisher(below))
            context.addLayerToLoadOnCompletion(outcome[item.name], details)


def _is_shown(item: Outcome) -> bool:
    """Whether a layer beside the result is visible at first: what was found, not what tells how sure it is."""
    return item.name in ("places", "changes")


def loading(output: str, context: QgsProcessingContext) -> QgsProcessingContext.LayerDetails | None:
    """How the result is to be loaded, as its form says; None if it is not."""
    return context.layersToLoadOnCompletion().get(output)


def load_as_wanted(
    output: str, wanted: QgsProcessingContext.LayerDetails | None, context: QgsProcessingContext
) -> None:
    """In the context of the run: in the background QGIS gives it another one, whose layers replace those wanted."""
    if wanted is not None and not context.willLoadLayerOnCompletion(output):
        context.addLayerToLoadOnCompletion(output, wanted)


def load_nothing(output: str, context: QgsProcessingContext) -> None:
    """After a stop: QGIS must not look for a file that is not there."""
    wanted = context.layersToLoadOnCompletion()
    wanted.pop(output, None)
    context.setLayersToLoadOnCompletion(wanted)


def layer_name(tool: Tool, inputs: Sequence[str]) -> str:
    """`Land cover: s2_10m, s2_20m and 1 more`."""
    return f"{tr(LAYER_NAMES.get(tool.name, tool.title))}: {listed_names(inputs)}"


def listed_names(inputs: Sequence[str]) -> str:
    """The first names of files, and how many more there are."""
    stems = [Path(item).stem for item in inputs]
    listed = ", ".join(stems[:_NAMES])
    more = len(stems) - _NAMES
    if more > 0:
        return tr("{names} and {count} more").format(names=listed, count=more)
    return listed


def _abstract(tool: Tool, outcome: dict[str, Any]) -> str:
    """What the tool does, then its numbers, a line each."""
    lines = [tr(tool.help)]
    for item in tool.outcomes:
        value = outcome.get(item.name)
        if item.kind == "number" and value is not None:
            lines.append(f"{tr(item.label)}: {value:.3g}" if isinstance(value, float) else f"{tr(item.label)}: {value}")
    return "\n".join(lines)
