"""The cache: serves the same bytes, forgets what changed, keeps its limit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

import gfm_core as gfm
from gfm_core.embedding.cache import DEFAULT_LIMIT_MB, Cache, cache_folder, cache_limit_mb, set_cache_limit
from gfm_core.embedding.kept import piece_keys
from gfm_core.embedding.make import Run
from gfm_core.embedding.pieces import PieceStore
from gfm_core.errors import OutputError
from gfm_core.grid import CellRange, Tile
from gfm_core.model.encoder import CellEncoder
from gfm_core.raster.stack import open_stack
from gfm_core.tools.cache import cache_state, empty_cache
from tests.conftest import write_raster


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's cache folder of this test alone, with the default limit."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("GFM_CACHE_MB", raising=False)
    return tmp_path / "cache" / "jepa-gfm"


@pytest.fixture
def raster(tmp_path: Path) -> Path:
    values = np.random.default_rng(0).integers(200, 4000, (2, 300, 300)).astype(np.uint16)
    return write_raster(tmp_path / "s2.tif", values, names=["B04", "B08"], nodata=0)


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many windows each call of the network took."""
    calls: list[int] = []
    forward = CellEncoder.cells_to_latents
    monkeypatch.setattr(
        CellEncoder,
        "cells_to_latents",
        lambda self, cells, mask: (calls.append(len(cells)), forward(self, cells, mask))[1],
    )
    return calls


def test_the_same_ground_is_not_embedded_twice_and_the_bytes_are_the_same(
    home: Path, raster: Path, tmp_path: Path, encoded: list[int]
) -> None:
    first = gfm.embed([raster], tmp_path / "a.tif")
    assert encoded
    encoded.clear()
    second = gfm.embed([raster], tmp_path / "b.tif")
    view = gfm.embed([raster], tmp_path / "view.tif", extent="400500,5797500,401500,5798700")
    assert encoded == []
    assert second.path.read_bytes() == first.path.read_bytes()
    with rasterio.open(view.path) as small, rasterio.open(first.path) as whole:
        rows, cols = view.cells.slices_in(first.cells)
        assert np.array_equal(small.read(), whole.read()[:, rows, cols])
    assert home.is_dir()


def test_a_view_first_leaves_its_part_to_the_whole(
    home: Path, raster: Path, tmp_path: Path, encoded: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.setenv("GFM_CACHE_MB", "0")
        alone = gfm.embed([raster], tmp_path / "alone.tif")
    of_all = sum(encoded)
    gfm.embed([raster], tmp_path / "view.tif", extent="400000,5797000,402400,5800000")
    encoded.clear()
    gfm.embed([raster], tmp_path / "whole.tif")
    assert 0 < sum(encoded) < of_all
    assert (tmp_path / "whole.tif").read_bytes() == alone.path.read_bytes()


def test_a_group_alone_comes_from_a_run_of_all(home: Path, raster: Path, tmp_path: Path, encoded: list[int]) -> None:
    gfm.embed([raster], tmp_path / "all.tif")
    encoded.clear()
    gfm.embed([raster], tmp_path / "network.tif", groups=("network",))
    assert encoded == []


def test_what_changed_is_embedded_anew(home: Path, raster: Path, tmp_path: Path, encoded: list[int]) -> None:
    gfm.embed([raster], tmp_path / "a.tif")
    for number, change in enumerate(
        [lambda: os.utime(raster, ns=(1, 1)), lambda: {"precision": "float32"}, lambda: {"cell_size": 30}]
    ):
        options: Any = change() or {}
        encoded.clear()
        gfm.embed([raster], tmp_path / f"{number}.tif", **options)
        assert encoded, options


def test_keys_tell_what_decides_bytes(raster: Path, tmp_path: Path) -> None:
    stack = open_stack([raster])

    def keys(stack: Any = stack, dtype: str = "uint8", model: str = "a") -> dict[str, str]:
        return piece_keys(stack, ("fine", "coarse"), dtype, {"sha256": model}, None)

    assert keys() == keys(open_stack([raster], extent="400000,5799000,401000,5800000"))
    assert len(set(keys().values())) == 2
    assert not set(keys().values()) & set(keys(dtype="float32").values())
    assert not set(keys().values()) & set(keys(open_stack([raster], cell_size=40)).values())
    assert not set(keys().values()) & set(keys(open_stack([f"{raster}:as=custom"])).values())


def test_the_limit_holds_and_what_was_used_last_stays(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "pieces", 25_000)
    stores = cache.stores({"fine": "k" * 32}, 10)
    values = np.zeros((1, 100, 96), np.uint8)
    for number in range(4):
        tile = Tile(0, number)
        stores["fine"].put("fine", tile, CellRange(tile.piece.row, tile.piece.col, 100, 96), values)
        os.utime(next(iter(tmp_path.rglob(f"fine_0_{number}.piece"))), (number, number))
    first = Tile(0, 0)
    assert stores["fine"].get("fine", first, CellRange(first.piece.row, first.piece.col, 5, 5)) is not None  # used now
    cache.trim()
    assert sorted(path.name for _, _, path in cache.files()) == ["fine_0_0.piece", "fine_0_3.piece"]
    assert cache.stores({"fine": "k" * 32}, 12_501) == {}  # it would push everything else out


def test_a_limit_is_kept_and_the_environment_wins(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_limit_mb() == DEFAULT_LIMIT_MB
    set_cache_limit(7)
    assert cache_limit_mb() == 7
    monkeypatch.setenv("GFM_CACHE_MB", "0")
    assert Cache.of_user() is None
    monkeypatch.delenv("GFM_CACHE_MB")
    (home / "limit.json").write_text("{damaged")
    assert cache_limit_mb() == DEFAULT_LIMIT_MB


def test_fault_34_without_a_home_there_is_no_cache_and_no_complaint(
    raster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GFM_CACHE_MB", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert cache_folder() is None
    assert Cache.of_user() is None
    gfm.embed([raster], tmp_path / "a.tif", groups=("fine",))
    assert cache_state().folder is None
    with pytest.raises(OutputError, match="set HOME"):
        set_cache_limit(1)


def test_fault_34_a_cache_that_cannot_be_written_is_done_without(
    raster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GFM_CACHE_MB", raising=False)
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    gfm.embed([raster], tmp_path / "a.tif", groups=("fine",))


def test_fault_23_a_damaged_piece_is_made_again(
    home: Path, raster: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = gfm.embed([raster], tmp_path / "a.tif")
    for number, path in enumerate(sorted(home.rglob("*.piece"))):
        data = path.read_bytes()
        path.write_bytes([data[:30], data[:-1], data[:100] + b"x" + data[101:], data][number % 4])
    with caplog.at_level("INFO", logger="gfm_core"):
        second = gfm.embed([raster], tmp_path / "b.tif")
    assert second.path.read_bytes() == first.path.read_bytes()
    assert "damaged or of another version: it is made again" in caplog.text


def test_a_piece_that_goes_while_a_run_is_at_work_is_computed_after_all(
    home: Path, raster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = gfm.embed([raster], tmp_path / "a.tif")
    missing = Run.missing

    def then_gone(self: Run) -> Any:
        found = missing(self)
        for path in sorted(home.rglob("network_*.piece"))[:2]:
            path.unlink()
        return found

    monkeypatch.setattr(Run, "missing", then_gone)
    second = gfm.embed([raster], tmp_path / "b.tif")
    assert second.path.read_bytes() == first.path.read_bytes()


def test_gfm_cache_tells_and_empties(home: Path, raster: Path, tmp_path: Path) -> None:
    gfm.embed([raster], tmp_path / "a.tif", groups=("fine",))
    state = cache_state()
    assert state.pieces == len(list(home.rglob("*.piece"))) > 0
    assert state.bytes == sum(path.stat().st_size for path in home.rglob("*.piece"))
    empty_cache()
    assert cache_state().pieces == 0
    assert isinstance(PieceStore(home), PieceStore)
