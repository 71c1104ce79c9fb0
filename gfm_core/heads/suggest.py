"""Which pixels to label next: drawn where the feature groups disagree about what they see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gfm_core.heads.classifiers import cooled

# Heads fitted on a handful of labels are far too sure; at 1 nearly all of them contradict each other.
_TEMPERATURE = 3.0
_LEAST = 1e-12  # of the chance of a pixel: where all agree, every place is as good as any other


def disagreement(logs: Mapping[str, NDArray[np.floating[Any]]]) -> NDArray[np.float64]:
    """How much the groups' opinions `[n, K]` (log-probabilities) differ, in nats: 0 where they all say the same.

    The entropy of their mean less the mean of their entropies (Houlsby et al. 2011, arXiv:1112.5745). A mixed pixel,
    which every group doubts, has none; the entropy of the mean alone would choose it. Groups that are not known in a
    row have no say there.
    """
    rows, size = next(iter(logs.values())).shape
    total, count, own = np.zeros((rows, size)), np.zeros(rows), np.zeros(rows)
    for values in logs.values():
        known = np.isfinite(values).all(axis=1)
        calm = cooled(np.where(known[:, None], values, 0.0).astype(np.float64), _TEMPERATURE)
        probability = np.exp(calm)
        total += np.where(known[:, None], probability, 0.0)
        own += np.where(known, -(probability * calm).sum(axis=1), 0.0)
        count += known
    voices = np.maximum(count, 1.0)
    mean = total / voices[:, None]
    together = -(mean * np.log(np.maximum(mean, _LEAST))).sum(axis=1)
    found: NDArray[np.float64] = np.maximum(together - own / voices, 0.0)
    return found


def suggest(logs: Mapping[str, NDArray[np.floating[Any]]], count: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Indices of `count` (or all) of the pixels, the most disputed first.

    They are drawn with a chance in proportion to the `disagreement` of `logs`: pixels `[n, K]` by group. Taking the
    most disputed ones instead, or those that the fused heads doubt, gives many of a kind, often mixed or wrongly
    labelled: on nine scenes no such rule beat labels anywhere (docs/experiments.md).
    """
    return drawn(disagreement(logs), count, seed=seed)


def drawn(disputed: NDArray[np.float64], count: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Indices of `count` (or all) of the pixels whose `disagreement` is given, as `suggest` draws them."""
    chance = disputed + _LEAST
    generator = np.random.default_rng(seed)
    chosen = generator.choice(len(chance), min(count, len(chance)), replace=False, p=chance / chance.sum())
    found: NDArray[np.int64] = chosen[np.argsort(-disputed[chosen], kind="stable")].astype(np.int64)
    return found
