"""Fault matrix, rows 7, 14, 15 and 16-22 from the rasters to the map: what may be wrong with labels."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from shapely.geometry import Point, Polygon, box

import gfm_core as gfm
from gfm_core.tools import classify as classify_tool
from tests.conftest import MakeRaster, Ran, RunGfm
from tests.faults.conftest import state_of

LEFT, TOP = 400_000.0, 5_800_000.0
FIELDS, WIDE = 4, 120.0  # fields along a side of the scene, and the width of each in metres


def field(row: int, col: int, inset: float = 20.0) -> Polygon:
    """A square inside one field of the scene."""
    left, top = LEFT + WIDE * col, TOP - WIDE * row
    return box(left + inset, top - WIDE + inset, left + WIDE - inset, top - inset)


EVERY = [(row, col) for row in range(FIELDS) for col in range(FIELDS)]


def alternating(first: Any, second: Any) -> list[Any]:
    """The true classes of the fields, as a draughtboard."""
    return [(first, second)[(row + col) % 2] for row, col in EVERY]


@dataclass(frozen=True)
class Maps:
    """A scene of light and dark fields, and `gfm classify` on it with its `fine` group: quick, and easily right."""

    run: RunGfm
    raster: Path
    out: Path

    @property
    def map(self) -> Path:
        return self.out / "map.tif"

    def classify(self, labels: object, *options: object) -> Ran:
        before = state_of(self.raster.parent)
        words = ("classify", self.raster, "-o", self.map, "--labels", labels, "--groups", "fine", "--threads", 1)
        ran = self.run(*words, *options)
        assert state_of(self.raster.parent) == before
        assert not list(self.out.rglob(".gfm*")), "temporary files are left"
        return ran

    def refused(self, labels: object, *options: object) -> str:
        before = state_of(self.out)
        sentence = self.classify(labels, *options).sentence
        assert state_of(self.out) == before
        return sentence

    def made(self, labels: object, *options: object) -> str:
        """What a run told that must work, with a map of the fields as they are."""
        told = self.classify(labels, *options).told
        with rasterio.open(self.map) as dataset:
            codes = dataset.read(1)
        light, dark = codes[6::24, 6::24], codes[6::24, 18::24]
        assert light.min() == light.max() > 0
        assert dark.min() == dark.max() != light.max()
        return told

    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.out / "map_report" / "report.json").read_text(encoding="utf-8"))
        return found


@pytest.fixture
def maps(run_gfm: RunGfm, make_raster: MakeRaster, tmp_path: Path) -> Maps:
    """The scene, in a folder of its own."""
    rows, cols = np.mgrid[:48, :48] // 12
    light = np.where((rows + cols) % 2, 900, 2400)
    pixels = light + np.random.default_rng(0).integers(0, 200, (3, 48, 48))
    out = tmp_path / "out"
    out.mkdir()
    return Maps(run_gfm, make_raster("scene/scene.tif", pixels.astype(np.uint16)), out)


MakeLabels = Callable[..., Path]


@pytest.fixture
def make_labels(tmp_path: Path) -> MakeLabels:
    """Writes labels, squares in the fields of the scene unless geometry is given."""

    def make(
        values: Sequence[Any], geometry: Sequence[Any] | None = None, *, name: str = "labels.gpkg",
        crs: str | None = "EPSG:32633", column: str = "class", **more: Sequence[Any],
    ) -> Path:  # fmt: skip
        shapes = [field(*place) for place in EVERY[: len(values)]] if geometry is None else list(geometry)
        frame = gpd.GeoDataFrame({column: list(values), **more}, geometry=shapes, crs=crs)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="'crs' was not provided")
            frame.to_file(tmp_path / name)
        return tmp_path / name

    return make


# Row 16: labels that are not there


def test_16_an_empty_layer_is_named(maps: Maps, make_labels: MakeLabels) -> None:
    assert "labels.gpkg has no labels" in maps.refused(make_labels([], [Point(0, 0)][:0]))


@pytest.mark.parametrize(("asked", "offered"), [("Landcover", "'land_cover'"), ("klasse", "'class'")])
def test_16_a_field_that_does_not_exist_offers_the_nearest(
    maps: Maps, make_labels: MakeLabels, asked: str, offered: str
) -> None:
    labels = make_labels(alternating("a", "b"), land_cover=alternating(1, 2), owner=["x"] * 16)
    sentence = maps.refused(labels, "--field", asked)
    assert f"labels.gpkg has no field {asked!r}" in sentence
    assert offered in sentence
    assert "owner" not in sentence


def test_16_labels_of_one_class_are_refused(maps: Maps, make_labels: MakeLabels) -> None:
    sentence = maps.refused(make_labels(["water"] * 16))
    assert "'water'" in sentence
    assert "at least two classes" in sentence


def test_16_one_class_inside_the_raster_is_refused_too(maps: Maps, make_labels: MakeLabels) -> None:
    far = field(200, 200)
    sentence = maps.refused(make_labels(["water", "water", "trees"], [field(0, 0), field(1, 1), far]))
    assert "labels.gpkg has only the class 'water' inside" in sentence


def test_16_a_class_with_one_polygon_is_used_with_a_warning_by_name(maps: Maps, make_labels: MakeLabels) -> None:
    dark = [place for place in EVERY if sum(place) % 2]
    labels = make_labels(["light"] + ["dark"] * len(dark), [field(0, 0), *(field(*place) for place in dark)])
    told = maps.made(labels)
    warning = "Class 'light' is labelled in one place only; its score is weak evidence: label it in more places."
    assert warning in told
    assert warning in maps.report()["warnings"]


def test_16_two_single_labels_make_a_map_without_a_score(maps: Maps, make_labels: MakeLabels) -> None:
    told = maps.made(make_labels(["light", "dark"], [field(0, 0, 50), field(0, 1, 50)]))
    assert "no score by folds" in told or "no honest way to score" in told
    assert maps.report()["scores"]["spatial_folds"] is None


def test_16_one_pixel_of_each_class_makes_a_map(maps: Maps, make_labels: MakeLabels) -> None:
    points = [Point(LEFT + 60, TOP - 60), Point(LEFT + 180, TOP - 60)]
    assert "score" in maps.made(make_labels(["light", "dark"], points))


def test_16_null_classes_are_counted(maps: Maps, make_labels: MakeLabels) -> None:
    values = alternating("light", "dark")
    values[3] = values[6] = values[9] = None
    assert "without a value in field 'class', not used: 3 of 16" in maps.made(make_labels(values))


def test_16_labels_are_read_before_anything_is_computed(
    maps: Maps, make_labels: MakeLabels, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("rasters were opened before the labels were looked at")

    monkeypatch.setattr(classify_tool, "map_inputs", never)
    good = make_labels(alternating("light", "dark"), name="good.gpkg")
    assert "has no field" in maps.refused(good, "--field", "nope")
    assert "do not exist" in maps.refused(good, "--check", maps.out / "none.gpkg")
    assert "give --where" in maps.refused(good, "--check", "rest")
    assert "where='bogus = 1' is not valid" in maps.refused(good, "--where", "bogus = 1")


# Row 17: labels elsewhere


def test_17_labels_outside_the_raster_are_named(maps: Maps, make_labels: MakeLabels) -> None:
    sentence = maps.refused(make_labels(alternating("light", "dark"), crs="EPSG:32636"))
    assert "No label of labels.gpkg lies inside the raster" in sentence
    assert "check their CRS" in sentence


def test_17_labels_partly_outside_are_counted(maps: Maps, make_labels: MakeLabels) -> None:
    shapes = [field(*place) for place in EVERY] + [field(50, 0), field(50, 1)]
    told = maps.made(make_labels([*alternating("light", "dark"), "light", "dark"], shapes))
    assert "2 of 18" in told


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3035", None])
def test_17_labels_in_another_crs_or_none_fall_in_place(maps: Maps, make_labels: MakeLabels, crs: str | None) -> None:
    shapes = gpd.GeoSeries([field(*place) for place in EVERY], crs="EPSG:32633")
    told = maps.made(make_labels(alternating("light", "dark"), shapes.to_crs(crs) if crs else shapes, crs=crs))
    assert ("has no CRS; its coordinates are taken to be in the raster's" in told) == (crs is None)


def test_17_check_labels_outside_the_raster_are_named(maps: Maps, make_labels: MakeLabels) -> None:
    labels = make_labels(alternating("light", "dark"))
    far = make_labels(alternating("light", "dark"), name="far.gpkg", crs="EPSG:32636")
    assert "No label of far.gpkg lies inside the raster" in maps.refused(labels, "--check", far)


# Row 18


def test_18_conflicting_labels_are_dropped_and_listed(maps: Maps, make_labels: MakeLabels) -> None:
    shapes = [field(*place) for place in EVERY] + [field(0, 0)]
    told = maps.made(make_labels([*alternating("light", "dark"), "dark"], shapes))
    assert "'light'" in told
    assert "'dark'" in told


# Row 19: what classes are called


def categories(map_path: Path) -> list[str]:
    """Category names of `.aux.xml`, by value."""
    root = ElementTree.parse(map_path.with_name(f"{map_path.name}.aux.xml")).getroot()
    return [item.text or "" for item in root.find("PAMRasterBand/CategoryNames") or ()]


def attribute_table(map_path: Path) -> list[dict[str, str]]:
    """Rows of the raster attribute table."""
    root = ElementTree.parse(map_path.with_name(f"{map_path.name}.aux.xml")).getroot()
    names = [item.findtext("Name", "") for item in root.iter("FieldDefn")]
    return [dict(zip(names, [cell.text or "" for cell in row.iter("F")], strict=True)) for row in root.iter("Row")]


def legend(map_path: Path) -> dict[int, tuple[str, str]]:
    """Label and colour of the QML by value."""
    entries = ElementTree.parse(map_path.with_suffix(".qml")).getroot().iter("paletteEntry")
    return {int(item.get("value", "")): (item.get("label", ""), item.get("color", "")) for item in entries}


STRANGE = [
    ("comma, and \"quotes\" 'both'", "<b>&amp; tags</b>"),
    ("line\nbreak", "tab\tand  blanks"),
    ("Wälder – 森林 🌲", "لغة"),
    ("x" * 200, "x" * 199 + "y"),
]


@pytest.mark.parametrize("names", STRANGE)
def test_19_names_are_kept_exactly_in_every_output(maps: Maps, make_labels: MakeLabels, names: tuple[str, str]) -> None:
    maps.made(make_labels(alternating(*names)))
    codes = {name: code for code, name in enumerate(sorted(names), start=1)}
    colours = dict(legend(maps.map).values())
    with rasterio.open(maps.map) as dataset:
        table = dataset.colormap(1)
    report = {item["name"]: item for item in maps.report()["classes"]}
    shown = unescape((maps.out / "map_report" / "report.html").read_text(encoding="utf-8"))
    for name, code in codes.items():
        assert categories(maps.map)[code] == name
        assert next(row for row in attribute_table(maps.map) if row["Value"] == str(code))["Class"] == name
        assert report[name]["code"] == code
        assert report[name]["colour"] == colours[name] == "#{:02x}{:02x}{:02x}".format(*table[code][:3])
        assert name in shown
    assert len(set(colours.values())) == 2


@pytest.mark.parametrize(("values", "codes"), [
    ((0, -5), {-5: 1, 0: 2}),
    ((0.5, 1.25), {0.5: 1, 1.25: 2}),
    ((7, 200), {7: 7, 200: 200}),
    ((1, 300), {1: 1, 300: 2}),
    ((2.0, 9.0), {2: 2, 9: 9}),
])  # fmt: skip
def test_19_numbers_become_codes_and_keep_their_value(
    maps: Maps, make_labels: MakeLabels, values: tuple[float, float], codes: dict[float, int]
) -> None:
    maps.made(make_labels(alternating(*values)))
    with rasterio.open(maps.map) as dataset:
        assert set(np.unique(dataset.read(1)).tolist()) == set(codes.values())
        assert dataset.nodata == 0
    table = {row["Original"]: int(row["Value"]) for row in attribute_table(maps.map)}
    assert table == {str(value): code for value, code in codes.items()}
    assert {item["value"]: item["code"] for item in maps.report()["classes"]} == codes


def test_19_300_classes_need_16_bits_and_all_keep_their_names(run_gfm: RunGfm, make_raster: MakeRaster) -> None:
    side = 20  # fields along a side, 3 pixels wide
    rows, cols = np.mgrid[: side * 3, : side * 3] // 3
    number = rows * side + cols
    levels = np.stack([number % 7, number // 7 % 7, number // 49 % 9]) * 400 + 300
    raster = make_raster("many.tif", levels.astype(np.uint16))
    places = [(row, col) for row in range(side) for col in range(side)][:300]
    points = [
        Point(LEFT + 30 * col + 10 * dx + 5, TOP - 30 * row - 15) for row, col in places for dx in range(3)
    ]  # three in a row, so that every class has a spread
    names = [f"Klasse {row:02d}, {col:02d}" for row, col in places for _ in range(3)]
    labels = raster.with_name("many.gpkg")
    gpd.GeoDataFrame({"class": names}, geometry=points, crs="EPSG:32633").to_file(labels)
    made = raster.with_name("map.tif")
    ran = run_gfm("classify", raster, "-o", made, "--labels", labels, "--groups", "fine", "--head", "knn")
    assert ran.told is not None
    with rasterio.open(made) as dataset:
        codes = dataset.read(1)
        assert dataset.dtypes == ("uint16",)
    assert categories(made)[1:] == sorted(set(names))
    assert len(legend(made)) == 300
    truth = np.arange(1, 301)
    right = codes[[3 * row + 1 for row, _ in places], [3 * col + 1 for _, col in places]] == truth
    assert right.mean() > 0.9


# Row 20: sizes of polygons


def test_20_polygons_smaller_than_a_pixel_are_used(maps: Maps, make_labels: MakeLabels) -> None:
    def speck(row: int, col: int) -> Polygon:
        centre = field(row, col).centroid
        return box(centre.x + 1, centre.y + 1, centre.x + 2, centre.y + 2)

    maps.made(make_labels(alternating("light", "dark"), [speck(*place) for place in EVERY]))
    assert maps.report()["facts"]["Labelled pixels"] == "16 in 16 places"


# Rows 21 and 22: heads


def test_21_a_head_that_is_none_is_named(maps: Maps) -> None:
    head = maps.out / "head.safetensors"
    head.write_bytes(b"\x80\x04pickle")
    words = ("classify", maps.raster, "-o", maps.map, "--head", head)
    assert "head.safetensors is not a head of JEPA-GFM" in maps.run(*words).sentence
    assert "'no such head' is no file" in maps.run(*words[:-1], "no such head").sentence
    assert [item.name for item in maps.out.iterdir()] == ["head.safetensors"]


# Row 7: no data under the labels


def test_07_a_raster_without_data_is_a_sentence_for_a_map(
    maps: Maps, make_labels: MakeLabels, make_raster: MakeRaster
) -> None:
    void = make_raster("void/void.tif", np.zeros((3, 48, 48), np.uint16), nodata=0)
    labels = make_labels(alternating("light", "dark"))
    ran = maps.run("classify", void, "-o", maps.map, "--labels", labels, "--groups", "fine")
    assert "where the rasters hold data" in ran.sentence
    assert state_of(maps.out) == {}


# Row 14: a raster that changes, though nothing is embedded


def test_14_a_raster_that_changes_during_the_run_is_noticed(
    maps: Maps, make_labels: MakeLabels, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_map = classify_tool.write_map

    def and_touch(*arguments: Any, **options: Any) -> dict[int, int]:
        os.utime(maps.raster, ns=(1, 1))
        return write_map(*arguments, **options)

    monkeypatch.setattr(classify_tool, "write_map", and_touch)
    words = ("--labels", make_labels(alternating("light", "dark")), "--groups", "fine")
    ran = maps.run("classify", maps.raster, "-o", maps.map, *words)
    assert "scene.tif changed during the run" in ran.sentence
    assert state_of(maps.out) == {}


# Row 15: outputs that are inputs, or something else


def test_15_labels_a_head_and_a_check_are_never_written_to(maps: Maps, make_labels: MakeLabels) -> None:
    labels = make_labels(alternating("light", "dark"))
    before = labels.read_bytes()
    for option in ("--save-head", "--report"):
        assert "is one of the inputs" in maps.refused(labels, option, labels, "--overwrite")
    head = maps.out / "head.safetensors"
    maps.made(labels, "--save-head", head)
    ran = maps.run("classify", maps.raster, "-o", maps.map, "--head", head, "--save-head", head, "--overwrite")
    assert "is one of the inputs" in ran.sentence
    assert labels.read_bytes() == before


def test_15_two_outputs_of_one_name_are_refused(maps: Maps, make_labels: MakeLabels) -> None:
    sentence = maps.refused(make_labels(alternating("light", "dark")), "--save-head", maps.map)
    assert "is given for two outputs" in sentence


@pytest.mark.parametrize("name", ["map.qml", "map_confidence.tif", "map_legend.png", "map.tif.aux.xml"])
def test_15_what_stands_beside_the_map_is_replaced_only_with_overwrite(
    maps: Maps, make_labels: MakeLabels, name: str
) -> None:
    (maps.out / name).write_text("precious")
    labels = make_labels(alternating("light", "dark"))
    assert f"{name} exists; give another name, or --overwrite" in maps.refused(labels)
    maps.made(labels, "--overwrite")
    assert (maps.out / name).read_bytes() != b"precious"


def test_15_a_report_goes_into_a_folder_without_harm_to_what_is_there(maps: Maps, make_labels: MakeLabels) -> None:
    labels, folder = make_labels(alternating("light", "dark")), maps.out / "project"
    folder.mkdir()
    (folder / "notes.txt").write_text("precious")
    assert f"{folder} holds something" in maps.refused(labels, "--report", folder)
    maps.made(labels, "--report", folder, "--overwrite")
    assert (folder / "notes.txt").read_text() == "precious"
    assert (folder / "report.html").is_file()


def test_15_an_empty_folder_is_as_good_as_none_for_a_report_and_a_file_is_not(
    maps: Maps, make_labels: MakeLabels
) -> None:
    labels = make_labels(alternating("light", "dark"))
    (maps.out / "file").write_text("precious")
    sentence = maps.refused(labels, "--report", maps.out / "file", "--overwrite")
    assert "file is a file; give the name of a folder" in sentence
    (maps.out / "empty").mkdir()
    maps.made(labels, "--report", maps.out / "empty")
    assert (maps.out / "empty" / "report.html").is_file()


def test_15_in_python_the_same_sentence_is_raised(maps: Maps, make_labels: MakeLabels) -> None:
    labels = make_labels(["water"] * 16)
    sentence = maps.refused(labels)
    with pytest.raises(gfm.LabelError) as caught:
        gfm.classify([maps.raster], maps.map, labels=labels, groups=("fine",))
    assert sentence == f"Error: {caught.value}"
    assert state_of(maps.out) == {}
