"""Pixels of a stack at their own GSD: plain reads where the grid allows, warped ones only where the CRS differs."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.warp import reproject
from rasterio.windows import Window

from gfm_core.grid import Bounds, CellRange, Lattice, WindowIndex
from gfm_core.raster.frame import Frame, Patches, Placement, Region, apply_affine, patches
from gfm_core.raster.ground import transformer
from gfm_core.raster.source import Source, open_dataset, unreadable
from gfm_core.raster.stack import Modality, Stack
from gfm_core.raster.validity import read_with_validity

_SHRINKING = 1.5  # target pixels this much larger than the source's are averaged, not interpolated


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


class StackReader:
    """Reads a stack from any number of threads: each has its own handles, all closed together."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._local = threading.local()
        self._opened: list[Any] = []
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
            for dataset in self._opened:
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

    def region(self, sources: Sequence[Sequence[Source]], frame: Frame, region: Region) -> RegionPixels:
        """`sources[t]` mosaicked on the pixels of `region`; raises `InputError` naming a file that cannot be read."""
        bands = len(sources[0][0].bands)
        shape = (len(sources), bands, *region.shape)
        content = RegionPixels(np.zeros(shape, np.float32), np.zeros(shape, np.bool_), np.zeros(region.shape, np.bool_))
        for number, mosaic in enumerate(sources):
            for source in mosaic:
                self._add(source, frame, region, content, number)
        return content

    def _add(self, source: Source, frame: Frame, region: Region, into: RegionPixels, date: int) -> None:
        """Fill what is not yet valid at one date from one source."""
        place = frame.placement(source)
        try:
            if place is not None:
                part = _read_plain(self._dataset(source), source, place, region)
            else:
                part = _read_warped(self._dataset(source), source, frame, region)
        except RasterioError as error:
            raise unreadable(source.name, error) from error
        if part is None:
            return
        (rows, cols), found, found_valid, found_inside = part
        valid = into.valid[date, :, rows, cols]
        fresh = found_valid & ~valid
        into.pixels[date, :, rows, cols][fresh] = found[fresh]
        valid |= found_valid
        into.inside[rows, cols] |= found_inside

    def _dataset(self, source: Source) -> Any:
        """This thread's handle of the source's file."""
        handles: dict[str, Any] = self._local.__dict__.setdefault("handles", {})
        if source.path not in handles:
            handles[source.path] = open_dataset(source)
            with self._lock:
                self._opened.append(handles[source.path])
        return handles[source.path]


Part = tuple[tuple[slice, slice], NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]


def _read_plain(dataset: Any, source: Source, place: Placement, region: Region) -> Part | None:
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
    found, valid = read_with_validity(dataset, source, window, range(len(source.bands)), out_shape)
    slices = (slice(row - region.row, stop_row - region.row), slice(col - region.col, stop_col - region.col))
    return slices, found, valid, np.ones(shape, np.bool_)


def _read_warped(dataset: Any, source: Source, frame: Frame, region: Region) -> Part | None:
    """The overlap of a source in another CRS or on another grid, warped with its gaps kept as gaps."""
    coarser = _relative_size(source, frame, region)
    window = _source_window(source, frame, region, margin=2 + int(np.ceil(coarser)))
    if window is None:
        return None
    found, valid = read_with_validity(dataset, source, window, range(len(source.bands)))
    found[~valid] = np.nan
    own = source.transform * Affine.translation(window.col_off, window.row_off)
    placing = {
        "src_transform": own, "src_crs": source.crs,
        "dst_transform": frame.region_transform(region), "dst_crs": frame.crs,
    }  # fmt: skip
    pixels = np.full((len(found), *region.shape), np.nan, np.float32)
    resampling = Resampling.average if coarser > _SHRINKING else Resampling.bilinear
    # Each band by its own gaps: GDAL would else spread a gap of one band over its neighbours in all.
    gaps = {"src_nodata": np.nan, "dst_nodata": np.nan, "UNIFIED_SRC_NODATA": "NO"}
    reproject(found, pixels, resampling=resampling, **gaps, **placing)
    covered, known = _warped_masks(valid, region, resampling, placing)
    arrived = np.isfinite(pixels) & known
    pixels[~arrived] = 0
    return (slice(0, region.rows), slice(0, region.cols)), pixels, arrived, covered


def _warped_masks(
    valid: NDArray[np.bool_], region: Region, resampling: Resampling, placing: Mapping[str, Any]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where a source lies on a region `[H, W]`, and where its bands hold data `[C or 1, H, W]`.

    By the nearest pixel, or by half of the averaged ones: interpolation alone would fill the edges of gaps.
    """
    bands = [] if valid.all() else [valid]
    masks = np.concatenate([np.ones((1, *valid.shape[1:]), np.bool_), *bands]).astype(np.uint8) * 255
    warped = np.zeros((len(masks), *region.shape), np.uint8)
    how = Resampling.average if resampling is Resampling.average else Resampling.nearest
    reproject(masks, warped, resampling=how, **placing)
    return warped[0] > 0, warped[1:] >= 128 if bands else warped > 0


def _relative_size(source: Source, frame: Frame, region: Region) -> float:
    """Side of a frame pixel in source pixels, at the region's centre."""
    col, row = region.col + region.cols / 2, region.row + region.rows / 2
    corners = [frame.transform * point for point in ((col, row), (col + 1, row), (col, row + 1))]
    cols, rows = _source_pixels(source, frame.crs, [x for x, _ in corners], [y for _, y in corners])
    across, down = complex(cols[1] - cols[0], rows[1] - rows[0]), complex(cols[2] - cols[0], rows[2] - rows[0])
    area = abs((across.conjugate() * down).imag)
    return float(np.sqrt(area)) if np.isfinite(area) else 1.0


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
    own_x, own_y = transformer(crs, source.crs).transform(np.asarray(xs, np.float64), np.asarray(ys, np.float64))
    return apply_affine(~source.transform, own_x, own_y)


def read_window(stack: Stack, window: WindowIndex, margin: int = 0) -> dict[str, PixelWindow]:
    """The pixels of one window of a stack by modality name, with `margin` pixels around.

    For scripts and tests; long runs keep a `StackReader` so that files stay open.
    """
    with StackReader(stack) as reader:
        return {item.name: reader.window(item, window.cells, margin) for item in stack.modalities}
