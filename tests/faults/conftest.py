"""What the fault tests share: a place to run commands in, and the proof that nothing else changed there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import gfm_core as gfm
from gfm_core.embedding.file import EmbeddingFile
from tests.conftest import Ran, RunGfm

State = dict[str, tuple[int, bytes | None]]


def state_of(folder: Path) -> State:
    """Everything below a folder: mtime and bytes by relative name, hidden files too."""
    return {
        str(item.relative_to(folder)): (item.stat().st_mtime_ns, item.read_bytes() if item.is_file() else None)
        for item in folder.rglob("*")
    }


@dataclass(frozen=True)
class Bench:
    """Runs `gfm embed` from a folder of inputs into a folder of outputs."""

    run: RunGfm
    inputs: Path
    out: Path
    model: Path

    def embed(self, *rasters: object, output: Path | None = None, options: tuple[object, ...] = ()) -> Ran:
        """The command; whatever becomes of it, the inputs stay as they were."""
        before = state_of(self.inputs)
        made = output or self.out / "embedding.tif"
        ran = self.run("embed", *rasters, "-o", made, "--model", self.model, "--threads", 1, *options)
        assert state_of(self.inputs) == before
        assert not list(self.out.rglob(".gfm*")), "temporary files are left"
        return ran

    def refused(self, *rasters: object, output: Path | None = None, **options: Any) -> str:
        """The sentence of a run that must fail: on the command line, the same in Python, and nothing is left."""
        before = state_of(self.out)
        flags = tuple(word for name, value in options.items() for word in (f"--{name}", value))
        sentence = self.embed(*rasters, output=output, options=flags).sentence
        assert state_of(self.out) == before
        with pytest.raises(gfm.GfmError) as caught:
            gfm.embed(
                [str(item) for item in rasters], output or self.out / "embedding.tif", model=str(self.model), **options
            )
        assert state_of(self.out) == before
        assert sentence == f"Error: {caught.value}"
        return sentence

    def made(self, *rasters: object, **options: object) -> tuple[EmbeddingFile, str]:
        """The embedding of a run that must work, and what the command told."""
        flags = tuple(word for name, value in options.items() for word in (f"--{name}", value))
        told = self.embed(*rasters, options=(*flags, "--overwrite")).told
        return gfm.open_embedding(self.out / "embedding.tif"), told


@pytest.fixture
def bench(run_gfm: RunGfm, tmp_path: Path, nano_path: Path) -> Bench:
    """An empty output folder beside the test's own folder, in which `make_raster` writes."""
    out = tmp_path.parent / f"{tmp_path.name}-out"
    out.mkdir()
    return Bench(run_gfm, tmp_path, out, nano_path)
