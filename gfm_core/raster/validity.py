"""Which pixels hold data: from nodata, mask bands, alpha and NaN; never from "value == 0"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, MaskFlags, Resampling
from rasterio.windows import Window

from gfm_core.raster.resample import block_means
from gfm_core.raster.source import Source

_ABSURD = 1e30  # no physical quantity is larger: fill values such as 1e38 and 3.4e38 that nobody declared
_PIECE = 2**24  # values read at once when they are averaged here


def read_with_validity(
    dataset: Any, source: Source, window: Window, bands: Sequence[int], out_shape: tuple[int, int] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Bands (by position in `source.bands`) of an open dataset: `pixels [C, H, W]` float32 and `valid [C, H, W]`.

    With `out_shape` the window is averaged to that many rows and columns (overviews serve where there are some). A
    pixel is then valid if half of its mask is, or any of what it covers is not nodata: the mean is over those.
    """
    indexes = [source.indexes[band] for band in bands]
    shape = (len(indexes), *(out_shape or (int(window.height), int(window.width))))
    averaged = out_shape is not None and out_shape != (int(window.height), int(window.width))
    factor = max(round(window.height / shape[1]), round(window.width / shape[2]))  # less of a source that is smaller
    if averaged and _undeclared(dataset, source, bands) and factor > 1:
        return read_averaged(dataset, source, window, bands, factor, least=0.5 if source.mask_band else 0.0)
    resampling = Resampling.average if averaged else Resampling.nearest
    raw = dataset.read(indexes, window=window, out_shape=shape, resampling=resampling)
    valid = _declared(raw, [source.nodata[band] for band in bands])
    if source.mask_band or source.gcps:  # what ground control points place has a mask of its own
        mask = _own_mask(dataset, source, indexes, window=window, out_shape=shape, resampling=resampling)
        valid &= mask >= (128 if averaged else 1)
    with np.errstate(over="ignore", invalid="ignore"):
        pixels = raw.astype(np.float32)
    if np.issubdtype(raw.dtype, np.floating):
        with np.errstate(invalid="ignore"):
            valid &= np.abs(raw) < _ABSURD  # also False for NaN and infinity
        pixels[~valid] = 0
    return pixels, valid


def read_averaged(
    dataset: Any, source: Source, window: Window, bands: Sequence[int], factor: int, *, least: float
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Means of the valid pixels of blocks of `factor` x `factor`, read at full resolution a strip at a time.

    Blocks count from the window's first pixel. A block is valid if a share of `least` of it, and something, is.
    """
    rows, width = int(window.height), int(window.width)
    step = factor * max(1, _PIECE // max(len(bands) * width * factor, 1))
    parts = []
    for row in range(0, rows, step):
        strip = Window(window.col_off, window.row_off + row, width, min(step, rows - row))
        pixels, valid = read_with_validity(dataset, source, strip, bands)
        parts.append(block_means(pixels, valid, factor) if factor > 1 else (pixels, valid))
    means, share = (np.concatenate(part, axis=1) for part in zip(*parts, strict=True))
    return means, (share > 0) & (share >= least)


def _undeclared(dataset: Any, source: Source, bands: Sequence[int]) -> bool:
    """Whether a nodata value was given that the file does not know of: GDAL would average it as data."""
    told = [(source.nodata[band], dataset.nodatavals[source.indexes[band] - 1]) for band in bands]
    return any(value is not None and not np.isnan(value) and value != own for value, own in told)


def _own_mask(
    dataset: Any, source: Source, indexes: list[int], *, out_shape: tuple[int, ...], **how: Any
) -> NDArray[np.uint8]:
    """The file's mask or alpha, `[C or 1, H, W]`, 255 = data."""
    flags = dataset.mask_flag_enums[indexes[0] - 1]
    places = enumerate(dataset.colorinterp, start=1)
    alpha = next((index for index, colour in places if colour is ColorInterp.alpha and index not in source.indexes), 0)
    if alpha and MaskFlags.nodata in flags:  # GDAL's masks forget alpha beside a nodata value
        found: NDArray[np.uint8] = dataset.read([alpha], out_shape=(1, *out_shape[1:]), **how)
    else:
        found = dataset.read_masks(indexes, out_shape=out_shape, **how)
    return found


def _declared(raw: NDArray[Any], nodata: Sequence[float | None]) -> NDArray[np.bool_]:
    """True where a band does not hold its declared nodata value."""
    valid = np.ones(raw.shape, np.bool_)
    for number, value in enumerate(nodata):
        if value is not None and not np.isnan(value) and _fits(value, raw.dtype):
            valid[number] = raw[number] != raw.dtype.type(value)
    return valid


def _fits(value: float, dtype: np.dtype[Any]) -> bool:
    """Whether pixels of `dtype` can hold `value` at all."""
    if np.issubdtype(dtype, np.integer):
        info = np.iinfo(dtype)
        return bool(info.min <= value <= info.max and value == int(value))
    return True
