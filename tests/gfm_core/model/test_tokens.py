from __future__ import annotations

import datetime
import math
from collections.abc import Callable

import pytest
import torch

from gfm_core.bands import Band, BandKind
from gfm_core.errors import ShapeError
from gfm_core.model.config import ModelConfig
from gfm_core.model.statistics import CellStatistics
from gfm_core.model.tokens import (
    TOKEN_FEATURES,
    BandWeights,
    ModalityInput,
    Tokeniser,
    batch_inputs,
    modality_input,
    vocabulary_entry,
    wavelength_encoding,
)

RADAR = (Band("VV", BandKind.SAR), Band("VH", BandKind.SAR))
FIRST, LATER = datetime.date(2024, 2, 1), datetime.date(2024, 12, 31)

MakeInput = Callable[..., ModalityInput]


def statistics(bands: int = 2, times: int = 2) -> CellStatistics:
    """Cells 3 x 2 whose numbers say where they come from."""
    patch = torch.arange(times * bands * 6 * 16.0).view(times, bands, 3, 2, 4, 4)
    wide = torch.arange(times * bands * 6 * 7.0).view(times, bands, 3, 2, 7)
    return CellStatistics(patch, 1000 + wide, -1000 - wide, torch.ones(times, bands, 3, 2, dtype=torch.bool))


def test_token_numbers_are_the_patch_then_five_means_then_five_deviations() -> None:
    found = statistics()
    modality = modality_input(found, RADAR, gsd=10, cell_size=20)
    assert modality.features.shape == (1, 2, 3, 2, 2, TOKEN_FEATURES)
    numbers = modality.features[0, 1, 2, 0, 1]
    assert torch.equal(numbers[:16], found.patch[1, 1, 2, 0].flatten())
    assert torch.equal(numbers[16:21], found.mean[1, 1, 2, 0, :5])
    assert torch.equal(numbers[21:], found.sd[1, 1, 2, 0, :5])


def test_dates_become_the_day_of_the_year_and_days_since_the_first_of_the_stack() -> None:
    modality = modality_input(
        statistics(times=3), RADAR, gsd=10, cell_size=20, dates=[FIRST, None, LATER], first_date=FIRST
    )
    assert modality.day_of_year[0].tolist() == pytest.approx([32, math.nan, 366], nan_ok=True)
    assert modality.days_since_first[0].tolist() == pytest.approx([0, math.nan, 334], nan_ok=True)


def test_map_bands_do_not_enter_the_network() -> None:
    bands = (Band("landcover", BandKind.MAP), RADAR[0])
    modality = modality_input(statistics(), bands, gsd=10, cell_size=20)
    assert modality.bands == RADAR[:1]
    assert torch.equal(modality.features[0, 0, 0, 0, 0, :16], statistics().patch[0, 1, 0, 0].flatten())


def test_batch_joins_samples_and_refuses_those_of_another_cell_size() -> None:
    one = modality_input(statistics(), RADAR, gsd=10, cell_size=20)
    assert batch_inputs([one, one, one]).features.shape[0] == 3
    with pytest.raises(ShapeError, match="cell size"):
        batch_inputs([one, modality_input(statistics(), RADAR, gsd=10, cell_size=30)])


def test_features_that_do_not_fit_the_bands_are_refused() -> None:
    with pytest.raises(ShapeError, match="named"):
        modality_input(statistics(bands=1), RADAR, gsd=10, cell_size=20)


def test_wavelengths_turn_at_a_fifth_to_forty_radians_a_micrometre() -> None:
    encoding = wavelength_encoding(torch.tensor([0.5, 10.9]))
    assert encoding.shape == (2, 32)
    assert encoding[0, 0] == pytest.approx(math.sin(0.2 * 0.5), abs=1e-6)
    assert encoding[1, 15] == pytest.approx(math.sin(40 * 10.9), abs=1e-4)
    assert encoding[1, 31] == pytest.approx(math.cos(40 * 10.9), abs=1e-4)


@pytest.mark.parametrize(
    ("band", "entry"),
    [
        (Band("B04", BandKind.OPTICAL, 664.6), None),
        (Band("DN 3", BandKind.OPTICAL), "optical"),
        (Band("B10", BandKind.THERMAL), "thermal"),
        (Band("Sigma0_VH_db", BandKind.SAR), "sar vh"),
        (Band("coherence", BandKind.SAR), "sar"),
        (Band("dem relief", BandKind.ELEVATION), "relief"),
        (Band("dem slope", BandKind.ELEVATION), "slope"),
        (Band("NDVI", BandKind.INDEX), "index"),
        (Band("band 1", BandKind.CUSTOM), "custom"),
    ],
)
def test_bands_without_a_wavelength_have_a_learned_vector(band: Band, entry: str | None) -> None:
    assert vocabulary_entry(band) == entry


def test_bands_of_near_wavelengths_get_similar_weights_and_far_ones_do_not(tiny_config: ModelConfig) -> None:
    torch.manual_seed(0)
    weights = BandWeights(tiny_config)([Band(f"{nm}", BandKind.OPTICAL, nm) for nm in (660, 662, 1610)]).flatten(1)
    near = torch.nn.functional.cosine_similarity(weights[0], weights[1], dim=0)
    far = torch.nn.functional.cosine_similarity(weights[0], weights[2], dim=0)
    assert near > 0.99 > far


def test_custom_bands_of_one_file_are_told_apart(tiny_config: ModelConfig) -> None:
    weights = BandWeights(tiny_config)([Band("a", BandKind.CUSTOM), Band("b", BandKind.CUSTOM)])
    assert not torch.allclose(weights[0], weights[1], atol=0.01)


def test_tokens_follow_the_order_given_one_for_each_date(tiny_config: ModelConfig, make_input: MakeInput) -> None:
    tokeniser = Tokeniser(tiny_config)
    optical, radar = make_input(dates=[FIRST, LATER]), make_input(RADAR, pixels=1)
    tokens, present = tokeniser([optical, radar])
    assert tokens.shape == (1, 4, 5, 3, tiny_config.dim)
    assert present.all()
    swapped, _ = tokeniser([radar, optical])
    assert torch.equal(swapped[..., [1, 2, 0], :], tokens)


def test_token_without_a_band_is_absent_and_zero(tiny_config: ModelConfig, make_input: MakeInput) -> None:
    tokens, present = Tokeniser(tiny_config)([make_input(valid_share=0.0), make_input(RADAR)])
    assert not present[..., 0].any()
    assert not tokens[..., 0, :].any()
    assert present[..., 1].all()


def test_absent_band_is_as_if_it_were_not_in_the_file(tiny_config: ModelConfig, make_input: MakeInput) -> None:
    tokeniser = Tokeniser(tiny_config)
    both = make_input(RADAR)
    both.present[..., 1] = False
    both.features[..., 1, :] = 0
    alone = make_input(RADAR[:1])
    alone.features.copy_(both.features[..., :1, :])
    torch.testing.assert_close(tokeniser([both])[0], tokeniser([alone])[0])


def test_scale_season_and_missing_date_are_seen(tiny_config: ModelConfig, make_input: MakeInput) -> None:
    tokeniser = Tokeniser(tiny_config)
    statistics_ = statistics()
    variants = [
        modality_input(statistics_, RADAR, gsd=10, cell_size=20),
        modality_input(statistics_, RADAR, gsd=5, cell_size=20),
        modality_input(statistics_, RADAR, gsd=10, cell_size=40),
        modality_input(statistics_, RADAR, gsd=10, cell_size=20, dates=[FIRST, FIRST]),
        modality_input(statistics_, RADAR, gsd=10, cell_size=20, dates=[LATER, LATER], first_date=FIRST),
        modality_input(statistics_, RADAR, gsd=10, cell_size=20, offset=[0.3, -0.2]),
    ]
    tokens = [tokeniser([variant])[0] for variant in variants]
    for number, one in enumerate(tokens):
        assert one.isfinite().all()
        assert all(not torch.allclose(one, other, atol=1e-4) for other in tokens[:number])


def test_no_modality_at_all_is_refused(tiny_config: ModelConfig) -> None:
    with pytest.raises(ShapeError, match="at least one modality"):
        Tokeniser(tiny_config)([])
