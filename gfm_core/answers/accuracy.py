"""Accuracy and area from a stratified sample: Olofsson et al. (2014, doi:10.1016/j.rse.2014.02.015).

The strata are the classes of the map. Numbers of equations are those of the paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its standard error and the half-width of its confidence interval."""

    value: float
    error: float
    half_width: float


@dataclass(frozen=True, slots=True)
class Assessment:
    """`matrix` int `[K, K]`: points, rows the map's class, columns what is there; `shares` of the ground likewise.

    `users` and `producers` are accuracies by class, `areas` ground by class in m² (what is there, not what is mapped),
    `mapped` m² by class in the map. An accuracy that no point tells is NaN.
    """

    matrix: NDArray[np.int64]
    shares: Numbers
    overall: Interval
    users: tuple[Interval, ...]
    producers: tuple[Interval, ...]
    areas: tuple[Interval, ...]
    mapped: Numbers


def sample_size(shares: Numbers, expected: float, error: float) -> int:
    """Points that a standard error of the overall accuracy needs (eq. 13), every class `expected` right."""
    spread = float((shares * np.sqrt(expected * (1 - expected))).sum())
    return int(np.ceil((spread / error) ** 2))


def allocation(shares: Numbers, count: int, least: int, there: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many of `count` points each class gets: `least` of the rare ones, the rest by share; never more than pixels.

    Section 5.1.2: rare classes get 50 to 100, the others in proportion.
    """
    wanted = np.zeros(len(shares), np.int64)
    open_ = np.ones(len(shares), np.bool_)
    while open_.any():
        left = max(count - int(wanted[~open_].sum()), 0)
        by_share = shares[open_] / shares[open_].sum() * left
        small = by_share < least
        numbers = np.flatnonzero(open_)
        if not small.any():
            wanted[numbers] = np.floor(by_share + 0.5).astype(np.int64)
            break
        wanted[numbers[small]] = least
        open_[numbers[small]] = False
    return np.minimum(wanted, there)


def assess_matrix(matrix: NDArray[np.integer[Any]], mapped: Numbers, confidence: float) -> Assessment:
    """Accuracies and areas of `matrix` (points; rows map, columns reference) and the map's areas in m² by class.

    A class of the map without points says nothing; its ground is left out of the estimates, which the caller tells.
    """
    from scipy.stats import norm

    reach = float(norm.ppf(0.5 + confidence / 2))
    counts = matrix.astype(np.float64)
    points = counts.sum(axis=1)
    known = points > 0
    weights = np.where(known, mapped, 0) / mapped[known].sum()
    inside = np.divide(counts, points[:, None], out=np.zeros_like(counts), where=known[:, None])  # n_ij / n_i.
    shares = weights[:, None] * inside  # eq. 4
    degrees = np.maximum(points - 1, 1)
    total = float(mapped[known].sum())

    def interval(value: float, variance: float) -> Interval:
        error = float(np.sqrt(max(variance, 0)))
        return Interval(float(value), error, reach * error)

    right = np.diag(inside)
    in_class = right * (1 - right) / degrees  # of user's accuracies, eq. 6
    overall = interval(float(np.trace(shares)), float((weights**2 * in_class)[known].sum()))  # eq. 1 and 5
    users = tuple(
        interval(right[number], in_class[number]) if known[number] else _NOTHING for number in range(len(matrix))
    )
    found = shares.sum(axis=0)
    errors = (weights[:, None] ** 2 * inside * (1 - inside) / degrees[:, None])[known].sum(axis=0)  # eq. 10
    areas = tuple(
        interval(total * share, total**2 * variance) for share, variance in zip(found, errors, strict=True)
    )  # fmt: skip
    producers = tuple(
        interval(shares[number, number] / found[number], _producer_variance(mapped, points, inside, number))
        if found[number] > 0
        else _NOTHING
        for number in range(len(matrix))
    )
    return Assessment(matrix.astype(np.int64), shares, overall, users, producers, areas, mapped)


_NOTHING = Interval(float("nan"), float("nan"), float("nan"))


def _producer_variance(mapped: Numbers, points: Numbers, inside: Numbers, number: int) -> float:
    """Variance of a producer's accuracy, eq. 7; N_i are the map's areas."""
    known = points > 0
    degrees = np.maximum(points - 1, 1)
    column = (mapped * inside[:, number])[known]
    there = float(column.sum())  # N^_.j
    own = inside[number, number]
    accuracy = mapped[number] * own / there
    others = known.copy()
    others[number] = False
    missed = mapped**2 * inside[:, number] * (1 - inside[:, number]) / degrees
    first = mapped[number] ** 2 * (1 - accuracy) ** 2 * own * (1 - own) / degrees[number] if known[number] else 0.0
    return float((first + accuracy**2 * missed[others].sum()) / there**2)
