"""What goes wrong around the dock: layers that go or change, projects that are left, places that are nowhere."""

from __future__ import annotations

import json
import shutil
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from osgeo import gdal
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
)

from qgis_plugin.algorithms.values import raster_file
from qgis_plugin.dock import views
from qgis_plugin.dock.dock import LabelDock
from qgis_plugin.dock.label_set import LabelSet
from qgis_plugin.dock.overlay import ALIKE, DISPUTE, MAP, Overlay
from qgis_plugin.dock.runner import Job, Runner
from qgis_plugin.dock.views import Views
from tests.qgis.conftest import wait_for
from tests.qgis.place import SmallPlace
from tests.qgis.test_dock import dock as dock  # noqa: PLC0414 - a fixture

NOWHERE = QgsPointXY(179, 95)  # in degrees
ANSWER = {
    "next": [{"x": 0, "y": 0, "looks_like": "a", "probability": 1}],
    "suspects": [],
    "warnings": [],
    "classes": [],
}


@pytest.fixture
def asked(dock: LabelDock, embedding: Path, monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """What the dock wants of its workers, which stay away; it looks at an embedding."""
    jobs: list[Job] = []
    for runner in (dock.loop._painter, dock.loop._embedder):
        monkeypatch.setattr(runner, "ask", jobs.append)
    dock.loop.use_embedding(str(embedding))
    dock._say("")
    jobs.clear()
    return jobs


def new_labels(dock: LabelDock, path: Path, *classes: str) -> LabelSet:
    labels = LabelSet.create(str(path), dock.loop.ground.crs, path.stem)
    for name in classes:
        labels.add_class(name)
    dock.use_labels(labels)
    return labels


def middle(dock: LabelDock) -> QgsPointXY:
    return dock.loop.ground.box.center()


def tiny_map(path: Path) -> str:
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), 4, 4, 1)
    dataset.GetRasterBand(1).Fill(1)
    dataset.SetGeoTransform((0, 1, 0, 0, 0, -1))
    return str(path)


def answer_of(folder: Path, number: int) -> dict[str, Any]:
    made = {
        "output": tiny_map(folder / f"view_{number}.tif"),
        "dispute": tiny_map(folder / f"view_{number}_dispute.tif"),
    }
    return {**ANSWER, **made, "classes": [{"code": 1, "name": "a", "labels": 1, "f1": None, "share": 1.0}]}


# ---- Places ----------------------------------------------------------------------------------------------------------


def test_a_click_labels_the_point_in_a_layer_of_points(dock: LabelDock, asked: list[Job]) -> None:
    points = QgsVectorLayer("Point?crs=EPSG:32633&field=class:string", "points", "memory")
    dock.use_labels(LabelSet(points))
    dock.loop.label_cell(middle(dock), "water")
    (found,) = points.getFeatures()
    assert found.geometry().asPoint() == middle(dock)


def test_a_place_that_the_grid_does_not_have_is_told(dock: LabelDock, asked: list[Job], tmp_path: Path) -> None:
    labels = new_labels(dock, tmp_path / "l.gpkg", "water")
    dock._canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    for act in (dock._label_tool.clicked, dock._label_tool.removed, dock._like_tool.clicked, dock._like_tool.removed):
        dock._say("")
        act.emit(NOWHERE)
        assert "outside" in dock.message.text()
    assert not labels.classes()[0].count
    dock._canvas.setDestinationCrs(dock.loop.ground.crs)
    dock.loop.more_like(middle(dock))  # what was nowhere does not stay among the places
    assert [job.method for job in asked] == ["similar"]
    for act in (dock._like_tool.clicked, dock._label_tool.clicked):  # other ground counts for nothing
        dock._say("")
        act.emit(QgsPointXY(0, 0))
        assert "outside" in dock.message.text()
    assert len(dock.loop.alike_points) == 1
    assert not labels.classes()[0].count


def test_without_a_crs_of_the_project_the_view_is_in_that_of_the_grid(dock: LabelDock, asked: list[Job]) -> None:
    dock._canvas.setDestinationCrs(QgsCoordinateReferenceSystem())
    dock.embed_view.click()
    numbers = [float(item) for item in asked[-1].params["extent"].split(",")]  # no CRS behind them
    box = dock._canvas.extent()
    assert numbers == [box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum()]


def test_a_click_before_there_are_labels_or_an_embedding_is_told(dock: LabelDock, asked: list[Job]) -> None:
    dock._label_tool.clicked.emit(middle(dock))
    assert "Choose a layer for the labels" in dock.message.text()
    dock._label_tool.drawn.emit(QgsGeometry.fromRect(dock.loop.ground.box))
    assert "Choose a layer for the labels" in dock.message.text()
    place, dock.loop.ground = middle(dock), None
    dock._label_tool.clicked.emit(place)
    assert "Embed the view first" in dock.message.text()


def test_a_view_of_other_ground_is_told(dock: LabelDock, asked: list[Job], tmp_path: Path) -> None:
    new_labels(dock, tmp_path / "l.gpkg", "a", "b")
    for place, name in ((0, "a"), (100, "b")):
        dock.loop.label_cell(QgsPointXY(middle(dock).x() + place, middle(dock).y()), name)
    dock.loop.repaint()
    assert len(asked) == 1
    dock._canvas.setExtent(QgsRectangle(0, 0, 1000, 1000))
    dock.loop.repaint()
    assert "shows nothing of what was embedded" in dock.message.text()
    dock._canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    dock._canvas.setExtent(QgsRectangle(-1e9, -1e9, 1e9, 1e9))  # all the world, and more
    dock.loop.repaint()
    assert len(asked) == 2


def test_an_embedding_that_goes_while_it_is_used_is_told(
    dock: LabelDock, asked: list[Job], embedding: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "embedding.tif"
    shutil.copy(embedding, copy)
    dock.loop.use_embedding(str(copy))
    new_labels(dock, tmp_path / "l.gpkg", "a", "b")
    for place, name in ((0, "a"), (100, "b")):
        dock.loop.label_cell(QgsPointXY(middle(dock).x() + place, middle(dock).y()), name)
    copy.unlink()
    asked.clear()
    for act in (dock.loop.repaint, lambda: dock.loop.more_like(middle(dock))):
        dock._say("")
        act()
        assert "press Embed the view" in dock.message.text()
    assert not asked


def test_a_dock_that_is_closed_labels_no_more(dock: LabelDock) -> None:
    dock.show()
    for button, tool in ((dock.label_button, dock._label_tool), (dock.like_button, dock._like_tool)):
        button.setChecked(True)
        assert dock._canvas.mapTool() is tool
        dock.close()
        assert dock._canvas.mapTool() is not tool
        assert not button.isChecked()


# ---- Rasters ---------------------------------------------------------------------------------------------------------


def test_a_raster_in_an_archive_keeps_its_whole_name(place: SmallPlace, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "rasters.zip", "w") as archive:
        archive.write(place.rasters[0], "inside.tif")
    name = f"/vsizip/{tmp_path}/rasters.zip/inside.tif"
    assert gdal.Open(raster_file(QgsRasterLayer(name, "zipped")) or "").RasterCount


def test_rasters_that_cannot_be_embedded_are_told(dock: LabelDock, asked: list[Job], tmp_path: Path) -> None:
    for name, told in (("plain", "plain has no CRS"), ("gone", "gone has no raster file")):
        layer = QgsRasterLayer(tiny_map(tmp_path / f"{name}.tif"), name)
        QgsProject.instance().addMapLayer(layer)
        if name == "gone":
            (tmp_path / "gone.tif").unlink()
        dock.choose_rasters([layer.id()])
        dock.embed_all.click()
        assert told in dock.message.text()
    assert not asked


def test_a_raster_that_is_renamed_has_its_new_name_in_the_list(dock: LabelDock) -> None:
    dock.loop.layers()[0].setName("Frühling")
    assert "Frühling" in {dock.raster_list.item(row).text() for row in range(dock.raster_list.count())}


# ---- Layers of labels ------------------------------------------------------------------------------------------------


def test_another_layer_of_labels_that_goes_does_no_harm(dock: LabelDock, asked: list[Job], tmp_path: Path) -> None:
    before = new_labels(dock, tmp_path / "before.gpkg", "water")
    dock.loop.label_cell(middle(dock), "water")
    now = new_labels(dock, tmp_path / "now.gpkg", "water")
    QgsProject.instance().removeMapLayer(before.layer.id())
    assert dock.loop.label_set is now
    QgsProject.instance().removeMapLayer(now.layer.id())
    assert dock.loop.label_set is None
    assert dock.label_choice.layers.currentLayer() is None


def test_labels_without_their_field_are_left_with_a_sentence(dock: LabelDock, asked: list[Job], tmp_path: Path) -> None:
    layer = new_labels(dock, tmp_path / "l.gpkg", "water").layer
    layer.startEditing()
    layer.deleteAttribute(layer.fields().indexFromName("class"))
    dock.loop.repaint()  # with the field gone in the edits alone
    assert layer.commitChanges()
    assert "has no field class" in dock.message.text()
    assert dock.loop.label_set is None
    dock._label_tool.clicked.emit(middle(dock))
    assert "Choose a layer" in dock.message.text()


def test_answers_for_labels_of_before_are_not_shown(dock: LabelDock, asked: list[Job], tmp_path: Path) -> None:
    labels = new_labels(dock, tmp_path / "before.gpkg", "a", "b")
    for place, name in ((0, "a"), (100, "b")):
        dock.loop.label_cell(QgsPointXY(middle(dock).x() + place, middle(dock).y()), name)
    dock.loop.repaint()
    dock.loop._was_answered(asked[-1], answer_of(tmp_path, 1))
    assert dock.loop.answer["next"]
    dock.loop.repaint()
    new_labels(dock, tmp_path / "now.gpkg", "a")
    dock.loop._was_answered(asked[-1], answer_of(tmp_path, 2))
    assert not dock.loop.answer
    assert labels.layer.featureCount() == 2


# ---- Projects --------------------------------------------------------------------------------------------------------


def test_what_is_on_its_way_does_not_reach_the_next_project(dock: LabelDock, tmp_path: Path) -> None:
    late = threading.Event()

    class Client:
        def call(self, method: str, params: dict[str, Any], listener: Any, *, outputs: Any = ()) -> dict[str, Any]:
            late.wait(20)
            return {**answer_of(tmp_path, 1), "output": tiny_map(Path(params["output"]))}

    for runner in (dock.loop._embedder, dock.loop._painter):
        runner._client = Client
    dock.embed_all.click()
    dock.loop._painter.ask(Job("preview", {"output": str(tmp_path / "m.tif")}, (None, True), [str(tmp_path / "m.tif")]))
    dock.loop.alike_points = [QgsPointXY(0, 0)]
    QgsProject.instance().clear()
    late.set()
    wait_for(lambda: not dock.loop._embedder.is_busy and not dock.loop._painter.is_busy)
    assert not dock.loop.embedding
    assert not dock.loop.answer
    assert not dock.loop.alike_points
    assert not QgsProject.instance().mapLayers()
    assert not (tmp_path / "m.tif").exists()
    assert dock.embed_all.isEnabled()


@pytest.mark.parametrize("lost", ["embedding", "labels"])
def test_what_a_project_misses_is_told_and_kept(
    dock: LabelDock, asked: list[Job], embedding: Path, tmp_path: Path, lost: str
) -> None:
    copy = tmp_path / "embedding.tif"
    shutil.copy(embedding, copy)
    dock.loop.use_embedding(str(copy))
    new_labels(dock, tmp_path / "l.gpkg", "water")
    project = QgsProject.instance()
    assert project.write(str(tmp_path / "project.qgz"))
    kept = project.readEntry("jepa_gfm", "dock", "")[0]
    project.clear()
    (copy if lost == "embedding" else tmp_path / "l.gpkg").rename(tmp_path / "elsewhere")
    project.read(str(tmp_path / "project.qgz"))
    assert ("press Embed the view" if lost == "embedding" else "bring its file back") in dock.message.text()
    assert json.loads(project.readEntry("jepa_gfm", "dock", "")[0]) == json.loads(kept)


@pytest.mark.parametrize("text", ["[1]", "{", '{"rasters": 3, "cell_size": "x", "labels": 4, "embedding": 5}'])
def test_a_project_with_nonsense_in_it_opens(dock: LabelDock, text: str) -> None:
    QgsProject.instance().writeEntry("jepa_gfm", "dock", text)
    dock.restore()
    assert not dock.loop.rasters


# ---- The layers of the dock ------------------------------------------------------------------------------------------


def views_in(folder: Path) -> Views:
    views = Views()
    views.folder = folder
    return views


@pytest.fixture
def overlay(qgis_new_project: None, tmp_path: Path) -> Iterator[Overlay]:
    overlay = Overlay(views_in(tmp_path))
    show(overlay, tmp_path, 1)
    yield overlay
    QgsProject.instance().clear()


def show(overlay: Overlay, folder: Path, number: int) -> None:
    answer = answer_of(folder, number)
    overlay.show_map(answer["output"], answer["dispute"], answer["classes"], {"a": "#00ff00"})


def test_a_map_stays_as_transparent_as_it_was_made(overlay: Overlay, tmp_path: Path) -> None:
    overlay.layer(MAP).setOpacity(0.4)
    show(overlay, tmp_path, 2)
    assert overlay.layer(MAP).opacity() == pytest.approx(0.4)
    overlay.show_alike(tiny_map(tmp_path / "alike.tif"), 50)
    overlay.layer(ALIKE).setOpacity(0.4)
    overlay.set_threshold(60)
    assert overlay.layer(ALIKE).opacity() == pytest.approx(0.4)


@pytest.mark.parametrize(("kind", "kept"), [(MAP, "view_1.tif"), (DISPUTE, "view_1_dispute.tif")])
def test_files_that_others_show_stay(overlay: Overlay, tmp_path: Path, kind: str, kept: str) -> None:
    duplicate = overlay.layer(kind).clone()
    duplicate.removeCustomProperty("jepa_gfm/dock")
    QgsProject.instance().addMapLayer(duplicate)
    show(overlay, tmp_path, 2)
    assert {path.name for path in tmp_path.glob("view_*.tif")} == {kept, "view_2.tif", "view_2_dispute.tif"}


def test_a_saved_project_finds_its_map_again(dock: LabelDock, asked: list[Job], tmp_path: Path) -> None:
    dock.loop.views.folder = tmp_path
    show(dock.loop.overlay, tmp_path, 1)
    assert QgsProject.instance().write(str(tmp_path / "project.qgz"))
    show(dock.loop.overlay, tmp_path, 2)
    show(dock.loop.overlay, tmp_path, 3)
    kept = {f"view_{number}{end}.tif" for number in (1, 3) for end in ("", "_dispute")}
    assert {path.name for path in tmp_path.glob("view_*.tif")} == kept
    QgsProject.instance().read(str(tmp_path / "project.qgz"))
    show(dock.loop.overlay, tmp_path, 4)
    QgsProject.instance().read(str(tmp_path / "project.qgz"))
    assert dock.loop.overlay.layer(MAP).isValid()


def test_an_embedding_that_no_project_knows_goes_with_the_next(
    dock: LabelDock, asked: list[Job], embedding: Path, tmp_path: Path
) -> None:
    dock.loop.views.folder = tmp_path
    for number in range(1, 5):
        made = tmp_path / f"embedding_{number}.tif"
        for path in (made, tmp_path / f"embedding_{number}_pca.png", made.with_suffix(".qml")):
            shutil.copy(embedding, path)
        dock.loop._was_embedded(Job("embed", {}), {"output": str(made)})
        if number == 2:
            assert QgsProject.instance().write(str(tmp_path / "project.qgz"))
    kept = {path.name for path in tmp_path.glob("embedding_*") if path.suffix != ".xml"}  # QGIS writes some
    assert kept == {f"embedding_{number}{end}" for number in (2, 4) for end in (".tif", "_pca.png", ".qml")}
    assert embedding.exists()  # not of this session


# ---- Calls -----------------------------------------------------------------------------------------------------------


def test_the_newest_call_of_each_kind_is_made(qgis_app: Any) -> None:
    made: list[str] = []

    class Client:
        def call(self, method: str, params: dict[str, Any], *_rest: Any, **_more: Any) -> dict[str, Any]:
            made.append(f"{method} {params['number']}")
            return {}

    runner = Runner(Client)
    for number, method in enumerate(("look", "similar", "preview", "similar", "preview")):
        runner.ask(Job(method, {"number": number}))
    wait_for(lambda: not runner.is_busy)
    assert sorted(made) == ["look 0", "preview 4", "similar 3"]


def test_places_that_were_forgotten_are_not_shown(dock: LabelDock, asked: list[Job], tmp_path: Path) -> None:
    dock.loop.more_like(middle(dock))
    dock.forget_button.click()
    dock.loop._was_answered(asked[-1], {"output": tiny_map(tmp_path / "alike.tif"), "threshold": 50})
    assert dock.loop.overlay.layer(ALIKE) is None


def test_views_find_another_folder_or_say_why_not(
    dock: LabelDock, asked: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    dock.loop.more_like(middle(dock))
    shutil.rmtree(dock.loop.views.folder)
    dock.loop.more_like(middle(dock))
    assert len(asked) == 2

    def refuse() -> Path:
        raise PermissionError(13, "Permission denied", "/profile")

    monkeypatch.setattr(views, "_new_folder", refuse)
    shutil.rmtree(dock.loop.views.folder)
    for act in (dock.embed_view.click, lambda: dock.loop.more_like(middle(dock))):
        dock._say("")
        act()
        assert "/profile" in dock.message.text()
    assert len(asked) == 2
