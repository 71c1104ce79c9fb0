"""Augmentation works on statistics; the expected values are the statistics of augmented pixels."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
import torch
from gfm_training.augment import Radiometry, Turn, draw_dates_kept, turned, with_radiometry, without_bands
from gfm_training.settings import TrainSettings

from gfm_core.bands import Band, BandKind
from gfm_core.model.statistics import cell_statistics, derive
from gfm_core.model.tokens import ModalityInput, modality_input

RED, NIR = Band("red", BandKind.OPTICAL, 665.0), Band("nir", BandKind.OPTICAL, 842.0)
HEIGHT, NDVI = Band("height", BandKind.ELEVATION), Band("ndvi", BandKind.INDEX)
CELLS, SIDE, MARGIN = 6, 3, 20  # 3 pixels a cell
EDGES = np.stack([np.arange(CELLS) * SIDE + MARGIN, np.arange(1, CELLS + 1) * SIDE + MARGIN], axis=1)


def made(pixels: torch.Tensor, valid: torch.Tensor, bands: tuple[Band, ...]) -> ModalityInput:
    values, valid, bands = derive(pixels, valid, bands, 10.0)
    inside = torch.ones(pixels.shape[-2:], dtype=torch.bool)
    statistics = cell_statistics(values, valid, inside, EDGES, EDGES, windows=(3, 5, 9, 17))
    return modality_input(statistics, bands, gsd=10.0, cell_size=30.0)


def some_pixels(channels: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    side = CELLS * SIDE + 2 * MARGIN
    pixels = torch.randn((2, channels, side, side), generator=generator)
    valid = torch.rand((2, 1, side, side), generator=generator).expand_as(pixels) > 0.2
    return pixels, valid


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("quarters", range(4))
def test_turned_statistics_are_the_statistics_of_turned_pixels(quarters: int, mirrored: bool) -> None:
    pixels, valid = some_pixels(2)
    turn = Turn(quarters, mirrored)
    bands = (RED, HEIGHT)
    ours = turned(made(pixels, valid, bands), turn)
    wanted = made(turn.of(pixels, 2, 3), turn.of(valid, 2, 3), bands)
    assert torch.equal(ours.present, wanted.present)
    torch.testing.assert_close(ours.features, wanted.features, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("quarters", range(4))
def test_offsets_turn_with_the_ground_they_point_at(quarters: int, mirrored: bool) -> None:
    # A coarse pixel centred at (row 5, col 1): each cell's offset leads there, before and after.
    rows, cols = np.mgrid[0:CELLS, 0:CELLS]
    offset = torch.tensor(np.stack([5 - rows, 1 - cols], axis=-1), dtype=torch.float32)
    mark = torch.zeros(CELLS, CELLS)
    mark[5, 1] = 1
    turn = Turn(quarters, mirrored)
    moved = turn.of_vectors(turn.of(offset, 0, 1))
    row, col = (int(place) for place in torch.nonzero(turn.of(mark, 0, 1))[0])
    wanted = torch.tensor(np.stack([row - rows, col - cols], axis=-1), dtype=torch.float32)
    assert torch.equal(moved, wanted)


def test_changed_radiometry_is_the_statistics_of_changed_pixels() -> None:
    pixels, valid = some_pixels(2)
    change = Radiometry(torch.tensor([1.3, 0.8]), torch.tensor([0.2, -0.4]))
    ours = with_radiometry(made(pixels, valid, (RED, NIR)), change)
    changed = pixels * change.gain[:, None, None] + change.shift[:, None, None]
    wanted = made(changed, valid, (RED, NIR))
    torch.testing.assert_close(ours.features, wanted.features, atol=1e-4, rtol=1e-4)


def test_heights_keep_their_radiometry() -> None:
    change = Radiometry.draw((RED, HEIGHT), 0.1, 0.1, np.random.default_rng(0))
    assert change.gain[1] == 1
    assert change.shift[1] == 0
    assert change.gain[0] != 1


def test_lost_bands_are_absent_and_take_the_index_with_them() -> None:
    pixels, valid = some_pixels(2)
    optical, index = made(pixels, valid, (RED, NIR)), made(pixels[:, :1], valid[:, :1], (NDVI,))
    ours, without = without_bands([optical, index], 1.0, np.random.default_rng(0))
    lost = ~ours.present.flatten(0, 3).any(dim=0)
    assert lost.sum() == 1
    assert not ours.features[..., lost, :].any()
    assert not without.present.any()


def test_no_band_is_lost_at_share_zero() -> None:
    pixels, valid = some_pixels(2)
    optical = made(pixels, valid, (RED, NIR))
    assert without_bands([optical], 0.0, np.random.default_rng(0))[0] is optical


# ---- Dropped as if never there ---------------------------------------------------------------------------------------

JUNE, JULY = datetime.date(2020, 6, 1), datetime.date(2020, 7, 1)
DATES = [(JUNE, JULY), (JULY,), (None, None)]


def kept(seed: int, *, modalities: float = 0.0, dates: float = 0.0) -> list[list[int]]:
    settings = TrainSettings(drop_modalities=modalities, drop_dates=dates)
    return draw_dates_kept(DATES, settings, np.random.default_rng(seed))


def test_nothing_is_dropped_at_share_zero() -> None:
    assert kept(0) == [[0, 1], [0], [0, 1]]


def test_modalities_are_dropped_as_often_as_asked_and_one_is_left() -> None:
    counts = [[bool(times) for times in kept(seed, modalities=0.3)] for seed in range(400)]
    np.testing.assert_allclose(np.mean(counts, axis=0), 0.7, atol=0.08)
    assert all(any(kept(seed, modalities=0.95)) for seed in range(100))


def test_a_dropped_date_goes_from_every_modality_and_one_is_left() -> None:
    found = {str(kept(seed, dates=0.5)) for seed in range(100)}
    assert found == {"[[0, 1], [0], [0, 1]]", "[[1], [0], [0, 1]]", "[[0], [], [0, 1]]"}


def test_the_default_drops_some_modalities_dates_and_bands() -> None:
    settings = TrainSettings()
    assert min(settings.drop_modalities, settings.drop_dates, settings.drop_bands, settings.gain, settings.shift) > 0
    drawn = [draw_dates_kept(DATES, settings, np.random.default_rng(seed)) for seed in range(200)]
    assert sum(not times for one in drawn for times in one) > 20
    assert sum(len(one[0]) == 1 for one in drawn) > 10
