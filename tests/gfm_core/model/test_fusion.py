from __future__ import annotations

import pytest
import torch

from gfm_core.model.config import ModelConfig
from gfm_core.model.fusion import Fusion, FusionLayer


@pytest.fixture
def fusion(tiny_config: ModelConfig) -> Fusion:
    torch.manual_seed(0)
    return Fusion(tiny_config)


def tokens(count: int, dim: int = 32) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(count)
    values = torch.randn(2, 3, 4, count, dim, generator=random)
    present = torch.rand(2, 3, 4, count, generator=random) < 0.7
    present[0, 0, 0] = False
    present[0, 0, 1] = True
    return values * present.unsqueeze(-1), present


def test_layer_is_multi_head_attention_with_one_query(tiny_config: ModelConfig) -> None:
    torch.manual_seed(0)
    layer, dim, heads = FusionLayer(tiny_config), tiny_config.dim, tiny_config.heads
    values, cells = torch.randn(6, 3, dim), torch.randn(6, dim)
    present = torch.ones(6, 3, dtype=torch.bool)
    reference = torch.nn.MultiheadAttention(dim, heads, batch_first=True)
    with torch.no_grad():
        key = layer.key.flatten(0, 1)  # [heads * d, D]
        value = layer.value.permute(0, 2, 1).flatten(0, 1)
        reference.in_proj_weight.copy_(torch.cat([layer.query.weight, key, value]))
        reference.out_proj.weight.copy_(layer.out.weight)
        expected, weights = reference(
            layer.query_norm(cells)[:, None], values, values, average_attn_weights=False, need_weights=True
        )
        expected = cells + expected[:, 0]
        expected = expected + layer.down(torch.nn.functional.gelu(layer.up(layer.mlp_norm(expected))))
        found, found_weights = layer(cells, values, present)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(found_weights, weights[:, :, 0])


def test_absent_tokens_change_nothing_whatever_they_hold(fusion: Fusion) -> None:
    values, present = tokens(3)
    filled = torch.where(present.unsqueeze(-1), values, 1e6)
    torch.testing.assert_close(fusion(filled, present)[0], fusion(values, present)[0], rtol=0, atol=0)


def test_adding_an_absent_modality_changes_nothing(fusion: Fusion) -> None:
    values, present = tokens(2)
    wider = torch.cat([values, torch.zeros(2, 3, 4, 5, 32)], dim=3)
    there = torch.cat([present, torch.zeros(2, 3, 4, 5, dtype=torch.bool)], dim=3)
    torch.testing.assert_close(fusion(wider, there)[0], fusion(values, present)[0])


def test_order_of_tokens_does_not_matter(fusion: Fusion) -> None:
    values, present = tokens(3)
    order = [2, 0, 1]
    torch.testing.assert_close(fusion(values[..., order, :], present[..., order])[0], fusion(values, present)[0])


def test_cell_without_tokens_is_absent_and_zero(fusion: Fusion) -> None:
    cells, there = fusion(*tokens(3))
    assert not there[0, 0, 0]
    assert not cells[0, 0, 0].any()
    assert cells.isfinite().all()


def test_cells_do_not_see_each_other(fusion: Fusion) -> None:
    values, present = tokens(3)
    other = values.clone()
    other[0, 0, 1] += 1
    changed = (fusion(other, present)[0] != fusion(values, present)[0]).any(dim=-1)
    assert changed.nonzero().tolist() == [[0, 0, 1]]


def test_attention_says_which_token_decided_and_sums_to_one(fusion: Fusion) -> None:
    values, present = tokens(3)
    attention = fusion.attention(values, present)
    torch.testing.assert_close(attention.sum(-1), present.any(-1).float())
    assert not attention[~present].any()
