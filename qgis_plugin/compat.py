"""What differs between QGIS 3.22 and newer ones, and between Qt 5 and 6: here and nowhere else."""

from __future__ import annotations

from typing import Any

from qgis.core import Qgis, QgsProcessingFeatureSourceDefinition, QgsProcessingParameterDistance, QgsUnitTypes


def set_metres(definition: QgsProcessingParameterDistance) -> None:
    """Show and take a distance in metres; QGIS 3.30 moved the units."""
    units = getattr(Qgis, "DistanceUnit", None)
    definition.setDefaultUnit(units.Meters if units is not None else QgsUnitTypes.DistanceUnit.DistanceMeters)


def filter_of(definition: QgsProcessingFeatureSourceDefinition) -> str:
    """The expression that a user set on a source; QGIS has it since 3.32."""
    return getattr(definition, "filterExpression", "") or ""


def writer_succeeded(writer: Any) -> bool:
    """Whether a vector file writer is without error; its enumeration is scoped in Qt 6."""
    return int(writer.hasError()) == 0
