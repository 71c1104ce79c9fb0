"""What `qgis_screenshots.py` has QGIS run in its own Python: both tools on the sample, then two pictures of the result.

The folder of the sample, and the one for results and pictures, come in GFM_SAMPLE and GFM_PICTURES.
"""

from __future__ import annotations

import os
from pathlib import Path

import processing
from qgis.core import QgsMapLayer, QgsProject, QgsRasterLayer, QgsRectangle, QgsVectorLayer
from qgis.PyQt.QtCore import QCoreApplication, QEventLoop, Qt, QTimer
from qgis.PyQt.QtWidgets import QDockWidget, QLineEdit, QTreeView, QWidget
from qgis.utils import iface

SAMPLE, PICTURES = Path(os.environ["GFM_SAMPLE"]), Path(os.environ["GFM_PICTURES"])


def main() -> None:
    """Run, draw, leave; what goes wrong is told in a file, for QGIS's own exit code says nothing."""
    try:
        window = iface.mainWindow()
        window.resize(1380, 880)
        for layer in inputs():
            QgsProject.instance().addMapLayer(layer)
        run_tools()
        arrange(window)
        wait_for_map()
        window.grab().save(str(PICTURES / "qgis_window.png"))
        picture_of_dialog()
    except Exception as error:  # noqa: BLE001 - whatever it is, QGIS must not stay open
        (PICTURES / "failed.txt").write_text(f"{type(error).__name__}: {error}", encoding="utf-8")
    QgsProject.instance().setDirty(False)
    iface.actionExit().trigger()


def inputs() -> list[QgsMapLayer]:
    """The sample's rasters and labels as layers."""
    rasters = [QgsRasterLayer(str(path), path.stem) for path in sorted(SAMPLE.glob("*.tif"), reverse=True)]
    return [*rasters, QgsVectorLayer(f"{SAMPLE / 'landuse.gpkg'}|layername=landuse", "landuse")]


def run_tools() -> None:
    """Both tools with their defaults, as a user would run them."""
    embedded = {"INPUTS": rasters(), "OUTPUT": str(PICTURES / "embedding.tif")}
    processing.runAndLoadResults("jepagfm:embedlayers", embedded)
    mapped = {**classify_parameters(), "OUTPUT": str(PICTURES / "landcover.tif")}
    processing.runAndLoadResults("jepagfm:classifylandcover", mapped)


def rasters() -> list[str]:
    """Ids of the layers that were loaded, the finest first."""
    layers = QgsProject.instance().mapLayers().values()
    return [layer.id() for layer in sorted(layers, key=lambda layer: layer.name()) if layer.name().startswith("s2_")]


def classify_parameters() -> dict[str, object]:
    """What the dialog is filled with too, but for a place that says something to the reader."""
    labels = QgsProject.instance().mapLayersByName("landuse")[0].id()
    return {"INPUTS": rasters(), "LABELS": labels, "FIELD": "fclass", "OUTPUT": "/home/ana/brandenburg/landcover.tif"}


def arrange(window: QWidget) -> None:
    """The map on top with its results' legends, the toolbox open on both tools."""
    window.findChild(QDockWidget, "Browser").hide()
    layers, toolbox = (window.findChild(QDockWidget, name) for name in ("Layers", "ProcessingToolbox"))
    toolbox.show()
    window.resizeDocks([layers, toolbox], [350, 270], Qt.Orientation.Horizontal)
    for node in QgsProject.instance().layerTreeRoot().findLayers():
        result = ": " in node.name()
        node.setExpanded(result)
        if not result:
            node.setItemVisibilityChecked(False)
    show_tools(toolbox.findChild(QTreeView))
    wait(500)
    iface.mapCanvas().setExtent(part_of_map())


def show_tools(tree: QTreeView) -> None:
    """Open our tools in the toolbox."""
    model = tree.model()
    for row in range(model.rowCount()):
        index = model.index(row, 0)
        if model.data(index) == "JEPA-GFM":
            tree.expandRecursively(index)


def part_of_map() -> QgsRectangle:
    """The middle of the map, as much as fills the canvas."""
    canvas = iface.mapCanvas()
    whole = QgsProject.instance().mapLayersByName("s2_l1c_10m")[0].extent()
    height = whole.height() * 0.98
    return QgsRectangle.fromCenterAndSize(whole.center(), height * canvas.width() / canvas.height(), height)


def picture_of_dialog() -> None:
    """The dialog of Classify land cover, filled in."""
    dialog = processing.createAlgorithmDialog("jepagfm:classifylandcover", classify_parameters())
    dialog.show()
    dialog.resize(960, 850)
    wait(2000)
    for field in dialog.findChildren(QLineEdit):
        field.deselect()
    wait(500)
    dialog.grab().save(str(PICTURES / "qgis_dialog.png"))
    dialog.close()


def wait_for_map() -> None:
    """Until the map is drawn anew: QGIS shows the picture of an earlier extent, enlarged, for longer than it should."""
    canvas = iface.mapCanvas()
    canvas.clearCache()
    canvas.refreshAllLayers()
    wait(1000)
    canvas.waitWhileRendering()
    wait(1000)


def wait(milliseconds: int) -> None:
    """Let QGIS draw."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    getattr(loop, "exec", loop.exec_)()
    QCoreApplication.processEvents()


QTimer.singleShot(6000, main)
