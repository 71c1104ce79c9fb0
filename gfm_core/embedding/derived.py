"""The groups that are made from stored ones while a map is made: `indices` and `prototypes`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from gfm_core.embedding.map_grid import Chosen, MapFeatures, MapGrid
from gfm_core.features.groups import Column
from gfm_core.features.indices import Index, index_columns, index_values
from gfm_core.features.prototypes import Prototypes
from gfm_core.raster.frame import Region


@dataclass(frozen=True)
class DerivedFeatures:
    """`groups` of a map's pixels: those of `base` as they are, `indices` and, once they are found, `prototypes`."""

    base: MapFeatures
    groups: tuple[str, ...]
    indices: tuple[Index, ...] = ()
    prototypes: Prototypes | None = None

    def knowing(self, prototypes: Prototypes | None) -> Self:
        """The same with the scene's prototypes."""
        return replace(self, prototypes=prototypes)

    @property
    def grid(self) -> MapGrid:
        """The map's pixels."""
        return self.base.grid

    @cached_property
    def columns(self) -> dict[str, tuple[Column, ...]]:
        """The columns of each group that is known."""
        made = {**self.base.columns}
        if self.indices:
            made["indices"] = index_columns(self.indices)
        if self.prototypes is not None:
            made["prototypes"] = self.prototypes.columns
        return {group: made[group] for group in self.groups if group in made}

    def read(self, part: Region) -> dict[str, NDArray[np.float32]]:
        """Groups as `[columns, h, w]`, NaN where absent."""
        found = self.with_derived(self.base.read(part))
        return {group: found[group] for group in self.columns}

    def read_at(self, part: Region, chosen: Chosen) -> dict[str, NDArray[np.float32]]:
        """Groups of some pixels, `[columns, n]`."""
        stored = {group: values[:, None] for group, values in self.base.read_at(part, chosen).items()}
        found = self.with_derived(stored)
        return {group: found[group][:, 0] for group in self.columns}

    def with_derived(self, stored: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        """`stored` groups `[columns, h, w]` and those that are made from them."""
        found = dict(stored)
        if self.indices:
            found["indices"] = index_values(self.indices, stored["fine"])
        if self.prototypes is not None:
            rows = {group: stored[group].reshape(len(stored[group]), -1).T for group in self.prototypes.groups}
            code = self.prototypes.of(rows)
            found["prototypes"] = code.T.reshape(code.shape[1], *stored[self.prototypes.groups[0]].shape[1:])
        return found
