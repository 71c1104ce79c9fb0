"""Categorical rasters as labels: which values occur, and what they are called."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import RasterioError, RasterioIOError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from gfm_core.classes import MapClass
from gfm_core.errors import LabelError
from gfm_core.labels.numbering import MOST_CLASSES, Value, codes_of, lookalikes, plain_value

_STRIP_PIXELS = 8_000_000
_SCAN_PIXELS = 400_000_000  # larger rasters are looked through on every n-th pixel
_NO_CLASS = frozenset(("unclassified", "unlabelled", "unlabeled", "nodata", "no data", "background", "unknown"))
_NAMED_TAG = re.compile(r"(?:class|category|label|value)[ _-]?(-?\d+)(?:[ _-]?name)?", re.I)
_TABLE_TAGS = frozenset(("classes", "class_names", "categories", "category_names", "labels", "legend"))


@dataclass(frozen=True, slots=True)
class RasterLabels:
    """Band 1 of a categorical raster; `codes` gives the class code of each pixel value that is a label."""

    path: str
    codes: dict[float, int]
    classes: tuple[MapClass, ...]
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """File name for messages."""
        return Path(self.path).name


def read_raster_labels(path: str, *, known: tuple[MapClass, ...] | None = None) -> RasterLabels:
    """Classes of a raster's first band; nodata and masked pixels are no labels.

    Names come from category names or an attribute table (`.aux.xml`, VRT), or from tags. `known` as in `read_labels`.
    """
    name = Path(path).name
    try:
        with rasterio.open(path) as source:
            _check_categorical(source, name)
            values, notes = _values(source, name)
            names = category_names(source)
    except RasterioIOError as error:
        raise LabelError(
            f"{name} is neither a vector layer nor a raster that can be read; give polygons, points or class pixels."
        ) from error
    values, named = _without_background(values, names, name)
    codes, classes, unknown = codes_of(values, names=names, known=known)
    if unknown:
        listed = ", ".join(repr(names.get(item, item)) for item in unknown[:10])
        notes.append(f"{len(unknown)} classes of {name} are none of the map's and are not used ({listed}).")
    if not codes:
        raise LabelError(f"{name} has no labels{' of the map’s classes' if known else ''}; its pixels are nodata.")
    if known is None:
        if len(classes) < 2:
            raise LabelError(f"All labels of {name} are of one class ({classes[0].name!r}); give at least two.")
        notes += lookalikes(classes)
    return RasterLabels(path, {float(key): code for key, code in codes.items()}, classes, (*notes, *named))


def valid_strips(source: DatasetReader, step: int) -> Iterator[NDArray[np.generic]]:
    """Valid values of band 1 in strips of rows, every `step`-th pixel both ways."""
    rows = max(1, _STRIP_PIXELS // max(source.width, 1)) * step
    for first in range(0, source.height, rows):
        count = min(rows, source.height - first)
        window = Window(0, first, source.width, count)
        shape = (max(1, count // step), max(1, source.width // step))
        read = source.read(1, window=window, out_shape=shape, masked=True, resampling=Resampling.nearest)
        yield read.compressed()


def category_names(source: DatasetReader) -> dict[Value, str]:
    """What the raster's own metadata calls its values; later sources fill what earlier ones leave open."""
    names: dict[Value, str] = {}
    for path in (f"{source.name}.aux.xml", source.name if source.driver == "VRT" else ""):
        if path and Path(path).is_file():
            for value, name in _xml_names(Path(path)).items():
                names.setdefault(value, name)
    for tags in (source.tags(1), source.tags()):
        for value, name in _tag_names(tags).items():
            names.setdefault(value, name)
    return names


def _check_categorical(source: DatasetReader, name: str) -> None:
    if source.count >= 3 and source.colorinterp[0] == ColorInterp.red:
        raise LabelError(f"{name} is a picture, not a raster of classes; give one band that holds a class number.")
    if np.dtype(source.dtypes[0]).kind == "c":
        raise LabelError(f"{name} holds complex numbers; give one band that holds a class number.")


def _values(source: DatasetReader, name: str) -> tuple[list[Value], list[str]]:
    """Distinct valid values in order, and notes."""
    notes = [f"Band 1 of {name} is taken as the classes."] if source.count > 1 else []
    step = 1
    while source.width * source.height / step**2 > _SCAN_PIXELS:
        step *= 2
    if step > 1:
        notes.append(f"{name} is so large that its classes were looked for on every {step}th pixel.")
    seen: set[Value] = set()
    try:
        for strip in valid_strips(source, step):
            seen.update(value for item in np.unique(strip) if (value := plain_value(item)) is not None)
            if len(seen) > MOST_CLASSES:
                raise LabelError(f"{name} holds more than {MOST_CLASSES} values; give a raster of classes.")
    except RasterioError as error:
        raise LabelError(f"{name} cannot be read to its end; it is damaged or cut off, make it again.") from error
    if source.crs is None:
        notes.append(f"{name} has no CRS; its coordinates are taken to be in the raster's.")
    return sorted(seen, key=float), notes


def _without_background(values: list[Value], names: dict[Value, str], name: str) -> tuple[list[Value], list[str]]:
    """Without values whose own name says that they are none; a 0 without a name stays a class, and that is said."""
    background = [value for value in values if names.get(value, "").strip().casefold() in _NO_CLASS]
    kept = [value for value in values if value not in background]
    notes = [f"Value {value} of {name} is named {names[value]!r} and is not used." for value in background]
    if 0 in kept and 0 not in names:
        notes.append(f"Value 0 of {name} is taken as a class; declare it nodata if it means no label.")
    return kept, notes


def _xml_names(path: Path) -> dict[Value, str]:
    """Names of band 1 in GDAL's XML: the attribute table first, then the category names."""
    try:
        root = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, OSError):
        return {}  # a broken sidecar costs the names, not the labels
    bands = [item for item in root.iter() if item.tag in ("PAMRasterBand", "VRTRasterBand")]
    if not bands or bands[0].get("band", "1") != "1":
        return {}
    names: dict[Value, str] = {}
    categories = bands[0].find("CategoryNames")
    for value, category in enumerate(categories if categories is not None else ()):
        if category.text:
            names[value] = category.text
    table = bands[0].find("GDALRasterAttributeTable")
    return names if table is None else names | _table_names(table)


def _table_names(table: ElementTree.Element) -> dict[Value, str]:
    """Value → name of an attribute table. GDAL's usages: 2 is the name, 5 the value, 3 the lowest of a span."""
    columns = [(item.findtext("Usage", "0"), item.findtext("Name", "").casefold()) for item in table.iter("FieldDefn")]
    value_at = next((at for at, (usage, name) in enumerate(columns) if usage in ("5", "3") or name == "value"), None)
    name_at = next((at for at, (usage, _) in enumerate(columns) if usage == "2"), None)
    if name_at is None:
        usual = ("class", "class name", "class_name", "name", "label", "category", "landcover", "land_cover")
        name_at = next((at for at, (_, name) in enumerate(columns) if name in usual), None)
    if value_at is None or name_at is None:
        return {}
    names: dict[Value, str] = {}
    for row in table.iter("Row"):
        cells = [cell.text or "" for cell in row.iter("F")]
        if max(value_at, name_at) < len(cells) and cells[name_at]:
            value = _number(cells[value_at])
            if value is not None:
                names[value] = cells[name_at]
    return names


def _tag_names(tags: dict[str, str]) -> dict[Value, str]:
    """Names in tags: `CLASS_1=water`, or a tag such as `classes` with JSON: `{"1": "water"}` or `["water"]` from 0."""
    names: dict[Value, str] = {}
    for key, text in tags.items():
        numbered = _NAMED_TAG.fullmatch(key.strip())
        if numbered and text:
            names[int(numbered[1])] = text
        elif key.casefold() in _TABLE_TAGS:
            names |= _json_names(text)
    return names


def _json_names(text: str) -> dict[Value, str]:
    try:
        table = json.loads(text)
    except ValueError:
        return {}
    pairs = table.items() if isinstance(table, dict) else enumerate(table) if isinstance(table, list) else ()
    read = ((_number(str(key)), name) for key, name in pairs)
    return {value: name for value, name in read if value is not None and isinstance(name, str) and name}


def _number(text: str) -> Value | None:
    try:
        return plain_value(float(text))
    except ValueError:
        return None
