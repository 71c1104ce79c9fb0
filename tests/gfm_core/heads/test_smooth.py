from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from gfm_core.heads.smooth import SPREAD, smooth


def scene(height: int = 24, width: int = 20, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(3), (height, width)).transpose(2, 0, 1)
    return probabilities.astype(np.float32), rng.normal(0, 0.5, (4, height, width)).astype(np.float32)


def test_it_is_the_bilateral_mean() -> None:
    probabilities, guide = scene()
    found = smooth(probabilities, guide, 2)
    assert found.shape == (3, 20, 16)
    for row, col in ((0, 0), (7, 3), (19, 15)):
        window = np.s_[:, row : row + 5, col : col + 5]
        apart = ((guide[window] - guide[:, row + 2, col + 2][:, None, None]) ** 2).mean(axis=0)
        weight = np.exp(-apart / (2 * SPREAD**2))
        expected = (probabilities[window] * weight).sum(axis=(1, 2)) / weight.sum()
        np.testing.assert_allclose(found[:, row, col], expected, rtol=1e-5)
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-5)


def test_a_flat_image_gives_the_plain_mean() -> None:
    probabilities, _ = scene()
    found = smooth(probabilities, np.zeros((2, 24, 20), np.float32), 4)
    plain = np.stack([uniform_filter(item, 9)[4:-4, 4:-4] for item in probabilities.astype(float)])
    np.testing.assert_allclose(found, plain, atol=1e-5)


def test_nothing_crosses_an_edge_of_the_image() -> None:
    probabilities = np.zeros((2, 20, 20), np.float32)
    probabilities[0, :, :10] = probabilities[1, :, 10:] = 1
    guide = np.zeros((1, 20, 20), np.float32)
    guide[:, :, 10:] = 5
    np.testing.assert_array_equal(smooth(probabilities, guide, 4), probabilities[:, 4:-4, 4:-4])


def test_gaps_give_nothing_and_stay_gaps() -> None:
    probabilities, guide = scene()
    probabilities[:, 10:14, 8:12] = np.nan
    found = smooth(probabilities, guide, 2)
    assert np.isnan(found[:, 8:12, 6:10]).all()
    assert np.isfinite(found).sum() == found.size - 3 * 16
    # A pixel of which no band is known keeps what it has, and gives it to nobody.
    blind = guide.copy()
    blind[:, 5, 5] = np.nan
    alone = smooth(probabilities, blind, 2)
    np.testing.assert_array_equal(alone[:, 3, 3], probabilities[:, 5, 5])
    without = probabilities.copy()
    without[:, 5, 5] = np.nan
    np.testing.assert_allclose(alone[:, 4, 4], smooth(without, guide, 2)[:, 4, 4], rtol=1e-6)


@pytest.mark.parametrize("radius", [1, 3])
def test_a_piece_comes_out_as_in_the_whole_to_the_bit(radius: int) -> None:
    probabilities, guide = scene(40, 30)
    whole = smooth(probabilities, guide, radius)
    part = np.s_[:, 5:20, 7:22]
    piece = smooth(np.ascontiguousarray(probabilities[part]), np.ascontiguousarray(guide[part]), radius)
    np.testing.assert_array_equal(piece, whole[:, 5 : 20 - 2 * radius, 7 : 22 - 2 * radius])


def test_radius_zero_is_what_was_there() -> None:
    probabilities, guide = scene()
    assert smooth(probabilities, guide, 0) is probabilities
