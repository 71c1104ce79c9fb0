"""The plugin's end of the worker's protocol: calls with progress and Cancel, over a worker that may fail at any time.

Only the standard library is used, so that all of it runs without QGIS. A call waits in the thread that made it, and its
listener is called there; ten times a second it asks whether to cancel, whatever the worker does.
"""

from __future__ import annotations

import atexit
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import worker_errors as sentences
from .worker_errors import WorkerCancelled, WorkerError
from .worker_link import Call, WorkerLink
from .worker_process import MAX_LINE, Message, encoded

__all__ = ["Listener", "WorkerCancelled", "WorkerClient", "WorkerError"]

_HIDDEN = ".gfm-partial-*"  # folders beside the outputs, of a run that is not done
_CANCELLED = -32800


@dataclass(frozen=True)
class Listener:
    """What a call tells while it runs, and asks: all in the thread that made the call, and each may be left out.

    `progress(fraction, message)` with a fraction of 0 to 1, `log(level, message)` with level info, warning or error,
    `started(command, python)` with the run as a command and as Python, `cancelled()`.
    """

    progress: Callable[[float, str], None] | None = None
    log: Callable[[str, str], None] | None = None
    started: Callable[[str, str], None] | None = None
    cancelled: Callable[[], bool] | None = None

    def tell(self, name: str, arguments: Sequence[Any]) -> None:
        """Call one of the first three, if it is there."""
        method = getattr(self, name)
        if method is not None:
            method(*arguments)

    def is_cancelled(self) -> bool:
        """Whether the user does not want it any more."""
        return self.cancelled is not None and bool(self.cancelled())


SILENT = Listener()


class WorkerClient:
    """Calls to a worker that is started when it is needed and kept for the next call; threads may share it.

    The limits are in seconds. A worker that fails costs the calls that wait for it a `WorkerError`, one sentence each,
    and the next call starts another.
    """

    POLL = 0.1  # between two looks at `cancelled`
    GRACE = 1.0  # to stop by itself, after Cancel and at the end
    QUIET = 5.0  # without a word, then it is asked for a sign of life
    HANG = 30.0  # to give it
    START = 120.0  # until it is ready: the first import of torch from a cold disk

    def __init__(self, python: str, *, version: str, log_file: Path) -> None:
        self.python = python
        self._version, self._log_file = version, log_file
        self._lock = threading.Lock()
        self._current: WorkerLink | None = None

    @property
    def pid(self) -> int | None:
        """The worker's process, None if there is none."""
        link = self._current
        return None if link is None or link.lost else link.pid

    def hello(self, listener: Listener = SILENT) -> dict[str, Any]:
        """What the worker says of itself: versions, devices, its catalogue. Starts it if need be."""
        return dict(self._ready(listener).hello or {})

    def call(
        self, method: str, params: dict[str, Any], listener: Listener = SILENT, *, outputs: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Run a tool in the worker and return its result; `outputs` are the files that it is to write.

        Raises `WorkerCancelled` at most about 1.2 s after the listener said so, and `WorkerError` with a sentence;
        then nothing of the run is left beside `outputs`.
        """
        try:
            length = len(encoded(params))
        except ValueError:
            raise WorkerError(sentences.NOT_FINITE) from None
        if length > MAX_LINE - 256:  # what is around them
            raise WorkerError(sentences.too_long(MAX_LINE))
        link = self._ready(listener)
        call = link.request(method, params)
        try:
            return self._wait(link, call, listener)
        finally:
            link.forget(call)
            if call.answer is None and link.lost:
                link.wait_gone(self.GRACE + 0.2)
                _remove_hidden(outputs, link.pids)

    def stop(self) -> None:
        """End the worker, if there is one: politely for `GRACE` seconds, then by force."""
        with self._lock:
            link, self._current = self._current, None
        atexit.unregister(self.stop)
        if link is not None:
            link.stop(self.GRACE)

    def _ready(self, listener: Listener) -> WorkerLink:
        """A worker that has greeted as it should."""
        if listener.is_cancelled():
            raise WorkerCancelled
        link = self._running()
        with link.starting():
            while link.hello is None or link.lost:
                if listener.is_cancelled():
                    link.give_up_start()
                    raise WorkerCancelled
                if link.lost:
                    raise WorkerError(link.lost)
                link.check_start(self.START)
                link.wait_for_hello(self.POLL)
        return link

    def _running(self) -> WorkerLink:
        """The worker that runs, or a new one."""
        with self._lock:
            if self._current is None or self._current.lost:
                try:
                    self._current = WorkerLink(self.python, version=self._version, log_file=self._log_file)
                except OSError as error:
                    raise WorkerError(sentences.cannot_start(self.python, error)) from error
                atexit.unregister(self.stop)
                atexit.register(self.stop)
            return self._current

    def _wait(self, link: WorkerLink, call: Call, listener: Listener) -> dict[str, Any]:
        asked: float | None = None  # when Cancel went out
        while True:
            events, answer = link.take_events(call, self.POLL)
            for name, arguments in events:
                listener.tell(name, arguments)
            if answer is not None:
                return self._result(answer, cancelled=asked is not None)
            cancelled = asked is not None or listener.is_cancelled()
            if link.lost:
                raise WorkerCancelled if cancelled else WorkerError(link.lost)
            if cancelled and asked is None:
                asked = time.monotonic()
                link.cancel(call)
            elif asked is not None and time.monotonic() - asked > self.GRACE:
                link.abandon(call)
                raise WorkerCancelled
            link.check_life(self.QUIET, self.HANG)

    def _result(self, answer: Message, *, cancelled: bool) -> dict[str, Any]:
        error, result = answer.get("error"), answer.get("result")
        if cancelled or (isinstance(error, dict) and error.get("code") == _CANCELLED):
            raise WorkerCancelled
        if error is None and isinstance(result, dict):
            return result
        raise WorkerError(sentences.answer_sentence(error, self._log_file))


def _remove_hidden(outputs: Iterable[str], pids: set[int]) -> None:
    """Remove what processes that are gone have left beside outputs; their pid stands in the lock of each folder."""
    for folder in {Path(output).parent for output in outputs}:
        with suppress(OSError):
            for hidden in list(folder.glob(_HIDDEN)):
                if _owner(hidden) in pids:
                    shutil.rmtree(hidden, ignore_errors=True)


def _owner(hidden: Path) -> int | None:
    try:
        return int((hidden / "lock").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
