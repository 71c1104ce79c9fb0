"""The journal beside an output: pieces that an interrupted, killed or stuck run leaves for the same command."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from gfm_core.embedding.cache import cache_folder
from gfm_core.embedding.pieces import PieceStore
from gfm_core.errors import DiskFullError, OutputError, unwritable
from gfm_core.whole import write_whole

_NOTES = "journals"


def open_journal(folder: Path, keys: Mapping[str, str]) -> dict[str, PieceStore]:
    """Stores in the journal `folder` of an output, a group each; what another command left there is removed.

    Raises `OutputError` where folders cannot be made.
    """
    stores = {group: PieceStore(folder / key) for group, key in keys.items()}
    try:
        folder.mkdir(exist_ok=True)
        for item in folder.iterdir():
            if item.name not in keys.values():
                shutil.rmtree(item, ignore_errors=True)
        for store in stores.values():
            store.folder.mkdir(exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    return stores


def check_room(folder: Path, needed: int) -> None:
    """Raise `DiskFullError` if `needed` bytes, less what the folder holds already, are not free there."""
    held = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if needed - held > shutil.disk_usage(folder).free:
        raise DiskFullError.at(folder, needed - held)


def remember_journal(folder: Path, outputs: Sequence[Path]) -> None:
    """Note where a journal and its outputs lie, for `gfm cache`; a user without a cache folder does without."""
    place = cache_folder()
    if place is None:
        return
    told = json.dumps({"folder": str(folder.absolute()), "outputs": [str(path.absolute()) for path in outputs]})
    with suppress(OSError, OutputError):
        (place / _NOTES).mkdir(parents=True, exist_ok=True)
        write_whole(place / _NOTES / f"{hashlib.sha256(told.encode()).hexdigest()[:32]}.json", told.encode())


def known_journals() -> list[tuple[Path, list[Path]]]:
    """Folder and outputs of every journal that is still there; notes of those that are gone are removed."""
    place, found = cache_folder(), []
    for note in sorted((place / _NOTES).glob("*.json")) if place else ():
        try:
            told = json.loads(note.read_bytes())
            folder, outputs = Path(told["folder"]), [Path(path) for path in told["outputs"]]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if folder.is_dir():
            found.append((folder, outputs))
        else:
            with suppress(OSError):
                note.unlink()
    return found
