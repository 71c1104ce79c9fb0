"""Windows of one place -> what the network takes: statistics, with and without what is hidden, in few calls."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gfm_core.bands import Band, BandKind
from gfm_core.model.statistics import STATISTIC_WINDOWS, CellStatistics, cell_statistics, derive, hide
from gfm_core.model.tokens import TOKEN_WINDOWS, ModalityInput, batch_inputs, modality_input
from gfm_core.raster.normalise import normalise
from gfm_core.raster.read import PixelWindow
from gfm_core.raster.stack import Modality, Stack
from gfm_core.sampling import with_dates

TOKEN_STATISTICS = STATISTIC_WINDOWS[: TOKEN_WINDOWS - 1]


@dataclass(frozen=True, slots=True)
class WindowStatistics:
    """Statistics of one modality in a batch of windows: one `CellStatistics` a window."""

    modality: Modality
    bands: tuple[Band, ...]  # after derive
    samples: tuple[CellStatistics, ...]
    offsets: tuple[np.ndarray, ...]

    def at(self, times: Sequence[int]) -> WindowStatistics:
        """The same at some of the modality's dates."""
        index = list(times)
        samples = tuple(
            CellStatistics(item.patch[index], item.mean[index], item.sd[index], item.present[index])
            for item in self.samples
        )
        return replace(self, modality=with_dates(self.modality, index), samples=samples)

    def to_input(self, stack: Stack) -> ModalityInput:
        """As the network takes it."""
        return batch_inputs(
            [
                modality_input(
                    sample, bands=self.bands, gsd=self.modality.gsd, cell_size=stack.lattice.cell_size,
                    dates=self.modality.dates, first_date=stack.first_date, offset=offset,
                )
                for sample, offset in zip(self.samples, self.offsets, strict=True)
            ]
        )  # fmt: skip


def window_statistics(
    modality: Modality,
    windows: Sequence[PixelWindow],
    hidden: Sequence[Tensor] | None = None,
    sizes: Sequence[int] = STATISTIC_WINDOWS,
    *,
    spread: int = 0,
) -> WindowStatistics:
    """Statistics of a modality in `windows`; `hidden[i] [T, n, n]` (True) is made invalid before, with `spread` pixels
    around.

    Windows whose patches lie alike are computed in one call.
    """
    times = len(modality.dates)
    samples: dict[int, CellStatistics] = {}
    bands: tuple[Band, ...] = modality.bands
    for alike in _alike(windows):
        first = windows[alike[0]]
        values, valid, bands = derive(*_pixels(modality, windows, alike, hidden, spread), modality.bands, modality.gsd)
        inside = torch.from_numpy(first.inside)
        whole = cell_statistics(values, valid, inside, first.rows, first.cols, windows=sizes)
        for place, number in enumerate(alike):
            span = slice(place * times, (place + 1) * times)
            samples[number] = CellStatistics(whole.patch[span], whole.mean[span], whole.sd[span], whole.present[span])
    ordered = tuple(samples[number] for number in range(len(windows)))
    return WindowStatistics(modality, bands, ordered, tuple(window.offset for window in windows))


def _alike(windows: Sequence[PixelWindow]) -> list[list[int]]:
    """Numbers of windows that can share a call: the same patches, the same pixels inside the raster."""
    groups: dict[bytes, list[int]] = {}
    for number, window in enumerate(windows):
        key = b"|".join((window.rows.tobytes(), window.cols.tobytes(), np.packbits(window.inside).tobytes()))
        groups.setdefault(key, []).append(number)
    return list(groups.values())


def _pixels(
    modality: Modality,
    windows: Sequence[PixelWindow],
    alike: Sequence[int],
    hidden: Sequence[Tensor] | None,
    spread: int,
) -> tuple[Tensor, Tensor]:
    """Normalised pixels and valid mask `[B * T, C, H, W]` of windows, without what is hidden."""
    pixels, valid = [], []
    for number in alike:
        window = windows[number]
        pixels.append(torch.from_numpy(normalise(window.pixels, window.valid, modality.normalisation, modality.bands)))
        mask = torch.from_numpy(window.valid)
        if hidden is not None:
            mask = without_hidden(mask, window, hidden[number], spread)
        valid.append(mask)
    return torch.cat(pixels), torch.cat(valid)


def without_hidden(valid: Tensor, window: PixelWindow, hidden: Tensor, spread: int = 0) -> Tensor:
    """`valid` `[T, C, H, W]` with the pixels of hidden cells `[T, n, n]` cleared, and `spread` pixels around them.

    A pixel goes with any of its cells.
    """
    rows, cols = (
        np.clip(spans + np.array([-spread, spread]), 0, length)
        for spans, length in zip((window.rows, window.cols), valid.shape[-2:], strict=True)
    )
    if bool((hidden == hidden[:1]).all()):  # most often all dates alike
        return hide(valid, rows, cols, hidden[0])
    return torch.stack([hide(mask, rows, cols, part) for mask, part in zip(valid, hidden, strict=True)])


# ---- What the anchors know of a cell -------------------------------------------------------------------------------

_NEAR = slice(0, 4)  # of the statistics: the patch, 3, 5, 9 px
_WIDE = slice(4, 7)  # 17, 33, 65 px: what the token does not hold


class Unit(NamedTuple):
    """One sensor at one date (None: undated): what a mask can hide whole."""

    sensor: str
    date: datetime.date | None


def near_and_wide(parts: Sequence[WindowStatistics]) -> tuple[Tensor, Tensor, Tensor]:
    """Features of every cell over all modalities, dates averaged: near `[N, F]`, wide `[N, G]`, present `[N]`.

    N = windows x n x n; 0 where a band is absent; present: any band is there.
    """
    near = torch.cat([_features(part, _NEAR) for part in parts], dim=1)
    wide = torch.cat([_features(part, _WIDE) for part in parts], dim=1)
    return near, wide, _any_band(parts)


def by_unit(parts: Sequence[WindowStatistics]) -> dict[Unit, tuple[Tensor, Tensor]]:
    """Near features `[N, F]` of each sensor at each of its dates, over its modalities, and where it is there `[N]`."""
    found = {}
    for sensor in dict.fromkeys(part.modality.sensor for part in parts):
        mine = [part for part in parts if part.modality.sensor == sensor]
        for date in dict.fromkeys(date for part in mine for date in part.modality.dates):
            then = [part.at([number for number, own in enumerate(part.modality.dates) if own == date]) for part in mine]
            features = torch.cat([_features(part, _NEAR) for part in then], dim=1)
            found[Unit(sensor, date)] = features, _any_band(then)
    return found


def _cells(part: WindowStatistics) -> Tensor:
    """Present `[B, T, C, n, n]`."""
    return torch.stack([sample.present for sample in part.samples])


def _any_band(parts: Sequence[WindowStatistics]) -> Tensor:
    return torch.stack([_cells(part).any(dim=2).any(dim=1).flatten() for part in parts]).any(dim=0)


def _features(part: WindowStatistics, span: slice) -> Tensor:
    numbers = torch.stack(
        [torch.cat([sample.mean[..., span], sample.sd[..., span]], dim=-1) for sample in part.samples]
    )  # [B, T, C, n, n, 2 S]
    there = _cells(part).unsqueeze(-1)
    mean = (numbers * there).sum(dim=1) / there.sum(dim=1).clamp_min(1)  # over dates: [B, C, n, n, 2 S]
    return mean.permute(0, 2, 3, 1, 4).flatten(3).flatten(0, 2)


def set_key(modalities: Sequence[Modality]) -> str:
    """Name of a modality set: places of one set share codebooks. GSDs count to tens of metres, fine ones finer."""
    return " + ".join(f"{item.sensor}@{_rounded(item.gsd)}({','.join(_names(item.bands))})" for item in modalities)


def _rounded(gsd: float) -> str:
    return f"{gsd:.1g}" if gsd < 1 else f"{round(gsd * 0.1) * 10 or round(gsd)}"


def _names(bands: Sequence[Band]) -> list[str]:
    return [f"{band.name}:{band.kind}" if band.kind is BandKind.CUSTOM else band.name for band in bands]
