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
from gfm_core.embedding.pipeline import (
    Engine,
    TileContent,
    modality_statistics,
    tile_content,
    tile_side,
    tiles_in_order,
)
from gfm_core.features.groups import cell_columns
from gfm_core.grid import CORE, HALO, CellRange, Tile, tile_rows
from gfm_core.model.checkpoint import LoadedModel
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


def test_the_side_of_a_tile_depends_on_pixels_a_cell_and_never_on_the_extent(
    place: tuple[Path, ...], make_raster: MakeRaster
) -> None:
    assert tile_side(open_stack(place)) == tile_side(open_stack(place, extent="400000,5799000,400100,5799100")) == 4
    assert tile_side(open_stack(place, cell_size=200)) == 2
    many = make_raster("many.tif", np.zeros((60, 40, 40), np.uint16))
    assert tile_side(open_stack([many], cell_size=600)) == 1


def test_tiles_come_in_order_from_the_north_west_whichever_is_ready_first(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow_at_first(reader: Any, tile: Tile, *others: Any) -> TileContent:
        time.sleep(0.05 if tile.row % 2 == 0 else 0)
        return TileContent(tile, {}, [], np.zeros((1, 1), bool))

    monkeypatch.setattr(pipeline, "tile_content", slow_at_first)
    cells = CellRange(-100, -100, 200, 200)
    with StackReader(stack) as reader:
        found = [content.tile for content in tiles_in_order(reader, cells, (), None, 4)]
    assert found == [tile for row in tile_rows(cells, tile_side(stack)) for tile in row]
    assert len(found) > 9


def test_only_a_few_tiles_are_ahead_of_the_reader_of_results(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Tile] = []

    def count(reader: Any, tile: Tile, *others: Any) -> TileContent:
        begun.append(tile)
        return TileContent(tile, {}, [], np.zeros((1, 1), bool))

    monkeypatch.setattr(pipeline, "tile_content", count)
    with StackReader(stack) as reader:
        contents = tiles_in_order(reader, CellRange(0, 0, 2000, 2000), (), None, 2)
        for taken in range(1, 20):
            next(contents)
            assert len(begun) <= taken + 2 + 2
        contents.close()


def test_fault_27_the_first_error_arrives_and_no_thread_is_left(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(reader: Any, tile: Tile, *others: Any) -> TileContent:
        time.sleep(0.02)
        raise OSError(f"tile {tile.row} {tile.col}")

    monkeypatch.setattr(pipeline, "tile_content", fail)
    before = torch.get_num_threads()
    first = tile_rows(stack.cells)[0][0]
    with StackReader(stack) as reader, pytest.raises(OSError, match=f"tile {first.row} {first.col}"):
        list(tiles_in_order(reader, stack.cells, (), None, 3))
    assert working_threads() == []
    assert torch.get_num_threads() == before


def test_closing_early_waits_for_the_threads_that_read(stack: Stack) -> None:
    with StackReader(stack) as reader:
        contents = tiles_in_order(reader, CellRange(stack.cells.row, stack.cells.col, 500, 500), ("fine",), None, 3)
        next(contents)
        assert working_threads()
        contents.close()
        assert working_threads() == []


def test_group_columns_of_a_tile_are_those_of_its_statistics_without_the_halo(stack: Stack) -> None:
    tile = tile_rows(stack.cells)[0][0]
    with StackReader(stack) as reader:
        content = tile_content(reader, tile, stack.cells, ("fine", "coarse"), None)
        parts = [modality_statistics(reader, item, tile.cells)[0] for item in stack.modalities]
    assert content.owned == CellRange(tile.cells.row + HALO, tile.cells.col + HALO, 4 * CORE, 4 * CORE)
    for group in ("fine", "coarse"):
        whole = np.concatenate([cell_columns(group, part) for part in parts])
        assert content.columns[group].shape[1:] == content.owned.shape
        assert np.array_equal(content.columns[group], whole[:, HALO:-HALO, HALO:-HALO], equal_nan=True)


def test_windows_without_a_token_are_not_encoded(stack: Stack, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    forward = engine.encoder.cells_to_latents
    monkeypatch.setattr(engine.encoder, "cells_to_latents", lambda *given: (calls.append(given), forward(*given))[1])
    tile = tile_rows(stack.cells)[0][0]
    with StackReader(stack) as reader:
        content = tile_content(reader, tile, stack.cells, ("network",), engine)
        gone = Tile(tile.row - 9, tile.col)
        away = tile_content(reader, gone, gone.cells, ("network",), engine)
    assert len(content.latents) == len(calls) == len(tile.windows(stack.cells))
    assert all(cells.shape[:3] == (1, 16, 16) for cells, _ in calls)  # one shape, so one order of sums
    assert away.latents == []
    assert not away.present.any()


@pytest.mark.parametrize("batch", [1, 4, 8])
def test_batches_of_a_gpu_are_padded_to_one_shape_and_change_nothing(
    stack: Stack, engine: Engine, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = []
    forward = engine.encoder.cells_to_latents
    monkeypatch.setattr(
        engine.encoder, "cells_to_latents", lambda cells, mask: (shapes.append(len(cells)), forward(cells, mask))[1]
    )
    generator = torch.Generator().manual_seed(0)
    dim = 128
    cells = [torch.randn((1, 16, 16, dim), generator=generator) for _ in range(6)]
    present = [torch.rand((1, 16, 16), generator=generator) > 0.2 for _ in range(6)]
    as_gpu: Any = SimpleNamespace(type="cuda")
    with torch.inference_mode():
        alone = pipeline._forward(engine, cells, present)
        shapes.clear()
        together = pipeline._forward(Engine(engine.encoder, as_gpu, torch.float32, batch), cells, present)
    assert len(together) == 6
    assert set(shapes) == {batch}
    for one, other, mask in zip(alone, together, present, strict=True):
        assert np.allclose(one[mask[0]], other[mask[0]], atol=1e-4)
