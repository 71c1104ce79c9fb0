"""Calls to a worker that leave the window free: each in a thread, its answer as a signal in the main thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qgis.PyQt.QtCore import QObject, pyqtSignal

from ..worker_client import Listener, WorkerCancelled, WorkerClient, WorkerError


@dataclass
class Job:
    """One call: `about` is what the asker needs when the answer comes."""

    method: str
    params: dict[str, Any]
    about: Any = None
    outputs: Sequence[str] = ()
    cancelled: threading.Event = field(default_factory=threading.Event)


class Runner(QObject):
    """One call at a time. Of each method that is asked for meanwhile only the newest call is made: it answers all."""

    progressed = pyqtSignal(float, str)
    answered = pyqtSignal(object, object)  # the job, the worker's answer
    failed = pyqtSignal(object, str)  # the job, a sentence; empty for one that was cancelled
    _ended = pyqtSignal(object, object, str)

    def __init__(self, client: Callable[[], WorkerClient], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._client = client
        self._running: Job | None = None
        self._waiting: dict[str, Job] = {}  # by method
        self._thread: threading.Thread | None = None
        self._ended.connect(self._end)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is to come."""
        return self._running is not None

    def ask(self, job: Job) -> None:
        """Make the call now, or after the one that runs."""
        if self._running is not None:
            self._waiting[job.method] = job
            return
        try:
            client = self._client()
        except WorkerError as error:
            self.failed.emit(job, str(error))
            return
        self._running = job
        self._thread = threading.Thread(target=self._call, args=(client, job), daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Stop the call that runs, and forget those that wait."""
        self._waiting.clear()
        if self._running is not None:
            self._running.cancelled.set()

    def close(self) -> None:
        """The same, and wait until it has stopped."""
        self.cancel()
        if self._thread is not None:
            self._thread.join(5)

    def _call(self, client: WorkerClient, job: Job) -> None:
        listener = Listener(progress=self.progressed.emit, cancelled=job.cancelled.is_set)
        try:
            answer = client.call(job.method, job.params, listener, outputs=job.outputs)
        except WorkerCancelled:
            self._ended.emit(job, None, "")
        except WorkerError as error:
            self._ended.emit(job, None, str(error))
        else:
            self._ended.emit(job, answer, "")

    def _end(self, job: Job, answer: dict[str, Any] | None, reason: str) -> None:
        """In the main thread. An answer that was on its way when its call was cancelled is none."""
        self._running = None
        if answer is not None and not job.cancelled.is_set():
            self.answered.emit(job, answer)
        else:
            _remove(job.outputs if answer is not None else ())
            self.failed.emit(job, reason)
        while self._running is None and self._waiting:
            self.ask(self._waiting.pop(next(iter(self._waiting))))


def _remove(outputs: Sequence[str]) -> None:
    for output in outputs:
        with suppress(OSError):
            Path(output).unlink()
