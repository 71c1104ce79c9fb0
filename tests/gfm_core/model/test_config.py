from __future__ import annotations

import pytest

from gfm_core.errors import ParameterError
from gfm_core.model.config import SIZES, ModelConfig
from gfm_core.model.jepa import build_encoder


@pytest.mark.parametrize(
    ("name", "millions"), [("nano", (0.8, 2)), ("small", (20, 35)), ("base", (80, 110)), ("large", (190, 300))]
)
def test_sizes_hold_about_the_weights_that_the_design_says(name: str, millions: tuple[float, float]) -> None:
    import torch

    with torch.device("meta"):
        encoder = build_encoder(SIZES[name])
    assert millions[0] < sum(weight.numel() for weight in encoder.parameters()) / 1e6 < millions[1]


def test_configuration_survives_a_header() -> None:
    assert ModelConfig.from_dict(SIZES["nano"].to_dict()) == SIZES["nano"]


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"heads": 3}, "heads"),
        ({"dim": 36}, "multiple of 4"),
        ({"depth": 0}, "depth"),
        ({"depth": 10**9}, "depth"),
        ({"dropout": 1.0}, "dropout"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_shapes_that_cannot_work_are_refused_by_name(values: dict[str, object], word: str) -> None:
    with pytest.raises(ParameterError, match=word):
        ModelConfig.from_dict({**SIZES["nano"].to_dict(), **values})
