"""Small models and inputs for the tests of the network."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gfm_core.bands import Band, BandKind
from gfm_core.model.config import ModelConfig
from gfm_core.model.encoder import CellEncoder
from gfm_core.model.jepa import JepaModel, build_model
from gfm_core.model.statistics import cell_statistics
from gfm_core.model.tokens import ModalityInput, modality_input

OPTICAL = (
    Band("B02", BandKind.OPTICAL, 492.4),
    Band("B04", BandKind.OPTICAL, 664.6),
    Band("B08", BandKind.OPTICAL, 833),
)
RADAR = (Band("VV", BandKind.SAR), Band("VH", BandKind.SAR))

MakeInput = Callable[..., ModalityInput]


def spans(cells: int, pixels: int, start: int = 0) -> NDArray[np.int64]:
    """First and stop pixel of `cells` cells of `pixels` pixels each, from pixel `start` on."""
    first = start + np.arange(cells) * pixels
    return np.stack([first, first + pixels], axis=1)


@pytest.fixture(scope="session")
def tiny_config() -> ModelConfig:
    return ModelConfig("tiny", 32, 2, 2, fusion_layers=2, band_dim=16, predictor_dim=16)


@pytest.fixture
def tiny_model(tiny_config: ModelConfig) -> JepaModel:
    return build_model(tiny_config, seed=1).eval()


@pytest.fixture
def tiny_encoder(tiny_model: JepaModel) -> CellEncoder:
    return tiny_model.context


@pytest.fixture
def make_input() -> MakeInput:
    def make(
        bands: Sequence[Band] = OPTICAL,
        *,
        cells: tuple[int, int] = (4, 5),
        pixels: int = 2,
        dates: Sequence[datetime.date | None] = (None,),
        valid_share: float = 1.0,
        seed: int = 0,
    ) -> ModalityInput:
        """One modality of noise, `pixels` px a cell of 20 m."""
        random = torch.Generator().manual_seed(seed)
        shape = (len(dates), len(bands), cells[0] * pixels, cells[1] * pixels)
        values = torch.randn(shape, generator=random)
        valid = torch.rand(shape, generator=random) < valid_share
        inside = torch.ones(shape[-2:], dtype=torch.bool)
        statistics = cell_statistics(values, valid, inside, spans(cells[0], pixels), spans(cells[1], pixels))
        return modality_input(statistics, bands, gsd=20 / pixels, cell_size=20, dates=dates)

    return make
