"""Pieces: what was put comes back, and what is not whole is no piece."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gfm_core.embedding.pieces import SUFFIX, PieceStore, read_piece, write_piece
from gfm_core.grid import CellRange, Tile

TILE = Tile(-1, 3)
CELLS = CellRange(TILE.piece.row + 4, TILE.piece.col, 20, 30)


@pytest.fixture
def values() -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).integers(0, 255, (5, *CELLS.shape)).astype(np.uint8)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_what_was_put_comes_back_whole_and_in_part(tmp_path: Path, values: np.ndarray[Any, Any], dtype: Any) -> None:
    store = PieceStore(tmp_path)
    held = values.astype(dtype)
    held[0, 0, 0] = np.nan if dtype is np.float32 else 0
    assert store.get("fine", TILE, CELLS) is None
    store.put("fine", TILE, CELLS, held)
    found = store.get("fine", TILE, CELLS)
    assert found is not None and found.dtype == dtype and found.tobytes() == held.tobytes()
    part = CellRange(CELLS.row + 3, CELLS.col + 5, 7, 9)
    some = store.get("fine", TILE, part)
    assert some is not None and np.array_equal(some, held[:, 3:10, 5:14], equal_nan=dtype is np.float32)


def test_a_piece_serves_nothing_beyond_its_cells_and_is_replaced_by_a_larger_one(
    tmp_path: Path, values: np.ndarray[Any, Any]
) -> None:
    store = PieceStore(tmp_path)
    small = CellRange(CELLS.row, CELLS.col, 10, 30)
    store.put("fine", TILE, small, values[:, :10])
    assert store.get("fine", TILE, CELLS) is None
    assert store.get("coarse", TILE, small) is None
    assert store.get("fine", Tile(-1, 4), small) is None
    store.put("fine", TILE, CELLS, values)
    assert store.get("fine", TILE, CELLS) is not None
    assert store.put("fine", TILE, small, values[:, :10]) == 0  # the larger one stays
    assert store.get("fine", TILE, CELLS) is not None
    assert [path.suffix for path in tmp_path.iterdir()] == [SUFFIX]


def test_fault_23_a_piece_of_which_one_bit_is_wrong_is_none(tmp_path: Path, values: np.ndarray[Any, Any]) -> None:
    path = tmp_path / "a.piece"
    write_piece(path, CELLS, values)
    whole = path.read_bytes()
    for place in (*range(60), 777, len(whole) - 1):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert read_piece(path) is None, f"byte {place}"


@given(st.integers(0, 3100), st.binary(max_size=70), st.binary(max_size=70))
@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_fault_23_no_bytes_are_taken_for_a_piece_or_break_the_reader(
    tmp_path_factory: pytest.TempPathFactory, length: int, head: bytes, tail: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.piece"
    write_piece(path, CELLS, np.zeros((5, *CELLS.shape), np.uint8))
    whole = path.read_bytes()
    path.write_bytes(head + whole[len(head) : length] + tail)
    found = read_piece(path)
    assert found is None or path.read_bytes() == whole


def test_fault_25_a_piece_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, values: np.ndarray[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_piece(tmp_path / "a.piece", CELLS, values)
    assert list(tmp_path.iterdir()) == []
