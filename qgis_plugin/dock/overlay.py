"""The layers that the dock paints on the canvas: the map of the view, where it is disputed, and what is alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qgis.core import (
    QgsColorRampShader,
    QgsDataProvider,
    QgsLayerTreeGroup,
    QgsPalettedRasterRenderer,
    QgsProject,
    QgsRasterLayer,
    QgsRasterRenderer,
    QgsRasterShader,
    QgsSingleBandPseudoColorRenderer,
)
from qgis.PyQt.QtGui import QColor

from ..translation import tr
from .views import Views

MAP, DISPUTE, ALIKE = "map", "dispute", "alike"
_KIND = "jepa_gfm/dock"  # property of our layers: which of them it is
_UNKNOWN = "#808080"  # of a class that the label set does not know any more
_DISPUTE = ((0, "#00ffffff"), (10, "#00ffffff"), (30, "#b0fde725"), (60, "#d0f768a1"), (100, "#ff7a0177"))
_ALIKE = ("#c0ffffb2", "#d0fd8d3c", "#e0bd0026")


def is_painted(layer: QgsRasterLayer) -> bool:
    """Whether the dock has painted it."""
    return bool(layer.customProperty(_KIND))


class Overlay:
    """Up to three raster layers in a group of their own above all others; they stay in the project."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._painted: list[dict[str, Any]] = []
        self._threshold = 0.0

    def layer(self, kind: str) -> QgsRasterLayer | None:
        """One of our layers, if it is in the project."""
        for layer in QgsProject.instance().mapLayers().values():
            if isinstance(layer, QgsRasterLayer) and layer.customProperty(_KIND) == kind:
                return layer
        return None

    def sources(self) -> set[str]:
        """The files of our layers."""
        return {layer.source() for layer in map(self.layer, (MAP, DISPUTE, ALIKE)) if layer is not None}

    def show_map(self, path: str, dispute: str, classes: Sequence[dict[str, Any]], colours: Mapping[str, str]) -> None:
        """A new map of the view and its dispute, in place of the last ones."""
        self._painted = list(classes)
        self._show(DISPUTE, tr("Where to label next"), dispute)
        self._show(MAP, tr("Map of the view"), path)
        self.recolour(colours)
        dispute_layer = self.layer(DISPUTE)
        if dispute_layer is not None:
            _ramp(dispute_layer, _DISPUTE)

    def recolour(self, colours: Mapping[str, str]) -> None:
        """The map in the colours of the label set: nothing is computed for that."""
        layer = self.layer(MAP)
        if layer is None or not self._painted:
            return
        classes = [
            QgsPalettedRasterRenderer.Class(
                int(item["code"]), QColor(colours.get(item["name"], _UNKNOWN)), str(item["name"])
            )
            for item in self._painted
        ]
        _render(layer, QgsPalettedRasterRenderer(layer.dataProvider(), 1, classes))
        layer.emitStyleChanged()

    def show_alike(self, path: str, threshold: float) -> None:
        """How alike places are to those that were clicked."""
        self._show(ALIKE, tr("More like this"), path)
        self.set_threshold(threshold)

    def set_threshold(self, threshold: float) -> None:
        """Show only what is at least so alike, 0 to 100: nothing is computed for that."""
        self._threshold = threshold
        layer = self.layer(ALIKE)
        if layer is not None:
            low = min(threshold, 99.0)
            middle = (low + 100) / 2
            stops = tuple(zip((low, middle, 100.0), _ALIKE))
            _ramp(layer, ((0.0, "#00ffffff"), (max(low - 1e-3, 0.0), "#00ffffff"), *stops))

    def remove(self, kind: str) -> None:
        """Take one of our layers off the canvas."""
        layer = self.layer(kind)
        if layer is not None:
            QgsProject.instance().removeMapLayer(layer.id())

    def _show(self, kind: str, name: str, path: str) -> None:
        """The same layer with another file; the file before is removed, unless somebody else knows it."""
        layer = self.layer(kind)
        if layer is None:
            layer = QgsRasterLayer(path, name, "gdal")
            layer.setCustomProperty(_KIND, kind)
            QgsProject.instance().addMapLayer(layer, False)
            node = _group().insertLayer(0 if kind != MAP else -1, layer)
            node.setExpanded(kind == MAP)
            node.setItemVisibilityChecked(kind != DISPUTE)
            return
        before = layer.source()
        layer.setDataSource(path, layer.name(), "gdal", QgsDataProvider.ProviderOptions())
        layer.triggerRepaint()
        if before not in _sources():
            self._views.remove(before)


def _group() -> QgsLayerTreeGroup:
    root = QgsProject.instance().layerTreeRoot()
    return root.findGroup("JEPA-GFM") or root.insertGroup(0, "JEPA-GFM")


def _sources() -> set[str]:
    """Of all layers: a map may have been duplicated to compare with."""
    return {layer.source() for layer in QgsProject.instance().mapLayers().values()}


def _render(layer: QgsRasterLayer, renderer: QgsRasterRenderer) -> None:
    """As transparent as the user has made the layer."""
    renderer.setOpacity(layer.opacity())
    layer.setRenderer(renderer)
    layer.triggerRepaint()


def _ramp(layer: QgsRasterLayer, stops: Sequence[tuple[float, str]]) -> None:
    """Colours between `stops` (value, #aarrggbb)."""
    colours = QgsColorRampShader(stops[0][0], stops[-1][0])
    colours.setColorRampType(QgsColorRampShader.Type.Interpolated)
    colours.setColorRampItemList(
        [QgsColorRampShader.ColorRampItem(value, QColor(colour), f"{value:.0f}") for value, colour in stops]
    )
    shader = QgsRasterShader()
    shader.setRasterShaderFunction(colours)
    _render(layer, QgsSingleBandPseudoColorRenderer(layer.dataProvider(), 1, shader))
