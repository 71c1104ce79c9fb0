"""Outputs that are whole or not there, and a raster written in rows."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.enums import Interleaving

from gfm_core.errors import OutputError
from gfm_core.raster.finish import add_overviews
from gfm_core.raster.write import BLOCK, BlockRowWriter, Outputs
from tests.conftest import NORTH_UP


def contents(folder: Path) -> dict[str, str]:
    """Every file under `folder` and its text, hidden ones too."""
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def make(outputs: Outputs, text: str) -> None:
    """Write `text` into every target, and a style beside each raster."""
    for target in outputs.targets:
        outputs.partial(target).write_text(text)
        if target.suffix == ".tif":
            outputs.partial(target).with_suffix(".qml").write_text(text)


# ---- Whole or not at all ---------------------------------------------------------------------------------------------


def test_outputs_and_what_lies_beside_them_appear_together(tmp_path: Path) -> None:
    targets = (tmp_path / "map.tif", tmp_path / "map.png")
    with Outputs(targets) as outputs:
        make(outputs, "new")
        assert not any(target.exists() for target in targets)
        assert all(path.name.startswith(".") for path in tmp_path.iterdir())
    assert contents(tmp_path) == {"map.png": "new", "map.qml": "new", "map.tif": "new"}


@pytest.mark.parametrize("error", [RuntimeError("bang"), KeyboardInterrupt(), SystemExit(1), MemoryError()])
@pytest.mark.parametrize("half_done", [False, True])
def test_nothing_is_left_after_any_exception(tmp_path: Path, error: BaseException, half_done: bool) -> None:
    with pytest.raises(type(error)), Outputs((tmp_path / "map.tif", tmp_path / "report")) as outputs:
        if half_done:
            outputs.partial(tmp_path / "map.tif").write_text("half")
            outputs.partial(tmp_path / "report").mkdir()
        raise error
    assert list(tmp_path.iterdir()) == []


def steps_that_fail(monkeypatch: pytest.MonkeyPatch, number: int, error: BaseException) -> Callable[[], int]:
    """Make the `number`-th renaming fail; the result tells how many were tried."""
    tried = 0
    replace = Path.replace

    def failing(self: Path, target: Any) -> Path:
        nonlocal tried
        tried += 1
        if tried == number:
            raise error
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    return lambda: tried


@pytest.mark.parametrize("there_before", [False, True])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_at_any_moment_of_moving_into_place_leaves_all_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there_before: bool, error: BaseException
) -> None:
    targets = (tmp_path / "map.tif", tmp_path / "map.png", tmp_path / "map_report")
    if there_before:
        targets[0].write_text("old")
        targets[1].write_text("old")
        (tmp_path / "map.tif.aux.xml").write_text("old")
        targets[2].mkdir()
        (targets[2] / "report.json").write_text("old")
    before = contents(tmp_path)
    for number in range(1, 30):
        with monkeypatch.context() as patched:
            tried = steps_that_fail(patched, number, error)
            try:
                with Outputs(targets, folders=targets[2:], overwrite=True) as outputs:
                    outputs.partial(targets[2]).mkdir()
                    (outputs.partial(targets[2]) / "report.json").write_text("new")
                    make_files(outputs)
            except (OutputError, KeyboardInterrupt):
                assert contents(tmp_path) == before
            else:
                assert tried() < number
                break
    else:
        pytest.fail("never succeeded")
    assert contents(tmp_path) == {
        "map.png": "new", "map.qml": "new", "map.tif": "new", "map_report/report.json": "new",
    }  # fmt: skip


def make_files(outputs: Outputs) -> None:
    outputs.partial(outputs.targets[0]).write_text("new")
    outputs.partial(outputs.targets[0]).with_suffix(".qml").write_text("new")
    outputs.partial(outputs.targets[1]).write_text("new")


def test_overwriting_removes_what_old_programs_left_beside(tmp_path: Path) -> None:
    target = tmp_path / "map.tif"
    for name in ("map.tif", "map.tif.aux.xml", "map.tif.ovr", "map.tif.msk", "map.qml"):
        (tmp_path / name).write_text("old")
    (tmp_path / "other.qml").write_text("mine")
    (tmp_path / "map.gpkg").write_text("mine")
    with Outputs((target,), overwrite=True) as outputs:
        outputs.partial(target).write_text("new")
    assert contents(tmp_path) == {"map.gpkg": "mine", "map.tif": "new", "other.qml": "mine"}


@pytest.fixture
def other_disk() -> Iterator[Path]:
    """A folder on another file system than the tests' own, where there is one."""
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == Path(tempfile.gettempdir()).stat().st_dev:
        pytest.skip("this machine has one file system only")
    folder = Path(tempfile.mkdtemp(dir=shared))
    yield folder
    shutil.rmtree(folder)


def test_outputs_may_lie_on_several_disks(tmp_path: Path, other_disk: Path) -> None:
    targets = (tmp_path / "map.tif", other_disk / "head.safetensors")
    with Outputs(targets) as outputs:
        make(outputs, "new")
    assert contents(tmp_path) == {"map.qml": "new", "map.tif": "new"}
    assert contents(other_disk) == {"head.safetensors": "new"}
    with pytest.raises(RuntimeError), Outputs(targets, overwrite=True) as outputs:
        raise RuntimeError("bang")
    assert contents(other_disk) == {"head.safetensors": "new"}


# ---- Refused before any work -----------------------------------------------------------------------------------------


def refused(*arguments: Any, **options: Any) -> str:
    with pytest.raises(OutputError) as error:
        Outputs(*arguments, **options)
    sentence = str(error.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize("overwrite", [False, True])
def test_fault_15_an_output_that_is_an_input_is_refused(tmp_path: Path, overwrite: bool) -> None:
    given = tmp_path / "s2.tif"
    given.write_text("data")
    (tmp_path / "link.tif").symlink_to(given)
    for target in (given, tmp_path / "link.tif", tmp_path / "sub" / ".." / "s2.tif"):
        assert "is one of the inputs" in refused((target,), inputs=[str(given)], overwrite=overwrite)
    assert contents(tmp_path) == {"link.tif": "data", "s2.tif": "data"}


def test_fault_15_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert f"The folder {tmp_path / 'nowhere'} of map.tif does not exist" in refused(
        (tmp_path / "nowhere" / "map.tif",)
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_fault_15_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "cannot be written" in refused((tmp_path / "map.tif",))


def test_fault_15_an_output_that_exists_is_kept_unless_told(tmp_path: Path) -> None:
    (tmp_path / "map.png").write_text("old")
    said = refused((tmp_path / "map.tif", tmp_path / "map.png"))
    assert "map.png exists; give another name, or --overwrite" in said
    assert contents(tmp_path) == {"map.png": "old"}


def test_two_outputs_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    target = tmp_path / "map.tif"
    assert "map.tif is given for two outputs" in refused((target, target))
    assert "map.tif is given for two outputs" in refused((target, tmp_path / "sub" / ".." / "map.tif"))


def test_a_folder_of_other_things_is_never_replaced_by_an_output(tmp_path: Path) -> None:
    mine = tmp_path / "thesis"
    mine.mkdir()
    (mine / "chapter.tex").write_text("three years")
    assert "thesis is a folder" in refused((tmp_path / "map.tif", mine), overwrite=True)
    assert "thesis holds something" in refused((tmp_path / "map.tif", mine), folders=(mine,))
    with Outputs((mine,), folders=(mine,), overwrite=True) as outputs:
        outputs.partial(mine).mkdir()
        (outputs.partial(mine) / "report.json").write_text("new")
    assert contents(tmp_path) == {"thesis/chapter.tex": "three years", "thesis/report.json": "new"}


# ---- Rows of blocks --------------------------------------------------------------------------------------------------


def create(path: Path, shape: tuple[int, int], bands: int, **more: Any) -> BlockRowWriter:
    settings = {"dtype": "uint8", "nodata": 0, **more}
    return BlockRowWriter(path, shape=shape, bands=bands, crs="EPSG:32633", transform=NORTH_UP, **settings)


@given(st.data(), st.integers(1, 3 * BLOCK), st.integers(1, 40))
@settings(max_examples=25)
def test_any_pieces_in_any_order_make_the_same_raster(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, height: int, width: int
) -> None:
    values = np.random.default_rng(height).integers(0, 255, (3, height, width), dtype=np.uint8)
    cuts = sorted(data.draw(st.sets(st.integers(1, height), max_size=4)) | {0, height})
    pieces = [
        (first, count, start, stop)
        for first, count in data.draw(st.sampled_from([[(0, 3)], [(0, 1), (1, 2)], [(0, 2), (2, 1)]]))
        for start, stop in itertools.pairwise(cuts)
    ]
    path = tmp_path_factory.mktemp("rows") / "made.tif"
    with create(path, (height, width), 3) as writer:
        for first, count, start, stop in data.draw(st.permutations(pieces)):
            writer.put(first, start, values[first : first + count, start:stop])
    with rasterio.open(path) as dataset:
        assert np.array_equal(dataset.read(), values)


def test_columns_may_come_piece_by_piece_and_bands_at_their_own_pace(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(1, 255, (3, 2 * BLOCK, 90), dtype=np.uint8)
    with create(tmp_path / "made.tif", values.shape[1:], 3) as writer:
        for col in (40, 0, 80):
            part = values[:2, :, col : col + 40]
            writer.put(0, 0, part, col)
        assert not writer._rows  # two bands are written though the third has not begun
        writer.put(2, 100, values[2:, 100:])
        writer.put(2, 0, values[2:, :100])
    with rasterio.open(tmp_path / "made.tif") as dataset:
        assert np.array_equal(dataset.read(), values)


def test_the_raster_is_a_tiled_compressed_band_interleaved_geotiff(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(2, 300, 200)).astype(np.float32)
    with create(tmp_path / "made.tif", (300, 200), 2, dtype="float32", nodata=np.nan) as writer:
        writer.put(0, 0, values)
    with rasterio.open(tmp_path / "made.tif") as dataset:
        assert np.array_equal(dataset.read(), values)
        assert dataset.block_shapes == [(BLOCK, BLOCK)] * 2
        assert dataset.compression.value == "DEFLATE"
        assert dataset.interleaving == Interleaving.band
        assert dataset.transform == NORTH_UP
        assert dataset.crs.to_epsg() == 32633
        assert np.isnan(dataset.nodata)


def test_no_more_than_the_unfinished_rows_of_blocks_are_kept(tmp_path: Path) -> None:
    with create(tmp_path / "made.tif", (10 * BLOCK, 50), 2) as writer:
        for row in range(0, 10 * BLOCK, 32):
            writer.put(0, row, np.ones((1, 32, 50), np.uint8))
            writer.put(1, row, np.ones((1, 32, 50), np.uint8))
            assert sum(buffer.size for buffer in writer._rows.values()) <= 2 * BLOCK * 50


def test_overviews_are_the_mean_of_measurements_and_the_mode_of_classes(tmp_path: Path) -> None:
    blocks = np.random.default_rng(0).integers(1, 6, (600, 150), dtype=np.uint8)
    values = blocks.repeat(2, axis=0).repeat(2, axis=1)  # all four of a square alike ...
    values[::2, ::2] = 0  # ... and one of them nodata
    for name, categorical in (("mean.tif", False), ("mode.tif", True)):
        with create(tmp_path / name, values.shape, 1) as writer:
            writer.put(0, 0, values[None])
        add_overviews(tmp_path / name, categorical=categorical)
        with rasterio.open(tmp_path / name) as dataset:
            assert dataset.overviews(1) == [2, 4, 8]  # 1200 → 150 pixels
        with rasterio.open(tmp_path / name, OVERVIEW_LEVEL=0) as dataset:
            assert np.array_equal(dataset.read(1), blocks)
    odd = np.array([[2, 2], [2, 4]], np.uint8).repeat(1)
    wide = np.tile(odd.reshape(2, 2), (200, 200))
    for name, categorical, expected in (("mean2.tif", False, 2.5), ("mode2.tif", True, 2)):
        with create(tmp_path / name, wide.shape, 1) as writer:
            writer.put(0, 0, wide[None])
        add_overviews(tmp_path / name, categorical=categorical)
        with rasterio.open(tmp_path / name, OVERVIEW_LEVEL=0) as dataset:
            assert abs(dataset.read(1).astype(float) - expected).max() <= 0.5


def test_a_small_raster_needs_no_overviews(tmp_path: Path) -> None:
    with create(tmp_path / "made.tif", (200, 256), 1) as writer:
        writer.put(0, 0, np.ones((1, 200, 256), np.uint8))
    add_overviews(tmp_path / "made.tif", categorical=False)
    with rasterio.open(tmp_path / "made.tif") as dataset:
        assert dataset.overviews(1) == []
