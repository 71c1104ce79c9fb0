"""What a map loses when something is missing: all bands but RGB, one sensor, one date; and by storing 8 bits.

    python benchmarks/steadiness.py [SCENE ...] [--seeds 5] [--model nano]

For every scene, on the same pixels and draws as `quality.py` (5, 20 and 100 labels a class): `--groups auto` with all
rasters, with each modality or date left out, with each alone, with red, green and blue only, and with the embedding
stored in float32 instead of 8 bits. A line each, then means over scenes with their standard error. See `scenes.py`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from quality import AUTO, measure
from scenes import FILES, PROTOCOL, load_models, open_case

RESULTS = Path(__file__).parent / "results" / "steadiness.json"
_RGB = ("red", "green", "blue", "b04", "b03", "b02")
_ALL = "all"

Change = Callable[[list[str], Path], list[str]]


def main() -> int:
    """Score every variant of the scenes asked for, print and write what each loses."""
    args = _arguments()
    if not (PROTOCOL / "protocol.py").is_file():
        print(f"skipped: {PROTOCOL} holds no protocol.py; set GFM_EVAL")
        return 0
    found: dict[str, dict[str, Any]] = {}
    for name in args.scenes or FILES:
        whole = _score(name, args)
        if whole is None:
            continue
        found[name] = {_ALL: whole}
        for what, change in _variants(name):
            score = _score(name, args, change)
            if score is not None:
                found[name][what] = score
                loss = {k: np.subtract(score[k], whole[k]) for k in whole}
                told = " / ".join(f"{value.mean():+.3f}" for value in loss.values())
                print(f"{name}, {what}: {told}", flush=True)
        found[name]["float32"] = _score(name, args, dtype="float32")
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps({"seeds": args.seeds, "scenes": found}, indent=1) + "\n")
    print(_table(found))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help=f"default: all of {', '.join(FILES)}")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--model", default="nano")
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args()


def _score(
    name: str, args: argparse.Namespace, change: Change | None = None, dtype: str = "uint8"
) -> dict[int, list[float]] | None:
    case, folder = open_case(name, load_models([args.model], 0), change, dtype=dtype)
    with folder:
        if case is None:
            return None
        scores, _ = measure(case, args.seeds)
        case.close()
    return scores[AUTO]


def _variants(name: str) -> Iterator[tuple[str, Change]]:
    """What is left out, by name; the finest file stays, for the labels lie on its pixels."""
    _, files = FILES[name]
    for number, file in enumerate(files[1:], start=1):
        yield f"without {Path(file).stem}", lambda rasters, _, left=number: rasters[:left] + rasters[left + 1 :]
    if len(files) > 1:
        yield "finest alone", lambda rasters, _: rasters[:1]
    yield "RGB only", _rgb


def _rgb(rasters: list[str], folder: Path) -> list[str]:
    """The red, green and blue bands of the first raster that has them."""
    path, _, options = rasters[0].partition(":date=")
    with rasterio.open(path) as source:
        names = [(text or "").lower() for text in source.descriptions]
        kept = [number + 1 for number, band in enumerate(names) if band in _RGB]
        if len(kept) != 3 or source.count == 3:
            return rasters[:1]
        profile = {**source.profile, "count": 3}
        with rasterio.open(folder / Path(path).name, "w", **profile) as target:
            target.write(source.read(kept))
            target.descriptions = tuple(source.descriptions[number - 1] for number in kept)
            target.update_tags(**source.tags())
    return [f"{folder / Path(path).name}{f':date={options}' if options else ''}"]


def _table(found: dict[str, dict[str, Any]]) -> str:
    """Means over the scenes of what is lost: RGB, any one file missing (the worst), the finest alone, 8 bits."""
    asked: dict[str, list[np.ndarray]] = {}
    for variants in found.values():
        whole = _means(variants[_ALL])
        lost = {what: _means(score) - whole for what, score in variants.items() if what != _ALL}
        missing = [loss for what, loss in lost.items() if what.startswith("without")]
        if missing:
            asked.setdefault("any one file missing, mean", []).append(np.mean(missing, axis=0))
            asked.setdefault("any one file missing, worst", []).append(np.min(missing, axis=0))
            asked.setdefault("the finest file alone", []).append(lost["finest alone"])
        asked.setdefault("RGB only", []).append(lost["RGB only"])
        asked.setdefault("8 bits instead of float32", []).append(-lost["float32"])
    lines = ["\n| what is missing | k = 5 / 20 / 100, ± over scenes | scenes |", "|---|---|---|"]
    for what, losses in asked.items():
        values = np.array(losses)
        errors = values.std(axis=0, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.full(3, np.nan)
        told = " / ".join(f"{mean:+.3f}±{error:.3f}" for mean, error in zip(values.mean(axis=0), errors, strict=True))
        lines.append(f"| {what} | {told} | {len(values)} |")
    return "\n".join(lines)


def _means(score: dict[int, list[float]]) -> np.ndarray:
    return np.array([np.mean(values) for values in score.values()])


if __name__ == "__main__":
    sys.exit(main())
