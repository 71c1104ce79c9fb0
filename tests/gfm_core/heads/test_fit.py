from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from gfm_core.classes import MapClass
from gfm_core.errors import LabelError, ParameterError, ShapeError
from gfm_core.features.scaler import Scaler
from gfm_core.heads.classifiers import FLOOR, thinned
from gfm_core.heads.fit import KINDS, fit_head
from gfm_core.heads.fuse import fit_fused
from gfm_core.progress import Cancelled, Reporter
from tests.gfm_core.heads.conftest import Clouds

MakeClouds = Callable[..., Clouds]


def reference(kind: str) -> object:
    """What scikit-learn calls the same classifier."""
    return {
        "lda": LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
        "logistic": LogisticRegression(C=0.1, max_iter=500, random_state=0),
        "forest": ExtraTreesClassifier(300, random_state=0),
        "knn": KNeighborsClassifier(5, weights="distance", algorithm="brute"),
    }[kind]


@pytest.mark.parametrize("codes", [(2, 5, 9), (2, 5)])
@pytest.mark.parametrize("kind", KINDS)
def test_probabilities_are_those_of_scikit_learn(clouds: MakeClouds, kind: str, codes: tuple[int, ...]) -> None:
    X, y = clouds(codes=codes)
    head = fit_head(X, y, kind)
    seen = (X - X.mean(axis=0, dtype=np.float64)) / X.std(axis=0, dtype=np.float64)
    other, _ = clouds(codes=codes, seed=1)
    asked = (other - X.mean(axis=0, dtype=np.float64)) / X.std(axis=0, dtype=np.float64)
    assert abs(asked).max() < 6
    estimator = reference(kind)
    estimator.fit(seen.astype(np.float32), y)  # type: ignore[attr-defined]
    expected = estimator.predict_proba(asked.astype(np.float32))  # type: ignore[attr-defined]
    assert head.classes.tolist() == list(codes)
    # The logistic optimiser stops within its own tolerance.
    np.testing.assert_allclose(np.exp(head.log_proba(other)), expected, atol=1e-3 if kind == "logistic" else 2e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_gets_the_same_bits_in_any_company(clouds: MakeClouds, kind: str) -> None:
    X, y = clouds()
    head = fit_head(X, y, kind)
    whole = head.log_proba(X)
    np.testing.assert_array_equal(head.log_proba(X[17:18]), whole[17:18])
    np.testing.assert_array_equal(head.log_proba(np.concatenate([X[100:], X[:100]])), np.roll(whole, -100, axis=0))


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_head(clouds: MakeClouds, kind: str) -> None:
    X, y = clouds()
    np.testing.assert_array_equal(fit_head(X, y, kind, seed=4).log_proba(X), fit_head(X, y, kind, seed=4).log_proba(X))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "case", ["one sample of a class", "more columns than samples", "constant columns", "two samples"]
)
def test_poor_samples_still_give_a_head(clouds: MakeClouds, kind: str, case: str) -> None:
    X, y = clouds(n=10, features=60 if case == "more columns than samples" else 8)
    if case == "one sample of a class":
        X, y = X[:21], y[:21]
    elif case == "constant columns":
        X[:, 2:5] = 0.1
    elif case == "two samples":
        X, y = X[9:11], y[9:11]
    logs = fit_head(X, y, kind).log_proba(X)
    assert np.isfinite(logs).all()
    np.testing.assert_allclose(np.exp(logs).sum(axis=1), 1.0, atol=1e-9)
    assert (logs >= np.log(FLOOR)).all() or kind in ("lda", "logistic")


def test_rows_without_a_known_column_are_left_out_and_get_nan(clouds: MakeClouds) -> None:
    X, y = clouds()
    expected = fit_head(X[3:], y[3:], "lda").log_proba(X[3:])
    X[0], X[1], X[2] = np.nan, np.inf, np.nan
    logs = fit_head(X, y, "lda").log_proba(X)
    assert np.isnan(logs[:3]).all()
    np.testing.assert_array_equal(logs[3:], expected)


def test_a_column_that_is_not_known_in_a_row_counts_as_its_mean(clouds: MakeClouds) -> None:
    X, y = clouds()
    head = fit_head(X, y, "lda")
    filled, gaps = X[:5].copy(), X[:5].copy()
    filled[:, 2], gaps[:, 2] = head.scaler.mean[2], np.nan
    np.testing.assert_allclose(head.log_proba(gaps), head.log_proba(filled), atol=1e-5)


def test_the_scaler_leaves_gaps_out_of_mean_and_deviation() -> None:
    X = np.array([[1.0, np.nan], [3.0, 4.0], [np.nan, 8.0]])
    scaler = Scaler.fit(X)
    np.testing.assert_allclose(scaler.mean, np.nanmean(X, axis=0))
    np.testing.assert_allclose(scaler.sd, np.nanstd(X, axis=0))


def test_features_are_clipped_at_six_standard_deviations() -> None:
    scaler = Scaler.fit(np.array([[-1.0], [1.0]]))
    np.testing.assert_array_equal(scaler.apply(np.array([[2.0], [100.0], [-7.0]])), [[2.0], [6.0], [-6.0]])


def test_a_constant_column_is_scaled_to_zero_despite_rounding() -> None:
    X = np.full((1001, 1), 0.1, np.float32)
    assert Scaler.fit(X).sd[0] == 1.0
    np.testing.assert_allclose(Scaler.fit(X).apply(X), 0.0, atol=1e-6)


def test_forests_and_neighbours_see_a_bounded_fair_sample() -> None:
    numbers = np.repeat([0, 1, 2], [10_000, 200, 5])
    chosen = thinned(numbers, seed=0)
    assert np.bincount(numbers[chosen]).tolist() == [300, 200, 5]
    assert abs(chosen[:300].mean() - 5000) < 4 * 10_000 / 12**0.5 / 300**0.5


def test_a_forest_of_many_classes_stays_small() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(1, 301), 4)
    X = rng.normal(size=(1200, 6)) + y[:, None]
    head = fit_head(X, y, "forest")
    assert (np.diff(head.classifier.nodes["starts"]) * 8 * 300).sum() < 600e6  # type: ignore[attr-defined]
    assert (head.classes[head.log_proba(X).argmax(axis=1)] == y).mean() > 0.5
    with pytest.raises(LabelError, match="room for 1000 classes, not 1001; use head lda"):
        fit_head(rng.normal(size=(1001, 2)), np.arange(1001), "forest")


def test_what_cannot_be_fitted_is_refused(clouds: MakeClouds) -> None:
    X, y = clouds()
    with pytest.raises(ParameterError, match="head cannot be 'svm'; use lda, logistic, forest, knn"):
        fit_head(X, y, "svm")
    with pytest.raises(LabelError, match="The labels have 1 class where"):
        fit_head(X, np.full(len(X), 3), "lda")
    with pytest.raises(ShapeError, match="fitted on 8 columns"):
        fit_head(X, y, "lda").log_proba(X[:, :5])


def test_thresholds_are_rounded_down_so_that_no_float32_changes_side() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat([1, 2], 200)
    X = rng.normal(size=(400, 3)) + y[:, None]
    nodes = fit_head(X, y, "forest").classifier.nodes  # type: ignore[attr-defined]
    scaler = Scaler.fit(X)
    trees = ExtraTreesClassifier(300, random_state=0).fit(scaler.apply(X), y - 1).estimators_
    exact = np.concatenate([tree.tree_.threshold for tree in trees])
    single = nodes["threshold"]
    assert single.dtype == np.float32
    assert (single <= exact).all()
    assert (np.nextafter(single, np.float32(np.inf)) > exact).all()


@pytest.mark.parametrize("kind", KINDS)
def test_fitting_and_predicting_can_be_stopped_on_the_way(clouds: MakeClouds, kind: str) -> None:
    X, y = clouds(codes=(2, 5, 9))
    classes = tuple(MapClass(code, str(code), code) for code in (2, 5, 9))
    asked = iter([False] * 1 + [True] * 10_000)
    with Reporter(cancel=lambda: next(asked)).listening(), pytest.raises(Cancelled):
        for _ in range(2):
            fit_fused({"fine": X}, y, classes, kind)
