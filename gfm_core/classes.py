"""Classes of a map: the vocabulary that labels, heads and reports share."""

from __future__ import annotations

from dataclasses import dataclass

RGB = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class MapClass:
    """One class: `code` is the pixel value in the map (1-65535), `value` what the labels held, kept exactly."""

    code: int
    name: str
    value: str | int | float
    colour: RGB | None = None
