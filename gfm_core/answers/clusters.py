"""Kinds of ground that look alike, found without labels: k-means on directions, a feature group the same weight."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from gfm_core.embedding.space import Vectors, of_length_one
from gfm_core.errors import InputError
from gfm_core.threads import one_thread

_SAMPLE = 20_000


@dataclass(frozen=True, slots=True)
class Clusters:
    """Centres `[K, D]` of joined unit vectors, the most frequent first."""

    centres: NDArray[np.float32]

    @classmethod
    def fit(cls, scene: Vectors, count: int, *, seed: int = 0) -> Self:
        """From cells of the scene. Raises `InputError` where there are not so many different ones."""
        from sklearn.cluster import KMeans
        from sklearn.exceptions import ConvergenceWarning

        chance = np.random.default_rng(seed)
        chosen = np.sort(chance.choice(scene.count, min(_SAMPLE, scene.count), replace=False))
        rows = _directions(scene.take(chosen)).T
        if len(np.unique(rows, axis=0)) < count:
            raise InputError(f"The rasters do not hold {count} different kinds of cells; ask for fewer clusters.")
        with one_thread(), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            found = KMeans(count, n_init=2, random_state=seed).fit(rows)
        order = np.argsort(-np.bincount(found.labels_, minlength=count), kind="stable")
        return cls(found.cluster_centers_[order].astype(np.float32))

    def of(self, vectors: Vectors) -> NDArray[np.uint8]:
        """The number of each cell's cluster `[n]`, from 1; 0 where nothing is known."""
        nearness = self.centres @ _directions(vectors)
        nearness -= 0.5 * (self.centres**2).sum(axis=1)[:, None]
        return np.where(vectors.anywhere, 1 + nearness.argmax(axis=0), 0).astype(np.uint8)


def _directions(vectors: Vectors) -> NDArray[np.float32]:
    """Each group of length one, joined `[D, n]`: a bright and a dark place of one kind point the same way."""
    return np.concatenate([of_length_one(values) for values in vectors.values.values()])
