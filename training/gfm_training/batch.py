"""Windows of one place -> a batch: something is hidden, what is left becomes statistics, anchors are looked up."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from gfm_core.grid import WINDOW
from gfm_core.model.tokens import ModalityInput, batch_inputs
from gfm_core.raster.read import PixelWindow
from gfm_core.raster.stack import Modality, Stack
from gfm_core.sampling import with_dates
from gfm_training.anchors import AnchorSet, Answers, CellFacts, joined_answers, time_code
from gfm_training.augment import Radiometry, Turn, draw_dates_kept, turned, with_radiometry, without_bands
from gfm_training.masking import Layout, draw_hidden, spreads
from gfm_training.settings import TrainSettings
from gfm_training.windows import TOKEN_STATISTICS, Unit, WindowStatistics, window_statistics


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows of one place: what the context sees, what the target sees, and what the anchors know of each cell.

    `books` names the place's modality set.
    """

    step: int
    place: str
    books: str
    context: list[ModalityInput]
    target: list[ModalityInput]
    answers: Answers

    def to(self, device: torch.device) -> Batch:
        """The same on another device."""
        return replace(
            self,
            context=[item.to(device) for item in self.context],
            target=[item.to(device) for item in self.target],
            answers=self.answers.to(device),
        )


def make_batch(
    stack: Stack, windows: Sequence[Sequence[PixelWindow]], settings: TrainSettings, anchors: AnchorSet,
    chance: np.random.Generator, *, shared: np.random.Generator | None = None,
    maps: Mapping[str, Tensor] | None = None,
) -> Batch:  # fmt: skip
    """Drop, hide, compute statistics with and without what is hidden, look anchors up, turn, change light and bands.

    `windows` are `[modality][window]`; `maps` class codes `[windows * n * n]` by map. What is dropped is as if the
    place had never had it; what is hidden is asked for. `shared` draws what is dropped, alike in all parts of a step
    that will be `joined`.
    """
    every = [window_statistics(item, part) for item, part in zip(stack.modalities, windows, strict=True)]
    facts = CellFacts.of(every, maps or {})
    kept = draw_dates_kept([item.dates for item in stack.modalities], settings, shared or chance)
    left, whole, windows = _kept_of(stack, every, windows, kept)
    seen = hidden_statistics(left, windows, settings, chance)
    turn = Turn.draw(chance)
    light = [Radiometry.draw(part.bands, settings.gain, settings.shift, chance) for part in whole]
    target = _as_inputs(left, whole, turn, light)
    context = without_bands(_as_inputs(left, seen, turn, light), settings.drop_bands, chance)
    other = draw_other(left, context, facts, anchors, chance)
    return Batch(0, "", "", context, target, _answers(anchors, facts, other, turn, left.first_date))


def hidden_statistics(
    stack: Stack, windows: Sequence[Sequence[PixelWindow]], settings: TrainSettings, chance: np.random.Generator
) -> list[WindowStatistics]:
    """Statistics of each modality of what is left when something is hidden in every window, `[modality][window]`."""
    layouts = [Layout.of(modality, stack.lattice) for modality in stack.modalities]
    hidden = [draw_hidden(layouts, WINDOW, settings, chance) for _ in windows[0]]  # [window][modality]
    return [
        window_statistics(
            item, windows[number], [torch.from_numpy(one[number]) for one in hidden], TOKEN_STATISTICS, spread=spread
        )
        for number, (item, spread) in enumerate(zip(stack.modalities, spreads(layouts), strict=True))
    ]


def joined(parts: Sequence[Batch]) -> Batch:
    """Windows of places that are alike in one batch. Maps that a place lacks have no answer there."""
    first, *others = parts
    if not others:
        return first
    return replace(
        first,
        place=f"{first.place} and {len(others)} more",
        context=_joined_inputs([part.context for part in parts]),
        target=_joined_inputs([part.target for part in parts]),
        answers=joined_answers([part.answers for part in parts]),
    )


def _joined_inputs(parts: Sequence[Sequence[ModalityInput]]) -> list[ModalityInput]:
    """Modality by modality; the GSDs of places that are alike differ by less than matters."""
    return [
        batch_inputs([replace(item, gsd=same[0].gsd, cell_size=same[0].cell_size) for item in same])
        for same in zip(*parts, strict=True)
    ]


def _kept_of(
    stack: Stack, every: Sequence[WindowStatistics], windows: Sequence[Sequence[PixelWindow]],
    kept: Sequence[Sequence[int]],
) -> tuple[Stack, list[WindowStatistics], list[list[PixelWindow]]]:  # fmt: skip
    """The stack, its statistics and its windows with only the dates `kept` of each modality (none: it goes)."""
    modalities: list[Modality] = []
    parts: list[WindowStatistics] = []
    left: list[list[PixelWindow]] = []
    for modality, part, own, times in zip(stack.modalities, every, windows, kept, strict=True):
        if not times:
            continue
        whole = len(times) == len(modality.dates)
        index = list(times)
        modalities.append(modality if whole else with_dates(modality, index))
        parts.append(part if whole else part.at(index))
        left.append(
            list(own) if whole else [replace(one, pixels=one.pixels[index], valid=one.valid[index]) for one in own]
        )
    return replace(stack, modalities=tuple(modalities)), parts, left


def _as_inputs(
    stack: Stack, parts: Sequence[WindowStatistics], turn: Turn, light: Sequence[Radiometry]
) -> list[ModalityInput]:
    return [
        with_radiometry(turned(part.to_input(stack), turn), change) for part, change in zip(parts, light, strict=True)
    ]


# ---- What the anchors answer ----------------------------------------------------------------------------------------


def draw_other(
    stack: Stack, context: Sequence[ModalityInput], facts: CellFacts, anchors: AnchorSet, chance: np.random.Generator
) -> list[Unit | None]:
    """For each window one sensor at one date of which its context sees nothing, if there is any."""
    drawn: list[Unit | None] = []
    cells = WINDOW * WINDOW
    for number in range(len(context[0].present)):
        seen = _seen_units(stack.modalities, context, number)
        span = slice(number * cells, (number + 1) * cells)
        absent = [
            unit
            for unit, (_, there) in facts.units.items()
            if unit not in seen and unit.sensor in anchors.other and bool(there[span].any())
        ]
        place = int(chance.integers(max(len(absent), 1)))
        drawn.append(absent[place] if absent else None)
    return drawn


def _seen_units(modalities: Sequence[Modality], context: Sequence[ModalityInput], window: int) -> set[Unit]:
    """The sensors and dates of which the context of one window has a token anywhere."""
    seen = set()
    for modality, item in zip(modalities, context, strict=True):
        for date, there in zip(modality.dates, item.present[window].flatten(1).any(dim=1), strict=True):
            if bool(there):
                seen.add(Unit(modality.sensor, date))
    return seen


def _answers(
    anchors: AnchorSet, facts: CellFacts, other: Sequence[Unit | None], turn: Turn, first: datetime.date | None
) -> Answers:
    """Every anchor's answer by cell, turned as the inputs are."""

    def laid_out(values: Tensor) -> Tensor:
        field = values.view(len(other), WINDOW, WINDOW, *values.shape[1:])
        return turn.of(field, 1, 2).contiguous()

    sensors = anchors.sensors
    asked = [-1 if unit is None else sensors.index(unit.sensor) for unit in other]
    times = [time_code(None if unit is None else unit.date, first) for unit in other]
    return Answers(
        near=laid_out(anchors.near.assign(facts.near, facts.present)),
        wide=laid_out(anchors.wide.assign(facts.wide, facts.present)),
        projection=laid_out(anchors.projected(facts)),
        other=laid_out(_other_ids(anchors, facts, other)),
        other_sensor=torch.tensor(asked),
        other_time=torch.tensor(times),
        maps={name: laid_out(anchors.called(name, facts)) for name in anchors.maps if name in facts.maps},
    )


def _other_ids(anchors: AnchorSet, facts: CellFacts, other: Sequence[Unit | None]) -> Tensor:
    """Cluster ids `[N]` of what is asked in each window, -1 in windows that ask nothing."""
    cells = WINDOW * WINDOW
    ids = torch.full((len(other), cells), -1)
    for number, unit in enumerate(other):
        if unit is not None:
            features, there = (part[number * cells : (number + 1) * cells] for part in facts.units[unit])
            ids[number] = anchors.other[unit.sensor].assign(features, there)
    return ids.flatten()
