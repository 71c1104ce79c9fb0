"""The tools that make embeddings and maps: their parameters, and those that all tools share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gfm_core.parameters.describe import Parameters, Role, parameter

GROUPS = ("fine", "coarse", "network")  # those that an embedding stores
DERIVED = {"indices": ("fine",), "prototypes": ("fine", "coarse")}  # made from these while a map is made
MAP_GROUPS = ("fine", "indices", "coarse", "prototypes", "network")
HEADS = ("auto", "lda", "logistic", "forest", "knn")


@dataclass(frozen=True, kw_only=True)
class StackParameters(Parameters):
    """What every tool that reads rasters shares: the rasters, the grid, the model, and how to run."""

    rasters: tuple[str, ...] = parameter(
        "Rasters of one place, each as it is: any resolution, CRS, bands and dates (FILE:as=SENSOR, FILE:crs=EPSG:N).",
        Role.RASTERS,
        in_form="Rasters of one place, each as it is: any resolution, CRS, bands and dates.",
    )
    output: Path = parameter(
        "Where the result is written.", Role.OUTPUT_RASTER, label="Result", flag="output", short="o",
        changes_pixels=False,
    )  # fmt: skip
    cell_size: float | None = parameter(
        "Side of a cell in metres; default: 2 pixels of the finest raster.",
        Role.DISTANCE, default=None, flag="cell", unit="m", minimum=0.001, maximum=1e6,
    )  # fmt: skip
    model: str = parameter(
        "Model: a name, a checkpoint file, or a training run.", Role.MODEL, default="nano",
        in_form="The network that makes the embedding; a file is a checkpoint from gfm train.",
    )  # fmt: skip
    extent: str | None = parameter(
        "Ground to cover: X0,Y0,X1,Y1 in the grid's CRS, a layer's file, 'union' or 'intersection' of the rasters; "
        "default: that of the finest raster.",
        Role.EXTENT, default=None, in_form="Ground to cover; default: that of the finest raster.",
    )  # fmt: skip
    crs: str | None = parameter(
        "CRS of the grid, in metres; default: that of the finest raster, else its UTM zone.",
        Role.CRS, label="CRS of the grid", default=None, advanced=True,
    )  # fmt: skip
    device: str = parameter(
        "Where the network runs.", Role.CHOICE, default="auto", choices=("auto", "cpu", "cuda"),
        advanced=True, changes_pixels=False,
    )  # fmt: skip
    precision: str = parameter(
        "Number format of the network; auto: bf16 where the chip has units for it.",
        Role.CHOICE, default="auto", choices=("auto", "float32", "bf16"), advanced=True,
    )  # fmt: skip
    threads: int | None = parameter(
        "Worker threads; default: one a core.", Role.NUMBER, default=None, minimum=1, maximum=1024,
        advanced=True, changes_pixels=False,
    )  # fmt: skip
    batch: int = parameter(
        "Windows in one call of the network on a GPU.", Role.NUMBER, label="Batch on a GPU", default=16,
        minimum=1, maximum=4096, advanced=True, changes_pixels=False,
    )  # fmt: skip
    overwrite: bool = parameter("Replace outputs that exist.", Role.FLAG, default=False, changes_pixels=False)


@dataclass(frozen=True, kw_only=True)
class EmbedParameters(StackParameters):
    """Turn rasters of one place into an embedding: a raster with a vector for every ground cell.

    Use it once for a place, then ask it as often as you like: maps from an embedding take seconds. Every raster is read
    at its own resolution and in its own CRS; nothing has to be resampled first. An embedding is an ordinary raster of
    8-bit bands with a scale and an offset; its tags tell how it was made.
    """

    groups: tuple[str, ...] = parameter(
        "Feature groups to store.", Role.CHOICES, label="Feature groups", default=GROUPS, choices=GROUPS, advanced=True
    )
    dtype: str = parameter(
        "Storage: 8 bits with a scale, or float32.", Role.CHOICE, label="Storage", default="uint8",
        choices=("uint8", "float32"), advanced=True,
    )  # fmt: skip
    cog: bool = parameter(
        "Lay the file out for reading over the web (Cloud Optimized GeoTIFF).", Role.FLAG,
        label="Cloud Optimized GeoTIFF", default=False, advanced=True, changes_pixels=False,
    )  # fmt: skip
    stac: bool = parameter(
        "Write a STAC item beside the file, so that catalogues find it.", Role.FLAG, label="STAC item", default=False,
        advanced=True, changes_pixels=False,
    )  # fmt: skip
    scheduler: str | None = parameter(
        "Dask scheduler whose workers embed (tcp://HOST:8786); they must see the same files and the output's folder.",
        Role.TEXT, label="Dask scheduler", default=None, advanced=True, changes_pixels=False,
    )  # fmt: skip
    like: str | None = parameter(
        "Repeat the run that made this embedding (cell size, model, groups, normalisation) on other rasters.",
        Role.FILE, label="Like embedding", default=None, advanced=True,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class LabelledParameters(StackParameters):
    """What every tool that learns from labels shares: which labels."""

    labels: str | None = parameter(
        "Labels: polygons, points or a categorical raster.", Role.LABELS, default=None,
        in_form="Polygons or points with a field that holds the class; any CRS.",
    )  # fmt: skip
    layer: str | None = parameter("Layer in the labels file.", Role.LAYER, default=None)
    field: str | None = parameter(
        "Field of the labels that holds the class (text or number).", Role.FIELD, label="Class field", default=None
    )
    where: str | None = parameter(
        "Use only the labels for which this SQL condition holds, such as \"split = 'train'\".",
        Role.EXPRESSION, label="Only labels where", default=None,
        in_form="Use only the labels for which this expression is true.",
    )  # fmt: skip


def smoothing() -> Any:
    """How probabilities are smoothed."""
    return parameter(
        "Average probabilities over near pixels that look alike; auto: along the image.", Role.CHOICE, default="auto",
        choices=("auto", "none"), advanced=True,
    )  # fmt: skip


def map_gsd() -> Any:
    """The pixel size of a map."""
    return parameter(
        "Pixel size of the map in metres; default: the finest raster's own pixels.",
        Role.DISTANCE, label="Pixel size of the map", default=None, unit="m", minimum=0.001, maximum=1e6, advanced=True,
    )  # fmt: skip


def map_report() -> Any:
    """Where the report of a map goes."""
    return parameter(
        "Folder for the report (HTML and JSON); default: MAP_report beside the map.",
        Role.OUTPUT_FOLDER, default=None, changes_pixels=False,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ClassifyParameters(LabelledParameters):
    """Make a land-cover map from a few labels, with a confidence layer, honest scores and a report.

    Give the rasters of one place, or one embedding of it, and polygons or points with a field that holds the class. The
    map lies on the pixels of the finest raster (from an embedding: on its cells). The score comes from ground that the
    classifier did not see, beside that of the raw bands alone. A few polygons a class, spread over the place, are worth
    more than many in one corner.

    Beside the map lie the probability of each pixel's class, its candidates (one: sure, two, or more: don't know) with
    a mask of where the labels say nothing, and points at labels that look like another class.
    """

    check: str | None = parameter(
        "Labels to score the map on: a file, or 'rest' for the rows that the condition leaves out.",
        Role.LABELS, label="Labels to check on", default=None,
        in_form="Labels that the classifier does not see: the finished map is scored on them.",
    )  # fmt: skip
    groups: tuple[str, ...] = parameter(
        "Feature groups, a head each; auto: all that the input gives.", Role.CHOICES, label="Feature groups",
        default=("auto",), choices=("auto", *MAP_GROUPS), advanced=True,
    )  # fmt: skip
    head: str = parameter(
        "Classifier: auto (linear discriminant), lda, logistic, forest, knn, or a file from --save-head.",
        Role.CHOICE_OR_FILE, label="Classifier", default="auto", choices=HEADS,
        in_form="auto is a linear discriminant; a file holds one that was fitted and kept before.",
    )  # fmt: skip
    smoothing: str = smoothing()
    coverage: float = parameter(
        "Share of ground whose true class is to be among a pixel's candidates.", Role.NUMBER, default=0.9,
        minimum=0.5, maximum=0.99, advanced=True,
    )  # fmt: skip
    save_head: Path | None = parameter(
        "Store the fitted classifier in this file.", Role.OUTPUT_FILE, label="Fitted classifier", default=None,
        advanced=True, changes_pixels=False,
    )  # fmt: skip
    map_gsd: float | None = map_gsd()
    report: Path | None = map_report()


@dataclass(frozen=True, kw_only=True)
class SuggestParameters(LabelledParameters):
    """Say which places are worth a label next: where those who make the map contradict each other.

    Give the rasters of one place, or one embedding of it (which is quicker, time after time), and the labels so far:
    two classes or more. Points are drawn from all of the place, more where the feature groups disagree about what they
    see. Label them, add them to the rest, and ask again: a few at a time are worth more than many at once.
    """

    output: Path = parameter(
        "GeoPackage the points are written into.", Role.OUTPUT_FILE, label="Points", flag="output", short="o",
        changes_pixels=False,
    )  # fmt: skip
    labels: str = parameter("Labels so far: polygons, points or a categorical raster.", Role.LABELS)
    count: int = parameter("How many points.", Role.NUMBER, default=10, minimum=1, maximum=1000)
    seed: int = parameter(
        "Number of the draw of places that are looked at.", Role.NUMBER, default=0, minimum=0, advanced=True
    )


@dataclass(frozen=True, kw_only=True)
class PreviewParameters(Parameters):
    """Show at once what labels make of an embedding: the map of a view, where to label next, and honest scores.

    It is what the dock of QGIS asks after every click. The map has the cells of the view, or averages of them where
    the view holds more than are shown; nothing is smoothed. The finished map is made by gfm classify.
    """

    embedding: str = parameter("One embedding.", Role.RASTER)
    output: Path = parameter(
        "Map of the view; OUTPUT_dispute.tif beside it tells where the feature groups contradict each other.",
        Role.OUTPUT_RASTER, label="Result", flag="output", short="o", changes_pixels=False,
    )  # fmt: skip
    labels: str = parameter("Labels so far: polygons, points or a categorical raster.", Role.LABELS)
    layer: str | None = parameter("Layer in the labels file.", Role.LAYER, default=None)
    field: str | None = parameter(
        "Field of the labels that holds the class (text or number).", Role.FIELD, label="Class field", default=None
    )
    extent: str | None = parameter(
        "The view: X0,Y0,X1,Y1 in the embedding's CRS or a layer's file; default: all of the embedding.",
        Role.EXTENT, default=None,
    )  # fmt: skip
    cells: int = parameter(
        "Cells that are shown at most.", Role.NUMBER, default=150_000, minimum=1, maximum=10_000_000
    )  # fmt: skip
    count: int = parameter("How many places are suggested.", Role.NUMBER, default=10, minimum=1, maximum=1000)
    seed: int = parameter(
        "Number of the draw of places that are suggested.", Role.NUMBER, default=0, minimum=0, advanced=True
    )
    overwrite: bool = parameter("Replace outputs that exist.", Role.FLAG, default=False, changes_pixels=False)


@dataclass(frozen=True, kw_only=True)
class SynthParameters(Parameters):
    """Write a made-up place: rasters of several sensors, resolutions and dates, with labels and the truth."""

    output: Path = parameter(
        "Folder the rasters, labels and the true classes are written into.", Role.OUTPUT_FOLDER, changes_pixels=False
    )
    seed: int = parameter(
        "Number of the place; the same number gives the same place.", Role.NUMBER, default=0, minimum=0
    )
    width: float = parameter(
        "Width of the ground; whole multiples of 60 m fit.", Role.DISTANCE, default=1920.0, unit="m", minimum=240,
        maximum=30_000,
    )  # fmt: skip
    height: float = parameter(
        "Height of the ground; whole multiples of 60 m fit.", Role.DISTANCE, default=1920.0, unit="m", minimum=240,
        maximum=30_000,
    )  # fmt: skip
    classes: int = parameter("Number of classes.", Role.NUMBER, default=5, minimum=2, maximum=6)
    dates: int = parameter("Number of dates of the optical sensor.", Role.NUMBER, default=2, minimum=1, maximum=4)
    nodata_edge: bool = parameter(
        "Cut a corner off the last optical date and off the radar, as the edge of a swath does.",
        Role.FLAG, default=False,
    )  # fmt: skip
    overwrite: bool = parameter("Replace files that exist.", Role.FLAG, default=False, changes_pixels=False)
