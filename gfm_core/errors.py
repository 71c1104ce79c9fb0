"""Our errors: one sentence that says which file or parameter, what is wrong, and what mends it.

Every class is a `GfmError`, which is all that the command line and the worker catch, and also the built-in kind that
other Python code expects. A message ends with a full stop and stands alone: it is shown to users as it is.
"""

from __future__ import annotations


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


class CheckpointError(GfmError, ValueError):
    """A checkpoint, head or embedding file of ours is damaged, foreign, or from another version."""


class ShapeError(GfmError, ValueError):
    """An array does not have the shape that a call needs."""


class MissingExtraError(GfmError, ImportError):
    """A feature needs an optional extra of the package that is not installed."""
