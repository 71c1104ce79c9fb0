"""Asks where the report goes, and writes it."""

from __future__ import annotations

from pathlib import Path

from qgis.core import Qgis
from qgis.PyQt.QtCore import QT_VERSION_STR
from qgis.PyQt.QtWidgets import QFileDialog, QWidget

from .. import session
from ..environment import Check, find_python
from ..translation import tr
from .report import last_log, report


def ask(parent: QWidget) -> str:
    """The file that the user chooses, empty if none."""
    path, _ = QFileDialog.getSaveFileName(parent, tr("Report"), "jepa_gfm_report.txt", "*.txt")
    return str(path)


def write(path: str, chosen: str, checks: list[Check]) -> str:
    """Write the report on an environment; what to tell the user of it."""
    versions = {
        "QGIS": Qgis.QGIS_VERSION, "Qt": QT_VERSION_STR, "plugin": session.plugin_version(),
        "environment": find_python(chosen) or "none",
    }  # fmt: skip
    try:
        Path(path).write_text(report(versions, checks, last_log()), encoding="utf-8")
    except OSError as error:
        text = tr("{path} could not be written ({reason}); choose another folder.")
        return text.format(path=path, reason=error.strerror or error)
    return tr("Written to {path}.").format(path=path)
