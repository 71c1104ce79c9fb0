"""Against the worked example of Olofsson et al. (2014), section 5, and against a truth that is known."""

from __future__ import annotations

import numpy as np
import pytest

from gfm_core.answers.accuracy import allocation, assess_matrix, sample_size

# Their tables 8 and 9: deforestation, forest gain, stable forest, stable non-forest; Landsat pixels of 0.09 ha.
MATRIX = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
MAPPED = np.array([200_000, 150_000, 3_200_000, 6_450_000]) * 900.0


def test_the_worked_example_of_the_paper() -> None:
    found = assess_matrix(MATRIX, MAPPED, 0.95)
    assert (round(found.overall.value, 2), round(found.overall.half_width, 2)) == (0.95, 0.02)
    users = [(round(item.value, 2), round(item.half_width, 2)) for item in found.users]
    assert users == [(0.88, 0.07), (0.73, 0.10), (0.93, 0.04), (0.96, 0.02)]
    assert [round(item.value, 2) for item in found.producers] == [0.75, 0.85, 0.93, 0.96]
    assert round(found.producers[0].half_width, 2) == 0.21
    hectares = [round(item.value / 1e4) for item in found.areas]
    assert hectares[0] == 21_158
    assert round(found.areas[0].half_width / 1e4) == 6_158
    assert sum(item.value for item in found.areas) == pytest.approx(MAPPED.sum())


def test_the_sample_of_the_paper() -> None:
    shares = MAPPED / MAPPED.sum()
    users = np.array([0.7, 0.6, 0.9, 0.95])
    # Equation 13 with a user's accuracy for each class gives 641 points; ours has one accuracy for all of them.
    spread = (shares * np.sqrt(users * (1 - users))).sum()
    assert int(np.ceil((spread / 0.01) ** 2)) == 641
    assert sample_size(shares, 0.5, 0.05) == 100
    drawn = allocation(shares, 641, 75, np.full(4, 10**6))
    assert drawn.sum() == 641
    assert drawn[0] == drawn[1] == 75  # the rare classes
    assert drawn[3] / drawn[2] == pytest.approx(6.45 / 3.2, rel=0.02)


def test_no_class_gets_more_points_than_it_has_pixels() -> None:
    drawn = allocation(np.array([0.001, 0.999]), 200, 50, np.array([7, 10**6]))
    assert drawn.tolist() == [7, 150]


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """A map that is wrong in a known way, sampled again and again."""
    chance = np.random.default_rng(0)
    truth_given_map = np.array([[0.9, 0.1], [0.2, 0.8]])
    mapped = np.array([3e6, 7e6])
    true_area = (mapped[:, None] * truth_given_map).sum(axis=0)
    overall = (mapped * np.diag(truth_given_map)).sum() / mapped.sum()
    producer = mapped[0] * 0.9 / true_area[0]
    held = np.zeros(3)
    for _ in range(400):
        matrix = np.array([chance.multinomial(150, row) for row in truth_given_map])
        found = assess_matrix(matrix, mapped, 0.9)
        for at, (item, true) in enumerate(
            ((found.overall, overall), (found.areas[0], true_area[0]), (found.producers[0], producer))
        ):
            held[at] += abs(item.value - true) <= item.half_width
    assert (held / 400 > 0.85).all()
    assert (held / 400 < 0.95).all()


def test_a_class_without_points_is_left_out_and_not_invented() -> None:
    found = assess_matrix(np.array([[10, 0, 0], [1, 9, 0], [0, 0, 0]]), np.array([1.0, 1.0, 8.0]), 0.95)
    assert np.isnan(found.users[2].value)
    assert sum(item.value for item in found.areas) == pytest.approx(2.0)
