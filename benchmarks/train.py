"""Speed of `gfm train` on a pool of real rasters: samples/s, waiting for data, share of the chip's matmul rate, memory.

    python benchmarks/train.py [FOLDER ...] [--config training/recipes/default.toml] [--steps 60] [--device auto]

trains (default: on `../shared/data`, label rasters left out by the recipe) and throws the network away. The matmul rate
is measured in the same run, on the same threads and in the same precision; what a step computes is counted by torch's
FlopCounter, forward and backward. Memory is the proportional set of the process and its workers (Linux only). Prints a
table and writes `benchmarks/results/train.json`. Needs the extra `train`; where the folder is absent this says so and
ends with 0.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import statistics
import sys
import threading
import time
from pathlib import Path
from typing import Any

import torch
from gfm_training.anchors import fit_books
from gfm_training.data import Places, WindowDataset, survey
from gfm_training.discover import discover
from gfm_training.learn import Prepared, batches, new_model, new_module, new_trainer, quiet
from gfm_training.lightning_parts import Callback
from gfm_training.module import SlowCopy
from gfm_training.settings import read_recipe
from torch.utils.flop_counter import FlopCounterMode

from gfm_core.model.device import resolve_device
from gfm_core.model.precision import resolve_precision

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results" / "train.json"
DATA = ROOT.parent / "shared" / "data"

_WARMING = 10  # steps that are not timed
_COUNTED = 12  # batches whose operations are counted
_SIDE = {"cpu": 2048, "cuda": 8192}  # of the matrices whose product is timed
_WAITING_BAR = 0.10


class Clock(Callback):  # type: ignore[misc]
    """When batches arrive and steps end."""

    def __init__(self) -> None:
        self.arrived: list[float] = []
        self.ended: list[float] = []

    def on_train_batch_start(self, *_: Any) -> None:
        self.arrived.append(time.perf_counter())

    def on_train_batch_end(self, *_: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.ended.append(time.perf_counter())

    def shares(self) -> tuple[float, float]:
        """Seconds a step, and the share of them between a step's end and the next batch's arrival."""
        arrived, ended = self.arrived[_WARMING:], self.ended[_WARMING:]
        waits = [start - end for end, start in zip(ended[:-1], arrived[1:], strict=True)]
        whole = ended[-1] - ended[0]
        return whole / (len(ended) - 1), sum(waits) / whole


class Memory:
    """The largest sum of proportional sets of this process and its children, in GB, looked at all the time."""

    def __init__(self) -> None:
        self.peak = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.5):
            self.peak = max(self.peak, sum(map(_proportional_gb, [os.getpid(), *_children(os.getpid())])))


def _children(process: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        found += [int(child) for child in task.read_text().split()]
    return found


def _proportional_gb(process: int) -> float:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended
        return 0.0
    return next(float(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1e6


def matmul_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Operations a second of a large matrix product: the median of several."""
    side = _SIDE[device.type]
    one = torch.randn((side, side), device=device, dtype=dtype)
    seconds = []
    for _ in range(7):
        start = time.perf_counter()
        one @ one
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return 2 * side**3 / statistics.median(seconds[2:])


def operations(prepared: Prepared, settings: Any, device: torch.device) -> float:
    """Operations of a step, forward and backward, mean over some batches."""
    module = new_module(new_model(settings, None), prepared.books, settings).to(device)
    counts = []
    for batch in batches(prepared, dataclasses.replace(settings, steps=_COUNTED, workers=0), 0):
        with FlopCounterMode(display=False) as counter:
            module.objective(batch.to(device)).total.backward()
        counts.append(counter.get_total_flops())
    return statistics.fmean(counts)


def preparing(prepared: Prepared, settings: Any) -> float:
    """Seconds that one process needs to prepare a batch."""
    dataset = WindowDataset(prepared.places, settings, prepared.books)
    sampler = batches(prepared, dataclasses.replace(settings, workers=0), 0).batch_sampler
    start = time.perf_counter()
    for step in range(_COUNTED):
        dataset.__getitems__(sampler.batch(step))  # type: ignore[union-attr]
    return (time.perf_counter() - start) / _COUNTED


def main() -> int:
    """Measure, print, write; 0 if waiting for data stays below the bar."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, default=[DATA])
    parser.add_argument("--config", type=Path, default=ROOT / "training" / "recipes" / "default.toml")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--size")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--device")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    if not all(map(Path.is_dir, args.folders)):
        print(f"skipped: {', '.join(map(str, args.folders))} is not there; give folders of rasters")
        return 0
    recipe = read_recipe(args.config)
    given = {name: getattr(args, name) for name in ("size", "batch", "workers", "device") if getattr(args, name)}
    settings = dataclasses.replace(recipe.train, steps=args.steps + _WARMING, **given)
    device = resolve_device(settings.device)
    dtype = resolve_precision(settings.precision, device)
    torch.set_num_threads(max(torch.get_num_threads() - settings.workers, 1))
    with Memory() as memory:
        began = time.perf_counter()
        places = Places(discover(args.folders, recipe.data).places)
        places.load()
        surveys = tuple(survey(places, settings, windows=1))
        prepared = Prepared(places, fit_books([(one.key, one.facts) for one in surveys], settings), surveys, None)
        ready = time.perf_counter() - began
        counted, made = operations(prepared, settings, device), preparing(prepared, settings)
        rate = matmul_rate(device, dtype)
        clock = Clock()
        module = new_module(new_model(settings, None), prepared.books, settings)
        with quiet():
            new_trainer(settings, [SlowCopy(), clock]).fit(module, batches(prepared, settings, 0))
    step, waiting = clock.shares()
    told = {
        "machine": platform.platform(), "cpu_count": os.cpu_count(), "torch": torch.__version__, "device": str(device),
        "precision": str(dtype).removeprefix("torch."), "threads": torch.get_num_threads(), "workers": settings.workers,
        "size": settings.size, "batch": settings.batch, "places": len(places), "sets": len(prepared.books),
        "seconds_until_ready": ready, "seconds_a_step": step, "samples_per_second": settings.batch / step,
        "waiting_share": waiting, "seconds_to_prepare_a_batch": made, "gflop_a_step": counted / 1e9,
        "matmul_gflops": rate / 1e9, "matmul_share": counted / step / rate, "peak_gb": memory.peak,
    }  # fmt: skip
    print(table(told))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(told, indent=2) + "\n")
    return 0 if waiting <= _WAITING_BAR else 1


def table(told: dict[str, Any]) -> str:
    """The measures as Markdown."""
    rows = {
        "places, sets of modalities": f"{told['places']}, {told['sets']}",
        "network, windows a step": f"{told['size']}, {told['batch']}",
        "device, precision, threads, workers": f"{told['device']}, {told['precision']}, {told['threads']}, "
        f"{told['workers']}",
        "from start to first step": f"{told['seconds_until_ready']:.0f} s",
        "samples/s": f"{told['samples_per_second']:.1f}",
        "seconds a step": f"{told['seconds_a_step']:.3f}",
        "waiting for data": f"{told['waiting_share']:.1%} of a step (bar {_WAITING_BAR:.0%})",
        "preparing a batch, one process": f"{told['seconds_to_prepare_a_batch']:.3f} s",
        "operations a step": f"{told['gflop_a_step']:.1f} GFLOP",
        "matmul rate of these threads": f"{told['matmul_gflops']:.0f} GFLOP/s",
        "share of that rate": f"{told['matmul_share']:.0%}",
        "peak memory, workers included": f"{told['peak_gb']:.2f} GB",
    }
    return "\n".join(["| measure | value |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())])


if __name__ == "__main__":
    sys.exit(main())
