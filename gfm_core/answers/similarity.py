"""How alike cells are to a few examples: the cosine of whitened vectors, a feature group at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gfm_core.embedding.space import Vectors, of_length_one
from gfm_core.threads import one_thread

HIGHEST = 100.0  # as alike as can be

_RIDGE = 0.3  # added to the variances of standardised columns; .05 to 1 differ by .02 in precision at 100
_AGAINST = 0.5  # weight of counter-examples beside examples, as in Rocchio (1971), "Relevance feedback"
_REACHED = 0.2  # of the examples may lie below the threshold
_SELDOM = 0.99  # of the scene lies below it where a single example says nothing of its own spread


@dataclass(frozen=True, slots=True)
class Likeness:
    """Whitening matrices `[D, D]` and directions `[D]` by group.

    Whitening counts what all columns of a scene share once instead of many times; the directions point from the scene's
    mean to the examples, and away from counter-examples.
    """

    whitening: dict[str, NDArray[np.float32]]
    directions: dict[str, NDArray[np.float32]]

    @classmethod
    def fit(
        cls, scene: Vectors, examples: Vectors, units: NDArray[np.integer[Any]], counter: Vectors | None = None
    ) -> Self:
        """From cells of the scene, examples (`units` [n]: cells of one polygon share a number) and counter-examples."""
        with one_thread():
            whitening = {group: _whitening(values) for group, values in scene.values.items()}
        directions = {
            group: _direction(of_length_one(whitening[group] @ values), units)
            for group, values in examples.values.items()
        }
        if counter is not None:
            for group, values in counter.values.items():
                away = _whitened(whitening[group], values).mean(axis=1)
                directions[group] = _unit(directions[group] - np.float32(_AGAINST) * away)
        return cls(whitening, directions)

    def of(self, vectors: Vectors) -> NDArray[np.float32]:
        """How alike cells `[n]` are, 0 to 100: the mean over the groups that are known, NaN where none is."""
        total = np.zeros(vectors.count, np.float32)
        groups = np.zeros(vectors.count, np.float32)
        for group, values in vectors.values.items():
            cosine = self.directions[group] @ _whitened(self.whitening[group], values)
            total += np.where(vectors.known[group], cosine, 0)
            groups += vectors.known[group]
        with np.errstate(invalid="ignore", divide="ignore"):
            found: NDArray[np.float32] = np.clip(HIGHEST * total / groups, 0, HIGHEST)
        return found


def threshold_of(likeness: Likeness, scene: Vectors, examples: Vectors, units: NDArray[np.integer[Any]]) -> float:
    """What four of five examples reach, each measured by the others; of one example alone: what 1 % of a scene does."""
    every = np.unique(units)
    if len(every) == 1:
        return float(np.nanquantile(likeness.of(scene), _SELDOM))
    shown = {group: _whitened(likeness.whitening[group], values) for group, values in examples.values.items()}
    reached = []
    for unit in every[np.linspace(0, len(every) - 1, min(len(every), 50)).round().astype(int)]:
        others = units != unit
        directions = {group: _direction(values[:, others], units[others]) for group, values in shown.items()}
        by_others = Likeness(likeness.whitening, directions)
        reached.append(float(np.nanmedian(by_others.of(examples.take(~others)))))
    return float(np.quantile(reached, _REACHED))


def _whitening(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rotation to principal axes, each over the root of its variance and the ridge."""
    rows = values.astype(np.float64)
    rows -= rows.mean(axis=1, keepdims=True)
    variances, axes = np.linalg.eigh(rows @ rows.T / max(rows.shape[1] - 1, 1))
    found: NDArray[np.float32] = (axes / np.sqrt(np.maximum(variances, 0) + _RIDGE)).T.astype(np.float32)
    return np.ascontiguousarray(found)


def _whitened(whitening: NDArray[np.float32], values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors `[D, n]` in the whitened space, of length one."""
    found: NDArray[np.float32] = whitening @ values
    return of_length_one(found, out=found)


def _direction(vectors: NDArray[np.float32], units: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
    """The mean of unit vectors `[D, n]`, each polygon or point the same weight; of length one."""
    _, number, count = np.unique(units, return_inverse=True, return_counts=True)
    weights = (1 / count)[number].astype(np.float32)
    return _unit(vectors @ weights)


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = vector / max(float(np.linalg.norm(vector)), 1e-9)
    return found
