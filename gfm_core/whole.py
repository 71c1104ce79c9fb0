"""A file that appears whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from gfm_core.errors import OutputError


def write_whole(path: Path, data: bytes) -> Path:
    """Write `data` beside `path` under a hidden name, bring it to the disk, then rename: a file of this name is whole.

    Who may read it follows the process's umask, as for any new file. Raises `OutputError` if the folder is missing,
    read-only or full, or the name is too long.
    """
    temporary = path.parent / f".gfm-{secrets.token_hex(8)}.part"
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{path} cannot be written ({reason}); choose another place or a shorter name.") from error
    finally:
        with suppress(OSError):
            temporary.unlink()
    return path
