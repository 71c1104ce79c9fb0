"""The tools that answer from an embedding, against plain rasterio, geopandas and scikit-learn, and on real scenes."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import rasterio.features
import shapely
from rasterio.warp import Resampling, reproject
from scipy.ndimage import binary_dilation
from sklearn.metrics import adjusted_rand_score

import gfm_core as gfm
from tests.conftest import RunGfm
from tests.gfm_core.tools.conftest import CELL, Made


@pytest.fixture(scope="module")
def embedding(scene: gfm.SyntheticScene, tmp_path_factory: pytest.TempPathFactory) -> gfm.EmbeddingFile:
    """Statistics of the made-up place in 20 m cells."""
    return gfm.embed(scene.paths, tmp_path_factory.mktemp("e") / "e.tif", cell_size=20, groups=("fine", "coarse"))


@pytest.fixture(scope="module")
def truth(scene: gfm.SyntheticScene, embedding: gfm.EmbeddingFile) -> np.ndarray:
    """The true class of each cell."""
    found = np.zeros(embedding.cells.shape, np.uint8)
    with rasterio.open(scene.truth) as source:
        reproject(
            source.read(1), found, src_transform=source.transform, src_crs=source.crs,
            dst_transform=embedding.lattice.transform(embedding.cells), dst_crs=embedding.lattice.crs,
            resampling=Resampling.mode,
        )  # fmt: skip
    return found


def examples(scene: gfm.SyntheticScene, path: Path, name: str, count: int = 3) -> Path:
    """The first polygons of a class, without its name."""
    labels = gpd.read_file(scene.labels)
    labels[labels["class"] == name].head(count)[["geometry"]].to_file(path)
    return path


# ---- Similar ---------------------------------------------------------------------------------------------------------


def test_similar_places_are_of_the_class_of_the_examples(
    scene: gfm.SyntheticScene, embedding: gfm.EmbeddingFile, truth: np.ndarray, tmp_path: Path
) -> None:
    item = scene.classes[0]
    made = gfm.similar(
        embedding, tmp_path / "alike.tif", labels=str(examples(scene, tmp_path / "examples.gpkg", item.name)), count=5
    )
    with rasterio.open(made.path) as source:
        alike = source.read(1)
        assert source.nodata == 255
        assert source.shape == embedding.cells.shape
    best = np.argsort(-alike.astype(int).ravel())[:100]
    assert (truth.ravel()[best] == item.code).mean() > 0.8
    places = gpd.read_file(made.places)
    assert 1 <= len(places) == made.count <= 5
    assert places["rank"].tolist() == list(range(1, len(places) + 1))
    assert (np.diff(places["alike"]) <= 0).all()
    assert places["example"].isin([0, 1]).all()
    assert places["area_m2"].to_numpy() == pytest.approx(400 * places["cells"].to_numpy(), rel=2e-3)
    for place in places.itertuples():
        inside = rasterio.features.geometry_mask(
            [place.geometry], alike.shape, embedding.lattice.transform(embedding.cells), invert=True
        )
        assert inside.sum() == place.cells
        assert alike[inside].mean() == pytest.approx(place.alike, abs=0.6)
        assert alike[inside].min() >= np.floor(made.threshold)


def test_rasters_give_what_their_embedding_gives(
    scene: gfm.SyntheticScene, embedding: gfm.EmbeddingFile, tmp_path: Path
) -> None:
    labels = str(examples(scene, tmp_path / "examples.gpkg", scene.classes[1].name))
    one = gfm.similar(embedding, tmp_path / "a.tif", labels=labels)
    other = gfm.similar(scene.paths, tmp_path / "b.tif", labels=labels, cell_size=20, groups=("fine", "coarse"))
    assert one.path.read_bytes() == other.path.read_bytes()
    assert one.places.read_bytes() == other.places.read_bytes()
    assert sorted(item.name for item in tmp_path.glob("b*")) == ["b.qml", "b.tif", "b_places.gpkg", "b_places.qml"]


# ---- Change ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def later(scene: gfm.SyntheticScene, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], np.ndarray]:
    """The place under another sun, and a rectangle of it turned into its other end; where, in finest pixels."""
    folder = tmp_path_factory.mktemp("later")
    finest = rasterio.open(scene.paths[0])
    box = shapely.box(*rasterio.transform.array_bounds(14, 18, finest.transform * finest.transform.translation(20, 10)))
    paths = []
    for path in scene.paths:
        with rasterio.open(path) as source:
            values, profile, tags = source.read(), source.profile, source.tags()
            ground = gpd.GeoSeries([box], crs=finest.crs).to_crs(source.crs)
            inside = rasterio.features.geometry_mask(ground, source.shape, source.transform, invert=True)
            descriptions = source.descriptions
        changed = values[:, ::-1, ::-1][:, inside]
        values = (values * (0.8 if values.dtype != np.float32 else 1)).astype(values.dtype)
        values[:, inside] = changed
        with rasterio.open(folder / path.name, "w", **profile) as target:
            target.write(values)
            target.update_tags(**tags)
            target.descriptions = descriptions
        paths.append(folder / path.name)
    where = rasterio.features.geometry_mask([box], finest.shape, finest.transform, invert=True)
    return paths, where


def test_a_change_is_found_where_it_was_made(
    scene: gfm.SyntheticScene, later: tuple[list[Path], np.ndarray], tmp_path: Path
) -> None:
    paths, where = later
    made = gfm.change(scene.paths[:1], tmp_path / "change.tif", after=[str(paths[0])], cell_size=10)
    with rasterio.open(made.path) as source:
        magnitude = source.read(1)
    assert magnitude.shape == where.shape
    told = magnitude >= made.threshold
    assert (told & where).sum() / where.sum() > 0.9
    around = binary_dilation(where, iterations=2)  # a pixel beyond the edge sees the change in its 3 x 3
    assert (told & around).sum() / told.sum() > 0.9
    changes = gpd.read_file(made.changes)
    assert len(changes) == made.count
    assert made.area_m2 == pytest.approx(changes["area_m2"].sum())
    assert (changes["cells"] >= 4).all()
    assert (np.diff(changes["change"]) <= 0).all()


def test_the_later_date_is_read_on_the_cells_of_the_earlier(
    scene: gfm.SyntheticScene, embedding: gfm.EmbeddingFile, later: tuple[list[Path], np.ndarray], tmp_path: Path
) -> None:
    paths, _ = later
    second = gfm.embed(paths, tmp_path / "second.tif", like=str(embedding.path))
    one = gfm.change(embedding, tmp_path / "a.tif", after=[str(second.path)])
    other = gfm.change(embedding, tmp_path / "b.tif", after=[str(path) for path in paths])
    assert one.path.read_bytes() == other.path.read_bytes()


def test_changes_tell_what_was_there_and_is_there(
    made: Made, later: tuple[list[Path], np.ndarray], nano_path: Path, tmp_path: Path
) -> None:
    paths, _ = later
    found = gfm.change(
        made.scene.paths, tmp_path / "c.tif", after=[str(path) for path in paths], cell_size=CELL,
        head=str(made.head), model=str(nano_path), threshold=3.0, min_area=0,
    )  # fmt: skip
    changes = gpd.read_file(found.changes)
    names = {item.name for item in made.scene.classes}
    assert set(changes["before"]) <= names
    assert set(changes["after"]) <= names
    assert list(changes.columns[:6]) == ["rank", "change", "highest", "cells", "before", "after"]


def test_real_marks_are_found_far_better_than_by_differences(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "taizhou"
    dates = [folder / "landsat7_2000.tif", folder / "landsat7_2003.tif"]
    made = gfm.change([dates[0]], tmp_path / "c.tif", after=[str(dates[1])], cell_size=30)
    with rasterio.open(folder / "change.tif") as source, rasterio.open(made.path) as result:
        marks, magnitude = source.read(1), result.read(1)
    marked = marks > 0
    changed = marks[marked] == 2
    told = magnitude[marked] >= made.threshold
    f1 = 2 * (told & changed).sum() / (told.sum() + changed.sum())
    raw = [rasterio.open(path).read().astype(float) for path in dates]
    difference = np.sqrt(((raw[0] - raw[1]) ** 2).sum(axis=0))[marked]
    best = max(
        2 * ((difference >= at) & changed).sum() / ((difference >= at).sum() + changed.sum())
        for at in np.quantile(difference, np.linspace(0, 1, 200))
    )
    assert f1 > 0.92
    assert best < 0.4


# ---- Cluster ---------------------------------------------------------------------------------------------------------


def test_clusters_are_close_to_the_true_classes(
    embedding: gfm.EmbeddingFile, truth: np.ndarray, tmp_path: Path
) -> None:
    made = gfm.cluster(embedding, tmp_path / "c.tif", count=4)
    with rasterio.open(made.path) as source:
        numbers = source.read(1)
        table = source.colormap(1)
        assert source.tags()["CLASS_1"] == "cluster 1"
    assert adjusted_rand_score(truth[truth > 0], numbers[truth > 0]) > 0.5
    counts = np.bincount(numbers.ravel(), minlength=5)
    assert {number: int(counts[number]) for number in range(1, 5)} == made.cells
    assert (np.diff(counts[1:]) <= 0).all()
    assert len({table[number] for number in range(1, 5)}) == 4
    assert made.legend.is_file()


# ---- Estimate --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def heights(scene: gfm.SyntheticScene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Points with the mean of the second band around them: a number that can be told."""
    folder = tmp_path_factory.mktemp("heights")
    with rasterio.open(scene.paths[0]) as source:
        band = source.read(2).astype(float)
        chance = np.random.default_rng(0)
        rows, cols = chance.integers(2, source.height - 2, 120), chance.integers(2, source.width - 2, 120)
        numbers = [band[row - 1 : row + 2, col - 1 : col + 2].mean() for row, col in zip(rows, cols, strict=True)]
        xs, ys = rasterio.transform.xy(source.transform, rows, cols)
        frame = gpd.GeoDataFrame({"height": numbers, "name": "x"}, geometry=gpd.points_from_xy(xs, ys), crs=source.crs)
    frame.loc[0, "height"] = None
    frame.to_crs("EPSG:4326").to_file(folder / "heights.gpkg")
    return folder / "heights.gpkg"


def test_a_number_is_told_with_an_interval_and_honest_scores(
    embedding: gfm.EmbeddingFile, heights: Path, tmp_path: Path
) -> None:
    made = gfm.estimate(embedding, tmp_path / "h.tif", labels=str(heights), field="height")
    assert made.goodness is not None
    assert made.goodness.r2 > 0.8
    assert made.goodness.n == made.places <= 119
    assert made.raw_bands is not None
    assert made.coverage is not None
    assert 0.7 < made.coverage <= 1
    points = gpd.read_file(heights).dropna(subset=["height"]).to_crs(embedding.lattice.crs)
    where = [(point.x, point.y) for point in points.geometry]
    with rasterio.open(made.path) as source, rasterio.open(made.interval) as interval:
        told = np.array([value[0] for value in source.sample(where)])
        ends = np.array(list(interval.sample(where)))
    assert np.corrcoef(told, points["height"])[0, 1] > 0.9
    assert (ends[:, 1] - told) == pytest.approx(told - ends[:, 0], rel=1e-3)
    page = json.loads((made.report.parent / "report.json").read_text())
    assert page["scores"]["spatial_folds"]["r2"] == pytest.approx(made.goodness.r2)
    assert "<svg" in made.report.read_text()


def test_bounds_end_the_estimate(embedding: gfm.EmbeddingFile, heights: Path, tmp_path: Path) -> None:
    numbers = gpd.read_file(heights)["height"].dropna()
    low, high = float(numbers.quantile(0.3)), float(numbers.quantile(0.7))
    made = gfm.estimate(embedding, tmp_path / "h.tif", labels=str(heights), field="height", lowest=low, highest=high)
    assert made.places < 70
    with rasterio.open(made.path) as source, rasterio.open(made.interval) as interval:
        for values in (source.read(masked=True), interval.read(masked=True)):
            assert low - 1e-3 <= values.min()
            assert values.max() <= high + 1e-3


def test_real_tree_cover_is_told_better_than_by_bands(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "gewata"
    embedding = gfm.embed([folder / "landsat7_30m.tif"], tmp_path / "e.tif", cell_size=120, groups=("fine", "coarse"))
    made = gfm.estimate(
        embedding, tmp_path / "cover.tif", labels=str(folder / "tree_cover_percent.tif"), lowest=0, highest=100,
        samples=1500,
    )  # fmt: skip
    assert made.goodness is not None
    assert made.raw_bands is not None
    assert made.goodness.r2 > 0.9
    assert made.goodness.r2 > made.raw_bands.r2
    with rasterio.open(folder / "tree_cover_percent.tif") as source, rasterio.open(made.path) as result:
        cover = np.full(result.shape, np.nan, np.float32)
        reproject(
            np.where(source.read(1) > 100, np.nan, source.read(1)).astype(np.float32), cover,
            src_transform=source.transform, src_crs=source.crs, dst_transform=result.transform, dst_crs=result.crs,
            src_nodata=np.nan, dst_nodata=np.nan, resampling=Resampling.average,
        )  # fmt: skip
        told = result.read(1)
    both = np.isfinite(cover) & np.isfinite(told)
    assert np.abs(told - cover)[both].mean() < 6


# ---- Apply -----------------------------------------------------------------------------------------------------------


def test_a_saved_classifier_gives_the_map_again(made: Made, nano_path: Path, tmp_path: Path) -> None:
    again = gfm.apply(
        made.scene.paths, tmp_path / "again.tif", head=str(made.head), cell_size=CELL, model=str(nano_path)
    )
    with rasterio.open(made.result.path) as one, rasterio.open(again.path) as other:
        assert np.array_equal(one.read(), other.read())
    assert again.cross_validation is None
    assert again.outside is not None
    with rasterio.open(again.candidates) as source:
        applicability = source.read(4)
    assert again.outside == pytest.approx((applicability == 2).sum() / (applicability > 0).sum())


# ---- Assess ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def points(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("points") / "points.gpkg"
    gfm.assess(made.result.path, path, count=200, least=20)
    return path


def test_the_sample_is_stratified_and_tells_nothing_of_the_map(made: Made, points: Path) -> None:
    frame = gpd.read_file(points)
    assert list(frame.columns) == ["point", "reference", "geometry"]
    assert frame["reference"].isna().all()
    with rasterio.open(made.result.path) as source:
        assert frame.crs == source.crs
        codes = np.array([value[0] for value in source.sample([(p.x, p.y) for p in frame.geometry])])
        shares = np.bincount(source.read(1).ravel())
    assert codes.min() > 0
    drawn = np.bincount(codes)
    assert (drawn[drawn > 0] >= 20).all()
    large = int(np.argmax(shares))
    assert drawn[large] == max(drawn)
    assert len(np.unique(np.diff(codes))) > 2  # not in the order of the classes
    assert len({(p.x, p.y) for p in frame.geometry}) == len(frame)


def test_the_assessment_is_that_of_plain_counting(made: Made, points: Path, tmp_path: Path) -> None:
    frame = gpd.read_file(points)
    where = [(p.x, p.y) for p in frame.geometry]
    with rasterio.open(made.scene.truth) as source:
        true_names = {item.code: item.name for item in made.scene.classes}
        there = np.array([true_names.get(int(value[0]), "") for value in source.sample(where)])
    with rasterio.open(made.result.path) as source:
        names = {item.code: item.name for item in made.result.classes}
        mapped = np.array([names[int(value[0])] for value in source.sample(where)])
        pixels = {names[code]: int((source.read(1) == code).sum()) for code in names}
    frame["reference"] = there
    frame.loc[0, "reference"] = None  # not looked at yet
    frame.to_file(tmp_path / "looked.gpkg")
    found = gfm.assess(made.result.path, tmp_path / "assessed.gpkg", sample=str(tmp_path / "looked.gpkg"))
    assert found.result is not None
    there, mapped = there[1:], mapped[1:]
    right = sum(pixels[name] * (there[mapped == name] == name).mean() for name in pixels) / sum(pixels.values())
    assert found.result.overall.value == pytest.approx(right, abs=1e-3)
    first = found.classes[0]
    area = sum(pixels[name] * (there[mapped == name] == first).mean() for name in pixels) * 100  # m² of a 10 m pixel
    assert found.result.areas[0].value == pytest.approx(area, rel=3e-3)
    told = gpd.read_file(tmp_path / "assessed.gpkg")
    assert told["agrees"].mean() == pytest.approx((there == mapped).mean())
    assert found.report is not None
    page = found.report.read_text()
    assert "Olofsson" in page
    assert first in page


# ---- Vector ----------------------------------------------------------------------------------------------------------


def test_statistics_of_rectangles_of_cells_are_those_of_their_cells(
    embedding: gfm.EmbeddingFile, tmp_path: Path
) -> None:
    transform = embedding.lattice.transform(embedding.cells)
    corners = [(3, 4, 5, 6), (10, 2, 1, 1), (7, 9, 4, 2)]  # row, col, rows, cols
    boxes = [
        shapely.box(*(transform * (col, row + rows)), *(transform * (col + cols, row)))
        for row, col, rows, cols in corners
    ]
    frame = gpd.GeoDataFrame({"name": list("abc")}, geometry=boxes, crs=embedding.lattice.crs)
    frame.to_file(tmp_path / "boxes.gpkg")
    made = gfm.vector(embedding, tmp_path / "v.gpkg", labels=str(tmp_path / "boxes.gpkg"), groups=("fine",))
    told = gpd.read_file(made.path)
    values = embedding.read("fine", embedding.cells)
    columns = embedding.columns_of("fine")
    assert len(made.fields) == 2 * len(columns)
    assert told["name"].tolist() == list("abc")
    for at, (row, col, rows, cols) in enumerate(corners):
        inside = values[:, row : row + rows, col : col + cols].reshape(len(values), -1)
        means = told.loc[at, [name for name in made.fields if name.endswith("_mean")]].to_numpy(float)
        assert means == pytest.approx(inside.mean(axis=1), abs=1e-4)
        deviations = told.loc[at, [name for name in made.fields if name.endswith("_stdev")]].to_numpy(float)
        assert deviations == pytest.approx(inside.std(axis=1), abs=1e-4)


def test_a_cell_counts_by_its_share_and_polygons_keep_their_crs(embedding: gfm.EmbeddingFile, tmp_path: Path) -> None:
    transform = embedding.lattice.transform(embedding.cells)
    half = shapely.box(*(transform * (4.5, 6)), *(transform * (6, 5)))  # half a cell and a whole one
    far = shapely.box(0, 0, 100, 100)
    frame = gpd.GeoDataFrame({"id": [1, 2]}, geometry=[half, far], crs=embedding.lattice.crs)
    frame.to_crs("EPSG:3035").to_file(tmp_path / "p.gpkg")
    made = gfm.vector(
        embedding, tmp_path / "v.parquet", labels=str(tmp_path / "p.gpkg"), groups=("fine",), statistics=("mean",)
    )
    told = gpd.read_parquet(made.path)
    assert made.empty == 1
    assert told.crs.to_epsg() == 3035
    values = embedding.read("fine", embedding.cells)[:, 5, 4:6]
    means = told.loc[0, list(made.fields)].to_numpy(float)
    assert means == pytest.approx((values[:, 0] + 2 * values[:, 1]) / 3, abs=2e-3)  # the box is turned a little
    assert told.loc[1, list(made.fields)].isna().all()


# ---- All of them -----------------------------------------------------------------------------------------------------


def test_answers_do_not_depend_on_the_threads(
    scene: gfm.SyntheticScene, embedding: gfm.EmbeddingFile, heights: Path, tmp_path: Path
) -> None:
    labels = str(examples(scene, tmp_path / "examples.gpkg", scene.classes[0].name))
    for name, options in (("similar", {"labels": labels}), ("cluster", {}), ("estimate", {"labels": str(heights)})):
        for threads in (1, 3):
            getattr(gfm, name)(embedding, tmp_path / f"{name}{threads}.tif", threads=threads, **options)
        one, other = (tmp_path / f"{name}{threads}.tif" for threads in (1, 3))
        assert one.read_bytes() == other.read_bytes(), name


def test_the_command_line_says_what_was_made(
    embedding: gfm.EmbeddingFile, heights: Path, tmp_path: Path, run_gfm: RunGfm
) -> None:
    ran = run_gfm("estimate", embedding.path, "-o", tmp_path / "h.tif", "--labels", heights, "--field", "height")
    assert ran.code == 0, ran.err
    assert f"{tmp_path / 'h.tif'}: The number on every cell." in ran.out
    assert "R²: 0." in ran.out
    assert "R² of raw bands: 0." in ran.out
    assert "gfm estimate" not in ran.out
