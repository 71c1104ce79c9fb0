"""What cannot work is one sentence for every tool, before a worker starts; what may happen during a run is survived."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import processing
import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)

from qgis_plugin import settings
from tests.qgis.conftest import Told
from tests.qgis.place import SmallPlace
from tests.qgis.test_form import IDS, TOOLS

pytestmark = pytest.mark.usefixtures("environment")


def form(tool: str, raster: Any, place: SmallPlace, output: Path) -> dict[str, Any]:
    """Values that name everything that a tool needs, with `raster` wherever one goes."""
    given: dict[str, Any] = {"OUTPUT": str(output)}
    for item in TOOLS[tool]["parameters"]:
        if item["name"] == "rasters":
            given["INPUTS"] = [raster]
        elif item["role"] == "rasters":
            given[item["name"].upper()] = [raster]
        elif item["role"] == "raster":
            given["MAP"] = raster
        elif item["name"] == "labels":
            given["LABELS"] = place.labels
        elif item["name"] == "head" and item["required"]:
            given["HEAD"] = str(output.with_name("head.safetensors"))
    return given


def sentence(tool: str, values: dict[str, Any]) -> str:
    with pytest.raises(QgsProcessingException) as caught:
        processing.run(IDS[tool], values)
    text = str(caught.value).strip().removeprefix("Unable to execute algorithm\n")  # QGIS's own first line
    assert "Traceback" not in text
    assert "\n" not in text
    return text


@pytest.mark.parametrize("tool", TOOLS)
def test_fault_29_without_an_environment_every_tool_says_where_to_set_it_up(
    tool: str, place: SmallPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    settings.choose_python("")
    assert "Settings > Options > JEPA-GFM" in sentence(tool, form(tool, place.rasters[0], place, tmp_path / "r.tif"))


@pytest.mark.parametrize("tool", TOOLS)
def test_a_layer_that_is_served_and_no_file_is_named(tool: str, place: SmallPlace, tmp_path: Path) -> None:
    served = QgsRasterLayer("type=xyz&url=http://127.0.0.1:9/{z}/{x}/{y}.png", "served", "wms")
    QgsProject.instance().addMapLayer(served)
    told = sentence(tool, form(tool, served, place, tmp_path / "r.tif"))
    assert "served" in told
    assert "export it as a GeoTIFF" in told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool not in ("embed", "assess")])
def test_fault_22_what_the_library_refuses_is_its_sentence(
    tool: str, place: SmallPlace, embedding: Path, tmp_path: Path
) -> None:
    values = form(tool, str(embedding), place, tmp_path / ("r.gpkg" if tool == "vector" else "r.tif"))
    if tool == "estimate":
        values["LABELS_RASTER"] = values.pop("LABELS") and place.rasters[0]
    if tool == "apply":
        assert "head.safetensors" in sentence(tool, values)  # there is no such file
    else:
        assert "cell_size is 20 m in embedding.tif" in sentence(tool, {**values, "CELL_SIZE": 33, "FIELD": "fclass"})
    assert list(tmp_path.iterdir()) == []


def test_known_values_may_be_left_out_only_for_a_raster_of_them(
    place: SmallPlace, embedding: Path, tmp_path: Path
) -> None:
    values = {"INPUTS": [str(embedding)], "OUTPUT": str(tmp_path / "r.tif")}
    assert "Known values are missing" in sentence("estimate", values)
    result = processing.run(IDS["estimate"], {**values, "LABELS_RASTER": place.rasters[0]})
    assert result["PLACES"] == 5000


def test_a_layer_that_is_removed_while_its_tool_runs(embedding: Path, tmp_path: Path) -> None:
    layer = QgsRasterLayer(str(embedding), "embedding")
    QgsProject.instance().addMapLayer(layer)
    feedback = QgsProcessingFeedback(False)
    feedback.progressChanged.connect(lambda _: QgsProject.instance().removeAllMapLayers())
    values = {"INPUTS": [layer], "COUNT": 3, "OUTPUT": str(tmp_path / "c.tif")}
    result = processing.run(IDS["cluster"], values, feedback=feedback)
    assert Path(result["OUTPUT"]).is_file()
    assert QgsProject.instance().mapLayers() == {}


def test_a_project_in_degrees(place: SmallPlace, tmp_path: Path, told: Told) -> None:
    QgsProject.instance().setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    values = {
        "INPUTS": place.rasters, "GROUPS": ["fine"], "COUNT": 3, "EXTENT": "12.652,12.662,52.486,52.492 [EPSG:4326]",
        "OUTPUT": str(tmp_path / "c.tif"),
    }  # fmt: skip
    result = processing.run(IDS["cluster"], values, feedback=told)
    layer = QgsRasterLayer(result["OUTPUT"])
    assert layer.crs().authid() == "EPSG:32633"
    assert 20 < layer.width() < 50


def test_selected_features_and_an_expression_choose_examples(
    place: SmallPlace, embedding: Path, tmp_path: Path
) -> None:
    from qgis.core import QgsProcessingFeatureSourceDefinition

    layer = QgsVectorLayer(place.labels, "labels")
    QgsProject.instance().addMapLayer(layer)
    layer.selectByExpression("\"fclass\" = 'water'")
    selected = QgsProcessingFeatureSourceDefinition(layer.id(), selectedFeaturesOnly=True)
    values = {"INPUTS": [str(embedding)], "COUNT": 5}
    one = processing.run(IDS["similar"], {**values, "LABELS": selected, "OUTPUT": str(tmp_path / "a.tif")})
    other = processing.run(
        IDS["similar"],
        {**values, "LABELS": place.labels, "WHERE": "\"fclass\" = 'water'", "OUTPUT": str(tmp_path / "b.tif")},
    )
    assert Path(one["OUTPUT"]).read_bytes() == Path(other["OUTPUT"]).read_bytes()
    assert one["COUNT_NUMBER"] == other["COUNT_NUMBER"] >= 1
    QgsProject.instance().clear()
