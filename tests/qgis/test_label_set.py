"""Classes and examples in a layer of the user, read back by GDAL alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from osgeo import ogr
from qgis.core import (
    QgsApplication,
    QgsCategorizedSymbolRenderer,
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsSingleSymbolRenderer,
    QgsVectorFileWriter,
    QgsVectorLayer,
)
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QEvent, QPoint, QPointF, Qt
from qgis.PyQt.QtGui import QMouseEvent, QWheelEvent
from qgis.PyQt.QtTest import QTest

from qgis_plugin.compat import is_text, text_field
from qgis_plugin.dock import style
from qgis_plugin.dock.label_set import LabelClass, LabelSet
from qgis_plugin.dock.map_tools import ExampleTool

UTM = QgsCoordinateReferenceSystem("EPSG:32633")
LEFT, BOTTOM = 400_000, 5_800_000


def square(column: int = 0, side: float = 100) -> QgsGeometry:
    """Squares side by side, 200 m apart."""
    x = LEFT + 200 * column
    ring = [(x, BOTTOM), (x + side, BOTTOM), (x + side, BOTTOM + side), (x, BOTTOM + side)]
    return QgsGeometry.fromPolygonXY([[QgsPointXY(*corner) for corner in ring]])


def middle(column: int = 0) -> QgsPointXY:
    return QgsPointXY(LEFT + 200 * column + 50, BOTTOM + 50)


def on_disk(path: Path | str, field: str = "class") -> list[tuple[str, str]]:
    """Class and geometry of each feature, as GDAL reads the file, sorted."""
    dataset = ogr.Open(str(path))
    (layer,) = (
        item for item in map(dataset.GetLayer, range(dataset.GetLayerCount())) if item.GetName() != "layer_styles"
    )
    return sorted((item.GetField(field), _wkt(item.GetGeometryRef().ExportToWkt())) for item in layer)


def _wkt(text: str) -> str:
    """The same whatever the direction of a ring."""
    geometry = QgsGeometry.fromWkt(text)
    geometry.normalize()
    return geometry.asWkt(3)


def row(name: str, column: int) -> tuple[str, str]:
    return name, _wkt(square(column).asWkt())


@pytest.fixture
def path(qgis_app: QgsApplication, tmp_path: Path) -> Path:
    return tmp_path / "labels of ours ä.gpkg"


@pytest.fixture
def labels(path: Path) -> LabelSet:
    return LabelSet.create(str(path), UTM, "My labels")


@pytest.fixture
def told(labels: LabelSet) -> list[str]:
    """The signals of `labels`, as they come."""
    seen: list[str] = []
    labels.changed.connect(lambda: seen.append("changed"))
    labels.recoloured.connect(lambda: seen.append("recoloured"))
    return seen


def names(labels: LabelSet) -> list[tuple[str, int]]:
    return [(item.name, item.count) for item in labels.classes()]


# ---- The file --------------------------------------------------------------------------------------------------------


def test_a_new_file_has_one_layer_of_polygons_with_a_class(labels: LabelSet, path: Path) -> None:
    dataset = ogr.Open(str(path))
    assert dataset.GetLayerCount() == 1
    layer = dataset.GetLayer(0)
    assert layer.GetName() == "labels"
    assert layer.GetGeomType() == ogr.wkbPolygon
    assert layer.GetSpatialRef().GetAuthorityCode(None) == "32633"
    definition = layer.GetLayerDefn()
    assert [definition.GetFieldDefn(i).GetName() for i in range(definition.GetFieldCount())] == ["class"]
    assert definition.GetFieldDefn(0).GetType() == ogr.OFTString
    assert labels.layer.name() == "My labels"
    assert labels.classes() == []


def test_an_existing_file_is_left_alone(qgis_app: QgsApplication, tmp_path: Path) -> None:
    there = tmp_path / "there.gpkg"
    there.write_text("precious")
    with pytest.raises(ValueError, match="exists"):
        LabelSet.create(str(there), UTM, "x")
    assert there.read_text() == "precious"


def test_a_file_that_cannot_be_made_is_told(qgis_app: QgsApplication, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        LabelSet.create(str(tmp_path / "no" / "folder" / "x.gpkg"), UTM, "x")
    with pytest.raises(ValueError, match="CRS"):
        LabelSet.create(str(tmp_path / "x.gpkg"), QgsCoordinateReferenceSystem(), "x")
    assert not (tmp_path / "x.gpkg").exists()


def test_an_example_is_on_the_disk_at_once(labels: LabelSet, path: Path, told: list[str]) -> None:
    fid = labels.add_example(square(), "water")
    assert on_disk(path) == [row("water", 0)]
    assert labels.layer.getFeature(fid)["class"] == "water"
    assert names(labels) == [("water", 1)]
    assert told == ["changed"]


def test_examples_of_another_crs_are_transformed(labels: LabelSet) -> None:
    longitude_latitude = QgsCoordinateReferenceSystem("EPSG:4326")
    box = QgsGeometry.fromWkt("POLYGON((15 52, 15.001 52, 15.001 52.001, 15 52.001, 15 52))")
    fid = labels.add_example(box, "water", longitude_latitude)
    centre = labels.layer.getFeature(fid).geometry().centroid().asPoint()
    assert centre.x() == pytest.approx(500_034, abs=2)  # 15 degrees east is the middle of zone 33
    assert centre.y() == pytest.approx(5_761_094, abs=60)
    assert labels.example_at(QgsPointXY(15.0005, 52.0005), 0.0001, longitude_latitude) == fid
    assert labels.example_at(QgsPointXY(15.01, 52.0005), 0.0001, longitude_latitude) is None


def test_a_crossed_outline_becomes_valid_polygons(labels: LabelSet, path: Path) -> None:
    bow = QgsGeometry.fromWkt(f"POLYGON(({LEFT} {BOTTOM},{LEFT + 9} {BOTTOM + 9},{LEFT + 9} {BOTTOM},"
                              f"{LEFT} {BOTTOM + 9},{LEFT} {BOTTOM}))")  # fmt: skip
    labels.add_example(bow, "water")
    found = [QgsGeometry.fromWkt(wkt) for _name, wkt in on_disk(path)]
    assert len(found) == 2
    assert all(item.isGeosValid() and item.area() == pytest.approx(20.25) for item in found)
    labels.undo()
    assert on_disk(path) == []


@pytest.mark.parametrize("wkt", ["POINT(400000 5800000)", "POLYGON EMPTY", "LINESTRING(0 0, 1 1)"])
def test_what_is_no_polygon_is_refused(labels: LabelSet, wkt: str) -> None:
    with pytest.raises(ValueError, match="a polygon"):
        labels.add_example(QgsGeometry.fromWkt(wkt), "water")
    assert names(labels) == []
    assert not labels.undo_stack.canUndo()


def test_the_example_at_a_place_is_the_nearest_and_the_newest(labels: LabelSet) -> None:
    first, second = (labels.add_example(square(column), "water") for column in (0, 1))
    assert labels.example_at(middle(1), 0) == second
    assert labels.example_at(QgsPointXY(LEFT - 5, BOTTOM + 50), 4) is None
    assert labels.example_at(QgsPointXY(LEFT - 5, BOTTOM + 50), 6) == first
    assert labels.example_at(QgsPointXY(LEFT + 149, BOTTOM + 50), 60) == first  # 49 m against 51 m
    above = labels.add_example(square(0, 80), "forest")
    assert labels.example_at(middle(0), 1) == above


# ---- Classes ---------------------------------------------------------------------------------------------------------


def test_classes_get_colours_that_differ(labels: LabelSet) -> None:
    for number in range(len(style.COLOURS)):
        labels.add_class(f"class {number}")
    assert [item.colour for item in labels.classes()] == list(style.COLOURS)
    labels.add_class("one more", "#ABCDEF")
    assert labels.classes()[-1] == LabelClass("one more", "#abcdef", 0)


def test_polygons_are_shown_half_transparent_with_a_solid_outline(labels: LabelSet) -> None:
    labels.add_class("water", "#0000ff")
    (category,) = labels.layer.renderer().categories()
    symbol = category.symbol().symbolLayer(0)
    assert 0 < symbol.fillColor().alpha() < 255
    assert (symbol.strokeColor().name(), symbol.strokeColor().alpha()) == ("#0000ff", 255)
    assert symbol.strokeStyle() == Qt.PenStyle.SolidLine


def test_refused_names_and_colours_change_nothing(labels: LabelSet, told: list[str]) -> None:
    labels.add_class("water")
    told.clear()
    for refused in (
        lambda: labels.add_class("  "), lambda: labels.add_class("water "), lambda: labels.add_class("x", "no colour"),
        lambda: labels.rename_class("water", ""), lambda: labels.rename_class("sea", "x"),
        lambda: labels.recolour_class("sea", "#ffffff"), lambda: labels.recolour_class("water", "mud"),
        lambda: labels.remove_class("sea"), lambda: labels.add_example(square(), " "),
        lambda: labels.remove_example(99), lambda: labels.change_class(99, "water"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"^[^\n]*\.$"):
            refused()
    assert names(labels) == [("water", 0)]
    assert labels.undo_stack.count() == 1
    assert told == []


def test_colours_survive_in_the_file(labels: LabelSet, path: Path) -> None:
    labels.add_class("water", "#112233")
    labels.add_example(square(), "forest")
    labels.recolour_class("forest", "#445566")
    labels.rename_class("water", "sea")
    again = LabelSet(QgsVectorLayer(f"{path}|layername=labels", "again"))
    assert again.classes() == [LabelClass("sea", "#112233", 0), LabelClass("forest", "#445566", 1)]
    dataset = ogr.Open(str(path))
    assert dataset.GetLayerByName("layer_styles").GetFeatureCount() == 1


# ---- Undo ------------------------------------------------------------------------------------------------------------


def prepared(labels: LabelSet) -> dict[str, int]:
    """Two classes with an example each and one without."""
    labels.add_class("empty", "#101010")
    return {name: labels.add_example(square(column), name) for column, name in enumerate(("water", "forest"))}


ACTIONS = {
    "add_class": lambda labels, fids: labels.add_class("new"),
    "rename_class": lambda labels, fids: labels.rename_class("water", "sea"),
    "merge": lambda labels, fids: labels.rename_class("water", "forest"),
    "recolour_class": lambda labels, fids: labels.recolour_class("water", "#aabbcc"),
    "remove_class": lambda labels, fids: labels.remove_class("water"),
    "add_example": lambda labels, fids: labels.add_example(square(2), "forest"),
    "add_example_of_new_class": lambda labels, fids: labels.add_example(square(2), "new"),
    "remove_example": lambda labels, fids: labels.remove_example(fids["water"]),
    "change_class": lambda labels, fids: labels.change_class(fids["water"], "forest"),
    "change_to_new_class": lambda labels, fids: labels.change_class(fids["water"], "new"),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_is_undone_and_done_again(labels: LabelSet, path: Path, action: str) -> None:
    fids = prepared(labels)
    before = labels.classes(), on_disk(path)
    ACTIONS[action](labels, fids)
    after = labels.classes(), on_disk(path)
    assert after != before
    assert labels.undo_stack.undoText()
    for _time in range(2):
        labels.undo()
        assert (labels.classes(), on_disk(path)) == before
        labels.redo()
        assert (labels.classes(), on_disk(path)) == after


def test_merged_classes_share_their_examples(labels: LabelSet, path: Path) -> None:
    prepared(labels)
    labels.rename_class("water", "forest")
    assert names(labels) == [("empty", 0), ("forest", 2)]
    assert on_disk(path) == [row("forest", 0), row("forest", 1)]


def test_all_is_undone_and_redone_though_ids_change(labels: LabelSet, path: Path) -> None:
    fids = prepared(labels)
    labels.change_class(fids["water"], "forest")
    labels.remove_example(fids["water"])
    labels.undo()
    (now,) = (item.id() for item in labels.layer.getFeatures() if item.geometry().equals(square(0)))
    assert now != fids["water"]
    labels.remove_class("forest")
    after = labels.classes(), on_disk(path)
    while labels.undo_stack.canUndo():
        labels.undo()
    assert names(labels) == []
    assert on_disk(path) == []
    while labels.undo_stack.canRedo():
        labels.redo()
    assert (labels.classes(), on_disk(path)) == after


def test_a_recolouring_is_told_apart(labels: LabelSet, told: list[str]) -> None:
    labels.add_class("water")
    labels.recolour_class("water", "#aabbcc")
    labels.undo()
    assert told == ["changed", "recoloured", "recoloured"]


# ---- Others write too ------------------------------------------------------------------------------------------------


def test_a_layer_that_the_user_edits_is_refused(labels: LabelSet, path: Path) -> None:
    fids = prepared(labels)
    before, steps = on_disk(path), labels.undo_stack.count()
    labels.layer.startEditing()
    for action in [*ACTIONS.values(), lambda labels, fids: labels.undo()]:
        with pytest.raises(ValueError, match="My labels is being edited; save or leave its edits first"):
            action(labels, fids)
    labels.layer.rollBack()
    assert on_disk(path) == before
    assert labels.undo_stack.count() == steps
    labels.undo()
    assert len(on_disk(path)) == 1


def test_the_stacks_own_undo_tells_what_went_wrong(labels: LabelSet) -> None:
    prepared(labels)
    seen: list[str] = []
    labels.failed.connect(seen.append)
    labels.layer.startEditing()
    labels.undo_stack.undo()
    labels.layer.rollBack()
    assert len(seen) == 1
    assert "being edited" in seen[0]
    assert len(list(labels.layer.getFeatures())) == 2


def test_edits_of_the_user_end_the_undo_and_are_told(labels: LabelSet, told: list[str]) -> None:
    prepared(labels)
    told.clear()
    labels.layer.startEditing()
    feature = QgsFeature(labels.layer.fields())
    feature.setGeometry(square(3))
    feature["class"] = "rock"
    assert labels.layer.addFeature(feature)
    assert labels.layer.commitChanges()
    assert told == ["changed"]
    assert labels.undo_stack.count() == 0
    assert names(labels) == [("empty", 0), ("water", 1), ("forest", 1), ("rock", 1)]
    labels.remove_example(labels.example_at(middle(3), 1))
    assert names(labels)[-1] == ("rock", 0)


def test_a_field_that_goes_before_the_class_leaves_the_class_its_own(points: QgsVectorLayer) -> None:
    points.dataProvider().addAttributes([text_field("note")])
    points.updateFields()
    labels = LabelSet(points, "kind")
    points.startEditing()
    assert points.deleteAttribute(0)
    assert points.commitChanges()
    fid = labels.add_example(QgsGeometry.fromPointXY(middle(3)), "water")
    assert points.fields().names() == ["kind", "note"]
    assert points.getFeature(fid).attributes()[0] == "water"


def test_a_layer_that_gets_another_source_is_followed(labels: LabelSet, tmp_path: Path) -> None:
    other = LabelSet.create(str(tmp_path / "other.gpkg"), UTM, "other")
    labels.add_example(square(0), "water")
    labels.layer.setDataSource(other.layer.source(), "other", "ogr")
    labels.add_example(square(1), "forest")
    assert on_disk(tmp_path / "other.gpkg") == [row("forest", 1)]
    assert not labels.undo_stack.canRedo()


def test_a_layer_whose_new_source_cannot_hold_labels_closes_the_set(labels: LabelSet, tmp_path: Path) -> None:
    told: list[str] = []
    labels.failed.connect(told.append)
    labels.closed.connect(lambda: told.append("closed"))
    labels.layer.setDataSource(str(tmp_path / "nowhere.gpkg"), "gone", "ogr")
    assert "cannot be read" in told[0]
    assert told[1:] == ["closed"]


def test_nothing_is_written_into_a_file_that_is_gone(labels: LabelSet, path: Path) -> None:
    labels.add_example(square(0), "water")
    path.rename(path.with_suffix(".away"))
    with pytest.raises(ValueError, match="is gone; bring it back"):
        labels.add_example(square(1), "water")
    with pytest.raises(ValueError, match="is gone; bring it back"):
        labels.undo()
    path.with_suffix(".away").rename(path)
    labels.undo()
    assert on_disk(path) == []


def test_a_class_that_came_with_spaces_keeps_them(labels: LabelSet) -> None:
    feature = QgsFeature(labels.layer.fields())
    feature.setAttribute("class", "water ")
    feature.setGeometry(square(0))
    labels.layer.dataProvider().addFeatures([feature])
    labels.add_example(square(1), "water ")
    assert [(item.name, item.count) for item in labels.classes()] == [("water ", 2)]
    labels.rename_class("water ", " water ")
    assert [(item.name, item.count) for item in labels.classes()] == [("water", 2)]


def test_a_field_of_names_is_no_field_of_classes(qgis_app: QgsApplication) -> None:
    layer = QgsVectorLayer("Point?crs=EPSG:32633&field=class:string", "towns", "memory")
    features = []
    for number in range(600):
        features.append(QgsFeature(layer.fields()))
        features[-1].setAttributes([f"town {number}"])
    layer.dataProvider().addFeatures(features)
    with pytest.raises(ValueError, match="600 different values"):
        LabelSet(layer)
    assert isinstance(layer.renderer(), QgsSingleSymbolRenderer)


def test_a_style_that_another_program_holds_is_not_written_over(
    labels: LabelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """QGIS 3.22 would ask, and wait for the answer."""
    labels.add_class("water")
    saved: list[str] = []
    monkeypatch.setattr(QgsVectorLayer, "deleteStyleFromDatabase", lambda *_: (False, "locked"))
    monkeypatch.setattr(QgsVectorLayer, "saveStyleToDatabase", lambda _layer, name, *_: saved.append(name))
    labels.add_class("forest")
    assert not saved


def test_a_style_of_the_user_is_told(labels: LabelSet, told: list[str]) -> None:
    prepared(labels)
    told.clear()
    categories = labels.layer.renderer().categories()
    labels.layer.setRenderer(QgsSingleSymbolRenderer(categories[0].symbol().clone()))
    assert set(told) == {"changed", "recoloured"}
    assert names(labels) == [("forest", 1), ("water", 1)]
    labels.add_class("new")
    assert isinstance(labels.layer.renderer(), QgsCategorizedSymbolRenderer)


def test_a_layer_that_goes_closes_the_set(labels: LabelSet) -> None:
    seen: list[bool] = []
    labels.closed.connect(lambda: seen.append(True))
    QgsProject.instance().addMapLayer(labels.layer)
    QgsProject.instance().removeMapLayer(labels.layer.id())
    assert seen == [True]


# ---- Other layers ----------------------------------------------------------------------------------------------------


@pytest.fixture
def points(qgis_app: QgsApplication) -> QgsVectorLayer:
    layer = QgsVectorLayer("Point?crs=EPSG:32633&field=id:integer&field=kind:string(8)", "points", "memory")
    for number, kind in enumerate(("water", "forest", "water", None)):
        feature = QgsFeature(layer.fields())
        feature.setAttributes([number, kind])
        feature.setGeometry(QgsGeometry.fromPointXY(middle(number)))
        layer.dataProvider().addFeature(feature)
    return layer


def test_a_layer_of_points_takes_classes_from_its_values(points: QgsVectorLayer) -> None:
    labels = LabelSet(points, "kind")
    assert names(labels) == [("forest", 1), ("water", 2)]
    assert [category.value() for category in points.renderer().categories()] == ["forest", "water"]
    fid = labels.add_example(QgsGeometry.fromPointXY(middle(7)), "rock")
    assert labels.example_at(middle(7), 1) == fid
    with pytest.raises(ValueError, match="a point"):
        labels.add_example(square(), "rock")
    labels.rename_class("water", "sea")
    assert sorted(str(item["kind"]) for item in points.getFeatures())[:4] == ["NULL", "forest", "rock", "sea"]
    with pytest.raises(ValueError, match="too long"):
        labels.add_class("123456789")


def test_other_fields_come_back_with_an_example(points: QgsVectorLayer) -> None:
    labels = LabelSet(points, "kind")
    labels.remove_class("water")
    labels.undo()
    assert sorted((item["id"], item["kind"]) for item in points.getFeatures() if item["kind"]) == [
        (0, "water"), (1, "forest"), (2, "water"),
    ]  # fmt: skip


def test_a_filtered_layer_keeps_its_hidden_examples(labels: LabelSet) -> None:
    prepared(labels)
    assert labels.layer.setSubsetString("fid > 1")
    for action in (lambda: labels.rename_class("forest", "x"), lambda: labels.remove_class("forest")):
        with pytest.raises(ValueError, match="filter"):
            action()


def test_a_shapefile_that_numbers_its_features_anew_is_followed(labels: LabelSet, tmp_path: Path) -> None:
    shape = tmp_path / "shape.shp"
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName = "ESRI Shapefile"
    for column, name in enumerate(("a", "b", "c")):
        labels.add_example(square(column), name)
    context = QgsProject.instance().transformContext()
    QgsVectorFileWriter.writeAsVectorFormatV3(labels.layer, str(shape), context, options)
    copy = LabelSet(QgsVectorLayer(str(shape), "shape"))
    copy.change_class(copy.example_at(middle(2), 1), "d")
    copy.remove_example(copy.example_at(middle(0), 1))
    assert on_disk(shape) == [row("b", 1), row("d", 2)]
    copy.undo()
    copy.undo()
    assert on_disk(shape) == [row("a", 0), row("b", 1), row("c", 2)]


def test_layers_that_cannot_hold_labels_are_refused(points: QgsVectorLayer, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no field class"):
        LabelSet(points)
    with pytest.raises(ValueError, match="not text"):
        LabelSet(points, "id")
    with pytest.raises(ValueError, match="neither points nor polygons"):
        LabelSet(QgsVectorLayer("LineString?field=class:string", "lines", "memory"))
    with pytest.raises(ValueError, match="cannot be read"):
        LabelSet(QgsVectorLayer(str(tmp_path / "none.gpkg"), "none"))
    table = tmp_path / "points.csv"
    table.write_text("x,y,class\n1,2,water\n")
    uri = f"file://{table}?xField=x&yField=y&crs=EPSG:32633"
    with pytest.raises(ValueError, match="read only"):
        LabelSet(QgsVectorLayer(uri, "csv", "delimitedtext"))
    points.setReadOnly(True)
    with pytest.raises(ValueError, match="read only"):
        LabelSet(points, "kind")


def test_a_field_of_text_is_one(qgis_app: QgsApplication) -> None:
    assert is_text(text_field("x"))
    assert text_field("x").name() == "x"
    fields = QgsVectorLayer("Point?field=a:integer&field=b:string", "x", "memory").fields()
    assert [is_text(field) for field in fields] == [False, True]


# ---- The tool on the map ---------------------------------------------------------------------------------------------


@pytest.fixture
def canvas(qgis_app: QgsApplication) -> Iterator[QgsMapCanvas]:
    canvas = QgsMapCanvas()
    canvas.setDestinationCrs(UTM)
    canvas.resize(400, 400)
    canvas.show()
    canvas.setExtent(square(0, 4000).boundingBox())
    yield canvas
    canvas.close()


@pytest.fixture
def tool(canvas: QgsMapCanvas) -> Iterator[ExampleTool]:
    tool = ExampleTool(canvas)
    canvas.setMapTool(tool)
    yield tool
    canvas.unsetMapTool(tool)


@pytest.fixture
def seen(tool: ExampleTool) -> list[tuple[str, object]]:
    """What the tool emits."""
    seen: list[tuple[str, object]] = []
    for name in ("clicked", "drawn", "removed"):
        getattr(tool, name).connect(lambda value, name=name: seen.append((name, type(value)(value))))
    for name in ("undo_asked", "redo_asked"):
        getattr(tool, name).connect(lambda name=name: seen.append((name, None)))
    return seen


def move(canvas: QgsMapCanvas, place: tuple[int, int], button: Qt.MouseButton) -> None:
    """QTest.mouseMove does nothing without a screen."""
    view, where = canvas.viewport(), QPointF(*place)
    around = QPointF(view.mapToGlobal(QPoint(*place)))
    none, plain = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    QgsApplication.sendEvent(view, QMouseEvent(QEvent.Type.MouseMove, where, where, around, none, button, plain))


def drag(canvas: QgsMapCanvas, places: list[tuple[int, int]], release: bool = True) -> None:
    view, left = canvas.viewport(), Qt.MouseButton.LeftButton
    QTest.mousePress(view, left, pos=QPoint(*places[0]))
    for place in places[1:]:
        move(canvas, place, left)
    if release:
        QTest.mouseRelease(view, left, pos=QPoint(*places[-1]))


def on_map(canvas: QgsMapCanvas, place: tuple[int, int]) -> QgsPointXY:
    return canvas.getCoordinateTransform().toMapCoordinates(*place)


def test_a_click_that_trembles_is_a_click(canvas: QgsMapCanvas, seen: list[tuple[str, object]]) -> None:
    drag(canvas, [(100, 120), (103, 122), (101, 119)])
    assert seen == [("clicked", on_map(canvas, (100, 120)))]


def test_a_drag_is_a_polygon(canvas: QgsMapCanvas, seen: list[tuple[str, object]]) -> None:
    along = [(100 + step, 100 + step // 5 % 2) for step in range(0, 101, 5)]
    down = [(200, 100 + step) for step in range(0, 101, 5)]
    drag(canvas, [*along, *down, (100, 200)])
    ((name, polygon),) = seen
    assert name == "drawn"
    pixel = canvas.mapUnitsPerPixel()
    assert polygon.area() == pytest.approx((100 * pixel) ** 2, rel=0.02)
    assert polygon.constGet().nCoordinates() < 10  # of 44: a hand trembles by a pixel
    assert polygon.contains(on_map(canvas, (150, 150)))


def test_a_straight_stroke_is_nothing(canvas: QgsMapCanvas, seen: list[tuple[str, object]]) -> None:
    drag(canvas, [(100, 100), (150, 100), (200, 100)])
    assert seen == []


def test_esc_drops_a_drawing(canvas: QgsMapCanvas, seen: list[tuple[str, object]]) -> None:
    items = len(canvas.scene().items())
    places = [(100, 100), (200, 100), (200, 200)]
    drag(canvas, places, release=False)
    assert len(canvas.scene().items()) == items + 1
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert len(canvas.scene().items()) == items
    QTest.mouseRelease(canvas.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
    assert seen == []
    drag(canvas, places)
    assert [name for name, _value in seen] == ["drawn"]


def test_another_tool_drops_a_drawing(canvas: QgsMapCanvas, tool: ExampleTool, seen: list[tuple[str, object]]) -> None:
    items = len(canvas.scene().items())
    drag(canvas, [(100, 100), (200, 100), (200, 200)], release=False)
    canvas.unsetMapTool(tool)
    assert len(canvas.scene().items()) == items
    QTest.keyClick(canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert seen == []


def test_right_click_removes_and_keys_undo(canvas: QgsMapCanvas, seen: list[tuple[str, object]]) -> None:
    QTest.mouseClick(canvas.viewport(), Qt.MouseButton.RightButton, pos=QPoint(50, 60))
    QTest.keyClick(canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(canvas, Qt.Key.Key_Z, both)
    assert seen == [("removed", on_map(canvas, (50, 60))), ("undo_asked", None), ("redo_asked", None)]


def test_wheel_and_middle_button_still_move_the_map(canvas: QgsMapCanvas, seen: list[tuple[str, object]]) -> None:
    view, middle_button, scale = canvas.viewport(), Qt.MouseButton.MiddleButton, canvas.scale()
    place = QPointF(200, 200)
    wheel = QWheelEvent(
        place, view.mapToGlobal(place.toPoint()), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QgsApplication.sendEvent(view, wheel)
    assert canvas.scale() < scale
    centre = canvas.center()
    QTest.mousePress(view, middle_button, pos=QPoint(200, 200))
    move(canvas, (250, 200), middle_button)
    QTest.mouseRelease(view, middle_button, pos=QPoint(300, 200))
    assert canvas.center().x() < centre.x()
    assert seen == []


def test_the_cursor_is_a_cross(canvas: QgsMapCanvas, tool: ExampleTool) -> None:
    assert canvas.cursor().shape() == Qt.CursorShape.CrossCursor
