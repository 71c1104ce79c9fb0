"""What changed between two dates, in standard deviations of unchanged ground."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from gfm_core.embedding.space import Vectors
from gfm_core.threads import one_thread

_ROUNDS, _KEPT = 4, 0.9  # the regression is fitted again on this share of the cells, those that it explains best
_RIDGE = 1e-3  # of the columns' variance, which is one
_LEAST = 1e-4  # variance: what two readings of the same ground differ by at least, in 8 bits
_USUAL = 0.05  # added to the surprise, whose mean is one: differences of next to nothing are all the same
_LOWEST, _STEP = 0.5, 0.05  # standard deviations: where a threshold is looked for
_CALM = 0.1  # of the log surprise: what a tenth more of next to nothing is, no scene is calmer
_FALSE = 0.02  # of .01 to .2 the best compromise of the marks of one scene and of changes made on three others

Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Predictor:
    """One date told from the other: `[D, D + 1]` coefficients by group, with the variance that is left."""

    coefficients: dict[str, Matrix]
    variance: dict[str, float]

    @classmethod
    def fit(cls, given: Vectors, wanted: Vectors) -> Self:
        """Ridge regression of `wanted` on `given`, cells side by side.

        What differs everywhere (sun, season, haze, gain) is in the coefficients; cells that differ otherwise are left
        out round by round, as iteratively reweighted change detection does (Nielsen 2007, doi:10.1109/TIP.2006.888195).
        """
        coefficients, variance = {}, {}
        with one_thread():
            for group, values in given.values.items():
                coefficients[group], variance[group] = _regression(values, wanted.values[group])
        return cls(coefficients, variance)

    def surprise(self, given: Vectors, wanted: Vectors) -> dict[str, NDArray[np.float32]]:
        """Mean square of what is not explained, in units of what usually is not, `[n]` a group."""
        return {
            group: _squares(values, wanted.values[group], self.coefficients[group]) / np.float32(self.variance[group])
            for group, values in given.values.items()
        }


@dataclass(frozen=True, slots=True)
class ChangeModel:
    """Both dates told from each other; `centre` and `spread` are those of the log surprise on unchanged ground."""

    forward: Predictor
    backward: Predictor
    centre: float = 0.0
    spread: float = 1.0

    @classmethod
    def fit(cls, before: Vectors, after: Vectors) -> Self:
        """From cells known on both dates.

        Unchanged ground is the calmer half of the scene, mirrored: what lies above the median is not asked.
        """
        model = cls(Predictor.fit(before, after), Predictor.fit(after, before))
        found = model.magnitude(before, after).astype(np.float64)
        centre = float(np.median(found))
        below = found[found <= centre] - centre
        spread = float(np.sqrt((below**2).mean()))
        return replace(model, centre=centre, spread=max(spread, _CALM))

    def magnitude(self, before: Vectors, after: Vectors) -> NDArray[np.float32]:
        """Standard deviations `[n]` above the usual difference; NaN where a date is not known."""
        forward, backward = self.forward.surprise(before, after), self.backward.surprise(after, before)
        total = np.zeros(before.count, np.float32)
        groups = np.zeros(before.count, np.float32)
        for group, ahead in forward.items():
            known = before.known[group] & after.known[group]
            total += np.where(known, np.log(ahead + backward[group] + np.float32(_USUAL)), 0)
            groups += known
        with np.errstate(invalid="ignore", divide="ignore"):
            found: NDArray[np.float32] = (total / groups - np.float32(self.centre)) / np.float32(self.spread)
        return found


def change_threshold(magnitude: NDArray[np.float32]) -> float:
    """From which magnitude on no more than one cell in fifty is expected to be unchanged ground.

    How much unchanged ground lies above a threshold is told by how much lies below its negative, as knockoffs do
    (Barber & Candès 2015, doi:10.1214/15-AOS1337): a scene without change gets no changes, one with little a higher
    threshold. Where none is high enough, the threshold is above all. `magnitude` may hold NaN.
    """
    known = np.sort(magnitude[np.isfinite(magnitude)])
    if not len(known):
        return _LOWEST
    steps = np.arange(_LOWEST, float(known[-1]) + _STEP, _STEP)
    above = len(known) - np.searchsorted(known, steps)
    mirrored = np.searchsorted(known, -steps, side="right")
    fits = (mirrored + 1) <= _FALSE * above
    return float(steps[fits.argmax()]) if fits.any() else max(float(known[-1]), _LOWEST) + _STEP


def _regression(given: Matrix, wanted: Matrix) -> tuple[Matrix, float]:
    rows = np.concatenate([given, np.ones((1, given.shape[1]), np.float32)]).astype(np.float64)
    aim = wanted.astype(np.float64) - given  # towards the other date itself: what no cell tells is taken to be the same
    kept = np.ones(rows.shape[1], np.bool_)
    ridge = _RIDGE * np.diag([1.0] * len(given) + [0.0])
    for number in range(_ROUNDS):
        inner = rows[:, kept]
        gram = inner @ inner.T / inner.shape[1] + ridge + 1e-9 * np.eye(len(rows))
        solved = np.linalg.solve(gram, inner @ aim[:, kept].T / inner.shape[1]).T
        left = ((aim - solved @ rows) ** 2).mean(axis=0)
        if number + 1 < _ROUNDS:
            kept = left <= np.quantile(left, _KEPT)
    solved[:, :-1] += np.eye(len(given))
    return solved.astype(np.float32), max(float(left[kept].mean()), _LEAST)


def _squares(given: Matrix, wanted: Matrix, coefficients: Matrix) -> NDArray[np.float32]:
    left = coefficients[:, :-1] @ given
    left += coefficients[:, -1:]
    left -= wanted
    found: NDArray[np.float32] = np.einsum("dn,dn->n", left, left) / np.float32(len(left))
    return found
