"""The embedding file, as GDAL and as we read it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS

from gfm_core.embedding.file import (
    FORMAT_VERSION,
    EmbeddingFile,
    create,
    is_embedding,
    open_embedding,
    source_records,
)
from gfm_core.embedding.quantise import Clipping, quantise
from gfm_core.errors import CheckpointError, InputError
from gfm_core.features.groups import MEAN_STORAGE, SD_STORAGE, Column, Storage
from gfm_core.grid import CellRange
from gfm_core.raster.stack import Stack, open_stack

TAG = "JEPA_GFM_EMBEDDING"
COLUMNS = {
    "network": (Column("network 0", Storage(0.03, -4.0)), Column("network 1", Storage(0.02, -3.0))),
    "fine": (Column("x value", MEAN_STORAGE),),
    "coarse": (Column("x mean17", MEAN_STORAGE), Column("x sd17", SD_STORAGE)),
}
EVERY = tuple(column for group in COLUMNS.values() for column in group)


@pytest.fixture(scope="module")
def stack(place: tuple[Path, ...]) -> Stack:
    return open_stack(place)


@pytest.fixture(scope="module")
def values(stack: Stack) -> NDArray[np.float32]:
    numbers = np.random.default_rng(0).uniform(0.1, 2.0, (len(EVERY), *stack.cells.shape)).astype(np.float32)
    numbers[:, :2, 3] = np.nan
    return numbers


def write(path: Path, stack: Stack, values: NDArray[np.float32], dtype: str = "uint8") -> EmbeddingFile:
    told = {"model": {"name": "nano", "sha256": "ab" * 32}, "parameters": {"cell_size": 20.0, "extent": None}}
    with create(path, stack, COLUMNS, dtype=dtype, **told) as file:  # type: ignore[arg-type]
        file.put(0, 0, quantise(values, EVERY, Clipping()) if dtype == "uint8" else values)
    return open_embedding(path)


@pytest.fixture(scope="module")
def embedding(tmp_path_factory: pytest.TempPathFactory, stack: Stack, values: NDArray[np.float32]) -> EmbeddingFile:
    return write(tmp_path_factory.mktemp("file") / "e.tif", stack, values)


def test_gdal_reads_names_values_and_place(embedding: EmbeddingFile, stack: Stack, values: NDArray[np.float32]) -> None:
    with rasterio.open(embedding.path) as dataset:
        assert dataset.descriptions == tuple(column.name for column in EVERY)
        assert set(dataset.dtypes) == {"uint8"}
        assert dataset.nodata == 0
        assert dataset.transform == stack.lattice.transform(stack.cells)
        assert dataset.crs.to_epsg() == 32633
        shape = (-1, 1, 1)
        read = dataset.read(masked=True) * np.reshape(dataset.scales, shape) + np.reshape(dataset.offsets, shape)
    assert np.array_equal(np.ma.getmaskarray(read), np.isnan(values))
    steps = np.reshape([column.storage.scale for column in EVERY], shape)
    assert (np.abs(read - values) <= 0.501 * steps)[~np.isnan(values)].all()


def test_a_reopened_embedding_knows_its_groups_in_their_order_and_its_columns(embedding: EmbeddingFile) -> None:
    assert list(embedding.groups.items()) == [("network", range(2)), ("fine", range(2, 3)), ("coarse", range(3, 5))]
    for group, columns in COLUMNS.items():
        assert [column.name for column in embedding.columns_of(group)] == [column.name for column in columns]
        for found, column in zip(embedding.columns_of(group), columns, strict=True):
            assert found.storage.scale == pytest.approx(column.storage.scale)
            assert found.storage.offset == pytest.approx(column.storage.offset)
    with pytest.raises(InputError, match=r"e\.tif holds no group trees, only network, fine, coarse"):
        embedding.columns_of("trees")


def test_cells_are_read_by_absolute_address_with_gaps_outside(
    embedding: EmbeddingFile, values: NDArray[np.float32]
) -> None:
    cells = embedding.cells
    assert np.allclose(embedding.read("coarse", cells), values[3:], atol=0.026, equal_nan=True)
    around = CellRange(cells.row - 2, cells.col - 3, cells.rows + 4, 10)
    found = embedding.read("network", around)
    assert np.isnan(found[:, :2]).all()
    assert np.isnan(found[:, :, :3]).all()
    assert np.allclose(found[:, 2:-2, 3:], values[:2, :, :7], atol=0.016, equal_nan=True)
    assert np.isnan(embedding.read("fine", CellRange(0, 0, 3, 3))).all()


def test_a_small_reading_is_a_thinned_one(embedding: EmbeddingFile, values: NDArray[np.float32]) -> None:
    small = embedding.values_of("network", embedding.read_small("network", 25))
    assert small.shape == (2, 25, 23)
    assert np.nanmean(small) == pytest.approx(np.nanmean(values[:2]), abs=0.1)
    assert embedding.read_small("fine", 10_000).shape == (1, *embedding.cells.shape)


def test_float32_keeps_every_bit(tmp_path: Path, stack: Stack, values: NDArray[np.float32]) -> None:
    made = write(tmp_path / "e.tif", stack, values, "float32")
    assert made.dtype == "float32"
    assert np.array_equal(made.read("network", made.cells), values[:2], equal_nan=True)
    with rasterio.open(made.path) as dataset:
        assert np.isnan(dataset.nodata)
        assert set(dataset.scales) == {1.0}


def test_the_tags_tell_the_run(embedding: EmbeddingFile, stack: Stack, place: tuple[Path, ...]) -> None:
    with rasterio.open(embedding.path) as dataset:
        told = json.loads(dataset.tags()[TAG])
    assert told["format"] == FORMAT_VERSION
    assert told["model"] == {"name": "nano", "sha256": "ab" * 32}
    assert told["parameters"]["cell_size"] == 20.0
    assert set(told["versions"]) == {"jepa-gfm", "torch", "rasterio", "numpy"}
    # Sources in canonical order, each with where it is, its size, bands, date and how it was normalised.
    assert [source["name"] for source in told["sources"]] == [source.name for source in stack.sources]
    paths = {path.name: path for path in place}
    for source in told["sources"]:
        assert source["paths"] == [str(paths[source["name"]].absolute())]
        assert source["bytes"] == paths[source["name"]].stat().st_size
    swir = next(source for source in told["sources"] if source["name"].startswith("s2_20m"))
    assert swir["date"] == "2021-06-01"
    assert [band["name"] for band in swir["bands"]] == ["B11", "B12"]
    with rasterio.open(paths[swir["name"]]) as dataset:
        assert CRS.from_wkt(swir["crs"]) == dataset.crs
        assert swir["transform"] == list(dataset.transform)[:6]
        assert swir["nodata"] == [0, 0]
    radar = next(source for source in told["sources"] if source["name"].startswith("s1"))
    assert radar["nodata"] == ["nan", "nan"]
    assert embedding.lattice.cell_size == 20.0
    assert embedding.cells == stack.cells
    assert embedding.constants == stack.constants


def test_records_are_plain_values(stack: Stack) -> None:
    assert json.loads(json.dumps(source_records(stack))) == source_records(stack)


def test_an_embedding_is_told_by_its_tags(embedding: EmbeddingFile, place: tuple[Path, ...], tmp_path: Path) -> None:
    assert is_embedding(embedding.path)
    assert not is_embedding(place[0])
    assert not is_embedding(tmp_path / "nowhere.tif")


def _damage(change: Callable[[dict[str, Any]], Any], path: Path) -> None:
    with rasterio.open(path, "r+") as dataset:
        told = json.loads(dataset.tags()[TAG])
        dataset.update_tags(**{TAG: json.dumps(change(told) or told)})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda told: {**told, "format": FORMAT_VERSION + 1}, "was made by a newer version of jepa-gfm; update it"),
        (lambda told: {**told, "format": FORMAT_VERSION + 1, "groups": None}, "was made by a newer version"),
        (lambda told: {name: told[name] for name in told if name != "grid"}, "tags of .* are damaged"),
        (lambda told: {**told, "groups": 5}, "tags of .* are damaged"),
        (lambda told: [told], "tags of .* are damaged"),
        (lambda told: {**told, "sources": [{}]}, "tags of .* are damaged"),
    ],
)
def test_tags_that_cannot_be_read_are_one_sentence(
    tmp_path: Path, stack: Stack, values: NDArray[np.float32], change: Any, said: str
) -> None:
    path = write(tmp_path / "e.tif", stack, values).path
    _damage(change, path)
    with pytest.raises(CheckpointError, match=said) as error:
        open_embedding(path)
    assert str(error.value).endswith(".")


def test_other_rasters_and_no_rasters_are_refused(place: tuple[Path, ...], tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is not an embedding of ours; make one with gfm embed"):
        open_embedding(place[0])
    text = tmp_path / "text.tif"
    text.write_text("hello")
    with pytest.raises(InputError, match="cannot be read as a raster"):
        open_embedding(text)
