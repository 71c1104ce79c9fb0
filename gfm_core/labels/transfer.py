"""Labels of a categorical raster brought to another grid: each pixel takes the value at its centre."""

from __future__ import annotations

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer
from pyproj.exceptions import ProjError
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from gfm_core.errors import LabelError, NoOverlapError
from gfm_core.labels.categories import RasterLabels
from gfm_core.labels.pixels import ClassSampler, Found

_BLOCK = 1024  # pixels of the grid
_WINDOW_PIXELS = 16_000_000  # of the label raster read at once
_SCAN_PIXELS = 100_000_000  # of the grid; above, every n-th pixel both ways is looked at


def transfer(
    labels: RasterLabels, transform: Affine, crs: str | None, shape: tuple[int, int], sampler: ClassSampler
) -> list[str]:
    """Add the labelled pixels of a grid of `shape` to `sampler`; returns notes.

    Raises NoOverlapError if the label raster has no labelled pixel there.
    """
    try:
        with rasterio.open(labels.path) as source:
            return _transfer(_Lookup(source, labels, transform, crs), shape, sampler)
    except RasterioError as error:
        raise LabelError(f"{labels.name} cannot be read; it is damaged or cut off, make it again.") from error
    except ProjError as error:
        raise LabelError(f"{labels.name} cannot be brought to the raster's CRS ({error}); reproject it.") from error


class _Lookup:
    """Where pixels of the grid lie in the label raster, and what it says there."""

    def __init__(self, source: DatasetReader, labels: RasterLabels, transform: Affine, crs: str | None) -> None:
        self.source, self.labels, self.grid = source, labels, transform
        self.there = self.back = None
        if crs is not None and source.crs is not None and rasterio.crs.CRS.from_user_input(crs) != source.crs:
            label_crs = source.crs.to_wkt()
            self.there = Transformer.from_crs(crs, label_crs, always_xy=True)
            self.back = Transformer.from_crs(label_crs, crs, always_xy=True)
        values = sorted(labels.codes)
        self.values = np.array(values).astype(source.dtypes[0])  # the class 0.1 is a float32 in a file of those
        self.codes = np.array([labels.codes[value] for value in values], dtype=np.int32)

    def footprint(self, shape: tuple[int, int]) -> tuple[int, int, int, int]:
        """First row, first column, stop row, stop column of the grid's pixels that the label raster may cover."""
        steps = np.linspace(0.0, 1.0, 33)
        x = np.concatenate([steps, steps, 0 * steps, 0 * steps + 1]) * self.source.width
        y = np.concatenate([0 * steps, 0 * steps + 1, steps, steps]) * self.source.height
        x, y = self.source.transform * (x, y)
        if self.back is not None:
            x, y = self.back.transform(x, y)
        cols, rows = ~self.grid * (np.asarray(x), np.asarray(y))
        known = np.isfinite(cols) & np.isfinite(rows)
        if not known.all():  # part of it is beyond what the CRS can hold: look everywhere
            return 0, 0, shape[0], shape[1]
        edges = np.clip([rows.min() - 2, cols.min() - 2, rows.max() + 2, cols.max() + 2], 0, [*shape, *shape])
        row, col, stop_row, stop_col = np.round(edges).astype(np.int64).tolist()
        return row, col, stop_row, stop_col

    def codes_at(self, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> NDArray[np.int32]:
        """Class codes `[rows, cols]` at the centres of the grid's pixels, 0 where there is no label."""
        # Centre, not corner: a pixel asks for what lies in its middle.
        x, y = self.grid * np.meshgrid(cols + 0.5, rows + 0.5)
        if self.there is not None:
            x, y = self.there.transform(x, y)
        label_cols, label_rows = ~self.source.transform * (np.asarray(x), np.asarray(y))
        with np.errstate(invalid="ignore"):
            inside = (label_cols >= 0) & (label_rows >= 0)
            inside &= (label_cols < self.source.width) & (label_rows < self.source.height)
        codes = np.zeros(inside.shape, np.int32)
        if inside.any():
            codes[inside] = self._read(
                np.floor(label_rows[inside]).astype(np.int64), np.floor(label_cols[inside]).astype(np.int64)
            )
        return codes

    def _read(self, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> NDArray[np.int32]:
        row, col = int(rows.min()), int(cols.min())
        window = Window(col, row, int(cols.max()) - col + 1, int(rows.max()) - row + 1)
        band = self.source.read(1, window=window, masked=True)
        at = rows - row, cols - col
        values = band.data[at]
        place = np.minimum(np.searchsorted(self.values, values), len(self.values) - 1)
        known = (self.values[place] == values) & ~np.ma.getmaskarray(band)[at]
        return np.where(known, self.codes[place], 0).astype(np.int32)


def _transfer(lookup: _Lookup, shape: tuple[int, int], sampler: ClassSampler) -> list[str]:
    name = lookup.labels.name
    first_row, first_col, stop_row, stop_col = lookup.footprint(shape)
    pixels = max(stop_row - first_row, 0) * max(stop_col - first_col, 0)
    stride = 1
    while pixels / stride**2 > _SCAN_PIXELS:
        stride *= 2
    notes = [f"Of {name} every {stride}th pixel is looked at; it covers {pixels} of the grid's."] if stride > 1 else []
    # A block of the grid may be far more pixels of a finer label raster.
    ratio = lookup.source.width * lookup.source.height / max(pixels, 1)
    block = int(np.clip(np.sqrt(_WINDOW_PIXELS / max(ratio, 1e-9)), 16, _BLOCK)) // stride * stride or stride
    found = 0
    for row in range(first_row, stop_row, block):
        for col in range(first_col, stop_col, block):
            rows = np.arange(row, min(row + block, stop_row), stride)
            cols = np.arange(col, min(col + block, stop_col), stride)
            codes = lookup.codes_at(rows, cols)
            at = np.nonzero(codes)
            found += len(at[0])
            pixel_rows, pixel_cols = rows[at[0]], cols[at[1]]
            # Every pixel was labelled by itself: its place is its unit (wrapped to 32 bits where the grid is vast).
            units = ((pixel_rows * shape[1] + pixel_cols) % (2**31 - 1)).astype(np.int32)
            sampler.add(Found(pixel_rows, pixel_cols, codes[at], units))
    if not found:
        raise NoOverlapError(
            f"No label of {name} lies inside the raster; give labels of its ground, and check their CRS."
        )
    return notes
