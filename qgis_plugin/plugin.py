"""The plugin: what it adds to QGIS, and takes away again."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsApplication

from . import session, translation
from .provider import JepaGfmProvider


class JepaGfmPlugin:
    """Adds the Processing provider and, in a window, a page of options. Starts no process and reads no file."""

    def __init__(self, iface: Any) -> None:
        self._iface = iface  # None in qgis_process
        self._translator: Any = None
        self._provider: JepaGfmProvider | None = None
        self._options: Any = None
        self._layer_actions: Any = None
        self._dock_action: Any = None

    def initProcessing(self) -> None:
        """All that is needed without a window. The language first: QGIS asks for names and labels once."""
        self._translator = translation.install()
        self._provider = JepaGfmProvider()
        QgsApplication.processingRegistry().addProvider(self._provider)

    def initGui(self) -> None:
        """The provider, the page *JEPA-GFM* of the options, the entries in the menus of layers, and the dock."""
        from .dock.action import DockAction  # noqa: PLC0415 - there is no window in qgis_process
        from .layer_actions import LayerActions  # noqa: PLC0415 - there is no window in qgis_process
        from .setup.options import OptionsFactory  # noqa: PLC0415

        self.initProcessing()
        self._options = OptionsFactory()
        self._iface.registerOptionsWidgetFactory(self._options)
        self._layer_actions = LayerActions(self._iface)
        self._dock_action = DockAction(self._iface)

    def unload(self) -> None:
        """Take everything away, and end the workers and a set-up."""
        if self._dock_action is not None:
            self._dock_action.remove()
            self._dock_action = None
        if self._layer_actions is not None:
            self._layer_actions.remove()
            self._layer_actions = None
        if self._options is not None:
            from .setup import task  # noqa: PLC0415 - no set-up without a window

            task.stop()
            self._iface.unregisterOptionsWidgetFactory(self._options)
            self._options = None
        if self._provider is not None:
            QgsApplication.processingRegistry().removeProvider(self._provider)
            self._provider = None
        if self._translator is not None:
            translation.remove(self._translator)
            self._translator = None
        session.stop_worker()
