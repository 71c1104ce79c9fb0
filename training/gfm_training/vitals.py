"""The health of a network along a run, without labels: are its latents spread, and do they know what they do not see?

A falling loss says nothing of either. Everything is measured on fixed windows of all places, a few a place, in cells of
the size that users embed.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from gfm_core.model.encoder import CellEncoder
from gfm_core.model.tokens import ModalityInput
from gfm_training.anchors import Books
from gfm_training.data import Survey
from gfm_training.windows import Unit

NEIGHBOURS = 10

_CELLS = 2048  # of one question: more change the third digit of the agreement
_PAIRS = 4096  # cells whose cosine is taken
_COLLAPSED_RANK = 1 / 3  # of the untrained network's
_COLLAPSED_SD = 0.05  # of a dimension; latents have a deviation of 1 over their dimensions


@dataclass(frozen=True, slots=True)
class Vitals:
    """How latents are spread, and what they know.

    `rank` is the effective rank, `sd` the median over dimensions of the deviation over cells. Cosines are means over
    pairs of cells of one place and of different places, after what all cells share is taken away. `agreement` answers
    each `Question`; None if no place has two sensors or dates. A cosine without such pairs is None. `shares` are parts
    of each sensor in the fusion, 0-1, means over the places that have it.
    """

    rank: float
    sd: float
    cosine_within: float | None
    cosine_between: float | None
    agreement: float | None
    shares: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return dataclasses.asdict(self)


def collapse(now: Vitals, untrained: Vitals) -> str | None:
    """What has collapsed, in words, or None."""
    if not math.isfinite(now.rank):
        return "the latents are no numbers any more"
    if now.sd < _COLLAPSED_SD:
        return f"all cells have nearly the same latent (median deviation {now.sd:.2g})"
    if now.rank < _COLLAPSED_RANK * untrained.rank:
        return f"the latents use {now.rank:.1f} dimensions where the untrained network used {untrained.rank:.1f}"
    return None


@dataclass(frozen=True, slots=True)
class Question:
    """Do latents made without one sensor (or date) lie together where that sensor sees the same, in other places?

    `inputs` `[part][modality]` lack it; `ids` `[N]` are its clusters, -1 = it saw nothing; `parts` `[N]` number the
    places (the windows, where there is one place only). Cells of the same part are no evidence: neighbours on the
    ground look alike.
    """

    name: str
    inputs: Sequence[Sequence[ModalityInput]]
    ids: Tensor
    parts: Tensor


class Examiner:
    """Takes the vitals of encoders on the same windows, again and again."""

    def __init__(self, surveys: Sequence[Survey], books: Books) -> None:
        self.surveys = _one_a_place(surveys)
        self.questions = tuple(_questions(self.surveys, books))

    def __call__(self, encoder: CellEncoder) -> Vitals:
        """The vitals of one encoder."""
        with torch.inference_mode():
            latents = [_latents(encoder, survey.inputs) for survey in self.surveys]
            within, between = cosines(latents)
            whole = torch.cat(latents)
            return Vitals(
                rank=round(effective_rank(whole), 3),
                sd=round(float(whole.std(dim=0).median()), 4),
                cosine_within=_rounded(within),
                cosine_between=_rounded(between),
                agreement=self.agreement(encoder),
                shares={name: round(share, 4) for name, share in fusion_shares(encoder, self.surveys).items()},
            )

    def agreement(self, encoder: CellEncoder) -> float | None:
        """Mean over the questions of how far the neighbours' clusters agree beyond chance: 0 is chance, 1 is always."""
        found = []
        for question in self.questions:
            latents = torch.cat([encoder(inputs).values.flatten(0, 2) for inputs in question.inputs])
            found.append(neighbours_agree(latents, question.ids, question.parts))
        known = [value for value in found if value is not None]
        return round(sum(known) / len(known), 4) if known else None


def _one_a_place(surveys: Sequence[Survey]) -> tuple[Survey, ...]:
    """The survey of each place in its smallest cells, which come first."""
    first: dict[str, Survey] = {}
    for survey in surveys:
        first.setdefault(survey.place, survey)
    return tuple(first.values())


def _latents(encoder: CellEncoder, inputs: Sequence[ModalityInput]) -> Tensor:
    latents = encoder(inputs)
    return latents.values[latents.present]


def effective_rank(latents: Tensor) -> float:
    """Exponential of the entropy of the covariance's normalised singular values (Roy and Vetterli 2007), `[N, D]`."""
    centred = (latents - latents.mean(dim=0)).double()
    if not bool(centred.isfinite().all()):
        return math.nan
    shares = torch.linalg.svdvals(centred.T @ centred)
    shares = shares / shares.sum().clamp_min(1e-12)
    return float(torch.exp(-(shares * shares.clamp_min(1e-12).log()).sum()))


def cosines(places: Sequence[Tensor]) -> tuple[float, float]:
    """Mean cosine of pairs of cells of one place and of two places, `[N, D]` each; the common mean is taken away."""
    mean = torch.cat(list(places)).mean(dim=0)
    unit = [functional.normalize(_spread(latents, _PAIRS) - mean, dim=1) for latents in places if len(latents)]
    within = [_mean_cosine(cells, cells.roll(len(cells) // 2, dims=0)) for cells in unit if len(cells) > 1]
    between = [
        _mean_cosine(one[:count], other[:count])
        for one, other in itertools.pairwise(unit)
        if (count := min(len(one), len(other)))
    ]
    return _mean(within), _mean(between)


def _mean_cosine(one: Tensor, other: Tensor) -> float:
    return float((one * other).sum(dim=1).mean())


def _spread(rows: Tensor, most: int) -> Tensor:
    """At most `most` rows, evenly spread."""
    return rows[:: max(-(-len(rows) // most), 1)]


def _rounded(value: float) -> float | None:
    """For a report; what is not known is None."""
    return round(value, 4) if math.isfinite(value) else None


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else math.nan


# ---- Who decides in the fusion --------------------------------------------------------------------------------------


def fusion_shares(encoder: CellEncoder, surveys: Sequence[Survey]) -> dict[str, float]:
    """Part of each sensor in the fusion, mean over present cells and then over the places that have it."""
    found: dict[str, list[float]] = {}
    for survey in surveys:
        tokens, present = encoder.tokeniser(survey.inputs)
        weights = encoder.fusion.attention(tokens, present)[present.any(dim=-1)].mean(dim=0)  # [K]
        per_input = weights.split([item.features.shape[1] for item in survey.inputs])
        mine: dict[str, float] = {}
        for sensor, part in zip(survey.sensors, per_input, strict=True):
            mine[sensor] = mine.get(sensor, 0.0) + float(part.sum())
        for sensor, share in mine.items():
            found.setdefault(sensor, []).append(share)
    return {sensor: _mean(shares) for sensor, shares in sorted(found.items())}


# ---- Knowing what is not seen ---------------------------------------------------------------------------------------


def neighbours_agree(latents: Tensor, ids: Tensor, parts: Tensor) -> float | None:
    """How far the clusters of the nearest cells of *other* parts agree with a cell's own, beyond chance.

    `latents` `[N, D]`, `ids` `[N]` (-1: left out), `parts` `[N]`. Chance is what cells drawn from the other parts
    would give. None if nothing can be compared.
    """
    known = torch.nonzero(ids >= 0).flatten()
    if not len(known):
        return None
    chosen = _spread(known, _CELLS)
    latents, ids, parts = functional.normalize(latents[chosen], dim=1), ids[chosen], parts[chosen]
    elsewhere = parts[:, None] != parts[None, :]
    same = ids[:, None] == ids[None, :]
    asked = elsewhere.sum(dim=1) >= NEIGHBOURS
    if not bool(asked.any()):
        return None
    nearest = (latents @ latents.T).masked_fill(~elsewhere, -2.0)[asked].topk(NEIGHBOURS, dim=1).indices
    agree = float(same[asked].gather(1, nearest).double().mean())
    chance = float(((same & elsewhere)[asked].sum(dim=1) / elsewhere[asked].sum(dim=1)).double().mean())
    return (agree - chance) / (1 - chance) if chance < 1 else None


def _questions(surveys: Sequence[Survey], books: Books) -> list[Question]:
    """For every modality set each of its sensors, where it has several, else each of its dates."""
    by_set: dict[str, list[Survey]] = {}
    for survey in surveys:
        by_set.setdefault(survey.key, []).append(survey)
    found = []
    for key, mine in by_set.items():
        sensors = sorted(set(mine[0].sensors))
        if len(sensors) > 1:
            asked = [(sensor, [_first_unit(survey, sensor) for survey in mine]) for sensor in sensors]
            found += [_question(f"{key}: {name}", mine, units, books, whole=True) for name, units in asked]
        elif all(len(survey.facts.units) > 1 for survey in mine):
            found.append(_question(f"{key}: a date", mine, [_last_unit(survey) for survey in mine], books, whole=False))
    return [question for question in found if question is not None]


def _first_unit(survey: Survey, sensor: str) -> Unit:
    return next(unit for unit in survey.facts.units if unit.sensor == sensor)


def _last_unit(survey: Survey) -> Unit:
    return list(survey.facts.units)[-1]


def _question(
    name: str, surveys: Sequence[Survey], units: Sequence[Unit], books: Books, *, whole: bool
) -> Question | None:
    """`whole`: the sensor goes at all its dates, else only the one date."""
    if any(unit.sensor not in books[survey.key].other for survey, unit in zip(surveys, units, strict=True)):
        return None
    inputs, ids, parts = [], [], []
    for number, (survey, unit) in enumerate(zip(surveys, units, strict=True)):
        left = _without(survey, unit, whole=whole)
        if not left:
            return None
        inputs.append(left)
        ids.append(books[survey.key].other[unit.sensor].assign(*survey.facts.units[unit]))
        cells = len(ids[-1])
        windows = torch.arange(cells) // (cells // len(left[0].features))
        parts.append(windows if len(surveys) == 1 else torch.full((cells,), number))
    return Question(name, inputs, torch.cat(ids), torch.cat(parts))


def _without(survey: Survey, unit: Unit, *, whole: bool) -> list[ModalityInput]:
    """The survey's inputs without a sensor, or without it at one date."""
    left = []
    for sensor, dates, item in zip(survey.sensors, survey.dates, survey.inputs, strict=True):
        kept = [
            number for number, date in enumerate(dates) if sensor != unit.sensor or not (whole or date == unit.date)
        ]
        if len(kept) == len(dates):
            left.append(item)
        elif kept:
            left.append(at_dates(item, kept))
    return left


def at_dates(item: ModalityInput, numbers: Sequence[int]) -> ModalityInput:
    """The input with only the dates of these numbers."""
    index = list(numbers)
    return dataclasses.replace(
        item, features=item.features[:, index], present=item.present[:, index],
        day_of_year=item.day_of_year[:, index], days_since_first=item.days_since_first[:, index],
    )  # fmt: skip
