"""A stored classifier asked about the cells of an embedding: what was there, for tools that make no map of it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gfm_core.embedding.file import EmbeddingFile
from gfm_core.heads.mapper import MapHead
from gfm_core.heads.store import check_head
from gfm_core.parameters import ClassifyParameters, StackParameters
from gfm_core.progress import Reporter
from gfm_core.tools.map_inputs import map_inputs
from gfm_core.tools.map_write import predicted_strips
from gfm_core.tools.ready import NOTHING


def classes_of_cells(
    embedding: EmbeddingFile, parameters: StackParameters, path: Path, head: tuple[MapHead, dict[str, Any]]
) -> NDArray[np.uint16]:
    """Class codes `[rows, cols]` of all cells by the head of `path`, 0 where nothing is known.

    Raises `CheckpointError` if the head was fitted on another kind of input.
    """
    fitted, meta = head
    asked = ClassifyParameters(
        rasters=(str(embedding.path),), output=path, head=str(path), groups=tuple(meta["groups"]),
        threads=parameters.threads,
    )  # fmt: skip
    with ExitStack() as opened:
        source = map_inputs(asked, path.parent, opened, Reporter(), ready=NOTHING, constants=None)
        source = source.knowing(fitted.prototypes)
        check_head(meta, source.told, name=path.name)
        strips = predicted_strips(source.features, fitted, source.near, parameters.threads)
        return np.concatenate([strip.codes for _, strip in strips])
