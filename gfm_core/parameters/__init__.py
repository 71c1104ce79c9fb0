"""Every tool's parameters: THE description of each tool, from which Python, command line, worker, QGIS and docs come.

`describe.py` holds the machinery, `maps.py` and `answers.py` the tools.
"""

from gfm_core.parameters.answers import (
    ApplyParameters,
    AssessParameters,
    CellParameters,
    ChangeParameters,
    ClusterParameters,
    EstimateParameters,
    SimilarParameters,
    VectorParameters,
)
from gfm_core.parameters.describe import (
    ParameterInfo,
    Parameters,
    Role,
    Spec,
    describe,
    parameter,
    parameters_of,
    tool_name,
)
from gfm_core.parameters.maps import (
    DERIVED,
    GROUPS,
    HEADS,
    MAP_GROUPS,
    ClassifyParameters,
    EmbedParameters,
    LabelledParameters,
    PreviewParameters,
    StackParameters,
    SuggestParameters,
    SynthParameters,
)

__all__ = [
    "DERIVED",
    "GROUPS",
    "HEADS",
    "MAP_GROUPS",
    "ApplyParameters",
    "AssessParameters",
    "CellParameters",
    "ChangeParameters",
    "ClassifyParameters",
    "ClusterParameters",
    "EmbedParameters",
    "EstimateParameters",
    "LabelledParameters",
    "ParameterInfo",
    "Parameters",
    "PreviewParameters",
    "Role",
    "SimilarParameters",
    "Spec",
    "StackParameters",
    "SuggestParameters",
    "SynthParameters",
    "VectorParameters",
    "describe",
    "parameter",
    "parameters_of",
    "tool_name",
]
