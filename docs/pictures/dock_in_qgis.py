"""What `qgis_screenshots.py` has QGIS run in its own Python: the dock, as a user would work with it, a picture a step.

Embed the view, label four classes with five clicks each, see the map, go to the most disputed place, look for more of
one kind, write the whole map. The clicks are mouse events on the canvas. `dock_times.txt` tells the median of the
seconds from a click to the map on the canvas.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from in_window import FAILED, PICTURES, SAMPLE, part_of_scene, run, sample_rasters, save_picture, wait, wait_for_map
from qgis.core import QgsFeature, QgsGeometry, QgsPointXY, QgsProject, QgsVectorLayer
from qgis.gui import QgsProcessingAlgorithmDialogBase
from qgis.PyQt.QtCore import QCoreApplication, QPoint, Qt, QTimer
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QDockWidget, QWidget
from qgis.utils import iface, plugins

CLASSES = {"forest": "#1b7837", "water": "#2166ac", "farm": "#fdae61", "meadow": "#a6d96a"}
CLICKS, REPAINTS = 5, 20


def work() -> None:
    """Every step, a picture each."""
    window, rasters = iface.mainWindow(), sample_rasters()
    QgsProject.instance().addMapLayers(rasters)
    dock = plugins["jepa_gfm"]._dock_action.show()  # what the menu's entry calls
    arrange(window, dock)
    dock.choose_rasters([layer.id() for layer in rasters])

    started = time.perf_counter()
    answers: list[Any] = []
    dock.loop.embedded.connect(answers.append)
    dock.embed_view.click()
    wait_until(lambda: dock.progress.value() > 30)
    save_picture("dock_1_embed")
    wait_until(lambda: answers)
    embedded = time.perf_counter() - started

    label(dock, window)
    score = dock.score.text()
    save_picture("dock_3_map")
    times = repaint_times(dock)

    dock.next_button.click()
    wait_for_map()
    save_picture("dock_4_next")
    alike(dock)
    save_picture("dock_5_alike")
    dock.forget_button.click()
    whole(dock)
    save_picture("dock_6_whole")
    refits = statistics.median(answer["refit_seconds"] for _, answer in times)
    seconds = statistics.median(taken for taken, _ in times)
    (PICTURES / "dock_times.txt").write_text(
        f"embedding the view: {embedded:.1f} s; median of {len(times)} repaints: {seconds:.2f} s from the click to the "
        f"map, of which refit {refits:.2f} s; {'a score' if 'Raw bands' in score else 'no score'} beside it",
        encoding="utf-8",
    )


def arrange(window: QWidget, dock: QWidget) -> None:
    """Layers at the left, the dock at the right, a part of the scene between them."""
    window.findChild(QDockWidget, "Browser").hide()
    layers = window.findChild(QDockWidget, "Layers")
    window.resizeDocks([layers, dock], [230, 420], Qt.Orientation.Horizontal)
    for node in QgsProject.instance().layerTreeRoot().findLayers():
        node.setExpanded(False)
    wait(500)
    iface.mapCanvas().setExtent(part_of_scene())
    wait_for_map()


def label(dock: QWidget, window: QWidget) -> None:
    """Make a file of labels and click five places of each class in it."""
    from jepa_gfm.dock.label_set import LabelSet  # noqa: PLC0415 - the plugin as it is installed

    canvas = iface.mapCanvas()
    labels = LabelSet.create(str(PICTURES / "labels.gpkg"), canvas.mapSettings().destinationCrs(), "labels")
    dock.use_labels(labels)
    for name, colour in CLASSES.items():
        labels.add_class(name, colour)
    dock.label_button.click()
    for number, (name, places) in enumerate(places_of_classes().items()):
        dock.class_table.choose(name)
        for place in places:
            click(place)
            wait(100)
        if number == 1:
            wait_until(lambda: dock.loop.answer)
            wait_for_map()
            save_picture("dock_2_label")
    every = len(CLASSES) * CLICKS - 2  # two may lie in one cell, or outside the data
    wait_until(lambda: sum(item["labels"] for item in dock.loop.answer.get("classes", [])) >= every)
    wait_for_map()
    window.repaint()


def places_of_classes() -> dict[str, list[QgsPointXY]]:
    """Places of the sample's polygons in the view, five of each class, the largest polygons first."""
    canvas = iface.mapCanvas()
    view = canvas.extent().intersect(QgsProject.instance().mapLayersByName("s2_l1c_10m")[0].extent())
    view.scale(0.95)
    layer = QgsVectorLayer(f"{SAMPLE / 'landuse.gpkg'}|layername=landuse", "landuse")
    found: dict[str, list[QgsPointXY]] = {name: [] for name in CLASSES}
    largest: dict[str, QgsGeometry] = {}
    features: list[QgsFeature] = sorted(layer.getFeatures(), key=lambda item: -item.geometry().area())
    for feature in features:
        name, inside = feature["fclass"], feature.geometry().pointOnSurface().asPoint()
        if name in found and len(found[name]) < CLICKS and view.contains(inside):
            found[name].append(inside)
            largest.setdefault(name, feature.geometry())
    for name, places in found.items():  # of a class with few polygons, more places in its largest
        more = largest[name].randomPointsInPolygon(4 * CLICKS, 1) if len(places) < CLICKS else []
        places.extend([place for place in more if view.contains(place)][: CLICKS - len(places)])
    return found


def click(place: QgsPointXY) -> None:
    """A click of the left button on the canvas."""
    canvas = iface.mapCanvas()
    where = canvas.getCoordinateTransform().transform(place)
    spot = QPoint(round(where.x()), round(where.y()))
    QTest.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, spot)


def repaint_times(dock: QWidget) -> list[tuple[float, dict[str, Any]]]:
    """Seconds from a label to the new map on the canvas, and the worker's answer: labels are added and taken back."""
    found = []
    answers: list[dict[str, Any]] = []
    dock.loop.painted.connect(answers.append)
    labels = dock.loop.label_set
    place = places_of_classes()["farm"][0]
    for number in range(REPAINTS):
        answers.clear()
        started = time.perf_counter()
        if number % 2:
            labels.undo()
        else:
            click(QgsPointXY(place.x() - 20 * number, place.y() + 100))
        wait_until(lambda: answers)
        iface.mapCanvas().waitWhileRendering()
        found.append((time.perf_counter() - started, answers[-1]))
    return found


def alike(dock: QWidget) -> None:
    """More of what was clicked first."""
    answers: list[Any] = []
    dock.loop.found_alike.connect(answers.append)
    dock.like_button.click()
    click(places_of_classes()["water"][0])
    wait_until(lambda: answers)
    dock.threshold.setValue(60)
    wait_for_map()


def whole(dock: QWidget) -> None:
    """The button, and Run in the dialog that it opens; its result is loaded as for every user."""
    finished: list[bool] = []
    QTimer.singleShot(500, lambda: run_dialog(finished))
    dock.whole_button.click()  # returns when the dialog is closed
    if finished != [True]:
        raise RuntimeError("the dialog of the whole map did not run")
    for opened in iface.mainWindow().findChildren(QDockWidget):  # the results viewer, for the report
        opened.setVisible(opened is dock or opened.objectName() == "Layers")
    iface.messageBar().clearWidgets()
    iface.mapCanvas().setExtent(QgsProject.instance().mapLayersByName("s2_l1c_10m")[0].extent())
    for node in QgsProject.instance().layerTreeRoot().findGroup("JEPA-GFM").findLayers():
        node.setItemVisibilityChecked(False)
    wait_for_map()


def run_dialog(finished: list[bool]) -> None:
    """Press Run in the dialog that is open, and close it when the algorithm has ended."""
    open_ones = (item for item in QApplication.topLevelWidgets() if item.isVisible())
    dialog = next((item for item in open_ones if isinstance(item, QgsProcessingAlgorithmDialogBase)), None)
    if dialog is None:  # not yet
        QTimer.singleShot(500, lambda: run_dialog(finished))
        return

    def close(successful: bool, _results: dict[str, Any]) -> None:
        finished.append(successful)
        QTimer.singleShot(1000, dialog.reject)  # after the layers are loaded

    dialog.setParameters({"OUTPUT": str(PICTURES / "whole.tif")})  # QGIS asks at its end about what is temporary
    dialog.algorithmFinished.connect(close)
    dialog.runButton().click()


def wait_until(done: Callable[[], Any], seconds: float = 60) -> None:
    """Let QGIS work until it is so."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end or FAILED.is_file():
            dock = plugins["jepa_gfm"]._dock_action.dock
            raise RuntimeError(f"the dock does not answer: {dock.message.text()}; {dock.loop.answer.get('classes')}")
        QCoreApplication.processEvents()
        time.sleep(0.005)  # a loop without it takes a core from the worker


run(work)
