"""Pixels of a stack at their own GSD: plain reads where the grid allows, warped ones only where the CRS differs."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.windows import Window

from gfm_core.grid import Bounds, CellRange, Lattice, WindowIndex
from gfm_core.ordered import results_in_order
from gfm_core.raster.frame import Frame, Patches, Placement, Region, apply_affine, patches
from gfm_core.raster.ground import same_crs, transformer
from gfm_core.raster.resample import bilinear, block_means
from gfm_core.raster.source import Source, open_dataset, unreadable
from gfm_core.raster.stack import Modality, Stack
from gfm_core.raster.validity import read_averaged, read_with_validity

_SHRINKING = 1.5  # target pixels this much larger than the source's are averaged first, then interpolated
_PARTS = 2  # averaged pixels are the mean of so many squared points between means of blocks: one point would blur
_HALF = 0.5  # an averaged pixel of which less is valid is a gap
_ROW_CELLS = 1_000_000  # cells of windows that are read together
_OPEN_FILES = 32  # handles a thread keeps: a mosaic may have more tiles than a process may open files


@dataclass(frozen=True, slots=True)
class RegionPixels:
    """Pixels of one modality on a frame: `pixels` float32 and `valid` (True = data) are `[T, C, H, W]`.

    `inside [H, W]` is True where a source lies, valid or not.
    """

    pixels: NDArray[np.float32]
    valid: NDArray[np.bool_]
    inside: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PixelWindow:
    """The pixels under a range of cells, with a margin, and where each cell's patch lies in them.

    `rows [n_r, 2]` and `cols [n_c, 2]` are first and stop positions in the arrays; `offset [n_r, n_c, 2]` tells how far
    a patch's centre lies from its cell's, in cells, southwards and eastwards (0 unless the pixels are coarse).
    """

    pixels: NDArray[np.float32]  # [T, C, H, W]
    valid: NDArray[np.bool_]  # [T, C, H, W], True = data
    inside: NDArray[np.bool_]  # [H, W]
    rows: NDArray[np.int64]
    cols: NDArray[np.int64]
    offset: NDArray[np.float32]

    def cut(self, rows: slice, cols: slice, margin: int) -> PixelWindow:
        """The window of some of its cells, as if it had been read alone with `margin`: views of the same arrays."""
        down, across = self.rows[rows], self.cols[cols]
        first_row, first_col = int(down.min()) - margin, int(across.min()) - margin
        at = slice(first_row, int(down.max()) + margin), slice(first_col, int(across.max()) + margin)
        return PixelWindow(
            self.pixels[..., at[0], at[1]], self.valid[..., at[0], at[1]], self.inside[at], down - first_row,
            across - first_col, self.offset[rows, cols],
        )  # fmt: skip


class StackReader:
    """Reads a stack from any number of threads: each has its own handles, all closed together."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._local = threading.local()
        self._opened: dict[int, Any] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the handles of all threads."""
        with self._lock:
            for dataset in self._opened.values():
                with suppress(RasterioError):
                    dataset.close()
            self._opened.clear()
        self._local = threading.local()

    def window(self, modality: Modality, cells: CellRange, margin: int) -> PixelWindow:
        """The pixels under `cells` and `margin` pixels around them, on the modality's own frame."""
        lattice: Lattice = self.stack.lattice
        where: Patches = patches(modality.frame, lattice, cells)
        region = where.region(margin)
        content = self.region(modality.sources, modality.frame, region)
        offset = np.empty((cells.rows, cells.cols, 2), np.float32)
        offset[..., 0] = where.offset_rows[:, None]
        offset[..., 1] = where.offset_cols[None, :]
        return PixelWindow(
            content.pixels, content.valid, content.inside, where.rows - region.row, where.cols - region.col, offset
        )

    def windows(
        self, ranges: Iterable[CellRange], margin: int = 0, *, threads: int = 1
    ) -> Generator[dict[str, PixelWindow], None, None]:
        """`window` of every modality for many ranges of cells, in their order, by modality name.

        Neighbours in a row are read together, so that each block is decoded, and another CRS warped, once a row; their
        arrays are views of one. Each of the `threads` takes whole rows. Whoever stops early closes it.
        """
        if threads == 1:
            for part in _in_rows(ranges):
                yield from self._row(part, margin)
            return
        pool = ThreadPoolExecutor(threads, thread_name_prefix="gfm-read")
        try:
            for row in results_in_order(pool, lambda row: self._row(row, margin), _in_rows(ranges), ahead=threads):
                yield from row
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _row(self, ranges: list[CellRange], margin: int) -> list[dict[str, PixelWindow]]:
        first, last = ranges[0], ranges[-1]
        whole = CellRange(first.row, first.col, first.rows, last.stop[1] - first.col)
        read = {item.name: self.window(item, whole, margin) for item in self.stack.modalities}
        return [
            {name: window.cut(*part.slices_in(whole), margin) for name, window in read.items()} for part in ranges
        ]  # fmt: skip

    def region(self, sources: Sequence[Sequence[Source]], frame: Frame, region: Region) -> RegionPixels:
        """`sources[t]` mosaicked on the pixels of `region`, in the numbers of the first source.

        Raises `InputError` naming a file that cannot be read.
        """
        bands = len(sources[0][0].bands)
        shape = (len(sources), bands, *region.shape)
        if len(sources) == len(sources[0]) == 1:
            whole = self._read(sources[0][0], frame, region)
            if whole is not None and whole[1].shape[1:] == region.shape:
                _, found, valid, inside = whole
                if not valid.all():
                    found[~valid] = 0
                return RegionPixels(found[None], valid[None], inside)
        content = RegionPixels(np.zeros(shape, np.float32), np.zeros(shape, np.bool_), np.zeros(region.shape, np.bool_))
        for number, mosaic in enumerate(sources):
            for source in mosaic:
                self._add(source, frame, region, content, number, coding=sources[0][0])
        return content

    def _add(
        self, source: Source, frame: Frame, region: Region, into: RegionPixels, date: int, *, coding: Source
    ) -> None:
        """Fill what is not yet valid at one date from one source, in the numbers of `coding`."""
        part = self._read(source, frame, region)
        if part is None:
            return
        (rows, cols), found, found_valid, found_inside = part
        found = _recoded(found, source, coding)
        valid = into.valid[date, :, rows, cols]
        np.copyto(into.pixels[date, :, rows, cols], found, where=found_valid & ~valid)
        valid |= found_valid
        into.inside[rows, cols] |= found_inside

    def _read(self, source: Source, frame: Frame, region: Region) -> Part | None:
        place = frame.placement(source)
        try:
            if place is not None:
                return _read_plain(self._dataset, source, place, region)
            return _read_warped(self._dataset, source, frame, region)
        except RasterioError as error:
            raise unreadable(source.name, error) from error

    def _dataset(self, source: Source) -> Any:
        """This thread's handle of the source's file; the handle unused for longest is closed when there are many."""
        handles: OrderedDict[str, Any] = self._local.__dict__.setdefault("handles", OrderedDict())
        if source.path not in handles:
            if len(handles) >= _OPEN_FILES:
                self._release(handles.popitem(last=False)[1])
            handles[source.path] = opened = open_dataset(source)
            with self._lock:
                self._opened[id(opened)] = opened
        handles.move_to_end(source.path)
        return handles[source.path]

    def _release(self, dataset: Any) -> None:
        with self._lock:
            self._opened.pop(id(dataset), None)
        with suppress(RasterioError):
            dataset.close()


def _in_rows(ranges: Iterable[CellRange]) -> Iterator[list[CellRange]]:
    """Neighbouring ranges of the same rows of cells together, as many as fit the memory of a row."""
    row: list[CellRange] = []
    for item in ranges:
        joins = bool(row) and (item.row, item.rows) == (row[0].row, row[0].rows) and item.col >= row[-1].col
        if joins and item.col <= row[-1].stop[1] and (item.stop[1] - row[0].col) * item.rows <= _ROW_CELLS:
            row.append(item)
            continue
        if row:
            yield row
        row = [item]
    if row:
        yield row


def _recoded(found: NDArray[np.float32], source: Source, wanted: Source) -> NDArray[np.float32]:
    """Numbers `[C, H, W]` of one source as another one of its modality writes them: codings change between dates."""
    if source.normalisation == wanted.normalisation:
        return found
    result = found.copy()
    for band, (own, other) in enumerate(zip(source.normalisation, wanted.normalisation, strict=True)):
        if own is not None and other is not None:
            result[band] = found[band] * (own.scale / other.scale) + (own.offset - other.offset) / other.scale
    return result


Part = tuple[tuple[slice, slice], NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]
Opening = Callable[[Source], Any]  # called only for sources that hold something of what is asked for


def _read_plain(opening: Opening, source: Source, place: Placement, region: Region) -> Part | None:
    """The overlap of a source that lies on the frame: a plain (or averaged) read of its own pixels."""
    height, width = source.height // place.factor, source.width // place.factor
    row, col = max(region.row, place.row), max(region.col, place.col)
    stop_row = min(region.row + region.rows, place.row + max(height, 1))
    stop_col = min(region.col + region.cols, place.col + max(width, 1))
    if row >= stop_row or col >= stop_col:
        return None
    shape = (stop_row - row, stop_col - col)
    window = Window(
        col_off=(col - place.col) * place.factor,
        row_off=(row - place.row) * place.factor,
        width=min(shape[1] * place.factor, source.width),
        height=min(shape[0] * place.factor, source.height),
    )
    out_shape = shape if place.factor > 1 else None
    found, valid = read_with_validity(opening(source), source, window, range(len(source.bands)), out_shape)
    slices = (slice(row - region.row, stop_row - region.row), slice(col - region.col, stop_col - region.col))
    return slices, found, valid, np.ones(shape, np.bool_)


def _read_warped(opening: Opening, source: Source, frame: Frame, region: Region) -> Part | None:
    """The overlap of a source in another CRS or on another grid, interpolated with its gaps kept as gaps.

    Each pixel's centre is placed on the source by itself: GDAL's warper approximates over a region, and its kernel
    depends on it, so that two regions would differ where they overlap.
    """
    coarser = _relative_size(source, frame)
    parts, factor = (_PARTS, max(1, round(coarser / _PARTS))) if coarser > _SHRINKING else (1, 1)
    if _source_window(source, frame, region, margin=parts * factor + 1) is None:
        return None
    down, across = (first + (np.arange(count * parts) + 0.5) / parts
                    for first, count in ((region.row, region.rows), (region.col, region.cols)))  # fmt: skip
    cols, rows = _source_pixels(source, frame.crs, *apply_affine(frame.transform, *np.meshgrid(across, down)))
    covered = (cols >= 0) & (cols < source.width) & (rows >= 0) & (rows < source.height)  # also False for infinity
    if not covered.any():
        return None
    rows, cols = (np.where(covered, item / factor - 0.5, 0.0) for item in (rows, cols))  # 0 = the first block's centre
    row, stop_row = _needed(rows[covered], -(-source.height // factor))
    col, stop_col = _needed(cols[covered], -(-source.width // factor))
    window = Window(
        col_off=col * factor,
        row_off=row * factor,
        width=min(stop_col * factor, source.width) - col * factor,
        height=min(stop_row * factor, source.height) - row * factor,
    )
    found, valid = read_averaged(opening(source), source, window, range(len(source.bands)), factor, least=_HALF)
    found[~valid] = np.nan
    pixels = bilinear(found, rows - row, cols - col)
    arrived = np.isfinite(pixels) & covered
    if parts > 1:
        pixels, share = block_means(pixels, arrived, parts)
        arrived, covered = (
            share >= _HALF,
            block_means(np.ones((1, *covered.shape)), covered[None], parts)[1][0] >= _HALF,
        )
    pixels[~arrived] = 0
    return (slice(0, region.rows), slice(0, region.cols)), pixels, arrived, covered


def _needed(positions: NDArray[np.float64], length: int) -> tuple[int, int]:
    """First and stop of the pixels that bilinear reading at `positions` (0 = centre of the first) asks for."""
    return max(int(np.floor(positions.min())), 0), min(int(np.floor(positions.max())) + 2, length)


def _relative_size(source: Source, frame: Frame) -> float:
    """Side of a frame pixel in source pixels, at the source's centre and so the same for all regions."""
    col, row = source.width / 2, source.height / 2
    corners = [source.transform * point for point in ((col, row), (col + 1, row), (col, row + 1))]
    xs, ys = np.asarray([x for x, _ in corners]), np.asarray([y for _, y in corners])
    if not same_crs(source.crs, frame.crs):
        xs, ys = transformer(source.crs, frame.crs).transform(xs, ys)
    cols, rows = apply_affine(~frame.transform, xs, ys)
    across, down = complex(cols[1] - cols[0], rows[1] - rows[0]), complex(cols[2] - cols[0], rows[2] - rows[0])
    area = abs((across.conjugate() * down).imag)  # of a source pixel, in frame pixels
    return float(1 / np.sqrt(area)) if np.isfinite(area) and area > 0 else 1.0


def _source_window(source: Source, frame: Frame, region: Region, margin: int) -> Window | None:
    """The source's pixels that the region may need, or None."""
    steps = np.linspace(0, 1, 9)
    grid_cols, grid_rows = np.meshgrid(region.col + steps * region.cols, region.row + steps * region.rows)
    xs, ys = apply_affine(frame.transform, grid_cols.ravel(), grid_rows.ravel())
    cols, rows = _source_pixels(source, frame.crs, xs, ys)
    finite = np.isfinite(cols) & np.isfinite(rows)
    if not finite.any():
        return None
    box = Bounds(cols[finite].min(), rows[finite].min(), cols[finite].max(), rows[finite].max())
    first_col, first_row = max(int(np.floor(box.left)) - margin, 0), max(int(np.floor(box.bottom)) - margin, 0)
    stop_col = min(int(np.ceil(box.right)) + margin, source.width)
    stop_row = min(int(np.ceil(box.top)) + margin, source.height)
    if first_col >= stop_col or first_row >= stop_row:
        return None
    return Window(col_off=first_col, row_off=first_row, width=stop_col - first_col, height=stop_row - first_row)


def _source_pixels(source: Source, crs: str, xs: Any, ys: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coordinates of `crs` as fractional (columns, rows) of the source."""
    own_x, own_y = np.asarray(xs, np.float64), np.asarray(ys, np.float64)
    if not same_crs(crs, source.crs):
        own_x, own_y = transformer(crs, source.crs).transform(own_x, own_y)
    return apply_affine(~source.transform, own_x, own_y)


def read_window(stack: Stack, window: WindowIndex, margin: int = 0) -> dict[str, PixelWindow]:
    """The pixels of one window of a stack by modality name, with `margin` pixels around.

    For scripts and tests; long runs keep a `StackReader` so that files stay open.
    """
    with StackReader(stack) as reader:
        return {item.name: reader.window(item, window.cells, margin) for item in stack.modalities}
