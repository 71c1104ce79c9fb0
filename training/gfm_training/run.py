"""A training run from folders to a checkpoint: a few functions that `gfm train` joins."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from gfm_core.errors import OutputError, ParameterError
from gfm_core.model.checkpoint import BEST, load_model
from gfm_core.model.device import resolve_device
from gfm_training.across import after_first, from_first, launched, together
from gfm_training.across import rank as my_rank
from gfm_training.anchors import fit_books, load_books, save_books
from gfm_training.card import CARD, REPORT, header_of, told_gain, write_report
from gfm_training.data import Places, survey
from gfm_training.discover import Discovery, discover, told
from gfm_training.learn import LAST, PART, Prepared, learn, new_model, new_module, seconds_a_probe, seconds_a_step
from gfm_training.monitor import Prober
from gfm_training.page import PAGE
from gfm_training.records import CURVES, LOSSES
from gfm_training.scenes import find_probes, sample_scene
from gfm_training.settings import Recipe, TrainSettings
from gfm_training.vitals import Examiner

STARTED = "run.json"  # what a run was started with: it goes on only with the same
ANCHORS = "anchors.safetensors"

# All that a run leaves in its folder, and all that --overwrite removes; what it was started with goes last.
_WRITTEN = (CARD, REPORT, PAGE, BEST, ANCHORS, LOSSES, LAST, PART, STARTED)

_CORES = torch.get_num_threads()  # before any run takes some of them away
_SURVEY_WINDOWS = 3  # a place and cell size
_LEAST_STEPS = 20  # of a budget
_ENDING = 8.0  # seconds of a budget for what comes after the last step
_MARGIN = 1.05  # of the measured time of a step

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
    """Everything that `gfm train` does, told through `say`, a line at a time. Runs in every process of several."""
    began = time.monotonic() - time.process_time()  # what loading the libraries took is part of a budget
    order = with_processes(order)
    with together(resolve_device(order.recipe.train.device)):
        say = say if my_rank() == 0 else _silent
        discovery = after_first(lambda: look(order))
        for line in understood(discovery, order.recipe.train):
            say(line)
        if dry_run:
            return
        settings, goes_on = from_first(lambda: begin(order))
        torch.set_num_threads(_threads(settings))
        places, discovery = loaded(discovery, say)
        prepared = prepare(places, discovery, settings, order, say)
        if order.seconds is not None and not goes_on:
            settings = within_budget(order, settings, prepared, began, say)
        module = new_module(new_model(settings, order.init), prepared.books, settings)
        learning = time.monotonic()
        watch = learn(prepared, module, order.output, command=order.command, discovery=discovery, say=say)
        if my_rank() > 0:
            return
    now = time.monotonic()
    write_report(
        order.output, discovery, header_of(discovery, settings, order.command, watch.points, watch.best),
        seconds={"all": round(now - began, 1), "learning": round(now - learning, 1)}, init=order.init,
    )  # fmt: skip
    best = watch.best
    say(f"kept step {best.step} ({best.network}), {told_gain(watch.points, best)}: {order.output / BEST}")


def look(order: Order) -> Discovery:
    """What the folders hold. Whether the model to start from can be had is said here, before anything is made."""
    if order.init is not None:
        load_model(order.init)
    return discover(order.folders, order.recipe.data)


def with_processes(order: Order) -> Order:
    """The order with the number of processes and machines that torchrun has started, if it has."""
    if not launched():
        return order
    here, all_of_them = int(os.environ.get("LOCAL_WORLD_SIZE", "1")), int(os.environ["WORLD_SIZE"])
    train_settings = dataclasses.replace(order.recipe.train, devices=here, num_nodes=all_of_them // here)
    return dataclasses.replace(order, recipe=dataclasses.replace(order.recipe, train=train_settings))


def _threads(settings: TrainSettings) -> int:
    """Threads of one learning process: the cores, shared by the processes, less those that prepare batches."""
    cores = _CORES if not launched() else max((os.cpu_count() or 1) // settings.devices, 1)
    return max(cores - settings.workers, 1)


def _silent(line: str) -> None:
    """What processes but the first have to say."""


def understood(discovery: Discovery, settings: TrainSettings) -> list[str]:
    """What will be learnt from and how, a line each."""
    processes = settings.devices * settings.num_nodes
    windows = f"{settings.batch} windows" + (f" in each of {processes} processes" if processes > 1 else "")
    return [
        *told(discovery),
        f"{settings.size}, objective {settings.objective}, {settings.steps} steps of {windows}, cells of "
        f"{', '.join(map(str, settings.cell_pixels))} px, {settings.hidden:.0%} of them hidden, seed {settings.seed}",
    ]


def begin(order: Order) -> tuple[TrainSettings, bool]:
    """The run's folder, made or found, its settings, and whether it goes on from a state that it holds.

    Raises `OutputError` for a folder that holds a finished run or another one.
    """
    folder, wanted = order.output, order.recipe.train
    ours = (folder / STARTED).is_file()
    if order.overwrite and ours:
        shutil.rmtree(folder / CURVES, ignore_errors=True)
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


def loaded(discovery: Discovery, say: Say) -> tuple[Places, Discovery]:
    """The places in memory, and what is left of the discovery: those that cannot be read are out."""
    places = Places(discovery.places)
    dropped = places.load()
    for line in dropped:
        say(f"  left out: {line}")
    if not len(places):
        raise ParameterError(f"No place can be read; {dropped[0]}")
    if places.in_memory < len(places):
        say(f"{places.in_memory} of {len(places)} places fit in memory; the others are read as they are asked for")
    return places, Discovery(places.places, (*discovery.left_out, *dropped))


def prepare(places: Places, discovery: Discovery, settings: TrainSettings, order: Order, say: Say) -> Prepared:
    """Fit the anchors' codebooks (or take those of a run that goes on), find what judges the run."""
    surveys = tuple(survey(places, settings, windows=_SURVEY_WINDOWS))
    kept = order.output / ANCHORS

    def fitted() -> bool:
        if not kept.is_file():
            save_books(kept, fit_books([(item.key, item.facts) for item in surveys], settings))
        return True

    from_first(fitted)
    books = load_books(kept)
    sets = f"{len(books)} sets of modalities" if len(books) > 1 else "1 set of modalities"
    say(f"{sets}, with codebooks of {settings.clusters} clusters")
    if my_rank() > 0:
        return Prepared(places, books, surveys, None)
    probes = find_probes(order.recipe, order.folders, discovery)
    prober = Prober(probes.scenes, Examiner(surveys, books))
    if not prober.scenes and not prober.examiner.questions:
        prober = dataclasses.replace(prober, scenes=(sample_scene(settings.seed),))
    say(judged_by(prober, probes.reasons))
    return Prepared(places, books, surveys, prober)


def judged_by(prober: Prober, reasons: Sequence[str]) -> str:
    """What decides which network is kept, in words."""
    scenes, questions = [scene.name for scene in prober.scenes], len(prober.examiner.questions)
    if scenes:
        line = f"judged by few-label maps of {', '.join(scenes)}"
    else:
        line = f"judged without labels: {questions} times, do cells alike see the same in a hidden sensor or date?"
    return line + "".join(f"; not by {reason}" for reason in reasons)


def within_budget(order: Order, settings: TrainSettings, prepared: Prepared, began: float, say: Say) -> TrainSettings:
    """As many steps as the budget has room for, measured here: the run itself counts steps and can be repeated."""
    assert order.seconds is not None
    pace = seconds_a_step(prepared, settings, order.init)
    probing = from_first(lambda: seconds_a_probe(prepared, settings, order.init))
    left = order.seconds - (time.monotonic() - began) - _ENDING - 3 * probing
    steps = from_first(lambda: max(int(left / (pace * _MARGIN + 2 * probing / settings.probe_every)), _LEAST_STEPS))
    say(f"{pace:.2f} s a step and {probing:.1f} s a probe: {steps} steps")
    settings = dataclasses.replace(settings, steps=steps)
    from_first(lambda: _remember(order, settings))
    return settings
