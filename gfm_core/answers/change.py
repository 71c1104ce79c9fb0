"""What changed between two dates, in standard deviations of unchanged ground."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gfm_core.embedding.space import Vectors

_ROUNDS, _KEPT = 4, 0.9  # the regression is fitted again on this share of the cells, those that it explains best
_RIDGE = 1e-3  # of the columns' variance, which is one
_LEAST = 1e-4  # variance: what two readings of the same ground differ by at least, in 8 bits
_BINS = 512
_LOWEST = 2.0  # standard deviations: no threshold that the scene suggests lies below

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
        with threadpool_limits(limits=1):
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
        return replace(model, centre=centre, spread=max(spread, 1e-3))

    def magnitude(self, before: Vectors, after: Vectors) -> NDArray[np.float32]:
        """Standard deviations `[n]` above the usual difference; NaN where a date is not known."""
        forward, backward = self.forward.surprise(before, after), self.backward.surprise(after, before)
        total = np.zeros(before.count, np.float32)
        groups = np.zeros(before.count, np.float32)
        for group, ahead in forward.items():
            known = before.known[group] & after.known[group]
            total += np.where(known, np.log(ahead + backward[group] + np.float32(_LEAST)), 0)
            groups += known
        with np.errstate(invalid="ignore", divide="ignore"):
            found: NDArray[np.float32] = (total / groups - np.float32(self.centre)) / np.float32(self.spread)
        return found


def change_threshold(magnitude: NDArray[np.float32]) -> float:
    """Where a scene's two kinds of ground part: the minimum error rule of Kittler & Illingworth (1986), 2 at least.

    doi:10.1016/0031-3203(86)90030-0. `magnitude` may hold NaN.
    """
    known = magnitude[np.isfinite(magnitude)]
    if not len(known) or known.max() <= _LOWEST:
        return _LOWEST
    low, high = np.quantile(known, (0.0005, 0.9999))
    counts, edges = np.histogram(known, _BINS, (float(low), float(high)))
    if high <= low:
        return _LOWEST
    centres = (edges[1:] + edges[:-1]) / 2
    share = counts / counts.sum()
    first, moment, square = np.cumsum(share), np.cumsum(share * centres), np.cumsum(share * centres**2)
    second = 1 - first
    fine = (first > 1e-3) & (second > 1e-3)
    with np.errstate(all="ignore"):
        spread = np.sqrt(np.maximum(square / first - (moment / first) ** 2, 1e-9))
        rest = np.sqrt(
            np.maximum((square[-1] - square) / second - ((moment[-1] - moment) / second) ** 2, 1e-9)
        )  # fmt: skip
        error = first * np.log(spread / first) + second * np.log(rest / second)
    error = np.where(fine & (centres >= 0), error, np.inf)
    if not np.isfinite(error).any():
        return _LOWEST
    return max(float(centres[error.argmin()]), _LOWEST)


def _regression(given: Matrix, wanted: Matrix) -> tuple[Matrix, float]:
    rows = np.concatenate([given, np.ones((1, given.shape[1]), np.float32)]).astype(np.float64)
    aim = wanted.astype(np.float64)
    kept = np.ones(rows.shape[1], np.bool_)
    ridge = _RIDGE * np.diag([1.0] * len(given) + [0.0])
    for number in range(_ROUNDS):
        inner = rows[:, kept]
        gram = inner @ inner.T / inner.shape[1] + ridge + 1e-9 * np.eye(len(rows))
        solved = np.linalg.solve(gram, inner @ aim[:, kept].T / inner.shape[1]).T
        left = ((aim - solved @ rows) ** 2).mean(axis=0)
        if number + 1 < _ROUNDS:
            kept = left <= np.quantile(left, _KEPT)
    return solved.astype(np.float32), max(float(left[kept].mean()), _LEAST)


def _squares(given: Matrix, wanted: Matrix, coefficients: Matrix) -> NDArray[np.float32]:
    left = coefficients[:, :-1] @ given
    left += coefficients[:, -1:]
    left -= wanted
    found: NDArray[np.float32] = np.einsum("dn,dn->n", left, left) / np.float32(len(left))
    return found
