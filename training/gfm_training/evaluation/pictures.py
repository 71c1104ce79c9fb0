"""Pictures of what a network makes of a place."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from gfm_core.grid import CORE, HALO, WINDOW, CellRange
from gfm_core.model.encoder import CellEncoder
from gfm_core.model.tokens import ModalityInput
from gfm_training.evaluation.fusion import fusion_weights, rgb_bands
from gfm_training.evaluation.ground import Ground, inputs_of, latents_of, read_pixels
from gfm_training.evaluation.prediction import Hidden, error_map

Picture = NDArray[np.uint8]  # [rows, cols, 3]

_SIDE = 5  # windows along a side of the area that is drawn: 60 x 60 cells
_LEAST_CELLS = 4  # that three components can be made of
_SCALE = 6  # picture pixels a cell
_GREY = np.array((225, 227, 230), np.uint8)
_WINDOW_SCALE = 12
# Colour-blind safe (Okabe and Ito 2008), in the order of the modalities.
LAYER_COLOURS = (
    (0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167), (213, 94, 0), (86, 180, 233), (240, 228, 66),
    (120, 120, 120),
)  # fmt: skip
_HEAT = np.array([(255, 255, 255), (253, 212, 158), (252, 141, 89), (215, 48, 31), (127, 0, 0)], float)
_COLD = np.array([(247, 251, 255), (198, 219, 239), (107, 174, 214), (33, 113, 181), (8, 48, 107)], float)


@dataclass(frozen=True, slots=True)
class Area:
    """A square of a place seen through windows of 16 x 16 cells whose cores of 12 x 12 lie side by side."""

    inputs: list[ModalityInput]
    rows: int  # windows
    cols: int

    def stitched(self, values: torch.Tensor) -> NDArray[np.float32]:
        """`[B, n, n, ...]` of the windows as one field `[rows, cols, ...]` of their cores."""
        cores = values[:, HALO : HALO + CORE, HALO : HALO + CORE].numpy()
        shaped = cores.reshape(self.rows, self.cols, CORE, CORE, *cores.shape[3:])
        moved = np.moveaxis(shaped, 2, 1)
        return moved.reshape(self.rows * CORE, self.cols * CORE, *cores.shape[3:]).astype(np.float32)


def area_of(ground: Ground) -> Area:
    """The middle of a place, at most 60 x 60 cells."""
    cells = ground.stack.cells
    rows, cols = (max(min(_SIDE, length // CORE), 1) for length in cells.shape)
    top = cells.row + (cells.rows - rows * CORE) // 2 - HALO
    left = cells.col + (cells.cols - cols * CORE) // 2 - HALO
    windows = [CellRange(top + r * CORE, left + c * CORE, WINDOW, WINDOW) for r in range(rows) for c in range(cols)]
    return Area(inputs_of(ground.stack, read_pixels(ground.stack, windows)), rows, cols)


# ---- What a person would see ----------------------------------------------------------------------------------------


def natural(area: Area) -> Picture:
    """Red, green and blue of the first modality that has them, else its first band, from the cells' means."""
    number, bands = next(
        ((number, found) for number, item in enumerate(area.inputs) if (found := rgb_bands(item))), (0, (0, 0, 0))
    )
    item = area.inputs[number]
    means = item.features[:, 0, :, :, :, 16]  # the cell's own mean, behind the 4 x 4 patch
    field = area.stitched(torch.stack([means[..., band] for band in bands], dim=-1))
    known = area.stitched(item.present[:, 0, :, :, list(dict.fromkeys(bands))].all(dim=-1).float()) > 0
    return enlarged(stretched(field, known), _SCALE)


def stretched(field: NDArray[np.float32], known: NDArray[np.bool_]) -> Picture:
    """`[rows, cols, 3]` from the 2nd to the 98th percentile of each channel; grey where nothing is known."""
    picture = np.tile(_GREY, (*field.shape[:2], 1))
    if known.any():
        low, high = np.percentile(field[known], (2, 98), axis=0)
        scaled = (field - low) / np.maximum(high - low, 1e-6)
        picture[known] = np.rint(scaled[known].clip(0, 1) * 255).astype(np.uint8)
    return picture


# ---- What the network makes of it -----------------------------------------------------------------------------------


def components(encoder: CellEncoder, area: Area) -> Picture:
    """The three main components of the latents as red, green and blue."""
    values, present = latents_of(encoder, area.inputs)
    field, known = area.stitched(values), area.stitched(present.float()) > 0
    if known.sum() < _LEAST_CELLS:
        return enlarged(np.tile(_GREY, (*known.shape, 1)), _SCALE)
    cells = field[known] - field[known].mean(axis=0)
    _, _, axes = np.linalg.svd(cells[:: max(len(cells) // 4000, 1)], full_matrices=False)
    main = axes[:3] * np.sign(axes[:3][np.arange(3), np.abs(axes[:3]).argmax(axis=1)])[:, None]
    return enlarged(stretched((field @ main.T).astype(np.float32), known), _SCALE)


def deciding_layers(encoder: CellEncoder, area: Area) -> Picture:
    """The colour of the modality that decided most in each cell, the stronger the more it did."""
    weights = np.stack([area.stitched(part) for part in fusion_weights(encoder, area.inputs)], axis=-1)
    known = weights.sum(axis=-1) > 0
    most, count = weights.argmax(axis=-1), weights.shape[-1]
    strength = ((weights.max(axis=-1) - 1 / count) / max(1 - 1 / count, 1e-6)).clip(0, 1) if count > 1 else known
    colours = np.array([LAYER_COLOURS[number % len(LAYER_COLOURS)] for number in range(count)], float)[most]
    mixed = 255 - (255 - colours) * (0.25 + 0.75 * np.asarray(strength, float))[..., None]
    picture = np.tile(_GREY, (*known.shape, 1))
    picture[known] = np.rint(mixed[known]).astype(np.uint8)
    return enlarged(picture, _SCALE)


def attention_of_middle(encoder: CellEncoder, inputs: Sequence[ModalityInput], window: int = 0) -> Picture:
    """How much the middle cell of a window takes from each other one in the last layer; the cell is marked."""
    with torch.inference_mode():
        weights = encoder.attention(inputs)[window]
    middle = (WINDOW // 2) * WINDOW + WINDOW // 2
    field = weights[middle].view(WINDOW, WINDOW).numpy()
    picture = enlarged(ramped(field / max(float(field.max()), 1e-9), _COLD), _WINDOW_SCALE)
    return _marked(picture, WINDOW // 2, WINDOW // 2, _WINDOW_SCALE)


def mask_and_error(hidden: Hidden, windows: int = 4) -> tuple[Picture, Picture]:
    """What was hidden (dark) in some windows side by side, and how wrong the prediction was there (0 to 2)."""
    chosen = range(min(windows, len(hidden.asked)))
    masks = [np.where(hidden.asked[number].numpy()[..., None], (70, 78, 86), (236, 238, 240)) for number in chosen]
    errors = [error_map(hidden, number).numpy() for number in chosen]
    drawn = [
        np.where(np.isnan(error)[..., None], _GREY, ramped(np.nan_to_num(error).clip(0, 2) / 2, _HEAT))
        for error in errors
    ]
    return _side_by_side(masks), _side_by_side(drawn)


def ramped(field: NDArray[np.float32], ramp: NDArray[np.float64]) -> Picture:
    """Numbers 0-1 as colours."""
    places = np.linspace(0, 1, len(ramp))
    return np.stack([np.rint(np.interp(field, places, ramp[:, channel])) for channel in range(3)], -1).astype(np.uint8)


def enlarged(picture: Picture, scale: int) -> Picture:
    """Every pixel as a square."""
    return picture.repeat(scale, 0).repeat(scale, 1)


def _side_by_side(pictures: Sequence[NDArray[np.generic]]) -> Picture:
    gap = np.full((WINDOW * _WINDOW_SCALE, _WINDOW_SCALE, 3), 255, np.uint8)
    parts = [part for picture in pictures for part in (enlarged(picture.astype(np.uint8), _WINDOW_SCALE), gap)]
    return np.concatenate(parts[:-1], axis=1)


def _marked(picture: Picture, row: int, col: int, scale: int) -> Picture:
    image = Image.fromarray(picture)
    corner = (col * scale, row * scale, (col + 1) * scale - 1, (row + 1) * scale - 1)
    ImageDraw.Draw(image).rectangle(corner, outline=(214, 39, 40), width=2)
    return np.asarray(image)


def data_uri(picture: Picture) -> str:
    """A picture inside a page."""
    held = io.BytesIO()
    Image.fromarray(picture).save(held, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(held.getvalue()).decode()}"
