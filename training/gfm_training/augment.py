"""Turns, flips, other radiometry, missing bands and dates, on statistics: cheaper than on pixels, and the same."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gfm_core.bands import Band, BandKind
from gfm_core.model.statistics import PATCH_SIDE
from gfm_core.model.tokens import TOKEN_WINDOWS, ModalityInput
from gfm_training.settings import TrainSettings

_PATCH = PATCH_SIDE**2
_LOCATIONS = _PATCH + TOKEN_WINDOWS  # features before this move with gain and shift, the deviations behind with gain


@dataclass(frozen=True, slots=True)
class Turn:
    """`quarters` turns to the left after a mirroring of left and right."""

    quarters: int
    mirrored: bool

    @classmethod
    def draw(cls, generator: np.random.Generator) -> Turn:
        """One of the eight, all alike likely."""
        return cls(int(generator.integers(4)), bool(generator.integers(2)))

    def of(self, field: Tensor, rows: int, cols: int) -> Tensor:
        """`field` turned in the plane of its axes `rows` and `cols`."""
        mirrored = field.flip(cols) if self.mirrored else field
        return torch.rot90(mirrored, self.quarters, (rows, cols))

    def of_vectors(self, vectors: Tensor) -> Tensor:
        """Vectors `[..., 2]` (down, right) turned: what they point at stays the same ground."""
        down, right = vectors.unbind(-1)
        right = -right if self.mirrored else right
        for _ in range(self.quarters):
            down, right = -right, down
        return torch.stack([down, right], dim=-1)


def turned(modality: ModalityInput, turn: Turn) -> ModalityInput:
    """The statistics of the turned pixels. Relief and slope do not depend on the direction."""
    features = turn.of(modality.features, 2, 3)
    patch = features[..., :_PATCH].reshape(*features.shape[:-1], PATCH_SIDE, PATCH_SIDE)
    patch = turn.of(patch, -2, -1).flatten(-2)
    return dataclasses.replace(
        modality,
        features=torch.cat([patch, features[..., _PATCH:]], dim=-1),
        present=turn.of(modality.present, 2, 3),
        offset=turn.of_vectors(turn.of(modality.offset, 1, 2)),
    )


@dataclass(frozen=True, slots=True)
class Radiometry:
    """`value * gain + shift` of each band, `[C]`; heights keep theirs."""

    gain: Tensor
    shift: Tensor

    @classmethod
    def draw(cls, bands: Sequence[Band], gain: float, shift: float, generator: np.random.Generator) -> Radiometry:
        """Half of the change is common to all bands (light, haze), half is each band's own (calibration)."""
        draws = generator.standard_normal((2, len(bands) + 1))
        mixed = (draws[:, 1:] + draws[:, :1]) * 0.5**0.5
        mixed[:, [band.kind is BandKind.ELEVATION for band in bands]] = 0
        gains, shifts = np.exp(mixed[0] * gain), mixed[1] * shift
        return cls(torch.tensor(gains, dtype=torch.float32), torch.tensor(shifts, dtype=torch.float32))


def with_radiometry(modality: ModalityInput, radiometry: Radiometry) -> ModalityInput:
    """The statistics of the pixels with another gain and shift."""
    scaled = modality.features * radiometry.gain.unsqueeze(-1)
    there = modality.present.unsqueeze(-1)
    moved = scaled[..., :_LOCATIONS] + radiometry.shift.unsqueeze(-1) * there
    return dataclasses.replace(modality, features=torch.cat([moved, scaled[..., _LOCATIONS:]], dim=-1))


def without_bands(
    modalities: Sequence[ModalityInput], share: float, generator: np.random.Generator
) -> list[ModalityInput]:
    """Some modalities lose up to half of their bands; if one of them is optical, every index is lost with them."""
    kept = [_draw_kept(item, share, generator) for item in modalities]
    optical_lost = any(
        not keep and band.kind is BandKind.OPTICAL
        for item, keeps in zip(modalities, kept, strict=True)
        for band, keep in zip(item.bands, keeps, strict=True)
    )
    return [_keeping(item, keeps, optical_lost) for item, keeps in zip(modalities, kept, strict=True)]


def _draw_kept(modality: ModalityInput, share: float, generator: np.random.Generator) -> list[bool]:
    count = len(modality.bands)
    drawn, lost = generator.random(), int(generator.integers(1, max(count // 2, 1) + 1))
    order = generator.permutation(count)
    if count < 2 or drawn >= share:
        return [True] * count
    gone = set(order[:lost].tolist())
    return [number not in gone for number in range(count)]


def _keeping(modality: ModalityInput, kept: Sequence[bool], indices_lost: bool) -> ModalityInput:
    mask = torch.tensor(kept)
    if indices_lost:
        mask &= torch.tensor([band.kind is not BandKind.INDEX for band in modality.bands])
    if bool(mask.all()):
        return modality
    features = torch.where(mask.unsqueeze(-1), modality.features, 0)
    return dataclasses.replace(modality, features=features, present=modality.present & mask)


def draw_dates_kept(
    dates: Sequence[Sequence[datetime.date | None]], settings: TrainSettings, generator: np.random.Generator
) -> list[list[int]]:
    """The dates of each modality (`dates[modality][time]`) that a step has, by number; none: the modality is dropped.

    A date goes from every modality that has it. Whatever is drawn, something is left.
    """
    days = sorted({day for own in dates for day in own if day is not None})
    lost_days = {day for day, draw in zip(days, generator.random(len(days)), strict=True) if draw < settings.drop_dates}
    if len(lost_days) == len(days):
        lost_days = set()
    lost = generator.random(len(dates)) < settings.drop_modalities
    kept = [
        [] if gone else [time for time, day in enumerate(own) if day not in lost_days]
        for own, gone in zip(dates, lost, strict=True)
    ]
    return kept if any(kept) else [list(range(len(own))) for own in dates]
