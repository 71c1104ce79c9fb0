"""The group `indices`: normalised differences of bands whose wavelength is known, a pixel's and its surroundings'.

Each is (a - b) / (|a| + |b|) of two columns of `fine`, taken back to the physical units of the sensor: what NDVI
(Rouse et al. 1974), NDWI (McFeeters 1996), MNDWI (Xu 2006), NDBI (Zha et al. 2003), NBR (Key & Benson 2006) and the red
edge's NDRE are, for whatever sensor has the bands. A shade that darkens all bands alike leaves them as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gfm_core.bands import Band, BandKind, Normalisation
from gfm_core.features.groups import PLAIN, Column, column_name

# Nanometres from, to: the band nearest to the middle has the role.
_ROLES = {
    "blue": (430, 520), "green": (520, 600), "red": (600, 690), "red edge": (690, 760), "nir": (760, 900),
    "swir 1": (1500, 1750), "swir 2": (2000, 2400),
}  # fmt: skip
_PAIRS = (
    ("nir", "red"), ("green", "nir"), ("green", "swir 1"), ("swir 1", "nir"), ("nir", "swir 2"), ("red", "green"),
    ("green", "blue"), ("nir", "red edge"), ("red edge", "red"), ("swir 1", "swir 2"),
)  # fmt: skip
_STATISTICS = ("value", "mean5")
_LEAST_SUM = 1e-4  # reflectance: what is darker has no colour


@dataclass(frozen=True, slots=True)
class SensorBands:
    """What is known of the bands behind columns of `fine`: a modality's name, number of dates, bands, normalisation."""

    modality: str
    dates: int
    bands: Sequence[Band]
    normalisation: Sequence[Normalisation]


@dataclass(frozen=True, slots=True)
class Index:
    """One normalised difference: positions of its two columns in `fine`, and how each comes back to physical units."""

    name: str
    first: int
    second: int
    first_units: Normalisation
    second_units: Normalisation

    def of(self, fine: NDArray[np.float32]) -> NDArray[np.float32]:
        """From `fine` `[columns, ...]`; NaN where a band is not known."""
        a = _physical(fine[self.first], self.first_units)
        b = _physical(fine[self.second], self.second_units)
        value = (a - b) / np.maximum(np.abs(a) + np.abs(b), np.float32(_LEAST_SUM))
        found: NDArray[np.float32] = np.clip(value, -1, 1).astype(np.float32)
        return found


def find_indices(columns: Sequence[Column], sensors: Iterable[SensorBands]) -> tuple[Index, ...]:
    """The indices that the columns of `fine` allow; none where no two bands with a role are known."""
    place = {column.name: number for number, column in enumerate(columns)}
    found = []
    for sensor in sensors:
        roles = _roles(sensor.bands)
        for number in range(sensor.dates):
            date = number if sensor.dates > 1 else None
            for statistic in _STATISTICS:
                at = {role: _place(place, sensor, date, band, statistic) for role, band in roles.items()}
                for one, other in _PAIRS:
                    a, b = at.get(one), at.get(other)
                    if a is None or b is None:
                        continue
                    name = column_name(sensor.modality, date, f"{one} - {other}", statistic)
                    units = (sensor.normalisation[roles[role]] for role in (one, other))
                    found.append(Index(name, a, b, *units))
    return tuple(found)


def index_columns(indices: Sequence[Index]) -> tuple[Column, ...]:
    """The columns of the group; they are made when they are needed and never stored."""
    return tuple(Column(item.name, PLAIN) for item in indices)


def index_values(indices: Sequence[Index], fine: NDArray[np.float32]) -> NDArray[np.float32]:
    """`[indices, ...]` from `fine` `[columns, ...]`."""
    return np.stack([item.of(fine) for item in indices])


def _roles(bands: Sequence[Band]) -> dict[str, int]:
    """Which band has which role, by wavelength."""
    found = {}
    for role, (low, high) in _ROLES.items():
        inside = [
            (abs(band.wavelength_nm - (low + high) / 2), number)
            for number, band in enumerate(bands)
            if band.kind is BandKind.OPTICAL and band.wavelength_nm is not None and low <= band.wavelength_nm < high
        ]
        if inside:
            found[role] = min(inside)[1]
    return found


def _place(place: dict[str, int], sensor: SensorBands, date: int | None, band: int, statistic: str) -> int | None:
    return place.get(column_name(sensor.modality, date, sensor.bands[band].name, statistic))


def _physical(values: NDArray[np.float32], units: Normalisation) -> NDArray[np.float32]:
    return values * np.float32(units.spread) + np.float32(units.centre)
