"""Does the predictor know what is hidden, better than a copy of what lies around?"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from gfm_core.model.jepa import JepaModel
from gfm_training.batch import hidden_statistics
from gfm_training.evaluation.ground import Ground, Likeness, inputs_of, likeness, read_pixels
from gfm_training.settings import TrainSettings
from gfm_training.targets import LatentTargets

# What is hidden, as settings of the masks; of a whole sensor every cell of it.
MASKS: dict[str, dict[str, Any]] = {
    "cells at random, 75 %": {"blocks": 0.0, "hidden": 0.75, "hide_sensor": 0.0, "hide_date": 0.0},
    "blocks of cells": {"blocks": 1.0, "hide_sensor": 0.0, "hide_date": 0.0},
    "a whole sensor": {"blocks": 0.0, "hidden": 0.0, "hide_sensor": 1.0, "hide_date": 0.0},
    "a whole date": {"blocks": 0.0, "hidden": 0.0, "hide_sensor": 0.0, "hide_date": 1.0},
}
SOURCES = ("predictor", "mean of the visible cells", "nearest visible cell")


@dataclass(frozen=True, slots=True)
class Prediction:
    """How near to the hidden cells' latents one `source` comes under one mask."""

    place: str
    mask: str
    source: str
    likeness: Likeness


@dataclass(frozen=True, slots=True)
class Hidden:
    """One mask laid over the windows of a place: latents to be known, those predicted, and where, `[B, n, n(, D)]`."""

    targets: Tensor
    predicted: Tensor
    asked: Tensor  # lost a token
    shown: Tensor  # lost nothing


def targets_over(model: JepaModel, grounds: Sequence[Ground], settings: TrainSettings) -> LatentTargets:
    """What is asked of the predictor, by the moments of all windows that are looked at."""
    layers = 1 if settings.ema_targets == "last" else model.config.depth
    found = LatentTargets(settings.ema_targets, layers, model.config.dim, decay=1.0)
    for ground in grounds:
        found(*model.target_layers(inputs_of(ground.stack, read_pixels(ground.stack, ground.cells))))
    return found.eval()


def predictions(
    model: JepaModel, targets: LatentTargets, ground: Ground, settings: TrainSettings, seed: int
) -> list[Prediction]:
    """Measure every mask that hides something here, with the two copies beside the predictor."""
    found = []
    for number, mask in enumerate(MASKS):
        hidden = hide(model, targets, ground, settings, mask, seed=seed * len(MASKS) + number)
        if hidden is None:
            continue
        guesses = {SOURCES[0]: hidden.predicted, **copies(hidden)}
        for source, guess in guesses.items():
            # A whole sensor hides a part of every cell: then there is nothing whole to copy from.
            if source == SOURCES[0] or bool(hidden.shown.any()):
                alike = likeness(guess, hidden.targets, hidden.asked)
                if alike is not None:
                    found.append(Prediction(ground.place.name, mask, source, alike))
    return found


def hide(
    model: JepaModel, targets: LatentTargets, ground: Ground, settings: TrainSettings, mask: str, *, seed: int
) -> Hidden | None:
    """Lay one of `MASKS` over the windows of a place; None if it hides nothing there."""
    stack, chance = ground.stack, np.random.default_rng(seed)
    pixels = read_pixels(stack, ground.cells)
    whole = inputs_of(stack, pixels)
    drawn = dataclasses.replace(settings, **MASKS[mask])
    left = [part.to_input(stack) for part in hidden_statistics(stack, pixels, drawn, chance)]
    lost = [(a.present.any(dim=-1) & ~b.present.any(dim=-1)).any(dim=1) for a, b in zip(whole, left, strict=True)]
    asked = torch.stack(lost).any(dim=0)
    if not bool(asked.any()):
        return None
    with torch.inference_mode():
        layers, present = model.target_layers(whole)
        wanted = targets(layers, present)
        seen = model.encode_context(left, present)
        predicted = model.predict(seen.values, seen.present, asked & present)
    return Hidden(wanted, predicted, asked & present, present & ~asked)


def copies(hidden: Hidden) -> dict[str, Tensor]:
    """What copying gives: the mean of the window's visible cells, and the visible cell nearest on the ground."""
    mean, nearest = torch.zeros_like(hidden.targets), torch.zeros_like(hidden.targets)
    for number, (targets, shown) in enumerate(zip(hidden.targets, hidden.shown, strict=True)):
        if bool(shown.any()):
            mean[number] = targets[shown].mean(dim=0)
            nearest[number] = targets[_nearest(shown)]
    return {SOURCES[1]: mean, SOURCES[2]: nearest}


def _nearest(shown: Tensor) -> tuple[Tensor, Tensor]:
    """Row and column of the visible cell nearest to each cell of a window."""
    places = distance_transform_edt(~shown.numpy(), return_distances=False, return_indices=True)
    return torch.from_numpy(places[0]).long(), torch.from_numpy(places[1]).long()


def error_map(hidden: Hidden, number: int) -> Tensor:
    """1 - cosine of prediction and target in one window `[n, n]`, NaN where nothing was asked."""
    cosine = torch.nn.functional.cosine_similarity(hidden.predicted[number], hidden.targets[number], dim=-1)
    return torch.where(hidden.asked[number], 1 - cosine, torch.nan)


def by_mask(found: Sequence[Prediction]) -> dict[tuple[str, str], list[Likeness]]:
    """The measures of every mask and source."""
    grouped: dict[tuple[str, str], list[Likeness]] = {}
    for one in found:
        grouped.setdefault((one.mask, one.source), []).append(one.likeness)
    return grouped
