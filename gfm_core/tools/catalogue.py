"""The tools that other programs offer, QGIS above all: what each is called, how it is run, what it tells.

The worker runs them by name; `tools.json` of the QGIS plugin is `catalogue()`.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gfm_core.assets import model_files
from gfm_core.outcomes import ClassifyOutcome, EmbedOutcome, Outcome, describe_outcome
from gfm_core.parameters import ClassifyParameters, EmbedParameters, Parameters, Role, describe, tool_name
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
            **described, "title": self.title, "keywords": list(self.keywords),
            "outcome": describe_outcome(self.outcome),
        }  # fmt: skip


def _embed(parameters: EmbedParameters, reporter: Reporter, ready: Ready) -> EmbedOutcome:
    from gfm_core.tools.embed import run_embed
    from gfm_core.tools.embed_write import preview_path

    made = run_embed(parameters, reporter, ready)
    return EmbedOutcome(
        output=made.path, preview=preview_path(made.path), rows=made.cells.rows, cols=made.cells.cols,
        cell_size=made.lattice.cell_size, bands=len(made.columns),
        command=as_command(parameters), python=as_python(parameters),
    )  # fmt: skip


def _classify(parameters: ClassifyParameters, reporter: Reporter, ready: Ready) -> ClassifyOutcome:
    from gfm_core.tools.classify import run_classify

    made = run_classify(parameters, reporter, ready)
    folds = made.cross_validation
    return ClassifyOutcome(
        output=made.path, confidence=made.confidence, candidates=made.candidates, suspects=made.suspects,
        report=made.report, legend=made.legend, classes=len(made.classes),
        macro_f1=folds.fused.macro_f1 if folds else None,
        macro_f1_raw_bands=folds.raw_bands.macro_f1 if folds and folds.raw_bands else None,
        macro_f1_check=made.check.macro_f1 if made.check else None,
        command=as_command(parameters), python=as_python(parameters),
    )  # fmt: skip


TOOLS = {
    tool.name: tool
    for tool in (
        Tool(
            EmbedParameters, EmbedOutcome, _embed, "Embed layers",
            ("embedding", "features", "deep learning", "JEPA", "Sentinel", "multi-resolution", "fusion"),
        ),
        Tool(
            ClassifyParameters, ClassifyOutcome, _classify, "Classify land cover",
            ("land cover", "land use", "classification", "supervised", "map", "confidence", "training samples"),
        ),
    )
}  # fmt: skip


def catalogue() -> dict[str, Any]:
    """All tools as plain values, with the version of the library that runs them."""
    return {
        "format": FORMAT_VERSION,
        "version": importlib.metadata.version("jepa-gfm"),
        "tools": [tool.describe() for tool in TOOLS.values()],
    }
