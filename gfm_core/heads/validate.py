"""What spatial folds say: scores on ground that heads never saw, weights of groups, what probabilities are worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gfm_core.classes import MapClass
from gfm_core.errors import LabelError
from gfm_core.heads.calibrate import Calibration, Candidates, candidate_threshold, fit_temperature, reliability
from gfm_core.heads.classifiers import FLOOR, cooled
from gfm_core.heads.fuse import NO_SCENE, Features, FusedHead, fit_fused, fused
from gfm_core.heads.scene import SceneFacts
from gfm_core.heads.score import Scores, score
from gfm_core.heads.weights import Choice, choose_weights
from gfm_core.progress import Reporter

RAW_BANDS = "bands"  # the group that is scored beside the map, alone, and never part of it

Logs = dict[str, NDArray[np.float64]]  # [n, K] a group


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """Scores on folds that were left out: of the fused head, of each group and of raw bands alone (None if not given).

    `log_proba` [n, K] are the fused, calibrated log-probabilities of each sample, by heads that never saw its fold, and
    weights and a temperature that were found on the samples of the others. `choice`, `calibration` and `candidates` are
    what a map of all labels uses.
    """

    fused: Scores
    groups: dict[str, float]
    raw_bands: Scores | None
    per_fold: tuple[float, ...]
    log_proba: NDArray[np.float64]
    choice: Choice
    calibration: Calibration
    candidates: Candidates
    notes: tuple[str, ...] = ()


def cross_validate(
    features: Features,
    codes: NDArray[np.integer[Any]],
    folds: NDArray[np.integer[Any]],
    classes: tuple[MapClass, ...],
    kind: str,
    *,
    scene: SceneFacts = NO_SCENE,
    level: float = 0.9,
    counts: NDArray[np.float64] | None = None,
    seed: int = 0,
    reporter: Reporter | None = None,
) -> CrossValidation:
    """Fit on all folds but one, predict that one, in turn; `folds` [n] numbers the fold of each sample.

    `counts` [n] says how much evidence each sample is for weights and probabilities (default: 1). The group "bands"
    (raw bands alone) is scored on its own and never fused. `level` is the coverage that candidates are asked to have.
    Raises LabelError below two folds.
    """
    if len(np.unique(folds)) < 2:
        raise LabelError("Labels in fewer than two folds cannot be scored; label more places, or give check labels.")
    order = tuple(sorted(classes, key=lambda item: item.code))
    held_out, notes = _held_out(features, codes, folds, _How(order, kind, scene, seed), reporter or Reporter())
    truth = np.searchsorted([item.code for item in order], codes).astype(np.int64)
    evidence = _Evidence(truth, folds, np.ones(len(codes)) if counts is None else counts)
    bands = held_out.pop(RAW_BANDS, None)
    choice = choose_weights(held_out, truth, folds, evidence.counts, seed=seed)
    every = fused(held_out, choice.weights)
    temperature = fit_temperature(every, truth, evidence.counts)
    plain, calm, sets = _by_others(held_out, evidence, level, seed)
    predicted = _winner(calm, order)
    before, _ = reliability(plain, truth, evidence.counts)
    after, bins = reliability(calm, truth, evidence.counts)
    threshold = candidate_threshold(cooled(every, temperature), truth, level, evidence.counts)
    return CrossValidation(
        fused=score(codes, predicted, order),
        groups={group: score(codes, _winner(values, order), order).macro_f1 for group, values in held_out.items()},
        raw_bands=score(codes, _winner(bands, order), order) if bands is not None else None,
        per_fold=tuple(score(codes[folds == n], predicted[folds == n], order).macro_f1 for n in np.unique(folds)),
        log_proba=calm,
        choice=choice,
        calibration=Calibration(temperature, before, after, bins),
        candidates=_candidates(sets, calm, evidence, level, threshold),
        notes=tuple(notes),
    )


@dataclass(frozen=True, slots=True)
class _How:
    """What heads are fitted with: the map's classes by their codes, the kind of classifier, the scene, the seed."""

    order: tuple[MapClass, ...]
    kind: str
    scene: SceneFacts
    seed: int

    def fit(self, features: Features, codes: NDArray[np.integer[Any]]) -> list[FusedHead]:
        """The fused head, and that of raw bands beside it."""
        parts = [without_bands(features)]
        if RAW_BANDS in features:
            parts.append({RAW_BANDS: features[RAW_BANDS]})
        return [fit_fused(part, codes, self.order, self.kind, self.scene, seed=self.seed) for part in parts]


@dataclass(frozen=True, slots=True)
class _Evidence:
    """Of each sample [n]: the number of its class, its fold, how much it counts."""

    truth: NDArray[np.int64]
    folds: NDArray[np.integer[Any]]
    counts: NDArray[np.float64]

    def of(self, chosen: NDArray[np.bool_]) -> _Evidence:
        return _Evidence(self.truth[chosen], self.folds[chosen], self.counts[chosen])


def _held_out(
    features: Features, codes: NDArray[np.integer[Any]], folds: NDArray[np.integer[Any]], how: _How, reporter: Reporter
) -> tuple[Logs, list[str]]:
    """Log-probabilities of every sample by the heads that were fitted on the other folds, a group each; notes."""
    logs: Logs = {group: np.full((len(codes), len(how.order)), np.nan) for group in features}
    notes: list[str] = []
    numbers = np.unique(folds)
    for step, number in enumerate(numbers):
        reporter.update(step / len(numbers), f"scoring fold {step + 1} of {len(numbers)}")
        tested = folds == number
        notes += _unseen(codes, tested, how.order, step + 1)
        for head in how.fit(_rows(features, ~tested), codes[~tested]):
            columns = np.searchsorted([item.code for item in how.order], head.codes)
            for group, values in head.by_group(_rows(features, tested)).items():
                part = np.full((int(tested.sum()), len(how.order)), np.log(FLOOR))
                part[:, columns] = values
                part[np.isnan(values[:, 0])] = np.nan
                logs[group][tested] = part
    return logs, notes


def _by_others(
    logs: Mapping[str, NDArray[np.float64]], evidence: _Evidence, level: float, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """What the other folds would have made of each sample: fused log-probabilities `[n, K]` before and after
    calibration, and which classes are candidates.
    """
    plain = np.full_like(next(iter(logs.values())), np.nan)
    calm, sets = plain.copy(), np.zeros(plain.shape, np.bool_)
    for number in np.unique(evidence.folds):
        tested = evidence.folds == number
        known = evidence.of(~tested)
        others = {group: values[~tested] for group, values in logs.items()}
        weights = choose_weights(others, known.truth, known.folds, known.counts, seed=seed).weights
        learnt = fused(others, weights)
        temperature = fit_temperature(learnt, known.truth, known.counts)
        plain[tested] = fused({group: values[tested] for group, values in logs.items()}, weights)
        calm[tested] = cooled(plain[tested], temperature)
        threshold = candidate_threshold(cooled(learnt, temperature), known.truth, level, known.counts)
        sets[tested] = np.exp(calm[tested]) >= threshold
    return plain, calm, sets


def _candidates(
    sets: NDArray[np.bool_], logs: NDArray[np.float64], evidence: _Evidence, level: float, threshold: float
) -> Candidates:
    """How the candidates of held-out samples did; `threshold` is that of the map."""
    known = np.asarray(np.isfinite(logs).all(axis=1))
    sets, evidence = sets[known], evidence.of(known)
    if not len(sets):
        nothing = float("nan")
        return Candidates(level, threshold, nothing, (nothing,) * 4)
    sizes, counts = np.minimum(sets.sum(axis=1), 3), evidence.counts
    shares = np.bincount(sizes, weights=counts, minlength=4) / counts.sum()
    covered = np.average(sets[np.arange(len(sets)), evidence.truth], weights=counts)
    return Candidates(level, threshold, float(covered), tuple(shares.tolist()))


def without_bands(features: Features) -> Features:
    """The groups that are fused."""
    return {group: X for group, X in features.items() if group != RAW_BANDS}


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
