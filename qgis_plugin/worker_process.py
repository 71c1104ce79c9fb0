"""The worker's process: its pipes, the lines on them, and its end. What the lines mean is `worker_client`'s."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from .environment import clean_environ

MAX_LINE = 1 << 20  # bytes, of either side
_MOST_GARBAGE = 100  # lines in a row that are no messages: then it is no worker
NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # on Windows a console would open

Message = dict[str, Any]


class WorkerProcess:
    """A started program that messages go to by `send`, and come from in a thread of its own.

    After `listen`, `on_message` gets each message; `on_end` comes once, last, with the exit code (None if it had to be
    ended) and whether garbage was the reason.
    Each pipe is closed by the thread that uses it: closing one under a blocked reader would block as well.
    Raises `OSError` if the program cannot be started.
    """

    def __init__(
        self,
        command: list[str],
        log_file: Path,
        on_message: Callable[[Message], None],
        on_end: Callable[[int | None, bool], None],
    ) -> None:
        self._on_message, self._on_end = on_message, on_end
        self._log = _open_log(log_file)
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log or subprocess.DEVNULL,
                bufsize=0, env=clean_environ(), creationflags=NO_WINDOW, start_new_session=True,
            )  # fmt: skip
        except BaseException:
            self._close_log()
            raise
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._write)]

    def listen(self) -> None:
        """Begin to read and write."""
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        """The process that was started; the worker itself may be its child (Windows's venv)."""
        return self._process.pid

    def send(self, message: Message) -> None:
        """Queue a message; never blocks, whatever the worker does."""
        self._outgoing.put(encoded(message))

    def end(self, grace: float) -> None:
        """Close the worker's stdin, which ends it; kill it if it is still there after `grace` seconds."""
        self._outgoing.put(None)
        if not self.wait(grace):
            self.kill()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(0.5)

    def kill(self) -> None:
        """End it at once, with all that it started."""
        self._outgoing.put(None)
        if self._process.poll() is None:
            with suppress(OSError):
                if os.name == "posix":
                    os.killpg(self._process.pid, signal.SIGKILL)
                else:
                    self._process.kill()
        self.wait(0.2)  # longer only in a system call that cannot be interrupted

    def wait(self, seconds: float) -> bool:
        """Whether it is gone within so many seconds."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _read(self) -> None:
        pipe = self._process.stdout
        assert pipe is not None
        stray = 0
        for line in _lines(pipe):
            message = _message(line) if len(line) <= MAX_LINE else None
            if message is not None:
                stray = 0
                self._on_message(message)
                continue
            stray += 1 if len(line) <= MAX_LINE else _MOST_GARBAGE + 1  # an answer may be lost in a line without end
            self._note(line)
            if stray > _MOST_GARBAGE:
                break
        pipe.close()
        # A process that closed its output but stays, or said too much nonsense, has no exit code.
        code = self._process.returncode if stray <= _MOST_GARBAGE and self.wait(1.0) else None
        self._outgoing.put(None)
        self._close_log()
        self._on_end(code, stray > _MOST_GARBAGE)

    def _write(self) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        with suppress(OSError):
            for line in iter(self._outgoing.get, None):
                rest = memoryview(line)
                while rest:
                    rest = rest[pipe.write(rest) :]
        with suppress(OSError):
            pipe.close()

    def _note(self, line: bytes) -> None:
        if self._log is not None:
            with suppress(OSError):
                self._log.write(b"not a message: " + line[:200] + b"\n")

    def _close_log(self) -> None:
        if self._log is not None:
            with suppress(OSError):
                self._log.close()
            self._log = None


def encoded(message: Message) -> bytes:
    """A message as its line; undecodable bytes of file names travel as escapes.

    Raises `ValueError` for a number that is not finite: JSON has none, and the worker could not even tell whose it was.
    """
    return json.dumps(message, allow_nan=False).encode("ascii") + b"\n"


def cpu_seconds(pid: int) -> float | None:
    """Processor time that a process has used, None where the system does not tell it simply: only Linux does."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        user, kernel = told.rpartition(")")[2].split()[11:13]  # behind the name, which may hold anything
        return (int(user) + int(kernel)) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, AttributeError):
        return None


def _lines(pipe: IO[bytes]) -> Iterator[bytes]:
    """Lines without their ends; of one that is longer than `MAX_LINE` bytes there comes no more than a little above."""
    rest = b""
    while True:
        try:
            chunk = pipe.read(1 << 16)
        except (OSError, ValueError):
            return
        if not chunk:
            return
        first, *others = chunk.split(b"\n")
        rest += first
        for line in others:
            yield rest
            rest = line
        if len(rest) > MAX_LINE:
            yield rest
            rest = b""


def _message(line: bytes) -> Message | None:
    try:
        message = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    if isinstance(message, dict) and message.get("jsonrpc") == "2.0":
        return message
    return None


def _open_log(log_file: Path) -> IO[bytes] | None:
    """The emptied log, or None where it cannot be written: a run matters more than its log.

    It is appended to, for the worker and this process both write there.
    """
    try:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        log = log_file.open("ab", buffering=0)
        log.truncate(0)
    except OSError:
        return None
    return log
