"""Labels: classes and examples kept in one ordinary vector layer of the user, each action written at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFields,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsProviderRegistry,
    QgsRendererCategory,
    QgsVectorDataProvider,
    QgsVectorFileWriter,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QObject, pyqtSignal

from ..compat import POINTS, POLYGONS, QUndoStack, is_text, text_field, writer_succeeded
from ..translation import tr
from . import style
from .change import CategoryChange, Change, Command
from .examples import Examples

FIELD = "class"
_LAYER = "labels"  # its name in a GeoPackage made here
_MOST_CLASSES = 500
_NEEDED = ("AddFeatures", "DeleteFeatures", "ChangeAttributeValues")


@dataclass(frozen=True)
class LabelClass:
    """A class: its colour as #rrggbb, and how many examples it has."""

    name: str
    colour: str
    count: int


class LabelSet(QObject):
    """The classes are the categories of the layer's renderer. What is refused is a `ValueError` of one sentence.

    `failed` gives the sentence where an undo or redo from the stack's own actions could not be done.
    """

    changed = pyqtSignal()  # examples or names of classes
    recoloured = pyqtSignal()
    failed = pyqtSignal(str)
    closed = pyqtSignal()  # the layer goes away, or cannot hold labels any more; the set is of no use

    def __init__(self, layer: QgsVectorLayer, field: str = FIELD) -> None:
        super().__init__()
        _check_usable(layer, field)
        self.layer, self.field = layer, field
        self.undo_stack = QUndoStack(self)
        self._examples = Examples(layer, field)
        self._styling = False
        _check_few(self._examples.counts(), layer, field)
        self._complete()
        layer.afterCommitChanges.connect(self._foreign_commit)
        layer.dataSourceChanged.connect(self._foreign_commit)
        layer.rendererChanged.connect(self._foreign_style)
        layer.willBeDeleted.connect(self._close)

    @classmethod
    def create(cls, path: str, crs: Any, name: str) -> LabelSet:
        """Labels in a new GeoPackage with polygons and a field `class`; an existing file is left alone."""
        crs = QgsCoordinateReferenceSystem(crs)
        if not crs.isValid():
            raise ValueError(tr("Labels need a CRS; choose one for the project."))
        if Path(path).exists():
            raise ValueError(tr("The file {path} exists; choose another name, or open its layer.").format(path=path))
        fields = QgsFields()
        fields.append(text_field(FIELD))
        options = QgsVectorFileWriter.SaveVectorOptions()
        options.driverName, options.layerName = "GPKG", _LAYER
        writer = QgsVectorFileWriter.create(
            str(path), fields, QgsWkbTypes.Type.Polygon, crs, QgsProject.instance().transformContext(), options
        )
        failed, reason = not writer_succeeded(writer), writer.errorMessage().strip().rstrip(".")
        del writer  # closes the file
        if failed:
            raise ValueError(
                tr("The file {path} cannot be written ({reason}); choose another folder.").format(
                    path=path, reason=reason
                )
            )
        return cls(QgsVectorLayer(f"{path}|layername={_LAYER}", name, "ogr"))

    # ---- Classes -----------------------------------------------------------------------------------------------------

    def classes(self) -> list[LabelClass]:
        """In the order of the legend."""
        counts = self._examples.counts()
        return [
            LabelClass(style.name_of(category), style.colour_of(category), counts[style.name_of(category)])
            for category in self._categories_of(counts)
            if style.name_of(category)
        ]

    def add_class(self, name: str, colour: str | None = None) -> None:
        """A class without examples; without a colour it gets the next one that colour-blind eyes tell apart."""
        self._check_free()
        name = self._checked_name(name)
        if self._category(name) is not None:
            raise ValueError(tr("There is a class {name} already.").format(name=name))
        self._do(tr("Add class {name}").format(name=name), Change(category=self._added(name, colour)))

    def rename_class(self, old: str, new: str) -> None:
        """Its examples follow; a class of the new name takes them in."""
        self._check_free(whole_class=True)
        place, category = self._known(old)
        new = self._checked_name(new)
        if new == old:
            return
        merged = self._category(new) is not None
        after = None if merged else style.renamed(category, new)
        text = tr("Merge class {old} into {new}") if merged else tr("Rename class {old} to {new}")
        reclassed = dict.fromkeys(self._examples.of_class(old), (old, new))
        change = Change(reclassed=reclassed, category=CategoryChange(place, category, after))
        self._do(text.format(old=old, new=new), change)

    def recolour_class(self, name: str, colour: str) -> None:
        """Its symbol becomes one of ours in that colour."""
        self._check_free()
        place, category = self._known(name)
        after = style.new_category(self.layer, name, _checked_colour(colour))
        after.setLabel(category.label())
        after.setRenderState(category.renderState())
        change = Change(category=CategoryChange(place, category, after))
        self._do(tr("Change the colour of class {name}").format(name=name), change)

    def remove_class(self, name: str) -> None:
        """With its examples."""
        self._check_free(whole_class=True)
        place, category = self._known(name)
        removed = {handle: self._examples.feature(handle) for handle in self._examples.of_class(name)}
        change = Change(removed=removed, category=CategoryChange(place, category, None))
        self._do(tr("Remove class {name}").format(name=name), change)

    # ---- Examples ----------------------------------------------------------------------------------------------------

    def add_example(
        self, geometry: QgsGeometry, class_name: str, crs: QgsCoordinateReferenceSystem | None = None
    ) -> int:
        """Its feature id; the first one where the layer needs a feature for each part. A new class joins the others.

        `crs`: that of the geometry, without it the layer's.
        """
        self._check_free()
        name = self._checked_name(class_name)
        features = self._examples.made(self._examples.transformed(geometry, crs), name)
        added = {self._examples.new_handle(): feature for feature in features}
        change = Change(added=added, category=self._added_if_new(name))
        self._do(tr("Add an example of {name}").format(name=name), change)
        return self._examples.fid(next(iter(added)))

    def remove_example(self, fid: int) -> None:
        """Take an example away."""
        self._check_free()
        handle = self._examples.handle(fid)
        name = self._examples.class_of(handle)
        change = Change(removed={handle: self._examples.feature(handle)})
        self._do(tr("Remove an example of {name}").format(name=name), change)

    def change_class(self, fid: int, class_name: str) -> None:
        """Give an example another class."""
        self._check_free()
        new = self._checked_name(class_name)
        handle = self._examples.handle(fid)
        old = self._examples.class_of(handle)
        if new == old:
            return
        change = Change(reclassed={handle: (old, new)}, category=self._added_if_new(new))
        self._do(tr("Change an example from {old} to {new}").format(old=old, new=new), change)

    def example_at(
        self, point: QgsPointXY, tolerance: float, crs: QgsCoordinateReferenceSystem | None = None
    ) -> int | None:
        """The feature id of the nearest example; point and tolerance in `crs`, without it the layer's."""
        return self._examples.nearest(point, tolerance, crs)

    # ---- Undo --------------------------------------------------------------------------------------------------------

    def undo(self) -> None:
        """Take the last action back; better than the stack's own, because it refuses before anything is lost."""
        self._check_free()
        self.undo_stack.undo()

    def redo(self) -> None:
        """Do the last action again."""
        self._check_free()
        self.undo_stack.redo()

    def _do(self, text: str, change: Change) -> None:
        """Apply a change, and keep it for undo."""
        self._apply(change)
        self.undo_stack.push(Command(text, change, self._try))
        self._tell(change)

    def _try(self, change: Change) -> str:
        """Apply a change for the stack: what went wrong, "" if nothing."""
        try:
            self._check_free()
            self._apply(change)
        except (ValueError, KeyError) as error:  # KeyError: an example that others took away
            sentence = str(error) if isinstance(error, ValueError) else tr("The example is not there any more.")
            self.failed.emit(sentence)
            return sentence
        self._tell(change)
        return ""

    def _apply(self, change: Change) -> None:
        after = change.category.applied(self._categories()) if change.category is not None else None
        if change.added:
            self._examples.insert(change.added)
        if change.removed:
            self._examples.delete(list(change.removed))
        if change.reclassed:
            self._examples.reclass({handle: new for handle, (_old, new) in change.reclassed.items()})
        if after is not None:
            self._install(after)
            style.save(self.layer)

    def _tell(self, change: Change) -> None:
        (self.recoloured if change.only_recolours else self.changed).emit()

    # ---- Categories --------------------------------------------------------------------------------------------------

    def _categories(self) -> list[QgsRendererCategory]:
        """Those of the renderer, and one for every other class that the examples have."""
        return self._categories_of(self._examples.counts())

    def _categories_of(self, names: Collection[str]) -> list[QgsRendererCategory]:
        """The same where the classes of the examples are known: to ask for them reads the whole layer."""
        found = style.categories(self.layer, self.field) or []
        known = {style.name_of(category) for category in found}
        for name in sorted(set(names) - known):
            colour = style.next_colour(map(style.colour_of, found))
            found.append(style.new_category(self.layer, name, colour))
        return found

    def _category(self, name: str) -> tuple[int, QgsRendererCategory] | None:
        for place, category in enumerate(self._categories()):
            if style.name_of(category) == name:
                return place, category
        return None

    def _known(self, name: str) -> tuple[int, QgsRendererCategory]:
        found = self._category(name) if name else None
        if found is None:
            raise ValueError(tr("There is no class {name}.").format(name=name))
        return found

    def _added(self, name: str, colour: str | None = None) -> CategoryChange:
        there = self._categories()
        colour = _checked_colour(colour) if colour else style.next_colour(map(style.colour_of, there))
        return CategoryChange(len(there), None, style.new_category(self.layer, name, colour))

    def _added_if_new(self, name: str) -> CategoryChange | None:
        known = map(style.name_of, style.categories(self.layer, self.field) or [])
        return None if name in known else self._added(name)

    def _install(self, categories: list[QgsRendererCategory]) -> None:
        self._styling = True
        try:
            style.install(self.layer, self.field, categories)
        finally:
            self._styling = False

    def _complete(self) -> None:
        """A renderer of categories that has all classes."""
        wanted, there = self._categories(), style.categories(self.layer, self.field)
        if there is None or len(there) < len(wanted):
            self._install(wanted)

    # ---- What may be done, and what others do ------------------------------------------------------------------------

    def _check_free(self, whole_class: bool = False) -> None:
        name = self.layer.name()
        gone = _file_gone(self.layer)
        if gone:  # GDAL would go on writing into a file that nobody finds again
            raise ValueError(
                tr("The file {path} of the layer {name} is gone; bring it back, or choose another layer.").format(
                    path=gone, name=name
                )
            )
        if self.layer.isEditable():
            raise ValueError(tr("The layer {name} is being edited; save or leave its edits first.").format(name=name))
        if self.layer.readOnly():
            raise ValueError(tr("The layer {name} is read only.").format(name=name))
        if whole_class and self.layer.subsetString():
            raise ValueError(tr("The filter of the layer {name} hides examples; take it off first.").format(name=name))

    def _checked_name(self, name: str) -> str:
        """Without spaces around it, unless the layer came with such a class."""
        if self._category(name) is not None and name.strip():
            return name
        name = name.strip()
        if not name:
            raise ValueError(tr("A class needs a name."))
        longest = self.layer.fields().field(self.field).length()
        if 0 < longest < len(name):
            raise ValueError(
                tr("The name {name} is too long for the field {field}; it takes {longest} characters.").format(
                    name=name, field=self.field, longest=longest
                )
            )
        return name

    def _foreign_commit(self) -> None:
        self.undo_stack.clear()
        self._examples.forget()
        try:
            _check_usable(self.layer, self.field)
        except ValueError as error:
            self.failed.emit(str(error))
            self.closed.emit()
            return
        self._complete()
        self.changed.emit()

    def _foreign_style(self) -> None:
        if not self._styling:
            self.changed.emit()
            self.recoloured.emit()

    def _close(self) -> None:
        self.undo_stack.clear()
        self.closed.emit()


def _checked_colour(colour: str) -> str:
    read = style.checked_colour(colour)
    if not read:
        raise ValueError(tr("{colour} is no colour; write it as #rrggbb.").format(colour=colour))
    return read


def _file_gone(layer: QgsVectorLayer) -> str:
    """The file of a layer, if it had one and has it no more."""
    if layer.providerType() != "ogr":
        return ""
    path = QgsProviderRegistry.instance().decodeUri("ogr", layer.source()).get("path") or ""
    is_local = Path(path).is_absolute() and not path.startswith("/vsi")
    return path if is_local and not Path(path).exists() else ""


def _check_few(counts: Collection[str], layer: QgsVectorLayer, field: str) -> None:
    """ValueError for names or numbers of things, which are no classes; a legend of thousands would hold QGIS up."""
    if len(counts) > _MOST_CLASSES:
        raise ValueError(
            tr("The field {field} of the layer {name} has {count} different values; choose a layer of classes.").format(
                field=field, name=layer.name(), count=len(counts)
            )
        )


def _check_usable(layer: QgsVectorLayer, field: str) -> None:
    """ValueError for a layer that cannot hold labels."""
    if not isinstance(layer, QgsVectorLayer) or not layer.isValid():
        raise ValueError(tr("The layer for labels cannot be read; choose another one."))
    name = layer.name()
    if layer.geometryType() not in (POINTS, POLYGONS):
        raise ValueError(tr("The layer {name} has neither points nor polygons; choose another one.").format(name=name))
    provider = layer.dataProvider()
    column = provider.fields().indexFromName(field)
    if column < 0:
        raise ValueError(tr("The layer {name} has no field {field}.").format(name=name, field=field))
    if not is_text(provider.fields().at(column)):
        raise ValueError(
            tr("The field {field} of the layer {name} is not text; choose another one.").format(name=name, field=field)
        )
    can = provider.capabilities()
    if layer.readOnly() or not all(can & getattr(QgsVectorDataProvider.Capability, need) for need in _NEEDED):
        raise ValueError(tr("The layer {name} is read only; export it as a GeoPackage first.").format(name=name))
