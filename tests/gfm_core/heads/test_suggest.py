from __future__ import annotations

import numpy as np
import pytest

from gfm_core.heads.suggest import suggest


def pixels(n: int = 600, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(3), n), rng.normal(size=(n, 20)).astype(np.float32)


def half_in_doubt(chosen: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Those of the chosen that lie in the least certain fifth of what looks like their class."""
    ordered = np.sort(probabilities, axis=1)
    margin, looks_like = ordered[:, -1] - ordered[:, -2], probabilities.argmax(axis=1)
    limits = np.array([np.quantile(margin[looks_like == number], 0.2) for number in range(3)])
    return chosen[margin[chosen] <= limits[looks_like[chosen]]]


def test_half_are_doubtful_half_are_anywhere_and_doubt_comes_first() -> None:
    probabilities, features = pixels(6000)
    chosen = suggest(probabilities, features, np.array([5, 5, 5]), 300)
    assert len(set(chosen.tolist())) == 300
    ordered = np.sort(probabilities, axis=1)
    assert (np.diff((ordered[:, -1] - ordered[:, -2])[chosen]) >= 0).all()
    # 150 by doubt, and of the 150 that are drawn about a fifth by chance.
    assert 150 <= len(half_in_doubt(chosen, probabilities)) < 150 + 30 + 5 * (150 * 0.2 * 0.8) ** 0.5


@pytest.mark.parametrize(
    ("labelled", "shares"), [((5, 5, 5), (2, 2, 2)), ((2, 11, 11), (6, 0, 0)), ((100, 3, 3), (0, 3, 3))]
)
def test_classes_that_lack_labels_get_more(labelled: tuple[int, ...], shares: tuple[int, ...]) -> None:
    counts = []
    for seed in range(40):
        probabilities, features = pixels(seed=seed)
        chosen = suggest(probabilities, features, np.array(labelled), 12, seed=seed)
        counts.append(np.bincount(probabilities[chosen].argmax(axis=1), minlength=3))
    # The other six are drawn, two of each class on average.
    np.testing.assert_allclose(np.mean(counts, axis=0), np.array(shares) + 2, atol=0.6)


def test_points_of_a_class_are_unlike_each_other() -> None:
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 4, 400)
    features = np.eye(20)[kinds] * 10 + rng.normal(0, 0.1, (400, 20))
    probabilities = np.tile([0.5, 0.5], (400, 1)) + rng.uniform(0, 0.01, (400, 1)) * [1, -1]
    chosen = suggest(probabilities, features, np.array([2, 50]), 8)
    assert set(kinds[chosen]) == {0, 1, 2, 3}


def test_more_than_there_are_gives_all_and_gaps_are_no_error() -> None:
    probabilities, features = pixels(8)
    features[:, 3] = np.nan
    assert sorted(suggest(probabilities, features, np.array([1, 1, 1]), 50)) == list(range(8))
    same = suggest(np.tile([0.6, 0.4], (9, 1)), np.zeros((9, 4)), np.array([1, 1]), 5)
    assert len(set(same.tolist())) == 5
    np.testing.assert_array_equal(
        suggest(*pixels(), np.array([5, 5, 5]), 30, seed=3), suggest(*pixels(), np.array([5, 5, 5]), 30, seed=3)
    )
