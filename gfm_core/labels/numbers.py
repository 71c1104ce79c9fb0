"""A raster of numbers (tree cover, height, yield) on another grid: its mean in each cell."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import CRSError, RasterioError
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT

from gfm_core.errors import LabelError

logger = logging.getLogger(__name__)


def raster_numbers(
    path: str, *, crs: str, transform: Affine, shape: tuple[int, int], lowest: float | None = None,
    highest: float | None = None,
) -> NDArray[np.float32]:  # fmt: skip
    """Band 1 averaged in the cells of a grid, `[rows, cols]` with scale and offset applied, NaN where not known.

    Cells that hold a number outside `lowest` to `highest` (codes of water or clouds, often) are not known.

    Raises `LabelError` if the raster cannot be read or has no CRS.
    """
    name = Path(path).name
    try:
        with rasterio.open(path) as source:
            if source.crs is None:
                raise LabelError(f"{name} has no CRS; give a raster that lies on the ground.")
            if source.count > 1:
                logger.info("Of %s the first of %d bands is taken.", name, source.count)
            scale, offset = source.scales[0], source.offsets[0]
            on_grid = {"crs": crs, "transform": transform, "width": shape[1], "height": shape[0]}
            values: NDArray[np.float32] = _warped(source, Resampling.average, on_grid) * scale + offset
            for bound, extreme in ((lowest, Resampling.min), (highest, Resampling.max)):
                if bound is not None:
                    furthest = _warped(source, extreme, on_grid) * scale + offset
                    outside = furthest < bound if extreme is Resampling.min else furthest > bound
                    values[outside] = np.nan
    except (RasterioError, CRSError) as error:
        raise LabelError(f"{name} cannot be read as a raster of numbers ({error}); give another one.") from error
    return values


def _warped(source: DatasetReader, resampling: Resampling, on_grid: dict[str, Any]) -> NDArray[np.float32]:
    with WarpedVRT(source, resampling=resampling, dtype="float32", nodata=np.nan, **on_grid) as warped:
        found: NDArray[np.float32] = warped.read(1, masked=True).filled(np.nan).astype(np.float32)
    return found
