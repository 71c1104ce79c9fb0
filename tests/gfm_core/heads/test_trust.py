"""Weights, temperature, candidates, suspects, the area of applicability: against sums by hand and other libraries."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import brute
from scipy.spatial.distance import cdist, pdist
from scipy.special import log_softmax
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from gfm_core.features.scaler import Scaler
from gfm_core.heads.applicability import Applicability
from gfm_core.heads.calibrate import candidate_threshold, fit_temperature, reliability
from gfm_core.heads.fit import fit_head
from gfm_core.heads.fuse import fused
from gfm_core.heads.scene import SceneFacts
from gfm_core.heads.suspects import find_suspects
from gfm_core.heads.weights import PRIOR, WARMTH, choose_weights
from tests.gfm_core.heads.conftest import CLASSES, Clouds

MakeClouds = Callable[..., Clouds]


def opinions(n: int = 400, *, sharp: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Log-probabilities `[n, 3]` that are right as often as they say if `sharp` is 1, and the truth they speak of."""
    rng = np.random.default_rng(seed)
    honest = log_softmax(rng.normal(0, 1.5, (n, 3)), axis=1)
    truth = np.array([rng.choice(3, p=np.exp(row)) for row in honest])
    return log_softmax(sharp * honest, axis=1), truth


# ---- Weights ---------------------------------------------------------------------------------------------------------


def test_a_group_that_knows_outweighs_one_that_guesses() -> None:
    good, truth = opinions(sharp=2.0)
    noise, _ = opinions(sharp=2.0, seed=9)
    folds = np.arange(len(truth)) % 5
    choice = choose_weights({"good": good, "noise": noise}, truth, folds, np.ones(len(truth)))
    assert choice.learnt
    assert choice.gain > choice.error > 0
    assert choice.weights["good"] > 0.75
    assert sum(choice.weights.values()) == pytest.approx(1)


def test_weights_are_the_most_probable_ones() -> None:
    good, truth = opinions(sharp=2.0)
    logs = {"good": good, "noise": opinions(sharp=2.0, seed=9)[0]}
    choice = choose_weights(logs, truth, np.arange(len(truth)) % 5, np.ones(len(truth)))

    def loss(free: np.ndarray) -> float:
        # Weights only matter relative to each other, so opposite shifts are the cheapest way to any ratio.
        weights = {"good": float(np.exp(free[0])), "noise": float(np.exp(-free[0]))}
        cooled = log_softmax(fused(logs, weights) / np.exp(free[1]), axis=1)
        own = np.exp(cooled[np.arange(len(truth)), truth])
        return float(-np.log(own + 1e-6).sum() + PRIOR * 2 * free[0] ** 2 + WARMTH * free[1] ** 2)

    best = brute(loss, ((0, 2), (-1, 2)), Ns=60)[0]
    assert np.log(choice.weights["good"] / choice.weights["noise"]) == pytest.approx(2 * best, abs=0.03)


def test_a_group_is_not_preferred_for_being_doubtful() -> None:
    sure, truth = opinions(sharp=4.0)
    doubtful = log_softmax(sure / 8, axis=1)  # the same opinion in a low voice
    choice = choose_weights({"sure": sure, "doubtful": doubtful}, truth, np.arange(len(truth)) % 5, np.ones(len(truth)))
    assert choice.weights["doubtful"] < 0.65


def test_few_labels_and_equal_groups_leave_the_weights_alone() -> None:
    first, truth = opinions(30)
    choice = choose_weights({"a": first, "b": first.copy()}, truth, np.arange(30) % 5, np.ones(30))
    assert not choice.learnt
    assert choice.weights == {"a": 0.5, "b": 0.5}
    one_fold = choose_weights({"a": first, "b": first}, truth, np.zeros(30, int), np.ones(30))
    assert (one_fold.learnt, one_fold.weights) == (False, {"a": 0.5, "b": 0.5})


def test_evidence_that_counts_little_moves_weights_little() -> None:
    good, truth = opinions(sharp=2.0)
    logs = {"good": good, "noise": opinions(sharp=2.0, seed=9)[0]}
    folds = np.arange(len(truth)) % 5
    full = choose_weights(logs, truth, folds, np.ones(len(truth))).weights["good"]
    little = choose_weights(logs, truth, folds, np.full(len(truth), 0.02)).weights["good"]
    assert 0.5 < little < full - 0.1


# ---- Probabilities ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sharp", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_a_sharpening(sharp: float) -> None:
    logs, truth = opinions(4000, sharp=sharp)
    temperature = fit_temperature(logs, truth, np.ones(len(truth)))
    assert temperature == pytest.approx(sharp, rel=0.1)
    calm = log_softmax(logs / temperature, axis=1)
    assert reliability(calm, truth, np.ones(len(truth)))[0] < 0.03


def test_without_labels_nothing_is_calibrated() -> None:
    nothing = np.full((4, 3), np.nan)
    truth, counts = np.zeros(4, int), np.ones(4)
    assert fit_temperature(nothing, truth, counts) == 1.0
    assert candidate_threshold(nothing, truth, 0.9, counts) == 0.0
    assert np.isnan(reliability(nothing, truth, counts)[0])


def test_the_calibration_error_is_the_sum_over_spans() -> None:
    logs, truth = opinions(500, sharp=2.0)
    error, bins = reliability(logs, truth, np.ones(500))
    probability, right = np.exp(logs).max(axis=1), logs.argmax(axis=1) == truth
    spans = np.digitize(probability, np.linspace(0, 1, 11)[1:-1])
    expected = sum(
        (spans == span).mean() * abs(probability[spans == span].mean() - right[spans == span].mean())
        for span in np.unique(spans)
    )
    assert error == pytest.approx(expected)
    assert sum(item.count for item in bins) == 500


@pytest.mark.parametrize(("n", "level"), [(9, 0.9), (10, 0.9), (19, 0.9), (99, 0.8), (400, 0.95)])
def test_the_threshold_is_that_of_split_conformal_prediction(n: int, level: float) -> None:
    logs, truth = opinions(n)
    own = np.sort(np.exp(logs[np.arange(n), truth]))
    # The score 1 - p at the ceil((n + 1) level)-th place from below (Angelopoulos & Bates 2023, section 1).
    place = int(np.ceil((n + 1) * level - 1e-9))
    expected = np.sort(1 - own)[place - 1] if place <= n else 1.0
    assert candidate_threshold(logs, truth, level, np.ones(n)) == pytest.approx(1 - expected, abs=1e-12)


def test_new_samples_are_covered_as_promised() -> None:
    logs, truth = opinions(6000)
    threshold = candidate_threshold(logs[:1000], truth[:1000], 0.9, np.ones(1000))
    covered = np.exp(logs[1000:])[np.arange(5000), truth[1000:]] >= threshold
    assert covered.mean() == pytest.approx(0.9, abs=0.025)


# ---- Near pixels -----------------------------------------------------------------------------------------------------


def test_near_pixels_tell_how_a_class_varies_where_labels_do_not() -> None:
    rng = np.random.default_rng(0)
    # Within a class all columns rise and fall together (shade); the classes differ along another direction, by less.
    shade, contrast = np.ones(30), np.where(np.arange(30) < 15, 0.25, -0.25)

    def pixels(classes: np.ndarray) -> np.ndarray:
        count = len(classes)
        own = rng.normal(0, 10, (count, 1)) * shade + rng.normal(0, 0.5, (count, 30))
        return own + np.where(classes == 1, 1, -1)[:, None] * contrast

    field = np.repeat(np.repeat(rng.integers(1, 3, (6, 6)), 8, axis=0), 8, axis=1)
    square = np.moveaxis(pixels(field.ravel()).reshape(48, 48, 30), -1, 0)[None]
    facts = SceneFacts.of({"fine": square}, apart=1)
    y, truth = np.repeat([1, 2], 3), np.repeat([1, 2], 500)
    X, test = pixels(y), pixels(truth)
    right = {}
    for name, nearby in (("with", facts.nearby["fine"]), ("without", None)):
        head = fit_head(X, y, "lda", scaler=facts.scalers["fine"], nearby=nearby)
        right[name] = (head.classes[head.log_proba(test).argmax(axis=1)] == truth).mean()
    assert right["with"] > right["without"] + 0.1
    assert right["with"] > 0.9


def test_with_many_labels_near_pixels_hardly_count(clouds: MakeClouds) -> None:
    X, y = clouds(n=3000)
    scaler = Scaler.fit(X)
    head = fit_head(X, y, "lda", scaler=scaler, nearby=np.eye(X.shape[1]))
    plain = LinearDiscriminantAnalysis(solver="lsqr").fit(scaler.apply(X), y)
    expected = plain.predict_log_proba(scaler.apply(X))
    assert np.abs(np.exp(head.log_proba(X)) - np.exp(expected)).max() < 0.03


def test_the_covariance_of_near_pixels_leaves_gaps_out() -> None:
    rng = np.random.default_rng(0)
    square = rng.normal(size=(3, 2, 20, 20))
    whole = SceneFacts.of({"fine": square}, apart=4).nearby["fine"]
    down, across = square[:, :, 4:] - square[:, :, :-4], square[..., 4:] - square[..., :-4]
    every = np.concatenate([np.moveaxis(part, 1, -1).reshape(-1, 2) for part in (down, across)])
    sd = Scaler.fit(np.moveaxis(square, 1, -1).reshape(-1, 2)).sd
    np.testing.assert_allclose(whole, (every / sd).T @ (every / sd) / len(every) / 2, rtol=0.02)
    square[:, :, :10] = np.nan
    assert np.isfinite(SceneFacts.of({"fine": square}, apart=4).nearby["fine"]).all()
    square[:] = np.nan
    assert SceneFacts.of({"fine": square}, apart=4).nearby == {}


# ---- Suspects --------------------------------------------------------------------------------------------------------


def test_labels_that_were_swapped_are_found_the_worst_first(clouds: MakeClouds) -> None:
    _, truth = opinions(300)
    sure = np.full((300, 3), np.log(0.05))
    sure[np.arange(300), truth] = np.log(0.9)
    codes = np.array([2, 5, 9])[truth]
    wrong = [7, 100, 250]
    codes[wrong] = np.array([2, 5, 9])[(truth[wrong] + 1) % 3]
    sure[7] = np.where(np.arange(3) == truth[7], np.log(0.98), np.log(0.01))
    place = np.arange(300)
    found = find_suspects(sure, codes, place, (place, 2 * place), CLASSES)
    assert {item.row for item in found} == set(wrong)
    assert found[0].row == 7
    assert found[0].looks_like == [2, 5, 9][truth[7]]
    assert found[0].labelled == codes[7]
    assert found[0].quality == pytest.approx(0.01, abs=0.002)
    assert found[0].col == 14


def test_pixels_of_a_polygon_are_one_suspect_in_its_middle() -> None:
    truth = np.repeat([0, 1, 2], 60)
    sure = np.full((180, 3), np.log(0.05))
    sure[np.arange(180), truth] = np.log(0.9)
    codes, units = np.array([2, 5, 9])[truth], np.repeat(np.arange(18), 10)
    codes[:10] = 5
    found = find_suspects(sure, codes, units, (np.arange(180), np.zeros(180, int)), CLASSES)
    assert [(item.row, item.pixels, item.labelled, item.looks_like) for item in found] == [(4, 10, 5, 2)]
    assert find_suspects(np.full((4, 3), np.nan), codes[:4], units[:4], (units[:4], units[:4]), CLASSES) == ()


# ---- Applicability ---------------------------------------------------------------------------------------------------


def test_the_area_of_applicability_is_that_of_the_paper(clouds: MakeClouds) -> None:
    X, y = clouds(n=40)
    folds = np.arange(len(y)) % 4
    head = fit_head(X, y, "knn")  # without coefficients: every column weighs the same
    area = Applicability.fit("fine", head, X, y, folds)
    assert area is not None
    rows = head.scaler.apply(X).astype(float)
    distance = cdist(rows, rows)
    elsewhere = np.where(folds[:, None] != folds, distance, np.inf).min(axis=1) / pdist(rows).mean()
    low, high = np.quantile(elsewhere, (0.25, 0.75))
    assert area.threshold == pytest.approx(elsewhere[elsewhere <= high + 1.5 * (high - low)].max(), rel=1e-6)
    new = np.random.default_rng(3).normal(0, 4, (200, X.shape[1])).astype(np.float32)
    dissimilar = cdist(head.scaler.apply(new), rows).min(axis=1) / pdist(rows).mean()
    np.testing.assert_array_equal(area.inside(new), dissimilar <= area.threshold)
    assert 0 < area.inside(new).sum() < 200


def test_columns_that_tell_classes_apart_weigh_more(clouds: MakeClouds) -> None:
    rng = np.random.default_rng(0)
    y = np.repeat([2, 5], 100)
    X = np.stack([np.where(y == 2, 0.0, 3.0), np.zeros(200)], axis=1) + rng.normal(0, 0.5, (200, 2))
    area = Applicability.fit("fine", fit_head(X, y, "lda"), X, y, np.arange(200) % 4)
    assert area is not None
    assert area.importance[0] > 5 * area.importance[1]
    assert area.inside(np.array([[9.0, 0.0], [0.0, 0.0], [3.0, 0.2]])).tolist() == [False, True, True]


def test_what_is_not_known_is_outside_and_one_fold_tells_nothing(clouds: MakeClouds) -> None:
    X, y = clouds()
    head = fit_head(X, y, "lda")
    area = Applicability.fit("fine", head, X, y, np.arange(len(y)) % 3)
    assert area is not None
    assert not area.inside(np.full((1, X.shape[1]), np.nan)).any()
    assert Applicability.fit("fine", head, X, y, np.zeros(len(y), int)) is None
    assert Applicability.fit("fine", head, np.zeros_like(X), y, np.arange(len(y)) % 3) is None
