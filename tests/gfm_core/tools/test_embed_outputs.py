"""What `gfm embed` writes on request: COG, STAC item, parts under a virtual raster; large files finished elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import pytest
import rasterio
import rasterio.warp
from affine import Affine
from pystac.validation.local_validator import LocalValidator

import gfm_core as gfm
from gfm_core.errors import OutputError, ParameterError
from gfm_core.progress import Cancelled, Reporter
from gfm_core.raster import finish
from gfm_core.tools import embed_write
from tests.conftest import MakeRaster, RunGfm, write_raster


@pytest.fixture(scope="module")
def raster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    values = np.random.default_rng(0).integers(200, 4000, (2, 640, 300)).astype(np.uint16)
    values[:, 200:220] = 0
    return write_raster(tmp_path_factory.mktemp("inputs") / "s2_2020-05-01.tif", values, names=["B04", "B08"], nodata=0)


@pytest.fixture(scope="module")
def plain(raster: Path, tmp_path_factory: pytest.TempPathFactory) -> gfm.EmbeddingFile:
    return gfm.embed([raster], tmp_path_factory.mktemp("plain") / "e.tif")


def pixels(path: Path) -> np.ndarray[Any, Any]:
    with rasterio.open(path) as dataset:
        return dataset.read()


def test_a_cog_has_the_layout_the_pixels_and_the_tags(raster: Path, plain: gfm.EmbeddingFile, tmp_path: Path) -> None:
    made = gfm.embed([raster], tmp_path / "e.tif", cog=True)
    with rasterio.open(made.path) as dataset:
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert dataset.overviews(1)
    assert np.array_equal(pixels(made.path), pixels(plain.path))
    assert (made.columns, made.parameters, made.groups) == (plain.columns, plain.parameters, plain.groups)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e.qml", "e.tif", "e_pca.png"]


def test_a_stac_item_is_valid_and_tells_where_what_and_when(raster: Path, tmp_path: Path) -> None:
    made = gfm.embed([raster], tmp_path / "e.tif", stac=True, cell_size=40)
    told = json.loads((tmp_path / "e.json").read_text())
    with pytest.deprecated_call():  # pystac's own copy of the schemas; its successor reads them from the net
        LocalValidator().item_validator().validate(told)
    item = pystac.Item.from_file(str(tmp_path / "e.json"))
    with rasterio.open(made.path) as dataset:
        expected = rasterio.warp.transform_bounds(dataset.crs, "EPSG:4326", *dataset.bounds)
        assert told["properties"]["proj:code"] == f"EPSG:{dataset.crs.to_epsg()}"
        assert told["properties"]["proj:shape"] == list(dataset.shape)
        assert told["properties"]["proj:transform"] == list(dataset.transform)[:6]
    assert item.bbox == pytest.approx(expected, abs=1e-5)
    assert item.datetime is not None and item.datetime.date().isoformat() == "2020-05-01"
    for asset in item.get_assets().values():
        assert (tmp_path / asset.href).is_file()
    bands = told["assets"]["embeddings"]["bands"]
    assert [band["name"] for band in bands] == [column.name for column in made.columns]
    assert bands[0]["raster:scale"] == made.columns[0].storage.scale
    (source,) = [link for link in told["links"] if link["rel"] == "emb:source-data"]
    assert (tmp_path / source["href"]).resolve() == raster.resolve()


def test_a_stac_item_across_the_antimeridian_is_cut_there(make_raster: MakeRaster, tmp_path: Path) -> None:
    values = np.full((2, 60, 200), 900, np.uint16)
    place = Affine(100.0, 0, 365_000, 0, -100.0, 7_600_000)  # Chukotka: 180 lies in the middle
    across = make_raster("s2.tif", values, names=["B04", "B08"], crs="EPSG:32601", transform=place)
    with rasterio.open(across) as dataset:
        lon = rasterio.warp.transform(dataset.crs, "EPSG:4326", [dataset.bounds.left, dataset.bounds.right],
                                      [dataset.bounds.top] * 2)[0]  # fmt: skip
    if not (lon[0] > 0 > lon[1]):
        pytest.skip("the place does not cross the antimeridian")
    gfm.embed([across], tmp_path / "e.tif", stac=True, groups=("fine",))
    told = json.loads((tmp_path / "e.json").read_text())
    assert told["geometry"]["type"] == "MultiPolygon"
    west, _, east, _ = told["bbox"]
    assert west > east


def test_parts_under_a_virtual_raster_are_the_embedding(
    raster: Path, plain: gfm.EmbeddingFile, tmp_path: Path, run_gfm: RunGfm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed_write, "_PART_BYTES", 1_000_000)
    made = gfm.embed([raster], tmp_path / "e.vrt", stac=True)
    parts = sorted((tmp_path / "e_parts").glob("*.tif"))
    assert len(parts) > 2
    assert [path.with_suffix(".json").is_file() for path in parts] == [True] * len(parts)
    assert np.array_equal(pixels(made.path), pixels(plain.path))
    with rasterio.open(made.path) as whole, rasterio.open(plain.path) as single:
        assert (whole.scales, whole.offsets, whole.descriptions) == (
            single.scales, single.offsets, single.descriptions,
        )  # fmt: skip
        assert (whole.transform, whole.nodata, whole.crs) == (single.transform, single.nodata, single.crs)
    assert (made.columns, made.parameters, made.cells) == (plain.columns, plain.parameters, plain.cells)
    assert "embedding of" in run_gfm("info", made.path).out
    part = gfm.open_embedding(parts[1])
    assert np.array_equal(part.read("fine", part.cells), plain.read("fine", part.cells), equal_nan=True)
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in ("e.vrt", "e_parts"):
        (tmp_path / name).rename(moved / name)
    assert np.array_equal(pixels(moved / "e.vrt"), pixels(plain.path))  # parts are named by their way from it


def test_a_virtual_raster_cannot_be_a_cog_and_replaces_nothing_unasked(raster: Path, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="leave --cog out"):
        gfm.embed([raster], tmp_path / "e.vrt", cog=True)
    (tmp_path / "e_parts").mkdir()
    (tmp_path / "e_parts" / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="e_parts"):
        gfm.embed([raster], tmp_path / "e.vrt")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e_parts"]


def test_a_large_file_is_finished_in_another_process_to_the_same_bytes(
    raster: Path, plain: gfm.EmbeddingFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finish, "_LARGE", 0)
    monkeypatch.setattr(finish, "_JOBS", {})  # nothing is done here
    made = gfm.embed([raster], tmp_path / "e.tif")
    assert made.path.read_bytes() == plain.path.read_bytes()


def test_a_process_that_finishes_a_file_ends_with_a_cancel(
    plain: gfm.EmbeddingFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finish, "_LARGE", 0)
    started = []
    popen = finish.subprocess.Popen

    def noted(*words: Any, **how: Any) -> Any:
        started.append(popen(*words, **how))
        return started[-1]

    monkeypatch.setattr(finish.subprocess, "Popen", noted)
    with Reporter(cancel=lambda: True).listening(), pytest.raises(Cancelled):
        finish.add_overviews(plain.path, categorical=False)
    assert started[0].poll() is not None


def test_a_file_that_cannot_be_finished_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_raster(tmp_path / "a.tif", np.ones((1, 300, 300), np.uint8))
    monkeypatch.setattr(finish, "_LARGE", 0)
    with pytest.raises(OutputError, match=r"a\.tif cannot be written"):
        finish._finish("no such job", path)
