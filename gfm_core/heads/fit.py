"""A head: the classifier of one feature group, with the scaling that its features need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gfm_core.errors import LabelError, ParameterError, ShapeError
from gfm_core.features.scaler import Scaler
from gfm_core.heads.classifiers import FITS, Classifier
from gfm_core.threads import one_thread

KINDS = ("lda", "logistic", "forest", "knn")
_ROWS = 8192  # pixels answered at once


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
    nearby: NDArray[np.float64] | None = None,
    seed: int = 0,
) -> GroupHead:
    """Fit the classifier `kind` to features `[n, D]` and class codes `[n]`; rows without a known column are left out.

    Without `scaler` the samples themselves tell the scale. `nearby` [D, D] is what a linear discriminant takes as the
    covariance within a class where samples are few (see `Linear.fit_lda`), in the scaler's units. Raises ParameterError
    for an unknown kind, LabelError if fewer than two classes are left.
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
    with one_thread():
        classifier = FITS[kind](scaler.apply(X), numbers.reshape(-1).astype(np.int64), seed, nearby)
    return GroupHead(kind, classes.astype(np.int32), scaler, classifier)
