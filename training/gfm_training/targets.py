"""What the predictor is asked for: latents of the slow copy, without what all cells share."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gfm_training.across import moments, summed

_LEAST_SD = 0.05  # of a dimension: smaller ones are noise, and are not blown up
_SHRINKAGE = 0.1  # of the mean variance, added to that of every direction: weak ones stay weaker
_ROUNDS = 20  # of Newton's iteration: enough where the strongest direction has 10 000 times the variance of the weakest


def latent_targets(layers: Sequence[Tensor], present: Tensor, kind: str) -> Tensor:
    """Targets `[B, n, n, D]` float32 from what each layer of the slow copy gives, 0 where not `present` `[B, n, n]`.

    `kind` is "last", the last layer in deviations of each dimension, or "layers", the mean of all layers in deviations
    (arXiv:2202.03555, section 3.3), whitened over the batch. What all cells share earns nothing either way, so that
    the network gains nothing by making cells alike, which plain layer-normed targets reward at first (rank 9.8 to 2.2
    in 50 steps). Whitening asks for all directions alike: deviations alone still let strong ones drown the others
    (rank 7.8 to 5.4 in 300 steps on a scene where one sensor tells the other, 7.8 to 7.7 with whitening).
    """
    chosen = torch.stack([layer[present].float() for layer in (layers[-1:] if kind == "last" else layers)])
    values = in_deviations(chosen).mean(dim=0)
    if kind == "layers":
        values = whitened(values)
    targets = torch.zeros(*present.shape, values.shape[-1], device=values.device)
    targets[present] = values
    return targets


def in_deviations(values: Tensor) -> Tensor:
    """`values` `[..., N, D]` with mean 0 and deviation 1 of each dimension over N."""
    mean, sd = moments(values, least_sd=_LEAST_SD)
    return (values - mean) / sd


def whitened(values: Tensor) -> Tensor:
    """`values` `[N, D]` of mean 0, turned so little as can be to about the same variance in every direction.

    The covariance C becomes C (C + s I)^-1, with s a share of the mean variance.
    """
    count = summed(torch.tensor(float(len(values)), device=values.device))
    if count < 2:
        return values
    covariance = summed(values.mT @ values) / (count - 1)
    mean = covariance.diagonal().mean()
    identity = torch.eye(len(covariance), device=values.device)
    return values @ inverse_root(covariance + _SHRINKAGE * mean.clamp_min(1e-6) * identity)


def inverse_root(matrix: Tensor) -> Tensor:
    """The inverse square root of a symmetric positive matrix, by Newton's iteration (Higham 2008, section 6.7)."""
    size = torch.linalg.matrix_norm(matrix)
    identity = torch.eye(len(matrix), device=matrix.device)
    root, inverse = matrix / size, identity
    for _ in range(_ROUNDS):
        step = 1.5 * identity - 0.5 * inverse @ root
        root, inverse = root @ step, step @ inverse
    return inverse / size.sqrt()
