"""The group `prototypes`: how near a pixel is to each of the scene's own typical places, found without labels."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gfm_core.features.groups import PLAIN, Column
from gfm_core.features.products import row_products
from gfm_core.features.scaler import Scaler
from gfm_core.threads import one_thread

COUNT = 64
SOURCES = ("fine", "coarse")  # the groups that a prototype is a point of
_SAMPLE = 20_000
_ROWS = 8192  # pixels answered at once: what is computed on the way stays in the processor's cache

Features = Mapping[str, NDArray[np.floating[Any]]]  # [n, columns] a group


@dataclass(frozen=True, slots=True)
class Prototypes:
    """Centres `[K, D]` of k-means clusters, in standard deviations of the joined columns of `groups`.

    A pixel's code is the "triangle" of Coates & Ng (2012, doi:10.1007/978-3-642-35289-8_30): how much nearer than the
    average centre each centre is, 0 for those that are further away.
    """

    groups: tuple[str, ...]
    scaler: Scaler
    centres: NDArray[np.float64]

    @classmethod
    def fit(cls, sample: Features, *, seed: int = 0) -> Self | None:
        """From pixels of the scene (`[n, columns]` of `fine`, `coarse` or both); None where nothing varies in them."""
        from sklearn.cluster import MiniBatchKMeans
        from sklearn.exceptions import ConvergenceWarning

        groups = tuple(group for group in SOURCES if group in sample)
        if not groups:
            return None
        joined = np.concatenate([sample[group] for group in groups], axis=1)
        joined = joined[np.isfinite(joined).any(axis=1)]
        if len(joined) > _SAMPLE:
            joined = joined[np.sort(np.random.default_rng(seed).choice(len(joined), _SAMPLE, replace=False))]
        if not len(joined):
            return None
        scaler = Scaler.fit(joined)
        rows = scaler.apply(joined).astype(np.float64)
        different = len(np.unique(rows, axis=0))
        if different < 2:
            return None
        clusters = MiniBatchKMeans(min(COUNT, different), random_state=seed, n_init=2, batch_size=2048)
        with one_thread(), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different pixels than clusters
            clusters.fit(rows)
        return cls(groups, scaler, np.asarray(clusters.cluster_centers_, np.float64))

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the group; they are made when they are needed and never stored."""
        return tuple(Column(f"prototype {number + 1}", PLAIN) for number in range(len(self.centres)))

    def of(self, features: Features) -> NDArray[np.float32]:
        """The code `[n, K]` of pixels; NaN in rows where nothing is known."""
        count = len(features[self.groups[0]])
        code = np.empty((count, len(self.centres)), np.float32)
        for first in range(0, count, _ROWS):
            part = slice(first, first + _ROWS)
            code[part] = self._code({group: features[group][part] for group in self.groups})
        return code

    def _code(self, features: Features) -> NDArray[np.float32]:
        joined = np.concatenate([features[group] for group in self.groups], axis=1)
        rows = self.scaler.apply(joined)
        squares = row_products(rows, -2 * self.centres.T) + (self.centres**2).sum(axis=1)
        squares += np.einsum("ij,ij->i", rows, rows)[:, None]
        distance = np.sqrt(np.maximum(squares, 0.0))
        code: NDArray[np.float32] = np.maximum(distance.mean(axis=1, keepdims=True) - distance, 0.0).astype(np.float32)
        code[~np.isfinite(joined).any(axis=1)] = np.nan
        return code
