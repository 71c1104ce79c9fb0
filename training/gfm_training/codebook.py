"""Frozen functions of a cell's statistics: which cluster they fall into, and where a random projection sends them.

Cluster ids before random projections: a loss in nats has the same size for every set of sensors, whatever their bands
and their tails, so no place drowns another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

_CLIP = 6.0  # standard deviations
_FEW = 8  # cells a cluster: fewer cells make fewer clusters
_LEAST_SD = 1e-3  # of a feature, normalised units: what varies less is constant, and its rounding is not blown up


@dataclass(frozen=True, slots=True)
class Codebook:
    """Centres `[K, F]` of standardised features: `(x - mean) / sd`, clipped at 6."""

    mean: Tensor
    sd: Tensor
    centres: Tensor

    def assign(self, features: Tensor, present: Tensor) -> Tensor:
        """The nearest centre of each row of `features` `[N, F]`, -1 where not `present` `[N]`."""
        ids = torch.cdist(_standard(features, self.mean, self.sd), self.centres).argmin(dim=1)
        return torch.where(present, ids, -1)


def fit_codebook(features: Tensor, clusters: int, seed: int) -> Codebook:
    """Codebook of up to `clusters` centres from `features` `[N, F]` by mini-batch k-means."""
    from sklearn.cluster import MiniBatchKMeans

    mean, sd = _scale(features)
    standard = _standard(features, mean, sd)
    count = max(min(clusters, len(features) // _FEW), 1)
    means = MiniBatchKMeans(count, batch_size=2048, n_init=1, max_iter=30, random_state=seed)
    with np.errstate(all="ignore"):
        means.fit(standard.numpy())
    return Codebook(mean, sd, torch.from_numpy(means.cluster_centers_.astype(np.float32)))


@dataclass(frozen=True, slots=True)
class Projection:
    """A frozen random projection `[F, P]` of standardised features, whose P numbers have mean 0 and deviation 1."""

    mean: Tensor
    sd: Tensor
    matrix: Tensor
    centre: Tensor

    def of(self, features: Tensor) -> Tensor:
        """The P numbers of each row of `features` `[N, F]`."""
        return _standard(features, self.mean, self.sd) @ self.matrix - self.centre


def fit_projection(features: Tensor, numbers: int, seed: int) -> Projection:
    """A random projection of `features` `[N, F]` to so many `numbers`, scaled on them."""
    mean, sd = _scale(features)
    generator = torch.Generator().manual_seed(seed)
    matrix = torch.randn((features.shape[1], numbers), generator=generator) * features.shape[1] ** -0.5
    projected = _standard(features, mean, sd) @ matrix
    matrix = matrix / _deviation(projected)
    return Projection(mean, sd, matrix, (_standard(features, mean, sd) @ matrix).mean(dim=0))


def _scale(features: Tensor) -> tuple[Tensor, Tensor]:
    return features.mean(dim=0), _deviation(features)


def _deviation(features: Tensor) -> Tensor:
    return features.std(dim=0, correction=0).clamp_min(_LEAST_SD)


def _standard(features: Tensor, mean: Tensor, sd: Tensor) -> Tensor:
    return ((features - mean) / sd).clamp(-_CLIP, _CLIP)
