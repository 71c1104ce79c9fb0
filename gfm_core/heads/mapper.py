"""Everything that turns features into a map, fitted on labelled pixels: what `gfm classify` and a head's file hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gfm_core.classes import MapClass
from gfm_core.errors import LabelError
from gfm_core.features.prototypes import Prototypes
from gfm_core.features.scaler import Scaler
from gfm_core.heads.applicability import Applicability
from gfm_core.heads.fuse import Features, FusedHead, fit_fused
from gfm_core.heads.scene import NEARBY_GROUP, SceneFacts
from gfm_core.heads.validate import RAW_BANDS, CrossValidation, cross_validate, without_bands
from gfm_core.progress import Reporter

_NO_SCORE = (
    "Without the labels of one fold a single class is left, so there is no score by folds; label more places of each."
)


@dataclass(frozen=True, slots=True)
class MapHead:
    """`fused` heads, and what makes their probabilities a map.

    `guide` scales the raw bands along which probabilities are smoothed (None: they are not). Classes whose probability
    is at least `threshold` are candidates, at the coverage `level`. Parts that the labels could not tell are None.
    """

    fused: FusedHead
    prototypes: Prototypes | None = None
    guide: Scaler | None = None
    level: float = 0.9
    threshold: float | None = None
    applicability: Applicability | None = None

    def guide_of(self, bands: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """What smoothing is guided by: raw bands `[n, B]` in standard deviations, a row of NaN where none is known."""
        assert self.guide is not None, "this head does not smooth"
        return np.where(np.isfinite(bands).any(axis=1)[:, None], self.guide.apply(bands), np.float32(np.nan))

    @property
    def classes(self) -> tuple[MapClass, ...]:
        """The map's classes in order of their codes."""
        return self.fused.classes


@dataclass(frozen=True, slots=True)
class FittedMap:
    """A head for the map and what folds say of it: None where there is no honest way to tell."""

    head: MapHead
    validation: CrossValidation | None
    notes: tuple[str, ...] = ()


def fit_map_head(
    features: Features,
    codes: NDArray[np.integer[Any]],
    folds: NDArray[np.integer[Any]],
    classes: tuple[MapClass, ...],
    kind: str,
    *,
    scene: SceneFacts,
    units: NDArray[np.integer[Any]] | None = None,
    prototypes: Prototypes | None = None,
    level: float = 0.9,
    smoothing: bool = True,
    seed: int = 0,
    reporter: Reporter | None = None,
) -> FittedMap:
    """Fit heads of `kind` on samples `[n]`, and weigh, calibrate and score them on the spatial `folds` [n].

    `features` [n, D] by group, the raw bands among them as "bands": scored beside the map, never part of it. With a
    single fold groups weigh the same and nothing is scored. `units` [n] number what was labelled as one (a polygon):
    its pixels together are the evidence of one sample.
    """
    reporter = reporter or Reporter()
    validation: CrossValidation | None = None
    notes: tuple[str, ...] = ()
    if len(np.unique(folds)) > 1:
        try:
            validation = cross_validate(
                features, codes, folds, classes, kind, scene=scene, level=level, counts=_counts(units), seed=seed,
                reporter=reporter,
            )  # fmt: skip
            notes = validation.notes
        except LabelError:
            notes = (_NO_SCORE,)
    groups = without_bands(features)
    weights = validation.choice.weights if validation else None
    fused = fit_fused(groups, codes, classes, kind, scene, weights=weights, seed=seed)
    head = MapHead(
        replace(fused, temperature=validation.calibration.temperature) if validation else fused,
        prototypes=prototypes,
        guide=scene.scalers.get(RAW_BANDS) if smoothing else None,
        level=level,
        threshold=validation.candidates.threshold if validation else None,
        applicability=_applicability(fused, groups, codes, folds, seed),
    )
    return FittedMap(head, validation, notes)


def _counts(units: NDArray[np.integer[Any]] | None) -> NDArray[np.float64] | None:
    """How much evidence each pixel is, one a unit."""
    if units is None:
        return None
    _, number, size = np.unique(units, return_inverse=True, return_counts=True)
    counts: NDArray[np.float64] = 1.0 / size[number.reshape(-1)]
    return counts


def _applicability(
    fused: FusedHead, features: Features, codes: NDArray[np.integer[Any]], folds: NDArray[np.integer[Any]], seed: int
) -> Applicability | None:
    """In the group that is nearest to the rasters themselves."""
    group = NEARBY_GROUP if NEARBY_GROUP in fused.heads else next(iter(fused.heads))
    return Applicability.fit(group, fused.heads[group], features[group], codes, folds, seed=seed)
