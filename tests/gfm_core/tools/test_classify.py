"""Rasters or an embedding, and labels → a map on the finest pixels that is right, and says how right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import rasterio.warp
import torch
from affine import Affine
from numpy.typing import NDArray
from rasterio.warp import Resampling, calculate_default_transform, reproject
from scipy import ndimage

import gfm_core as gfm
from gfm_core.heads.store import load_head
from gfm_core.model.checkpoint import save_checkpoint
from gfm_core.model.config import SIZES
from gfm_core.model.jepa import build_model
from gfm_core.progress import Cancelled, Progress
from gfm_core.tools.map_write import predict
from tests.conftest import MakeRaster
from tests.gfm_core.tools.conftest import CELL, Made


def read(path: Path) -> NDArray[Any]:
    with rasterio.open(path) as dataset:
        return np.asarray(dataset.read(1))


def truth_of(scene: gfm.SyntheticScene, result: gfm.ClassMap) -> NDArray[Any]:
    """The true classes of every 10 m, in the codes of a map (names in sorted order)."""
    codes = {item.name: item.code for item in result.classes}
    table = np.zeros(256, np.uint8)
    for item in scene.classes:
        table[item.code] = codes.get(item.name, 255)
    return np.asarray(table[read(scene.truth)])


def quick(scene: gfm.SyntheticScene, output: Path, *rasters: object, **options: Any) -> gfm.ClassMap:
    """A map of the group `fine`, which needs no network, of the first date's 10 m image unless told otherwise."""
    chosen = [str(item) for item in rasters or scene.paths[:1]]
    settings = {"labels": scene.labels, "field": "class", "groups": ("fine",), "cell_size": CELL, **options}
    return gfm.classify(chosen, output, **settings)


# What is made


def test_the_map_is_far_better_than_chance_on_folds_on_check_labels_and_in_truth(made: Made) -> None:
    validation, check = made.result.cross_validation, made.result.check
    assert validation is not None and check is not None
    assert validation.fused.macro_f1 > 0.8
    assert check.macro_f1 > 0.8
    assert check.n > 100
    assert (read(made.result.path) == truth_of(made.scene, made.result)).mean() > 0.8


def test_every_output_is_there_and_nothing_else(made: Made) -> None:
    names = {item.name for item in made.result.path.parent.iterdir()}
    assert names == {
        "map.tif", "map.tif.aux.xml", "map.qml", "map_confidence.tif", "map_confidence.qml",
        "map_candidates.tif", "map_candidates.qml", "map_suspects.gpkg", "map_suspects.qml", "map_legend.png",
        "map_report", "head.safetensors",
    }  # fmt: skip
    report = {item.name for item in (made.result.path.parent / "map_report").iterdir()}
    assert report == {"report.html", "report.json", "map.png", "confidence.png", "legend.png"}


def test_the_map_has_the_finest_pixels(made: Made) -> None:
    with rasterio.open(made.scene.paths[0]) as finest, rasterio.open(made.result.path) as dataset:
        assert dataset.transform == finest.transform
        assert dataset.shape == finest.shape
        assert dataset.crs == finest.crs
        assert (dataset.count, dataset.dtypes, dataset.nodata) == (1, ("uint8",), 0)
    with rasterio.open(made.result.confidence) as dataset:
        assert dataset.transform == finest.transform
        assert (dataset.count, dataset.dtypes, dataset.nodata) == (1, ("uint8",), 255)


def test_classes_are_named_in_the_file_and_counted(made: Made) -> None:
    codes = read(made.result.path)
    with rasterio.open(made.result.path) as dataset:
        tags = dataset.tags()
    for item in made.result.classes:
        assert tags[f"CLASS_{item.code}"] == item.name
        assert made.result.pixels[item.code] == (codes == item.code).sum()


def test_the_report_tells_the_scores_and_how_to_repeat_them(made: Made) -> None:
    report = json.loads((made.result.report.parent / "report.json").read_text(encoding="utf-8"))
    validation = made.result.cross_validation
    assert validation is not None and validation.raw_bands is not None and made.result.check is not None
    assert report["scores"]["spatial_folds"]["macro_f1"] == pytest.approx(validation.fused.macro_f1)
    assert report["scores"]["raw_bands_alone"]["macro_f1"] == pytest.approx(validation.raw_bands.macro_f1)
    assert report["scores"]["check"]["macro_f1"] == pytest.approx(made.result.check.macro_f1)
    assert set(report["scores"]["groups_macro_f1"]) == {"fine", "indices", "coarse", "prototypes", "network"}
    assert report["copy_as"]["command"].startswith("gfm classify ")
    assert sorted(item["name"] for item in report["inputs"]) == sorted(path.name for path in made.scene.paths)


# Where the map lies


def warped(path: Path, target: Path, crs: str, transform: Affine, shape: tuple[int, int]) -> Path:
    """A raster on another grid, through rasterio.warp, with its outside declared."""
    with rasterio.open(path) as source:
        pixels = np.zeros((source.count, *shape), source.dtypes[0])
        reproject(
            source.read(), pixels, src_transform=source.transform, src_crs=source.crs, dst_transform=transform,
            dst_crs=crs, resampling=Resampling.nearest, dst_nodata=0,
        )  # fmt: skip
        profile = {
            **source.profile, "crs": crs, "transform": transform, "height": shape[0], "width": shape[1], "nodata": 0
        }  # fmt: skip
        with rasterio.open(target, "w", **profile) as dataset:
            dataset.write(pixels)
            dataset.descriptions = source.descriptions
    return target


@pytest.mark.parametrize("place", ["degrees", "rotated"])
def test_the_map_of_a_source_in_degrees_or_rotated_has_its_pixels(
    made: Made, nano_path: Path, tmp_path: Path, place: str
) -> None:
    with rasterio.open(made.scene.paths[0]) as dataset:
        crs, shape = "EPSG:4326", dataset.shape
        transform, width, height = calculate_default_transform(
            dataset.crs, crs, dataset.width, dataset.height, *dataset.bounds
        )
        if place == "rotated":
            crs = dataset.crs.to_string()
            middle = dataset.transform * (dataset.width / 2, dataset.height / 2)
            transform = Affine.rotation(25, middle) * dataset.transform
            height, width = shape
    image = warped(made.scene.paths[0], tmp_path / made.scene.paths[0].name, crs, transform, (height, width))
    options = {"groups": ("fine", "network"), "model": str(nano_path)}
    result = quick(made.scene, tmp_path / "map.tif", image, **options)
    with rasterio.open(result.path) as dataset:
        assert dataset.transform.almost_equals(transform, 1e-9)
        assert dataset.shape == (height, width)
        codes = dataset.read(1)
    truth = np.zeros((height, width), np.uint8)
    with rasterio.open(made.scene.truth) as dataset:
        reproject(
            truth_of(made.scene, result), truth, src_transform=dataset.transform, src_crs=dataset.crs,
            dst_transform=transform, dst_crs=crs, resampling=Resampling.nearest, dst_nodata=0,
        )  # fmt: skip
    with rasterio.open(image) as dataset:
        there = dataset.read(1) > 0
    assert (codes[there] > 0).all()
    near = ndimage.binary_dilation(there, iterations=4)  # a cell that is half covered tells a class for all its pixels
    assert not codes[~near].any()
    assert (codes[there] == truth[there]).mean() > 0.8


def test_map_gsd_gives_pixels_of_that_size_over_the_same_ground(made: Made, tmp_path: Path) -> None:
    result = quick(made.scene, tmp_path / "map.tif", map_gsd=20)
    with rasterio.open(result.path) as dataset, rasterio.open(made.scene.paths[0]) as finest:
        assert dataset.res == (20, 20)
        assert dataset.bounds == finest.bounds
    fine = truth_of(made.scene, result)
    same = [read(result.path) == fine[row::2, col::2] for row in (0, 1) for col in (0, 1)]
    assert np.any(same, axis=0).mean() > 0.8


def test_an_extent_gives_the_same_pixels_as_the_whole(made: Made, nano_path: Path, tmp_path: Path) -> None:
    with rasterio.open(made.result.path) as dataset:
        window = ((10, 34), (14, 50))  # whole cells of 4 x 4 pixels: the scene starts in the middle of one
        left, top = dataset.transform * (14, 10)
        right, bottom = dataset.transform * (50, 34)
        expected = dataset.read(1, window=window)
    part = gfm.classify(
        made.scene.paths, tmp_path / "part.tif", head=str(made.head), model=str(nano_path),
        extent=f"{left},{bottom},{right},{top}",
    )  # fmt: skip
    with rasterio.open(part.path) as dataset:
        assert dataset.bounds == pytest.approx((left, bottom, right, top))
        np.testing.assert_array_equal(dataset.read(1), expected)
    stack = gfm.open_stack(made.scene.paths, cell_size=CELL, extent=f"{left},{bottom},{right},{top}")
    by_stack = gfm.classify(stack, tmp_path / "stack.tif", head=str(made.head), model=str(nano_path))
    assert by_stack.path.read_bytes() == part.path.read_bytes()


# What the numbers are


def test_the_confidence_is_the_winners_probability_in_percent(made: Made, nano_path: Path, tmp_path: Path) -> None:
    options = {"cell_size": CELL, "model": str(nano_path)}
    embedding = gfm.embed(made.scene.paths, tmp_path / "embedding.tif", dtype="float32", **options)
    result = gfm.classify(
        [embedding.path], tmp_path / "map.tif", labels=made.scene.labels, field="class", smoothing="none",
        groups=tuple(embedding.groups), save_head=tmp_path / "head.safetensors",
    )  # fmt: skip
    head, _ = load_head(tmp_path / "head.safetensors")
    features = {
        group: embedding.read(group, embedding.cells).reshape(len(embedding.columns_of(group)), -1).T
        for group in embedding.groups
    }
    codes, probability = head.fused.predict(features)
    np.testing.assert_array_equal(read(result.path).ravel(), codes)
    np.testing.assert_allclose(read(result.confidence).ravel(), 100 * probability, atol=0.5 + 1e-5)


def test_candidates_are_the_classes_above_the_threshold(made: Made, nano_path: Path, tmp_path: Path) -> None:
    options = {"cell_size": CELL, "model": str(nano_path)}
    embedding = gfm.embed(made.scene.paths, tmp_path / "embedding.tif", dtype="float32", **options)
    result = gfm.classify(
        [embedding.path], tmp_path / "map.tif", labels=made.scene.labels, field="class", smoothing="none",
        groups=("fine",), coverage=0.99, save_head=tmp_path / "head.safetensors",
    )  # fmt: skip
    head, _ = load_head(tmp_path / "head.safetensors")
    assert head.threshold is not None and head.applicability is not None and head.level == 0.99
    fine = embedding.read("fine", embedding.cells).reshape(len(embedding.columns_of("fine")), -1).T
    probability = np.exp(head.fused.log_proba({"fine": fine}))
    size = (probability >= head.threshold).sum(axis=1)
    with rasterio.open(result.candidates) as dataset:
        certainty, first, second, applicability = dataset.read().reshape(4, -1)
        assert dataset.descriptions == ("certainty", "first candidate", "second candidate", "applicability")
        assert dataset.tags()["COVERAGE"] == "0.99"
    np.testing.assert_array_equal(certainty, np.select([size == 1, size == 2], [1, 2], 3))
    np.testing.assert_array_equal(first, read(result.path).ravel())
    codes, order = np.array([item.code for item in head.classes]), np.argsort(-probability, axis=1)
    np.testing.assert_array_equal(second, np.where(size == 2, codes[order[:, 1]], 0))
    np.testing.assert_array_equal(applicability, np.where(head.applicability.inside(fine), 1, 2))
    report = json.loads((result.report.parent / "report.json").read_text(encoding="utf-8"))
    shares = report["scores"]["candidates"]["map"]
    assert shares["sure"] == pytest.approx((certainty == 1).mean())
    assert report["scores"]["outside_applicability"] == pytest.approx((applicability == 2).mean())


def test_a_map_is_smoothed_along_its_raw_bands(made: Made, nano_path: Path, tmp_path: Path) -> None:
    options = {"cell_size": CELL, "model": str(nano_path)}
    embedding = gfm.embed(made.scene.paths, tmp_path / "embedding.tif", dtype="float32", **options)
    result = gfm.classify(
        [embedding.path], tmp_path / "map.tif", labels=made.scene.labels, field="class", groups=("fine",),
        save_head=tmp_path / "head.safetensors",
    )  # fmt: skip
    head, _ = load_head(tmp_path / "head.safetensors")
    assert head.guide is not None
    values = embedding.read("fine", embedding.cells)
    bands = values[[number for number, item in enumerate(embedding.columns_of("fine")) if item.name.endswith(" value")]]
    guide = ((bands - head.guide.mean[:, None, None]) / head.guide.sd[:, None, None]).clip(-6, 6)
    rows = values.reshape(len(values), -1).T
    probability = np.exp(head.fused.log_proba({"fine": rows})).T.reshape(-1, *values.shape[1:])
    expected = np.zeros_like(probability)
    height, width = values.shape[1:]
    for row in range(height):
        for col in range(width):
            part = np.s_[:, max(row - 2, 0) : row + 3, max(col - 2, 0) : col + 3]
            weight = np.exp(-((guide[part] - guide[:, row, col][:, None, None]) ** 2).mean(axis=0) / (2 * 0.3**2))
            expected[:, row, col] = (probability[part] * weight).sum(axis=(1, 2)) / weight.sum()
    np.testing.assert_allclose(read(result.confidence), 100 * expected.max(axis=0), atol=0.51)
    assert (100 * np.abs(expected.max(axis=0) - probability.max(axis=0)) > 1).any()


def test_labels_that_were_swapped_lie_in_the_layer_of_suspects(made: Made, tmp_path: Path) -> None:
    labels = gpd.read_file(made.scene.labels)
    names = sorted(labels["class"].unique())
    largest = labels.geometry.area.idxmax()
    own = labels.loc[largest, "class"]
    labels.loc[largest, "class"] = next(name for name in names if name != own)
    labels.to_file(tmp_path / "labels.gpkg")
    made_map = gfm.classify(
        made.scene.paths, tmp_path / "map.tif", labels=tmp_path / "labels.gpkg", field="class", cell_size=CELL,
        groups=("fine", "coarse"),
    )  # fmt: skip
    assert made_map.suspects is not None
    suspects = gpd.read_file(made_map.suspects)
    assert list(suspects["rank"]) == list(range(1, len(suspects) + 1))
    assert suspects.crs == labels.crs
    within = suspects[suspects.geometry.within(labels.geometry[largest].buffer(1))]
    assert list(within["looks_like"]) == [own]
    assert list(within["labelled"]) == [labels.loc[largest, "class"]]
    again = gfm.classify(
        made.scene.paths, tmp_path / "again.tif", labels=tmp_path / "labels.gpkg", field="class", cell_size=CELL,
        groups=("fine", "coarse"),
    )  # fmt: skip
    assert again.suspects is not None
    assert again.suspects.read_bytes() == made_map.suspects.read_bytes()


def test_indices_and_prototypes_are_groups_of_their_own(made: Made, tmp_path: Path) -> None:
    result = gfm.classify(
        made.scene.paths, tmp_path / "map.tif", labels=made.scene.labels, field="class", cell_size=CELL,
        groups=("indices", "prototypes"), save_head=tmp_path / "head.safetensors",
    )  # fmt: skip
    head, meta = load_head(tmp_path / "head.safetensors")
    assert set(head.fused.heads) == set(meta["groups"]) == {"indices", "prototypes"}
    # What a stored head makes of the same rasters is the same map: prototypes are its own, not found again.
    stored = gfm.classify(made.scene.paths, tmp_path / "stored.tif", head=str(tmp_path / "head.safetensors"))
    assert stored.path.read_bytes() == result.path.read_bytes()
    assert stored.candidates.read_bytes() == result.candidates.read_bytes()
    assert stored.suspects is None
    assert result.cross_validation is not None and result.cross_validation.fused.macro_f1 > 0.5


def test_indices_without_wavelengths_are_refused(made: Made, make_raster: MakeRaster, tmp_path: Path) -> None:
    with pytest.raises(gfm.ParameterError, match="indices need two bands of known wavelength"):
        gfm.classify(
            [make_raster("plain.tif", np.ones((2, 32, 32), np.float32), names=["a", "b"])], tmp_path / "map.tif",
            labels=made.scene.labels, field="class", groups=("indices",),
        )  # fmt: skip


def test_where_nothing_is_valid_the_map_is_nodata(made: Made, tmp_path: Path) -> None:
    with rasterio.open(made.scene.paths[0]) as source:
        pixels, profile, names = source.read(), source.profile, source.descriptions
    gap = np.zeros(pixels.shape[1:], np.bool_)
    gap[:20, :16] = True
    pixels[:, gap] = 0
    image = tmp_path / made.scene.paths[0].name
    with rasterio.open(image, "w", **{**profile, "nodata": 0}) as dataset:
        dataset.write(pixels)
        dataset.descriptions = names
    result = quick(made.scene, tmp_path / "map.tif", image)
    np.testing.assert_array_equal(read(result.path) == 0, gap)
    np.testing.assert_array_equal(read(result.confidence) == 255, gap)
    assert read(result.confidence)[~gap].max() <= 100


def test_a_group_that_is_absent_somewhere_leaves_the_vote_to_the_others(made: Made, tmp_path: Path) -> None:
    with rasterio.open(made.scene.paths[1]) as source:  # the 20 m image covers only the west
        pixels, profile, names = source.read(), source.profile, source.descriptions
    west = pixels[:, :, : pixels.shape[2] // 2]
    image = tmp_path / made.scene.paths[1].name
    with rasterio.open(image, "w", **{**profile, "width": west.shape[2]}) as dataset:
        dataset.write(west)
        dataset.descriptions = names
    result = quick(made.scene, tmp_path / "map.tif", made.scene.paths[0], image, groups=("fine", "coarse"))
    codes = read(result.path)
    assert (codes == truth_of(made.scene, result))[:, : codes.shape[1] // 2].mean() > 0.8


# Labels


def test_points_and_a_label_raster_serve_as_labels_too(made: Made, tmp_path: Path) -> None:
    labels = gpd.read_file(made.scene.labels)
    points = labels.set_geometry(labels.representative_point())
    points.to_file(tmp_path / "points.gpkg")
    by_points = quick(made.scene, tmp_path / "points.tif", labels=tmp_path / "points.gpkg")
    by_pixels = quick(made.scene, tmp_path / "pixels.tif", labels=made.scene.truth, field=None)
    assert (read(by_points.path) == truth_of(made.scene, by_points)).mean() > 0.7
    assert (read(by_pixels.path) == read(made.scene.truth)).mean() > 0.9  # its numbers are kept
    named = quick(made.scene, tmp_path / "named.tif", labels=made.result.path, field=None)  # a map of ours has names
    assert [item.name for item in named.classes] == [item.name for item in made.result.classes]


def test_the_rest_of_the_labels_scores_like_a_file_of_them(made: Made, tmp_path: Path) -> None:
    where = "split = 'train'"
    by_rest = quick(made.scene, tmp_path / "rest.tif", where=where, check="rest")
    frame = gpd.read_file(made.scene.labels)
    frame[frame["split"] != "train"].to_file(tmp_path / "check.gpkg")
    by_file = quick(made.scene, tmp_path / "file.tif", where=where, check=str(tmp_path / "check.gpkg"))
    assert by_rest.check is not None and by_file.check is not None
    assert by_rest.check.to_dict() == by_file.check.to_dict()
    np.testing.assert_array_equal(read(by_rest.path), read(by_file.path))
    everything = quick(made.scene, tmp_path / "all.tif")
    assert everything.cross_validation is not None and by_rest.cross_validation is not None
    assert everything.cross_validation.fused.n > by_rest.cross_validation.fused.n


@pytest.mark.parametrize("head", ["logistic", "knn"])
def test_other_kinds_of_heads_make_maps_too(made: Made, tmp_path: Path, head: str) -> None:
    result = quick(made.scene, tmp_path / "map.tif", head=head)
    assert (read(result.path) == truth_of(made.scene, result)).mean() > 0.7


# Stored heads and embeddings


def test_a_stored_head_repeats_its_map_without_labels(made: Made, nano_path: Path, tmp_path: Path) -> None:
    again = gfm.classify(made.scene.paths, tmp_path / "map.tif", head=str(made.head), model=str(nano_path))
    assert again.path.read_bytes() == made.result.path.read_bytes()
    assert again.confidence.read_bytes() == made.result.confidence.read_bytes()
    assert again.cross_validation is None
    assert [item.name for item in again.classes] == [item.name for item in made.result.classes]


def test_a_stored_head_maps_another_place(made: Made, nano_path: Path, tmp_path: Path) -> None:
    other = gfm.write_scene(tmp_path / "other", seed=2, size_m=480, classes=4)
    options = {"head": str(made.head), "model": str(nano_path), "labels": str(other.labels), "field": "class"}
    result = gfm.classify(other.paths, tmp_path / "map.tif", check=str(other.labels), **options)
    assert (read(result.path) == truth_of(other, result)).mean() > 0.6
    assert result.check is not None and result.check.macro_f1 > 0.5


def test_fault_22_a_stored_head_refuses_another_model_and_cell_size_naming_both(
    made: Made, nano_path: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.safetensors"
    save_checkpoint(other, build_model(SIZES["nano"], seed=1), {})
    with pytest.raises(gfm.CheckpointError, match=r"head\.safetensors was fitted on") as caught:
        gfm.classify(made.scene.paths, tmp_path / "map.tif", head=str(made.head), model=str(other))
    for path in (nano_path, other):
        assert f"model {path.stem} ({gfm.load_model(path).sha256[:12]})" in str(caught.value)
    with pytest.raises(gfm.CheckpointError, match="cells of 40 m but these are of 60 m"):
        gfm.classify(made.scene.paths, tmp_path / "map.tif", head=str(made.head), model=str(nano_path), cell_size=60)
    with pytest.raises(gfm.CheckpointError, match="columns of group"):
        gfm.classify(made.scene.paths[:1], tmp_path / "map.tif", head=str(made.head), model=str(nano_path))
    assert [item.name for item in tmp_path.iterdir()] == ["other.safetensors"]


def coded(path: Path, target: Path, scale: float, offset: float) -> Path:
    """The same reflectance (stored x 10000) in other numbers, which the file tells how to read."""
    with rasterio.open(path) as source:
        pixels, profile, names = source.read().astype(np.float64) / 10000, source.profile, source.descriptions
    target.parent.mkdir()
    with rasterio.open(target, "w", **profile) as dataset:
        dataset.write(np.where(pixels > 0, np.round((pixels - offset) / scale), 0).astype(profile["dtype"]))
        dataset.descriptions = names
        dataset.scales, dataset.offsets = (scale,) * len(pixels), (offset,) * len(pixels)
    return target


def test_a_stored_head_travels_between_latitudes_and_codings_of_a_product(made: Made, tmp_path: Path) -> None:
    first = made.scene.paths[0]
    newer = coded(first, tmp_path / "newer" / first.name, 1e-4, -0.1)
    normalisations = [gfm.open_stack([path]).modalities[0].normalisation[0] for path in (first, newer)]
    assert [round(item.offset, 6) for item in normalisations] == [0, -0.1]
    images = {}
    for name, width, height in (("south", 1.45e-4, 0.9e-4), ("north", 1.40e-4, 0.88e-4)):
        with rasterio.open(first) as source:
            (left,), (top,) = rasterio.warp.transform(
                source.crs, "EPSG:4326", [source.bounds.left], [source.bounds.top]
            )
        folder = tmp_path / name
        folder.mkdir()
        images[name] = warped(
            first, folder / first.name, "EPSG:4326", Affine(width, 0, left, 0, -height, top), (70, 75)
        )
    names = [gfm.open_stack([path]).modalities[0].name for path in images.values()]
    assert names[0] != names[1]  # in degrees, pixels have another size elsewhere
    for one, other in ((first, newer), (newer, first), tuple(images.values()), tuple(images.values())[::-1]):
        head = tmp_path / "head.safetensors"
        quick(made.scene, tmp_path / "one.tif", one, save_head=head, overwrite=True)
        expected = quick(made.scene, tmp_path / "two.tif", other, overwrite=True)
        result = gfm.classify([other], tmp_path / "other.tif", head=str(head), overwrite=True)
        assert (read(result.path) == read(expected.path)).mean() > 0.8


def test_samples_where_the_map_has_no_class_are_told(made: Made, tmp_path: Path) -> None:
    with rasterio.open(made.scene.paths[0]) as source:
        pixels, profile, names = source.read(), source.profile, source.descriptions
    pixels[:, :30] = 0
    image = tmp_path / made.scene.paths[0].name
    with rasterio.open(image, "w", **{**profile, "nodata": 0}) as dataset:
        dataset.write(pixels)
        dataset.descriptions = names
    result = quick(made.scene, tmp_path / "map.tif", image, check=str(made.scene.labels))
    assert result.check is not None
    assert any(note.startswith("Samples where the map has no class, left out: ") for note in result.notes)


def test_maps_are_predicted_by_threads_of_one_core_each(made: Made, tmp_path: Path) -> None:
    seen: list[int] = []

    def counted(*arguments: Any) -> Any:
        seen.append(torch.get_num_threads())
        return predict(*arguments)

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("gfm_core.tools.map_write.predict", counted)
            quick(made.scene, tmp_path / "map.tif")
        assert set(seen) == {1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_an_embedding_alone_gives_a_map_of_its_cells(made: Made, nano_path: Path, tmp_path: Path) -> None:
    options = {"cell_size": 20, "model": str(nano_path)}
    embedding = gfm.embed(made.scene.paths, tmp_path / "embedding.tif", **options)
    labels = {"labels": made.scene.labels, "field": "class"}
    result = gfm.classify([embedding.path], tmp_path / "map.tif", **labels)
    with rasterio.open(result.path) as dataset:
        assert dataset.shape == embedding.cells.shape
        assert dataset.transform == embedding.lattice.transform(embedding.cells)
    assert (read(result.path) == truth_of(made.scene, result)[::2, ::2]).mean() > 0.6
    assert any("per-pixel detail" in note for note in result.notes)
    for name, value in (("map_gsd", 10), ("extent", "0,0,1,1"), ("crs", "EPSG:32633"), ("cell_size", 10)):
        with pytest.raises(gfm.ParameterError, match=name):
            gfm.classify([embedding.path], tmp_path / "no.tif", **labels, **{name: value})
    with pytest.raises(gfm.ParameterError, match="is an embedding; give it alone"):
        gfm.classify([embedding.path, made.scene.paths[0]], tmp_path / "no.tif", **labels)
    fine = gfm.embed(made.scene.paths[:1], tmp_path / "fine.tif", cell_size=20, groups=("fine",))
    with pytest.raises(gfm.ParameterError, match="holds no network, only fine"):
        gfm.classify([fine.path], tmp_path / "no.tif", **labels, groups=("network",))


# Progress, stopping, calling


def test_progress_rises_to_the_end_and_stopping_leaves_nothing(made: Made, tmp_path: Path) -> None:
    told: list[Progress] = []
    quick(made.scene, tmp_path / "map.tif", groups=("fine", "coarse"), progress=told.append)
    fractions = [item.fraction for item in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert {"embedding", "reading labelled pixels", "writing the map"} <= {item.message for item in told}
    before = sorted(tmp_path.iterdir())
    for calls in (0, len(told) // 2, len(told) - 1):
        left = iter([False] * calls)
        with pytest.raises(Cancelled):
            quick(
                made.scene, tmp_path / "stopped.tif", groups=("fine", "coarse"),
                cancel=lambda left=left: next(left, True),
            )  # fmt: skip
        assert sorted(tmp_path.iterdir()) == before


def test_an_opened_stack_and_a_loaded_model_are_taken_as_they_are(made: Made, nano_path: Path, tmp_path: Path) -> None:
    stack = gfm.open_stack(made.scene.paths, cell_size=CELL)
    result = gfm.classify(
        stack, tmp_path / "map.tif", head=str(made.head), model=gfm.load_model(nano_path)
    )  # fmt: skip
    assert result.path.read_bytes() == made.result.path.read_bytes()


def test_without_labels_and_head_it_says_what_is_needed(make_raster: MakeRaster, tmp_path: Path) -> None:
    with pytest.raises(gfm.ParameterError, match=r"give --labels FILE, or a stored one with --head FILE\."):
        gfm.classify([make_raster()], tmp_path / "map.tif")
