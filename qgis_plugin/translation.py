"""Visible strings in the language of QGIS: all in one context, whose template is `i18n/jepa_gfm.ts`."""

from __future__ import annotations

from qgis.PyQt.QtCore import QCoreApplication

CONTEXT = "JepaGfm"


def tr(text: str) -> str:
    """`text` in the user's language, or as it is."""
    return QCoreApplication.translate(CONTEXT, text)


def translatable(text: str) -> str:
    """`text` as it is: marked for the template, because `tr` is asked for it elsewhere, by a name."""
    return text
