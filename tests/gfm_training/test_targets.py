from __future__ import annotations

import pytest
import torch
from gfm_training.objective import latent_term
from gfm_training.targets import in_deviations, inverse_root, latent_targets, whitened
from torch.nn import functional

EVERYWHERE = torch.ones(2, 16, 16, dtype=torch.bool)


def some_layers(count: int = 3, dim: int = 8) -> list[torch.Tensor]:
    """Layer-normed latents whose dimensions share most of what they tell."""
    generator = torch.Generator().manual_seed(0)
    shared = torch.randn((2, 16, 16, 2), generator=generator) @ torch.randn((2, dim), generator=generator)
    return [
        functional.layer_norm(shared + 0.3 * torch.randn(shared.shape, generator=generator) + torch.arange(dim), (dim,))
        for _ in range(count)
    ]


def test_the_last_layer_is_told_in_deviations_of_each_dimension() -> None:
    layers = some_layers()
    found = latent_targets(layers, EVERYWHERE, "last")
    last = layers[-1].flatten(0, 2)
    wanted = (last - last.mean(dim=0)) / last.std(dim=0)
    torch.testing.assert_close(found.flatten(0, 2), wanted, atol=1e-5, rtol=1e-5)


def test_no_layer_drowns_the_others() -> None:
    layers = some_layers()
    loud = [100 * layers[0], *layers[1:]]
    torch.testing.assert_close(
        latent_targets(loud, EVERYWHERE, "layers"), latent_targets(layers, EVERYWHERE, "layers"), atol=1e-4, rtol=1e-4
    )
    other = [layers[1], *layers[1:]]
    assert not torch.allclose(
        latent_targets(other, EVERYWHERE, "layers"), latent_targets(layers, EVERYWHERE, "layers"), atol=0.1
    )


def test_whitened_directions_are_asked_for_alike() -> None:
    values = in_deviations(some_layers()[0].flatten(0, 2))
    before, after = (torch.linalg.eigvalsh(torch.cov(one.mT)) for one in (values, whitened(values)))
    assert before.max() / before.median() > 20
    shrinkage = 0.1 * before.mean()
    torch.testing.assert_close(after, before / (before + shrinkage), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("condition", [1.0, 100.0, 10_000.0])
def test_the_inverse_root_is_that_of_the_eigenvalues(condition: float) -> None:
    turn, _ = torch.linalg.qr(torch.randn((32, 32), generator=torch.Generator().manual_seed(1)))
    values = torch.logspace(0, -float(torch.log10(torch.tensor(condition))), 32)
    found = inverse_root((turn * values) @ turn.mT)
    torch.testing.assert_close(found, (turn * values.rsqrt()) @ turn.mT, atol=2e-3 * condition**0.5, rtol=0)


@pytest.mark.parametrize("kind", ["last", "layers"])
def test_absent_cells_neither_count_nor_are_asked(kind: str) -> None:
    layers = some_layers()
    present = EVERYWHERE.clone()
    present[:, :4] = False
    rubbish = [torch.where(present.unsqueeze(-1), layer, torch.nan) for layer in layers]
    found = latent_targets(rubbish, present, kind)
    assert not found[~present].any()
    cut = [layer[:, 4:] for layer in layers]
    torch.testing.assert_close(found[:, 4:], latent_targets(cut, EVERYWHERE[:, 4:], kind), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", ["last", "layers"])
def test_telling_what_all_cells_share_earns_nothing(kind: str) -> None:
    wanted = latent_targets(some_layers(), EVERYWHERE, kind).flatten(0, 2)
    lazy = latent_term(torch.zeros_like(wanted), wanted)
    assert float(lazy.total) / lazy.count > 0.3


@pytest.mark.parametrize("kind", ["last", "layers"])
@pytest.mark.parametrize("cells", [0, 1])
def test_a_batch_of_hardly_a_cell_is_finite(cells: int, kind: str) -> None:
    present = torch.zeros_like(EVERYWHERE)
    present[0, 0, :cells] = True
    assert bool(latent_targets(some_layers(), present, kind).isfinite().all())
