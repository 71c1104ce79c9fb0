"""The same bytes whatever the order, threads, batch or extent; and honest ends of a run."""

from __future__ import annotations

import itertools
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch

from gfm_core.embedding.file import EmbeddingFile
from gfm_core.embedding.make import Recipe, check_unchanged, embedding_columns, make_embedding
from gfm_core.embedding.map_grid import derived_bands
from gfm_core.embedding.pipeline import Engine, modality_statistics
from gfm_core.errors import InputError
from gfm_core.features.groups import cell_columns
from gfm_core.model.checkpoint import LoadedModel
from gfm_core.progress import Cancelled, Progress, Reporter
from gfm_core.raster.read import StackReader
from gfm_core.raster.stack import Stack, open_stack
from tests.conftest import MakeRaster, write_raster

GROUPS = ("fine", "coarse", "network")
Make = Callable[..., EmbeddingFile]


@pytest.fixture(scope="module")
def make(nano: LoadedModel, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Embeds a stack into a file of its own."""
    numbers = itertools.count()

    def run(
        stack: Stack, *, groups: tuple[str, ...] = GROUPS, dtype: str = "uint8", threads: int = 1, batch: int = 16,
        precision: torch.dtype = torch.float32, reporter: Reporter | None = None, path: Path | None = None,
    ) -> EmbeddingFile:  # fmt: skip
        network = "network" in groups
        engine = Engine(nano.encoder, torch.device("cpu"), precision, batch) if network else None
        recipe = Recipe(groups, dtype, nano if network else None, {"precision": "float32"})
        target = path or tmp_path_factory.mktemp("made") / f"{next(numbers)}.tif"
        return make_embedding(target, stack, recipe, engine, threads=threads, reporter=reporter or Reporter())

    return run


@pytest.fixture(scope="module")
def whole(make: Make, place: tuple[Path, ...]) -> EmbeddingFile:
    return make(open_stack(place))


def pixels(embedding: EmbeddingFile) -> np.ndarray[Any, Any]:
    with rasterio.open(embedding.path) as dataset:
        return dataset.read()


def part_of(whole: EmbeddingFile, part: EmbeddingFile) -> np.ndarray[Any, Any]:
    return pixels(whole)[(slice(None), *part.cells.slices_in(whole.cells))]


# ---- Same bytes ------------------------------------------------------------------------------------------------------


def test_the_order_of_the_files_changes_no_byte(make: Make, whole: EmbeddingFile, place: tuple[Path, ...]) -> None:
    assert make(open_stack(place[::-1])).path.read_bytes() == whole.path.read_bytes()


@pytest.mark.parametrize(("threads", "batch"), [(2, 1), (3, 8)])
def test_threads_and_batch_change_no_byte(
    make: Make, whole: EmbeddingFile, place: tuple[Path, ...], threads: int, batch: int
) -> None:
    made = make(open_stack(place), threads=threads, batch=batch)
    assert made.path.read_bytes() == whole.path.read_bytes()


@pytest.mark.parametrize(
    "extent",
    [
        "400200,5799300,400500,5799700",  # inside one tile or on the border of some
        "400840,5799000,400920,5799060",  # the corner in the south-east
        "400000,5799990,400010,5800000",  # one cell
    ],
)
def test_an_extent_gives_the_very_cells_of_the_whole(
    make: Make, whole: EmbeddingFile, place: tuple[Path, ...], extent: str
) -> None:
    part = make(open_stack(place, extent=extent))
    assert part.cells != whole.cells
    assert pixels(part).tobytes() == part_of(whole, part).tobytes()
    assert part.columns == whole.columns


@pytest.mark.parametrize("cell_size", [10.0, 13.0, 90.0])
def test_an_extent_gives_the_very_cells_of_the_whole_at_any_cell_size(
    make: Make, place: tuple[Path, ...], cell_size: float
) -> None:
    # Non-integral ratios, cells smaller than most pixels, cells of many pixels.
    box = "400150,5799350,400330,5799600"
    part = make(open_stack(place, extent=box, cell_size=cell_size), dtype="float32")
    larger = make(open_stack(place, extent="400100,5799300,400620,5799640", cell_size=cell_size), dtype="float32")
    assert np.array_equal(pixels(part), part_of(larger, part), equal_nan=True)
    assert np.isfinite(pixels(part)).any()


def test_groups_are_the_same_alone_and_together(make: Make, whole: EmbeddingFile, place: tuple[Path, ...]) -> None:
    alone = make(open_stack(place), groups=("coarse",))
    assert np.array_equal(alone.read("coarse", alone.cells), whole.read("coarse", whole.cells), equal_nan=True)
    assert list(alone.groups) == ["coarse"]


def test_bf16_is_within_a_step_of_float32_for_999_of_1000_values(
    make: Make, whole: EmbeddingFile, place: tuple[Path, ...]
) -> None:
    narrow = make(open_stack(place), groups=("network",), precision=torch.bfloat16)
    bands = list(whole.groups["network"])
    steps = np.abs(pixels(narrow).astype(int) - pixels(whole)[bands].astype(int))
    assert (steps <= 1).mean() >= 0.999
    assert steps.any()  # and it was another computation


def test_karoo_gives_the_same_bytes_in_any_order_and_by_parts(make: Make, shared_data: Path) -> None:
    files = sorted((shared_data / "karoo").glob("*.tif"))
    box = "-57200,-3728500,-56900,-3728200"  # on the edge of the aerial images
    stack = open_stack(files, extent=box)
    assert len(stack.modalities) == 4
    first, other = make(stack), make(open_stack(files[::-1], extent=box), threads=2)
    assert first.path.read_bytes() == other.path.read_bytes()
    part = make(open_stack(files, extent="-57120,-3728420,-57000,-3728300"))
    assert part.cells.shape == (13, 13)
    assert pixels(part).tobytes() == part_of(first, part).tobytes()


@pytest.mark.long
def test_all_of_karoo_gives_the_same_bytes_in_any_order_and_by_parts(make: Make, shared_data: Path) -> None:
    files = sorted((shared_data / "karoo").glob("*.tif"))
    first = make(open_stack(files), threads=os.cpu_count() or 1)
    other = make(open_stack([files[index] for index in (3, 0, 4, 2, 1)]), threads=1)
    assert first.path.read_bytes() == other.path.read_bytes()
    part = make(open_stack(files, extent="-58000,-3729000,-56500,-3727000"))
    assert pixels(part).tobytes() == part_of(first, part).tobytes()


# ---- What is stored --------------------------------------------------------------------------------------------------


def test_statistics_of_a_cell_do_not_depend_on_the_tile_it_was_read_in(make: Make, place: tuple[Path, ...]) -> None:
    stack = open_stack(place)
    made = make(stack, groups=("fine", "coarse"), dtype="float32")
    for group in ("fine", "coarse"):
        with StackReader(stack) as reader:
            parts = [modality_statistics(reader, item, stack.cells)[0] for item in stack.modalities]
        expected = np.concatenate([cell_columns(group, part) for part in parts])
        found = made.read(group, made.cells)
        # Values at rest on the pixels' own grid: to the bit. Heights are warped a tile at a time.
        own = np.array(["dem" not in column.name for column in made.columns_of(group)])
        assert np.array_equal(found[own], expected[own], equal_nan=True)
        both = np.isfinite(found) & np.isfinite(expected)
        assert np.abs(found - expected)[both].max() < 0.05


def test_a_band_without_data_is_nodata_and_the_others_stay(whole: EmbeddingFile, place: tuple[Path, ...]) -> None:
    fine = whole.read("fine", whole.cells)
    names = [column.name for column in whole.columns_of("fine")]
    radar = np.isnan(fine[[name.startswith("sentinel1") for name in names]])
    gap = np.zeros(whole.cells.shape, bool)
    gap[30:35, 15:30] = True  # rows 60-70, columns 30-60 of 10 m pixels
    assert np.array_equal(radar, np.broadcast_to(gap, radar.shape))
    optical = np.isnan(fine[[name.startswith("sentinel2-l2a_10m") for name in names]])
    assert optical[:, 0, 0].all()
    assert not optical[:, 15:].any()
    assert not np.isnan(whole.read("network", whole.cells)).any()


def test_columns_are_the_bands_as_the_network_sees_them(place: tuple[Path, ...], nano: LoadedModel) -> None:
    stack = open_stack(place)
    columns = embedding_columns(stack, Recipe(("network", "coarse"), "uint8", nano, {}))
    assert list(columns) == ["network", "coarse"]
    assert len(columns["network"]) == nano.config.dim
    bands = sum(len(derived_bands(item)) * len(item.dates) for item in stack.modalities)
    assert len(columns["coarse"]) == 6 * bands
    assert any("elevation relief mean65" in column.name for column in columns["coarse"])


def test_overviews_are_inside_the_file(make: Make, make_raster: MakeRaster) -> None:
    wide = make_raster(values=np.random.default_rng(0).integers(1, 200, (1, 600, 40)).astype(np.uint8))
    made = make(open_stack([wide], cell_size=10), groups=("fine",))
    with rasterio.open(made.path) as dataset:
        assert dataset.overviews(1) == [2, 4]
    assert not list(made.path.parent.glob("*.ovr"))


# ---- Ends of a run ---------------------------------------------------------------------------------------------------


def test_fault_07_nothing_valid_is_a_raster_of_nodata_with_a_warning(
    make: Make, make_raster: MakeRaster, caplog: pytest.LogCaptureFixture
) -> None:
    empty = make_raster("s2.tif", np.zeros((2, 40, 40), np.uint16), names=["B04", "B08"], nodata=0)
    for dtype in ("uint8", "float32"):
        caplog.clear()
        made = make(open_stack([empty]), dtype=dtype)
        assert np.isnan(made.read("network", made.cells)).all()
        assert np.isnan(made.read("fine", made.cells)).all()
        assert "No pixel of the rasters is valid here" in caplog.text


def test_fault_07_one_valid_pixel_is_enough_for_its_cell(
    make: Make, make_raster: MakeRaster, caplog: pytest.LogCaptureFixture
) -> None:
    values = np.zeros((2, 41, 41), np.uint16)
    values[:, 20, 20] = 1500
    made = make(open_stack([make_raster("s2.tif", values, names=["B04", "B08"], nodata=0)], cell_size=10))
    for group in GROUPS:
        known = np.isfinite(made.read(group, made.cells)).all(axis=0)
        assert known[20, 20]
        assert known.sum() == 1
    assert "No pixel" not in caplog.text


def test_valid_float_results_do_not_claim_to_be_empty(
    make: Make, place: tuple[Path, ...], caplog: pytest.LogCaptureFixture
) -> None:
    make(open_stack(place), groups=("fine",), dtype="float32")
    assert "No pixel" not in caplog.text


def test_many_cut_values_are_said(make: Make, make_raster: MakeRaster, caplog: pytest.LogCaptureFixture) -> None:
    bright = make_raster("s2.tif", np.full((2, 30, 30), 14_000, np.uint16), names=["B04", "B08"])
    with caplog.at_level(logging.WARNING):
        make(open_stack([bright]), groups=("fine",))
    assert "lie outside the 8-bit range and were cut; --dtype float32 keeps them" in caplog.text


@pytest.mark.parametrize("change", ["written", "removed"])
def test_fault_14_an_input_that_changes_during_the_run_is_noticed(make: Make, tmp_path: Path, change: str) -> None:
    path = write_raster(tmp_path / "s2.tif", np.full((2, 30, 30), 1500, np.uint16), names=["B04", "B08"])
    stack = open_stack([path])
    check_unchanged(stack)

    def meddle(progress: Progress) -> None:
        if change == "written":
            os.utime(path, ns=(1, 1))
        else:
            path.unlink(missing_ok=True)

    said = r"s2\.tif (changed|vanished) during the run; "
    with pytest.raises(InputError, match=said):
        make(stack, groups=("fine",), reporter=Reporter(meddle), path=tmp_path / "e.tif")


def test_cancelling_stops_the_threads_before_the_files_are_closed(
    make: Make, place: tuple[Path, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = open_stack(place, cell_size=5)
    working = []
    close = StackReader.close

    def closing(self: StackReader) -> None:
        working.extend(thread.name for thread in threading.enumerate() if thread.name.startswith("gfm"))
        close(self)

    monkeypatch.setattr(StackReader, "close", closing)
    with pytest.raises(Cancelled):
        make(stack, groups=("fine",), threads=3, reporter=Reporter(cancel=lambda: True), path=tmp_path / "e.tif")
    assert working == []


def test_progress_rises_to_one_and_tells_the_ground_covered(make: Make, place: tuple[Path, ...]) -> None:
    told: list[Progress] = []
    stack = open_stack(place)
    make(stack, groups=("fine",), reporter=Reporter(told.append))
    fractions = [item.fraction for item in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert told[-1].area_km2 == pytest.approx(50 * 46 * 20**2 / 1e6)
