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
)

from ..description import Parameter, Tool
from ..translation import tr
from .form import file_name, qgis_name
from .labels import LabelFile, Wanted, label_file
from .refinements import CHECK_REST, LABELS_RASTER, fixed_values, is_hidden

_INSIDE_GDAL = ("/vsi", "http://", "https://", "s3://")  # names that no file system knows


@dataclass(frozen=True)
class Request:
    """What is sent; `names` are the files of the rasters, `copies` label files that live as long as QGIS only."""

    params: dict[str, Any]
    names: tuple[str, ...]
    copies: tuple[str, ...]


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
        layers = self._layers("INPUTS")
        if self._given(LABELS_RASTER):
            layers = [*layers, self._algorithm.parameterAsRasterLayer(self._parameters, LABELS_RASTER, self._context)]
        for layer in layers:
            if raster_file(layer) is None:
                return tr(
                    "The layer {name} is not a raster file ({kind}); export it as a GeoTIFF and choose that."
                ).format(name=_name_of(layer), kind=_provider_of(layer))
        if self._given("CRS") and not self._algorithm.parameterAsCrs(self._parameters, "CRS", self._context).isValid():
            return tr("The CRS of the grid is not known to QGIS; choose another one, in metres.")
        wanted = {item.name for item in self._tool.parameters}
        if "labels" in wanted and not any(map(self._given, ("LABELS", LABELS_RASTER, file_name("head")))):
            return tr("Labels are missing; choose a layer of polygons or points, or a fitted classifier from a file.")
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
        names = tuple(raster_file(layer) or "" for layer in self._layers("INPUTS"))
        return Request(params, names, self._add_labels(params))

    # ---- Labels ------------------------------------------------------------------------------------------------------

    def _add_labels(self, params: dict[str, Any]) -> tuple[str, ...]:
        """Add the labels and what they are checked on; returns the files that are copies."""
        if "labels" not in {item.name for item in self._tool.parameters}:
            return ()
        field = params.get("field", "")
        # Not parameterAsExpression, which gives an empty text for an expression with a slip in it.
        expression = self._algorithm.parameterAsString(self._parameters, "WHERE", self._context)
        labels = self._labels("LABELS", Wanted(field, expression))
        if self._given(LABELS_RASTER):
            layer = self._algorithm.parameterAsRasterLayer(self._parameters, LABELS_RASTER, self._context)
            labels = LabelFile(raster_file(layer) or "")
        if labels is not None:
            params["labels"] = labels.path
            if labels.layer is not None:
                params["layer"] = labels.layer
        if self._flag(CHECK_REST):
            check = self._labels("LABELS", Wanted(field, expression, rest=True))
        else:
            check = self._labels("CHECK", Wanted(field))
        if check is not None:
            params["check"] = check.path
        return tuple(item.path for item in (labels, check) if item is not None and item.is_copy)

    def _labels(self, name: str, wanted: Wanted) -> LabelFile | None:
        return label_file(self._algorithm, self._parameters, name, self._context, wanted)

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
        edges = (box.xMinimum(), box.xMaximum(), box.yMinimum(), box.yMaximum())
        numbers = ",".join(repr(edge) for edge in edges)
        return f"{numbers} [{crs_text(crs)}]" if crs.isValid() else ",".join(repr(edges[n]) for n in (0, 2, 1, 3))

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
            "rasters": cls._rasters, "output raster": cls._destination, "output file": cls._file_destination,
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
    path = parts.get("path") or ""
    if parts.get("layerName"):  # a part of a file, which GDAL names in its own way
        return layer.source()
    return path if path.startswith(_INSIDE_GDAL) or Path(path).exists() else None


def raster_argument(layer: QgsMapLayer) -> str:
    """The file of a raster layer, with the CRS that was chosen for it in QGIS where that is another than the file's."""
    file, crs = raster_file(layer) or "", layer.crs()
    chosen = crs.isValid() and crs.authid().startswith("EPSG:") and crs != layer.dataProvider().crs()
    return f"{file}:crs={crs.authid()}" if chosen else file


def crs_text(crs: QgsCoordinateReferenceSystem) -> str:
    """A CRS by its code, or whole where it has none."""
    return crs.authid() if crs.authid() and not crs.authid().startswith("USER:") else crs.toWkt()


def _name_of(layer: QgsMapLayer | None) -> str:
    return layer.name() if layer is not None else "?"


def _provider_of(layer: QgsMapLayer | None) -> str:
    return layer.providerType() if layer is not None else tr("not there")
