"""Examples on the map: a click, a polygon drawn with the mouse, a removal."""

from __future__ import annotations

from collections.abc import Callable

from qgis.core import QgsGeometry, QgsPointXY
from qgis.gui import QgsMapCanvas, QgsMapMouseEvent, QgsMapTool, QgsRubberBand
from qgis.PyQt.QtCore import QEvent, QObject, QPoint, Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor, QCursor, QKeyEvent, QKeySequence
from qgis.PyQt.QtWidgets import QApplication

from ..compat import POLYGONS

_DRAG = 8  # pixels that a hand may tremble in a click
_WOBBLE = 1.0  # pixels: what a simplified outline may be off
_FILL_ALPHA = 60


class ExampleTool(QgsMapTool):
    """Left click, left drag for a polygon, right click to remove; Esc drops a drawing. All in the map's CRS."""

    clicked = pyqtSignal(QgsPointXY)
    drawn = pyqtSignal(QgsGeometry)
    removed = pyqtSignal(QgsPointXY)
    undo_asked = pyqtSignal()
    redo_asked = pyqtSignal()

    def __init__(self, canvas: QgsMapCanvas) -> None:
        super().__init__(canvas)
        self.setCursor(QCursor(Qt.CursorShape.CrossCursor))
        self._canvas = canvas
        self._colour = QColor("#e69f00")
        self._start: QPoint | None = None  # where the left button went down
        self._points: list[QgsPointXY] = []
        self._band: QgsRubberBand | None = None

    def set_colour(self, colour: str) -> None:
        """Of what is being drawn: that of the class."""
        self._colour = QColor(colour)

    def activate(self) -> None:
        """Listen to the canvas's keys too: it hands none to a tool while a button is down."""
        super().activate()
        self._canvas.installEventFilter(self)

    def deactivate(self) -> None:
        """Drop what is being drawn."""
        self.cancel()
        self._canvas.removeEventFilter(self)
        super().deactivate()

    def cancel(self) -> None:
        """Forget the drawing."""
        self._start, self._points = None, []
        if self._band is not None:
            self._canvas.scene().removeItem(self._band)
            self._band = None

    # ---- Mouse -------------------------------------------------------------------------------------------------------

    def canvasPressEvent(self, event: QgsMapMouseEvent) -> None:
        """Left: the start of a click or a drawing; any other button drops it."""
        self.cancel()
        if event.button() == Qt.MouseButton.LeftButton:
            self._start = event.pos()
            self._points = [self._place(event)]

    def canvasMoveEvent(self, event: QgsMapMouseEvent) -> None:
        """Draw once the mouse has left the start."""
        if self._start is None:
            return
        far = max(_DRAG, QApplication.startDragDistance())
        if self._band is None and (event.pos() - self._start).manhattanLength() <= far:
            return
        self._points.append(self._place(event))
        if self._band is None:
            self._band = self._new_band()
            self._band.addPoint(self._points[0], False)
        self._band.addPoint(self._points[-1])

    def canvasReleaseEvent(self, event: QgsMapMouseEvent) -> None:
        """Tell what was clicked or drawn."""
        place = self._place(event)
        if event.button() == Qt.MouseButton.RightButton:
            self.removed.emit(place)
        elif event.button() == Qt.MouseButton.LeftButton and self._start is not None:
            points, is_drawing = [*self._points, place], self._band is not None
            self.cancel()
            if is_drawing:
                self._finish(points)
            else:
                self.clicked.emit(points[0])

    def _finish(self, points: list[QgsPointXY]) -> None:
        polygon = QgsGeometry.fromPolygonXY([[*points, points[0]]])
        simpler = polygon.simplify(_WOBBLE * self._canvas.mapUnitsPerPixel())
        polygon = (polygon if simpler.isEmpty() else simpler).makeValid()
        polygon.convertGeometryCollectionToSubclass(POLYGONS)
        if polygon.type() == POLYGONS and polygon.area() > 0:  # a straight stroke is none
            self.drawn.emit(polygon)

    def _place(self, event: QgsMapMouseEvent) -> QgsPointXY:
        return self.toMapCoordinates(event.pos())

    def _new_band(self) -> QgsRubberBand:
        band = QgsRubberBand(self._canvas, POLYGONS)
        fill = QColor(self._colour)
        fill.setAlpha(_FILL_ALPHA)
        band.setStrokeColor(self._colour)
        band.setFillColor(fill)
        band.setWidth(2)
        return band

    # ---- Keys --------------------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Esc and undo, before a shortcut of QGIS takes them."""
        is_key = event.type() in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress)
        action = self._action_of(event) if is_key else None
        if action is None:
            return super().eventFilter(watched, event)
        if event.type() == QEvent.Type.KeyPress:
            action()
        event.accept()
        return True

    def _action_of(self, event: QKeyEvent) -> Callable[[], None] | None:
        if event.key() == Qt.Key.Key_Escape and self._start is not None:
            return self.cancel
        if event.matches(QKeySequence.StandardKey.Undo):
            return self.undo_asked.emit
        if event.matches(QKeySequence.StandardKey.Redo):
            return self.redo_asked.emit
        return None
