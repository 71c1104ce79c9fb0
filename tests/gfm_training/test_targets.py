from __future__ import annotations

import pytest
import torch
from gfm_training.objective import latent_term
from gfm_training.targets import LatentTargets, inverse_root, latent_targets
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
    wanted = (last - last.mean(dim=0)) / last.std(dim=0, correction=0)
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
    layers = some_layers(1)
    plain, white = (latent_targets(layers, EVERYWHERE, kind).flatten(0, 2) for kind in ("last", "layers"))
    before, after = (torch.linalg.eigvalsh(one.mT @ one / len(one)) for one in (plain, white))
    assert before.max() / before.median() > 20
    shrinkage = 0.1 * before.mean()
    torch.testing.assert_close(after, before / (before + shrinkage), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("kind", ["last", "layers"])
def test_moments_are_those_of_all_steps_so_that_no_place_turns_the_targets(kind: str) -> None:
    """Two places that differ by a shift only: what differs between them is asked for, too."""
    here = some_layers()
    there = [layer + 3 for layer in here]
    targets = LatentTargets(kind, 1 if kind == "last" else 3, 8, decay=1.0)
    for layers in (here, there, here, there):
        targets(layers, EVERYWHERE)
    targets.eval()
    one, other = targets(here, EVERYWHERE), targets(there, EVERYWHERE)
    assert float((other - one).mean()) > 0.5
    assert torch.equal(one, targets(here, EVERYWHERE))  # learns nothing any more
    joined = [torch.cat(pair) for pair in zip(here, there, strict=True)]
    both = latent_targets(joined, torch.cat([EVERYWHERE] * 2), kind)
    if kind == "last":
        torch.testing.assert_close(torch.cat([one, other]), both, atol=1e-4, rtol=1e-4)


def test_old_steps_are_forgotten() -> None:
    here, there = some_layers(), [layer + 3 for layer in some_layers()]
    targets = LatentTargets("last", 1, 8, decay=0.5)
    targets(there, EVERYWHERE)
    for _ in range(20):
        targets(here, EVERYWHERE)
    torch.testing.assert_close(
        targets(here, EVERYWHERE), latent_targets(here, EVERYWHERE, "last"), atol=1e-3, rtol=1e-3
    )


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
