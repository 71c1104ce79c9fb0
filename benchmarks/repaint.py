"""How long QGIS takes to draw an embedding whose bands lie apart, and one whose bands lie together.

    .venv/bin/gfm embed ... -o embedding.tif
    .venv-qgis/bin/python benchmarks/repaint.py embedding.tif [--repeat 5]

Copies the file to both interleavings (same blocks, same packing, overviews) and draws three bands of each as red, green
and blue in 1000 x 800 pixels: all of it, a part at full resolution, a part after moving. Needs QGIS's Python.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from osgeo import gdal
from qgis.core import (
    QgsApplication,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsMultiBandColorRenderer,
    QgsRasterLayer,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QSize

gdal.UseExceptions()


def copy(source: str, target: Path, interleave: str) -> None:
    """The same raster, band- or pixel-interleaved."""
    options = [f"INTERLEAVE={interleave}", "TILED=YES", "BLOCKXSIZE=128", "BLOCKYSIZE=128", "COMPRESS=ZSTD",
               "ZSTD_LEVEL=3", "PREDICTOR=2", "BIGTIFF=IF_SAFER"]  # fmt: skip
    gdal.Translate(str(target), source, creationOptions=options)
    dataset = gdal.Open(str(target), gdal.GA_Update)
    dataset.BuildOverviews("AVERAGE", [2, 4])


def seconds_to_draw(layer: QgsRasterLayer, extent: QgsRectangle) -> float:
    """One drawing of the layer, with the caches of GDAL emptied first."""
    layer.dataProvider().reloadData()
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(layer.crs())
    settings.setExtent(extent)
    settings.setOutputSize(QSize(1000, 800))
    job = QgsMapRendererParallelJob(settings)
    begun = time.perf_counter()
    job.start()
    job.waitForFinished()
    return time.perf_counter() - begun


def main() -> int:
    """Draw and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("embedding")
    parser.add_argument("--repeat", type=int, default=5)
    args = parser.parse_args()
    application = QgsApplication([], False)
    application.initQgis()
    print("| bands | file | all of it | a part | moved |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for interleave in ("BAND", "PIXEL"):
            path = Path(folder) / f"{interleave}.tif"
            copy(args.embedding, path, interleave)
            layer = QgsRasterLayer(str(path), interleave)
            count = layer.bandCount()
            layer.setRenderer(QgsMultiBandColorRenderer(layer.dataProvider(), count - 2, count - 1, count))
            whole = layer.extent()
            side_x, side_y = 500 * layer.rasterUnitsPerPixelX(), 400 * layer.rasterUnitsPerPixelY()
            left, top = whole.xMinimum(), whole.yMaximum()
            part = QgsRectangle(left, top - side_y, left + side_x, top)
            moved = QgsRectangle(left + side_x / 4, top - side_y * 1.2, left + side_x * 1.25, top - side_y / 5)
            found = [min(seconds_to_draw(layer, extent) for _ in range(args.repeat)) for extent in (whole, part, moved)]
            told = " | ".join(f"{1000 * seconds:.0f} ms" for seconds in found)
            print(
                f"| {count} {interleave.lower()}-interleaved | {path.stat().st_size / 1e6:.0f} MB | {told} |",
                flush=True,
            )
            del layer
    application.exitQgis()
    return 0


if __name__ == "__main__":
    sys.exit(main())
