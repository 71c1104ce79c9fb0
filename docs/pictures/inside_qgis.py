"""What `qgis_screenshots.py` has QGIS run in its own Python: both tools on the sample, then two pictures of the result.

The folder of the sample, and the one for results and pictures, come in GFM_SAMPLE and GFM_PICTURES.
"""

from __future__ import annotations

import os
from pathlib import Path

import processing
from qgis.core import QgsApplication, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QCoreApplication, QEventLoop, QTimer
from qgis.PyQt.QtWidgets import QDockWidget, QTreeView, QWidget
from qgis.utils import iface

SAMPLE, PICTURES = Path(os.environ["GFM_SAMPLE"]), Path(os.environ["GFM_PICTURES"])
RASTERS = [str(path) for path in sorted(SAMPLE.glob("*.tif"))]
LABELS = f"{SAMPLE / 'landuse.gpkg'}|layername=landuse"


def main() -> None:
    """Run, draw, leave; what goes wrong is told in a file, for QGIS's own exit code says nothing."""
    try:
        window = iface.mainWindow()
        window.resize(1380, 880)
        run_tools()
        arrange(window)
        wait(6000)
        window.grab().save(str(PICTURES / "qgis_window.png"))
        picture_of_dialog()
    except Exception as error:  # noqa: BLE001 - whatever it is, QGIS must not stay open
        (PICTURES / "failed.txt").write_text(f"{type(error).__name__}: {error}", encoding="utf-8")
    QgsProject.instance().setDirty(False)
    iface.actionExit().trigger()


def run_tools() -> None:
    """Both tools with their defaults, on the sample, as a user would run them."""
    for path in RASTERS[:1]:
        QgsProject.instance().addMapLayer(QgsRasterLayer(path, Path(path).stem))
    embedded = {"INPUTS": RASTERS, "OUTPUT": str(PICTURES / "embedding.tif")}
    processing.runAndLoadResults("jepagfm:embedlayers", embedded)
    processing.runAndLoadResults("jepagfm:classifylandcover", classify_parameters())


def classify_parameters() -> dict[str, object]:
    """What the dialog is filled with too."""
    return {"INPUTS": RASTERS, "LABELS": LABELS, "FIELD": "fclass", "OUTPUT": str(PICTURES / "landcover.tif")}


def arrange(window: QWidget) -> None:
    """The map on top, the toolbox open on both tools."""
    iface.mapCanvas().zoomToFullExtent()
    toolbox = window.findChild(QDockWidget, "ProcessingToolbox")
    toolbox.show()
    toolbox.raise_()
    tree = toolbox.findChild(QTreeView)
    model = tree.model()
    for row in range(model.rowCount()):
        index = model.index(row, 0)
        if model.data(index) == "JEPA-GFM":
            tree.expandRecursively(index)
            tree.scrollTo(index, QTreeView.ScrollHint.PositionAtTop)


def picture_of_dialog() -> None:
    """The dialog of Classify land cover, filled in."""
    dialog = processing.createAlgorithmDialog("jepagfm:classifylandcover", classify_parameters())
    dialog.show()
    dialog.resize(900, 720)
    wait(2000)
    dialog.grab().save(str(PICTURES / "qgis_dialog.png"))
    dialog.close()


def wait(milliseconds: int) -> None:
    """Let QGIS draw."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    getattr(loop, "exec", loop.exec_)()
    QCoreApplication.processEvents()


assert QgsApplication.instance() is not None
QTimer.singleShot(6000, main)
