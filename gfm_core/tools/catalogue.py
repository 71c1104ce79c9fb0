"""The tools that other programs offer, QGIS above all: what each is called, how it is run, what it tells.

The worker runs them by name; `tools.json` of the QGIS plugin is `catalogue()`.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gfm_core import outcomes as o
from gfm_core import parameters as p
from gfm_core.assets import model_files
from gfm_core.outcomes import Outcome, describe_outcome
from gfm_core.parameters import Parameters, Role, describe, tool_name
from gfm_core.progress import Reporter
from gfm_core.tools.copy_as import as_command, as_python
from gfm_core.tools.ready import Ready

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool: `run` takes checked parameters, a reporter, and what is at hand already.

    It raises `GfmError` with one sentence, or `Cancelled`; then nothing is left behind.
    """

    parameters: type[Parameters]
    outcome: type[Outcome]
    run: Callable[[Any, Reporter, Ready], Outcome]
    title: str
    keywords: tuple[str, ...]
    examples: tuple[str, ...]  # commands
    in_toolbox: bool = True  # of QGIS; else only a dialogue asks for it

    @property
    def name(self) -> str:
        """`embed`, as on the command line."""
        return tool_name(self.parameters)

    def describe(self) -> dict[str, Any]:
        """Everything a form needs, as plain values; a model's choices are those that come with the library."""
        described = describe(self.parameters)
        for item in described["parameters"]:
            if item["role"] == Role.MODEL:
                item["choices"] = list(model_files())
        return {
            **described, "title": self.title, "keywords": list(self.keywords), "examples": list(self.examples),
            "outcome": describe_outcome(self.outcome),
        }  # fmt: skip


def _embed(parameters: p.EmbedParameters, reporter: Reporter, ready: Ready) -> o.EmbedOutcome:
    from gfm_core.tools.embed import run_embed
    from gfm_core.tools.embed_write import preview_path

    made = run_embed(parameters, reporter, ready)
    return o.EmbedOutcome(
        output=made.path, preview=preview_path(made.path), rows=made.cells.rows, cols=made.cells.cols,
        cell_size=made.lattice.cell_size, bands=len(made.columns), **_copies(parameters),
    )  # fmt: skip


def _classify(parameters: p.ClassifyParameters, reporter: Reporter, ready: Ready) -> o.ClassifyOutcome:
    from gfm_core.tools.classify import run_classify

    made = run_classify(parameters, reporter, ready)
    folds = made.cross_validation
    return o.ClassifyOutcome(
        output=made.path, confidence=made.confidence, candidates=made.candidates, suspects=made.suspects,
        report=made.report, legend=made.legend, classes=len(made.classes),
        macro_f1=folds.fused.macro_f1 if folds else None,
        macro_f1_raw_bands=folds.raw_bands.macro_f1 if folds and folds.raw_bands else None,
        macro_f1_check=made.check.macro_f1 if made.check else None, **_copies(parameters),
    )  # fmt: skip


def _apply(parameters: p.ApplyParameters, reporter: Reporter, ready: Ready) -> o.ApplyOutcome:
    from gfm_core.tools.apply import run_apply

    made = run_apply(parameters, reporter, ready)
    return o.ApplyOutcome(
        output=made.path, confidence=made.confidence, candidates=made.candidates, report=made.report,
        legend=made.legend, classes=len(made.classes), outside=made.outside, **_copies(parameters),
    )  # fmt: skip


def _similar(parameters: p.SimilarParameters, reporter: Reporter, ready: Ready) -> o.SimilarOutcome:
    from gfm_core.tools.similar import run_similar

    made = run_similar(parameters, reporter, ready)
    return o.SimilarOutcome(
        output=made.path, places=made.places, count=made.count, threshold=made.threshold, **_copies(parameters)
    )


def _change(parameters: p.ChangeParameters, reporter: Reporter, ready: Ready) -> o.ChangeOutcome:
    from gfm_core.tools.change import run_change

    made = run_change(parameters, reporter, ready)
    return o.ChangeOutcome(
        output=made.path, changes=made.changes, count=made.count, threshold=made.threshold, area_m2=made.area_m2,
        **_copies(parameters),
    )  # fmt: skip


def _cluster(parameters: p.ClusterParameters, reporter: Reporter, ready: Ready) -> o.ClusterOutcome:
    from gfm_core.tools.cluster import run_cluster

    made = run_cluster(parameters, reporter, ready)
    largest = max(made.cells.values()) / max(sum(made.cells.values()), 1)
    return o.ClusterOutcome(output=made.path, legend=made.legend, largest=largest, **_copies(parameters))


def _estimate(parameters: p.EstimateParameters, reporter: Reporter, ready: Ready) -> o.EstimateOutcome:
    from gfm_core.tools.estimate import run_estimate

    made = run_estimate(parameters, reporter, ready)
    return o.EstimateOutcome(
        output=made.path, interval=made.interval, report=made.report, places=made.places,
        r2=made.goodness.r2 if made.goodness else None, rmse=made.goodness.rmse if made.goodness else None,
        r2_raw_bands=made.raw_bands.r2 if made.raw_bands else None,
        r2_statistics=made.statistics.r2 if made.statistics else None, coverage=made.coverage, **_copies(parameters),
    )  # fmt: skip


def _assess(parameters: p.AssessParameters, reporter: Reporter, ready: Ready) -> o.AssessOutcome:
    from gfm_core.tools.assess import run_assess

    del ready  # a map is a file
    made = run_assess(parameters, reporter)
    overall = made.result.overall if made.result else None
    return o.AssessOutcome(
        output=made.path, report=made.report, points=sum(made.drawn.values()),
        accuracy=overall.value if overall else None, half_width=overall.half_width if overall else None,
        **_copies(parameters),
    )  # fmt: skip


def _vector(parameters: p.VectorParameters, reporter: Reporter, ready: Ready) -> o.VectorOutcome:
    from gfm_core.tools.vector import run_vector

    made = run_vector(parameters, reporter, ready)
    return o.VectorOutcome(
        output=made.path, rows=made.rows, fields=len(made.fields), empty=made.empty, **_copies(parameters)
    )


def _preview(parameters: p.PreviewParameters, reporter: Reporter, ready: Ready) -> o.PreviewOutcome:
    from gfm_core.tools.preview import run_preview

    made = run_preview(parameters, reporter, ready)
    return o.PreviewOutcome(
        output=made.path, dispute=made.dispute, classes=list(made.classes), macro_f1=made.macro_f1,
        macro_f1_raw_bands=made.macro_f1_raw_bands, next=list(made.next), suspects=list(made.suspects),
        warnings=list(made.warnings), step=made.step, refit_seconds=made.refit_seconds,
        paint_seconds=made.paint_seconds, **_copies(parameters),
    )  # fmt: skip


def _copies(parameters: p.Parameters) -> dict[str, str]:
    return {"command": as_command(parameters), "python": as_python(parameters)}


_EVERY = (
    Tool(
        p.EmbedParameters, o.EmbedOutcome, _embed, "Embed layers",
        ("embedding", "features", "deep learning", "JEPA", "Sentinel", "multi-resolution", "fusion"),
        ("gfm embed s2_10m.tif s2_20m.tif dem.tif -o emb.tif --cell 20",),
    ),
    Tool(
        p.ClassifyParameters, o.ClassifyOutcome, _classify, "Classify land cover",
        ("land cover", "land use", "classification", "supervised", "map", "confidence", "training samples"),
        ("gfm classify s2_10m.tif s2_20m.tif -o map.tif --labels polygons.gpkg --field class",),
    ),
    Tool(
        p.ApplyParameters, o.ApplyOutcome, _apply, "Apply a saved classifier",
        ("classification", "transfer", "other date", "other area", "applicability", "monitoring"),
        (
            "gfm classify 2023.tif -o map_2023.tif --labels polygons.gpkg --save-head fields.safetensors",
            "gfm apply 2024.tif -o map_2024.tif --head fields.safetensors",
        ),
    ),
    Tool(
        p.SimilarParameters, o.SimilarOutcome, _similar, "Find similar places",
        ("similarity", "search", "examples", "one class", "detection"),
        (
            "gfm similar emb.tif -o alike.tif --labels examples.gpkg",
            "gfm similar emb.tif -o alike.tif --labels solar.gpkg --counter roofs.gpkg --count 50",
        ),
    ),
    Tool(
        p.ChangeParameters, o.ChangeOutcome, _change, "Detect change",
        ("change detection", "two dates", "burnt area", "flood", "damage", "deforestation", "monitoring"),
        (
            "gfm change before.tif --after after.tif -o change.tif",
            "gfm change emb_2018.tif --after emb_2024.tif -o change.tif --head landcover.safetensors",
        ),
    ),
    Tool(
        p.ClusterParameters, o.ClusterOutcome, _cluster, "Cluster",
        ("clustering", "unsupervised", "k-means", "segmentation", "classes"),
        ("gfm cluster emb.tif -o clusters.tif --count 10",),
    ),
    Tool(
        p.EstimateParameters, o.EstimateOutcome, _estimate, "Estimate values",
        ("regression", "tree cover", "biomass", "height", "yield", "prediction interval"),
        ("gfm estimate emb.tif -o cover.tif --labels plots.gpkg --field percent",),
    ),
    Tool(
        p.AssessParameters, o.AssessOutcome, _assess, "Assess accuracy",
        ("accuracy", "error matrix", "confusion matrix", "area estimation", "validation", "sample"),
        (
            "gfm assess map.tif -o points.gpkg",
            "gfm assess map.tif -o assessed.gpkg --sample points.gpkg",
        ),
    ),
    Tool(
        p.VectorParameters, o.VectorOutcome, _vector, "Embed to vector",
        ("zonal statistics", "polygons", "parcels", "table", "features", "GeoParquet"),
        ("gfm vector emb.tif -o parcels_emb.gpkg --polygons parcels.gpkg --groups network",),
    ),
    Tool(
        p.PreviewParameters, o.PreviewOutcome, _preview, "Preview a map", ("preview", "labels", "active learning"),
        ("gfm preview emb.tif -o view.tif --labels clicks.gpkg --field class",), in_toolbox=False,
    ),
)  # fmt: skip
TOOLS = {tool.name: tool for tool in _EVERY}


def catalogue() -> dict[str, Any]:
    """All tools as plain values, with the version of the library that runs them."""
    return {
        "format": FORMAT_VERSION,
        "version": importlib.metadata.version("jepa-gfm"),
        "tools": [tool.describe() for tool in TOOLS.values() if tool.in_toolbox],
    }
