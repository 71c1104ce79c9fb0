from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from gfm_core.bands import Band, BandKind
from gfm_core.errors import ParameterError
from gfm_core.model.config import SIZES, ModelConfig
from gfm_core.model.jepa import JepaModel, build_model, parameter_counts
from gfm_core.model.statistics import cell_statistics, derive, hide
from gfm_core.model.tokens import ModalityInput, modality_input
from tests.conftest import REPOSITORY

BANDS = (Band("B04", BandKind.OPTICAL, 664.6), Band("dem", BandKind.ELEVATION))

MakeInput = Callable[..., ModalityInput]


def hidden_cells() -> torch.Tensor:
    hidden = torch.zeros(4, 5, dtype=torch.bool)
    hidden[1:3, 1:4] = True
    return hidden


def context_inputs(pixels: torch.Tensor, hidden: torch.Tensor) -> list[ModalityInput]:
    """What the context encoder sees of `pixels` `[1, 2, 12, 15]`: hidden first, derived and summed afterwards."""
    rows = np.stack([np.arange(4) * 3, np.arange(4) * 3 + 3], axis=1)
    cols = np.stack([np.arange(5) * 3, np.arange(5) * 3 + 3], axis=1)
    valid = hide(torch.ones_like(pixels, dtype=torch.bool), rows, cols, hidden)
    derived, mask, bands = derive(pixels, valid, BANDS, gsd=10)
    inside = torch.ones(12, 15, dtype=torch.bool)
    statistics = cell_statistics(derived, mask, inside, rows, cols)
    return [modality_input(statistics, bands, gsd=10, cell_size=30)]


def test_context_latents_are_bit_equal_whatever_is_written_in_hidden_pixels(tiny_model: JepaModel) -> None:
    hidden = hidden_cells()
    pixels = torch.randn(1, 2, 12, 15)
    under = hidden.repeat_interleave(3, 0).repeat_interleave(3, 1)
    clean = tiny_model.encode_context(context_inputs(pixels, hidden), ~hidden[None])
    for other in (torch.nan, 1e30, -9999.0):
        written = torch.where(under, other, pixels)
        latents = tiny_model.encode_context(context_inputs(written, hidden), ~hidden[None])
        assert torch.equal(latents.values, clean.values)
    assert torch.equal(clean.present[0], ~hidden)
    assert not clean.values[0][hidden].any()


def test_context_without_hiding_would_see_the_hidden_pixels(tiny_model: JepaModel) -> None:
    hidden, nothing = hidden_cells(), torch.zeros(4, 5, dtype=torch.bool)
    pixels = torch.randn(1, 2, 12, 15)
    under = hidden.repeat_interleave(3, 0).repeat_interleave(3, 1)
    latents = [
        tiny_model.encode_context(context_inputs(values, nothing), ~hidden[None]).values
        for values in (pixels, torch.where(under, 5.0, pixels))
    ]
    assert not torch.equal(*latents)  # through the statistics of their neighbours


def test_cells_that_are_not_visible_are_not_attended_to(tiny_model: JepaModel, make_input: MakeInput) -> None:
    hidden = hidden_cells()[None]
    inputs = make_input()
    before = tiny_model.encode_context([inputs], ~hidden)
    inputs.features[hidden.unsqueeze(1)] += 1
    after = tiny_model.encode_context([inputs], ~hidden)
    assert torch.equal(after.values, before.values)
    assert torch.equal(after.present, ~hidden)


def test_prediction_is_made_at_targets_only_and_from_visible_cells_only(
    tiny_model: JepaModel, make_input: MakeInput
) -> None:
    hidden = hidden_cells()[None]
    latents = tiny_model.encode_context([make_input()], ~hidden).values
    targets = hidden.clone()
    targets[0, 1, 1] = False  # neither visible nor asked for
    predicted = tiny_model.predict(latents, ~hidden, targets)
    assert predicted.shape == latents.shape
    assert not predicted[~targets].any()
    assert predicted[targets].any(dim=-1).all()
    noisy = torch.where(hidden.unsqueeze(-1), 100.0, latents)
    assert torch.equal(tiny_model.predict(noisy, ~hidden, targets), predicted)
    moved = tiny_model.predict(latents + (~hidden).unsqueeze(-1) * torch.randn(32), ~hidden, targets)
    assert not torch.allclose(moved, predicted, atol=1e-4)


def test_predictions_at_two_cells_differ_by_position(tiny_model: JepaModel, make_input: MakeInput) -> None:
    hidden = hidden_cells()[None]
    predicted = tiny_model.predict(tiny_model.encode_context([make_input()], ~hidden).values, ~hidden, hidden)
    assert not torch.allclose(predicted[0, 1, 1], predicted[0, 2, 3], atol=1e-5)


def test_loss_reaches_every_weight_of_context_and_predictor_and_none_of_the_target(
    tiny_model: JepaModel, make_input: MakeInput
) -> None:
    hidden = hidden_cells()[None]
    inputs = [make_input(), make_input((Band("VV", BandKind.SAR), Band("index", BandKind.INDEX)))]
    seen = tiny_model.train().encode_context(inputs, ~hidden)
    predicted = tiny_model.predict(seen.values, seen.present, hidden)
    target = tiny_model.encode_target(inputs)
    (predicted - target.values)[hidden].square().mean().backward()
    unused = {name for name, weight in tiny_model.context.named_parameters() if weight.grad is None}
    assert unused <= {"tokeniser.bands.slot.weight"}  # no two bands of one kind here
    assert all(weight.grad is not None for weight in tiny_model.predictor.parameters())
    assert all(weight.grad is None for weight in tiny_model.target.parameters())


def test_target_starts_as_the_context_and_moves_by_one_minus_momentum(
    tiny_model: JepaModel, make_input: MakeInput
) -> None:
    everything = torch.ones(1, 4, 5, dtype=torch.bool)
    torch.testing.assert_close(
        tiny_model.encode_target([make_input()]).values, tiny_model.encode_context([make_input()], everything).values
    )
    before = [weight.clone() for weight in tiny_model.target.parameters()]
    with torch.no_grad():
        for weight in tiny_model.context.parameters():
            weight.add_(1.0)
    tiny_model.update_target(0.75)
    for old, new in zip(before, tiny_model.target.parameters(), strict=True):
        torch.testing.assert_close(new, old + 0.25, rtol=0, atol=1e-5)


def test_target_stays_in_eval_mode_when_training(tiny_model: JepaModel) -> None:
    assert tiny_model.train().context.training
    assert not tiny_model.target.training


def test_momentum_outside_its_range_is_refused(tiny_model: JepaModel) -> None:
    with pytest.raises(ParameterError, match="momentum"):
        tiny_model.update_target(1.5)


def test_seed_decides_every_weight_and_leaves_the_global_generator_alone(tiny_config: ModelConfig) -> None:
    torch.manual_seed(3)
    first = build_model(tiny_config, seed=5).state_dict()
    after = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(torch.rand(1), after)
    second, other = build_model(tiny_config, seed=5).state_dict(), build_model(tiny_config, seed=6).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not torch.equal(first["context.fusion.query"], other["context.fusion.query"])


def test_the_table_of_sizes_in_the_docs_is_what_the_networks_hold() -> None:
    text = (REPOSITORY / "docs/how-it-works.md").read_text(encoding="utf-8")
    for name, config in SIZES.items():
        counts = parameter_counts(config)
        order = ("tokeniser", "fusion", "encoder", "embeds", "predictor", "trains")
        row = f"| {name} | {config.dim} x {config.depth} | " + " | ".join(f"{counts[part]:,}" for part in order) + " |"
        assert row in text


def test_parameters_are_counted_as_the_network_has_them() -> None:
    model = build_model(SIZES["nano"])
    counts = parameter_counts(SIZES["nano"])
    assert counts["embeds"] == sum(weight.numel() for weight in model.context.parameters())
    assert counts["predictor"] == sum(weight.numel() for weight in model.predictor.parameters())
