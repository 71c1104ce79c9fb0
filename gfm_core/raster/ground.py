"""Where things lie: CRS questions answered by pyproj, rectangles carried from one CRS to another."""

from __future__ import annotations

import math
from functools import lru_cache

from affine import Affine
from pyproj import CRS, Transformer

from gfm_core.errors import InputError, ParameterError
from gfm_core.grid import Bounds

_EDGE_POINTS = 21  # along each edge of a rectangle, so that curved edges stay inside the result


@lru_cache(maxsize=256)
def as_crs(text: str) -> CRS:
    """A CRS from WKT, PROJ text or `EPSG:N`; raises `ParameterError` if it is none."""
    try:
        return CRS.from_user_input(text)
    except Exception as error:  # pyproj's own errors share no public base
        raise ParameterError(f"crs {text!r} is not a CRS; give one such as EPSG:32633.") from error


@lru_cache(maxsize=256)
def same_crs(first: str, second: str) -> bool:
    """Whether two CRS texts mean the same place, whatever their names and axis order."""
    return first == second or bool(as_crs(first).equals(as_crs(second), ignore_axis_order=True))


@lru_cache(maxsize=256)
def is_metric(crs: str) -> bool:
    """Whether the CRS is projected and counts in metres."""
    parsed = as_crs(crs)
    return bool(parsed.is_projected) and all(axis.unit_conversion_factor == 1.0 for axis in parsed.axis_info[:2])


@lru_cache(maxsize=256)
def transformer(source: str, target: str) -> Transformer:
    """Coordinates from `source` to `target`, always x before y."""
    return Transformer.from_crs(as_crs(source), as_crs(target), always_xy=True)


def transform_bounds(bounds: Bounds, source: str, target: str) -> Bounds:
    """The rectangle in `target` around `bounds`; raises `InputError` where the CRS cannot reach."""
    if same_crs(source, target):
        return bounds
    xs, ys = [], []
    for step in range(_EDGE_POINTS):
        part = step / (_EDGE_POINTS - 1)
        x = bounds.left + part * (bounds.right - bounds.left)
        y = bounds.bottom + part * (bounds.top - bounds.bottom)
        xs += [x, x, bounds.left, bounds.right]
        ys += [bounds.bottom, bounds.top, y, y]
    new_xs, new_ys = transformer(source, target).transform(xs, ys)
    if not all(map(math.isfinite, (*new_xs, *new_ys))):
        raise InputError(
            f"The rectangle {bounds.as_tuple()} has no place in {as_crs(target).name}; choose another CRS with --crs."
        )
    return Bounds(min(new_xs), min(new_ys), max(new_xs), max(new_ys))


def utm_crs(bounds: Bounds, crs: str) -> str:
    """WKT of the UTM zone (polar stereographic beyond 84° N and 80° S) at the centre of `bounds`."""
    x, y = (bounds.left + bounds.right) / 2, (bounds.bottom + bounds.top) / 2
    lon, lat = transformer(crs, "EPSG:4326").transform(x, y)
    if lat > 84 or lat < -80:
        return as_crs("EPSG:5041" if lat > 0 else "EPSG:5042").to_wkt()
    zone = int((lon + 180) % 360 // 6) + 1
    return as_crs(f"EPSG:{(32600 if lat >= 0 else 32700) + zone}").to_wkt()


def pixel_size_in(crs: str, transform: Affine, shape: tuple[int, int], source_crs: str) -> float:
    """Side in `crs` of a square as large as the raster's centre pixel, rounded to 3 significant digits."""
    row, col = shape[0] / 2, shape[1] / 2
    corners = [transform * (col + dx, row + dy) for dx, dy in ((-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5))]
    xs, ys = transformer(source_crs, crs).transform([x for x, _ in corners], [y for _, y in corners])
    across = complex(xs[1] - xs[0], ys[1] - ys[0])
    down = complex(xs[2] - xs[0], ys[2] - ys[0])
    return float(f"{math.sqrt(abs((across.conjugate() * down).imag)):.3g}")
