"""Batches: a place is drawn, then torchgeo's sampler draws windows in it, then what they hide.

A place too small for a batch, such as a patch of 64 pixels, is joined by others that are alike.

Every draw of step s comes from (seed, s, rank) alone, so that a run which goes on is the run that was never stopped.
"""

from __future__ import annotations

import datetime
import itertools
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from gfm_core.errors import GfmError
from gfm_core.grid import WINDOW, Bounds, CellRange
from gfm_core.model.statistics import margin_pixels
from gfm_core.model.tokens import ModalityInput
from gfm_core.raster.read import PixelWindow, StackReader
from gfm_core.raster.stack import Stack
from gfm_core.sampling import Query, StackDataset, random_batch, snap, with_dates
from gfm_training.anchors import Books, CellFacts
from gfm_training.batch import Batch, joined, make_batch
from gfm_training.cache import CachedReader
from gfm_training.discover import Place, with_cell_pixels
from gfm_training.maps import map_classes
from gfm_training.settings import TrainSettings
from gfm_training.windows import set_key, window_statistics

logger = logging.getLogger(__name__)

MEMORY = 4_000_000_000  # bytes of pixels that are kept, all places together

_MOST_DATASETS = 2048
_ATTEMPTS = 10
_SURVEYED = 48  # places of a modality set
_PLENTY = 16  # places of a modality set that have the full number of windows in a survey
_STREAMS = {"queries": 0, "windows": 1, "survey": 2, "dropped": 3}  # of random numbers, independent of one another


@dataclass(frozen=True, slots=True)
class WindowQuery:
    """One window of one step; `pixels` (along a cell) are the same for all of them, places are kin."""

    step: int
    place: int
    pixels: int
    query: Query


class Places:
    """Places with their pixels in memory as far as `budget` bytes reach, in cells of any size."""

    def __init__(self, places: Sequence[Place], *, budget: int = MEMORY) -> None:
        self.places, self._budget = tuple(places), budget
        self._readers: dict[int, CachedReader] = {}
        self._datasets: dict[tuple[int, int], StackDataset] = {}
        self._kin: dict[int, tuple[int, ...]] = {}

    def __len__(self) -> int:
        return len(self.places)

    def load(self) -> list[str]:
        """Read places now, in order, until the budget is spent; the others are read as they are asked for.

        A place that cannot be read, or holds nothing, is dropped. Its sentence is told.
        """
        sound, dropped, readers = [], [], {}
        held = 0
        for place in self.places:
            if held < self._budget:
                reader = CachedReader(place.stack)
                try:
                    reader.load()
                    for layer in place.maps:
                        layer.load()
                except GfmError as error:
                    dropped.append(f"{place.name}: {error}")
                    continue
                if reader.empty:
                    dropped.append(f"{place.name}: none of its pixels is valid; check its nodata value.")
                    continue
                readers[len(sound)] = reader
                held += reader.held
            sound.append(place)
        self.places, self._readers = tuple(sound), readers
        self._datasets.clear()
        self._kin.clear()
        return dropped

    @property
    def in_memory(self) -> int:
        """How many places are held."""
        return len(self._readers)

    def key(self, place: int) -> str:
        """Name of the place's modality set."""
        return set_key(self.places[place].stack.modalities)

    def kin(self, place: int) -> tuple[int, ...]:
        """The places whose windows can stand in one batch with this one's, itself among them, in order."""
        if not self._kin:
            groups: dict[tuple[object, ...], list[int]] = {}
            for number, item in enumerate(self.places):
                groups.setdefault(_likeness(item.stack), []).append(number)
            self._kin = {number: tuple(group) for group in groups.values() for number in group}
        return self._kin[place]

    def dataset(self, place: int, pixels: int) -> StackDataset:
        """A place in cells of `pixels` x `pixels` of its finest modality."""
        if (place, pixels) not in self._datasets:
            stack = with_cell_pixels(self.places[place].stack, pixels)
            reader = StackReader(stack)
            if place in self._readers:
                reader = CachedReader(stack)
                reader.share(self._readers[place])
            if len(self._datasets) >= _MOST_DATASETS:
                self._forget()
            self._datasets[place, pixels] = StackDataset(stack, reader=reader)
        return self._datasets[place, pixels]

    def _forget(self) -> None:
        """Let go of datasets, and of the files that they hold open."""
        for dataset in self._datasets.values():
            dataset.reader.close()
        self._datasets.clear()


def _likeness(stack: Stack) -> tuple[object, ...]:
    """What stacks must share for their windows to stand in one batch: bands, GSDs, the order of dates in modalities."""
    days = sorted({date for item in stack.modalities for date in item.dates if date is not None})
    order = [tuple(-1 if date is None else days.index(date) for date in item.dates) for item in stack.modalities]
    sizes = [f"{size:.2g}" for size in (stack.lattice.cell_size, *(item.gsd for item in stack.modalities))]
    return set_key(stack.modalities), *order, *sizes, *(item.bands for item in stack.modalities)


def generator_of(seed: int, step: int, rank: int, stream: int) -> np.random.Generator:
    """The generator of one step, process and purpose."""
    return np.random.default_rng([seed, step, rank, stream])


class PlaceBatchSampler(Sampler[list[WindowQuery]]):
    """For each step a place, a cell size, and a batch of torchgeo's random windows in it, or in its kin too."""

    def __init__(
        self, places: Places, settings: TrainSettings, steps: range, *, rank: int = 0, weights: Tensor | None = None
    ) -> None:
        self.places, self.settings, self.steps, self.rank = places, settings, steps, rank
        self._weights = place_weights(places) if weights is None else weights.numpy()

    def __len__(self) -> int:
        return self.steps.stop  # Lightning counts what a run that goes on has had before, too

    def __iter__(self) -> Iterator[list[WindowQuery]]:
        for step in self.steps:
            yield self.batch(step)

    def batch(self, step: int, attempt: int = 0) -> list[WindowQuery]:
        """The queries of one step; another `attempt` draws anew, where a place cannot be read."""
        chance = generator_of(self.settings.seed, step, self.rank, _STREAMS["queries"] + len(_STREAMS) * attempt)
        place = int(chance.choice(len(self.places), p=self._weights))
        weights = np.asarray(self.settings.cell_weights) / sum(self.settings.cell_weights)
        pixels = int(chance.choice(self.settings.cell_pixels, p=weights))
        queries = []
        for own, windows in self._shared_out(place, pixels, chance):
            generator = torch.Generator().manual_seed(int(chance.integers(2**62)))
            drawn = random_batch(self.places.dataset(own, pixels), windows=windows, generator=generator)
            queries += [WindowQuery(step, own, pixels, query) for query in drawn]
        return queries

    def _shared_out(self, place: int, pixels: int, chance: np.random.Generator) -> list[tuple[int, int]]:
        """The places of a batch and how many windows each gives: one, or so many kin that none must give many."""
        rows, cols = with_cell_pixels(self.places.places[place].stack, pixels).cells.shape
        room = max(rows * cols // WINDOW**2, 1)
        kin = [other for other in self.places.kin(place) if other != place]
        wanted = min(-(-self.settings.batch // room), len(kin) + 1)
        others = [] if wanted == 1 else [kin[number] for number in chance.permutation(len(kin))[: wanted - 1]]
        counts = [len(part) for part in np.array_split(np.arange(self.settings.batch), wanted)]
        return list(zip([place, *others], counts, strict=True))


def place_weights(places: Places) -> np.ndarray:
    """How often each place is drawn: by the fourth root of its area in cells, shared by places of one modality set.

    Eleven cities by one sensor must not outweigh the only place of another: a set counts as the root of its places.
    """
    sets = [places.key(number) for number in range(len(places))]
    area = np.array([np.prod(place.stack.cells.shape, dtype=float) for place in places.places]) ** 0.25
    shared = np.array([sets.count(key) for key in sets]) ** -0.5
    weights: np.ndarray = area * shared / (area * shared).sum()
    return weights


class WindowDataset(Dataset[Batch]):
    """Queries of one step -> its `Batch`. Where a place cannot be read the step's queries are drawn anew."""

    def __init__(self, places: Places, settings: TrainSettings, books: Books, *, rank: int = 0) -> None:
        self.places, self.settings, self.books, self.rank = places, settings, books, rank
        self._again = PlaceBatchSampler(places, settings, range(settings.steps), rank=rank)

    def __getitems__(self, queries: Sequence[WindowQuery]) -> Batch:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._batch(queries)
            except GfmError as error:
                if attempt == _ATTEMPTS:
                    raise
                logger.warning("Step %d takes other windows: %s", queries[0].step, error)
                queries = self._again.batch(queries[0].step, attempt)
        raise AssertionError  # the last attempt returns or raises

    def __getitem__(self, query: WindowQuery) -> Batch:
        return self.__getitems__([query])

    def _batch(self, queries: Sequence[WindowQuery]) -> Batch:
        step = queries[0].step
        parts = []
        for place, mine in itertools.groupby(queries, key=lambda query: query.place):
            chance = generator_of(self.settings.seed, step, self.rank, _STREAMS["windows"])
            if parts:
                chance = np.random.default_rng([*chance.integers(2**62, size=2), place])
            # What is dropped is dropped in all windows of a step, so that they stay alike.
            shared = generator_of(self.settings.seed, step, self.rank, _STREAMS["dropped"])
            parts.append(self._part(place, list(mine), chance, shared))
        return replace(joined(parts), step=step)

    def _part(
        self, place: int, queries: Sequence[WindowQuery], chance: np.random.Generator, shared: np.random.Generator
    ) -> Batch:
        """The windows of one place."""
        dataset = self.places.dataset(place, queries[0].pixels)
        stack = _few_dates(dataset.stack, self.settings.dates, shared)
        told, key = self.places.places[place], self.places.key(place)
        cells = cells_of(stack, [query.query for query in queries])
        maps = map_classes(told.maps, stack.lattice, cells)
        windows = read_windows(dataset, stack, cells)
        drawn = make_batch(stack, windows, self.settings, self.books[key], chance, shared=shared, maps=maps)
        return replace(drawn, place=told.name, books=key)


def cells_of(stack: Stack, queries: Sequence[Query]) -> list[CellRange]:
    """The cells under each query."""
    return [
        snap(stack.lattice, Bounds(query[0].start, query[1].start, query[0].stop, query[1].stop)) for query in queries
    ]


def read_windows(dataset: StackDataset, stack: Stack, cells: Sequence[CellRange]) -> list[list[PixelWindow]]:
    """Pixels under each window's cells, `[modality][window]`; `stack` may have fewer dates than the dataset."""
    return [
        [dataset.reader.window(modality, where, margin_pixels(modality.bands)) for where in cells]
        for modality in stack.modalities
    ]


def _few_dates(stack: Stack, most: int, chance: np.random.Generator) -> Stack:
    """The stack with at most `most` of its dates, the same ones in every modality."""
    dates = sorted({date for item in stack.modalities for date in item.dates if date is not None})
    chosen = {dates[number] for number in chance.permutation(len(dates))[:most]}
    modalities = []
    for item in stack.modalities:
        kept = [number for number, date in enumerate(item.dates) if date in chosen]
        if not kept:  # undated, or dated otherwise than the rest
            kept = sorted(chance.permutation(len(item.dates))[:most].tolist())
        modalities.append(with_dates(item, kept) if len(kept) < len(item.dates) else item)
    return replace(stack, modalities=tuple(modalities))


# ---- Fixed windows of all places ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Survey:
    """Some windows of one place, nothing hidden, nothing changed.

    `key` names its modality set; `sensors` and `dates` are those of each of `inputs`.
    """

    place: str
    key: str
    sensors: tuple[str, ...]
    dates: tuple[tuple[datetime.date | None, ...], ...]
    inputs: list[ModalityInput]
    facts: CellFacts


def survey(places: Places, settings: TrainSettings, *, windows: int) -> Iterator[Survey]:
    """A fixed sample at every cell size: codebooks and quantisation are fitted on it.

    `windows` of every place, or fewer where a modality set has many places; of hundreds some are taken, evenly.
    """
    sets: dict[str, list[int]] = {}
    for place in range(len(places)):
        sets.setdefault(places.key(place), []).append(place)
    chosen = sorted(place for mine in sets.values() for place in mine[:: -(-len(mine) // _SURVEYED)])
    for place in chosen:
        fewer = max(min(windows, windows * _PLENTY // len(sets[places.key(place)])), 1)
        for pixels in settings.cell_pixels:
            chance = generator_of(settings.seed, place, pixels, _STREAMS["survey"])
            dataset = places.dataset(place, pixels)
            stack = _few_dates(dataset.stack, settings.dates, chance)
            generator = torch.Generator().manual_seed(int(chance.integers(2**62)))
            queries = random_batch(dataset, windows=fewer, generator=generator)
            cells = cells_of(stack, queries)
            parts = [
                window_statistics(item, part)
                for item, part in zip(stack.modalities, read_windows(dataset, stack, cells), strict=True)
            ]
            facts = CellFacts.of(parts, map_classes(places.places[place].maps, stack.lattice, cells))
            yield Survey(
                places.places[place].name, places.key(place), tuple(item.sensor for item in stack.modalities),
                tuple(item.dates for item in stack.modalities), [part.to_input(stack) for part in parts], facts,
            )  # fmt: skip
