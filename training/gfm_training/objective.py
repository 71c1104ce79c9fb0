"""The loss: latents of a slow copy (EMA), cluster ids of statistics (anchor), or both. Float32, outside autocast."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from gfm_core.model.jepa import JepaModel
from gfm_training.codebook import Books
from gfm_training.data import Batch

_BETA = 0.5  # of the smooth L1: where it turns from square to straight, in standard deviations of a latent
_LEAST_SD = 0.05  # of a dimension: smaller ones are noise, and are not blown up


@dataclass(frozen=True, slots=True)
class Loss:
    """`total` has gradients; the parts are what it is made of. An anchor of 1 is chance, 0 is certainty."""

    total: Tensor
    ema: Tensor
    anchor_hidden: Tensor
    anchor_seen: Tensor


class AnchorHeads(nn.Module):
    """One linear map from latents to cluster ids for every codebook."""

    def __init__(self, dim: int, books: Books) -> None:
        super().__init__()
        self.keys = sorted(books)
        self.near = nn.ModuleList(nn.Linear(dim, len(books[key][0].centres)) for key in self.keys)
        self.wide = nn.ModuleList(nn.Linear(dim, len(books[key][1].centres)) for key in self.keys)

    def forward(self, key: str, latents: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of near and wide clusters for latents `[N, D]` of a place with the modality set `key`."""
        place = self.keys.index(key)
        return self.near[place](latents), self.wide[place](latents)


class Objective(nn.Module):
    """Wires model and heads: predicts at every cell that lost a token, and names the cluster of every seen cell too."""

    def __init__(self, model: JepaModel, heads: AnchorHeads, *, kind: str, ema_weight: float) -> None:
        super().__init__()
        self.model, self.heads = model, heads
        self.ema_weight = {"ema": 1.0, "anchor": 0.0, "dual": ema_weight}[kind]

    def forward(self, batch: Batch) -> Loss:
        """The loss of one batch."""
        seen = self.model.encode_context(batch.context, batch.near >= 0)
        target = self.model.encode_target(batch.target)
        asked = asked_cells(batch) & target.present
        predicted = self.model.predict(seen.values, seen.present, asked)
        with torch.autocast(predicted.device.type, enabled=False):
            scale = Scale.of(target.values[target.present].float())
            guesses = predicted[asked].float()
            ema = latent_loss(guesses, scale.standard(target.values[asked].float()))
            hidden = self._anchor(batch, scale.latents(guesses), asked)
            visible = seen.present & target.present
            shown = self._anchor(batch, seen.values[visible].float(), visible)
            total = self.ema_weight * ema + (1 - self.ema_weight) * 0.5 * (hidden + shown)
        return Loss(total, ema.detach(), hidden.detach(), shown.detach())

    def _anchor(self, batch: Batch, latents: Tensor, cells: Tensor) -> Tensor:
        """Cross-entropy of both codebooks, as a share of chance."""
        logits = self.heads(batch.books, latents)
        ids = batch.near[cells], batch.wide[cells]
        return torch.stack([share_of_chance(one, wanted) for one, wanted in zip(logits, ids, strict=True)]).mean()


@dataclass(frozen=True, slots=True)
class Scale:
    """Mean and deviation of each dimension of the target latents in a batch, `[D]`.

    The predictor answers in deviations from the mean: what all cells share earns nothing, so the network gains nothing
    by making cells alike, which plain layer-normed targets reward at first (rank 9.8 to 2.2 in 50 steps).
    """

    mean: Tensor
    sd: Tensor

    @classmethod
    def of(cls, latents: Tensor) -> Scale:
        """The scale of `latents` `[N, D]`."""
        if len(latents) < 2:
            return cls(latents.new_zeros(latents.shape[-1]), latents.new_ones(latents.shape[-1]))
        return cls(latents.mean(dim=0), latents.std(dim=0).clamp_min(_LEAST_SD))

    def standard(self, latents: Tensor) -> Tensor:
        """Latents in deviations."""
        return (latents - self.mean) / self.sd

    def latents(self, standard: Tensor) -> Tensor:
        """The way back; layer-normed, as latents are."""
        return functional.layer_norm(standard * self.sd + self.mean, (standard.shape[-1],))


def asked_cells(batch: Batch) -> Tensor:
    """Cells `[B, n, n]` of which the context lacks a token that the target has, whole or in part."""
    lost = [
        (whole.present.any(dim=-1) & ~part.present.any(dim=-1)).any(dim=1)
        for whole, part in zip(batch.target, batch.context, strict=True)
    ]
    return torch.stack(lost).any(dim=0)


def latent_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Smooth L1 of standardised latents `[N, D]`; 0 if there is none."""
    if not len(predicted):
        return predicted.sum()
    return functional.smooth_l1_loss(predicted, target, beta=_BETA)


def share_of_chance(logits: Tensor, ids: Tensor) -> Tensor:
    """Cross-entropy of `logits` `[N, K]` with `ids` `[N]` (-1: left out), divided by log K; 0 if nothing is left."""
    known = ids >= 0
    if not bool(known.any()) or logits.shape[1] < 2:
        return logits.sum() * 0
    return functional.cross_entropy(logits[known], ids[known]) / math.log(logits.shape[1])
