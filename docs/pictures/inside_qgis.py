"""What `qgis_screenshots.py` has QGIS run in its own Python: both tools on the sample, and two pictures of it."""

from __future__ import annotations

import processing
from in_window import PICTURES, SAMPLE, part_of_scene, run, sample_rasters, save_picture, wait, wait_for_map
from qgis.core import QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QDockWidget, QLineEdit, QTreeView, QWidget
from qgis.utils import iface


def work() -> None:
    """Both tools, then the pictures."""
    labels = QgsVectorLayer(f"{SAMPLE / 'landuse.gpkg'}|layername=landuse", "landuse")
    for layer in [*sample_rasters(), labels]:
        QgsProject.instance().addMapLayer(layer)
    run_tools()
    arrange(iface.mainWindow())
    wait_for_map()
    save_picture("qgis_window")
    picture_of_dialog()


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
    iface.mapCanvas().setExtent(part_of_scene())


def show_tools(tree: QTreeView) -> None:
    """Open our tools in the toolbox."""
    model = tree.model()
    for row in range(model.rowCount()):
        index = model.index(row, 0)
        if model.data(index) == "JEPA-GFM":
            tree.expandRecursively(index)


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


run(work)
