"""What a map is worth with few labels, by the protocol of the development scenes, read by the product's own path.

    python benchmarks/quality.py [SCENE ...] [--seeds 5] [--model nano] [--model RUN] [--untrained 2] [--pieces]

For every scene and every draw of 5, 20 and 100 labelled pixels a class (trained and tested on separate squares):
what `gfm classify` makes of them with `--groups auto`, the same without a network, with each model's and with untrained
ones, each network alone, and the protocol's own controls on the same pixels. A line a scene, one table, one JSON, one
picture. A difference is the mean over draws of the paired differences, ± its standard error: it speaks of that scene.
Over the scenes the standard error is that over scenes. Calibration and the coverage of candidates are those on the
test squares. Where the protocol's folder is absent this says so and ends with 0. See `scenes.py` for what is read.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scenes import FILES, PROTOCOL, Case, load_models, named, open_case, protocol_module
from sklearn.metrics import f1_score

from gfm_core.classes import MapClass
from gfm_core.heads.calibrate import reliability
from gfm_core.heads.fuse import Features, fit_fused
from gfm_core.heads.mapper import MapHead, fit_map_head
from gfm_core.heads.smooth import smooth
from gfm_core.heads.validate import RAW_BANDS, without_bands
from gfm_core.labels.folds import spatial_folds
from gfm_core.tools.map_labels import REACH, ground_metres

RESULTS = Path(__file__).parent / "results" / "quality.json"
AUTO, WITHOUT = "auto", "auto without network"
STATS, CONTROL = "control: bands+stats", "control: fine & coarse"
POOLED = "calibration error over all draws"
LEVEL = 0.9
_CHUNK = 400  # test pixels whose surroundings are looked at together

Scores = dict[str, dict[int, list[float]]]  # by what was scored and labels a class: one a draw


def main() -> int:
    """Score the scenes asked for, print a line each and the table, write JSON and picture."""
    args = _arguments()
    if not (PROTOCOL / "protocol.py").is_file():
        print(f"skipped: {PROTOCOL} holds no protocol.py; set GFM_EVAL")
        return 0
    models = load_models(args.model, args.untrained)
    results: dict[str, Any] = {}
    for name in args.scenes or FILES:
        begun = time.perf_counter()
        case, folder = open_case(name, models)
        with folder:
            if case is None:
                print(f"{name}: skipped, its files are not there")
                continue
            scores, trust = measure(case, args.seeds, pieces=args.pieces)
            case.close()
        results[name] = {
            "classes": [case.scene.classes[int(code)] for code in np.unique(case.y)], "pixels": len(case.y),
            "seconds": time.perf_counter() - begun, "scores": scores, "trust": trust,
        }  # fmt: skip
        print(_line(name, results[name], list(models)), flush=True)
        args.out.parent.mkdir(parents=True, exist_ok=True)
        digests = {model: loaded.sha256 for model, loaded in models.items()}
        args.out.write_text(json.dumps({"models": digests, "seeds": args.seeds, "scenes": results}, indent=1) + "\n")
    if len(results) > 1:
        print(_over_scenes(results, list(models)))
        draw(args.out.with_suffix(".svg"), results, list(models))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help=f"default: all of {', '.join(FILES)}")
    parser.add_argument("--seeds", type=int, default=5, help="draws a scene (20 for a claim)")
    parser.add_argument("--model", action="append", default=None, help="name, checkpoint or run; repeatable")
    parser.add_argument("--untrained", type=int, default=2, help="random initialisations of the first model")
    parser.add_argument("--pieces", action="store_true", help="also what each part of `auto` adds")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    args.model = args.model or ["nano"]
    unknown = sorted(set(args.scenes) - set(FILES))
    if unknown:
        parser.error(f"unknown scene {unknown[0]}; use {', '.join(FILES)}")
    return args


# --- scores ---------------------------------------------------------------------------------------------------------


def measure(case: Case, seeds: int, *, pieces: bool = False) -> tuple[Scores, dict[str, dict[int, list[float]]]]:
    """Macro-F1 of every feature set in every draw; calibration error and coverage of `auto` with the first model."""
    protocol = protocol_module("protocol")
    draws = [protocol.draw(case.y, case.rc, seed, case.block) for seed in range(seeds)]
    scores: Scores = {
        f"control: {name}": {k: values.tolist() for k, values in protocol.score(blocks, case.y, draws, "lda").items()}
        for name, blocks in case.controls().items()
    }
    trust: Scores = {}
    said: dict[int, list[tuple[NDArray[np.float64], NDArray[np.int64]]]] = {}
    for one in draws:
        heads = {
            (kind, k): head
            for k, train in one.train.items()
            for kind, head in _heads(case, train, pieces=pieces).items()
        }
        for (kind, k), (logs, calm) in predicted(case, heads, one.test).items():
            codes = np.array([item.code for item in heads[kind, k].classes])
            truth = case.y[one.test]
            found = f1_score(truth, codes[np.argmax(logs, axis=1)], average="macro")
            scores.setdefault(kind, {}).setdefault(k, []).append(float(found))
            if kind == AUTO:
                numbers = np.searchsorted(codes, truth)
                said.setdefault(k, []).append((np.log(np.maximum(logs, 1e-12)), numbers))
                for what, value in _trust(heads[kind, k], logs, calm, numbers).items():
                    trust.setdefault(what, {}).setdefault(k, []).append(value)
    # Of single draws a part is the chance of a few squares; over all of them it is what the scene's maps say too much.
    trust[POOLED] = {
        k: [reliability(*(np.concatenate(part) for part in zip(*parts, strict=True)), _ones(parts))[0]]
        for k, parts in said.items()
    }
    return scores, trust


def _ones(parts: list[tuple[NDArray[np.float64], NDArray[np.int64]]]) -> NDArray[np.float64]:
    return np.ones(sum(len(truth) for _, truth in parts))


def _heads(case: Case, train: NDArray[np.int64], *, pieces: bool) -> dict[str, MapHead]:
    """Heads on the labelled pixels `train`, by what is asked."""
    codes = case.y[train]
    classes = tuple(MapClass(int(code), str(code), str(code)) for code in np.unique(case.y))
    rows, cols = case.rc[train].T
    grid = case.source.features.grid
    x, y = ground_metres(grid, rows, cols)
    reach = REACH * float(np.sqrt(grid.pixel_area_m2))
    folds = spatial_folds(x, y, codes, units=np.arange(len(codes)), reach=reach).numbers
    first = case.networks[0]
    every = {group: values[train] for group, values in case.candidates.items()}

    def fitted(blocks: Features, model: str, **options: Any) -> MapHead:
        return fit_map_head(
            blocks, codes, folds, classes, "lda", scene=case.facts_with(model),
            prototypes=case.source.features.prototypes, level=LEVEL, **options,
        ).head  # fmt: skip

    heads = {WITHOUT: fitted(_but("network", named(first, every)), first)}
    for model in case.networks:
        heads[AUTO if model == first else f"auto with {model}"] = fitted(named(model, every), model)
        alone = fit_fused({"network": named(model, every)["network"]}, codes, classes, "lda", case.facts_with(model))
        heads[f"network {model} alone"] = MapHead(alone)
    if pieces:
        heads |= _pieces(heads[AUTO], named(first, every), codes, classes, case)
    return heads


def _pieces(
    auto: MapHead, blocks: Features, codes: Any, classes: tuple[MapClass, ...], case: Case
) -> dict[str, MapHead]:
    """`auto` without one of its parts, by name."""
    equal = replace(auto.fused, weights=dict.fromkeys(auto.fused.heads, 1 / len(auto.fused.heads)))
    facts = replace(case.facts_with(case.networks[0]), nearby={})
    plain = fit_fused(without_bands(blocks), codes, classes, "lda", facts, weights=auto.fused.weights)
    found = {
        "auto, equal weights": replace(auto, fused=equal),
        "auto, not smoothed": replace(auto, guide=None),
        "auto, no near pixels": replace(auto, fused=plain),
    }
    for group in auto.fused.heads:
        kept = {name: head for name, head in auto.fused.heads.items() if name != group}
        found[f"auto without {group}, equal"] = replace(
            auto, fused=replace(equal, heads=kept, weights=dict.fromkeys(kept, 1 / len(kept)))
        )
    return found


def predicted(
    case: Case, heads: dict[Any, MapHead], test: NDArray[np.int64]
) -> dict[Any, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Probabilities `[n, K]` of test pixels by head, as the map has them, and before they were smoothed."""
    near = case.source.near
    side = np.arange(-near, near + 1)
    found: dict[Any, list[NDArray[np.float64]]] = {key: [] for key in heads}
    before: dict[Any, list[NDArray[np.float64]]] = {key: [] for key in heads}
    for start in range(0, len(test), _CHUNK):
        pixels = case.rc[test[start : start + _CHUNK]]
        rows = (pixels[:, 0, None, None] + side[:, None]) + np.zeros_like(side)
        cols = (pixels[:, 1, None, None] + side) + np.zeros_like(side)[:, None]
        blocks = case.at(rows.ravel(), cols.ravel())
        by_model = {model: named(model, blocks) for model in case.networks}
        for key, head in heads.items():
            cube = np.exp(head.fused.log_proba(by_model[_model_of(key[0], case)]))
            cube = np.moveaxis(cube.reshape(*rows.shape, -1), -1, 1).astype(np.float32)
            before[key].append(cube[..., near, near])
            if head.guide is None:
                found[key].append(cube[..., near, near])
                continue
            guide = head.guide_of(blocks[RAW_BANDS])
            guide = np.moveaxis(guide.reshape(*rows.shape, -1), -1, 1)
            found[key].append(smooth(cube, guide, near)[..., 0, 0])
    return {
        key: (_filled(np.concatenate(found[key])), _filled(np.concatenate(before[key]))) for key in heads
    }  # fmt: skip


def _model_of(kind: str, case: Case) -> str:
    return next((model for model in case.networks[1:] if f" {model}" in kind), case.networks[0])


def _filled(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Even shares where a map has nothing: the protocol asks everywhere."""
    return np.where(np.isfinite(probabilities), probabilities, 1 / probabilities.shape[1])


def _trust(head: MapHead, smoothed: Any, plain: Any, truth: NDArray[np.int64]) -> dict[str, float]:
    """On the test squares: how far probabilities are off, how often candidates hold the truth, how many they are."""
    logs = np.log(np.maximum(smoothed, 1e-12))
    uncalibrated = np.log(np.maximum(plain, 1e-12)) * head.fused.temperature
    sets = smoothed >= (head.threshold or 0.0)
    return {
        "calibration error": reliability(logs, truth, np.ones(len(truth)))[0],
        "calibration error before": reliability(uncalibrated, truth, np.ones(len(truth)))[0],
        "coverage": float(sets[np.arange(len(truth)), truth].mean()),
        "sure": float((sets.sum(axis=1) == 1).mean()),
        "two candidates": float((sets.sum(axis=1) == 2).mean()),
    }


def _but(group: str, blocks: Features) -> Features:
    return {name: values for name, values in blocks.items() if name != group}


# --- tables ---------------------------------------------------------------------------------------------------------


def _differences(models: list[str], scores: Scores) -> dict[str, tuple[str, str]]:
    """What is asked, and the two feature sets whose difference answers it."""
    first = models[0]
    asked = {
        "auto - bands+stats": (AUTO, STATS),
        "auto - fine & coarse": (AUTO, CONTROL),
        f"{first}'s gain in auto": (AUTO, WITHOUT),
    }
    for model in models[1:]:
        asked[f"{first} - {model}, in auto"] = (AUTO, f"auto with {model}")
        asked[f"{first} - {model}, alone"] = (f"network {first} alone", f"network {model} alone")
    asked |= {f"auto - ({name})": (AUTO, name) for name in scores if name.startswith(("auto,", "auto without"))}
    return asked


def _paired(scores: Scores, first: str, second: str) -> list[tuple[float, float]]:
    """Mean over draws of the paired difference and its standard error, for each k."""
    pairs = []
    for k in scores[first]:
        difference = np.subtract(scores[first][k], scores[second][k])
        spread = difference.std(ddof=1) / np.sqrt(len(difference)) if len(difference) > 1 else np.nan
        pairs.append((float(difference.mean()), float(spread)))
    return pairs


def _told(pairs: list[tuple[float, float]]) -> str:
    return " / ".join(f"{mean:+.3f}±{error:.3f}" for mean, error in pairs)


def _means(scores: Scores, name: str) -> str:
    return " / ".join(f"{np.mean(values):.3f}" for values in scores[name].values())


def _line(name: str, result: dict[str, Any], models: list[str]) -> str:
    """A scene in one line: auto, the controls, and the paired differences."""
    scores, trust = result["scores"], result["trust"]
    asked = {what: sets for what, sets in _differences(models, scores).items() if not what.startswith("auto - (")}
    told = ", ".join(f"{what} {_told(_paired(scores, *sets))}" for what, sets in asked.items())
    return (
        f"{name} ({len(result['classes'])} classes, {result['pixels']} pixels, {result['seconds']:.0f} s): auto "
        f"{_means(scores, AUTO)}, bands+stats {_means(scores, STATS)}; {told}; calibration error "
        f"{_means(trust, POOLED)}, coverage {_means(trust, 'coverage')}"
    )


def _over_scenes(results: dict[str, Any], models: list[str]) -> str:
    """Means over the scenes; differences with their standard error over scenes, and the worst scene."""
    every = [result["scores"] for result in results.values()]
    ks = list(next(iter(every[0].values())))
    lines = [f"\n{len(every)} scenes, mean macro-F1", f"| features | k = {' / '.join(map(str, ks))} |", "|---|---|"]
    for name in every[0]:
        means = np.mean([[np.mean(values) for values in scores[name].values()] for scores in every], axis=0)
        lines.append(f"| {name} | {' / '.join(f'{mean:.3f}' for mean in means)} |")
    lines += ["", "| difference | mean ± standard error over scenes | worst scene |", "|---|---|---|"]
    for what, sets in _differences(models, every[0]).items():
        means = np.array([[mean for mean, _ in _paired(scores, *sets)] for scores in every])
        errors = means.std(axis=0, ddof=1) / np.sqrt(len(means))
        worst = " / ".join(f"{value:+.3f}" for value in means.min(axis=0))
        lines.append(f"| {what} | {_told(list(zip(means.mean(axis=0), errors, strict=True)))} | {worst} |")
    trust = [result["trust"] for result in results.values()]
    for what in trust[0]:
        means = np.mean([[np.mean(values) for values in one[what].values()] for one in trust], axis=0)
        lines.append(f"| {what} | {' / '.join(f'{mean:.3f}' for mean in means)} | |")
    return "\n".join(lines)


def draw(path: Path, results: dict[str, Any], models: list[str]) -> None:
    """A picture: a row a scene, `auto` and the controls on one axis, a panel a number of labels."""
    names = [WITHOUT, STATS, AUTO]
    colours = {STATS: "#8a8f94", WITHOUT: "#6fb7a5", AUTO: "#17725f"}
    ks = list(next(iter(results.values()))["scores"][AUTO])
    width, row, left = 230, 22, 120
    height = 60 + row * len(results)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width * len(ks) + 10} {height + 20}" '
        'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="white"/>'
    ]
    for panel, k in enumerate(ks):
        x0 = left + panel * width
        parts.append(f'<text x="{x0 + width / 2 - 20}" y="16">{k} labels a class</text>')
        for tick in range(2, 11, 2):
            x = x0 + (width - 20) * tick / 10
            parts.append(
                f'<line x1="{x}" x2="{x}" y1="24" y2="{height - 22}" stroke="#e3e6e8"/>'
                f'<text x="{x - 7}" y="{height - 8}" fill="#5c646b">{tick / 10:g}</text>'
            )
        for number, (name, result) in enumerate(results.items()):
            y = 36 + row * number
            if panel == 0:
                parts.append(f'<text x="4" y="{y + 4}">{name}</text>')
            for what in names:
                x = x0 + (width - 20) * float(np.mean(result["scores"][what][k]))
                parts.append(f'<circle cx="{x:.1f}" cy="{y}" r="4.5" fill="{colours[what]}"/>')
    for number, what in enumerate(names):
        x = left + 170 * number
        shown = f"auto ({models[0]})" if what == AUTO else what
        parts.append(f'<circle cx="{x}" cy="{height + 8}" r="4.5" fill="{colours[what]}"/>')
        parts.append(f'<text x="{x + 10}" y="{height + 12}">{shown}</text>')
    path.write_text("\n".join([*parts, "</svg>", ""]))


if __name__ == "__main__":
    sys.exit(main())
