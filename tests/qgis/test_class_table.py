"""The table of classes: by mouse, by keys, and for those who do not see it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from qgis.core import QgsApplication, QgsCoordinateReferenceSystem, QgsGeometry, QgsProject
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QColor, QPalette
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QColorDialog, QLineEdit, QPushButton, QTableWidget

from qgis_plugin.dock.class_table import COLOUR, COUNT, NAME, ClassTable
from qgis_plugin.dock.label_set import LabelSet

UTM = QgsCoordinateReferenceSystem("EPSG:32633")
BOX = QgsGeometry.fromWkt("POLYGON((400000 5800000,400100 5800000,400100 5800100,400000 5800000))")


@pytest.fixture
def labels(qgis_app: QgsApplication, tmp_path: Path) -> LabelSet:
    labels = LabelSet.create(str(tmp_path / "labels.gpkg"), UTM, "labels")
    for name in ("water", "forest", "field"):
        labels.add_class(name)
    labels.add_example(BOX, "forest")
    return labels


@pytest.fixture
def table(labels: LabelSet) -> Iterator[ClassTable]:
    table = ClassTable()
    table.set_label_set(labels)
    table.resize(400, 400)
    table.show()
    yield table
    table.close()


@pytest.fixture
def chosen(table: ClassTable) -> list[str]:
    names: list[str] = []
    table.class_chosen.connect(names.append)
    return names


@pytest.fixture
def messages(table: ClassTable) -> list[str]:
    seen: list[str] = []
    table.message.connect(seen.append)
    return seen


def shown(table: ClassTable) -> list[tuple[str, str]]:
    rows = range(table.table.rowCount())
    return [(table.table.item(row, NAME).text(), table.table.item(row, COUNT).text()) for row in rows]


def names(labels: LabelSet) -> list[str]:
    return [item.name for item in labels.classes()]


def type_name(table: ClassTable, row: int, text: str) -> None:
    """Double click on a name, type another, Enter."""
    item = table.table.item(row, NAME)
    where = table.table.visualItemRect(item).center()
    for click in (QTest.mouseClick, QTest.mouseDClick):
        click(table.table.viewport(), Qt.MouseButton.LeftButton, pos=where)
    editor = table.table.viewport().findChild(QLineEdit)
    editor.setText(text)
    QTest.keyClick(editor, Qt.Key.Key_Return)
    QgsApplication.processEvents()  # the editor hands its text over later


def swatch(table: ClassTable, row: int) -> str:
    """The colour in the middle of a swatch."""
    icon = table.table.item(row, COLOUR).icon()
    image = icon.pixmap(table.table.iconSize()).toImage()
    return image.pixelColor(image.width() // 2, image.height() // 2).name()


# ---- What it shows ---------------------------------------------------------------------------------------------------


def test_classes_are_shown_and_followed(table: ClassTable, labels: LabelSet) -> None:
    assert shown(table) == [("water", "0"), ("forest", "1"), ("field", "0")]
    assert [swatch(table, row) for row in range(3)] == [item.colour for item in labels.classes()]
    labels.add_example(BOX, "rock")
    labels.recolour_class("water", "#123456")
    assert shown(table) == [("water", "0"), ("forest", "1"), ("field", "0"), ("rock", "1")]
    assert swatch(table, 0) == "#123456"
    labels.undo()
    labels.undo()
    assert shown(table) == [("water", "0"), ("forest", "1"), ("field", "0")]


def test_without_labels_nothing_can_be_done(table: ClassTable, chosen: list[str]) -> None:
    table.set_label_set(None)
    assert shown(table) == []
    assert not table.isEnabled()
    assert chosen == [""]
    for action in (table.add, table.rename, table.recolour, table.remove):
        action()


def test_a_layer_that_goes_empties_the_table(table: ClassTable, labels: LabelSet) -> None:
    QgsProject.instance().addMapLayer(labels.layer)
    QgsProject.instance().removeMapLayer(labels.layer.id())
    assert shown(table) == []


def test_another_set_is_followed_alone(table: ClassTable, labels: LabelSet, tmp_path: Path) -> None:
    other = LabelSet.create(str(tmp_path / "other.gpkg"), UTM, "other")
    table.set_label_set(other)
    labels.add_class("late")
    assert shown(table) == []
    other.add_class("only")
    assert shown(table) == [("only", "0")]
    assert table.current_class() == "only"


# ---- The chosen class ------------------------------------------------------------------------------------------------


def test_rows_and_keys_choose(table: ClassTable, chosen: list[str]) -> None:
    assert table.current_class() == "water"
    where = table.table.visualItemRect(table.table.item(2, COUNT)).center()
    QTest.mouseClick(table.table.viewport(), Qt.MouseButton.LeftButton, pos=where)
    QTest.keyClick(table.table, Qt.Key.Key_2)
    QTest.keyClick(table.table, Qt.Key.Key_9)
    QTest.keyClick(table.table, Qt.Key.Key_Up)
    assert chosen == ["field", "forest", "water"]
    table.choose("field")
    assert table.current_class() == "field"


def test_the_choice_outlives_what_happens_to_others(table: ClassTable, labels: LabelSet, chosen: list[str]) -> None:
    table.choose("forest")
    labels.remove_class("water")
    labels.rename_class("field", "meadow")
    assert chosen == ["forest"]
    assert table.table.currentRow() == 0
    labels.rename_class("forest", "wood")
    assert chosen == ["forest", "wood"]


# ---- Add, rename, recolour, remove -----------------------------------------------------------------------------------


def test_a_typed_class_is_added_and_chosen(table: ClassTable, labels: LabelSet, messages: list[str]) -> None:
    QTest.keyClicks(table.new_name, "rock 2")
    QTest.keyClick(table.new_name, Qt.Key.Key_Return)
    assert names(labels)[-1] == "rock 2"
    assert table.current_class() == "rock 2"
    assert table.new_name.text() == ""
    for refused in ("", "  ", "water"):
        table.new_name.setText(refused)
        QTest.mouseClick(table.add_button, Qt.MouseButton.LeftButton)
    assert len(names(labels)) == 4
    assert messages == ["A class needs a name."] * 2 + ["There is a class water already."]


def test_a_double_click_renames(table: ClassTable, labels: LabelSet, chosen: list[str]) -> None:
    type_name(table, 1, "wood")
    assert names(labels) == ["water", "wood", "field"]
    assert chosen == ["forest", "wood"]


@pytest.mark.parametrize(("typed", "count"), [("", 1), ("  ", 1), ("field", 1), ("forest", 0), (" forest ", 0)])
def test_a_name_that_is_refused_goes_back(
    table: ClassTable, labels: LabelSet, messages: list[str], typed: str, count: int
) -> None:
    type_name(table, 1, typed)
    assert shown(table)[1] == ("forest", "1")
    assert names(labels) == ["water", "forest", "field"]
    assert len(messages) == count


def test_an_edited_layer_refuses_with_its_sentence(table: ClassTable, labels: LabelSet, messages: list[str]) -> None:
    labels.layer.startEditing()
    type_name(table, 1, "wood")
    QTest.mouseClick(table.remove_button, Qt.MouseButton.LeftButton)
    labels.layer.rollBack()
    assert shown(table)[1] == ("forest", "1")
    assert len(messages) == 2
    assert all("being edited" in message for message in messages)


def test_rename_starts_an_editor_that_takes_digits(table: ClassTable, labels: LabelSet) -> None:
    table.choose("forest")
    QTest.mouseClick(table.rename_button, Qt.MouseButton.LeftButton)
    editor = table.table.viewport().findChild(QLineEdit)
    QTest.keyClicks(editor, "class 3")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    QgsApplication.processEvents()  # the editor hands its text over later
    assert names(labels) == ["water", "class 3", "field"]


def test_the_swatch_and_the_button_ask_for_a_colour(
    table: ClassTable, labels: LabelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [QColor("#010203"), QColor(), QColor("#040506")]
    asked: list[str] = []

    def answer(initial: QColor, *_others: object) -> QColor:
        asked.append(initial.name())
        return answers.pop(0)

    monkeypatch.setattr(QColorDialog, "getColor", answer)
    before = labels.classes()[1].colour
    where = table.table.visualItemRect(table.table.item(1, COLOUR)).center()
    for click in (QTest.mouseClick, QTest.mouseDClick):
        click(table.table.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert labels.classes()[1].colour == "#010203"
    QTest.mouseClick(table.colour_button, Qt.MouseButton.LeftButton)  # cancelled
    assert labels.classes()[1].colour == "#010203"
    QTest.mouseClick(table.colour_button, Qt.MouseButton.LeftButton)
    assert labels.classes()[1].colour == "#040506"
    assert asked == [before, "#010203", "#010203"]


def test_remove_takes_the_examples_and_chooses_the_next(table: ClassTable, labels: LabelSet) -> None:
    table.choose("forest")
    QTest.mouseClick(table.remove_button, Qt.MouseButton.LeftButton)
    assert shown(table) == [("water", "0"), ("field", "0")]
    assert labels.layer.featureCount() == 0
    assert table.current_class() == "field"
    for _class in range(2):
        QTest.mouseClick(table.remove_button, Qt.MouseButton.LeftButton)
    assert table.current_class() == ""
    assert not table.remove_button.isEnabled()


# ---- For all users ---------------------------------------------------------------------------------------------------


def test_all_that_can_be_used_has_a_name_and_takes_the_keyboard(table: ClassTable) -> None:
    for widget in (table.table, table.new_name, *table.findChildren(QPushButton)):
        if widget.parent() is table:
            assert widget.accessibleName()
            assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus == Qt.FocusPolicy.TabFocus
    assert isinstance(table.table, QTableWidget)
    spoken = table.table.item(0, COLOUR).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "Colour of water: #e69f00"


def test_tab_leaves_the_table(table: ClassTable) -> None:
    assert not table.table.tabKeyNavigation()


def test_sizes_follow_the_font(qgis_app: QgsApplication) -> None:
    small = ClassTable()
    font = QgsApplication.font()
    try:
        twice = QgsApplication.font()
        twice.setPointSizeF(2 * font.pointSizeF())
        QgsApplication.setFont(twice)
        large = ClassTable()
    finally:
        QgsApplication.setFont(font)
    assert large.table.iconSize().height() > 1.7 * small.table.iconSize().height()
    assert large.table.minimumHeight() > 1.7 * small.table.minimumHeight()


def test_text_keeps_the_colours_of_the_theme(table: ClassTable) -> None:
    for column in (NAME, COUNT):
        assert table.table.item(0, column).data(Qt.ItemDataRole.ForegroundRole) is None
    dark = QPalette(QColor("#202020"))
    dark.setColor(QPalette.ColorRole.Text, QColor("#eeeeee"))
    table.setPalette(dark)
    assert swatch(table, 0) == "#e69f00"
