"""The worker: a thread reads requests, the main thread runs one tool after the other, models stay warm.

Closing stdin is how a parent says good-bye, and what the system does for one that was killed: the tool at work is told
to stop, what it had begun is removed, and the process ends within a second whatever native code is doing.
"""

from __future__ import annotations

import importlib.metadata
import logging
import os
import platform
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from io import RawIOBase
from typing import TYPE_CHECKING, Any

from gfm_core.errors import GfmError, ParameterError
from gfm_core.hidden import abandon_outputs
from gfm_core.parameters import Parameters
from gfm_core.progress import Cancelled, Progress, Reporter
from gfm_core.worker.live import LiveMaps
from gfm_core.worker.models import Models
from gfm_core.worker.protocol import (
    CANCELLED,
    FAILED,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    PROTOCOL,
    UNKNOWN_METHOD,
    Id,
    ProtocolError,
    Request,
    Sender,
    lines,
    parse,
)

if TYPE_CHECKING:
    from gfm_core.tools.ready import Ready  # torch: an environment without it must still answer

_GRACE = 0.7  # seconds that a tool has to stop after the parent has gone
_PROGRESS_EVERY = 0.1  # seconds
_STOPPED = "Stopped on request; nothing was written."
_NO_MEMORY = "The memory is not enough; give a smaller extent or larger cells."
_PACKAGES = ("torch", "rasterio", "geopandas", "numpy", "scikit-learn")


def serve(requests: RawIOBase, answers: RawIOBase) -> None:
    """Answer `requests` until they end."""
    # Ctrl-C in the terminal that QGIS was started from reaches the whole group; it is meant for QGIS.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.getLogger("gfm_core").setLevel(logging.INFO)
    server = Server(Sender(answers))
    # A thread: what waits for the tool to stop must not stand in its way.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.leave).start())
    server.run(requests)


@dataclass(slots=True)
class _Job:
    request: Request
    cancelled: threading.Event = field(default_factory=threading.Event)


class Server:
    """Takes requests from one stream and answers through `sender`."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._open: dict[Id, _Job] = {}  # asked and not answered yet
        self._running: _Job | None = None
        self._lock = threading.Lock()
        self._models, self._live = Models(), LiveMaps()
        self._methods: dict[str, Callable[[_Job], dict[str, Any]]] = {
            "hello": self._hello, "look": self._look,
        }  # fmt: skip

    def run(self, requests: RawIOBase) -> None:
        """Read in a thread of its own and work here until the stream ends."""
        threading.Thread(target=self._read, args=(requests,), name="requests", daemon=True).start()
        while (job := self._jobs.get()) is not None:
            self._work(job)

    # ---- Reading ----------------------------------------------------------------------------------------------------

    def _read(self, requests: RawIOBase) -> None:
        try:
            for line in lines(requests):
                self._take(line)
        finally:
            self.leave()

    def _take(self, line: bytes | object) -> None:
        try:
            request = parse(line)
        except ProtocolError as error:
            self._sender.error(error.id, error.code, str(error))
            return
        if request.method == "cancel":
            self._cancel(request.params.get("id"))
        elif request.id is None:
            return  # a notification that nobody knows
        elif request.method == "ping":
            self._sender.result(request.id, {})
        else:
            self._queue(request)

    def _queue(self, request: Request) -> None:
        job = _Job(request)
        with self._lock:
            taken = request.id in self._open
            if not taken:
                self._open[request.id] = job
        if taken:
            self._sender.error(
                request.id, INVALID_REQUEST, f"Request {request.id} is still open; give each its own id."
            )
        else:
            self._jobs.put(job)

    def _cancel(self, id: Any) -> None:
        """A waiting request is answered at once, a running one when it stops."""
        with self._lock:
            job = self._open.get(id) if isinstance(id, int | str) else None
            waiting = job is not None and job is not self._running
            if job is not None:
                job.cancelled.set()
            if waiting:
                del self._open[id]
        if waiting:
            self._sender.error(id, CANCELLED, _STOPPED)

    def leave(self) -> None:
        """The parent has gone: let the tool stop, remove what it began, end."""
        self._jobs.put(None)
        with self._lock:
            jobs = list(self._open.values())
        for job in jobs:
            job.cancelled.set()
        deadline = time.monotonic() + _GRACE
        while self._open and time.monotonic() < deadline:
            time.sleep(0.02)
        abandon_outputs()
        os._exit(0)

    # ---- Working ----------------------------------------------------------------------------------------------------

    def _work(self, job: _Job) -> None:
        """Run one request and answer it, whatever happens in it."""
        id = job.request.id
        with self._lock:
            if id not in self._open:  # cancelled while it waited
                return
            self._running = job
        try:
            answer = self._answer(job)
        finally:
            with self._lock:  # before the answer: the same id may come again after it
                self._open.pop(id, None)
                self._running = None
        answer()

    def _answer(self, job: _Job) -> Callable[[], None]:
        """Run it; what comes back sends the answer."""
        id, send = job.request.id, self._sender
        try:
            result = self._methods.get(job.request.method, self._run_tool)(job)
            return lambda: send.result(id, result)
        except Cancelled:
            return lambda: send.error(id, CANCELLED, _STOPPED)
        except ProtocolError as error:
            code, text = error.code, str(error)
            return lambda: send.error(id, code, text)
        except GfmError as error:
            text, kind = str(error), type(error).__name__
            return lambda: send.error(id, FAILED, text, kind)
        except MemoryError:
            return lambda: send.error(id, FAILED, _NO_MEMORY, "MemoryError")
        except BaseException as error:  # noqa: BLE001 - the worker outlives whatever a tool raises
            traceback.print_exc(file=sys.stderr)
            text = _internal(error)
            return lambda: send.error(id, INTERNAL_ERROR, text)

    def _hello(self, job: _Job) -> dict[str, Any]:  # noqa: ARG002 - every method takes its job
        """Who answers, what is installed, what can be asked for. Raises `GfmError` if a tool could not run here."""
        return {
            "protocol": PROTOCOL, "version": importlib.metadata.version("jepa-gfm"),
            "python": platform.python_version(), "executable": sys.executable, "pid": os.getpid(),
            "devices": _devices(), "packages": {name: importlib.metadata.version(name) for name in _PACKAGES},
            "catalogue": _catalogue(),
        }  # fmt: skip

    def _look(self, job: _Job) -> dict[str, Any]:
        """Get an embedding ready for previews, while its user still labels the first places."""
        embedding = job.request.params.get("embedding")
        if not isinstance(embedding, str):
            raise ProtocolError(INVALID_PARAMS, "look needs the path of an embedding as `embedding`.", job.request.id)
        self._live.look(embedding)
        return {}

    def _ready(self) -> Ready:
        from gfm_core.tools.ready import Ready

        return Ready(load=self._models.load, live=self._live.open)

    def _run_tool(self, job: _Job) -> dict[str, Any]:
        from gfm_core.tools.catalogue import TOOLS
        from gfm_core.tools.copy_as import as_command, as_python

        request = job.request
        tool = TOOLS.get(request.method)
        if tool is None:
            known = ", ".join(("ping", *self._methods, *TOOLS))
            raise ProtocolError(UNKNOWN_METHOD, f"There is no method {request.method[:50]!r}; use {known}.", request.id)
        parameters = _parameters(tool.parameters, request)
        self._sender.notify(
            "started", {"id": request.id, "command": as_command(parameters), "python": as_python(parameters)}
        )
        news = _News(self._sender, request.id)
        news.progress(Progress(0.0, "starting"))
        with _logged(news):
            outcome = tool.run(parameters, Reporter(news.progress, job.cancelled.is_set), self._ready())
        news.finish()
        return outcome.to_dict()


def _internal(error: BaseException) -> str:
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:500]
    return f"This should not have happened ({reason}); please tell us what you did."


def _parameters(cls: type[Parameters], request: Request) -> Any:
    try:
        return cls.from_dict(request.params)
    except ParameterError as error:
        raise ProtocolError(INVALID_PARAMS, str(error), request.id) from error
    except TypeError as error:
        raise ProtocolError(
            INVALID_PARAMS, f"The params of {request.method} cannot be used ({error}).", request.id
        ) from error


def _devices() -> list[str]:
    try:
        import torch
    except Exception as error:
        raise GfmError(
            f"The environment {sys.prefix} cannot load torch ({type(error).__name__}: {error}); install it again: "
            "pip install jepa-gfm."
        ) from error
    return ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def _catalogue() -> dict[str, Any]:
    try:
        from gfm_core.tools.catalogue import catalogue
    except ImportError as error:
        raise GfmError(
            f"The environment {sys.prefix} lacks a package ({error}); install it again: pip install jepa-gfm."
        ) from error
    return catalogue()


# ---- What a running tool tells --------------------------------------------------------------------------------------


class _News:
    """Progress and log of one request: never backwards, ten times a second at most."""

    def __init__(self, sender: Sender, id: Id) -> None:
        self._sender, self.id = sender, id
        self._fraction, self._message, self._told = 0.0, "", 0.0
        self._last: Progress | None = None

    def progress(self, progress: Progress) -> None:
        """Tell it now, or keep it until there is more to tell."""
        now = time.monotonic()
        self._last = progress
        if progress.message != self._message or now - self._told >= _PROGRESS_EVERY:
            self._tell(now)

    def finish(self) -> None:
        """Tell what is still kept."""
        if self._last is not None:
            self._tell(time.monotonic())

    def _tell(self, now: float) -> None:
        progress = self._last
        assert progress is not None
        self._fraction = max(self._fraction, min(progress.fraction, 1.0))
        self._message, self._told, self._last = progress.message, now, None
        self._sender.notify(
            "progress",
            {
                "id": self.id, "fraction": self._fraction, "message": progress.message,
                "area_km2": float(progress.area_km2),
            },
        )  # fmt: skip

    def log(self, level: str, message: str) -> None:
        """One line of the log."""
        self._sender.notify("log", {"id": self.id, "level": level, "message": message})


class _logged(logging.Handler):  # noqa: N801 - used as a context
    """Sends the library's log along while a tool runs."""

    def __init__(self, news: _News) -> None:
        super().__init__(logging.INFO)
        self._news = news

    def __enter__(self) -> None:
        logging.getLogger("gfm_core").addHandler(self)

    def __exit__(self, *_: object) -> None:
        logging.getLogger("gfm_core").removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """One record."""
        level = (
            "error" if record.levelno >= logging.ERROR else "warning" if record.levelno >= logging.WARNING else "info"
        )
        self._news.log(level, record.getMessage())
