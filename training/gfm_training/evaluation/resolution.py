"""The same place with one modality at half and at a quarter of its resolution: do the latents stay the same?"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning

from gfm_core.model.encoder import CellEncoder
from gfm_core.raster.frame import Frame
from gfm_core.raster.source import Source, open_dataset
from gfm_core.raster.stack import Modality, Stack
from gfm_core.raster.validity import read_with_validity
from gfm_training.evaluation.ground import Ground, Likeness, inputs_of, latents_of, likeness, read_pixels

FACTORS = (2, 4)

_LARGEST = 40_000_000  # values of a raster that is made coarser in memory


@dataclass(frozen=True, slots=True)
class Coarser:
    """Likeness of the latents with `sensor`'s `modality` made `factor` times coarser to those with it as it is."""

    place: str
    modality: str
    factor: int
    likeness: Likeness


def coarser_latents(encoder: CellEncoder, ground: Ground, folder: Path) -> list[Coarser]:
    """Measure every modality of a place in turn; `folder` holds the coarser rasters meanwhile."""
    stack = ground.stack
    whole, there = latents_of(encoder, inputs_of(stack, read_pixels(stack, ground.cells)))
    found = []
    for number, modality in enumerate(stack.modalities):
        for factor in FACTORS:
            other = coarser_modality(modality, factor, folder)
            if other is None:
                continue
            changed = _with_modality(stack, number, other)
            values, present = latents_of(encoder, inputs_of(changed, read_pixels(changed, ground.cells)))
            alike = likeness(values, whole, there & present)
            if alike is not None:
                found.append(Coarser(ground.place.name, modality.name, factor, alike))
    return found


def _with_modality(stack: Stack, number: int, modality: Modality) -> Stack:
    modalities = list(stack.modalities)
    modalities[number] = modality
    return dataclasses.replace(stack, modalities=tuple(modalities))


def coarser_modality(modality: Modality, factor: int, folder: Path) -> Modality | None:
    """The modality as a sensor of `factor` times its GSD would give it: pixels averaged over valid ones.

    None for rasters that are too large, or too small to be made coarser.
    """
    sources = []
    for mosaic in modality.sources:
        made = [coarser_source(source, factor, folder) for source in mosaic]
        if any(one is None for one in made):
            return None
        sources.append(tuple(one for one in made if one is not None))
    frame = Frame(modality.frame.crs, modality.frame.transform * Affine.scale(factor))
    return dataclasses.replace(
        modality, name=f"{modality.name} / {factor}", gsd=modality.gsd * factor, frame=frame, sources=tuple(sources)
    )


def coarser_source(source: Source, factor: int, folder: Path) -> Source | None:
    """A raster of `factor` x `factor` pixels in one, written to `folder`; a pixel is valid if half of it is."""
    rows, cols = source.height // factor, source.width // factor
    if source.gcps or min(rows, cols) < 1 or source.height * source.width * len(source.bands) > _LARGEST:
        return None
    with open_dataset(source) as dataset:
        window = rasterio.windows.Window(0, 0, cols * factor, rows * factor)
        pixels, valid = read_with_validity(dataset, source, window, range(len(source.bands)))
    values, known = averaged(pixels, valid, factor)
    path = folder / f"{len(list(folder.iterdir()))}.tif"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(
            path, "w", driver="GTiff", count=len(values), height=rows, width=cols, dtype="float32", nodata=np.nan,
        ) as dataset:  # fmt: skip
            dataset.write(np.where(known, values, np.nan).astype(np.float32))
    return dataclasses.replace(
        source, path=str(path), transform=source.transform * Affine.scale(factor), height=rows, width=cols,
        dtype="float32", indexes=tuple(range(1, len(values) + 1)), nodata=(None,) * len(values), mask_band=False,
        gsd=source.gsd * factor, fingerprint=(0, 0), files=(),
    )  # fmt: skip


def averaged(
    pixels: NDArray[np.float32], valid: NDArray[np.bool_], factor: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Means `[C, h, w]` of squares of `factor` pixels over the valid ones of `[C, H, W]`, known if half of them are."""
    bands, height, width = pixels.shape
    shape = (bands, height // factor, factor, width // factor, factor)
    weights = np.broadcast_to(valid, pixels.shape).reshape(shape).astype(np.float64)
    sums = (pixels.reshape(shape) * weights).sum(axis=(2, 4))
    counts = weights.sum(axis=(2, 4))
    return sums / np.maximum(counts, 1), counts >= factor**2 / 2


def by_factor(found: Sequence[Coarser]) -> dict[int, list[Likeness]]:
    """The measures of every factor."""
    return {factor: [one.likeness for one in found if one.factor == factor] for factor in FACTORS}
