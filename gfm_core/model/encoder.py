"""Cells of a window -> latents: a plain pre-norm transformer (arXiv:2010.11929) with rotary positions in cells."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from gfm_core.model.config import ModelConfig
from gfm_core.model.fusion import Fusion
from gfm_core.model.tokens import ModalityInput, Tokeniser

_LOWEST_ANGLE = 0.01  # radians a cell: the slowest of the rotations, the fastest turns 1 radian a cell


@dataclass(frozen=True, slots=True)
class Latents:
    """What the model gives for cells: `values` `[B, n_r, n_c, D]` float32, 0 where absent; `present` `[B, n_r,
    n_c]`."""

    values: Tensor
    present: Tensor


@functools.lru_cache(maxsize=64)
def rotary_in_cells(rows: int, cols: int, head_dim: int, device: str = "cpu") -> Tensor:
    """Rotations of a head's number pairs at every cell of a rectangle, row by row: `[rows * cols, 2, head_dim / 2]`.

    The cosines, then the sines, float32. The first half of the pairs turns with the row, the second with the column
    (arXiv:2104.09864 in two dimensions), so attention sees only differences of positions.
    """
    # A tensor made in inference mode could not be used in training later, and this one is kept.
    with torch.inference_mode(False):
        pairs = head_dim // 4  # an axis
        speed = _LOWEST_ANGLE ** (torch.arange(pairs, dtype=torch.float64) / pairs)
        down = torch.arange(rows, dtype=torch.float64)[:, None, None] * speed
        right = torch.arange(cols, dtype=torch.float64)[None, :, None] * speed
        shape = (rows, cols, pairs)
        angle = torch.cat([down.expand(shape), right.expand(shape)], dim=-1).flatten(0, 1)
        return torch.stack([angle.cos(), angle.sin()], dim=1).to(device=device, dtype=torch.float32)


def rotate(heads: Tensor, rotation: Tensor) -> Tensor:
    """Turn `heads` `[..., N, d]` by `rotation` `[..., N, 2, d / 2]`: pair i is numbers i and i + d / 2."""
    first, second = heads.float().chunk(2, dim=-1)
    cosine, sine = rotation.unbind(-2)
    turned = torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1)
    return turned.to(heads.dtype)


class Block(nn.Module):
    """Attention and MLP, each on a normalised copy and added back."""

    def __init__(self, dim: int, heads: int, mlp_ratio: float, dropout: float, depth: int) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        hidden = int(dim * mlp_ratio)
        self.attention_norm, self.mlp_norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.up, self.down = nn.Linear(dim, hidden), nn.Linear(hidden, dim)
        for layer in (self.qkv, self.out, self.up, self.down):
            nn.init.normal_(layer.weight, std=layer.in_features**-0.5)
            nn.init.zeros_(layer.bias)
        with torch.no_grad():  # what the blocks add together stays of the order of their input
            for layer in (self.out, self.down):
                layer.weight *= (2 * depth) ** -0.5

    def forward(self, cells: Tensor, rotation: Tensor, keys: Tensor | None) -> Tensor:
        """`cells` `[B, N, D]` → the same shape; `keys` `[B, 1, 1, N]`: True = may be attended to, None = all may."""
        cells = cells + self._drop(self._attend(self.attention_norm(cells), rotation, keys))
        hidden = functional.gelu(self.up(self.mlp_norm(cells)))
        return cells + self._drop(self.down(hidden))

    def attention(self, cells: Tensor, rotation: Tensor, keys: Tensor | None) -> Tensor:
        """How much each cell (row) takes from each other one, `[B, heads, N, N]`, rows sum to 1: for pictures."""
        queries, own, _ = self._heads(self.attention_norm(cells), rotation)
        scores = queries @ own.transpose(-1, -2) * queries.shape[-1] ** -0.5
        masked = scores if keys is None else scores.masked_fill(~keys, -torch.inf)
        weights: Tensor = masked.float().softmax(dim=-1)
        return weights

    def _attend(self, cells: Tensor, rotation: Tensor, keys: Tensor | None) -> Tensor:
        queries, own, values = self._heads(cells, rotation)
        mixed = _mixed(queries, own, values, keys)
        added: Tensor = self.out(mixed.transpose(1, 2).reshape(cells.shape))
        return added

    def _heads(self, cells: Tensor, rotation: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries and keys, turned by their positions, and values, `[B, heads, N, d]` each."""
        batch, count, dim = cells.shape
        qkv = self.qkv(cells).view(batch, count, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        turned = rotate(qkv[:2], rotation)
        return turned[0], turned[1], qkv[2]

    def _drop(self, cells: Tensor) -> Tensor:
        return functional.dropout(cells, self.dropout, self.training) if self.dropout else cells


def _mixed(queries: Tensor, own: Tensor, values: Tensor, keys: Tensor | None) -> Tensor:
    """What attention gives, `[B, heads, N, d]`.

    On CPUs torch's fused attention multiplies bf16 no faster than float32; two plain products do, and in windows of 256
    cells the table of weights fits the cache (benchmarks/engine.py). Learning needs the fused one for its memory.
    """
    if queries.device.type != "cpu" or queries.dtype is not torch.bfloat16 or torch.is_grad_enabled():
        return functional.scaled_dot_product_attention(queries, own, values, attn_mask=keys)
    with torch.autocast("cpu", enabled=False):
        scores = (queries * queries.shape[-1] ** -0.5) @ own.transpose(-1, -2)
        weights = (scores if keys is None else scores.masked_fill(~keys, -torch.inf)).softmax(dim=-1)
        mixed: Tensor = weights @ values
    return mixed


class Transformer(nn.Module):
    """A stack of blocks over cells given as a list, `[B, N, D]`."""

    def __init__(self, dim: int, depth: int, heads: int, *, mlp_ratio: float = 4.0, dropout: float = 0.0) -> None:
        super().__init__()
        self.head_dim = dim // heads
        self.blocks = nn.ModuleList(Block(dim, heads, mlp_ratio, dropout, depth) for _ in range(depth))

    def forward(self, cells: Tensor, rotation: Tensor, present: Tensor | None) -> list[Tensor]:
        """Output of every block; absent cells (`present` `[B, N]` False) are attended to by nobody."""
        keys, outputs = _keys(present), []
        for block in self.blocks:
            cells = block(cells, rotation, keys)
            outputs.append(cells)
        return outputs

    def attention(self, cells: Tensor, rotation: Tensor, present: Tensor | None) -> Tensor:
        """The weights `[B, heads, N, N]` of the last block."""
        *before, last = self.blocks
        keys = _keys(present)
        for block in before:
            cells = block(cells, rotation, keys)
        assert isinstance(last, Block)
        return last.attention(cells, rotation, keys)


def _keys(present: Tensor | None) -> Tensor | None:
    """Which cells may be attended to, `[B, 1, 1, N]`, from those present `[B, N]`.

    A row without any key would give NaN; its outputs are dropped, so it may attend to anything.
    """
    return None if present is None else (present | ~present.any(dim=1, keepdim=True))[:, None, None]


class Encoder(nn.Module):
    """Mixes the cells of a rectangle in space; what is read out is the mean of all layers."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.dim = config.dim
        self.transformer = Transformer(
            config.dim, config.depth, config.heads, mlp_ratio=config.mlp_ratio, dropout=config.dropout
        )

    def forward(self, cells: Tensor, rotation: Tensor, present: Tensor | None) -> Tensor:
        """Latents `[B, N, D]` float32 of `cells` `[B, N, D]`; each has mean 0 and variance 1 over D."""
        return self._normalise(functools.reduce(torch.add, self.layers(cells, rotation, present)))

    def layers(self, cells: Tensor, rotation: Tensor, present: Tensor | None) -> list[Tensor]:
        """What every block gives, `[B, N, D]` float32 each, with mean 0 and variance 1 over D."""
        return [self._normalise(layer) for layer in self.transformer(cells, rotation, present)]

    def _normalise(self, cells: Tensor) -> Tensor:
        return functional.layer_norm(cells.float(), (self.dim,))


class CellEncoder(nn.Module):
    """Modalities of a rectangle of cells -> latents: tokens, fused in the cell, mixed in space."""

    def __init__(self, tokeniser: Tokeniser, fusion: Fusion, encoder: Encoder) -> None:
        super().__init__()
        self.tokeniser, self.fusion, self.encoder = tokeniser, fusion, encoder

    @property
    def dim(self) -> int:
        """Numbers in a latent."""
        return self.encoder.dim

    def forward(self, inputs: Sequence[ModalityInput]) -> Latents:
        """Latents of all cells of `inputs`."""
        return self.cells_to_latents(*self.tokens_to_cells(inputs))

    def layers(self, inputs: Sequence[ModalityInput]) -> tuple[list[Tensor], Tensor]:
        """What every block gives for all cells of `inputs`, `[B, n_r, n_c, D]` each, and present `[B, n_r, n_c]`."""
        cells, present = self.tokens_to_cells(inputs)
        _, rows, cols, _ = cells.shape
        rotation = self.rotation(rows, cols, cells.device)
        there = None if bool(present.all()) else present.flatten(1)
        return [layer.view(cells.shape) for layer in self.encoder.layers(cells.flatten(1, 2), rotation, there)], present

    def attention(self, inputs: Sequence[ModalityInput]) -> Tensor:
        """How much each cell takes from each other one in the last block, mean over heads `[B, N, N]`, N = n_r n_c."""
        cells, present = self.tokens_to_cells(inputs)
        _, rows, cols, _ = cells.shape
        rotation = self.rotation(rows, cols, cells.device)
        return self.encoder.transformer.attention(cells.flatten(1, 2), rotation, present.flatten(1)).mean(dim=1)

    def tokens_to_cells(self, inputs: Sequence[ModalityInput]) -> tuple[Tensor, Tensor]:
        """Cell vectors `[B, n_r, n_c, D]` and present `[B, n_r, n_c]`, without mixing in space: any rectangle at
        once."""
        fused: tuple[Tensor, Tensor] = self.fusion(*self.tokeniser(inputs))
        return fused

    def cells_to_latents(self, cells: Tensor, present: Tensor) -> Latents:
        """Latents of one rectangle, from its cell vectors; absent cells influence nothing and get zeros."""
        batch, rows, cols, _ = cells.shape
        rotation = self.rotation(rows, cols, cells.device)
        everywhere = bool(present.all())
        there = None if everywhere else present.flatten(1)
        values = self.encoder(cells.flatten(1, 2), rotation, there).view(batch, rows, cols, -1)
        return Latents(values if everywhere else values * present.unsqueeze(-1), present)

    def sparse_latents(self, cells: Tensor, present: Tensor) -> Latents:
        """The same as `cells_to_latents`, computed over the present cells only: for training, where few are visible."""
        batch, rows, cols, _ = cells.shape
        flat, there = cells.flatten(1, 2), present.flatten(1)
        length = int(there.sum(dim=1).max())
        values = torch.zeros(*there.shape, self.dim, device=cells.device)
        if length:
            # Present cells first, in their order; the shorter rows of the batch are filled with absent ones.
            chosen = (~there).to(torch.uint8).argsort(dim=1, stable=True)[:, :length]  # [B, length]
            index = chosen.unsqueeze(-1).expand(-1, -1, flat.shape[-1])
            rotation = self.rotation(rows, cols, cells.device)[chosen].unsqueeze(1)
            kept = there.gather(1, chosen)
            latents = self.encoder(flat.gather(1, index), rotation, None if bool(kept.all()) else kept)
            values = values.scatter(1, index, latents * kept.unsqueeze(-1))
        return Latents(values.view(batch, rows, cols, -1), present)

    def rotation(self, rows: int, cols: int, device: torch.device) -> Tensor:
        """Rotary positions of a rectangle's cells for this encoder's heads."""
        return rotary_in_cells(rows, cols, self.encoder.transformer.head_dim, str(device))
