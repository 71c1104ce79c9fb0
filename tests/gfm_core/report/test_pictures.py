from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from PIL import Image
from sklearn.decomposition import PCA

from gfm_core.classes import MapClass
from gfm_core.errors import ShapeError
from gfm_core.report.palette import with_colours
from gfm_core.report.pictures import confidence_png, legend_png, map_png, pca_preview, rgb_bands

WriteRaster = Callable[..., Path]  # the fixture of conftest.py
Classes = tuple[MapClass, ...]

INK = (38, 40, 43)


def rgb(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def where(picture: np.ndarray, colour: tuple[int, int, int] | None) -> np.ndarray:
    return (picture == colour).all(axis=-1)


def test_colours_cover_the_share_of_the_picture_that_the_classes_cover_of_the_map(
    tmp_path: Path, class_map: Path, classes: Classes
) -> None:
    picture = rgb(map_png(tmp_path / "map.png", class_map, classes, legend=False))
    counts = [where(picture, item.colour).sum() for item in classes]
    factor = 900 // 40  # a small map is enlarged by a whole number
    assert counts == [200 * factor**2, 200 * factor**2, 300 * factor**2]


def test_the_scale_bar_is_as_long_as_it_says(tmp_path: Path, class_map: Path, classes: Classes) -> None:
    picture = rgb(map_png(tmp_path / "map.png", class_map, classes, legend=False))
    rows = where(picture, INK).sum(axis=1)
    bar = rows.max()  # px; 400 m of ground are 880 px, so the largest round length under a quarter is 100 m
    assert bar == pytest.approx(100 / 0.9996**-1 * 22 / 10, abs=3)


def test_the_legend_shows_every_colour_and_no_data(tmp_path: Path, class_map: Path, classes: Classes) -> None:
    plain = rgb(map_png(tmp_path / "plain.png", class_map, classes, legend=False))
    legend = rgb(map_png(tmp_path / "legend.png", class_map, classes))[:, plain.shape[1] :]
    for item in classes:
        assert where(legend, item.colour).sum() > 200, item.name


def test_a_picture_is_never_wider_than_asked(tmp_path: Path, write_raster: WriteRaster, classes: Classes) -> None:
    path = write_raster(np.ones((30, 5000), np.uint8))
    for legend in (True, False):
        picture = rgb(map_png(tmp_path / "map.png", path, classes, legend=legend, max_width=700))
        assert picture.shape[1] <= 700


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1)])
def test_extreme_shapes_work(
    tmp_path: Path, write_raster: WriteRaster, classes: Classes, shape: tuple[int, int]
) -> None:
    picture = rgb(map_png(tmp_path / "map.png", write_raster(np.ones(shape, np.uint8)), classes))
    assert where(picture, classes[0].colour).any()


def test_a_south_up_map_is_shown_north_up(tmp_path: Path, write_raster: WriteRaster, classes: Classes) -> None:
    values = np.ones((20, 20), np.uint8)
    values[:5] = 2  # the first rows are the southernmost
    path = write_raster(values, transform=Affine(10, 0, 500_000, 0, 10, 5_800_000))
    picture = rgb(map_png(tmp_path / "map.png", path, classes, legend=False))
    forest, water = (np.nonzero(where(picture, item.colour))[0].mean() for item in classes[:2])
    assert water > forest


def test_pixels_in_degrees_are_shown_in_the_proportions_of_the_ground(
    tmp_path: Path, write_raster: WriteRaster, classes: Classes
) -> None:
    path = write_raster(np.ones((100, 100), np.uint8), crs="EPSG:4326", transform=Affine(0.01, 0, 10, 0, -0.01, 60.5))
    rows, cols = np.nonzero(where(rgb(map_png(tmp_path / "map.png", path, classes, legend=False)), classes[0].colour))
    assert np.ptp(cols) / np.ptp(rows) == pytest.approx(0.5, abs=0.01)  # cos 60°


def test_a_map_without_crs_has_no_scale_bar(tmp_path: Path, write_raster: WriteRaster, classes: Classes) -> None:
    picture = rgb(
        map_png(tmp_path / "map.png", write_raster(np.ones((9, 9), np.uint8), crs=None), classes, legend=False)
    )
    assert not where(picture, INK).any()


def test_300_classes_and_awkward_names_make_a_legend(tmp_path: Path) -> None:
    names = ["a name that is far too long for any legend " * 5, "水域", "two\nlines", ""]
    many = with_colours(tuple(MapClass(code, names[code % 4], code) for code in range(1, 301)))
    picture = rgb(legend_png(tmp_path / "legend.png", many))
    assert all(where(picture, item.colour).any() for item in many[::37])


def test_confidence_runs_from_dark_to_light_and_nodata_is_grey(tmp_path: Path, write_raster: WriteRaster) -> None:
    values = np.array([[0, 50, 100, 255]], np.uint8).repeat(2, axis=0)
    picture = rgb(confidence_png(tmp_path / "c.png", write_raster(values, nodata=255)))
    row = picture[18 + 200, 18 + 112 :: 225]
    assert [tuple(pixel) for pixel in row[:4]] == [(68, 33, 79), (205, 92, 84), (250, 235, 176), (233, 234, 236)]


def test_pictures_are_the_same_bytes_each_time(tmp_path: Path, class_map: Path, classes: Classes) -> None:
    first = map_png(tmp_path / "a.png", class_map, classes).read_bytes()
    assert map_png(tmp_path / "b.png", class_map, classes).read_bytes() == first


def embedding() -> np.ndarray:
    """12 columns of very different units made of four sources, 60 x 60, with a corner missing."""
    generator = np.random.default_rng(4)
    sources = generator.normal(size=(4, 3600)) * np.array([[5], [3], [2], [0.1]])
    mixed = generator.normal(size=(12, 4)) @ sources * 10.0 ** generator.uniform(-3, 3, (12, 1))
    cube = mixed.reshape(12, 60, 60)
    cube[:, :5, :5] = np.nan
    return cube


def test_preview_shows_the_components_that_scikit_learn_finds(tmp_path: Path) -> None:
    cube = embedding()
    picture = np.asarray(Image.open(pca_preview(tmp_path / "p.png", cube, min_side=1)))
    known = np.isfinite(cube[0])
    assert (picture[..., 3] == np.where(known, 255, 0)).all()
    cells = cube[:, known].T
    scores = PCA(3).fit_transform((cells - cells.mean(0)) / cells.std(0))
    for channel in range(3):
        shown = picture[known][:, channel].astype(float)
        inner = (shown > 0) & (shown < 255)
        assert 0.95 < inner.mean() < 0.98  # the stretch cuts 2 % on either side
        assert abs(np.corrcoef(shown[inner], scores[inner, channel])[0, 1]) > 0.9999


def test_preview_does_not_depend_on_the_order_or_unit_of_the_columns(tmp_path: Path) -> None:
    cube = embedding()
    first = np.asarray(Image.open(pca_preview(tmp_path / "a.png", cube))).astype(int)
    other = np.asarray(Image.open(pca_preview(tmp_path / "b.png", cube[::-1] * 1000 + 7))).astype(int)
    assert np.abs(first - other).max() <= 1


def test_preview_of_stored_bytes_is_that_of_their_values(tmp_path: Path) -> None:
    stored = np.random.default_rng(2).integers(1, 256, (6, 40, 40)).astype(np.uint8)
    stored[:, 3, 4] = 0
    values = np.where(stored == 0, np.nan, stored * np.linspace(0.01, 9, 6)[:, None, None] - 3)
    first = np.asarray(Image.open(pca_preview(tmp_path / "a.png", stored, nodata=0, min_side=1))).astype(int)
    other = np.asarray(Image.open(pca_preview(tmp_path / "b.png", values, min_side=1))).astype(int)
    assert np.abs(first - other).max() <= 1
    assert first[3, 4, 3] == 0
    assert (first[..., 3] == 0).sum() == 1


def test_preview_of_nothing_one_column_and_a_constant(tmp_path: Path) -> None:
    nothing = np.asarray(Image.open(pca_preview(tmp_path / "n.png", np.full((4, 6, 6), np.nan))))
    assert (nothing[..., 3] == 0).all()
    constant = np.asarray(Image.open(pca_preview(tmp_path / "c.png", np.ones((4, 6, 6)))))
    assert (constant[..., :3] == 128).all()
    single = np.asarray(Image.open(pca_preview(tmp_path / "s.png", np.arange(36.0).reshape(1, 6, 6))))
    assert (single[..., 0] == single[..., 1]).all()  # grey
    assert single.shape[:2] == (510, 510)  # 6 cells enlarged to about 512


def test_preview_of_a_wrong_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match=r"\[D, h, w\]"):
        pca_preview(tmp_path / "p.png", np.ones((4, 4)))


def test_a_large_embedding_gives_a_small_preview(tmp_path: Path) -> None:
    picture = Image.open(
        pca_preview(tmp_path / "p.png", np.random.default_rng(0).normal(size=(3, 40, 900)), max_side=300)
    )
    assert picture.size == (300, 14)


def test_bands_to_show_do_not_repeat_one_another() -> None:
    generator = np.random.default_rng(1)
    strong, middle, weak = generator.normal(size=(3, 500)) * np.array([[9], [3], [1]])
    sample = np.stack([weak, strong, strong * 0.99, middle])
    bands, ranges = rgb_bands(sample)
    assert bands == (2, 4, 1)
    assert ranges[0] == pytest.approx(tuple(np.percentile(strong, (2, 98))))


def test_bands_to_show_of_fewer_than_three_and_of_nothing() -> None:
    assert rgb_bands(np.arange(10.0).reshape(1, 10))[0] == (1, 1, 1)
    _, ranges = rgb_bands(np.full((4, 5), np.nan))
    assert all(low < high for low, high in ranges)
