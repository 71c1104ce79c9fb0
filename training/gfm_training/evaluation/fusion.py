"""What each layer and date gives: the same place without it, and with red, green and blue alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from gfm_core.bands import Band, BandKind
from gfm_core.model.encoder import CellEncoder
from gfm_core.model.tokens import ModalityInput
from gfm_core.raster.stack import Modality
from gfm_training.evaluation.ground import Ground, Likeness, inputs_of, latents_of, likeness, read_pixels, without_bands
from gfm_training.vitals import at_dates

RGB_ONLY = "red, green, blue only"

_RGB_NM = (660.0, 560.0, 485.0)
_NEAR_NM = 45.0  # a band this near to red, green or blue stands for it
_MOST_DATES = 6  # of a place are left out in turn


@dataclass(frozen=True, slots=True)
class Without:
    """Likeness of the latents when `missing` is left out to those of everything; `kind` sensor, date or rgb."""

    place: str
    kind: str
    missing: str
    likeness: Likeness


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a modality in the fusion of a place, mean over cells; the parts of a place sum to 1."""

    place: str
    modality: str
    share: float


def without_each(encoder: CellEncoder, ground: Ground) -> list[Without]:
    """Leave out every sensor, every date (of many some), and all but red, green and blue."""
    stack = ground.stack
    inputs = inputs_of(stack, read_pixels(stack, ground.cells))
    whole, there = latents_of(encoder, inputs)
    found = []
    for kind, missing, left in _reduced(stack.modalities, inputs):
        values, present = latents_of(encoder, left)
        alike = likeness(values, whole, there & present)
        if alike is not None:
            found.append(Without(ground.place.name, kind, missing, alike))
    return found


def _reduced(
    modalities: Sequence[Modality], inputs: Sequence[ModalityInput]
) -> Iterator[tuple[str, str, list[ModalityInput]]]:
    """Kind and name of what is missing, and what is left."""
    sensors = list(dict.fromkeys(item.sensor for item in modalities))
    if len(sensors) > 1:
        for sensor in sensors:
            yield (
                "sensor",
                sensor,
                [given for item, given in zip(modalities, inputs, strict=True) if item.sensor != sensor],
            )
    dates = sorted({date for item in modalities for date in item.dates if date is not None})
    if len(dates) > 1:
        for date in dates[:: -(-len(dates) // _MOST_DATES)]:
            left = []
            for item, given in zip(modalities, inputs, strict=True):
                kept = [number for number, own in enumerate(item.dates) if own != date]
                if kept:
                    left.append(at_dates(given, kept))
            yield "date", date.isoformat(), left
    rgb = rgb_only(inputs)
    if rgb is not None:
        yield "rgb", RGB_ONLY, rgb


def rgb_only(inputs: Sequence[ModalityInput]) -> list[ModalityInput] | None:
    """The first modality that has red, green and blue, with these alone; None if none has, or nothing else is there."""
    for item in inputs:
        chosen = rgb_bands(item)
        if chosen is not None:
            kept = [number in chosen for number in range(len(item.bands))]
            return None if len(inputs) == 1 and all(kept) else [without_bands(item, kept)]
    return None


def rgb_bands(item: ModalityInput) -> tuple[int, int, int] | None:
    """Which bands are red, green and blue, if a modality has them."""
    red, green, blue = (_nearest(item.bands, wanted) for wanted in _RGB_NM)
    if red is None or green is None or blue is None or len({red, green, blue}) < 3:
        return None
    return red, green, blue


def _nearest(bands: Sequence[Band], wanted: float) -> int | None:
    """The optical band nearest to a wavelength, if it is near."""
    known = [
        (abs(band.wavelength_nm - wanted), number)
        for number, band in enumerate(bands)
        if band.kind is BandKind.OPTICAL and band.wavelength_nm is not None
    ]
    distance, number = min(known, default=(_NEAR_NM + 1, -1))
    return number if distance <= _NEAR_NM else None


def shares_of(encoder: CellEncoder, ground: Ground) -> list[Share]:
    """How much each modality decides in the fusion, mean over the cells that are there."""
    stack = ground.stack
    weights = fusion_weights(encoder, inputs_of(stack, read_pixels(stack, ground.cells)))
    there = weights.sum(dim=0) > 0
    return [
        Share(ground.place.name, item.name, round(float(part[there].mean()), 4))
        for item, part in zip(stack.modalities, weights, strict=True)
        if bool(there.any())
    ]


def fusion_weights(encoder: CellEncoder, inputs: Sequence[ModalityInput]) -> torch.Tensor:
    """The part of every modality (over its dates) in each cell, `[modality, B, n, n]`; 0 in cells without data."""
    with torch.inference_mode():
        tokens, present = encoder.tokeniser(inputs)
        weights = encoder.fusion.attention(tokens, present) * present.any(dim=-1, keepdim=True)
    counts = [item.features.shape[1] for item in inputs]
    return torch.stack([part.sum(dim=-1) for part in weights.split(counts, dim=-1)])
