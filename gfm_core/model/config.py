"""The network's sizes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from gfm_core.errors import ParameterError

ARCHITECTURE = "fuse-in-cell-1"  # changes with anything that gives the same weights another meaning

_LARGEST = 16_384  # a damaged header must not build for hours


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Everything that decides the shapes of the weights, and dropout (training only). Checked when made."""

    name: str
    dim: int
    depth: int
    heads: int
    mlp_ratio: float = 4.0
    fusion_layers: int = 1
    band_dim: int = 64
    predictor_dim: int = 64
    predictor_depth: int = 2
    predictor_heads: int = 2
    dropout: float = 0.0

    def __post_init__(self) -> None:
        for field in ("dim", "depth", "heads", "fusion_layers", "band_dim", "predictor_dim", "predictor_depth"):
            if not 1 <= getattr(self, field) <= _LARGEST:
                raise ParameterError(
                    f"{field} of model {self.name} must be 1 to {_LARGEST}, not {getattr(self, field)}."
                )
        _check_heads(self.name, "dim", self.dim, self.heads)
        _check_heads(self.name, "predictor_dim", self.predictor_dim, self.predictor_heads)
        if not 0 <= self.dropout < 1:
            raise ParameterError(f"dropout of model {self.name} must be in [0, 1), not {self.dropout}.")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """From a checkpoint's header; raises `ParameterError` for names that this version does not know."""
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise ParameterError(f"{unknown[0]} is not a part of a model's configuration; update jepa-gfm.")
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a checkpoint's header."""
        return asdict(self)


def _check_heads(name: str, what: str, dim: int, heads: int) -> None:
    # Rotary positions turn pairs of numbers, half of them for rows and half for columns.
    if heads < 1 or dim % heads or (dim // heads) % 4:
        raise ParameterError(
            f"{what} {dim} of model {name} cannot be shared by {heads} heads; each head needs a multiple of 4 numbers."
        )


SIZES = {
    config.name: config
    for config in (
        ModelConfig("nano", 128, 4, 4),
        ModelConfig("small", 512, 8, 8, fusion_layers=2, predictor_dim=192, predictor_depth=3, predictor_heads=6),
        ModelConfig("base", 768, 12, 12, fusion_layers=2, predictor_dim=256, predictor_depth=4, predictor_heads=8),
        ModelConfig("large", 1024, 16, 16, fusion_layers=2, predictor_dim=384, predictor_depth=4, predictor_heads=12),
    )
}
