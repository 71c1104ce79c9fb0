"""The Processing provider: every tool of the description as an algorithm."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from .algorithms.tool import ToolAlgorithm
from .description import tools
from .session import plugin_version

_ICON = str(Path(__file__).resolve().parent / "icons" / "jepa_gfm.svg")


class JepaGfmProvider(QgsProcessingProvider):
    """`jepagfm` in Processing."""

    def loadAlgorithms(self) -> None:
        """One algorithm a tool."""
        for tool in tools():
            self.addAlgorithm(ToolAlgorithm(tool))

    def id(self) -> str:
        """Stands before each algorithm's name; never changes."""
        return "jepagfm"

    def name(self) -> str:
        """As the toolbox shows it."""
        return "JEPA-GFM"

    def versionInfo(self) -> str:
        """The plugin's version."""
        return plugin_version()

    def icon(self) -> QIcon:
        """The plugin's."""
        return QIcon(_ICON)

    def svgIconPath(self) -> str:
        """Its file."""
        return _ICON

    def defaultRasterFileExtension(self) -> str:
        """GeoTIFF is what is written."""
        return "tif"

    def supportedOutputRasterLayerExtensions(self) -> list[str]:
        """And nothing else is offered."""
        return ["tif", "tiff"]
