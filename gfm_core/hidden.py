"""The hidden folder beside an output in which it is made: held by one run at a time, taken over when that run died.

    .gfm-partial-3f2a.../lock   the owner's process number, held with a lock of the operating system while it lives
    .gfm-partial-3f2a.../new/   what is being made
    .gfm-partial-3f2a.../old/   what it replaces, until all is in place
    .gfm-partial-3f2a.../journal/   finished parts of a tool that can go on after it was stopped; they outlive a run

The name comes from the output's, so two runs with the same output meet in the same folder.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from gfm_core.errors import OutputError

PREFIX = ".gfm-partial-"

_LOCK = "lock"
_JOURNAL = "journal"
_LOCKED_BYTE = 1 << 30  # far behind the text: on Windows a locked byte cannot be read by others


@dataclass(frozen=True, slots=True)
class HiddenFolder:
    """A claimed folder; `release` removes it with all that is in it, or all but the journal."""

    path: Path
    handle: int  # of the lock file, open and locked

    @classmethod
    def claim(cls, target: Path) -> Self:
        """The hidden folder of `target`, empty but for a journal.

        Raises `OutputError` if another run holds it or it cannot be made.
        """
        place = target.parent.resolve() / target.name
        path = place.with_name(PREFIX + hashlib.sha256(os.fsencode(place.name)).hexdigest()[:16])
        try:
            handle = _lock_in(path)
        except OSError as error:
            raise _unwritable(place, error) from error
        if handle is None:
            raise OutputError(
                f"{target} is being written by another run{_owner(path)}; wait for it, or give another name."
            )
        claimed = _held[path] = cls(path, handle)
        try:
            claimed._give_back(place)
            claimed._empty(keep=_JOURNAL)
            claimed.new.mkdir()
            claimed.old.mkdir()
        except OSError as error:
            claimed.release()
            raise _unwritable(place, error) from error
        return claimed

    @property
    def new(self) -> Path:
        """Where the output is made."""
        return self.path / "new"

    @property
    def old(self) -> Path:
        """Where what it replaces goes."""
        return self.path / "old"

    @property
    def journal(self) -> Path:
        """Where finished parts are kept for the next run; made by whoever writes there."""
        return self.path / _JOURNAL

    def release(self, *, keep_journal: bool = False) -> None:
        """Remove the folder and give the lock up, in this order: nobody may take over what is still there."""
        if _held.pop(self.path, None) is None:
            return
        waits = keep_journal and any(path.is_file() for path in self.journal.rglob("*"))
        self._empty(keep=_JOURNAL if waits else None)
        if sys.platform == "win32":  # an open file cannot be removed there
            os.close(self.handle)
        with suppress(OSError):
            (self.path / _LOCK).unlink()
        with suppress(OSError):  # another run may have come in between
            self.path.rmdir()
        if sys.platform != "win32":
            os.close(self.handle)

    def _give_back(self, place: Path) -> None:
        """What a run had put aside when it died between two renamings comes back, unless the new one is there."""
        folder = place if place.is_dir() else place.parent
        for file in self.old.iterdir() if self.old.is_dir() else ():
            if not (folder / file.name).exists():
                file.replace(folder / file.name)

    def _empty(self, keep: str | None = None) -> None:
        for item in self.path.iterdir() if self.path.is_dir() else ():
            if item.name not in (_LOCK, keep):
                shutil.rmtree(item, ignore_errors=True)


def is_held(path: Path) -> bool:
    """Whether a run is at work in the hidden folder `path`."""
    try:
        handle = os.open(path / _LOCK, os.O_RDWR | getattr(os, "O_BINARY", 0))
    except OSError:
        return False
    try:
        return not _try_lock(handle)
    finally:
        os.close(handle)


_held: dict[Path, HiddenFolder] = {}  # by this process


def abandon_outputs() -> None:
    """Remove every hidden folder that this process holds: for a process that ends at once."""
    for folder in list(_held.values()):
        folder.release()


def _lock_in(path: Path) -> int | None:
    """The folder made or found, and its lock taken: an open handle, or None if another run holds it."""
    while True:
        path.mkdir(exist_ok=True)
        try:
            handle = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
        except FileNotFoundError:  # the owner has just removed the folder
            continue
        if not _try_lock(handle):
            os.close(handle)
            return None
        # The owner may have removed the file between opening and locking; then another one can lock a new file.
        try:
            if os.path.samestat(os.fstat(handle), (path / _LOCK).stat()):
                os.ftruncate(handle, 0)
                os.write(handle, str(os.getpid()).encode())
                return handle
        except FileNotFoundError:
            pass
        os.close(handle)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        """Lock one byte behind the end of the file, without waiting."""
        os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        os.lseek(handle, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        """Lock the file, without waiting; the system unlocks it when the process dies."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _unwritable(place: Path, error: OSError) -> OutputError:
    return OutputError(f"{place.parent} cannot be written ({error.strerror}); choose another folder.")


def _owner(path: Path) -> str:
    """` (process 123)`, as far as it is told."""
    try:
        text = (path / _LOCK).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
    return f" (process {text})" if text.isdigit() else ""
