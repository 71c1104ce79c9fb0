"""Fixtures that several test folders share."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import settings
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning

if TYPE_CHECKING:
    from gfm_core.model.checkpoint import LoadedModel

# No deadline: a busy machine is not a defect.
settings.register_profile("gfm", deadline=None)
settings.load_profile("gfm")

os.environ["GFM_CACHE_MB"] = "0"  # what one test embedded must not serve the next; tests of the cache give their own

REPOSITORY = Path(__file__).resolve().parent.parent
NORTH_UP = Affine(10.0, 0.0, 400_000.0, 0.0, -10.0, 5_800_000.0)  # metres of EPSG:32633

MakeRaster = Callable[..., Path]


@dataclass(frozen=True)
class Ran:
    """What a `gfm` command left behind: exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The one line of a command that failed as it should: exit code 1, one sentence, no traceback."""
        lines = [line for line in self.err.splitlines() if line]
        assert self.code == 1, f"exit code {self.code}: {self.err}"
        assert "Traceback" not in self.err
        assert lines[-1].startswith("Error: "), self.err
        assert lines[-1].endswith("."), self.err
        assert "should not have happened" not in lines[-1], self.err
        return lines[-1]

    @property
    def told(self) -> str:
        """What a command said that did what it should: exit code 0."""
        assert self.code == 0, f"exit code {self.code}: {self.err}"
        return self.err


RunGfm = Callable[..., Ran]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real development scenes; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("GFM_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the development scenes are not here ({folder}); set GFM_SHARED_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def nano_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained nano checkpoint, made here: tests need no packaged one, and know its weights."""
    from gfm_core.model.checkpoint import save_checkpoint
    from gfm_core.model.config import SIZES
    from gfm_core.model.jepa import build_model

    path = tmp_path_factory.mktemp("models") / "untrained.safetensors"
    save_checkpoint(path, build_model(SIZES["nano"], seed=0), {})
    return path


@pytest.fixture
def run_gfm(monkeypatch: pytest.MonkeyPatch) -> RunGfm:
    """Runs a command line as `gfm` would, in this process, where torch is loaded already."""
    from gfm_core.cli.main import main

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["gfm", *map(str, arguments)])
        root, terminate = logging.getLogger(), signal.getsignal(signal.SIGTERM)
        handlers = list(root.handlers)
        out, err = io.StringIO(), io.StringIO()
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as left:
                main()
        finally:
            for handler in set(root.handlers) - set(handlers):
                handler.close()
            root.handlers[:] = handlers
            signal.signal(signal.SIGTERM, terminate)
        assert isinstance(left.value.code, int)
        return Ran(left.value.code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def make_raster(tmp_path: Path) -> MakeRaster:
    """`write_raster` into the test's own folder: `make_raster("tiny.tif", values, ...)`."""

    def make(name: str = "tiny.tif", values: np.ndarray[Any, Any] | None = None, **details: Any) -> Path:
        return write_raster(tmp_path / name, values, **details)

    return make


def write_raster(
    path: Path,
    values: np.ndarray[Any, Any] | None = None,
    *,
    names: list[str] | None = None,
    tags: dict[str, str] | None = None,
    colours: list[ColorInterp] | None = None,
    gcps: Any = None,
    scale: float | None = None,
    mask: np.ndarray[Any, Any] | None = None,
    **profile: Any,
) -> Path:
    """Write `values` `[bands, rows, cols]` to `path`, 10 m pixels in EPSG:32633 unless the profile says otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.full((1, 16, 16), 1200, np.uint16) if values is None else values
    count, height, width = array.shape
    settings = {
        "driver": "GTiff", "count": count, "height": height, "width": width, "dtype": array.dtype,
        "crs": "EPSG:32633", "transform": NORTH_UP, **profile,
    }  # fmt: skip
    if gcps is not None:
        settings.pop("transform")
    with warnings.catch_warnings(), rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "w", **settings) as dataset:
            if gcps is not None:
                dataset.gcps = (gcps, settings["crs"])
            if colours:
                dataset.colorinterp = colours
            dataset.write(array)
            dataset.update_tags(**(tags or {}))
            for number, text in enumerate(names or [], start=1):
                dataset.set_band_description(number, text)
            if scale:
                dataset.scales = (scale,) * count
            if mask is not None:
                dataset.write_mask(mask)
    return path


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Rasters of one place: 10 and 20 m optical on two dates with a swath's edge, radar with gaps, heights in degrees.

    50 x 46 cells of 20 m, which lie in several tiles of windows.
    """
    folder = tmp_path_factory.mktemp("place")
    generator = np.random.default_rng(7)
    ys, xs = np.mgrid[:100, :92]
    fields = np.sin(xs / 11) * np.cos(ys / 17) + 0.3 * ((xs // 20 + ys // 25) % 3)  # slopes and parcels

    def optical(bands: int, step: int) -> np.ndarray[Any, Any]:
        ground = 1500 + 600 * fields[::step, ::step] * np.arange(1, bands + 1)[:, None, None] / bands
        noisy = ground + generator.normal(0, 60, ground.shape)
        noisy[:, np.add.outer(ys[::step, 0], xs[0, ::step]) < 25] = 0  # outside the swath
        return noisy.clip(0).astype(np.uint16)

    coarse = Affine(20, 0, 400_000, 0, -20, 5_800_000)
    degrees = Affine(4.4e-4, 0, 13.5335, 0, -2.7e-4, 52.3395)
    radar = (-12 + 3 * fields + generator.normal(0, 1, (2, 100, 92))).astype(np.float32)
    radar[:, 60:70, 30:60] = np.nan
    names = ["B02", "B03", "B04", "B08"]
    return (
        write_raster(folder / "s2_10m_20210601.tif", optical(4, 1), names=names, nodata=0),
        write_raster(folder / "s2_10m_20210801.tif", optical(4, 1), names=names, nodata=0),
        write_raster(folder / "s2_20m_20210601.tif", optical(2, 2), names=["B11", "B12"], nodata=0, transform=coarse),
        write_raster(folder / "s1_20210603.tif", radar, names=["VV", "VH"], nodata=np.nan),
        write_raster(
            folder / "dem.tif", (80 + 20 * fields[None, ::3, ::3]).astype(np.float32), crs="EPSG:4326",
            transform=degrees,
        ),
        write_raster(folder / "measured.tif", (fields[None, ::4, ::4] * 7 + 3).astype(np.float32),
                     transform=Affine(40, 0, 400_000, 0, -40, 5_800_000)),
    )  # fmt: skip


@pytest.fixture(scope="session")
def nano(nano_path: Path) -> LoadedModel:
    """The untrained nano, loaded."""
    from gfm_core.model.checkpoint import load_checkpoint

    return load_checkpoint(nano_path)
