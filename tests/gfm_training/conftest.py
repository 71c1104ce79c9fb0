"""Tests of the training package: they run where the train extra is installed, and are not even read elsewhere."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from affine import Affine

if TYPE_CHECKING:
    from gfm_training.anchors import Books
    from gfm_training.data import Places, Survey

HAS_EXTRA = all(importlib.util.find_spec(name) for name in ("torchgeo", "lightning", "gfm_training"))
collect_ignore_glob = [] if HAS_EXTRA else ["test_*.py", "*/test_*.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything below this folder needs the extra."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.train)


def ground(seed: int, bands: int, side: int) -> np.ndarray[Any, Any]:
    """Reflectance x 10 000 that varies over several pixels, uint16 `[bands, side, side]`."""
    from scipy.ndimage import gaussian_filter

    noise = np.random.default_rng(seed).standard_normal((bands, side, side))
    smooth = gaussian_filter(noise, (0, 3, 3))
    return np.clip(1500 + 900 * smooth / smooth.std() + 150 * noise, 1, 9000).astype(np.uint16)


def write_place(folder: Path, *, seed: int = 0, east: float = 400_000.0) -> Path:
    """A place of 1.2 km: four Sentinel-2 bands at 10 m, three at 60 m, two radar bands, heights at 30 m."""
    from tests.conftest import write_raster

    def at(size: float) -> Affine:
        return Affine(size, 0.0, east, 0.0, -size, 5_800_000.0)

    rng = np.random.default_rng(seed + 50)
    radar = (-12 + 3 * rng.standard_normal((2, 120, 120))).astype(np.float32)
    height = (200 + ground(seed + 3, 1, 40) / 50).astype(np.float32)
    write_raster(
        folder / "s2_l2a_2020-06-01_10m.tif", ground(seed, 4, 120), names=["B02", "B03", "B04", "B08"], transform=at(10)
    )
    write_raster(folder / "s2_l2a_2020-06-01_60m.tif", ground(seed + 1, 2, 20), names=["B01", "B09"], transform=at(60))
    write_raster(folder / "s1_db.tif", radar, names=["VV", "VH"], transform=at(10))
    write_raster(folder / "dem.tif", height, names=["elevation"], transform=at(30))
    return folder


@pytest.fixture(scope="session")
def place_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two places far from each other."""
    top = tmp_path_factory.mktemp("places")
    write_place(top / "north", seed=0)
    write_place(top / "south", seed=10, east=500_000.0)
    return top


@pytest.fixture(scope="session")
def places(place_folders: Path) -> Places:
    """Both places, in memory."""
    from gfm_training.data import Places
    from gfm_training.discover import discover

    found = Places(discover([place_folders]).places)
    found.load()
    return found


@pytest.fixture(scope="session")
def surveys(places: Places) -> tuple[Survey, ...]:
    """Fixed windows of both places, in cells of two sizes."""
    from gfm_training.data import survey
    from gfm_training.settings import TrainSettings

    settings = TrainSettings(clusters=4, cell_pixels=(2, 3), cell_weights=(1.0, 1.0))
    return tuple(survey(places, settings, windows=2))


@pytest.fixture(scope="session")
def books(surveys: tuple[Survey, ...]) -> Books:
    """Anchors fitted on them."""
    from gfm_training.anchors import fit_books
    from gfm_training.settings import TrainSettings

    return fit_books([(item.key, item.facts) for item in surveys], TrainSettings(clusters=4))
