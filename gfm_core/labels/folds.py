"""Spatial folds: neighbours stay together, so that a score is not a memory of the next pixel."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SQUARES_ACROSS = 10  # of the labels' extent, to begin with
_SHRINK = 2**-0.5
_STEPS = 8  # down to a sixteenth of the first square; smaller ones would not keep neighbours together


@dataclass(frozen=True, slots=True)
class Folds:
    """`numbers` int64 [n], 0 to `count` - 1: the fold in which each sample is tested. `count` < 2: no honest split.

    `square_m` is the side of the ground squares that stay whole, in metres.
    """

    numbers: NDArray[np.int64]
    square_m: float
    count: int
    notes: tuple[str, ...] = ()


def spatial_folds(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    codes: NDArray[np.int32],
    *,
    units: NDArray[np.integer[Any]] | None = None,
    folds: int = 5,
    square: float | None = None,
    reach: float = 0.0,
    names: dict[int, str] | None = None,
    seed: int = 0,
) -> Folds:
    """Split samples at `x`, `y` (metres) into folds of whole ground squares, classes as even as they can be.

    With `units` (what was labelled as one: a polygon) samples stay together with their unit, in the square of its
    centre; but a class of fewer than two units is split by squares alone, for it could not be scored otherwise.
    Without `square` (metres) the side starts at a tenth of the labels' extent and shrinks until every class lies in at
    least `folds` squares, or as many classes as can. Samples that are units of their own (points, pixels of a raster)
    know their neighbours over `reach` metres: their squares shrink no further. `names` are used in the notes on classes
    that lie in fewer squares.
    """
    alone = units is None or len(np.unique(units)) == len(units)
    if units is not None:
        x, y = _at_unit_centres(x, y, codes, units)
    side = _fitting_square(x, y, codes, folds, reach if alone else 0.0) if square is None else square
    groups = _squares(x, y, side)
    count = min(folds, len(np.unique(groups)))
    notes = _notes(groups, codes, folds, side, names or {})
    if count < 2:
        notes.insert(0, "All labels lie in one ground square; there is no honest way to score them by folds.")
        return Folds(np.zeros(len(codes), np.int64), side, 1, tuple(notes))
    numbers = _stratified(groups, codes, count, seed)
    return Folds(numbers, side, count, tuple(notes))


def _at_unit_centres(
    x: NDArray[np.float64], y: NDArray[np.float64], codes: NDArray[np.int32], units: NDArray[np.integer[Any]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each sample at the mean place of its unit, unless its class has no other unit."""
    _, number = np.unique(units, return_inverse=True)
    count = np.bincount(number)
    centre_x, centre_y = (np.bincount(number, weights=values) / count for values in (x, y))
    pairs = np.unique(np.stack([codes.astype(np.int64), number], axis=1), axis=0)
    found, units_a_class = np.unique(pairs[:, 0], return_counts=True)
    several = np.isin(codes, found[units_a_class > 1])
    return np.where(several, centre_x[number], x), np.where(several, centre_y[number], y)


def _squares(x: NDArray[np.float64], y: NDArray[np.float64], side: float) -> NDArray[np.int64]:
    """Number of each sample's square."""
    cols = np.floor((x - x.min()) / side).astype(np.int64)
    rows = np.floor((y - y.min()) / side).astype(np.int64)
    _, numbers = np.unique(np.stack([rows, cols], axis=1), axis=0, return_inverse=True)
    return numbers.reshape(-1).astype(np.int64)


def _squares_a_class(groups: NDArray[np.int64], codes: NDArray[np.int32]) -> dict[int, int]:
    pairs = np.unique(np.stack([codes.astype(np.int64), groups], axis=1), axis=0)
    found, counts = np.unique(pairs[:, 0], return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def _fitting_square(
    x: NDArray[np.float64], y: NDArray[np.float64], codes: NDArray[np.int32], folds: int, least: float
) -> float:
    """The largest square that lets the most classes be in `folds` squares: one hopeless class shrinks nothing."""
    extent = max(float(np.ptp(x)), float(np.ptp(y)))
    if extent == 0:
        return 1.0
    first = extent / SQUARES_ACROSS
    sides = [first * _SHRINK**step for step in range(_STEPS + 1) if step == 0 or first * _SHRINK**step >= least]
    fit = [sum(n >= folds for n in _squares_a_class(_squares(x, y, side), codes).values()) for side in sides]
    return sides[int(np.argmax(fit))]


def _notes(
    groups: NDArray[np.int64], codes: NDArray[np.int32], folds: int, side: float, names: dict[int, str]
) -> list[str]:
    return [
        f"Class {names.get(code, str(code))!r} lies in only {number} ground square{'s' if number > 1 else ''} of "
        f"{side:.4g} m; its score is weak evidence: label it in more places."
        for code, number in _squares_a_class(groups, codes).items()
        if number < folds
    ]


def _stratified(groups: NDArray[np.int64], codes: NDArray[np.int32], count: int, seed: int) -> NDArray[np.int64]:
    from sklearn.model_selection import StratifiedGroupKFold

    # Where no class has as many samples as there are folds, classes cannot be spread; squares still can.
    spread = codes if np.unique(codes, return_counts=True)[1].max() >= count else np.zeros_like(codes)
    splitter = StratifiedGroupKFold(n_splits=count, shuffle=True, random_state=seed)
    numbers = np.zeros(len(codes), np.int64)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")  # said in the notes, by name
        for number, (_, tested) in enumerate(splitter.split(np.zeros(len(codes)), spread, groups)):
            numbers[tested] = number
    return numbers
