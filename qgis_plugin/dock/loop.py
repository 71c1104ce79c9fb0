"""The loop behind the dock: embed, label, see, go where it is disputed, label again. It knows no widget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
)
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from .. import session, settings
from ..algorithms.labels import own_file
from ..algorithms.values import extent_text, raster_argument, raster_file
from ..compat import POINTS
from ..translation import tr
from .label_set import LabelSet
from .overlay import ALIKE, Overlay
from .place_marker import PlaceMarker
from .runner import Job, Runner
from .views import Views, points_file

_SOON, _SETTLED = 40, 300  # ms: after a label, and after the view has moved
_MOST_CELLS = 150_000  # of a view: more are no finer on a screen, and cost memory


class LabelLoop(QObject):
    """What the dock does. Answers come as signals; `message` is a sentence for the user, empty when all is well."""

    message = pyqtSignal(str)
    working = pyqtSignal(bool)  # whether an embedding is being made
    progressed = pyqtSignal(float, str)
    embedded = pyqtSignal(str)
    painted = pyqtSignal(dict)  # the worker's answer to a preview
    found_alike = pyqtSignal(dict)
    labels_gone = pyqtSignal()  # the layer of the labels went away, or cannot hold labels any more
    changed = pyqtSignal()  # something that the project keeps

    def __init__(self, canvas: QgsMapCanvas, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self.overlay, self._marker = Overlay(), PlaceMarker(canvas)
        self.label_set: LabelSet | None = None
        self.embedding, self._grid_crs = "", QgsCoordinateReferenceSystem()
        self._ground, self._cell = QgsRectangle(), 0.0  # of the embedding: what it covers, the side of its cells
        self.cell_size: float | None = None
        self.rasters: list[str] = []  # ids of layers
        self.answer: dict[str, Any] = {}
        self.alike_points: list[QgsPointXY] = []
        self.counter_points: list[QgsPointXY] = []
        self.views = Views()
        self._next, self._suspect = -1, -1
        self._is_going = self.is_led = False  # whether the view moves, and has moved last, because we led it
        self._embedder = Runner(session.worker, self)
        self._painter = Runner(lambda: session.worker(session.LIVE), self)
        self._embedder.answered.connect(self._was_embedded)
        self._embedder.failed.connect(self._not_embedded)
        self._embedder.progressed.connect(self.progressed)
        self._painter.answered.connect(self._was_answered)
        self._painter.failed.connect(lambda _job, reason: self.message.emit(reason))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.repaint)
        canvas.extentsChanged.connect(self._moved)

    def close(self) -> None:
        """Stop everything; the canvas lives on."""
        with suppress(TypeError, RuntimeError):  # closed before
            self._canvas.extentsChanged.disconnect(self._moved)
        self._timer.stop()
        for runner in (self._embedder, self._painter):
            runner.close()
        self._marker.remove()
        session.stop_worker(session.LIVE)

    def forget(self) -> None:
        """Be as for a new project; what is on its way belongs to the one before."""
        self.rasters, self.embedding, self.cell_size = [], "", None
        self.alike_points, self.counter_points = [], []
        for runner in (self._embedder, self._painter):
            runner.cancel()
        self.use_labels(None)

    # ---- The embedding -----------------------------------------------------------------------------------------------

    def layers(self) -> list[QgsRasterLayer]:
        """The chosen rasters that are in the project, in the order of the project."""
        every = QgsProject.instance().mapLayers()
        return [every[name] for name in self.rasters if name in every]

    def embed(self, *, view_only: bool) -> None:
        """Embed the chosen rasters, all of them or where the canvas looks, in the background."""
        layers = self.layers()
        refusal = _refusal(layers)
        if refusal:
            self.message.emit(refusal)
            return
        output = self._new_file("embedding")
        if output is None:
            return
        params: dict[str, Any] = {
            "rasters": [raster_argument(layer) for layer in layers], "output": str(output),
            "device": settings.device(), "overwrite": True,
        }  # fmt: skip
        if self.cell_size:
            params["cell_size"] = self.cell_size
        if view_only:
            params["extent"] = self._view()
        self.message.emit("")
        self.working.emit(True)
        self._embedder.ask(Job("embed", params, outputs=[params["output"]]))

    def stop(self) -> None:
        """Stop embedding."""
        self._embedder.cancel()

    def use_embedding(self, path: str) -> bool:
        """Look at an embedding that exists; False if there is none of that name."""
        layer = QgsRasterLayer(path, "embedding", "gdal")
        if not path or not layer.isValid():
            return False
        self.embedding, self._grid_crs = path, layer.crs()
        self._ground, self._cell = layer.extent(), layer.rasterUnitsPerPixelX()
        self.embedded.emit(path)
        self.changed.emit()
        # The first preview is quick if the worker is ready for it before there are labels.
        self._painter.ask(Job("look", {"embedding": path}))
        self.repaint()
        return True

    def _was_embedded(self, _job: Job, answer: dict[str, Any]) -> None:
        self.working.emit(False)
        self.use_embedding(answer["output"])

    def _not_embedded(self, _job: Job, reason: str) -> None:
        self.working.emit(False)
        self.message.emit(reason or tr("Stopped; nothing was written."))

    # ---- The map of the view -----------------------------------------------------------------------------------------

    def use_labels(self, label_set: LabelSet | None) -> None:
        """Label in this set from now on."""
        for signal, slot in self._of_labels():
            with suppress(TypeError, RuntimeError):
                signal.disconnect(slot)
        self.label_set, self.answer = label_set, {}
        for signal, slot in self._of_labels():
            signal.connect(slot)
        self.changed.emit()
        self._labels_changed()

    def _of_labels(self) -> list[tuple[Any, Any]]:
        labels = self.label_set
        if labels is None:
            return []
        return [
            (labels.changed, self._labels_changed), (labels.recoloured, self._recolour),
            (labels.failed, self.message), (labels.closed, self._labels_closed),
        ]  # fmt: skip

    def _labels_closed(self) -> None:
        self.use_labels(None)
        self.labels_gone.emit()

    def colours(self) -> dict[str, str]:
        """Of each class by name."""
        return {item.name: item.colour for item in self.label_set.classes()} if self.label_set is not None else {}

    def repaint(self) -> None:
        """Refit and repaint, if there are an embedding and labels of two classes."""
        params = self._preview()
        if params is not None:
            about = (self.label_set, self.is_led)
            self._painter.ask(Job("preview", params, about, outputs=[params["output"]]))

    def _preview(self) -> dict[str, Any] | None:
        if not self.embedding or self.label_set is None:
            return None
        file, refusal = own_file(self.label_set.layer), ""
        if sum(item.count > 0 for item in self.label_set.classes()) < 2:
            refusal = tr("Label places of two classes to see a map.")
        elif file is None:
            refusal = tr("The labels are being edited, filtered or not in a file; save them first.")
        elif not Path(self.embedding).exists():
            refusal = embedding_gone()
        elif not self._sees_ground():
            refusal = tr("The view shows nothing of what was embedded; move it there, or press Embed the view.")
        if refusal or file is None:
            self.message.emit(refusal)
            return None
        output, size = self._new_file("view"), self._canvas.size()
        if output is None:
            return None
        return {
            "embedding": self.embedding, "output": str(output), "labels": file.path,
            "field": self.label_set.field, "extent": self._view(), "overwrite": True,
            "cells": max(1, min(_MOST_CELLS, size.width() * size.height())),
            **({"layer": file.layer} if file.layer else {}),
        }  # fmt: skip

    def _was_answered(self, job: Job, answer: dict[str, Any]) -> None:
        if job.method == "similar" and self.alike_points:  # not forgotten meanwhile
            self.overlay.show_alike(answer["output"], answer["threshold"])
            self.found_alike.emit(answer)
        elif job.method == "preview" and job.about[0] is self.label_set:
            self._was_painted(answer, is_led=job.about[1])

    def _was_painted(self, answer: dict[str, Any], *, is_led: bool) -> None:
        if is_led and self.answer:  # places that lead the user are not to change because he is led there
            answer = {**answer, "next": self.answer["next"], "suspects": self.answer["suspects"]}
        else:
            self._next = self._suspect = -1
            self._marker.hide()
        self.answer = answer
        self.overlay.show_map(answer["output"], answer["dispute"], answer["classes"], self.colours())
        self.message.emit("")
        self.painted.emit(answer)

    def _labels_changed(self) -> None:
        self.is_led = False
        self._timer.start(_SOON)

    def _recolour(self) -> None:
        self.overlay.recolour(self.colours())

    def _moved(self) -> None:
        if self.answer:
            if not self._timer.isActive():
                self.is_led = self._is_going
            self._timer.start(_SETTLED)

    # ---- Examples ----------------------------------------------------------------------------------------------------

    def label_cell(self, point: QgsPointXY, name: str) -> None:
        """The cell under a point of the canvas becomes an example; of a layer of points, the point."""
        if self.label_set is not None and self.label_set.layer.geometryType() == POINTS:
            self._add(QgsGeometry.fromPointXY(point), name, self._canvas_crs())
            return
        where = self._in_grid(point)
        if where is None:
            return
        box, side = self._ground, self._cell
        left = box.xMinimum() + (where.x() - box.xMinimum()) // side * side
        bottom = box.yMinimum() + (where.y() - box.yMinimum()) // side * side
        inset = side * 0.01  # its edge must not touch the next cells
        cell = QgsRectangle(left + inset, bottom + inset, left + side - inset, bottom + side - inset)
        self._add(QgsGeometry.fromRect(cell), name, self._grid_crs)

    def label_area(self, geometry: QgsGeometry, name: str) -> None:
        """A drawn polygon of the canvas becomes an example."""
        self._add(geometry, name, self._canvas_crs())

    def remove_example(self, point: QgsPointXY) -> None:
        """Remove the example under a point of the canvas, if there is one."""
        if self.label_set is None:
            return
        tolerance, crs = 5 * self._canvas.mapUnitsPerPixel(), self._canvas_crs()

        def remove(labels: LabelSet) -> None:
            found = labels.example_at(point, tolerance, crs)
            if found is not None:
                labels.remove_example(found)

        self._try(remove)

    def _add(self, geometry: QgsGeometry, name: str, crs: QgsCoordinateReferenceSystem) -> None:
        if self.label_set is None:
            self.message.emit(tr("Choose a layer for the labels, or make a new one, first."))
        elif not name:
            self.message.emit(tr("Add a class and choose it first."))
        else:
            self._try(lambda labels: labels.add_example(geometry, name, crs))

    def _try(self, act: Callable[[LabelSet], Any]) -> None:
        try:
            act(self.label_set)
        except ValueError as error:
            self.message.emit(str(error))

    # ---- Where to look -----------------------------------------------------------------------------------------------

    def next_place(self) -> dict[str, Any] | None:
        """Go to the next place that is worth a label, the most disputed first."""
        places = self.answer.get("next") or []
        if not places:
            self.message.emit(tr("There is nothing to suggest yet; label places of two classes."))
            return None
        self._next = (self._next + 1) % len(places)
        return self._go(places[self._next])

    def next_suspect(self, step: int = 1) -> dict[str, Any] | None:
        """Go to the next label that looks like another class, the worst first."""
        places = self.answer.get("suspects") or []
        if not places:
            self.message.emit(tr("No label looks like another class."))
            return None
        self._suspect = (self._suspect + step) % len(places) if self._suspect >= 0 else 0
        return self._go(places[self._suspect])

    def accept_suspect(self) -> None:
        """Give the suspicious label at hand the class that it looks like."""
        places = self.answer.get("suspects") or []
        if self.label_set is None or not 0 <= self._suspect < len(places):
            return
        place = places[self._suspect]

        def change(labels: LabelSet) -> None:
            found = labels.example_at(QgsPointXY(place["x"], place["y"]), self._cell, self._grid_crs)
            if found is not None:
                labels.change_class(found, place["looks_like"])

        self._try(change)

    def _go(self, place: dict[str, Any]) -> dict[str, Any]:
        to_canvas = QgsCoordinateTransform(self._grid_crs, self._canvas_crs(), QgsProject.instance())
        point = to_canvas.transform(QgsPointXY(place["x"], place["y"]))
        self._is_going = True
        self._canvas.setCenter(point)
        self._is_going = False
        self._canvas.refresh()
        self._canvas.flashGeometries([QgsGeometry.fromPointXY(point)], self._canvas_crs())
        self._marker.show(QgsPointXY(place["x"], place["y"]), self._cell, self._grid_crs)
        return place

    # ---- More like this ----------------------------------------------------------------------------------------------

    def more_like(self, point: QgsPointXY, *, counter: bool = False) -> None:
        """Look for places like those clicked so far, and unlike those clicked as counter-examples."""
        where = self._in_grid(point)
        if where is not None:
            (self.counter_points if counter else self.alike_points).append(where)
            self._look_for_alike()

    def _look_for_alike(self) -> None:
        output = self._new_file("alike") if self.alike_points else None
        if output is None:
            return
        params: dict[str, Any] = {
            "rasters": [self.embedding], "output": str(output), "overwrite": True,
            "labels": points_file(output.with_name("like.geojson"), self.alike_points, self._grid_crs),
        }  # fmt: skip
        if self.counter_points:
            unlike = output.with_name("unlike.geojson")
            params["counter"] = points_file(unlike, self.counter_points, self._grid_crs)
        self.message.emit("")
        self._painter.ask(Job("similar", params, "alike", outputs=[str(output)]))

    def forget_alike(self) -> None:
        """Begin anew."""
        self.alike_points, self.counter_points = [], []
        self.overlay.remove(ALIKE)

    # ---- The whole map -----------------------------------------------------------------------------------------------

    def whole_map(self) -> dict[str, Any]:
        """The values of *Classify land cover* for the map of all that the rasters cover."""
        layers = self.layers()
        values: dict[str, Any] = {"INPUTS": [layer.id() for layer in layers] or [self.embedding]}
        if self.label_set is not None:
            values |= {"LABELS": self.label_set.layer.id(), "FIELD": self.label_set.field}
        if self.cell_size and layers:
            values["CELL_SIZE"] = self.cell_size
        return values

    # ---- Helpers of all ----------------------------------------------------------------------------------------------

    def _view(self) -> str:
        """What the canvas shows, as the worker takes it."""
        return extent_text(self._canvas.mapSettings().visibleExtent(), self._canvas_crs())

    def _canvas_crs(self) -> QgsCoordinateReferenceSystem:
        return self._canvas.mapSettings().destinationCrs()

    def _in_grid(self, point: QgsPointXY) -> QgsPointXY | None:
        """A point of the canvas in the CRS of the embedding; None, and a sentence, if it lies outside."""
        if not self.embedding or not Path(self.embedding).exists():
            self.message.emit(embedding_gone() if self.embedding else tr("Embed the view first."))
            return None
        with suppress(QgsCsException):
            to_grid = QgsCoordinateTransform(self._canvas_crs(), self._grid_crs, QgsProject.instance())
            where = to_grid.transform(point)
            if self._ground.contains(where):
                return where
        self.message.emit(tr("This place lies outside what was embedded; click inside it, or press Embed the view."))
        return None

    def _sees_ground(self) -> bool:
        """Whether the view shows something of the embedding, as far as that can be told here."""
        try:
            to_canvas = QgsCoordinateTransform(self._grid_crs, self._canvas_crs(), QgsProject.instance())
            ground = to_canvas.transformBoundingBox(self._ground)
        except QgsCsException:
            return True
        return not ground.isFinite() or ground.intersects(self._canvas.mapSettings().visibleExtent())

    def _new_file(self, name: str) -> Path | None:
        """A file for an answer; None, and a sentence, if there can be none."""
        try:
            return self.views.new_file(name)
        except ValueError as error:
            self.message.emit(str(error))
            return None


def embedding_gone() -> str:
    """What is told where the file of an embedding went."""
    return tr("What was embedded is not there any more; press Embed the view.")


def _refusal(layers: Sequence[QgsRasterLayer]) -> str:
    """Why rasters cannot be embedded, as far as QGIS knows; else empty."""
    for layer in layers:
        if not layer.isValid() or raster_file(layer) is None:
            return tr("The layer {name} has no raster file to read; export it as a GeoTIFF and choose that.").format(
                name=layer.name()
            )
        if not layer.crs().isValid():
            return tr("The layer {name} has no CRS; set it with Layer CRS in its menu.").format(name=layer.name())
    return "" if layers else tr("Choose the rasters to look at first.")
