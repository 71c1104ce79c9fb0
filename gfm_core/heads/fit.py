"""A head: the classifier of one feature group, with the scaling that its features need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gfm_core.errors import LabelError, ParameterError, ShapeError
from gfm_core.heads.classifiers import FITS, Classifier

KINDS = ("lda", "logistic", "forest", "knn")
CLIP = 6.0  # standard deviations
_ROWS = 8192  # pixels answered at once


@dataclass(frozen=True, slots=True)
class Scaler:
    """Standardises features: `(X - mean) / sd`, clipped at 6 on both sides; `mean`, `sd` float64 [D].

    A column that is not known in a row takes its mean: a file that covers half of the ground takes no group away.
    """

    mean: NDArray[np.float64]
    sd: NDArray[np.float64]

    @classmethod
    def fit(cls, X: NDArray[np.floating[Any]]) -> Self:
        """From a sample `[n, D]` of the scene (no labels needed); NaN is left out, constant columns are kept."""
        known = np.isfinite(X)
        count = np.maximum(known.sum(axis=0), 1)
        rows = np.where(known, X, 0).astype(np.float64)
        mean = rows.sum(axis=0) / count
        sd = np.sqrt((np.where(known, rows - mean, 0) ** 2).sum(axis=0) / count)
        # A constant column comes out as rounding, not as zero.
        constant = sd <= 1e-6 * np.maximum(np.abs(rows).max(axis=0, initial=0.0), 1e-30)
        return cls(mean, np.where(constant, 1.0, sd))

    def apply(self, X: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """`[n, D]` in standard deviations, 0 where not known."""
        scaled = np.where(np.isfinite(X), (X - self.mean) / self.sd, 0.0)
        return np.clip(scaled, -CLIP, CLIP).astype(np.float32)


@dataclass(frozen=True, slots=True)
class GroupHead:
    """A fitted classifier of `kind` for features `[n, D]`; `classes` int32 [K] are the codes of its columns."""

    kind: str
    classes: NDArray[np.int32]
    scaler: Scaler
    classifier: Classifier

    @property
    def features(self) -> int:
        """D: how many columns it needs."""
        return len(self.scaler.mean)

    def log_proba(self, X: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Log-probabilities `[n, K]`; rows of NaN where no feature is known. Raises ShapeError for another D."""
        if X.ndim != 2 or X.shape[1] != self.features:
            raise ShapeError(f"The head was fitted on {self.features} columns but got {list(X.shape)}; give [n, D].")
        logs = np.full((len(X), len(self.classes)), np.nan)
        for first in range(0, len(X), _ROWS):
            part = X[first : first + _ROWS]
            known = np.isfinite(part).any(axis=1)
            if known.any():
                logs[first : first + _ROWS][known] = self.classifier.log_proba(self.scaler.apply(part[known]))
        return logs


def fit_head(
    X: NDArray[np.floating[Any]],
    codes: NDArray[np.integer[Any]],
    kind: str,
    *,
    scaler: Scaler | None = None,
    seed: int = 0,
) -> GroupHead:
    """Fit the classifier `kind` to features `[n, D]` and class codes `[n]`; rows without a known column are left out.

    Without `scaler` the samples themselves tell the scale. Raises ParameterError for an unknown kind, LabelError if
    fewer than two classes are left.
    """
    if kind not in FITS:
        raise ParameterError(f"head cannot be {kind!r}; use {', '.join(KINDS)}.")
    known = np.isfinite(X).any(axis=1)
    X, codes = X[known], codes[known]
    classes, numbers = np.unique(codes, return_inverse=True)
    if len(classes) < 2:
        raise LabelError(
            f"The labels have {len(classes)} class{'es' if len(classes) != 1 else ''} where the rasters hold data; "
            "give labels of at least two classes."
        )
    scaler = scaler or Scaler.fit(X)
    # One thread: how a matrix product is shared out may change its last bit.
    with threadpool_limits(limits=1):
        classifier = FITS[kind](scaler.apply(X), numbers.reshape(-1).astype(np.int64), seed)
    return GroupHead(kind, classes.astype(np.int32), scaler, classifier)
