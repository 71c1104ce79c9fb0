"""Scores of a map: macro-F1, per class precision and recall, the confusion matrix."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gfm_core.classes import MapClass


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One class: shares 0-1 (0 where undefined); `support` is how many samples truly are of it."""

    code: int
    name: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Scores:
    """How a prediction compares with the truth. `confusion` int64 [K, K]: rows truth, columns prediction.

    `macro_f1` is the mean F1 of the classes that occur in either; NaN without samples.
    """

    macro_f1: float
    accuracy: float
    per_class: tuple[ClassScore, ...]
    confusion: NDArray[np.int64]
    classes: tuple[MapClass, ...]
    n: int
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "macro_f1": self.macro_f1,
            "accuracy": self.accuracy,
            "n": self.n,
            "classes": [asdict(item) for item in self.per_class],
            "confusion": self.confusion.tolist(),
            "notes": list(self.notes),
        }


def score(
    truth: NDArray[np.integer[Any]], predicted: NDArray[np.integer[Any]], classes: tuple[MapClass, ...]
) -> Scores:
    """Compare class codes `[n]`; samples where the map has no class (0), or the truth another one, are left out."""
    codes = np.array(sorted(item.code for item in classes), dtype=np.int64)
    by_code = tuple(sorted(classes, key=lambda item: item.code))
    known, mapped = np.isin(truth, codes), np.isin(predicted, codes)
    notes = []
    if not known.all():
        notes.append(f"Samples of classes that the map does not have, left out: {(~known).sum()} of {len(truth)}.")
    if (known & ~mapped).any():
        notes.append(f"Samples where the map has no class, left out: {(known & ~mapped).sum()} of {len(truth)}.")
    used = known & mapped
    size = len(codes)
    pairs = np.searchsorted(codes, truth[used]) * size + np.searchsorted(codes, predicted[used])
    confusion = np.bincount(pairs, minlength=size**2).reshape(size, size).astype(np.int64)
    right, support, claimed = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    precision, recall = _ratio(right, claimed), _ratio(right, support)
    f1 = _ratio(2 * right, support + claimed)
    occurs = support + claimed > 0
    n = int(used.sum())
    per_class = tuple(
        ClassScore(item.code, item.name, float(precision[at]), float(recall[at]), float(f1[at]), int(support[at]))
        for at, item in enumerate(by_code)
    )
    return Scores(
        macro_f1=float(f1[occurs].mean()) if n else float("nan"),
        accuracy=float(right.sum() / n) if n else float("nan"),
        per_class=per_class,
        confusion=confusion,
        classes=by_code,
        n=n,
        notes=tuple(notes),
    )


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    """`part / whole`, 0 where there is no whole."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
