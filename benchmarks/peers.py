"""Beside the fastest peer: the same files, in the same hour, on the same cores, from files to a file.

    pip install olmoearth-pretrain-minimal einops huggingface_hub universal_pathlib
    python benchmarks/peers.py [--data ../shared/data] [--repeat 2]

The peer is the encoder of OlmoEarth v1.2 nano (random weights: speed only) in a loop as its documentation has it: crops
of 64 px with 50 % overlap, 12 bands on a 10 m grid, bf16, batches of 8, cells of 40 m, a float32 GeoTIFF. Its own
pipeline, rslearn, needs four commands and a copy of the input, and takes twice as long as this loop. Ours is `gfm embed
--cell 40 --groups network`, a new process, 8 bits. Both use all cores. `engine.py` has torchgeo. Skips with the reason
where the peer is not installed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import torch
from engine import DATA, SCENE, best, gfm_command
from rasterio.enums import Resampling
from rasterio.windows import Window

_CROP, _STEP, _PATCH, _BATCH, _WIDTH = 64, 32, 4, 8, 128  # pixels, pixels, pixels, crops, numbers a cell
_EDGE = (_CROP - _STEP) // 2 // _PATCH  # cells of a crop that its neighbour gives
_BANDS = ((1, 2, 3, 4), (1, 2, 3, 4, 5, 6), (1, 2))  # of the three files: what the model takes
_SPREAD = 3000.0


def encoder() -> Any:
    """The peer's encoder. Raises ImportError where it is not installed."""
    from olmoearth_pretrain_minimal.olmoearth_pretrain_v1 import olmoearth_pretrain_v1  # noqa: PLC0415

    return olmoearth_pretrain_v1.OlmoEarthPretrain_v1("nano", "v1.2").encoder.eval()


def encoded(model: Any, crops: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Crops `[B, 64, 64, 12]` → `[B, 16, 16, 128]`."""
    from olmoearth_pretrain_minimal.olmoearth_pretrain_v1.utils.datatypes import (  # noqa: PLC0415
        MaskedOlmoEarthSample,
        MaskValue,
    )

    sample = MaskedOlmoEarthSample(
        timestamps=torch.tensor([[[16, 1, 2017]]]).repeat(len(crops), 1, 1),
        sentinel2_l2a=torch.from_numpy(crops[:, :, :, None]),
        sentinel2_l2a_mask=torch.full((*crops.shape[:3], 1, 3), MaskValue.ONLINE_ENCODER.value),
    )
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        found = model(sample, fast_pass=True, patch_size=_PATCH)["tokens_and_masks"].sentinel2_l2a
    return found.mean(dim=(3, 4)).float().numpy()


def peer(model: Any, files: list[Path], output: Path) -> None:
    """Files to a file: a row of crops is read, encoded in batches, and its middle written."""
    sources = [rasterio.open(path) for path in files]
    width, height = sources[0].width, sources[0].height
    profile = {
        "driver": "GTiff", "width": width // _PATCH, "height": height // _PATCH, "count": _WIDTH, "dtype": "float32",
        "crs": sources[0].crs, "transform": sources[0].transform * sources[0].transform.scale(_PATCH), "tiled": True,
        "compress": "lzw",
    }  # fmt: skip
    lefts = [*range(0, width - _CROP, _STEP), width - _CROP]
    side = _CROP // _PATCH
    with rasterio.open(output, "w", **profile) as made:
        for top in [*range(0, height - _CROP, _STEP), height - _CROP]:
            pixels = np.concatenate(
                [_strip(source, bands, top, width) for source, bands in zip(sources, _BANDS, strict=True)]
            )
            strip = np.moveaxis(pixels, 0, -1).astype(np.float32) / _SPREAD
            cells = np.empty((side, width // _PATCH, _WIDTH), np.float32)
            for start in range(0, len(lefts), _BATCH):
                part = lefts[start : start + _BATCH]
                for left, values in zip(
                    part, encoded(model, np.stack([strip[:, x : x + _CROP] for x in part])), strict=True
                ):
                    skip = _EDGE if left else 0
                    cells[:, left // _PATCH + skip : left // _PATCH + side] = values[:, skip:]
            skip = _EDGE if top else 0
            window = Window(0, top // _PATCH + skip, width // _PATCH, side - skip)
            made.write(np.moveaxis(cells[skip:], -1, 0), window=window)
    for source in sources:
        source.close()


def _strip(source: Any, bands: tuple[int, ...], top: int, width: int) -> np.ndarray[Any, Any]:
    scale = source.width / width
    return source.read(
        bands, window=Window(0, top * scale, source.width, _CROP * scale), out_shape=(len(bands), _CROP, width),
        resampling=Resampling.bilinear,
    )  # fmt: skip


def main() -> int:
    """Measure both, print the ratio."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--repeat", type=int, default=2)
    args = parser.parse_args()
    files = [args.data / name for name in SCENE]
    if not files[0].exists():
        print(f"skipped: the scene is not in {args.data}; give its folder with --data")
        return 0
    begun = time.perf_counter()
    try:
        model = encoder()
    except ImportError as error:
        print(f"skipped: the peer is not installed ({error}); see the first lines of this file")
        return 0
    start = time.perf_counter() - begun
    with rasterio.open(files[0]) as dataset:
        area = dataset.width * dataset.height * dataset.transform.a**2 / 1e6
    cores = len(os.sched_getaffinity(0))
    torch.set_num_threads(cores)
    with tempfile.TemporaryDirectory(prefix="gfm-peers-") as folder:
        theirs = best(lambda: peer(model, files, Path(folder) / "peer.tif"), args.repeat)
        command = ("embed", *files, "-o", Path(folder) / "ours.tif", "--cell", 40, "--groups", "network", "--overwrite")
        ours = best(lambda: gfm_command(*command), args.repeat)
    print("| from files to a file, cells of 40 m | km²/s | seconds |\n|---|---|---|")
    name = f"OlmoEarth v1.2 nano in a plain loop, start of {start:.1f} s not counted"
    print(f"| {name} | {area / theirs:.1f} | {theirs:.1f} |")
    print(f"| gfm embed --groups network, start counted | {area / ours:.1f} | {ours:.1f} |")
    print(f"ours over theirs: {theirs / ours:.1f} ({area:.0f} km², {cores} cores)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
