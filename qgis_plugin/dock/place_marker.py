"""The outline of the cell that the user is asked about."""

from __future__ import annotations

from qgis.core import QgsCoordinateReferenceSystem, QgsGeometry, QgsPointXY, QgsRectangle
from qgis.gui import QgsMapCanvas, QgsRubberBand
from qgis.PyQt.QtGui import QColor

from ..compat import POLYGONS

_SMALLEST = 14  # pixels of the screen: a smaller cell would not be seen
_LINE, _AROUND, _INSIDE = "#ffff00", "#000000", "#00ffffff"  # seen on any map: a yellow line with a black edge


class PlaceMarker:
    """One place at a time, above the map until it is answered."""

    def __init__(self, canvas: QgsMapCanvas) -> None:
        self._canvas = canvas
        self.band = QgsRubberBand(canvas, POLYGONS)
        self.band.setStrokeColor(QColor(_LINE))
        self.band.setSecondaryStrokeColor(QColor(_AROUND))
        self.band.setFillColor(QColor(_INSIDE))
        self.band.setWidth(2)

    def show(self, point: QgsPointXY, side: float, crs: QgsCoordinateReferenceSystem) -> None:
        """Around the middle of a cell of `side` units of `crs`, or so much that it can be seen."""
        self.band.setToGeometry(QgsGeometry.fromRect(QgsRectangle.fromCenterAndSize(point, side, side)), crs)
        wanted = _SMALLEST * self._canvas.mapUnitsPerPixel()
        drawn = self.band.asGeometry()  # in the canvas's CRS
        if 0 < drawn.boundingBox().width() < wanted:
            middle = drawn.boundingBox().center()
            square = QgsRectangle.fromCenterAndSize(middle, wanted, wanted)
            self.band.setToGeometry(QgsGeometry.fromRect(square))

    def hide(self) -> None:
        """Nothing is asked any more."""
        self.band.reset(POLYGONS)

    def remove(self) -> None:
        """Give the canvas back."""
        self._canvas.scene().removeItem(self.band)
