"""Latents of visible cells -> predicted latents of any cells: a narrow transformer that training throws away."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gfm_core.model.config import ModelConfig
from gfm_core.model.encoder import Transformer, rotary_in_cells


class Predictor(nn.Module):
    """Asks for a cell with a mask token at its position (arXiv:2301.08243, section 3)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim = config.predictor_dim
        self.enter = nn.Linear(config.dim, dim)
        self.mask_token = nn.Parameter(torch.randn(dim) * 0.02)
        self.transformer = Transformer(dim, config.predictor_depth, config.predictor_heads, mlp_ratio=config.mlp_ratio)
        self.norm = nn.LayerNorm(dim)
        self.leave = nn.Linear(dim, config.dim)

    def forward(self, latents: Tensor, visible: Tensor, targets: Tensor) -> Tensor:
        """Predictions `[B, n_r, n_c, D]` float32 at the cells of `targets`, zeros elsewhere.

        `latents` `[B, n_r, n_c, D]` are read where `visible` `[B, n_r, n_c]`. A cell may be visible and a target (some
        of its modalities were hidden): it then brings its latent and asks.
        """
        batch, rows, cols, _ = latents.shape
        seen = self.enter(latents) * visible.unsqueeze(-1)
        cells = (seen + self.mask_token * targets.unsqueeze(-1)).flatten(1, 2)
        taking_part = (visible | targets).flatten(1)
        rotation = rotary_in_cells(rows, cols, self.transformer.head_dim, str(latents.device))
        present = None if bool(taking_part.all()) else taking_part
        last = self.transformer(cells, rotation, present)[-1]
        predicted: Tensor = self.leave(self.norm(last)).float().view(batch, rows, cols, -1)
        return predicted * targets.unsqueeze(-1)
