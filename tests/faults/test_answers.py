"""Fault matrix for the tools that answer from an embedding: rows 1, 15-18, 20, 22, 28 and bad numbers, tool by tool."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from shapely.geometry import LineString, Point, Polygon, box

import gfm_core as gfm
from gfm_core.hidden import HiddenFolder
from tests.conftest import Ran, RunGfm, write_raster
from tests.faults.conftest import state_of

LABELLED = ("similar", "estimate", "vector")  # tools that read features beside the embedding
EVERY = (*LABELLED, "change", "cluster", "apply", "assess")


@dataclass(frozen=True)
class Ground:
    """A folder of inputs: an embedding of 60 x 60 cells of 20 m, a second date, a map, a head."""

    folder: Path

    @property
    def embedding(self) -> Path:
        return self.folder / "e.tif"

    def box(self, col: float, row: float, side: float = 3) -> Polygon:
        """A square of cells, counted from the north-west."""
        left, top = 400_000 + 20 * col, 5_800_000 - 20 * row
        return box(left, top - 20 * side, left + 20 * side, top)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    folder = tmp_path_factory.mktemp("ground")
    chance = np.random.default_rng(0)
    values = chance.integers(300, 900, (4, 120, 120)).astype(np.uint16)
    values[:, :, 60:] += 2500
    values[:, :20, :20] = 0
    names = ["B02", "B03", "B04", "B08"]
    groups = ("fine", "coarse")
    raster = write_raster(folder / "s2.tif", values, names=names, nodata=0)
    gfm.embed([raster], folder / "e.tif", groups=groups)
    later = write_raster(
        folder / "later.tif", np.where(values > 0, values + 100, 0).astype(np.uint16), names=names, nodata=0
    )
    gfm.embed([later], folder / "e2.tif", like=str(folder / "e.tif"))
    gfm.embed([raster], folder / "coarser.tif", groups=groups, cell_size=40)
    gfm.embed([raster], folder / "floats.tif", groups=groups, dtype="float32")
    made = Ground(folder)
    frame = gpd.GeoDataFrame(
        {"kind": ["low", "low", "high", "high"], "number": [1.0, 2.0, 8.0, 9.0]},
        geometry=[made.box(15, 15), made.box(20, 40), made.box(40, 20), made.box(50, 50)], crs="EPSG:32633",
    )  # fmt: skip
    frame.to_file(folder / "labels.gpkg")
    chance_points = [
        Point(400_000 + 20 * (col + 0.5), 5_800_000 - 20 * (row + 0.5)) for row, col in chance.integers(12, 60, (40, 2))
    ]
    gpd.GeoDataFrame(
        {"number": [float(point.x > 400_600) * 5 + at % 3 for at, point in enumerate(chance_points)]},
        geometry=chance_points, crs="EPSG:32633",
    ).to_file(folder / "numbers.gpkg")  # fmt: skip
    gfm.classify(
        folder / "e.tif", folder / "map.tif", labels=str(folder / "labels.gpkg"), field="kind",
        save_head=folder / "head.safetensors",
    )  # fmt: skip
    return made


@dataclass(frozen=True)
class Bench:
    """Runs a tool on the ground; inputs must stay as they are and nothing hidden may be left."""

    run: RunGfm
    ground: Ground
    out: Path

    def call(self, tool: str, *options: object, first: object = None, output: str | None = None, **own: Any) -> Ran:
        """The command with inputs that would work, but for what is given instead."""
        inputs = self.ground.folder
        usual: dict[str, dict[str, object]] = {
            "similar": {"labels": inputs / "labels.gpkg", "where": "kind = 'low'"},
            "estimate": {"labels": inputs / "numbers.gpkg", "field": "number"},
            "vector": {"polygons": inputs / "labels.gpkg"}, "change": {"after": inputs / "e2.tif"}, "cluster": {},
            "apply": {"head": inputs / "head.safetensors"}, "assess": {},
        }  # fmt: skip
        flags = {**usual[tool], **own}
        words = [word for name, value in flags.items() if value is not None for word in (f"--{name}", value)]
        named = first or (inputs / "map.tif" if tool == "assess" else self.ground.embedding)
        made = self.out / (output or ("r.gpkg" if tool in ("vector", "assess") else "r.tif"))
        before = state_of(inputs)
        ran = self.run(tool, named, "-o", made, *words, *options)
        assert state_of(inputs) == before
        assert not list(self.out.rglob(".gfm*")), "temporary files are left"
        return ran

    def refused(self, tool: str, *options: object, **given: Any) -> str:
        """The sentence of a run that must fail and leave nothing."""
        before = state_of(self.out)
        sentence = self.call(tool, *options, **given).sentence
        assert state_of(self.out) == before
        assert sentence.count(". ") == 0 or "):" in sentence or "(" in sentence
        return sentence


@pytest.fixture
def bench(run_gfm: RunGfm, ground: Ground, tmp_path: Path) -> Bench:
    return Bench(run_gfm, ground, tmp_path)


def features(path: Path, geometry: Sequence[Any], crs: str | None = "EPSG:32633", **fields: Sequence[Any]) -> Path:
    gpd.GeoDataFrame(dict(fields), geometry=list(geometry), crs=crs).to_file(path)
    return path


@pytest.fixture
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for inputs that are wrong."""
    return tmp_path_factory.mktemp("elsewhere")


def flag(tool: str) -> str:
    return "polygons" if tool == "vector" else "labels"


# ---- What works ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", EVERY)
def test_each_tool_works_with_good_input(bench: Bench, tool: str) -> None:
    ran = bench.call(tool)
    assert ran.code == 0, ran.err


# ---- Files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", EVERY)
def test_fault_1_a_raster_that_is_not_there_or_none(bench: Bench, tool: str, elsewhere: Path) -> None:
    assert "absent.tif" in bench.refused(tool, first=elsewhere / "absent.tif")
    text = elsewhere / "text.tif"
    text.write_text("no raster")
    assert "text.tif" in bench.refused(tool, first=text)
    cut = elsewhere / "cut.tif"
    whole = bench.ground.folder / ("map.tif" if tool == "assess" else "e.tif")
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert "cut.tif" in bench.refused(tool, first=cut)


@pytest.mark.parametrize("tool", LABELLED)
def test_fault_1_features_that_are_not_there_or_none(bench: Bench, tool: str, elsewhere: Path) -> None:
    own = {"where": None, "field": None}
    assert "absent.gpkg" in bench.refused(tool, **{**own, flag(tool): elsewhere / "absent.gpkg"})
    (elsewhere / "text.gpkg").write_text("nothing")
    assert "text.gpkg" in bench.refused(tool, **{**own, flag(tool): elsewhere / "text.gpkg"})


@pytest.mark.parametrize("tool", EVERY)
def test_fault_15_outputs_that_cannot_be(bench: Bench, tool: str) -> None:
    name = "r.gpkg" if tool in ("vector", "assess") else "r.tif"
    assert bench.call(tool).code == 0
    assert "exists" in bench.refused(tool)
    assert bench.call(tool, "--overwrite").code == 0
    assert "does not exist" in bench.refused(tool, output=f"absent/{name}")
    sentence = bench.run(
        tool, bench.ground.folder / ("map.tif" if tool == "assess" else "e.tif"),
        "-o", bench.ground.folder / ("labels.gpkg" if tool in ("vector", "assess") else "e.tif"),
        "--overwrite",
        *{
            "similar": ("--labels", bench.ground.folder / "labels.gpkg"),
            "estimate": ("--labels", bench.ground.folder / "numbers.gpkg"),
            "vector": ("--polygons", bench.ground.folder / "labels.gpkg"),
            "change": ("--after", bench.ground.folder / "e2.tif"), "cluster": (),
            "apply": ("--head", bench.ground.folder / "head.safetensors"),
            "assess": ("--sample", bench.ground.folder / "labels.gpkg"),
        }[tool],
    ).sentence  # fmt: skip
    assert "one of the inputs" in sentence


@pytest.mark.parametrize("tool", EVERY)
def test_fault_28_two_runs_with_one_output(bench: Bench, tool: str) -> None:
    held = HiddenFolder.claim(bench.out / ("r.gpkg" if tool in ("vector", "assess") else "r.tif"))
    try:
        name = bench.ground.folder / ("map.tif" if tool == "assess" else "e.tif")
        ran = bench.run(
            tool, name, "-o", bench.out / ("r.gpkg" if tool in ("vector", "assess") else "r.tif"),
            *(("--labels", bench.ground.folder / "numbers.gpkg") if tool in ("similar", "estimate") else ()),
            *(("--polygons", bench.ground.folder / "labels.gpkg") if tool == "vector" else ()),
            *(("--after", bench.ground.folder / "e2.tif") if tool == "change" else ()),
            *(("--head", bench.ground.folder / "head.safetensors") if tool == "apply" else ()),
        )  # fmt: skip
        assert "another run" in ran.sentence
    finally:
        held.release()


# ---- Features --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", LABELLED)
def test_fault_16_a_layer_without_features(bench: Bench, tool: str, elsewhere: Path) -> None:
    empty = features(elsewhere / "empty.gpkg", [], number=[])
    assert "empty.gpkg" in bench.refused(tool, **{flag(tool): empty, "where": None})
    assert "labels.gpkg" in bench.refused(
        tool, **{flag(tool): bench.ground.folder / "labels.gpkg", "where": "kind = 'x'"}
    )


@pytest.mark.parametrize("tool", LABELLED)
def test_fault_16_a_condition_that_is_no_sql(bench: Bench, tool: str) -> None:
    sentence = bench.refused(tool, where="kind ==== 3", **{flag(tool): bench.ground.folder / "labels.gpkg"})
    assert "kind ==== 3" in sentence


@pytest.mark.parametrize("tool", LABELLED)
def test_fault_17_features_elsewhere_or_in_another_crs(bench: Bench, tool: str, elsewhere: Path) -> None:
    far = features(elsewhere / "far.gpkg", [box(0, 0, 50, 50)] * 20, number=list(range(20)))
    assert "far.gpkg" in bench.refused(tool, **{flag(tool): far, "where": None})
    source = bench.ground.folder / ("numbers.gpkg" if tool == "estimate" else "labels.gpkg")
    turned = elsewhere / "turned.gpkg"
    gpd.read_file(source).to_crs("EPSG:4326").to_file(turned)
    assert bench.call(tool, **{flag(tool): turned}).code == 0


@pytest.mark.parametrize("tool", LABELLED)
def test_fault_18_lines_are_refused(bench: Bench, tool: str, elsewhere: Path) -> None:
    lines = features(elsewhere / "lines.gpkg", [LineString([(400_100, 5_799_900), (400_400, 5_799_500)])], number=[1.0])
    assert "lines.gpkg" in bench.refused(tool, **{flag(tool): lines, "where": None})


def test_fault_18_a_polygon_that_crosses_itself_is_an_example(bench: Bench, elsewhere: Path) -> None:
    bow = Polygon([(400_300, 5_799_700), (400_500, 5_799_500), (400_500, 5_799_700), (400_300, 5_799_500)])
    assert bench.call("similar", labels=features(elsewhere / "bow.gpkg", [bow]), where=None).code == 0


def test_fault_17_examples_on_nodata(bench: Bench, elsewhere: Path) -> None:
    nowhere = features(elsewhere / "nowhere.gpkg", [bench.ground.box(1, 1)])
    assert "hold" in bench.refused("similar", labels=nowhere, where=None)


def test_fault_20_an_example_smaller_than_a_cell_takes_its_cell(bench: Bench, elsewhere: Path) -> None:
    small = features(elsewhere / "small.gpkg", [bench.ground.box(30.1, 30.1, 0.2)])
    assert bench.call("similar", labels=small, where=None).code == 0


def test_examples_of_everything_are_said_to_be_no_kind(
    bench: Bench, elsewhere: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chance = np.random.default_rng(0)
    spots = [bench.ground.box(*place, 1) for place in chance.integers(11, 58, (60, 2))]
    with caplog.at_level("WARNING", logger="gfm_core"):
        assert bench.call("similar", labels=features(elsewhere / "all.gpkg", spots), where=None).code == 0
    assert "not much like each other" in caplog.text


def test_several_layers_must_be_chosen_from(bench: Bench, elsewhere: Path) -> None:
    path = elsewhere / "two.gpkg"
    frame = gpd.read_file(bench.ground.folder / "labels.gpkg")
    frame.to_file(path, layer="one")
    frame.to_file(path, layer="other")
    assert "one, other" in bench.refused("similar", labels=path, where=None)
    assert bench.call("similar", labels=path, where=None, layer="other").code == 0


def test_a_raster_where_features_are_wanted(bench: Bench) -> None:
    for tool in ("similar", "vector"):
        assert "map.tif" in bench.refused(tool, **{flag(tool): bench.ground.folder / "map.tif", "where": None})


# ---- Numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ([None] * 20, "no number"), (["x"] * 20, "no number"), ([4.0] * 20, "have the number 4"),
        ([1.0, 2.0, 3.0], "3 known numbers"),
    ],
)  # fmt: skip
def test_numbers_that_say_nothing(bench: Bench, elsewhere: Path, numbers: list[Any], told: str) -> None:
    places = [bench.ground.box(12 + 2 * at, 30, 1) for at in range(len(numbers))]
    path = features(elsewhere / "numbers.gpkg", places, number=numbers)
    assert told in bench.refused("estimate", labels=path)


def test_a_field_that_is_not_there_is_told_with_those_that_are(bench: Bench) -> None:
    assert "'number'" in bench.refused("estimate", field="nubmer")


def test_places_all_together_are_estimated_with_a_warning(bench: Bench, elsewhere: Path) -> None:
    places = [Point(400_000 + 20 * (30.5 + at % 4), 5_800_000 - 20 * (30.5 + at // 4)) for at in range(12)]
    path = features(elsewhere / "close.gpkg", places, number=list(range(12)))
    ran = bench.call("estimate", labels=path)
    assert ran.code == 0, ran.err
    assert "All places lie together" in ran.err
    with rasterio.open(bench.out / "r_interval.tif") as source:
        assert np.isnan(source.read()).all()  # no interval is claimed


# ---- Change ----------------------------------------------------------------------------------------------------------


def test_dates_that_do_not_fit(bench: Bench, elsewhere: Path) -> None:
    folder = bench.ground.folder
    assert "different grids" in bench.refused("change", after=folder / "coarser.tif")
    values = np.random.default_rng(1).integers(300, 900, (4, 40, 40)).astype(np.uint16)
    names = ["B02", "B03", "B04", "B08"]
    away = write_raster(
        elsewhere / "away.tif", values, names=names, nodata=0,
        transform=rasterio.Affine(10, 0, 500_000, 0, -10, 5_800_000),
    )  # fmt: skip
    gfm.embed([away], elsewhere / "away_e.tif", like=str(folder / "e.tif"))
    assert "share no ground" in bench.refused("change", after=elsewhere / "away_e.tif")
    two = write_raster(elsewhere / "two.tif", values[:2], names=["one", "other"], nodata=0)
    gfm.embed([two], elsewhere / "two_e.tif", groups=("fine", "coarse"))
    assert "same sensors and bands" in bench.refused("change", after=elsewhere / "two_e.tif")


def test_floats_and_bytes_can_be_compared(bench: Bench) -> None:
    assert bench.call("change", after=bench.ground.folder / "floats.tif").code == 0


def test_the_same_date_twice_gives_an_empty_layer_of_changes(bench: Bench) -> None:
    ran = bench.call("change", after=bench.ground.embedding)
    assert ran.code == 0, ran.err
    changes = gpd.read_file(bench.out / "r_changes.gpkg")
    assert len(changes) == 0
    assert "area_m2" in changes.columns


def test_thresholds_that_leave_nothing_give_empty_layers(bench: Bench) -> None:
    assert bench.call("change", threshold=1000).code == 0
    assert bench.call("similar", "--overwrite", threshold=100, **{"min-area": 1e9}).code == 0
    assert len(gpd.read_file(bench.out / "r_places.gpkg")) == 0


# ---- Heads and maps --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", ["apply", "change"])
def test_fault_22_a_head_that_does_not_fit(bench: Bench, tool: str, elsewhere: Path) -> None:
    head = bench.ground.folder / "head.safetensors"
    coarser = bench.ground.folder / "coarser.tif"
    after = {"after": coarser} if tool == "change" else {}
    sentence = bench.refused(tool, first=coarser, head=head, **after)
    assert "head.safetensors" in sentence
    assert "40" in sentence
    (elsewhere / "no.safetensors").write_bytes(b"no head")
    assert "no.safetensors" in bench.refused(tool, head=elsewhere / "no.safetensors")
    assert "absent" in bench.refused(tool, head=elsewhere / "absent.safetensors")


def test_maps_that_cannot_be_assessed(bench: Bench, elsewhere: Path) -> None:
    place = {"transform": rasterio.Affine(10, 0, 400_000, 0, -10, 5_800_000)}
    one = write_raster(elsewhere / "one.tif", np.ones((1, 20, 20), np.uint8), **place)
    assert "one.tif" in bench.refused("assess", first=one)
    floats = write_raster(
        elsewhere / "floats.tif", np.random.default_rng(0).random((1, 20, 20)).astype(np.float32), **place
    )
    assert "floats.tif" in bench.refused("assess", first=floats)
    with rasterio.open(
        elsewhere / "nowhere.tif", "w", driver="GTiff", width=9, height=9, count=1, dtype="uint8"
    ) as made:
        made.write(np.arange(81, dtype=np.uint8).reshape(1, 9, 9) % 3 + 1)
    assert "no CRS" in bench.refused("assess", first=elsewhere / "nowhere.tif")


def test_samples_that_cannot_be_judged(bench: Bench, elsewhere: Path) -> None:
    assert bench.call("assess", count=30, least=5).code == 0
    points = elsewhere / "points.gpkg"
    shutil.copy(bench.out / "r.gpkg", points)
    judged = {"sample": points, "output": "judged.gpkg"}
    assert "'reference'" in bench.refused("assess", **judged)  # nobody has looked yet
    frame = gpd.read_file(points)
    frame.assign(reference="swamp").to_file(points)
    assert "'swamp'" in bench.refused("assess", **judged)
    assert "low" in bench.refused("assess", **judged)  # what could be written instead
    assert "'truth'" in bench.refused("assess", field="truth", **judged)
    frame.assign(reference="LOW").set_geometry(frame.buffer(5)).to_file(points)
    assert "points only" in bench.refused("assess", **judged)
    frame.assign(reference="LOW").to_file(points)  # another case is no other class
    assert bench.call("assess", **judged).code == 0
    assert "belong to points" in bench.refused("assess", field="reference", output="again.gpkg")


def test_numbers_of_classes_that_no_map_has(bench: Bench, elsewhere: Path) -> None:
    place = {"transform": rasterio.Affine(10, 0, 400_000, 0, -10, 5_800_000)}
    for name, values in (("negative", [-1, 0, 1]), ("large", [1, 2, 3_000_000])):
        map_ = np.resize(np.array(values, np.int32), (1, 20, 20))
        assert "renumber" in bench.refused("assess", first=write_raster(elsewhere / f"{name}.tif", map_, **place))


def test_polygons_without_a_crs_are_taken_to_lie_in_the_raster_s(bench: Bench, elsewhere: Path) -> None:
    bare = features(elsewhere / "bare.gpkg", [bench.ground.box(20, 20)], crs=None)
    assert bench.call("vector", polygons=bare).code == 0
    told = gpd.read_file(bench.out / "r.gpkg")
    assert told.filter(like="_mean").notna().all(axis=None)


def test_names_that_tables_do_not_have(bench: Bench) -> None:
    assert ".gpkg" in bench.refused("assess", output="r.shp")
    assert ".gpkg or .parquet" in bench.refused("vector", output="r.shp")
    assert "holds no network" in bench.refused("similar", groups="network")


@pytest.mark.parametrize(
    ("tool", "own"),
    [
        ("cluster", {"count": 1}), ("cluster", {"count": 256}), ("similar", {"count": 0}),
        ("similar", {"threshold": 101}), ("estimate", {"coverage": 1}), ("estimate", {"method": "best"}),
        ("assess", {"least": 1}), ("change", {"threshold": -1}), ("vector", {"statistics": "median"}),
    ],
)  # fmt: skip
def test_numbers_out_of_range_are_refused_by_name(bench: Bench, tool: str, own: dict[str, Any]) -> None:
    assert next(iter(own)) in bench.refused(tool, **own)
