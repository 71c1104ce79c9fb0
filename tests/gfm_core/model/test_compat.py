from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gfm_core.errors import ParameterError, ShapeError
from gfm_core.model.compat import JepaGfm, JepaOutput, create_jepa_gfm

CONFIG = {
    "img_size": 128,
    "patch_size": 16,
    "embed_dim": 64,
    "encoder_depth": 2,
    "predictor_depth": 2,
    "num_heads": 4,
    "mlp_ratio": 2.0,
    "dropout": 0.1,
}


@pytest.fixture(scope="module")
def model() -> JepaGfm:
    return create_jepa_gfm(CONFIG).eval()


def layers(*sizes: tuple[int, int], bands: int = 2, batch: int = 2) -> list[Tensor]:
    random = torch.Generator().manual_seed(0)
    return [torch.randn(batch, bands + number, *size, generator=random) for number, size in enumerate(sizes)]


@pytest.mark.parametrize("size", [(128, 128), (256, 256), (512, 512), (96, 160), (100, 170), (128, 16)])
def test_latents_of_any_rectangle_have_a_cell_for_each_patch(model: JepaGfm, size: tuple[int, int]) -> None:
    rows, cols = (int(length / 16 + 0.5) for length in size)
    latents = model.encode_geospatial_data(layers(size, batch=1))
    assert latents.shape == (1, rows, cols, 64)
    assert latents.isfinite().all()
    assert model.encode_geospatial_data(layers(size, batch=1), pool=True).shape == (1, 64)


@pytest.mark.parametrize("sizes", [((128, 128), (64, 64)), ((96, 160), (50, 70)), ((128, 128), (5, 3), (90, 200))])
def test_layers_of_different_sizes_lie_over_the_same_ground(model: JepaGfm, sizes: tuple[tuple[int, int], ...]) -> None:
    given = layers(*sizes)
    before = model.encode_geospatial_data(given)
    output = model(given)
    assert before.shape[:3] == output.mask.shape
    given[1][:, :, : max(sizes[1][0] // 8, 1), : max(sizes[1][1] // 8, 1)] += 3
    change = (model.encode_geospatial_data(given) - before).abs().mean(dim=-1)[0]
    assert change[0, 0] > 3 * change[-1, -1] > 0


def test_pooling_is_the_mean_over_cells_with_data(model: JepaGfm) -> None:
    given = layers((64, 64))
    given[0][0, :, :32] = torch.nan
    cells, pooled = model.encode_geospatial_data(given), model.encode_geospatial_data(given, pool=True)
    assert not cells[0, :2].any()
    torch.testing.assert_close(pooled[0], cells[0, 2:].mean(dim=(0, 1)))
    torch.testing.assert_close(pooled[1], cells[1].mean(dim=(0, 1)))


def test_gaps_leave_the_resampled_pixels_around_them_as_they_are(model: JepaGfm) -> None:
    flat = torch.full((1, 2, 100, 170), 1.5)
    gappy = flat.masked_fill(torch.rand(flat.shape, generator=torch.Generator().manual_seed(0)) < 0.1, torch.nan)
    torch.testing.assert_close(
        model.encode_geospatial_data([gappy]), model.encode_geospatial_data([flat]), atol=1e-4, rtol=0
    )


@pytest.mark.parametrize("ratio", [0.75, 0.4])
def test_one_step_names_its_parts(model: JepaGfm, ratio: float) -> None:
    output = model(layers((128, 128), (64, 64)), mask_ratio=ratio)
    assert isinstance(output, JepaOutput)
    count = round(ratio * 64)
    assert output.mask.sum(dim=(1, 2)).tolist() == [count, count]
    assert output.predicted.shape == output.target.shape == (2 * count, 64)
    assert output.loss.ndim == 0
    torch.testing.assert_close(output.loss, torch.nn.functional.smooth_l1_loss(output.predicted, output.target))


def test_loss_gives_gradients_to_context_encoder_and_predictor() -> None:
    model = create_jepa_gfm(CONFIG).train()
    model(layers((64, 96), (32, 48))).loss.backward()
    for part in (model.jepa.context.encoder, model.jepa.context.fusion, model.jepa.predictor):
        assert all(weight.grad is not None and weight.grad.any() for weight in part.parameters())
    assert all(weight.grad is None for weight in model.jepa.target.parameters())


def test_learning_lowers_the_loss_and_moves_the_target() -> None:
    model = create_jepa_gfm({**CONFIG, "dropout": 0.0})
    given, random = layers((64, 64)), torch.Generator()
    optimiser = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad], lr=1e-3)
    losses = []
    for _ in range(12):
        loss = model(given, generator=random.manual_seed(0)).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    before = model.jepa.target.fusion.query.clone()
    model.update_target(0.5)
    assert not torch.equal(model.jepa.target.fusion.query, before)


def test_hidden_pixels_do_not_reach_the_prediction(model: JepaGfm) -> None:
    given, random = layers((128, 128), (64, 64)), torch.Generator()
    first = model(given, generator=random.manual_seed(4))
    for layer in given:
        scale = layer.shape[-1] // 8
        layer[first.mask.repeat_interleave(scale, 1).repeat_interleave(scale, 2)[:, None].expand_as(layer)] = 50.0
    second = model(given, generator=random.manual_seed(4))
    assert torch.equal(first.mask, second.mask)
    assert torch.equal(first.predicted, second.predicted)
    assert not torch.equal(first.target, second.target)


def test_defaults_fill_missing_keys_and_unknown_ones_are_named() -> None:
    assert create_jepa_gfm({"embed_dim": 64}).jepa.config.depth == 4
    with pytest.raises(ParameterError, match="embed_dims"):
        create_jepa_gfm({"embed_dims": 64})
    with pytest.raises(ParameterError, match="heads"):
        create_jepa_gfm({"embed_dim": 64, "num_heads": 3})


@pytest.mark.parametrize("ratio", [0.0, 1.0, -0.5])
def test_mask_ratio_outside_its_range_is_refused(model: JepaGfm, ratio: float) -> None:
    with pytest.raises(ParameterError, match="mask_ratio"):
        model(layers((64, 64)), mask_ratio=ratio)


def test_layers_that_do_not_fit_are_refused(model: JepaGfm) -> None:
    with pytest.raises(ShapeError, match="B, C, H, W"):
        model.encode_geospatial_data([torch.zeros(3, 64, 64)])
    with pytest.raises(ShapeError, match="batch"):
        model.encode_geospatial_data([torch.zeros(2, 1, 64, 64), torch.zeros(3, 1, 64, 64)])
    with pytest.raises(ShapeError, match="single cell"):
        model([torch.zeros(1, 1, 16, 16)])
