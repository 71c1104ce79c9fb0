from __future__ import annotations

import json
import math

import numpy as np
import pytest
from sklearn import metrics

from gfm_core.heads.score import score
from tests.gfm_core.heads.conftest import CLASSES


@pytest.mark.parametrize("present", [(2, 5, 9), (2, 9), (5,)])
def test_scores_are_those_of_scikit_learn(present: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    truth, predicted = rng.choice(present, 200), rng.choice([2, 5], 200)
    ours = score(truth, predicted, CLASSES)
    codes = [2, 5, 9]
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        truth, predicted, labels=codes, zero_division=0
    )
    np.testing.assert_array_equal(ours.confusion, metrics.confusion_matrix(truth, predicted, labels=codes))
    np.testing.assert_allclose([item.precision for item in ours.per_class], precision)
    np.testing.assert_allclose([item.recall for item in ours.per_class], recall)
    np.testing.assert_allclose([item.f1 for item in ours.per_class], f1)
    assert [item.support for item in ours.per_class] == support.tolist()
    assert ours.macro_f1 == pytest.approx(metrics.f1_score(truth, predicted, average="macro", zero_division=0))
    assert ours.accuracy == pytest.approx(metrics.accuracy_score(truth, predicted))
    assert [item.name for item in ours.per_class] == ["water", "forest", "town"]


def test_samples_without_a_class_are_left_out_and_counted() -> None:
    ours = score(np.array([2, 2, 7, 5]), np.array([2, 0, 2, 5]), CLASSES)
    assert ours.n == 2
    assert ours.accuracy == 1.0
    assert "left out: 1 of 4" in ours.notes[0]
    assert len(ours.notes) == 2


def test_no_samples_score_nan() -> None:
    ours = score(np.array([], int), np.array([], int), CLASSES)
    assert math.isnan(ours.macro_f1)
    assert ours.n == 0


def test_scores_are_plain_values_for_json() -> None:
    truth = np.array([2, 5, 9, 9])
    told = json.loads(json.dumps(score(truth, truth, CLASSES).to_dict()))
    assert told["macro_f1"] == 1.0
    assert told["classes"][1]["name"] == "forest"
    assert told["confusion"][2][2] == 2
