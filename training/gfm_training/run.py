"""A training run from folders to a checkpoint: a few functions that `gfm train` joins."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from gfm_core.errors import OutputError
from gfm_core.model.checkpoint import BEST
from gfm_training.anchors import fit_books, load_books, save_books
from gfm_training.card import CARD, REPORT, header_of, write_report
from gfm_training.data import Places, survey
from gfm_training.discover import Discovery, discover
from gfm_training.learn import LAST, PART, Prepared, learn, new_model, new_module, seconds_a_probe, seconds_a_step
from gfm_training.probe import Scene, usable_scenes
from gfm_training.settings import Recipe, TrainSettings

STARTED = "run.json"  # what a run was started with: it goes on only with the same
ANCHORS = "anchors.safetensors"

# All that a run leaves in its folder, and all that --overwrite removes; what it was started with goes last.
_WRITTEN = (CARD, REPORT, BEST, ANCHORS, LAST, PART, STARTED)

_SURVEY_WINDOWS = 3  # a place and cell size
_LEAST_STEPS = 20  # of a budget
_ENDING = 5.0  # seconds of a budget for what comes after the last step

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What `gfm train` was asked: `seconds` is the budget of the whole run, None = the recipe's steps."""

    folders: tuple[Path, ...]
    output: Path
    recipe: Recipe
    init: str | None = None
    seconds: float | None = None
    overwrite: bool = False
    command: str = "gfm train"


def train(order: Order, *, say: Say, dry_run: bool = False) -> None:
    """Everything that `gfm train` does, told through `say`, a line at a time."""
    began = time.monotonic()
    discovery = discover(order.folders, order.recipe.data)
    for line in understood(discovery, order.recipe.train):
        say(line)
    if dry_run:
        return
    settings, goes_on = begin(order)
    torch.set_num_threads(max(torch.get_num_threads() - settings.workers, 1))
    scenes, reasons = usable_scenes(order.folders, seed=settings.seed)
    say(f"probed on {', '.join(scene.name for scene in scenes)}" + "".join(f"; not {reason}" for reason in reasons))
    prepared = prepare(discovery, settings, scenes, order.output, say)
    if order.seconds is not None and not goes_on:
        settings = within_budget(order, settings, prepared, began, say)
        _remember(order, settings)
    module = new_module(new_model(settings, order.init), prepared.books, settings)
    learning = time.monotonic()
    watch = learn(prepared, module, order.output, command=order.command, discovery=discovery, say=say)
    now = time.monotonic()
    write_report(
        order.output, discovery, header_of(discovery, settings, order.command, watch.points, watch.best),
        seconds={"all": round(now - began, 1), "learning": round(now - learning, 1)}, init=order.init,
    )  # fmt: skip
    best = watch.best
    say(
        f"kept step {best.step} ({best.network}), {best.score - watch.points[0].score:+.4f} macro-F1 to untrained: "
        f"{order.output / BEST}"
    )


def understood(discovery: Discovery, settings: TrainSettings) -> list[str]:
    """What will be learnt from and what not, a line each."""
    lines = [f"{len(discovery.places)} places:"]
    for place in discovery.places:
        parts = [
            f"{item.name} ({len(item.bands)} bands" + (f", {len(item.dates)} dates)" if len(item.dates) > 1 else ")")
            for item in place.stack.modalities
        ]
        rows, cols = place.stack.cells.shape
        lines.append(
            f"  {place.name}: {rows} x {cols} cells of {place.stack.lattice.cell_size:g} m, {', '.join(parts)}"
        )
    lines += [f"  left out: {line}" for line in discovery.left_out]
    unknown = [place.name for place in discovery.places if place.licence == "not stated"]
    if unknown:
        lines.append(f"  licence not stated for {', '.join(unknown)}: think before you share the weights")
    lines.append(
        f"{settings.size}, objective {settings.objective}, {settings.steps} steps of {settings.batch} windows, cells "
        f"of {', '.join(map(str, settings.cell_pixels))} px, {settings.hidden:.0%} of them hidden, seed {settings.seed}"
    )
    return lines


def begin(order: Order) -> tuple[TrainSettings, bool]:
    """The run's folder, made or found, its settings, and whether it goes on from a state that it holds.

    Raises `OutputError` for a folder that holds a
    finished run or another one.
    """
    folder, wanted = order.output, order.recipe.train
    ours = (folder / STARTED).is_file()
    if order.overwrite and ours:
        for name in _WRITTEN:
            (folder / name).unlink(missing_ok=True)
    if folder.is_dir() and any(folder.iterdir()) and not ours:
        raise OutputError(f"{folder} holds other files; choose a new folder for the run.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made ({error.strerror}); choose another folder.") from error
    if not (folder / LAST).is_file():
        for leftover in (ANCHORS, STARTED):
            (folder / leftover).unlink(missing_ok=True)
        _remember(order, wanted)
        return wanted, False
    if (folder / REPORT).is_file():
        raise OutputError(f"{folder} holds a finished run; choose another folder, or --overwrite it.")
    started = json.loads((folder / STARTED).read_text(encoding="utf-8"))
    settings = TrainSettings.from_dict(started["settings"])
    same = order.seconds is not None or wanted.steps == settings.steps
    if dataclasses.replace(wanted, steps=settings.steps) != settings or started["init"] != order.init or not same:
        raise OutputError(f"{folder} holds a run with other settings; choose another folder, or --overwrite it.")
    return settings, True


def _remember(order: Order, settings: TrainSettings) -> None:
    told = {"settings": settings.to_dict(), "init": order.init, "command": order.command}
    (order.output / STARTED).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def prepare(discovery: Discovery, settings: TrainSettings, scenes: Sequence[Scene], folder: Path, say: Say) -> Prepared:
    """Read all places, fit the anchor's codebooks (or take those of a run that goes on)."""
    places = Places(discovery.places)
    places.load()
    surveys = tuple(survey(places, settings, windows=_SURVEY_WINDOWS))
    kept = folder / ANCHORS
    books = load_books(kept) if kept.is_file() else fit_books([(item.key, item.facts) for item in surveys], settings)
    save_books(kept, books)
    say(f"{len(places)} places in memory, {len(books)} sets of modalities, each with its codebooks")
    return Prepared(places, books, surveys, tuple(scenes))


def within_budget(order: Order, settings: TrainSettings, prepared: Prepared, began: float, say: Say) -> TrainSettings:
    """As many steps as the budget has room for, measured here: the run itself counts steps and can be repeated."""
    assert order.seconds is not None
    pace, probing = seconds_a_step(prepared, settings, order.init), seconds_a_probe(prepared, settings, order.init)
    left = order.seconds - (time.monotonic() - began) - _ENDING - 3 * probing
    steps = max(int(left / (pace + 2 * probing / settings.probe_every)), _LEAST_STEPS)
    say(f"{pace:.2f} s a step and {probing:.1f} s a probe: {steps} steps")
    return dataclasses.replace(settings, steps=steps)
