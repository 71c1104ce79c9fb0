"""Apply: rasters or an embedding of another area or date, and a stored classifier → a map with its applicability."""

from __future__ import annotations

from dataclasses import fields

from gfm_core.parameters import ApplyParameters, ClassifyParameters
from gfm_core.progress import Reporter
from gfm_core.tools.call import call_of
from gfm_core.tools.classify import ClassMap, run_classify
from gfm_core.tools.ready import NOTHING, Ready


def run_apply(parameters: ApplyParameters, reporter: Reporter, ready: Ready = NOTHING) -> ClassMap:
    """The tool itself, for the command line, the worker and `apply`."""
    told = {item.name: getattr(parameters, item.name) for item in fields(parameters)}
    return run_classify(ClassifyParameters(**{**told, "head": str(parameters.head)}), reporter, ready)


apply = call_of(ApplyParameters, run_apply, "Map rasters of another area or date with a classifier fitted before.")
