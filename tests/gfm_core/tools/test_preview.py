"""The preview: what it paints is what `classify` maps, what it knows stays in memory, what cannot work is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from rasterio.enums import Resampling
from shapely.geometry import Point

import gfm_core as gfm
from gfm_core.grid import CellRange
from gfm_core.parameters import PreviewParameters
from gfm_core.progress import Reporter
from gfm_core.tools.live_map import LiveMap
from gfm_core.tools.map_inputs import MapInputs
from gfm_core.tools.preview import Preview as Outcome
from gfm_core.tools.preview import run_preview
from gfm_core.tools.ready import Ready
from gfm_core.worker.live import LiveMaps

Preview = Callable[..., Outcome]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> gfm.SyntheticScene:
    return gfm.write_scene(tmp_path_factory.mktemp("scene"), seed=3)


@pytest.fixture(scope="module")
def embedding(scene: gfm.SyntheticScene, tmp_path_factory: pytest.TempPathFactory) -> gfm.EmbeddingFile:
    return gfm.embed(scene.paths, tmp_path_factory.mktemp("embedding") / "embedding.tif", cell_size=20)


@pytest.fixture(scope="module")
def clicks(scene: gfm.SyntheticScene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five places a class, from the truth."""
    with rasterio.open(scene.truth) as dataset:
        truth, transform, crs = dataset.read(1), dataset.transform, dataset.crs
    chance = np.random.default_rng(0)
    rows = []
    for code in np.unique(truth[truth > 0]):
        at = np.argwhere(truth == code)
        for row, col in at[chance.choice(len(at), 5, replace=False)]:
            rows.append({"class": f"kind {code}", "geometry": Point(transform * (col + 0.5, row + 0.5))})
    path = tmp_path_factory.mktemp("clicks") / "clicks.gpkg"
    gpd.GeoDataFrame(rows, crs=crs).to_file(path)
    return path


@pytest.fixture(scope="module")
def preview(embedding: gfm.EmbeddingFile) -> Preview:
    """As a worker has it: the scene is looked at once for all of these tests."""
    live = LiveMaps()

    def run(output: Path, labels: Path, **options: Any) -> Outcome:
        told = {"field": "class", **options}
        asked = PreviewParameters(embedding=str(embedding.path), output=output, labels=str(labels), **told)
        return run_preview(asked, Reporter(), Ready(live=live.open))

    return run


def test_the_view_of_all_is_the_map_of_the_embedding(
    embedding: gfm.EmbeddingFile, clicks: Path, tmp_path: Path
) -> None:
    found = gfm.preview(embedding.path, tmp_path / "view.tif", labels=clicks, field="class")
    mapped = gfm.classify(embedding, tmp_path / "map.tif", labels=clicks, field="class", smoothing="none")

    with rasterio.open(found.path) as view, rasterio.open(mapped.path) as whole:
        assert view.transform == whole.transform
        assert np.array_equal(view.read(1), whole.read(1))
    assert mapped.cross_validation is not None
    assert found.macro_f1 == mapped.cross_validation.fused.macro_f1
    assert found.macro_f1_raw_bands == mapped.cross_validation.raw_bands.macro_f1
    assert [item["name"] for item in found.classes] == [item.name for item in mapped.classes]
    assert sum(item["share"] for item in found.classes) == pytest.approx(1)
    with rasterio.open(found.dispute) as dispute:
        values = dispute.read(1)
        assert ((values <= 100) | (values == 255)).all()
        assert len(np.unique(values)) > 10


def test_a_part_of_the_view_is_that_part_of_the_map(
    preview: Preview, embedding: gfm.EmbeddingFile, clicks: Path, tmp_path: Path
) -> None:
    whole = preview(tmp_path / "whole.tif", clicks)
    cells = embedding.cells
    part = embedding.lattice.bounds(CellRange(cells.row + 7, cells.col + 11, 20, 30))
    extent = ",".join(map(str, part.as_tuple()))
    found = preview(tmp_path / "part.tif", clicks, extent=extent)
    with rasterio.open(whole.path) as one, rasterio.open(found.path) as other:
        assert np.array_equal(one.read(1)[7:27, 11:41], other.read(1))


def test_a_large_view_is_shown_in_fewer_pixels(
    preview: Preview, embedding: gfm.EmbeddingFile, clicks: Path, tmp_path: Path
) -> None:
    found = preview(tmp_path / "small.tif", clicks, cells=500)
    rows, cols = embedding.cells.shape
    assert found.step == int(np.ceil(np.sqrt(rows * cols / 500)))
    with rasterio.open(found.path) as dataset:
        assert dataset.width * dataset.height <= 500
        assert dataset.transform.a == pytest.approx(20 * found.step)


def test_shrunk_values_are_those_that_rasterio_reads(embedding: gfm.EmbeddingFile) -> None:
    rows, cols = embedding.cells.shape
    shape = rows // 3, cols // 3
    whole = CellRange(embedding.cells.row, embedding.cells.col, shape[0] * 3, shape[1] * 3)
    found = embedding.read_shrunk("fine", whole, shape)
    with rasterio.open(embedding.path) as dataset:
        band = embedding.groups["fine"][0] + 1
        stored = dataset.read(
            band, window=((0, shape[0] * 3), (0, shape[1] * 3)), out_shape=shape, resampling=Resampling.nearest
        )
        values = stored * dataset.scales[band - 1] + dataset.offsets[band - 1]
    known = stored > 0
    assert np.allclose(found[0][known], values[known], atol=1e-5)
    assert np.isnan(found[0][~known]).all()


@pytest.mark.parametrize("step", [1, 2])
def test_all_pixels_of_a_view_but_those_with_a_label_are_suggested(
    preview: Preview, embedding: gfm.EmbeddingFile, clicks: Path, tmp_path: Path, step: int
) -> None:
    whole, lattice = embedding.cells, embedding.lattice
    part = lattice.bounds(CellRange(whole.row + 6, whole.col + 10, 28, 32))
    found = preview(tmp_path / "view.tif", clicks, count=1000, cells=1000 // step**2,
        extent=",".join(map(str, part.as_tuple())),
    )  # fmt: skip
    size = lattice.cell_size * step

    def pixel(x: float, y: float) -> tuple[int, int]:
        return int((part.top - y) // size), int((x - part.left) // size)

    every = {(row, col) for row in range(28 // step) for col in range(32 // step)}
    labelled = gpd.read_file(clicks).to_crs(lattice.crs)
    taken = {pixel(point.x, point.y) for point in labelled.geometry} & every
    assert len(taken) > 2
    assert {pixel(item["x"], item["y"]) for item in found.next} == every - taken


def test_suspects_are_the_labels_that_were_swapped(
    preview: Preview, embedding: gfm.EmbeddingFile, clicks: Path, tmp_path: Path
) -> None:
    swapped = gpd.read_file(clicks)
    swapped.loc[0, "class"] = swapped["class"].iloc[-1]
    swapped.to_file(tmp_path / "swapped.gpkg")
    found = preview(tmp_path / "view.tif", tmp_path / "swapped.gpkg")
    place = swapped.to_crs(embedding.lattice.crs).geometry.iloc[0]
    near = [item for item in found.suspects if abs(item["x"] - place.x) < 20 and abs(item["y"] - place.y) < 20]
    assert near
    assert near[0]["labelled"] == swapped["class"].iloc[-1]


def test_labels_are_read_once(embedding: gfm.EmbeddingFile, clicks: Path, tmp_path: Path) -> None:
    live = LiveMaps()
    reads = []
    parameters = PreviewParameters(
        embedding=str(embedding.path), output=tmp_path / "view.tif", labels=str(clicks), field="class", overwrite=True
    )
    run_preview(parameters, Reporter(), Ready(live=live.open))
    base = live.open(str(embedding.path)).source.features.base
    base._cells = _Counting(base._cells, reads)
    run_preview(parameters, Reporter(), Ready(live=live.open))
    assert reads == []


class _Counting:
    def __init__(self, cells: object, reads: list[object]) -> None:
        self._cells, self._reads = cells, reads

    def __getattr__(self, name: str) -> object:
        if name.startswith("read"):
            self._reads.append(name)
        return getattr(self._cells, name)


def test_after_a_look_the_scene_is_not_looked_at_again(
    embedding: gfm.EmbeddingFile, clicks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = LiveMaps()
    live.look(str(embedding.path))
    monkeypatch.setattr(MapInputs, "_looked", None)
    asked = PreviewParameters(
        embedding=str(embedding.path), output=tmp_path / "view.tif", labels=str(clicks), field="class"
    )
    assert run_preview(asked, Reporter(), Ready(live=live.open)).path.exists()


def test_a_file_that_changed_is_opened_anew(embedding: gfm.EmbeddingFile, tmp_path: Path) -> None:
    path = tmp_path / "copy.tif"
    path.write_bytes(embedding.path.read_bytes())
    live = LiveMaps()
    first = live.open(str(path))
    assert live.open(str(path)) is first
    path.write_bytes(embedding.path.read_bytes())
    assert live.open(str(path)) is not first


@pytest.mark.parametrize(
    ("options", "words"),
    [({"extent": "0,0,1,1"}, "shows nothing"), ({"cells": 0}, "at least 1"), ({"field": "nothing"}, "no field")],
)
def test_what_cannot_work_is_said(
    preview: Preview, clicks: Path, tmp_path: Path, options: dict[str, object], words: str
) -> None:
    with pytest.raises(gfm.GfmError, match=words):
        preview(tmp_path / "view.tif", clicks, **options)
    assert not list(tmp_path.iterdir())


def test_rasters_are_no_embedding(scene: gfm.SyntheticScene) -> None:
    with pytest.raises(gfm.GfmError, match="not an embedding"):
        LiveMap.open(scene.paths[0])


def test_one_class_is_no_map(preview: Preview, clicks: Path, tmp_path: Path) -> None:
    one = gpd.read_file(clicks).iloc[:5]
    one.to_file(tmp_path / "one.gpkg")
    with pytest.raises(gfm.LabelError, match="two classes"):
        preview(tmp_path / "view.tif", tmp_path / "one.gpkg")
