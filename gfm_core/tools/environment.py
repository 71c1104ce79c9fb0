"""Tells the QGIS plugin which Python JEPA-GFM is installed in, by a small file in the user's data folder.

The plugin looks in the same place (`qgis_plugin/environment.py`); it cannot import this module.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from pathlib import Path

from gfm_core.errors import OutputError
from gfm_core.whole import write_whole

FORMAT_VERSION = 1
FILE_NAME = "environment.json"


def data_folder() -> Path:
    """The user's data folder of JEPA-GFM. Raises `OutputError` for a user without a home."""
    try:
        return _user_data() / "jepa-gfm"
    except RuntimeError as error:
        raise OutputError("This user has no home folder to write to; set HOME.") from error


def _user_data() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    told = Path(os.environ.get("XDG_DATA_HOME", ""))  # a relative one is to be ignored, says its specification
    return told if told.is_absolute() else Path.home() / ".local" / "share"


def write_environment() -> Path:
    """Write the file, in place of the one of an older installation. Raises `OutputError` if that cannot be."""
    folder = data_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"The folder {folder} cannot be made ({reason}); choose {_python()} in QGIS.") from error
    told = {"format": FORMAT_VERSION, "python": str(_python()), "version": importlib.metadata.version("jepa-gfm")}
    return write_whole(folder / FILE_NAME, (json.dumps(told, indent=2) + "\n").encode())


def _python() -> Path:
    """This Python by its own name: the link in a virtual environment, whose target knows nothing of it."""
    return Path(sys.executable).absolute()
