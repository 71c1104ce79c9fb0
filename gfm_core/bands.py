"""What a band is: the vocabulary that files, model and heads share. No files, no tensors."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from gfm_core.errors import InputError


class BandKind(StrEnum):
    """What a band measures; it decides how the network reads the numbers."""

    OPTICAL = "optical"
    THERMAL = "thermal"
    SAR = "sar"
    ELEVATION = "elevation"
    INDEX = "index"
    MAP = "map"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Band:
    """One channel of a sensor. `wavelength_nm` is the centre, None unless optical or thermal and known."""

    name: str
    kind: BandKind
    wavelength_nm: float | None = None

    def __post_init__(self) -> None:
        if self.wavelength_nm is not None and not 100 <= self.wavelength_nm <= 1_000_000:
            raise InputError(f"Band {self.name} has a wavelength of {self.wavelength_nm} nm; give it in nanometres.")


@dataclass(frozen=True, slots=True)
class Normalisation:
    """How stored numbers become the network's units: `(value * scale + offset - centre) / spread`.

    `scale` and `offset` lead to physical units (reflectance, dB, metres); `centre` and `spread` are fixed for known
    sensors and fitted once for others, then stored with every result and reused, never refitted. `fitted` says which.
    """

    scale: float = 1.0
    offset: float = 0.0
    centre: float = 0.0
    spread: float = 1.0
    fitted: bool = False

    def linear(self) -> tuple[float, float]:
        """The same as `(factor, constant)`: `value * factor + constant`."""
        return self.scale / self.spread, (self.offset - self.centre) / self.spread

    def to_dict(self) -> dict[str, Any]:
        """Plain values for tags and headers."""
        return asdict(self)
