"""JEPA-GFM for QGIS: embeddings and land-cover maps from rasters as they are, made by a worker in its own Python."""

from __future__ import annotations

from typing import Any


def classFactory(iface: Any) -> Any:
    """The plugin, for QGIS."""
    from .plugin import JepaGfmPlugin  # noqa: PLC0415 - its modules are read when QGIS asks for them

    return JepaGfmPlugin(iface)
