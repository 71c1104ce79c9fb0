"""Labelled pixels, and a fair sample of them that fits in memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gfm_core.classes import MapClass

_PENDING = 1_000_000  # pixels gathered before the sample is cut back


@dataclass(frozen=True, slots=True)
class LabelPixels:
    """Pixels with a class, by rows then columns: `rows`, `cols` int64 [n], `codes`, `units` int32 [n].

    A unit is what was labelled as one (a feature; a pixel of a label raster). `classes` are those that have pixels.
    """

    rows: NDArray[np.int64]
    cols: NDArray[np.int64]
    codes: NDArray[np.int32]
    units: NDArray[np.int32]
    classes: tuple[MapClass, ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.codes)


class Found(NamedTuple):
    """Pixels as they are found, one entry each: absolute rows and columns, class codes, units."""

    rows: NDArray[np.int64]
    cols: NDArray[np.int64]
    codes: NDArray[np.int32]
    units: NDArray[np.int32]

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Found:
        """Those entries only, in that order."""
        return Found(self.rows[chosen], self.cols[chosen], self.codes[chosen], self.units[chosen])


class ClassSampler:
    """Keeps at most `per_class` pixels of each class, drawn fairly and without regard to the order they come in.

    Every pixel has a random number of its own, made from `seed` and its place; the lowest of each class are kept. So
    the sample is the same however the raster is cut into blocks, and memory does not grow with the labels.
    """

    def __init__(self, per_class: int, seed: int) -> None:
        self.per_class = per_class
        self.conflicts: Counter[tuple[int, int]] = Counter()
        self._salt = np.random.default_rng(seed).integers(0, 2**63, dtype=np.uint64)
        self._kept = Found(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32))
        self._draws = np.zeros(0, np.uint64)
        self._pending: list[tuple[Found, NDArray[np.uint64]]] = []
        self._count = 0

    def add(self, found: Found) -> None:
        """Pixels that have not been added before."""
        if len(found.codes):
            self._pending.append((found, _draws(found.rows, found.cols, self._salt)))
            self._count += len(found.codes)
        if self._count > _PENDING:
            self._cut()

    def result(self) -> Found:
        """The sample, by rows then columns."""
        self._cut()
        order = np.lexsort((self._kept.cols, self._kept.rows))
        return self._kept.take(order)

    def _cut(self) -> None:
        parts = [self._kept, *(found for found, _ in self._pending)]
        whole = Found(
            np.concatenate([part.rows for part in parts]),
            np.concatenate([part.cols for part in parts]),
            np.concatenate([part.codes for part in parts]),
            np.concatenate([part.units for part in parts]),
        )
        draws = np.concatenate([self._draws, *(draw for _, draw in self._pending)])
        order = np.lexsort((draws, whole.codes))
        codes = whole.codes[order]
        starts = np.searchsorted(codes, codes, side="left")
        kept = order[np.arange(len(codes)) - starts < self.per_class]
        self._kept, self._draws = whole.take(kept), draws[kept]
        self._pending, self._count = [], 0


def _draws(rows: NDArray[np.int64], cols: NDArray[np.int64], salt: np.uint64) -> NDArray[np.uint64]:
    """A random number for each place: the finalizer of SplitMix64 (Steele et al. 2014, doi:10.1145/2660193.2660195)."""
    state = (rows.astype(np.uint64) << np.uint64(32)) + cols.astype(np.uint64)
    state ^= salt
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
