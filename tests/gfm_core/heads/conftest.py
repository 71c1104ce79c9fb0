"""Samples made for the tests: overlapping clouds of points, a class each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gfm_core.classes import MapClass

Clouds = tuple[np.ndarray, np.ndarray]
CLASSES = tuple(MapClass(code, name, name) for code, name in ((2, "water"), (5, "forest"), (9, "town")))


@pytest.fixture
def clouds() -> Callable[..., Clouds]:
    """Features float32 [n, D] and codes [n], `n` samples a class."""

    def make(n: int = 60, features: int = 8, codes: tuple[int, ...] = (2, 5, 9), seed: int = 0) -> Clouds:
        rng = np.random.default_rng(seed)
        centres = np.random.default_rng(99).normal(size=(len(codes), features))
        X = np.concatenate([rng.normal(centre, 1.5, (n, features)) for centre in centres])
        return X.astype(np.float32), np.repeat(np.array(codes, np.int32), n)

    return make
