"""Values ↔ 8 bits, by a scale and offset a column: they belong to the checkpoint and sensor table, not to the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gfm_core.features.groups import Column

NODATA = 0


@dataclass(slots=True)
class Clipping:
    """How many stored values lay outside what 8 bits hold."""

    clipped: int = 0
    values: int = 0

    @property
    def share(self) -> float:
        """Between 0 and 1."""
        return self.clipped / self.values if self.values else 0.0

    def add(self, other: Clipping) -> None:
        """Count what another part counted."""
        self.clipped += other.clipped
        self.values += other.values


def quantise(values: NDArray[np.float32], columns: Sequence[Column], clipping: Clipping) -> NDArray[np.uint8]:
    """`values [columns, ...]` as bytes 1 to 255, NaN as 0; half rounds up. Adds to `clipping`."""
    stored = np.empty(values.shape, np.uint8)
    for number, (column, raw) in enumerate(zip(columns, values, strict=True)):  # one by one: there are many
        steps = (raw - np.float32(column.storage.offset)) / np.float32(column.storage.scale)
        steps += np.float32(0.5)
        np.floor(steps, out=steps)
        known = np.isfinite(raw)
        all_known = bool(known.all())
        if not all_known:
            steps[~known] = 1
        held = np.clip(steps, 1, 255)
        stored[number] = held
        if not all_known:
            stored[number][~known] = NODATA
        clipping.values += held.size if all_known else int(known.sum())
        clipping.clipped += int(np.count_nonzero(held != steps))
    return stored


def dequantise(stored: NDArray[np.uint8], columns: Sequence[Column]) -> NDArray[np.float32]:
    """The values again, NaN where nodata."""
    shape = (-1, *[1] * (stored.ndim - 1))
    scale = np.array([column.storage.scale for column in columns], np.float32).reshape(shape)
    offset = np.array([column.storage.offset for column in columns], np.float32).reshape(shape)
    values = stored.astype(np.float32)  # then in place: an embedding has many columns
    values *= scale
    values += offset
    values[stored == NODATA] = np.nan
    return values
