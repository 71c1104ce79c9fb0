"""Which pixels to label next: half where the heads doubt, of every class as many as it lacks, half anywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

DOUBTFUL = 0.2  # of the pixels that look like a class: among these the different ones are chosen
_COMPONENTS = 10


def suggest(
    probabilities: NDArray[np.floating[Any]],
    features: NDArray[np.floating[Any]],
    labelled: NDArray[np.integer[Any]],
    count: int,
    *,
    seed: int = 0,
) -> NDArray[np.int64]:
    """Indices of `count` (or all) of the pixels `[n]`, in the order in which they are worth a label.

    `probabilities` [n, K] are what a map of the labels so far says, `features` [n, D] in standard deviations what the
    pixels look like, `labelled` [K] how many labels each class has. Half of the new ones go to classes that have few,
    for a map is as good as its rarest class: of what looks like such a class the least certain fifth is cut into
    clusters (k-means of ten principal components), and the pixel nearest to the middle of each is taken. The other half
    is drawn at random: doubtful pixels are often mixed ones, and what the heads are wrongly sure of is never doubted.
    """
    chance = np.random.default_rng(seed)
    count = min(count, len(probabilities))
    ordered = np.sort(probabilities, axis=1)
    doubt = -(ordered[:, -1] - ordered[:, -2]) if probabilities.shape[1] > 1 else -ordered[:, -1]
    looks_like = probabilities.argmax(axis=1)
    simple = _components(features)
    chosen: list[int] = []
    for number, wanted in enumerate(_shares(np.asarray(labelled, np.int64), -(-count // 2))):
        own = np.flatnonzero(looks_like == number)
        if not wanted or not len(own):
            continue
        most = max(int(wanted), round(len(own) * DOUBTFUL))
        own = own[np.argsort(-doubt[own], kind="stable")[:most]]
        chosen += own[_middles(simple[own], int(wanted), seed)].tolist()
    rest = chance.permutation(np.setdiff1d(np.arange(len(probabilities)), chosen))
    found = np.array(chosen + rest[: count - len(chosen)].tolist(), np.int64)
    return found[np.argsort(-doubt[found], kind="stable")]


def _shares(labelled: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """How many of `count` new labels each class gets: in proportion to what it lacks to the mean of all."""
    lacking = np.maximum((labelled.sum() + count) / len(labelled) - labelled, 0.0)
    exact = lacking / lacking.sum() * count
    shares = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - shares), kind="stable")
    shares[order[: count - int(shares.sum())]] += 1
    return np.asarray(shares, np.int64)


def _components(features: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """The main components `[n, up to 10]`; what is not known counts as the mean."""
    known = np.where(np.isfinite(features), features, 0.0).astype(np.float64)
    centred = known - known.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred)
    found: NDArray[np.float64] = centred @ vectors[:, np.argsort(-values)[:_COMPONENTS]]
    return found


def _middles(points: NDArray[np.float64], count: int, seed: int) -> NDArray[np.int64]:
    """The point nearest to the middle of each of `count` clusters."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    different = len(np.unique(points, axis=0))
    if count >= different:
        return np.arange(min(count, len(points)))
    with threadpool_limits(limits=1):
        clusters = KMeans(count, random_state=seed, n_init=1).fit(points)
        distance = clusters.transform(points)
    return np.array([int(distance[:, number].argmin()) for number in range(count)])
