"""Matrix products whose last bit does not depend on how many rows are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_ROWS = 128  # of one product, always the same, so that the batch cannot change a bit


def row_products(rows: NDArray[np.floating[Any]], matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    """`rows @ matrix` for `[n, D]` and `[D, K]` in float32, each row the same whatever its neighbours are."""
    count, width = rows.shape
    batches = -(-count // _ROWS)
    padded = np.empty((batches * _ROWS, width), np.float32)
    padded[:count], padded[count:] = rows, 0
    found: NDArray[np.float32] = np.matmul(padded.reshape(batches, _ROWS, width), matrix.astype(np.float32))
    return found.reshape(-1, matrix.shape[1])[:count]
