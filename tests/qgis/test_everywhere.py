"""Every tool from everywhere: toolbox, batch, model designer, `qgis_process`, command line, Python; all the same.

`docs/everywhere.md` is what these tests found; GFM_WRITE_TABLE=1 writes it anew. Most start programs and are long:
`pytest tests/qgis/test_everywhere.py -m "long or not long"` runs all of them, as `make test-long` does.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import processing
import pytest
from osgeo import gdal
from qgis.core import (
    QgsApplication,
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelOutput,
    QgsProcessingModelParameter,
    QgsProcessingParameterMultipleLayers,
    QgsProject,
    QgsVectorLayer,
)

from qgis_plugin.layer_actions import LayerActions, origin_of
from tests.qgis.conftest import Told
from tests.qgis.place import PYTHON, REPOSITORY, SmallPlace, gfm, labels_file, same_raster
from tests.qgis.test_form import IDS, TOOLS
from tests.qgis.test_installed import Home, archive, home  # noqa: F401 - fixtures
from tests.qgis.test_results import Iface, loaded

pytestmark = pytest.mark.usefixtures("environment")

TABLE = REPOSITORY / "docs" / "everywhere.md"
WAYS = ("toolbox", "batch", "model designer", "`qgis_process`", "command line", "Python")

Values = dict[str, dict[str, Any]]

_seen: dict[str, set[str]] = {}


def saw(tool: str, way: str) -> None:
    assert way in WAYS
    _seen.setdefault(tool, set()).add(way)


@pytest.fixture(scope="module")
def files(place: SmallPlace, embedding: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the tools need beside the embedding: water as examples, numbers, a map, a classifier, a later date."""
    folder = tmp_path_factory.mktemp("files")
    numbers = "SELECT geom, CAST(fid % 7 AS REAL) AS number FROM landuse"
    gdal.VectorTranslate(
        str(folder / "numbers.gpkg"), place.labels, format="GPKG", SQLStatement=numbers, SQLDialect="SQLITE"
    )
    made = {
        "examples": labels_file(folder / "examples.gpkg", where="fclass = 'water'"),
        "numbers": str(folder / "numbers.gpkg"),
        "map": str(folder / "map.tif"), "head": str(folder / "head.safetensors"), "later": str(folder / "later.tif"),
    }  # fmt: skip
    gfm(
        "classify", embedding, "--labels", place.labels, "--field", "fclass", "-o", made["map"], "--save-head",
        made["head"],
    )  # fmt: skip
    gfm("embed", *_later(place, folder), "-o", made["later"], "--like", embedding)
    return made


def _later(place: SmallPlace, folder: Path) -> list[str]:
    """The place with a square of it darkened, as a later date."""
    rasters = []
    for path in place.rasters:
        copied = str(folder / Path(path).name)
        dataset = gdal.GetDriverByName("GTiff").CreateCopy(copied, gdal.Open(path))
        side = dataset.RasterXSize // 8
        for number in range(dataset.RasterCount):
            band = dataset.GetRasterBand(number + 1)
            band.WriteArray(band.ReadAsArray(side, side, side, side) // 4, side, side)
        dataset = None
        rasters.append(copied)
    return rasters


@pytest.fixture(scope="module")
def values(place: SmallPlace, embedding: Path, files: dict[str, str]) -> Values:
    """The values of each tool's form, but for where the result goes."""
    one = {"INPUTS": [str(embedding)]}
    return {
        "embed": {"INPUTS": place.rasters, "GROUPS": ["fine"], "CELL_SIZE": 40},
        "classify": {**one, "LABELS": place.labels, "FIELD": "fclass", "GROUPS": ["fine"]},
        "apply": {**one, "HEAD": files["head"]},
        "similar": {**one, "LABELS": files["examples"], "COUNT": 7},
        "change": {**one, "AFTER": [files["later"]], "HEAD": files["head"]},
        "cluster": {**one, "COUNT": 5},
        "estimate": {**one, "LABELS": files["numbers"], "FIELD": "number"},
        "assess": {"MAP": files["map"], "COUNT": 40, "LEAST": 3},
        "vector": {**one, "LABELS": place.labels, "GROUPS": ["fine"]},
    }


def result_name(tool: str) -> str:
    vector = any(item["name"] == "output" and item["role"] == "output vector" for item in TOOLS[tool]["parameters"])
    return f"{tool}.gpkg" if vector else f"{tool}.tif"


def same(one: str | Path, other: str | Path) -> bool:
    """Whether two results are equal: rasters by what they hold, layers by their bytes."""
    if Path(one).suffix == ".gpkg":
        return Path(one).read_bytes() == Path(other).read_bytes()
    return same_raster(one, other)


_runs: dict[str, dict[str, Any]] = {}  # made once: fixtures of a wider scope would come before the environment


@pytest.fixture
def from_toolbox(
    environment: None, values: Values, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """Each tool run and loaded as the toolbox does it: result, log, layers."""
    if not _runs:
        folder = tmp_path_factory.mktemp("toolbox")
        for tool in TOOLS:
            told = Told()
            output = folder / result_name(tool)
            layers = loaded(IDS[tool], {**values[tool], "OUTPUT": str(output)}, told)
            _runs[tool] = {
                "output": output, "commands": told.commands, "errors": told.errors,
                "layers": {name: (layer.isValid(), origin_of(layer)) for name, layer in layers.items()},
            }  # fmt: skip
        QgsProject.instance().clear()
    return _runs


@pytest.mark.parametrize("tool", TOOLS)
def test_the_toolbox_loads_a_layer_that_knows_how_it_was_made(tool: str, from_toolbox: dict[str, Any]) -> None:
    run = from_toolbox[tool]
    assert run["errors"] == []
    assert run["output"].is_file()
    assert run["layers"]
    for valid, origin in run["layers"].values():
        assert valid
        assert origin.algorithm == IDS[tool]
        assert origin.command.startswith(f"gfm {tool} ")
        assert f"gfm.{tool}(" in origin.python
        assert not {"INPUTS", "AFTER", "OUTPUT", "LABELS", "MAP"} & set(origin.values)
    saw(tool, "toolbox")


@pytest.mark.long
@pytest.mark.parametrize("tool", TOOLS)
def test_the_command_of_the_log_gives_the_same(tool: str, from_toolbox: dict[str, Any], tmp_path: Path) -> None:
    import shlex

    run = from_toolbox[tool]
    words = shlex.split(run["commands"][0])
    words[words.index("-o") + 1] = str(tmp_path / run["output"].name)
    gfm(*words[1:])
    assert same(run["output"], tmp_path / run["output"].name)
    saw(tool, "command line")


@pytest.mark.long
def test_the_python_of_the_log_gives_the_same(from_toolbox: dict[str, Any], tmp_path: Path) -> None:
    lines = [run["commands"][1].replace(str(run["output"].parent), str(tmp_path)) for run in from_toolbox.values()]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "GDAL", "PROJ"))}
    done = subprocess.run(
        [PYTHON, "-I", "-c", "\n".join(lines)], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for tool, run in from_toolbox.items():
        assert same(run["output"], tmp_path / run["output"].name), tool
        saw(tool, "Python")


@pytest.mark.long
def test_a_batch_is_several_runs_of_one_algorithm(values: Values, tmp_path: Path, from_toolbox: dict[str, Any]) -> None:
    for tool, given in values.items():
        algorithm = QgsApplication.processingRegistry().algorithmById(IDS[tool])
        assert algorithm.flags() & QgsProcessingAlgorithm.Flag.FlagSupportsBatch
        for number in range(2):
            output = tmp_path / f"{number}_{result_name(tool)}"
            processing.run(algorithm, {**given, "OUTPUT": str(output)})
            assert same(output, from_toolbox[tool]["output"])
        saw(tool, "batch")


def model_of(values: Values) -> QgsProcessingModelAlgorithm:
    """All tools in one model; those that take an embedding get the model's input."""
    source = QgsProcessingModelChildParameterSource
    model = QgsProcessingModelAlgorithm("everything", "tests", "everything")
    model.setName("everything")
    rasters = QgsProcessingParameterMultipleLayers("embedding", "Embedding", QgsProcessing.SourceType.TypeRaster)
    model.addModelParameter(rasters, QgsProcessingModelParameter("embedding"))
    for tool, given in values.items():
        child = QgsProcessingModelChildAlgorithm(IDS[tool])
        child.setChildId(tool)
        for name, value in given.items():
            told = source.fromStaticValue(value)
            if name == "INPUTS" and tool != "embed":
                told = source.fromModelParameter("embedding")
            child.addParameterSources(name, [told])
        final = QgsProcessingModelOutput(tool, tool)
        final.setChildId(tool)
        final.setChildOutputName("OUTPUT")
        child.setModelOutputs({tool: final})
        model.addChildAlgorithm(child)
    model.updateDestinationParameters()
    return model


def test_a_model_holds_them_all(values: Values, embedding: Path, tmp_path: Path, from_toolbox: dict[str, Any]) -> None:
    model = model_of(values)
    outputs = {f"{tool}:{tool}": str(tmp_path / result_name(tool)) for tool in values}
    result = processing.run(model, {"embedding": [str(embedding)], **outputs})
    for tool in values:
        assert same(result[f"{tool}:{tool}"], from_toolbox[tool]["output"]), tool
        saw(tool, "model designer")


@pytest.mark.long
def test_qgis_process_runs_them_all(
    values: Values,
    embedding: Path,
    tmp_path: Path,
    home: Home,  # noqa: F811 - a fixture
    from_toolbox: dict[str, Any],
) -> None:
    file = tmp_path / "everything.model3"
    assert model_of(values).toFile(str(file))
    outputs = [f"{tool}:{tool}={tmp_path / result_name(tool)}" for tool in values]
    done = home.run("run", str(file), f"embedding={embedding}", *outputs)
    assert done.returncode == 0, done.stderr
    for tool in values:
        assert same(tmp_path / result_name(tool), from_toolbox[tool]["output"]), tool
        saw(tool, "`qgis_process`")


@pytest.mark.long
def test_the_table_in_the_docs_is_what_was_seen(request: pytest.FixtureRequest) -> None:
    if set(_seen) != set(TOOLS) or request.config.getoption("keyword"):
        pytest.skip("only some of the ways were run")
    rows = [f"| {item['title']} | `gfm {tool}` | " + " | ".join(_mark(tool, way) for way in WAYS) + " |"
            for tool, item in TOOLS.items()]  # fmt: skip
    heads = ["", "", *WAYS]
    lines = [
        "# Where each tool runs", "",
        "Written by `tests/qgis/test_everywhere.py`: each tool on one small place, its results compared byte by byte.",
        "", "| " + " | ".join(heads) + " |", "|" + "---|" * len(heads), *rows, "",
    ]  # fmt: skip
    if os.environ.get("GFM_WRITE_TABLE"):
        TABLE.write_text("\n".join(lines), encoding="utf-8")
    assert TABLE.read_text(encoding="utf-8") == "\n".join(lines)


def _mark(tool: str, way: str) -> str:
    return "yes" if way in _seen[tool] else "no"


# ---- The menu of a layer ---------------------------------------------------------------------------------------------


def test_a_layer_offers_to_copy_its_run_and_to_repeat_it(
    place: SmallPlace, values: Values, tmp_path: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    iface = Iface()
    actions = LayerActions(iface)
    layers = loaded(IDS["cluster"], {**values["cluster"], "OUTPUT": str(tmp_path / "c.tif")}, told)
    (layer,) = layers.values()
    assert {text for text, offered in iface.offered if offered == layer.id()} == iface.actions
    iface.active = layer
    actions.copy_command()
    assert QgsApplication.clipboard().text() == told.commands[0]
    actions.copy_python()
    assert QgsApplication.clipboard().text() == told.commands[1]
    assert iface.said == ["Copied.", "Copied."]
    opened: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(processing, "execAlgorithmDialog", lambda name, given: opened.append((name, given)))
    actions.repeat()
    assert opened[0][0] == IDS["cluster"]
    assert opened[0][1]["COUNT"] == 5
    assert "INPUTS" not in opened[0][1]
    saved = tmp_path / "project.qgs"
    assert QgsProject.instance().write(str(saved))
    QgsProject.instance().read(str(saved))
    (again,) = QgsProject.instance().mapLayers().values()
    assert origin_of(again).command == told.commands[0]
    actions.remove()
    assert iface.actions == set()
    QgsProject.instance().clear()


def test_a_foreign_layer_is_left_alone(place: SmallPlace) -> None:
    iface = Iface()
    actions = LayerActions(iface)
    layer = QgsVectorLayer(place.labels, "labels")
    QgsProject.instance().addMapLayer(layer)
    iface.active = layer
    actions.copy_command()
    actions.repeat()
    assert iface.offered == []
    assert iface.said == []
    actions.remove()
    QgsProject.instance().clear()
