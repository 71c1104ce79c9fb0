"""A worker in a process of its own, as QGIS has it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import gfm_core as gfm
from gfm_core.parameters import EmbedParameters
from gfm_core.tools.copy_as import as_command
from gfm_core.worker.models import Models
from tests.gfm_core.worker.conftest import Worker

FINE: dict[str, Any] = {"groups": ["fine", "coarse"], "threads": 1}


def test_hello_tells_versions_devices_and_the_catalogue(worker: Worker) -> None:
    from gfm_core.tools.catalogue import catalogue

    told = worker.ask("hello")["result"]
    assert told["protocol"] == 1
    assert told["pid"] == worker.process.pid
    assert told["devices"][0] == "cpu"
    assert told["catalogue"] == catalogue()
    assert told["packages"]["torch"]


def test_a_run_gives_the_bytes_of_the_same_call_in_python(worker: Worker, small: Path, tmp_path: Path) -> None:
    params = {"rasters": [str(small)], "output": str(tmp_path / "worker.tif"), "cell_size": 20}
    result = worker.ask("embed", params)["result"]
    ours = gfm.embed([small], tmp_path / "python.tif", cell_size=20)
    assert Path(result["output"]).read_bytes() == ours.path.read_bytes()
    assert (result["rows"], result["cols"]) == ours.cells.shape
    assert result["command"] == as_command(EmbedParameters.from_dict(params))


def test_a_run_tells_how_to_repeat_it_then_rising_progress_then_all(
    worker: Worker, photo: Path, tmp_path: Path
) -> None:
    worker.news.clear()
    id = worker.send("embed", {"rasters": [str(photo)], "output": str(tmp_path / "e.tif"), **FINE})
    assert "result" in worker.answer(id)
    assert [item["params"]["id"] for item in worker.news] == [id] * len(worker.news)
    assert worker.news[0]["method"] == "started"
    assert worker.news[0]["params"]["command"].startswith("gfm embed ")
    fractions = [item["params"]["fraction"] for item in worker.news if item["method"] == "progress"]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert len(fractions) > 3


def test_the_log_comes_along_with_its_level(worker: Worker, small: Path, tmp_path: Path) -> None:
    import numpy as np

    from tests.conftest import write_raster

    dark = write_raster(tmp_path / "dark.tif", np.zeros((1, 60, 60), np.uint8), nodata=0)
    worker.news.clear()
    worker.ask("embed", {"rasters": [str(small), str(dark)], "output": str(tmp_path / "e.tif"), **FINE})
    logs = [item["params"] for item in worker.news if item["method"] == "log"]
    assert {item["level"] for item in logs} <= {"info", "warning"}
    assert any("dark" in item["message"] or "small" in item["message"] for item in logs)


def test_an_error_of_ours_is_its_sentence_and_class(worker: Worker, tmp_path: Path) -> None:
    params = {"rasters": [str(tmp_path / "absent.tif")], "output": str(tmp_path / "e.tif")}
    error = worker.ask("embed", params)["error"]
    assert error["code"] == -32000
    assert "absent.tif" in error["message"]
    assert error["data"] == {"kind": "InputError"}


def test_a_look_at_an_embedding_is_answered_and_what_is_none_is_said(
    worker: Worker, small: Path, tmp_path: Path
) -> None:
    made = worker.ask("embed", {"rasters": [str(small)], "output": str(tmp_path / "e.tif")})["result"]
    assert worker.ask("look", {"embedding": made["output"]})["result"] == {}
    assert "small.tif" in worker.ask("look", {"embedding": str(small)})["error"]["message"]
    assert worker.ask("look")["error"]["code"] == -32602


def test_requests_wait_for_each_other_and_are_answered_in_order(worker: Worker, small: Path, tmp_path: Path) -> None:
    ids = [
        worker.send("embed", {"rasters": [str(small)], "output": str(tmp_path / f"{n}.tif"), **FINE}) for n in range(3)
    ]
    order: list[Any] = []
    while len(order) < 3:
        message = worker.read()
        if "method" not in message:
            assert "result" in message
            order.append(message["id"])
    assert order == ids


def test_ping_is_answered_while_a_tool_runs(worker: Worker, photo: Path, tmp_path: Path) -> None:
    run = worker.send("embed", {"rasters": [str(photo)], "output": str(tmp_path / "e.tif"), **FINE})
    ping = worker.send("ping")
    first = next(message for message in iter(worker.read, None) if "method" not in message)
    assert first == {"jsonrpc": "2.0", "id": ping, "result": {}}
    assert "result" in worker.answer(run)


def test_the_model_stays_in_memory_and_is_loaded_anew_when_its_file_changes(nano_path: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.safetensors"
    shutil.copy(nano_path, model)
    models = Models()
    first = models.load(str(model))
    assert models.load(str(model)) is first
    other = models.load("nano")
    assert models.load("nano") is other
    changed = model.read_bytes()
    model.unlink()
    model.write_bytes(changed)
    assert models.load(str(model)) is not first


def test_no_more_than_two_models_are_kept(nano_path: Path, tmp_path: Path) -> None:
    models = Models()
    paths = [str(shutil.copy(nano_path, tmp_path / f"{n}.safetensors")) for n in range(3)]
    first = models.load(paths[0])
    for path in paths[1:]:
        models.load(path)
    assert models.load(paths[0]) is not first


@pytest.mark.parametrize("id", [None, "text", 2**62])
def test_ids_come_back_as_they_were(worker: Worker, id: Any) -> None:
    if id is None:  # a notification: no answer, and the worker lives on
        worker.write(b'{"jsonrpc": "2.0", "method": "hello"}\n')
        assert "result" in worker.ask("ping")
    else:
        worker.send("ping", id=id)
        assert worker.read()["id"] == id
