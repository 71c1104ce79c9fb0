from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from scipy.ndimage import uniform_filter
from sklearn import metrics

from gfm_core.errors import LabelError
from gfm_core.heads.fit import fit_head
from gfm_core.heads.validate import cross_validate
from gfm_core.labels.burn import burn
from gfm_core.labels.folds import spatial_folds
from gfm_core.labels.read import read_labels
from gfm_core.progress import Cancelled, Reporter
from tests.gfm_core.heads.conftest import CLASSES, Clouds

MakeClouds = Callable[..., Clouds]


def folded(clouds: MakeClouds) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    (fine, y), (coarse, _), (bands, _) = clouds(), clouds(features=5, seed=1), clouds(features=2, seed=2)
    folds = np.random.default_rng(0).integers(0, 4, len(y))
    return {"fine": fine, "coarse": coarse, "bands": bands}, y, folds


def test_each_fold_is_predicted_by_heads_that_never_saw_it(clouds: MakeClouds) -> None:
    features, y, folds = folded(clouds)
    result = cross_validate(features, y, folds, CLASSES, "lda")
    for group in ("fine", "coarse", "bands"):
        predicted = np.zeros_like(y)
        for fold in range(4):
            head = fit_head(features[group][folds != fold], y[folds != fold], "lda")
            tested = features[group][folds == fold]
            predicted[folds == fold] = head.classes[head.log_proba(tested).argmax(axis=1)]
        expected = metrics.f1_score(y, predicted, average="macro")
        assert result.raw_bands is not None
        found = result.raw_bands.macro_f1 if group == "bands" else result.groups[group]
        assert found == pytest.approx(expected)
    assert len(result.per_fold) == 4
    assert result.fused.n == len(y)


def test_labels_without_meaning_score_as_chance(clouds: MakeClouds) -> None:
    features, y, folds = folded(clouds)
    shuffled = np.random.default_rng(1).permutation(y)
    assert cross_validate(features, shuffled, folds, CLASSES, "knn").fused.macro_f1 < 0.45


def test_raw_bands_are_scored_but_never_fused(clouds: MakeClouds) -> None:
    features, y, folds = folded(clouds)
    with_bands = cross_validate(features, y, folds, CLASSES, "lda")
    without = cross_validate({group: features[group] for group in ("fine", "coarse")}, y, folds, CLASSES, "lda")
    assert with_bands.fused.macro_f1 == without.fused.macro_f1
    assert set(with_bands.groups) == {"fine", "coarse"}
    assert without.raw_bands is None


def test_a_class_of_one_fold_counts_as_wrong_and_is_named(clouds: MakeClouds) -> None:
    features, y, folds = folded(clouds)
    folds[y == 9] = 0
    result = cross_validate(features, y, folds, CLASSES, "lda")
    assert result.fused.per_class[2].recall == 0.0
    assert result.notes == ("Class 'town' lies in fold 1 only and cannot be predicted there; it counts as wrong.",)


def test_one_fold_is_refused_and_cancelling_stops(clouds: MakeClouds) -> None:
    features, y, folds = folded(clouds)
    with pytest.raises(LabelError, match="fewer than two folds"):
        cross_validate(features, y, np.zeros_like(folds), CLASSES, "lda")
    with pytest.raises(Cancelled):
        cross_validate(features, y, folds, CLASSES, "lda", reporter=Reporter(cancel=lambda: True))


def test_neighbourhoods_beat_raw_bands_on_real_land_cover(shared_data: Path) -> None:
    folder = shared_data / "brandenburg"
    labels = read_labels(folder / "osm_landuse.gpkg")
    with rasterio.open(folder / "s2_l1c_10m.tif") as source:
        pixels = burn(labels, source.transform, source.crs.to_wkt(), source.shape, per_class=300)
        image = source.read().astype(np.float32) / 10_000
        x, y = source.transform * (pixels.cols + 0.5, pixels.rows + 0.5)
    wide = np.stack([uniform_filter(band, size) for size in (5, 17) for band in image])
    bands = image[:, pixels.rows, pixels.cols].T
    features = {"fine": np.concatenate([bands, wide[:, pixels.rows, pixels.cols].T], axis=1), "bands": bands}
    folds = spatial_folds(np.asarray(x), np.asarray(y), pixels.codes)
    result = cross_validate(features, pixels.codes, folds.numbers, pixels.classes, "lda")
    assert result.raw_bands is not None
    assert result.fused.macro_f1 > result.raw_bands.macro_f1 + 0.03
    assert result.fused.macro_f1 > 0.35


def test_candidates_hold_the_truth_as_often_as_was_asked(clouds: MakeClouds) -> None:
    X, y = clouds(n=800)
    folds = np.random.default_rng(0).integers(0, 5, len(y))
    for level in (0.7, 0.9):
        found = cross_validate({"fine": X}, y, folds, CLASSES, "lda", level=level).candidates
        assert found.coverage == pytest.approx(level, abs=0.02)
        assert sum(found.sizes) == pytest.approx(1)


def test_pixels_of_a_unit_count_together(clouds: MakeClouds) -> None:
    features, y, folds = folded(clouds)
    twice = {group: np.concatenate([X, X]) for group, X in features.items()}
    halves = np.full(2 * len(y), 0.5)
    once = cross_validate(features, y, folds, CLASSES, "lda")
    doubled = cross_validate(twice, np.tile(y, 2), np.tile(folds, 2), CLASSES, "knn", counts=halves)
    single = cross_validate(features, y, folds, CLASSES, "knn", counts=np.ones(len(y)))
    assert once.choice.weights.keys() == doubled.choice.weights.keys()
    # Neighbours of a doubled sample are its own copies, so only the amount of evidence is compared.
    assert sum(item.count for item in doubled.calibration.bins) == sum(item.count for item in single.calibration.bins)
