from __future__ import annotations

import dataclasses
import datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest
from gfm_training.masking import Layout, draw_blocks, draw_cells, draw_hidden, hide_indices, spreads
from gfm_training.settings import TrainSettings

if TYPE_CHECKING:
    from gfm_training.data import Places

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


# ---- No family is off without anybody's knowing ----------------------------------------------------------------------


def shares(settings: TrainSettings) -> dict[str, float]:
    """How often each family is seen at work in windows of two sensors and two dates."""
    later = dataclasses.replace(RADAR, dates=(JUNE, JULY))
    seen = {"cells": 0, "blocks": 0, "sensor": 0, "date": 0}
    for seed in range(300):
        optical, radar = draw_hidden([OPTICAL, later], 16, settings, np.random.default_rng(seed))
        whole_sensor = bool(optical.all()) or bool(radar.all())
        whole_date = any(bool(optical[time].all() and radar[time].all()) for time in range(2))
        ground = np.minimum.reduce([*optical, *radar])
        seen["sensor"] += whole_sensor
        seen["date"] += whole_date
        seen["cells"] += bool(ground.any()) and ground.mean() == settings.hidden
        seen["blocks"] += bool(ground.any()) and ground.mean() != settings.hidden
    return {name: count / 300 for name, count in seen.items()}


def test_the_default_draws_all_families_as_often_as_it_says() -> None:
    settings = TrainSettings()
    found = shares(settings)
    assert found["sensor"] == pytest.approx(settings.hide_sensor, abs=0.1)
    assert found["date"] == pytest.approx(settings.hide_date, abs=0.1)
    assert found["blocks"] == pytest.approx(settings.blocks, abs=0.1)
    assert found["cells"] == pytest.approx(1 - settings.blocks, abs=0.1)
    assert min(settings.hide_sensor, settings.hide_date, settings.blocks, 1 - settings.blocks) >= 0.3
    assert settings.hidden == 0.75


ALONE = {
    "cells": {"hidden": 0.75}, "blocks": {"blocks": 1.0}, "sensor": {"hide_sensor": 1.0}, "date": {"hide_date": 1.0}
}  # fmt: skip


@pytest.mark.parametrize("family", ALONE)
def test_each_family_can_be_drawn_alone(family: str) -> None:
    nothing = TrainSettings(hidden=0.0, blocks=0.0, hide_sensor=0.0, hide_date=0.0)
    assert set(shares(nothing).values()) == {0.0}
    assert shares(dataclasses.replace(nothing, **ALONE[family])) == {
        name: float(name == family) for name in ("cells", "blocks", "sensor", "date")
    }


# ---- Pixels that stick out of their cells ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "sticking_out"), [(20.0, {30.0, 60.0}), (30.0, {60.0}), (60.0, set()), (45.0, {10.0, 30.0, 60.0})]
)
def test_pixels_stick_out_of_cells_whose_edges_are_not_theirs(
    places: Places, size: float, sticking_out: set[float]
) -> None:
    stack = places.places[0].stack  # all rasters begin at one corner
    lattice = dataclasses.replace(stack.lattice, cell_size=size, phase_x=400_000 % size, phase_y=5_800_000 % size)
    for modality in stack.modalities:
        layout = Layout.of(modality, lattice)
        assert layout.pixel == modality.gsd
        assert layout.overhang == (modality.gsd if modality.gsd in sticking_out else 0.0)


def test_an_index_hides_as_many_pixels_more_as_a_band_may_stick_out() -> None:
    coarse = dataclasses.replace(OPTICAL, pixel=20.0, overhang=20.0)
    fine_index, coarse_index = (dataclasses.replace(INDEX, pixel=size) for size in (10.0, 60.0))
    radar = dataclasses.replace(RADAR, overhang=500.0)  # no index comes from it
    assert spreads([OPTICAL, coarse, radar, fine_index, coarse_index]) == [0, 0, 0, 2, 1]
    assert spreads([OPTICAL, fine_index]) == [0, 0]
