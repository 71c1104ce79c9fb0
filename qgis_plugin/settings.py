"""What is kept in the user's QGIS settings, under which names, and what holds where nothing is kept."""

from __future__ import annotations

from qgis.core import QgsSettings

PYTHON = "jepa_gfm/python"  # a Python or the folder of its environment; empty: the one last installed
DEVICE = "jepa_gfm/device"

DEVICES = ("auto", "cpu", "cuda")


def chosen_python() -> str:
    """The Python that the user chose, empty if none."""
    return str(QgsSettings().value(PYTHON, "") or "")


def choose_python(python: str) -> None:
    """Keep a Python; an empty one means the one last installed."""
    _keep(PYTHON, python.strip())


def device() -> str:
    """Where the network runs, one of `DEVICES`."""
    kept = QgsSettings().value(DEVICE, DEVICES[0])
    return kept if kept in DEVICES else DEVICES[0]


def choose_device(name: str) -> None:
    """Keep where the network runs."""
    _keep(DEVICE, "" if name == DEVICES[0] else name)


def _keep(key: str, value: str) -> None:
    """A default is not kept, so that a later version may change it."""
    if value:
        QgsSettings().setValue(key, value)
    else:
        QgsSettings().remove(key)
