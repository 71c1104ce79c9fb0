from .bands import Band, BandKind, Normalisation
from .classes import MapClass
from .embedding.file import EmbeddingFile, open_embedding
from .errors import (
    CheckpointError,
    GfmError,
    InputError,
    LabelError,
    MissingCrsError,
    MissingExtraError,
    NoOverlapError,
    OutputError,
    ParameterError,
    ShapeError,
)
from .grid import Bounds, CellRange, Lattice
from .model.checkpoint import LoadedModel, load_model
from .model.compat import JepaOutput, create_jepa_gfm
from .parameters import (
    ApplyParameters,
    AssessParameters,
    ChangeParameters,
    ClassifyParameters,
    ClusterParameters,
    EmbedParameters,
    EstimateParameters,
    PreviewParameters,
    SimilarParameters,
    SuggestParameters,
    SynthParameters,
    VectorParameters,
)
from .progress import Cancelled, Progress
from .raster.read import PixelWindow, StackReader, read_window
from .raster.source import Source, open_source
from .raster.stack import Modality, Stack, open_stack
from .synthetic import GeospatialDataGenerator, SyntheticScene, write_scene
from .tools.apply import apply
from .tools.assess import Assessed, assess
from .tools.change import ChangeMap, change
from .tools.classify import ClassMap, classify
from .tools.cluster import ClusterMap, cluster
from .tools.embed import embed
from .tools.estimate import Estimate, estimate
from .tools.info import info
from .tools.preview import Preview, preview
from .tools.similar import Similarity, similar
from .tools.suggest import Suggestion, Suggestions, suggest_labels
from .tools.vector import VectorTable, vector

__all__ = [
    "ApplyParameters",
    "AssessParameters",
    "Assessed",
    "Band",
    "BandKind",
    "Bounds",
    "Cancelled",
    "CellRange",
    "ChangeMap",
    "ChangeParameters",
    "CheckpointError",
    "ClassMap",
    "ClassifyParameters",
    "ClusterMap",
    "ClusterParameters",
    "EmbedParameters",
    "EmbeddingFile",
    "Estimate",
    "EstimateParameters",
    "GeospatialDataGenerator",
    "GfmError",
    "InputError",
    "JepaOutput",
    "LabelError",
    "Lattice",
    "LoadedModel",
    "MapClass",
    "MissingCrsError",
    "MissingExtraError",
    "Modality",
    "NoOverlapError",
    "Normalisation",
    "OutputError",
    "ParameterError",
    "PixelWindow",
    "Preview",
    "PreviewParameters",
    "Progress",
    "ShapeError",
    "SimilarParameters",
    "Similarity",
    "Source",
    "Stack",
    "StackReader",
    "SuggestParameters",
    "Suggestion",
    "Suggestions",
    "SynthParameters",
    "SyntheticScene",
    "VectorParameters",
    "VectorTable",
    "apply",
    "assess",
    "change",
    "classify",
    "cluster",
    "create_jepa_gfm",
    "embed",
    "estimate",
    "info",
    "load_model",
    "open_embedding",
    "open_source",
    "open_stack",
    "preview",
    "read_window",
    "similar",
    "suggest_labels",
    "vector",
    "write_scene",
]
