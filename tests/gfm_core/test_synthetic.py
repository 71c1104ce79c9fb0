"""A made-up place: every raster shows the same ground, whatever its pixels, CRS or date."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from rasterio.features import geometry_mask
from rasterio.warp import Resampling, reproject

from gfm_core.errors import OutputError, ParameterError
from gfm_core.raster.source import open_source
from gfm_core.synthetic import Field, GeospatialDataGenerator, SyntheticScene, write_scene


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> SyntheticScene:
    return write_scene(tmp_path_factory.mktemp("scene"), seed=3, size_m=(1920, 1440), classes=6)


def read(path: Path) -> np.ndarray:
    with rasterio.open(path) as image:
        return image.read()


def named(scene: SyntheticScene, part: str) -> Path:
    return next(path for path in scene.paths if part in path.name)


def test_every_raster_is_understood_as_what_it_stands_for(scene: SyntheticScene) -> None:
    sources = [open_source(path)[0] for path in scene.paths]
    found = [(source.sensor, source.gsd, str(source.date)) for source in sources]
    assert found == [
        ("sentinel2-l2a", 10.0, "2023-05-04"),
        ("sentinel2-l2a", 20.0, "2023-05-04"),
        ("sentinel2-l2a", 10.0, "2023-08-22"),
        ("sentinel2-l2a", 20.0, "2023-08-22"),
        ("sentinel1-db", 10.0, "2023-05-06"),
        ("dem", 30.0, "None"),
    ]
    assert sources[-1].crs != sources[0].crs


def test_the_ground_is_a_rectangle_of_the_size_asked_for(scene: SyntheticScene) -> None:
    assert read(named(scene, "10m")).shape == (4, 144, 192)
    assert read(named(scene, "20m")).shape == (6, 72, 96)


def test_pixels_of_20_m_are_means_of_the_ground_that_pixels_of_10_m_show(scene: SyntheticScene) -> None:
    fine = read(named(scene, "20230504_10m"))[3].astype(float)  # B08, 833 nm
    coarse = read(named(scene, "20230504_20m"))[3].astype(float)  # B8A, 865 nm
    means = fine.reshape(72, 2, 96, 2).mean(axis=(1, 3))
    assert np.corrcoef(means.ravel(), coarse.ravel())[0, 1] > 0.97
    # Both carry the brightness of the same square of the ground, not only its class.
    built = read(scene.truth)[0].reshape(72, 2, 96, 2).transpose(0, 2, 1, 3).reshape(72, 96, 4) == 5
    assert np.corrcoef(means[built.all(-1)], coarse[built.all(-1)])[0, 1] > 0.8


def test_the_elevation_in_another_crs_lies_where_the_ground_is(scene: SyntheticScene) -> None:
    with rasterio.open(named(scene, "dem")) as dem, rasterio.open(scene.truth) as truth:
        codes = truth.read(1)
        heights = np.full(codes.shape, np.nan, np.float32)
        reproject(
            rasterio.band(dem, 1), heights, dst_transform=truth.transform, dst_crs=truth.crs,
            dst_nodata=np.nan, resampling=Resampling.bilinear,
        )  # fmt: skip
    assert np.isfinite(heights).all(), "the elevation model must cover the scene"
    by_class = {item.name: heights[codes == item.code].mean() for item in scene.classes}
    assert min(by_class, key=by_class.__getitem__) == "water"
    # Shifted by 300 m, water would no longer lie in the valleys as deeply.
    shifted = np.roll(heights, 30, axis=1)
    water = codes == 1
    assert heights[water].mean() < shifted[water].mean() - 5


def test_crops_are_green_in_may_and_stubble_in_august_while_trees_stay_green(scene: SyntheticScene) -> None:
    codes = read(scene.truth)[0]
    ndvi = {}
    for month, day in (("may", "20230504"), ("august", "20230822")):
        _, _, red, nir = read(named(scene, f"{day}_10m")).astype(float)
        index = (nir - red) / (nir + red)
        ndvi[month] = {item.name: index[codes == item.code].mean() for item in scene.classes}
    # From the spectra by hand: crops (0.34 - 0.06) / (0.34 + 0.06), stubble (0.23 - 0.15) / (0.23 + 0.15).
    assert ndvi["may"]["crops"] == pytest.approx(0.70, abs=0.03)
    assert ndvi["august"]["crops"] == pytest.approx(0.21, abs=0.03)
    assert ndvi["may"]["trees"] == pytest.approx(ndvi["august"]["trees"], abs=0.01)


def test_radar_has_the_mean_power_of_its_class(scene: SyntheticScene) -> None:
    codes, radar = read(scene.truth)[0], read(named(scene, "s1"))
    power = 10 ** (radar[0][codes == 2].astype(float) / 10)  # speckle has mean 1 in power, not in dB
    assert 10 * np.log10(power.mean()) == pytest.approx(-9.0, abs=0.1)


def test_labels_lie_wholly_in_their_class(scene: SyntheticScene) -> None:
    labels = gpd.read_file(scene.labels)
    with rasterio.open(scene.truth) as truth:
        codes = truth.read(1)
        for label in labels.itertuples():
            inside = geometry_mask([label.geometry], codes.shape, truth.transform, invert=True)
            name = {item.code: item.name for item in scene.classes}
            assert {name[code] for code in np.unique(codes[inside])} == {label[1]}


def test_every_class_has_labels_on_both_sides_and_the_sides_do_not_touch(scene: SyntheticScene) -> None:
    labels = gpd.read_file(scene.labels)
    counts = labels.groupby(["class", "split"]).size().unstack()
    assert set(counts.index) == {item.name for item in scene.classes}
    assert (counts[["train", "check"]] >= 5).all(axis=None)
    train, check = (labels[labels["split"] == side].union_all() for side in ("train", "check"))
    assert train.distance(check) > 0


def test_the_same_seed_gives_the_same_place_and_another_seed_another(scene: SyntheticScene, tmp_path: Path) -> None:
    again = write_scene(tmp_path / "again", seed=3, size_m=(1920, 1440), classes=6)
    assert [path.read_bytes() for path in again.paths] == [path.read_bytes() for path in scene.paths]
    other = write_scene(tmp_path / "other", seed=4, size_m=(1920, 1440), classes=6)
    assert (read(other.truth) != read(scene.truth)).mean() > 0.5


def test_a_larger_scene_holds_the_smaller_one(scene: SyntheticScene, tmp_path: Path) -> None:
    larger = write_scene(tmp_path, seed=3, size_m=(2400, 1920), classes=6)
    assert np.array_equal(read(larger.truth)[:, :144, :192], read(scene.truth))


def test_a_swath_edge_is_nodata_in_the_last_date_and_the_radar_alone(tmp_path: Path) -> None:
    scene = write_scene(tmp_path, size_m=1200, nodata_edge=True)
    missing = {}
    for path in scene.paths:
        with rasterio.open(path) as image:
            missing[path.name] = (image.dataset_mask() == 0).mean()
    # A triangle whose legs are half the sides: an eighth of the ground.
    cut = {"s2_l2a_20230822_10m.tif", "s2_l2a_20230822_20m.tif", "s1_rtc_db_20230506_10m.tif"}
    for name, share in missing.items():
        assert share == pytest.approx(1 / 8 if name in cut else 0.0, abs=0.01), name


def test_more_dates_and_fewer_classes_are_a_matter_of_two_numbers(tmp_path: Path) -> None:
    scene = write_scene(tmp_path, size_m=240, dates=4, classes=2)
    assert sum("s2" in path.name for path in scene.paths) == 8
    assert set(np.unique(read(scene.truth))) <= {1, 2}


def test_an_existing_scene_is_replaced_only_when_asked(tmp_path: Path) -> None:
    write_scene(tmp_path, size_m=240)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.tif")}
    with pytest.raises(OutputError, match=r"s2_l2a_20230504_10m\.tif exists; .*--overwrite"):
        write_scene(tmp_path, size_m=240, seed=1)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.tif")} == before
    write_scene(tmp_path, size_m=240, seed=1, overwrite=True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.tif")} != before
    assert not list(tmp_path.glob(".synth-*"))


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "place").write_text("")
    with pytest.raises(OutputError, match="place is a file; give a folder"):
        write_scene(tmp_path / "place", size_m=240)


@pytest.mark.parametrize("wrong", [{"classes": 7}, {"dates": 0}, {"size_m": 100.0}, {"seed": -1}])
def test_values_that_cannot_work_are_refused_and_nothing_is_written(tmp_path: Path, wrong: dict[str, float]) -> None:
    with pytest.raises(ParameterError):
        write_scene(tmp_path / "place", **wrong)  # type: ignore[arg-type]
    assert not (tmp_path / "place").exists()


def test_a_field_has_the_covariance_it_was_drawn_for() -> None:
    length, x = 100.0, np.array([0.0, 50.0, 100.0, 300.0])
    generator = np.random.default_rng(0)
    values = np.array([Field.draw(generator, length=length).on_grid(x, np.zeros(1))[0] for _ in range(4000)])
    assert values.mean(axis=0) == pytest.approx(np.zeros(4), abs=0.06)
    assert (values[:, :1] * values).mean(axis=0) == pytest.approx(np.exp(-(x**2) / (2 * length**2)), abs=0.07)


def test_a_field_is_the_same_on_a_grid_and_at_points() -> None:
    field = Field.draw(np.random.default_rng(1), length=80.0)
    x, y = np.linspace(0, 500, 7), np.linspace(-300, 100, 5)
    assert field.on_grid(x, y) == pytest.approx(field.at(*np.meshgrid(x, y)), abs=1e-9)


def test_the_proof_of_concepts_generator_gives_named_layers_of_three_channels() -> None:
    sample = GeospatialDataGenerator(base_size=64).generate_sample(modalities=["rgb", "elevation", "vegetation"])
    assert list(sample) == ["rgb", "elevation", "vegetation"]
    for layer in sample.values():
        assert layer.shape == (3, 64, 64)
        assert layer.dtype == np.float32
        assert 0 <= layer.min() < layer.max() <= 1
    assert np.array_equal(sample["elevation"][0], sample["elevation"][2])


@pytest.mark.parametrize(("size", "shape"), [(128, (128, 128)), ((96, 160), (96, 160)), (512, (512, 512))])
def test_the_proof_of_concepts_generator_makes_squares_and_rectangles(
    size: int | tuple[int, int], shape: tuple[int, int]
) -> None:
    sample = GeospatialDataGenerator().generate_sample(["multispectral"], size=size)
    assert sample["multispectral"].shape == (3, *shape)


def test_the_proof_of_concepts_generator_gives_another_place_each_time() -> None:
    generator, again = GeospatialDataGenerator(48), GeospatialDataGenerator(48)
    first, second = (generator.generate_sample(["elevation"])["elevation"] for _ in range(2))  # a layer without noise
    assert not np.array_equal(first, second)
    assert np.array_equal(again.generate_sample(["elevation"])["elevation"], first)


def test_the_proof_of_concepts_generator_names_the_modalities_it_knows() -> None:
    with pytest.raises(ParameterError, match="'radar'; use rgb, elevation, vegetation, multispectral"):
        GeospatialDataGenerator().generate_sample(["rgb", "radar"])
    with pytest.raises(ParameterError, match="size must be at least 1"):
        GeospatialDataGenerator().generate_sample(size=0)
