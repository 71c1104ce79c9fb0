"""The classifiers inside heads as plain arrays: fitted by scikit-learn, stored and read without any unpickling."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from gfm_core.errors import CheckpointError, LabelError
from gfm_core.features.products import row_products
from gfm_core.progress import stop_if_asked

Arrays = dict[str, NDArray[Any]]
Matrix = NDArray[np.float64]

FLOOR = 1e-13  # the least probability a class can get: log-probabilities stay finite and can be added
_TREES = 300
_TREES_AT_ONCE = 20
_NEIGHBOURS = 5
# Samples that forests and neighbours see: beyond 100 a class they gain nothing, while their size and the time that a
# pixel takes grow with every one.
_MOST_PER_CLASS = 300
_MOST_SAMPLES = 6_000
_FOREST_BYTES = 250_000_000  # every node holds a number a class: many classes must have smaller trees, and fewer
_FOREST_CLASSES = 1_000
_NEIGHBOUR_ROWS = 2048  # rows asked for at once, always as many, for the same reason as below
_NEARBY_WEIGHT = 50.0  # samples that the covariance of near pixels counts as; 150 is no better, 4 px apart is best
_RIDGE = 1e-3  # of the mean variance: near pixels may not differ at all in some columns


class Classifier(Protocol):
    """From standardised features to log-probabilities of classes 0 to K - 1."""

    def log_proba(self, standardised: NDArray[np.float32]) -> NDArray[np.float64]:
        """`[n, D]` → `[n, K]`, each row's probabilities summing to one but for the floor."""
        ...

    def arrays(self) -> Arrays:
        """Everything it is made of."""
        ...


@dataclass(frozen=True, slots=True)
class Linear:
    """Linear discriminant or logistic regression: softmax of `coefficients` [K, D] and `intercepts` [K].

    Classes are held for equally likely before a pixel is looked at: how many labels each got says little of how much
    ground it covers. On nine scenes that is worth .013 macro-F1 where labels are as frequent as their class.
    """

    coefficients: NDArray[np.float64]
    intercepts: NDArray[np.float64]

    @classmethod
    def fit_lda(
        cls, standardised: NDArray[np.float32], numbers: NDArray[np.int64], seed: int, nearby: Matrix | None
    ) -> Self:
        """Linear discriminant analysis, covariance shrunk by the rule of Ledoit and Wolf (2004).

        With `nearby` `[D, D]`, the covariance of differences between near pixels (most are of one class), it is shrunk
        towards that instead: a few labels say little about how a class varies, the scene says much.
        """
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        del seed  # nothing here is drawn
        if nearby is not None:
            return cls._towards(nearby, standardised.astype(np.float64), numbers)
        if len(numbers) == int(numbers.max()) + 1:
            # One sample a class tells no covariance: that of the scaling, one, leaves the nearest mean.
            means = standardised[np.argsort(numbers)].astype(np.float64)
            return cls(means, -0.5 * (means**2).sum(axis=1))
        count = int(numbers.max()) + 1
        estimator = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=np.full(count, 1 / count))
        return cls._fit(estimator, standardised, numbers)

    @classmethod
    def _towards(cls, nearby: Matrix, standardised: NDArray[np.float64], numbers: NDArray[np.int64]) -> Self:
        """Discriminants with one covariance: that of the samples within their classes and `nearby`, weighed."""
        counts = np.bincount(numbers)
        means = np.stack([standardised[numbers == number].mean(axis=0) for number in range(len(counts))])
        inside = standardised - means[numbers]
        free = len(numbers) - len(counts)
        covariance = (inside.T @ inside + _NEARBY_WEIGHT * nearby) / (free + _NEARBY_WEIGHT)
        covariance += _RIDGE * max(np.trace(covariance) / len(covariance), _RIDGE) * np.eye(len(covariance))
        coefficients = np.linalg.solve(covariance, means.T).T
        return cls(coefficients, -0.5 * (coefficients * means).sum(axis=1))

    @classmethod
    def fit_logistic(
        cls, standardised: NDArray[np.float32], numbers: NDArray[np.int64], seed: int, nearby: Matrix | None
    ) -> Self:
        """Logistic regression over all classes at once."""
        from sklearn.linear_model import LogisticRegression

        del nearby
        return cls._fit(
            LogisticRegression(C=0.1, class_weight="balanced", max_iter=500, random_state=seed), standardised, numbers
        )

    @classmethod
    def _fit(cls, estimator: Any, standardised: NDArray[np.float32], numbers: NDArray[np.int64]) -> Self:
        with warnings.catch_warnings():
            # A class with one sample has no covariance of its own (sklearn warns, then uses zeros: what we want); an
            # optimiser that stops at its last step is near enough.
            warnings.simplefilter("ignore")
            estimator.fit(standardised.astype(np.float64), numbers)
        coefficients = np.asarray(estimator.coef_, np.float64)
        intercepts = np.asarray(estimator.intercept_, np.float64)
        if len(coefficients) == 1:  # two classes: sigmoid(z) is the softmax of (0, z)
            coefficients = np.concatenate([np.zeros_like(coefficients), coefficients])
            intercepts = np.concatenate([np.zeros(1), intercepts])
        return cls(coefficients, intercepts)

    def log_proba(self, standardised: NDArray[np.float32]) -> NDArray[np.float64]:
        """See `Classifier`."""
        return log_softmax(row_products(standardised, self.coefficients.T) + self.intercepts)

    def arrays(self) -> Arrays:
        """See `Classifier`."""
        return {"coefficients": self.coefficients, "intercepts": self.intercepts}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], classes: int, features: int) -> Self:
        """From what `arrays` gave; CheckpointError if it does not fit."""
        coefficients, intercepts = arrays["coefficients"], arrays["intercepts"]
        if coefficients.shape != (classes, features) or intercepts.shape != (classes,):
            raise CheckpointError("its coefficients do not fit its classes and columns")
        return cls(coefficients.astype(np.float64), intercepts.astype(np.float64))


@dataclass(frozen=True, slots=True)
class Forest:
    """Extremely randomised trees. `nodes`: arrays of the nodes of all trees, one tree after another.

    `starts` [trees + 1] says where each tree begins; `left`, `right` are node numbers inside the tree (-1 in a leaf),
    `feature` and `threshold` the question of a node (left where the feature is not above it); `shares` [leaves, K] the
    classes in each leaf.
    """

    nodes: Arrays
    trees: tuple[Any, ...]  # scikit-learn's compiled trees, made from the arrays

    NAMES: ClassVar = ("starts", "left", "right", "feature", "threshold", "shares")

    @classmethod
    def fit(
        cls, standardised: NDArray[np.float32], numbers: NDArray[np.int64], seed: int, nearby: Matrix | None
    ) -> Self:
        """300 extra trees (Geurts et al. 2006) on at most 300 samples a class; above 300 classes fewer trees."""
        from sklearn.ensemble import ExtraTreesClassifier

        del nearby
        classes = int(numbers.max()) + 1
        if classes > _FOREST_CLASSES:
            raise LabelError(f"A forest has room for {_FOREST_CLASSES} classes, not {classes}; use head lda.")
        node_bytes = 2 * 8 * classes  # an inner node comes with every leaf
        leaves = max(classes, _FOREST_BYTES // (_TREES * node_bytes))
        count = int(np.clip(2 * _FOREST_BYTES // (leaves * node_bytes), 10, _TREES))
        chosen = thinned(numbers, seed)
        limit = leaves if leaves < len(chosen) else None
        # Each tree has its own seed, so threads change nothing here, nor do several calls; adding up in threads would.
        estimator = ExtraTreesClassifier(max_leaf_nodes=limit, random_state=seed, n_jobs=-1, warm_start=True)
        for grown in range(_TREES_AT_ONCE, count + _TREES_AT_ONCE, _TREES_AT_ONCE):
            stop_if_asked()
            estimator.set_params(n_estimators=min(grown, count))
            estimator.fit(standardised[chosen], numbers[chosen])
        trees = [item.tree_ for item in estimator.estimators_]
        return cls.from_arrays(_nodes(trees), classes, standardised.shape[1])

    def log_proba(self, standardised: NDArray[np.float32]) -> NDArray[np.float64]:
        """See `Classifier`."""
        total = np.zeros((len(standardised), self.nodes["shares"].shape[1]))
        features = np.ascontiguousarray(standardised, dtype=np.float32)
        for tree in self.trees:
            stop_if_asked()
            total += tree.predict(features).reshape(total.shape)
        return floored_log(total)

    def arrays(self) -> Arrays:
        """See `Classifier`."""
        return dict(self.nodes)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], classes: int, features: int) -> Self:
        """From what `arrays` gave; CheckpointError unless every tree can be walked without leaving it."""
        nodes = {name: arrays[name] for name in cls.NAMES}
        _check_trees(nodes, classes, features)
        starts = nodes["starts"].tolist()
        leaves = np.concatenate([[0], np.cumsum(nodes["left"] == -1)])
        trees = tuple(
            _compiled_tree(nodes, slice(first, stop), nodes["shares"][leaves[first] : leaves[stop]], features)
            for first, stop in itertools.pairwise(starts)
        )
        return cls(nodes, trees)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The five nearest samples, weighted by closeness: `samples` [m, D] of classes `numbers` [m]."""

    samples: NDArray[np.float32]
    numbers: NDArray[np.int64]
    estimator: Any  # scikit-learn's index of the samples

    @classmethod
    def fit(
        cls, standardised: NDArray[np.float32], numbers: NDArray[np.int64], seed: int, nearby: Matrix | None
    ) -> Self:
        """Keeps at most 300 samples a class."""
        del nearby
        chosen = thinned(numbers, seed)
        arrays: Arrays = {"samples": standardised[chosen], "numbers": numbers[chosen]}
        return cls.from_arrays(arrays, len(np.unique(numbers)), standardised.shape[1])

    def log_proba(self, standardised: NDArray[np.float32]) -> NDArray[np.float64]:
        """See `Classifier`."""
        shares = np.zeros((len(standardised), int(self.numbers.max()) + 1))
        for first in range(0, len(standardised), _NEIGHBOUR_ROWS):
            stop_if_asked()
            part = standardised[first : first + _NEIGHBOUR_ROWS]
            padded = np.zeros((_NEIGHBOUR_ROWS, standardised.shape[1]), np.float32)
            padded[: len(part)] = part
            shares[first : first + _NEIGHBOUR_ROWS] = self.estimator.predict_proba(padded)[: len(part)]
        return floored_log(shares)

    def arrays(self) -> Arrays:
        """See `Classifier`."""
        return {"samples": self.samples, "numbers": self.numbers}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], classes: int, features: int) -> Self:
        """From what `arrays` gave; CheckpointError if it does not fit."""
        from sklearn.neighbors import KNeighborsClassifier

        samples, numbers = np.ascontiguousarray(arrays["samples"], np.float32), arrays["numbers"].astype(np.int64)
        if samples.shape != (len(numbers), features) or not np.array_equal(np.unique(numbers), np.arange(classes)):
            raise CheckpointError("its samples do not fit its classes and columns")
        nearest = min(_NEIGHBOURS, len(numbers))
        estimator = KNeighborsClassifier(nearest, weights="distance", algorithm="brute").fit(samples, numbers)
        return cls(samples, numbers, estimator)


Fit = Callable[[NDArray[np.float32], NDArray[np.int64], int, Matrix | None], Classifier]  # the last two: see `fit_lda`

FITS: dict[str, Fit] = {
    "lda": Linear.fit_lda,
    "logistic": Linear.fit_logistic,
    "forest": Forest.fit,
    "knn": Neighbours.fit,
}
READS: dict[str, Callable[[Mapping[str, NDArray[Any]], int, int], Classifier]] = {
    "lda": Linear.from_arrays,
    "logistic": Linear.from_arrays,
    "forest": Forest.from_arrays,
    "knn": Neighbours.from_arrays,
}


def log_softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-probabilities of each row of scores."""
    # Few classes, many rows: sums over the first axis are far faster.
    by_class: NDArray[np.float64] = np.ascontiguousarray(scores.T)
    by_class = by_class - by_class.max(axis=0)
    by_class -= np.log(np.exp(by_class).sum(axis=0))
    return by_class.T


def cooled(logs: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Normalised log-probabilities at a temperature: above 1 less sure."""
    return log_softmax(logs / temperature)


def floored_log(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log of each row as probabilities, none below the floor."""
    probabilities = shares / shares.sum(axis=1, keepdims=True)
    logs: NDArray[np.float64] = np.log(np.maximum(probabilities, FLOOR))
    return logs


def thinned(numbers: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Indices, rising, of at most 300 samples of each class (fewer of many), drawn by `seed`."""
    most = int(np.clip(_MOST_SAMPLES // (int(numbers.max()) + 1), 5, _MOST_PER_CLASS))
    order = np.random.default_rng(seed).permutation(len(numbers))
    by_class = order[np.argsort(numbers[order], kind="stable")]
    sorted_numbers = numbers[by_class]
    rank = np.arange(len(numbers)) - np.searchsorted(sorted_numbers, sorted_numbers, side="left")
    return np.sort(by_class[rank < most])


def _nodes(trees: list[Any]) -> Arrays:
    """The arrays of a fitted forest."""
    left = np.concatenate([tree.children_left for tree in trees]).astype(np.int32)
    threshold = np.concatenate([tree.threshold for tree in trees])
    # Features are float32, so `x <= threshold` is the same question with the next float32 below: half the size.
    single = threshold.astype(np.float32)
    return {
        "starts": np.cumsum([0, *(tree.node_count for tree in trees)], dtype=np.int64),
        "left": left,
        "right": np.concatenate([tree.children_right for tree in trees]).astype(np.int32),
        "feature": np.concatenate([tree.feature for tree in trees]).astype(np.int32),
        "threshold": np.where(single > threshold, np.nextafter(single, np.float32(-np.inf)), single),
        "shares": np.concatenate([tree.value[:, 0, :] for tree in trees])[left == -1].astype(np.float32),
    }


def _check_trees(nodes: Arrays, classes: int, features: int) -> None:
    """Refuse what compiled code would follow out of its memory, or in circles."""
    starts, left, right, feature, threshold, shares = (nodes[name] for name in Forest.NAMES)
    count = left.size
    fits = (
        all(item.ndim == 1 and item.dtype.kind == "i" for item in (starts, left, right, feature))
        and len(starts) >= 2
        and bool(starts[0] == 0)
        and bool(starts[-1] == count)
        and bool((np.diff(starts) > 0).all())
        and right.shape == feature.shape == threshold.shape == (count,)
        and shares.shape == (int((left == -1).sum()), classes)
    )
    if not fits:
        raise CheckpointError("its trees are not whole")
    sizes = np.diff(starts)
    own, size = np.arange(count) - np.repeat(starts[:-1], sizes), np.repeat(sizes, sizes)
    leaf = (left == -1) & (right == -1)
    # Trees grow from the root, so children come after their parent: no way back, no circles.
    inner = (left > own) & (right > own) & (left < size) & (right < size) & (feature >= 0) & (feature < features)
    if not (leaf | inner).all() or not (shares.sum(axis=1) > 0).all() or (shares < 0).any():
        raise CheckpointError("its trees point outside themselves")


def _compiled_tree(nodes: Arrays, span: slice, shares: NDArray[np.float32], features: int) -> Any:
    """scikit-learn's tree from the checked nodes `span`, in the layout of whichever release is installed."""
    from sklearn.tree._tree import Tree

    tree = Tree(features, np.array([shares.shape[1]], dtype=np.intp), 1)
    count = span.stop - span.start
    table = np.zeros(count, dtype=tree.__getstate__()["nodes"].dtype)
    table["left_child"], table["right_child"] = nodes["left"][span], nodes["right"][span]
    table["feature"], table["threshold"] = nodes["feature"][span], nodes["threshold"][span]
    values = np.zeros((count, 1, shares.shape[1]))
    values[nodes["left"][span] == -1, 0] = shares
    tree.__setstate__({"max_depth": count, "node_count": count, "nodes": table, "values": values})
    return tree
