"""From labels to the pixels of a raster's grid: by pixel centre, in bounded memory, conflicts dropped and reported."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from pyproj.exceptions import ProjError
from rasterio.features import rasterize

from gfm_core.classes import MapClass
from gfm_core.errors import LabelError, NoOverlapError
from gfm_core.labels.categories import RasterLabels
from gfm_core.labels.pixels import ClassSampler, Found, LabelPixels
from gfm_core.labels.read import VectorLabels
from gfm_core.labels.transfer import transfer
from gfm_core.progress import stop_if_asked

BLOCK = 1024  # pixels: side of the squares that are burnt at once
_SCANNED = 4_000_000  # pixels of a class that are looked at; of a class that covers more, every n-th both ways
_LONGEST = 4096  # pixels: longer windows are not searched for a centre that a thin polygon may have missed
_FAR = 1e15  # pixels: where coordinates that the raster's CRS cannot hold are put
_VERTICES = 2_000  # polygons with more are cut to the block before they are burnt


def burn(
    labels: VectorLabels | RasterLabels,
    transform: Affine,
    crs: str | None,
    shape: tuple[int, int],
    *,
    per_class: int = 4000,
    seed: int = 0,
) -> LabelPixels:
    """The labelled pixels of a grid of `shape` (rows, columns), at most `per_class` of each class.

    A polygon takes the pixels whose centres it holds, or else the pixel it lies in; a point takes its pixel; a pixel
    takes the value of the label raster at its centre. Pixels of two classes are dropped and counted in the notes.
    Raises NoOverlapError if no label lies inside, LabelError if none is left.
    """
    sampler = ClassSampler(per_class, seed)
    if isinstance(labels, RasterLabels):
        notes = transfer(labels, transform, crs, shape, sampler)
    else:
        features, notes = _inside(_in_pixels(labels, transform, crs), labels.name, shape)
        notes += _burn_features(features, labels.name, shape, sampler, seed=seed)
    found = sampler.result()
    notes = [*labels.notes, *notes, *_conflict_notes(sampler.conflicts, labels.classes)]
    if not len(found.codes):
        raise LabelError(f"{labels.name} has no pixel of one class inside the raster ({' '.join(notes)}).")
    present = set(found.codes.tolist())
    notes += [
        f"Class {item.name!r} of {labels.name} has no pixel in the raster and is not used."
        for item in labels.classes
        if item.code not in present
    ]
    classes = tuple(item for item in labels.classes if item.code in present)
    return LabelPixels(*found, classes=classes, notes=tuple(notes))


@dataclass(frozen=True, slots=True)
class _Features:
    """Single geometries in pixel units (x = columns, y = rows), each with its class code and unit."""

    geometry: NDArray[np.object_]
    codes: NDArray[np.int32]
    units: NDArray[np.int32]

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> _Features:
        return _Features(self.geometry[chosen], self.codes[chosen], self.units[chosen])


@dataclass(frozen=True, slots=True)
class _Canvas:
    """What is the same for every block: the raster's shape, the stride of each class code, and who takes the pixels.

    Of a class with stride n only the pixels on a lattice of every n-th row and column through `phase` are looked at.
    """

    shape: tuple[int, int]
    strides: NDArray[np.int64]
    phase: tuple[int, int]
    sampler: ClassSampler


@dataclass(frozen=True, slots=True)
class _Block:
    """Pixels `[row, stop_row) x [col, stop_col)`, of which those on the lattice of `stride` through `phase` count."""

    row: int
    col: int
    stop_row: int
    stop_col: int
    stride: int
    phase: tuple[int, int]

    def lattice(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Absolute rows and columns that count."""
        row = self.row + (self.phase[0] - self.row) % self.stride
        col = self.col + (self.phase[1] - self.col) % self.stride
        return np.arange(row, self.stop_row, self.stride), np.arange(col, self.stop_col, self.stride)


def _burn_features(
    features: _Features, name: str, shape: tuple[int, int], sampler: ClassSampler, *, seed: int
) -> list[str]:
    """Give the pixels of features to `sampler`, block by block; returns notes."""
    is_area = shapely.get_type_id(features.geometry) == 3
    areas, centreless = _without_centreless(features.take(is_area), shape)
    places = _pixels_of_points(features.take(~is_area), centreless, shape)
    row, col = np.random.default_rng(seed).integers(0, 2**20, 2).tolist()
    canvas = _Canvas(shape, _class_strides(areas, places, shape, sampler.per_class), (row, col), sampler)
    loose = np.ones(len(places.codes), dtype=bool)  # points in no block that polygons touch
    tree = shapely.STRtree(areas.geometry)
    for block_row, block_col in _touched_blocks(areas, shape):
        members = np.sort(tree.query(shapely.box(block_col, block_row, block_col + BLOCK, block_row + BLOCK)))
        near = loose & (places.rows // BLOCK == block_row // BLOCK) & (places.cols // BLOCK == block_col // BLOCK)
        loose &= ~near
        _burn_block(canvas, (block_row, block_col), areas.take(members), places.take(near))
    _add_points(places.take(loose), sampler)
    if not len(centreless.codes):
        return []
    return [f"Polygons of {name} that hold no pixel's centre and take the pixel they lie in: {len(centreless.codes)}."]


def _in_pixels(labels: VectorLabels, transform: Affine, crs: str | None) -> _Features:
    """Geometries on the raster's grid; those that its CRS cannot hold are moved far outside."""
    frame: gpd.GeoDataFrame = labels.frame
    if frame.crs is not None and crs is not None:
        try:
            frame = frame.to_crs(crs)
        except (ProjError, ValueError) as error:
            raise LabelError(
                f"{labels.name} cannot be brought from its CRS to the raster's ({error}); reproject it first."
            ) from error
    inverse = ~transform

    def to_pixels(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        cols, rows = inverse * (xy[:, 0], xy[:, 1])
        pixels: NDArray[np.float64] = np.nan_to_num(np.column_stack([cols, rows]), nan=-_FAR, posinf=_FAR, neginf=-_FAR)
        return pixels

    geometry = shapely.transform(np.asarray(frame.geometry.array, dtype=object), to_pixels)
    return _Features(geometry, frame["code"].to_numpy(np.int32), frame["unit"].to_numpy(np.int32))


def _inside(features: _Features, name: str, shape: tuple[int, int]) -> tuple[_Features, list[str]]:
    """The geometries that touch the raster, and notes on labels that do not, or that its edge cuts."""
    ground = shapely.box(0, 0, shape[1], shape[0])
    shapely.prepare(ground)
    touches, covered = shapely.intersects(ground, features.geometry), shapely.covers(ground, features.geometry)
    units = np.unique(features.units)
    inside, whole = np.unique(features.units[touches]), np.setdiff1d(units, features.units[~covered])
    if not len(inside):
        raise NoOverlapError(
            f"No label of {name} lies inside the raster; give labels of its ground, and check their CRS."
        )
    notes = []
    if len(inside) < len(units):
        notes.append(f"Labels of {name} outside the raster: {len(units) - len(inside)} of {len(units)}.")
    cut = len(inside) - len(whole)
    if cut:
        notes.append(f"Labels of {name} partly outside the raster, used where inside: {cut} of {len(units)}.")
    return features.take(touches), notes


def _windows(geometry: NDArray[np.object_], shape: tuple[int, int]) -> NDArray[np.int64]:
    """`[n, 4]`: first row, first column, stop row, stop column of the pixels that each geometry's bounds touch."""
    left, top, right, bottom = shapely.bounds(geometry).reshape(-1, 4).T
    limits = np.array([shape[0], shape[1], shape[0], shape[1]])
    windows = np.stack([np.floor(top), np.floor(left), np.ceil(bottom), np.ceil(right)], axis=1)
    clipped: NDArray[np.int64] = np.clip(windows, 0, limits).astype(np.int64)
    return clipped


def _without_centreless(areas: _Features, shape: tuple[int, int]) -> tuple[_Features, _Features]:
    """Polygons that hold a pixel's centre, and those that hold none."""
    # A polygon around no centre holds no circle of half a pixel's diagonal, and no area exceeds perimeter times the
    # radius of the largest circle inside: all others need no look.
    thin = shapely.area(areas.geometry) <= 0.75 * shapely.length(areas.geometry)
    centreless = np.zeros(len(thin), dtype=bool)
    windows = _windows(areas.geometry, shape)
    for index in np.flatnonzero(thin):
        row, col, stop_row, stop_col = windows[index].tolist()
        # The whole bounds, also where the raster's edge cuts them: a centre outside is a centre.
        left, top, right, bottom = np.floor(areas.geometry[index].bounds).astype(np.int64).tolist()
        if right - left < _LONGEST and bottom - top < _LONGEST and stop_row > row and stop_col > col:
            held = _raster(
                [(areas.geometry[index], 1)], (bottom - top + 1, right - left + 1), Affine.translation(left, top)
            )
            centreless[index] = not held.any()
    return areas.take(~centreless), areas.take(centreless)


def _pixels_of_points(points: _Features, centreless: _Features, shape: tuple[int, int]) -> Found:
    """Pixels of points, and of a point inside each polygon that holds no centre."""
    inner = shapely.point_on_surface(centreless.geometry)
    geometry = np.concatenate([points.geometry, inner])
    codes = np.concatenate([points.codes, centreless.codes])
    units = np.concatenate([points.units, centreless.units])
    cols = np.floor(shapely.get_x(geometry)).astype(np.int64)
    rows = np.floor(shapely.get_y(geometry)).astype(np.int64)
    inside = (rows >= 0) & (cols >= 0) & (rows < shape[0]) & (cols < shape[1])
    return Found(rows[inside], cols[inside], codes[inside], units[inside])


def _class_strides(areas: _Features, places: Found, shape: tuple[int, int], per_class: int) -> NDArray[np.int64]:
    """By class code: every how many-th pixel is looked at, a power of two, so that lattices lie within each other."""
    row, col, stop_row, stop_col = _windows(areas.geometry, shape).T.astype(np.float64)
    pixels = np.minimum(shapely.area(areas.geometry), (stop_row - row) * (stop_col - col))
    a_class = np.bincount(areas.codes, weights=pixels, minlength=int(places.codes.max(initial=0)) + 1)
    excess = np.maximum(a_class / max(_SCANNED, 64 * per_class), 1.0)
    return 2 ** np.ceil(np.log2(excess) / 2).astype(np.int64)


def _touched_blocks(areas: _Features, shape: tuple[int, int]) -> list[tuple[int, int]]:
    """First row and column of the blocks that the polygons' bounds touch, in order."""
    touched: set[tuple[int, int]] = set()
    windows = np.unique(_windows(areas.geometry, shape), axis=0)
    for row, col, stop_row, stop_col in windows.tolist():
        for block_row in range(row // BLOCK * BLOCK, stop_row, BLOCK):
            touched.update((block_row, block_col) for block_col in range(col // BLOCK * BLOCK, stop_col, BLOCK))
    return sorted(touched)


def _block(canvas: _Canvas, corner: tuple[int, int], areas: _Features, places: Found) -> _Block:
    """The part of the block at `corner` that its labels need. Points are looked at one by one: every pixel."""
    windows = _windows(areas.geometry, canvas.shape)
    at = np.stack([places.rows, places.cols], axis=1)
    first = np.concatenate([windows[:, :2], at]).min(axis=0).tolist()
    stop = np.concatenate([windows[:, 2:], at + 1]).max(axis=0).tolist()
    return _Block(
        max(corner[0], first[0]),
        max(corner[1], first[1]),
        min(corner[0] + BLOCK, stop[0]),
        min(corner[1] + BLOCK, stop[1]),
        stride=1 if len(places.codes) else int(canvas.strides[areas.codes].min()),
        phase=canvas.phase,
    )


def _burn_block(canvas: _Canvas, corner: tuple[int, int], areas: _Features, places: Found) -> None:
    """Burn twice, in both orders of the classes: where the results differ, two classes claim the pixel."""
    stop_if_asked()
    block = _block(canvas, corner, areas, places)
    rows, cols = block.lattice()
    if not len(rows) or not len(cols):
        return
    areas = areas.take(np.lexsort((areas.units, areas.codes)))
    # Centre (i + 0.5) of a lattice pixel is the centre of the raster's pixel row + i * stride.
    grid = Affine.translation(cols[0] + 0.5 - block.stride / 2, rows[0] + 0.5 - block.stride / 2)
    grid = grid @ Affine.scale(block.stride)
    shapes = [(_cut(item, block), number) for number, item in enumerate(areas.geometry, start=1)]
    shapes = [pair for pair in shapes if not shapely.is_empty(pair[0])]
    highest = _raster(shapes, (len(rows), len(cols)), grid)
    several = len(np.unique(areas.codes)) > 1
    lowest = _raster(shapes[::-1], (len(rows), len(cols)), grid) if several else highest
    codes = np.concatenate([np.zeros(1, np.int32), areas.codes])  # [0]: no label
    units = np.concatenate([np.zeros(1, np.int32), areas.units])[highest]
    high, low = codes[highest], codes[lowest]
    if len(places.codes):
        at = places.rows - block.row, places.cols - block.col
        low[low == 0] = np.iinfo(np.int32).max
        np.maximum.at(high, at, places.codes)
        np.minimum.at(low, at, places.codes)
        units[at] = places.units
    looked_at = _on_class_lattice(rows, cols, high, canvas)
    if len(places.codes):
        looked_at[at] = True  # a point was meant, also where its class has pixels in plenty
    taken = (high > 0) & looked_at
    conflict = taken & (high != low)
    _count_conflicts(low[conflict], high[conflict], block.stride, canvas.sampler)
    row_at, col_at = np.nonzero(taken & ~conflict)
    canvas.sampler.add(Found(rows[row_at], cols[col_at], high[row_at, col_at], units[row_at, col_at]))


def _on_class_lattice(
    rows: NDArray[np.int64], cols: NDArray[np.int64], codes: NDArray[np.int32], canvas: _Canvas
) -> NDArray[np.bool_]:
    """Whether each pixel is one that its class looks at: a block's stride is the finest of its classes'."""
    stride = canvas.strides[codes]
    rows_fit = (rows[:, None] - canvas.phase[0]) % stride == 0
    on_lattice: NDArray[np.bool_] = rows_fit & ((cols[None, :] - canvas.phase[1]) % stride == 0)
    return on_lattice


def _add_points(places: Found, sampler: ClassSampler) -> None:
    """Points that no polygon is near: one entry a pixel, unless its points disagree."""
    order = np.lexsort((places.units, places.codes, places.cols, places.rows))
    places = places.take(order)
    if not len(order):
        return
    new = np.ones(len(order), dtype=bool)
    new[1:] = (np.diff(places.rows) != 0) | (np.diff(places.cols) != 0)
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(order)) - 1
    same = places.codes[first] == places.codes[last]
    _count_conflicts(places.codes[first[~same]], places.codes[last[~same]], 1, sampler)
    sampler.add(places.take(first[same]))


def _raster(shapes: list[tuple[shapely.Geometry, int]], shape: tuple[int, int], grid: Affine) -> NDArray[np.int32]:
    """GDAL's own rule, by pixel centre; later shapes lie on top."""
    if not shapes:
        return np.zeros(shape, np.int32)
    burnt: NDArray[np.int32] = rasterize(shapes, out_shape=shape, transform=grid, dtype="int32")
    return burnt


def _cut(geometry: shapely.Geometry, block: _Block) -> shapely.Geometry:
    """A polygon of many vertices cut to a block with some margin, so that each block pays for its own part only."""
    if shapely.get_num_coordinates(geometry) <= _VERTICES:
        return geometry
    margin = block.stride + 1
    return shapely.clip_by_rect(
        geometry, block.col - margin, block.row - margin, block.stop_col + margin, block.stop_row + margin
    )


def _count_conflicts(low: NDArray[np.int32], high: NDArray[np.int32], stride: int, sampler: ClassSampler) -> None:
    pairs, counts = np.unique(np.stack([low, high], axis=1), axis=0, return_counts=True)
    for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
        sampler.conflicts[pair[0], pair[1]] += count * stride**2


def _conflict_notes(conflicts: Counter[tuple[int, int]], classes: tuple[MapClass, ...]) -> list[str]:
    if not conflicts:
        return []
    names = {item.code: item.name for item in classes}
    listed = [f"{names[low]!r} and {names[high]!r} {count}" for (low, high), count in conflicts.most_common(10)]
    more = f" and {len(conflicts) - 10} more pairs" if len(conflicts) > 10 else ""
    return [f"Pixels with labels of two classes, not used: {conflicts.total()} ({', '.join(listed)}{more})."]
