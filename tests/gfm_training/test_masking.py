from __future__ import annotations

import datetime

import numpy as np
from gfm_training.masking import Layout, draw_blocks, draw_cells, draw_hidden, hide_indices
from gfm_training.settings import TrainSettings

JUNE, JULY = datetime.date(2020, 6, 1), datetime.date(2020, 7, 1)
OPTICAL = Layout("s2", (JUNE, JULY), is_index=False, is_optical=True)
RADAR = Layout("s1", (None,), is_index=False, is_optical=False)
INDEX = Layout("ndvi", (JUNE,), is_index=True, is_optical=False)


def test_the_asked_share_of_cells_is_hidden_at_random() -> None:
    shares = [draw_cells(16, 0.75, np.random.default_rng(seed)).mean() for seed in range(50)]
    assert shares == [0.75] * 50  # 16 x 16 cells in squares of 1, 2 or 4: always whole


def test_blocks_hide_between_40_and_75_percent_in_rectangles() -> None:
    for seed in range(50):
        hidden = draw_blocks(16, np.random.default_rng(seed))
        assert 0.4 <= hidden.mean() <= 0.75
        # Every hidden cell lies in a hidden rectangle of at least five cells a side.
        windows = np.lib.stride_tricks.sliding_window_view(hidden, (5, 5)).all(axis=(2, 3))
        covered = np.zeros_like(hidden)
        for row, col in np.argwhere(windows):
            covered[row : row + 5, col : col + 5] = True
        assert (covered == hidden).all()


def test_a_hidden_sensor_is_hidden_whole_and_another_is_left() -> None:
    settings = TrainSettings(hide_sensor=1.0, hide_date=0.0)
    whole = []
    for seed in range(40):
        optical, radar = draw_hidden([OPTICAL, RADAR], 16, settings, np.random.default_rng(seed))
        assert optical.all() != radar.all()
        whole.append(bool(optical.all()))
    assert {True, False} == set(whole)


def test_the_only_sensor_and_the_only_date_are_never_hidden_whole() -> None:
    settings = TrainSettings(hide_sensor=1.0, hide_date=1.0)
    for seed in range(40):
        (radar,) = draw_hidden([RADAR], 16, settings, np.random.default_rng(seed))
        assert not radar.all()


def test_a_hidden_date_is_hidden_whole_and_the_other_is_left() -> None:
    settings = TrainSettings(hide_sensor=0.0, hide_date=1.0)
    for seed in range(40):
        (optical,) = draw_hidden([OPTICAL], 16, settings, np.random.default_rng(seed))
        assert optical[0].all() != optical[1].all()


def test_an_index_hides_wherever_a_band_it_may_come_from_is_hidden() -> None:
    for seed in range(40):
        optical, index = draw_hidden([OPTICAL, INDEX], 16, TrainSettings(), np.random.default_rng(seed))
        assert index[0][optical.any(axis=0)].all()


def test_hiding_an_index_does_not_hide_its_bands() -> None:
    hidden = [np.zeros((2, 4, 4), np.bool_), np.ones((1, 4, 4), np.bool_)]
    optical, index = hide_indices([OPTICAL, INDEX], hidden)
    assert not optical.any()
    assert index.all()
