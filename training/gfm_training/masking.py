"""What the context may not see: cells at random or in blocks, whole sensors, whole dates. True = hidden, everywhere."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gfm_core.bands import BandKind
from gfm_core.grid import Lattice
from gfm_core.raster.frame import Frame
from gfm_core.raster.stack import Modality
from gfm_training.settings import TrainSettings

Hidden = NDArray[np.bool_]  # [T, n, n] of one modality

_GRAINS = (1, 1, 2, 4)  # cells: side of the squares that are hidden together, so that coarse pixels can stay whole
_BLOCK = (5, 11)  # cells: shortest and longest side of a block; wider than the statistics reach
_BLOCK_SHARE = (0.4, 0.75)  # hidden by blocks


@dataclass(frozen=True, slots=True)
class Layout:
    """What of a modality decides how it is hidden."""

    sensor: str
    dates: tuple[datetime.date | None, ...]
    is_index: bool  # computed from other bands: tells what they hold
    is_optical: bool
    pixel: float = 10.0  # side in metres
    overhang: float = 0.0  # metres: how far the pixels that a hidden cell takes along may stick out of it

    @classmethod
    def of(cls, modality: Modality, lattice: Lattice) -> Layout:
        """The layout of a modality."""
        kinds = {band.kind for band in modality.bands}
        pixel = max(modality.frame.transform.a, -modality.frame.transform.e)
        return cls(
            modality.sensor, modality.dates, BandKind.INDEX in kinds, bool(kinds & _OPTICAL),
            pixel=pixel, overhang=0.0 if _fills_cells(modality.frame, lattice) else pixel,
        )  # fmt: skip


_OPTICAL = {BandKind.OPTICAL, BandKind.THERMAL}
_ALIGNED = 1e-3  # pixels: edges this near to those of cells are on them


def _fills_cells(frame: Frame, lattice: Lattice) -> bool:
    """Whether every edge of a cell is one of pixels."""
    width, height = frame.transform.a, -frame.transform.e
    along = [
        lattice.cell_size / width, (frame.transform.c - lattice.phase_x) / width,
        lattice.cell_size / height, (frame.transform.f - lattice.phase_y) / height,
    ]  # fmt: skip
    return all(abs(number - round(number)) < _ALIGNED for number in along)


def draw_hidden(
    layouts: Sequence[Layout], cells: int, settings: TrainSettings, generator: np.random.Generator
) -> list[Hidden]:
    """What is hidden of each modality in one window of `cells` x `cells`."""
    hidden = [np.zeros((len(item.dates), cells, cells), np.bool_) for item in layouts]
    in_blocks = generator.random() < settings.blocks
    ground = draw_blocks(cells, generator) if in_blocks else draw_cells(cells, settings.hidden, generator)
    for part in hidden:
        part[:] = ground
    _hide_sensor(layouts, hidden, settings.hide_sensor, generator)
    _hide_date(layouts, hidden, settings.hide_date, generator)
    return hide_indices(layouts, hidden)


def draw_cells(cells: int, share: float, generator: np.random.Generator) -> NDArray[np.bool_]:
    """`share` of the cells, in squares of 1, 2 or 4 cells."""
    grain = int(generator.choice(_GRAINS))
    side = -(-cells // grain)
    chosen = np.zeros(side * side, np.bool_)
    chosen[generator.permutation(side * side)[: round(share * side * side)]] = True
    return chosen.reshape(side, side).repeat(grain, 0).repeat(grain, 1)[:cells, :cells]


def draw_blocks(cells: int, generator: np.random.Generator) -> NDArray[np.bool_]:
    """Rectangles until 40-75 % of the cells are hidden; a rectangle that would hide more is not taken."""
    hidden = np.zeros((cells, cells), np.bool_)
    while hidden.mean() < _BLOCK_SHARE[0]:
        height, width = generator.integers(_BLOCK[0], _BLOCK[1] + 1, size=2)
        row, col = generator.integers(0, max(cells - height, 0) + 1), generator.integers(0, max(cells - width, 0) + 1)
        more = hidden.copy()
        more[row : row + height, col : col + width] = True
        if more.mean() <= _BLOCK_SHARE[1]:
            hidden = more
    return hidden


def _hide_sensor(
    layouts: Sequence[Layout], hidden: Sequence[Hidden], share: float, generator: np.random.Generator
) -> None:
    """All modalities and dates of one sensor, if another one is left."""
    sensors = sorted({item.sensor for item in layouts})
    drawn = generator.random()
    if len(sensors) < 2 or drawn >= share:
        return
    sensor = sensors[int(generator.integers(len(sensors)))]
    for item, part in zip(layouts, hidden, strict=True):
        if item.sensor == sensor:
            part[:] = True


def _hide_date(
    layouts: Sequence[Layout], hidden: Sequence[Hidden], share: float, generator: np.random.Generator
) -> None:
    """One date of every modality that has it, if another one is left."""
    dates = sorted({date for item in layouts for date in item.dates if date is not None})
    drawn = generator.random()
    if len(dates) < 2 or drawn >= share:
        return
    date = dates[int(generator.integers(len(dates)))]
    for item, part in zip(layouts, hidden, strict=True):
        part[[own == date for own in item.dates]] = True


def hide_indices(layouts: Sequence[Layout], hidden: Sequence[Hidden]) -> list[Hidden]:
    """Indices hide wherever a band that they may come from is hidden, at any date; they would tell what it holds."""
    pairs = list(zip(layouts, hidden, strict=True))
    bands = [part.any(axis=0) for item, part in pairs if item.is_optical]
    if not bands:
        return list(hidden)
    optical = np.logical_or.reduce(bands)
    return [part | optical if item.is_index else part for item, part in pairs]


def spreads(layouts: Sequence[Layout]) -> list[int]:
    """How many pixels around its hidden cells each modality hides too.

    The pixels of a band may stick out of a hidden cell; an index must not tell them there.
    """
    overhang = max((item.overhang for item in layouts if item.is_optical), default=0.0)
    return [math.ceil(overhang / item.pixel) if item.is_index else 0 for item in layouts]
