"""The colours that a user already gave to the labels: QML beside the file, style in the GeoPackage, colour table.

Every source gives a `StyleColours`; which classes they fit is decided in `palette.py`. Inputs are opened read-only,
and a style that cannot be read is no error: the map gets other colours, with a line in the log.
"""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from gfm_core.classes import RGB

_log = logging.getLogger(__name__)

_VECTOR_SUFFIXES = frozenset(
    (".gpkg", ".shp", ".geojson", ".json", ".fgb", ".kml", ".gml", ".sqlite", ".csv", ".parquet", ".gdb", ".tab")
)


@dataclass(frozen=True, slots=True)
class StyleColours:
    """Colours of one style by the value that they stand for, and by the label shown beside it."""

    by_value: dict[str, RGB]
    by_label: dict[str, RGB]

    def colour_of(self, value: str | int | float, name: str) -> RGB | None:
        """Colour of a class: its value as written, else as a number, else its name among the labels."""
        if str(value) in self.by_value:
            return self.by_value[str(value)]
        number = _number(value)
        for key, colour in self.by_value.items():
            if number is not None and _number(key) == number:
                return colour
        return self.by_label.get(name)


def label_styles(path: Path, *, field: str | None, layer: str | None) -> Iterator[StyleColours]:
    """Styles that belong to the labels in `path`, the nearest first; nothing if there are none.

    `field` is the column that holds the class: a vector style by another column is passed over.
    """
    beside = path.with_suffix(".qml")
    if beside.is_file():
        yield from _from_qml(beside.read_bytes(), field, str(beside))
    if path.suffix.lower() == ".gpkg" and path.is_file():
        for text in _styles_in_geopackage(path, layer):
            yield from _from_qml(text.encode(), field, f"the style table of {path}")
    if path.suffix.lower() not in _VECTOR_SUFFIXES and path.is_file():
        yield from _from_colour_table(path)


def _number(value: str | int | float) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def _from_qml(text: bytes, field: str | None, where: str) -> Iterator[StyleColours]:
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, LookupError) as error:  # the last two: encodings
        _log.warning("The style in %s is not readable XML (%s); the map gets other colours.", where, error)
        return
    for renderer in root.iter("renderer-v2"):
        if renderer.get("type") == "categorizedSymbol" and _styles_field(renderer.get("attr", ""), field):
            yield _categories(renderer)
    for renderer in root.iter("rasterrenderer"):
        if renderer.get("type") == "paletted":
            yield _entries(renderer.iter("paletteEntry"))
        for shader in renderer.iter("colorrampshader"):
            if shader.get("colorRampType") == "EXACT":
                yield _entries(shader.iter("item"))


def _styles_field(attribute: str, field: str | None) -> bool:
    """Whether a renderer's attribute can be the class: the same field, or an expression (which may be anything)."""
    plain = re.fullmatch(r'"([^"]+)"|(\w+)', attribute.strip())
    if field is None or plain is None:
        return True
    return (plain[1] or plain[2]).casefold() == field.casefold()


def _categories(renderer: ElementTree.Element) -> StyleColours:
    symbols = {symbol.get("name"): _symbol_colour(symbol) for symbol in renderer.findall("symbols/symbol")}
    by_value: dict[str, RGB] = {}
    by_label: dict[str, RGB] = {}
    for category in renderer.findall("categories/category"):
        colour = symbols.get(category.get("symbol"))
        if colour is None:
            continue
        values = [item.get("value", "") for item in category.findall("val")] or [category.get("value", "")]
        for value in values:
            if value:  # an empty value is "all other values"
                by_value.setdefault(value, colour)
        by_label.setdefault(category.get("label", ""), colour)
    return StyleColours(by_value, by_label)


def _symbol_colour(symbol: ElementTree.Element) -> RGB | None:
    """Fill of a symbol's first enabled layer, or its line; QGIS wrote `prop` until 3.26 and writes `Option` since."""
    for layer in symbol.findall("layer"):
        if layer.get("enabled") == "0":
            continue
        told = {item.get("k"): item.get("v") for item in layer.findall("prop")}
        told |= {item.get("name"): item.get("value") for item in layer.findall("Option/Option")}
        for key in ("color", "line_color", "color1", "outline_color"):
            colour = _colour(told.get(key) or "")
            if colour is not None:
                return colour
    return None


def _entries(elements: Iterator[ElementTree.Element]) -> StyleColours:
    by_value: dict[str, RGB] = {}
    by_label: dict[str, RGB] = {}
    for element in elements:
        colour = _colour(element.get("color", ""))
        if colour is not None and element.get("alpha") != "0":
            by_value.setdefault(element.get("value", ""), colour)
            by_label.setdefault(element.get("label", ""), colour)
    return StyleColours(by_value, by_label)


def _colour(text: str) -> RGB | None:
    """`#rrggbb`, or the `r,g,b,...` that QGIS writes in symbols."""
    if re.fullmatch(r"#[0-9A-Fa-f]{6}", text):
        return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)
    numbers = re.match(r"(\d{1,3}),(\d{1,3}),(\d{1,3})(?:,|$)", text)
    if numbers is None:
        return None
    red, green, blue = (min(int(number), 255) for number in numbers.groups())
    return red, green, blue


def _styles_in_geopackage(path: Path, layer: str | None) -> list[str]:
    """QML texts in the table `layer_styles` that QGIS keeps, the default style first, then the newest."""
    # Without a write-ahead log the file is read as immutable, so that SQLite leaves no -shm or -wal beside the input.
    waiting = Path(f"{path}-wal").exists()
    address = f"{path.resolve().as_uri()}?mode=ro{'' if waiting else '&immutable=1'}"
    query = (
        "SELECT styleQML FROM layer_styles WHERE styleQML IS NOT NULL AND (? IS NULL OR f_table_name = ?) "
        "ORDER BY useAsDefault IN (1, 'true', 't') DESC, update_time DESC, id"
    )
    try:
        with closing(sqlite3.connect(address, uri=True)) as database:
            return [str(row[0]) for row in database.execute(query, (layer, layer))]
    except sqlite3.Error as error:
        if "no such table" not in str(error):
            _log.warning("The style table of %s cannot be read (%s); the map gets other colours.", path, error)
        return []


def _from_colour_table(path: Path) -> Iterator[StyleColours]:
    import rasterio
    from rasterio.errors import RasterioError

    try:
        with rasterio.open(path) as dataset:
            table = dataset.colormap(1)
    except (RasterioError, ValueError):  # ValueError: no colour table
        return
    # GDAL fills gaps of a table with black: several black entries are no colours, a single one may be meant.
    black = sum(entry[:3] == (0, 0, 0) and entry[3] > 0 for entry in table.values())
    told = {
        str(value): (entry[0], entry[1], entry[2])
        for value, entry in table.items()
        if entry[3] > 0 and (black == 1 or entry[:3] != (0, 0, 0))
    }
    yield StyleColours(told, {})
