"""Loaded results can be read: names in a short legend, colours, how they were made; and the plugin leaves nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import processing
import pytest
from processing.gui.Postprocessing import handleAlgorithmResults
from qgis.core import (
    QgsApplication,
    QgsMultiBandColorRenderer,
    QgsPalettedRasterRenderer,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputLayerDefinition,
    QgsProject,
    QgsSettings,
    QgsVectorLayer,
)
from qgis.gui import QgsMapCanvas

from qgis_plugin import session
from qgis_plugin.algorithms.results import Finisher
from qgis_plugin.plugin import JepaGfmPlugin
from qgis_plugin.provider import JepaGfmProvider
from tests.qgis.conftest import Told, wait_for
from tests.qgis.place import SmallPlace
from tests.qgis_plugin.fake_worker import is_running

pytestmark = pytest.mark.usefixtures("environment")


def loaded(algorithm: str, values: dict[str, Any], told: Told) -> dict[str, Any]:
    """The layers of a run as the toolbox loads them, by name."""
    QgsProject.instance().clear()
    processing.runAndLoadResults(algorithm, values, feedback=told)
    return {layer.name(): layer for layer in QgsProject.instance().mapLayers().values()}


def test_a_map_comes_with_names_in_a_short_legend_and_its_confidence(
    place: SmallPlace, embedding: Path, tmp_path: Path, told: Told
) -> None:
    values = {
        "INPUTS": [str(embedding)], "LABELS": place.labels, "FIELD": "fclass", "OUTPUT": str(tmp_path / "map.tif"),
    }  # fmt: skip
    layers = loaded("jepagfm:classifylandcover", values, told)
    assert set(layers) == {
        "Land cover: embedding", "Confidence: embedding", "Candidates: embedding", "Suspicious labels: embedding",
    }  # fmt: skip
    shown = layers["Land cover: embedding"]
    assert isinstance(shown.renderer(), QgsPalettedRasterRenderer)
    legend = [item.label for item in shown.renderer().classes()]
    assert set(legend) <= {"farm", "forest", "grass", "meadow", "residential", "scrub", "water", "wetland"}
    assert len(legend) >= 4
    assert len({item.color.name() for item in shown.renderer().classes()}) == len(legend)
    root = QgsProject.instance().layerTreeRoot()
    assert root.findLayer(shown.id()).itemVisibilityChecked()
    for name in ("Confidence", "Candidates", "Suspicious labels"):
        assert not root.findLayer(layers[f"{name}: embedding"].id()).itemVisibilityChecked()
    certainty = layers["Candidates: embedding"].renderer()
    assert [item.label for item in certainty.classes()] == ["sure", "two candidates", "don't know"]
    suspects = layers["Suspicious labels: embedding"]
    assert isinstance(suspects, QgsVectorLayer)
    assert [field.name() for field in suspects.fields()] == [
        "fid", "rank", "labelled", "looks_like", "probability", "pixels",
    ]  # fmt: skip
    assert suspects.crs() == shown.crs()
    ring = suspects.renderer().symbol().symbolLayer(0)
    assert (ring.layerType(), ring.size(), ring.color().alpha()) == ("SimpleMarker", 4.0, 0)


def test_a_layer_says_how_it_was_made(place: SmallPlace, embedding: Path, tmp_path: Path, told: Told) -> None:
    values = {
        "INPUTS": [str(embedding)], "LABELS": place.labels, "FIELD": "fclass", "OUTPUT": str(tmp_path / "map.tif"),
    }  # fmt: skip
    layer = loaded("jepagfm:classifylandcover", values, told)["Land cover: embedding"]
    metadata = layer.metadata()
    assert metadata.title() == "Land cover: embedding"
    assert "Macro-F1 on folds: 0." in metadata.abstract()
    assert metadata.history()[0].startswith("JEPA-GFM 0.")
    assert "gfm classify " in metadata.history()[0]
    assert sorted(path.suffix for path in tmp_path.glob("map.*")) == [".qml", ".tif", ".xml"]


def test_an_embedding_shows_three_of_its_bands_as_colours(place: SmallPlace, tmp_path: Path, told: Told) -> None:
    layers = loaded("jepagfm:embedlayers", {"INPUTS": place.rasters, "OUTPUT": str(tmp_path / "e.tif")}, told)
    (layer,) = layers.values()
    assert layer.name() == "Embedding: s2_l1c_10m, s2_l1c_20m and 1 more"
    renderer = layer.renderer()
    assert isinstance(renderer, QgsMultiBandColorRenderer)
    assert len({renderer.redBand(), renderer.greenBand(), renderer.blueBand()}) == 3
    assert renderer.redContrastEnhancement().minimumValue() < renderer.redContrastEnhancement().maximumValue()


def test_a_run_in_the_background_is_loaded_as_the_dialog_does_it(
    place: SmallPlace, embedding: Path, qgis_new_project: None
) -> None:
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("jepagfm:classifylandcover")
    context, feedback = QgsProcessingContext(), QgsProcessingFeedback()
    context.setProject(QgsProject.instance())
    output = QgsProcessingOutputLayerDefinition("TEMPORARY_OUTPUT", QgsProject.instance())
    values = {"INPUTS": [str(embedding)], "LABELS": place.labels, "FIELD": "fclass", "OUTPUT": output}
    ended: list[tuple[bool, dict[str, Any]]] = []
    task = QgsProcessingAlgRunnerTask(algorithm, values, context, feedback)
    task.executed.connect(lambda *answer: ended.append(answer))
    QgsApplication.taskManager().addTask(task)
    wait_for(lambda: ended)
    ((successful, results),) = ended
    assert successful
    assert handleAlgorithmResults(algorithm, context, feedback, True, results)
    layers = {item.name().split(":")[0]: item for item in QgsProject.instance().mapLayers().values()}
    assert set(layers) == {"Land cover", "Confidence", "Candidates", "Suspicious labels"}
    assert layers["Land cover"].source() == results["OUTPUT"]


def test_a_run_that_is_not_loaded_gets_no_layers(place: SmallPlace, embedding: Path, tmp_path: Path) -> None:
    QgsProject.instance().clear()
    values = {
        "INPUTS": [str(embedding)], "LABELS": place.labels, "FIELD": "fclass", "OUTPUT": str(tmp_path / "map.tif"),
    }  # fmt: skip
    processing.run("jepagfm:classifylandcover", values)
    assert QgsProject.instance().mapLayers() == {}


def test_finishers_do_not_pile_up() -> None:
    from qgis_plugin.algorithms.results import Finish
    from qgis_plugin.layer_actions import Origin

    for _ in range(500):
        Finisher(Finish("a", "b", "c", Origin("", "", "", {})))
    assert len(Finisher._alive) < 100


# ---- Unload and reload -----------------------------------------------------------------------------------------------


class Iface:
    """What the plugin uses of QGIS's window."""

    def __init__(self) -> None:
        self.factories: list[Any] = []
        self.actions: set[str] = set()
        self.offered: list[tuple[str, str]] = []
        self.active: Any = None
        self.said: list[str] = []
        self.entries: list[Any] = []  # of toolbar and menus
        self.docks: list[Any] = []
        self.canvas = QgsMapCanvas()

    def mapCanvas(self) -> QgsMapCanvas:
        return self.canvas

    def addToolBarIcon(self, action: Any) -> None:
        self.entries.append(action)

    def removeToolBarIcon(self, action: Any) -> None:
        self.entries.remove(action)

    def addPluginToRasterMenu(self, menu: str, action: Any) -> None:
        self.entries.append(action)

    def removePluginRasterMenu(self, menu: str, action: Any) -> None:
        self.entries.remove(action)

    def addDockWidget(self, area: Any, dock: Any) -> None:
        self.docks.append(dock)

    def removeDockWidget(self, dock: Any) -> None:
        self.docks.remove(dock)

    def registerOptionsWidgetFactory(self, factory: Any) -> None:
        self.factories.append(factory)

    def unregisterOptionsWidgetFactory(self, factory: Any) -> None:
        self.factories.remove(factory)

    def mainWindow(self) -> None:
        return None

    def addCustomActionForLayerType(self, action: Any, menu: str, kind: Any, all_layers: bool) -> None:
        self.actions.add(action.text())

    def removeCustomActionForLayerType(self, action: Any) -> None:
        self.actions.discard(action.text())

    def addCustomActionForLayer(self, action: Any, layer: Any) -> None:
        self.offered.append((action.text(), layer.id()))

    def activeLayer(self) -> Any:
        return self.active

    def messageBar(self) -> Any:
        return self

    def pushInfo(self, title: str, text: str) -> None:
        self.said.append(text)


def test_unload_and_reload_leave_nothing_behind(provider: JepaGfmProvider) -> None:
    registry = QgsApplication.processingRegistry()
    registry.removeProvider(provider)  # that of the other tests
    keys = set(QgsSettings().allKeys())
    iface = Iface()
    for _ in range(2):
        plugin = JepaGfmPlugin(iface)
        plugin.initGui()
        assert registry.algorithmById("jepagfm:embedlayers") is not None
        assert len(iface.factories) == 1
        iface.entries[0].trigger()
        assert len(iface.docks) == 1
        pids = [session.worker(purpose).hello()["pid"] for purpose in (session.TOOLS, session.LIVE)]
        plugin.unload()
        assert registry.providerById("jepagfm") is None
        assert iface.factories == iface.entries == iface.docks == []
        assert not any(map(is_running, pids))
    assert set(QgsSettings().allKeys()) == keys


def test_without_a_window_the_provider_is_there_too() -> None:
    plugin = JepaGfmPlugin(None)
    assert hasattr(plugin, "initProcessing")
    plugin.unload()
