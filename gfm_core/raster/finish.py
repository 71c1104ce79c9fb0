"""What is done to a finished GeoTIFF at the end: overviews, the layout for the web.

GDAL keeps Python's lock meanwhile, so large files are finished in a process of their own: the caller can be cancelled,
and answers whoever asks whether it is alive.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import rasterio
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.shutil import copy

from gfm_core.errors import unwritable
from gfm_core.progress import stop_if_asked

_LARGE = 100_000_000  # values: about a second of work, of which starting a process takes half
_LOOK_EVERY = 0.05  # seconds


def add_overviews(path: Path, *, categorical: bool) -> None:
    """Overviews inside the file down to 256 pixels: the most frequent value of a map, the mean of measurements."""
    _finish("most frequent" if categorical else "mean", path)


def as_cog(path: Path) -> None:
    """Lay a finished GeoTIFF out anew as a Cloud Optimized one (https://cogeo.org).

    DEFLATE, which every reader of such files knows; bands apart where GDAL can (3.11).
    """
    _finish("cog", path)


def _finish(job: str, path: Path) -> None:
    """Do a job here, or for a large file elsewhere. Raises `OutputError` if it fails, `Cancelled` if asked to stop."""
    with rasterio.open(path) as dataset:
        large = dataset.width * dataset.height * dataset.count > _LARGE
    try:
        if large:
            _elsewhere(job, path)
        else:
            _JOBS[job](path)
    except RasterioError as error:
        raise unwritable(path, error) from error


def _elsewhere(job: str, path: Path) -> None:
    command = [sys.executable, "-m", __name__, job, str(path)]
    # Its own group: Ctrl-C in a terminal is for us, and we end it.
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        try:
            while process.poll() is None:
                stop_if_asked()
                time.sleep(_LOOK_EVERY)
        except BaseException:
            process.kill()
            raise
        told = process.stderr.read().decode(errors="replace").splitlines() if process.stderr else []
    if process.returncode:
        raise RasterioError(told[-1] if told else f"the process ended with {process.returncode}")


def _overviews(path: Path, resampling: Resampling) -> None:
    with rasterio.open(path, "r+") as dataset:
        longest = max(dataset.shape)
        factors = [2**power for power in range(1, 16) if longest > 128 * 2**power]
        if factors:
            dataset.build_overviews(factors, resampling)


def _cog(path: Path) -> None:
    laid_out = path.with_name(f"cog_{path.name}")
    by_band = {"interleave": "band"} if tuple(map(int, rasterio.__gdal_version__.split(".")[:2])) >= (3, 11) else {}
    copy(
        path, laid_out, driver="COG", compress="deflate", predictor="yes", blocksize=256, bigtiff="if_safer",
        overviews="auto", resampling="average", **by_band,
    )  # fmt: skip
    laid_out.replace(path)


_JOBS: dict[str, Callable[[Path], None]] = {
    "mean": lambda path: _overviews(path, Resampling.average),
    "most frequent": lambda path: _overviews(path, Resampling.mode),
    "cog": _cog,
}

if __name__ == "__main__":
    _JOBS[sys.argv[1]](Path(sys.argv[2]))
