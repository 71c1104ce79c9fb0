"""Label files made for the tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
from shapely.geometry import box

MakeLayer = Callable[..., Path]


@pytest.fixture
def make_layer(tmp_path: Path) -> MakeLayer:
    """Writes features with a field `class` (boxes side by side where no geometry is given)."""

    def make(
        values: Sequence[Any],
        geometry: Sequence[Any] | None = None,
        *,
        name: str = "labels.gpkg",
        crs: str | None = "EPSG:32633",
        field: str = "class",
        **fields: Sequence[Any],
    ) -> Path:
        shapes = geometry or [box(10 * i, 0, 10 * i + 10, 10) for i in range(len(values))]
        frame = gpd.GeoDataFrame({field: list(values), **fields}, geometry=list(shapes), crs=crs)
        frame.to_file(tmp_path / name)
        return tmp_path / name

    return make
