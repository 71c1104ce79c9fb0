"""What raster tests share: a file's own words, made up."""

from __future__ import annotations

from typing import Any

import numpy as np

from gfm_core.raster.facts import Facts


def facts(
    names: list[str | None],
    *,
    name: str = "x.tif",
    dtype: str = "uint16",
    values: float | tuple[float, float] | list[float] = 1500.0,
    tags: dict[str, str] | None = None,
    gsd: float = 10.0,
    **more: Any,
) -> Facts:
    """What a file would say: `names` of its bands, and sample values (one number or a range for all, or one a band)."""
    count = len(names)

    def sample(index: int) -> np.ndarray[Any, Any]:
        here = values[index - 1] if isinstance(values, list) else values
        low, high = here if isinstance(here, tuple) else (here, here)
        return np.linspace(low, high, 200)

    settings: dict[str, Any] = {
        "folders": (), "dtypes": (dtype,) * count, "descriptions": tuple(names), "colours": ("undefined",) * count,
        "band_tags": ({},) * count, "scales": (1.0,) * count, "offsets": (0.0,) * count, "units": ("",) * count,
        "palette": False, **more,
    }  # fmt: skip
    return Facts(name=name, tags=tags or {}, gsd=gsd, values=sample, **settings)
