"""Values ↔ 8 bits, by a scale and offset a column that belong to the checkpoint and the sensor table, not to the file."""

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


def quantise(values: NDArray[np.float32], columns: Sequence[Column], clipping: Clipping) -> NDArray[np.uint8]:
    """`values [columns, ...]` as bytes 1 to 255, NaN as 0; half rounds up. Adds to `clipping`."""
    shape = (-1, *[1] * (values.ndim - 1))
    scale = np.array([column.storage.scale for column in columns], np.float32).reshape(shape)
    offset = np.array([column.storage.offset for column in columns], np.float32).reshape(shape)
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        steps = np.floor((values - offset) / scale + np.float32(0.5))
    held = np.where(known, np.clip(steps, 1, 255), NODATA)
    clipping.values += int(known.sum())
    clipping.clipped += int((known & (held != steps)).sum())
    return held.astype(np.uint8)


def dequantise(stored: NDArray[np.uint8], columns: Sequence[Column]) -> NDArray[np.float32]:
    """The values again, NaN where nodata."""
    shape = (-1, *[1] * (stored.ndim - 1))
    scale = np.array([column.storage.scale for column in columns], np.float32).reshape(shape)
    offset = np.array([column.storage.offset for column in columns], np.float32).reshape(shape)
    return np.where(stored == NODATA, np.float32(np.nan), stored * scale + offset).astype(np.float32)
