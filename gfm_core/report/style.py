"""Sidecar files that give a raster its colours and names in QGIS, ArcGIS and GDAL.

    NAME.qml           QGIS's style: only the real classes in the legend; what 3.22 writes and later ones read
    NAME.tif.aux.xml   GDAL's: category names and a raster attribute table, which ArcGIS reads too

All text goes through `xml.etree`, so any name is safe. Whatever an older output left beside the raster is replaced.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from gfm_core.classes import RGB, MapClass
from gfm_core.whole import write_whole

RGBA = tuple[int, int, int, int]
Range = tuple[float, float]

_VERSION = "3.22.16"  # the oldest QGIS we support: newer ones read its styles, not the other way round

# Numbers of GDALRATFieldType and GDALRATFieldUsage (gdal.h).
_INTEGER, _STRING = ("0", "Integer"), ("2", "String")
_GENERIC, _COUNT, _NAME, _VALUE = ("0", "Generic"), ("1", "PixelCount"), ("2", "Name"), ("5", "MinMax")
_RED, _GREEN, _BLUE = ("6", "Red"), ("7", "Green"), ("8", "Blue")

# From doubtful to sure; the lightness rises evenly, so it reads without colours as well (values: percent).
CONFIDENCE_RAMP: tuple[tuple[int, RGB], ...] = (
    (0, (68, 33, 79)), (25, (139, 52, 96)), (50, (205, 92, 84)), (75, (242, 158, 88)), (100, (250, 235, 176)),
)  # fmt: skip


# Colours that differ in lightness too (Okabe & Ito 2008: bluish green, yellow; grey).
CERTAINTY = (
    MapClass(1, "sure", 1, (0, 158, 115)), MapClass(2, "two candidates", 2, (240, 228, 66)),
    MapClass(3, "don't know", 3, (120, 120, 120)),
)  # fmt: skip
_MARKED: RGB = (213, 0, 80)  # what a user should look at


def class_colormap(classes: Sequence[MapClass]) -> dict[int, RGBA]:
    """Colour table for rasterio's `write_colormap`: each class, and 0 (nodata) transparent."""
    table: dict[int, RGBA] = {0: (0, 0, 0, 0)}
    for item in classes:
        table[item.code] = (*colour_of(item), 255)
    return table


def colour_of(item: MapClass) -> RGB:
    """The colour of a class that has been through `with_colours`."""
    assert item.colour is not None, f"class {item.name} has no colour: call with_colours first"
    return item.colour


def hex_of(colour: RGB) -> str:
    """`#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def write_class_style(
    map_path: str | Path, classes: Sequence[MapClass], *, counts: Mapping[int, int] | None = None
) -> tuple[Path, Path]:
    """Write the QML and `.aux.xml` of a class map; `counts` (pixels by code) adds the Count column ArcGIS expects.

    Raises `OutputError` if they cannot be written.
    """
    return _write_qml(Path(map_path), _paletted(classes)), _write_aux(Path(map_path), classes, counts)


def write_confidence_style(path: str | Path) -> Path:
    """Write the QML of a confidence raster (0-100 %, one band): a fixed ramp, so that maps can be compared."""
    return write_ramp_style(path, 0, 100, unit=" %")


def write_ramp_style(path: str | Path, low: float, high: float, *, unit: str) -> Path:
    """Write the QML of a raster of numbers: the first band from `low` (dark) to `high` (bright)."""
    renderer = _renderer("singlebandpseudocolor", band="1", classificationMin=f"{low:g}", classificationMax=f"{high:g}")
    shader = SubElement(
        SubElement(renderer, "rastershader"), "colorrampshader",
        colorRampType="INTERPOLATED", classificationMode="1", clip="0",
        minimumValue=f"{low:g}", maximumValue=f"{high:g}", labelPrecision="0",
    )  # fmt: skip
    ramp = SubElement(shader, "colorramp", type="gradient", name="[source]")
    (_, first), *between, (_, last) = CONFIDENCE_RAMP
    stops = ":".join(f"{percent / 100:g};{_listed(colour)}" for percent, colour in between)
    told = {"color1": _listed(first), "color2": _listed(last), "discrete": "0", "rampType": "gradient", "stops": stops}
    _option_map(ramp, told)
    for percent, colour in CONFIDENCE_RAMP:
        number = low + (high - low) * percent / 100
        SubElement(shader, "item", value=f"{number:g}", color=hex_of(colour), alpha="255", label=f"{number:.4g}{unit}")
    _remove_aux(Path(path))
    return _write_qml(Path(path), renderer)


def write_certainty_style(path: str | Path) -> Path:
    """Write the QML of the candidates raster: how sure each pixel is, the first of its bands."""
    _remove_aux(Path(path))
    return _write_qml(Path(path), _paletted(CERTAINTY))


def write_ring_style(path: str | Path) -> Path:
    """Write the QML of a layer of points to look at: rings that leave what is under them to be seen."""
    told = {
        "name": "circle", "size": "4", "size_unit": "MM", "color": "0,0,0,0", "outline_color": _listed(_MARKED),
        "outline_width": "0.8", "outline_width_unit": "MM", "outline_style": "solid",
    }  # fmt: skip
    return _single_symbol(Path(path), "marker", "SimpleMarker", told)


def write_outline_style(path: str | Path) -> Path:
    """Write the QML of a layer of polygons: outlines that leave what is under them to be seen."""
    told = {
        "style": "no", "color": "0,0,0,0", "outline_color": _listed(_MARKED), "outline_style": "solid",
        "outline_width": "0.6", "outline_width_unit": "MM",
    }  # fmt: skip
    return _single_symbol(Path(path), "fill", "SimpleFill", told)


def _single_symbol(path: Path, kind: str, layer_class: str, told: Mapping[str, str]) -> Path:
    root = Element("qgis", version=_VERSION, styleCategories="Symbology")
    renderer = SubElement(root, "renderer-v2", type="singleSymbol", symbollevels="0", enableorderby="0")
    symbol = SubElement(SubElement(renderer, "symbols"), "symbol", type=kind, name="0", alpha="1")
    layer = SubElement(symbol, "layer", {"class": layer_class, "enabled": "1", "locked": "0", "pass": "0"})
    _option_map(layer, told)
    return _write_document(path, root)


def write_embedding_style(path: str | Path, bands: Sequence[int], ranges: Sequence[Range]) -> Path:
    """Write the QML of an embedding: three `bands` (from 1) as red, green and blue, stretched over their `ranges`.

    The ranges are in the values that QGIS shows, after the file's scale and offset.
    """
    red, green, blue = bands
    renderer = _renderer("multibandcolor", redBand=str(red), greenBand=str(green), blueBand=str(blue))
    for colour, (low, high) in zip(("red", "green", "blue"), ranges, strict=True):
        enhancement = SubElement(renderer, f"{colour}ContrastEnhancement")
        SubElement(enhancement, "minValue").text = f"{low:.9g}"
        SubElement(enhancement, "maxValue").text = f"{high:.9g}"
        SubElement(enhancement, "algorithm").text = "StretchToMinimumMaximum"
    _remove_aux(Path(path))
    return _write_qml(Path(path), renderer)


def _paletted(classes: Sequence[MapClass]) -> Element:
    """A colour and a name for each class of the first band."""
    renderer = _renderer("paletted", band="1")
    palette = SubElement(renderer, "colorPalette")
    for item in classes:
        SubElement(
            palette, "paletteEntry",
            value=str(item.code), color=hex_of(colour_of(item)), alpha="255", label=_xml_text(item.name),
        )  # fmt: skip
    return renderer


def _renderer(kind: str, **attributes: str) -> Element:
    renderer = Element("rasterrenderer", {"type": kind, "opacity": "1", "alphaBand": "-1", "nodataColor": ""})
    renderer.attrib.update(attributes)
    SubElement(renderer, "rasterTransparency")
    origin = SubElement(renderer, "minMaxOrigin")
    settled = {"limits": "None", "extent": "WholeRaster", "statAccuracy": "Estimated"}
    cuts = {"cumulativeCutLower": "0.02", "cumulativeCutUpper": "0.98", "stdDevFactor": "2"}
    for name, value in {**settled, **cuts}.items():
        SubElement(origin, name).text = value
    return renderer


def _option_map(parent: Element, told: Mapping[str, str]) -> None:
    options = SubElement(parent, "Option", type="Map")
    for key, value in told.items():
        SubElement(options, "Option", name=key, type="QString", value=value)
    for key, value in told.items():  # 3.22 writes both forms and older ones read only this one
        SubElement(parent, "prop", k=key, v=value)


def _write_qml(raster: Path, renderer: Element) -> Path:
    root = Element(
        "qgis", version=_VERSION, styleCategories="Symbology",
        hasScaleBasedVisibilityFlag="0", minScale="1e+08", maxScale="0",
    )  # fmt: skip
    properties = SubElement(SubElement(root, "pipe-data-defined-properties"), "Option", type="Map")
    SubElement(properties, "Option", name="name", type="QString", value="")
    SubElement(properties, "Option", name="properties")
    SubElement(properties, "Option", name="type", type="QString", value="collection")
    pipe = SubElement(root, "pipe")
    nearest = "nearestNeighbour"  # anything else would invent classes between classes
    SubElement(
        SubElement(pipe, "provider"), "resampling", enabled="false", maxOversampling="2",
        zoomedInResamplingMethod=nearest, zoomedOutResamplingMethod=nearest,
    )  # fmt: skip
    pipe.append(renderer)
    SubElement(pipe, "brightnesscontrast", brightness="0", contrast="0", gamma="1")
    SubElement(
        pipe, "huesaturation", saturation="0", grayscaleMode="0", invertColors="0", colorizeOn="0",
        colorizeRed="255", colorizeGreen="128", colorizeBlue="128", colorizeStrength="100",
    )  # fmt: skip
    SubElement(pipe, "rasterresampler", maxOversampling="2")
    SubElement(pipe, "resamplingStage").text = "resamplingFilter"
    SubElement(root, "blendMode").text = "0"
    return _write_document(raster, root)


def _write_document(layer: Path, root: Element) -> Path:
    """The style beside its layer."""
    indent(root)
    doctype = b"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
    return write_whole(layer.with_suffix(".qml"), doctype + tostring(root, encoding="utf-8") + b"\n")


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the attribute table."""

    name: str
    kind: tuple[str, str]
    usage: tuple[str, str]
    cells: list[str]


def _columns(classes: Sequence[MapClass], counts: Mapping[int, int] | None) -> list[_Column]:
    colours = [colour_of(item) for item in classes]
    columns = [_Column("Value", _INTEGER, _VALUE, [str(item.code) for item in classes])]
    if counts is not None:
        columns.append(_Column("Count", _INTEGER, _COUNT, [str(counts.get(item.code, 0)) for item in classes]))
    return [
        *columns,
        _Column("Class", _STRING, _NAME, [item.name for item in classes]),
        _Column("Original", _STRING, _GENERIC, [str(item.value) for item in classes]),
        _Column("Red", _INTEGER, _RED, [str(colour[0]) for colour in colours]),
        _Column("Green", _INTEGER, _GREEN, [str(colour[1]) for colour in colours]),
        _Column("Blue", _INTEGER, _BLUE, [str(colour[2]) for colour in colours]),
    ]


def _write_aux(raster: Path, classes: Sequence[MapClass], counts: Mapping[int, int] | None) -> Path:
    root = Element("PAMDataset")
    band = SubElement(root, "PAMRasterBand", band="1")
    names = {item.code: item.name for item in classes}
    categories = SubElement(band, "CategoryNames")
    for code in range(max(names, default=0) + 1):
        SubElement(categories, "Category").text = _xml_text(names.get(code, ""))
    table = SubElement(band, "GDALRasterAttributeTable", tableType="thematic")
    columns = _columns(classes, counts)
    for index, column in enumerate(columns):
        definition = SubElement(table, "FieldDefn", index=str(index))
        SubElement(definition, "Name").text = column.name
        SubElement(definition, "Type", typeAsString=column.kind[1]).text = column.kind[0]
        SubElement(definition, "Usage", usageAsString=column.usage[1]).text = column.usage[0]
    for row in range(len(classes)):
        element = SubElement(table, "Row", index=str(row))
        for column in columns:
            SubElement(element, "F").text = _xml_text(column.cells[row])
    # Not indented: GDAL would read the line breaks of an empty category as its name. It also drops white space at the
    # start of a text, and XML readers turn a carriage return into a line feed, unless they are written as references.
    content = tostring(root, encoding="utf-8").replace(b"\r", b"&#13;")
    content = re.sub(rb">([ \t\n])", lambda found: b">&#%d;" % found[1][0], content)
    return write_whole(_aux_path(raster), content + b"\n")


def _aux_path(raster: Path) -> Path:
    return raster.with_name(f"{raster.name}.aux.xml")


def _remove_aux(raster: Path) -> None:
    """Statistics that QGIS kept of an older file under this name would stretch the new one wrongly."""
    _aux_path(raster).unlink(missing_ok=True)


def _listed(colour: RGB) -> str:
    return "{},{},{},255".format(*colour)


def _xml_text(text: str) -> str:
    """`text` with what XML 1.0 cannot hold (control characters, lone surrogates) replaced by U+FFFD."""
    return re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)
