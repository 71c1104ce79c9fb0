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
from .parameters import ClassifyParameters, EmbedParameters, SuggestParameters, SynthParameters
from .progress import Cancelled, Progress
from .raster.read import PixelWindow, StackReader, read_window
from .raster.source import Source, open_source
from .raster.stack import Modality, Stack, open_stack
from .synthetic import GeospatialDataGenerator, SyntheticScene, write_scene
from .tools.classify import ClassMap, classify
from .tools.embed import embed
from .tools.info import info
from .tools.suggest import Suggestion, Suggestions, suggest_labels

__all__ = [
    "Band",
    "BandKind",
    "Bounds",
    "Cancelled",
    "CellRange",
    "CheckpointError",
    "ClassMap",
    "ClassifyParameters",
    "EmbedParameters",
    "EmbeddingFile",
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
    "Progress",
    "ShapeError",
    "Source",
    "Stack",
    "StackReader",
    "SuggestParameters",
    "Suggestion",
    "Suggestions",
    "SynthParameters",
    "SyntheticScene",
    "classify",
    "create_jepa_gfm",
    "embed",
    "info",
    "load_model",
    "open_embedding",
    "open_source",
    "open_stack",
    "read_window",
    "suggest_labels",
    "write_scene",
]
