"""Frozen targets that cannot collapse: what is known of every cell without any network.

    near        which cluster the cell's own statistics fall into, over all modalities
    wide        the same of its surroundings (17 to 65 px), which the token does not hold
    projection  where a random projection sends near and wide statistics together
    other       the cluster of one sensor at one date of which the context sees nothing
    map         what a map of classes in the training folder calls the cell

Ids of wide statistics keep the network from forgetting its surroundings: with ids of the token's own statistics alone,
trained networks were worse than untrained ones by .03 to .07 macro-F1 on the two scenes (of six) where wide windows
help most. Each set of modalities has codebooks of its own; maps are shared by all places that have them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor

from gfm_core.whole import write_whole
from gfm_training.codebook import Codebook, Projection, fit_codebook, fit_projection
from gfm_training.maps import NO_CLASS
from gfm_training.settings import TrainSettings
from gfm_training.windows import Unit, WindowStatistics, by_unit, near_and_wide

_MOST_CLASSES = 255  # of a map: more are no classes


@dataclass(frozen=True, slots=True)
class CellFacts:
    """What anchors are fitted on and answered from, N = windows x n x n cells: near features `[N, F]`, wide `[N, G]`.

    `units` are near features of each sensor at each date and where it is there; `maps` hold class codes `[N]`, -1 = no
    class.
    """

    near: Tensor
    wide: Tensor
    present: Tensor
    units: Mapping[Unit, tuple[Tensor, Tensor]]
    maps: Mapping[str, Tensor]

    @classmethod
    def of(cls, parts: Sequence[WindowStatistics], maps: Mapping[str, Tensor]) -> CellFacts:
        """From the statistics of all modalities, nothing hidden."""
        return cls(*near_and_wide(parts), by_unit(parts), maps)


@dataclass(frozen=True, slots=True)
class AnchorSet:
    """The anchors of one modality set: `other` by sensor; `maps` are the known codes `[K]` of each map, rising."""

    near: Codebook
    wide: Codebook
    projection: Projection
    other: Mapping[str, Codebook]
    maps: Mapping[str, Tensor]

    @property
    def sensors(self) -> list[str]:
        """The sensors that `other` can ask for, in order."""
        return sorted(self.other)

    def projected(self, facts: CellFacts) -> Tensor:
        """The random projection `[N, P]` of each cell."""
        return self.projection.of(torch.cat([facts.near, facts.wide], dim=1))

    def called(self, name: str, facts: CellFacts) -> Tensor:
        """Class ids `[N]` of a map: positions among its codes, -1 where it has no class or one never seen."""
        codes = self.maps[name]
        ids = torch.searchsorted(codes, facts.maps[name]).clamp_max(len(codes) - 1)
        return torch.where(codes[ids] == facts.maps[name], ids, -1)


Books = dict[str, AnchorSet]  # by modality set


def fit_books(facts: Iterable[tuple[str, CellFacts]], settings: TrainSettings) -> Books:
    """Anchors of each modality set, from cells of its places: pairs of the set's name and what is known of them."""
    by_set: dict[str, list[CellFacts]] = {}
    for key, found in facts:
        by_set.setdefault(key, []).append(found)
    maps = _map_codes([found for mine in by_set.values() for found in mine])
    return {key: _fit_set(by_set[key], maps, settings) for key in sorted(by_set)}


def _fit_set(facts: Sequence[CellFacts], maps: Mapping[str, Tensor], settings: TrainSettings) -> AnchorSet:
    near = torch.cat([item.near[item.present] for item in facts])
    wide = torch.cat([item.wide[item.present] for item in facts])
    sensors: dict[str, list[Tensor]] = {}
    for item in facts:
        for unit, (features, there) in item.units.items():
            sensors.setdefault(unit.sensor, []).append(features[there])
    return AnchorSet(
        fit_codebook(near, settings.clusters, settings.seed),
        fit_codebook(wide, settings.clusters, settings.seed),
        fit_projection(torch.cat([near, wide], dim=1), settings.projections, settings.seed),
        {
            name: fit_codebook(torch.cat(parts), settings.clusters, settings.seed)
            for name, parts in sensors.items()
            if any(map(len, parts))
        },
        {name: codes for name, codes in maps.items() if any(name in item.maps for item in facts)},
    )


def _map_codes(facts: Sequence[CellFacts]) -> dict[str, Tensor]:
    """The codes of every map that has classes to tell apart."""
    found: dict[str, list[Tensor]] = {}
    for item in facts:
        for name, codes in item.maps.items():
            found.setdefault(name, []).append(codes[codes != NO_CLASS])
    every = {name: torch.cat(parts).unique() for name, parts in found.items()}
    return {name: codes for name, codes in every.items() if 2 <= len(codes) <= _MOST_CLASSES}


# ---- Answers --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answers:
    """The frozen targets of a batch, by cell `[B, n, n]`; ids are int64, -1 = nothing to answer.

    `projection` `[B, n, n, P]` counts where `near` does. `other` is asked of the sensor (`other_sensor` `[B]`, its
    place among the set's sensors, -1 = nothing is asked) at the time (`other_time` `[B, 3]`) drawn for each window.
    `maps` by name.
    """

    near: Tensor
    wide: Tensor
    projection: Tensor
    other: Tensor
    other_sensor: Tensor
    other_time: Tensor
    maps: Mapping[str, Tensor]

    def to(self, device: torch.device) -> Answers:
        """The same on another device."""
        plain = (self.near, self.wide, self.projection, self.other, self.other_sensor, self.other_time)
        return Answers(*(item.to(device) for item in plain), {name: ids.to(device) for name, ids in self.maps.items()})


def joined_answers(parts: Sequence[Answers]) -> Answers:
    """Answers of several batches of one modality set as one; a map that a batch lacks answers nothing there."""
    fields = ("near", "wide", "projection", "other", "other_sensor", "other_time")
    plain = [torch.cat([getattr(part, name) for part in parts]) for name in fields]
    names = sorted({name for part in parts for name in part.maps})
    nothing = [torch.full_like(part.near, -1) for part in parts]
    maps = {
        name: torch.cat([part.maps.get(name, empty) for part, empty in zip(parts, nothing, strict=True)])
        for name in names
    }
    return Answers(*plain, maps)


def time_code(date: Any, first: Any) -> list[float]:
    """Season as sine and cosine, and the days since `first` in logarithmic steps; zeros for a sensor without dates."""
    if date is None:
        return [0.0, 0.0, 0.0]
    angle = date.timetuple().tm_yday * (2 * np.pi / 365.25)
    days = 0 if first is None else (date - first).days
    return [float(np.sin(angle)), float(np.cos(angle)), float(np.sign(days) * np.log1p(abs(days)) / 8)]


# ---- Files ----------------------------------------------------------------------------------------------------------

_PARTS = {Codebook: ("mean", "sd", "centres"), Projection: ("mean", "sd", "matrix", "centre")}


def save_books(path: Path, books: Books) -> None:
    """Anchors as safetensors; the names of sets, sensors and maps stand in the metadata."""
    tensors: dict[str, Tensor] = {}
    names = []
    for number, (key, one) in enumerate(sorted(books.items())):
        sensors, maps = one.sensors, sorted(one.maps)
        fixed: dict[str, Any] = {"near": one.near, "wide": one.wide, "projection": one.projection}
        others = {f"other{place}": one.other[sensor] for place, sensor in enumerate(sensors)}
        for part, value in (fixed | others).items():
            tensors |= {f"{number}.{part}.{field}": getattr(value, field) for field in _PARTS[type(value)]}
        tensors |= {f"{number}.map{place}": one.maps[name] for place, name in enumerate(maps)}
        names.append({"set": key, "sensors": sensors, "maps": maps})
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    write_whole(path, safetensors.torch.save(whole, {"names": json.dumps(names)}))


def load_books(path: Path) -> Books:
    """The inverse of `save_books`."""
    with safetensors.safe_open(path, framework="pt") as file:
        names = json.loads(file.metadata()["names"])
        return {entry["set"]: _load_set(file, str(number), entry) for number, entry in enumerate(names)}


def _load_set(file: Any, prefix: str, entry: Mapping[str, Any]) -> AnchorSet:
    def part(kind: Any, name: str) -> Any:
        return kind(*(file.get_tensor(f"{prefix}.{name}.{field}") for field in _PARTS[kind]))

    return AnchorSet(
        part(Codebook, "near"),
        part(Codebook, "wide"),
        part(Projection, "projection"),
        {sensor: part(Codebook, f"other{place}") for place, sensor in enumerate(entry["sensors"])},
        {name: file.get_tensor(f"{prefix}.map{place}") for place, name in enumerate(entry["maps"])},
    )
