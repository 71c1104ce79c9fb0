"""How fast the engine is, as ratios within one run: files, network, reading, maps, memory, seams, bytes.

    python benchmarks/engine.py [--only files,network,...] [--data ../shared/data] [--repeat 2]

Needs a folder with `brandenburg` (Sentinel-2, 10/20/60 m; `--data` or GFM_SHARED_DATA); what cannot be measured here is
told with its reason. Prints a table, writes `benchmarks/results/engine.json`. Take a quiet machine: a ratio is taken
within a minute or two, but other programs still show. `peers.py` sets the same files beside other tools.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.warp
import torch
from rasterio.windows import Window

import gfm_core as gfm
from gfm_core.embedding.kept import Kept
from gfm_core.embedding.make import Recipe, Run, embedding_columns
from gfm_core.embedding.pipeline import Engine, TileJob, _calls, _forward, _fused, modality_statistics, network_input
from gfm_core.grid import CORE, WINDOW, CellRange
from gfm_core.model.config import SIZES
from gfm_core.model.jepa import build_model
from gfm_core.model.precision import resolve_precision
from gfm_core.raster.read import StackReader
from gfm_core.raster.stack import Stack, open_stack

RESULTS = Path(__file__).parent / "results" / "engine.json"
DATA = Path(os.environ.get("GFM_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
SCENE = ("brandenburg/s2_l1c_10m.tif", "brandenburg/s2_l1c_20m.tif", "brandenburg/s2_l1c_60m.tif")
CPU = torch.device("cpu")

Row = tuple[str, str, str]  # what, measured, asked for


def best(function: Callable[[], Any], repeat: int) -> float:
    """Seconds of the fastest of `repeat` calls."""
    found = []
    for _ in range(repeat):
        begun = time.perf_counter()
        function()
        found.append(time.perf_counter() - begun)
    return min(found)


def gfm_command(*arguments: object, threads: int | None = None) -> None:
    """One `gfm` in a process of its own, without the cache."""
    words = [sys.executable, "-m", "gfm_core.cli", "--quiet", *map(str, arguments)]
    more = ["--threads", str(threads)] if threads else []
    subprocess.run(words + more, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "GFM_CACHE_MB": "0"})


class Bench:
    """What the measurements share: the scene, a larger one made of it, a folder."""

    def __init__(self, data: Path, folder: Path, repeat: int) -> None:
        self.files = [data / name for name in SCENE]
        self.folder, self.repeat = folder, repeat
        self.cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def larger(self) -> list[Path]:
        """The scene four times over, mirrored, so that starting up weighs less: 472 km²."""
        made = []
        for path in self.files:
            target = self.folder / path.name
            if not target.exists():
                with rasterio.open(path) as source:
                    values, profile = source.read(), source.profile
                    wide = np.concatenate([values, values[:, :, ::-1]], axis=2)
                    profile |= {"width": wide.shape[2], "height": 2 * wide.shape[1], "tiled": True}
                    profile |= {"compress": "deflate", "blockxsize": 256, "blockysize": 256}
                    with rasterio.open(target, "w", **profile) as dataset:
                        dataset.write(np.concatenate([wide, wide[:, ::-1]], axis=1))
                        dataset.descriptions = source.descriptions
                        dataset.update_tags(**source.tags())
            made.append(target)
        return made


def files(bench: Bench) -> Iterator[Row]:
    """`gfm embed`, from files to a file, in a process of its own."""
    for name, rasters in (("the scene", bench.files), ("the scene four times", bench.larger())):
        area = open_stack(rasters).area_km2
        for cell, groups, asked in ((40, "network", ">= 40"), (20, "fine,coarse,network", ">= 11.5")):
            output = bench.folder / "embedding.tif"
            command = ("embed", *rasters, "-o", output, "--cell", cell, "--groups", groups, "--overwrite")
            seconds = best(lambda: gfm_command(*command), bench.repeat)  # noqa: B023 - called at once
            yield (
                f"embed {name} ({area:.0f} km²), cells of {cell} m, {groups}, {bench.cores} cores, start included",
                f"{area / seconds:.1f} km²/s ({seconds:.1f} s)", asked,
            )  # fmt: skip


def _parts(bench: Bench, cell: float) -> tuple[Stack, Recipe, Engine, Run]:
    model = gfm.load_model("nano")
    stack = open_stack(bench.files, cell_size=cell)
    recipe = Recipe(("network",), "uint8", model, {})
    engine = Engine(model.encoder, CPU, resolve_precision("auto", CPU))
    return stack, recipe, engine, Run(stack, embedding_columns(stack, recipe), "uint8", Kept.nothing(), stack.cells)


def share(bench: Bench) -> Iterator[Row]:
    """File to file over the network alone, on one thread, at cells of 40 m."""
    stack, _, engine, run = _parts(bench, 40)
    jobs = list(run._jobs(run.missing()))
    ready: list[tuple[TileJob, list[Any]]] = []
    torch.set_num_threads(1)
    with StackReader(stack) as reader:
        for job in jobs:
            found = [(item, *modality_statistics(reader, item, job.cells)) for item in stack.modalities]
            ready.append((job, [network_input(stack, *part) for part in found]))

    def network() -> None:
        for job, inputs in ready:
            with torch.inference_mode(), torch.autocast("cpu", engine.dtype, enabled=engine.dtype != torch.float32):
                fused = _fused(engine, inputs, job)
                for windows in _calls(engine, job.windows):
                    _forward(engine, windows, fused)

    output = bench.folder / "share.tif"

    def whole() -> None:
        gfm.embed(stack, output, groups=("network",), threads=1, overwrite=True)

    os.environ["GFM_CACHE_MB"] = "0"
    whole()
    alone, all_of_it = best(network, bench.repeat), best(whole, bench.repeat)
    yield (
        f"network alone over file to file, cells of 40 m, 1 thread, {str(engine.dtype).removeprefix('torch.')}",
        f"{alone / all_of_it:.2f} ({alone:.2f} of {all_of_it:.2f} s)", ">= 0.70",
    )  # fmt: skip


def flops(bench: Bench) -> Iterator[Row]:
    """The encoder's rate over that of a square product in the same numbers, one thread."""
    torch.set_num_threads(1)
    for size, dtype, asked in (
        ("nano", torch.float32, ">= 0.75"), ("nano", torch.bfloat16, ">= 0.5"), ("small", torch.float32, ">= 0.85"),
    ):  # fmt: skip
        encoder = build_model(SIZES[size]).context.eval()
        depth, dim, cells = SIZES[size].depth, SIZES[size].dim, WINDOW * WINDOW
        batch = 4
        values = torch.randn(batch, WINDOW, WINDOW, dim)
        present = torch.ones(batch, WINDOW, WINDOW, dtype=torch.bool)
        square = torch.randn(1024, 1024).to(dtype)
        with torch.inference_mode(), torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            rates = []
            for _ in range(3 * bench.repeat):
                product = best(lambda: square @ square, 5)  # noqa: B023
                forward = best(lambda: encoder.cells_to_latents(values, present), 3)  # noqa: B023
                work = batch * depth * (24 * cells * dim * dim + 4 * cells * cells * dim)
                rates.append((work / forward, 2 * 1024**3 / product))
        rate, limit = max(rate for rate, _ in rates), max(limit for _, limit in rates)
        yield (
            f"encoder {size} {str(dtype).removeprefix('torch.')} over a square product, 1 thread",
            f"{rate / limit:.2f} ({rate / 1e9:.0f} of {limit / 1e9:.0f} GFLOP/s)", asked,
        )  # fmt: skip


def _wide_raster(folder: Path, source: Path) -> Path:
    """8192² x 4 uint16, DEFLATE, 512-blocks: Sentinel-2 mirrored."""
    target = folder / "wide.tif"
    if target.exists():
        return target
    with rasterio.open(source) as dataset:
        values, profile = dataset.read(), dataset.profile
    both = np.concatenate([values, values[:, ::-1]], axis=1)
    both = np.concatenate([both, both[:, :, ::-1]], axis=2)
    rows, cols = -(-8192 // both.shape[1]), -(-8192 // both.shape[2])
    wide = np.tile(both, (1, rows, cols))[:, :8192, :8192]
    profile |= {"height": 8192, "width": 8192, "tiled": True, "blockxsize": 512, "blockysize": 512,
                "compress": "deflate"}  # fmt: skip
    with rasterio.open(target, "w", **profile) as dataset:
        dataset.write(wide)
    return target


def reading(bench: Bench) -> Iterator[Row]:
    """Windows of 256 px with a quarter of overlap, against one plain rasterio handle."""
    path = _wide_raster(bench.folder, bench.files[0])
    places = [(row, col) for row in range(0, 8192 - 256, 192) for col in range(0, 8192 - 256, 192)][:882]

    def plain() -> None:
        with rasterio.open(path) as dataset:
            for row, col in places:
                dataset.read(window=Window(col, row, 256, 256)).astype(np.float32)

    stack = open_stack([f"{path}:as=custom"], cell_size=10)
    top, left = stack.cells.row, stack.cells.col
    ranges = [CellRange(top + row, left + col, 256, 256) for row, col in places]

    def ours(threads: int) -> None:
        with StackReader(stack) as reader, closing(reader.windows(ranges, threads=threads)) as found:
            for _ in found:
                pass

    reference = best(plain, bench.repeat)
    for threads, asked in ((1, ">= 1.0"), (2, ">= 1.7")):
        seconds = best(lambda: ours(threads), bench.repeat)  # noqa: B023
        yield (
            f"windows of 256 px, 25 % overlap, 8192² x 4 uint16: {threads} of our threads over one plain handle",
            f"{reference / seconds:.2f} ({len(places) / seconds:.0f}, {len(places) / reference:.0f} windows/s)", asked,
        )  # fmt: skip
    try:
        yield _torchgeo(path, places, best(lambda: ours(1), bench.repeat))
    except ImportError as error:
        yield "the same over torchgeo", f"not measured ({error})", ">= 7"


def _torchgeo(path: Path, places: list[tuple[int, int]], ours: float) -> Row:
    importlib.import_module("gfm_core.sampling")  # gets along with torchvision builds that do not fit
    from torch.utils.data import DataLoader  # noqa: PLC0415
    from torchgeo.datasets import RasterDataset, stack_samples  # noqa: PLC0415
    from torchgeo.samplers import GridGeoSampler, Units  # noqa: PLC0415 - another environment

    class Wide(RasterDataset):
        filename_glob = "wide.tif"
        is_image = True

    dataset = Wide(str(path.parent))
    sampler = GridGeoSampler(dataset, size=256, stride=192, units=Units.PIXELS)
    begun = time.perf_counter()
    for count, _ in enumerate(DataLoader(dataset, sampler=sampler, batch_size=1, collate_fn=stack_samples), start=1):
        if count == len(places):
            break
    seconds = (time.perf_counter() - begun) * len(places) / count
    return "the same over torchgeo", f"{seconds / ours:.1f} ({len(places) / seconds:.0f} windows/s)", ">= 7"


def modalities(bench: Bench) -> Iterator[Row]:
    """10 m x 4, 20 m x 6 and a 30 m elevation model in another CRS: together over the sum of each alone."""
    heights = bench.folder / "dem.tif"
    with rasterio.open(bench.files[0]) as dataset:
        box = rasterio.warp.transform_bounds(dataset.crs, "EPSG:4326", *dataset.bounds)
    side = 30 / 111_000
    shape = int((box[3] - box[1]) / side) + 20, int((box[2] - box[0]) / side) + 20
    values = np.random.default_rng(0).normal(50, 5, (1, *shape)).astype(np.float32)
    place = rasterio.Affine(side, 0, box[0] - 10 * side, 0, -side, box[3] + 10 * side)
    with rasterio.open(heights, "w", driver="GTiff", height=shape[0], width=shape[1], count=1, dtype="float32",
                       crs="EPSG:4326", transform=place, tiled=True, compress="deflate") as dataset:  # fmt: skip
        dataset.write(values)
    given = [*bench.files[:2], f"{heights}:as=dem"]
    stack = open_stack(given, cell_size=20)
    cells = stack.cells
    ranges = [
        CellRange(row, col, 64, 64)
        for row in range(cells.row, cells.stop[0] - 64, 48)
        for col in range(cells.col, cells.stop[1] - 64, 48)
    ]

    def read(names: list[str]) -> float:
        chosen = [item for item in stack.modalities if item.name in names]
        part = replace(stack, modalities=tuple(chosen))
        with StackReader(part) as reader:
            return best(lambda: [None for _ in reader.windows(ranges, 8)], bench.repeat)

    every = [item.name for item in stack.modalities]
    alone = [read([name]) for name in every]
    together = read(every)
    yield (
        f"three modalities in windows of 64 x 64 cells ({', '.join(every)}): sum of each alone over together",
        f"{sum(alone) / together:.2f} ({len(ranges) / together:.0f} samples/s)", ">= 0.9",
    )  # fmt: skip


def maps(bench: Bench) -> Iterator[Row]:
    """`gfm classify` with all groups, in a process of its own, and from an embedding."""
    labels = bench.files[0].parent / "osm_landuse.gpkg"
    area = open_stack(bench.files).area_km2
    output = bench.folder / "map.tif"
    common = ("-o", output, "--labels", labels, "--field", "fclass", "--overwrite")
    seconds = best(lambda: gfm_command("classify", *bench.files, *common), bench.repeat)
    yield (f"classify from rasters, 10 m map, all groups, {area:.0f} km², {bench.cores} cores, everything included",
           f"{area / seconds:.1f} km²/s ({seconds:.1f} s)", ">= 10")  # fmt: skip
    embedding = bench.folder / "for_map.tif"
    gfm_command("embed", *bench.files, "-o", embedding, "--overwrite")
    seconds = best(lambda: gfm_command("classify", embedding, *common), bench.repeat)
    yield (
        f"classify from the embedding ({area:.0f} km², 20 m map)",
        f"{area / seconds:.1f} km²/s ({seconds:.1f} s)",
        ">= 40",
    )


def starts(bench: Bench) -> Iterator[Row]:
    """A small raster: a new process, and a request to a worker that is warm."""
    small = bench.folder / "small.tif"
    with rasterio.open(bench.files[0]) as dataset:
        values, profile = dataset.read(window=Window(0, 0, 256, 256)), dataset.profile
        profile |= {"height": 256, "width": 256}
        with rasterio.open(small, "w", **profile) as made:
            made.write(values)
            made.descriptions = dataset.descriptions
    output = bench.folder / "small_e.tif"
    seconds = best(lambda: gfm_command("embed", small, "-o", output, "--overwrite"), 2 * bench.repeat)
    yield "gfm embed of 256 x 256 px, process and all", f"{seconds:.2f} s", "<= 6 s"
    yield "the same as a request to a warm worker", f"{_warm(small, output):.2f} s", "<= 0.5 s"


def _warm(raster: Path, output: Path) -> float:
    process = subprocess.Popen(
        [sys.executable, "-m", "gfm_core.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, "GFM_CACHE_MB": "0"}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    found = []
    for number in range(4):
        params = {"rasters": [str(raster)], "output": str(output), "overwrite": True}
        line = json.dumps({"jsonrpc": "2.0", "id": number, "method": "embed", "params": params}) + "\n"
        begun = time.perf_counter()
        process.stdin.write(line.encode())
        process.stdin.flush()
        while json.loads(process.stdout.readline()).get("id") != number:
            pass
        found.append(time.perf_counter() - begun)
    process.stdin.close()
    process.wait()
    return min(found[1:])


def seams(bench: Bench) -> Iterator[Row]:
    """The mean step between neighbouring cells across the borders of windows over that inside of them."""
    made = gfm.embed(open_stack(bench.files), bench.folder / "seam.tif", groups=("network",), dtype="float32",
                     overwrite=True)  # fmt: skip
    values = made.read("network", made.cells)
    ratios = []
    for axis, first in ((1, made.cells.row), (2, made.cells.col)):
        steps = np.sqrt((np.diff(values, axis=axis) ** 2).sum(axis=0)).mean(axis=2 - axis)
        border = (np.arange(len(steps)) + first + 1) % CORE == 0
        ratios.append(steps[border].mean() / steps[~border].mean())
    yield (
        "step across the borders of windows over steps inside",
        f"{ratios[0]:.3f} down, {ratios[1]:.3f} across",
        "<= 1.05",
    )
    yield "halo: cells computed over new cells", f"{(WINDOW / CORE) ** 2:.2f}", "<= 1.8"


def storage(bench: Bench) -> Iterator[Row]:
    """8 bits against float32: macro-F1 of the fused heads on the same spatial folds."""
    labels = bench.files[0].parent / "osm_landuse.gpkg"
    scores = {}
    for dtype in ("uint8", "float32"):
        made = gfm.embed(open_stack(bench.files), bench.folder / f"{dtype}.tif", dtype=dtype, overwrite=True)
        result = gfm.classify(made, bench.folder / "map8.tif", labels=str(labels), field="fclass", overwrite=True)
        assert result.cross_validation is not None
        scores[dtype] = result.cross_validation.fused.macro_f1
    lost = scores["float32"] - scores["uint8"]
    yield "macro-F1 on folds, float32 less 8 bits", f"{lost:+.4f} ({scores['uint8']:.3f})", "<= .003"


def bytes_equal(bench: Bench) -> Iterator[Row]:
    """The same bytes whatever the threads, the order of the files, the batch, the extent."""
    os.environ["GFM_CACHE_MB"] = "0"
    reference = gfm.embed(bench.files, bench.folder / "a.tif", cell_size=40, threads=1, overwrite=True)
    wanted = reference.path.read_bytes()
    for what, rasters, options in (
        ("2 threads", bench.files, {"threads": 2}), ("batch 1", bench.files, {"batch": 1}),
        ("batch 8, files in another order", bench.files[::-1], {"batch": 8}),
    ):  # fmt: skip
        made = gfm.embed(rasters, bench.folder / "b.tif", cell_size=40, overwrite=True, **options)
        yield f"bytes with {what}", "equal" if made.path.read_bytes() == wanted else "DIFFERENT", "equal"
    with rasterio.open(reference.path) as dataset:
        left, _, _, top = dataset.bounds
        part = gfm.embed(bench.files, bench.folder / "b.tif", cell_size=40, overwrite=True,
                         extent=f"{left + 1000},{top - 6000},{left + 9000},{top - 777}")  # fmt: skip
        with rasterio.open(part.path) as small:
            same = np.array_equal(small.read(), dataset.read()[(slice(None), *part.cells.slices_in(reference.cells))])
    yield "cells of an extent", "equal" if same else "DIFFERENT", "equal"


MEASURES = {
    "files": files, "share": share, "flops": flops, "reading": reading, "modalities": modalities, "maps": maps,
    "starts": starts, "seams": seams, "storage": storage, "bytes": bytes_equal,
}  # fmt: skip


def table(rows: list[Row]) -> str:
    """The rows as Markdown."""
    return "\n".join(["| what | measured | asked |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)])


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default=",".join(MEASURES), help="some of " + ", ".join(MEASURES))
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--repeat", type=int, default=2, help="the best of so many")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    if not (args.data / SCENE[0]).exists():
        print(f"The scene is not in {args.data}; give its folder with --data.", file=sys.stderr)
        return 1
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="gfm-engine-") as folder:
        bench = Bench(args.data, Path(folder), args.repeat)
        for name in args.only.split(","):
            for row in MEASURES[name](bench):
                rows.append(row)
                print(" | ".join(row), flush=True)
    print("\n" + table(rows))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    told = {"machine": platform.platform(), "torch": torch.__version__, "cores": bench.cores,
            "rows": [dict(zip(("what", "measured", "asked"), row, strict=True)) for row in rows]}  # fmt: skip
    args.out.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
