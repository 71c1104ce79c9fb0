"""The files of what the dock shows, in the profile: projects that are opened again find them there."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path

from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsPointXY,
    QgsProject,
)

from ..translation import tr

_OLD = 30 * 24 * 3600  # s: views that were not shown for so long are removed


class Views:
    """New files in a folder of their own, which is made when it is needed, and again when somebody took it away."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self._kept: set[str] = set()
        self._numbers = count(1)

    def new_file(self, name: str) -> Path:
        """A file of its own for each answer: the one before may still be on the canvas.

        ValueError, a sentence, if the profile takes none.
        """
        try:
            if self.folder is None or not self.folder.exists():
                self.folder = _new_folder()
        except OSError as error:
            raise ValueError(
                tr("The folder {path} of the QGIS profile cannot be written ({reason}); make it writable.").format(
                    path=error.filename, reason=error.strerror
                )
            ) from error
        return self.folder / f"{name}_{next(self._numbers)}.tif"

    def keep(self, paths: Collection[str]) -> None:
        """Never remove these: a project, as it is saved, shows them."""
        self._kept.update(paths)

    def remove(self, path: str) -> None:
        """A file that is not shown any more, with what was written beside it; only one of this session."""
        file = Path(path)
        if self.folder is None or file.parent != self.folder or path in self._kept:
            return
        picture = file.with_name(f"{file.stem}_pca.png")
        for beside in (file, picture, file.with_suffix(".qml"), Path(f"{file}.aux.xml")):
            with suppress(OSError):  # still open on Windows: it goes with the folder
                beside.unlink()


def points_file(path: Path, points: Sequence[QgsPointXY], crs: QgsCoordinateReferenceSystem) -> str:
    """Points as GeoJSON in longitude and latitude, as the format wants it."""
    to_world = QgsCoordinateTransform(crs, QgsCoordinateReferenceSystem("EPSG:4326"), QgsProject.instance())
    features = [
        {
            "type": "Feature", "properties": {},
            "geometry": {"type": "Point", "coordinates": [found.x(), found.y()]},
        }
        for found in map(to_world.transform, points)
    ]  # fmt: skip
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return str(path)


def _new_folder() -> Path:
    folder = Path(QgsApplication.qgisSettingsDirPath()) / "jepa_gfm" / "views"
    folder.mkdir(parents=True, exist_ok=True)
    _remove_old(folder)
    return Path(tempfile.mkdtemp(prefix="views_", dir=folder))


def _remove_old(folder: Path) -> None:
    for item in folder.glob("views_*"):
        with suppress(OSError):
            if time.time() - max(file.stat().st_atime for file in (item, *item.iterdir())) > _OLD:
                shutil.rmtree(item, ignore_errors=True)
