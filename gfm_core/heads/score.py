"""Scores of a map: macro-F1, per class precision and recall, the confusion matrix; on labels or on spatial folds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gfm_core.classes import MapClass
from gfm_core.errors import LabelError
from gfm_core.heads.fit import Scaler
from gfm_core.heads.fuse import Features, FusedHead, fit_fused
from gfm_core.progress import Reporter

RAW_BANDS = "bands"  # the group that is scored beside the map, alone, and never part of it


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


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """Scores on folds that were left out: of the fused head, of each group and of raw bands alone (None if not given).

    `log_proba` [n, K] are the fused log-probabilities of each sample, made by heads that never saw its fold.
    """

    fused: Scores
    groups: dict[str, float]
    raw_bands: Scores | None
    per_fold: tuple[float, ...]
    log_proba: NDArray[np.float64]
    notes: tuple[str, ...] = ()


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


def cross_validate(
    features: Features,
    codes: NDArray[np.integer[Any]],
    folds: NDArray[np.integer[Any]],
    classes: tuple[MapClass, ...],
    kind: str,
    *,
    scalers: Mapping[str, Scaler] | None = None,
    seed: int = 0,
    reporter: Reporter | None = None,
) -> CrossValidation:
    """Fit on all folds but one, predict that one, in turn; `folds` [n] numbers the fold of each sample.

    The group "bands" (raw bands alone) is scored on its own and never fused. Raises LabelError below two folds.
    """
    numbers = np.unique(folds)
    if len(numbers) < 2:
        raise LabelError("Labels in fewer than two folds cannot be scored; label more places, or give check labels.")
    reporter = reporter or Reporter()
    fused_groups = {group: X for group, X in features.items() if group != RAW_BANDS}
    parts: dict[str, Features] = {"": fused_groups, **{group: {group: X} for group, X in features.items()}}
    order = tuple(sorted(classes, key=lambda item: item.code))
    logs = {part: np.full((len(codes), len(order)), np.nan) for part in parts}
    notes: list[str] = []
    for step, number in enumerate(numbers):
        reporter.update(step / len(numbers), f"scoring fold {step + 1} of {len(numbers)}")
        tested = folds == number
        notes += _unseen(codes, tested, order, step + 1)
        fitted = _fit_parts(_rows(features, ~tested), codes[~tested], order, kind, scalers=scalers, seed=seed)
        for part, head in fitted.items():
            columns = np.searchsorted([item.code for item in order], head.codes)
            logs[part][np.ix_(tested, columns)] = head.log_proba(_rows(parts[part], tested))
    predicted = {part: _winner(values, order) for part, values in logs.items()}
    fold_scores = (score(codes[folds == n], predicted[""][folds == n], order) for n in numbers)
    return CrossValidation(
        fused=score(codes, predicted[""], order),
        groups={group: score(codes, predicted[group], order).macro_f1 for group in fused_groups},
        raw_bands=score(codes, predicted[RAW_BANDS], order) if RAW_BANDS in features else None,
        per_fold=tuple(item.macro_f1 for item in fold_scores),
        log_proba=logs[""],
        notes=tuple(notes),
    )


def _fit_parts(
    features: Features,
    codes: NDArray[np.integer[Any]],
    classes: tuple[MapClass, ...],
    kind: str,
    *,
    scalers: Mapping[str, Scaler] | None,
    seed: int,
) -> dict[str, FusedHead]:
    """The fused head ("") and each group's own, which is the very head inside the fused one."""
    fused_groups = {group: X for group, X in features.items() if group != RAW_BANDS}
    fused = fit_fused(fused_groups, codes, classes, kind, scalers, seed=seed)
    fitted = {group: FusedHead(fused.classes, {group: head}, {group: 1.0}) for group, head in fused.heads.items()}
    if RAW_BANDS in features:
        fitted[RAW_BANDS] = fit_fused({RAW_BANDS: features[RAW_BANDS]}, codes, classes, kind, scalers, seed=seed)
    return {"": fused, **fitted}


def _rows(features: Features, chosen: NDArray[np.bool_]) -> Features:
    return {group: X[chosen] for group, X in features.items()}


def _winner(logs: NDArray[np.float64], classes: tuple[MapClass, ...]) -> NDArray[np.int32]:
    """Code of the likeliest class, 0 in rows without any."""
    codes = np.array([item.code for item in classes], dtype=np.int32)
    absent = np.isnan(logs).all(axis=1)
    return np.where(absent, 0, codes[np.where(np.isnan(logs), -np.inf, logs).argmax(axis=1)]).astype(np.int32)


def _unseen(
    codes: NDArray[np.integer[Any]], tested: NDArray[np.bool_], classes: tuple[MapClass, ...], fold: int
) -> list[str]:
    """A note for each class whose samples all lie in the fold that is tested: it cannot be learnt from the others."""
    lost = set(np.unique(codes[tested]).tolist()) - set(np.unique(codes[~tested]).tolist())
    return [
        f"Class {item.name!r} lies in fold {fold} only and cannot be predicted there; it counts as wrong."
        for item in classes
        if item.code in lost
    ]


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    """`part / whole`, 0 where there is no whole."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
