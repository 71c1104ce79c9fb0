"""Fault matrix, rows 16-20 and 22, at the level of labels and heads: a sentence, or the right answer with a note."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
from affine import Affine
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from gfm_core.classes import MapClass
from gfm_core.errors import CheckpointError, GfmError, LabelError, NoOverlapError
from gfm_core.heads.fuse import fit_fused
from gfm_core.heads.mapper import MapHead
from gfm_core.heads.score import score
from gfm_core.heads.store import check_head, load_head, save_head
from gfm_core.labels.burn import burn
from gfm_core.labels.folds import spatial_folds
from gfm_core.labels.pixels import LabelPixels
from gfm_core.labels.read import RasterLabels, VectorLabels, read_labels

UTM = "EPSG:32633"
SHAPE = (100, 100)
GRID = Affine(10, 0, 500_000, 0, -10, 5_001_000)  # 1 km of ground at 10 m


def spot(col: float, row: float, width: float = 1, height: float = 1) -> Polygon:
    """A rectangle given in pixels of the grid, rows from the top."""
    left, top = GRID * (col, row)
    return box(left, top - 10 * height, left + 10 * width, top)


def layer(
    folder: Path, values: Sequence[Any], geometry: Sequence[Any], *, crs: str | None = UTM, field: str = "class"
) -> Path:
    frame = gpd.GeoDataFrame({field: list(values)}, geometry=list(geometry), crs=crs)
    frame.to_file(folder / "labels.gpkg")
    return folder / "labels.gpkg"


def burnt(path: Path, **options: Any) -> LabelPixels:
    return burn(read_labels(path, **options), GRID, UTM, SHAPE)


def codes_at(pixels: LabelPixels) -> dict[tuple[int, int], int]:
    return {
        (int(row), int(col)): int(code) for row, col, code in zip(pixels.rows, pixels.cols, pixels.codes, strict=True)
    }


def sentence(error: pytest.ExceptionInfo[GfmError]) -> str:
    """The message, which must be one line that ends in a full stop and names the file."""
    text = str(error.value)
    assert "\n" not in text
    assert text.endswith(".")
    assert "labels.gpkg" in text
    return text


# ---- 16: empty layer; field missing; all one class; class with one polygon; null class values ------------------------


def test_row_16_an_empty_layer_is_a_sentence(tmp_path: Path) -> None:
    empty = gpd.GeoDataFrame({"class": ["a"]}, geometry=[spot(1, 1)], crs=UTM).iloc[:0]
    empty.to_file(tmp_path / "labels.gpkg")
    with pytest.raises(LabelError) as error:
        read_labels(tmp_path / "labels.gpkg")
    assert "has no labels" in sentence(error)


@pytest.mark.parametrize(("asked", "offered"), [("fclas", "'fclass'"), ("FCLASS", "'fclass'"), ("zzz", "'fclass'")])
def test_row_16_a_missing_field_offers_the_nearest_names(tmp_path: Path, asked: str, offered: str) -> None:
    path = layer(tmp_path, ["a", "b"], [spot(1, 1), spot(3, 3)], field="fclass")
    with pytest.raises(LabelError) as error:
        read_labels(path, field=asked)
    assert f"no field {asked!r}; use {offered}" in sentence(error)


def test_row_16_all_of_one_class_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(LabelError) as error:
        read_labels(layer(tmp_path, ["a", "a"], [spot(1, 1), spot(3, 3)]))
    assert "of one class ('a' in field 'class')" in sentence(error)


def test_row_16_a_class_with_one_polygon_is_used_with_a_warning(tmp_path: Path) -> None:
    many = [spot(col, row, 3, 3) for col in range(0, 100, 10) for row in range(0, 100, 10)]
    pixels = burnt(layer(tmp_path, ["a", *"b" * 100], [spot(5, 5), *many]))
    assert [item.name for item in pixels.classes] == ["a", "b"]
    x, y = GRID * (pixels.cols + 0.5, pixels.rows + 0.5)
    folds = spatial_folds(np.asarray(x), np.asarray(y), pixels.codes, names={1: "a", 2: "b"})
    assert folds.notes[0].startswith("Class 'a' lies in only 1 ground square")


@pytest.mark.parametrize(("values", "nulls"), [(["a", None, "b", ""], 2), ([1.5, float("nan"), 2.5], 1)])
def test_row_16_null_classes_are_counted(tmp_path: Path, values: list[Any], nulls: int) -> None:
    pixels = burnt(layer(tmp_path, values, [spot(3 * i, 1) for i in range(len(values))]))
    assert len(pixels) == 2
    assert f"without a value in field 'class', not used: {nulls} of {len(values)}." in " ".join(pixels.notes)


def test_row_16_only_null_classes_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(LabelError) as error:
        read_labels(layer(tmp_path, [None, None], [spot(1, 1), spot(3, 3)]))
    assert "null in every row" in sentence(error)


# ---- 17: outside, partly outside, other CRS, no CRS ------------------------------------------------------------------


def test_row_17_labels_partly_outside_are_used_where_inside_and_counted(tmp_path: Path) -> None:
    pixels = burnt(layer(tmp_path, ["a", "b", "a"], [spot(-5, 10, 10, 1), spot(50, 50), spot(500, 500)]))
    assert codes_at(pixels) == {**{(10, col): 1 for col in range(5)}, (50, 50): 2}
    told = " ".join(pixels.notes)
    assert "outside the raster: 1 of 3." in told
    assert "partly outside the raster, used where inside: 1 of 3." in told


def test_row_17_labels_all_outside_are_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(NoOverlapError) as error:
        burnt(layer(tmp_path, ["a", "b"], [spot(500, 1), spot(600, 1)]))
    assert "lies inside the raster" in sentence(error)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3035", "EPSG:32634", "EPSG:3857"])
def test_row_17_labels_in_another_crs_lie_on_the_same_pixels(tmp_path: Path, crs: str) -> None:
    # A pixel's middle half, so that no edge decides.
    shapes = [spot(10.25, 20.25, 2.5, 2.5), spot(60.25, 70.25, 0.5, 0.5), Point(GRID * (80.5, 5.5))]
    here = burnt(layer(tmp_path, ["a", "b", "b"], shapes))
    moved = gpd.GeoSeries(shapes, crs=UTM).to_crs(crs)
    (tmp_path / "moved").mkdir()
    there = burnt(layer(tmp_path / "moved", ["a", "b", "b"], moved, crs=crs))
    assert codes_at(there) == codes_at(here)
    assert len(here) == 9 + 1 + 1


def test_row_17_beyond_what_the_crs_can_hold_is_outside(tmp_path: Path) -> None:
    shapes = gpd.GeoSeries([spot(1, 1), spot(5, 5)], crs=UTM).to_crs("EPSG:3857")
    path = layer(tmp_path, ["a", "b", "b"], [*shapes, Point(1e12, 1e12)], crs="EPSG:3857")
    assert "outside the raster: 1 of 3" in " ".join(burnt(path).notes)


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_row_17_labels_without_crs_are_taken_to_be_in_the_rasters(tmp_path: Path) -> None:
    pixels = burnt(layer(tmp_path, ["a", "b"], [spot(1, 2), spot(3, 4)], crs=None))
    assert codes_at(pixels) == {(2, 1): 1, (4, 3): 2}
    assert "has no CRS; its coordinates are taken to be in the raster's" in " ".join(pixels.notes)


# ---- 18: self-crossing, multi, lines, points, mixed, zero area, conflicting duplicates -------------------------------


def test_row_18_every_kind_of_geometry_is_repaired_used_or_counted(tmp_path: Path) -> None:
    bow_tie = Polygon([GRID * corner for corner in ((10, 10), (14, 14), (14, 10), (10, 14))])
    flat = Polygon([GRID * corner for corner in ((30, 30), (35, 35), (30, 30))])
    line = LineString([GRID * (1, 1), GRID * (9, 9)])
    multi = MultiPolygon([spot(50, 50), spot(60, 60)])
    path = layer(
        tmp_path,
        ["a", "a", "b", "b", "a", "b", "a", "b"],
        [bow_tie, flat, line, multi, Point(GRID * (70.5, 70.5)), None, Polygon(), Point()],
    )
    pixels = burnt(path)
    found = codes_at(pixels)
    assert {place for place, code in found.items() if code == 2} == {(50, 50), (60, 60)}
    lobes = {(row, col) for (row, col), code in found.items() if code == 1 and row < 20}
    assert lobes
    assert all(10 <= col < 14 and abs(row - 11.5) <= abs(col - 11.5) for row, col in lobes)
    assert found[70, 70] == 1
    told = " ".join(pixels.notes)
    assert "repaired: 1." in told
    assert "that are lines, not used: 1;" in told
    assert "that are polygons without an area, not used: 1;" in told
    assert "without a geometry, not used: 3." in told


def test_row_18_only_lines_is_a_sentence(tmp_path: Path) -> None:
    line = LineString([GRID * (1, 1), GRID * (9, 9)])
    with pytest.raises(LabelError) as error:
        read_labels(layer(tmp_path, ["a", "b"], [line, line]))
    assert "no usable polygons or points" in sentence(error)


def test_row_18_duplicates_of_two_classes_are_dropped_and_listed(tmp_path: Path) -> None:
    twice = spot(20, 20, 2, 2)
    shapes = [twice, twice, spot(30, 30, 2, 2), spot(30, 30, 2, 2), Point(GRID * (5.5, 5.5)), Point(GRID * (5.4, 5.4))]
    pixels = burnt(layer(tmp_path, ["a", "b", "a", "a", "b", "c"], [*shapes]))
    assert codes_at(pixels) == {(30, 30): 1, (30, 31): 1, (31, 30): 1, (31, 31): 1}
    told = " ".join(pixels.notes)
    assert "two classes, not used: 5 ('a' and 'b' 4, 'b' and 'c' 1)." in told
    assert "Class 'b' of labels.gpkg has no pixel" in told


# ---- 19: 300 classes; unicode, commas, newlines, 200 characters; class 0; negative ids; floats -----------------------

AWKWARD: dict[str, list[Any]] = {
    "text": ["森林 🌲", "a,b;c", 'say "x"', "two\nlines", "<&>'", " spaces ", "x" * 200, "ÄÖÜß", "tab\there", "%s{0}"],
    "class 0": [0, 1, 2],
    "negative ids": [-9999, -1, 3],
    "floats": [0.1, 1.5, -2.25, 1e-9, 123456.789],
    "text with numbers": ["0", "01", "1", "1.0"],
    "300 numbers": list(range(1000, 1300)),
    "300 names": [f"класс {i:03d}" for i in range(300)],
    "big integers": [2**53 + 1, 2**53 + 3, 2**62],
}


@pytest.mark.parametrize("case", AWKWARD)
def test_row_19_names_and_values_are_kept_from_the_file_to_the_stored_head(tmp_path: Path, case: str) -> None:
    values = AWKWARD[case]
    shapes = [spot(3 * (i % 33), 3 * (i // 33), 2, 2) for i in range(len(values))]
    pixels = burnt(layer(tmp_path, values, shapes))
    assert [item.value for item in pixels.classes] == sorted(values)
    assert [type(item.value) for item in pixels.classes] == [type(value) for value in sorted(values)]
    assert [item.name for item in pixels.classes] == [str(value) for value in sorted(values)]
    # Every polygon's pixels carry the code of its own class.
    where = {item.code: item.value for item in pixels.classes}
    for row, col, code in zip(pixels.rows, pixels.cols, pixels.codes, strict=True):
        assert values[int(row) // 3 * 33 + int(col) // 3] == where[int(code)]
    X = np.stack([pixels.rows, pixels.cols], axis=1).astype(np.float32)
    head = fit_fused({"fine": X}, pixels.codes, pixels.classes, "lda")
    save_head(tmp_path / "head", MapHead(head), {})
    stored = load_head(tmp_path / "head")[0].classes
    assert stored == pixels.classes
    assert tuple(item.name for item in score(pixels.codes, pixels.codes, stored).per_class) == tuple(
        item.name for item in stored
    )


# ---- 20: polygons smaller than a cell; one larger than memory --------------------------------------------------------


def test_row_20_polygons_smaller_than_a_pixel_take_the_one_they_lie_in(tmp_path: Path) -> None:
    tiny = [spot(10.1, 10.1, 0.2, 0.2), spot(20.7, 30.6, 0.2, 0.3), spot(40.2, 40.2, 0.6, 0.6)]
    pixels = burnt(layer(tmp_path, ["a", "b", "a"], tiny))
    assert codes_at(pixels) == {(10, 10): 1, (30, 20): 2, (40, 40): 1}
    assert "take the pixel they lie in: 2." in " ".join(pixels.notes)


def test_row_20_one_polygon_larger_than_memory_is_sampled() -> None:
    side = 40_000  # pixels: 1.6 thousand million, 6.4 GB as 32 bits
    everywhere = box(0, 0, side, side).difference(box(30_000, 30_000, 30_050, 30_040))
    hole = box(30_000, 30_000, 30_050, 30_040)
    frame = gpd.GeoDataFrame({"code": [1, 2], "unit": [0, 1]}, geometry=[everywhere, hole], crs=UTM)
    labels = VectorLabels("labels.gpkg", frame, (MapClass(1, "a", "a"), MapClass(2, "b", "b")))
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    pixels = burn(labels, Affine(1, 0, 0, 0, 1, 0), UTM, (side, side))
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert time.perf_counter() - start < 60
    assert grown_mb < 500
    assert np.bincount(pixels.codes).tolist() == [0, 4000, 50 * 40]
    quarters = np.bincount(
        pixels.rows[pixels.codes == 1] // (side // 2) * 2 + pixels.cols[pixels.codes == 1] // (side // 2)
    )
    assert (abs(quarters - 1000) < 5 * (1000 * 0.75) ** 0.5).all()  # five standard deviations


# ---- 22: head applied to another model or cell size ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "both"),
    [
        ({"model": {"name": "small", "sha256": "b" * 64}}, ("model nano (aaaaaaaaaaaa)", "model small (bbbbbbbbbbbb)")),
        ({"model": {"name": "nano", "sha256": "b" * 64}}, ("model nano (aaaaaaaaaaaa)", "model nano (bbbbbbbbbbbb)")),
        ({"cell_size": 60}, ("20 m", "60 m")),
        ({"groups": {"network": ["1"]}}, ("fine, network", "network")),
        ({"groups": {"fine": ["B02", "B03", "B08"], "network": ["1"]}}, ("B02, B03", "B02, B03, B08")),
    ],
)
def test_row_22_a_head_of_another_kind_is_a_sentence_naming_both(
    tmp_path: Path, change: dict[str, Any], both: tuple[str, str]
) -> None:
    meta = {
        "model": {"name": "nano", "sha256": "a" * 64},
        "groups": {"fine": ["B02", "B03"], "network": ["1"]},
        "normalisation": {},
        "cell_size": 20.0,
    }
    y = np.repeat([1, 2], 10)
    X = np.random.default_rng(0).normal(size=(20, 2))
    head = fit_fused({"fine": X}, y, (MapClass(1, "a", "a"), MapClass(2, "b", "b")), "lda")
    save_head(tmp_path / "head.safetensors", MapHead(head), meta)
    _, stored = load_head(tmp_path / "head.safetensors")
    check_head(stored, meta)
    with pytest.raises(CheckpointError) as error:
        check_head(stored, {**meta, **change}, name="Head head.safetensors")
    text = str(error.value)
    assert text.startswith("Head head.safetensors was fitted on")
    assert both[0] in text
    assert both[1] in text
    assert text.endswith(".")


def test_row_19_class_pixels_of_a_raster_keep_negative_and_zero(tmp_path: Path) -> None:
    import rasterio

    path = tmp_path / "labels.tif"
    with rasterio.open(
        path, "w", driver="GTiff", dtype="int16", count=1, height=100, width=100, crs=UTM, transform=GRID, nodata=-32768
    ) as sink:
        values = np.full(SHAPE, -32768, np.int16)
        values[0, :3] = [-5, 0, 300]
        sink.write(values, 1)
    labels = read_labels(path)
    assert isinstance(labels, RasterLabels)
    pixels = burn(labels, GRID, UTM, SHAPE)
    assert [(item.code, item.value) for item in pixels.classes] == [(1, -5), (2, 0), (3, 300)]
    assert codes_at(pixels) == {(0, 0): 1, (0, 1): 2, (0, 2): 3}
