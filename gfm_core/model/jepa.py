"""A JEPA over cells: a context encoder, a slow copy of it that gives the targets, and a predictor between them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn

from gfm_core.errors import ParameterError
from gfm_core.model.config import ModelConfig
from gfm_core.model.encoder import CellEncoder, Encoder, Latents
from gfm_core.model.fusion import Fusion
from gfm_core.model.predictor import Predictor
from gfm_core.model.tokens import ModalityInput, Tokeniser


class JepaModel(nn.Module):
    """Wires the parts that training needs; `context` is what learns, `target` follows it without gradients."""

    def __init__(self, config: ModelConfig, context: CellEncoder, target: CellEncoder, predictor: Predictor) -> None:
        super().__init__()
        self.config = config
        self.context, self.target, self.predictor = context, target.requires_grad_(False).eval(), predictor

    def train(self, mode: bool = True) -> Self:
        """Dropout on or off; the target encoder never drops anything."""
        super().train(mode)
        self.target.eval()
        return self

    def encode_context(self, inputs: Sequence[ModalityInput], visible: Tensor) -> Latents:
        """Latents of the `visible` cells `[B, n_r, n_c]` from one another alone.

        `inputs` come from pixels in which everything hidden was made invalid (`statistics.hide`) before statistics were
        computed: whatever they hold, the other cells neither attend nor are attended to.
        """
        cells, present = self.context.tokens_to_cells(inputs)
        return self.context.sparse_latents(cells, present & visible)

    def predict(self, latents: Tensor, visible: Tensor, targets: Tensor) -> Tensor:
        """Predicted target latents `[B, n_r, n_c, D]` at the cells of `targets`, zeros elsewhere."""
        predicted: Tensor = self.predictor(latents, visible, targets)
        return predicted

    @torch.no_grad()
    def encode_target(self, inputs: Sequence[ModalityInput]) -> Latents:
        """Latents of all cells by the slow copy, from inputs in which nothing is hidden; layer-normed, no gradient."""
        latents: Latents = self.target(inputs)
        return latents

    @torch.no_grad()
    def target_layers(self, inputs: Sequence[ModalityInput]) -> tuple[list[Tensor], Tensor]:
        """What every layer of the slow copy gives for all cells, `[B, n_r, n_c, D]` each, and where cells are present.

        From inputs in which nothing is hidden; layer-normed, no gradient.
        """
        layers: tuple[list[Tensor], Tensor] = self.target.layers(inputs)
        return layers

    @torch.no_grad()
    def update_target(self, momentum: float) -> None:
        """Move the slow copy: `momentum` of itself and the rest of the context encoder."""
        if not 0 <= momentum <= 1:
            raise ParameterError(f"momentum must be between 0 and 1, not {momentum}.")
        for slow, fast in zip(self.target.parameters(), self.context.parameters(), strict=True):
            slow.lerp_(fast, 1 - momentum)


def build_encoder(config: ModelConfig) -> CellEncoder:
    """An untrained encoder, from the global random state."""
    return CellEncoder(Tokeniser(config), Fusion(config), Encoder(config))


def parameter_counts(config: ModelConfig) -> dict[str, int]:
    """Numbers that each network of this size holds; `embeds` is what an embedding needs, `trains` what learns.

    The slow copy of training, as large as what embeds, follows and does not learn. Nothing of that size is made.
    """
    with torch.device("meta"):
        encoder, predictor = build_encoder(config), Predictor(config)
    parts: dict[str, nn.Module] = {
        "tokeniser": encoder.tokeniser, "fusion": encoder.fusion, "encoder": encoder.encoder, "predictor": predictor,
    }  # fmt: skip
    counts = {name: sum(weight.numel() for weight in part.parameters()) for name, part in parts.items()}
    embeds = sum(weight.numel() for weight in encoder.parameters())
    return {**counts, "embeds": embeds, "trains": embeds + counts["predictor"]}


def build_model(config: ModelConfig, seed: int = 0) -> JepaModel:
    """An untrained model whose target equals its context encoder; `seed` decides every weight."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        context = build_encoder(config)
        return JepaModel(config, context, copy.deepcopy(context), Predictor(config))
