"""The dock in a real QGIS, with a real worker: embed the view, label, see, go on, write the map, come back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import processing
import pytest
from osgeo import gdal
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtWidgets import QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit, QListWidget

from qgis_plugin import session
from qgis_plugin.dock.dock import LabelDock
from qgis_plugin.dock.label_set import LabelSet
from qgis_plugin.dock.overlay import ALIKE, DISPUTE, MAP
from tests.qgis.conftest import Told, wait_for
from tests.qgis.place import SmallPlace

CLASSES = ("dark", "middle", "bright")


@pytest.fixture
def dock(environment: None, qgis_iface: Any, place: SmallPlace) -> Iterator[LabelDock]:
    canvas: QgsMapCanvas = qgis_iface.mapCanvas()
    canvas.resize(QSize(400, 300))
    layers = [QgsRasterLayer(str(path), Path(path).stem) for path in place.rasters]
    QgsProject.instance().addMapLayers(layers)
    canvas.setDestinationCrs(layers[0].crs())
    canvas.setExtent(layers[0].extent())
    made = LabelDock(qgis_iface)
    made.choose_rasters([layer.id() for layer in layers])
    yield made
    made.close_for_good()
    made.deleteLater()
    QgsProject.instance().clear()


def embed(dock: LabelDock) -> str:
    found: list[str] = []
    dock.loop.embedded.connect(found.append)
    dock.embed_view.click()
    assert not dock.embed_view.isEnabled()
    return wait_for(lambda: found or _raise(dock.message.text()))[0]


def _raise(text: str) -> None:
    if text:
        raise AssertionError(text)


def bright_places(embedding: str, count: int = 5) -> dict[str, list[QgsPointXY]]:
    """Cells of three kinds by their first band, spread over the place."""
    dataset = gdal.Open(embedding)
    band = dataset.GetRasterBand(1).ReadAsArray().astype(float)
    left, size, _, top, _, _ = dataset.GetGeoTransform()
    order = [divmod(int(at), band.shape[1]) for at in band.ravel().argsort() if band.ravel()[at] > 0]
    parts = {"dark": 0.05, "middle": 0.5, "bright": 0.95}
    found = {}
    for name, share in parts.items():
        first = int(share * len(order)) - 40
        chosen = order[max(first, 0) :][:80:16][:count]
        found[name] = [QgsPointXY(left + (col + 0.5) * size, top - (row + 0.5) * size) for row, col in chosen]
    return found


def label(dock: LabelDock, folder: Path, embedding: str) -> dict[str, Any]:
    labels = LabelSet.create(str(folder / "labels.gpkg"), dock.loop.ground.crs, "labels")
    dock.use_labels(labels)
    for name in CLASSES:
        labels.add_class(name)
    found: list[dict[str, Any]] = []
    dock.loop.painted.connect(found.append)
    for name, points in bright_places(embedding).items():
        dock.class_table.choose(name)
        for point in points:
            dock._label_tool.clicked.emit(point)
    wait_for(
        lambda: found and sum(item["labels"] for item in found[-1]["classes"]) >= 14,
        told=lambda: (dock.message.text(), found),
    )
    return found[-1]


def _labels(answer: dict[str, Any]) -> int:
    return sum(item["labels"] for item in answer["classes"])


def test_a_view_is_embedded_labelled_and_painted(dock: LabelDock, tmp_path: Path, told: Told) -> None:
    embedding = embed(dock)
    answer = label(dock, tmp_path, embedding)

    painted = dock.loop.overlay.layer(MAP)
    assert painted is not None
    assert painted.isValid()
    assert {item.label for item in painted.renderer().classes()} == set(CLASSES)
    colours = {item.label: item.color.name() for item in painted.renderer().classes()}
    assert colours == dock.loop.colours()
    assert dock.loop.overlay.layer(DISPUTE).isValid()
    assert f"{answer['macro_f1']:.2f}" in dock.score.text()

    # A label is mapped as itself nearly everywhere: read by GDAL from the file that is shown.
    right = 0
    dataset = gdal.Open(painted.source())
    codes = {item["name"]: item["code"] for item in answer["classes"]}
    left, size, _, top, _, _ = dataset.GetGeoTransform()
    values = dataset.GetRasterBand(1).ReadAsArray()
    for name, points in bright_places(embedding).items():
        right += sum(values[int((top - p.y()) // size), int((p.x() - left) // size)] == codes[name] for p in points)
    assert right >= 12

    # The next place lies in the view and is where the canvas goes.
    dock.next_button.click()
    place = answer["next"][0]
    centre = dock._canvas.center()
    assert (centre.x(), centre.y()) == pytest.approx((place["x"], place["y"]), abs=1.0)
    assert place["looks_like"] in dock.place.text()

    # Recolouring repaints without the worker.
    dock.loop.label_set.recolour_class("dark", "#123456")
    assert "#123456" in {item.color.name() for item in painted.renderer().classes()}

    # The whole map, by the values that the button hands to the algorithm.
    values = {**dock.loop.whole_map(), "OUTPUT": str(tmp_path / "map.tif")}
    made = processing.run("jepagfm:classifylandcover", values, feedback=told)
    assert QgsRasterLayer(made["OUTPUT"], "map").isValid()


def test_undo_takes_a_label_out_of_the_map(dock: LabelDock, tmp_path: Path) -> None:
    answer = label(dock, tmp_path, embed(dock))
    before = _labels(answer)
    found: list[dict[str, Any]] = []
    dock.loop.painted.connect(found.append)
    dock.undo_button.click()
    wait_for(lambda: found and _labels(found[-1]) == before - 1)


def test_being_led_does_not_change_where_one_is_led(dock: LabelDock, tmp_path: Path) -> None:
    answer = label(dock, tmp_path, embed(dock))
    found: list[dict[str, Any]] = []
    dock.loop.painted.connect(found.append)
    for number in range(3):
        dock.next_button.click()
        place = answer["next"][number]
        centre = dock._canvas.center()
        assert (centre.x(), centre.y()) == pytest.approx((place["x"], place["y"]), abs=1.0)
        outline = dock.loop._marker.band.asGeometry().boundingBox()
        assert (outline.center().x(), outline.center().y()) == pytest.approx((place["x"], place["y"]), abs=1.0)
        assert outline.width() >= max(dock.loop.ground.side, 10 * dock._canvas.mapUnitsPerPixel())
        wait_for(lambda: found)
        found.clear()
        assert place["looks_like"] in dock.place.text()
    dock._canvas.setExtent(dock._canvas.extent())
    dock._canvas.zoomByFactor(0.7)  # the user's own move: places of what is seen now
    wait_for(lambda: found)
    assert found[-1]["next"] != answer["next"]
    assert dock.place.text() == ""
    assert dock.loop._marker.band.asGeometry().isEmpty()


def test_similar_places_follow_clicks_and_the_slider(dock: LabelDock, tmp_path: Path) -> None:
    embedding = embed(dock)
    dock.loop.more_like(bright_places(embedding)["bright"][0])
    found: list[dict[str, Any]] = []
    dock.loop.found_alike.connect(found.append)
    wait_for(lambda: found)
    layer = dock.loop.overlay.layer(ALIKE)
    assert layer.isValid()
    dock.threshold.setValue(80)
    stops = layer.renderer().shader().rasterShaderFunction().colorRampItemList()
    assert next(stop.value for stop in stops if stop.color.alpha()) == pytest.approx(80)
    dock.forget_button.click()
    assert dock.loop.overlay.layer(ALIKE) is None


def test_a_project_brings_everything_back(dock: LabelDock, tmp_path: Path) -> None:
    label(dock, tmp_path, embed(dock))
    project = QgsProject.instance()
    path = str(tmp_path / "project.qgz")
    assert project.write(path)
    rasters, embedding = dock.loop.rasters, dock.loop.embedding
    project.clear()
    assert not dock.loop.rasters
    found: list[dict[str, Any]] = []
    dock.loop.painted.connect(found.append)
    assert project.read(path)
    assert dock.loop.rasters == rasters
    assert dock.loop.embedding == embedding
    wait_for(lambda: found)
    assert [item["name"] for item in found[-1]["classes"]] == sorted(CLASSES)
    layers = [item for item in project.mapLayers().values() if item.customProperty("jepa_gfm/dock") == MAP]
    assert len(layers) == 1


def test_what_cannot_work_is_said(dock: LabelDock, tmp_path: Path) -> None:
    dock.choose_rasters([])
    dock.embed_view.click()
    assert "Choose the rasters" in dock.message.text()
    dock.next_button.click()
    assert "nothing to suggest" in dock.message.text()
    dock.suspect_button.click()
    assert "No label looks like" in dock.message.text()
    labels = LabelSet.create(str(tmp_path / "l.gpkg"), QgsCoordinateReferenceSystem("EPSG:32633"), "l")
    dock.use_labels(labels)
    dock.loop.label_area(QgsGeometry.fromRect(QgsRectangle(0, 0, 1, 1)), "")
    assert "choose it first" in dock.message.text()


def test_stop_ends_an_embedding_and_leaves_nothing(dock: LabelDock) -> None:
    dock.embed_all.click()
    dock.stop_button.click()
    wait_for(dock.embed_all.isEnabled)
    assert dock.loop.embedding == ""
    assert not list(dock.loop.views.folder.glob("*"))


def test_the_field_of_the_classes_can_be_chosen(dock: LabelDock) -> None:
    fields = "field=name:string&field=fclass:string&field=code:integer"
    layer = QgsVectorLayer(f"Polygon?crs=EPSG:32633&{fields}", "landuse", "memory")
    for number in range(600):  # more names than there can be classes
        feature = QgsFeature(layer.fields())
        feature.setAttributes([f"place {number}", "forest" if number % 2 else "water", number])
        feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(number, 0, number + 1, 1)))
        layer.dataProvider().addFeature(feature)
    QgsProject.instance().addMapLayer(layer)
    choice = dock.label_choice
    assert not choice.fields.isVisibleTo(dock)
    choice.layers.setLayer(layer)
    assert choice.fields.isVisibleTo(dock)
    assert dock.loop.label_set.field == choice.fields.currentField() == "fclass"
    choice.fields.setField("name")
    assert dock.loop.label_set is None
    assert "name" in dock.message.text()
    assert choice.layers.currentLayer() is layer  # another field may do
    choice.fields.setField("fclass")
    assert [item.count for item in dock.loop.label_set.classes()] == [300, 300]
    choice.layers.setLayer(None)
    assert dock.loop.label_set is None
    assert not choice.fields.isVisibleTo(dock)


def test_everything_has_a_name_for_screen_readers(dock: LabelDock) -> None:
    for kind in (QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit, QListWidget):
        for widget in dock.findChildren(kind):
            corner_of_table = type(widget) is QAbstractButton
            if corner_of_table or widget.objectName().startswith("qt_") or not widget.isVisibleTo(dock):
                continue
            told = widget.accessibleName() or getattr(widget, "text", str)()
            assert told, widget


def test_closing_ends_the_worker_of_the_dock(dock: LabelDock, tmp_path: Path) -> None:
    label(dock, tmp_path, embed(dock))
    client = session.worker(session.LIVE)
    assert client.pid is not None
    dock.loop.close()
    assert client.pid is None
