"""What can go wrong with the worker, each as one sentence that a user can act on."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import Any

OPTIONS = "Settings > Options > JEPA-GFM"
OLDEST_PYTHON = (3, 11)

NOT_FINITE = "A number among the parameters is infinite or none at all (nan); give a finite one, or leave it empty."

_MISSING = re.compile(r"No module named '?gfm_core(\.worker)?\b")


class WorkerError(Exception):
    """The run came to nothing; the message is one sentence with the mend, for `QgsProcessingException`."""


class WorkerCancelled(Exception):
    """The run was cancelled, and nothing of it is left."""


def cannot_start(python: str, error: OSError) -> str:
    """Why the system would not start this program."""
    choose = f"choose the Python of its environment in {OPTIONS}."
    if Path(python).is_dir():
        return f"{python} is a folder without a Python; {choose}"
    if isinstance(error, FileNotFoundError) and os.path.lexists(python):
        return f"The Python that {python} leads to is gone; make the environment again, or {choose}"
    if isinstance(error, FileNotFoundError):
        return f"There is no Python at {python}; {choose}"
    if isinstance(error, PermissionError):
        return f"{python} may not be executed; {choose}"
    return f"{python} cannot be started ({error.strerror or error}); {choose}"


def ended_early(python: str, log_file: Path, code: int | None, version: tuple[int, int] | None) -> str:
    """Why a worker was gone before its first answer; `version` is that of its Python, where it could tell."""
    if version is not None and version < OLDEST_PYTHON:
        needed = ".".join(map(str, OLDEST_PYTHON))
        return (
            f"{python} is Python {version[0]}.{version[1]} and JEPA-GFM needs {needed} or newer; "
            f"choose another environment in {OPTIONS}."
        )
    told = log_tail(log_file)
    missing = _MISSING.search(told)
    if missing and missing.group(1):
        return f"The JEPA-GFM of {python} is older than this plugin; update it, or choose another in {OPTIONS}."
    if missing:
        return f"{python} holds no JEPA-GFM; choose the environment it was installed in, in {OPTIONS}."
    last = (told.strip().splitlines() or [exit_text(code)])[-1].strip()[:300]
    return f"The worker of {python} ended before it was ready ({last}); press Check in {OPTIONS}, or read {log_file}."


def ended_in_run(log_file: Path, code: int | None) -> str:
    """A worker that died while it was asked for something."""
    if code == -getattr(signal, "SIGKILL", 9):
        return (
            f"The worker was killed ({exit_text(code)}), most often for want of memory: close other programs, or take "
            f"a smaller extent or larger cells, and run the tool again; its log is {log_file}."
        )
    return f"The worker ended in the middle of the run ({exit_text(code)}); run the tool again, or see {log_file} why."


def exit_text(code: int | None) -> str:
    """How a process ended, in words."""
    if code is None:
        return "it closed its output"
    if code < 0:
        return f"signal {_signal_name(-code)}"
    return f"exit code {code}" if code < 1 << 16 else f"exit code 0x{code:08X}"  # Windows's are known by their hex


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def garbage(python: str, log_file: Path) -> str:
    """A program that answers, but not as a worker does."""
    return (
        f"{python} does not speak as a JEPA-GFM worker does (what it said is in {log_file}); "
        f"choose the environment in {OPTIONS}."
    )


def hung(seconds: float, log_file: Path) -> str:
    """A worker that answers nothing any more."""
    return f"The worker gave no sign of life for {seconds:.0f} s and was ended; run the tool again, or see {log_file}."


def slow_start(python: str, seconds: float, log_file: Path) -> str:
    """A worker that never became ready."""
    return (
        f"The worker of {python} was not ready after {seconds:.0f} s and was ended; run the tool again, "
        f"press Check in {OPTIONS}, or see {log_file}."
    )


def other_protocol(python: str, theirs: Any, ours: int) -> str:
    """A worker that speaks another version of the protocol."""
    return (
        f"The worker of {python} speaks protocol {_short(theirs)} and this plugin {ours}; "
        f"update the older of the two, or choose another environment in {OPTIONS}."
    )


def other_version(python: str, theirs: Any, ours: str) -> str:
    """A library of another version than the plugin."""
    return (
        f"{python} holds JEPA-GFM {_short(theirs)} and this plugin is {ours}; "
        f"update the older of the two, or choose another environment in {OPTIONS}."
    )


def _short(value: Any) -> str:
    return "of an unknown version" if value is None else str(value)[:40]


def stopped() -> str:
    """The plugin was unloaded, or another Python was chosen."""
    return "The worker was stopped while it ran, for the plugin was unloaded or its Python changed; run the tool again."


def ended_for_another() -> str:
    """A worker whose other run did not react to Cancel."""
    return "The worker was ended because another of its runs could not be cancelled otherwise; run the tool again."


def too_long(limit: int) -> str:
    """A request that the protocol does not carry."""
    return f"The inputs of this run take more than {limit >> 20} MiB to name; give fewer rasters, or a mosaic of them."


def answer_sentence(error: Any, log_file: Path) -> str:
    """An error that the worker answered, in its words where they are meant for users."""
    told = error if isinstance(error, dict) else {}
    message = " ".join(str(told.get("message") or "The worker gave an answer that is none").split())
    if told.get("code") in (-32000, -32602):
        return message
    return f"{message[:500].rstrip('.')}; its log is {log_file}."


def log_tail(log_file: Path, size: int = 8192) -> str:
    """The last of what the worker said on stderr, empty where there is no log."""
    try:
        with log_file.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - size))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
