"""Stored numbers → the network's units, by constants that belong to the band and travel with every result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.windows import Window

from gfm_core.bands import Band, BandKind, Normalisation
from gfm_core.raster.source import Source, open_dataset, unreadable
from gfm_core.raster.validity import read_with_validity

LIMIT = 20.0  # normalised values beyond are cut: a stray -9999 must not drown its neighbourhood

_SAMPLE_SIDE = 64  # pixels: each sample is a square of this side ...
_SAMPLES_ALONG = 8  # ... and so many lie along each axis of the source, evenly spread
_SAMPLED_SOURCES = 8  # of one modality: enough to know its numbers
_MAD_TO_SD = 1.4826  # of a normal distribution


def normalise(
    pixels: NDArray[np.float32], valid: NDArray[np.bool_], constants: Sequence[Normalisation], bands: Sequence[Band]
) -> NDArray[np.float32]:
    """`pixels [T, C, H, W]` in the network's units, invalid ones 0; elevation stays in metres (relief comes later)."""
    factors, offsets = zip(*(item.linear() for item in constants), strict=True)
    shape = (1, len(factors), 1, 1)
    scaled = pixels * np.asarray(factors, np.float32).reshape(shape) + np.asarray(offsets, np.float32).reshape(shape)
    limits = [np.inf if band.kind is BandKind.ELEVATION else LIMIT for band in bands]
    limit = np.asarray(limits, np.float32).reshape(shape)
    result: NDArray[np.float32] = np.where(valid, np.clip(scaled, -limit, limit), np.float32(0))
    return result


def fit_normalisation(sources: Sequence[Source], band: int) -> tuple[Normalisation, str | None]:
    """Robust constants of band number `band` over the whole of `sources`, and a warning if the band is constant.

    Centre is the median, spread 1.4826 times the median absolute deviation, over a fixed sample that does not depend
    on the extent asked for.
    """
    values = np.concatenate([_sample(source, band) for source in list(sources)[:_SAMPLED_SOURCES]])
    name = f"band {sources[0].bands[band].name.removeprefix('band ')}"
    if not values.size:
        return Normalisation(fitted=True), f"{sources[0].name}: {name} has no valid pixel in the sample."
    centre = float(np.median(values))
    spread = float(np.median(np.abs(values - centre))) * _MAD_TO_SD or float(values.std())
    if spread > 0:
        return Normalisation(centre=_short(centre), spread=_short(spread), fitted=True), None
    return Normalisation(centre=_short(centre), fitted=True), f"{sources[0].name}: {name} is constant."


def _short(value: float) -> float:
    """Six significant digits: constants are read by people, and written into tags."""
    return float(f"{value:.6g}")


def _sample(source: Source, band: int) -> NDArray[np.float64]:
    """Valid values of one band in squares spread evenly over the source."""
    return np.concatenate([pixels[valid].astype(np.float64) for pixels, valid in sampled(source, (band,))])


def sampled(source: Source, bands: tuple[int, ...]) -> Iterator[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
    """Pixels and validity of `bands` in squares spread evenly over a source: what its numbers are like."""
    try:
        with open_dataset(source) as dataset:
            for window in _sample_windows(source.height, source.width):
                yield read_with_validity(dataset, source, window, bands)
    except RasterioError as error:
        raise unreadable(source.name, error) from error


def _sample_windows(height: int, width: int) -> list[Window]:
    rows, cols = _starts(height), _starts(width)
    return [
        Window(col_off=col, row_off=row, width=min(_SAMPLE_SIDE, width), height=min(_SAMPLE_SIDE, height))
        for row in rows
        for col in cols
    ]


def _starts(length: int) -> list[int]:
    room = max(length - _SAMPLE_SIDE, 0)
    return sorted({round(room * step / (_SAMPLES_ALONG - 1)) for step in range(_SAMPLES_ALONG)})
