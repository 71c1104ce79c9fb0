"""The examples of a layer: its features with their class, read and written at once through its provider."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsFeature,
    QgsFeatureRequest,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsRectangle,
    QgsVectorDataProvider,
    QgsVectorLayer,
    QgsVectorLayerUtils,
)

from ..compat import POLYGONS
from ..translation import tr


class Examples:
    """Feature ids may change (a restored feature, a shapefile after a removal), so actions know examples by handles."""

    def __init__(self, layer: QgsVectorLayer, field: str) -> None:
        self._layer, self._field = layer, field
        self._fids: dict[int, int] = {}
        self._numbers = itertools.count()

    @property
    def _provider(self) -> QgsVectorDataProvider:
        """Asked for each time: the user may give the layer another source."""
        return self._layer.dataProvider()

    @property
    def _column(self) -> int:
        """Of the class: it moves when the user takes away a field before it. -1 when it is gone itself."""
        return int(self._layer.fields().indexFromName(self._field))

    # ---- Handles -----------------------------------------------------------------------------------------------------

    def handle(self, fid: int) -> int:
        """The handle of a feature; ValueError if there is no such feature."""
        for handle, known in self._fids.items():
            if known == fid:
                return handle
        if not self._layer.getFeature(fid).isValid():
            raise ValueError(tr("The layer {name} has no example {fid}.").format(name=self._layer.name(), fid=fid))
        new = self.new_handle()
        self._fids[new] = fid
        return new

    def fid(self, handle: int) -> int:
        """The feature that an example is at present."""
        return self._fids[handle]

    def forget(self) -> None:
        """Let go of all handles: others have changed the layer."""
        self._fids.clear()

    def new_handle(self) -> int:
        """For an example that is still to be written."""
        return next(self._numbers)

    # ---- Read --------------------------------------------------------------------------------------------------------

    def counts(self) -> Counter[str]:
        """How many examples each class has."""
        return Counter(name for _fid, name in self._names() if name)

    def of_class(self, name: str) -> list[int]:
        """The handles of a class's examples."""
        return [self.handle(fid) for fid, known in list(self._names()) if known == name]

    def feature(self, handle: int) -> QgsFeature:
        """An example with all its fields."""
        return self._layer.getFeature(self._fids[handle])

    def class_of(self, handle: int) -> str:
        """The class of an example."""
        return _text(self.feature(handle).attributes()[self._column])

    def nearest(self, point: QgsPointXY, tolerance: float, crs: QgsCoordinateReferenceSystem | None) -> int | None:
        """The id of the example at a point, the newest of several that cover it."""
        spot = QgsGeometry.fromPointXY(point)
        reach = self.transformed(spot.buffer(tolerance, 8) if tolerance > 0 else spot, crs)
        spot = self.transformed(spot, crs)
        found = [
            (feature.geometry().distance(spot), -feature.id())
            for feature in self._layer.getFeatures(QgsFeatureRequest().setFilterRect(_grown(reach)))
            if feature.geometry().intersects(reach)
        ]
        return -min(found)[1] if found else None

    def transformed(self, geometry: QgsGeometry, crs: QgsCoordinateReferenceSystem | None) -> QgsGeometry:
        """A copy in the CRS of the layer; ValueError where that is impossible."""
        copy = QgsGeometry(geometry)
        if crs is None or not crs.isValid() or crs == self._layer.crs():
            return copy
        try:
            copy.transform(QgsCoordinateTransform(crs, self._layer.crs(), QgsProject.instance().transformContext()))
        except QgsCsException as error:
            raise ValueError(
                tr("The place lies outside the CRS of the layer {name}.").format(name=self._layer.name())
            ) from error
        return copy

    def _names(self) -> Iterator[tuple[int, str]]:
        column = self._column
        if column < 0:
            return
        request = QgsFeatureRequest().setFlags(QgsFeatureRequest.Flag.NoGeometry).setSubsetOfAttributes([column])
        for feature in self._layer.getFeatures(request):
            yield feature.id(), _text(feature.attributes()[column])

    # ---- Write -------------------------------------------------------------------------------------------------------

    def made(self, geometry: QgsGeometry, name: str) -> list[QgsFeature]:
        """New features, not written yet: one, or one for each part that the layer cannot hold together."""
        parts = self._fitting(geometry)
        features = QgsVectorLayerUtils.createFeatures(
            self._layer, [QgsVectorLayerUtils.QgsFeatureData(part, {self._column: name}) for part in parts]
        )
        return [self._bare(feature) for feature in features]

    def insert(self, features: dict[int, QgsFeature]) -> None:
        """Write features, known by new handles or by those that they had before."""
        done, written = self._provider.addFeatures([self._bare(feature) for feature in features.values()])
        self._check(done)
        self._fids.update(zip(features, (feature.id() for feature in written)))
        self._layer.updateExtents()
        self._told()

    def delete(self, handles: list[int]) -> None:
        """Take features away; a shapefile numbers the rest anew."""
        gone = {self._fids[handle] for handle in handles}
        left = sorted(set(self._layer.allFeatureIds()) - gone)
        self._check(self._provider.deleteFeatures(list(gone)))
        self._layer.deselect(list(gone))
        now = dict(zip(left, sorted(self._layer.allFeatureIds())))
        self._fids = {handle: now[fid] for handle, fid in self._fids.items() if fid in now}
        self._told()

    def reclass(self, names: dict[int, str]) -> None:
        """Give examples, by their handles, other classes."""
        values = {self._fids[handle]: {self._column: name} for handle, name in names.items()}
        self._check(self._provider.changeAttributeValues(values))
        self._told()

    def _bare(self, feature: QgsFeature) -> QgsFeature:
        """With the provider's own fields, and without its old number."""
        bare = QgsFeature(self._provider.fields())
        values = feature.attributes()[: self._provider.fields().count()]
        for column in self._provider.pkAttributeIndexes():
            values[column] = None
        bare.setAttributes(values)
        bare.setGeometry(feature.geometry())
        return bare

    def _fitting(self, geometry: QgsGeometry) -> list[QgsGeometry]:
        """Valid geometries of the layer's type."""
        kind = self._layer.geometryType()
        if geometry.isNull() or geometry.isEmpty() or geometry.type() != kind:
            what = tr("a polygon") if kind == POLYGONS else tr("a point")
            raise ValueError(tr("An example in the layer {name} is {what}.").format(name=self._layer.name(), what=what))
        if not geometry.isGeosValid():
            geometry = geometry.makeValid()
            geometry.convertGeometryCollectionToSubclass(kind)
        parts = [part for part in geometry.coerceToType(self._layer.wkbType()) if not part.isEmpty()]
        if not parts:
            raise ValueError(tr("The drawn polygon has no area; draw it again."))
        return parts

    def _check(self, done: bool) -> None:
        if not done:
            reason = "; ".join(self._provider.errors()).strip().rstrip(".") or tr("no reason is given")
            self._provider.clearErrors()
            raise ValueError(
                tr("The layer {name} cannot be written ({reason}).").format(name=self._layer.name(), reason=reason)
            )

    def _told(self) -> None:
        self._layer.dataChanged.emit()
        self._layer.triggerRepaint()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _grown(geometry: QgsGeometry) -> QgsRectangle:
    """Its box, not empty even around a point."""
    box = geometry.boundingBox()
    return box.buffered(max(box.width(), box.height(), 1e-9) * 1e-3)
