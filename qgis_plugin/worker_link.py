"""One started worker: its greeting, the calls it was asked for, the signs of life it gives, and its loss.

A lost worker stays lost, with the sentence that tells why; `worker_client` starts the next one.
"""

from __future__ import annotations

import itertools
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import worker_errors as sentences
from .environment import clean_environ
from .worker_process import NO_WINDOW, Message, WorkerProcess, cpu_seconds

PROTOCOL = 1

_MOST_EVENTS = 1000  # that a slow listener was not told yet: beyond, the newest takes the place of the one before

_PATIENCE = 20  # times as long is waited for a worker that does not answer and yet may work

Event = tuple[str, tuple[Any, ...]]  # the listener's method and its arguments


@dataclass
class Call:
    """One request: what came for it and was not told yet, whether the worker has begun it, and its answer."""

    number: int
    events: deque[Event] = field(default_factory=deque)
    begun: bool = False
    answer: Message | None = None


class WorkerLink:
    """A worker of `python`, started at once. Raises `OSError` if it cannot be.

    `hello` is what it greeted with, None before; `lost` is the sentence of a worker that is of no use any more, empty
    while it is of use.
    """

    def __init__(self, python: str, *, version: str, log_file: Path) -> None:
        self.hello: dict[str, Any] | None = None
        self.lost = ""
        self._python, self._version, self._log_file = python, version, log_file
        self._changed = threading.Condition()
        self._numbers = itertools.count(1)
        self._calls: dict[int, Call] = {}
        self._starters = 0  # threads that wait for the greeting
        self._started = self._looked = time.monotonic()
        self._silence, self._pinged = 0.0, False
        self._worked: float | None = None  # processor time at the ping
        command = [python, "-I", "-X", "utf8", "-m", "gfm_core.worker"]
        self._process = WorkerProcess(command, log_file, self._take, self._ended)
        self._greeting = self._send("hello", {})
        self._process.listen()

    @property
    def pids(self) -> set[int]:
        """The process that was started and the one that works: on Windows the Python of a venv starts another."""
        return {self._process.pid, self.pid}

    @property
    def pid(self) -> int:
        """The process that works."""
        told = (self.hello or {}).get("pid")
        return told if isinstance(told, int) else self._process.pid

    # ---- The greeting ------------------------------------------------------------------------------------------------

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Held by a thread while it waits for the greeting."""
        with self._changed:
            self._starters += 1
        try:
            yield
        finally:
            with self._changed:
                self._starters -= 1

    def wait_for_hello(self, seconds: float) -> None:
        """Wait so long at most."""
        with self._changed:
            if self.hello is None and not self.lost:
                self._changed.wait(seconds)

    def check_start(self, limit: float) -> None:
        """Lose a worker that has not greeted within `limit` seconds."""
        if self.hello is None and time.monotonic() - self._started > limit:
            self._lose(sentences.slow_start(self._python, limit, self._log_file))

    def give_up_start(self) -> None:
        """A thread that waited for the greeting was cancelled; a start that nobody else waits for is ended."""
        with self._changed:
            alone = self._starters <= 1 and self.hello is None
        if alone:
            self._lose(sentences.stopped())

    # ---- Calls -------------------------------------------------------------------------------------------------------

    def request(self, method: str, params: dict[str, Any]) -> Call:
        """Ask for something; `forget` it in the end."""
        with self._changed:
            number = self._send(method, params)
            call = self._calls[number] = Call(number)
        return call

    def take_events(self, call: Call, seconds: float) -> tuple[list[Event], Message | None]:
        """What happened to a call since the last time, and its answer; waits so long for something to happen."""
        with self._changed:
            if not (call.events or call.answer or self.lost):
                self._changed.wait(seconds)
            events = list(call.events)
            call.events.clear()
            return events, call.answer

    def cancel(self, call: Call) -> None:
        """Ask the worker to stop a call."""
        self._process.send({"jsonrpc": "2.0", "method": "cancel", "params": {"id": call.number}})

    def abandon(self, call: Call) -> None:
        """Leave a call that does not stop: end the worker, unless that would only hit another call that it works on."""
        with self._changed:
            others = any(other.begun for other in self._calls.values() if other is not call)
        if call.begun or not others:
            self._lose(sentences.ended_for_another())

    def forget(self, call: Call) -> None:
        """Be done with a call; one without an answer is cancelled."""
        with self._changed:
            self._calls.pop(call.number, None)
        if call.answer is None and not self.lost:
            self.cancel(call)

    def check_life(self, quiet: float, limit: float) -> None:
        """Ping a worker that said nothing for `quiet` seconds, and lose one that does not answer for `limit` more.

        Time counts while calls look here: a computer that was asleep is no worker that hangs.
        """
        now = time.monotonic()
        with self._changed:
            self._silence += min(now - self._looked, 1.0)
            self._looked = now
            due = self._silence > quiet and not self._pinged
            self._pinged = self._pinged or due
            unanswered = self._silence - quiet
        if due:
            self._worked = cpu_seconds(self.pid)
            self._send("ping", {})
        if unanswered > limit and (unanswered > limit * _PATIENCE or not self._may_work(limit)):
            self._lose(sentences.hung(unanswered, self._log_file))

    def _may_work(self, limit: float) -> bool:
        """Whether a worker that does not answer may be at work all the same.

        Native code that keeps the interpreter to itself lets no ping through; GDAL's overviews of a large file take
        minutes. Killing such a run at its end costs more than waiting for one that hangs, which Cancel ends at once.
        """
        now = cpu_seconds(self.pid)
        return now is None or self._worked is None or now - self._worked > 0.01 * limit

    # ---- The end -----------------------------------------------------------------------------------------------------

    def stop(self, grace: float) -> None:
        """End it as a parent that goes does: by closing its stdin, and after `grace` seconds by force."""
        with self._changed:
            self.lost = self.lost or sentences.stopped()
            self._changed.notify_all()
        self._process.end(grace)

    def wait_gone(self, seconds: float) -> bool:
        """Whether the process is gone within so many seconds."""
        return self._process.wait(seconds)

    def _lose(self, sentence: str) -> None:
        """The first reason stays."""
        with self._changed:
            self.lost = self.lost or sentence
            self._changed.notify_all()
        self._process.kill()

    # ---- What the reading thread tells -------------------------------------------------------------------------------

    def _take(self, message: Message) -> None:
        number = message.get("id")
        with self._changed:
            self._silence, self._pinged = 0.0, False
            if "method" in message:
                self._take_notification(message["method"], message.get("params"))
            elif number == self._greeting and self.hello is None:
                self._take_greeting(message)
            elif isinstance(number, int) and number in self._calls:
                self._calls[number].answer = message
            self._changed.notify_all()
        if self.lost:
            self._process.kill()

    def _take_greeting(self, message: Message) -> None:
        told = message.get("result")
        if "error" in message:
            self.lost = sentences.answer_sentence(message["error"], self._log_file)
        elif not isinstance(told, dict):
            self.lost = sentences.garbage(self._python, self._log_file)
        elif told.get("protocol") != PROTOCOL:
            self.lost = sentences.other_protocol(self._python, told.get("protocol"), PROTOCOL)
        elif told.get("version") != self._version:
            self.lost = sentences.other_version(self._python, told.get("version"), self._version)
        else:
            self.hello = told

    def _take_notification(self, method: Any, params: Any) -> None:
        number = params.get("id") if isinstance(params, dict) else None
        call = self._calls.get(number) if isinstance(number, int) else None
        event = None if call is None else _event(method, params)
        if call is None or event is None:
            return
        call.begun = True
        if len(call.events) >= _MOST_EVENTS:
            call.events.pop()
        call.events.append(event)

    def _ended(self, code: int | None, garbage: bool) -> None:
        if self.lost:
            return
        if garbage:
            self._lose(sentences.garbage(self._python, self._log_file))
        elif self.hello is None:
            version = _version_of(self._python) if code else None
            self._lose(sentences.ended_early(self._python, self._log_file, code, version))
        else:
            self._lose(sentences.ended_in_run(self._log_file, code))

    def _send(self, method: str, params: dict[str, Any]) -> int:
        number = next(self._numbers)
        self._process.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return number


def _event(method: Any, params: dict[str, Any]) -> Event | None:
    """A notification as what a listener hears; None for one that this version does not know."""
    if method == "progress" and isinstance(params.get("fraction"), (int, float)):
        return "progress", (min(max(float(params["fraction"]), 0.0), 1.0), str(params.get("message") or ""))
    if method == "log":
        return "log", (str(params.get("level")), str(params.get("message")))
    if method == "started":
        return "started", (str(params.get("command")), str(params.get("python")))
    return None


def _version_of(python: str) -> tuple[int, int] | None:
    """The version of a Python that could not run the worker, None if it cannot even tell that."""
    command = [python, "-I", "-c", "import sys; print(sys.version_info[0], sys.version_info[1])"]
    try:
        ran = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, env=clean_environ(), check=False, timeout=5,
            creationflags=NO_WINDOW,
        )  # fmt: skip
        major, minor = ran.stdout.split()
        return int(major), int(minor)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
