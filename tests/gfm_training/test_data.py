from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from gfm_training.anchors import Books, fit_books
from gfm_training.data import PlaceBatchSampler, WindowDataset, generator_of, place_weights, survey
from gfm_training.discover import with_cell_pixels
from gfm_training.settings import TrainSettings

if TYPE_CHECKING:
    from pathlib import Path

    from gfm_training.batch import Batch
    from gfm_training.data import Places

SETTINGS = TrainSettings(
    batch=3, clusters=8, cell_pixels=(2, 3, 6), cell_weights=(1.0, 1.0, 1.0), hide_sensor=0.6, drop_modalities=0.0
)


@pytest.fixture(scope="module")
def books(places: Places) -> Books:
    return fit_books([(item.key, item.facts) for item in survey(places, SETTINGS, windows=1)], SETTINGS)


def tensors(batch: Batch) -> list[torch.Tensor]:
    inputs = [*batch.context, *batch.target]
    answers = batch.answers
    return [
        *(item.features for item in inputs), *(item.present for item in inputs), answers.near, answers.wide,
        answers.projection, answers.other,
    ]  # fmt: skip


def batch_of(places: Places, books: Books, step: int) -> Batch:
    queries = PlaceBatchSampler(places, SETTINGS, range(100)).batch(step)
    return WindowDataset(places, SETTINGS, books).__getitems__(queries)


# ---- Draws ----------------------------------------------------------------------------------------------------------


def test_a_step_is_the_same_whatever_came_before(places: Places, books: Books) -> None:
    torch.manual_seed(1)
    first = tensors(batch_of(places, books, 7))
    torch.rand(100)
    again = tensors(batch_of(places, books, 7))
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))


def test_steps_ranks_and_seeds_differ(places: Places) -> None:
    def queries(seed: int = 0, step: int = 0, rank: int = 0) -> list[Any]:
        settings = dataclasses.replace(SETTINGS, seed=seed)
        return [item.query[:2] for item in PlaceBatchSampler(places, settings, range(9), rank=rank).batch(step)]

    drawn = [queries(), queries(seed=1), queries(step=1), queries(rank=1)]
    assert len({str(one) for one in drawn}) == 4


def test_a_batch_is_one_place_at_one_cell_size_and_all_are_drawn(places: Places) -> None:
    batches = list(PlaceBatchSampler(places, SETTINGS, range(60)))
    assert all(len({item.pixels for item in batch}) == 1 for batch in batches)
    # In cells of 6 px a place has room for one window only, and is joined by the other one.
    assert {(batch[0].pixels, len({item.place for item in batch})) for batch in batches} == {(2, 1), (3, 1), (6, 2)}
    assert {batch[0].place for batch in batches} == {0, 1}
    assert {batch[0].pixels for batch in batches} == {2, 3, 6}


def test_places_of_one_modality_set_share_their_weight(places: Places) -> None:
    np.testing.assert_allclose(place_weights(places), [0.5, 0.5])


def test_generators_of_different_purposes_differ() -> None:
    draws = [generator_of(0, 5, 0, stream).random() for stream in range(3)]
    assert len(set(draws)) == 3


def test_a_time_series_is_cut_to_the_dates_that_are_asked_for(shared_data: Path) -> None:
    from gfm_training.data import Places
    from gfm_training.discover import discover

    settings = TrainSettings(
        batch=1, dates=2, clusters=4, cell_pixels=(2,), cell_weights=(1.0,), drop_dates=0.0, drop_modalities=0.0
    )
    place = Places(discover([shared_data / "languedoc"]).places)
    found = fit_books([(item.key, item.facts) for item in survey(place, settings, windows=1)], settings)
    batch = WindowDataset(place, settings, found).__getitems__(PlaceBatchSampler(place, settings, range(1)).batch(0))
    assert [item.present.shape[1] for item in batch.target] == [2, 2]
    assert torch.equal(batch.target[0].day_of_year, batch.target[1].day_of_year)


def test_cell_sizes_other_than_the_stacks_own_reach_the_network(places: Places, books: Books) -> None:
    stack = with_cell_pixels(places.places[0].stack, 6)
    assert {item.cell_size for step in range(12) for item in batch_of(places, books, step).context} >= {
        stack.lattice.cell_size, places.places[0].stack.lattice.cell_size,
    }  # fmt: skip
