"""A local cluster of two processes makes the very file that one machine makes, also when a worker dies."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gfm_core as gfm
from gfm_core.embedding.pieces import SUFFIX
from gfm_core.errors import ParameterError
from gfm_core.grid import CellRange, tiles_with_pieces
from gfm_core.progress import Cancelled, Progress
from gfm_core.tools.dask_cluster import rows_of
from tests.conftest import write_raster

distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as found:
        yield found


@pytest.fixture(scope="module")
def raster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    values = np.random.default_rng(0).integers(200, 4000, (4, 1100, 700)).astype(np.uint16)
    values[:, 300:330, :] = 0
    return write_raster(
        tmp_path_factory.mktemp("inputs") / "s2.tif", values, names=["B02", "B03", "B04", "B08"], nodata=0
    )


@pytest.fixture(scope="module")
def alone(raster: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    made = gfm.embed([raster], tmp_path_factory.mktemp("alone") / "e.tif")
    return made.path.read_bytes()


def test_every_piece_is_in_one_task() -> None:
    cells = CellRange(-5, 40, 700, 4000)
    tiles = tiles_with_pieces(cells)
    del tiles[7]
    held = np.zeros(cells.shape, int)
    counts = 0
    for part, count in rows_of(tiles, cells):
        held[part.slices_in(cells)] += 1
        counts += count
    assert counts == len(tiles)
    assert (held <= 1).all()
    assert (held == 0).sum() == tiles_with_pieces(cells)[7].piece.rows * tiles_with_pieces(cells)[
        7
    ].piece.cols or held.any()


def test_two_workers_make_the_bytes_of_one_machine(cluster: Any, raster: Path, alone: bytes, tmp_path: Path) -> None:
    told: list[Progress] = []
    made = gfm.embed([raster], tmp_path / "e.tif", scheduler=cluster.scheduler_address, progress=told.append)
    assert made.path.read_bytes() == alone
    assert any("cluster" in item.message for item in told)
    assert [item.fraction for item in told] == sorted(item.fraction for item in told)
    assert not list(tmp_path.glob(".gfm*"))


def test_a_worker_that_is_killed_costs_its_task_only(cluster: Any, raster: Path, alone: bytes, tmp_path: Path) -> None:
    killed: list[int] = []

    def kill_one(progress: Progress) -> None:
        if not killed and 0 < progress.fraction < 0.8:
            with distributed.Client(cluster, set_as_default=False) as client:
                killed.extend(list(client.run(os.getpid).values())[:1])
            os.kill(killed[0], signal.SIGKILL)

    made = gfm.embed([raster], tmp_path / "e.tif", scheduler=cluster.scheduler_address, progress=kill_one)
    assert killed
    assert made.path.read_bytes() == alone


def test_a_cancel_reaches_the_cluster_and_leaves_nothing(cluster: Any, raster: Path, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        gfm.embed([raster], tmp_path / "e.tif", scheduler=cluster.scheduler_address, cancel=lambda: True)
    assert list(tmp_path.iterdir()) == []


def test_what_a_worker_cannot_do_is_the_same_sentence(cluster: Any, raster: Path, tmp_path: Path) -> None:
    other = write_raster(tmp_path / "s2.tif", np.full((2, 400, 400), 900, np.uint16), names=["B04", "B08"])
    stack = gfm.open_stack([other])
    other.unlink()
    (tmp_path / "out").mkdir()
    with pytest.raises(gfm.GfmError, match="vanished"):
        gfm.embed(stack, tmp_path / "out" / "e.tif", scheduler=cluster.scheduler_address)
    assert list((tmp_path / "out").iterdir()) == []


def test_no_scheduler_is_a_sentence(raster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gfm_core.tools.dask_cluster._CONNECT_SECONDS", 0.5)
    begun = time.monotonic()
    with pytest.raises(ParameterError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        gfm.embed([raster], tmp_path / "e.tif", scheduler="tcp://127.0.0.1:9")
    assert time.monotonic() - begun < 20
    assert list(tmp_path.rglob(f"*{SUFFIX}")) == []
