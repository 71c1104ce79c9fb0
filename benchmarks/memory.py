"""Peak memory of `gfm embed` on a large raster against a small one: it must not grow with the raster.

    python benchmarks/memory.py [--sides 2048 8192] [--threads 2]

makes 4-band uint16 GeoTIFFs of 10 m pixels in a temporary folder, embeds each in a process of its own with cells of
8 px, prints a table, writes `benchmarks/results/memory.json`, and exits with 1 if the largest needs more than 1.1 times
the smallest, or 4 GB. Peak memory is the largest resident set that the kernel counted for that process (Linux only).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.windows import Window

RESULTS = Path(__file__).parent / "results" / "memory.json"
GROWTH = 1.1  # of the peak, largest raster against the smallest
LIMIT_GB = 4.0

_STRIP = 512  # pixel rows made at a time
_GSD = 10.0  # metres
_CELL_PIXELS = 8
_BANDS = ("blue", "green", "red", "nir")
# Not wait4's ru_maxrss: it counts what this process held when it started the other one.
_GFM = """
import atexit, pathlib, re, sys
from gfm_core.cli.main import main
told = pathlib.Path(sys.argv.pop(1))
status = pathlib.Path("/proc/self/status")
atexit.register(lambda: told.write_text(re.search(r"VmHWM:\\s*([0-9]+) kB", status.read_text())[1]))
main()
"""
_TYPICAL = (600, 900, 1000, 2800)  # reflectance x 10 000 of land, by band


@dataclass(frozen=True, slots=True)
class Run:
    """One `gfm embed`: `side` of the raster in pixels, peak in GB, seconds of wall clock."""

    side: int
    peak_gb: float
    seconds: float
    output_mb: float

    @property
    def km2(self) -> float:
        """Ground covered."""
        return (self.side * _GSD / 1000) ** 2


def write_raster(path: Path, side: int, seed: int = 0) -> None:
    """A raster of smooth fields with noise on them, `side` x `side` pixels, made a strip at a time."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(0, 0.25, (len(_BANDS), 65, 65))
    place = rasterio.Affine(_GSD, 0, 400_000, 0, -_GSD, 5_800_000)
    with rasterio.open(
        path, "w", driver="GTiff", height=side, width=side, count=len(_BANDS), dtype="uint16", crs="EPSG:32633",
        transform=place, nodata=0, tiled=True, blockxsize=_STRIP, blockysize=_STRIP, compress="deflate", zlevel=1,
    ) as dataset:  # fmt: skip
        dataset.descriptions = _BANDS
        for row in range(0, side, _STRIP):
            rows = (np.arange(row, min(row + _STRIP, side)) + 0.5) / side * 64
            cols = (np.arange(side) + 0.5) / side * 64
            for number, typical in enumerate(_TYPICAL):
                smooth = _bilinear(coarse[number], rows, cols)
                noise = rng.standard_normal(smooth.shape, np.float32) * 0.05
                values = (typical * (1 + smooth + noise)).clip(1, 10_000).astype(np.uint16)
                dataset.write(values, number + 1, window=Window(0, row, side, len(rows)))


def _bilinear(grid: np.ndarray, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
    top, left = rows.astype(int), cols.astype(int)
    down, right = (rows - top)[:, None].astype(np.float32), (cols - left)[None].astype(np.float32)
    upper = grid[np.ix_(top, left)] * (1 - right) + grid[np.ix_(top, left + 1)] * right
    lower = grid[np.ix_(top + 1, left)] * (1 - right) + grid[np.ix_(top + 1, left + 1)] * right
    return (upper * (1 - down) + lower * down).astype(np.float32)


def embed(raster: Path, side: int, threads: int | None) -> Run:
    """Run `gfm embed` on `raster` and watch its memory; raises `CalledProcessError` if it fails."""
    output, told = raster.with_name(f"embedding_{side}.tif"), raster.with_name("peak.txt")
    command = [
        sys.executable, "-c", _GFM, str(told), "--quiet", "embed", str(raster), "-o", str(output),
        "--cell", str(_CELL_PIXELS * _GSD),
    ]  # fmt: skip
    if threads is not None:
        command += ["--threads", str(threads)]
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - begun
    return Run(side, int(told.read_text()) * 1024 / 1e9, seconds, output.stat().st_size / 1e6)


def table(runs: list[Run]) -> str:
    """The runs as Markdown."""
    lines = ["| raster | peak | wall clock | embedding |", "|---|---|---|---|"]
    lines += [
        f"| {run.side}² x {len(_BANDS)} | {run.peak_gb:.3f} GB | "
        f"{run.seconds:.0f} s ({run.km2 / run.seconds:.0f} km²/s) | {run.output_mb:.0f} MB |"
        for run in runs
    ]
    return "\n".join(lines)


def main() -> int:
    """Measure, print, write; 0 if the bar holds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sides", type=int, nargs="+", default=[2048, 8192], help="sides of the rasters in pixels")
    parser.add_argument("--threads", type=int, help="worker threads of gfm embed; default: one a core")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    runs = []
    for side in args.sides:
        with tempfile.TemporaryDirectory(prefix="gfm-memory-") as folder:
            raster = Path(folder) / f"raster_{side}.tif"
            write_raster(raster, side)
            runs.append(embed(raster, side, args.threads))
    growth = runs[-1].peak_gb / runs[0].peak_gb
    passed = growth <= GROWTH and runs[-1].peak_gb < LIMIT_GB
    print(table(runs))
    print(f"growth {growth:.3f} (bar {GROWTH}), peak {runs[-1].peak_gb:.2f} GB (bar {LIMIT_GB:g}): "
          f"{'holds' if passed else 'FAILS'}")  # fmt: skip
    args.out.parent.mkdir(parents=True, exist_ok=True)
    told = {
        "cpu_count": os.cpu_count(), "machine": platform.platform(), "threads": args.threads,
        "runs": [{**asdict(run), "km2": run.km2} for run in runs], "growth": growth, "passed": passed,
    }  # fmt: skip
    args.out.write_text(json.dumps(told, indent=2) + "\n")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
