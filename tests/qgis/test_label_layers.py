"""Labels as QGIS has them: whatever the layer is, the map is that of the same features in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import processing
import pytest
from osgeo import ogr
from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsFeatureRequest,
    QgsFillSymbol,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProject,
    QgsRasterLayer,
    QgsRendererCategory,
    QgsVectorLayer,
)

from tests.qgis.conftest import Told
from tests.qgis.place import SmallPlace, gfm, labels_file, same_raster

pytestmark = pytest.mark.usefixtures("environment")

CLASSIFY = "jepagfm:classifylandcover"
TRAIN = "split = 'train'"


def layer_of(path: str) -> QgsVectorLayer:
    """A layer in the project, as users have them."""
    layer = QgsVectorLayer(path, "landuse", "ogr")
    assert layer.isValid()
    QgsProject.instance().addMapLayer(layer)
    return layer


def map_in_qgis(embedding: Path, output: Path, labels: Any, told: Told | None = None, **more: Any) -> Path:
    values = {"INPUTS": [str(embedding)], "LABELS": labels, "FIELD": "fclass", "OUTPUT": str(output), **more}
    return Path(processing.run(CLASSIFY, values, feedback=told)["OUTPUT"])


def map_of_file(embedding: Path, output: Path, labels: str, *more: str) -> Path:
    gfm("classify", embedding, "--labels", labels, "--field", "fclass", "-o", output, *more)
    return output


@pytest.fixture(scope="module")
def of_all(place: SmallPlace, embedding: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The map of all polygons, by the command line."""
    return map_of_file(embedding, tmp_path_factory.mktemp("all") / "map.tif", place.labels)


@pytest.fixture(scope="module")
def of_train(embedding: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The map of the training polygons alone, in a file of their own."""
    folder = tmp_path_factory.mktemp("train")
    return map_of_file(embedding, folder / "map.tif", labels_file(folder / "train.gpkg", where=TRAIN))


def test_a_plain_file_is_read_where_it_is(
    place: SmallPlace, embedding: Path, of_all: Path, tmp_path: Path, told: Told
) -> None:
    made = map_in_qgis(embedding, tmp_path / "map.tif", layer_of(place.labels), told)
    assert f"--labels {place.labels}" in told.commands[0]
    assert same_raster(made, of_all)


def test_a_memory_layer_gives_the_map_of_its_features(
    place: SmallPlace, embedding: Path, of_all: Path, tmp_path: Path, told: Told
) -> None:
    memory = layer_of(place.labels).materialize(QgsFeatureRequest())
    assert memory.providerType() == "memory"
    assert same_raster(map_in_qgis(embedding, tmp_path / "map.tif", memory, told), of_all)
    assert any("save the layer" in line for line in told.infos)


def test_a_filtered_layer_gives_the_map_of_what_it_shows(
    place: SmallPlace, embedding: Path, of_train: Path, tmp_path: Path
) -> None:
    layer = layer_of(place.labels)
    layer.setSubsetString(TRAIN)
    assert same_raster(map_in_qgis(embedding, tmp_path / "map.tif", layer), of_train)


def test_selected_features_alone_give_their_map(
    place: SmallPlace, embedding: Path, of_train: Path, tmp_path: Path
) -> None:
    layer = layer_of(place.labels)
    layer.selectByExpression(TRAIN)
    chosen = QgsProcessingFeatureSourceDefinition(layer.id(), True)
    assert same_raster(map_in_qgis(embedding, tmp_path / "map.tif", chosen), of_train)


def test_a_selection_that_is_not_asked_for_changes_nothing(
    place: SmallPlace, embedding: Path, of_all: Path, tmp_path: Path
) -> None:
    layer = layer_of(place.labels)
    layer.selectByExpression(TRAIN)
    assert same_raster(map_in_qgis(embedding, tmp_path / "map.tif", layer.id()), of_all)


def test_edits_that_are_not_saved_count(place: SmallPlace, embedding: Path, of_train: Path, tmp_path: Path) -> None:
    layer = layer_of(labels_file(tmp_path / "edited.gpkg"))
    layer.startEditing()
    layer.selectByExpression("split = 'check'")
    layer.deleteSelectedFeatures()
    assert same_raster(map_in_qgis(embedding, tmp_path / "map.tif", layer), of_train)
    layer.rollBack()


def test_a_layer_in_another_crs_gives_the_same_map_as_its_file(embedding: Path, tmp_path: Path) -> None:
    degrees = labels_file(tmp_path / "degrees.gpkg", dstSRS="EPSG:4326")
    wanted = map_of_file(embedding, tmp_path / "file.tif", degrees)
    memory = layer_of(degrees).materialize(QgsFeatureRequest())
    assert memory.crs().authid() == "EPSG:4326"
    assert same_raster(map_in_qgis(embedding, tmp_path / "map.tif", memory), wanted)


def test_an_expression_chooses_the_labels_and_the_rest_checks_the_map(
    place: SmallPlace, embedding: Path, tmp_path: Path
) -> None:
    values = {
        "INPUTS": [str(embedding)], "LABELS": place.labels, "FIELD": "fclass", "WHERE": '"split" = \'train\'',
        "CHECK_REST": True, "OUTPUT": str(tmp_path / "map.tif"),
    }  # fmt: skip
    result = processing.run(CLASSIFY, values)
    said = gfm(
        "classify", embedding, "--labels", place.labels, "--field", "fclass", "--where", TRAIN, "--check", "rest",
        "-o", tmp_path / "file.tif",
    )  # fmt: skip
    assert same_raster(result["OUTPUT"], tmp_path / "file.tif")
    assert f"macro-F1 on the check labels: {result['MACRO_F1_CHECK']:.3f}" in said


@pytest.mark.parametrize("wrong", ['"split" = ', "nothing('x')"])
def test_an_expression_that_cannot_be_read_is_a_sentence(
    place: SmallPlace, embedding: Path, tmp_path: Path, wrong: str
) -> None:
    with pytest.raises(QgsProcessingException, match=r"The expression .* (read|evaluated)"):
        map_in_qgis(embedding, tmp_path / "map.tif", place.labels, WHERE=wrong)
    assert list(tmp_path.iterdir()) == []


def test_one_layer_of_a_file_with_several_is_named(
    place: SmallPlace, embedding: Path, tmp_path: Path, told: Told
) -> None:
    several = labels_file(tmp_path / "several.gpkg")
    source = ogr.Open(several, 1)
    other = source.CreateLayer("other", source.GetLayer(0).GetSpatialRef(), ogr.wkbPolygon)
    other.CreateField(ogr.FieldDefn("fclass", ogr.OFTString))
    del other, source
    made = map_in_qgis(embedding, tmp_path / "map.tif", layer_of(f"{several}|layername=several"), told)
    assert "--layer several" in told.commands[0]
    assert made.is_file()


def test_fields_that_a_geopackage_keeps_for_itself_survive(
    place: SmallPlace, embedding: Path, of_all: Path, tmp_path: Path
) -> None:
    memory = QgsVectorLayer("MultiPolygon?crs=EPSG:32633&field=fid:string&field=geom:string", "odd", "memory")
    source = layer_of(place.labels)
    from qgis.core import QgsCoordinateTransform, QgsFeature

    turn = QgsCoordinateTransform(source.crs(), memory.crs(), QgsProject.instance())
    for feature in source.getFeatures():
        copy = QgsFeature(memory.fields())
        geometry = feature.geometry()
        geometry.transform(turn)
        geometry.convertToMultiType()
        copy.setGeometry(geometry)
        copy.setAttributes([feature["fclass"], "x"])
        memory.dataProvider().addFeature(copy)
    made = map_in_qgis(embedding, tmp_path / "map.tif", memory, FIELD="fid")
    assert QgsRasterLayer(str(made)).isValid()


def test_the_colours_of_a_memory_layer_become_those_of_the_map(
    place: SmallPlace, embedding: Path, tmp_path: Path
) -> None:
    memory = layer_of(place.labels).materialize(QgsFeatureRequest())
    categories = [
        QgsRendererCategory(name, QgsFillSymbol.createSimple({"color": colour}), name)
        for name, colour in (("forest", "#010203"), ("meadow", "#040506"))
    ]
    memory.setRenderer(QgsCategorizedSymbolRenderer("fclass", categories))
    made = map_in_qgis(embedding, tmp_path / "map.tif", memory)
    layer = QgsRasterLayer(str(made))
    colours = {item.label: item.color.name() for item in layer.renderer().classes()}
    assert colours["forest"] == "#010203"
    assert colours["meadow"] == "#040506"


def test_an_expression_that_chooses_nothing_is_named(place: SmallPlace, embedding: Path, tmp_path: Path) -> None:
    with pytest.raises(QgsProcessingException, match="\"splt\" = 'train' chooses none of the labels"):
        map_in_qgis(embedding, tmp_path / "map.tif", place.labels, WHERE="\"splt\" = 'train'")
    assert list(tmp_path.iterdir()) == []


def test_a_memory_layer_without_a_crs_is_taken_to_be_in_that_of_the_raster(
    place: SmallPlace, embedding: Path, of_all: Path, tmp_path: Path, told: Told
) -> None:
    from qgis.core import QgsCoordinateReferenceSystem

    projected = layer_of(labels_file(tmp_path / "utm.gpkg", dstSRS="EPSG:32633"))
    memory = projected.materialize(QgsFeatureRequest())
    memory.setCrs(QgsCoordinateReferenceSystem())
    made = map_in_qgis(embedding, tmp_path / "map.tif", memory, told)
    assert any("has no CRS" in line for line in told.infos)
    assert same_raster(made, of_all)


def test_labels_to_check_on_may_be_one_layer_of_several(place: SmallPlace, embedding: Path, tmp_path: Path) -> None:
    several = labels_file(tmp_path / "several.gpkg")
    source = ogr.Open(several, 1)
    source.CreateLayer("other", source.GetLayer(0).GetSpatialRef(), ogr.wkbPolygon)
    del source
    values = {
        "INPUTS": [str(embedding)], "LABELS": place.labels, "FIELD": "fclass",
        "CHECK": layer_of(f"{several}|layername=several"), "OUTPUT": str(tmp_path / "map.tif"),
    }  # fmt: skip
    assert processing.run(CLASSIFY, values)["MACRO_F1_CHECK"] > 0.5
