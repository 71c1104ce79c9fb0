"""Are labels at suggested places worth more than labels anywhere? Ten a class in all, two of each given.

    python benchmarks/suggest.py [SCENE ...] [--seeds 6] [--rounds 8]

For every development scene and draw of `quality.py`: two labels a class are given, the rest is chosen in rounds by
`gfm suggest`'s rule from pixels of the training squares, drawn at random from the same, or drawn evenly by class (which
needs to know the map). Macro-F1 on the test squares of the heads that `gfm suggest` fits. See `scenes.py`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scenes import FILES, PROTOCOL, Case, load_models, named, open_case, protocol_module
from sklearn.metrics import f1_score

from gfm_core.classes import MapClass
from gfm_core.heads.fuse import fit_fused
from gfm_core.heads.suggest import suggest
from gfm_core.heads.validate import without_bands

RESULTS = Path(__file__).parent / "results" / "suggest.json"
GIVEN, IN_ALL = 2, 10
_POOL = 3000
_RANDOM = 4  # draws of labels anywhere: one differs from the next by .016 on average of nine scenes


def main() -> int:
    """Score the scenes asked for, print a line each and the means."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help=f"default: all of {', '.join(FILES)}")
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    if not (PROTOCOL / "protocol.py").is_file():
        print(f"skipped: {PROTOCOL} holds no protocol.py; set GFM_EVAL")
        return 0
    results: dict[str, dict[str, list[float]]] = {}
    for name in args.scenes or FILES:
        case, folder = open_case(name, load_models(["nano"], 0))
        with folder:
            if case is None:
                continue
            results[name] = _measure(case, args.seeds, args.rounds)
            case.close()
        means = {what: round(float(np.mean(values)), 3) for what, values in results[name].items()}
        print(f"{name}: {means}", flush=True)
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps({"rounds": args.rounds, "scenes": results}, indent=1) + "\n")
    gains = [np.mean(np.subtract(scores["suggested"], scores["anywhere"])) for scores in results.values()]
    error = np.std(gains, ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else np.nan
    print(f"suggested - anywhere: {np.mean(gains):+.3f} ± {error:.3f} over scenes, worst {min(gains):+.3f}")
    return 0


def _measure(case: Case, seeds: int, rounds: int) -> dict[str, list[float]]:
    protocol = protocol_module("protocol")
    scores: dict[str, list[float]] = {}
    labels = np.where(np.isin(case.scene.labels, np.unique(case.y)), case.scene.labels, 0)
    for seed in range(seeds):
        one = protocol.draw(case.y, case.rc, seed, case.block)
        chance = np.random.default_rng(seed)
        pool = _pool(case, labels, one.train[max(one.train)], chance)
        trial = _Trial(case, pool, labels[pool[:, 0], pool[:, 1]].astype(np.int64), one.test)
        given = np.concatenate(
            [chance.permutation(np.flatnonzero(trial.truth == code))[:GIVEN] for code in np.unique(case.y)]
        )
        total = IN_ALL * len(np.unique(case.y))
        left = np.setdiff1d(np.arange(len(pool)), given)
        anywhere = [chance.permutation(left)[: total - len(given)] for _ in range(_RANDOM)]
        by_class = [chance.permutation(np.flatnonzero(trial.truth == code))[:IN_ALL] for code in np.unique(case.y)]
        chosen = given
        for number in range(rounds):
            count = (total - len(given)) * (number + 1) // rounds - (total - len(given)) * number // rounds
            chosen = np.concatenate([chosen, trial.suggested(chosen, count, seed + 100 * number)])
        for what, labelled in {
            "given": given, "suggested": chosen, "even by class": np.concatenate(by_class),
        }.items():  # fmt: skip
            scores.setdefault(what, []).append(trial.score(labelled))
        found = [trial.score(np.concatenate([given, places])) for places in anywhere]
        scores.setdefault("anywhere", []).append(float(np.mean(found)))
    return scores


def _pool(case: Case, labels: NDArray[Any], train: NDArray[np.int64], chance: np.random.Generator) -> NDArray[np.int64]:
    """Labelled pixels `[n, 2]` of the ground squares that hold training pixels, drawn at random by area."""
    side = case.block // 3
    squares = np.unique(case.rc[train] // side, axis=0)
    everywhere = np.argwhere(labels > 0)
    width = labels.shape[1] // side + 1
    inside = np.isin(everywhere[:, 0] // side * width + everywhere[:, 1] // side, squares[:, 0] * width + squares[:, 1])
    every = everywhere[inside]
    return every[chance.permutation(len(every))[:_POOL]]


class _Trial:
    """One draw: a pool of pixels whose classes can be asked for, and pixels to test on."""

    def __init__(self, case: Case, pool: NDArray[np.int64], truth: NDArray[np.int64], test: NDArray[np.int64]) -> None:
        self.model = case.networks[0]
        self.facts, self.truth, self.tested = case.facts_with(self.model), truth, case.y[test]
        self.pool = self._features(case, pool)
        self.test = self._features(case, case.rc[test])
        self.classes = tuple(MapClass(int(code), str(code), str(code)) for code in np.unique(case.y))

    def _features(self, case: Case, places: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
        return dict(without_bands(named(self.model, case.at(places[:, 0].copy(), places[:, 1].copy()))))

    def _head(self, labelled: NDArray[np.int64]) -> Any:
        known = {group: values[labelled] for group, values in self.pool.items()}
        return fit_fused(known, self.truth[labelled], self.classes, "lda", self.facts)

    def suggested(self, labelled: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
        """The next pixels of the pool."""
        head = self._head(labelled)
        rest = np.setdiff1d(np.arange(len(self.truth)), labelled)
        left = {group: values[rest] for group, values in self.pool.items()}
        return rest[suggest(head.by_group(left), count, seed=seed)]

    def score(self, labelled: NDArray[np.int64]) -> float:
        """Macro-F1 on the test squares."""
        predicted, _ = self._head(labelled).predict(self.test)
        return float(f1_score(self.tested, predicted, average="macro"))


if __name__ == "__main__":
    sys.exit(main())
