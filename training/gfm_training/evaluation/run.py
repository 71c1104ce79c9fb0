"""An evaluation from a model and folders to one page and one JSON file."""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gfm_core.errors import OutputError, ParameterError
from gfm_core.model.checkpoint import LoadedModel, load_jepa, load_model
from gfm_core.model.encoder import CellEncoder
from gfm_core.model.jepa import JepaModel, build_model
from gfm_core.whole import write_whole
from gfm_training.discover import Discovery, discover, told
from gfm_training.evaluation import pictures
from gfm_training.evaluation.fusion import Share, Without, shares_of, without_each
from gfm_training.evaluation.ground import Ground, chosen_grounds, holds_data
from gfm_training.evaluation.page import PAGE, Drawn, Evaluation, page
from gfm_training.evaluation.prediction import MASKS, Prediction, hide, predictions, targets_over
from gfm_training.evaluation.probing import SHOTS, Probed, probe_scene
from gfm_training.evaluation.resolution import Coarser, coarser_latents
from gfm_training.probe import Scene
from gfm_training.scenes import find_probes, sample_scene
from gfm_training.settings import Recipe, TrainSettings
from gfm_training.targets import LatentTargets
from gfm_training.windows import set_key

NUMBERS = "report.json"

_DRAWN_SETS = 3  # modality sets of which a place is drawn

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What `gfm evaluate` was asked."""

    model: str
    folders: tuple[Path, ...]
    output: Path
    recipe: Recipe
    places: int = 4  # of a modality set
    windows: int = 9  # of a place
    overwrite: bool = False
    command: str = "gfm evaluate"


def evaluate(order: Order, *, say: Say) -> Path:
    """Everything that `gfm evaluate` does, told through `say`; returns the page."""
    model = load_model(order.model)
    _check_output(order)
    discovery = discover(order.folders, order.recipe.data)
    for line in told(discovery):
        say(line)
    chosen = chosen_grounds(discovery.places, most=order.places, windows=order.windows)
    grounds = [ground for ground in chosen if holds_data(ground)]
    if not grounds:
        raise ParameterError(
            f"{chosen[0].place.name} has no valid pixel where it was looked at; check its nodata value."
        )
    seed = order.recipe.train.seed
    untrained = build_model(model.config, seed).context.eval()
    say(f"{sum(len(ground.cells) for ground in grounds)} windows of {len(grounds)} places")
    jepa, settings = load_jepa(model.path, seed=seed).eval(), _settings_of(model)
    measured = _Measured(model, jepa, targets_over(jepa, grounds, settings), untrained, settings, seed)
    found = Evaluation(
        model=model_facts(model),
        command=order.command,
        resolution=list(_told(measured.resolution(grounds), "resolution", say)),
        untrained_resolution=list(measured.resolution(grounds, untrained)),
        without=list(_told(measured.without(grounds), "fusion", say)),
        shares=list(measured.shares(grounds)),
        predictions=list(_told(measured.predictions(grounds), "prediction", say)),
        probed=list(_told(measured.probed(_scenes(order, discovery, say)), "maps from few labels", say)),
        places=[{"name": ground.place.name, "windows": len(ground.cells)} for ground in grounds],
    )
    drawn = [measured.drawn(ground) for ground in _to_draw(grounds)]
    return _write(order, found, drawn)


def _check_output(order: Order) -> None:
    for name in (PAGE, NUMBERS):
        if (order.output / name).exists() and not order.overwrite:
            raise OutputError(f"{order.output} holds a report; choose another folder, or --overwrite it.")
    above = next(folder for folder in (order.output, *order.output.absolute().parents) if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise OutputError(f"{order.output} cannot be made in {above}; choose another folder.")


def _settings_of(model: LoadedModel) -> TrainSettings:
    """What the model was trained with, as far as this version knows it."""
    known = {item.name for item in dataclasses.fields(TrainSettings)}
    stored = model.header.get("settings", {})
    return TrainSettings.from_dict({name: value for name, value in stored.items() if name in known})


def model_facts(model: LoadedModel) -> dict[str, Any]:
    """What the page says of the model."""
    best = model.header.get("numbers", {}).get("best", {})
    return {
        "name": model.name, "size": model.config.name, "sha256": model.sha256, "step": best.get("step"),
        "objective": model.header.get("settings", {}).get("objective"),
        "trained": best.get("step") not in (0, None),
    }  # fmt: skip


def _told(found: Iterator[Any], what: str, say: Say) -> Iterator[Any]:
    """Pass everything on, and say when a part is done."""
    yield from found
    say(f"{what}: measured")


@dataclass(frozen=True, slots=True)
class _Measured:
    """A model beside the untrained one, measured part by part."""

    model: LoadedModel
    jepa: JepaModel
    targets: LatentTargets
    untrained: CellEncoder
    settings: TrainSettings
    seed: int

    def resolution(self, grounds: Sequence[Ground], encoder: CellEncoder | None = None) -> Iterator[Coarser]:
        for ground in grounds:
            with tempfile.TemporaryDirectory(prefix="gfm-coarser-") as folder:
                yield from coarser_latents(encoder or self.model.encoder, ground, Path(folder))

    def without(self, grounds: Sequence[Ground]) -> Iterator[Without]:
        for ground in grounds:
            yield from without_each(self.model.encoder, ground)

    def shares(self, grounds: Sequence[Ground]) -> Iterator[Share]:
        for ground in grounds:
            yield from shares_of(self.model.encoder, ground)

    def predictions(self, grounds: Sequence[Ground]) -> Iterator[Prediction]:
        for ground in grounds:
            yield from predictions(self.jepa, self.targets, ground, self.settings, self.seed)

    def probed(self, scenes: Sequence[Scene]) -> Iterator[Probed]:
        for scene in scenes:
            yield probe_scene(self.model.encoder, self.untrained, scene)

    def drawn(self, ground: Ground) -> Drawn:
        """The pictures of one place."""
        area = pictures.area_of(ground)
        hidden = hide(self.jepa, self.targets, ground, self.settings, next(iter(MASKS)), seed=self.seed)
        layers = [item.name for item in ground.stack.modalities]
        drawn = {
            "The place, as a person would see it": pictures.natural(area),
            "Latents: their three main components as red, green, blue": pictures.components(self.model.encoder, area),
            "The same of the untrained network": pictures.components(self.untrained, area),
        }
        if len(layers) > 1:
            drawn["Which layer decided here"] = pictures.deciding_layers(self.model.encoder, area)
        middle = len(area.inputs[0].features) // 2
        drawn["What the marked cell attends to (last layer, one window)"] = pictures.attention_of_middle(
            self.model.encoder, area.inputs, middle
        )
        if hidden is not None:
            mask, error = pictures.mask_and_error(hidden)
            drawn["Hidden cells (dark) in some windows"] = mask
            drawn["How wrong the prediction was there (white 0, dark red 2)"] = error
        return Drawn(ground.place.name, layers, {name: pictures.data_uri(one) for name, one in drawn.items()})


def _to_draw(grounds: Sequence[Ground]) -> list[Ground]:
    """The first place of some modality sets."""
    first: dict[str, Ground] = {}
    for ground in grounds:
        first.setdefault(set_key(ground.stack.modalities), ground)
    return list(first.values())[:_DRAWN_SETS]


def _scenes(order: Order, discovery: Discovery, say: Say) -> Sequence[Scene]:
    """Labelled scenes of the recipe or beside the rasters, else the one that ships."""
    probes = find_probes(order.recipe, order.folders, discovery, shots=SHOTS)
    for reason in probes.reasons:
        say(f"  not probed: {reason}")
    return probes.scenes or (sample_scene(order.recipe.train.seed, shots=SHOTS),)


def _write(order: Order, found: Evaluation, drawn: Sequence[Drawn]) -> Path:
    try:
        order.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{order.output} cannot be made ({error.strerror}); choose another folder.") from error
    numbers = json.dumps(found.to_dict(), indent=1, sort_keys=True, allow_nan=False) + "\n"
    write_whole(order.output / NUMBERS, numbers.encode("utf-8", errors="replace"))
    return write_whole(order.output / PAGE, page(found, drawn).encode("utf-8", errors="replace"))
