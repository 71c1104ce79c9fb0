"""A stack as a torchgeo `GeoDataset`, so that torchgeo's samplers, intersections and times of interest work on it.

The only file that imports torchgeo (0.8 to 0.10), and it does so in one function. It needs the extra `train`.
"""

from __future__ import annotations

import logging
import math
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import torch

from gfm_core.errors import MissingExtraError, ParameterError
from gfm_core.grid import WINDOW, Bounds, CellRange, Lattice
from gfm_core.raster.read import StackReader
from gfm_core.raster.stack import Modality, Stack

logger = logging.getLogger(__name__)

Query = tuple[slice, ...]  # x, y and time, as torchgeo's samplers give them; missing ones mean everything


@dataclass(frozen=True, slots=True)
class _TorchGeo:
    """What we use of torchgeo."""

    dataset: Any
    random_batches: Any


_operators: list[Any] = []  # must outlive the declarations made in them


def _import_torchgeo() -> _TorchGeo:
    """torchgeo, also beside a torchvision whose compiled part does not fit torch.

    Such a torchvision stops on its first import because its operator `nms` is unknown. We cut no boxes, so declaring
    the name is enough. A pair that imports is never touched.
    """
    try:
        return _torchgeo()
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"gfm train and gfm evaluate need {error.name}; install jepa-gfm[train].") from error
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    logger.warning("torchvision does not fit torch %s; it is used without its compiled part.", torch.__version__)
    for name in [name for name in sys.modules if name.partition(".")[0] in ("torchvision", "torchgeo")]:
        del sys.modules[name]
    operators: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    operators.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    operators.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _operators.append(operators)
    try:
        return _torchgeo()
    except (ImportError, RuntimeError) as error:
        raise MissingExtraError(
            "torchvision cannot be imported beside this torch; install a pair that fits: "
            "uv pip install --torch-backend cpu torch torchvision."
        ) from error


def _torchgeo() -> _TorchGeo:
    import torchgeo.datasets
    import torchgeo.samplers

    return _TorchGeo(torchgeo.datasets.GeoDataset, torchgeo.samplers.RandomBatchGeoSampler)


_geo = _import_torchgeo()


class StackDataset(_geo.dataset):  # type: ignore[misc, name-defined]
    """The cells of one place, in its own CRS; the resolution is the cell size.

    A query of torchgeo's samplers gives a sample: `modalities` (name → the `PixelWindow` that `gfm embed` would read),
    `cells` (the `CellRange` it was snapped to), `bounds` (theirs, in CRS units) and `crs`. A place is one entry of the
    index, from its first date to its last, at least `least_cells` wide and high: cells beyond the rasters are there and
    hold nothing. `margin` is in native pixels of each modality.
    """

    def __init__(
        self,
        stack: Stack,
        *,
        margin: int = 0,
        reader: StackReader | None = None,
        least_cells: int = WINDOW + 1,  # one more than a window, lest rounding of its edges makes it too small
        transforms: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    ) -> None:
        self.stack, self.margin, self.transforms = stack, margin, transforms
        self.reader = reader or StackReader(stack)
        self.paths = [source.path for source in stack.sources]
        self._res = (stack.lattice.cell_size, stack.lattice.cell_size)
        around = stack.lattice.bounds(_widened(stack.cells, least_cells))
        when = pd.IntervalIndex.from_tuples([_period(stack)], closed="both", name="datetime")
        self.index = gpd.GeoDataFrame(
            {"filepath": [stack.finest.path]},
            index=when,
            geometry=[shapely.box(*around.as_tuple())],
            crs=stack.lattice.crs,
        )

    @property
    def crs(self) -> Any:
        """The CRS of the cells, which cannot change: patches are plain reads only in it."""
        return self.index.crs

    @crs.setter
    def crs(self, wanted: Any) -> None:
        if wanted != self.crs:
            raise ParameterError("A stack stays in its own CRS; put it first, as in stack & labels.")

    @property
    def res(self) -> tuple[float, float]:
        """Cell size along x and y."""
        return self._res

    @res.setter
    def res(self, wanted: float | tuple[float, float]) -> None:
        if wanted not in (self._res, self._res[0]):
            raise ParameterError("A stack keeps its cell size; open it with another cell_size, or put it first.")

    def __getitem__(self, query: slice | Query) -> dict[str, Any]:
        """The sample of a query; raises `IndexError` if it touches no ground, or no date, of the place."""
        x, y, when = self._resolve(query)
        cells = snap(self.stack.lattice, Bounds(x.start, y.start, x.stop, y.stop))
        dated = (_during(item, when) for item in self.stack.modalities)
        modalities = [item for item in dated if item is not None]
        ground = _widened(self.stack.cells, max(cells.shape))
        if not modalities or ground.intersection(cells) is None:
            raise IndexError(f"query {query} is outside of the place, which covers {self.bounds}")
        sample = {
            "modalities": {item.name: self.reader.window(item, cells, self.margin) for item in modalities},
            "cells": cells,
            "bounds": self.stack.lattice.bounds(cells),
            "crs": self.crs,
        }
        return self.transforms(sample) if self.transforms else sample

    def _resolve(self, query: slice | Query) -> tuple[slice, slice, slice]:
        """x, y and time with every end filled in."""
        given = (query,) if isinstance(query, slice) else tuple(query)
        whole = self.bounds
        parts = [
            slice(
                whole[axis].start if axis >= len(given) or given[axis].start is None else given[axis].start,
                whole[axis].stop if axis >= len(given) or given[axis].stop is None else given[axis].stop,
            )
            for axis in range(3)
        ]
        return parts[0], parts[1], parts[2]


def snap(lattice: Lattice, bounds: Bounds) -> CellRange:
    """The cells nearest to `bounds`: both sides are moved to lattice lines, halves upwards, and at least one cell."""

    def nearest(cells: float) -> int:
        return math.floor(cells + 0.5)

    size = lattice.cell_size
    row = nearest((lattice.phase_y - bounds.top) / size)
    col = nearest((bounds.left - lattice.phase_x) / size)
    rows, cols = nearest((bounds.top - bounds.bottom) / size), nearest((bounds.right - bounds.left) / size)
    return CellRange(row, col, max(rows, 1), max(cols, 1))


def random_batch(
    dataset: StackDataset, *, windows: int, cells: int = WINDOW, generator: torch.Generator
) -> list[Query]:
    """One batch of random queries of `cells` x `cells`, by torchgeo's `RandomBatchGeoSampler`.

    The sampler also draws from torch's global generator, which is seeded from `generator` here and put back after.
    """
    seed = int(torch.randint(2**31, (1,), generator=generator))
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torchgeo 0.10 has a newer name for it, 0.8 has not
        torch.manual_seed(seed)
        sampler = _geo.random_batches(dataset, cells, windows, length=windows, generator=generator)
        batches: Iterator[list[Query]] = iter(sampler)
        return next(batches)


def _widened(cells: CellRange, least: int) -> CellRange:
    """`cells`, or the `least` x `least` cells around them where they are fewer."""
    more_rows, more_cols = max(least - cells.rows, 0), max(least - cells.cols, 0)
    return CellRange(
        cells.row - more_rows // 2, cells.col - more_cols // 2, cells.rows + more_rows, cells.cols + more_cols
    )


def _period(stack: Stack) -> tuple[pd.Timestamp, pd.Timestamp]:
    """From the start of the first date to the end of the last; all times for a place without dates."""
    dates = [date for item in stack.modalities for date in item.dates if date is not None]
    if not dates:
        return pd.Timestamp.min, pd.Timestamp.max
    return pd.Timestamp(min(dates)), pd.Timestamp(max(dates)) + pd.Timedelta(days=1) - pd.Timedelta(1)


def _during(modality: Modality, when: slice) -> Modality | None:
    """The dates of a modality that lie in a period; undated ones always do. None if no date is left.

    Images carry days and periods instants: a day counts if the period touches it.
    """
    first, last = (np.datetime64(instant, "D") for instant in (when.start, when.stop))
    kept = [
        number
        for number, date in enumerate(modality.dates)
        if date is None or first <= np.datetime64(date, "D") <= last
    ]
    if len(kept) == len(modality.dates):
        return modality
    return with_dates(modality, kept) if kept else None


def with_dates(modality: Modality, numbers: list[int]) -> Modality:
    """The modality with only the dates of these numbers, in the order given."""
    return replace(
        modality,
        dates=tuple(modality.dates[number] for number in numbers),
        sources=tuple(modality.sources[number] for number in numbers),
    )
