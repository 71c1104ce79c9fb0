"""Visible strings in the language of QGIS: all in one context, whose template is `i18n/jepa_gfm.ts`."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QTranslator

CONTEXT = "JepaGfm"
FOLDER = Path(__file__).resolve().parent / "i18n"


def tr(text: str) -> str:
    """`text` in the user's language, or as it is."""
    return QCoreApplication.translate(CONTEXT, text)


def translatable(text: str) -> str:
    """`text` as it is: marked for the template, because `tr` is asked for it elsewhere, by a name."""
    return text


def install() -> QTranslator | None:
    """Let `tr` speak the language of QGIS, if there is a translation (`jepa_gfm_de.qm`); keep what is returned."""
    translator = QTranslator()
    if not translator.load(f"jepa_gfm_{QgsApplication.locale()}", str(FOLDER)):  # de_AT finds de
        return None
    QCoreApplication.installTranslator(translator)
    return translator


def remove(translator: QTranslator) -> None:
    """Let `tr` speak English again."""
    QCoreApplication.removeTranslator(translator)
