from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from rasterio.features import geometry_mask

import gfm_core as gfm
from tests.conftest import RunGfm
from tests.gfm_core.tools.conftest import CELL, Made


@pytest.fixture(scope="module")
def few(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two polygons of each class of the synthetic place."""
    labels = gpd.read_file(made.scene.labels)
    path = tmp_path_factory.mktemp("few") / "few.gpkg"
    labels.groupby("class").head(2).to_file(path)
    return path


def test_points_lie_on_the_place_outside_all_labels_and_wait_for_a_class(made: Made, few: Path, tmp_path: Path) -> None:
    found = gfm.suggest_labels(
        made.scene.paths, tmp_path / "next.gpkg", labels=few, field="class", count=15, cell_size=CELL
    )
    layer = gpd.read_file(tmp_path / "next.gpkg")
    assert len(layer) == len(found.points) == 15
    assert list(layer["rank"]) == list(range(1, 16))
    assert layer["class"].isna().all()
    labels = gpd.read_file(few)
    assert set(layer["looks_like"]) <= set(labels["class"])
    assert layer["probability"].between(0, 1).all()
    with rasterio.open(made.scene.paths[0]) as finest:
        assert layer.crs == finest.crs
        inside = geometry_mask(labels.geometry, finest.shape, finest.transform, invert=True)
        rows, cols = zip(*(finest.index(point.x, point.y) for point in layer.geometry), strict=True)
        assert not inside[list(rows), list(cols)].any()
        assert (layer.geometry.x - finest.transform.c).mod(10).eq(5).all()  # pixel centres
    assert set(found.labelled.values()) == {2}


def test_labels_at_the_suggested_places_beat_labels_anywhere(made: Made, few: Path, tmp_path: Path) -> None:
    embedding = gfm.embed(made.scene.paths, tmp_path / "e.tif", cell_size=CELL, groups=("fine", "coarse"))
    labels = gpd.read_file(few)
    names = {item.code: item.name for item in made.scene.classes}
    with rasterio.open(made.scene.truth) as source:
        truth, place, crs = source.read(1), source.transform, source.crs

    def score(points: gpd.GeoDataFrame, name: str) -> float:
        rows, cols = rasterio.transform.rowcol(place, points.geometry.x, points.geometry.y)
        inside = (np.array(rows) < truth.shape[0]) & (np.array(cols) < truth.shape[1])
        points = points[inside]
        codes = truth[np.array(rows)[inside], np.array(cols)[inside]]
        told = points.assign(**{"class": [names.get(int(code)) for code in codes]}).dropna(subset=["class"])
        told = gpd.GeoDataFrame(told[["class"]], geometry=told.geometry.buffer(1), crs=crs)
        both = gpd.GeoDataFrame(pd.concat([labels[["class", "geometry"]], told]), crs=crs)
        both.to_file(tmp_path / f"{name}.gpkg")
        result = gfm.classify(embedding.path, tmp_path / f"{name}.tif", labels=tmp_path / f"{name}.gpkg", field="class")
        with rasterio.open(result.path) as dataset:
            mapped = dataset.read(1)
        codes = {item.name: item.code for item in result.classes}
        table = np.zeros(256, np.uint8)
        for code, label in names.items():
            table[code] = codes.get(label, 255)
        size = round(dataset.transform.a / place.a)
        expected = table[truth[size // 2 :: size, size // 2 :: size]]
        return float((mapped[: expected.shape[0], : expected.shape[1]] == expected).mean())

    gfm.suggest_labels(embedding.path, tmp_path / "next.gpkg", labels=few, field="class", count=20)
    chosen = score(gpd.read_file(tmp_path / "next.gpkg"), "chosen")
    rng = np.random.default_rng(0)
    height, width = truth.shape
    anywhere = []
    for number in range(3):
        xs, ys = place.c + rng.uniform(0, width, 20) * place.a, place.f + rng.uniform(0, height, 20) * place.e
        anywhere.append(score(gpd.GeoDataFrame(geometry=gpd.points_from_xy(xs, ys), crs=crs), f"random{number}"))
    assert chosen > np.mean(anywhere) - 0.01
    assert chosen > 0.75


def test_bad_input_is_one_sentence_and_leaves_nothing(made: Made, few: Path, tmp_path: Path) -> None:
    with pytest.raises(gfm.LabelError, match="do not exist"):
        gfm.suggest_labels(made.scene.paths, tmp_path / "next.gpkg", labels=tmp_path / "gone.gpkg")
    with pytest.raises(gfm.ParameterError, match="count must be at least 1"):
        gfm.suggest_labels(made.scene.paths, tmp_path / "next.gpkg", labels=few, count=0)
    one = gpd.read_file(few)
    one[one["class"] == one["class"].iloc[0]].to_file(tmp_path / "one.gpkg")
    with pytest.raises(gfm.LabelError, match="are of one class"):
        gfm.suggest_labels(made.scene.paths[:1], tmp_path / "next.gpkg", labels=tmp_path / "one.gpkg", field="class")
    assert [item.name for item in tmp_path.iterdir()] == ["one.gpkg"]


def test_the_command_says_how_many_labels_there_are(made: Made, few: Path, run_gfm: RunGfm, tmp_path: Path) -> None:
    embedding = gfm.embed(made.scene.paths, tmp_path / "e.tif", cell_size=CELL, groups=("fine",))
    ran = run_gfm("-q", "suggest", embedding.path, "-o", tmp_path / "n.gpkg", "--labels", few, "--count", 4)
    assert ran.code == 0, ran.err
    assert "4 points worth a label (so far: " in ran.out
