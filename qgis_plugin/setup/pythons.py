"""Finds a Python that the environment can be made with. Each candidate is run before it is believed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..environment import clean_environ, python_in
from ..worker_errors import OLDEST_PYTHON, OPTIONS
from .failures import AGAIN, OLDEST, VENV, SetupError

# Those with all tested wheels first, and 3.11 before them: it has the most builds of torch.
_VERSIONS = ("3.11", "3.13", "3.12")
_NEWER = ("3.14",)
_SECONDS = 20.0
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)

_PROBE = """
import json, sys
try:
    import venv, ensurepip
    able = True
except ImportError:
    able = False
base = getattr(sys, "_base_executable", None) or sys.executable
print(json.dumps([base, list(sys.version_info[:3]), able, sys.maxsize > 2**32]))
"""


@dataclass(frozen=True)
class Base:
    """A Python that was run: where it is, its version, and whether it can make an environment for torch."""

    path: str
    version: tuple[int, int, int]
    has_venv: bool
    is_64_bit: bool

    @property
    def text(self) -> str:
        """The version as people write it."""
        return ".".join(map(str, self.version))

    @property
    def new_enough(self) -> bool:
        """Whether JEPA-GFM runs with it."""
        return self.version[:2] >= OLDEST_PYTHON


def find_base(chosen: str = "") -> Base:
    """The Python to make the environment with: the `chosen` one, else the first that is able.

    Raises `SetupError` that says what the best one lacks.
    """
    found: list[Base] = []
    for path in [python_in(chosen.strip())] if chosen.strip() else candidates():
        base = probe(path)
        if base is None:
            continue
        if base.new_enough and base.has_venv and base.is_64_bit:
            return base
        found.append(base)
    raise SetupError(_lacking(found, chosen.strip()))


def probe(path: str) -> Base | None:
    """What a Python says of itself, None if it is none."""
    with suppress(OSError, ValueError, TypeError, subprocess.TimeoutExpired):
        ran = subprocess.run(
            [path, "-I", "-c", _PROBE], stdin=subprocess.DEVNULL, capture_output=True, env=clean_environ(),
            timeout=_SECONDS, check=False, creationflags=_NO_WINDOW,
        )  # fmt: skip
        base, version, has_venv, is_64_bit = json.loads(ran.stdout.decode("utf-8"))
        return Base(str(base), tuple(version), bool(has_venv), bool(is_64_bit))
    return None


def _lacking(found: list[Base], chosen: str) -> str:
    """Why none will do: what mends the one that is nearest to it."""
    new = [base for base in found if base.new_enough]
    if new and new[0].is_64_bit:
        best = new[0]
        return (
            f"Python {best.text} ({best.path}) cannot make an environment; install what it lacks (Debian, Ubuntu: "
            f"{VENV}) and {AGAIN}."
        )
    get = f"install Python 3.11, 3.12 or 3.13 (64 bit) from your system or python.org and {AGAIN}"
    if new:
        return f"Python {new[0].text} ({new[0].path}) has 32 bits and torch needs 64; {get}."
    if found:
        best = max(found, key=lambda base: base.version)
        return f"JEPA-GFM needs Python {OLDEST} or newer and {best.path} is {best.text}; {get}."
    if chosen:
        return f"{chosen} is no Python that can be run; choose another in {OPTIONS}, or leave the field empty."
    return f"There is no Python {OLDEST} or newer on this computer; {get}."


# ---- Where a Python may be -------------------------------------------------------------------------------------------


def candidates() -> Iterator[str]:
    """Every place where one may be, the best first, each once; a name on PATH may be no more than a shim of pyenv."""
    seen: set[str] = set()
    for path in _places():
        if path not in seen:
            seen.add(path)
            yield path


def _places() -> Iterator[str]:
    for version in _VERSIONS:
        yield from _of_version(version)
    yield from _of_qgis()
    yield from _on_path("python3")
    yield from _on_path("python")
    for version in _NEWER:
        yield from _of_version(version)


def _of_version(version: str) -> Iterator[str]:
    yield from _on_path(f"python{version}")
    root = os.environ.get("PYENV_ROOT", "")
    with suppress(RuntimeError, OSError):
        versions = Path(root) if root else Path.home() / ".pyenv"
        yield from map(str, sorted(versions.glob(f"versions/{version}*/bin/python{version}"), reverse=True))
    if sys.platform == "win32":
        yield from _from_launcher(version)


def _on_path(name: str) -> Iterator[str]:
    """Every program of that name on PATH, not only the first: it may be one that is too old."""
    for folder in clean_environ().get("PATH", "").split(os.pathsep):
        found = shutil.which(name, path=folder) if folder else None
        if found:
            yield found


def _of_qgis() -> Iterator[str]:
    """The Python that QGIS runs with: `sys.executable` is QGIS itself on Windows and macOS."""
    prefix = Path(sys.base_exec_prefix)
    places = [prefix / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}", prefix / "bin" / "python3"]
    if sys.platform == "win32":
        places = [prefix / "python.exe"]
    elif sys.platform == "darwin":
        places.insert(0, Path(sys.executable).parent / "bin" / "python3")
    yield from (str(path) for path in places if path.is_file())


def _from_launcher(version: str) -> Iterator[str]:
    """The Python of that version that Windows's launcher knows."""
    with suppress(OSError, subprocess.TimeoutExpired):
        ran = subprocess.run(
            ["py", f"-{version}", "-c", "import sys; print(sys.executable)"], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, env=clean_environ(), timeout=_SECONDS, check=False,
            creationflags=_NO_WINDOW,
        )  # fmt: skip
        if ran.returncode == 0 and ran.stdout.strip():
            yield ran.stdout.strip()
