"""From the values of a form to the plain values that the worker takes, and what cannot be used as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsMapLayer,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProviderRegistry,
    QgsRasterLayer,
    QgsRectangle,
)

from ..description import Parameter, Tool
from ..layer_actions import plain_values
from ..translation import tr, translatable
from .form import file_name, qgis_name
from .labels import LabelFile, Wanted, label_file, whole_path
from .refinements import CHECK_REST, LABELS_RASTER, fixed_values, is_hidden

_LABELS_MISSING = {  # where a form may be without, but not without a raster or a fitted classifier in their place
    "classify": translatable(
        "Labels are missing; choose a layer of polygons or points, or a fitted classifier from a file."
    ),
    "estimate": translatable(
        "Known values are missing; choose a layer of points or polygons, or a raster of the number."
    ),
}
_INSIDE_GDAL = ("/vsi", "http://", "https://", "s3://")  # names that no file system knows


@dataclass(frozen=True)
class Request:
    """What is sent; `names` are the files of the rasters, `copies` label files that live as long as QGIS only."""

    params: dict[str, Any]
    names: tuple[str, ...]
    copies: tuple[str, ...]
    repeatable: dict[str, Any]  # values of the form that mean the same for other layers


class FormReader:
    """Reads the values of one run of an algorithm made from `tool`."""

    def __init__(
        self,
        algorithm: QgsProcessingAlgorithm,
        tool: Tool,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
    ) -> None:
        self._algorithm, self._tool = algorithm, tool
        self._parameters, self._context = parameters, context

    def refusal(self) -> str:
        """A sentence if something cannot work, before anything is started; else empty."""
        for layer in self._every_raster():
            if raster_file(layer) is None:
                return tr(
                    "The layer {name} is not a raster file ({kind}); export it as a GeoTIFF and choose that."
                ).format(name=_name_of(layer), kind=_provider_of(layer))
        if self._given("CRS") and not self._algorithm.parameterAsCrs(self._parameters, "CRS", self._context).isValid():
            return tr("The CRS of the grid is not known to QGIS; choose another one, in metres.")
        if self._tool.asks("labels") and not any(map(self._given, ("LABELS", LABELS_RASTER, file_name("head")))):
            return tr(_LABELS_MISSING.get(self._tool.name, ""))
        if self._flag(CHECK_REST) and not self._given("WHERE"):
            return tr("There are labels left out to check on only where an expression chooses some; give one.")
        return ""

    def request(self) -> Request:
        """Everything that the worker needs. To be called in the main thread, where layers may be read."""
        params = fixed_values(self._tool)
        for parameter in self._tool.parameters:
            reader = self._readers().get(parameter.role)
            if reader is not None and not is_hidden(parameter):
                value = reader(self, parameter)
                if value is not None:
                    params[parameter.name] = value
        names = tuple(raster_file(layer) or "" for layer in self._every_raster(of_labels=False))
        return Request(params, names, self._add_labels(params), plain_values(self._parameters, self._of_this_run()))

    def _of_this_run(self) -> set[str]:
        """Parameters whose values belong to these layers: inputs and outputs."""
        roles = ("rasters", "raster", "labels", "extent")
        own = {
            qgis_name(item.name)
            for item in self._tool.parameters
            if item.role in roles or item.role.startswith("output")
        }
        return own | {LABELS_RASTER}

    # ---- Features ----------------------------------------------------------------------------------------------------

    def _add_labels(self, params: dict[str, Any]) -> tuple[str, ...]:
        """Add the files of all features that are read; returns those that are copies."""
        files: dict[str, LabelFile | None] = {}
        field, first = params.get("field", ""), self._tool.labels
        # Not parameterAsExpression, which gives an empty text for an expression with a slip in it.
        expression = self._algorithm.parameterAsString(self._parameters, "WHERE", self._context)
        for parameter in self._tool.parameters:
            if parameter.role == "labels":
                chosen = expression if parameter.name == first else ""
                files[parameter.name] = self._labels(parameter.name, Wanted(field, chosen))
        if self._given(LABELS_RASTER):
            files["labels"] = LabelFile(raster_file(self._raster_layer(LABELS_RASTER)) or "")
        if self._flag(CHECK_REST):
            files["check"] = self._labels(first, Wanted(field, expression, rest=True))
        for name, file in files.items():
            if file is not None:
                params[name] = file.path
                if name == first and file.layer is not None:
                    params["layer"] = file.layer
        return tuple(item.path for item in files.values() if item is not None and item.is_copy)

    def _labels(self, name: str, wanted: Wanted) -> LabelFile | None:
        first = name == self._tool.labels
        return label_file(self._algorithm, self._parameters, qgis_name(name), self._context, wanted, layer_told=first)

    # ---- Rasters -----------------------------------------------------------------------------------------------------

    def _every_raster(self, *, of_labels: bool = True) -> list[QgsMapLayer | None]:
        """The raster layers of all parameters in their order."""
        layers: list[QgsMapLayer | None] = []
        for parameter in self._tool.parameters:
            name = qgis_name(parameter.name)
            if parameter.role == "rasters":
                layers += self._layers(name)
            elif parameter.role == "raster" and self._given(name):
                layers.append(self._raster_layer(name))
        if of_labels and self._given(LABELS_RASTER):
            layers.append(self._raster_layer(LABELS_RASTER))
        return layers

    def _raster_layer(self, name: str) -> QgsMapLayer | None:
        return self._algorithm.parameterAsRasterLayer(self._parameters, name, self._context)

    # ---- One reader a role -------------------------------------------------------------------------------------------

    def _given(self, name: str) -> bool:
        value = self._parameters.get(name)
        return value is not None and value != ""

    def _flag(self, name: str) -> bool:
        return self._given(name) and self._algorithm.parameterAsBool(self._parameters, name, self._context)

    def _layers(self, name: str) -> list[QgsMapLayer]:
        return list(self._algorithm.parameterAsLayerList(self._parameters, name, self._context))

    def _rasters(self, parameter: Parameter) -> list[str]:
        return [raster_argument(layer) for layer in self._layers(qgis_name(parameter.name))]

    def _raster(self, parameter: Parameter) -> str | None:
        return raster_file(self._raster_layer(qgis_name(parameter.name)))

    def _text(self, parameter: Parameter) -> str | None:
        name = qgis_name(parameter.name)
        return self._algorithm.parameterAsString(self._parameters, name, self._context) or None

    def _destination(self, parameter: Parameter) -> str | None:
        name = qgis_name(parameter.name)
        if not self._given(name):
            return None
        return self._algorithm.parameterAsOutputLayer(self._parameters, name, self._context)

    def _file_destination(self, parameter: Parameter) -> str | None:
        name = qgis_name(parameter.name)
        if not self._given(name):
            return None
        return self._algorithm.parameterAsFileOutput(self._parameters, name, self._context) or None

    def _extent(self, parameter: Parameter) -> str | None:
        name = qgis_name(parameter.name)
        box = self._algorithm.parameterAsExtent(self._parameters, name, self._context)
        if not self._given(name) or box.isNull():
            return None
        crs = self._algorithm.parameterAsExtentCrs(self._parameters, name, self._context)
        return extent_text(box, crs)

    def _crs(self, parameter: Parameter) -> str | None:
        crs = self._algorithm.parameterAsCrs(self._parameters, qgis_name(parameter.name), self._context)
        return crs_text(crs) if crs.isValid() else None

    def _number(self, parameter: Parameter) -> float | int | None:
        name = qgis_name(parameter.name)
        if not self._given(name):
            return None
        if parameter.type == "int":
            return self._algorithm.parameterAsInt(self._parameters, name, self._context)
        return self._algorithm.parameterAsDouble(self._parameters, name, self._context)

    def _choice(self, parameter: Parameter) -> str | None:
        return self._algorithm.parameterAsEnumString(self._parameters, qgis_name(parameter.name), self._context) or None

    def _choice_or_file(self, parameter: Parameter) -> str | None:
        file = self._algorithm.parameterAsFile(self._parameters, file_name(parameter.name), self._context)
        return file or self._choice(parameter)

    def _choices(self, parameter: Parameter) -> list[str] | None:
        names = self._algorithm.parameterAsEnumStrings(self._parameters, qgis_name(parameter.name), self._context)
        return list(names) or None

    def _boolean(self, parameter: Parameter) -> bool:
        return self._algorithm.parameterAsBool(self._parameters, qgis_name(parameter.name), self._context)

    @classmethod
    def _readers(cls) -> dict[str, Callable[[FormReader, Parameter], Any]]:
        return {
            "rasters": cls._rasters, "raster": cls._raster, "output raster": cls._destination,
            "output vector": cls._destination, "output file": cls._file_destination,
            "output folder": cls._file_destination, "field": cls._text, "text": cls._text, "file": cls._text,
            "extent": cls._extent, "crs": cls._crs, "distance": cls._number, "number": cls._number,
            "choice": cls._choice, "choices": cls._choices, "choice or file": cls._choice_or_file,
            "model": cls._choice_or_file, "flag": cls._boolean,
        }  # fmt: skip


def raster_file(layer: QgsMapLayer | None) -> str | None:
    """The file of a raster layer as GDAL opens it; None for one that is served, computed or in memory."""
    if not isinstance(layer, QgsRasterLayer) or layer.providerType() != "gdal":
        return None
    parts = QgsProviderRegistry.instance().decodeUri("gdal", layer.source())
    path = whole_path(parts)
    if parts.get("layerName"):  # a part of a file, which GDAL names in its own way
        return layer.source()
    return path if path.startswith(_INSIDE_GDAL) or Path(path).exists() else None


def raster_argument(layer: QgsMapLayer) -> str:
    """The file of a raster layer, with the CRS that was chosen for it in QGIS where that is another than the file's."""
    file, crs = raster_file(layer) or "", layer.crs()
    chosen = crs.isValid() and crs.authid().startswith("EPSG:") and crs != layer.dataProvider().crs()
    return f"{file}:crs={crs.authid()}" if chosen else file


def extent_text(box: QgsRectangle, crs: QgsCoordinateReferenceSystem) -> str:
    """An extent as the worker takes it; without a CRS it is in that of the grid."""
    edges = (box.xMinimum(), box.xMaximum(), box.yMinimum(), box.yMaximum())
    numbers = ",".join(repr(edge) for edge in edges)
    return f"{numbers} [{crs_text(crs)}]" if crs.isValid() else ",".join(repr(edges[n]) for n in (0, 2, 1, 3))


def crs_text(crs: QgsCoordinateReferenceSystem) -> str:
    """A CRS by its code, or whole where it has none."""
    return crs.authid() if crs.authid() and not crs.authid().startswith("USER:") else crs.toWkt()


def _name_of(layer: QgsMapLayer | None) -> str:
    return layer.name() if layer is not None else "?"


def _provider_of(layer: QgsMapLayer | None) -> str:
    return layer.providerType() if layer is not None else tr("not there")
