from __future__ import annotations

from collections import Counter

import torch
from gfm_training.codebook import Codebook, fit_codebook, fit_projection


def test_clusters_that_lie_apart_are_found() -> None:
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


def test_projected_numbers_have_mean_nought_and_deviation_one_and_are_the_same_again() -> None:
    features = 3 + torch.randn((2000, 12), generator=torch.Generator().manual_seed(0)) * torch.arange(1.0, 13)
    projection = fit_projection(features, 5, seed=0)
    found = projection.of(features)
    torch.testing.assert_close(found.mean(dim=0), torch.zeros(5), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.std(dim=0), torch.ones(5), atol=1e-3, rtol=0)
    assert torch.equal(found, fit_projection(features, 5, seed=0).of(features))
    assert not torch.equal(found, fit_projection(features, 5, seed=1).of(features))


def test_features_of_any_unit_count_alike_in_a_projection() -> None:
    features = torch.randn((2000, 6), generator=torch.Generator().manual_seed(0))
    in_other_units = 7 + 1000 * features
    ours, wanted = (fit_projection(one, 4, seed=3).of(one) for one in (in_other_units, features))
    torch.testing.assert_close(ours, wanted, atol=1e-3, rtol=1e-3)


def test_rounding_of_a_constant_feature_decides_nothing() -> None:
    generator = torch.Generator().manual_seed(0)
    told, rounding = torch.randn((500, 1), generator=generator), 2e-6 * torch.randn((500, 1), generator=generator)
    constant, wobbling = torch.cat([told, torch.ones(500, 1)], dim=1), torch.cat([told, 1 + rounding], dim=1)
    ours, wanted = (fit_projection(one, 3, seed=0).of(one) for one in (wobbling, constant))
    torch.testing.assert_close(ours, wanted, atol=0.1, rtol=0)
