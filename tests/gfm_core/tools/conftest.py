"""A made-up place, and one map of it with everything, that the tests of tools look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

import gfm_core as gfm

CELL = 40.0


@dataclass(frozen=True)
class Made:
    """A place of 720 x 600 m and its map."""

    scene: gfm.SyntheticScene
    result: gfm.ClassMap
    head: Path


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> gfm.SyntheticScene:
    """Optical at 10 and 20 m on two dates, radar at 10 m, elevation at 30 m in another CRS; not square."""
    return gfm.write_scene(tmp_path_factory.mktemp("place") / "scene", seed=1, size_m=(720, 600), classes=4)


@pytest.fixture(scope="session")
def made(scene: gfm.SyntheticScene, nano_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The map with all groups, trained on one part of the labels and checked on the other."""
    folder = tmp_path_factory.mktemp("made")
    result = gfm.classify(
        scene.paths, folder / "map.tif", labels=scene.labels, field="class", where="split = 'train'", check="rest",
        cell_size=CELL, model=str(nano_path), save_head=folder / "head.safetensors",
    )  # fmt: skip
    return Made(scene, result, folder / "head.safetensors")
