"""Calls to a worker that leave the window free: each in a thread, its answer as a signal in the main thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
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
    """One call at a time. Of those that are asked for meanwhile only the newest is made: it answers all of them."""

    progressed = pyqtSignal(float, str)
    answered = pyqtSignal(object, object)  # the job, the worker's answer
    failed = pyqtSignal(object, str)  # the job, a sentence; empty for one that was cancelled
    _ended = pyqtSignal(object, object, str)

    def __init__(self, client: Callable[[], WorkerClient], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._client = client
        self._running: Job | None = None
        self._waiting: Job | None = None
        self._thread: threading.Thread | None = None
        self._ended.connect(self._end)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is to come."""
        return self._running is not None

    def ask(self, job: Job) -> None:
        """Make the call now, or after the one that runs."""
        if self._running is not None:
            self._waiting = job
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
        """Stop the call that runs, and forget the one that waits."""
        self._waiting = None
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
        """In the main thread."""
        self._running = None
        waiting, self._waiting = self._waiting, None
        if answer is not None:
            self.answered.emit(job, answer)
        else:
            self.failed.emit(job, reason)
        if waiting is not None:
            self.ask(waiting)
