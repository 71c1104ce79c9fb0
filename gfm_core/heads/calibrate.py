"""Probabilities that mean what they say: a temperature, and sets of candidates with a promised coverage.

Both are fitted on log-probabilities of samples that the heads never saw (those of the other spatial folds). `counts`
[n] says how much evidence each sample is: the pixels of one polygon are little more than one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gfm_core.heads.classifiers import cooled, log_softmax
from gfm_core.heads.weights import WARMTH

_BINS = 10
_PRIOR = WARMTH  # of the squared logarithm of the temperature: a handful of labels must not turn everything to fog
_RANGE = (0.1, 10.0)
_ROUNDING = 1e-9  # 10 * (1 - 0.9) is not quite 1


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Samples whose probability lies in one span: how much they count, their mean probability, the share right."""

    count: float
    probability: float
    right: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """`temperature`, the expected calibration error (0-1) before and after it, and what is left of it by bins."""

    temperature: float
    error_before: float
    error_after: float
    bins: tuple[ReliabilityBin, ...]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Classes whose probability is at least `threshold` are candidates; `level` is the coverage that was asked for.

    `coverage`: the share of held-out samples whose true class is a candidate; `sizes`: shares of those with no, one,
    two, or more candidates.
    """

    level: float
    threshold: float
    coverage: float
    sizes: tuple[float, ...]


def fit_temperature(logs: NDArray[np.float64], truth: NDArray[np.int64], counts: NDArray[np.float64]) -> float:
    """The temperature (Guo et al. 2017) under which the true classes `[n]` are most probable; 1 without samples."""
    from scipy.optimize import minimize_scalar

    logs, truth, counts = _known(logs, truth, counts)
    if not len(truth):
        return 1.0

    def loss(log_temperature: float) -> float:
        own = cooled(logs, np.exp(log_temperature))[np.arange(len(truth)), truth]
        return float(-(counts * own).sum() + _PRIOR * log_temperature**2)

    found = minimize_scalar(loss, bounds=tuple(np.log(_RANGE)), method="bounded").x
    return float(np.exp(found))


def reliability(
    logs: NDArray[np.float64], truth: NDArray[np.int64], counts: NDArray[np.float64]
) -> tuple[float, tuple[ReliabilityBin, ...]]:
    """Expected calibration error of the winner's probability in ten equal spans, and the spans that hold samples."""
    logs, truth, counts = _known(logs, truth, counts)
    if not len(truth):
        return float("nan"), ()
    probability = np.exp(log_softmax(logs)).max(axis=1)
    right = logs.argmax(axis=1) == truth
    number = np.minimum((probability * _BINS).astype(int), _BINS - 1)
    bins = tuple(
        ReliabilityBin(
            float(counts[inside].sum()),
            float(np.average(probability[inside], weights=counts[inside])),
            float(np.average(right[inside], weights=counts[inside])),
        )
        for inside in (number == one for one in range(_BINS))
        if inside.any()
    )
    error = sum(item.count * abs(item.probability - item.right) for item in bins) / counts.sum()
    return float(error), bins


def candidate_threshold(
    logs: NDArray[np.float64], truth: NDArray[np.int64], level: float, counts: NDArray[np.float64]
) -> float:
    """The least probability of a candidate, so that new samples have their class among them in `level` of cases.

    Split conformal prediction (Vovk et al. 2005) with the score of Sadinle et al. (2019), 1 - probability of the true
    class; 0 (every class is a candidate) where there is too little evidence for the level.
    """
    logs, truth, counts = _known(logs, truth, counts)
    if not len(truth):
        return 0.0
    own = np.exp(log_softmax(logs)[np.arange(len(truth)), truth])
    order = np.argsort(own, kind="stable")
    below = np.cumsum(counts[order])
    allowed = (counts.sum() + 1) * (1 - level) + _ROUNDING  # of n + 1 so many may be less probable
    outside = np.searchsorted(below, allowed, side="right")
    return float(own[order[outside - 1]]) if outside >= 1 else 0.0


def _known(
    logs: NDArray[np.float64], truth: NDArray[np.int64], counts: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    known = np.isfinite(logs).all(axis=1)
    return logs[known], truth[known], counts[known]
