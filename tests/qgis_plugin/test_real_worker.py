"""The client with the worker of this environment."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gfm_core as gfm
from qgis_plugin import worker_link, worker_process
from qgis_plugin.worker_client import WorkerClient, WorkerError
from tests.conftest import write_raster
from tests.qgis_plugin.fake_worker import VERSION, Desk, Told, is_running, seconds_to_cancel, sentence_of, wait_until


@pytest.fixture(scope="module")
def real_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One client for all tests here: it starts another worker after those that end it."""
    made = Desk(tmp_path_factory.mktemp("real"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def client(real_desk: Desk) -> WorkerClient:
    return real_desk.client(sys.executable)


@pytest.fixture
def params(tmp_path: Path, nano_path: Path) -> dict[str, Any]:
    """A run that takes a few seconds, with a name that needs care."""
    values = np.random.default_rng(0).integers(1, 3000, (3, 160, 160), dtype=np.uint16)
    raster = write_raster(tmp_path / "ein 'Bild' ü.tif", values)
    (tmp_path / "out").mkdir()
    return {
        "rasters": [str(raster)], "output": str(tmp_path / "out" / "em bed.tif"), "model": str(nano_path),
        "cell_size": 20, "threads": 1,
    }  # fmt: skip


def quick(params: dict[str, Any]) -> dict[str, Any]:
    """The same without the network."""
    return {**params, "groups": ["fine", "coarse"]}


def left(params: dict[str, Any]) -> list[Path]:
    return list(Path(params["output"]).parent.iterdir())


def test_both_sides_speak_one_protocol() -> None:
    from gfm_core.worker import protocol

    assert worker_link.PROTOCOL == protocol.PROTOCOL
    assert worker_process.MAX_LINE == protocol.MAX_LINE


def test_the_worker_greets_with_its_version_devices_and_tools(client: WorkerClient) -> None:
    told = client.hello()
    assert told["version"] == VERSION == client.hello()["catalogue"]["version"]
    assert "cpu" in told["devices"]
    assert {tool["name"] for tool in told["catalogue"]["tools"]} >= {"embed", "classify"}
    assert told["pid"] == client.pid


def test_a_run_makes_what_the_library_makes(client: WorkerClient, params: dict[str, Any], tmp_path: Path) -> None:
    told, params = Told(), quick(params)
    result = client.call("embed", params, told.listener(), outputs=[params["output"]])
    assert result["output"] == params["output"]
    assert told.events[0][0] == "started"
    assert told.events[0][1].startswith("gfm embed ")
    fractions = [event[1] for event in told.events if event[0] == "progress"]
    assert all(earlier <= later for earlier, later in itertools.pairwise(fractions))
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    here = gfm.embed(params["rasters"], tmp_path / "here.tif", **{
        name: params[name] for name in ("model", "cell_size", "threads", "groups")
    })  # fmt: skip
    assert here.path.read_bytes() == Path(params["output"]).read_bytes()
    assert not [path for path in left(params) if path.name.startswith(".")]


def test_what_the_worker_refuses_is_told_in_its_words(client: WorkerClient, params: dict[str, Any]) -> None:
    absent = {**params, "rasters": ["/nowhere/none.tif"]}
    assert "none.tif does not exist" in sentence_of(lambda: client.call("embed", absent))
    assert "cell_size" in sentence_of(lambda: client.call("embed", {**params, "cell_size": -1}))
    assert client.call("embed", quick(params))["bands"] > 0


@pytest.mark.parametrize("fraction", [0.0, 0.3, 0.7])
def test_fault_31_cancel_at_any_moment(client: WorkerClient, params: dict[str, Any], fraction: float) -> None:
    def there(told: Told) -> bool:
        return any(event[0] == "progress" and event[1] >= fraction for event in told.events)

    client.hello()
    assert seconds_to_cancel(client, params, Told(there), [params["output"]]) < 1.3
    assert left(params) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_fault_29_a_worker_that_is_killed_or_stopped_in_a_run(
    client: WorkerClient, params: dict[str, Any], number: int
) -> None:
    pid = client.hello()["pid"]
    told = Told()

    def strike() -> None:
        wait_until(lambda: len(told.events) > 3)
        os.kill(pid, number)

    client.QUIET, client.HANG = 0.5, 1.0
    thread = threading.Thread(target=strike)
    thread.start()
    before = time.monotonic()
    sentence = sentence_of(lambda: client.call("embed", params, told.listener(), outputs=[params["output"]]))
    thread.join()
    client.QUIET, client.HANG = WorkerClient.QUIET, WorkerClient.HANG
    assert ("memory" if number == signal.SIGKILL else "no sign of life") in sentence
    assert time.monotonic() - before < 5
    assert not is_running(pid)
    assert left(params) == []
    assert client.call("embed", quick(params))["output"] == params["output"]


def test_a_plugin_that_is_unloaded_in_a_run_leaves_nothing(client: WorkerClient, params: dict[str, Any]) -> None:
    pid = client.hello()["pid"]
    told, errors = Told(), []

    def call() -> None:
        try:
            client.call("embed", params, told.listener(), outputs=[params["output"]])
        except WorkerError as error:
            errors.append(str(error))

    thread = threading.Thread(target=call)
    thread.start()
    wait_until(lambda: told.has("progress"))
    client.stop()
    thread.join(3)
    assert "stopped" in errors[0]
    assert not is_running(pid)
    assert left(params) == []
