"""Columns of the stored feature groups: what each is called, how it is made from statistics, its storage in 8 bits.

`fine` holds each band with its mean and deviation in 3, 5 and 9 native pixels, `coarse` those in 17, 33 and 65. Heads
are fitted a group at a time and fused late, so that one never drowns another.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gfm_core.bands import Band
from gfm_core.model.statistics import CellStatistics, box_statistics

FINE_WINDOWS = (3, 5, 9)
COARSE_WINDOWS = (17, 33, 65)

_STATISTIC_ORDER = (1, *FINE_WINDOWS, *COARSE_WINDOWS)  # of CellStatistics' last axis


@dataclass(frozen=True, slots=True)
class Storage:
    """8-bit coding of a column: value = stored * scale + offset, stored 1 to 255, 0 = nodata."""

    scale: float
    offset: float


# In normalised units typical land is about N(0, 1); bright roofs, snow and clouds reach 8.
MEAN_STORAGE = Storage(scale=0.05, offset=-3.55)
SD_STORAGE = Storage(scale=0.02, offset=-0.02)
PLAIN = Storage(scale=1.0, offset=0.0)  # of columns that are made when they are needed and never stored


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a group: `name` tells modality, date, band and statistic."""

    name: str
    storage: Storage


def statistic_columns(
    group: str, modality: str, dates: Sequence[datetime.date | None], bands: Sequence[Band]
) -> tuple[Column, ...]:
    """The columns of `fine` or `coarse` for one modality, in the order of `cell_columns`."""
    columns = []
    for number in range(len(dates)):
        date = number if len(dates) > 1 else None
        for band in bands:
            columns += [
                Column(column_name(modality, date, band.name, name), storage) for name, storage in _statistics(group)
            ]
    return tuple(columns)


def column_name(modality: str, date: int | None, band: str, statistic: str) -> str:
    """`sentinel2-l2a_10m date 2 B04 mean5`; `date` counts from 0, None for a modality of one date.

    Not the date itself: a head fitted on one year's columns is applied to another's.
    """
    when = f"date {date + 1} " if date is not None else ""
    return f"{modality} {when}{band} {statistic}"


def network_columns(scales: Sequence[float], offsets: Sequence[float]) -> tuple[Column, ...]:
    """The columns of `network`, with the storage that the checkpoint fixes."""
    pairs = zip(scales, offsets, strict=True)
    return tuple(Column(f"network {number}", Storage(scale, offset)) for number, (scale, offset) in enumerate(pairs))


def cell_columns(group: str, statistics: CellStatistics) -> NDArray[np.float32]:
    """`[columns, n_r, n_c]` of `fine` or `coarse` from a modality's statistics; NaN where a band is absent."""
    positions = [_STATISTIC_ORDER.index(window) for window in _windows(group)]
    mean = statistics.mean[..., positions]
    sd = statistics.sd[..., positions[1:] if group == "fine" else positions]
    values = np.concatenate([mean.numpy(), sd.numpy()], axis=-1)  # [T, C, n_r, n_c, S]
    values[~statistics.present.numpy()] = np.nan
    return np.moveaxis(values, -1, 2).reshape(-1, *values.shape[2:4]).astype(np.float32, copy=False)


def pixel_columns(pixels: NDArray[np.float32], valid: NDArray[np.bool_], margin: int) -> NDArray[np.float32]:
    """`fine` of every pixel, `[columns, H - 2 * margin, W - 2 * margin]`; NaN where the pixel itself is invalid.

    `pixels`, `valid` `[T, C, H, W]`, normalised and derived, with at least half the widest window as `margin`.
    """
    import torch

    mean, sd = box_statistics(torch.from_numpy(pixels), torch.from_numpy(valid), FINE_WINDOWS)
    values = np.concatenate([pixels[:, :, None], mean.numpy(), sd.numpy()], axis=2)  # [T, C, S, H, W]
    values = np.where(valid[:, :, None], values, np.float32(np.nan))
    core = values[..., margin : values.shape[-2] - margin, margin : values.shape[-1] - margin]
    return core.reshape(-1, *core.shape[-2:])


def band_positions(columns: Sequence[Column]) -> list[int]:
    """Which columns of `fine` are the raw bands: the floor that every map is measured against."""
    return [number for number, column in enumerate(columns) if column.name.endswith(f" {_BAND}")]


def narrow_positions(columns: Sequence[Column]) -> list[int]:
    """Which columns of `fine` look no further than the next pixel: the bands with their mean and deviation in 3."""
    return [number for number, column in enumerate(columns) if column.name.split()[-1] in _NARROW]


_BAND = "value"
_NARROW = (_BAND, "mean3", "sd3")


def _windows(group: str) -> tuple[int, ...]:
    return (1, *FINE_WINDOWS) if group == "fine" else COARSE_WINDOWS


def _statistics(group: str) -> list[tuple[str, Storage]]:
    windows = FINE_WINDOWS if group == "fine" else COARSE_WINDOWS
    first = [(_BAND, MEAN_STORAGE)] if group == "fine" else []
    means = [(f"mean{window}", MEAN_STORAGE) for window in windows]
    return first + means + [(f"sd{window}", SD_STORAGE) for window in windows]
