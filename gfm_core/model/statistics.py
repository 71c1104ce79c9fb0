"""What a cell's pixels are, in numbers: a 4 x 4 patch and local means and deviations, over valid pixels only.

Everything here is a sum in one fixed order: a box of 2**k + 1 pixels is added by doubling, a patch pixel by pixel. So a
cell's numbers depend, to the bit, on nothing but the pixels around it: not on the array, the tile or the batch that
they came in, and not on what stands in invalid pixels. Training, embedding and the heads' own groups all call these
functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gfm_core.bands import Band, BandKind
from gfm_core.errors import ParameterError, ShapeError

STATISTIC_WINDOWS = (3, 5, 9, 17, 33, 65)  # native pixels
PATCH_SIDE = 4

RELIEF_WINDOW = 65  # native pixels
_RELIEF_SPREAD = 20.0  # metres: typical height above the surroundings
_SLOPE_SPREAD = 0.2  # metres per metre

_BLOCK_SIDE = 448  # pixels of a block that is worked on at once, margins included: 1.6 MB a float64 array
_SAME = 1e-12  # a variance below this share of the mean square is rounding: the pixels are all equal


@dataclass(frozen=True, slots=True)
class CellStatistics:
    """Numbers of every cell, date and band of one modality, float32, 0 where absent.

    `patch` `[T, C, n_r, n_c, 4, 4]`, `mean` and `sd` `[T, C, n_r, n_c, 1 + windows]` with the patch's own mean and
    deviation first; `present` `[T, C, n_r, n_c]`: True = at least half of the patch's pixels inside the raster are
    valid.
    """

    patch: Tensor
    mean: Tensor
    sd: Tensor
    present: Tensor


def margin_pixels(bands: Sequence[Band], windows: Sequence[int] = STATISTIC_WINDOWS) -> int:
    """Pixels that must be read around the cells so that no box is cut: relief needs a box within every box."""
    margin = max(windows) // 2
    return margin + RELIEF_WINDOW // 2 if any(band.kind is BandKind.ELEVATION for band in bands) else margin


def hide(valid: Tensor, rows: NDArray[np.integer], cols: NDArray[np.integer], hidden: Tensor) -> Tensor:
    """`valid` `[..., H, W]` without the pixels of the `hidden` cells `[n_r, n_c]` (True = hidden); a new tensor.

    `rows` and `cols` are the pixel spans of the cells, as in `cell_statistics`. A pixel coarser than the cells belongs
    to several: it is hidden with any of them.
    """
    height, width = valid.shape[-2:]
    in_row, in_col = _membership(rows, height, valid.device), _membership(cols, width, valid.device)
    wanted = hidden.to(device=valid.device, dtype=torch.float32)
    covered = in_row.T @ wanted @ in_col > 0
    return valid & ~covered


def derive(pixels: Tensor, valid: Tensor, bands: Sequence[Band], gsd: float) -> tuple[Tensor, Tensor, tuple[Band, ...]]:
    """Bands as the network reads them: an elevation band becomes two, relief and slope; the others stay as they are.

    `pixels` `[T, C, H, W]` hold metres in elevation bands. Relief is the height above the mean of 65 x 65 valid pixels
    in units of 20 m, slope the steepness in units of 0.2 m/m. `gsd` is in metres. Call it *after* hiding.
    """
    if pixels.shape[1] != len(bands):
        raise ShapeError(f"pixels have {pixels.shape[1]} bands but {len(bands)} are named; give one Band a channel.")
    if not any(band.kind is BandKind.ELEVATION for band in bands):
        return pixels, valid, tuple(bands)
    planes: list[Tensor] = []
    masks: list[Tensor] = []
    names: list[Band] = []
    for channel, band in enumerate(bands):
        plane, mask = pixels[:, channel], valid[:, channel]
        if band.kind is BandKind.ELEVATION:
            planes += [_relief(plane, mask), _slope(plane, mask, gsd)]
            masks += [mask, mask]
            names += [Band(f"{band.name} relief", band.kind), Band(f"{band.name} slope", band.kind)]
        else:
            planes.append(plane)
            masks.append(mask)
            names.append(band)
    return torch.stack(planes, dim=1), torch.stack(masks, dim=1), tuple(names)


def box_statistics(pixels: Tensor, valid: Tensor, windows: Sequence[int] = STATISTIC_WINDOWS) -> tuple[Tensor, Tensor]:
    """Mean and deviation of the valid pixels in boxes centred on every pixel.

    `pixels`, `valid` `[T, C, H, W]` → two float32 `[T, C, len(windows), H, W]`, 0 where a box holds no valid pixel.
    What lies outside the array is invalid. `windows` are side lengths of the form 2**k + 1; others raise
    `ParameterError`.
    """
    height, width = pixels.shape[-2:]
    block = _block(pixels.flatten(0, 1), valid.flatten(0, 1), (0, height), (0, width), max(windows) // 2)
    parts = [torch.stack(pair) for pair in _boxes(block, windows)]
    stacked = torch.stack(parts, dim=2).to(torch.float32)  # [2, T * C, windows, H, W]
    mean, sd = stacked.view(2, *pixels.shape[:2], len(windows), height, width)
    return mean, sd


def cell_statistics(
    pixels: Tensor,
    valid: Tensor,
    inside: Tensor,
    rows: NDArray[np.integer],
    cols: NDArray[np.integer],
    *,
    windows: Sequence[int] = STATISTIC_WINDOWS,
) -> CellStatistics:
    """Statistics of every cell of one modality.

    `pixels` float and `valid` bool `[T, C, H, W]`, normalised and derived; `inside` bool `[H, W]`: True = the pixel
    lies in the raster. `rows` `[n_r, 2]` and `cols` `[n_c, 2]` are first and stop pixel of each cell row and column.
    Memory beyond the arguments is bounded by the pixels of one cell or a few megabytes, whichever is more.
    """
    if valid.shape != pixels.shape or inside.shape != pixels.shape[-2:]:
        raise ShapeError(
            f"pixels {list(pixels.shape)}, valid {list(valid.shape)} and inside {list(inside.shape)} do not fit; "
            f"give [T, C, H, W] twice and [H, W]."
        )
    times, channels = pixels.shape[:2]
    flat, mask = pixels.flatten(0, 1), valid.flatten(0, 1)
    table = torch.zeros((len(flat), len(rows), len(cols), PATCH_SIDE**2 + 2 * len(windows) + 3))
    for band, row, col in _cell_blocks(len(flat), rows, cols, max(windows) // 2):
        table[band, row, col] = _block_statistics(flat[band], mask[band], inside, rows[row], cols[col], windows=windows)
    every = table.view(times, channels, len(rows), len(cols), -1).to(pixels.device)
    wide = len(windows) + 1
    patch, mean, sd, present = torch.split(every, [PATCH_SIDE**2, wide, wide, 1], dim=-1)
    square = patch.reshape(*patch.shape[:-1], PATCH_SIDE, PATCH_SIDE)
    return CellStatistics(patch=square, mean=mean, sd=sd, present=present.squeeze(-1) > 0)


# ---- Blocks of cells ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Block:
    """Planes in float64 with a margin of zeros or neighbours; `values` are 0 where invalid.

    `whole`: every pixel, margin included, is valid, so that counts need no summing.
    """

    values: Tensor  # [P, h + 2 * margin, w + 2 * margin]
    weights: Tensor  # [P, h + 2 * margin, w + 2 * margin], 1 = valid
    margin: int
    whole: bool

    def core(self, field: Tensor) -> Tensor:
        """A field of the block without its margin."""
        height, width = field.shape[-2:]
        return field[..., self.margin : height - self.margin, self.margin : width - self.margin]


def _block(pixels: Tensor, valid: Tensor, row_span: tuple[int, int], col_span: tuple[int, int], margin: int) -> _Block:
    """Cut pixels `[P, H, W]` to the spans and `margin` around them, zeros outside the array."""
    height, width = pixels.shape[-2:]
    top, bottom = row_span[0] - margin, row_span[1] + margin
    left, right = col_span[0] - margin, col_span[1] + margin
    rows, cols = slice(max(top, 0), min(bottom, height)), slice(max(left, 0), min(right, width))
    pad = (cols.start - left, right - cols.stop, rows.start - top, bottom - rows.stop)
    mask = valid[:, rows, cols]
    # where, not a product: what stands in an invalid pixel may be NaN.
    values = torch.where(mask, pixels[:, rows, cols], 0).to(torch.float64)
    whole = not any(pad) and bool(mask.all())
    weights = mask.to(torch.float64)
    if any(pad):
        values, weights = torch.nn.functional.pad(values, pad), torch.nn.functional.pad(weights, pad)
    return _Block(values, weights, margin, whole)


def _cell_blocks(
    planes: int, rows: NDArray[np.integer], cols: NDArray[np.integer], margin: int
) -> Iterator[tuple[slice, slice, slice]]:
    """Split bands, cell rows and cell columns so that a block holds about `_BLOCK_SIDE`**2 pixels, and at least one
    cell."""
    row_step, height = _cells_a_block(rows, margin)
    col_step, width = _cells_a_block(cols, margin)
    plane_step = max(1, _BLOCK_SIDE**2 // (height * width))
    for plane in range(0, planes, plane_step):
        for row in range(0, len(rows), row_step):
            for col in range(0, len(cols), col_step):
                yield slice(plane, plane + plane_step), slice(row, row + row_step), slice(col, col + col_step)


def _cells_a_block(spans: NDArray[np.integer], margin: int) -> tuple[int, int]:
    """Cells that a block takes along one axis, and its pixels there with the margins."""
    pixels = float(spans[:, 1].max() - spans[:, 0].min()) / len(spans)  # a cell; below 1 where cells share a pixel
    cells = min(max(1, int((_BLOCK_SIDE - 2 * margin) / pixels)), len(spans))
    return cells, int(cells * pixels) + 2 * margin


def _block_statistics(
    pixels: Tensor,
    valid: Tensor,
    inside: Tensor,
    rows: NDArray[np.integer],
    cols: NDArray[np.integer],
    *,
    windows: Sequence[int],
) -> Tensor:
    """`[P, n_r, n_c, 16 + 2 * (1 + windows) + 1]` float32: patch, means, deviations, present."""
    row_span = int(rows[:, 0].min()), int(rows[:, 1].max())
    col_span = int(cols[:, 0].min()), int(cols[:, 1].max())
    block = _block(pixels, valid, row_span, col_span, max(windows) // 2)
    cells = _Cells.of(rows - row_span[0], cols - col_span[0], pixels.device)
    values, weights = block.core(block.values), block.core(block.weights)
    here = inside[row_span[0] : row_span[1], col_span[0] : col_span[1]].to(torch.float64)
    counted = cells.total(weights)
    divisor = counted.clamp_min(1)
    means, deviations = [], []
    mean, sd = _moments(cells.total(values), cells.total(values * values), divisor)
    means.append(mean)
    deviations.append(sd)
    for box_mean, box_sd in _boxes(block, windows):
        means.append(cells.total(box_mean * weights) / divisor)
        deviations.append(cells.total(box_sd * weights) / divisor)
    present = (counted >= 1) & (2 * counted >= cells.total(here.unsqueeze(0)))
    columns = [cells.patch(values, weights, mean), torch.stack(means, -1), torch.stack(deviations, -1)]
    every = torch.cat(columns, dim=-1) * present.unsqueeze(-1)
    return torch.cat([every, present.unsqueeze(-1).to(torch.float64)], dim=-1).to(torch.float32).cpu()


# ---- Sums in a fixed order ------------------------------------------------------------------------------------------


def _boxes(block: _Block, windows: Sequence[int]) -> Iterator[tuple[Tensor, Tensor]]:
    """Mean and deviation `[P, h, w]` of each window's box around each pixel of the block's core."""
    fields = [block.values, block.values * block.values]
    stacked = torch.stack(fields if block.whole else [*fields, block.weights])
    for window, sums in zip(windows, _box_sums(stacked, windows, block.margin), strict=True):
        counted = sums[2] if len(sums) > 2 else torch.tensor(float(window * window), dtype=torch.float64)
        yield _moments(sums[0], sums[1], counted.clamp_min(1))


def _moments(total: Tensor, squares: Tensor, counted: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation from sums; equal values give exactly 0, so that a constant band stays constant."""
    mean = total / counted
    mean_square = squares / counted
    variance = mean_square - mean * mean
    return mean, torch.where(variance > _SAME * mean_square, variance, 0).sqrt()


def _box_sums(field: Tensor, windows: Sequence[int], margin: int) -> Iterator[Tensor]:
    """Sums of `field` `[..., h + 2 * margin, w + 2 * margin]` over boxes centred on the core's pixels, `[..., h, w]`.

    A run of 2**k pixels is two runs of half its length; a box of 2**k + 1 is such a run and one more pixel. Every sum
    is therefore the same tree of additions wherever the pixel lies in the array.
    """
    height, width = field.shape[-2] - 2 * margin, field.shape[-1] - 2 * margin
    run, length = field, 1
    for window in windows:
        half = window // 2
        if window < 3 or window % 2 == 0 or half & (half - 1) or length > half:
            raise ParameterError(f"windows cannot be {tuple(windows)}; use rising side lengths 2**k + 1: 3, 5, 9, ...")
        while length < 2 * half:
            run = run[..., : run.shape[-1] - length] + run[..., length:]
            length *= 2
        rows = slice(margin - half, margin + height + half)
        left = margin - half
        strip = run[..., rows, left : left + width] + field[..., rows, margin + half : margin + half + width]
        column, tall = strip, 1
        while tall < 2 * half:
            column = column[..., : column.shape[-2] - tall, :] + column[..., tall:, :]
            tall *= 2
        yield column[..., :height, :] + strip[..., 2 * half :, :]


@dataclass(frozen=True, slots=True)
class _Axis:
    """Which pixels a bin takes along one axis, and how much of each: `[k, bins]`, weight 0 = a filler."""

    index: Tensor
    weight: Tensor
    plain: bool  # all weights are 1

    def total(self, field: Tensor) -> Tensor:
        """Sums of `field` `[..., H, W]` down its rows, `[..., bins, W]`, one pixel after the other."""
        result = field.index_select(-2, self.index[0])
        if not self.plain:
            result = result * self.weight[0].unsqueeze(-1)
        for index, weight in zip(self.index[1:], self.weight[1:], strict=True):
            part = field.index_select(-2, index)
            result = result + (part if self.plain else part * weight.unsqueeze(-1))
        return result


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cells of a block: how pixels add up to a whole patch, and to its 4 x 4 parts."""

    row: _Axis
    col: _Axis
    row_parts: _Axis
    col_parts: _Axis
    shape: tuple[int, int]

    @classmethod
    def of(cls, rows: NDArray[np.integer], cols: NDArray[np.integer], device: torch.device) -> _Cells:
        """From the pixel spans `[n, 2]` of cell rows and columns."""
        return cls(
            _axis(rows, 1, device),
            _axis(cols, 1, device),
            _axis(rows, PATCH_SIDE, device),
            _axis(cols, PATCH_SIDE, device),
            (len(rows), len(cols)),
        )

    def total(self, field: Tensor) -> Tensor:
        """Sum of `field` `[P, h, w]` over each cell's pixels, `[P, n_r, n_c]`."""
        return _total(field, self.row, self.col)

    def patch(self, values: Tensor, weights: Tensor, mean: Tensor) -> Tensor:
        """Each cell's pixels averaged to 4 x 4 by area, `[P, n_r, n_c, 16]`; parts without a valid pixel get `mean`."""
        summed = self._parts(_total(values, self.row_parts, self.col_parts))
        area = self._parts(_total(weights, self.row_parts, self.col_parts))
        return torch.where(area > 0, summed / torch.where(area > 0, area, 1), mean.unsqueeze(-1))

    def _parts(self, field: Tensor) -> Tensor:
        """`[P, n_r * 4, n_c * 4]` → `[P, n_r, n_c, 16]`."""
        n_r, n_c = self.shape
        split = field.reshape(-1, n_r, PATCH_SIDE, n_c, PATCH_SIDE)
        return split.transpose(2, 3).flatten(3)


def _total(field: Tensor, row: _Axis, col: _Axis) -> Tensor:
    # Columns are added as rows of the transposed field: picking whole rows is a plain copy.
    return col.total(row.total(field).mT.contiguous()).mT


def _axis(spans: NDArray[np.integer], parts: int, device: torch.device) -> _Axis:
    """Bins of `parts` equal pieces of each span `[first, stop)`, with the share of each pixel that a piece covers."""
    first, size = spans[:, :1].astype(np.int64), (spans[:, 1:] - spans[:, :1]).astype(np.int64)
    # In units of 1/parts of a pixel all edges are whole numbers, so weights are exact.
    start = np.arange(parts)[None] * size  # [n, parts]
    stop = start + size
    low, high = start // parts, -(-stop // parts)
    offset = np.arange(int((high - low).max()))  # [k]
    pixel = low[..., None] + offset
    overlap = np.minimum(stop[..., None], (pixel + 1) * parts) - np.maximum(start[..., None], pixel * parts)
    overlap = np.maximum(overlap, 0)
    index = first[..., None] + np.where(overlap > 0, pixel, low[..., None])
    bins = len(spans) * parts
    return _Axis(
        torch.from_numpy(np.ascontiguousarray(index.reshape(bins, -1).T)).to(device),
        torch.from_numpy(np.ascontiguousarray(overlap.reshape(bins, -1).T)).to(device, torch.float64),
        bool((overlap == 1).all()),
    )


def _membership(spans: NDArray[np.integer], length: int, device: torch.device) -> Tensor:
    """`[n, length]` float32: 1 where a pixel is in a span."""
    pixel = np.arange(length)[None]
    inside = (pixel >= spans[:, :1]) & (pixel < spans[:, 1:])
    return torch.from_numpy(inside.astype(np.float32)).to(device)


# ---- Elevation ------------------------------------------------------------------------------------------------------


def _relief(height: Tensor, valid: Tensor) -> Tensor:
    """Height above the mean of the valid pixels around, `[T, H, W]`, in units of 20 m; 0 where invalid."""
    mean, _ = box_statistics(height.unsqueeze(1), valid.unsqueeze(1), (RELIEF_WINDOW,))
    return torch.where(valid, (height - mean[:, 0, 0]) / _RELIEF_SPREAD, 0)


def _slope(height: Tensor, valid: Tensor, gsd: float) -> Tensor:
    """Steepness `[T, H, W]` in units of 0.2 m/m from the valid neighbours: both, else one, else level."""
    across = _gradient(height, valid, gsd)
    down = _gradient(height.mT, valid.mT, gsd).mT
    return torch.where(valid, (across * across + down * down).sqrt() / _SLOPE_SPREAD, 0)


def _gradient(height: Tensor, valid: Tensor, gsd: float) -> Tensor:
    """Rise to the right in m/m, `[T, H, W]`."""
    step = valid[..., 1:] & valid[..., :-1]
    rise = torch.where(step, height[..., 1:] - height[..., :-1], 0)
    before, after = torch.nn.functional.pad(rise, (1, 0)), torch.nn.functional.pad(rise, (0, 1))
    steps = torch.nn.functional.pad(step.float(), (1, 0)) + torch.nn.functional.pad(step.float(), (0, 1))
    return (before + after) / (steps.clamp_min(1) * gsd)
