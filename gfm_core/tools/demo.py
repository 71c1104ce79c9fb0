"""Demo: the sample scene from its rasters to a scored map, with everything at its default."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gfm_core.assets import sample_folder
from gfm_core.embedding.file import EmbeddingFile
from gfm_core.parameters import ClassifyParameters, EmbedParameters
from gfm_core.progress import Reporter
from gfm_core.tools.classify import ClassMap, run_classify
from gfm_core.tools.embed import run_embed
from gfm_core.tools.ready import Ready


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demo made."""

    embedding: EmbeddingFile
    map: ClassMap
    picture: Path


def run_demo(folder: Path, reporter: Reporter) -> DemoResult:
    """Embed the sample scene into `folder`, classify it with its training polygons, and score it on the others."""
    folder.mkdir(parents=True, exist_ok=True)
    sample = sample_folder()
    rasters = tuple(str(path) for path in sorted(sample.glob("*.tif")))
    embedding = run_embed(
        EmbedParameters(rasters=rasters, output=folder / "embedding.tif", overwrite=True), reporter.step(0, 0.4)
    )
    made = run_classify(
        ClassifyParameters(
            rasters=rasters, output=folder / "landcover.tif", labels=str(sample / "landuse.gpkg"), field="fclass",
            where="split = 'train'", check="rest", overwrite=True,
        ),
        reporter.step(0.4, 1),
        Ready(embedding=embedding),
    )  # fmt: skip
    return DemoResult(embedding, made, made.report.parent / "map.png")
