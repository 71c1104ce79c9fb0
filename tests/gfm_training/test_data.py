from __future__ import annotations

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from gfm_training.codebook import Books, Codebook, fit_codebook, load_books, save_books
from gfm_training.data import (
    PlaceBatchSampler,
    WindowDataset,
    generator_of,
    make_batch,
    place_weights,
    read_windows,
    survey,
)
from gfm_training.discover import with_cell_pixels
from gfm_training.masking import Layout, draw_hidden
from gfm_training.objective import asked_cells
from gfm_training.run import fit_books
from gfm_training.settings import TrainSettings
from gfm_training.windows import without_hidden

from gfm_core.model.config import ModelConfig
from gfm_core.model.jepa import build_model

if TYPE_CHECKING:
    from pathlib import Path

    from gfm_training.data import Batch, Places

    from gfm_core.raster.read import PixelWindow
    from gfm_core.raster.stack import Stack

SETTINGS = TrainSettings(batch=3, clusters=8, cell_pixels=(2, 3, 6), cell_weights=(1.0, 1.0, 1.0), hide_sensor=0.6)
TINY = ModelConfig("tiny", 32, 2, 2, band_dim=16, predictor_dim=16, predictor_depth=1)


@pytest.fixture(scope="module")
def books(places: Places) -> Books:
    return fit_books(tuple(survey(places, SETTINGS, windows=1)), SETTINGS)


def tensors(batch: Batch) -> list[torch.Tensor]:
    inputs = [*batch.context, *batch.target]
    return [*(item.features for item in inputs), *(item.present for item in inputs), batch.near, batch.wide]


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
    assert all(len({(item.place, item.pixels) for item in batch}) == 1 for batch in batches)
    assert {batch[0].place for batch in batches} == {0, 1}
    assert {batch[0].pixels for batch in batches} == {2, 3, 6}


def test_places_of_one_modality_set_share_their_weight(places: Places) -> None:
    np.testing.assert_allclose(place_weights(places), [0.5, 0.5])


# ---- Hidden means hidden --------------------------------------------------------------------------------------------


def windows_of(places: Places, pixels: int) -> tuple[Stack, list[list[PixelWindow]]]:
    one_size = dataclasses.replace(SETTINGS, cell_pixels=(pixels,), cell_weights=(1.0,))
    queries = PlaceBatchSampler(places, one_size, range(9)).batch(0)
    dataset = places.dataset(queries[0].place, pixels)
    return dataset.stack, read_windows(dataset, dataset.stack, [item.query for item in queries])


def with_rubbish_where_hidden(
    stack: Stack, windows: list[list[PixelWindow]], chance: np.random.Generator
) -> tuple[list[list[PixelWindow]], int]:
    """Other numbers, NaN and infinity in every pixel that `make_batch` will hide with this generator."""
    layouts = [Layout.of(modality) for modality in stack.modalities]
    changed: list[list[PixelWindow]] = [[] for _ in windows]
    count = 0
    for number in range(len(windows[0])):
        hidden = draw_hidden(layouts, 16, SETTINGS, chance)
        for modality, part in enumerate(hidden):
            window = windows[modality][number]
            left = without_hidden(torch.from_numpy(window.valid), window, torch.from_numpy(part)).numpy()
            gone = window.valid & ~left
            pixels = window.pixels.copy()
            pixels[gone] = np.resize(np.array([1e30, np.nan, -5.0, np.inf], np.float32), int(gone.sum()))
            changed[modality].append(dataclasses.replace(window, pixels=pixels))
            count += int(gone.sum())
    return changed, count


@pytest.mark.parametrize("pixels", [2, 3, 6])
@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_written_into_hidden_pixels_the_context_latents_stay_bit_equal(
    places: Places, books: Books, pixels: int, seed: int
) -> None:
    stack, windows = windows_of(places, pixels)
    changed, count = with_rubbish_where_hidden(stack, windows, np.random.default_rng(seed))
    assert count > 1000
    model = build_model(TINY, 0)
    latents = []
    for pixel_windows in (windows, changed):
        batch = make_batch(stack, pixel_windows, SETTINGS, books[places.key(0)], np.random.default_rng(seed))
        with torch.no_grad():
            seen = model.encode_context(batch.context, torch.ones_like(batch.near, dtype=torch.bool))
        assert bool(seen.present.any())
        latents.append(seen)
    assert torch.equal(latents[0].values, latents[1].values)
    assert torch.equal(latents[0].present, latents[1].present)


def test_the_target_does_see_what_is_hidden(places: Places, books: Books) -> None:
    stack, windows = windows_of(places, 2)
    changed, _ = with_rubbish_where_hidden(stack, windows, np.random.default_rng(0))
    one, other = (
        make_batch(stack, part, SETTINGS, books[places.key(0)], np.random.default_rng(0)) for part in (windows, changed)
    )
    assert not torch.equal(one.target[0].features, other.target[0].features)


def test_a_cell_is_asked_for_where_the_context_lost_a_token(places: Places, books: Books) -> None:
    batch = batch_of(places, books, 3)
    asked = asked_cells(batch)
    lost = torch.zeros_like(asked)
    for whole, part in zip(batch.target, batch.context, strict=True):
        for time in range(whole.present.shape[1]):
            lost |= whole.present[:, time].any(-1) & ~part.present[:, time].any(-1)
    assert torch.equal(asked, lost)
    assert 0.2 < float(asked.float().mean()) <= 1.0


def test_a_pixel_coarser_than_the_cell_goes_with_any_of_its_cells(places: Places) -> None:
    stack, windows = windows_of(places, 2)  # cells of 20 m: nine share a pixel of 60 m
    number = next(index for index, item in enumerate(stack.modalities) if item.gsd == 60)
    window = windows[number][0]
    hidden = torch.zeros(1, 16, 16, dtype=torch.bool)
    hidden[0, 7, 7] = True
    left = without_hidden(torch.from_numpy(np.ones_like(window.valid)), window, hidden)
    row, col = int(window.rows[7, 0]), int(window.cols[7, 0])
    assert not left[0, :, row, col].any()
    assert int((~left).sum()) == left.shape[1]


# ---- Codebooks ------------------------------------------------------------------------------------------------------


def test_clusters_that_lie_apart_are_found(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    truth = torch.arange(4).repeat(100)
    places_of_centres = torch.tensor([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0], [9.0, 9.0]])
    features = places_of_centres[truth] + 0.1 * torch.randn((400, 2), generator=generator)
    book = fit_codebook(features, 4, seed=0)
    ids = book.assign(features, torch.ones(400, dtype=torch.bool))
    assert len({(int(a), int(b)) for a, b in zip(truth, ids, strict=True)}) == 4
    assert Counter(ids.tolist()) == {0: 100, 1: 100, 2: 100, 3: 100}


def test_a_cell_without_data_has_no_cluster() -> None:
    book = Codebook(torch.zeros(2), torch.ones(2), torch.zeros(1, 2))
    assert book.assign(torch.zeros(2, 2), torch.tensor([True, False])).tolist() == [0, -1]


def test_codebooks_come_back_from_their_file(tmp_path: Path, books: Books) -> None:
    save_books(tmp_path / "anchors.safetensors", books)
    again = load_books(tmp_path / "anchors.safetensors")
    assert again.keys() == books.keys()
    for key, pair in books.items():
        for one, other in zip(pair, again[key], strict=True):
            assert torch.equal(one.centres, other.centres)
            assert torch.equal(one.sd, other.sd)


def test_generators_of_different_purposes_differ() -> None:
    draws = [generator_of(0, 5, 0, stream).random() for stream in range(3)]
    assert len(set(draws)) == 3


def test_a_time_series_is_cut_to_the_dates_that_are_asked_for(shared_data: Path) -> None:
    from gfm_training.data import Places
    from gfm_training.discover import discover

    settings = TrainSettings(batch=1, dates=2, clusters=4)
    place = Places(discover([shared_data / "languedoc"]).places)
    found = fit_books(
        tuple(survey(place, dataclasses.replace(settings, cell_pixels=(2,), cell_weights=(1.0,)), windows=1)), settings
    )
    batch = WindowDataset(place, settings, found).__getitems__(PlaceBatchSampler(place, settings, range(1)).batch(0))
    assert [item.present.shape[1] for item in batch.target] == [2, 2]
    assert torch.equal(batch.target[0].day_of_year, batch.target[1].day_of_year)


def test_cell_sizes_other_than_the_stacks_own_reach_the_network(places: Places, books: Books) -> None:
    stack = with_cell_pixels(places.places[0].stack, 6)
    assert {item.cell_size for step in range(12) for item in batch_of(places, books, step).context} >= {
        stack.lattice.cell_size, places.places[0].stack.lattice.cell_size,
    }  # fmt: skip
