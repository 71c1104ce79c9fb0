from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp

from gfm_core.errors import LabelError, ShapeError
from gfm_core.heads.classifiers import Linear
from gfm_core.heads.fuse import FusedHead, fit_fused
from tests.gfm_core.heads.conftest import CLASSES, Clouds

MakeClouds = Callable[..., Clouds]


def two_groups(clouds: MakeClouds) -> tuple[dict[str, np.ndarray], np.ndarray]:
    (fine, y), (coarse, _) = clouds(), clouds(features=5, seed=1)
    return {"fine": fine, "coarse": coarse}, y


def power_mean(parts: list[tuple[float, np.ndarray]]) -> np.ndarray:
    """Log of (sum of w p^1/4)^4, normalised: by hand."""
    mean = sum(weight * np.exp(logs) ** 0.25 for weight, logs in parts) ** 4
    return np.log(mean / mean.sum(axis=1, keepdims=True))


def test_probabilities_are_the_weighted_power_mean_of_the_groups(clouds: MakeClouds) -> None:
    features, y = two_groups(clouds)
    head = fit_fused(features, y, CLASSES, "logistic", weights={"fine": 1.0, "coarse": 0.5})
    fine, coarse = (head.heads[group].log_proba(features[group]) for group in ("fine", "coarse"))
    np.testing.assert_allclose(head.log_proba(features), power_mean([(1.0, fine), (0.5, coarse)]), atol=1e-9)
    np.testing.assert_allclose(logsumexp(head.log_proba(features), axis=1), 0.0, atol=1e-12)


def test_a_temperature_flattens_and_changes_no_winner(clouds: MakeClouds) -> None:
    features, y = two_groups(clouds)
    head = fit_fused(features, y, CLASSES, "lda")
    warm = replace(head, temperature=2.0)
    np.testing.assert_allclose(warm.log_proba(features), log_softmax(head.log_proba(features) / 2, axis=1), atol=1e-12)
    np.testing.assert_array_equal(warm.predict(features)[0], head.predict(features)[0])


def test_equal_weights_sum_to_one(clouds: MakeClouds) -> None:
    features, y = two_groups(clouds)
    assert fit_fused(features, y, CLASSES, "lda").weights == {"fine": 0.5, "coarse": 0.5}


def test_an_absent_group_leaves_and_the_other_decides_alone(clouds: MakeClouds) -> None:
    features, y = two_groups(clouds)
    head = fit_fused(features, y, CLASSES, "lda")
    alone = head.heads["fine"].log_proba(features["fine"])
    partly = {**features, "coarse": features["coarse"].copy()}
    partly["coarse"][:30] = np.nan
    np.testing.assert_allclose(head.log_proba(partly)[:30], alone[:30], atol=1e-9)
    np.testing.assert_array_equal(head.log_proba(partly)[30:], head.log_proba(features)[30:])
    np.testing.assert_allclose(head.log_proba({"fine": features["fine"]}), alone, atol=1e-9)


def test_a_row_without_any_group_is_nan_and_has_no_class(clouds: MakeClouds) -> None:
    features, y = two_groups(clouds)
    head = fit_fused(features, y, CLASSES, "lda")
    gone = {group: X.copy() for group, X in features.items()}
    for X in gone.values():
        X[:2] = np.nan
    codes, probability = head.predict(gone)
    assert np.isnan(head.log_proba(gone)[:2]).all()
    assert codes[:2].tolist() == [0, 0]
    assert np.isnan(probability[:2]).all()
    assert set(codes[2:].tolist()) <= {2, 5, 9}
    assert ((probability[2:] > 1 / 3) & (probability[2:] <= 1)).all()


def test_one_group_that_is_certain_cannot_forbid_what_others_see(clouds: MakeClouds) -> None:
    features, y = two_groups(clouds)
    head = fit_fused(features, y, CLASSES, "lda")
    fine = head.heads["fine"]
    assert isinstance(fine.classifier, Linear)
    certain = replace(fine, classifier=Linear(fine.classifier.coefficients * 1000, fine.classifier.intercepts))
    logs = replace(head, heads={**head.heads, "fine": certain}).log_proba(features)
    # By hand: 1e-13 is the least probability that enters the mean.
    coarse = head.heads["coarse"].log_proba(features["coarse"])
    floored = np.maximum(certain.log_proba(features["fine"]), np.log(1e-13))
    np.testing.assert_allclose(logs, power_mean([(0.5, floored), (0.5, coarse)]), atol=1e-9)
    assert certain.log_proba(features["fine"]).min() < np.log(1e-13) - 100


def test_a_group_has_no_opinion_on_classes_it_never_saw(clouds: MakeClouds) -> None:
    features, y = two_groups(clouds)
    features["coarse"][y == 9] = np.nan
    head = fit_fused(features, y, CLASSES, "lda")
    assert head.heads["coarse"].classes.tolist() == [2, 5]
    logs = head.log_proba({"coarse": features["coarse"][:10]})
    assert logs.shape == (10, 3)
    assert np.isfinite(logs).all()
    codes, _ = head.predict({"fine": features["fine"]})
    assert 9 in codes


def test_a_group_without_two_classes_gets_no_head(clouds: MakeClouds) -> None:
    features, y = two_groups(clouds)
    features["coarse"][y != 9] = np.nan
    assert set(fit_fused(features, y, CLASSES, "lda").heads) == {"fine"}
    features["fine"][:] = np.nan
    with pytest.raises(LabelError, match="give labels of at least two classes there"):
        fit_fused(features, y, CLASSES, "lda")


def test_classes_without_samples_are_not_in_the_head(clouds: MakeClouds) -> None:
    features, y = two_groups(clouds)
    kept = y != 5
    head = fit_fused({group: X[kept] for group, X in features.items()}, y[kept], CLASSES[::-1], "lda")
    assert [item.name for item in head.classes] == ["water", "town"]
    with pytest.raises(LabelError, match="class 9, which is none of the map's"):
        fit_fused(features, y, CLASSES[:2], "lda")


def test_wrong_features_are_refused(clouds: MakeClouds) -> None:
    features, y = two_groups(clouds)
    head: FusedHead = fit_fused(features, y, CLASSES, "lda")
    with pytest.raises(ShapeError, match="needs features of fine, coarse; it got network"):
        head.log_proba({"network": features["fine"]})
    with pytest.raises(ShapeError, match="same number of rows"):
        head.log_proba({"fine": features["fine"], "coarse": features["coarse"][:5]})
    with pytest.raises(ShapeError, match="Group fine has 180 rows but there are 179 labels"):
        fit_fused(features, y[1:], CLASSES, "lda")
