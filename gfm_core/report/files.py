"""How the files of a report are written: whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from gfm_core.errors import OutputError


def write_whole(path: Path, content: bytes) -> Path:
    """Write `content` beside `path` under a temporary name, then rename: a file of this name is complete.

    Raises `OutputError` if the folder is missing, read-only or full, or the name is too long.
    """
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".gfm-")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)  # mkstemp keeps others out; a result is for everyone
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise OutputError(f"{path} cannot be written ({reason}); choose another place or a shorter name.") from error
    return path
