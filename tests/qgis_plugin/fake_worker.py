"""Programs that look like the Python of an environment and do what a test wants where the worker would start."""

from __future__ import annotations

import os
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qgis_plugin.worker_client import Listener, WorkerCancelled, WorkerClient, WorkerError

VERSION = "0.1.0"

# A worker as the protocol wants it. A test's lines come before `serve()` and replace what they want.
_GOOD = '''
import json, os, queue, signal, sys, threading, time

if "-c" in sys.argv:
    print(*VERSION_INFO)
    sys.exit()

out = os.fdopen(os.dup(1), "wb", 0)
lock = threading.Lock()
cancelled = set()
waiting = queue.Queue()

def say(**message):
    with lock:
        out.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\\n")

def tell(method, request, **params):
    say(method=method, params={"id": request["id"], **params})

def answer(request, result):
    say(id=request["id"], result=result)

def fail(request, code, message):
    say(id=request["id"], error={"code": code, "message": message})

def greeting():
    return {"protocol": 1, "version": "0.1.0", "pid": os.getpid(), "python": "3.11.7"}

def hello(request):
    answer(request, greeting())

def run(request):
    tell("started", request, command="gfm embed", python="import gfm_core")
    tell("progress", request, fraction=0.5, message="half")
    answer(request, {"echo": request["params"], "pid": os.getpid()})

def wait_for_cancel(request):
    while request["id"] not in cancelled:
        time.sleep(0.01)
    fail(request, -32800, "Cancelled.")

def hide(request):
    """The hidden output of a run that works on it."""
    folder = request["params"]["folder"] + "/.gfm-partial-0123456789abcdef"
    os.makedirs(folder + "/new")
    open(folder + "/new/half.tif", "w").write("half")
    open(folder + "/lock", "w").write(str(os.getpid()))

def heard(request):
    method = request["method"]
    if method == "hello":
        hello(request)
    elif method == "ping":
        answer(request, {})
    elif method == "cancel":
        cancelled.add(request["params"]["id"])
    else:
        waiting.put(request)

def work():
    while True:
        request = waiting.get()
        if request["id"] in cancelled:
            fail(request, -32800, "Cancelled.")
        else:
            run(request)

def gone():
    os._exit(0)

def serve():
    threading.Thread(target=work, daemon=True).start()
    for line in sys.stdin.buffer:
        heard(json.loads(line))
    gone()
'''


def write_python(path: Path, lines: str = "", *, version: tuple[int, int] = (3, 11)) -> str:
    """A program at `path` that starts as a worker does, changed by `lines`."""
    good = _GOOD.replace("VERSION_INFO", repr(version))
    path.write_text(f"#!{sys.executable} -IS\n{good}\n{textwrap.dedent(lines)}\nserve()\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@dataclass
class Told:
    """A listener that keeps what it heard, and cancels when `until` says so."""

    until: Callable[[Told], bool] = lambda told: False
    events: list[tuple[Any, ...]] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)

    def listener(self) -> Listener:
        def keep(name: str) -> Callable[..., None]:
            return lambda *arguments: self._keep(name, *arguments)

        return Listener(keep("progress"), keep("log"), keep("started"), lambda: self.until(self))

    def _keep(self, *event: Any) -> None:
        self.threads.add(threading.get_ident())
        self.events.append(event)

    def has(self, name: str) -> bool:
        return any(event[0] == name for event in self.events)


@dataclass
class Desk:
    """Makes clients for programs, and sees to it that nothing of them outlives the test."""

    folder: Path
    clients: list[WorkerClient] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.folder / "profile" / "worker.log"

    def client(self, python: str | Path) -> WorkerClient:
        made = WorkerClient(str(python), version=VERSION, log_file=self.log)
        self.clients.append(made)
        return made

    def fake(self, lines: str = "", **details: Any) -> WorkerClient:
        """A client of a worker that is changed by `lines`."""
        return self.client(write_python(self.folder / "python", lines, **details))

    def mend(self) -> None:
        """What the user does: from now on the program is as it should be."""
        write_python(self.folder / "python")

    def close(self) -> None:
        for client in self.clients:
            client.stop()


def sentence_of(call: Callable[[], Any]) -> str:
    """The one sentence of a call that must fail."""
    try:
        call()
    except WorkerError as error:
        text = str(error)
        assert "\n" not in text
        assert text.endswith(".")
        return text
    raise AssertionError("it should have failed")


def seconds_to_cancel(client: WorkerClient, params: dict[str, Any], told: Told, outputs: Sequence[str] = ()) -> float:
    """From the moment when the listener says so until the call is back; it must be back as a cancelled one."""
    said: list[float] = []

    def until(state: Told) -> bool:
        if wanted(state):
            said.append(time.monotonic())
            return True
        return False

    wanted, told.until = told.until, until
    try:
        client.call("embed", params, told.listener(), outputs=outputs)
    except WorkerCancelled:
        return time.monotonic() - said[0]
    raise AssertionError("it should have been cancelled")


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return Path("/proc/self").exists() is False


def wait_until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for what another thread or process does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)
