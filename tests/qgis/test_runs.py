"""Runs inside QGIS give what `gfm` gives, from scripts, models and batches; refusals come before anything starts."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import processing
import pytest
from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelOutput,
    QgsProcessingModelParameter,
    QgsProcessingParameterMultipleLayers,
    QgsRasterLayer,
)

from qgis_plugin import session
from tests.qgis.conftest import Told
from tests.qgis.place import SmallPlace, gfm, same_raster

pytestmark = pytest.mark.usefixtures("environment")

EMBED, CLASSIFY = "jepagfm:embedlayers", "jepagfm:classifylandcover"


def left(folder: Path) -> list[str]:
    """Files in a folder but for the statistics that QGIS keeps."""
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".aux.xml"))


def test_an_embedding_is_that_of_the_command_line(
    place: SmallPlace, embedding: Path, tmp_path: Path, told: Told
) -> None:
    result = processing.run(EMBED, {"INPUTS": place.rasters, "OUTPUT": str(tmp_path / "e.tif")}, feedback=told)
    assert same_raster(result["OUTPUT"], embedding)
    assert Path(result["OUTPUT"]).read_bytes() == embedding.read_bytes()
    assert (result["ROWS"], result["COLS"]) == (120, 120)
    assert left(tmp_path) == ["e.qml", "e.tif", "e_pca.png"]
    assert told.commands[0].startswith("gfm embed ")
    assert told.commands[1].startswith("import gfm_core")
    assert told.fractions == sorted(told.fractions)
    assert told.fractions[-1] == 100


def test_the_command_in_the_log_repeats_the_run(place: SmallPlace, tmp_path: Path, told: Told) -> None:
    import shlex

    ours = processing.run(
        EMBED,
        {"INPUTS": place.rasters, "CELL_SIZE": 40, "GROUPS": ["fine", "network"], "OUTPUT": str(tmp_path / "a.tif")},
        feedback=told,
    )
    command = shlex.split(told.commands[0].replace("a.tif", "b.tif"))
    gfm(*command[1:])
    assert same_raster(ours["OUTPUT"], tmp_path / "b.tif")


def test_extent_and_crs_of_the_form_are_those_of_the_command_line(place: SmallPlace, tmp_path: Path) -> None:
    values = {
        "INPUTS": place.rasters, "EXTENT": "340000,341000,5817000,5818000 [EPSG:25833]", "CRS": "EPSG:25833",
        "GROUPS": ["fine"], "OUTPUT": str(tmp_path / "a.tif"),
    }  # fmt: skip
    processing.run(EMBED, values)
    gfm(
        "embed", *place.rasters, "-o", tmp_path / "b.tif", "--groups", "fine", "--crs", "EPSG:25833",
        "--extent", "340000,5817000,341000,5818000",
    )  # fmt: skip
    assert same_raster(tmp_path / "a.tif", tmp_path / "b.tif")


def test_an_extent_in_a_crs_without_a_code_is_understood(place: SmallPlace, tmp_path: Path) -> None:
    from qgis.core import QgsCoordinateReferenceSystem, QgsCoordinateTransform, QgsProject, QgsReferencedRectangle

    own = QgsCoordinateReferenceSystem.fromProj("+proj=laea +lat_0=52.5 +lon_0=13 +ellps=GRS80 +units=m +no_defs")
    layer = QgsRasterLayer(place.rasters[0])
    there = QgsCoordinateTransform(layer.crs(), own, QgsProject.instance()).transformBoundingBox(layer.extent())
    box = QgsReferencedRectangle(there.buffered(-600), own)
    assert not own.authid()
    made = processing.run(
        EMBED, {"INPUTS": place.rasters, "EXTENT": box, "GROUPS": ["fine"], "OUTPUT": str(tmp_path / "a.tif")}
    )
    assert 40 < made["ROWS"] < 80


def test_a_map_its_report_and_scores_are_those_of_the_command_line(
    place: SmallPlace, tmp_path: Path, told: Told
) -> None:
    ours = tmp_path / "qgis"
    theirs = tmp_path / "gfm"
    ours.mkdir()
    theirs.mkdir()
    values = {"INPUTS": place.rasters, "LABELS": place.labels, "FIELD": "fclass", "OUTPUT": str(ours / "map.tif")}
    result = processing.run(CLASSIFY, values, feedback=told)
    said = gfm("classify", *place.rasters, "--labels", place.labels, "--field", "fclass", "-o", theirs / "map.tif")
    assert same_raster(ours / "map.tif", theirs / "map.tif")
    assert same_raster(result["CONFIDENCE"], theirs / "map_confidence.tif")
    assert same_raster(result["CANDIDATES"], theirs / "map_candidates.tif")
    assert Path(result["SUSPECTS"]).read_bytes() == (theirs / "map_suspects.gpkg").read_bytes()
    assert f"macro-F1 on spatial folds: {result['MACRO_F1']:.3f}" in said
    assert f"raw bands alone: {result['MACRO_F1_RAW_BANDS']:.3f}" in said
    assert "MACRO_F1_CHECK" not in result
    assert result["REPORT_HTML"] == str(ours / "map_report" / "report.html")
    assert "<html" in Path(result["REPORT_HTML"]).read_text(encoding="utf-8")
    assert sorted(path.name for path in ours.iterdir()) == sorted(path.name for path in theirs.iterdir())


def test_an_embedding_layer_is_enough_for_a_map(place: SmallPlace, embedding: Path, tmp_path: Path) -> None:
    layer = QgsRasterLayer(str(embedding), "embedding")
    values = {"INPUTS": [layer], "LABELS": place.labels, "FIELD": "fclass", "OUTPUT": str(tmp_path / "a.tif")}
    processing.run(CLASSIFY, values)
    gfm("classify", embedding, "--labels", place.labels, "--field", "fclass", "-o", tmp_path / "b.tif")
    assert same_raster(tmp_path / "a.tif", tmp_path / "b.tif")


def test_a_fitted_classifier_is_kept_and_used_again(place: SmallPlace, embedding: Path, tmp_path: Path) -> None:
    head = tmp_path / "head.safetensors"
    values: dict[str, Any] = {"INPUTS": [str(embedding)], "OUTPUT": str(tmp_path / "a.tif")}
    first = processing.run(
        CLASSIFY, {**values, "LABELS": place.labels, "FIELD": "fclass", "HEAD": "logistic", "SAVE_HEAD": str(head)}
    )
    assert first["SAVE_HEAD"] == str(head)
    again = processing.run(CLASSIFY, {**values, "HEAD_FILE": str(head), "OUTPUT": str(tmp_path / "b.tif")})
    assert same_raster(first["OUTPUT"], again["OUTPUT"])
    assert "MACRO_F1" not in again


def test_a_model_chains_embedding_and_map(place: SmallPlace, tmp_path: Path) -> None:
    model = QgsProcessingModelAlgorithm("chain", "tests")
    rasters = QgsProcessingParameterMultipleLayers("rasters", "Rasters", QgsProcessing.SourceType.TypeRaster)
    model.addModelParameter(rasters, QgsProcessingModelParameter("rasters"))
    source = QgsProcessingModelChildParameterSource
    embed = QgsProcessingModelChildAlgorithm(EMBED)
    embed.setChildId("embed")
    embed.addParameterSources("INPUTS", [source.fromModelParameter("rasters")])
    classify = QgsProcessingModelChildAlgorithm(CLASSIFY)
    classify.setChildId("classify")
    classify.addParameterSources("INPUTS", [source.fromChildOutput("embed", "OUTPUT")])
    classify.addParameterSources("LABELS", [source.fromStaticValue(place.labels)])
    classify.addParameterSources("FIELD", [source.fromStaticValue("fclass")])
    final = QgsProcessingModelOutput("map", "Map")
    final.setChildId("classify")
    final.setChildOutputName("OUTPUT")
    classify.setModelOutputs({"map": final})
    model.addChildAlgorithm(embed)
    model.addChildAlgorithm(classify)
    model.updateDestinationParameters()
    name = next(item.name() for item in model.destinationParameterDefinitions())
    result = processing.run(model, {"rasters": place.rasters, name: str(tmp_path / "model.tif")})
    gfm("embed", *place.rasters, "-o", tmp_path / "e.tif")
    gfm("classify", tmp_path / "e.tif", "--labels", place.labels, "--field", "fclass", "-o", tmp_path / "m.tif")
    assert same_raster(result[name], tmp_path / "m.tif")


def test_a_batch_runs_one_after_the_other_in_the_same_worker(
    embedding: Path, place: SmallPlace, tmp_path: Path
) -> None:
    pids = set()
    for head in ("lda", "knn"):
        values = {
            "INPUTS": [str(embedding)], "LABELS": place.labels, "FIELD": "fclass", "HEAD": head,
            "OUTPUT": str(tmp_path / f"{head}.tif"),
        }  # fmt: skip
        processing.run(CLASSIFY, values)
        pids.add(session.worker().pid)
    assert len(pids) == 1
    assert not same_raster(tmp_path / "lda.tif", tmp_path / "knn.tif")


# ---- Refusals --------------------------------------------------------------------------------------------------------


def refusal(algorithm: str, values: dict[str, Any]) -> str:
    """Why the values are refused, before anything starts."""
    from qgis.core import QgsApplication

    form = QgsApplication.processingRegistry().createAlgorithmById(algorithm)
    fine, reason = form.checkParameterValues(values, QgsProcessingContext())
    assert not fine
    return reason


def test_layers_that_are_not_files_are_refused_before_anything_starts(place: SmallPlace, tmp_path: Path) -> None:
    web = QgsRasterLayer("type=xyz&url=file:///nowhere/{z}/{x}/{y}.png", "a map from the web", "wms")
    session.stop_worker()
    reason = refusal(EMBED, {"INPUTS": [web, place.rasters[0]], "OUTPUT": str(tmp_path / "e.tif")})
    assert reason == "The layer a map from the web is not a raster file (wms); export it as a GeoTIFF and choose that."
    with pytest.raises(QgsProcessingException, match="a map from the web"):
        processing.run(EMBED, {"INPUTS": [web], "OUTPUT": str(tmp_path / "e.tif")})
    assert session.worker().pid is None
    assert left(tmp_path) == []


def test_a_map_without_labels_is_refused_before_anything_starts(place: SmallPlace, tmp_path: Path) -> None:
    values: dict[str, Any] = {"INPUTS": place.rasters, "OUTPUT": str(tmp_path / "m.tif")}
    assert refusal(CLASSIFY, values).startswith("Labels are missing")
    values |= {"LABELS": place.labels, "CHECK_REST": True}
    assert "an expression" in refusal(CLASSIFY, values)


def test_an_error_of_the_worker_is_one_sentence_in_qgis(place: SmallPlace, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere.tif"
    from osgeo import gdal

    gdal.Translate(str(other), place.rasters[0], outputBounds=[0, 2400, 2400, 0])
    with pytest.raises(QgsProcessingException) as caught:
        processing.run(EMBED, {"INPUTS": [*place.rasters, str(other)], "OUTPUT": str(tmp_path / "e.tif")})
    assert "elsewhere.tif" in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert left(tmp_path) == ["elsewhere.tif"]


# ---- Stopping --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", [0, 50, 90])
def test_fault_31_a_cancelled_run_is_back_soon_and_leaves_nothing(
    place: SmallPlace, tmp_path: Path, told: Told, moment: int
) -> None:
    asked: list[float] = []

    def cancel(fraction: float) -> None:
        if fraction >= moment and not asked:
            asked.append(time.monotonic())
            told.cancel()

    told.progressChanged.connect(cancel)
    if moment == 0:
        cancel(0)
    values = {"INPUTS": place.rasters, "LABELS": place.labels, "FIELD": "fclass", "OUTPUT": str(tmp_path / "m.tif")}
    result = processing.run(CLASSIFY, values, feedback=told)
    assert time.monotonic() - asked[0] < 4  # a second on a quiet machine
    assert "OUTPUT" not in result
    assert left(tmp_path) == []
    assert told.errors == []
    assert session.worker().call("ping", {}) == {}


def test_fault_29_a_worker_killed_by_hand_is_a_sentence_and_the_next_run_starts_another(
    place: SmallPlace, tmp_path: Path, told: Told
) -> None:
    session.worker().hello()
    pid = session.worker().pid
    assert pid is not None

    def kill(fraction: float) -> None:
        if fraction > 10:
            os.kill(pid, signal.SIGKILL)

    told.progressChanged.connect(kill)
    with pytest.raises(QgsProcessingException, match="worker"):
        processing.run(EMBED, {"INPUTS": place.rasters, "OUTPUT": str(tmp_path / "e.tif")}, feedback=told)
    assert left(tmp_path) == []
    told.progressChanged.disconnect(kill)
    made = processing.run(EMBED, {"INPUTS": place.rasters, "GROUPS": ["fine"], "OUTPUT": str(tmp_path / "e.tif")})
    assert Path(made["OUTPUT"]).is_file()
    assert session.worker().pid != pid


def test_two_runs_at_once_share_the_worker(place: SmallPlace, tmp_path: Path) -> None:
    results: dict[int, dict[str, Any]] = {}

    def run(number: int) -> None:
        params = {"rasters": place.rasters, "output": str(tmp_path / f"{number}.tif"), "groups": ["fine"]}
        results[number] = session.worker().call("embed", params, outputs=[params["output"]])

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert same_raster(results[0]["output"], results[1]["output"])


def test_a_number_that_is_none_is_refused_and_not_waited_for(place: SmallPlace, tmp_path: Path) -> None:
    values = {"INPUTS": place.rasters, "CELL_SIZE": float("nan"), "OUTPUT": str(tmp_path / "e.tif")}
    with pytest.raises(QgsProcessingException):
        processing.run(EMBED, values)
    assert left(tmp_path) == []


def test_a_crs_that_is_none_is_refused(place: SmallPlace, tmp_path: Path) -> None:
    values = {"INPUTS": place.rasters, "CRS": "EPSG:999999", "OUTPUT": str(tmp_path / "e.tif")}
    with pytest.raises(QgsProcessingException, match="CRS"):
        processing.run(EMBED, values)


def test_the_crs_that_a_user_gave_a_layer_counts(place: SmallPlace, tmp_path: Path) -> None:
    from osgeo import gdal
    from qgis.core import QgsCoordinateReferenceSystem

    bare = tmp_path / "bare.tif"
    source = gdal.Open(place.rasters[0])
    copy = gdal.GetDriverByName("GTiff").Create(str(bare), source.RasterXSize, source.RasterYSize, 1, gdal.GDT_UInt16)
    copy.SetGeoTransform(source.GetGeoTransform())
    copy.GetRasterBand(1).WriteArray(source.GetRasterBand(1).ReadAsArray())
    del copy, source
    layer = QgsRasterLayer(str(bare), "bare")
    layer.setCrs(QgsCoordinateReferenceSystem("EPSG:32633"))
    made = processing.run(EMBED, {"INPUTS": [layer], "GROUPS": ["fine"], "OUTPUT": str(tmp_path / "e.tif")})
    assert gdal.Open(made["OUTPUT"]).GetSpatialRef().GetAuthorityCode(None) == "32633"
