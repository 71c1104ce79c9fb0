"""A worker as a program talks to it: a real process, a line at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import write_raster

COMMAND = [sys.executable, "-I", "-X", "utf8", "-m", "gfm_core.worker"]


class Worker:
    """A worker process; `ask` waits for the answer and keeps what was told on the way in `news`."""

    def __init__(self, stderr: Path) -> None:
        with stderr.open("wb") as log:
            self.process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.stdin, self.stdout = self.process.stdin, self.process.stdout
        self.news: list[dict[str, Any]] = []
        self._last = 0

    def write(self, data: bytes) -> None:
        self.stdin.write(data)
        self.stdin.flush()

    def send(self, method: str, params: Any = None, id: Any = 0) -> Any:
        """Send a request and return its id, without waiting."""
        self._last += 1
        id = self._last if id == 0 else id
        self.write(json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params or {}}).encode() + b"\n")
        return id

    def cancel(self, id: Any) -> None:
        self.write(json.dumps({"jsonrpc": "2.0", "method": "cancel", "params": {"id": id}}).encode() + b"\n")

    def read(self) -> dict[str, Any]:
        line = self.stdout.readline()
        assert line, "the worker has gone"
        message = json.loads(line)
        assert message["jsonrpc"] == "2.0"
        assert isinstance(message, dict)
        return message

    def answer(self, id: Any, each: Callable[[dict[str, Any]], None] = lambda _: None) -> dict[str, Any]:
        """The answer to request `id`; what is told before goes to `news` and `each`."""
        while True:
            message = self.read()
            if "method" not in message and message["id"] == id:
                return message
            self.news.append(message)
            each(message)

    def ask(self, method: str, params: Any = None) -> dict[str, Any]:
        return self.answer(self.send(method, params))

    def close(self) -> float:
        """Close stdin; the seconds until the process is gone."""
        self.stdin.close()
        began = time.monotonic()
        watchdog = threading.Timer(30, self.process.kill)
        watchdog.start()
        self.process.wait()
        watchdog.cancel()
        self.stdout.close()
        return time.monotonic() - began


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """One worker for all tests of a file: it has to live on after each."""
    made = Worker(tmp_path_factory.mktemp("worker") / "stderr.log")
    yield made
    if made.process.poll() is None:
        made.close()


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A raster that takes a second or two to embed on one core."""
    values = np.random.default_rng(0).integers(1, 3000, (3, 1600, 1600), dtype=np.uint16)
    return write_raster(tmp_path_factory.mktemp("photo") / "photo.tif", values)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A raster that takes no time."""
    values = np.random.default_rng(0).integers(1, 3000, (3, 60, 60), dtype=np.uint16)
    return write_raster(tmp_path / "small.tif", values)


def is_running(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (OSError, IndexError):
        return False
