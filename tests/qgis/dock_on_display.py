"""The dock on another display: a program of its own, for Qt takes the scale of its display once, at its start.

    QT_SCALE_FACTOR=2 python -m tests.qgis.dock_on_display light|dark en|de FOLDER

The folder holds the compiled translation. Prints as JSON what can be measured; leaves the picture `dock.png` there.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from qgis.core import QgsApplication, QgsCoordinateReferenceSystem
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QLocale
from qgis.PyQt.QtGui import QColor, QPalette
from qgis.PyQt.QtWidgets import QLabel, QLineEdit, QMainWindow, QPushButton, QWidget

ROLES = QPalette.ColorRole
DARK = {
    ROLES.Window: "#353535", ROLES.WindowText: "#ffffff", ROLES.Base: "#232323", ROLES.AlternateBase: "#353535",
    ROLES.Text: "#ffffff", ROLES.Button: "#353535", ROLES.ButtonText: "#ffffff", ROLES.ToolTipBase: "#232323",
    ROLES.ToolTipText: "#ffffff", ROLES.Highlight: "#2a82da", ROLES.HighlightedText: "#000000",
}  # fmt: skip
ANSWER: dict[str, Any] = {
    "macro_f1": 0.83, "macro_f1_raw_bands": 0.71, "next": [], "suspects": [],
    "classes": [{"name": name, "labels": 5, "f1": 0.8, "share": 0.5} for name in ("forest", "water")],
    "warnings": ["Class 'forest' lies in only 4 ground squares of 956 m; its score is weak evidence."],
}  # fmt: skip


_translators: list[Any] = []  # kept: Qt does not


def main(theme: str, language: str, folder: Path) -> None:
    """Make the dock as it is in the middle of the work, and measure it."""
    QLocale.setDefault(QLocale(language))
    application = QgsApplication([], True)
    application.initQgis()
    application.setStyle("Fusion")
    palette = QPalette()
    for role, colour in DARK.items() if theme == "dark" else ():
        palette.setColor(role, QColor(colour))
    palette.setColor(ROLES.PlaceholderText, palette.color(ROLES.Base))  # as pale as the styles that come with QGIS
    application.setPalette(palette)
    dock = _dock(folder, language)
    application.processEvents()
    picture = dock.grab()
    picture.save(str(folder / "dock.png"))
    widgets = [item for item in dock.findChildren(QWidget) if item.isVisibleTo(dock)]
    told = {
        "scale": picture.devicePixelRatio(), "width": dock.width(),
        "cut": [item.text() for item in widgets if isinstance(item, QPushButton) and _is_cut(item)],
        "styled": [type(item).__name__ for item in widgets if item.styleSheet()],
        "pale": [item.accessibleName() or item.text() for item in widgets if _is_pale(item)],
        "brightness": _brightness(picture.toImage()), "embed": dock.embed_view.text(),
    }  # fmt: skip
    sys.stdout.write(json.dumps(told))
    sys.stdout.flush()
    os._exit(0)  # Qt and Python do not agree on who takes the window down


def _dock(folder: Path, language: str) -> Any:
    from qgis_plugin import translation
    from qgis_plugin.dock.dock import LabelDock
    from qgis_plugin.dock.label_set import LabelSet

    if language != "en":
        translation.FOLDER = folder
        _translators.append(translation.install())
    window = QMainWindow()
    window.canvas = QgsMapCanvas(window)
    window.setCentralWidget(window.canvas)
    dock = LabelDock(_Iface(window))
    labels = LabelSet.create(str(folder / "labels.gpkg"), QgsCoordinateReferenceSystem("EPSG:32633"), "labels")
    dock.use_labels(labels)
    for name in ("forest", "water"):
        labels.add_class(name)
    dock._show_score(ANSWER)
    dock._say("Embedded; label examples of each class.")
    dock.resize(dock.minimumSizeHint().width(), 1000)  # as narrow as it may be
    dock.show()
    return dock


class _Iface:
    """As much of QGIS's window as the dock asks for."""

    def __init__(self, window: QMainWindow) -> None:
        self._window = window

    def mainWindow(self) -> QMainWindow:
        return self._window

    def mapCanvas(self) -> QgsMapCanvas:
        return self._window.canvas


def _is_cut(button: QPushButton) -> bool:
    """Whether its text does not fit."""
    return button.fontMetrics().boundingRect(button.text()).width() > button.width()


def _is_pale(widget: QWidget) -> bool:
    """Whether its text is hard to tell from its ground: less than 4.5 to 1 (WCAG 2.1, 1.4.3), 3 for a placeholder."""
    palette = widget.palette()
    if isinstance(widget, (QLabel, QPushButton)):
        return (
            widget.isEnabled()
            and _contrast(palette.color(widget.foregroundRole()), palette.color(widget.backgroundRole())) < 4.5
        )
    if isinstance(widget, QLineEdit) and widget.placeholderText():
        return _contrast(palette.color(ROLES.PlaceholderText), palette.color(ROLES.Base)) < 3
    return False


def _contrast(colour: QColor, ground: QColor) -> float:
    """Of a colour, laid over the ground where it is translucent."""
    share = colour.alphaF()
    mixed = [share * a + (1 - share) * b for a, b in zip(colour.getRgbF()[:3], ground.getRgbF()[:3], strict=True)]
    lights = sorted((_luminance(mixed), _luminance(ground.getRgbF()[:3])))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _luminance(rgb: Any) -> float:
    linear = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in rgb]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _brightness(image: Any) -> float:
    """Mean of the picture, 0 to 255."""
    small = image.scaled(64, 64)
    return sum(small.pixelColor(x, y).lightness() for x in range(64) for y in range(64)) / 64**2


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
