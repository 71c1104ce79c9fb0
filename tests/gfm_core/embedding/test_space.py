"""The vectors of cells are the embedding's values over the scene's deviations, whatever part is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from sklearn.preprocessing import StandardScaler

import gfm_core as gfm
from gfm_core.embedding.space import CellSpace, Vectors
from gfm_core.errors import InputError, ParameterError
from gfm_core.grid import CellRange
from gfm_core.progress import Reporter
from tests.conftest import write_raster


@pytest.fixture(scope="module")
def embedding(tmp_path_factory: pytest.TempPathFactory) -> gfm.EmbeddingFile:
    """70 x 130 cells with a corner and a band's strip of nodata."""
    values = np.random.default_rng(0).integers(200, 4000, (4, 140, 260)).astype(np.uint16)
    values[:, :30, :40] = 0
    values[2, 60:80] = 0
    folder = tmp_path_factory.mktemp("space")
    raster = write_raster(folder / "s2.tif", values, names=["B02", "B03", "B04", "B08"], nodata=0)
    return gfm.embed([raster], folder / "e.tif", groups=("fine", "coarse"))


@pytest.fixture(scope="module")
def floats(embedding: gfm.EmbeddingFile) -> gfm.EmbeddingFile:
    path = embedding.path.with_name("f.tif")
    return gfm.embed([embedding.path.with_name("s2.tif")], path, groups=("fine", "coarse"), dtype="float32")


def plain(embedding: gfm.EmbeddingFile, space: CellSpace, group: str) -> np.ndarray:
    """The group by the long way: values, over deviations, clipped at 6, 0 where not known."""
    values = embedding.read(group, embedding.cells).reshape(len(embedding.groups[group]), -1).astype(np.float64)
    scaler = space.scalers[group]
    return np.nan_to_num(np.clip((values - scaler.mean[:, None]) / scaler.sd[:, None], -6, 6))


def test_vectors_are_the_values_over_the_deviations_of_the_scene(embedding: gfm.EmbeddingFile) -> None:
    space = CellSpace.of(embedding)
    found = space.read(embedding.cells)
    for group in ("fine", "coarse"):
        assert found.values[group] == pytest.approx(plain(embedding, space, group), abs=1e-4)
        known = np.isfinite(embedding.read(group, embedding.cells)).any(axis=0).ravel()
        assert np.array_equal(found.known[group], known)
    values = embedding.read("fine", embedding.cells).reshape(len(embedding.groups["fine"]), -1).T
    peer = StandardScaler().fit(values)
    assert space.scalers["fine"].mean == pytest.approx(peer.mean_, abs=1e-3)
    assert space.scalers["fine"].sd == pytest.approx(peer.scale_, rel=1e-3)


def test_float_embeddings_are_read_the_same_way(embedding: gfm.EmbeddingFile, floats: gfm.EmbeddingFile) -> None:
    space = CellSpace.of(floats)
    found = space.read(floats.cells)
    for group in ("fine", "coarse"):
        assert found.values[group] == pytest.approx(plain(floats, space, group), abs=1e-4)
        assert np.array_equal(found.known[group], CellSpace.of(embedding).read(embedding.cells).known[group])


def test_single_cells_and_strips_are_parts_of_the_whole(embedding: gfm.EmbeddingFile) -> None:
    space = CellSpace.of(embedding)
    whole = space.read(embedding.cells)
    chance = np.random.default_rng(1)
    rows, cols = chance.integers(0, 70, 50), chance.integers(0, 130, 50)
    some = space.at(rows, cols)
    assert np.array_equal(some.values["fine"], whole.values["fine"][:, rows * 130 + cols])
    sums = np.full((70, 130), np.nan)
    for row, strip in space.strips(
        lambda vectors, _: vectors.values["fine"].sum(axis=0), threads=2, reporter=Reporter(), message="x"
    ):
        sums[row : row + strip.shape[1]] = strip[0]
    assert sums.ravel() == pytest.approx(whole.values["fine"].sum(axis=0), abs=1e-3)


def test_beyond_the_file_nothing_is_known(embedding: gfm.EmbeddingFile) -> None:
    space = CellSpace.of(embedding)
    cells = embedding.cells
    wide = CellRange(cells.row - 3, cells.col - 2, cells.rows + 5, cells.cols + 4)
    found = space.read_within(wide)
    known = found.known["fine"].reshape(wide.shape)
    assert not known[:3].any()
    assert not known[-2:].any()
    inner = found.values["fine"].reshape(-1, *wide.shape)[:, 3:-2, 2:-2]
    assert np.array_equal(inner.reshape(len(inner), -1), space.read(cells).values["fine"])


def test_groups_weigh_the_same_when_they_are_joined(embedding: gfm.EmbeddingFile) -> None:
    seen: Vectors = CellSpace.of(embedding).look()
    joined = seen.joined()
    split = len(seen.values["fine"])
    one, other = (joined[:split] ** 2).sum(axis=0).mean(), (joined[split:] ** 2).sum(axis=0).mean()
    assert one == pytest.approx(other, rel=0.25)


def test_a_group_that_is_not_there_is_refused(embedding: gfm.EmbeddingFile) -> None:
    with pytest.raises(ParameterError, match="holds no network"):
        CellSpace.of(embedding, ["network"])


def test_two_embeddings_share_the_bands_that_both_have(embedding: gfm.EmbeddingFile, tmp_path: Path) -> None:
    source = rasterio.open(embedding.path.with_name("s2.tif")).read()
    raster = write_raster(tmp_path / "three.tif", source[[3, 0, 1]], names=["B08", "B02", "B03"], nodata=0)
    other = gfm.embed([raster], tmp_path / "e.tif", groups=("fine",))
    whole = CellSpace.of(embedding)
    one, two = whole.shared_with(other)
    assert one.groups == two.groups == ("fine",)
    names = [[item.embedding.columns_of("fine")[at].name for at in item.positions["fine"]] for item in (one, two)]
    assert names[0] == names[1]
    assert {name.split()[1] for name in names[0]} == {"B02", "B03", "B08"}
    first, second = (item.read(embedding.cells).values["fine"] for item in (one, two))
    assert np.abs(first - second).mean() < 0.01


def test_other_bands_cannot_be_compared(embedding: gfm.EmbeddingFile, tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(200, 4000, (2, 140, 260)).astype(np.uint16)
    raster = write_raster(tmp_path / "two.tif", values, names=["one", "other"], nodata=0)
    other = gfm.embed([raster], tmp_path / "e.tif", groups=("fine", "coarse"))
    with pytest.raises(InputError, match="no band of the same sensor"):
        CellSpace.of(embedding).shared_with(other)
