"""The algorithms are what the description says, with names, helps and widgets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from qgis.core import (
    QgsApplication,
    QgsProcessingAlgorithm,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterNumber,
    QgsUnitTypes,
)

from qgis_plugin import settings
from qgis_plugin.provider import JepaGfmProvider
from tests.qgis.place import REPOSITORY

pytestmark = pytest.mark.usefixtures("environment")

TOOLS = {item["name"]: item for item in json.loads((REPOSITORY / "qgis_plugin" / "tools.json").read_text())["tools"]}
IDS = {
    "embed": "jepagfm:embedlayers", "classify": "jepagfm:classifylandcover", "apply": "jepagfm:applyasavedclassifier",
    "similar": "jepagfm:findsimilarplaces", "change": "jepagfm:detectchange", "cluster": "jepagfm:cluster",
    "estimate": "jepagfm:estimatevalues", "assess": "jepagfm:assessaccuracy", "vector": "jepagfm:embedtovector",
}  # fmt: skip
NOT_ASKED = {"overwrite", "device", "layer"}


def algorithm(tool: str) -> QgsProcessingAlgorithm:
    found = QgsApplication.processingRegistry().createAlgorithmById(IDS[tool])
    assert found is not None
    return found


def in_qgis(name: str) -> str:
    return "INPUTS" if name == "rasters" else name.upper()


def test_all_tools_are_there_under_their_lasting_ids(provider: JepaGfmProvider) -> None:
    assert sorted(item.id() for item in provider.algorithms()) == sorted(IDS.values())
    titles = {item.displayName() for item in provider.algorithms()}
    assert {"Embed layers", "Classify land cover", "Find similar places", "Apply a saved classifier"} < titles


@pytest.mark.parametrize("tool", TOOLS)
def test_the_form_asks_for_every_parameter_of_the_tool(tool: str) -> None:
    form = algorithm(tool)
    for told in TOOLS[tool]["parameters"]:
        definition = form.parameterDefinition(in_qgis(told["name"]))
        if told["name"] in NOT_ASKED:
            assert definition is None
            continue
        assert definition.description() == told["label"]
        assert definition.help() == (told["in_form"] or told["help"])
        optional = bool(definition.flags() & QgsProcessingParameterDefinition.Flag.FlagOptional)
        advanced = bool(definition.flags() & QgsProcessingParameterDefinition.Flag.FlagAdvanced)
        assert advanced == told["advanced"]
        assert optional or told["required"] or definition.defaultValue() is not None


@pytest.mark.parametrize("tool", TOOLS)
def test_numbers_have_their_range_and_distances_their_unit(tool: str) -> None:
    form = algorithm(tool)
    for told in TOOLS[tool]["parameters"]:
        definition = form.parameterDefinition(in_qgis(told["name"]))
        if not isinstance(definition, QgsProcessingParameterNumber):
            continue
        assert definition.minimum() == told["minimum"]
        assert definition.maximum() == told["maximum"]
        if told["unit"] == "m":
            assert QgsUnitTypes.toString(definition.defaultUnit()) == "meters"


@pytest.mark.parametrize("tool", TOOLS)
def test_only_the_inputs_are_mandatory_so_that_models_can_hold_the_tools(tool: str) -> None:
    form = algorithm(tool)
    mandatory = [
        item.name()
        for item in form.parameterDefinitions()
        if not item.flags() & QgsProcessingParameterDefinition.Flag.FlagOptional
        and item.defaultValue() is None
        and not item.isDestination()
    ]
    others = {"similar": ["LABELS"], "vector": ["LABELS"], "change": ["AFTER"], "apply": ["HEAD"]}
    assert mandatory == (["MAP"] if tool == "assess" else ["INPUTS", *others.get(tool, [])])


@pytest.mark.parametrize("tool", TOOLS)
def test_the_help_names_every_parameter_and_output_and_has_an_example(tool: str) -> None:
    form = algorithm(tool)
    page = form.shortHelpString()
    for definition in form.parameterDefinitions():
        assert f"<b>{definition.description()}" in page
    assert "Cell size (m)</b>" in page or tool == "assess"
    assert "Example" in page
    assert "--" not in page  # nothing that can only be typed


@pytest.mark.parametrize("tool", TOOLS)
def test_every_number_of_the_outcome_is_an_output(tool: str) -> None:
    form = algorithm(tool)
    names = {item.name() for item in form.outputDefinitions()}
    numbers = {item["name"].upper() for item in TOOLS[tool]["outcome"] if item["kind"] == "number"}
    given = {in_qgis(item["name"]) for item in TOOLS[tool]["parameters"]}
    assert "OUTPUT" in names
    assert {f"{name}_NUMBER" if name in given else name for name in numbers} <= names


@pytest.mark.parametrize("tool", TOOLS)
def test_each_tool_has_its_own_icon_and_tags(tool: str) -> None:
    form = algorithm(tool)
    assert Path(form.svgIconPath()).stem == IDS[tool].split(":")[1]
    assert not form.icon().isNull()
    assert len(form.tags()) >= 4
    assert form.flags() & QgsProcessingAlgorithm.Flag.FlagCanCancel


def test_a_geotiff_is_offered_for_the_result(provider: JepaGfmProvider) -> None:
    form = algorithm("embed")
    destination = form.parameterDefinition("OUTPUT")
    assert destination.defaultFileExtension() == "tif"
    assert provider.supportedOutputRasterLayerExtensions() == ["tif", "tiff"]


def test_without_an_environment_the_tools_say_where_to_set_it_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    settings.choose_python("")
    possible, reason = algorithm("embed").canExecute()
    assert not possible
    assert "Settings > Options > JEPA-GFM" in reason
