"""Batches: a place is drawn, then torchgeo's sampler draws windows in it, then what they hide.

Every draw of step s comes from (seed, s, rank) alone, so that a run which goes on is the run that was never stopped.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from gfm_core.grid import Bounds, CellRange
from gfm_core.model.statistics import margin_pixels
from gfm_core.model.tokens import ModalityInput
from gfm_core.raster.read import PixelWindow
from gfm_core.raster.stack import Stack
from gfm_core.sampling import Query, StackDataset, random_batch, snap, with_dates
from gfm_training.anchors import Books, CellFacts
from gfm_training.batch import Batch, make_batch
from gfm_training.cache import CachedReader
from gfm_training.discover import Place, with_cell_pixels
from gfm_training.maps import map_classes
from gfm_training.settings import TrainSettings
from gfm_training.windows import set_key, window_statistics


@dataclass(frozen=True, slots=True)
class WindowQuery:
    """One window of one step: `place` and `pixels` (along a cell) are the same for all of them."""

    step: int
    place: int
    pixels: int
    query: Query


class Places:
    """Places with their pixels in memory, in cells of any size."""

    def __init__(self, places: Sequence[Place]) -> None:
        self.places = tuple(places)
        self._readers = [CachedReader(place.stack) for place in places]
        self._datasets: dict[tuple[int, int], StackDataset] = {}

    def __len__(self) -> int:
        return len(self.places)

    def load(self) -> None:
        """Read every place now."""
        for reader in self._readers:
            reader.load()
        for place in self.places:
            for layer in place.maps:
                layer.load()

    def key(self, place: int) -> str:
        """Name of the place's modality set."""
        return set_key(self.places[place].stack.modalities)

    def dataset(self, place: int, pixels: int) -> StackDataset:
        """A place in cells of `pixels` x `pixels` of its finest modality."""
        if (place, pixels) not in self._datasets:
            stack = with_cell_pixels(self.places[place].stack, pixels)
            reader = CachedReader(stack)
            reader.share(self._readers[place])
            self._datasets[place, pixels] = StackDataset(stack, reader=reader)
        return self._datasets[place, pixels]


def generator_of(seed: int, step: int, rank: int, stream: int) -> np.random.Generator:
    """The generator of one step, process and purpose."""
    return np.random.default_rng([seed, step, rank, stream])


class PlaceBatchSampler(Sampler[list[WindowQuery]]):
    """For each step a place, a cell size, and a batch of torchgeo's random windows in it."""

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

    def batch(self, step: int) -> list[WindowQuery]:
        """The queries of one step."""
        chance = generator_of(self.settings.seed, step, self.rank, 0)
        place = int(chance.choice(len(self.places), p=self._weights))
        weights = np.asarray(self.settings.cell_weights) / sum(self.settings.cell_weights)
        pixels = int(chance.choice(self.settings.cell_pixels, p=weights))
        generator = torch.Generator().manual_seed(int(chance.integers(2**62)))
        dataset = self.places.dataset(place, pixels)
        queries = random_batch(dataset, windows=self.settings.batch, generator=generator)
        return [WindowQuery(step, place, pixels, query) for query in queries]


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
    """Queries of one step -> its `Batch`."""

    def __init__(self, places: Places, settings: TrainSettings, books: Books, *, rank: int = 0) -> None:
        self.places, self.settings, self.books, self.rank = places, settings, books, rank

    def __getitems__(self, queries: Sequence[WindowQuery]) -> Batch:
        first = queries[0]
        chance = generator_of(self.settings.seed, first.step, self.rank, 1)
        dataset = self.places.dataset(first.place, first.pixels)
        stack = _few_dates(dataset.stack, self.settings.dates, chance)
        place, key = self.places.places[first.place], self.places.key(first.place)
        cells = cells_of(stack, [query.query for query in queries])
        maps = map_classes(place.maps, stack.lattice, cells)
        windows = read_windows(dataset, stack, cells)
        drawn = make_batch(stack, windows, self.settings, self.books[key], chance, maps=maps)
        return replace(drawn, step=first.step, place=place.name, books=key)

    def __getitem__(self, query: WindowQuery) -> Batch:
        return self.__getitems__([query])


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
    """A fixed sample of every place at every cell size, `windows` each: codebooks and quantisation are fitted on it."""
    for place in range(len(places)):
        for pixels in settings.cell_pixels:
            chance = generator_of(settings.seed, place, pixels, 2)
            dataset = places.dataset(place, pixels)
            stack = _few_dates(dataset.stack, settings.dates, chance)
            generator = torch.Generator().manual_seed(int(chance.integers(2**62)))
            queries = random_batch(dataset, windows=windows, generator=generator)
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
