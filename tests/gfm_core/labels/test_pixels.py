from __future__ import annotations

import numpy as np
import pytest

from gfm_core.labels import pixels
from gfm_core.labels.pixels import ClassSampler, Found


def square(side: int, code: int) -> Found:
    rows, cols = np.divmod(np.arange(side * side), side)
    return Found(rows, cols, np.full(side * side, code, np.int32), np.zeros(side * side, np.int32))


def places(found: Found) -> set[tuple[int, int]]:
    return set(zip(found.rows.tolist(), found.cols.tolist(), strict=True))


def test_all_pixels_are_kept_where_there_are_few() -> None:
    sampler = ClassSampler(1000, seed=0)
    sampler.add(square(20, 3))
    assert places(sampler.result()) == places(square(20, 3))


def test_sample_does_not_depend_on_the_order_or_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = square(60, 1)
    one = ClassSampler(100, seed=5)
    one.add(whole)
    monkeypatch.setattr(pixels, "_PENDING", 50)
    many = ClassSampler(100, seed=5)
    for part in np.array_split(np.random.default_rng(0).permutation(3600), 37):
        many.add(whole.take(part))
    assert len(one.result().codes) == 100
    for left, right in zip(one.result(), many.result(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_another_seed_draws_other_pixels() -> None:
    first, second = ClassSampler(100, seed=1), ClassSampler(100, seed=2)
    first.add(square(60, 1))
    second.add(square(60, 1))
    assert places(first.result()) != places(second.result())


def test_sample_is_spread_over_the_ground() -> None:
    sampler = ClassSampler(1600, seed=0)
    sampler.add(square(200, 1))
    found = sampler.result()
    counts = np.bincount(found.rows // 50 * 4 + found.cols // 50, minlength=16)
    # 16 squares of 100 expected pixels: chi-squared with 15 degrees of freedom is below 37.7 with probability .999.
    assert ((counts - 100) ** 2 / 100).sum() < 37.7


def test_each_class_has_its_own_share() -> None:
    sampler = ClassSampler(10, seed=0)
    sampler.add(square(30, 1))
    sampler.add(Found(*(np.array([100 + i for i in range(4)]),) * 2, np.full(4, 2, np.int32), np.zeros(4, np.int32)))
    assert np.bincount(sampler.result().codes).tolist() == [0, 10, 4]
