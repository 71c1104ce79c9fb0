"""The plain parts of the dock: a button, a line of text, a row, a box."""

from __future__ import annotations

from typing import Any

from qgis.PyQt.QtWidgets import QGroupBox, QHBoxLayout, QLabel, QPushButton, QWidget


def button(text: str, help_text: str, *, checkable: bool = False) -> QPushButton:
    """A button whose tooltip screen readers tell too."""
    made = QPushButton(text)
    made.setToolTip(help_text)
    made.setAccessibleDescription(help_text)
    made.setCheckable(checkable)
    return made


def line_of_text(name: str) -> QLabel:
    """A line that is empty most of the time, and takes no room then; see `tell`."""
    label = QLabel()
    label.setWordWrap(True)
    label.setMargin(4)
    label.setAccessibleName(name)
    label.hide()
    return label


def tell(label: QLabel, text: str) -> None:
    """Show a text, or nothing."""
    label.setText(text)
    label.setVisible(bool(text))


def row(*widgets: QWidget) -> QHBoxLayout:
    """Beside each other."""
    made = QHBoxLayout()
    for widget in widgets:
        made.addWidget(widget)
    return made


def box(title: str, layout: Any) -> QGroupBox:
    """A step of the dock."""
    made = QGroupBox(title)
    made.setLayout(layout)
    return made
