"""Faults 24, 28 and 30: outputs of runs that meet, or that are killed."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import gfm_core as gfm
from gfm_core.errors import OutputError
from tests.conftest import write_raster

EMBED = """
import sys
import gfm_core as gfm
def told(progress):
    print(progress.fraction, flush=True)
gfm.embed(sys.argv[1], sys.argv[2], groups=["fine", "coarse"], threads=1, progress=told)
"""


@pytest.fixture(scope="module")
def raster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    values = np.random.default_rng(0).integers(1, 3000, (3, 700, 700), dtype=np.uint16)
    return write_raster(tmp_path_factory.mktemp("rasters") / "photo.tif", values)


def started(raster: Path, output: Path) -> subprocess.Popen[str]:
    """A run in another process, which has told its first progress."""
    process = subprocess.Popen(
        [sys.executable, "-c", EMBED, str(raster), str(output)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


def test_fault_28_of_two_runs_with_the_same_output_the_second_gets_a_sentence(raster: Path, tmp_path: Path) -> None:
    output = tmp_path / "emb.tif"
    first = started(raster, output)
    with pytest.raises(OutputError, match=rf"emb.tif is being written by another run \(process {first.pid}\); wait"):
        gfm.embed(raster, output, groups=["fine"])
    first.communicate()
    assert first.returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["emb.qml", "emb.tif", "emb_pca.png"]
    alone = gfm.embed(raster, tmp_path / "alone.tif", groups=["fine", "coarse"])
    assert output.read_bytes() == alone.path.read_bytes()


def test_fault_24_a_run_that_was_killed_leaves_nothing_after_the_same_command_again(
    raster: Path, tmp_path: Path
) -> None:
    output, chance = tmp_path / "emb.tif", random.Random(0)
    for _ in range(3):
        process = started(raster, output)
        time.sleep(chance.uniform(0, 0.6))
        process.kill()
        process.communicate()
        if output.exists():  # killed after it was moved into place: then it is whole
            assert gfm.open_embedding(output).groups
        output.unlink(missing_ok=True)
        for sidecar in tmp_path.glob("emb[._]*"):
            sidecar.unlink()
    made = gfm.embed(raster, output, groups=["fine"])
    assert made.path == output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["emb.qml", "emb.tif", "emb_pca.png"]
