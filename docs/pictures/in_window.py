"""What the scripts that QGIS runs for `qgis_screenshots.py` share: how they begin, wait, and end.

The folder of the sample, and the one for results and pictures, come in GFM_SAMPLE and GFM_PICTURES.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from qgis.core import QgsProject, QgsRasterLayer, QgsRectangle
from qgis.PyQt.QtCore import QCoreApplication, QEventLoop, QTimer
from qgis.utils import iface

SAMPLE, PICTURES = Path(os.environ["GFM_SAMPLE"]), Path(os.environ["GFM_PICTURES"])
FAILED = PICTURES / "failed.txt"
_UNTIL_OPEN = 6000  # ms


def run(work: Callable[[], None]) -> None:
    """Work when the window is open, then leave; what goes wrong is told in a file: QGIS's exit code says nothing."""
    QTimer.singleShot(_UNTIL_OPEN, lambda: _run(work))


def _run(work: Callable[[], None]) -> None:
    sys.excepthook = lambda kind, error, _trace: _failed(f"{kind.__name__}: {error}")
    try:
        iface.mainWindow().resize(1380, 880)
        work()
    except Exception as error:  # noqa: BLE001 - whatever it is, QGIS must not stay open
        _failed(f"{type(error).__name__}: {error}")
    QgsProject.instance().setDirty(False)
    iface.actionExit().trigger()


def _failed(text: str) -> None:
    FAILED.write_text(text, encoding="utf-8")


def sample_rasters() -> list[QgsRasterLayer]:
    """The sample's rasters as layers, the finest last."""
    return [QgsRasterLayer(str(path), path.stem) for path in sorted(SAMPLE.glob("*.tif"), reverse=True)]


def part_of_scene() -> QgsRectangle:
    """The middle of the sample, as much as fills the canvas."""
    canvas = iface.mapCanvas()
    whole = QgsProject.instance().mapLayersByName("s2_l1c_10m")[0].extent()
    height = whole.height() * 0.98
    return QgsRectangle.fromCenterAndSize(whole.center(), height * canvas.width() / canvas.height(), height)


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


def save_picture(name: str) -> None:
    """The whole window as `name`.png."""
    wait(300)
    iface.mainWindow().grab().save(str(PICTURES / f"{name}.png"))
