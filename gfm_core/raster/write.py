"""Outputs that appear whole or not at all."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile
from rasterio.windows import Window

from gfm_core.errors import DiskFullError, OutputError, unwritable
from gfm_core.hidden import HiddenFolder
from gfm_core.progress import Interrupted
from gfm_core.raster.tiff import missing_bytes

BLOCK = 128  # side of a storage block, pixels: a row of them is all that is kept in memory

_SIDECARS = (".aux.xml", ".ovr", ".msk")  # behind the whole file name
_GOES_ON = (KeyboardInterrupt, Interrupted, DiskFullError, MemoryError)  # ends after which the same command goes on
_LONGEST_NAME = 255  # bytes, on every file system in use


class Outputs:
    """A set of outputs made in hidden folders beside their places and moved there together, or not at all.

    `folders` are those of `targets` that are folders; into one that exists the new files go beside the others. All
    checks are made at once, before any work: raises `OutputError` if an output (or a sidecar) exists, unless
    `overwrite`, is one of `inputs`, is asked for twice, or lies in a folder that does not exist or cannot be written.
    """

    def __init__(
        self,
        targets: Sequence[Path],
        *,
        folders: Sequence[Path] = (),
        inputs: Iterable[str] = (),
        overwrite: bool = False,
    ) -> None:
        self.targets = tuple(Path(target) for target in targets)
        taken = {Path(item).resolve() for item in inputs}
        places: set[Path] = set()
        for target in self.targets:
            _check_place(target, taken)
            if target.resolve() in places:
                raise OutputError(f"{target} is given for two outputs; give each its own name.")
            places.add(target.resolve())
            _check_absent(target, folder=target in folders, overwrite=overwrite)
        self._hidden: dict[Path, HiddenFolder] = {}
        try:
            for target in self.targets:
                # Beside the target: a file cannot be moved into place from another disk.
                self._hidden[target] = HiddenFolder.claim(target)
        except OutputError:
            self._remove_hidden()
            raise

    def _remove_hidden(self, *, keep_journal: bool = False) -> None:
        for folder in self._hidden.values():
            folder.release(keep_journal=keep_journal)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._commit()
        except OSError as reason:
            raise unwritable(Path(reason.filename2 or reason.filename or self.targets[0]), reason) from reason
        finally:
            self._remove_hidden(keep_journal=isinstance(error, _GOES_ON))

    def journal(self, target: Path) -> Path:
        """Where finished parts of `target` outlive a run that is interrupted, killed or out of space."""
        return self._hidden[Path(target)].journal

    def partial(self, target: Path) -> Path:
        """Where `target` is written until all is done; sidecars go beside it."""
        return self._hidden[Path(target)].new / Path(target).name

    def _commit(self) -> None:
        """Move every output and its sidecars into place; what was there comes back if one of them cannot be moved."""
        moves = _Moves()
        try:
            for target in self.targets:
                self._place(target, moves)
        except BaseException:
            moves.take_back()
            raise
        for parent in {target.absolute().parent for target in self.targets}:
            _sync(parent)

    def _place(self, target: Path, moves: _Moves) -> None:
        """One output: the old files out of the way, the new ones in; the main file last, after its sidecars."""
        made = self.partial(target)
        if made.is_dir():
            folder, files = target, sorted(made.iterdir())
            replaced = [folder / file.name for file in files]
            moves.make_folder(folder)
        else:
            folder = target.absolute().parent
            files = [*sorted(item for item in made.parent.iterdir() if item.is_file() and item != made), made]
            # Old statistics and styles would outlive a replaced raster.
            replaced = [target, *_sidecars(target), *(folder / file.name for file in files)]
        old = self._hidden[target].old
        for file in dict.fromkeys(item.absolute() for item in replaced):
            if file.exists():
                moves.move(file, old)
        for file in files:
            _sync(file)
            moves.move(file, folder)


class _Moves:
    """Renamings that can be taken back."""

    def __init__(self) -> None:
        self._done: list[tuple[Path, Path]] = []
        self._made: list[Path] = []

    def make_folder(self, folder: Path) -> None:
        if not folder.exists():
            self._made.append(folder)
            folder.mkdir()

    def move(self, file: Path, folder: Path) -> None:
        place = folder / file.name
        self._done.append((file, place))  # first: an interrupt may come between
        file.replace(place)

    def take_back(self) -> None:
        for origin, place in reversed(self._done):
            with suppress(OSError):
                if not origin.exists():
                    place.replace(origin)
        for folder in self._made:
            with suppress(OSError):
                folder.rmdir()


def _check_place(target: Path, taken: set[Path]) -> None:
    """Refuse a place where nothing of ours may or can go."""
    parent = target.absolute().parent
    place = target.resolve()
    if place in taken or (place.exists() and not taken.isdisjoint(place.parents)):
        raise OutputError(f"{target} is one of the inputs; give the output another name.")
    if not parent.is_dir():
        raise OutputError(f"The folder {parent} of {target.name} does not exist; make it first.")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(f"The folder {parent} cannot be written; choose another one for {target.name}.")
    if len(os.fsencode(target.name)) > _LONGEST_NAME - max(map(len, _SIDECARS)):
        raise OutputError(f"The name {target.name} is too long for a file and its sidecars; give a shorter one.")


def _check_absent(target: Path, *, folder: bool, overwrite: bool) -> None:
    """Refuse to replace what is there, unless that was asked for; never a folder by a file, or a file by a folder."""
    if folder and target.is_dir():
        if not overwrite and any(target.iterdir()):
            raise OutputError(f"The folder {target} holds something; give another one, or --overwrite to add to it.")
        return
    if folder and target.exists():
        raise OutputError(f"{target} is a file; give the name of a folder.")
    if target.is_dir():
        raise OutputError(f"{target} is a folder; give the name of a file.")
    there = next((item for item in (target, *_sidecars(target)) if item.exists()), None)
    if there is not None and not overwrite:
        raise OutputError(f"{there} exists; give another name, or --overwrite to replace it.")


def _sidecars(target: Path) -> list[Path]:
    """Files that belong to a raster by their name: masks, overviews, statistics, QGIS's style."""
    beside = [target.with_name(f"{target.name}{suffix}") for suffix in _SIDECARS]
    return [*beside, target.with_suffix(".qml")] if target.suffix.lower() in (".tif", ".tiff") else beside


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


@functools.cache
def _has_zstd() -> bool:
    """Whether this GDAL packs with ZSTD, as that of QGIS from 3.22 on unpacks."""
    with MemoryFile() as memory:
        try:
            place = {"height": 1, "width": 1, "count": 1, "dtype": "uint8", "transform": Affine.scale(2)}
            with memory.open(driver="GTiff", compress="zstd", **place) as dataset:
                dataset.write(np.ones((1, 1, 1), np.uint8))
        except RasterioError:
            return False
    return True


class _Place(NamedTuple):
    """A row of blocks of a set of bands."""

    row: int
    first_band: int
    bands: int


class BlockRowWriter:
    """A new tiled GeoTIFF that is filled from the north in any order of bands, and keeps a row of blocks in memory.

    `put` may be called for any rows and columns of a set of bands, each pixel once; a set's row of blocks is written
    when all of it has come, whatever the other sets wait for. Pixels never put stay `nodata`. `dense` files of many
    bands are packed with ZSTD where GDAL has it: 3 x as fast as DEFLATE and an eighth smaller.
    """

    def __init__(
        self, path: Path, *, shape: tuple[int, int], bands: int, dtype: str, crs: str, transform: Affine,
        nodata: float | None, dense: bool = False,
    ) -> None:  # fmt: skip
        self.path, self._shape, self._dtype = path, shape, dtype
        self._nodata = 0 if nodata is None else nodata
        self._rows: dict[_Place, NDArray[Any]] = {}
        self._missing: dict[_Place, int] = {}
        floating = np.issubdtype(np.dtype(dtype), np.floating)
        packing = {"compress": "deflate", "predictor": 3 if floating else 1, "zlevel": 6}
        if dense and _has_zstd():
            packing = {"compress": "zstd", "predictor": 3 if floating else 2, "zstd_level": 3}
        self.dataset = rasterio.open(
            path, "w", driver="GTiff", height=shape[0], width=shape[1], count=bands, dtype=dtype, crs=crs,
            transform=transform, nodata=nodata, tiled=True, blockxsize=BLOCK, blockysize=BLOCK, interleave="band",
            bigtiff="if_safer", **packing,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.dataset.close()
        except RasterioError as reason:
            if kind is None:
                raise unwritable(self.path, reason) from reason
        if kind is None and missing_bytes(self.path):  # GDAL says nothing of what fails when it closes a file
            raise unwritable(self.path, OSError("it is not whole"))

    def put(self, first_band: int, first_row: int, values: NDArray[Any], first_col: int = 0) -> None:
        """`values [bands, rows, cols]` at band `first_band` (from 0), row `first_row` and column `first_col`."""
        cols = slice(first_col, first_col + values.shape[2])
        row = first_row
        while row < first_row + values.shape[1]:
            number, inner = divmod(row, BLOCK)
            count = min(BLOCK - inner, first_row + values.shape[1] - row)
            place = _Place(number, first_band, len(values))
            part = values[:, row - first_row : row - first_row + count]
            self._buffer(place)[:, inner : inner + count, cols] = part
            self._missing[place] -= part.size
            if self._missing[place] == 0:
                self._write(place)
            row += count

    def _buffer(self, place: _Place) -> NDArray[Any]:
        if place not in self._rows:
            height = min(BLOCK, self._shape[0] - place.row * BLOCK)
            self._rows[place] = np.full((place.bands, height, self._shape[1]), self._nodata, self._dtype)
            self._missing[place] = self._rows[place].size
        return self._rows[place]

    def _write(self, place: _Place) -> None:
        values = self._rows.pop(place)
        window = Window(col_off=0, row_off=place.row * BLOCK, width=self._shape[1], height=values.shape[1])
        numbers = range(place.first_band + 1, place.first_band + place.bands + 1)
        try:
            self.dataset.write(values, list(numbers), window=window)
        except RasterioError as reason:
            raise unwritable(self.path, reason) from reason
