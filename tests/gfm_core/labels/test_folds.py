from __future__ import annotations

import warnings

import numpy as np
import pytest

from gfm_core.labels.folds import spatial_folds


def scattered(n: int = 2000, side: float = 10_000, classes: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.uniform(0, side, n), rng.uniform(0, side, n), rng.integers(1, classes + 1, n).astype(np.int32)


def test_squares_stay_whole() -> None:
    x, y, codes = scattered()
    folds = spatial_folds(x, y, codes, square=1000)
    squares = np.floor((x - x.min()) / 1000) * 1000 + np.floor((y - y.min()) / 1000)
    for square in np.unique(squares):
        assert len(np.unique(folds.numbers[squares == square])) == 1
    assert set(folds.numbers.tolist()) == {0, 1, 2, 3, 4}
    assert folds.count == 5


def test_square_is_a_tenth_of_the_extent_where_that_will_do() -> None:
    x, y, codes = scattered()
    assert spatial_folds(x, y, codes).square_m == pytest.approx(1000, rel=0.01)


def test_square_shrinks_for_a_class_of_small_ground() -> None:
    x, y, codes = scattered()
    x[codes == 4], y[codes == 4] = x[codes == 4] * 0.1, y[codes == 4] * 0.1  # 1 km wide
    folds = spatial_folds(x, y, codes)
    assert folds.square_m < 600
    assert not folds.notes
    for code in range(1, 5):
        assert set(folds.numbers[codes == code].tolist()) == {0, 1, 2, 3, 4}


def test_one_hopeless_class_shrinks_nothing_and_is_named() -> None:
    x, y, codes = scattered()
    x[codes == 4], y[codes == 4] = 5000, 5000
    folds = spatial_folds(x, y, codes, names={4: "Röhricht"})
    assert folds.square_m == pytest.approx(1000, rel=0.01)
    assert len(folds.notes) == 1
    assert "Class 'Röhricht' lies in only 1 ground square of" in folds.notes[0]


def test_labels_of_one_place_have_no_honest_split() -> None:
    folds = spatial_folds(np.zeros(10), np.zeros(10), np.arange(10, dtype=np.int32) % 2 + 1)
    assert folds.count == 1
    assert "no honest way" in folds.notes[0]


@pytest.mark.parametrize("n", [2, 3, 6])
def test_very_few_labels_are_split_as_far_as_they_go(n: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        folds = spatial_folds(np.arange(n) * 100.0, np.zeros(n), np.arange(n, dtype=np.int32) % 2 + 1)
    assert folds.count == min(n, 5)
    assert set(folds.numbers.tolist()) == set(range(folds.count))


def test_same_seed_same_folds() -> None:
    x, y, codes = scattered()
    first, second = (spatial_folds(x, y, codes, seed=3).numbers for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert (first != spatial_folds(x, y, codes, seed=4).numbers).any()


def test_pixels_of_one_polygon_stay_together() -> None:
    x, y, codes = scattered()
    units = np.repeat(np.arange(100), 20)  # 20 samples each, all over the ground
    codes = (units % 4 + 1).astype(np.int32)
    folds = spatial_folds(x, y, codes, units=units)
    assert folds.count == 5
    assert all(len(np.unique(folds.numbers[units == unit])) == 1 for unit in range(100))


def test_the_only_polygon_of_a_class_is_split_by_squares() -> None:
    x, y, codes = scattered()
    units = np.where(codes == 1, 0, np.arange(1, len(codes) + 1))
    folds = spatial_folds(x, y, codes, units=units)
    assert len(np.unique(folds.numbers[codes == 1])) == 5


def test_samples_of_their_own_are_not_split_within_the_reach_of_their_neighbours() -> None:
    rows, cols = (values.ravel() * 10.0 for values in np.mgrid[0:200, 0:200])  # a label raster of 2 km
    codes = np.where((rows < 60) & (cols < 60), 3, 1 + (cols > 1000)).astype(np.int32)  # class 3: one patch of 60 m
    each = np.arange(len(codes))
    assert spatial_folds(cols, rows, codes, units=each).square_m < 60
    kept = spatial_folds(cols, rows, codes, units=each, reach=160.0)
    assert kept.square_m >= 160
    assert any("Class '3'" in note for note in kept.notes)
    patches = np.where(codes == 3, 3, (cols // 100).astype(int) + 10)
    assert spatial_folds(cols, rows, codes, units=patches, reach=1e6).count > 1  # polygons stay whole anyway
