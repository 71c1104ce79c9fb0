"""Labels from QGIS: a layer's own file where the worker would read the same in it, else a copy of its features.

Memory layers, filters, selections, edits and expressions live in QGIS alone, so their features are written to a
GeoPackage in Processing's temporary folder, in their own CRS, with the layer's style beside it for the map's colours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsExpression,
    QgsExpressionContext,
    QgsFeature,
    QgsFields,
    QgsGeometry,
    QgsMapLayer,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSource,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingUtils,
    QgsProperty,
    QgsProviderRegistry,
    QgsVectorFileWriter,
    QgsVectorLayer,
    QgsWkbTypes,
)

from ..compat import filter_of, writer_succeeded
from ..translation import tr

_NOT_TO_CLASH = ["FID=jepa_gfm_row", "GEOMETRY_NAME=jepa_gfm_geometry"]  # fields may be called fid or geom


@dataclass(frozen=True)
class LabelFile:
    """Where the worker finds the labels; `layer` only where the file has several."""

    path: str
    layer: str | None = None
    is_copy: bool = False


@dataclass(frozen=True)
class Wanted:
    """Which features of a source: all, or those for which `expression` is true (`rest`: is not true)."""

    field: str
    expression: str = ""
    rest: bool = False


def label_file(
    algorithm: QgsProcessingAlgorithm,
    parameters: dict[str, Any],
    name: str,
    context: QgsProcessingContext,
    wanted: Wanted,
    *,
    layer_told: bool,
) -> LabelFile | None:
    """The features of parameter `name`, None if it is not given. To be called in the main thread.

    `layer_told`: whether the worker can be told which layer of a file is meant.
    """
    if not parameters.get(name):
        return None
    layer, touched = _layer_of(parameters[name], context)
    own = None if touched or wanted.expression else own_file(layer)
    if own is not None and (own.layer is None or layer_told):
        return own
    source = algorithm.parameterAsSource(parameters, name, context)
    if source is None:
        raise QgsProcessingException(algorithm.invalidSourceError(parameters, name))
    chosen = _chooser(algorithm.createExpressionContext(parameters, context, source), source, wanted)
    path = QgsProcessingUtils.generateTempFilename("rest.gpkg" if wanted.rest else "labels.gpkg")
    count = _write_copy(path, source, wanted.field, chosen, context)
    if wanted.expression and not count:
        raise QgsProcessingException(
            tr("The expression {text} chooses {which} of the labels; mend it.").format(
                text=wanted.expression, which=tr("all") if wanted.rest else tr("none")
            )
        )
    if layer is not None:
        layer.saveNamedStyle(str(Path(path).with_suffix(".qml")))
    return LabelFile(path, is_copy=True)


def _layer_of(value: Any, context: QgsProcessingContext) -> tuple[QgsVectorLayer | None, bool]:
    """The layer of a source parameter, and whether only some of its features are meant."""
    touched = False
    if isinstance(value, QgsProcessingFeatureSourceDefinition):
        touched = value.selectedFeaturesOnly or value.featureLimit > 0 or bool(filter_of(value))
        value = value.source
    if isinstance(value, QgsProperty):
        value, _ = value.valueAsString(context.expressionContext())
    layer = value if isinstance(value, QgsMapLayer) else QgsProcessingUtils.mapLayerFromString(str(value), context)
    return (layer if isinstance(layer, QgsVectorLayer) else None), touched


def own_file(layer: QgsVectorLayer | None) -> LabelFile | None:
    """The file of a layer, if all that the layer shows stands in it and nothing else."""
    if layer is None or layer.providerType() != "ogr" or layer.isModified() or layer.subsetString():
        return None
    origins = {layer.fields().fieldOrigin(number) for number in range(layer.fields().count())}
    if origins - {QgsFields.FieldOrigin.OriginProvider}:
        return None
    parts = QgsProviderRegistry.instance().decodeUri("ogr", layer.source())
    path = whole_path(parts)
    if parts.get("subset") or parts.get("openOptions") or parts.get("geometryType") or not _is_file(path):
        return None
    layers = [item for item in QgsProviderRegistry.instance().querySublayers(path) if item.providerKey() == "ogr"]
    if len(layers) <= 1:
        return LabelFile(path)
    name = parts.get("layerName")
    return LabelFile(path, name) if name else None


def whole_path(parts: dict[str, Any]) -> str:
    """The file of a layer's decoded source as GDAL opens it; one in an archive is told in three parts."""
    return "".join(str(parts.get(name) or "") for name in ("vsiPrefix", "path", "vsiSuffix"))


def _is_file(path: str) -> bool:
    return path.startswith("/vsi") or Path(path).exists()


# ---- A copy ----------------------------------------------------------------------------------------------------------


def _chooser(
    expressions: QgsExpressionContext, source: QgsProcessingFeatureSource, wanted: Wanted
) -> Callable[[QgsFeature], bool]:
    """Whether a feature is wanted; raises `QgsProcessingException` for an expression that cannot be read."""
    if not wanted.expression:
        return lambda _feature: True
    expression = QgsExpression(wanted.expression)
    if expression.hasParserError():
        reason = expression.parserErrorString().strip().rstrip(".")
        raise QgsProcessingException(
            tr("The expression {text} cannot be read ({reason}); mend it.").format(
                text=wanted.expression, reason=reason
            )
        )
    expressions.setFields(source.fields())
    expression.prepare(expressions)

    def chosen(feature: QgsFeature) -> bool:
        expressions.setFeature(feature)
        holds = expression.evaluate(expressions)
        if expression.hasEvalError():
            raise QgsProcessingException(
                tr("The expression {text} cannot be evaluated ({reason}); mend it.").format(
                    text=wanted.expression, reason=expression.evalErrorString().strip().rstrip(".")
                )
            )
        return (holds in (True, 1)) != wanted.rest

    return chosen


def _write_copy(
    path: str,
    source: QgsProcessingFeatureSource,
    field: str,
    chosen: Callable[[QgsFeature], bool],
    context: QgsProcessingContext,
) -> int:
    """Write the wanted features with their class alone, or with all fields where it is still to be found; how many."""
    names = [item.name() for item in source.fields()]
    numbers = [names.index(field)] if field in names else list(range(len(names)))
    fields = QgsFields()
    for number in numbers:
        fields.append(source.fields().at(number))
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName, options.layerOptions = "GPKG", _NOT_TO_CLASH
    writer = QgsVectorFileWriter.create(
        path, fields, source.wkbType(), source.sourceCrs(), context.transformContext(), options
    )
    try:
        _check(writer, source)
        count = 0
        for feature in source.getFeatures():
            if chosen(feature):
                count += writer.addFeature(_copied(feature, fields, numbers))
        _check(writer, source)
    finally:
        del writer  # closes the file
    return count


def _copied(feature: QgsFeature, fields: QgsFields, numbers: list[int]) -> QgsFeature:
    copy = QgsFeature(fields)
    copy.setAttributes([feature.attribute(number) for number in numbers])
    geometry = feature.geometry()
    if not geometry.isNull() and QgsWkbTypes.isCurvedType(geometry.wkbType()):
        geometry = QgsGeometry(geometry.constGet().segmentize())
    copy.setGeometry(geometry)
    return copy


def _check(writer: QgsVectorFileWriter, source: QgsProcessingFeatureSource) -> None:
    if not writer_succeeded(writer):
        raise QgsProcessingException(
            tr("The labels {name} cannot be handed to the worker ({reason}); save the layer as a GeoPackage.").format(
                name=source.sourceName(), reason=writer.errorMessage().strip().rstrip(".")
            )
        )
