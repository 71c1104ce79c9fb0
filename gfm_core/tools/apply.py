"""Apply: rasters or an embedding of another area or date, and a stored classifier → a map with its applicability."""

from __future__ import annotations

import logging
from dataclasses import fields

from gfm_core.errors import ParameterError
from gfm_core.parameters import ApplyParameters, ClassifyParameters
from gfm_core.progress import Reporter
from gfm_core.tools.call import call_of
from gfm_core.tools.classify import ClassMap, run_classify
from gfm_core.tools.ready import NOTHING, Ready

_MUCH = 0.2  # of the ground outside the area of applicability: it is said

logger = logging.getLogger(__name__)


def run_apply(parameters: ApplyParameters, reporter: Reporter, ready: Ready = NOTHING) -> ClassMap:
    """The tool itself, for the command line, the worker and `apply`."""
    if not parameters.head.is_file():
        raise ParameterError(f"head {parameters.head} is no file; give one that gfm classify --save-head kept.")
    told = {item.name: getattr(parameters, item.name) for item in fields(parameters)}
    made = run_classify(ClassifyParameters(**{**told, "head": str(parameters.head)}), reporter, ready)
    if made.outside is not None and made.outside > _MUCH:
        logger.warning(
            "%.0f %% of the ground looks like nothing that the classifier was fitted on; believe the map only where "
            "band 4 of %s is 1, or add labels from here.", 100 * made.outside, made.candidates.name,
        )  # fmt: skip
    return made


apply = call_of(ApplyParameters, run_apply, "Map rasters of another area or date with a classifier fitted before.")
