"""What the predictor is asked for: latents of the slow copy, without what all cells share."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gfm_training.across import summed

_LEAST_SD = 0.05  # of a dimension: smaller ones are noise, and are not blown up
_SHRINKAGE = 0.1  # of the mean variance, added to that of every direction: weak ones stay weaker
_ROUNDS = 20  # of Newton's iteration: enough where the strongest direction has 10 000 times the variance of the weakest


class LatentTargets(nn.Module):
    """Targets `[B, n, n, D]` float32 from what each layer of the slow copy gives, 0 where a cell is not present.

    `kind` is "last", the last layer in deviations of each dimension, or "layers", the mean of all layers in deviations
    (arXiv:2202.03555, section 3.3), whitened. What all cells share earns nothing either way, so that the network gains
    nothing by making cells alike, which plain layer-normed targets reward at first (rank 9.8 to 2.2 in 50 steps).
    Whitening asks for all directions alike: deviations alone still let strong ones drown the others (rank 7.8 to 5.4 in
    300 steps on a scene where one sensor tells the other, 7.8 to 7.7 with whitening).

    Moments are those of the last hundred steps or so, and of all processes. Those of a batch alone, which is one place,
    would turn the targets another way at every place, and no window tells which: after 3000 steps on 45 places such
    targets were predicted worse than by 0. In eval mode the moments stay as they are.
    """

    def __init__(self, kind: str, layers: int, dim: int, *, decay: float = 0.99) -> None:
        super().__init__()
        self.kind, self.decay = kind, decay
        self.register_buffer("weight", torch.zeros(()))
        self.register_buffer("first", torch.zeros(layers, 1, dim))
        self.register_buffer("second", torch.zeros(layers, 1, dim))
        self.register_buffer("products", torch.zeros(dim, dim))

    def forward(self, layers: Sequence[Tensor], present: Tensor) -> Tensor:
        """Targets of a batch, whose `layers` are `[B, n, n, D]` each; `present` `[B, n, n]`."""
        used = layers[-1:] if self.kind == "last" else layers
        chosen = torch.stack([layer[present].float() for layer in used])
        values = self._in_deviations(chosen)
        if self.kind == "layers":
            values = values @ self._whitening(values)
        targets = torch.zeros(*present.shape, values.shape[-1], device=values.device)
        targets[present] = values
        return targets

    def _in_deviations(self, chosen: Tensor) -> Tensor:
        """The mean over layers of `[L, N, D]` in deviations of each dimension."""
        count = float(summed(torch.tensor(float(chosen.shape[1]), device=chosen.device)))
        if self.training and count:
            self.weight = self.decay * self.weight + 1
            self.first = self.decay * self.first + summed(chosen.sum(dim=1, keepdim=True)) / count
            self.second = self.decay * self.second + summed(chosen.square().sum(dim=1, keepdim=True)) / count
        if not float(self.weight):
            return chosen.mean(dim=0)
        mean = self.first / self.weight
        variance = self.second / self.weight - mean.square()
        return ((chosen - mean) / variance.clamp_min(_LEAST_SD**2).sqrt()).mean(dim=0)

    def _whitening(self, values: Tensor) -> Tensor:
        """What turns `values` `[N, D]` so little as can be to about the same variance in every direction.

        The covariance C becomes C (C + s I)^-1, with s a share of the mean variance.
        """
        count = float(summed(torch.tensor(float(len(values)), device=values.device)))
        if self.training and count:
            self.products = self.decay * self.products + summed(values.mT @ values) / count
        covariance = self.products / self.weight.clamp_min(1e-9)
        identity = torch.eye(len(covariance), device=values.device)
        mean = covariance.diagonal().mean()
        return inverse_root(covariance + _SHRINKAGE * mean.clamp_min(1e-6) * identity)


def latent_targets(layers: Sequence[Tensor], present: Tensor, kind: str) -> Tensor:
    """The targets of one batch by its own moments alone."""
    return LatentTargets(kind, 1 if kind == "last" else len(layers), layers[0].shape[-1])(layers, present)


def inverse_root(matrix: Tensor) -> Tensor:
    """The inverse square root of a symmetric positive matrix, by Newton's iteration (Higham 2008, section 6.7)."""
    size = torch.linalg.matrix_norm(matrix)
    identity = torch.eye(len(matrix), device=matrix.device)
    root, inverse = matrix / size, identity
    for _ in range(_ROUNDS):
        step = 1.5 * identity - 0.5 * inverse @ root
        root, inverse = root @ step, step @ inverse
    return inverse / size.sqrt()
