"""A number told from vectors of cells: ridge, a forest, or their mean; an interval; how good it is on spatial folds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gfm_core.progress import stop_if_asked
from gfm_core.threads import one_thread

_PENALTIES = np.logspace(-2, 5, 15)
_TREES, _LEAF, _COLUMNS = 200, 3, 1 / 3  # of the forest; a third of the columns a split, as usual for regression

Rows = NDArray[np.float32]  # [n, D]
Numbers = NDArray[np.float64]  # [n]


class Regressor(Protocol):
    """From vectors to numbers."""

    def of(self, rows: Rows) -> Numbers:
        """`[n, D]` → `[n]`."""
        ...


@dataclass(frozen=True, slots=True)
class Ridge:
    """`rows @ coefficients + intercept`; the penalty is the best of 15 by leave-one-out (generalised)."""

    coefficients: Numbers
    intercept: float

    @classmethod
    def fit(cls, rows: Rows, numbers: Numbers) -> Ridge:
        """From samples."""
        from sklearn.linear_model import RidgeCV

        with one_thread():
            fitted = RidgeCV(_PENALTIES).fit(rows.astype(np.float64), numbers)
        return cls(np.asarray(fitted.coef_, np.float64), float(fitted.intercept_))

    def of(self, rows: Rows) -> Numbers:
        """See `Regressor`."""
        found: Numbers = (rows @ self.coefficients.astype(np.float32)).astype(np.float64) + self.intercept
        return found


@dataclass(frozen=True, slots=True)
class Forest:
    """Extremely randomised trees (Geurts et al. 2006, doi:10.1007/s10994-006-6226-1)."""

    trees: Any

    @classmethod
    def fit(cls, rows: Rows, numbers: Numbers) -> Forest:
        """From samples."""
        from sklearn.ensemble import ExtraTreesRegressor

        trees = ExtraTreesRegressor(
            _TREES, min_samples_leaf=min(_LEAF, max(len(numbers) // 4, 1)), max_features=_COLUMNS, random_state=0
        )  # fmt: skip
        return cls(trees.fit(rows, numbers))

    def of(self, rows: Rows) -> Numbers:
        """See `Regressor`."""
        found: Numbers = self.trees.predict(rows)
        return found


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of several regressors."""

    parts: tuple[Regressor, ...]

    def of(self, rows: Rows) -> Numbers:
        """See `Regressor`."""
        found: Numbers = np.mean([part.of(rows) for part in self.parts], axis=0)
        return found


Fit = Callable[[Rows, Numbers], Regressor]

FITS: dict[str, Fit] = {
    "ridge": Ridge.fit,
    "forest": Forest.fit,
    "both": lambda rows, numbers: Mean((Ridge.fit(rows, numbers), Forest.fit(rows, numbers))),
}


@dataclass(frozen=True, slots=True)
class Goodness:
    """How good numbers are told that were not seen: `r2` (1: all, 0: no better than the mean), errors, `bias`."""

    r2: float
    rmse: float
    mae: float
    bias: float
    n: int

    @classmethod
    def of(cls, told: Numbers, true: Numbers) -> Goodness:
        """From numbers told and true ones."""
        off = told - true
        spread = float(((true - true.mean()) ** 2).sum())
        r2 = 1 - float((off**2).sum()) / spread if spread > 0 else float("nan")
        return cls(r2, float(np.sqrt((off**2).mean())), float(np.abs(off).mean()), float(off.mean()), len(true))


def unseen(rows: Rows, numbers: Numbers, folds: NDArray[np.int64], fit: Fit) -> Numbers:
    """Each sample told by a regressor that was fitted on the other folds."""
    told = np.zeros(len(numbers))
    for fold in np.unique(folds):
        stop_if_asked()
        out = folds == fold
        told[out] = fit(rows[~out], numbers[~out]).of(rows[out])
    return told


def half_width(told: Numbers, true: Numbers, coverage: float) -> float:
    """Half the width of an interval that holds `coverage` of new numbers: the split-conformal quantile.

    Lei et al. (2018, doi:10.1080/01621459.2017.1307116), on numbers told by folds that did not see them.
    """
    off = np.sort(np.abs(told - true))
    rank = int(np.ceil((len(off) + 1) * coverage))
    return float(off[min(rank, len(off)) - 1])


def covered(told: Numbers, true: Numbers, folds: NDArray[np.int64], coverage: float) -> float:
    """The share of samples inside the interval that the other folds give."""
    inside = np.zeros(len(true), np.bool_)
    for fold in np.unique(folds):
        out = folds == fold
        inside[out] = np.abs(told - true)[out] <= half_width(told[~out], true[~out], coverage)
    return float(inside.mean())
