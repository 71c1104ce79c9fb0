"""The entry of the menu and toolbar that shows the dock; nothing of the dock is made before it is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import QgsProject
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import QAction

from ..translation import tr

_ICON = Path(__file__).resolve().parent.parent / "icons" / "jepa_gfm.svg"
_MENU = "JEPA-GFM"


class DockAction:
    """Also brings the dock back with a project that was labelled in it."""

    def __init__(self, iface: Any) -> None:
        self._iface = iface
        self.dock: Any = None
        self.action = QAction(QIcon(str(_ICON)), tr("Label and look"), iface.mainWindow())
        self.action.setObjectName("JepaGfmLabelAndLook")
        self.action.setCheckable(True)
        self.action.setStatusTip(tr("Label a few places and see the map at once"))
        self.action.triggered.connect(self.show)
        iface.addToolBarIcon(self.action)
        iface.addPluginToRasterMenu(_MENU, self.action)
        QgsProject.instance().readProject.connect(self._project_read)

    def show(self, on: bool = True) -> Any:
        """Show the dock, made at the first time, or hide it."""
        if on and self.dock is None:
            from .dock import LabelDock  # noqa: PLC0415 - quick start of QGIS

            self.dock = LabelDock(self._iface)
            self.dock.visibilityChanged.connect(self.action.setChecked)
            self._iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.dock)
            self.dock.restore()
        if self.dock is not None:
            self.dock.setVisible(on)
        return self.dock

    def remove(self) -> None:
        """Take away what was added."""
        QgsProject.instance().readProject.disconnect(self._project_read)
        if self.dock is not None:
            self.dock.close_for_good()
            self._iface.removeDockWidget(self.dock)
            self.dock.deleteLater()
            self.dock = None
        self._iface.removeToolBarIcon(self.action)
        self._iface.removePluginRasterMenu(_MENU, self.action)
        self.action.deleteLater()

    def _project_read(self, *_document: Any) -> None:
        from .project_state import is_kept  # noqa: PLC0415 - quick start of QGIS

        if self.dock is None and is_kept():
            self.show()
