"""Maps from a few labels: with this network, with the untrained one, and with no network at all."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gfm_core.model.encoder import CellEncoder
from gfm_training.probe import Scene, latents_of, scores_of

SHOTS = (5, 20, 100)

BANDS, STATISTICS = "raw bands", "fine & coarse statistics"
NETWORK, UNTRAINED = "this network", "untrained network"
FUSED, FUSED_UNTRAINED = f"{STATISTICS} & {NETWORK}", f"{STATISTICS} & {UNTRAINED}"
SETS = (BANDS, STATISTICS, UNTRAINED, NETWORK, FUSED_UNTRAINED, FUSED)

# What is asked of pairs: first minus second, on the same draws.
QUESTIONS = {
    "this network - untrained, alone": (NETWORK, UNTRAINED),
    "this network - untrained, beside the statistics": (FUSED, FUSED_UNTRAINED),
    "this network beside the statistics - statistics alone": (FUSED, STATISTICS),
    "everything - raw bands": (FUSED, BANDS),
}

Scores = Mapping[str, Mapping[int, Sequence[float]]]  # by set of features and labels a class, a number a draw


@dataclass(frozen=True, slots=True)
class Probed:
    """Macro-F1 of one scene, every set of features on the same draws."""

    scene: str
    classes: int
    scores: Scores


def probe_scene(encoder: CellEncoder, untrained: CellEncoder, scene: Scene) -> Probed:
    """Score all `SETS` on one scene."""
    network, other = latents_of(encoder, scene), latents_of(untrained, scene)
    groups: dict[str, dict[str, NDArray[np.float32]]] = {
        BANDS: {"bands": scene.groups["fine"][:, list(scene.bands)]},
        STATISTICS: scene.groups,
        UNTRAINED: {"network": other},
        NETWORK: {"network": network},
        FUSED_UNTRAINED: {**scene.groups, "network": other},
        FUSED: {**scene.groups, "network": network},
    }
    scores = {name: scores_of(groups[name], scene) for name in SETS}
    return Probed(scene.name, len(np.unique(scene.codes)), scores)


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """The mean and its standard error (0 of a single number)."""
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return statistics.fmean(values), error


def difference(probed: Probed, question: str, shots: int) -> tuple[float, float]:
    """Mean over the draws of the paired difference, and its standard error: it speaks of this scene."""
    first, second = QUESTIONS[question]
    pairs = zip(probed.scores[first][shots], probed.scores[second][shots], strict=True)
    return mean_and_error([one - other for one, other in pairs])


def over_scenes(every: Sequence[Probed], question: str, shots: int) -> tuple[float, float]:
    """Mean over scenes of the paired difference, and its standard error over scenes."""
    return mean_and_error([difference(probed, question, shots)[0] for probed in every])
