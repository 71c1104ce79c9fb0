"""Standard deviations as the unit of features: fitted once on the scene, the same for every head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

CLIP = 6.0  # standard deviations


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
        scaled = np.asarray(X, np.float32) - self.mean.astype(np.float32)
        scaled /= self.sd.astype(np.float32)
        if not np.isfinite(scaled.sum()):  # cheaper than to look at every one
            scaled[~np.isfinite(scaled)] = 0
        return np.clip(scaled, -CLIP, CLIP, out=scaled)
