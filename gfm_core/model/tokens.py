"""Statistics of cells -> tokens: one vector for each cell, modality and date, whatever the bands are."""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from gfm_core.bands import Band, BandKind
from gfm_core.errors import ShapeError
from gfm_core.model.config import ModelConfig
from gfm_core.model.statistics import PATCH_SIDE, CellStatistics

TOKEN_WINDOWS = 5  # the patch itself and boxes of 3, 5, 9, 17 px; wider ones are a group of their own
TOKEN_FEATURES = PATCH_SIDE**2 + 2 * TOKEN_WINDOWS

# Learned vectors of bands that have no wavelength: the vocabulary that a checkpoint's header lists.
BAND_VOCABULARY = (
    "sar vv",
    "sar vh",
    "sar hh",
    "sar hv",
    "sar",
    "relief",
    "slope",
    "elevation",
    "index",
    "custom",
    "optical",
    "thermal",
)
BAND_SLOTS = 16  # bands that share a vocabulary entry are told apart by their place among each other, modulo this

_WAVELENGTH_FREQUENCIES = 16
_HIGHEST_FREQUENCY = 40.0  # rad/um: at 12 neighbouring bands look the same
_LOWEST_FREQUENCY = 0.2  # rad/um: turns half round between 0 and 15 um


@dataclass(frozen=True, slots=True)
class ModalityInput:
    """One modality as the tokeniser takes it, for a batch of B rectangles of `n_r` x `n_c` cells.

    `features` `[B, T, n_r, n_c, C, 26]` float32, 0 where absent; `present` `[B, T, n_r, n_c, C]`, True = the band has
    data there; `bands` after `derive`, none of kind `map`; `gsd` and `cell_size` in metres; `day_of_year` `[B, T]`
    (1-366, NaN = no date); `days_since_first` `[B, T]`, days since the stack's first date (NaN = no date); `offset`
    `[B, n_r, n_c, 2]`, pixel centre minus cell centre in cells (down, right), 0 unless a pixel is coarser than the
    cell.
    """

    features: Tensor
    present: Tensor
    bands: tuple[Band, ...]
    gsd: float
    cell_size: float
    day_of_year: Tensor
    days_since_first: Tensor
    offset: Tensor

    def __post_init__(self) -> None:
        wanted = (*self.present.shape, TOKEN_FEATURES)
        if self.features.shape != wanted or self.present.ndim != 5 or self.present.shape[-1] != len(self.bands):
            raise ShapeError(
                f"features {list(self.features.shape)} and present {list(self.present.shape)} do not fit "
                f"{len(self.bands)} bands; give [B, T, n_r, n_c, C, {TOKEN_FEATURES}] and [B, T, n_r, n_c, C]."
            )

    def to(self, device: torch.device | str) -> ModalityInput:
        """The same on another device."""
        return _with_tensors(self, {name: getattr(self, name).to(device) for name in _TENSORS})


_TENSORS = ("features", "present", "day_of_year", "days_since_first", "offset")


def _with_tensors(modality: ModalityInput, tensors: dict[str, Any]) -> ModalityInput:
    return dataclasses.replace(modality, **tensors)


def modality_input(
    statistics: CellStatistics,
    bands: Sequence[Band],
    *,
    gsd: float,
    cell_size: float,
    dates: Sequence[datetime.date | None] | None = None,
    first_date: datetime.date | None = None,
    offset: Tensor | ArrayLike | None = None,
) -> ModalityInput:
    """One modality of one rectangle (B = 1) from its statistics.

    `bands` are those of the statistics; `map` bands are left out (their numbers are names). `dates` are the modality's,
    `first_date` the stack's earliest. `offset` is anything that broadcasts to `[n_r, n_c, 2]`.
    """
    times, _, n_r, n_c = statistics.present.shape
    if len(bands) != statistics.present.shape[1]:
        raise ShapeError(f"statistics have {statistics.present.shape[1]} bands but {len(bands)} are named.")
    kept = [number for number, band in enumerate(bands) if band.kind is not BandKind.MAP]
    features = torch.cat(
        [statistics.patch.flatten(-2), statistics.mean[..., :TOKEN_WINDOWS], statistics.sd[..., :TOKEN_WINDOWS]], dim=-1
    )
    days = list(dates) if dates is not None else [None] * times
    first = first_date or min((day for day in days if day is not None), default=None)
    since = [math.nan if day is None or first is None else float((day - first).days) for day in days]
    season = [math.nan if day is None else float(day.timetuple().tm_yday) for day in days]
    place = torch.zeros(2) if offset is None else torch.as_tensor(offset, dtype=torch.float32)
    return ModalityInput(
        features=features[:, kept].permute(0, 2, 3, 1, 4).unsqueeze(0),
        present=statistics.present[:, kept].permute(0, 2, 3, 1).unsqueeze(0),
        bands=tuple(bands[number] for number in kept),
        gsd=gsd,
        cell_size=cell_size,
        day_of_year=torch.tensor([season]),
        days_since_first=torch.tensor([since]),
        offset=place.expand(1, n_r, n_c, 2),
    )


def rectangle_of(modality: ModalityInput, row: int, col: int, rows: int, cols: int) -> ModalityInput:
    """The input of another rectangle, whose first cell is (`row`, `col`) of this one; what lies outside is absent."""
    height, width = modality.present.shape[2:4]
    inner = slice(max(row, 0), min(row + rows, height)), slice(max(col, 0), min(col + cols, width))
    if (inner[0].stop - inner[0].start, inner[1].stop - inner[1].start) == (rows, cols):
        features, present, offset = (
            modality.features[:, :, inner[0], inner[1]],
            modality.present[:, :, inner[0], inner[1]],
            modality.offset[:, inner[0], inner[1]],
        )
        return _with_tensors(modality, {"features": features, "present": present, "offset": offset})
    outer = tuple(slice(part.start - start, part.stop - start) for part, start in zip(inner, (row, col), strict=True))
    batch, times, *_, bands, numbers = modality.features.shape
    features = modality.features.new_zeros((batch, times, rows, cols, bands, numbers))
    present = modality.present.new_zeros((batch, times, rows, cols, bands))
    offset = modality.offset.new_zeros((batch, rows, cols, 2))
    features[:, :, outer[0], outer[1]] = modality.features[:, :, inner[0], inner[1]]
    present[:, :, outer[0], outer[1]] = modality.present[:, :, inner[0], inner[1]]
    offset[:, outer[0], outer[1]] = modality.offset[:, inner[0], inner[1]]
    return _with_tensors(modality, {"features": features, "present": present, "offset": offset})


def batch_inputs(samples: Sequence[ModalityInput]) -> ModalityInput:
    """Inputs of one modality joined along B; bands, dates, GSD, cell size and cells must agree (`ShapeError`)."""
    first = samples[0]
    for sample in samples[1:]:
        same = (sample.bands, sample.gsd, sample.cell_size, sample.present.shape[1:]) == (
            first.bands, first.gsd, first.cell_size, first.present.shape[1:],
        )  # fmt: skip
        if not same:
            raise ShapeError("Inputs of a batch must share bands, dates, GSD, cell size and cells; batch one place.")
    return _with_tensors(first, {name: torch.cat([getattr(sample, name) for sample in samples]) for name in _TENSORS})


def wavelength_encoding(wavelength_um: Tensor) -> Tensor:
    """Sine and cosine of a centre wavelength `[...]` at 16 frequencies, 0.2 to 40 rad/um, `[..., 32]`."""
    steps = torch.linspace(0, 1, _WAVELENGTH_FREQUENCIES, dtype=torch.float64, device=wavelength_um.device)
    frequency = _LOWEST_FREQUENCY * (_HIGHEST_FREQUENCY / _LOWEST_FREQUENCY) ** steps
    angle = wavelength_um.to(torch.float64).unsqueeze(-1) * frequency
    return torch.cat([angle.sin(), angle.cos()], dim=-1).to(torch.float32)


def vocabulary_entry(band: Band) -> str | None:
    """The learned vector that stands for `band`; None for a band with a wavelength, which needs none."""
    name = band.name.lower()
    match band.kind:
        case BandKind.OPTICAL | BandKind.THERMAL:
            return None if band.wavelength_nm is not None else str(band.kind)
        case BandKind.SAR:
            return next((f"sar {pol}" for pol in ("vv", "vh", "hh", "hv") if pol in name), "sar")
        case BandKind.ELEVATION:
            return next((word for word in ("relief", "slope") if name.endswith(f" {word}")), "elevation")
        case BandKind.INDEX:
            return "index"
        case _:
            return "custom"


class BandWeights(nn.Module):
    """The weights that turn a band's 26 numbers into its part of a token, generated from what the band *is*.

    A centre wavelength (sinusoidal features through an MLP) or a learned vector gives a code; one linear map turns
    codes into weights, so that an unseen sensor works at once.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.dim = config.dim
        self.wavelength = nn.Sequential(
            nn.Linear(2 * _WAVELENGTH_FREQUENCIES, 2 * config.band_dim),
            nn.GELU(),
            nn.Linear(2 * config.band_dim, config.band_dim),
        )
        self.vocabulary = nn.Embedding(len(BAND_VOCABULARY), config.band_dim)
        self.slot = nn.Embedding(BAND_SLOTS, config.band_dim)
        self.norm = nn.LayerNorm(config.band_dim)
        self.weights = nn.Linear(config.band_dim, (TOKEN_FEATURES + 1) * config.dim, bias=False)
        nn.init.normal_(self.vocabulary.weight)
        nn.init.normal_(self.slot.weight)
        nn.init.normal_(self.weights.weight, std=(config.band_dim * TOKEN_FEATURES) ** -0.5)
        with torch.no_grad():  # the last row is added for a present band: half as large as all its numbers together
            self.weights.weight.view(TOKEN_FEATURES + 1, config.dim, -1)[-1] *= TOKEN_FEATURES**0.5 / 2

    def forward(self, bands: Sequence[Band]) -> Tensor:
        """`[C, 26 + 1, D]`: weights of the band's numbers, and what its presence adds."""
        codes = torch.stack(self._codes(bands)) if bands else self.slot.weight[:0]
        # Weights must not depend on the precision of the run: rounding here would shift every token alike.
        with torch.autocast(codes.device.type, enabled=False):
            weights: Tensor = self.weights(self.norm(codes))
        return weights.view(-1, TOKEN_FEATURES + 1, self.dim)

    def _codes(self, bands: Sequence[Band]) -> list[Tensor]:
        seen: dict[str, int] = {}
        codes = []
        with torch.autocast(self.slot.weight.device.type, enabled=False):
            for band in bands:
                entry = vocabulary_entry(band)
                if entry is None:
                    assert band.wavelength_nm is not None
                    wavelength = torch.tensor(band.wavelength_nm / 1000, device=self.slot.weight.device)
                    codes.append(self.wavelength(wavelength_encoding(wavelength)))
                    continue
                place = seen.get(entry, 0)
                seen[entry] = place + 1
                code = self.vocabulary.weight[BAND_VOCABULARY.index(entry)]
                # The first one needs no place, so that a lone band is the same in every stack.
                codes.append(code + self.slot.weight[place % BAND_SLOTS] if place else code)
        return codes


class Tokeniser(nn.Module):
    """Modalities -> tokens `[B, n_r, n_c, K, D]`; K counts the dates of all modalities in the order given."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.bands = BandWeights(config)
        self.norm = nn.LayerNorm(config.dim)
        spread = nn.Linear(32, config.dim)
        self.scale = nn.Sequential(nn.Linear(2, 32), nn.GELU(), spread)
        self.time = nn.Linear(3, config.dim)
        self.no_date = nn.Parameter(torch.zeros(config.dim))
        self.offset = nn.Linear(2, config.dim, bias=False)
        # Small at first: what all cells of a stack share must not drown what tells them apart.
        for layer in (spread, self.time, self.offset):
            nn.init.normal_(layer.weight, std=0.1 * layer.in_features**-0.5)
        nn.init.zeros_(self.time.bias)
        nn.init.normal_(self.no_date, std=0.05)

    def forward(self, inputs: Sequence[ModalityInput]) -> tuple[Tensor, Tensor]:
        """Tokens `[B, n_r, n_c, K, D]` float32, 0 where absent, and present `[B, n_r, n_c, K]` (True = has a band)."""
        if not inputs:
            raise ShapeError("A stack needs at least one modality; give one ModalityInput or more.")
        parts = [self._tokens(modality) for modality in inputs]
        return torch.cat([tokens for tokens, _ in parts], dim=3), torch.cat([there for _, there in parts], dim=3)

    def _tokens(self, modality: ModalityInput) -> tuple[Tensor, Tensor]:
        weights = self.bands(modality.bands)  # [C, 27, D]
        there = modality.present.unsqueeze(-1).to(torch.float32)
        numbers = torch.cat([modality.features, there], dim=-1).flatten(-2)  # [B, T, n_r, n_c, C * 27]
        summed = (numbers @ weights.flatten(0, 1)).float()
        count = modality.present.sum(-1)
        tokens = self.norm(summed * count.clamp_min(1).rsqrt().unsqueeze(-1))
        tokens = tokens + self._scale(modality) + self._time(modality) + self.offset(modality.offset).unsqueeze(1)
        present = count > 0
        tokens = tokens * present.unsqueeze(-1)
        return tokens.permute(0, 2, 3, 1, 4), present.permute(0, 2, 3, 1)

    def _scale(self, modality: ModalityInput) -> Tensor:
        """`[D]` from log GSD and log cell size, both around 10 m."""
        logs = [math.log(modality.gsd / 10), math.log(modality.cell_size / 10)]
        embedded: Tensor = self.scale(torch.tensor(logs, device=modality.features.device))
        return embedded

    def _time(self, modality: ModalityInput) -> Tensor:
        """`[B, T, 1, 1, D]` from the season and the days since the stack's first date."""
        angle = modality.day_of_year * (2 * math.pi / 365.25)
        dated = torch.stack([angle.sin(), angle.cos(), modality.days_since_first.log1p() / 8], dim=-1)
        known = modality.day_of_year.isfinite().unsqueeze(-1)
        embedded = torch.where(known, self.time(dated.nan_to_num()), self.no_date)
        return embedded[:, :, None, None]
