"""What of the dock is kept in the project: the rasters, the labels, the embedding that it looks at."""

from __future__ import annotations

import json
from typing import Any

from qgis.core import QgsProject, QgsVectorLayer

from ..translation import tr
from .label_set import LabelSet
from .loop import LabelLoop, embedding_gone

_SCOPE, _KEY = "jepa_gfm", "dock"


def is_kept() -> bool:
    """Whether the project was labelled in the dock."""
    return bool(_entry())


def keep(loop: LabelLoop) -> None:
    """Write it into the project, which is saved by the user."""
    labels = loop.label_set
    told: dict[str, Any] = {
        "rasters": loop.rasters, "embedding": loop.embedding, "cell_size": loop.cell_size,
        "labels": labels.layer.id() if labels is not None else "", "field": labels.field if labels is not None else "",
    }  # fmt: skip
    QgsProject.instance().writeEntry(_SCOPE, _KEY, json.dumps(told))


def restore(loop: LabelLoop) -> None:
    """Take it from the project that was opened. What is missing is told, and stays in the project: it may come back."""
    text, told = _entry(), _kept()
    rasters, size, embedding = told.get("rasters"), told.get("cell_size"), str(told.get("embedding") or "")
    loop.rasters = [str(item) for item in rasters] if isinstance(rasters, list) else []
    loop.cell_size = float(size) if isinstance(size, (int, float)) else None
    labels, missing = _labels(told)
    loop.use_labels(labels)
    if not loop.use_embedding(embedding) and embedding:
        missing = embedding_gone()
    if missing:
        loop.message.emit(missing)
    if text:
        QgsProject.instance().writeEntry(_SCOPE, _KEY, text)


def _labels(told: dict[str, Any]) -> tuple[LabelSet | None, str]:
    """The labels of the project; without them a sentence, if there were some."""
    name = str(told.get("labels") or "")
    layer = QgsProject.instance().mapLayer(name)
    if not isinstance(layer, QgsVectorLayer) or not layer.isValid():
        return None, tr(
            "The layer of the labels cannot be read; bring its file back, or choose another layer."
        ) if name else ""
    try:
        return LabelSet(layer, str(told.get("field") or "class")), ""
    except ValueError as error:
        return None, str(error)


def forget(loop: LabelLoop) -> None:
    """Be as new: the project was closed. Its layers went first, and what they led to was kept in the next project."""
    loop.forget()
    QgsProject.instance().removeEntry(_SCOPE, _KEY)


def _entry() -> str:
    return QgsProject.instance().readEntry(_SCOPE, _KEY, "")[0]


def _kept() -> dict[str, Any]:
    try:
        told = json.loads(_entry() or "{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
