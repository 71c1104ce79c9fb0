"""The one worker of this QGIS profile: started by the first run, kept warm for the next."""

from __future__ import annotations

import threading
from configparser import ConfigParser
from pathlib import Path

from qgis.core import QgsApplication

from . import settings
from .environment import find_python
from .worker_client import WorkerClient
from .worker_errors import OPTIONS, WorkerError

_NOT_SET_UP = (
    f"JEPA-GFM has no Python environment yet; set it up in {OPTIONS}, "
    "or run `gfm doctor --for-qgis` in the environment that it is installed in."
)

_lock = threading.Lock()
_client: WorkerClient | None = None


def worker() -> WorkerClient:
    """The client for the Python of the settings; no process is started by asking for it.

    A worker of another Python, left from before the settings changed, is stopped. Raises `WorkerError` if there is no
    environment.
    """
    global _client
    python = find_python(settings.chosen_python())
    if python is None:
        raise WorkerError(_NOT_SET_UP)
    with _lock:
        old = None
        if _client is None or _client.python != python:
            old, _client = _client, WorkerClient(python, version=plugin_version(), log_file=log_file())
        client = _client
    if old is not None:
        old.stop()
    return client


def stop_worker() -> None:
    """End the worker, if there is one; the next run starts another."""
    global _client
    with _lock:
        old, _client = _client, None
    if old is not None:
        old.stop()


def log_file() -> Path:
    """What the worker says on stderr, in the profile's folder."""
    return Path(QgsApplication.qgisSettingsDirPath()) / "jepa_gfm" / "worker.log"


def plugin_version() -> str:
    """The plugin's version; `metadata.txt` lies in this package once installed, and beside it in the source."""
    here = Path(__file__).resolve().parent
    parser = ConfigParser(interpolation=None)
    parser.read([here.parent / "metadata.txt", here / "metadata.txt"], encoding="utf-8")
    return parser.get("general", "version")
