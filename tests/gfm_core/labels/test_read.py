from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import GeometryCollection, LineString, MultiPoint, MultiPolygon, Point, Polygon, box

from gfm_core.errors import LabelError
from gfm_core.labels.read import RasterLabels, VectorLabels, read_labels
from tests.gfm_core.labels.conftest import MakeLayer


def read_vector(path: Path, **options: object) -> VectorLabels:
    labels = read_labels(path, **options)  # type: ignore[arg-type]
    assert isinstance(labels, VectorLabels)
    return labels


def told(labels: VectorLabels | RasterLabels) -> str:
    return " ".join(labels.notes)


def test_classes_of_real_polygons_are_those_of_the_field(shared_data: Path) -> None:
    labels = read_vector(shared_data / "brandenburg" / "osm_landuse.gpkg")
    counts = {"meadow": 118, "wetland": 112, "farm": 107, "scrub": 103, "forest": 90, "water": 36, "residential": 28}
    counts["grass"] = 10  # all from the data's README
    units = labels.frame.drop_duplicates("unit")["code"].value_counts().to_dict()
    assert {item.name: units[item.code] for item in labels.classes} == counts
    assert [item.name for item in labels.classes] == sorted(counts)


@pytest.mark.parametrize(
    ("file", "classes"),
    [
        ("jura/points.gpkg", 5),
        ("beaufort/polygons.gpkg", 6),
        ("north_carolina/points.gpkg", 7),
        ("north_carolina/labelled_pixels.tif", 7),
        ("gewata/lulc.tif", 6),
        ("gewata/training.gpkg", None),
        ("languedoc/parcels.gpkg", 8),
        ("mato_grosso/samples.gpkg", None),
        ("paraguay/polygons.gpkg", 4),
    ],
)
def test_class_field_of_real_layers_is_found(shared_data: Path, file: str, classes: int | None) -> None:
    labels = read_labels(shared_data / file)
    assert len(labels.classes) == classes or classes is None


def test_null_classes_are_counted(make_layer: MakeLayer) -> None:
    labels = read_vector(make_layer(["a", None, "b", "", "  "]))
    assert len(labels.frame) == 2
    assert "without a value in field 'class', not used: 3 of 5" in told(labels)


def test_integers_beside_nulls_stay_integers(make_layer: MakeLayer) -> None:
    labels = read_vector(make_layer([5, None, 9]))
    assert [(item.code, item.value) for item in labels.classes] == [(5, 5), (9, 9)]
    assert all(type(item.value) is int for item in labels.classes)


def test_condition_chooses_rows_and_rest_gives_all_others(make_layer: MakeLayer) -> None:
    path = make_layer(["a", "b", "a", "b", "c"], split=["train", "train", "test", None, "test"])
    chosen = read_vector(path, field="class", where="split = 'train'")
    assert len(chosen.frame) == 2
    others = read_vector(path, field="class", where="split = 'train'", rest=True, classes=chosen.classes)
    # The row whose split is null is left out by the condition, so it belongs to the rest; class c is none of the map's.
    assert others.frame["code"].tolist() == [1, 2]
    assert "classes that the map does not have: 1 of 3 ('c')" in told(others)


@pytest.mark.parametrize("name", ["labels.gpkg", "labels.geojson"])
@pytest.mark.parametrize("where", ["split = = 1", "nofield = 'x'"])
def test_condition_that_is_no_sql_is_refused(make_layer: MakeLayer, where: str, name: str) -> None:
    with pytest.raises(LabelError, match=r"The condition where=.* is not valid for labels\.") as caught:
        read_labels(make_layer(["a", "b"], name=name), where=where)
    assert "\n" not in str(caught.value)


def test_condition_that_no_row_meets_is_refused(make_layer: MakeLayer) -> None:
    with pytest.raises(LabelError, match=r"has no labels for which \(class = 'z'\)"):
        read_labels(make_layer(["a", "b"]), where="class = 'z'")


def test_several_layers_need_a_choice(make_layer: MakeLayer, tmp_path: Path) -> None:
    path = make_layer(["a", "b"])
    gpd.read_file(path).to_file(path, layer="other")
    with pytest.raises(LabelError, match="several layers; choose one with layer: labels, other"):
        read_labels(path)
    with pytest.raises(LabelError, match="no layer 'othr'; use 'other'"):
        read_labels(path, layer="othr")
    assert len(read_vector(path, layer="other").classes) == 2


def test_fields_that_could_all_be_the_class_need_a_choice(make_layer: MakeLayer) -> None:
    path = make_layer(["a", "b"], field="soil", owner=["x", "y"])
    with pytest.raises(LabelError, match="choose it with field: 'soil', 'owner'"):
        read_labels(path)


def test_ids_splits_and_dates_are_not_taken_for_the_class(make_layer: MakeLayer) -> None:
    path = make_layer(["a", "b"], field="Nutzung", osm_id=[1, 2], split=["x", "y"], plot_date=["1", "2"])
    assert "Field 'Nutzung'" in told(read_vector(path))


def test_parts_of_a_feature_share_its_unit(make_layer: MakeLayer) -> None:
    two = MultiPolygon([box(0, 0, 1, 1), box(5, 5, 6, 6)])
    mixed = GeometryCollection([Point(9, 9), LineString([(0, 0), (1, 1)]), MultiPolygon([box(7, 7, 8, 8)])])
    labels = read_vector(make_layer(["a", "b", "a"], [two, mixed, MultiPoint([(1, 1), (2, 2)])]))
    assert labels.frame["unit"].tolist() == [0, 0, 1, 1, 2, 2]
    assert set(labels.frame.geom_type) == {"Polygon", "Point"}


def test_a_polygon_that_crosses_itself_is_repaired_with_both_lobes(make_layer: MakeLayer) -> None:
    bow_tie = Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    labels = read_vector(make_layer(["a", "b"], [bow_tie, box(5, 5, 6, 6)]))
    assert labels.frame.loc[labels.frame["unit"] == 0].area.sum() == pytest.approx(2.0)
    assert "repaired: 1" in told(labels)


def test_a_table_without_geometry_is_refused(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("class,x\na,1\nb,2\n")
    with pytest.raises(LabelError, match=r"table\.csv has no geometry"):
        read_labels(tmp_path / "table.csv")


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.gpkg").write_text("not a layer")
    with pytest.raises(LabelError, match=r"notes\.gpkg is neither a vector layer nor a raster"):
        read_labels(tmp_path / "notes.gpkg")
    with pytest.raises(LabelError, match=r"Labels gone\.gpkg do not exist"):
        read_labels(tmp_path / "gone.gpkg")


def test_rest_needs_a_condition(make_layer: MakeLayer) -> None:
    with pytest.raises(LabelError, match="needs a condition"):
        read_labels(make_layer(["a", "b"]), rest=True)


def test_check_labels_may_be_of_one_class(make_layer: MakeLayer) -> None:
    known = read_vector(make_layer(["a", "b"])).classes
    check = read_vector(make_layer(["b", "b"], name="check.gpkg"), classes=known)
    assert check.classes == known
    assert np.array_equal(check.frame["code"], [2, 2])
    with pytest.raises(LabelError, match="no labels of the map's classes in field 'class'; it holds 'z'"):
        read_labels(make_layer(["z"], name="foreign.gpkg"), classes=known)
