"""Tiles through the model: order, threads, batches, absent windows."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from gfm_core.embedding import pipeline
from gfm_core.embedding.kept import Kept
from gfm_core.embedding.make import Recipe, Run, embedding_columns
from gfm_core.embedding.pipeline import (
    Engine,
    TileContent,
    TileJob,
    TileWork,
    contents_in_order,
    modality_statistics,
    tile_side,
)
from gfm_core.features.groups import cell_columns
from gfm_core.grid import Tile, tiles_with_pieces
from gfm_core.model.checkpoint import LoadedModel
from gfm_core.progress import Cancelled
from gfm_core.raster.read import StackReader
from gfm_core.raster.stack import Stack, open_stack
from tests.conftest import MakeRaster

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def stack(place: tuple[Path, ...]) -> Stack:
    return open_stack(place)


@pytest.fixture
def engine(nano: LoadedModel) -> Engine:
    return Engine(nano.encoder, CPU, torch.float32)


def working_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("gfm")]


def jobs_of(stack: Stack, nano: LoadedModel, groups: tuple[str, ...]) -> list[TileJob]:
    """All that a run over the stack has to do when nothing is kept."""
    columns = embedding_columns(stack, Recipe(groups, "float32", nano, {}))
    run = Run(stack, columns, "float32", Kept.nothing(), stack.cells)
    return list(run._jobs({tile: run._wanted(tile) for tile in tiles_with_pieces(stack.cells, tile_side(stack))}))


def content_of(
    stack: Stack, nano: LoadedModel, job: TileJob, groups: tuple[str, ...], engine: Engine | None
) -> TileContent:
    columns = embedding_columns(stack, Recipe(groups, "float32", nano, {}))
    with StackReader(stack) as reader:
        return TileWork(reader, columns, "float32", engine).content(job, threading.Event())


def test_the_side_of_a_tile_depends_on_pixels_a_cell_and_never_on_the_extent(
    place: tuple[Path, ...], make_raster: MakeRaster
) -> None:
    assert tile_side(open_stack(place)) == tile_side(open_stack(place, extent="400000,5799000,400100,5799100")) == 8
    assert tile_side(open_stack(place, cell_size=200)) == 2
    many = make_raster("many.tif", np.zeros((60, 40, 40), np.uint16))
    assert tile_side(open_stack([many], cell_size=600)) == 1


def test_results_come_in_order_whichever_is_ready_first() -> None:
    def slow_at_first(job: int, stopping: threading.Event) -> int:
        time.sleep(0.05 if job % 3 == 0 else 0)
        return job

    assert list(contents_in_order(slow_at_first, range(20), 4)) == list(range(20))


def test_only_a_few_jobs_are_ahead_of_the_reader_of_results() -> None:
    begun: list[int] = []
    contents = contents_in_order(lambda job, _: begun.append(job), range(500), 2)
    for taken in range(1, 20):
        next(contents)
        assert len(begun) <= taken + 2 + 2
    contents.close()


def test_fault_27_the_first_error_arrives_and_no_thread_is_left() -> None:
    def fail(job: int, stopping: threading.Event) -> None:
        if job == 0:
            time.sleep(0.02)
            raise OSError("job 0")
        stopping.wait(30)  # what has begun is told to stop: nobody waits so long

    before, begun = torch.get_num_threads(), time.monotonic()
    with pytest.raises(OSError, match="job 0"):
        list(contents_in_order(fail, range(10), 3))
    assert time.monotonic() - begun < 10
    assert working_threads() == []
    assert torch.get_num_threads() == before


def test_a_tile_at_work_is_left_when_the_run_ends(stack: Stack, nano: LoadedModel) -> None:
    job = jobs_of(stack, nano, ("fine",))[0]
    stopping = threading.Event()
    stopping.set()
    columns = embedding_columns(stack, Recipe(("fine",), "float32", nano, {}))
    with StackReader(stack) as reader, pytest.raises(Cancelled):
        TileWork(reader, columns, "float32", None).content(job, stopping)


def test_closing_early_waits_for_the_threads() -> None:
    contents = contents_in_order(lambda job, stopping: stopping.wait(0.05), range(500), 3)
    next(contents)
    assert working_threads()
    contents.close()
    assert working_threads() == []


def test_group_columns_of_a_piece_are_those_of_its_statistics(stack: Stack, nano: LoadedModel) -> None:
    job = jobs_of(stack, nano, ("fine", "coarse"))[0]
    assert job.windows == ()
    assert job.piece is not None
    content = content_of(stack, nano, job, ("fine", "coarse"), None)
    with StackReader(stack) as reader:
        parts = [modality_statistics(reader, item, job.tile.cells)[0] for item in stack.modalities]
    for group in ("fine", "coarse"):
        whole = np.concatenate([cell_columns(group, part) for part in parts])
        expected = whole[(slice(None), *job.piece.slices_in(job.tile.cells))]
        assert np.array_equal(content.columns[group], expected, equal_nan=True)


def test_windows_without_a_token_are_not_encoded(
    stack: Stack, nano: LoadedModel, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    forward = engine.encoder.cells_to_latents
    monkeypatch.setattr(engine.encoder, "cells_to_latents", lambda *given: (calls.append(given), forward(*given))[1])
    content = content_of(stack, nano, max(jobs_of(stack, nano, ("network",)), key=lambda job: len(job.windows)),
                         ("network",), engine)  # fmt: skip
    shapes = {tuple(cells.shape[:3]) for cells, _ in calls}
    assert shapes == {(1, 16, 16), (4, 16, 16)}  # broken windows alone, whole ones together: fixed shapes
    assert len(content.latents) == len(content.job.windows) > 4
    tile = Tile(-50, 0)
    away = content_of(stack, nano, TileJob(tile, tuple(tile.windows(tile.cells)), None), ("network",), engine)
    assert away.latents == []


def test_part_of_a_tile_gives_the_very_latents_of_the_whole(stack: Stack, nano: LoadedModel, engine: Engine) -> None:
    job = max(jobs_of(stack, nano, ("network",)), key=lambda job: len(job.windows))
    whole = {part.window: part for part in content_of(stack, nano, job, ("network",), engine).latents}
    for window in job.windows[:: max(len(job.windows) // 5, 1)]:
        (alone,) = content_of(stack, nano, TileJob(job.tile, (window,), None), ("network",), engine).latents
        assert alone.latents.tobytes() == whole[window].latents.tobytes()


class Forgetful:
    """An encoder that has no memory for more than a few windows."""

    def __init__(self, encoder: Any, most: int) -> None:
        self.encoder, self.most, self.sizes, self.dim = encoder, most, [], encoder.dim

    def tokens_to_cells(self, inputs: Any) -> Any:
        return self.encoder.tokens_to_cells(inputs)

    def cells_to_latents(self, cells: torch.Tensor, present: torch.Tensor) -> Any:
        self.sizes.append(len(cells))
        if len(cells) > self.most:
            raise torch.OutOfMemoryError("not enough memory: you tried to allocate 1 byte")
        return self.encoder.cells_to_latents(cells, present)


@pytest.mark.parametrize("most", [1, 2, 3])
def test_fault_26_a_batch_that_does_not_fit_is_halved_and_said_once(
    stack: Stack, nano: LoadedModel, engine: Engine, most: int, caplog: pytest.LogCaptureFixture
) -> None:
    job = max(jobs_of(stack, nano, ("network",)), key=lambda job: len(job.windows))
    whole = content_of(stack, nano, job, ("network",), engine).latents
    short = Forgetful(engine.encoder, most)
    with caplog.at_level("WARNING", logger="gfm_core"):
        found = content_of(stack, nano, job, ("network",), Engine(short, CPU, torch.float32)).latents  # type: ignore[arg-type]
    assert [part.latents.tobytes() for part in found] == [part.latents.tobytes() for part in whole]
    said = [record.getMessage() for record in caplog.records]
    assert said == [f"The memory does not hold {size} windows at once: going on with {size // 2}."
                    for size in (4, 2) if size > most]  # fmt: skip
    with pytest.raises(torch.OutOfMemoryError):
        content_of(stack, nano, job, ("network",), Engine(Forgetful(engine.encoder, 0), CPU, torch.float32))  # type: ignore[arg-type]


@pytest.mark.parametrize("batch", [1, 4, 8])
def test_batches_of_a_gpu_are_padded_to_one_shape_and_change_nothing(
    stack: Stack, nano: LoadedModel, engine: Engine, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = []
    forward = engine.encoder.cells_to_latents
    monkeypatch.setattr(
        engine.encoder, "cells_to_latents", lambda cells, mask: (shapes.append(len(cells)), forward(cells, mask))[1]
    )
    generator = torch.Generator().manual_seed(0)
    tile = Tile(0, 0, 4)
    cells = torch.randn((*tile.cells.shape, 128), generator=generator)
    present = torch.rand(tile.cells.shape, generator=generator) > 0.2
    windows = tile.windows(tile.cells)[:6]
    fused = pipeline._Fused(tile, cells, present)
    as_gpu: Any = SimpleNamespace(type="cuda")
    with torch.inference_mode():
        alone = {part.window: part for part in pipeline._forward(engine, windows, fused)}
        shapes.clear()
        gpu = Engine(engine.encoder, as_gpu, torch.float32, batch)
        together = pipeline._forward(gpu, windows, fused)
    assert [part.window for part in together] == windows
    assert set(shapes) == {batch}
    for part in together:
        assert np.allclose(alone[part.window].latents[part.present], part.latents[part.present], atol=1e-4)
