"""Sums over all processes of a run, so that several processes learn what one with all their windows would."""

from __future__ import annotations

import torch
from torch import Tensor, distributed


def processes() -> int:
    """How many processes learn together."""
    return distributed.get_world_size() if _several() else 1


def summed(values: Tensor) -> Tensor:
    """`values` added over all processes, which must all call this in the same order; without gradients."""
    if not _several():
        return values
    total = values.detach().clone()
    distributed.all_reduce(total)
    return total


def moments(values: Tensor, *, least_sd: float) -> tuple[Tensor, Tensor]:
    """Mean and deviation (not below `least_sd`) of each dimension of `values` `[..., N, D]` over N and all processes.

    A single row has no deviation: mean 0 and deviation 1 leave it as it is.
    """
    count = float(summed(torch.tensor(float(values.shape[-2]), device=values.device)))
    if count < 2:
        shape = (*values.shape[:-2], 1, values.shape[-1])
        return values.new_zeros(shape), values.new_ones(shape)
    mean = summed(values.sum(dim=-2, keepdim=True)) / count
    variance = summed((values - mean).square().sum(dim=-2, keepdim=True)) / (count - 1)
    return mean, variance.sqrt().clamp_min(least_sd)


def _several() -> bool:
    return distributed.is_available() and distributed.is_initialized()
