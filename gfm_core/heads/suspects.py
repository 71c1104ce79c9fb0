"""Labels that contradict their surroundings: what other folds would have called them, by confident learning."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gfm_core.classes import MapClass
from gfm_core.heads.classifiers import log_softmax


@dataclass(frozen=True, slots=True)
class Suspect:
    """What was labelled as one (a polygon, a point, a pixel) and looks like another class.

    `labelled` and `looks_like` are class codes; `quality`: the probability of its own class (0-1). `row`, `col`: the
    map's pixel of it that is nearest to its middle; `pixels`: how many of it were looked at.
    """

    labelled: int
    looks_like: int
    quality: float
    row: int
    col: int
    pixels: int


def find_suspects(
    log_proba: NDArray[np.float64],
    codes: NDArray[np.integer[Any]],
    units: NDArray[np.integer[Any]],
    places: tuple[NDArray[np.int64], NDArray[np.int64]],
    classes: tuple[MapClass, ...],
) -> tuple[Suspect, ...]:
    """The labels that confident learning (Northcutt et al. 2021, `cleanlab`) holds for wrong, the worst first.

    `log_proba` [n, K] are those of heads that never saw the pixel's fold, classes by their codes; `places` are rows and
    columns [n]. Pixels of a unit are judged together, by their mean probability.
    """
    rows, cols = places
    known = np.isfinite(log_proba).all(axis=1)
    order = np.array(sorted(item.code for item in classes))
    probabilities = np.exp(log_softmax(log_proba[known]))
    pairs, unit = np.unique(
        np.stack([units[known], np.searchsorted(order, codes[known])], axis=1), axis=0, return_inverse=True
    )
    unit = unit.reshape(-1)
    truth = pairs[:, 1].astype(np.int64)
    if len(np.unique(truth)) < 2:
        return ()
    count = np.bincount(unit)
    mean = np.stack([np.bincount(unit, weights=column) / count for column in probabilities.T], axis=1)
    return tuple(
        Suspect(
            int(order[truth[number]]),
            int(order[mean[number].argmax()]),
            float(mean[number, truth[number]]),
            *_middle(rows[known][unit == number], cols[known][unit == number]),
            int(count[number]),
        )
        for number in _issues(truth, mean)
        if mean[number].argmax() != truth[number]
    )


def _issues(truth: NDArray[np.int64], probabilities: NDArray[np.float64]) -> list[int]:
    from cleanlab.filter import find_label_issues

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # classes of few units: what it finds of them is still worth a look
        found = find_label_issues(
            truth, probabilities / probabilities.sum(axis=1, keepdims=True), n_jobs=1,
            return_indices_ranked_by="normalized_margin",
        )  # fmt: skip
    return [int(number) for number in found]


def _middle(rows: NDArray[np.int64], cols: NDArray[np.int64]) -> tuple[int, int]:
    nearest = int(((rows - rows.mean()) ** 2 + (cols - cols.mean()) ** 2).argmin())
    return int(rows[nearest]), int(cols[nearest])
