"""Tiles of a stack through the model, several at a time, each the same whatever the threads, the batch or the extent.

A tile is read once, its statistics are computed once, its tokens fused once; then each of its windows is one forward
pass of a fixed shape. Results come back in the order of the tiles, from the north.
"""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gfm_core.bands import Band
from gfm_core.features.groups import cell_columns
from gfm_core.grid import CORE, HALO, TILE_WINDOWS, CellRange, Tile, WindowIndex, tile_rows
from gfm_core.model.encoder import CellEncoder
from gfm_core.model.statistics import CellStatistics, cell_statistics, derive, margin_pixels
from gfm_core.model.tokens import ModalityInput, modality_input
from gfm_core.raster.normalise import normalise
from gfm_core.raster.read import StackReader
from gfm_core.raster.stack import Modality, Stack

_TILE_PIXELS = 4_000_000  # of one modality, over bands and dates: larger tiles are read in smaller squares


@dataclass(frozen=True, slots=True)
class Engine:
    """How the network runs: where, in which number format, and how many windows in one call on a GPU."""

    encoder: CellEncoder
    device: torch.device
    dtype: torch.dtype
    batch: int = 16


@dataclass(frozen=True, slots=True)
class TileContent:
    """What one tile gives: group columns `[columns, rows, cols]` of the cells it owns, and its windows' latents."""

    tile: Tile
    columns: dict[str, NDArray[np.float32]]
    latents: list[tuple[WindowIndex, NDArray[np.float32]]]  # [16, 16, D] each
    present: NDArray[np.bool_]  # [tile rows, tile cols]

    @property
    def owned(self) -> CellRange:
        """The cells whose `fine` and `coarse` columns come from this tile: its windows' cores."""
        cells = self.tile.cells
        return CellRange(cells.row + HALO, cells.col + HALO, cells.rows - 2 * HALO, cells.cols - 2 * HALO)


def tile_side(stack: Stack) -> int:
    """Windows along a tile of this stack: 4, or fewer where cells hold very many pixels; the extent does not matter."""
    for side in (TILE_WINDOWS, 2):
        if max(_pixels_of_tile(item, stack.lattice.cell_size, side) for item in stack.modalities) <= _TILE_PIXELS:
            return side
    return 1


def _pixels_of_tile(modality: Modality, cell_size: float, side: int) -> float:
    along = (side * CORE + 2 * HALO) * cell_size / modality.frame.transform.a + 2 * margin_pixels(modality.bands)
    return along * along * len(modality.bands) * len(modality.dates)


def modality_statistics(
    reader: StackReader, modality: Modality, cells: CellRange
) -> tuple[CellStatistics, tuple[Band, ...], NDArray[np.float32]]:
    """Statistics of `cells` in one modality, its bands as the network sees them, and the patches' offsets."""
    window = reader.window(modality, cells, margin_pixels(modality.bands))
    pixels = normalise(window.pixels, window.valid, modality.normalisation, modality.bands)
    values, valid, bands = derive(
        torch.from_numpy(pixels), torch.from_numpy(window.valid), modality.bands, modality.gsd
    )  # fmt: skip
    inside = torch.from_numpy(window.inside)
    return cell_statistics(values, valid, inside, window.rows, window.cols), bands, window.offset


def network_input(
    stack: Stack, modality: Modality, statistics: CellStatistics, bands: tuple[Band, ...], offset: NDArray[np.float32]
) -> ModalityInput:
    """One modality of a place as the network takes it, batch of one."""
    return modality_input(
        statistics, bands, gsd=modality.gsd, cell_size=stack.lattice.cell_size, dates=modality.dates,
        first_date=stack.first_date, offset=torch.from_numpy(offset),
    )  # fmt: skip


def tile_content(
    reader: StackReader, tile: Tile, wanted: CellRange, groups: tuple[str, ...], engine: Engine | None
) -> TileContent:
    """Read one tile and compute what `groups` ask for; `engine` is needed for `network`."""
    stack = reader.stack
    parts: dict[str, list[NDArray[np.float32]]] = {group: [] for group in groups if group != "network"}
    inputs = []
    core = (slice(None), slice(HALO, -HALO), slice(HALO, -HALO))
    for modality in stack.modalities:
        statistics, bands, offset = modality_statistics(reader, modality, tile.cells)
        for group, columns in parts.items():
            columns.append(cell_columns(group, statistics)[core])
        if engine is not None:
            inputs.append(network_input(stack, modality, statistics, bands, offset))
    columns_of = {group: np.concatenate(columns) for group, columns in parts.items()}
    if engine is None:
        return TileContent(tile, columns_of, [], np.zeros(tile.cells.shape, np.bool_))
    latents, present = _encode(engine, inputs, tile, wanted)
    return TileContent(tile, columns_of, latents, present)


def _encode(
    engine: Engine, inputs: list[ModalityInput], tile: Tile, wanted: CellRange
) -> tuple[list[tuple[WindowIndex, NDArray[np.float32]]], NDArray[np.bool_]]:
    """Fuse the tile's tokens, then encode each of its wanted windows that holds a token."""
    narrow = engine.dtype is not torch.float32
    casting: Any = torch.autocast(engine.device.type, dtype=engine.dtype) if narrow else contextlib.nullcontext()
    with torch.inference_mode(), casting:
        cells, present = engine.encoder.tokens_to_cells([item.to(engine.device) for item in inputs])
        jobs = []
        for window in tile.windows(wanted):
            rows, cols = window.cells.slices_in(tile.cells)
            if bool(present[0, rows, cols].any()):
                jobs.append((window, cells[:, rows, cols], present[:, rows, cols]))
        latents = _forward(engine, [job[1] for job in jobs], [job[2] for job in jobs])
    found = [(job[0], values) for job, values in zip(jobs, latents, strict=True)]
    return found, present[0].cpu().numpy()


def _forward(engine: Engine, cells: list[torch.Tensor], present: list[torch.Tensor]) -> list[NDArray[np.float32]]:
    """Latents `[16, 16, D]` of windows, in calls of one fixed shape: one by one on a CPU, padded batches on a GPU."""
    size = 1 if engine.device.type == "cpu" else engine.batch
    found: list[NDArray[np.float32]] = []
    for start in range(0, len(cells), size):
        values, mask = torch.cat(cells[start : start + size]), torch.cat(present[start : start + size])
        missing = size - len(values)
        if missing:
            values = torch.cat([values, values[:1].expand(missing, -1, -1, -1)])
            mask = torch.cat([mask, mask[:1].expand(missing, -1, -1)])
        latents = engine.encoder.cells_to_latents(values.contiguous(), mask.contiguous()).values
        found += list(latents[: size - missing].float().cpu().numpy())
    return found


def tiles_in_order(
    reader: StackReader, cells: CellRange, groups: tuple[str, ...], engine: Engine | None, threads: int | None
) -> Generator[TileContent, None, None]:
    """The contents of all tiles that touch `cells`, row by row from the north, computed by `threads`.

    Whoever stops early closes it: that waits for the tiles that have begun.
    """
    jobs = (tile for row in tile_rows(cells, tile_side(reader.stack)) for tile in row)
    count = threads or os.cpu_count() or 1

    def work(tile: Tile) -> TileContent:
        return tile_content(reader, tile, cells, groups, engine)

    with worker_threads(count) as pool:
        yield from _ordered(pool, work, jobs, ahead=count + 1)


@contextlib.contextmanager
def worker_threads(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Worker threads that each compute on one core; what has not begun is dropped when the caller leaves."""
    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="gfm", initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        torch.set_num_threads(before)


def _ordered(
    pool: ThreadPoolExecutor, work: Callable[[Tile], TileContent], jobs: Iterator[Tile], ahead: int
) -> Iterator[TileContent]:
    """Results in the order of `jobs`, with at most `ahead` begun and not yet taken."""
    pending: deque[Future[TileContent]] = deque()
    for job in jobs:
        pending.append(pool.submit(work, job))
        if len(pending) > ahead:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()
