"""Runs one step of the set-up as a process: its lines as they come, and an end at once when it is cancelled."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO

_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)
_POLL = 0.1  # seconds between two looks at whether it was cancelled
_LAST_WORDS = 3.0  # seconds for the pipes of a process that is gone


class SetupCancelled(Exception):
    """The user has cancelled, and the processes are ended."""


@dataclass
class Ran:
    """How a process ended, and what it said on each of its outputs."""

    code: int
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)

    @property
    def said(self) -> list[str]:
        """All of it: errors last."""
        return [*self.out, *self.err]


def unheard(*_: object) -> None:
    """For who does not listen."""


def run(
    command: list[str],
    environ: dict[str, str],
    *,
    log: Callable[[str], None] = unheard,
    cancelled: Callable[[], bool] = lambda: False,
) -> Ran:
    """Run a program to its end. Raises `SetupCancelled` once it is ended for that, `OSError` if it does not start."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ,
        creationflags=_NO_WINDOW, start_new_session=True,
    )  # fmt: skip
    lines: queue.SimpleQueue[tuple[str, str] | None] = queue.SimpleQueue()
    ran = Ran(0)
    try:
        for name, pipe in (("out", process.stdout), ("err", process.stderr)):
            threading.Thread(target=_read, args=(name, pipe, lines), daemon=True).start()
        _collect(process, lines, ran, log, cancelled)
    finally:
        kill(process)
    ran.code = process.wait()
    return ran


def _collect(
    process: subprocess.Popen[bytes],
    lines: queue.SimpleQueue[tuple[str, str] | None],
    ran: Ran,
    log: Callable[[str], None],
    cancelled: Callable[[], bool],
) -> None:
    """Hand on lines until both pipes are closed, or the process is gone and a child of it holds them open."""
    open_pipes, gone_for = 2, 0.0
    while open_pipes and gone_for < _LAST_WORDS:
        if cancelled():
            raise SetupCancelled
        try:
            item = lines.get(timeout=_POLL)
        except queue.Empty:
            gone_for += _POLL if process.poll() is not None else 0.0
            continue
        if item is None:
            open_pipes -= 1
            continue
        name, line = item
        getattr(ran, name).append(line)
        log(line)
    while process.poll() is None:  # it closed its outputs and works on
        if cancelled():
            raise SetupCancelled
        with suppress(subprocess.TimeoutExpired):
            process.wait(_POLL)


def _read(name: str, pipe: IO[bytes], lines: queue.SimpleQueue[tuple[str, str] | None]) -> None:
    with suppress(OSError, ValueError), pipe:
        for line in pipe:
            lines.put((name, line.decode("utf-8", "replace").rstrip()))
    lines.put(None)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process with all that it started; what has ended by itself is left alone."""
    if process.poll() is not None:
        return
    with suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            tree = ["taskkill", "/T", "/F", "/PID", str(process.pid)]
            subprocess.run(tree, capture_output=True, check=False, creationflags=_NO_WINDOW)
            process.kill()
    process.wait()
