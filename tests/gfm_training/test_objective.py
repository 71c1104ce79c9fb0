from __future__ import annotations

import math

import pytest
import torch
from gfm_training.codebook import Codebook
from gfm_training.data import Batch
from gfm_training.objective import AnchorHeads, Objective, Scale, latent_loss, share_of_chance

from gfm_core.bands import Band, BandKind
from gfm_core.model.config import ModelConfig
from gfm_core.model.jepa import build_model
from gfm_core.model.tokens import TOKEN_FEATURES, ModalityInput

TINY = ModelConfig("tiny", 32, 1, 2, band_dim=16, predictor_dim=16, predictor_depth=1)
BOOK = Codebook(torch.zeros(1), torch.ones(1), torch.arange(5.0).unsqueeze(1))


def random_batch(*, hidden: float = 0.5) -> Batch:
    generator = torch.Generator().manual_seed(0)
    shape = (2, 1, 6, 6, 2)
    features = torch.randn((*shape, TOKEN_FEATURES), generator=generator)
    lost = torch.rand((2, 1, 6, 6, 1), generator=generator) < hidden
    present = torch.ones(shape, dtype=torch.bool)

    def made(there: torch.Tensor) -> ModalityInput:
        return ModalityInput(
            features * there.unsqueeze(-1), there, (Band("red", BandKind.OPTICAL, 665.0), Band("vv", BandKind.SAR)),
            10.0, 20.0, torch.full((2, 1), math.nan), torch.full((2, 1), math.nan), torch.zeros(2, 6, 6, 2),
        )  # fmt: skip

    ids = torch.randint(0, 5, (2, 6, 6), generator=generator)
    return Batch(0, "place", "set", [made(present & ~lost)], [made(present)], ids, ids)


def objective(kind: str = "dual") -> Objective:
    torch.manual_seed(0)
    heads = AnchorHeads(TINY.dim, {"set": (BOOK, BOOK)})
    return Objective(build_model(TINY, 0), heads, kind=kind, ema_weight=0.25)


def test_an_even_guess_costs_one_and_a_sure_one_nothing() -> None:
    ids = torch.tensor([0, 3, -1])
    assert float(share_of_chance(torch.zeros(3, 7), ids)) == pytest.approx(1.0)
    sure = 100.0 * torch.nn.functional.one_hot(torch.tensor([0, 3, 0]), 7)
    assert float(share_of_chance(sure, ids)) == pytest.approx(0.0, abs=1e-6)


def test_the_latent_loss_is_the_textbook_smooth_l1() -> None:
    predicted, target = torch.tensor([[0.0, 0.0]]), torch.tensor([[0.2, 2.0]])
    wanted = (0.5 * 0.2**2 / 0.5 + (2.0 - 0.25)) / 2  # beta 0.5: square below it, straight above
    assert float(latent_loss(predicted, target)) == pytest.approx(wanted)


def test_dual_weighs_both_parts() -> None:
    loss = objective()(random_batch())
    anchor = (loss.anchor_hidden + loss.anchor_seen) / 2
    assert float(loss.total.detach()) == pytest.approx(float(0.25 * loss.ema + 0.75 * anchor), rel=1e-5)


@pytest.mark.parametrize(("kind", "heads_learn"), [("ema", False), ("anchor", True), ("dual", True)])
def test_gradients_reach_what_the_objective_trains_and_never_the_target(kind: str, heads_learn: bool) -> None:
    one = objective(kind)
    one(random_batch()).total.backward()
    assert all(weight.grad is None for weight in one.model.target.parameters())
    assert any(weight.grad is not None and weight.grad.any() for weight in one.model.context.parameters())
    assert any(weight.grad is not None and bool(weight.grad.any()) for weight in one.heads.parameters()) == heads_learn


@pytest.mark.parametrize("hidden", [0.0, 1.1])
def test_nothing_hidden_or_nothing_seen_still_gives_a_finite_loss(hidden: float) -> None:
    one = objective()
    loss = one(random_batch(hidden=hidden)).total
    loss.backward()
    assert bool(loss.isfinite())


def test_the_loss_is_float32_under_autocast() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = objective()(random_batch())
    assert loss.total.dtype is torch.float32
    assert loss.ema.dtype is torch.float32


def test_a_perfect_prediction_of_the_target_has_no_latent_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    one, batch = objective("ema"), random_batch()
    target = one.model.encode_target(batch.target).values
    target = (target - target.mean(dim=(0, 1, 2))) / target.std(dim=(0, 1, 2))
    monkeypatch.setattr(one.model, "predict", lambda latents, visible, targets: target)
    assert float(one(batch).ema) == pytest.approx(0.0, abs=1e-6)


def test_a_scale_leads_to_standard_latents_and_back() -> None:
    latents = torch.nn.functional.layer_norm(3 * torch.randn(500, 8) + torch.arange(8.0), (8,))
    scale = Scale.of(latents)
    standard = scale.standard(latents)
    torch.testing.assert_close(standard.mean(dim=0), torch.zeros(8), atol=1e-5, rtol=0)
    torch.testing.assert_close(standard.std(dim=0), torch.ones(8), atol=1e-5, rtol=0)
    torch.testing.assert_close(scale.latents(standard), latents, atol=1e-3, rtol=1e-3)


def test_predicting_what_all_cells_share_earns_nothing() -> None:
    latents = torch.randn(500, 8) * 0.3 + torch.arange(8.0)
    wanted = Scale.of(latents).standard(latents)
    lazy = latent_loss(torch.zeros_like(wanted), wanted)  # the mean of all cells, everywhere
    assert float(lazy) > 0.5
