"""Few-label macro-F1 of the product's feature groups and heads beside hand-made controls, on the same pixels.

    python benchmarks/controls.py [SCENE ...] [--seeds 5] [--model nano] [--model RUN] [--untrained]

The scenes, the candidate pixels, the draws (5, 20 and 100 labelled pixels a class, trained and tested on separate
squares) and the controls are those of a folder with `protocol.py`, `scenes.py` and `controls.py` (`--protocol`, or
GFM_EVAL, default `../shared/eval`); the rasters lie in its neighbour `data` (GFM_EVAL_DATA). Where the folder is absent
this says so and ends with 0. Ours are read through the product: `open_stack` at native resolution, the embedding in
8 bits as `gfm embed` stores it, and the features of the map's own pixels.

A difference is the mean over seeds of the paired differences, ± its standard error: it speaks of that scene. Over the
scenes the standard error is that over scenes.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import torch
from sklearn.metrics import f1_score

import gfm_core as gfm
from gfm_core.classes import MapClass
from gfm_core.embedding.file import EmbeddingFile
from gfm_core.embedding.make import Recipe, make_embedding
from gfm_core.embedding.map_grid import MapGrid, StackFeatures
from gfm_core.embedding.pipeline import Engine
from gfm_core.features.groups import band_positions
from gfm_core.features.scaler import Scaler
from gfm_core.heads.fuse import fit_fused
from gfm_core.model.jepa import build_model
from gfm_core.model.precision import resolve_precision
from gfm_core.progress import Reporter
from gfm_core.raster.frame import Frame, Region
from gfm_core.tools.map_inputs import MapInputs

RESULTS = Path(__file__).parent / "results" / "controls.json"
PROTOCOL = Path(__file__).resolve().parents[2] / "shared" / "eval"
UNTRAINED = "untrained"

_TERRAMESH = ("s2_l2a.tif", "s1_rtc_db.tif", "dem.tif")
FILES = {  # of each scene, in the folder of the data, as a user would name them
    "brandenburg": ("brandenburg", ("s2_l1c_10m.tif", "s2_l1c_20m.tif", "s2_l1c_60m.tif")),
    "north_carolina": ("north_carolina", ("lsat7_28m.tif",)),
    "gewata": ("gewata", ("landsat7_30m.tif",)),
    "patagonia": ("terramesh/patagonia", _TERRAMESH),
    "parana": ("terramesh/parana", _TERRAMESH),
    "kenya": ("terramesh/kenya", _TERRAMESH),
    "languedoc": (
        "languedoc",
        tuple(f"s2_l2a_{date}_{gsd}m.tif" for date in ("2018-04-18", "2018-07-07", "2018-09-20") for gsd in (10, 20)),
    ),
    "west_virginia": ("west_virginia", ("naip_new.tif:date=2014-07-01", "naip_old.tif:date=2011-07-01")),
    "kootenay": ("kootenay", ("ortho_rgb.tif",)),
    "taizhou": ("taizhou", ("landsat7_2000.tif", "landsat7_2003.tif")),
}

Blocks = dict[str, np.ndarray]  # [n, D] by group


def main() -> int:
    """Score the scenes asked for, print a line and a table each, write all as JSON."""
    args = _arguments()
    if not (args.protocol / "protocol.py").is_file():
        print(f"skipped: {args.protocol} holds no protocol.py; give --protocol FOLDER or set GFM_EVAL")
        return 0
    sys.path.insert(0, str(args.protocol))
    protocol, scenes, controls = (importlib.import_module(name) for name in ("protocol", "scenes", "controls"))
    torch.set_num_threads(1)
    loaded = load_models(args.model, untrained=args.untrained)
    models = list(loaded)
    results: dict[str, Any] = {}
    for name in args.scenes or FILES:
        begun = time.perf_counter()
        try:
            scene = scenes.SCENES[name]()
        except rasterio.errors.RasterioIOError:
            print(f"{name}: skipped, its files are not in {scenes.DATA}")
            continue
        rc, y = protocol.candidates(scene.labels, block=scene.block)
        draws = [protocol.draw(y, rc, seed, scene.block) for seed in range(args.seeds)]
        ours, notes = product_features(name, scene, rc, scenes.DATA, loaded)
        filled = {group: _filled(values) for group, values in ours.items()}
        sets = {**control_blocks(controls, scene, rc), **_sets(filled, models)}
        scores = {key: protocol.score(blocks, y, draws, "lda") for key, blocks in sets.items()}
        scores.update(_own_scores(_answerable(ours, filled), models, y, draws))
        results[name] = {
            "classes": [scene.classes[int(code)] for code in np.unique(y)], "pixels": len(y), "notes": notes,
            "seconds": time.perf_counter() - begun,
            "scores": {key: {str(k): values.tolist() for k, values in found.items()} for key, found in scores.items()},
        }  # fmt: skip
        print(_line(name, results[name], models), flush=True)
        if args.verbose:
            print(_table(results[name]["scores"], _differences(models)), flush=True)
        _write(args.out, results, loaded, args.seeds)
    if len(results) > 1:
        print(_over_scenes(results, models))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help=f"default: all of {', '.join(FILES)}")
    parser.add_argument("--seeds", type=int, default=5, help="draws a scene (20 for a claim)")
    parser.add_argument("--model", action="append", default=None, help="name, checkpoint or run; repeatable")
    parser.add_argument("--untrained", action="store_true", help="also the first model with random weights (seed 0)")
    parser.add_argument("--verbose", action="store_true", help="a table of every feature set a scene")
    parser.add_argument("--protocol", type=Path, default=Path(os.environ.get("GFM_EVAL", PROTOCOL)))
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    args.model = args.model or ["nano"]
    unknown = sorted(set(args.scenes) - set(FILES))
    if unknown:
        parser.error(f"unknown scene {unknown[0]}; use {', '.join(FILES)}")
    return args


# --- features -------------------------------------------------------------------------------------------------------


def product_features(
    name: str, scene: Any, rc: np.ndarray, data: Path, models: dict[str, gfm.LoadedModel]
) -> tuple[Blocks, list[str]]:
    """Features of the candidate pixels `rc [n, 2]` as the product makes them, NaN where absent; and what was noted."""
    with tempfile.TemporaryDirectory(prefix="gfm-controls-") as folder:
        stack = gfm.open_stack(_rasters(name, scene, data, Path(folder)))
        finest = stack.finest
        grid = MapGrid(Frame(finest.crs, scene.transform), Region(0, 0, *scene.labels.shape))
        found: Blocks = {}
        with gfm.StackReader(stack) as reader:
            for model, loaded in models.items():
                embedding = _embedded(stack, loaded, Path(folder) / "embedding.tif", with_coarse=not found)
                groups = ("network",) if found else ("fine", "coarse", "network")
                features = StackFeatures(reader, grid, groups, embedding)
                read = MapInputs(features, [], (), {}).at(rc[:, 0].copy(), rc[:, 1].copy(), Reporter())
                read[_network(model)] = read.pop("network")
                if "fine" in read:
                    read["raw"] = read["fine"][:, band_positions(features.columns["fine"])]
                read.pop("bands", None)
                found.update(read)
    notes = [
        f"{group}: {int(gaps.sum())} pixels with gaps"
        for group, values in found.items()
        if (gaps := ~np.isfinite(values).all(axis=1)).any()
    ]
    return found, [*stack.notes, *notes]


def _rasters(name: str, scene: Any, data: Path, folder: Path) -> list[str]:
    """The scene's files as raster arguments; those without a position are placed where the protocol places them."""
    place, files = FILES[name]
    arguments = [str(data / place / file) for file in files]
    if name != "west_virginia":
        return arguments
    placed = []
    for argument in arguments:
        path, _, date = argument.partition(":date=")
        with rasterio.open(path) as source:
            profile = {**source.profile, "transform": scene.transform, "crs": scene.crs}
            with rasterio.open(folder / Path(path).name, "w", **profile) as copy:
                copy.write(source.read())
                copy.descriptions = source.descriptions
        placed.append(f"{folder / Path(path).name}:date={date}")
    return placed


def load_models(names: list[str], *, untrained: bool) -> dict[str, gfm.LoadedModel]:
    """The models by what they were called; `untrained` is the first one's architecture with random weights."""
    models = {name: gfm.load_model(name) for name in names}
    if untrained:
        first = models[names[0]]
        encoder = build_model(first.config, seed=0).context.eval()
        models[UNTRAINED] = dataclasses.replace(first, encoder=encoder, name=UNTRAINED, sha256="")
    return models


def _embedded(stack: gfm.Stack, model: gfm.LoadedModel, path: Path, *, with_coarse: bool) -> EmbeddingFile:
    """The stack's embedding by `model`; untrained networks in float32, for their 8-bit range was never measured."""
    cpu = torch.device("cpu")
    recipe = Recipe(
        groups=("coarse", "network") if with_coarse else ("network",),
        dtype="float32" if model.name == UNTRAINED else "uint8", model=model, parameters={},
    )  # fmt: skip
    engine = Engine(model.encoder, cpu, resolve_precision("auto", cpu))
    return make_embedding(path, stack, recipe, engine, threads=None, reporter=Reporter())


def _filled(values: np.ndarray) -> np.ndarray:
    """Gaps filled with the column's mean, as the protocol does: its heads know no gaps, ours are given them."""
    known = np.isfinite(values)
    if known.all():
        return values
    mean = np.where(known, values, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(known, values, mean).astype(np.float32)


def _answerable(ours: Blocks, filled: Blocks) -> Blocks:
    """`ours` with its gaps, but filled where no group has data: a map has nothing there, but the protocol asks."""
    nothing = np.all([~np.isfinite(values).any(axis=1) for values in ours.values()], axis=0)
    return {group: np.where(nothing[:, None], filled[group], values) for group, values in ours.items()}


def control_blocks(controls: Any, scene: Any, rc: np.ndarray) -> dict[str, Any]:
    """The protocol's own controls; the same cut between fine and coarse as in its `control_features`."""
    cube = scene.cube()
    rows, cols = rc.T
    bands = cube[:, rows, cols].T
    parts = [controls.local_statistics(cube, (window,))[:, rows, cols].T for window in (*controls.WINDOWS, 33, 65)]
    narrow = len(controls.WINDOWS) - 1  # windows 3, 5, 9
    return {
        "control: bands": bands,
        "control: bands+stats": np.concatenate([bands, *parts[: narrow + 1]], axis=1),
        CONTROL: [np.concatenate([bands, *parts[:narrow]], axis=1), np.concatenate(parts[narrow:], axis=1)],
    }


# --- scores ---------------------------------------------------------------------------------------------------------

CONTROL = "control: fine & coarse"


def _network(model: str) -> str:
    return f"network {model}"


def _sets(ours: Blocks, models: list[str]) -> dict[str, Any]:
    """Feature sets that the protocol's LDA scores: each group alone, and fused late."""
    sets: dict[str, Any] = {"bands": ours["raw"], "fine": ours["fine"], "coarse": ours["coarse"]}
    sets["fine & coarse"] = [ours["fine"], ours["coarse"]]
    for model in models:
        sets[_network(model)] = ours[_network(model)]
        sets[f"fine & coarse & {_network(model)}"] = [ours["fine"], ours["coarse"], ours[_network(model)]]
    return sets


def _own_scores(ours: Blocks, models: list[str], y: np.ndarray, draws: list[Any]) -> dict[str, Any]:
    """All groups with the product's own heads and fusion, standardised over the scene as in a run."""
    classes = tuple(MapClass(int(code), str(code), str(code)) for code in np.unique(y))
    scores = {}
    for model in models:
        groups = {"fine": ours["fine"], "coarse": ours["coarse"], "network": ours[_network(model)]}
        scalers = {group: Scaler.fit(values) for group, values in groups.items()}
        scores[f"own heads: fine & coarse & {_network(model)}"] = {
            k: np.array([_own_score(groups, scalers, classes, y, draw, k) for draw in draws]) for k in draws[0].train
        }
    return scores


def _own_score(  # noqa: PLR0917
    groups: Blocks, scalers: dict[str, Scaler], classes: tuple[MapClass, ...], y: np.ndarray, draw: Any, k: int
) -> float:
    train = draw.train[k]
    head = fit_fused({group: X[train] for group, X in groups.items()}, y[train], classes, "lda", scalers)
    predicted, _ = head.predict({group: X[draw.test] for group, X in groups.items()})
    return float(f1_score(y[draw.test], predicted, average="macro"))


# --- tables ---------------------------------------------------------------------------------------------------------


def _differences(models: list[str]) -> dict[str, tuple[str, str]]:
    """What is asked, and the two feature sets whose difference answers it."""
    first = _network(models[0])
    asked = {
        "all - bands": (f"fine & coarse & {first}", "bands"),
        "all - controls": (f"fine & coarse & {first}", CONTROL),
        "network's gain": (f"fine & coarse & {first}", "fine & coarse"),
        "own heads - protocol's": (f"own heads: fine & coarse & {first}", f"fine & coarse & {first}"),
    }
    for model in models[1:]:
        other = _network(model)
        asked[f"{models[0]} - {model}, alone"] = (first, other)
        asked[f"{models[0]} - {model}, fused"] = (f"fine & coarse & {first}", f"fine & coarse & {other}")
    return asked


def _means(scores: dict[str, Any], name: str) -> str:
    return " / ".join(f"{np.mean(values):.3f}" for values in scores[name].values())


def _paired(scores: dict[str, Any], first: str, second: str) -> list[tuple[float, float]]:
    """Mean over seeds of the paired difference and its standard error, for each k."""
    pairs = []
    for k in scores[first]:
        difference = np.subtract(scores[first][k], scores[second][k])
        spread = difference.std(ddof=1) / np.sqrt(len(difference)) if len(difference) > 1 else np.nan
        pairs.append((float(difference.mean()), float(spread)))
    return pairs


def _told(pairs: list[tuple[float, float]]) -> str:
    return " / ".join(f"{mean:+.3f}±{error:.3f}" for mean, error in pairs)


def _line(name: str, result: dict[str, Any], models: list[str]) -> str:
    """A scene in one line: all groups with our heads, the controls, raw bands, and the paired differences."""
    scores = result["scores"]
    asked = ", ".join(f"{what} {_told(_paired(scores, *sets))}" for what, sets in _differences(models).items())
    return (
        f"{name} ({len(result['classes'])} classes, {result['pixels']} pixels, {result['seconds']:.0f} s): all groups "
        f"{_means(scores, f'own heads: fine & coarse & {_network(models[0])}')}, controls {_means(scores, CONTROL)}, "
        f"raw bands {_means(scores, 'bands')}; {asked}"
    )


def _table(scores: dict[str, Any], asked: dict[str, tuple[str, str]]) -> str:
    lines = ["| features | k = " + " / ".join(next(iter(scores.values()))) + " |", "|---|---|"]
    lines += [f"| {name} | {_means(scores, name)} |" for name in scores]
    lines += [f"| *{what}* | {_told(_paired(scores, *sets))} |" for what, sets in asked.items()]
    return "\n".join(lines)


def _over_scenes(results: dict[str, Any], models: list[str]) -> str:
    """Means over the scenes; differences with their standard error over scenes."""
    every = [result["scores"] for result in results.values()]
    lines = [f"\n{len(every)} scenes, mean macro-F1", f"| features | k = {' / '.join(next(iter(every[0].values())))} |"]
    lines.append("|---|---|")
    for name in every[0]:
        means = np.mean([[np.mean(values) for values in scores[name].values()] for scores in every], axis=0)
        lines.append(f"| {name} | {' / '.join(f'{mean:.3f}' for mean in means)} |")
    for what, sets in _differences(models).items():
        means = np.array([[mean for mean, _ in _paired(scores, *sets)] for scores in every])
        errors = means.std(axis=0, ddof=1) / np.sqrt(len(means))
        lines.append(f"| *{what}* | {_told(list(zip(means.mean(axis=0), errors, strict=True)))} |")
    return "\n".join(lines)


def _write(path: Path, results: dict[str, Any], models: dict[str, gfm.LoadedModel], seeds: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    digests = {name: model.sha256 for name, model in models.items()}
    path.write_text(json.dumps({"models": digests, "seeds": seeds, "scenes": results}, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
