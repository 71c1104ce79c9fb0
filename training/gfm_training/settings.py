"""What decides a training run: one frozen object, read from a TOML recipe, every value checked with a mend."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from gfm_core.errors import MissingExtraError, ParameterError
from gfm_core.model.config import SIZES
from gfm_training.typed_toml import check_names, of_types, read_toml

OBJECTIVES = ("dual", "ema", "anchor")
EMA_TARGETS = ("layers", "last")
ANCHORS = ("near", "wide", "projection", "other", "map")
STRATEGIES = ("auto", "ddp", "fsdp")


_SHARES = (
    "ema_weight", "ema_visible", "hidden", "blocks", "hide_sensor", "hide_date", "drop_bands", "drop_modalities",
    "drop_dates",
)  # fmt: skip
_CHOICES: dict[str, Sequence[str]] = {
    "size": tuple(SIZES), "objective": OBJECTIVES, "ema_targets": EMA_TARGETS, "strategy": STRATEGIES,
    "device": ("auto", "cpu", "cuda"), "precision": ("auto", "float32", "bf16"),
}  # fmt: skip
_COUNTS = ("steps", "batch", "clusters", "projections", "dates", "probe_every", "save_every", "devices", "num_nodes")
_NUMBERS: tuple[tuple[Sequence[str], Callable[[float], bool], str], ...] = (
    (_COUNTS, lambda value: value >= 1, "at least 1"),
    (_SHARES, lambda value: 0 <= value <= 1, "between 0 and 1"),
    (("learning_rate", "clip"), lambda value: value > 0, "positive"),
    (("seed", "warmup", "weight_decay", "gain", "shift", "workers"), lambda value: value >= 0, "0 or more"),
)


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """The recipe's table `[train]`. Shares and probabilities are 0-1, rates are per step."""

    size: str = "nano"
    seed: int = 0
    steps: int = 2000
    batch: int = 8  # windows of one place
    objective: str = "dual"
    ema_weight: float = 0.5  # of the latents' smooth L1, in "dual"; the anchors have the rest
    ema_targets: str = "layers"  # of the slow copy: the whitened mean of all layers, or the "last" one
    ema_visible: float = 0.5  # weight of the same loss on cells that lost nothing, beside 1 on the others
    anchors: tuple[str, ...] = ("near", "wide")  # what else is asked: also "projection", "other", "map"
    clusters: int = 64  # a codebook; each modality set has several: of near and wide statistics, of each sensor
    projections: int = 32  # numbers of the random projection
    learning_rate: float = 2e-4  # at 1e-3 latents lose half their rank and maps .04 macro-F1 (docs/experiments.md)
    warmup: int = 100
    weight_decay: float = 0.05
    clip: float = 1.0
    cell_pixels: tuple[int, ...] = (2, 3, 4, 6)  # of the finest GSD, drawn a step
    cell_weights: tuple[float, ...] = (4.0, 2.0, 2.0, 1.0)  # 2 px is what users embed, and four times cheaper than 6
    dates: int = 3  # at most so many a step, drawn
    hidden: float = 0.75  # of the cells, in windows that hide cells at random
    blocks: float = 0.5  # of the windows hide blocks of cells instead
    hide_sensor: float = 0.35  # of the windows that have several sensors
    hide_date: float = 0.35  # of the windows that have several dates
    drop_bands: float = 0.25  # of the modalities lose bands in the context
    drop_modalities: float = 0.1  # of a step's modalities are left out as if the place had none
    drop_dates: float = 0.1  # of a step's dates, likewise
    gain: float = 0.1  # sd of the logarithm
    shift: float = 0.1  # sd, normalised units
    probe_every: int = 250
    save_every: int = 100  # steps between states that a stopped run goes on from
    workers: int = 1  # processes that prepare batches beside the one that learns
    device: str = "auto"
    precision: str = "auto"
    devices: int = 1  # chips of this machine, one process each; on a CPU processes. Each draws windows of its own
    num_nodes: int = 1  # machines; several are started by torchrun
    strategy: str = "auto"  # how several processes share the work: "ddp" copies the network, "fsdp" (GPUs) shards it

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise ParameterError(f"{name} cannot be {getattr(self, name)!r}; use {', '.join(known)}.")
        for name in self.anchors:
            if name not in ANCHORS:
                raise ParameterError(f"anchors cannot hold {name!r}; use {', '.join(ANCHORS)}.")
        if self.objective != "ema" and not self.anchors:
            raise ParameterError(f"objective {self.objective} needs anchors; give some of {', '.join(ANCHORS)}.")
        if len(self.cell_pixels) != len(self.cell_weights) or not self.cell_pixels:
            raise ParameterError("cell_pixels and cell_weights must have the same length; give one weight a size.")
        for names, fits, words in _NUMBERS:
            for name in names:
                if not fits(getattr(self, name)):
                    raise ParameterError(f"{name} must be {words}, not {getattr(self, name)}.")
        if min(self.cell_pixels) < 1 or min(self.cell_weights) <= 0:
            raise ParameterError("cell_pixels and cell_weights must be positive.")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """From plain values; raises `ParameterError` for what is unknown, with the nearest name, or of another type."""
        return cls(**of_types(cls, "train", values))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the run's report and the checkpoint's header."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in dataclasses.asdict(self).items()
        }


@dataclass(frozen=True, slots=True)
class Manifest:
    """The recipe's tables `[data]` and `[licences]`: which rasters of the folders may be learnt from.

    `leave_out` are patterns of file names without ending, `skip` of folder names. `gsd` is the pixel size in metres of
    rasters that lie nowhere. `licences` says for a folder's name (or a pattern of it) the credit line that goes into
    the checkpoint.
    """

    leave_out: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    gsd: float | None = None
    licences: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.gsd is not None and self.gsd <= 0:
            raise ParameterError(f"gsd must be positive, the pixel size in metres, not {self.gsd:g}.")

    def leaves_out(self, raster: Path) -> bool:
        """Whether a raster is not to be learnt from."""
        return any(fnmatch.fnmatch(raster.stem.lower(), pattern.lower()) for pattern in self.leave_out)

    def skips(self, folder: Path) -> bool:
        """Whether a folder, with all below it, is not to be learnt from."""
        return any(fnmatch.fnmatch(folder.name.lower(), pattern.lower()) for pattern in self.skip)

    def licence(self, folder: Path, top: Path) -> str:
        """The credit line of the nearest folder that has one, else "not stated"."""
        for part in (folder, *folder.parents):
            for pattern, line in self.licences.items():
                if fnmatch.fnmatch(part.name.lower(), pattern.lower()):
                    return line
            if part == top:
                break
        return "not stated"


@dataclass(frozen=True, slots=True)
class LabelledScene:
    """A table `[[probe]]` of the recipe: labels that judge the network along the run, and that it never learns from.

    `rasters` (patterns, with options such as `:date=2014-07-01`) and `labels` are relative to a FOLDER of the run.
    """

    name: str
    rasters: tuple[str, ...]
    labels: str
    field: str | None = None
    where: str | None = None

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """From plain values; raises `ParameterError` for a name that is unknown or missing."""
        told = of_types(cls, "probe", values)
        for needed in ("name", "rasters", "labels"):
            if needed not in told:
                raise ParameterError(f"A probe has no {needed}; give name, rasters and labels in [[probe]].")
        return cls(**told)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A TOML recipe: how to learn, from what, judged by which labels (none: those that lie beside the rasters)."""

    train: TrainSettings = TrainSettings()
    data: Manifest = Manifest()
    probes: tuple[LabelledScene, ...] = ()


def read_recipe(path: Path | None) -> Recipe:
    """A recipe from a TOML file, or the defaults; raises `ParameterError` with what is wrong in it."""
    if path is None:
        return Recipe()
    values = read_toml(path)
    check_names(path.name, values, {"train", "data", "licences", "probe"})
    train, data, licences = (_table(path, values, name) for name in ("train", "data", "licences"))
    if "licences" in data:
        raise ParameterError("licences is a table of its own; write [licences].")
    probes = values.get("probe", [])
    if not isinstance(probes, list) or not all(isinstance(one, dict) for one in probes):
        raise ParameterError(f"{path}: write [[probe]], with two brackets, above each probe.")
    return Recipe(
        TrainSettings.from_dict(train),
        Manifest(**of_types(Manifest, "data", {**data, "licences": licences})),
        tuple(LabelledScene.from_dict(one) for one in probes),
    )


def _table(path: Path, values: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = values.get(name, {})
    if not isinstance(table, dict):
        raise ParameterError(f"{path}: write [{name}] above its settings, not {name} = {table!r}.")
    return table


def printed(recipe: Recipe) -> str:
    """The whole recipe as TOML, every setting in it; `read_recipe` gives it back."""
    try:
        import tomli_w
    except ModuleNotFoundError as error:
        raise MissingExtraError("--print-config needs tomli_w; install jepa-gfm[train].") from error
    data = {name: value for name, value in dataclasses.asdict(recipe.data).items() if value is not None}
    licences = data.pop("licences")
    probes = [
        {name: value for name, value in dataclasses.asdict(one).items() if value is not None} for one in recipe.probes
    ]
    tables = {"train": recipe.train.to_dict(), "data": data, "licences": licences, "probe": probes}
    return tomli_w.dumps({name: table for name, table in tables.items() if table})
