"""The folder of the environment: whose it is, and how it is made anew without losing one that works.

A folder is ours if it holds the file that is written first (`BEGUN`) or the one that is written last (`MARKER`).
Nothing else is ever removed.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..environment import data_folder
from .failures import AGAIN, SetupError

MARKER = "jepa_gfm_setup.json"
BEGUN = "jepa_gfm_setup_begun"
_FORMAT = 1


def default_folder() -> Path:
    """Where the environment is made: in the user's data folder, so that all profiles of QGIS share it.

    A user who keeps it on another disk has made a link there; it is followed, for none is made in a link.
    """
    try:
        folder = data_folder() / "environment"
        return folder.resolve() if folder.is_symlink() else folder
    except RuntimeError as error:
        raise SetupError(f"This user has no home folder to write to; set HOME and {AGAIN}.") from error


def marker(folder: Path) -> dict[str, Any] | None:
    """What is known of a finished environment, None where none was finished."""
    try:
        told = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) and told.get("format") == _FORMAT else None


def is_ours(folder: Path) -> bool:
    """Whether a set-up has made this folder, or begun to."""
    return (folder / MARKER).is_file() or (folder / BEGUN).is_file()


def is_interrupted(folder: Path) -> bool:
    """Whether a set-up was begun here and came to no end."""
    return (folder / BEGUN).is_file()


class Workplace:
    """The folder while an environment is made in it: `begin`, then either `finish` or `undo`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kept = folder.with_name(f"{folder.name}.before")  # the environment that works, until the new one does
        self.temporary = folder / "tmp"

    def begin(self) -> None:
        """Make an empty folder of ours; raises `SetupError` for one that holds something else."""
        _refuse_foreign(self.folder)
        _refuse_foreign(self.kept)
        with _told(self.folder):
            if marker(self.folder) is not None and not is_interrupted(self.folder):
                remove_ours(self.kept)
                self.folder.rename(self.kept)
            remove_ours(self.folder)
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / BEGUN).touch()
            self.temporary.mkdir()

    def finish(self, about: dict[str, Any]) -> None:
        """Say last that it is complete; the one before is no longer needed."""
        with _told(self.folder):
            shutil.rmtree(self.temporary, ignore_errors=True)
            written = self.folder / f"{MARKER}.new"
            written.write_text(json.dumps({"format": _FORMAT, **about}, indent=2) + "\n", encoding="utf-8")
            written.replace(self.folder / MARKER)
            (self.folder / BEGUN).unlink()
        with suppress(OSError):  # it works: what is left of the old one is removed the next time
            remove_ours(self.kept)

    def undo(self) -> None:
        """Remove what was made, and bring back the environment that was there before."""
        if is_interrupted(self.folder):  # one that could not even be put aside still works
            with suppress(OSError):
                remove_ours(self.folder)
        if marker(self.kept) is not None and not _holds_anything(self.folder):
            with suppress(OSError):
                if self.folder.exists():
                    self.folder.rmdir()
                self.kept.rename(self.folder)


def remove_ours(folder: Path) -> None:
    """Remove an environment of ours, what tells that it is ours last; any other folder is left as it is."""
    if not is_ours(folder):
        return
    (folder / BEGUN).touch()
    (folder / MARKER).unlink(missing_ok=True)
    for item in folder.iterdir():
        if item.name == BEGUN:
            continue
        if item.is_dir() and not item.is_symlink():
            shutil.rmtree(item)
        else:
            item.unlink()
    (folder / BEGUN).unlink()
    folder.rmdir()


def _holds_anything(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _refuse_foreign(folder: Path) -> None:
    with _told(folder):
        foreign = (folder.exists() and not folder.is_dir()) or (_holds_anything(folder) and not is_ours(folder))
    if foreign:
        raise SetupError(f"{folder} holds something that no set-up has made; move it away and {AGAIN}.")


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """What the system refuses here becomes a sentence."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise SetupError(
            f"The folder {folder} cannot be made or changed ({reason}); close other QGIS windows, see that you may "
            f"write there, and {AGAIN}."
        ) from error


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder against a set-up of another QGIS; the system lets go of it if this one dies."""
    with _told(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        file = folder.with_name(f"{folder.name}.lock").open("ab")
    with file:
        try:
            _lock(file.fileno())
        except OSError as error:
            raise SetupError(
                f"Another QGIS sets up {folder} right now; wait until it is done, and {AGAIN} if it was not."
            ) from error
        yield


def _lock(descriptor: int) -> None:
    """Lock a file without waiting, the way that the system has; closing it lets go."""
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - of Windows alone

        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl  # noqa: PLC0415 - everywhere else

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
