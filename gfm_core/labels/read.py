"""Labels as they are in a file: vector layers with a class field, or categorical rasters."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyogrio.errors

from gfm_core.classes import MapClass
from gfm_core.errors import LabelError
from gfm_core.labels.categories import RasterLabels, read_raster_labels
from gfm_core.labels.geometry import burnable
from gfm_core.labels.numbering import codes_of, lookalikes, plain_value

__all__ = ["RasterLabels", "VectorLabels", "read_labels"]

# Names that a class field usually has, compared without case, blanks, hyphens and underscores.
_CLASS_FIELDS = frozenset(
    [
        *("class", "classname", "classes", "label", "labels", "category", "type", "klasse", "classe", "clase"),
        *("landcover", "landuse", "lulc", "lc", "lu", "fclass", "covertype", "crop", "croptype"),
        *("vegetation", "habitat", "biotope"),
    ]
)
_NOT_CLASSES = re.compile(r"(^|_)(fid|gid|id|uid|uuid|area|length|shape|date|time|split|fold|weight)(_|$)", re.I)


@dataclass(frozen=True, slots=True)
class VectorLabels:
    """Labelled features. `frame` has the columns code, unit (one number a feature) and geometry (polygons, points).

    Its CRS is None where the file tells none. `notes`: what was left out or mended, a sentence each.
    """

    path: str
    frame: gpd.GeoDataFrame
    classes: tuple[MapClass, ...]
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """File name for messages."""
        return Path(self.path).name


class LabelLayer(NamedTuple):
    """A layer of a file, with its fields and their kinds as GDAL tells them."""

    path: str
    name: str
    fields: tuple[str, ...]
    dtypes: tuple[str, ...]


def read_labels(
    path: str | Path,
    *,
    layer: str | None = None,
    field: str | None = None,
    where: str | None = None,
    rest: bool = False,
    classes: tuple[MapClass, ...] | None = None,
) -> VectorLabels | RasterLabels:
    """Read a vector layer or a categorical raster.

    `where` is a condition in the file's SQL; with `rest` the rows that it leaves out are read instead. `classes` are
    those of a map that is to be checked: labels of other classes are left out and counted, and one class is enough.
    Raises LabelError for what cannot be used: no such file, layer or field, no labels, only one class.
    """
    text = str(path)
    name = Path(text).name
    if "://" not in text and not text.startswith("/vsi") and not Path(text).exists():
        raise LabelError(f"Labels {name} do not exist in {Path(text).parent}; give the path of a layer or raster.")
    if rest and where is None:
        raise LabelError(f"The rest of {name} needs a condition that leaves rows out; give one with where.")
    layers = layers_of(text)
    if not layers:
        return read_raster_labels(text, known=classes)
    return _read_vector(described(text, chosen_layer(name, layers, layer)), field, where, rest, classes)


def layers_of(path: str) -> list[str]:
    """Names of the layers with geometry; none for a raster. A plain table (layer styles, CSV) does not count."""
    try:
        listed = pyogrio.list_layers(path)
    except pyogrio.errors.DataSourceError:
        return []
    layers = [str(name) for name, kind in listed if kind is not None]
    if not layers and len(listed):
        raise LabelError(f"{Path(path).name} has no geometry; save it as a layer of points or polygons.")
    return layers


def chosen_layer(name: str, layers: list[str], wanted: str | None) -> str:
    """The one layer that is meant; raises LabelError if that is not plain."""
    if wanted is None:
        if len(layers) > 1:
            raise LabelError(f"{name} has several layers; choose one with layer: {', '.join(layers)}.")
        return layers[0]
    if wanted not in layers:
        raise LabelError(f"{name} has no layer {wanted!r}; use {nearest(wanted, layers)}.")
    return wanted


def described(path: str, layer: str) -> LabelLayer:
    """What a layer holds."""
    info = pyogrio.read_info(path, layer=layer)
    return LabelLayer(path, layer, tuple(map(str, info["fields"])), tuple(map(str, info["dtypes"])))


def nearest(wanted: str, names: list[str]) -> str:
    """The names that `wanted` may have meant, else all of them (at most 20)."""
    folded = {item.casefold(): item for item in names}
    near = difflib.get_close_matches(wanted.casefold(), list(folded), n=3, cutoff=0.5)
    shown = [folded[item] for item in near] or names[:20]
    return ", ".join(repr(item) for item in shown)


def _chosen_field(layer: LabelLayer, wanted: str | None) -> tuple[str, list[str]]:
    """The class field, and a note where it was guessed."""
    name, fields = Path(layer.path).name, list(layer.fields)
    if not fields:
        raise LabelError(f"{name} has no fields; add one that holds the class of each feature.")
    if wanted is not None:
        if wanted not in fields:
            raise LabelError(f"{name} has no field {wanted!r}; use {nearest(wanted, fields)}.")
        return wanted, []
    usual = [item for item in fields if re.sub(r"[\s_-]", "", item.casefold()) in _CLASS_FIELDS]
    possible = usual or [item for item in fields if not _NOT_CLASSES.search(item)]
    possible = possible if len(fields) > 1 else fields
    if len(possible) != 1:
        listed = ", ".join(repr(item) for item in (possible or fields)[:20])
        raise LabelError(f"{name} has no one field that is plainly the class; choose it with field: {listed}.")
    return possible[0], [f"Field {possible[0]!r} of {name} is taken as the class."]


def rows_of(layer: LabelLayer, fields: Sequence[str], where: str | None, *, rest: bool = False) -> gpd.GeoDataFrame:
    """The features with `fields`. `rest`: by number, since SQL's NOT would lose rows where the condition is null."""
    common: dict[str, Any] = {"layer": layer.name, "fid_as_index": True}
    try:
        frame = pyogrio.read_dataframe(
            layer.path, columns=list(fields), where=None if rest else where, on_invalid="ignore", **common
        )
        if rest:
            chosen = pyogrio.read_dataframe(layer.path, columns=[], where=where, read_geometry=False, **common)
            frame = frame.drop(index=chosen.index)
    except (pyogrio.errors.FeatureError, ValueError) as error:
        if where is None:
            raise LabelError(f"{Path(layer.path).name} cannot be read ({_reason(error)}); repair the file.") from error
        raise LabelError(
            f"The condition where={where!r} is not valid for {Path(layer.path).name} ({_reason(error)}); "
            f"write SQL on its fields, such as {layer.fields[0]} = 'value'."
        ) from error
    return frame


def _reason(error: Exception) -> str:
    """The end of GDAL's message, which says what is wrong, without the statement it was about."""
    return str(error).rsplit("): ", maxsplit=1)[-1].splitlines()[0].rstrip(".")[:200]


def _read_vector(
    layer: LabelLayer, field: str | None, where: str | None, rest: bool, known: tuple[MapClass, ...] | None
) -> VectorLabels:
    name = Path(layer.path).name
    field, notes = _chosen_field(layer, field)
    frame = rows_of(layer, [field], where, rest=rest)
    if frame.crs is not None and frame.crs.name.startswith("Undefined "):  # how a GeoPackage says that it knows none
        frame = frame.set_crs(None, allow_override=True)
    if frame.empty:
        why = "" if where is None else f" for which {'not ' if rest else ''}({where})"
        raise LabelError(f"{name} has no labels{why}; give a layer that holds some.")
    codes, classes, coded = _coded(name, field, frame[field], known)
    notes += coded
    labelled = gpd.GeoDataFrame(
        {"code": codes, "unit": np.arange(len(frame), dtype=np.int64)}, geometry=frame.geometry.array, crs=frame.crs
    )
    labelled, mended = burnable(labelled[labelled["code"] > 0], name)
    notes += mended
    if labelled.empty:
        raise LabelError(f"{name} has no usable polygons or points ({' '.join(notes)}); give a layer that holds some.")
    if known is None:
        present = set(labelled["code"].tolist())
        notes += [f"Class {item.name!r} has no usable geometry." for item in classes if item.code not in present]
        classes = tuple(item for item in classes if item.code in present)
        if len(classes) < 2:
            raise LabelError(
                f"All labels of {name} are of one class ({classes[0].name!r} in field {field!r}); "
                "give labels of at least two classes."
            )
        notes += lookalikes(classes)
    if frame.crs is None:
        notes.append(f"{name} has no CRS; its coordinates are taken to be in the raster's.")
    return VectorLabels(layer.path, labelled.reset_index(drop=True), classes, tuple(notes))


def _coded(
    name: str, field: str, column: pd.Series[Any], known: tuple[MapClass, ...] | None
) -> tuple[np.ndarray, tuple[MapClass, ...], list[str]]:
    """Code of every row (0 = none), the classes, and notes on rows without one."""
    numbers, uniques = pd.factorize(column.array)
    plain = [plain_value(item) for item in uniques]
    by_value, classes, unknown = codes_of((item for item in plain if item is not None), known=known)
    if not by_value and not unknown:
        raise LabelError(f"Field {field!r} of {name} is null in every row; choose the field that holds the class.")
    # The last entry answers for number -1, which factorize gives to nulls.
    lookup = np.array([0 if item is None else by_value.get(item, 0) for item in plain] + [0], dtype=np.int32)
    empty = np.array([item is None for item in plain] + [True])
    codes = lookup[numbers]
    nulls = int(empty[numbers].sum())
    foreign = int((codes == 0).sum()) - nulls
    notes = (
        [f"Labels of {name} without a value in field {field!r}, not used: {nulls} of {len(codes)}."] if nulls else []
    )
    if foreign:
        listed = ", ".join(repr(item) for item in unknown[:10])
        notes.append(f"Labels of {name} of classes that the map does not have: {foreign} of {len(codes)} ({listed}).")
    if not by_value:
        raise LabelError(f"{name} has no labels of the map's classes in field {field!r}; it holds {listed}.")
    return codes, classes, notes
