"""The calls of the proof of concept, on the model of today: tensors in a list, random masking, an EMA target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from gfm_core.bands import Band, BandKind
from gfm_core.errors import ParameterError, ShapeError
from gfm_core.model.config import ModelConfig
from gfm_core.model.encoder import Latents
from gfm_core.model.jepa import JepaModel, build_model
from gfm_core.model.statistics import cell_statistics, hide
from gfm_core.model.tokens import ModalityInput, modality_input

_PIXEL_M = 10.0  # the finest layer's GSD: tensors do not say theirs
_DEFAULTS: dict[str, Any] = {
    "img_size": 224,
    "patch_size": 16,
    "embed_dim": 128,
    "encoder_depth": 4,
    "predictor_depth": 2,
    "num_heads": 4,
    "mlp_ratio": 4.0,
    "dropout": 0.0,
}


@dataclass(frozen=True, slots=True)
class JepaOutput:
    """One step of learning: `loss` (scalar), `predicted` and `target` latents `[M, D]` of the M hidden cells.

    `mask` `[B, rows, cols]` says which: True = hidden, in row-major order the rows of the other two.
    """

    loss: Tensor
    predicted: Tensor
    target: Tensor
    mask: Tensor


@dataclass(frozen=True, slots=True)
class _Layer:
    """A layer on the cells' grid: pixels `[B, C, H, W]`, valid likewise, and the pixel spans of the cells."""

    pixels: Tensor
    valid: Tensor
    rows: NDArray[np.int64]
    cols: NDArray[np.int64]
    gsd: float
    number: int


class JepaGfm(nn.Module):
    """The proof of concept's model: a cell is `patch_size` x `patch_size` pixels of the finest layer.

    Layers are `[B, C, H, W]` tensors of one place, any sizes, of the order of 1 (as normalised images are); NaN = no
    data. Made by `create_jepa_gfm`.
    """

    def __init__(self, jepa: JepaModel, patch_size: int) -> None:
        super().__init__()
        self.jepa, self.patch_size = jepa, patch_size

    def forward(
        self, layers: Sequence[Tensor], mask_ratio: float = 0.75, *, generator: torch.Generator | None = None
    ) -> JepaOutput:
        """Hide a share of the cells at random, predict the target's latents there; the loss is in float32.

        `mask_ratio` is between 0 and 1; at least one cell is hidden and one seen. The hidden cells are drawn from
        `generator`, or from torch's global one.
        """
        prepared = self._prepare(layers)
        hidden = self._draw(prepared[0], mask_ratio, generator)
        seen = self.jepa.encode_context([self._input(layer, hidden) for layer in prepared], ~hidden)
        wanted = self.jepa.encode_target([self._input(layer) for layer in prepared])
        mask = hidden & wanted.present
        predicted = self.jepa.predict(seen.values, seen.present, mask)[mask]
        target = wanted.values[mask]
        return JepaOutput(functional.smooth_l1_loss(predicted, target), predicted, target, mask)

    @torch.no_grad()
    def encode_geospatial_data(self, layers: Sequence[Tensor], pool: bool = False) -> Tensor:
        """Latents `[B, rows, cols, D]` of all cells, or their mean `[B, D]` over cells with data."""
        latents: Latents = self.jepa.context([self._input(layer) for layer in self._prepare(layers)])
        if not pool:
            return latents.values
        count = latents.present.sum(dim=(1, 2)).clamp_min(1)
        return latents.values.sum(dim=(1, 2)) / count.unsqueeze(-1)

    def update_target(self, momentum: float = 0.996) -> None:
        """Let the target follow the context encoder; call it after each step of the optimiser."""
        self.jepa.update_target(momentum)

    def _prepare(self, layers: Sequence[Tensor]) -> list[_Layer]:
        """Layers on one grid of cells, finest first; area-resampled where the cells do not divide them."""
        if not layers or any(layer.ndim != 4 for layer in layers):
            raise ShapeError("layers must be a list of [B, C, H, W] tensors; add the missing axes with tensor[None].")
        if len({len(layer) for layer in layers}) > 1:
            raise ShapeError(f"layers have batches of {[len(layer) for layer in layers]}; give one batch of places.")
        finest = max(layers, key=lambda layer: layer.shape[-2] * layer.shape[-1])
        height, width = finest.shape[-2:]
        rows, cols = _times(height, self.patch_size), _times(width, self.patch_size)
        return [
            _on_cells(layer, rows, cols, gsd=_PIXEL_M * (height * width / layer[0, 0].numel()) ** 0.5, number=number)
            for number, layer in enumerate(layers)
        ]

    def _draw(self, layer: _Layer, mask_ratio: float, generator: torch.Generator | None) -> Tensor:
        """Which cells to hide, `[B, rows, cols]`: the same number in every sample."""
        if not 0 < mask_ratio < 1:
            raise ParameterError(f"mask_ratio must be between 0 and 1, not {mask_ratio}.")
        rows, cols = len(layer.rows), len(layer.cols)
        if rows * cols < 2:
            raise ShapeError("layers hold a single cell, so none can be hidden; use larger layers or a smaller patch.")
        count = min(max(round(mask_ratio * rows * cols), 1), rows * cols - 1)
        # Drawn on the CPU, so that a seed means the same cells on every device.
        order = torch.rand(len(layer.pixels), rows * cols, generator=generator).argsort(dim=1)
        hidden = torch.zeros(len(layer.pixels), rows * cols, dtype=torch.bool).scatter(1, order[:, :count], True)
        return hidden.view(-1, rows, cols).to(layer.pixels.device)

    def _input(self, layer: _Layer, hidden: Tensor | None = None) -> ModalityInput:
        valid = layer.valid
        if hidden is not None:
            samples = zip(valid, hidden, strict=True)
            valid = torch.stack([hide(sample, layer.rows, layer.cols, cells) for sample, cells in samples])
        inside = torch.ones(valid.shape[-2:], dtype=torch.bool, device=valid.device)
        # Samples stand in the place of dates: statistics treat both alike.
        statistics = cell_statistics(layer.pixels, valid, inside, layer.rows, layer.cols)
        bands = [Band(f"layer {layer.number} band {c}", BandKind.CUSTOM) for c in range(valid.shape[1])]
        whole = modality_input(statistics, bands, gsd=layer.gsd, cell_size=_PIXEL_M * self.patch_size)
        batch = len(valid)
        return ModalityInput(
            features=whole.features.transpose(0, 1),
            present=whole.present.transpose(0, 1),
            bands=whole.bands,
            gsd=whole.gsd,
            cell_size=whole.cell_size,
            day_of_year=whole.day_of_year.T,
            days_since_first=whole.days_since_first.T,
            offset=whole.offset.expand(batch, -1, -1, -1),
        ).to(valid.device)


def create_jepa_gfm(config: Mapping[str, Any] | None = None, *, seed: int = 0) -> JepaGfm:
    """An untrained model from the proof of concept's keys; missing keys get their defaults.

    Keys: `img_size` (of old; any size works), `patch_size` (pixels), `embed_dim`, `encoder_depth`, `predictor_depth`,
    `num_heads`, `mlp_ratio`, `dropout`. Others, and sizes that cannot work, raise `ParameterError`.
    """
    unknown = sorted(set(config or {}) - set(_DEFAULTS))
    if unknown:
        raise ParameterError(f"{unknown[0]} is not a key of create_jepa_gfm; use {', '.join(_DEFAULTS)}.")
    values = {**_DEFAULTS, **(config or {})}
    patch_size = int(values["patch_size"])
    if patch_size < 1:
        raise ParameterError(f"patch_size must be at least 1 pixel, not {patch_size}.")
    model = ModelConfig(
        name="compat",
        dim=int(values["embed_dim"]),
        depth=int(values["encoder_depth"]),
        heads=int(values["num_heads"]),
        mlp_ratio=float(values["mlp_ratio"]),
        predictor_depth=int(values["predictor_depth"]),
        dropout=float(values["dropout"]),
    )
    return JepaGfm(build_model(model, seed), patch_size)


def _times(length: int, part: int) -> int:
    """How often `part` goes into `length`, at least once: half rounds up."""
    return max(1, int(length / part + 0.5))


def _on_cells(layer: Tensor, rows: int, cols: int, *, gsd: float, number: int) -> _Layer:
    """`layer` with a whole number of pixels a cell, by area where it has another; a pixel with data counts as data."""
    row_pixels, col_pixels = _times(layer.shape[-2], rows), _times(layer.shape[-1], cols)
    size = (rows * row_pixels, cols * col_pixels)
    valid = layer.isfinite()
    pixels = torch.where(valid, layer, 0).float()
    if size != tuple(layer.shape[-2:]):
        share = functional.interpolate(valid.float(), size, mode="area")
        pixels = functional.interpolate(pixels, size, mode="area") / torch.where(share > 0, share, 1)
        valid = share > 0
    return _Layer(pixels, valid, _spans(rows, row_pixels), _spans(cols, col_pixels), gsd, number)


def _spans(cells: int, pixels: int) -> NDArray[np.int64]:
    first = np.arange(cells, dtype=np.int64) * pixels
    return np.stack([first, first + pixels], axis=1)
