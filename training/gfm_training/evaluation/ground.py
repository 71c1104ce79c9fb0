"""The windows of a place that are looked at, and what the network is given there."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gfm_core.grid import WINDOW, CellRange
from gfm_core.model.encoder import CellEncoder
from gfm_core.model.statistics import margin_pixels
from gfm_core.model.tokens import ModalityInput
from gfm_core.raster.read import PixelWindow, StackReader
from gfm_core.raster.stack import Stack
from gfm_training.discover import Place
from gfm_training.windows import TOKEN_STATISTICS, set_key, window_statistics


@dataclass(frozen=True, slots=True)
class Ground:
    """Windows `cells` of a place, of 16 x 16 cells each."""

    place: Place
    cells: tuple[CellRange, ...]

    @property
    def stack(self) -> Stack:
        """The place's stack."""
        return self.place.stack


def chosen_grounds(places: Sequence[Place], *, most: int, windows: int) -> list[Ground]:
    """Windows of at most `most` places of every modality set, evenly taken, in the order of the places."""
    sets: dict[str, list[Place]] = {}
    for place in places:
        sets.setdefault(set_key(place.stack.modalities), []).append(place)
    chosen = {id(place) for mine in sets.values() for place in mine[:: -(-len(mine) // most)]}
    return [Ground(place, spread_windows(place.stack.cells, windows)) for place in places if id(place) in chosen]


def spread_windows(cells: CellRange, count: int) -> tuple[CellRange, ...]:
    """About `count` windows of 16 x 16, spread evenly over `cells`; one in the middle where no more has room."""
    down, across = max(cells.rows // WINDOW, 1), max(cells.cols // WINDOW, 1)
    side = max(round(count**0.5), 1)
    rows = _starts(cells.row, cells.rows, min(down, side))
    cols = _starts(cells.col, cells.cols, min(across, -(-count // len(rows))))
    return tuple(CellRange(row, col, WINDOW, WINDOW) for row in rows for col in cols)


def _starts(first: int, length: int, count: int) -> list[int]:
    """Where `count` windows begin, so that what is left over lies evenly before, between and behind them."""
    free = length - count * WINDOW
    return [first + number * WINDOW + (free * (number + 1)) // (count + 1) for number in range(count)]


def read_pixels(stack: Stack, cells: Sequence[CellRange]) -> list[list[PixelWindow]]:
    """Pixels `[modality][window]`, with the margin that statistics need."""
    with StackReader(stack) as reader:
        return [
            [reader.window(modality, where, margin_pixels(modality.bands)) for where in cells]
            for modality in stack.modalities
        ]


def holds_data(ground: Ground) -> bool:
    """Whether any pixel in the windows is valid."""
    pixels = read_pixels(ground.stack, ground.cells)
    return any(bool(window.valid.any()) for part in pixels for window in part)


def inputs_of(stack: Stack, pixels: Sequence[Sequence[PixelWindow]]) -> list[ModalityInput]:
    """What the network takes, a modality each, nothing hidden."""
    return [
        window_statistics(modality, part, sizes=TOKEN_STATISTICS).to_input(stack)
        for modality, part in zip(stack.modalities, pixels, strict=True)
    ]


def latents_of(encoder: CellEncoder, inputs: Sequence[ModalityInput]) -> tuple[Tensor, Tensor]:
    """Latents `[B, n, n, D]` and where there are any `[B, n, n]`."""
    with torch.inference_mode():
        found = encoder(inputs)
    return found.values, found.present


# ---- What is left when something is missing -------------------------------------------------------------------------


def without_bands(item: ModalityInput, kept: Sequence[bool]) -> ModalityInput:
    """The input with only the bands `kept`; the others are absent."""
    mask = torch.tensor(list(kept))
    features = torch.where(mask.unsqueeze(-1), item.features, 0)
    return dataclasses.replace(item, features=features, present=item.present & mask)


# ---- How alike latents are ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Likeness:
    """How near latents of cells are to those they are compared with.

    `cosine` is the mean over cells after the common mean of the compared ones is taken away; `found` the share of cells
    whose nearest one among the cells of their window is their own (`chance` is what drawing one gives); `cells` how
    many were compared.
    """

    cosine: float
    found: float
    chance: float
    cells: int

    def to_dict(self) -> dict[str, float]:
        """Plain numbers."""
        return {name: round(value, 4) for name, value in dataclasses.asdict(self).items()}


def likeness(ours: Tensor, theirs: Tensor, there: Tensor) -> Likeness | None:
    """Compare `ours` with `theirs` `[B, n, n, D]` at the cells `there` `[B, n, n]`; None without any cell."""
    if not bool(there.any()):
        return None
    centre = theirs[there].mean(dim=0)
    cosines, hits, chances, count = [], 0, 0.0, 0
    for one, other, mask in zip(ours, theirs, there, strict=True):
        if not bool(mask.any()):
            continue
        a, b = (torch.nn.functional.normalize(part[mask] - centre, dim=1) for part in (one, other))
        cosines.append((a * b).sum(dim=1))
        hits += int(((a @ b.T).argmax(dim=1) == torch.arange(len(a))).sum())
        chances += 1.0
        count += len(a)
    return Likeness(float(torch.cat(cosines).mean()), hits / count, chances / count, count)


def mean_likeness(parts: Sequence[Likeness]) -> Likeness:
    """The mean over parts, each counted by its cells."""
    cells = sum(part.cells for part in parts)
    means = {
        name: sum(getattr(part, name) * part.cells for part in parts) / cells for name in ("cosine", "found", "chance")
    }
    return Likeness(**means, cells=cells)
