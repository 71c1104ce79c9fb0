"""Frozen targets that cannot collapse: which cluster of statistics a cell belongs to (the anchor).

Cluster ids rather than random projections: a loss in nats has the same size for every set of sensors, whatever their
bands and their tails, so no place drowns another, and ids of *wide* statistics, which the token does not hold, keep the
network from forgetting its surroundings: with ids of the token's own statistics alone, trained networks were worse than
untrained ones by .03 to .07 macro-F1 on the two scenes (of six) where wide windows help most. Each set of modalities
has codebooks of its own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor

_CLIP = 6.0  # standard deviations
_FEW = 8  # cells a cluster: fewer cells make fewer clusters


@dataclass(frozen=True, slots=True)
class Codebook:
    """Centres `[K, F]` of standardised features: `(x - mean) / sd`, clipped at 6."""

    mean: Tensor
    sd: Tensor
    centres: Tensor

    def assign(self, features: Tensor, present: Tensor) -> Tensor:
        """The nearest centre of each row of `features` `[N, F]`, -1 where not `present` `[N]`."""
        ids = torch.cdist(self._standard(features), self.centres).argmin(dim=1)
        return torch.where(present, ids, -1)

    def _standard(self, features: Tensor) -> Tensor:
        return ((features - self.mean) / self.sd).clamp(-_CLIP, _CLIP)


def fit_codebook(features: Tensor, clusters: int, seed: int) -> Codebook:
    """Codebook of up to `clusters` centres from `features` `[N, F]` by mini-batch k-means."""
    from sklearn.cluster import MiniBatchKMeans

    mean, sd = features.mean(dim=0), features.std(dim=0).clamp_min(1e-6)
    standard = ((features - mean) / sd).clamp(-_CLIP, _CLIP)
    count = max(min(clusters, len(features) // _FEW), 1)
    means = MiniBatchKMeans(count, batch_size=2048, n_init=1, max_iter=30, random_state=seed)
    with np.errstate(all="ignore"):
        means.fit(standard.numpy())
    return Codebook(mean, sd, torch.from_numpy(means.cluster_centers_.astype(np.float32)))


Books = dict[str, tuple[Codebook, Codebook]]  # by modality set: of near, of wide statistics


def save_books(path: Path, books: Books) -> None:
    """Codebooks as safetensors; the names of the modality sets stand in the metadata."""
    keys = sorted(books)
    tensors = {
        f"{number}.{which}.{name}": getattr(book, name).contiguous()
        for number, key in enumerate(keys)
        for which, book in zip(("near", "wide"), books[key], strict=True)
        for name in ("mean", "sd", "centres")
    }
    safetensors.torch.save_file(tensors, path, {"keys": json.dumps(keys)})


def load_books(path: Path) -> Books:
    """The inverse of `save_books`."""
    with safetensors.safe_open(path, framework="pt") as file:
        keys = json.loads(file.metadata()["keys"])
        return {key: (_book(file, f"{number}.near"), _book(file, f"{number}.wide")) for number, key in enumerate(keys)}


def _book(file: Any, prefix: str) -> Codebook:
    return Codebook(*(file.get_tensor(f"{prefix}.{name}") for name in ("mean", "sd", "centres")))
