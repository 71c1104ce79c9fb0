"""The map's pixels and their features, against rasterio's grids, scipy's interpolation and plain reads."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.transform
import scipy.ndimage
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyproj import Geod

from gfm_core.bands import BandKind
from gfm_core.embedding.file import EmbeddingFile
from gfm_core.embedding.make import Recipe, make_embedding
from gfm_core.embedding.map_grid import CellFeatures, MapGrid, StackFeatures, bilinear, derived_bands, map_grid
from gfm_core.progress import Reporter
from gfm_core.raster.frame import Region
from gfm_core.raster.read import StackReader
from gfm_core.raster.stack import Stack, open_stack
from tests.conftest import NORTH_UP, MakeRaster

S2 = ["B02", "B03", "B04", "B08"]


def optical(rows: int = 60, cols: int = 40, bands: int = 4, low: int = 500) -> NDArray[np.uint16]:
    return np.random.default_rng(0).integers(low, 3000, (bands, rows, cols)).astype(np.uint16)


def whole(grid: MapGrid) -> Region:
    return Region(0, 0, *grid.shape)


def coarse_embedding(stack: Stack, folder: Path) -> EmbeddingFile:
    recipe = Recipe(("coarse",), "float32", None, {})
    return make_embedding(folder / "e.tif", stack, recipe, None, threads=1, reporter=Reporter())


# ---- The grid --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("crs", "transform"),
    [
        ("EPSG:32633", NORTH_UP),
        ("EPSG:32633", Affine(10, 0, 400_003.7, 0, 10, 5_800_000)),
        ("EPSG:32633", NORTH_UP * Affine.rotation(25)),
        ("EPSG:4326", Affine(1.4e-4, 0, 14.2, 0, -0.9e-4, 52.0)),
    ],
)
def test_for_one_file_the_map_has_exactly_its_pixels(make_raster: MakeRaster, crs: str, transform: Affine) -> None:
    path = make_raster("s2.tif", optical(61, 43), names=S2, crs=crs, transform=transform)
    grid = map_grid(open_stack([path]), map_gsd=None)
    with rasterio.open(path) as dataset:
        assert grid.shape == dataset.shape
        assert grid.transform.almost_equals(dataset.transform)
        xs, ys = rasterio.transform.xy(dataset.transform, *np.mgrid[5:9, 7:12].reshape(2, -1))
    x, y = grid.centres(Region(5, 7, 4, 5), crs)
    assert np.allclose(x.ravel(), xs, rtol=1e-12)
    assert np.allclose(y.ravel(), ys, rtol=1e-12)


def test_for_a_mosaic_the_map_goes_around_all_tiles(make_raster: MakeRaster) -> None:
    paths = [
        make_raster("s2_a.tif", optical(), names=S2, transform=NORTH_UP * Affine.translation(40, -10)),
        make_raster("s2_b.tif", optical(), names=S2),
    ]
    grid = map_grid(open_stack(paths), map_gsd=None)
    assert grid.shape == (70, 80)
    assert (grid.transform.c, grid.transform.f) == (400_000, 5_800_100)


def test_an_extent_cuts_the_map_to_the_pixels_of_its_cells(make_raster: MakeRaster) -> None:
    path = make_raster("s2.tif", optical(), names=S2)
    stack = open_stack([path], extent="400110,5799705,400190,5799790")
    grid = map_grid(stack, map_gsd=None)
    bounds = stack.lattice.bounds(stack.cells)
    assert rasterio.transform.array_bounds(*grid.shape, grid.transform) == bounds.as_tuple()
    assert grid.transform.a == 10


def test_an_extent_beyond_the_raster_gives_its_pixels_and_no_more(make_raster: MakeRaster) -> None:
    path = make_raster("s2.tif", optical(61, 43), names=S2)  # half a cell more than whole ones
    for extent, shape in (("399000,5799000,401000,5801000", (61, 43)), ("400200,5799000,401000,5801000", (61, 23))):
        assert map_grid(open_stack([path], extent=extent), map_gsd=None).shape == shape


def test_the_union_of_rasters_is_mapped_where_the_finest_has_no_pixels_too(make_raster: MakeRaster) -> None:
    paths = [
        make_raster("s2.tif", optical(), names=S2),
        make_raster("swir.tif", optical(40, 30, 2), names=["B11", "B12"], transform=NORTH_UP * Affine.scale(2)),
    ]
    assert map_grid(open_stack(paths, extent="union"), map_gsd=None).shape == (80, 60)


def test_a_map_gsd_gives_square_pixels_on_the_lattice(make_raster: MakeRaster) -> None:
    stack = open_stack([make_raster("s2.tif", optical(), names=S2)])
    grid = map_grid(stack, map_gsd=5)
    assert grid.shape == (120, 80)
    assert grid.transform == Affine(5, 0, 400_000, 0, -5, 5_800_000)


def test_tiles_cut_the_map_without_gaps_or_overlap(make_raster: MakeRaster) -> None:
    grid = map_grid(open_stack([make_raster("s2.tif", optical(61, 43), names=S2)]), map_gsd=None)
    hit = np.zeros(grid.shape, int)
    for part in grid.tiles(16, 20):
        hit[part.row : part.row + part.rows, part.col : part.col + part.cols] += 1
    assert (hit == 1).all()


@pytest.mark.parametrize(
    ("crs", "transform"),
    [("EPSG:32633", NORTH_UP), ("EPSG:3857", Affine(10, 0, 1_500_000, 0, -10, 6_800_000)),
     ("EPSG:4326", Affine(1.4e-4, 0, 14.2, 0, -0.9e-4, 52.0))],
)  # fmt: skip
def test_the_area_of_a_pixel_is_that_on_the_ellipsoid(make_raster: MakeRaster, crs: str, transform: Affine) -> None:
    path = make_raster("s2.tif", optical(), names=S2, crs=crs, transform=transform)
    grid = map_grid(open_stack([path]), map_gsd=None)
    edges = Region(0, 0, 60, 40)
    x, y = grid.centres(edges, "EPSG:4326")
    geod = Geod(ellps="WGS84")
    ring_x, ring_y = [x[0, 0], x[0, -1], x[-1, -1], x[-1, 0]], [y[0, 0], y[0, -1], y[-1, -1], y[-1, 0]]
    area = abs(geod.polygon_area_perimeter(ring_x, ring_y)[0]) / (59 * 39)
    assert grid.pixel_area_m2 == pytest.approx(area, rel=1e-3)


# ---- Interpolation ---------------------------------------------------------------------------------------------------


@given(st.integers(2, 9), st.integers(2, 9), st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_bilinear_is_scipys_linear_interpolation(height: int, width: int, random: object) -> None:
    generator = np.random.default_rng(random.randrange(2**32))  # type: ignore[attr-defined]
    values = generator.normal(size=(2, height, width)).astype(np.float32)
    rows, cols = generator.uniform(-1, height, (5, 6)), generator.uniform(-1, width, (5, 6))
    expected = [scipy.ndimage.map_coordinates(band, [rows, cols], order=1, mode="nearest") for band in values]
    assert np.allclose(bilinear(values, rows, cols), expected, atol=1e-5)


def test_gaps_leave_the_mean_and_a_point_in_a_gap_is_one() -> None:
    values = np.array([[[1.0, 3.0, np.nan]]], np.float32)
    rows, cols = np.zeros((1, 5)), np.array([[0.25, 1.0, 1.4, 1.6, 2.0]])
    found = bilinear(values, rows, cols)[0, 0]
    assert found[:3].tolist() == [1.5, 3.0, 3.0]
    assert np.isnan(found[3:]).all()


def test_a_point_on_the_border_of_two_cells_belongs_to_the_second() -> None:
    # Half rounds up, not to even, as everywhere: 0.5 → 1, 1.5 → 2, 2.5 → 3.
    values = np.array([[[1.0, np.nan, 1.0, np.nan]]], np.float32)
    found = bilinear(values, np.zeros((1, 3)), np.array([[0.5, 1.5, 2.5]]))[0, 0]
    assert np.isnan(found).tolist() == [True, False, True]


# ---- Features --------------------------------------------------------------------------------------------------------


def raw_band(features: StackFeatures, part: Region, name: str) -> NDArray[np.float32]:
    names = [column.name for column in features.columns["fine"]]
    return features.read(part)["fine"][next(number for number, item in enumerate(names) if item.endswith(name))]


@pytest.mark.parametrize("turn", [0, 25])
def test_fine_features_are_the_finest_sources_own_pixels(make_raster: MakeRaster, turn: float) -> None:
    values = optical()
    values[:, 10:14, 20:25] = 0
    path = make_raster("s2.tif", values, names=S2, nodata=0, transform=NORTH_UP * Affine.rotation(turn))
    stack = open_stack([path])
    grid = map_grid(stack, map_gsd=None)
    with StackReader(stack) as reader:
        features = StackFeatures(reader, grid, ("fine",), None)
        found = raw_band(features, whole(grid), "B04 value")
        part = raw_band(features, Region(8, 15, 20, 12), "B04 value")
    red = stack.modalities[0].normalisation[2]
    expected = (values[2] * red.scale + red.offset - red.centre) / red.spread
    assert np.array_equal(np.isnan(found), values[2] == 0)
    assert np.allclose(found[values[2] > 0], expected[values[2] > 0], atol=1e-4)
    assert part.tobytes() == np.ascontiguousarray(found[8:28, 15:27]).tobytes()  # parts of a map fit together


def test_coarser_modalities_and_cells_are_interpolated_between_their_centres(
    make_raster: MakeRaster, tmp_path: Path
) -> None:
    ys, xs = np.mgrid[:30, :20]
    ramp = (1000 + 40 * xs + 20 * ys).astype(np.uint16)
    stack = open_stack(
        [
            make_raster("s2.tif", optical(), names=S2),
            make_raster("swir.tif", ramp[None].repeat(2, 0), names=["B11", "B12"],
                        transform=NORTH_UP * Affine.scale(2)),
        ]
    )  # fmt: skip
    grid = map_grid(stack, map_gsd=None)
    embedding = coarse_embedding(stack, tmp_path)
    with StackReader(stack) as reader:
        features = StackFeatures(reader, grid, ("fine", "coarse"), embedding)
        swir = raw_band(features, whole(grid), "B11 value")
        columns = features.read(whole(grid))["coarse"]
    assert set(features.columns) == {"fine", "coarse"}
    constant = stack.modalities[1].normalisation[0]
    # A linear ramp stays one: 10 m pixel centres lie at -1/4, 1/4, 3/4 ... of the 20 m ones.
    rows, cols = (np.arange(60) + 0.5) / 2 - 0.5, (np.arange(40) + 0.5) / 2 - 0.5
    expected = scipy.ndimage.map_coordinates(
        ramp.astype(np.float64), np.meshgrid(rows, cols, indexing="ij"), order=1, mode="nearest"
    )
    inner = (slice(1, -1), slice(1, -1))
    physical = (expected * constant.scale + constant.offset - constant.centre) / constant.spread
    assert np.allclose(swir[inner], physical[inner], atol=1e-3)
    cells = embedding.read("coarse", embedding.cells)
    for number in (0, len(cells) - 1):
        smooth = scipy.ndimage.map_coordinates(
            cells[number], np.meshgrid(rows, cols, indexing="ij"), order=1, mode="nearest"
        )
        assert np.allclose(columns[number][inner], smooth[inner], atol=1e-4)


def test_a_pixel_of_an_absent_cell_has_no_cell_features(make_raster: MakeRaster, tmp_path: Path) -> None:
    values = optical()
    values[:, 20:28, 10:20] = 0  # 4 x 5 cells
    stack = open_stack([make_raster("s2.tif", values, names=S2, nodata=0)])
    grid = map_grid(stack, map_gsd=None)
    with StackReader(stack) as reader:
        found = StackFeatures(reader, grid, ("coarse",), coarse_embedding(stack, tmp_path)).read(whole(grid))["coarse"]
    assert np.array_equal(np.isnan(found[0]), values[0] == 0)


def test_slopes_of_a_map_with_larger_pixels_are_as_steep_as_the_ground(make_raster: MakeRaster) -> None:
    ramp = (2.0 * np.arange(64, dtype=np.float32))[None, None].repeat(64, axis=1)  # 2 m a pixel of 10 m
    stack = open_stack([f"{make_raster('height.tif', ramp)}:as=dem"])
    slopes = []
    for map_gsd in (None, 20.0):
        grid = map_grid(stack, map_gsd=map_gsd)
        with StackReader(stack) as reader:
            found = raw_band(StackFeatures(reader, grid, ("fine",), None), whole(grid), "slope value")
        slopes.append(float(np.median(found)))
    assert slopes == pytest.approx([1.0, 1.0], rel=1e-3)  # 0.2 m/m is the unit


@pytest.mark.parametrize("phase", [0, 3])
@pytest.mark.parametrize("side", [2, 3])
def test_larger_map_pixels_hold_the_mean_of_the_rasters_own_statistics(
    make_raster: MakeRaster, side: int, phase: float
) -> None:
    # Whether the map's grid fits the raster's (phase 0) or not makes no other kind of feature.
    stack = open_stack([make_raster("s2.tif", optical(), names=S2)])
    moved = dataclasses.replace(stack, lattice=dataclasses.replace(stack.lattice, phase_x=phase))
    own, larger = map_grid(stack, map_gsd=None), map_grid(moved, map_gsd=10.0 * side)
    with StackReader(stack) as reader:
        native = StackFeatures(reader, own, ("fine",), None).read(whole(own))["fine"]
    with StackReader(moved) as reader:
        features = StackFeatures(reader, larger, ("fine",), None)
        found, part = features.read(whole(larger))["fine"], features.read(Region(3, 2, 9, 8))["fine"]
    left, top = ~own.transform * (larger.transform.c, larger.transform.f)
    rows, cols = (np.arange(size * side) + first for size, first in zip(larger.shape, (top, left), strict=True))
    for values, averaged in zip(native, found, strict=True):
        points = scipy.ndimage.map_coordinates(
            values.astype(np.float64), np.meshgrid(rows, cols, indexing="ij"), order=1, mode="nearest"
        )
        expected = points.reshape(larger.shape[0], side, larger.shape[1], side).mean(axis=(1, 3))
        assert np.allclose(averaged[2:-2, 2:-2], expected[2:-2, 2:-2], atol=1e-4)
    assert part.tobytes() == np.ascontiguousarray(found[:, 3:12, 2:10]).tobytes()


def test_larger_map_pixels_hold_the_mean_of_cells(make_raster: MakeRaster, tmp_path: Path) -> None:
    stack = open_stack([make_raster("s2.tif", optical(), names=S2)])
    embedding = coarse_embedding(stack, tmp_path)
    with StackReader(stack) as reader:
        features = StackFeatures(reader, map_grid(stack, map_gsd=40), ("coarse",), embedding)
        found = features.read(whole(features.grid))["coarse"]
    cells = embedding.read("coarse", embedding.cells)
    assert np.allclose(found, cells.reshape(len(cells), 15, 2, 10, 2).mean(axis=(2, 4)), atol=1e-4)


def test_a_coarse_map_is_read_in_parts_and_each_pixel_comes_out_the_same(
    make_raster: MakeRaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = open_stack([make_raster("s2.tif", optical(240, 160), names=S2)])
    grid = map_grid(stack, map_gsd=40)
    sizes: list[int] = []
    plain = StackReader.region

    def counted(self: StackReader, sources: Any, frame: Any, region: Region) -> Any:
        sizes.append(region.rows * region.cols)
        return plain(self, sources, frame, region)

    with StackReader(stack) as reader:
        features = StackFeatures(reader, grid, ("fine",), None)
        at_once = features.read(whole(grid))["fine"]
        monkeypatch.setattr("gfm_core.embedding.map_grid._POINTS", 1000)
        monkeypatch.setattr(StackReader, "region", counted)
        in_parts = features.read(whole(grid))["fine"]
    assert in_parts.tobytes() == at_once.tobytes()
    assert max(sizes) < 3000


def test_a_pixel_over_very_many_of_the_raster_is_read_averaged(make_raster: MakeRaster) -> None:
    values = np.full((4, 400, 400), 1500, np.uint16)
    stack = open_stack([make_raster("s2.tif", values, names=S2)])
    grid = map_grid(stack, map_gsd=2000)  # 200 pixels along
    with StackReader(stack) as reader:
        found = raw_band(StackFeatures(reader, grid, ("fine",), None), whole(grid), "B04 value")
    red = stack.modalities[0].normalisation[2]
    assert np.allclose(found[:2, :2], (1500 * red.scale + red.offset - red.centre) / red.spread, atol=1e-4)


def test_an_embedding_alone_gives_a_map_of_its_cells(make_raster: MakeRaster, tmp_path: Path) -> None:
    stack = open_stack([make_raster("s2.tif", optical(), names=S2)])
    embedding = coarse_embedding(stack, tmp_path)
    features = CellFeatures(embedding, ("coarse",))
    assert features.grid.shape == stack.cells.shape
    assert features.grid.transform == stack.lattice.transform(stack.cells)
    assert features.columns == {"coarse": embedding.columns_of("coarse")}
    part = Region(3, 4, 10, 7)
    expected = embedding.read("coarse", embedding.cells)[:, 3:13, 4:11]
    assert np.array_equal(features.read(part)["coarse"], expected, equal_nan=True)


def test_heights_become_relief_and_slope(make_raster: MakeRaster) -> None:
    stack = open_stack([f"{make_raster('height.tif', np.zeros((1, 20, 20), np.float32))}:as=dem"])
    bands = derived_bands(stack.modalities[0])
    assert [band.name.rpartition(" ")[2] for band in bands] == ["relief", "slope"]
    assert {band.kind for band in bands} == {BandKind.ELEVATION}
    other = dataclasses.replace(stack.modalities[0], bands=(dataclasses.replace(bands[0], kind=BandKind.CUSTOM),))
    assert derived_bands(other) == other.bands
    assert math.isclose(stack.modalities[0].gsd, 10)
