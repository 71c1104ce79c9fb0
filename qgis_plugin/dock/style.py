"""The classes of a layer as the categories of its renderer."""

from __future__ import annotations

from collections.abc import Iterable

from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsFillSymbol,
    QgsMarkerSymbol,
    QgsProject,
    QgsRendererCategory,
    QgsSymbol,
    QgsVectorLayer,
)
from qgis.PyQt.QtGui import QColor

from ..compat import POLYGONS, save_style

# Told apart by colour-blind eyes: seven of Okabe and Ito (2008), then Tol's "muted"
COLOURS = (
    "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7",
    "#332288", "#88ccee", "#44aa99", "#117733", "#999933", "#ddcc77", "#cc6677", "#882255", "#aa4499",
)  # fmt: skip

_STYLE = "JEPA-GFM"  # its name in a GeoPackage
_FILL_ALPHA = 90  # of 255: the image stays visible below


def categories(layer: QgsVectorLayer, field: str) -> list[QgsRendererCategory] | None:
    """Those of the layer's renderer, None if it is not one of categories of `field`."""
    renderer = layer.renderer()
    if not isinstance(renderer, QgsCategorizedSymbolRenderer) or renderer.classAttribute().strip('"') != field:
        return None
    return [QgsRendererCategory(category) for category in renderer.categories()]


def install(layer: QgsVectorLayer, field: str, wanted: list[QgsRendererCategory]) -> None:
    """Show the layer by these categories; what else its renderer of categories says stays."""
    known = categories(layer, field) is not None
    renderer = layer.renderer().clone() if known else QgsCategorizedSymbolRenderer(field)
    renderer.deleteAllCategories()
    for category in wanted:
        renderer.addCategory(QgsRendererCategory(category))
    layer.setRenderer(renderer)
    layer.triggerRepaint()
    layer.emitStyleChanged()
    if QgsProject.instance().mapLayer(layer.id()) is not None:
        QgsProject.instance().setDirty(True)


def save(layer: QgsVectorLayer) -> bool:
    """Keep the style in the layer's database, so that the colours travel with the file; False if it takes none."""
    return save_style(layer, _STYLE)


def name_of(category: QgsRendererCategory) -> str:
    """The class of a category, "" for that of all other values."""
    value = category.value()
    return value if isinstance(value, str) else ""


def colour_of(category: QgsRendererCategory) -> str:
    """As #rrggbb."""
    return str(category.symbol().color().name())


def new_category(layer: QgsVectorLayer, name: str, colour: str) -> QgsRendererCategory:
    """A category in our own look."""
    return QgsRendererCategory(name, _symbol(layer, colour), name)


def renamed(category: QgsRendererCategory, name: str) -> QgsRendererCategory:
    """The same look with another name."""
    copy = QgsRendererCategory(category)
    copy.setValue(name)
    copy.setLabel(name)
    return copy


def next_colour(used: Iterable[str]) -> str:
    """The first default colour that is not used yet; they begin anew when all are."""
    taken = list(used)
    return min(COLOURS, key=taken.count)


def checked_colour(colour: str) -> str:
    """As #rrggbb; "" for what is no colour."""
    read = QColor(colour)
    return str(read.name()) if read.isValid() else ""


def _symbol(layer: QgsVectorLayer, colour: str) -> QgsSymbol:
    tone = QColor(colour)
    solid = f"{tone.red()},{tone.green()},{tone.blue()},255"
    if layer.geometryType() != POLYGONS:
        return QgsMarkerSymbol.createSimple(
            {"name": "circle", "size": "3", "color": solid, "outline_color": "255,255,255,255", "outline_width": "0.3"}
        )
    return QgsFillSymbol.createSimple(
        {
            "color": f"{tone.red()},{tone.green()},{tone.blue()},{_FILL_ALPHA}",
            "outline_color": solid, "outline_style": "solid", "outline_width": "0.4",
        }
    )  # fmt: skip
