"""What is computed of windows: units that masks hide whole, pixels that go with hidden cells."""

from __future__ import annotations

import dataclasses
import datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from gfm_training.data import PlaceBatchSampler, cells_of, read_windows
from gfm_training.settings import TrainSettings
from gfm_training.windows import Unit, WindowStatistics, by_unit, near_and_wide, window_statistics, without_hidden

from gfm_core.raster.read import PixelWindow

if TYPE_CHECKING:
    from gfm_training.data import Places

    from gfm_core.raster.stack import Stack

SETTINGS = TrainSettings(batch=2, cell_pixels=(2,), cell_weights=(1.0,))
JUNE = datetime.date(2020, 6, 1)


def windows_of(places: Places) -> tuple[Stack, list[list[PixelWindow]]]:
    queries = PlaceBatchSampler(places, SETTINGS, range(9)).batch(0)
    dataset = places.dataset(queries[0].place, 2)
    return dataset.stack, read_windows(dataset, dataset.stack, cells_of(dataset.stack, [one.query for one in queries]))


@pytest.fixture(scope="module")
def parts(places: Places) -> list[WindowStatistics]:
    stack, windows = windows_of(places)
    return [window_statistics(item, part) for item, part in zip(stack.modalities, windows, strict=True)]


def test_a_unit_holds_the_near_statistics_of_all_modalities_of_its_sensor(parts: list[WindowStatistics]) -> None:
    units = by_unit(parts)
    assert set(units) == {
        Unit("sentinel2-l2a", JUNE), Unit("sentinel1-db", None), Unit("dem", None)
    }  # fmt: skip
    for unit, (features, there) in units.items():
        mine = [part for part in parts if part.modality.sensor == unit.sensor]
        near, _, present = near_and_wide(mine)
        assert torch.equal(features, near)
        assert torch.equal(there, present)


def test_dates_of_a_sensor_are_units_of_their_own(parts: list[WindowStatistics]) -> None:
    (radar,) = (part for part in parts if part.modality.sensor == "sentinel1-db")
    later = datetime.date(2020, 7, 1)
    modality = dataclasses.replace(
        radar.modality, dates=(JUNE, later), sources=radar.modality.sources * 2
    )  # fmt: skip
    twice = tuple(
        dataclasses.replace(
            item,
            patch=torch.cat([item.patch, item.patch + 1]),
            mean=torch.cat([item.mean, item.mean + 1]),
            sd=torch.cat([item.sd, item.sd]),
            present=torch.cat([item.present, torch.zeros_like(item.present)]),
        )
        for item in radar.samples
    )
    units = by_unit([dataclasses.replace(radar, modality=modality, samples=twice)])
    assert torch.equal(units[Unit("sentinel1-db", JUNE)][0], near_and_wide([radar])[0])
    features, there = units[Unit("sentinel1-db", later)]
    assert not features.any()
    assert not there.any()


def test_a_pixel_coarser_than_the_cell_goes_with_any_of_its_cells(places: Places) -> None:
    stack, windows = windows_of(places)  # cells of 20 m: nine share a pixel of 60 m
    window = windows[next(index for index, item in enumerate(stack.modalities) if item.gsd == 60)][0]
    hidden = torch.zeros(1, 16, 16, dtype=torch.bool)
    hidden[0, 7, 7] = True
    left = without_hidden(torch.from_numpy(np.ones_like(window.valid)), window, hidden)
    row, col = int(window.rows[7, 0]), int(window.cols[7, 0])
    assert not left[0, :, row, col].any()
    assert int((~left).sum()) == left.shape[1]


def test_pixels_around_a_hidden_cell_go_with_it_if_asked_even_beyond_the_window(places: Places) -> None:
    _, windows = windows_of(places)
    window = windows[0][0]  # 10 m: 2 x 2 pixels a cell
    hidden = torch.zeros(1, 16, 16, dtype=torch.bool)
    hidden[0, 15, 3] = True  # in the window's last row
    left = without_hidden(torch.from_numpy(np.ones_like(window.valid)), window, hidden, spread=3)
    gone = (~left[0, 0]).nonzero()
    (first, stop), (left_col, right_col) = window.rows[15], window.cols[3]
    assert gone.min(dim=0).values.tolist() == [first - 3, left_col - 3]
    assert gone.max(dim=0).values.tolist() == [stop + 2, right_col + 2]
    assert len(gone) == 8 * 8


def test_dates_are_hidden_apart(places: Places) -> None:
    _, windows = windows_of(places)
    window = windows[0][0]
    valid = torch.from_numpy(np.ones_like(window.valid)).repeat(2, 1, 1, 1)
    hidden = torch.zeros(2, 16, 16, dtype=torch.bool)
    hidden[1] = True
    left = without_hidden(valid, window, hidden)
    assert bool(left[0].all())
    assert int((~left[1]).sum()) == left.shape[1] * 32 * 32
