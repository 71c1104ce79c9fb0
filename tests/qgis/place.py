"""A small place for the tests inside QGIS: 2.4 km of the sample scene, its labels, and `gfm` to compare with."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from osgeo import gdal

REPOSITORY = Path(__file__).resolve().parents[2]
PYTHON = str(REPOSITORY / ".venv" / "bin" / "python")

_SAMPLE = REPOSITORY / "gfm_core" / "assets" / "sample"
_GROUND = [339_600, 5_819_160, 342_000, 5_816_760]  # left, top, right, bottom in EPSG:32633: six classes

gdal.UseExceptions()


@dataclass(frozen=True)
class SmallPlace:
    """Files of one place: rasters at 10, 20 and 60 m, polygons with the fields `fclass` and `split`."""

    rasters: list[str]
    labels: str


def cut(folder: Path) -> SmallPlace:
    """The place as files of its own: QGIS leaves statistics beside rasters, which the sample must not get."""
    rasters = []
    for gsd in (10, 20, 60):
        name = f"s2_l1c_{gsd}m.tif"
        gdal.Translate(str(folder / name), str(_SAMPLE / name), projWin=_GROUND)
        rasters.append(str(folder / name))
    return SmallPlace(rasters, labels_file(folder / "landuse.gpkg"))


def labels_file(path: Path, **options: object) -> str:
    """The place's polygons as a file; `options` as for `gdal.VectorTranslate`."""
    left, top, right, bottom = _GROUND
    gdal.VectorTranslate(
        str(path), str(_SAMPLE / "landuse.gpkg"), format="GPKG", layerName=path.stem,
        spatFilter=[left, bottom, right, top], spatSRS="EPSG:32633", **options,
    )  # fmt: skip
    return str(path)


def gfm(*arguments: object) -> str:
    """Run the command line in the worker's environment; what it printed."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "GDAL", "PROJ"))}
    done = subprocess.run(
        [PYTHON, "-I", "-m", "gfm_core.cli", *map(str, arguments)], env=environ, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def same_raster(one: str | Path, other: str | Path) -> bool:
    """Whether pixels, bands, tags and georeference of two files are equal."""
    return _content(one) == _content(other)


def _content(path: str | Path) -> tuple[object, ...]:
    dataset = gdal.Open(str(path))
    bands = [dataset.GetRasterBand(number + 1) for number in range(dataset.RasterCount)]
    return (
        dataset.ReadRaster(), dataset.GetGeoTransform(), dataset.GetProjection(), dataset.GetMetadata(),
        [
            (
                band.GetDescription(), repr(band.GetNoDataValue()), _or(band.GetScale(), 1.0),
                _or(band.GetOffset(), 0.0),
            )
            for band in bands
        ],
        bands[0].GetRasterCategoryNames(),
    )  # fmt: skip


def _or(value: float | None, neutral: float) -> float:
    """QGIS writes scales of one into the file of statistics that it leaves beside a raster."""
    return neutral if value is None else value
