"""Connected cells as polygons, with what is measured inside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import Geod
from rasterio.features import shapes
from scipy import ndimage
from shapely.geometry import shape

from gfm_core.progress import stop_if_asked
from gfm_core.raster.ground import as_crs

_WGS84 = Geod(ellps="WGS84")


@dataclass(frozen=True, slots=True)
class Regions:
    """`labels` int32 `[rows, cols]`: 0, or the number of a region from 1; `codes` `[n]`: what its cells have in common.

    `mean`, `highest` `[n]` are those of the values inside, `cells` `[n]` their number.
    """

    labels: NDArray[np.int32]
    codes: NDArray[np.int64]
    cells: NDArray[np.int64]
    mean: NDArray[np.float64]
    highest: NDArray[np.float64]

    def best(self, count: int) -> Regions:
        """The `count` regions with the highest mean, numbered in that order."""
        order = np.lexsort((np.arange(len(self.mean)), -self.mean))[:count]
        numbers = np.zeros(len(self.mean) + 1, np.int32)
        numbers[order + 1] = np.arange(1, len(order) + 1)
        return Regions(
            numbers[self.labels], self.codes[order], self.cells[order], self.mean[order], self.highest[order]
        )

    def polygons(self, transform: Affine, crs: str) -> gpd.GeoDataFrame:
        """One row a region in its order: `geometry` and `area_m2` on the ellipsoid."""
        geometry: list[Any] = [None] * len(self.mean)
        for drawn, number in shapes(self.labels, mask=self.labels > 0, transform=transform):
            geometry[int(number) - 1] = shape(drawn)
        frame = gpd.GeoDataFrame(geometry=geometry, crs=as_crs(crs).to_wkt())
        ground = frame.geometry.to_crs("EPSG:4326")
        frame["area_m2"] = [abs(_WGS84.geometry_area_perimeter(item)[0]) for item in ground]
        return frame


def find_regions(codes: NDArray[np.integer[Any]], values: NDArray[np.floating[Any]], *, least: int = 1) -> Regions:
    """Cells side by side with the same code (0: none), `least` of them or more, and their `values`."""
    labels = np.zeros(codes.shape, np.int32)
    found: list[int] = []
    for code in np.unique(codes[codes > 0]).tolist():
        stop_if_asked()
        numbered, count = ndimage.label(codes == code)
        sizes = np.bincount(numbered.ravel(), minlength=count + 1)
        sizes[0] = 0
        kept = np.flatnonzero(sizes >= least)
        renumbered = np.zeros(count + 1, np.int32)
        renumbered[kept] = len(found) + 1 + np.arange(len(kept))
        labels = np.where(numbered > 0, renumbered[numbered], labels)
        found += [code] * len(kept)
    inside = labels > 0
    numbers, measured = labels[inside] - 1, values[inside].astype(np.float64)
    cells = np.bincount(numbers, minlength=len(found))
    highest = np.full(len(found), -np.inf)
    np.maximum.at(highest, numbers, measured)
    mean = np.bincount(numbers, weights=measured, minlength=len(found)) / np.maximum(cells, 1)
    return Regions(labels, np.array(found, np.int64), cells, mean, highest)
