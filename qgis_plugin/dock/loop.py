"""The loop behind the dock: embed, label, see, go where it is disputed, label again. It knows no widget."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsRasterLayer,
)
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from .. import session
from ..algorithms.labels import LabelFile, own_file
from ..algorithms.values import extent_text
from ..compat import POINTS
from ..translation import tr
from . import requests
from .ground import Ground
from .label_set import LabelSet
from .overlay import ALIKE, Overlay
from .place_marker import PlaceMarker
from .runner import Job, Runner
from .views import Views

_SOON, _SETTLED = 40, 300  # ms: after a label, and after the view has moved


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
        self.views = Views()
        self.overlay, self._marker = Overlay(self.views), PlaceMarker(canvas)
        self.label_set: LabelSet | None = None
        self.ground: Ground | None = None  # of the embedding that is looked at
        self.cell_size: float | None = None
        self.rasters: list[str] = []  # ids of layers
        self.answer: dict[str, Any] = {}
        self.alike_points: list[QgsPointXY] = []
        self.counter_points: list[QgsPointXY] = []
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

    @property
    def embedding(self) -> str:
        """Its file, "" if there is none."""
        return self.ground.path if self.ground is not None else ""

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
        self.rasters, self.ground, self.cell_size = [], None, None
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
        refusal = requests.refusal(layers)
        if refusal:
            self.message.emit(refusal)
            return
        output = self._new_file("embedding")
        if output is None:
            return
        self.message.emit("")
        self.working.emit(True)
        self._embedder.ask(requests.to_embed(layers, output, self.cell_size, self._view() if view_only else ""))

    def keep_shown(self) -> None:
        """The project was saved or opened: the files that it shows stay, or they would be missed at the opening."""
        self.views.keep({self.embedding, *self.overlay.sources()})

    def stop(self) -> None:
        """Stop embedding."""
        self._embedder.cancel()

    def use_embedding(self, path: str) -> bool:
        """Look at an embedding that exists; False if there is none of that name."""
        ground = Ground.open(path)
        if ground is None:
            return False
        self.ground = ground
        self.embedded.emit(path)
        self.changed.emit()
        self._painter.ask(requests.to_look(path))
        self.repaint()
        return True

    def _was_embedded(self, _job: Job, answer: dict[str, Any]) -> None:
        self.working.emit(False)
        before = self.embedding
        if self.use_embedding(answer["output"]):
            self.views.remove(before)

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
        if self.ground is None or self.label_set is None:
            return
        file = own_file(self.label_set.layer)
        refusal = self._no_preview(self.ground, self.label_set, file)
        if refusal or file is None:
            self.message.emit(refusal)
            return
        output = self._new_file("view")
        if output is None:
            return
        job = requests.to_preview(
            self.ground, file, self.label_set.field, output, extent=self._view(), size=self._canvas.size()
        )
        job.about = (self.label_set, self.is_led)
        self._painter.ask(job)

    def _no_preview(self, ground: Ground, labels: LabelSet, file: LabelFile | None) -> str:
        """Why there is no map of the view; else empty."""
        if sum(item.count > 0 for item in labels.classes()) < 2:
            return tr("Label places of two classes to see a map.")
        if file is None:
            return tr("The labels are being edited, filtered or not in a file; save them first.")
        if not ground.is_there():
            return embedding_gone()
        if not ground.is_seen(self._canvas.mapSettings().visibleExtent(), self._canvas_crs()):
            return tr("The view shows nothing of what was embedded; move it there, or press Embed the view.")
        return ""

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
        if where is not None and self.ground is not None:
            self._add(QgsGeometry.fromRect(self.ground.cell(where)), name, self.ground.crs)

    def label_area(self, geometry: QgsGeometry, name: str) -> None:
        """A drawn polygon of the canvas becomes an example."""
        self._add(geometry, name, self._canvas_crs())

    def remove_example(self, point: QgsPointXY) -> None:
        """Remove the example under a point of the canvas, if there is one."""
        tolerance, crs = 5 * self._canvas.mapUnitsPerPixel(), self._canvas_crs()

        def remove(labels: LabelSet) -> None:
            found = labels.example_at(point, tolerance, crs)
            if found is not None:
                labels.remove_example(found)

        self._try(remove)

    def undo(self) -> None:
        """Take back the last change of the labels."""
        self._try(LabelSet.undo)

    def redo(self) -> None:
        """Do again what was taken back."""
        self._try(LabelSet.redo)

    def _add(self, geometry: QgsGeometry, name: str, crs: QgsCoordinateReferenceSystem) -> None:
        if self.label_set is None:
            self.message.emit(tr("Choose a layer for the labels, or make a new one, first."))
        elif not name:
            self.message.emit(tr("Add a class and choose it first."))
        else:
            self._try(lambda labels: labels.add_example(geometry, name, crs))

    def _try(self, act: Callable[[LabelSet], Any]) -> None:
        if self.label_set is None:
            return
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
        ground = self.ground
        if self.label_set is None or ground is None or not 0 <= self._suspect < len(places):
            return
        place = places[self._suspect]

        def change(labels: LabelSet) -> None:
            found = labels.example_at(QgsPointXY(place["x"], place["y"]), ground.side, ground.crs)
            if found is not None:
                labels.change_class(found, place["looks_like"])

        self._try(change)

    def _go(self, place: dict[str, Any]) -> dict[str, Any]:
        if self.ground is not None:
            where = QgsPointXY(place["x"], place["y"])
            point = self.ground.out(where, self._canvas_crs())
            self._is_going = True
            self._canvas.setCenter(point)
            self._is_going = False
            self._canvas.refresh()
            self._canvas.flashGeometries([QgsGeometry.fromPointXY(point)], self._canvas_crs())
            self._marker.show(where, self.ground.side, self.ground.crs)
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
        if output is not None and self.ground is not None:
            self.message.emit("")
            self._painter.ask(requests.to_find_alike(self.ground, self.alike_points, self.counter_points, output))

    def forget_alike(self) -> None:
        """Begin anew."""
        self.alike_points, self.counter_points = [], []
        self.overlay.remove(ALIKE)

    # ---- The whole map -----------------------------------------------------------------------------------------------

    def whole_map(self) -> dict[str, Any]:
        """The values of *Classify land cover* for the map of all that the rasters cover."""
        return requests.whole_map(self.layers(), self.embedding, self.label_set, self.cell_size)

    # ---- Helpers of all ----------------------------------------------------------------------------------------------

    def _view(self) -> str:
        """What the canvas shows, as the worker takes it."""
        return extent_text(self._canvas.mapSettings().visibleExtent(), self._canvas_crs())

    def _canvas_crs(self) -> QgsCoordinateReferenceSystem:
        return self._canvas.mapSettings().destinationCrs()

    def _in_grid(self, point: QgsPointXY) -> QgsPointXY | None:
        """A point of the canvas in the CRS of the embedding; None, and a sentence, if it lies outside."""
        if self.ground is None or not self.ground.is_there():
            self.message.emit(embedding_gone() if self.ground is not None else tr("Embed the view first."))
            return None
        where = self.ground.point(point, self._canvas_crs())
        if where is None:
            self.message.emit(
                tr("This place lies outside what was embedded; click inside it, or press Embed the view.")
            )
        return where

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
