"""What of the dock is kept in the project: the rasters, the labels, the embedding that it looks at."""

from __future__ import annotations

import json
from typing import Any

from qgis.core import QgsProject, QgsVectorLayer

from .label_set import LabelSet
from .loop import LabelLoop

_SCOPE, _KEY = "jepa_gfm", "dock"


def keep(loop: LabelLoop) -> None:
    """Write it into the project, which is saved by the user."""
    labels = loop.label_set
    told: dict[str, Any] = {
        "rasters": loop.rasters, "embedding": loop.embedding, "cell_size": loop.cell_size,
        "labels": labels.layer.id() if labels is not None else "", "field": labels.field if labels is not None else "",
    }  # fmt: skip
    QgsProject.instance().writeEntry(_SCOPE, _KEY, json.dumps(told))


def restore(loop: LabelLoop) -> None:
    """Take it from the project that was opened; what is not there any more is left out."""
    told = _kept()
    loop.rasters = [str(item) for item in told.get("rasters") or []]
    size = told.get("cell_size")
    loop.cell_size = float(size) if isinstance(size, (int, float)) else None
    layer = QgsProject.instance().mapLayer(str(told.get("labels") or ""))
    labels = None
    if isinstance(layer, QgsVectorLayer) and layer.isValid():
        try:
            labels = LabelSet(layer, str(told.get("field") or "class"))
        except ValueError:
            labels = None
    embedding = str(told.get("embedding") or "")
    loop.use_labels(labels)
    loop.use_embedding(embedding)


def forget(loop: LabelLoop) -> None:
    """Be as new: the project was closed. Its layers went first, and what they led to was kept in the next project."""
    loop.rasters, loop.embedding, loop.cell_size, loop.answer = [], "", None, {}
    loop.use_labels(None)
    QgsProject.instance().removeEntry(_SCOPE, _KEY)


def _kept() -> dict[str, Any]:
    text, _ = QgsProject.instance().readEntry(_SCOPE, _KEY, "")
    try:
        told = json.loads(text or "{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
