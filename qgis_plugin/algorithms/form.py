"""From the description of a tool to the parameters and outputs of a Processing algorithm: a role, a widget."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingOutputDefinition,
    QgsProcessingOutputFile,
    QgsProcessingOutputHtml,
    QgsProcessingOutputNumber,
    QgsProcessingOutputRasterLayer,
    QgsProcessingOutputString,
    QgsProcessingOutputVectorLayer,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterCrs,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterDistance,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExpression,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProcessingParameterVectorDestination,
)

from ..compat import set_metres
from ..description import Outcome, Parameter, Tool
from ..translation import tr, translatable
from .refinements import FILE_FILTERS, FIRST, extra_parameters, is_hidden, may_be_left_out

_INPUTS = "INPUTS"


def qgis_name(parameter: str) -> str:
    """Name of a parameter in Processing: `cell_size` → `CELL_SIZE`."""
    return _INPUTS if parameter == "rasters" else parameter.upper()


def file_name(parameter: str) -> str:
    """Name of the file that may be given instead of one of the choices."""
    return f"{qgis_name(parameter)}_FILE"


def definitions(tool: Tool) -> Iterator[QgsProcessingParameterDefinition]:
    """The form of a tool: what is mapped first, then the rest in its order, advanced ones marked."""
    rank = {name: number for number, name in enumerate(FIRST)}
    for parameter in sorted(tool.parameters, key=lambda item: rank.get(item.name, len(rank))):
        if not is_hidden(parameter):
            definition = _definition(tool, parameter)
            yield _finished(definition, parameter.help, advanced=parameter.advanced)
        if parameter.role in _OR_FILE:
            yield _or_file(parameter)
        for definition, help, advanced in extra_parameters(tool, parameter):
            yield _finished(definition, help, advanced=advanced)


def outputs(tool: Tool) -> Iterator[tuple[Outcome, QgsProcessingOutputDefinition]]:
    """What a finished run gives beside the destinations of the form."""
    kinds = {
        "raster": QgsProcessingOutputRasterLayer,
        "vector": QgsProcessingOutputVectorLayer,
        "file": QgsProcessingOutputFile,
        "html": QgsProcessingOutputHtml,
        "number": QgsProcessingOutputNumber,
        "text": QgsProcessingOutputString,
    }
    for outcome in tool.outcomes:
        if outcome.name != "output":
            yield outcome, kinds[outcome.kind](output_name(tool, outcome), tr(outcome.label))


def output_name(tool: Tool, outcome: Outcome) -> str:
    """`macro_f1` → `MACRO_F1`; with its kind where a parameter has that name, as `REPORT_HTML`."""
    taken = any(parameter.name == outcome.name for parameter in tool.parameters)
    return f"{outcome.name}_{outcome.kind}".upper() if taken else outcome.name.upper()


def _finished(
    definition: QgsProcessingParameterDefinition, help: str, *, advanced: bool
) -> QgsProcessingParameterDefinition:
    definition.setHelp(tr(help))
    if advanced:
        definition.setFlags(definition.flags() | QgsProcessingParameterDefinition.Flag.FlagAdvanced)
    return definition


def _or_file(parameter: Parameter) -> QgsProcessingParameterDefinition:
    definition = QgsProcessingParameterFile(
        file_name(parameter.name),
        tr("{name} from a file").format(name=tr(parameter.label)),
        QgsProcessingParameterFile.Behavior.File,
        optional=True,
        fileFilter=FILE_FILTERS.get(parameter.name, ""),
    )
    return _finished(definition, translatable("Instead of the choice above."), advanced=True)


# ---- One maker a role ------------------------------------------------------------------------------------------------


def _definition(tool: Tool, parameter: Parameter) -> QgsProcessingParameterDefinition:
    if parameter.role == "labels":
        return _features(parameter, optional=may_be_left_out(tool, parameter))
    if parameter.role in _OF_FEATURES:
        return _OF_FEATURES[parameter.role](parameter, qgis_name(tool.labels))
    return _MAKERS[parameter.role](parameter)


def _named(parameter: Parameter) -> tuple[str, str]:
    return qgis_name(parameter.name), tr(parameter.label)


def _rasters(parameter: Parameter) -> QgsProcessingParameterDefinition:
    return QgsProcessingParameterMultipleLayers(*_named(parameter), QgsProcessing.SourceType.TypeRaster)


def _raster(parameter: Parameter) -> QgsProcessingParameterDefinition:
    return QgsProcessingParameterRasterLayer(*_named(parameter), optional=not parameter.required)


def _features(parameter: Parameter, *, optional: bool) -> QgsProcessingParameterDefinition:
    return QgsProcessingParameterFeatureSource(
        *_named(parameter), [QgsProcessing.SourceType.TypeVectorAnyGeometry], optional=optional
    )


def _field(parameter: Parameter, of: str) -> QgsProcessingParameterDefinition:
    return QgsProcessingParameterField(*_named(parameter), parentLayerParameterName=of, optional=True)


def _expression(parameter: Parameter, of: str) -> QgsProcessingParameterDefinition:
    return QgsProcessingParameterExpression(*_named(parameter), parentLayerParameterName=of, optional=True)


def _file(parameter: Parameter) -> QgsProcessingParameterDefinition:
    return QgsProcessingParameterFile(
        *_named(parameter),
        QgsProcessingParameterFile.Behavior.File,
        optional=not parameter.required,
        fileFilter=FILE_FILTERS.get(parameter.name, ""),
    )


def _raster_destination(parameter: Parameter) -> QgsProcessingParameterDefinition:
    return QgsProcessingParameterRasterDestination(*_named(parameter))


def _vector_destination(parameter: Parameter) -> QgsProcessingParameterDefinition:
    return QgsProcessingParameterVectorDestination(*_named(parameter))


def _file_destination(parameter: Parameter) -> QgsProcessingParameterDefinition:
    return QgsProcessingParameterFileDestination(
        *_named(parameter), FILE_FILTERS.get(parameter.name, ""), optional=True, createByDefault=False
    )


def _folder_destination(parameter: Parameter) -> QgsProcessingParameterDefinition:
    return QgsProcessingParameterFolderDestination(*_named(parameter), optional=True, createByDefault=False)


def _extent(parameter: Parameter) -> QgsProcessingParameterDefinition:
    return QgsProcessingParameterExtent(*_named(parameter), optional=True)


def _crs(parameter: Parameter) -> QgsProcessingParameterDefinition:
    return QgsProcessingParameterCrs(*_named(parameter), optional=True)


def _distance(parameter: Parameter) -> QgsProcessingParameterDefinition:
    definition = QgsProcessingParameterDistance(
        *_named(parameter), parameter.default, optional=not parameter.required, **_range(parameter)
    )
    set_metres(definition)
    return definition


def _number(parameter: Parameter) -> QgsProcessingParameterDefinition:
    kind = QgsProcessingParameterNumber.Type
    return QgsProcessingParameterNumber(
        *_named(parameter),
        kind.Integer if parameter.type == "int" else kind.Double,
        parameter.default,
        optional=not parameter.required,
        **_range(parameter),
    )


def _range(parameter: Parameter) -> dict[str, Any]:
    ends = {"minValue": parameter.minimum, "maxValue": parameter.maximum}
    return {name: value for name, value in ends.items() if value is not None}


def _choice(parameter: Parameter) -> QgsProcessingParameterDefinition:
    return QgsProcessingParameterEnum(
        *_named(parameter), list(parameter.choices), defaultValue=parameter.default, usesStaticStrings=True
    )


def _choices(parameter: Parameter) -> QgsProcessingParameterDefinition:
    return QgsProcessingParameterEnum(
        *_named(parameter),
        list(parameter.choices),
        allowMultiple=True,
        defaultValue=list(parameter.default or ()),
        usesStaticStrings=True,
    )


def _flag(parameter: Parameter) -> QgsProcessingParameterDefinition:
    return QgsProcessingParameterBoolean(*_named(parameter), defaultValue=bool(parameter.default))


def _text(parameter: Parameter) -> QgsProcessingParameterDefinition:
    return QgsProcessingParameterString(*_named(parameter), defaultValue=parameter.default, optional=True)


_OR_FILE = ("model", "choice or file")
_OF_FEATURES = {"field": _field, "expression": _expression}  # they need to know of which layer
_MAKERS = {
    "rasters": _rasters, "raster": _raster, "file": _file, "output raster": _raster_destination,
    "output vector": _vector_destination, "output file": _file_destination, "output folder": _folder_destination,
    "extent": _extent, "crs": _crs, "distance": _distance, "number": _number, "choice": _choice, "choices": _choices,
    "choice or file": _choice, "model": _choice, "flag": _flag, "text": _text, "layer": _text,
}  # fmt: skip
