"""Faults 30, 31 and 32, from the worker's side: its parent dies, Cancel at any moment, nonsense on stdin."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gfm_core.worker.conftest import COMMAND, Worker, is_running, photo, small, worker

__all__ = ["photo", "small", "worker"]  # fixtures

FINE: dict[str, Any] = {"groups": ["fine", "coarse"], "threads": 1}


def run_of(raster: Path, output: Path) -> dict[str, Any]:
    return {"rasters": [str(raster)], "output": str(output), **FINE}


@pytest.fixture
def own_worker(tmp_path: Path) -> Iterator[Worker]:
    """A worker that the test may end."""
    (tmp_path / "log").mkdir()
    made = Worker(tmp_path / "log" / "stderr.log")
    yield made
    if made.process.poll() is None:
        made.process.kill()
    made.process.wait()


NONSENSE = {
    "no JSON": (b"hello\n", -32700, None),
    "a batch": (b"[]\n", -32600, None),
    "no method": (b'{"jsonrpc": "2.0", "id": 900}\n', -32600, 900),
    "an unknown method": (b'{"jsonrpc": "2.0", "id": 901, "method": "eval", "params": {}}\n', -32601, 901),
    "a method of Python": (b'{"jsonrpc": "2.0", "id": 902, "method": "__class__"}\n', -32601, 902),
    "params of the wrong type": (b'{"jsonrpc": "2.0", "id": 903, "method": "embed", "params": 3}\n', -32602, 903),
    "an unknown parameter": (
        b'{"jsonrpc": "2.0", "id": 904, "method": "embed", "params": {"rasters": ["a"], "output": "b", "x": 1}}\n',
        -32602, 904,
    ),
    "a wrong value": (
        b'{"jsonrpc": "2.0", "id": 905, "method": "embed", "params": {"rasters": 3, "output": "b"}}\n', -32602, 905,
    ),
    "a missing one": (b'{"jsonrpc": "2.0", "id": 906, "method": "embed", "params": {}}\n', -32602, 906),
    "a nul in a name": (
        b'{"jsonrpc": "2.0", "id": 907, "method": "embed", "params": {"rasters": ["a\\u0000"], "output": "b"}}\n',
        -32602, 907,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("line", "code", "id"), NONSENSE.values(), ids=NONSENSE.keys())
def test_fault_32_nonsense_is_answered_and_the_worker_lives_on(worker: Worker, line: bytes, code: int, id: Any) -> None:
    worker.write(line)
    answer = worker.read()
    while "method" in answer:  # a run may have begun
        answer = worker.read()
    assert (answer["error"]["code"], answer["id"]) == (code, id)
    assert answer["error"]["message"].endswith(".")
    assert worker.ask("ping")["result"] == {}


def test_fault_32_a_line_of_100_mb_is_refused_without_being_kept(own_worker: Worker) -> None:
    assert own_worker.ask("ping")["result"] == {}
    before = memory_mb(own_worker)
    for _ in range(100):
        own_worker.write(b"x" * 1_000_000)
    own_worker.write(b"\n")
    assert own_worker.read()["error"]["code"] == -32700
    assert own_worker.ask("ping")["result"] == {}
    assert memory_mb(own_worker) - before < 20


def memory_mb(worker: Worker) -> float:
    """The most memory that the process ever had."""
    status = Path(f"/proc/{worker.process.pid}/status")
    if not status.is_file():
        pytest.skip("no /proc here")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1000


def test_fault_32_an_id_that_is_still_open_is_refused(worker: Worker, photo: Path, tmp_path: Path) -> None:
    worker.send("embed", run_of(photo, tmp_path / "a.tif"), id="twice")
    worker.send("embed", run_of(photo, tmp_path / "b.tif"), id="twice")
    answers = []
    while len(answers) < 2:
        message = worker.read()
        if "method" not in message:
            answers.append(message)
    assert answers[0]["error"]["code"] == -32600
    assert "result" in answers[1]
    assert not (tmp_path / "b.tif").exists()


def test_fault_32_what_native_code_prints_does_not_reach_the_protocol(tmp_path: Path) -> None:
    code = (
        "import os, sys; sys.argv = ['worker']\n"
        "import gfm_core.worker.__main__ as entry\n"
        "protocol = entry._claim_stdout()\n"
        "os.write(1, b'from C'); print('from Python', flush=True); os.write(protocol, b'answer')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == b"answer"
    assert b"from C" in done.stderr
    assert b"from Python" in done.stderr


@pytest.mark.parametrize("moment", [0.0, 0.5, 0.9])
def test_fault_31_a_cancelled_run_stops_and_leaves_nothing(
    worker: Worker, photo: Path, tmp_path: Path, moment: float
) -> None:
    id = worker.send("embed", run_of(photo, tmp_path / "e.tif"))
    asked = None

    def look(message: dict[str, Any]) -> None:
        nonlocal asked
        if asked is None and message["method"] == "progress" and message["params"]["fraction"] >= moment:
            worker.cancel(id)
            asked = time.monotonic()

    answer = worker.answer(id, look)
    assert asked is not None
    assert answer["error"]["code"] == -32800
    assert time.monotonic() - asked < 5  # a second on a quiet machine
    assert list(tmp_path.iterdir()) == []
    assert worker.ask("ping")["result"] == {}


def test_fault_31_a_waiting_request_is_cancelled_at_once(worker: Worker, photo: Path, tmp_path: Path) -> None:
    first = worker.send("embed", run_of(photo, tmp_path / "a.tif"))
    second = worker.send("embed", run_of(photo, tmp_path / "b.tif"))
    worker.cancel(second)
    worker.cancel("nobody")
    order = []
    while len(order) < 2:
        message = worker.read()
        if "method" not in message:
            order.append((message["id"], "result" in message))
    assert order == [(second, False), (first, True)]
    assert not (tmp_path / "b.tif").exists()


def test_fault_30_a_closed_pipe_ends_the_worker_and_leaves_nothing(
    own_worker: Worker, photo: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    id = own_worker.send("embed", run_of(photo, tmp_path / "out" / "e.tif"))
    message = own_worker.read()
    while message["method"] != "progress" or message["params"]["fraction"] < 0.2:
        message = own_worker.read()
    assert message["params"]["id"] == id
    assert own_worker.close() < 5  # a second on a quiet machine
    assert list((tmp_path / "out").iterdir()) == []


PARENT = """
import subprocess, sys, time
worker = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
worker.stdin.write(sys.argv[1].encode() + b"\\n")
worker.stdin.flush()
print(worker.pid, flush=True)
for line in worker.stdout:
    print(line.decode(), end="", flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_fault_30_a_worker_whose_parent_was_killed_is_gone_with_its_half_written_output(
    photo: Path, tmp_path: Path
) -> None:
    request = {"jsonrpc": "2.0", "id": 1, "method": "embed", "params": run_of(photo, tmp_path / "e.tif")}
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, json.dumps(request), *COMMAND], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    for line in parent.stdout:
        message = json.loads(line)
        if message["method"] == "progress" and message["params"]["fraction"] > 0.2:
            break
    assert any(tmp_path.iterdir())
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 10  # two seconds on a quiet machine
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(pid)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(signal, "SIGTERM"), reason="no SIGTERM here")
def test_fault_30_a_terminated_worker_leaves_nothing(own_worker: Worker, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    own_worker.send("embed", run_of(photo, tmp_path / "out" / "e.tif"))
    while own_worker.read()["method"] != "progress":
        pass
    own_worker.process.terminate()
    own_worker.process.wait(timeout=10)
    assert list((tmp_path / "out").iterdir()) == []


def test_fault_29_an_environment_without_torch_is_told_in_a_sentence(tmp_path: Path) -> None:
    """`-I` keeps PYTHONPATH out, so torch is hidden by a finder that the worker's own interpreter loads first."""
    code = (
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] == 'torch': raise ModuleNotFoundError(\"No module named 'torch'\")\n"
        "sys.meta_path.insert(0, Hidden())\n"
        "from gfm_core.worker.__main__ import main\n"
        "main()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b'{"jsonrpc": "2.0", "id": 1, "method": "hello"}\n')
        process.stdin.flush()
        error = json.loads(process.stdout.readline())["error"]
    assert error["code"] == -32000
    assert "torch" in error["message"]
    assert "pip install" in error["message"]
