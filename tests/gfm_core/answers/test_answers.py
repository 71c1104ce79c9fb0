"""Similarity, change, clusters, regions and regression on vectors whose answer is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from affine import Affine
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.linear_model import RidgeCV
from sklearn.metrics import adjusted_rand_score, r2_score, root_mean_squared_error

from gfm_core.answers.change import ChangeModel, change_threshold
from gfm_core.answers.clusters import Clusters
from gfm_core.answers.regions import find_regions
from gfm_core.answers.regression import FITS, Goodness, covered, half_width, unseen
from gfm_core.answers.similarity import Likeness, threshold_of
from gfm_core.embedding.space import Vectors
from gfm_core.errors import InputError

KINDS = np.random.default_rng(5).normal(size=(4, 12)) * 2


def vectors(rows: NDArray[Any], known: NDArray[np.bool_] | None = None) -> Vectors:
    """Rows `[n, 12]` as two groups of 8 and 4 columns."""
    values = rows.T.astype(np.float32)
    there = np.ones(len(rows), np.bool_) if known is None else known
    return Vectors({"fine": values[:8].copy(), "network": values[8:].copy()}, {"fine": there, "network": there.copy()})


def scene(n: int = 600, *, noise: float = 1.0, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    chance = np.random.default_rng(seed)
    kinds = chance.integers(0, 4, n)
    return KINDS[kinds] + chance.normal(0, noise, (n, 12)), kinds


# ---- Similarity ------------------------------------------------------------------------------------------------------


def test_places_of_the_kind_of_the_examples_come_first() -> None:
    rows, kinds = scene()
    shown = np.flatnonzero(kinds == 2)[:5]
    found = Likeness.fit(vectors(rows), vectors(rows[shown]), np.arange(5)).of(vectors(rows))
    first = np.argsort(-found)[:100]
    assert (kinds[first] == 2).mean() > 0.98
    assert found.min() >= 0
    assert found.max() <= 100


def test_what_all_columns_share_does_not_decide() -> None:
    """Brightness that moves every column at once drowns a plain cosine, not a whitened one."""
    rows, kinds = scene(noise=0.3)
    bright = np.random.default_rng(1).normal(0, 12, (len(rows), 1))
    rows = rows + bright
    shown = np.flatnonzero(kinds == 1)[:6]
    found = Likeness.fit(vectors(rows), vectors(rows[shown]), np.arange(6)).of(vectors(rows))
    mean = rows[shown].mean(axis=0)
    plain = rows @ mean / np.linalg.norm(rows, axis=1)
    hits = [(kinds[np.argsort(-score)[:100]] == 1).mean() for score in (found, plain)]
    assert hits[0] > hits[1] + 0.2


def test_counter_examples_push_their_kind_down() -> None:
    rows, kinds = scene()
    mixed = np.concatenate([np.flatnonzero(kinds == 0)[:4], np.flatnonzero(kinds == 3)[:2]])
    against = vectors(rows[np.flatnonzero(kinds == 3)[2:8]])
    with_, without = (
        Likeness.fit(vectors(rows), vectors(rows[mixed]), np.arange(6), counter).of(vectors(rows))
        for counter in (against, None)
    )
    assert with_[kinds == 3].mean() < without[kinds == 3].mean() - 5


def test_a_large_polygon_counts_no_more_than_a_small_one() -> None:
    rows, kinds = scene()
    one, many = np.flatnonzero(kinds == 0)[:1], np.flatnonzero(kinds == 1)[:50]
    shown = np.concatenate([one, many])
    units = np.array([0] + [1] * 50)
    found = Likeness.fit(vectors(rows), vectors(rows[shown]), units).of(vectors(rows))
    assert found[kinds == 0].mean() > 0.5 * found[kinds == 1].mean()


def test_four_of_five_examples_reach_the_threshold() -> None:
    rows, kinds = scene()
    shown = np.flatnonzero(kinds == 2)[:10]
    likeness = Likeness.fit(vectors(rows), vectors(rows[shown]), np.arange(10))
    threshold = threshold_of(likeness, vectors(rows), vectors(rows[shown]), np.arange(10))
    found = likeness.of(vectors(rows))
    assert 0.6 <= (found[shown] >= threshold).mean() <= 1
    assert (kinds[found >= threshold] == 2).mean() > 0.9


def test_one_example_alone_takes_the_best_hundredth_of_the_scene() -> None:
    rows, _ = scene(1000)
    likeness = Likeness.fit(vectors(rows), vectors(rows[:1]), np.zeros(1, int))
    threshold = threshold_of(likeness, vectors(rows), vectors(rows[:1]), np.zeros(1, int))
    found = likeness.of(vectors(rows))
    assert (found >= threshold).sum() == pytest.approx(10, abs=3)


def test_where_nothing_is_known_nothing_is_said() -> None:
    rows, _ = scene(50)
    known = np.arange(50) % 5 != 0
    likeness = Likeness.fit(vectors(rows), vectors(rows[:3]), np.arange(3))
    assert np.array_equal(np.isnan(likeness.of(vectors(rows, known))), ~known)


# ---- Change ----------------------------------------------------------------------------------------------------------


def pair(*, changed: float = 0.05) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """A scene and the same under another sun, with other gains, and some of it turned into other kinds."""
    rows, kinds = scene(3000, noise=0.5)
    chance = np.random.default_rng(2)
    moved = chance.random(3000) < changed
    later = np.where(moved, (kinds + 1 + chance.integers(0, 3, 3000)) % 4, kinds)
    after = KINDS[later] * 1.3 + 4 + chance.normal(0, 0.5, rows.shape) + 0.4 * np.roll(KINDS[later], 1, axis=1)
    return rows, after, moved


def test_what_differs_everywhere_is_no_change() -> None:
    before, after, moved = pair()
    model = ChangeModel.fit(vectors(before), vectors(after))
    found = model.magnitude(vectors(before), vectors(after))
    threshold = change_threshold(found)
    told = found >= threshold
    f1 = 2 * (told & moved).sum() / (told.sum() + moved.sum())
    assert f1 > 0.9
    plain = np.linalg.norm(after - before, axis=1)
    best = max(
        2 * ((plain >= at) & moved).sum() / ((plain >= at).sum() + moved.sum())
        for at in np.quantile(plain, np.linspace(0, 1, 200))
    )
    assert f1 > best + 0.1


def test_unchanged_ground_lies_about_zero_with_a_deviation_of_one() -> None:
    before, after, moved = pair(changed=0.02)
    found = ChangeModel.fit(vectors(before), vectors(after)).magnitude(vectors(before), vectors(after))
    calm = found[~moved]
    assert np.median(calm) == pytest.approx(0, abs=0.1)
    assert calm.std() == pytest.approx(1, abs=0.3)


def test_the_same_date_twice_has_not_changed() -> None:
    rows, _ = scene()
    found = ChangeModel.fit(vectors(rows), vectors(rows)).magnitude(vectors(rows), vectors(rows))
    assert np.isfinite(found).all()
    assert (found >= change_threshold(found)).mean() < 0.01


def test_a_date_that_is_not_known_gives_no_number() -> None:
    before, after, _ = pair()
    known = np.arange(len(before)) % 3 != 0
    model = ChangeModel.fit(vectors(before), vectors(after))
    assert np.array_equal(np.isfinite(model.magnitude(vectors(before), vectors(after, known))), known)


@pytest.mark.parametrize("moved", [100, 1000, 4000])
def test_few_of_the_changes_are_unchanged_ground(moved: int) -> None:
    chance = np.random.default_rng(0)
    calm, changed = chance.normal(0, 1, 10_000), chance.normal(6, 1.5, moved)
    found = change_threshold(np.concatenate([calm, changed, [np.nan]]).astype(np.float32))
    false, true = (calm >= found).sum(), (changed >= found).sum()
    assert false / (false + true) < 0.04
    assert true / moved > 0.8


def test_a_scene_without_change_has_none() -> None:
    calm = np.random.default_rng(0).normal(0, 1, 10_000).astype(np.float32)
    assert (calm >= change_threshold(calm)).mean() < 1e-3
    assert np.isfinite(change_threshold(np.full(10, np.nan, np.float32)))
    assert change_threshold(np.zeros(10, np.float32)) > 0


# ---- Clusters --------------------------------------------------------------------------------------------------------


def test_clusters_are_the_kinds_of_a_scene_the_largest_first() -> None:
    rows, kinds = scene(noise=0.4)
    clusters = Clusters.fit(vectors(rows), 4, seed=0)
    found = clusters.of(vectors(rows))
    assert adjusted_rand_score(kinds, found) > 0.97
    sizes = np.bincount(found)[1:]
    assert (np.diff(sizes) <= 0).all()
    assert np.array_equal(found, Clusters.fit(vectors(rows), 4, seed=0).of(vectors(rows)))


def test_cells_without_data_have_no_cluster_and_too_many_clusters_are_refused() -> None:
    rows, _ = scene(40)
    known = np.arange(40) % 2 == 0
    assert np.array_equal(Clusters.fit(vectors(rows), 3).of(vectors(rows, known)) == 0, ~known)
    with pytest.raises(InputError, match="fewer clusters"):
        Clusters.fit(vectors(np.repeat(rows[:2], 20, axis=0)), 3)


# ---- Regions ---------------------------------------------------------------------------------------------------------


def test_regions_are_those_of_scipy_and_their_numbers_too() -> None:
    chance = np.random.default_rng(3)
    mask = ndimage.gaussian_filter(chance.normal(size=(60, 80)), 2) > 0.1
    values = chance.random((60, 80))
    labels, count = ndimage.label(mask)
    found = find_regions(mask.astype(np.uint8), values)
    assert len(found.mean) == count
    assert sorted(found.cells) == sorted(np.bincount(labels.ravel())[1:])
    assert sorted(found.mean) == pytest.approx(sorted(ndimage.mean(values, labels, range(1, count + 1))))
    assert sorted(found.highest) == pytest.approx(sorted(ndimage.maximum(values, labels, range(1, count + 1))))
    large = find_regions(mask.astype(np.uint8), values, least=20)
    assert (large.cells >= 20).all()
    assert len(large.cells) == (np.bincount(labels.ravel())[1:] >= 20).sum()


def test_the_best_regions_come_first_with_their_ground() -> None:
    mask = np.zeros((10, 10), np.uint8)
    mask[1:3, 1:4], mask[6:9, 6:9] = 1, 1
    values = np.where(np.arange(10)[:, None] < 5, 1.0, 7.0) * np.ones((10, 10))
    found = find_regions(mask, values).best(5)
    frame = found.polygons(Affine(20, 0, 400_000, 0, -20, 5_800_000), "EPSG:32633")
    assert found.mean.tolist() == [7.0, 1.0]
    assert frame.geometry.area.tolist() == [9 * 400, 6 * 400]
    assert frame["area_m2"].tolist() == pytest.approx([3600, 2400], rel=2e-3)  # UTM's scale, 0.9996 at its middle
    assert len(find_regions(mask, values).best(1).polygons(Affine.identity(), "EPSG:32633")) == 1


def test_regions_of_different_kinds_do_not_grow_together() -> None:
    codes = np.array([[1, 1, 2], [1, 2, 2]])
    found = find_regions(codes, np.ones((2, 3)))
    assert found.codes.tolist() == [1, 2]
    assert found.cells.tolist() == [3, 3]


# ---- Regression ------------------------------------------------------------------------------------------------------


def numbers(n: int = 400) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.int64]]:
    chance = np.random.default_rng(7)
    rows = chance.normal(size=(n, 10)).astype(np.float32)
    true = rows[:, 0] * 3 - rows[:, 1] + 5 + chance.normal(0, 0.5, n)
    return rows, true, np.arange(n) % 5


def test_ridge_is_that_of_scikit_learn_and_scores_are_its_too() -> None:
    rows, true, folds = numbers()
    peer = RidgeCV(np.logspace(-2, 5, 15)).fit(rows.astype(np.float64), true)
    assert FITS["ridge"](rows, true).of(rows) == pytest.approx(peer.predict(rows), abs=1e-3)
    told = unseen(rows, true, folds, FITS["ridge"])
    found = Goodness.of(told, true)
    assert found.r2 == pytest.approx(r2_score(true, told))
    assert found.rmse == pytest.approx(root_mean_squared_error(true, told))
    assert found.r2 > 0.9


def test_both_is_the_mean_of_ridge_and_forest() -> None:
    rows, true, _ = numbers(60)
    parts = [FITS[name](rows, true).of(rows) for name in ("ridge", "forest")]
    assert FITS["both"](rows, true).of(rows) == pytest.approx(np.mean(parts, axis=0))


@pytest.mark.parametrize("coverage", [0.5, 0.9])
def test_intervals_hold_as_many_new_numbers_as_asked(coverage: float) -> None:
    rows, true, folds = numbers(3000)
    told = unseen(rows[:1500], true[:1500], folds[:1500], FITS["ridge"])
    half = half_width(told, true[:1500], coverage)
    new = FITS["ridge"](rows[:1500], true[:1500]).of(rows[1500:])
    assert (np.abs(new - true[1500:]) <= half).mean() == pytest.approx(coverage, abs=0.06)
    assert covered(told, true[:1500], folds[:1500], coverage) == pytest.approx(coverage, abs=0.06)


def test_a_forest_tells_what_no_line_can() -> None:
    rows, _, folds = numbers()
    true = np.abs(rows[:, 0]).astype(np.float64)
    scores = {name: Goodness.of(unseen(rows, true, folds, FITS[name]), true).r2 for name in ("ridge", "forest")}
    assert scores["forest"] > 0.5
    assert scores["ridge"] < 0.2
