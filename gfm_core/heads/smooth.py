"""Probabilities averaged over near pixels that look alike: less speckle, edges where the image has them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Standard deviations of the raw bands over the scene: pixels that differ by more on average say little of each other.
# On nine scenes, in 9 x 9 pixels, .3 gained .007 / .004 / .003 macro-F1 at 5, 20 and 100 labels a class, and cost no
# scene more than .007; without the image's guidance the same windows cost up to .03.
SPREAD = 0.3


def smooth(probabilities: NDArray[np.float32], guide: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    """The bilateral mean (Tomasi & Manduchi 1998) of `probabilities` `[..., K, H, W]`, `radius` pixels less a side.

    `guide` `[..., B, H, W]`: raw bands in standard deviations, a pixel of NaN where none is known; such a pixel neither
    gives nor takes. Pixels whose probabilities are NaN give nothing, and stay NaN. Sums run in one fixed order.
    """
    if radius == 0:
        return probabilities
    core = (..., slice(radius, -radius), slice(radius, -radius))
    seen = np.asarray(np.isfinite(guide).all(axis=-3))
    known = np.isfinite(probabilities[..., 0, :, :])
    plain, bands = np.nan_to_num(probabilities), np.nan_to_num(guide)
    height, width = known.shape[-2] - 2 * radius, known.shape[-1] - 2 * radius
    total = np.zeros_like(plain[core])
    weights = np.zeros_like(total[..., :1, :, :])
    for row in range(2 * radius + 1):
        for col in range(2 * radius + 1):
            part = (..., slice(row, row + height), slice(col, col + width))
            apart = ((bands[part] - bands[core]) ** 2).mean(axis=-3, keepdims=True)
            alike = np.exp(apart * np.float32(-0.5 / SPREAD**2))
            counts = known[part] if (row, col) == (radius, radius) else known[part] & seen[part] & seen[core]
            weight = np.where(counts[..., None, :, :], alike, np.float32(0))
            total += weight * plain[part]
            weights += weight
    with np.errstate(invalid="ignore", divide="ignore"):
        found = total / weights
    return np.where(known[core][..., None, :, :], found, np.float32(np.nan))
