"""Resampling of which every pixel comes out the same whatever else is asked for with it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def bilinear(values: NDArray[np.float32], rows: NDArray[np.float64], cols: NDArray[np.float64]) -> NDArray[np.float32]:
    """`values [C, H, W]` at fractional positions `rows`, `cols [h, w]` (0 = centre of the first pixel) → `[C, h, w]`.

    Gaps (NaN) leave the mean; a point whose nearest pixel is a gap is a gap.
    """
    known = np.isfinite(values)
    if known.all():
        return _mixed(values, rows, cols)
    total = _mixed(np.where(known, values, np.float32(0)), rows, cols)
    # The share of gaps, not of what is known: it is exactly 0 without any, so that a gap elsewhere changes nothing.
    lost = _mixed((~known).astype(np.float32), rows, cols)
    own_row, own_col = (np.floor(item + 0.5).astype(np.int64) for item in (rows, cols))  # half rounds up, not to even
    height, width = values.shape[1:]
    nearest = known[:, np.clip(own_row, 0, height - 1), np.clip(own_col, 0, width - 1)]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(nearest, total / (1 - lost), np.float32(np.nan)).astype(np.float32)


def _mixed(values: NDArray[np.float32], rows: NDArray[np.float64], cols: NDArray[np.float64]) -> NDArray[np.float32]:
    """The weighted mean of four neighbours: of two rows first, then of two columns, in whatever way it is reached."""
    height, width = values.shape[1:]
    top, left = np.floor(rows).astype(np.int64), np.floor(cols).astype(np.int64)
    down, right = (rows - top).astype(np.float32), (cols - left).astype(np.float32)
    at_rows = [np.clip(top + step, 0, height - 1) for step in (0, 1)]
    at_cols = [np.clip(left + step, 0, width - 1) for step in (0, 1)]
    if (rows == rows[:, :1]).all() and (cols == cols[:1]).all():  # a grid beside another one: a third of the work
        upper, lower = (values[:, item[:, 0]] for item in at_rows)
        strip = upper * (1 - down[:, :1]) + lower * down[:, :1]
        west, east = (np.take(strip, item[0], axis=2) for item in at_cols)
        grid: NDArray[np.float32] = west * (1 - right[:1]) + east * right[:1]
        return grid
    pixels = np.ascontiguousarray(np.moveaxis(values, 0, -1))  # a pixel's columns together: four times as fast to pick
    above, below = (1 - down)[..., None], down[..., None]
    west, east = (pixels[at_rows[0], item] * above + pixels[at_rows[1], item] * below for item in at_cols)
    mixed = west * (1 - right)[..., None] + east * right[..., None]
    return np.moveaxis(mixed, -1, 0).astype(np.float32, copy=False)


def block_means(
    pixels: NDArray[np.float32], valid: NDArray[np.bool_], factor: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Means of the valid pixels of blocks of `factor` x `factor`, and the share of valid ones: both `[C, h, w]`.

    The last row and column of blocks may be incomplete. A block without valid pixels is 0.
    """
    held = np.where(valid, pixels, np.float32(0)).astype(np.float64)
    count = _block_sums(valid.astype(np.float64), factor)
    size = _block_sums(np.ones((1, *valid.shape[1:])), factor)
    means = _block_sums(held, factor) / np.maximum(count, 1)
    return means.astype(np.float32), (count / size).astype(np.float32)


def _block_sums(values: NDArray[np.float64], factor: int) -> NDArray[np.float64]:
    by_row = np.add.reduceat(values, np.arange(0, values.shape[1], factor), axis=1)
    return np.asarray(np.add.reduceat(by_row, np.arange(0, values.shape[2], factor), axis=2))
