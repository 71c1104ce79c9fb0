"""The workers of this QGIS profile: one for runs of tools, one for the dock; started when needed and kept warm."""

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
_clients: dict[str, WorkerClient] = {}

TOOLS, LIVE = "tools", "live"  # what a worker is for: runs of the tools, and the dock's quick answers beside them


def worker(purpose: str = TOOLS) -> WorkerClient:
    """The client for the Python of the settings; no process is started by asking for it.

    A worker of another Python, left from before the settings changed, is stopped. Raises `WorkerError` if there is no
    environment.
    """
    python = find_python(settings.chosen_python())
    if python is None:
        raise WorkerError(_NOT_SET_UP)
    with _lock:
        old, client = None, _clients.get(purpose)
        if client is None or client.python != python:
            log = log_file() if purpose == TOOLS else log_file().with_name(f"worker_{purpose}.log")
            old, client = client, WorkerClient(python, version=plugin_version(), log_file=log)
            _clients[purpose] = client
    if old is not None:
        old.stop()
    return client


def stop_worker(purpose: str | None = None) -> None:
    """End the workers, or that of one purpose; the next run starts another."""
    with _lock:
        stopped = [_clients.pop(name) for name in list(_clients) if purpose in (None, name)]
    for client in stopped:
        client.stop()


def log_file() -> Path:
    """What the worker says on stderr, in the profile's folder."""
    return Path(QgsApplication.qgisSettingsDirPath()) / "jepa_gfm" / "worker.log"


def plugin_version() -> str:
    """The plugin's version; `metadata.txt` lies in this package once installed, and beside it in the source."""
    here = Path(__file__).resolve().parent
    parser = ConfigParser(interpolation=None)
    parser.read([here.parent / "metadata.txt", here / "metadata.txt"], encoding="utf-8")
    return parser.get("general", "version")
