"""Write the class map, its confidence and its candidates, tile by tile, in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gfm_core.classes import MapClass
from gfm_core.embedding.map_grid import MapFeatures
from gfm_core.embedding.pipeline import worker_threads
from gfm_core.features.groups import band_positions
from gfm_core.heads.mapper import MapHead
from gfm_core.heads.smooth import smooth
from gfm_core.progress import Reporter, in_this_call
from gfm_core.raster.finish import add_overviews
from gfm_core.raster.frame import Region
from gfm_core.raster.ground import as_crs
from gfm_core.raster.write import BLOCK, BlockRowWriter
from gfm_core.report.style import CERTAINTY

CONFIDENCE_NODATA = 255

SURE, TWO, UNKNOWN = (item.code for item in CERTAINTY)  # of a pixel: one candidate, two, more or none
INSIDE, OUTSIDE = 1, 2  # of the area of applicability; 0: not known
CANDIDATE_BANDS = ("certainty", "first candidate", "second candidate", "applicability")

_TILE_COLS = 512  # pixels: with BLOCK rows, what one thread predicts at once


@dataclass(frozen=True, slots=True)
class Predicted:
    """A piece of the map `[h, w]`: class codes (0 = nodata), the winner's probability in % (255 = nodata), and bands of
    the candidates: certainty, the second candidate's code (0 = there are not two), applicability.
    """

    codes: NDArray[np.uint16]
    confidence: NDArray[np.uint8]
    certainty: NDArray[np.uint8]
    second: NDArray[np.uint16]
    applicability: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class MapPaths:
    """The three rasters of a map."""

    map: Path
    confidence: Path
    candidates: Path


@dataclass(frozen=True, slots=True)
class MapCounts:
    """Pixels by class code, by certainty, and outside the area of applicability."""

    classes: dict[int, int]
    certainty: dict[int, int]
    outside: int


def predict(features: MapFeatures, head: MapHead, near: int, part: Region) -> Predicted:
    """Everything that the rasters of the map tell of the pixels of `part`; `near`: how far smoothing reaches."""
    radius = near if head.guide is not None and "fine" in features.columns else 0
    # Beyond the map too: at the edge of an extent pixels are smoothed as in the whole.
    wide = Region(part.row - radius, part.col - radius, part.rows + 2 * radius, part.cols + 2 * radius)
    values = features.read(wide)
    rows = {group: value.reshape(len(value), -1).T for group, value in values.items()}
    inner = np.s_[:, radius : radius + part.rows, radius : radius + part.cols]
    probabilities = np.exp(head.fused.log_proba({group: rows[group] for group in head.fused.heads}))
    cube = probabilities.astype(np.float32).T.reshape(-1, *wide.shape)
    if radius:
        guide = head.guide_of(rows["fine"][:, band_positions(features.columns["fine"])])
        cube = smooth(cube, guide.T.reshape(-1, *wide.shape), radius)
    inside = _applicability(head, {group: value[inner] for group, value in values.items()})
    return _predicted(cube, head, inside)


def _applicability(head: MapHead, values: dict[str, NDArray[np.float32]]) -> NDArray[np.uint8] | None:
    if head.applicability is None or head.applicability.group not in values:
        return None
    group = values[head.applicability.group]
    inside = head.applicability.inside(group.reshape(len(group), -1).T)
    return np.where(inside, INSIDE, OUTSIDE).astype(np.uint8).reshape(group.shape[1:])


def _predicted(cube: NDArray[np.float32], head: MapHead, inside: NDArray[np.uint8] | None) -> Predicted:
    """From probabilities `[K, h, w]`."""
    known = np.isfinite(cube[0])
    filled = np.where(known, cube, np.float32(0))
    order = np.argsort(-filled, axis=0, kind="stable")
    codes = np.array([item.code for item in head.classes], np.uint16)
    winner = np.take_along_axis(filled, order[:1], axis=0)[0]
    size = (filled >= (head.threshold or 0.0)).sum(axis=0)
    certainty = np.select([size == 1, size == 2], [SURE, TWO], UNKNOWN)
    second = codes[order[1]] if len(codes) > 1 else np.zeros(known.shape, np.uint16)
    return Predicted(
        codes=np.where(known, codes[order[0]], 0).astype(np.uint16),
        confidence=np.where(known, np.floor(100 * winner + 0.5).clip(0, 100), CONFIDENCE_NODATA).astype(np.uint8),
        certainty=np.where(known, certainty, 0).astype(np.uint8),
        second=np.where(known & (size == 2), second, 0).astype(np.uint16),
        applicability=np.where(known, inside if inside is not None else 0, 0).astype(np.uint8),
    )


def write_map(
    features: MapFeatures, head: MapHead, paths: MapPaths, *, near: int,
    colormap: dict[int, tuple[int, int, int, int]], threads: int | None, reporter: Reporter, tags: dict[str, str],
) -> MapCounts:  # fmt: skip
    """Predict every pixel into three files."""
    grid = features.grid
    code_type = "uint16" if max(item.code for item in head.classes) > np.iinfo(np.uint8).max else "uint8"
    place: dict[str, Any] = {
        "shape": grid.shape, "crs": as_crs(grid.frame.crs).to_wkt(), "transform": grid.transform,
    }  # fmt: skip
    counts, certainty, outside = np.zeros(np.iinfo(np.uint16).max + 1, np.int64), np.zeros(UNKNOWN + 1, np.int64), 0
    pixel_km2 = grid.pixel_area_m2 / 1e6
    with ExitStack() as opened:
        classes = opened.enter_context(BlockRowWriter(paths.map, bands=1, dtype=code_type, nodata=0, **place))
        confidence = opened.enter_context(
            BlockRowWriter(paths.confidence, bands=1, dtype="uint8", nodata=CONFIDENCE_NODATA, **place)
        )
        candidates = opened.enter_context(
            BlockRowWriter(paths.candidates, bands=len(CANDIDATE_BANDS), dtype=code_type, nodata=0, **place)
        )
        _describe(classes, confidence, candidates, tags, head.level)
        if code_type == "uint8":
            classes.dataset.write_colormap(1, colormap)
        for row, strip in predicted_strips(features, head, near, threads):
            classes.put(0, row, strip.codes[None])
            confidence.put(0, row, strip.confidence[None])
            candidates.put(0, row, np.stack([strip.certainty, strip.codes, strip.second, strip.applicability]))
            counts += np.bincount(strip.codes.ravel(), minlength=len(counts))
            certainty += np.bincount(strip.certainty.ravel(), minlength=len(certainty))
            outside += int((strip.applicability == OUTSIDE).sum())
            done = row + len(strip.codes)
            reporter.update(0.95 * done / grid.shape[0], "writing the map", done * grid.shape[1] * pixel_km2)
    add_overviews(paths.map, categorical=True)
    add_overviews(paths.confidence, categorical=False)
    add_overviews(paths.candidates, categorical=True)
    return MapCounts(
        {item.code: int(counts[item.code]) for item in head.classes},
        {one: int(certainty[one]) for one in (SURE, TWO, UNKNOWN)}, outside,
    )  # fmt: skip


def _describe(
    classes: BlockRowWriter, confidence: BlockRowWriter, candidates: BlockRowWriter, tags: dict[str, str], level: float
) -> None:
    """What the bands hold, for whoever opens the files without a style."""
    classes.dataset.update_tags(**tags)
    classes.dataset.set_band_description(1, "class")
    confidence.dataset.set_band_description(1, "probability of the class, %")
    listed = ", ".join(f"{item.code} {item.name}" for item in CERTAINTY)
    told = {"CERTAINTY": listed, "APPLICABILITY": "1 inside, 2 outside, 0 not known"}
    candidates.dataset.update_tags(**tags, **told, COVERAGE=f"{level:g}")
    candidates.dataset.descriptions = CANDIDATE_BANDS


def predicted_strips(
    features: MapFeatures, head: MapHead, near: int, threads: int | None
) -> Iterator[tuple[int, Predicted]]:
    """The map a row of blocks at a time, its tiles predicted side by side."""
    height, width = features.grid.shape
    with worker_threads(threads or os.cpu_count() or 1) as pool:
        for row in range(0, height, BLOCK):
            rows = min(BLOCK, height - row)
            parts = [Region(row, col, rows, min(_TILE_COLS, width - col)) for col in range(0, width, _TILE_COLS)]
            done: Sequence[Predicted] = list(pool.map(in_this_call(partial(predict, features, head, near)), parts))
            yield (
                row,
                Predicted(*(
                    np.concatenate([getattr(item, field.name) for item in done], axis=1) for field in fields(Predicted)
                )),
            )  # fmt: skip


def class_names(classes: Sequence[MapClass]) -> dict[str, str]:
    """Tags that carry class names where a reader knows no category names."""
    return {f"CLASS_{item.code}": item.name for item in classes}
