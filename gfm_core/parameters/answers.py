"""The tools that answer questions from one embedding (or from rasters, which are embedded on the way)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gfm_core.parameters.describe import Parameters, Role, parameter
from gfm_core.parameters.maps import GROUPS, StackParameters, map_gsd, map_report, smoothing


@dataclass(frozen=True, kw_only=True)
class CellParameters(StackParameters):
    """What every tool that answers from the cells of an embedding shares: which of its groups."""

    rasters: tuple[str, ...] = parameter(
        "One embedding, or rasters of one place, each as it is (FILE:as=SENSOR, FILE:crs=EPSG:N).",
        Role.RASTERS, label="Embedding or rasters", in_form="One embedding, or rasters of one place, each as it is.",
    )  # fmt: skip
    groups: tuple[str, ...] = parameter(
        "Feature groups to look at; auto: those that were found best for the question.", Role.CHOICES,
        label="Feature groups", default=("auto",), choices=("auto", *GROUPS), advanced=True,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SimilarParameters(CellParameters):
    """Find places that look like a few examples.

    Give one embedding, or rasters, and a few polygons or points of what you look for; counter-examples of what it is
    often taken for help. The raster tells how alike each cell is (0 to 100), the polygons are the best places, the
    surest first. No class names and no training: one click can be enough.
    """

    labels: str = parameter(
        "Examples: polygons or points of what is looked for.", Role.LABELS, label="Examples",
        in_form="Polygons or points of what is looked for; any CRS.",
    )  # fmt: skip
    layer: str | None = parameter("Layer in the file of examples.", Role.LAYER, default=None)
    where: str | None = parameter(
        "Use only the examples for which this SQL condition holds.", Role.EXPRESSION, label="Only examples where",
        default=None, in_form="Use only the examples for which this expression is true.",
    )  # fmt: skip
    counter: str | None = parameter(
        "Counter-examples: polygons or points of what is not meant.", Role.LABELS, label="Counter-examples",
        default=None,
    )  # fmt: skip
    threshold: float | None = parameter(
        "How alike a place must be to become a polygon, 0 to 100; default: what four of five examples reach.",
        Role.NUMBER, default=None, minimum=0, maximum=100,
    )  # fmt: skip
    count: int = parameter(
        "How many places at most become polygons.", Role.NUMBER, label="Places at most", default=100, minimum=1,
        maximum=1_000_000,
    )  # fmt: skip
    min_area: float | None = parameter(
        "Smallest place in m²; default: one cell.", Role.NUMBER, label="Smallest place (m²)", default=None, unit="m²",
        minimum=0, maximum=1e12, advanced=True,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ChangeParameters(CellParameters):
    """Find what changed on the ground between two dates.

    Give the embedding, or the rasters, of the earlier date and of the later one. What differs everywhere (season, sun,
    haze, the sensor's settings) is learnt from the scene itself and taken out; what is left is told in standard
    deviations of unchanged ground. With a classifier from "Classify land cover" each change tells what was there and
    what is there now. It is for change of up to a tenth of the ground: where more of it changed, that is what the scene
    teaches it to expect; then give more ground around, or cluster the rasters of both dates together.
    """

    rasters: tuple[str, ...] = parameter(
        "The earlier date: one embedding, or rasters of one place.", Role.RASTERS, label="Before"
    )
    after: tuple[str, ...] = parameter(
        "The later date: one embedding of the same cells, or rasters of the same sensors; give it once a file.",
        Role.RASTERS, in_form="The later date: one embedding of the same cells, or rasters of the same sensors.",
    )  # fmt: skip
    threshold: float | None = parameter(
        "Standard deviations from which on ground has changed; default: so that one change in fifty is false.",
        Role.NUMBER, default=None, minimum=0, maximum=1000,
    )  # fmt: skip
    min_area: float | None = parameter(
        "Smallest change in m²; default: four cells.", Role.NUMBER, label="Smallest change (m²)", default=None,
        unit="m²", minimum=0, maximum=1e12,
    )  # fmt: skip
    head: str | None = parameter(
        "Fitted classifier (from gfm classify --save-head) that tells the classes before and after.", Role.FILE,
        label="Fitted classifier", default=None,
        in_form="A file that Classify land cover kept: each change then tells the classes before and after.",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ClusterParameters(CellParameters):
    """Sort the ground into kinds that look alike, without any label.

    Use it to start where there are no labels: the clusters show what can be told apart, and what to label first. They
    have numbers, not names; the largest is the first.
    """

    count: int = parameter("How many clusters.", Role.NUMBER, label="Clusters", default=8, minimum=2, maximum=255)
    seed: int = parameter(
        "Number of the draw that the search starts from.",
        Role.NUMBER,
        default=0,
        minimum=0,
        maximum=2**31 - 1,
        advanced=True,
    )


@dataclass(frozen=True, kw_only=True)
class EstimateParameters(CellParameters):
    """Estimate a number (tree cover, height, yield) on every cell from places where it is known.

    Give one embedding, or rasters, and points or polygons with a field that holds the number, or a raster of it. The
    estimate comes with an interval that holds the truth as often as asked, and with R² and RMSE from ground that it did
    not see, beside those of the raw bands alone.
    """

    labels: str = parameter(
        "Known values: points or polygons with a number, or a raster of it.", Role.LABELS, label="Known values",
        in_form="Points or polygons with a field that holds the number; any CRS.",
    )  # fmt: skip
    layer: str | None = parameter("Layer in the file of known values.", Role.LAYER, default=None)
    field: str | None = parameter("Field that holds the number.", Role.FIELD, label="Field of the number", default=None)
    where: str | None = parameter(
        "Use only the places for which this SQL condition holds.", Role.EXPRESSION, label="Only places where",
        default=None, in_form="Use only the places for which this expression is true.",
    )  # fmt: skip
    method: str = parameter(
        "Regression; auto: ridge, which is quick; both: the mean of ridge and forest, a little better and slow.",
        Role.CHOICE, default="auto", choices=("auto", "ridge", "forest", "both"),
    )  # fmt: skip
    coverage: float = parameter(
        "Share of ground whose true value is to lie in the interval.", Role.NUMBER, default=0.9, minimum=0.5,
        maximum=0.99, advanced=True,
    )  # fmt: skip
    lowest: float | None = parameter(
        "Smallest number that there can be: known values below are none, estimates end there.", Role.NUMBER,
        label="Lowest value", default=None, minimum=-1e30, maximum=1e30, advanced=True,
    )  # fmt: skip
    highest: float | None = parameter(
        "Largest number that there can be (such as 100 for a percentage).", Role.NUMBER, label="Highest value",
        default=None, minimum=-1e30, maximum=1e30, advanced=True,
    )  # fmt: skip
    samples: int = parameter(
        "Cells of a raster of known values to learn from, at most.", Role.NUMBER, default=5000, minimum=10,
        maximum=100_000, advanced=True,
    )  # fmt: skip
    report: Path | None = parameter(
        "Folder for the report (HTML and JSON); default: RESULT_report beside the result.",
        Role.OUTPUT_FOLDER, default=None, changes_pixels=False,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ApplyParameters(StackParameters):
    """Make the map of another area or date with a classifier that was fitted before.

    Give the rasters (the same sensors and bands) or one embedding of the other place, and the file that "Classify land
    cover" kept. Where the ground looks like nothing that the classifier has seen, the candidates layer says so: believe
    the map inside its area of applicability.
    """

    head: Path = parameter(
        "Fitted classifier, kept by gfm classify --save-head.", Role.FILE, label="Fitted classifier",
        in_form="A file that Classify land cover kept (its advanced parameter Fitted classifier).",
    )  # fmt: skip
    smoothing: str = smoothing()
    map_gsd: float | None = map_gsd()
    report: Path | None = map_report()


@dataclass(frozen=True, kw_only=True)
class AssessParameters(Parameters):
    """Say how right a map is and how much ground each class really covers, after Olofsson et al. (2014).

    Run it twice. First with the map alone: it draws points, so many a class that the result will be as sure as asked.
    Look at each point, on better images or in the field, and write what is there into the field "reference". Then run
    it with these points: the error matrix, the accuracies and the areas come with their confidence intervals.
    """

    map: str = parameter("Map of classes, one band of whole numbers.", Role.RASTER, label="Map")
    output: Path = parameter(
        "Points: those to look at, or with a sample the same points with what the map says.", Role.OUTPUT_VECTOR,
        label="Points", flag="output", short="o", changes_pixels=False,
    )  # fmt: skip
    sample: str | None = parameter(
        "The points that were looked at; without them a sample is drawn.", Role.LABELS, label="Points looked at",
        default=None,
    )  # fmt: skip
    layer: str | None = parameter("Layer in the file of points.", Role.LAYER, default=None)
    field: str | None = parameter(
        "Field of the points that holds what is there; default: reference.", Role.FIELD, label="Reference field",
        default=None,
    )  # fmt: skip
    count: int | None = parameter(
        "How many points to draw; default: as many as the standard error needs.", Role.NUMBER, label="Points to draw",
        default=None, minimum=2, maximum=1_000_000,
    )  # fmt: skip
    least: int = parameter(
        "Points that even the rarest class gets.", Role.NUMBER, label="Points a class at least", default=50, minimum=2,
        maximum=100_000,
    )  # fmt: skip
    error: float = parameter(
        "Standard error of the overall accuracy that the sample is made for.", Role.NUMBER, label="Standard error",
        default=0.01, minimum=0.001, maximum=0.2, advanced=True,
    )  # fmt: skip
    expected: float = parameter(
        "Accuracy that every class is expected to have, for the size of the sample.", Role.NUMBER,
        label="Expected accuracy", default=0.85, minimum=0.01, maximum=0.99, advanced=True,
    )  # fmt: skip
    confidence: float = parameter(
        "How sure the intervals are.", Role.NUMBER, default=0.95, minimum=0.5, maximum=0.999, advanced=True
    )
    seed: int = parameter("Number of the draw.", Role.NUMBER, default=0, minimum=0, maximum=2**31 - 1, advanced=True)
    report: Path | None = parameter(
        "Folder for the report (HTML and JSON) of a sample; default: POINTS_report beside the points.",
        Role.OUTPUT_FOLDER, default=None, changes_pixels=False,
    )  # fmt: skip
    overwrite: bool = parameter("Replace outputs that exist.", Role.FLAG, default=False, changes_pixels=False)


@dataclass(frozen=True, kw_only=True)
class VectorParameters(CellParameters):
    """Give each polygon the mean and the standard deviation of the embedding inside it.

    The table (GeoPackage, or GeoParquet for a name that ends on .parquet) keeps the polygons and their fields: what any
    statistics program or model of your own can go on with. Cells count by the share that lies inside.
    """

    output: Path = parameter(
        "Polygons with their statistics: .gpkg or .parquet.", Role.OUTPUT_VECTOR, label="Polygons with statistics",
        flag="output", short="o", changes_pixels=False,
    )  # fmt: skip
    labels: str = parameter("Polygons.", Role.LABELS, label="Polygons", flag="polygons")
    layer: str | None = parameter("Layer in the file of polygons.", Role.LAYER, default=None)
    where: str | None = parameter(
        "Use only the polygons for which this SQL condition holds.", Role.EXPRESSION, label="Only polygons where",
        default=None, in_form="Use only the polygons for which this expression is true.",
    )  # fmt: skip
    statistics: tuple[str, ...] = parameter(
        "What is told of each band.", Role.CHOICES, default=("mean", "stdev"), choices=("mean", "stdev")
    )
