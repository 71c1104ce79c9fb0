"""Folders of many small patches: their windows stand in one batch, and one that is broken stops nothing."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from gfm_training.anchors import Books, fit_books
from gfm_training.batch import Batch
from gfm_training.data import PlaceBatchSampler, Places, Survey, WindowDataset, survey
from gfm_training.discover import Discovery, discover, told
from gfm_training.run import loaded
from gfm_training.settings import TrainSettings

from gfm_core.errors import ParameterError
from tests.conftest import write_raster
from tests.gfm_training.conftest import ground

SETTINGS = TrainSettings(batch=8, clusters=4, cell_pixels=(2,), cell_weights=(1.0,), drop_modalities=0.3)
COUNT, SIDE = 30, 64


def write_patch(folder: Path, number: int, *, day: int = 1) -> None:
    """A patch of 64 x 64 px: four Sentinel-2 bands and two of radar, of another day each."""
    grid = Affine(10.0, 0.0, 400_000.0 + 10_000 * number, 0.0, -10.0, 5_800_000.0)
    radar = (-12 + 3 * np.random.default_rng(number).standard_normal((2, SIDE, SIDE))).astype(np.float32)
    write_raster(
        folder / f"s2_l2a_2020-06-{day:02d}.tif", ground(number, 4, SIDE), names=["B02", "B03", "B04", "B08"],
        transform=grid, tiled=True, blockxsize=64, blockysize=64, compress="deflate",
    )  # fmt: skip
    write_raster(folder / f"s1_db_2020-07-{day:02d}.tif", radar, names=["VV", "VH"], transform=grid)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("patches")
    for number in range(COUNT):
        write_patch(top / f"patch_{number:02d}", number, day=number + 1)
    return top


@pytest.fixture(scope="module")
def patches(folder: Path) -> Places:
    places = Places(discover([folder]).places)
    assert places.load() == []
    return places


@pytest.fixture(scope="module")
def surveys(patches: Places) -> tuple[Survey, ...]:
    return tuple(survey(patches, SETTINGS, windows=3))


@pytest.fixture(scope="module")
def books(surveys: tuple[Survey, ...]) -> Books:
    return fit_books([(item.key, item.facts) for item in surveys], SETTINGS)


def batch_of(places: Places, books: Books, step: int, rank: int = 0) -> Batch:
    queries = PlaceBatchSampler(places, SETTINGS, range(50), rank=rank).batch(step)
    return WindowDataset(places, SETTINGS, books, rank=rank).__getitems__(queries)


def same(one: Batch, other: Batch) -> bool:
    pairs = zip([*one.context, *one.target], [*other.context, *other.target], strict=True)
    return torch.equal(one.answers.wide, other.answers.wide) and all(
        torch.equal(a.features, b.features) for a, b in pairs
    )


def test_a_batch_has_windows_of_as_many_patches_as_it_has_windows(patches: Places, books: Books) -> None:
    drawn = [PlaceBatchSampler(patches, SETTINGS, range(50)).batch(step) for step in range(50)]
    room = (SIDE // 2) ** 2 // 16**2  # windows side by side in a patch
    assert all(len({query.place for query in queries}) == -(-8 // room) for queries in drawn)
    assert all(len(queries) == 8 for queries in drawn)
    assert len({query.place for queries in drawn for query in queries}) == COUNT


def test_windows_of_other_dates_keep_their_own_dates(patches: Places, books: Books) -> None:
    batches = [batch_of(patches, books, step) for step in range(12)]
    assert all(len(item.features) == 8 for batch in batches for item in batch.target)
    whole = [batch for batch in batches if len(batch.target) == 2]
    assert len({float(day) for item in whole[0].target for day in item.day_of_year.flatten()}) >= 4
    assert any(len(batch.target) == 1 for batch in batches)  # dropped in all windows of a step, so that they fit


def test_a_step_is_the_same_whatever_came_before(folder: Path, patches: Places, books: Books) -> None:
    fresh = Places(discover([folder]).places)
    for step in (3, 11):
        assert same(batch_of(patches, books, step), batch_of(fresh, books, step))
    assert not same(batch_of(patches, books, 3), batch_of(patches, books, 3, rank=1))


def test_places_that_do_not_fit_in_memory_give_the_same_batches(folder: Path, patches: Places, books: Books) -> None:
    few = Places(discover([folder]).places, budget=200_000)
    few.load()
    assert 0 < few.in_memory < COUNT
    assert same(batch_of(patches, books, 5), batch_of(few, books, 5))


def test_the_survey_takes_fewer_windows_of_each_of_many_places(surveys: tuple[Survey, ...]) -> None:
    assert {len(item.inputs[0].features) for item in surveys} == {1}
    assert len({item.place for item in surveys}) == COUNT


def test_many_patches_are_told_in_few_lines(folder: Path) -> None:
    found = discover([folder])
    many = dataclasses.replace(found, places=found.places * 10, left_out=("x.tif: broken.",) * 500)
    lines = told(many)
    assert len(lines) < 110
    assert f"  and {COUNT * 10 - 60} more with sentinel1-db_10m (2 bands), sentinel2-l2a_10m (4 bands)" in lines
    assert "  left out: 470 more files or places" in lines


# ---- One of many is broken ------------------------------------------------------------------------------------------


def damage(path: Path) -> None:
    """Ruin the pixels of a compressed raster; its header stays whole."""
    with rasterio.open(path) as dataset:
        offset = int(dataset.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", bidx=1))
    content = bytearray(path.read_bytes())
    content[offset : offset + 400] = b"\xff" * 400
    path.write_bytes(content)


@pytest.fixture
def broken_later(tmp_path: Path) -> Discovery:
    """Six patches of which one is no raster, and one is ruined after it was looked at."""
    for number in range(6):
        write_patch(tmp_path / f"patch_{number}", number)
    (tmp_path / "patch_1/s2_l2a_2020-06-01.tif").write_bytes(b"no raster")
    found = discover([tmp_path])
    damage(tmp_path / "patch_4/s2_l2a_2020-06-01.tif")
    return found


def test_fault_33_a_corrupt_file_is_skipped_and_said(broken_later: Discovery) -> None:
    assert ["patch_1/s2_l2a_2020-06-01.tif" in line for line in broken_later.left_out] == [True]
    said: list[str] = []
    places, left = loaded(broken_later, said.append)
    assert len(places) == 5  # the radar of patch 1 is still a place
    assert [("patch_4" in line, "damaged" in line) for line in said] == [(True, True)]
    assert "patch_4" not in [place.name for place in left.places]
    assert left.left_out[-1].startswith("patch_4: ")


def test_fault_33_a_place_found_broken_only_on_the_way_is_passed_over(
    broken_later: Discovery, books: Books, caplog: pytest.LogCaptureFixture
) -> None:
    places = Places([place for place in broken_later.places if place.name != "patch_1"])  # not loaded: read on the way
    broken = next(number for number, place in enumerate(places.places) if place.name == "patch_4")
    sampler = PlaceBatchSampler(places, SETTINGS, range(50))
    step = next(step for step in range(50) if broken in {query.place for query in sampler.batch(step)})
    batch = WindowDataset(places, SETTINGS, books).__getitems__(sampler.batch(step))
    assert batch.step == step
    assert all(len(item.features) == 8 for item in batch.target)
    assert "damaged" in caplog.text
    assert same(batch, WindowDataset(places, SETTINGS, books).__getitems__(sampler.batch(step)))


def test_nothing_but_broken_files_is_one_sentence(tmp_path: Path) -> None:
    write_patch(tmp_path, 0)
    (tmp_path / "s1_db_2020-07-01.tif").unlink()
    found = discover([tmp_path])
    damage(tmp_path / "s2_l2a_2020-06-01.tif")
    with pytest.raises(ParameterError, match=r"No place can be read; .*damaged"):
        loaded(found, lambda line: None)


def test_a_place_without_a_valid_pixel_is_left_out(tmp_path: Path) -> None:
    write_patch(tmp_path / "full", 0)
    write_raster(
        tmp_path / "empty/s2.tif", np.zeros((4, 64, 64), np.uint16), names=["B02", "B03", "B04", "B08"], nodata=0
    )
    said: list[str] = []
    places, _ = loaded(discover([tmp_path]), said.append)
    assert [place.name for place in places.places] == ["full"]
    assert said == ["  left out: empty: none of its pixels is valid; check its nodata value."]
    with pytest.raises(ParameterError, match="No place can be read; empty: none of its pixels is valid"):
        loaded(discover([tmp_path / "empty"]), said.append)


# ---- Folders that are given twice -----------------------------------------------------------------------------------


def test_a_folder_inside_another_or_given_twice_counts_once(folder: Path) -> None:
    found = discover([folder / "patch_03", folder, folder, folder / "patch_05"])
    assert len(found.places) == COUNT
