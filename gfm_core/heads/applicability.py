"""Where the labels say nothing: the area of applicability of Meyer & Pebesma (2021, doi:10.1111/2041-210X.13650)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gfm_core.features.products import row_products
from gfm_core.features.scaler import Scaler
from gfm_core.heads.classifiers import Linear, thinned
from gfm_core.heads.fit import GroupHead

_MOST = 300  # samples: the time that a pixel takes grows with them
_FIRST = 8  # every eighth sample is asked first
_SAME = 1e-3  # standard deviations: closer samples differ by rounding


@dataclass(frozen=True, slots=True)
class Applicability:
    """Labelled samples `[m, D]` in weighed standard deviations of the columns of `group`.

    A pixel's dissimilarity is its distance to the nearest of them over `unit`, their mean distance from each other; it
    lies outside where that is above `threshold`.
    """

    group: str
    scaler: Scaler
    importance: NDArray[np.float64]
    samples: NDArray[np.float64]
    unit: float
    threshold: float

    @classmethod
    def fit(
        cls, group: str, head: GroupHead, X: NDArray[np.floating[Any]], codes: NDArray[np.integer[Any]],
        folds: NDArray[np.integer[Any]], *, seed: int = 0,
    ) -> Self | None:  # fmt: skip
        """From the labelled samples `[n, D]`; columns weigh as the head makes use of them.

        The threshold is the upper whisker (quartile + 1.5 interquartile ranges at most) of the dissimilarity of samples
        to those of the other folds. None where it cannot be told: a single fold, or samples that are all the same.
        """
        known = np.flatnonzero(np.isfinite(X).any(axis=1))
        _, numbers = np.unique(codes[known], return_inverse=True)
        if len(known) < 2 or len(np.unique(folds[known])) < 2:
            return None
        chosen = known[thinned(numbers.reshape(-1).astype(np.int64), seed)]
        if len(chosen) > _MOST:
            chosen = np.sort(np.random.default_rng(seed).choice(chosen, _MOST, replace=False))
        importance = _importance(head)
        rows = head.scaler.apply(X[chosen]) * importance
        distance = np.sqrt(_squared_distances(rows, rows))
        fold = folds[chosen]
        unit = float(distance.sum() / max(len(rows) * (len(rows) - 1), 1))
        elsewhere = np.where(fold[:, None] != fold[None], distance, np.inf).min(axis=1)
        elsewhere = elsewhere[np.isfinite(elsewhere)]
        if unit <= _SAME or not len(elsewhere):
            return None
        low, high = np.quantile(elsewhere / unit, (0.25, 0.75))
        whisker = (elsewhere / unit)[elsewhere / unit <= high + 1.5 * (high - low)].max()
        return cls(group, head.scaler, importance, rows, unit, float(whisker))

    def inside(self, X: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
        """Which pixels `[n]` of features `[n, D]` look like labelled ones; those of which nothing is known do not."""
        rows = self.scaler.apply(X) * self.importance.astype(np.float32)
        found = np.zeros(len(X), bool)
        left = np.flatnonzero(np.isfinite(X).any(axis=1))
        # One near sample is enough, and a few of them are near most pixels.
        few = np.arange(len(self.samples)) % _FIRST == 0
        for samples in (self.samples[few], self.samples[~few]):
            near = np.sqrt(_squared_distances(rows[left], samples).min(axis=1)) / self.unit <= self.threshold
            found[left[near]] = True
            left = left[~near]
        return found


def _importance(head: GroupHead) -> NDArray[np.float64]:
    """How much each column moves the classes apart, 1 on average; classifiers without coefficients: all the same."""
    if not isinstance(head.classifier, Linear):
        return np.ones(head.features)
    spread = head.classifier.coefficients.std(axis=0)
    mean = float(spread.mean())
    return spread / mean if mean > 0 else np.ones(head.features)


def _squared_distances(rows: NDArray[np.floating[Any]], samples: NDArray[np.float64]) -> NDArray[np.float32]:
    """Squares of the Euclidean distances `[n, m]`, none below 0."""
    found = row_products(rows, -2 * samples.T)
    found += (samples**2).sum(axis=1)
    found += np.einsum("ij,ij->i", rows, rows)[:, None]
    return np.maximum(found, 0.0, out=found)
