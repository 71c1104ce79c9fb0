"""Which layer holds the labels, and which of its fields the classes."""

from __future__ import annotations

from qgis.core import QgsFieldProxyModel, QgsMapLayer, QgsMapLayerProxyModel, QgsVectorLayer
from qgis.gui import QgsFieldComboBox, QgsMapLayerComboBox
from qgis.PyQt.QtCore import QSignalBlocker, pyqtSignal
from qgis.PyQt.QtWidgets import QVBoxLayout, QWidget

from ..compat import is_text
from ..translation import tr
from .label_set import FIELD, LabelSet
from .widgets import button, row


class LabelChoice(QWidget):
    """The field is asked for only where there is more than one of text."""

    chosen = pyqtSignal(object, str)  # a vector layer, or None; the field

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.layers, self.fields = QgsMapLayerComboBox(), QgsFieldComboBox()
        kinds = QgsMapLayerProxyModel.Filter
        self.layers.setFilters(kinds.PointLayer | kinds.PolygonLayer)
        self.layers.setAllowEmptyLayer(True)
        self.layers.setAccessibleName(tr("Layer of the labels"))
        self.fields.setFilters(QgsFieldProxyModel.Filter.String)
        self.fields.setAccessibleName(tr("Field of the classes"))
        self.fields.setToolTip(tr("Field of the classes"))
        self.new_button = button(tr("New…"), tr("Make a new GeoPackage for labels"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row(self.layers, self.new_button))
        column.addWidget(self.fields)
        self.show_set(None)
        self.layers.layerChanged.connect(self._layer_chosen)
        self.fields.fieldChanged.connect(lambda name: self.chosen.emit(self.layers.currentLayer(), name))

    def show_set(self, labels: LabelSet | None) -> None:
        """What is labelled in."""
        if labels is None:
            self.show_layer(None, "")
        else:
            self.show_layer(labels.layer, labels.field)

    def show_layer(self, layer: QgsVectorLayer | None, field: str) -> None:
        """A layer that is asked about, whether it can be labelled in or not."""
        with QSignalBlocker(self.layers), QSignalBlocker(self.fields):
            self.layers.setLayer(layer)
            self.fields.setLayer(layer)
            self.fields.setField(field)
        self.fields.setVisible(layer is not None and self.fields.count() > 1)

    def _layer_chosen(self, layer: QgsMapLayer | None) -> None:
        if isinstance(layer, QgsVectorLayer):
            self.chosen.emit(layer, probable_field(layer))
        else:
            self.chosen.emit(None, "")


def probable_field(layer: QgsVectorLayer) -> str:
    """The field that most probably holds the classes: `class`, one with that in its name, else the first of text."""
    texts = [item.name() for item in layer.fields() if is_text(item)]
    named = [name for name in texts if "class" in name.lower()]
    every = [item.name() for item in layer.fields()]
    return FIELD if FIELD in every else (named or texts or every or [FIELD])[0]
