"""Tokens of one cell -> its vector: a learned query attends to whatever modalities and dates the cell has."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from gfm_core.model.config import ModelConfig

_NEVER = -1e9  # score of an absent token: exp gives exactly 0


class FusionLayer(nn.Module):
    """One query a cell attends to the cell's tokens, then an MLP.

    With a single query, keys and values need no matrices of their own a token: the query is carried into the tokens'
    space, and the values' map is applied to the weighted sum. So the cost hardly grows with modalities and dates.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads = config.heads
        dim, hidden = config.dim, int(config.dim * config.mlp_ratio)
        self.query_norm, self.mlp_norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.query, self.out = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.key = nn.Parameter(torch.randn(config.heads, dim // config.heads, dim) * dim**-0.5)
        self.value = nn.Parameter(torch.randn(config.heads, dim, dim // config.heads) * dim**-0.5)
        self.up, self.down = nn.Linear(dim, hidden), nn.Linear(hidden, dim)
        for layer in (self.query, self.out, self.up, self.down):
            nn.init.normal_(layer.weight, std=layer.in_features**-0.5)
            nn.init.zeros_(layer.bias)

    def forward(self, cells: Tensor, tokens: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """`cells` `[N or 1, D]`, `tokens` `[N, K, D]`, `present` `[N, K]` → cells `[N, D]`, weights `[N, heads, K]`."""
        query = self.query(self.query_norm(cells)).unflatten(-1, (self.heads, -1))  # [N, heads, d]
        carried = torch.einsum("nhd,hde->nhe", query, self.key) * query.shape[-1] ** -0.5
        scores = torch.einsum("nhe,nke->nhk", carried.expand(len(tokens), -1, -1), tokens).float()
        there = present.unsqueeze(1)
        # Multiplied once more: a cell without tokens must get zeros, not the mean of nothing.
        weights = functional.softmax(scores.masked_fill(~there, _NEVER), dim=-1) * there
        pooled = torch.einsum("nhk,nke->nhe", weights, tokens)
        mixed = torch.einsum("nhe,hed->nhd", pooled, self.value).flatten(1)
        cells = cells + self.out(mixed)
        return cells + self.down(functional.gelu(self.up(self.mlp_norm(cells)))), weights


class Fusion(nn.Module):
    """A few `FusionLayer`s that start from one learned query."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        # Small: it is the same in every cell, and layers normalise it before they use it.
        self.query = nn.Parameter(torch.randn(1, config.dim) * 0.02)
        self.layers = nn.ModuleList(FusionLayer(config) for _ in range(config.fusion_layers))

    def forward(self, tokens: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """`tokens` `[B, n_r, n_c, K, D]`, `present` `[B, n_r, n_c, K]` → cells `[B, n_r, n_c, D]`, present `[B, n_r,
        n_c]`.

        A cell without any token gets zeros and is not present."""
        cells, there, _ = self._fuse(tokens, present)
        return cells, there

    def attention(self, tokens: Tensor, present: Tensor) -> Tensor:
        """How much each token decided, `[B, n_r, n_c, K]`: mean over layers and heads, sums to 1 in a present cell."""
        _, _, weights = self._fuse(tokens, present)
        return torch.stack(weights).mean(dim=(0, 2)).view(present.shape)

    def _fuse(self, tokens: Tensor, present: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        shape = present.shape[:-1]
        flat, mask = tokens.flatten(0, 2), present.flatten(0, 2)
        cells, every = self.query, []
        for layer in self.layers:
            cells, weights = layer(cells, flat, mask)
            every.append(weights)
        there = present.any(dim=-1)
        return cells.float().view(*shape, -1) * there.unsqueeze(-1), there, every
