"""The environment that JEPA-GFM is installed in: which Python it has, and whether all works there.

Only the standard library is used, and nothing of `gfm_core`: it lives in that other Python.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .worker_errors import OPTIONS, cannot_start

_FORMAT = 1
_CHECK_SECONDS = 300.0  # the first import of torch from a cold disk, and a small run

# What QGIS sets for its own libraries, and what would lead another Python astray.
_FOREIGN = ("PYTHON", "GDAL_", "PROJ_", "QT_", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__", "LD_LIBRARY_PATH", "DYLD_")
_KEPT = ("GDAL_HTTP_",)  # proxies and passwords of the user's network


@dataclass(frozen=True)
class Check:
    """One line of `gfm doctor`: a part, whether it works, what was found, and the mend where it does not."""

    name: str
    ok: bool
    found: str
    mend: str = ""


def data_folder() -> Path:
    """The user's data folder of JEPA-GFM, the same that `gfm doctor --for-qgis` writes to.

    Raises `RuntimeError` for a user without a home.
    """
    return _user_data() / "jepa-gfm"


def _user_data() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    told = Path(os.environ.get("XDG_DATA_HOME", ""))  # a relative one is to be ignored, says its specification
    return told if told.is_absolute() else Path.home() / ".local" / "share"


def find_python(chosen: str = "") -> str | None:
    """The Python that the user has `chosen` (or the folder of its environment), else the one last installed."""
    if chosen.strip():
        return python_in(chosen.strip())
    return installed_python()


def installed_python() -> str | None:
    """The Python that `gfm doctor --for-qgis` told of, None if it never ran or a newer version wrote the file."""
    try:
        told = json.loads((data_folder() / "environment.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RuntimeError):
        return None
    if not isinstance(told, dict) or told.get("format") != _FORMAT:
        return None
    python = told.get("python")
    return python if isinstance(python, str) and Path(python).is_absolute() else None


def python_in(place: str) -> str:
    """The Python of an environment's folder; anything else is returned as it is."""
    folder = Path(place)
    with suppress(RuntimeError):
        folder = folder.expanduser()
    for inside in ("bin/python", "bin/python3", "Scripts/python.exe", "python.exe"):
        if (folder / inside).is_file():
            return str(folder / inside)
    return str(folder)


def clean_environ() -> dict[str, str]:
    """The environment variables without those that are QGIS's own business."""
    kept = {name: value for name, value in os.environ.items() if not _is_foreign(name)}
    root = os.environ.get("OSGEO4W_ROOT")
    if root:  # QGIS's DLLs on Windows must not be found before those of the environment
        path = kept.get("PATH", "").split(os.pathsep)
        kept["PATH"] = os.pathsep.join(folder for folder in path if not _inside(folder, root))
    return kept


def _is_foreign(name: str) -> bool:
    return name.startswith(_FOREIGN) and not name.startswith(_KEPT)


def _inside(path: str, folder: str) -> bool:
    path, folder = (os.path.normcase(os.path.normpath(item)) for item in (path, folder))
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def check_command(python: str) -> list[str]:
    """The command that checks an environment and prints JSON."""
    return [python, "-I", "-X", "utf8", "-m", "gfm_core.cli", "doctor", "--json"]


def check(python: str) -> list[Check]:
    """Run the check and wait for it; what cannot even be run is a check that failed."""
    try:
        ran = subprocess.run(
            check_command(python), stdin=subprocess.DEVNULL, capture_output=True, env=clean_environ(), check=False,
            timeout=_CHECK_SECONDS, creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )  # fmt: skip
    except OSError as error:
        return [Check("python", False, python, cannot_start(python, error))]
    except subprocess.TimeoutExpired:
        return [Check("python", False, python, f"The check took more than {_CHECK_SECONDS:.0f} s; press Check again.")]
    return checks_of(python, ran.stdout, ran.stderr)


def checks_of(python: str, out: bytes, err: bytes) -> list[Check]:
    """What a finished check printed, as checks; output that is none becomes the sentence that mends it."""
    found: list[Check] = []
    with suppress(ValueError, KeyError, TypeError):
        found = [_as_check(item) for item in json.loads(out.decode("utf-8"))]
    if found:
        return found
    told = err.decode("utf-8", "replace").strip()
    if "No module named" in told and "gfm_core" in told:
        mend = f"It holds no JEPA-GFM; choose the environment it was installed in, in {OPTIONS}."
    else:
        last = (told.splitlines() or ["it said nothing"])[-1].strip()[:300]
        mend = f"The check did not run ({last}); make the environment again, or choose another in {OPTIONS}."
    return [Check("python", False, python, mend)]


def for_version(checks: list[Check], version: str) -> list[Check]:
    """The checks, where a JEPA-GFM of another version than the plugin's is one that failed."""
    return [_of_version(item, version) if item.name == "JEPA-GFM" and item.ok else item for item in checks]


def _of_version(item: Check, version: str) -> Check:
    if item.found == version:
        return item
    return replace(item, ok=False, mend=f"This plugin is {version}; update the older of the two.")


def _as_check(item: dict[str, Any]) -> Check:
    return Check(str(item["name"]), item["ok"] is True, str(item["found"]), str(item.get("mend", "")))
