"""The dock *JEPA-GFM*: the widgets around `LabelLoop`, from the rasters at the top to the whole map at the bottom."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from qgis.core import QgsPointXY, QgsProject, QgsRasterLayer, QgsVectorLayer
from qgis.gui import QgsDockWidget
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import (
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QGroupBox,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from ..layer_actions import origin_of
from ..translation import tr
from . import project_state
from .class_table import ClassTable
from .label_choice import LabelChoice
from .label_set import LabelSet
from .loop import LabelLoop
from .map_tools import ExampleTool
from .overlay import is_painted
from .score import score_html
from .widgets import box, button, line_of_text, row, tell

_CLASSIFY = "jepagfm:classifylandcover"


class LabelDock(QgsDockWidget):
    """Everything has a name for screen readers and can be reached by keyboard; sizes follow the font."""

    def __init__(self, iface: Any) -> None:
        super().__init__("JEPA-GFM", iface.mainWindow())
        self.setObjectName("JepaGfmDock")
        self._iface, self._canvas = iface, iface.mapCanvas()
        self.loop = LabelLoop(self._canvas, self)
        self._label_tool, self._like_tool = ExampleTool(self._canvas), ExampleTool(self._canvas)
        self._filling = False
        self._build()
        self._connect()
        self.refresh()

    def close_for_good(self) -> None:
        """Give back the canvas and stop the workers; for the plugin's unload."""
        for signal, slot in self._of_project():
            with suppress(TypeError, RuntimeError):
                signal.disconnect(slot)
        for tool in (self._label_tool, self._like_tool):
            self._canvas.unsetMapTool(tool)
        self.loop.close()

    # ---- Widgets -----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        inside = QWidget()
        column = QVBoxLayout(inside)
        for part in (self._rasters_box(), self._labels_box(), self._map_box(), self._alike_box()):
            column.addWidget(part)
        self.whole_button = button(
            tr("Write the whole map…"), tr("Open Classify land cover with these rasters and labels")
        )
        column.addWidget(self.whole_button)
        column.addStretch()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(inside)
        scroll.setMinimumWidth(inside.minimumSizeHint().width() + scroll.verticalScrollBar().sizeHint().width() + 2)
        whole = QWidget()
        outer = QVBoxLayout(whole)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)
        self.place = line_of_text(tr("The place at hand"))
        self.message = line_of_text(tr("Message"))
        for label in (self.place, self.message):  # below all, where they are seen wherever one has scrolled to
            outer.addWidget(label)
        self.setWidget(whole)

    def _rasters_box(self) -> QGroupBox:
        self.raster_list = QListWidget()
        self.raster_list.setAccessibleName(tr("Rasters to look at"))
        self.raster_list.setMaximumHeight(6 * self.fontMetrics().height())
        self.cell_size = QDoubleSpinBox()
        self.cell_size.setRange(0, 1e6)
        self.cell_size.setSuffix(" m")
        self.cell_size.setSpecialValueText(tr("2 pixels of the finest raster"))
        self.cell_size.setAccessibleName(tr("Cell size"))
        self.embed_view = button(tr("Embed the view"), tr("Look at what the canvas shows, in the background"))
        self.embed_all = button(tr("Embed all"), tr("Look at all that the finest raster covers, in the background"))
        self.stop_button = button(tr("Stop"), tr("Stop embedding"))
        self.progress = QProgressBar()
        self.progress.setAccessibleName(tr("Progress of embedding"))
        self.progress.hide()
        self.stop_button.hide()
        form = QFormLayout()
        form.addRow(self.raster_list)
        form.addRow(tr("Cell size"), self.cell_size)
        form.addRow(row(self.embed_view, self.embed_all, self.stop_button))
        form.addRow(self.progress)
        return box(tr("1. Rasters"), form)

    def _labels_box(self) -> QGroupBox:
        self.label_choice, self.class_table = LabelChoice(), ClassTable()
        self.label_button = button(
            tr("Label"), tr("Click or draw examples of the chosen class; right click removes one"), checkable=True
        )
        self.undo_button = button(tr("Undo"), tr("Take back the last change of the labels"))
        self.redo_button = button(tr("Redo"), tr("Do again what was taken back"))
        form = QVBoxLayout()
        form.addWidget(self.label_choice)
        form.addWidget(self.class_table)
        form.addLayout(row(self.label_button, self.undo_button, self.redo_button))
        return box(tr("2. Labels"), form)

    def _map_box(self) -> QGroupBox:
        self.score = QLabel(tr("Label places of two classes to see a map."))
        self.score.setWordWrap(True)
        self.score.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByKeyboard)
        self.score.setAccessibleName(tr("Scores of the map"))
        self.next_button = button(tr("Next place"), tr("Go to the next place that is worth a label"))
        self.suspect_button = button(tr("Next suspect"), tr("Go to the next label that looks like another class"))
        self.accept_button = button(tr("Change it"), tr("Give this label the class that it looks like"))
        self.accept_button.setEnabled(False)
        form = QVBoxLayout()
        form.addWidget(self.score)
        form.addLayout(row(self.next_button, self.suspect_button, self.accept_button))
        return box(tr("3. Map of the view"), form)

    def _alike_box(self) -> QGroupBox:
        self.like_button = button(
            tr("More like this"), tr("Click what you look for; right click what is not meant"), checkable=True
        )
        self.forget_button = button(tr("Begin anew"), tr("Forget the places that were clicked"))
        self.threshold = QSlider(Qt.Orientation.Horizontal)
        self.threshold.setRange(0, 99)
        self.threshold.setAccessibleName(tr("How alike places must be, 0 to 100"))
        form = QFormLayout()
        form.addRow(row(self.like_button, self.forget_button))
        form.addRow(tr("At least"), self.threshold)
        return box(tr("Similar places"), form)

    # ---- What leads to what ------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        loop = self.loop
        self.embed_view.clicked.connect(lambda: loop.embed(view_only=True))
        self.embed_all.clicked.connect(lambda: loop.embed(view_only=False))
        self.stop_button.clicked.connect(loop.stop)
        self.raster_list.itemChanged.connect(self._rasters_chosen)
        self.cell_size.valueChanged.connect(self._cell_size_chosen)
        self.label_choice.chosen.connect(self._labels_chosen)
        self.label_choice.new_button.clicked.connect(self._ask_new_labels)
        self.class_table.message.connect(self._say)
        self.class_table.class_chosen.connect(self._class_chosen)
        self.label_button.toggled.connect(lambda on: self._use_tool(self._label_tool, self.label_button, on))
        self.like_button.toggled.connect(lambda on: self._use_tool(self._like_tool, self.like_button, on))
        self.undo_button.clicked.connect(loop.undo)
        self.redo_button.clicked.connect(loop.redo)
        self.next_button.clicked.connect(self.show_next)
        self.suspect_button.clicked.connect(self.show_suspect)
        self.accept_button.clicked.connect(loop.accept_suspect)
        self.forget_button.clicked.connect(loop.forget_alike)
        self.threshold.valueChanged.connect(loop.overlay.set_threshold)
        self.whole_button.clicked.connect(self._write_whole_map)
        self._connect_tools()
        loop.message.connect(self._say)
        loop.working.connect(self._show_working)
        loop.progressed.connect(self._show_progress)
        loop.embedded.connect(lambda _path: self._say(tr("Embedded; label examples of each class.")))
        loop.painted.connect(self._show_score)
        loop.found_alike.connect(lambda answer: self.threshold.setValue(round(answer["threshold"])))
        loop.changed.connect(self._keep)
        loop.labels_gone.connect(self._show_labels)
        for signal, slot in self._of_project():
            signal.connect(slot)

    def _connect_tools(self) -> None:
        loop = self.loop
        self._label_tool.clicked.connect(lambda point: loop.label_cell(point, self.class_table.current_class()))
        self._label_tool.drawn.connect(lambda shape: loop.label_area(shape, self.class_table.current_class()))
        self._label_tool.removed.connect(loop.remove_example)
        self._label_tool.undo_asked.connect(loop.undo)
        self._label_tool.redo_asked.connect(loop.redo)
        self._label_tool.deactivated.connect(lambda: self.label_button.setChecked(False))
        self._like_tool.clicked.connect(loop.more_like)
        self._like_tool.drawn.connect(lambda shape: loop.more_like(QgsPointXY(shape.centroid().asPoint())))
        self._like_tool.removed.connect(lambda point: loop.more_like(point, counter=True))
        self._like_tool.deactivated.connect(lambda: self.like_button.setChecked(False))
        self.closed.connect(self._put_tools_away)

    def _of_project(self) -> list[tuple[Any, Any]]:
        project = QgsProject.instance()
        return [
            (project.layersAdded, self.refresh), (project.layersRemoved, self.refresh),
            (project.readProject, self.restore), (project.cleared, self.forget),
            (project.projectSaved, self.loop.keep_shown), (project.layerTreeRoot().nameChanged, self.refresh),
        ]  # fmt: skip

    # ---- Choices -----------------------------------------------------------------------------------------------------

    def refresh(self, *_layers: Any) -> None:
        """List the raster layers of the project; those that were chosen stay so."""
        self._filling = True
        self.raster_list.clear()
        for layer in QgsProject.instance().mapLayers().values():
            if isinstance(layer, QgsRasterLayer) and layer.providerType() == "gdal" and not _is_ours(layer):
                item = QListWidgetItem(layer.name(), self.raster_list)
                item.setData(Qt.ItemDataRole.UserRole, layer.id())
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                chosen = layer.id() in self.loop.rasters
                item.setCheckState(Qt.CheckState.Checked if chosen else Qt.CheckState.Unchecked)
        self._filling = False

    def restore(self, *_document: Any) -> None:
        """Be as the project that was opened says."""
        project_state.restore(self.loop)
        self.loop.keep_shown()
        self._show_state()

    def forget(self) -> None:
        """Be as for a new project."""
        project_state.forget(self.loop)
        self._show_state()

    def _show_state(self) -> None:
        self.refresh()
        self._filling = True
        self.cell_size.setValue(self.loop.cell_size or 0)
        self._filling = False
        self._show_labels()

    def _show_labels(self) -> None:
        """What the loop labels in, in the choice and the table; no score of other labels."""
        labels = self.loop.label_set
        self.label_choice.show_set(labels)
        self.class_table.set_label_set(labels)
        self.accept_button.setEnabled(False)
        self.score.setText(tr("Label places of two classes to see a map."))
        tell(self.place, "")

    def choose_rasters(self, names: list[str]) -> None:
        """Check the layers of these ids."""
        self.loop.rasters = list(names)
        self.refresh()
        self._keep()

    def use_labels(self, labels: LabelSet | None) -> None:
        """Label in this set; its layer joins the project."""
        if labels is not None and QgsProject.instance().mapLayer(labels.layer.id()) is None:
            QgsProject.instance().addMapLayer(labels.layer)
        self.loop.use_labels(labels)
        self._show_labels()

    def _rasters_chosen(self, _item: QListWidgetItem) -> None:
        if not self._filling:
            items = (self.raster_list.item(row) for row in range(self.raster_list.count()))
            self.loop.rasters = [
                item.data(Qt.ItemDataRole.UserRole) for item in items if item.checkState() == Qt.CheckState.Checked
            ]
            self._keep()

    def _cell_size_chosen(self, value: float) -> None:
        self.loop.cell_size = value or None
        self._keep()

    def _labels_chosen(self, layer: QgsVectorLayer | None, field: str) -> None:
        try:
            self.use_labels(LabelSet(layer, field) if layer is not None else None)
        except ValueError as error:
            self.use_labels(None)
            self.label_choice.show_layer(layer, field)  # another field may do
            self._say(str(error))

    def _ask_new_labels(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, tr("New labels"), "labels.gpkg", "GeoPackage (*.gpkg)")
        if path:
            path = path if path.lower().endswith(".gpkg") else f"{path}.gpkg"
            try:
                crs = self._canvas.mapSettings().destinationCrs()
                self.use_labels(LabelSet.create(path, crs, Path(path).stem))
            except ValueError as error:
                self._say(str(error))

    def _class_chosen(self, name: str) -> None:
        colour = self.loop.colours().get(name)
        if colour:
            self._label_tool.set_colour(colour)

    def _use_tool(self, tool: ExampleTool, its_button: QPushButton, on: bool) -> None:
        if on:
            self._canvas.setMapTool(tool)
            its_button.setChecked(True)
        elif self._canvas.mapTool() is tool:
            self._canvas.unsetMapTool(tool)

    def _put_tools_away(self) -> None:
        """Nobody labels in a dock that is not there."""
        for tool_button in (self.label_button, self.like_button):
            tool_button.setChecked(False)

    def _write_whole_map(self) -> None:
        from processing import execAlgorithmDialog  # noqa: PLC0415 - QGIS's own plugin, with a window only

        execAlgorithmDialog(_CLASSIFY, self.loop.whole_map())

    # ---- What is told ------------------------------------------------------------------------------------------------

    def show_next(self) -> None:
        """Go where a label is worth most."""
        self.accept_button.setEnabled(False)
        place = self.loop.next_place()
        if place is not None:
            tell(
                self.place,
                tr("Disputed: perhaps {name} ({percent} %). What is it?").format(
                    name=place["looks_like"], percent=round(100 * place["probability"])
                ),
            )

    def show_suspect(self) -> None:
        """Go to a label that may be wrong."""
        place = self.loop.next_suspect()
        self.accept_button.setEnabled(place is not None)
        if place is not None:
            tell(
                self.place,
                tr("Labelled {labelled}, looks like {name}; its own class has {percent} %.").format(
                    labelled=place["labelled"], name=place["looks_like"], percent=round(100 * place["probability"])
                ),
            )

    def _show_score(self, answer: dict[str, Any]) -> None:
        if not self.loop.is_led:
            self.accept_button.setEnabled(False)
            tell(self.place, "")
        self.score.setText(score_html(answer))

    def _show_working(self, on: bool) -> None:
        for widget in (self.progress, self.stop_button):
            widget.setVisible(on)
        for widget in (self.embed_view, self.embed_all):
            widget.setEnabled(not on)
        self.progress.setValue(0)

    def _show_progress(self, fraction: float, message: str) -> None:
        self.progress.setValue(round(100 * fraction))
        self.progress.setFormat(f"{message} %p%")

    def _say(self, text: str) -> None:
        tell(self.message, text)

    def _keep(self) -> None:
        project_state.keep(self.loop)


def _is_ours(layer: QgsRasterLayer) -> bool:
    """Painted by the dock, or made by a tool: nothing to learn from."""
    return is_painted(layer) or origin_of(layer) is not None
