"""Where an embedding lies: what it covers, its CRS, its cells."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsPointXY,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
)

_INSET = 0.01  # of a side: the edge of an example must not touch the next cells


class Ground:
    """`box` in `crs`, in square cells of `side` units."""

    def __init__(self, layer: QgsRasterLayer) -> None:
        self.path, self.crs = layer.source(), layer.crs()
        self.box, self.side = layer.extent(), layer.rasterUnitsPerPixelX()

    @classmethod
    def open(cls, path: str) -> Ground | None:
        """None where no such file can be read."""
        layer = QgsRasterLayer(path, "embedding", "gdal") if path else None
        return cls(layer) if layer is not None and layer.isValid() else None

    def is_there(self) -> bool:
        """Whether its file is still in its place."""
        return Path(self.path).exists()

    def point(self, point: QgsPointXY, crs: QgsCoordinateReferenceSystem) -> QgsPointXY | None:
        """A point of another CRS in its own; None if it lies outside."""
        with suppress(QgsCsException):
            where = QgsCoordinateTransform(crs, self.crs, QgsProject.instance()).transform(point)
            if self.box.contains(where):
                return where
        return None

    def out(self, point: QgsPointXY, crs: QgsCoordinateReferenceSystem) -> QgsPointXY:
        """A point of its own in another CRS."""
        return QgsCoordinateTransform(self.crs, crs, QgsProject.instance()).transform(point)

    def cell(self, where: QgsPointXY) -> QgsRectangle:
        """The cell around a point of its own, a little smaller than it is."""
        side, inset = self.side, self.side * _INSET
        left = self.box.xMinimum() + (where.x() - self.box.xMinimum()) // side * side
        bottom = self.box.yMinimum() + (where.y() - self.box.yMinimum()) // side * side
        return QgsRectangle(left + inset, bottom + inset, left + side - inset, bottom + side - inset)

    def is_seen(self, extent: QgsRectangle, crs: QgsCoordinateReferenceSystem) -> bool:
        """Whether an extent of another CRS shows something of it, as far as that can be told here."""
        try:
            box = QgsCoordinateTransform(self.crs, crs, QgsProject.instance()).transformBoundingBox(self.box)
        except QgsCsException:
            return True
        return not box.isFinite() or box.intersects(extent)
