"""The classes of a label set as a table: choose, add, rename, recolour, remove."""

from __future__ import annotations

from collections.abc import Callable

from qgis.PyQt.QtCore import QEvent, QObject, QSignalBlocker, QSize, Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor, QIcon, QPainter, QPalette, QPixmap
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QColorDialog,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ..translation import tr
from .label_set import LabelClass, LabelSet

COLOUR, NAME, COUNT = range(3)  # columns
_ROWS_SHOWN = 5  # at least


class ClassTable(QWidget):
    """A row for each class; the current one is chosen by its row or the keys 1 to 9."""

    class_chosen = pyqtSignal(str)  # "" when there is none any more
    message = pyqtSignal(str)  # a sentence: why something was refused

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._set: LabelSet | None = None
        self._chosen = ""
        self.table = self._make_table()
        self.new_name = QLineEdit()
        self.new_name.setPlaceholderText(tr("New class"))
        _make_placeholder_seen(self.new_name)
        self.new_name.setAccessibleName(tr("Name of the new class"))
        self.new_name.returnPressed.connect(self.add)
        self.add_button = self._button(tr("Add"), tr("Add a class"), self.add)
        self.rename_button = self._button(tr("Rename"), tr("Rename the chosen class"), self.rename)
        self.colour_button = self._button(tr("Colour…"), tr("Change the colour of the chosen class"), self.recolour)
        self.remove_button = self._button(tr("Remove"), tr("Remove the chosen class with its examples"), self.remove)
        self._lay_out()
        self._fill()

    # ---- Its parts ---------------------------------------------------------------------------------------------------

    def _make_table(self) -> QTableWidget:
        table = QTableWidget(0, 3)
        table.setAccessibleName(tr("Classes"))
        table.setAccessibleDescription(tr("The keys 1 to 9 choose a class, F2 renames it."))
        table.setHorizontalHeaderLabels([tr("Colour"), tr("Class"), tr("Examples")])
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        table.setTabKeyNavigation(False)  # Tab goes on to the buttons
        header = table.horizontalHeader()
        for column in (COLOUR, COUNT):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        table.setMinimumHeight(table.fontMetrics().lineSpacing() * 2 * (_ROWS_SHOWN + 1))
        table.setIconSize(self._swatch_size())
        table.currentCellChanged.connect(self._row_changed)
        table.itemChanged.connect(self._edited)
        table.cellDoubleClicked.connect(self._double_clicked)
        table.installEventFilter(self)
        return table

    def _button(self, text: str, help_text: str, run: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(help_text)
        button.setAccessibleName(help_text)
        button.setAutoDefault(False)
        button.clicked.connect(lambda _checked=False: run())
        return button

    def _lay_out(self) -> None:
        above, below = QHBoxLayout(), QHBoxLayout()
        above.addWidget(self.new_name, 1)
        above.addWidget(self.add_button)
        for button in (self.rename_button, self.colour_button, self.remove_button):
            below.addWidget(button)
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.addLayout(above)
        page.addWidget(self.table, 1)
        page.addLayout(below)

    # ---- What it shows -----------------------------------------------------------------------------------------------

    def set_label_set(self, label_set: LabelSet | None) -> None:
        """Show another set, or none; its first class is chosen."""
        if self._set is not None:
            self._set.changed.disconnect(self._fill)
            self._set.recoloured.disconnect(self._fill)
            self._set.closed.disconnect(self._leave)
        self._set = label_set
        if label_set is not None:
            label_set.changed.connect(self._fill)
            label_set.recoloured.connect(self._fill)
            label_set.closed.connect(self._leave)
        with QSignalBlocker(self.table):
            self.table.setCurrentCell(-1, -1)
        self._fill()

    def current_class(self) -> str:
        """The chosen class, "" if there is none."""
        return self._chosen

    def choose(self, name: str) -> None:
        """Make a class the current one."""
        names = self._names()
        if name in names:
            self.table.setCurrentCell(names.index(name), NAME)

    def choose_number(self, number: int) -> None:
        """Make the class in row `number`, from 1 on, the current one."""
        if 0 < number <= self.table.rowCount():
            self.table.setCurrentCell(number - 1, NAME)

    def _leave(self) -> None:
        self.set_label_set(None)

    def _names(self) -> list[str]:
        return [item.name for item in self._set.classes()] if self._set is not None else []

    def _fill(self) -> None:
        """Show the classes as they are; items stay, since one of them may be in an editor."""
        classes = self._set.classes() if self._set is not None else []
        names = [item.name for item in classes]
        with QSignalBlocker(self.table):
            self.table.setRowCount(len(classes))
            for row, item in enumerate(classes):
                self._show(row, item)
            if classes:
                row = names.index(self._chosen) if self._chosen in names else max(self.table.currentRow(), 0)
                self.table.setCurrentCell(min(row, len(classes) - 1), NAME)
        self.setEnabled(self._set is not None)
        self._row_changed()

    def _show(self, row: int, item: LabelClass) -> None:
        swatch, name, count = (self._item(row, column) for column in (COLOUR, NAME, COUNT))
        swatch.setIcon(QIcon(self._swatch(item.colour)))
        swatch.setToolTip(item.colour)
        swatch.setData(
            Qt.ItemDataRole.AccessibleTextRole,
            tr("Colour of {name}: {colour}").format(name=item.name, colour=item.colour),
        )
        name.setText(item.name)
        count.setText(str(item.count))
        count.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def _item(self, row: int, column: int) -> QTableWidgetItem:
        item = self.table.item(row, column)
        if item is None:
            item = QTableWidgetItem()
            flags = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled
            item.setFlags(flags | Qt.ItemFlag.ItemIsEditable if column == NAME else flags)
            self.table.setItem(row, column, item)
        return item

    def _swatch_size(self) -> QSize:
        side = self.fontMetrics().height()
        return QSize(2 * side, side)

    def _swatch(self, colour: str) -> QPixmap:
        """Of the font's height and the screen's own pixels, with a frame in the colour of text."""
        size, ratio = self._swatch_size(), self.devicePixelRatioF()
        picture = QPixmap(size * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(QColor(colour))
        painter = QPainter(picture)
        painter.setPen(self.palette().text().color())
        painter.drawRect(0, 0, size.width() - 1, size.height() - 1)
        painter.end()
        return picture

    # ---- What the user does ------------------------------------------------------------------------------------------

    def add(self) -> None:
        """A class of the name typed above."""
        name = self.new_name.text().strip()
        if self._set is not None and self._tried(self._set.add_class, name):
            self.new_name.clear()
            self.choose(name)

    def rename(self) -> None:
        """Edit the name of the chosen class in its row."""
        item = self.table.item(self.table.currentRow(), NAME)
        if item is not None:
            self.table.editItem(item)

    def recolour(self) -> None:
        """Ask for another colour of the chosen class."""
        known = {item.name: item.colour for item in self._set.classes()} if self._set is not None else {}
        if self._chosen in known:
            title = tr("Colour of {name}").format(name=self._chosen)
            colour = QColorDialog.getColor(QColor(known[self._chosen]), self, title)
            if colour.isValid():
                self._tried(self._set.recolour_class, self._chosen, colour.name())

    def remove(self) -> None:
        """Remove the chosen class with its examples; undo brings both back."""
        if self._set is not None and self._chosen:
            self._tried(self._set.remove_class, self._chosen)

    def _tried(self, action: Callable[..., None], *values: str) -> bool:
        """Whether it was done; else the message says why not."""
        try:
            action(*values)
        except ValueError as error:
            self.message.emit(str(error))
            return False
        return True

    def _row_changed(self, *_cells: int) -> None:
        row, names = self.table.currentRow(), self._names()
        chosen = names[row] if 0 <= row < len(names) else ""
        for button in (self.rename_button, self.colour_button, self.remove_button):
            button.setEnabled(bool(chosen))
        if chosen != self._chosen:
            self._chosen = chosen
            self.class_chosen.emit(chosen)

    def _edited(self, item: QTableWidgetItem) -> None:
        """A name was typed into a row."""
        names = self._names()
        if item.column() != NAME or item.row() >= len(names):
            return
        old, new = names[item.row()], item.text().strip()
        if new in names and new != old:
            self.message.emit(tr("There is a class {name} already.").format(name=new))
        elif new != old and self._tried(self._set.rename_class, old, new):
            return
        with QSignalBlocker(self.table):
            item.setText(old)

    def _double_clicked(self, _row: int, column: int) -> None:
        if column == COLOUR:
            self.recolour()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The keys 1 to 9 in the table."""
        is_plain = event.type() == QEvent.Type.KeyPress and event.modifiers() in (
            Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier,
        )  # fmt: skip
        if is_plain and event.text() in tuple("123456789"):
            self.choose_number(int(event.text()))
            return True
        return super().eventFilter(watched, event)


def _make_placeholder_seen(edit: QLineEdit) -> None:
    """Half as strong as the text: some styles, QGIS's own among them, leave it nearly as pale as the field."""
    palette = edit.palette()
    colour = palette.color(QPalette.ColorRole.Text)
    colour.setAlpha(128)
    palette.setColor(QPalette.ColorRole.PlaceholderText, colour)
    edit.setPalette(palette)
