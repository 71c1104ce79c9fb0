"""How a layer was made, kept with it in the project, and offered in its menu: copy as command or Python, repeat."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from qgis.core import QgsMapLayer, QgsMapLayerType, QgsProject
from qgis.PyQt.QtWidgets import QAction, QApplication

from .translation import tr

_COMMAND, _PYTHON = "jepa_gfm/command", "jepa_gfm/python"
_ALGORITHM, _VALUES = "jepa_gfm/algorithm", "jepa_gfm/values"
_MENU = "JEPA-GFM"
_PLAIN = (str, int, float, bool)  # what a project keeps of a form's values


@dataclass(frozen=True)
class Origin:
    """The run that made a layer: as a command, as Python, and as an algorithm with its values but for its inputs."""

    command: str
    python: str
    algorithm: str
    values: dict[str, Any]

    def keep(self, layer: QgsMapLayer) -> None:
        """Write it into the layer's properties, which the project saves."""
        layer.setCustomProperty(_COMMAND, self.command)
        layer.setCustomProperty(_PYTHON, self.python)
        layer.setCustomProperty(_ALGORITHM, self.algorithm)
        layer.setCustomProperty(_VALUES, json.dumps(self.values))


def origin_of(layer: QgsMapLayer | None) -> Origin | None:
    """The run that made a layer, if it was one of ours."""
    if layer is None or not layer.customProperty(_ALGORITHM):
        return None
    try:
        values = json.loads(layer.customProperty(_VALUES) or "{}")
    except ValueError:
        values = {}
    return Origin(
        str(layer.customProperty(_COMMAND) or ""), str(layer.customProperty(_PYTHON) or ""),
        str(layer.customProperty(_ALGORITHM)), values if isinstance(values, dict) else {},
    )  # fmt: skip


def plain_values(values: dict[str, Any], left_out: set[str]) -> dict[str, Any]:
    """The values of a form that mean the same for other layers."""
    return {name: value for name, value in values.items() if name not in left_out and _is_plain(value)}


def _is_plain(value: Any) -> bool:
    return isinstance(value, _PLAIN) or (isinstance(value, list) and all(isinstance(item, _PLAIN) for item in value))


class LayerActions:
    """Three entries in the menu of layers that were made here."""

    _there: LayerActions | None = None

    def __init__(self, iface: Any) -> None:
        self._iface = iface
        window = iface.mainWindow()
        self._actions = []
        for text, run in (
            (tr("Copy as command"), self.copy_command),
            (tr("Copy as Python"), self.copy_python),
            (tr("Repeat on other layers…"), self.repeat),
        ):
            action = QAction(text, window)
            action.triggered.connect(run)
            self._actions.append(action)
            for kind in (QgsMapLayerType.RasterLayer, QgsMapLayerType.VectorLayer):
                iface.addCustomActionForLayerType(action, _MENU, kind, False)
        QgsProject.instance().layersAdded.connect(self._offer_all)
        self._offer_all(list(QgsProject.instance().mapLayers().values()))
        LayerActions._there = self

    def remove(self) -> None:
        """Take the entries away."""
        LayerActions._there = None
        QgsProject.instance().layersAdded.disconnect(self._offer_all)
        for action in self._actions:
            self._iface.removeCustomActionForLayerType(action)

    @classmethod
    def offer(cls, layer: QgsMapLayer) -> None:
        """Show the entries for a layer that has just been finished."""
        if cls._there is not None:
            cls._there._offer_all([layer])

    def _offer_all(self, layers: list[QgsMapLayer]) -> None:
        for layer in layers:
            if origin_of(layer) is not None:
                for action in self._actions:
                    self._iface.addCustomActionForLayer(action, layer)

    def copy_command(self) -> None:
        """The active layer's command, on the clipboard."""
        self._copy("command")

    def copy_python(self) -> None:
        """The active layer's lines of Python, on the clipboard."""
        self._copy("python")

    def _copy(self, what: str) -> None:
        origin = origin_of(self._iface.activeLayer())
        if origin is not None:
            QApplication.clipboard().setText(getattr(origin, what))
            self._iface.messageBar().pushInfo(_MENU, tr("Copied."))

    def repeat(self) -> None:
        """The form of the algorithm with the same values, and without inputs."""
        origin = origin_of(self._iface.activeLayer())
        if origin is not None:
            from processing import execAlgorithmDialog  # noqa: PLC0415 - QGIS's own plugin, with a window only

            execAlgorithmDialog(origin.algorithm, origin.values)
