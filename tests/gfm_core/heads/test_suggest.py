from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax
from scipy.stats import entropy, spearmanr

from gfm_core.heads.suggest import disagreement, suggest


def opinions(n: int = 400, groups: int = 3, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {f"group {number}": log_softmax(rng.normal(0, 6, (n, 4)), axis=1) for number in range(groups)}


def test_disagreement_is_the_entropy_that_no_single_group_has() -> None:
    logs = opinions()
    calm = np.stack([np.exp(log_softmax(values / 3, axis=1)) for values in logs.values()])
    expected = entropy(calm.mean(axis=0), axis=1) - entropy(calm, axis=2).mean(axis=0)
    np.testing.assert_allclose(disagreement(logs), expected, atol=1e-9)


def test_what_all_doubt_alike_is_not_disputed() -> None:
    mixed = {"a": np.log(np.full((1, 2), 0.5)), "b": np.log(np.full((1, 2), 0.5))}
    disputed = {"a": np.log([[0.999, 0.001]]), "b": np.log([[0.001, 0.999]])}
    assert disagreement(mixed)[0] == pytest.approx(0, abs=1e-12)
    assert disagreement(disputed)[0] > 0.3


def test_a_group_that_is_not_known_has_no_say() -> None:
    logs = opinions()
    gaps = {**logs, "group 2": logs["group 2"].copy()}
    gaps["group 2"][:50] = np.nan
    two = disagreement({group: logs[group] for group in ("group 0", "group 1")})
    np.testing.assert_allclose(disagreement(gaps)[:50], two[:50], atol=1e-12)
    np.testing.assert_array_equal(disagreement(gaps)[50:], disagreement(logs)[50:])
    assert (disagreement({"a": np.full((3, 2), np.nan)}) == 0).all()


def test_disputed_pixels_are_drawn_more_often_and_come_first() -> None:
    logs = opinions(40)
    drawn = np.zeros(40)
    for seed in range(2000):
        chosen = suggest(logs, 3, seed=seed)
        assert len(set(chosen.tolist())) == 3
        assert (np.diff(disagreement(logs)[chosen]) <= 0).all()
        drawn[chosen] += 1
    assert spearmanr(drawn, disagreement(logs)).statistic > 0.95


def test_where_all_agree_every_place_is_as_good() -> None:
    same = {"only": opinions(groups=1)["group 0"]}
    drawn = np.bincount(np.concatenate([suggest(same, 40, seed=seed) for seed in range(200)]), minlength=400)
    assert abs(drawn - 20).max() < 6 * 20**0.5


def test_more_than_there_are_gives_all_and_a_seed_repeats() -> None:
    logs = opinions(8)
    assert sorted(suggest(logs, 50)) == list(range(8))
    np.testing.assert_array_equal(suggest(logs, 5, seed=3), suggest(logs, 5, seed=3))
