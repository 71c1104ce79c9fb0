from __future__ import annotations

import pytest
from gfm_training.module import decaying, head_rate, momentum, rate
from torch import nn


def test_the_rate_rises_stays_and_falls_over_the_last_fifth() -> None:
    assert rate(0, 1000, warmup=100) == pytest.approx(0.01)
    assert rate(100, 1000, warmup=100) == rate(799, 1000, warmup=100) == 1.0
    assert rate(900, 1000, warmup=100) == pytest.approx(0.5)
    assert rate(1000, 1000, warmup=100) == 0.0


def test_a_short_run_warms_up_over_a_tenth_of_it() -> None:
    assert rate(1, 20, warmup=100) == 1.0


def test_momentum_fits_the_run_and_rises() -> None:
    assert momentum(0, 200) == pytest.approx(1 - 5 / 200)
    assert momentum(200, 200) == pytest.approx(1 - 1 / 200)
    values = [momentum(step, 200) for step in range(201)]
    assert values == sorted(values)


@pytest.mark.parametrize("steps", [50, 200, 5000])
def test_the_slow_copy_leaves_its_start_in_runs_of_any_length(steps: int) -> None:
    left = 1.0
    for step in range(steps):
        left *= momentum(step, steps)
    assert left < 0.1  # a fixed momentum of .996 would leave .82 of it after 50 steps


def test_decay_acts_on_matrices_only() -> None:
    matrix, vector = nn.Parameter(nn.Linear(2, 2).weight), nn.Linear(2, 2).bias
    assert decaying("layer.weight", matrix)
    assert not decaying("layer.bias", vector)
    assert not decaying("tokeniser.bands.vocabulary.weight", matrix)


@pytest.mark.parametrize(("sets", "wanted"), [(1, 1.0), (4, 2.0), (25, 5.0), (400, 5.0)])
def test_heads_learn_the_faster_the_rarer_their_turn_is(sets: int, wanted: float) -> None:
    assert head_rate(sets) == wanted
