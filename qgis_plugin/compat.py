"""What differs between QGIS 3.22 and newer ones, and between Qt 5 and 6: here and nowhere else."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    Qgis,
    QgsField,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingParameterDistance,
    QgsUnitTypes,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt import QtCore, QtGui, QtWidgets

_UNDO = QtGui if hasattr(QtGui, "QUndoStack") else QtWidgets  # Qt 6 moved them
QUndoStack, QUndoCommand = _UNDO.QUndoStack, _UNDO.QUndoCommand

_KINDS = getattr(Qgis, "GeometryType", None)  # since QGIS 3.30
POINTS = _KINDS.Point if _KINDS is not None else QgsWkbTypes.GeometryType.PointGeometry
POLYGONS = _KINDS.Polygon if _KINDS is not None else QgsWkbTypes.GeometryType.PolygonGeometry


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


def text_field(name: str) -> QgsField:
    """A field of text; QGIS 3.38 moved the types of fields."""
    try:
        return QgsField(name, QtCore.QMetaType.Type.QString)
    except (AttributeError, TypeError):
        return QgsField(name, QtCore.QVariant.Type.String)


def is_text(field: QgsField) -> bool:
    """Whether a field holds text."""
    return field.type() == text_field("").type()


def save_style(layer: QgsVectorLayer, name: str) -> bool:
    """Keep the layer's style as default in its database, if that can be; QGIS 3.22 asks before it writes over one."""
    if not layer.dataProvider().isSaveAndLoadStyleToDatabaseSupported():
        return False
    ids, names = layer.listStylesInDatabase()[1:3]
    if not all(layer.deleteStyleFromDatabase(number)[0] for number, known in zip(ids, names) if known == name):
        return False  # another program holds the file
    saved = not layer.saveStyleToDatabase(name, "", True, "")
    layer.dataProvider().reloadData()  # its readers may have lost the file, which was opened and closed beside them
    return saved
