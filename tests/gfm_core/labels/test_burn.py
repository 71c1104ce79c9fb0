from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import Transformer
from rasterio.features import rasterize
from rasterio.warp import Resampling, reproject
from shapely.geometry import Point, Polygon, box

from gfm_core.classes import MapClass
from gfm_core.errors import LabelError, NoOverlapError
from gfm_core.labels import burn as burn_module
from gfm_core.labels import transfer as transfer_module
from gfm_core.labels.burn import burn
from gfm_core.labels.pixels import ClassSampler, Found, LabelPixels
from gfm_core.labels.read import VectorLabels, read_labels
from tests.gfm_core.labels.test_categories import write

UTM = "EPSG:32633"
METRES = Affine(1.0, 0.0, 0.0, 0.0, -1.0, 100.0)  # 1 m pixels, rows from y = 100 down
MANY = 10**6


def vector(
    geometry: list[Any], codes: list[int], *, crs: str | None = UTM, names: dict[int, str] | None = None
) -> VectorLabels:
    frame = gpd.GeoDataFrame({"code": codes, "unit": range(len(codes))}, geometry=geometry, crs=crs)
    classes = tuple(MapClass(code, (names or {}).get(code, f"class {code}"), code) for code in sorted(set(codes)))
    return VectorLabels("/somewhere/labels.gpkg", frame, classes)


def image(pixels: LabelPixels, shape: tuple[int, int]) -> np.ndarray:
    codes = np.zeros(shape, np.int32)
    codes[pixels.rows, pixels.cols] = pixels.codes
    return codes


def told(pixels: LabelPixels) -> str:
    return " ".join(pixels.notes)


def stars(count: int, seed: int = 0) -> list[Polygon]:
    """Ragged polygons that do not overlap, one in each 20 m column."""
    rng = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return [
        Polygon(np.stack([20 * i + 10 + np.cos(angles) * r, 50 + np.sin(angles) * r * 4], axis=1))
        for i, r in ((i, rng.uniform(2, 9.5, 40)) for i in range(count))
    ]


@pytest.mark.parametrize("block", [1024, 7])
def test_polygons_take_the_pixels_whose_centres_they_hold(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(burn_module, "BLOCK", block)
    monkeypatch.setattr(burn_module, "_VERTICES", 10)  # so that polygons are cut to the blocks, too
    shapes = stars(5)
    found = burn(vector(shapes, [1, 2, 1, 2, 1]), METRES, UTM, (100, 100), per_class=MANY)
    expected = rasterize(zip(shapes, [1, 2, 1, 2, 1], strict=True), out_shape=(100, 100), transform=METRES)
    np.testing.assert_array_equal(image(found, (100, 100)), expected)
    assert (found.units == found.cols // 20).all()


@pytest.mark.parametrize(
    "transform",
    [
        Affine.translation(10, 90) * Affine.rotation(25) * Affine.scale(1, -1),
        Affine(1.0, 0.0, 0.0, 0.0, 1.0, 0.0),  # south-up
        Affine(1.7, 0.3, -5.0, 0.1, -0.6, 70.0),  # sheared
    ],
)
def test_any_transform_is_burnt_as_rasterio_does(transform: Affine) -> None:
    shapes = stars(4)
    found = burn(vector(shapes, [1, 2, 3, 4]), transform, UTM, (80, 90), per_class=MANY)
    expected = rasterize(zip(shapes, [1, 2, 3, 4], strict=True), out_shape=(80, 90), transform=transform)
    np.testing.assert_array_equal(image(found, (80, 90)), expected)


def test_real_polygons_are_burnt_as_rasterio_does(shared_data: Path) -> None:
    labels = read_labels(shared_data / "brandenburg" / "osm_landuse.gpkg")
    assert isinstance(labels, VectorLabels)
    with rasterio.open(shared_data / "brandenburg" / "s2_l1c_20m.tif") as source:
        transform, crs, shape = source.transform, source.crs.to_wkt(), source.shape
    found = burn(labels, transform, crs, shape, per_class=MANY)
    pairs = list(zip(labels.frame.geometry, labels.frame["code"], strict=True))
    up = rasterize(sorted(pairs, key=lambda pair: pair[1]), out_shape=shape, transform=transform)
    down = rasterize(sorted(pairs, key=lambda pair: -pair[1]), out_shape=shape, transform=transform)
    np.testing.assert_array_equal(image(found, shape), np.where(up == down, up, 0))
    assert f"two classes, not used: {(up != down).sum()} (" in told(found)


def test_real_points_in_another_crs_take_their_pixels(shared_data: Path) -> None:
    labels = read_labels(shared_data / "north_carolina" / "points.gpkg")
    assert isinstance(labels, VectorLabels)
    with rasterio.open(shared_data / "north_carolina" / "lsat7_28m.tif") as source:
        found = burn(labels, source.transform, source.crs.to_wkt(), source.shape)
        there = Transformer.from_crs(labels.frame.crs, source.crs, always_xy=True)
        x, y = there.transform(labels.frame.geometry.x, labels.frame.geometry.y)
        rows, cols = rasterio.transform.rowcol(source.transform, x, y)
        inside = (np.array(rows) >= 0) & (np.array(cols) >= 0)
        inside &= (np.array(rows) < source.height) & (np.array(cols) < source.width)
        expected = set(zip(np.array(rows)[inside].tolist(), np.array(cols)[inside].tolist(), strict=True))
    taken = set(zip(found.rows.tolist(), found.cols.tolist(), strict=True))
    assert taken <= expected
    conflicts = len(expected) - len(taken)  # the rest are pixels that two classes claim
    assert conflicts == 0 or f"two classes, not used: {conflicts} (" in told(found)
    assert f"outside the raster: {(~inside).sum()} of 1000" in told(found)


def test_a_label_raster_on_the_same_grid_is_taken_pixel_by_pixel(shared_data: Path) -> None:
    path = shared_data / "gewata" / "lulc.tif"
    with rasterio.open(path) as source:
        found = burn(read_labels(path), source.transform, source.crs.to_wkt(), source.shape, per_class=10**7)
        np.testing.assert_array_equal(image(found, source.shape), source.read(1))


def test_a_label_raster_of_another_crs_is_looked_up_at_pixel_centres(shared_data: Path) -> None:
    path = shared_data / "north_carolina" / "labelled_pixels.tif"
    with rasterio.open(shared_data / "north_carolina" / "lsat7_28m.tif") as target, rasterio.open(path) as source:
        found = burn(read_labels(path), target.transform, target.crs.to_wkt(), target.shape, per_class=MANY)
        expected = np.zeros(target.shape, np.uint8)
        reproject(
            source.read(1), expected, src_transform=source.transform, src_crs=source.crs,
            dst_transform=target.transform, dst_crs=target.crs, resampling=Resampling.nearest, tolerance=0,
        )  # fmt: skip
        ours = image(found, target.shape)
    assert (ours != expected).sum() <= 3  # centres that lie on an edge of two label pixels
    assert (expected > 0).sum() > 2500


def test_a_label_raster_of_another_pixel_size_is_looked_up_at_pixel_centres(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(1, 5, (30, 30))
    labels = read_labels(write(tmp_path / "l.tif", values))
    for size, shape in ((3.0, (100, 100)), (40.0, (8, 8))):
        transform = Affine(size, 0, 500_000, 0, -size, 5_000_000)
        found = image(burn(labels, transform, UTM, shape, per_class=MANY), shape)
        at = np.floor((np.arange(shape[0]) + 0.5) * size / 10).astype(int)
        inside = at[at < 30]
        np.testing.assert_array_equal(found[: len(inside), : len(inside)], values[np.ix_(inside, inside)])
        assert (found[len(inside) :] == 0).all()


def test_a_label_raster_of_vast_ground_is_thinned_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer_module, "_SCAN_PIXELS", 1_000)
    labels = read_labels(write(tmp_path / "l.tif", np.arange(10_000).reshape(100, 100) % 3 + 1))
    transform = Affine(10, 0, 500_000, 0, -10, 5_000_000)
    found = burn(labels, transform, UTM, (100, 100), per_class=MANY)
    assert len(found) == 625  # every fourth pixel both ways
    assert (found.codes == (found.rows * 100 + found.cols) % 3 + 1).all()
    assert "every 4th pixel is looked at" in told(found)


def test_a_point_and_a_polygon_of_two_classes_conflict() -> None:
    labels = vector([box(10, 10, 20, 20), Point(15.5, 15.5), Point(12.5, 12.5), Point(50.5, 50.5)], [1, 2, 1, 2])
    found = burn(labels, METRES, UTM, (100, 100))
    assert len(found) == 100 - 1 + 1
    assert image(found, (100, 100))[84, 15] == 0
    assert "not used: 1 ('class 1' and 'class 2' 1)" in told(found)


def test_points_of_one_pixel_count_once() -> None:
    found = burn(vector([Point(5.1, 5.1), Point(5.9, 5.9), Point(8, 8)], [1, 1, 2]), METRES, UTM, (100, 100))
    assert len(found) == 2


def test_a_thin_polygon_without_a_centre_takes_one_pixel() -> None:
    sliver = box(10.0, 20.6, 30.0, 20.9)  # 20 m long, between two rows of centres
    found = burn(vector([sliver, box(50, 50, 52, 52)], [1, 2]), METRES, UTM, (100, 100))
    (row,), (col,) = found.rows[found.codes == 1], found.cols[found.codes == 1]
    assert row == 79
    assert 10 <= col < 30
    assert "take the pixel they lie in: 1." in told(found)


def test_a_polygon_whose_centres_are_all_outside_the_raster_takes_no_pixel() -> None:
    labels = vector([box(-5, 50, 0.3, 55), box(50, 50, 52, 52)], [1, 2])
    found = burn(labels, METRES, UTM, (100, 100))
    assert set(found.codes.tolist()) == {2}
    assert "Class 'class 1' of labels.gpkg has no pixel" in told(found)


def test_classes_with_pixels_in_plenty_are_thinned_fairly_and_conflicts_still_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(burn_module, "_SCANNED", 64 * 50)
    monkeypatch.setattr(burn_module, "BLOCK", 64)
    wide = box(0, 0, 400, 400)
    labels = vector([wide, box(100, 100, 110, 110), box(600, 600, 610, 610), Point(700.5, 700.5)], [1, 2, 2, 1])
    transform = Affine(1, 0, 0, 0, 1, 0)
    found = burn(labels, transform, UTM, (1000, 1000), per_class=50)
    assert np.bincount(found.codes).tolist() == [0, 50, 50]
    assert (found.rows[found.codes == 2] >= 600).all()
    assert "Pixels with labels of two classes" in told(found)
    every = burn(labels, transform, UTM, (1000, 1000), per_class=49)
    lattice = every.rows[(every.codes == 1) & (every.units == 0)]
    assert len(np.unique(lattice % 8)) == 1  # 160 000 pixels of which 3 200 are looked at: every 8th both ways
    assert found.rows[found.codes == 1].max() > 250
    assert found.rows[found.codes == 1].min() < 150


def looked_at(monkeypatch: pytest.MonkeyPatch, labels: VectorLabels, per_class: int) -> np.ndarray:
    """Codes of all pixels that are given to the sampler."""
    codes = np.zeros((100, 100), np.int32)
    add = ClassSampler.add

    def watched(sampler: ClassSampler, found: Found) -> None:
        assert (codes[found.rows, found.cols] == 0).all()  # no pixel twice
        codes[found.rows, found.cols] = found.codes
        add(sampler, found)

    monkeypatch.setattr(ClassSampler, "add", watched)
    burn(labels, METRES, UTM, (100, 100), per_class=per_class)
    return codes


def test_thinned_polygons_take_just_those_pixels_of_the_lattice_whose_centres_they_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(burn_module, "_SCANNED", 100)
    monkeypatch.setattr(burn_module, "BLOCK", 64)
    shapes = stars(4)
    every = rasterize(zip(shapes, [1, 2, 1, 2], strict=True), out_shape=(100, 100), transform=METRES)
    ours = looked_at(monkeypatch, vector(shapes, [1, 2, 1, 2]), per_class=4)
    # 64 * 4 = 256 pixels a class are enough, of 600 to 1000: every second one both ways.
    assert all(600 < count < 1000 for count in np.bincount(every.ravel())[1:])
    row, col = (places[0] % 2 for places in np.nonzero(ours))
    lattice = np.zeros_like(ours)
    lattice[row::2, col::2] = every[row::2, col::2]
    np.testing.assert_array_equal(ours, lattice)


def test_a_point_is_kept_where_its_class_has_pixels_in_plenty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(burn_module, "_SCANNED", 100)
    points = [Point(x + 0.5, 97.5) for x in range(30)]
    labels = vector([box(0, 0, 100, 90), *points, box(0, 99, 5, 100)], [1] * 31 + [2])
    codes = looked_at(monkeypatch, labels, per_class=4)
    assert (codes[2, :30] == 1).all()
    assert (codes == 1).sum() < 9000 / 16


def test_sample_is_the_same_for_any_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = vector(stars(5), [1, 2, 1, 2, 1])
    whole = burn(labels, METRES, UTM, (100, 100), per_class=60)
    monkeypatch.setattr(burn_module, "BLOCK", 16)
    parts = burn(labels, METRES, UTM, (100, 100), per_class=60)
    assert len(whole) == 120
    np.testing.assert_array_equal(whole.rows, parts.rows)
    np.testing.assert_array_equal(whole.cols, parts.cols)


def test_labels_elsewhere_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NoOverlapError, match=r"No label of labels\.gpkg lies inside the raster"):
        burn(vector([box(5000, 0, 5001, 1)], [1]), METRES, UTM, (100, 100))
    with pytest.raises(NoOverlapError, match=r"No label of l\.tif lies inside the raster"):
        burn(read_labels(write(tmp_path / "l.tif", [[1, 2]])), METRES, UTM, (100, 100))


def test_labels_that_all_conflict_are_refused() -> None:
    with pytest.raises(LabelError, match="no pixel of one class inside the raster"):
        burn(vector([box(0, 0, 5, 5), box(0, 0, 5, 5)], [1, 2]), METRES, UTM, (100, 100))
