"""Tiles of a stack through the model, several at a time, each the same whatever the threads, the batch or the extent.

A tile is read once, its statistics are computed once, its tokens fused once; then its windows are forward passes of a
fixed shape. Results come back in the order of the tiles, from the north.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gfm_core.bands import Band
from gfm_core.embedding.blend import WindowPart
from gfm_core.embedding.quantise import Clipping, quantise
from gfm_core.features.groups import Column, cell_columns
from gfm_core.grid import CORE, HALO, TILE_WINDOWS, CellRange, Tile, WindowIndex
from gfm_core.model.encoder import CellEncoder
from gfm_core.model.statistics import CellStatistics, cell_statistics, derive, margin_pixels
from gfm_core.model.tokens import ModalityInput, modality_input, rectangle_of
from gfm_core.ordered import Job, Result, results_in_order
from gfm_core.progress import Cancelled
from gfm_core.raster.normalise import normalise
from gfm_core.raster.read import StackReader
from gfm_core.raster.stack import Modality, Stack
from gfm_core.threads import one_thread

_TILE_PIXELS = 6_000_000  # of one modality, over bands and dates: larger tiles are read in smaller squares
_BATCH_CPU = 4  # windows in one call: neighbours in a row of windows, each always at its own place in the call
_FUSED_ROWS = 14  # rows of cells whose tokens are fused at once on a CPU: they fit its cache

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Engine:
    """How the network runs: where, in which number format, and how many windows in one call on a GPU.

    `limit` is how many windows the memory has turned out to hold: no call takes more from then on.
    """

    encoder: CellEncoder
    device: torch.device
    dtype: torch.dtype
    batch: int = 16
    limit: int = 1 << 16

    @property
    def on_cpu(self) -> bool:
        """Whether it runs on a CPU."""
        return self.device.type == "cpu"


@dataclass(frozen=True, slots=True)
class TileJob:
    """What a tile has to give: latents of `windows`, statistics of the cells of `piece` (None: of none)."""

    tile: Tile
    windows: tuple[WindowIndex, ...]
    piece: CellRange | None

    @property
    def cells(self) -> CellRange:
        """The smallest range of cells that must be known."""
        parts = [window.cells for window in self.windows] + ([self.piece] if self.piece else [])
        row, col = min(part.row for part in parts), min(part.col for part in parts)
        return CellRange(row, col, max(part.stop[0] for part in parts) - row, max(part.stop[1] for part in parts) - col)


@dataclass(frozen=True, slots=True)
class TileContent:
    """What one tile gives: `columns` as they are stored, `[columns, rows, cols]` of the job's piece, and latents."""

    job: TileJob
    columns: dict[str, NDArray[Any]]
    latents: list[WindowPart]
    clipping: Clipping


def tile_side(stack: Stack) -> int:
    """Windows along a tile of this stack: 8, or fewer where cells hold very many pixels; the extent does not matter."""
    for side in (TILE_WINDOWS, 4, 2):
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


@dataclass(frozen=True, slots=True)
class TileWork:
    """What all tiles of a run share: where they are read from, what is stored, and the `engine` for `network`."""

    reader: StackReader
    columns: Mapping[str, Sequence[Column]]
    dtype: str
    engine: Engine | None

    def content(self, job: TileJob, stopping: threading.Event) -> TileContent:
        """Read what a job needs and compute its groups. Raises `Cancelled` when the run is `stopping`."""
        stack, cells, piece = self.reader.stack, job.cells, job.piece
        parts: dict[str, list[NDArray[np.float32]]] = {
            group: [] for group in self.columns if group != "network" and piece is not None
        }
        inputs = []
        for modality in stack.modalities:
            _leave_if(stopping)
            statistics, bands, offset = modality_statistics(self.reader, modality, cells)
            for group, found in parts.items():
                assert piece is not None
                found.append(cell_columns(group, statistics)[(slice(None), *piece.slices_in(cells))])
            if self.engine is not None and job.windows:
                inputs.append(network_input(stack, modality, statistics, bands, offset))
        clipping = Clipping()
        stored = {
            group: as_stored(np.concatenate(found), self.columns[group], self.dtype, clipping)
            for group, found in parts.items()
        }
        latents = _encode(self.engine, inputs, job, stopping) if self.engine is not None and job.windows else []
        return TileContent(job, stored, latents, clipping)


def _leave_if(stopping: threading.Event) -> None:
    """Leave the tile at work if the run has ended."""
    if stopping.is_set():
        raise Cancelled("The run has ended.")


def as_stored(
    values: NDArray[np.float32], columns: Sequence[Column], dtype: str, clipping: Clipping
) -> NDArray[np.uint8] | NDArray[np.float32]:
    """Values `[columns, ...]` as the embedding holds them."""
    if dtype == "uint8":
        return quantise(values, columns, clipping)
    clipping.values += int(np.isfinite(values).sum())
    return values


def _encode(engine: Engine, inputs: list[ModalityInput], job: TileJob, stopping: threading.Event) -> list[WindowPart]:
    """Fuse the job's tokens, then encode each of its windows that holds a token."""
    narrow = engine.dtype is not torch.float32
    casting: Any = torch.autocast(engine.device.type, dtype=engine.dtype) if narrow else contextlib.nullcontext()
    with torch.inference_mode(), casting:
        fused = _fused(engine, inputs, job)
        found = []
        for windows in _calls(engine, job.windows):
            _leave_if(stopping)
            found += _forward(engine, windows, fused)
    return found


@dataclass(frozen=True, slots=True)
class _Fused:
    """Cell vectors `[rows, cols, D]` of a whole tile, zeros where nothing was read, and which of them are present."""

    tile: Tile
    cells: torch.Tensor
    present: torch.Tensor

    def of(self, window: WindowIndex) -> tuple[torch.Tensor, torch.Tensor]:
        """Those of one window."""
        at = window.cells.slices_in(self.tile.cells)
        return self.cells[at], self.present[at]


def _fused(engine: Engine, inputs: list[ModalityInput], job: TileJob) -> _Fused:
    """Fuse the tokens of what was read.

    Matrix products have one shape, and every cell its own place in them, whatever part of the tile is asked for.
    """
    tile = job.tile.cells
    side = tile.rows
    step = max(rows for rows in range(1, _FUSED_ROWS + 1) if side % rows == 0) if engine.on_cpu else side
    cells = torch.zeros((side, side, engine.encoder.dim), device=engine.device)
    present = torch.zeros((side, side), dtype=torch.bool, device=engine.device)
    for first in range(0, side, step):
        strip = CellRange(tile.row + first, tile.col, step, side)
        if strip.intersection(job.cells) is None:
            continue
        first_row, first_col = strip.row - job.cells.row, strip.col - job.cells.col
        given = [rectangle_of(item, first_row, first_col, step, side).to(engine.device) for item in inputs]
        values, there = engine.encoder.tokens_to_cells(given)
        cells[first : first + step], present[first : first + step] = values[0], there[0]
    return _Fused(job.tile, cells, present)


def _calls(engine: Engine, windows: Sequence[WindowIndex]) -> Iterator[list[WindowIndex]]:
    """The windows that one call may take together: on a CPU those of a fixed group of neighbours."""
    if not engine.on_cpu:
        yield list(windows)
        return
    groups: dict[tuple[int, int], list[WindowIndex]] = {}
    for window in windows:
        groups.setdefault((window.row, window.col // _BATCH_CPU), []).append(window)
    yield from groups.values()


def _forward(engine: Engine, windows: list[WindowIndex], fused: _Fused) -> list[WindowPart]:
    """Latents of windows in calls of one fixed shape; windows without a token give nothing."""
    there = {window: fused.of(window)[1].cpu().numpy() for window in windows}
    some = [window for window in windows if there[window].any()]
    if engine.on_cpu:
        # Whole windows and broken ones take different ways through attention: a call holds one kind, so that no
        # window's numbers depend on what its neighbours lack.
        whole = [window for window in some if there[window].all()]
        calls = [([window], 1) for window in some if window not in whole]
        calls += [(whole, _BATCH_CPU)] if whole else []
    else:
        calls = [(some[start : start + engine.batch], engine.batch) for start in range(0, len(some), engine.batch)]
    return [
        WindowPart(window, window.cells, latents, there[window])
        for batch, size in calls
        for window, latents in zip(batch, _call(engine, batch, size, fused), strict=True)
    ]


def _call(engine: Engine, windows: list[WindowIndex], size: int, fused: _Fused) -> list[NDArray[np.float32]]:
    """One forward pass of `size` windows, or several smaller ones where the memory does not hold that many.

    On a CPU each window has its own place in its group of neighbours; what is missing stays zeros.
    """
    if size > engine.limit:
        half = size // 2
        parts = (windows[start : start + half] for start in range(0, len(windows), half))
        return [latents for part in parts for latents in _call(engine, part, half, fused)]
    shape = windows[0].cells.shape
    values = fused.cells.new_zeros((size, *shape, fused.cells.shape[-1]))
    mask = torch.ones((size, *shape), dtype=torch.bool, device=fused.cells.device)
    in_group = engine.on_cpu and size == _BATCH_CPU
    places = [window.col % size if in_group else number for number, window in enumerate(windows)]
    for place, window in zip(places, windows, strict=True):
        values[place], mask[place] = fused.of(window)
    try:
        latents = engine.encoder.cells_to_latents(values, mask).values.float().cpu().numpy()
    except RuntimeError as error:  # also torch's OutOfMemoryError
        if size == 1 or not _memory_is_short(error):
            raise
        _halve(engine, size)
        return _call(engine, windows, size, fused)
    return [latents[place] for place in places]


def _memory_is_short(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "not enough memory" in str(error)


def _halve(engine: Engine, size: int) -> None:
    if engine.limit >= size:
        engine.limit = size // 2
        logger.warning("The memory does not hold %d windows at once: going on with %d.", size, engine.limit)
    if not engine.on_cpu:
        torch.cuda.empty_cache()


def contents_in_order(
    work: Callable[[Job, threading.Event], Result], jobs: Iterable[Job], threads: int | None
) -> Generator[Result, None, None]:
    """What `work` gives for each of `jobs`, in their order, computed by `threads` a few jobs ahead.

    Whoever stops early closes it: that sets the event that `work` was given, and waits for the jobs that have begun.
    """
    count, stopping = threads or os.cpu_count() or 1, threading.Event()
    with worker_threads(count) as pool:
        try:
            yield from results_in_order(pool, lambda job: work(job, stopping), jobs, ahead=count + 1)
        finally:
            stopping.set()


@contextlib.contextmanager
def worker_threads(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Worker threads that each compute on one core; what has not begun is dropped when the caller leaves."""
    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="gfm", initializer=torch.set_num_threads, initargs=(1,))
    try:
        with one_thread("blas"):  # NumPy's products as well
            yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        torch.set_num_threads(before)
