"""Places are small: their pixels are kept in memory, so that a training window costs a slice instead of a read."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gfm_core.grid import Bounds
from gfm_core.raster.frame import Frame, Region
from gfm_core.raster.ground import transform_bounds
from gfm_core.raster.read import RegionPixels, StackReader
from gfm_core.raster.source import Source
from gfm_core.raster.stack import Stack

LARGEST = 80_000_000  # values (pixels x bands) of one date of one modality that are kept; 5 bytes each


class CachedReader(StackReader):
    """A `StackReader` that reads each date of each modality once, whole; larger ones are read as they are asked for."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack)
        self._kept: dict[tuple[object, ...], tuple[Region, RegionPixels] | None] = {}

    def load(self) -> None:
        """Read everything now, so that processes forked later share it and open no file."""
        for modality in self.stack.modalities:
            for mosaic in modality.sources:
                self._whole(mosaic, modality.frame)
        self.close()

    @property
    def held(self) -> int:
        """Bytes of the pixels that are kept."""
        kept = [found[1] for found in self._kept.values() if found is not None]
        return sum(part.pixels.nbytes + part.valid.nbytes + part.inside.nbytes for part in kept)

    @property
    def empty(self) -> bool:
        """Whether all has been read, and no pixel is valid."""
        return all(found is not None and not found[1].valid.any() for found in self._kept.values())

    def share(self, other: CachedReader) -> None:
        """Keep what `other` keeps: the same place in cells of another size has the same pixels."""
        self._kept = other._kept

    def region(self, sources: Sequence[Sequence[Source]], frame: Frame, region: Region) -> RegionPixels:
        """The same pixels as `StackReader.region`."""
        kept = [self._whole(mosaic, frame) for mosaic in sources]
        parts = [
            super(CachedReader, self).region([mosaic], frame, region) if whole is None else _cut(*whole, region)
            for mosaic, whole in zip(sources, kept, strict=True)
        ]
        inside = np.logical_or.reduce([part.inside for part in parts])
        pixels, valid = (np.concatenate([getattr(part, name) for part in parts]) for name in ("pixels", "valid"))
        return RegionPixels(pixels, valid, inside)

    def _whole(self, mosaic: Sequence[Source], frame: Frame) -> tuple[Region, RegionPixels] | None:
        key = (frame.transform, *((source.path, source.indexes) for source in mosaic))
        if key not in self._kept:
            around = _footprint(mosaic, frame)
            small = around.rows * around.cols * len(mosaic[0].bands) <= LARGEST
            self._kept[key] = (around, super().region([mosaic], frame, around)) if small else None
        return self._kept[key]


def _footprint(mosaic: Sequence[Source], frame: Frame) -> Region:
    """The frame's pixels that the sources can touch, and two more on each side."""
    first, *others = (transform_bounds(source.bounds, source.crs, frame.crs) for source in mosaic)
    around: Bounds = first
    for other in others:
        around = around.union(other)
    left, top = ~frame.transform * (around.left, around.top)
    right, bottom = ~frame.transform * (around.right, around.bottom)
    row, col = math.floor(top), math.floor(left)
    return Region(row, col, math.ceil(bottom) - row, math.ceil(right) - col).grown(2)


def _cut(held: Region, content: RegionPixels, wanted: Region) -> RegionPixels:
    """`wanted` out of what is held; nothing (invalid, outside) beyond it."""
    top, left = max(held.row, wanted.row), max(held.col, wanted.col)
    bottom = max(min(held.row + held.rows, wanted.row + wanted.rows), top)
    right = max(min(held.col + held.cols, wanted.col + wanted.cols), left)
    source = (..., slice(top - held.row, bottom - held.row), slice(left - held.col, right - held.col))
    target = (..., slice(top - wanted.row, bottom - wanted.row), slice(left - wanted.col, right - wanted.col))
    shape = (*content.pixels.shape[:2], *wanted.shape)
    cut = RegionPixels(np.zeros(shape, np.float32), np.zeros(shape, np.bool_), np.zeros(wanted.shape, np.bool_))
    if bottom > top and right > left:
        for name in ("pixels", "valid", "inside"):
            getattr(cut, name)[target] = getattr(content, name)[source]
    return cut
