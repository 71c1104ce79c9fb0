"""Write the class map and its confidence, tile by tile, in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gfm_core.classes import MapClass
from gfm_core.embedding.map_grid import MapFeatures
from gfm_core.embedding.pipeline import worker_threads
from gfm_core.heads.fuse import FusedHead
from gfm_core.progress import Reporter, in_this_call
from gfm_core.raster.frame import Region
from gfm_core.raster.ground import as_crs
from gfm_core.raster.write import BLOCK, BlockRowWriter, add_overviews

CONFIDENCE_NODATA = 255

_TILE_COLS = 512  # pixels: with BLOCK rows, what one thread predicts at once


@dataclass(frozen=True, slots=True)
class Predicted:
    """A piece of the map: class codes (0 = nodata) and the winner's probability in % (255 = nodata)."""

    codes: NDArray[np.uint16]
    confidence: NDArray[np.uint8]


def predict(features: MapFeatures, head: FusedHead, part: Region) -> Predicted:
    """Class and confidence of the pixels of `part`."""
    values = {name: group.reshape(len(group), -1).T for name, group in features.read(part).items()}
    log_proba = head.log_proba({name: values[name] for name in head.heads})
    known: NDArray[np.bool_] = np.asarray(np.isfinite(log_proba).all(axis=1))
    codes = np.zeros(len(known), np.uint16)
    confidence = np.full(len(known), CONFIDENCE_NODATA, np.uint8)
    if known.any():
        best = log_proba[known].argmax(axis=1)
        class_codes = np.array([item.code for item in head.classes], np.uint16)
        codes[known] = class_codes[best]
        winner = np.exp(log_proba[known][np.arange(len(best)), best])
        confidence[known] = np.floor(100 * winner + 0.5).clip(0, 100)
    return Predicted(codes.reshape(part.shape), confidence.reshape(part.shape))


def write_map(
    features: MapFeatures, head: FusedHead, map_path: Path, confidence_path: Path, *,
    colormap: dict[int, tuple[int, int, int, int]], threads: int | None, reporter: Reporter, tags: dict[str, str],
) -> dict[int, int]:  # fmt: skip
    """Predict every pixel into two files; returns the number of pixels of each class code."""
    grid = features.grid
    wide = max(item.code for item in head.classes) > np.iinfo(np.uint8).max
    place: dict[str, Any] = {
        "shape": grid.shape,
        "bands": 1,
        "crs": as_crs(grid.frame.crs).to_wkt(),
        "transform": grid.transform,
    }
    counts = np.zeros(np.iinfo(np.uint16).max + 1, np.int64)
    pixel_km2 = grid.pixel_area_m2 / 1e6
    with (
        BlockRowWriter(map_path, dtype="uint16" if wide else "uint8", nodata=0, **place) as map_file,
        BlockRowWriter(confidence_path, dtype="uint8", nodata=CONFIDENCE_NODATA, **place) as confidence_file,
    ):
        map_file.dataset.update_tags(**tags)
        map_file.dataset.set_band_description(1, "class")
        confidence_file.dataset.set_band_description(1, "probability of the class, %")
        if not wide:
            map_file.dataset.write_colormap(1, colormap)
        for row, strip in _strips(features, head, threads):
            map_file.put(0, row, strip.codes[None])
            confidence_file.put(0, row, strip.confidence[None])
            counts += np.bincount(strip.codes.ravel(), minlength=len(counts))
            done = row + len(strip.codes)
            reporter.update(0.95 * done / grid.shape[0], "writing the map", done * grid.shape[1] * pixel_km2)
    add_overviews(map_path, categorical=True)
    add_overviews(confidence_path, categorical=False)
    return {item.code: int(counts[item.code]) for item in head.classes}


def _strips(features: MapFeatures, head: FusedHead, threads: int | None) -> Iterator[tuple[int, Predicted]]:
    """The map a row of blocks at a time, its tiles predicted side by side."""
    height, width = features.grid.shape
    with worker_threads(threads or os.cpu_count() or 1) as pool:
        for row in range(0, height, BLOCK):
            rows = min(BLOCK, height - row)
            parts = [Region(row, col, rows, min(_TILE_COLS, width - col)) for col in range(0, width, _TILE_COLS)]
            done: Sequence[Predicted] = list(pool.map(in_this_call(partial(predict, features, head)), parts))
            yield (
                row,
                Predicted(
                    np.concatenate([item.codes for item in done], axis=1),
                    np.concatenate([item.confidence for item in done], axis=1),
                ),
            )


def class_names(classes: Sequence[MapClass]) -> dict[str, str]:
    """Tags that carry class names where a reader knows no category names."""
    return {f"CLASS_{item.code}": item.name for item in classes}
