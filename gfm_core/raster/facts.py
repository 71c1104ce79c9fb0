"""What a raster file says about itself, gathered once: names, tags, number formats, and a small fixed sample."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.io import DatasetReader
from rasterio.windows import Window

# Five squares of 32 px, at fixed fractions of the raster: enough to tell reflectance from dB from metres, and the
# same whatever extent is read later.
_SAMPLE_PLACES = ((0.5, 0.5), (0.2, 0.2), (0.2, 0.8), (0.8, 0.2), (0.8, 0.8))
_SAMPLE_SIDE = 32
_ABSURD = 1e30  # a forgotten fill value, not a measurement
# Tags whose text tells the product or platform.
_TELLING_TAGS = (
    "PRODUCT", "PRODUCT_TYPE", "PRODUCT_URI", "NOTE", "DESCRIPTION", "TIFFTAG_IMAGEDESCRIPTION",
    "SATELLITEID", "SATELLITE", "SPACECRAFT_ID", "SPACECRAFT_NAME", "PLATFORM", "MISSION",
    "SENSOR", "SENSOR_ID", "INSTRUMENT", "COLLECTION",
    "SHORTNAME", "LANDSAT_PRODUCT_ID", "PROCESSING_LEVEL",
)  # fmt: skip

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Facts:
    """A raster's own words. One entry a band in all tuples; `values(index)` gives the band's valid sample (from 1)."""

    name: str
    folders: tuple[str, ...]  # the two above the file, nearest first
    dtypes: tuple[str, ...]
    descriptions: tuple[str | None, ...]
    colours: tuple[str, ...]  # GDAL's colour interpretation: red, gray, alpha, undefined, ...
    tags: Mapping[str, str]  # keys in capitals, IMAGERY domain included
    band_tags: tuple[Mapping[str, str], ...]
    scales: tuple[float, ...]
    offsets: tuple[float, ...]
    units: tuple[str, ...]
    gsd: float
    palette: bool
    values: Callable[[int], Values]

    @property
    def words(self) -> str:
        """File name and telling tags in lower case, words split by single spaces."""
        return plain_words(" ".join([self.name, *(self.tags[key] for key in _TELLING_TAGS if key in self.tags)]))

    @property
    def folder_words(self) -> str:
        """Names of the folders above, like `words`."""
        return plain_words(" ".join(self.folders))

    def integer(self, index: int) -> bool:
        """Whether a band (from 1) holds whole numbers."""
        return "int" in self.dtypes[index - 1]

    def byte(self, index: int) -> bool:
        """Whether a band (from 1) holds 8-bit numbers."""
        return self.dtypes[index - 1] in ("uint8", "int8")

    def percentiles(self, indexes: tuple[int, ...]) -> tuple[float, float, float] | None:
        """The 1st, 50th and 99th percentile over the samples of some bands; None if no pixel is valid.

        Of many bands (one a date, say) the first, the middle and the last are looked at.
        """
        chosen = sorted({indexes[0], indexes[len(indexes) // 2], indexes[-1]})
        pooled = np.concatenate([self.values(index) for index in chosen])
        if not pooled.size:
            return None
        low, middle, high = (float(value) for value in np.percentile(pooled, (1, 50, 99)))
        return low, middle, high


def plain_words(text: str) -> str:
    """Lower case, everything but letters and digits turned into single spaces."""
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()


def facts_of(
    dataset: DatasetReader, *, name: str, folders: tuple[str, ...], gsd: float, nodata: tuple[float | None, ...]
) -> Facts:
    """Gather what an open dataset says; pixels are read only when `values` is asked for."""
    bands = range(1, dataset.count + 1)
    return Facts(
        name=name,
        folders=folders,
        dtypes=tuple(dataset.dtypes),
        descriptions=tuple(text.strip() or None if text else None for text in dataset.descriptions),
        colours=tuple(colour.name for colour in dataset.colorinterp),
        tags=_capitals({**dataset.tags(), **dataset.tags(ns="IMAGERY")}),
        band_tags=tuple(_capitals({**dataset.tags(band), **dataset.tags(band, ns="IMAGERY")}) for band in bands),
        scales=tuple(dataset.scales),
        offsets=tuple(dataset.offsets),
        units=tuple(unit or "" for unit in dataset.units),
        gsd=gsd,
        palette=dataset.count == 1 and _has_palette(dataset),
        values=functools.cache(lambda index: _sample(dataset, index, nodata[index - 1])),
    )


def zero_corners(dataset: DatasetReader) -> bool:
    """Whether a corner of the raster is 0 in every band: the mark of an outside that nobody declared."""
    side = min(4, dataset.width, dataset.height)
    bands = list(range(1, min(dataset.count, 3) + 1))
    for row in (0, dataset.height - side):
        for col in (0, dataset.width - side):
            if not dataset.read(bands, window=Window(col, row, side, side)).any():
                return True
    return False


def _capitals(tags: Mapping[str, str]) -> dict[str, str]:
    return {key.upper(): value for key, value in tags.items()}


def _has_palette(dataset: DatasetReader) -> bool:
    try:
        return bool(dataset.colormap(1))
    except ValueError:  # rasterio's way to say that there is none
        return False


def _sample(dataset: DatasetReader, index: int, nodata: float | None) -> Values:
    pieces = []
    for down, across in _SAMPLE_PLACES:
        height, width = min(_SAMPLE_SIDE, dataset.height), min(_SAMPLE_SIDE, dataset.width)
        row, col = int((dataset.height - height) * down), int((dataset.width - width) * across)
        pieces.append(dataset.read(index, window=Window(col, row, width, height)).ravel())
    values = np.concatenate(pieces).astype(np.float64)
    valid = np.isfinite(values) & (np.abs(values) < _ABSURD)
    if nodata is not None:
        valid &= values != nodata
    sample: Values = values[valid]
    return sample


_REMOTE = {
    "GDAL_HTTP_MAX_RETRY": 3,
    "GDAL_HTTP_RETRY_DELAY": 1,  # seconds, doubled each time
    "GDAL_HTTP_RETRY_CODES": "429,500,502,503,504",
    "GDAL_HTTP_CONNECTTIMEOUT": 10,
    "GDAL_HTTP_TIMEOUT": 60,
    "GDAL_HTTP_LOW_SPEED_TIME": 20,
    "GDAL_HTTP_LOW_SPEED_LIMIT": 1000,
    "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES",
    "GDAL_HTTP_MULTIPLEX": "YES",
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_INGESTED_BYTES_AT_OPEN": 32768,
    "VSI_CACHE": "TRUE",
}


def environment(*, remote: bool) -> rasterio.Env:
    """GDAL's settings for reading: on the net bounded retries and waits, and no listing of folders.

    What the user has set in the environment stays as it is.
    """
    wanted = _REMOTE if remote else {}
    return rasterio.Env(**{name: value for name, value in wanted.items() if name not in os.environ})
