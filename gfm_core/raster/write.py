"""Outputs that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.windows import Window

from gfm_core.errors import OutputError

BLOCK = 128  # side of a storage block, pixels: a row of them is all that is kept in memory

_SIDECARS = (".aux.xml", ".ovr", ".msk")  # behind the whole file name
_PARTIAL = ".gfm-partial-"


class Outputs:
    """A set of outputs made in a hidden folder beside the first and moved into place together, or not at all.

    All checks are made at once, before any work: raises `OutputError` if an output exists (unless `overwrite`), is one of
    `inputs`, or lies in a folder that does not exist or cannot be written.
    """

    def __init__(self, targets: Sequence[Path], *, inputs: Iterable[str] = (), overwrite: bool = False) -> None:
        self.targets = tuple(Path(target) for target in targets)
        taken = {Path(item).resolve() for item in inputs}
        for target in self.targets:
            _check_target(target, taken, overwrite)
        parent = self.targets[0].absolute().parent
        try:
            self._folder = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=parent))
        except OSError as error:
            raise OutputError(f"{parent} cannot be written ({error.strerror}); choose another folder.") from error
        for number, _ in enumerate(self.targets):
            (self._folder / str(number)).mkdir()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._commit()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def partial(self, target: Path) -> Path:
        """Where `target` is written until all is done; sidecars go beside it."""
        return self._folder / str(self.targets.index(Path(target))) / Path(target).name

    def _commit(self) -> None:
        """Move every output and its sidecars into place; the main file last, when its sidecars are there."""
        for target in self.targets:
            made = self.partial(target)
            if made.is_dir():
                _replace_folder(made, target)
                continue
            _remove_sidecars(target)
            beside = sorted(item for item in made.parent.iterdir() if item != made)
            for item in [*beside, made]:
                if item.is_file():
                    _sync(item)
                    item.replace(target.absolute().parent / item.name)
        _sync(self._folder.parent)


def _check_target(target: Path, taken: set[Path], overwrite: bool) -> None:
    parent = target.absolute().parent
    if target.resolve() in taken:
        raise OutputError(f"{target} is one of the inputs; give the output another name.")
    if not parent.is_dir():
        raise OutputError(f"The folder {parent} of {target.name} does not exist; make it first.")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(f"The folder {parent} cannot be written; choose another one for {target.name}.")
    if target.exists() and not overwrite:
        raise OutputError(f"{target} exists; give another name, or --overwrite to replace it.")


def _remove_sidecars(target: Path) -> None:
    """Old statistics and styles outlive a replaced raster unless they go with it."""
    for suffix in _SIDECARS:
        Path(f"{target}{suffix}").unlink(missing_ok=True)
    if target.suffix.lower() in (".tif", ".tiff"):
        target.with_suffix(".qml").unlink(missing_ok=True)


def _replace_folder(made: Path, target: Path) -> None:
    if target.exists():
        shutil.rmtree(target)
    made.replace(target)


def _sync(path: Path) -> None:
    """Bring a file or folder to the disk, where the system can."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:  # Windows does not open folders
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


class BlockRowWriter:
    """A new tiled GeoTIFF that is filled row by row in any order of bands, and keeps a row of blocks in memory.

    `put` may be called for any bands and rows; a row of blocks is written once all its bands and rows have come. Pixels
    never put stay `nodata`.
    """

    def __init__(
        self, path: Path, *, shape: tuple[int, int], bands: int, dtype: str, crs: str, transform: Affine,
        nodata: float | None, options: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        self._shape, self._bands, self._dtype = shape, bands, dtype
        self._nodata = 0 if nodata is None else nodata
        self._rows: dict[int, NDArray[Any]] = {}
        self._missing: dict[int, int] = {}
        floating = np.issubdtype(np.dtype(dtype), np.floating)
        self.dataset = rasterio.open(
            path, "w", driver="GTiff", height=shape[0], width=shape[1], count=bands, dtype=dtype, crs=crs,
            transform=transform, nodata=nodata, tiled=True, blockxsize=BLOCK, blockysize=BLOCK, interleave="band",
            compress="deflate", predictor=3 if floating else 1, zlevel=6, bigtiff="if_safer",
            **(options or {}),
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.dataset.close()

    def put(self, first_band: int, first_row: int, values: NDArray[Any]) -> None:
        """Whole rows `values [bands, rows, width]` at band `first_band` (from 0) and row `first_row`."""
        row = first_row
        while row < first_row + values.shape[1]:
            number, inner = divmod(row, BLOCK)
            count = min(BLOCK - inner, first_row + values.shape[1] - row)
            buffer = self._buffer(number)
            part = values[:, row - first_row : row - first_row + count]
            buffer[first_band : first_band + len(values), inner : inner + count] = part
            self._missing[number] -= len(values) * count
            if self._missing[number] == 0:
                self._write(number)
            row += count

    def _buffer(self, number: int) -> NDArray[Any]:
        if number not in self._rows:
            height = min(BLOCK, self._shape[0] - number * BLOCK)
            self._rows[number] = np.full((self._bands, height, self._shape[1]), self._nodata, self._dtype)
            self._missing[number] = self._bands * height
        return self._rows[number]

    def _write(self, number: int) -> None:
        values = self._rows.pop(number)
        window = Window(col_off=0, row_off=number * BLOCK, width=self._shape[1], height=values.shape[1])
        self.dataset.write(values, window=window)


def add_overviews(path: Path, *, categorical: bool) -> None:
    """Overviews inside the file down to 256 pixels: the most frequent value of a map, the mean of measurements."""
    with rasterio.open(path, "r+") as dataset:
        longest = max(dataset.shape)
        factors = [2**power for power in range(1, 16) if longest > 128 * 2**power]
        if factors:
            dataset.build_overviews(factors, Resampling.mode if categorical else Resampling.average)
