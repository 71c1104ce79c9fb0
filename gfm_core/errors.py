"""Our errors: one sentence that says which file or parameter, what is wrong, and what mends it.

Every class is a `GfmError`, which is all that the command line and the worker catch, and also the built-in kind that
other Python code expects. A message ends with a full stop and stands alone: it is shown to users as it is.
"""

from __future__ import annotations

import errno
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Self

_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_NEARLY_FULL = 1_000_000  # bytes: libraries that write do not all tell why they failed


class GfmError(Exception):
    """Base of every error that a user can mend."""


class InputError(GfmError, ValueError):
    """A raster cannot be used as it is."""


class MissingCrsError(InputError):
    """A raster without a CRS cannot be placed on the ground."""


class NoOverlapError(InputError):
    """Rasters, extents or labels that share no ground."""


class ParameterError(GfmError, ValueError):
    """A parameter has a value that cannot work."""


class LabelError(GfmError, ValueError):
    """Labels cannot be used as they are."""


class OutputError(GfmError, OSError):
    """An output cannot be written where it was asked for."""


class DiskFullError(OutputError):
    """The disk or the user's quota is full; what was done so far is kept where the tool can go on from it."""

    @classmethod
    def at(cls, folder: Path, needed: int | None = None) -> Self:
        """For `folder`, in bytes as far as they are known."""
        free = ""
        with suppress(OSError):
            free = f", {megabytes(shutil.disk_usage(folder).free)} are free"
        wanted = f": about {megabytes(needed)} are needed" if needed is not None else ""
        return cls(f"The disk of {folder} is full{wanted}{free}; make room and run the same command again.")


def megabytes(count: float) -> str:
    """Bytes for people: `12 MB`, `3.4 GB`."""
    if count >= 1e9:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.0f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"


def unwritable(place: Path, error: Exception) -> OutputError:
    """What an error at writing `place` means to the user: a full disk, or something else."""
    folder = place if place.is_dir() else place.parent
    reason = (error.strerror if isinstance(error, OSError) else None) or " ".join(str(error).split())[:200]
    if getattr(error, "errno", None) in _FULL or (folder.is_dir() and shutil.disk_usage(folder).free < _NEARLY_FULL):
        return DiskFullError.at(folder)
    return OutputError(f"{place} cannot be written ({reason}); choose another place.")


class CheckpointError(GfmError, ValueError):
    """A checkpoint, head or embedding file of ours is damaged, foreign, or from another version."""


class ShapeError(GfmError, ValueError):
    """An array does not have the shape that a call needs."""


class MissingExtraError(GfmError, ImportError):
    """A feature needs an optional extra of the package that is not installed."""
