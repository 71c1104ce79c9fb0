"""What reads the anchors' answers off latents: linear maps, thrown away with the predictor after training."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from gfm_training.anchors import AnchorSet, Books


class AnchorHeads(nn.Module):
    """One linear map from latents `[N, D]` to the answers of every anchor that is asked, for every modality set.

    A map of classes has one head wherever it lies, so that places learn its classes from one another.
    """

    def __init__(self, dim: int, books: Books, anchors: Sequence[str]) -> None:
        super().__init__()
        self.keys = sorted(books)
        self.sets = nn.ModuleList(_SetHeads(dim, books[key], anchors) for key in self.keys)
        sizes = {name: len(codes) for key in self.keys for name, codes in books[key].maps.items()}
        self.map_names = sorted(sizes) if "map" in anchors else []
        self.maps = nn.ModuleList(nn.Linear(dim, sizes[name]) for name in self.map_names)

    def of(self, key: str, anchor: str, latents: Tensor) -> Tensor:
        """Logits of `near` or `wide`, numbers of `projection`, for a place with the modality set `key`."""
        answered: Tensor = self.sets[self.keys.index(key)].plain[anchor](latents)
        return answered

    def of_sensor(self, key: str, sensor: int, latents: Tensor, time: Tensor) -> Tensor:
        """Logits of a sensor's clusters at the times `[N, 3]`; `sensor` is its place among the set's."""
        answered: Tensor = self.sets[self.keys.index(key)].other[sensor](latents, time)
        return answered

    def of_map(self, name: str, latents: Tensor) -> Tensor:
        """Logits of a map's classes."""
        answered: Tensor = self.maps[self.map_names.index(name)](latents)
        return answered


class _SetHeads(nn.Module):
    """The heads of one modality set."""

    def __init__(self, dim: int, one: AnchorSet, anchors: Sequence[str]) -> None:
        super().__init__()
        sizes = {
            "near": len(one.near.centres), "wide": len(one.wide.centres), "projection": len(one.projection.centre),
        }  # fmt: skip
        self.plain = nn.ModuleDict({name: nn.Linear(dim, size) for name, size in sizes.items() if name in anchors})
        sensors = one.sensors if "other" in anchors else []
        self.other = nn.ModuleList(_DatedHead(dim, len(one.other[name].centres)) for name in sensors)


class _DatedHead(nn.Module):
    """Logits at a time: the time decides how much each dimension of the latent counts."""

    def __init__(self, dim: int, clusters: int) -> None:
        super().__init__()
        self.ids, self.time = nn.Linear(dim, clusters), nn.Linear(3, dim)
        nn.init.normal_(self.time.weight, std=0.1)
        nn.init.zeros_(self.time.bias)

    def forward(self, latents: Tensor, time: Tensor) -> Tensor:
        logits: Tensor = self.ids(latents * (1 + self.time(time)))
        return logits
