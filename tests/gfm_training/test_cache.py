from __future__ import annotations

from pathlib import Path

import numpy as np
from gfm_training.cache import CachedReader
from gfm_training.discover import discover, with_cell_pixels

from gfm_core.grid import CellRange
from gfm_core.raster.read import StackReader


def test_a_cached_window_holds_the_pixels_that_embed_would_read(place_folders: Path) -> None:
    stack = discover([place_folders]).places[0].stack
    first = CachedReader(stack)
    first.load()
    for size in (2, 3):
        sized = with_cell_pixels(stack, size)
        cached = CachedReader(sized)
        cached.share(first)
        # Inside with all its margin, over an edge, and beyond all data.
        for shift in (22, -7, 500):
            cells = CellRange(sized.cells.row + shift, sized.cells.col + shift, 16, 16)
            for modality in sized.modalities:
                ours = cached.window(modality, cells, 32)
                plain = StackReader(sized).window(modality, cells, 32)
                for name in ("pixels", "valid", "inside", "rows", "cols", "offset"):
                    np.testing.assert_array_equal(getattr(ours, name), getattr(plain, name), err_msg=name)
