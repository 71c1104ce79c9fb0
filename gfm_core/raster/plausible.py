"""Whether the numbers of a raster can be what they are taken for: wrong scale, wrong order of bands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gfm_core.bands import Band, BandKind, Normalisation
from gfm_core.raster.normalise import sampled
from gfm_core.raster.source import Source
from gfm_core.raster.stack import Stack, every_source

_LEAST_PIXELS = 200
# Physical units and where half of a scene's pixels can lie; wide, for a false alarm costs trust.
_PLAUSIBLE = {
    BandKind.OPTICAL: ("reflectance", 0.0005, 1.05), BandKind.SAR: ("backscatter in dB", -45.0, 8.0),
    BandKind.ELEVATION: ("elevation in metres", -450.0, 8900.0), BandKind.THERMAL: ("kelvin", 180.0, 360.0),
}  # fmt: skip
# Between these lies what ground reflects; outside, and in the bands of water vapour, it is the air.
_GROUND_NM = ((450.0, 900.0), (1000.0, 1330.0), (1450.0, 2400.0))
_LEAST_BANDS = 4
# Mean deviations from the sensor's typical land, in spreads. Of 84 real rasters none would fit better by more than .13
# in another order of their bands; of those shuffled, 59 % are noticed. Snow and cloud fit in no order.
_BETTER, _FITS = 0.25, 1.5


def doubts(stack: Stack) -> tuple[str, ...]:
    """A sentence for each source whose numbers are not plausible for its bands; none where all is well."""
    found = []
    for modality in stack.modalities:
        for source in every_source(modality):
            constants = tuple(
                own or shared for own, shared in zip(source.normalisation, modality.normalisation, strict=True)
            )
            # Only numbers with a physical meaning can be implausible: others are not read.
            meant = (
                band.kind in _PLAUSIBLE and not one.fitted for band, one in zip(modality.bands, constants, strict=True)
            )
            values = _sample(source, len(modality.bands)) if any(meant) else None
            if values is None:
                continue
            physical = _physical(values, constants)
            found += _scale_doubts(source.name, modality.bands, physical)
            found += _order_doubts(source.name, modality.bands, physical, constants)
    return tuple(found)


def _sample(source: Source, bands: int) -> NDArray[np.float64] | None:
    """Pixels valid in all bands, `[bands, n]`, from the windows that normalisation is fitted on; None if too few."""
    parts = [
        pixels[:, np.broadcast_to(valid, pixels.shape).all(axis=0)]
        for pixels, valid in sampled(source, tuple(range(bands)))
    ]
    values = np.concatenate(parts, axis=1).astype(np.float64)
    return values if values.shape[1] >= _LEAST_PIXELS else None


def _physical(values: NDArray[np.float64], constants: Sequence[Normalisation]) -> NDArray[np.float64]:
    """In physical units; NaN for bands whose normalisation was fitted, for these have none."""
    found = np.full_like(values, np.nan)
    for number, constant in enumerate(constants):
        if not constant.fitted:
            found[number] = values[number] * constant.scale + constant.offset
    return found


def _scale_doubts(name: str, bands: Sequence[Band], physical: NDArray[np.float64]) -> list[str]:
    """The middle pixel of all bands of a kind lies where no ground does."""
    found = []
    for kind, (units, low, high) in _PLAUSIBLE.items():
        own = [number for number, band in enumerate(bands) if band.kind is kind and np.isfinite(physical[number]).all()]
        if not own:
            continue
        told = physical[own][:, (physical[own] != 0).any(axis=0)]  # a black edge that no nodata value declares
        middle = float(np.median(told)) if told.size else 0.0
        if told.size and not low <= middle <= high:
            found.append(
                f"{name}: the numbers of {bands[own[0]].name} come to a middle of {middle:.3g} as {units}, which no "
                f"ground has; check its scale and what it is taken for (gfm info)."
            )
    return found


def _order_doubts(
    name: str, bands: Sequence[Band], physical: NDArray[np.float64], constants: Sequence[Normalisation]
) -> list[str]:
    """The middle values of the bands are those of land, but in another order than the bands."""
    from scipy.optimize import linear_sum_assignment

    own = [
        number
        for number, band in enumerate(bands)
        if band.kind is BandKind.OPTICAL and _sees_ground(band) and np.isfinite(physical[number]).all()
    ]
    if len(own) < _LEAST_BANDS:
        return []
    middles = np.median(physical[own], axis=1)
    typical = np.array([(constants[number].centre, constants[number].spread) for number in own])
    apart = np.abs(middles[:, None] - typical[:, 0]) / typical[:, 1]
    values, places = linear_sum_assignment(apart)
    best = float(apart[values, places].mean())
    if best > _FITS or float(np.diag(apart).mean()) - best <= _BETTER:
        return []
    wrong = next(int(value) for value, place in zip(values, places, strict=True) if value != place)
    seems = bands[own[int(places[wrong])]].name
    return [
        f"{name}: the bands look as if they were in another order (what is taken for {bands[own[wrong]].name} looks "
        f"like {seems}); check them with gfm info, and name the bands in the file."
    ]


def _sees_ground(band: Band) -> bool:
    wavelength = band.wavelength_nm or 0.0
    return any(low <= wavelength <= high for low, high in _GROUND_NM)
