"""The loss: latents of a slow copy (`ema`), frozen answers (`anchor`), or both (`dual`). Float32, outside autocast."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from gfm_core.model.jepa import JepaModel
from gfm_core.model.tokens import ModalityInput
from gfm_training.across import processes, summed
from gfm_training.anchors import Answers, Books
from gfm_training.batch import Batch
from gfm_training.heads import AnchorHeads
from gfm_training.settings import TrainSettings
from gfm_training.targets import LatentTargets

_BETA = 0.5  # of the smooth L1: where it turns from square to straight, in standard deviations
_CHANCE = 0.5807  # that smooth L1 of a standard normal number when its mean is answered

# Moments of the targets forget as fast as the slow copy changes: over a fifteenth of the run, or a hundred steps.
_FORGOTTEN, _SLOWEST = 15.0, 0.99


@dataclass(frozen=True, slots=True)
class Loss:
    """`total` has gradients; `parts` are what it is made of, as means over cells, those of this batch only.

    `ema_hidden`, `ema_visible`, and of each anchor `NAME_hidden` (from the predictor's latents of cells that lost a
    token) and `NAME_seen` (from the encoder's latents of cells that have one). An anchor of 1 is chance, 0 certainty.
    """

    total: Tensor
    parts: Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Term:
    """One part of the loss before the mean: its sum over cells, and how many they are."""

    total: Tensor
    count: int


class Objective(nn.Module):
    """Wires model and heads: predicts at every cell that lost a token, and asks anchors of every seen cell too."""

    def __init__(self, model: JepaModel, books: Books, settings: TrainSettings) -> None:
        super().__init__()
        self.model = model
        self.ema_weight = {"ema": 1.0, "anchor": 0.0, "dual": settings.ema_weight}[settings.objective]
        self.ema_visible = settings.ema_visible
        layers = 1 if settings.ema_targets == "last" else model.config.depth
        decay = min(1 - _FORGOTTEN / max(settings.steps, _FORGOTTEN), _SLOWEST)
        self.targets = LatentTargets(settings.ema_targets, layers, model.config.dim, decay=decay)
        self.anchors = settings.anchors if self.ema_weight < 1 else ()
        self.modality_sets = len(books)
        dim = model.config.dim
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            # Predicted latents are deviations, seen ones are not: each has heads of its own.
            self.heads = nn.ModuleDict({name: AnchorHeads(dim, books, self.anchors) for name in ("hidden", "seen")})

    def forward(self, batch: Batch) -> Loss:
        """The loss of one batch."""
        seen = self.model.encode_context(batch.context, batch.answers.near >= 0)
        holding = cells_with_token(batch.target)
        asked, shown = asked_cells(batch) & holding, seen.present & holding
        both = asked | shown if self.ema_weight and self.ema_visible else asked
        predicted = self.model.predict(seen.values, seen.present, both)
        layers = self.model.target_layers(batch.target) if self.ema_weight else None
        with torch.autocast(predicted.device.type, enabled=False):
            ema: dict[str, Term] = {}
            if layers is not None:
                ema = self._ema(predicted.float(), self.targets(*layers), asked, shown & ~asked)
            anchors: dict[str, Term] = {}
            for where, latents, cells in (("hidden", predicted, asked), ("seen", seen.values, shown)):
                found = self._anchors(batch, self.heads[where], latents[cells].float(), cells)
                anchors |= {f"{name}_{where}": term for name, term in found.items()}
            return self._together(ema, anchors)

    def _ema(self, predicted: Tensor, target: Tensor, asked: Tensor, whole: Tensor) -> dict[str, Term]:
        """The terms of latents at cells that were `asked` and at those that lost nothing."""
        terms = {"ema_hidden": latent_term(predicted[asked], target[asked])}
        if self.ema_visible:
            terms["ema_visible"] = latent_term(predicted[whole], target[whole])
        return terms

    def _anchors(self, batch: Batch, heads: AnchorHeads, latents: Tensor, cells: Tensor) -> dict[str, Term]:
        """The term of every anchor for `latents` `[N, D]` of `cells` `[B, n, n]`."""
        answers, key = batch.answers, batch.books
        terms: dict[str, Term] = {}
        for name in self.anchors:
            match name:
                case "other":
                    parts = list(_other_terms(answers, heads, key, latents, cells))
                case "map":
                    layers = sorted(answers.maps.items())
                    parts = [cluster_term(heads.of_map(layer, latents), ids[cells]) for layer, ids in layers]
                case "projection":
                    known = answers.near[cells] >= 0
                    parts = [projection_term(heads.of(key, name, latents[known]), answers.projection[cells][known])]
                case _:
                    parts = [cluster_term(heads.of(key, name, latents), getattr(answers, name)[cells])]
            whole = sum((part.total for part in parts), latents.sum() * 0)
            terms[name] = Term(whole, sum(part.count for part in parts))
        return terms

    def _together(self, ema: Mapping[str, Term], anchors: Mapping[str, Term]) -> Loss:
        """Means over the cells of all processes, weighed. A part without any cell is left out."""
        terms = {**ema, **anchors}
        device = next(iter(terms.values())).total.device
        counts = summed(torch.tensor([float(term.count) for term in terms.values()], device=device)).tolist()
        means = {
            name: term.total / count * processes()  # gradients are averaged over processes later
            for (name, term), count in zip(terms.items(), counts, strict=True)
            if count
        }
        weights = {"ema_hidden": 1.0, "ema_visible": self.ema_visible}
        latent = _weighted({name: means[name] for name in ema if name in means}, weights)
        anchor = _weighted({name: means[name] for name in anchors if name in means}, {})
        nothing = sum(term.total for term in terms.values()) * 0
        total = nothing + self.ema_weight * latent + (1 - self.ema_weight) * anchor
        return Loss(total, {name: value.detach() for name, value in means.items()})


def _weighted(means: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor | float:
    """The weighted mean of parts; 0 without any."""
    whole = sum(weights.get(name, 1.0) for name in means)
    return sum(value * (weights.get(name, 1.0) / whole) for name, value in means.items()) if whole else 0.0


def _other_terms(answers: Answers, heads: AnchorHeads, key: str, latents: Tensor, cells: Tensor) -> Iterator[Term]:
    """A term for each sensor that is asked in some windows."""
    window = cells.nonzero()[:, 0]
    sensor, ids = answers.other_sensor[window], answers.other[cells]
    for number in answers.other_sensor.unique().tolist():
        mine = sensor == number
        if number >= 0 and bool(mine.any()):
            time = answers.other_time[window[mine]]
            yield cluster_term(heads.of_sensor(key, number, latents[mine], time), ids[mine])


# ---- Cells ----------------------------------------------------------------------------------------------------------


def cells_with_token(inputs: Sequence[ModalityInput]) -> Tensor:
    """Cells `[B, n, n]` that have a band of any modality at any date."""
    return torch.stack([item.present.any(dim=-1).any(dim=1) for item in inputs]).any(dim=0)


def asked_cells(batch: Batch) -> Tensor:
    """Cells `[B, n, n]` of which the context lacks a token that the target has."""
    lost = [
        (whole.present.any(dim=-1) & ~part.present.any(dim=-1)).any(dim=1)
        for whole, part in zip(batch.target, batch.context, strict=True)
    ]
    return torch.stack(lost).any(dim=0)


# ---- Terms ----------------------------------------------------------------------------------------------------------


def latent_term(predicted: Tensor, target: Tensor) -> Term:
    """Smooth L1 of latents `[N, D]` in deviations, a mean over D."""
    each = functional.smooth_l1_loss(predicted, target, beta=_BETA, reduction="none").mean(dim=-1)
    return Term(each.sum(), len(each))


def projection_term(predicted: Tensor, target: Tensor) -> Term:
    """Smooth L1 of projections `[N, P]` as a share of what their mean would cost."""
    term = latent_term(predicted, target)
    return Term(term.total / _CHANCE, term.count)


def cluster_term(logits: Tensor, ids: Tensor) -> Term:
    """Cross-entropy of `logits` `[N, K]` with `ids` `[N]` (-1: left out) as a share of chance, log K."""
    known = ids >= 0
    if logits.shape[1] < 2:
        return Term(logits.sum() * 0, 0)
    total = functional.cross_entropy(logits[known], ids[known], reduction="sum") / math.log(logits.shape[1])
    return Term(total, int(known.sum()))
