"""Removes the environment that a set-up has made, and what tells QGIS of it."""

from __future__ import annotations

import os
from pathlib import Path

from ..environment import data_folder, installed_python
from . import folder as place
from .failures import SetupError


def remove(folder: Path) -> None:
    """Remove an environment of ours, and what tells of it. Raises `SetupError` where that cannot be."""
    kept = place.Workplace(folder).kept
    if not place.is_ours(folder) and not place.is_ours(kept):
        raise SetupError(f"{folder} was not made by a set-up, so it is not removed; remove it yourself.")
    python = installed_python()
    with place.locked(folder):
        try:
            place.remove_ours(folder)
            place.remove_ours(kept)
            if python is not None and lies_in(python, folder):
                (data_folder() / "environment.json").unlink(missing_ok=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise SetupError(
                f"{error.filename or folder} could not be removed ({reason}); close other QGIS windows and press "
                "Remove again."
            ) from error


def lies_in(path: str, folder: Path) -> bool:
    """Whether a path is inside a folder, without following links: the Python of an environment is one."""
    inside = os.path.normcase(os.path.abspath(path)) if path else ""  # noqa: PTH100 - resolve() would follow
    return inside.startswith(os.path.normcase(os.path.abspath(folder)) + os.sep)  # noqa: PTH100
