"""A training run from folders to a checkpoint: a few functions that `gfm train` joins."""

from __future__ import annotations

import dataclasses
import json
import logging
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from lightning.pytorch import Trainer
from torch import Tensor
from torch.utils.data import DataLoader

from gfm_core.errors import ParameterError
from gfm_core.model.checkpoint import BEST, load_jepa, load_model, save_checkpoint
from gfm_core.model.config import SIZES
from gfm_core.model.device import resolve_device
from gfm_core.model.encoder import CellEncoder
from gfm_core.model.jepa import JepaModel, build_model
from gfm_core.model.precision import resolve_precision
from gfm_core.model.tokens import ModalityInput

from gfm_training.card import header_of, write_report
from gfm_training.codebook import Codebook, fit_codebook
from gfm_training.data import Batch, Books, PlaceBatchSampler, Places, Survey, WindowDataset, survey
from gfm_training.discover import Discovery
from gfm_training.module import JepaTraining
from gfm_training.monitor import Prober, ProbePoint, Watch
from gfm_training.objective import AnchorHeads, Objective
from gfm_training.probe import Scene
from gfm_training.settings import TrainSettings

LAST, REPORT, STATE, ANCHORS = "last.ckpt", "report.json", "run.json", "anchors.safetensors"

_SURVEY_WINDOWS = 3  # a place and cell size
_TIMED_STEPS = 6  # after two that warm up

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a run needs before its first step."""

    places: Places
    books: Books
    surveys: tuple[Survey, ...]
    scenes: tuple[Scene, ...]


def prepare(discovery: Discovery, settings: TrainSettings, scenes: Sequence[Scene], folder: Path, say: Say) -> Prepared:
    """Read all places, fit the anchor's codebooks (or take those of a run that goes on)."""
    places = Places(discovery.places)
    places.load()
    surveys = tuple(survey(places, settings, windows=_SURVEY_WINDOWS))
    kept = folder / ANCHORS
    books = load_books(kept) if kept.is_file() else fit_books(surveys, settings)
    if not kept.is_file():
        save_books(kept, books)
    say(f"{len(places)} places in memory, {len(books)} sets of modalities with their codebooks")
    return Prepared(places, books, surveys, tuple(scenes))


def fit_books(surveys: Sequence[Survey], settings: TrainSettings) -> Books:
    """Codebooks of each modality set, from the survey's cells."""
    books: Books = {}
    for key in sorted({item.key for item in surveys}):
        mine = [item for item in surveys if item.key == key]
        near = torch.cat([item.near[item.present] for item in mine])
        wide = torch.cat([item.wide[item.present] for item in mine])
        books[key] = (
            fit_codebook(near, settings.clusters, settings.seed),
            fit_codebook(wide, settings.clusters, settings.seed),
        )
    return books


def save_books(path: Path, books: Books) -> None:
    """Codebooks as safetensors; their keys stand in the metadata."""
    keys = sorted(books)
    tensors = {
        f"{number}.{which}.{name}": getattr(book, name).contiguous()
        for number, key in enumerate(keys)
        for which, book in zip(("near", "wide"), books[key], strict=True)
        for name in ("mean", "sd", "centres")
    }
    safetensors.torch.save_file(tensors, path, {"keys": json.dumps(keys)})


def load_books(path: Path) -> Books:
    """The inverse of `save_books`."""
    with safetensors.safe_open(path, framework="pt") as file:
        keys = json.loads(file.metadata()["keys"])
        return {
            key: (_book(file, f"{number}.near"), _book(file, f"{number}.wide")) for number, key in enumerate(keys)
        }


def _book(file: Any, prefix: str) -> Codebook:
    return Codebook(*(file.get_tensor(f"{prefix}.{name}") for name in ("mean", "sd", "centres")))


# ---- Learning ---------------------------------------------------------------------------------------------------------


def new_model(settings: TrainSettings, init: str | None) -> JepaModel:
    """An untrained network, or a checkpoint's to go on from."""
    if init is None:
        return build_model(SIZES[settings.size], settings.seed)
    return load_jepa(load_model(init).path, seed=settings.seed)


def new_module(model: JepaModel, books: Books, settings: TrainSettings) -> JepaTraining:
    """The network with its anchor heads, ready to train."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        heads = AnchorHeads(model.config.dim, books)
    objective = Objective(model, heads, kind=settings.objective, ema_weight=settings.ema_weight)
    return JepaTraining(objective, settings)


def batches(prepared: Prepared, settings: TrainSettings, first: int) -> DataLoader[Batch]:
    """The batches of steps `first` to the last, prepared by worker processes."""
    sampler = PlaceBatchSampler(prepared.places, settings, range(first, settings.steps))
    dataset = WindowDataset(prepared.places, settings, prepared.books)
    return DataLoader(
        dataset, batch_sampler=sampler, collate_fn=_as_it_is, num_workers=settings.workers,
        worker_init_fn=_one_thread, prefetch_factor=4 if settings.workers else None,
        multiprocessing_context="fork" if settings.workers else None,  # the places in memory are shared, not copied
    )  # fmt: skip


def _as_it_is(batch: Batch) -> Batch:
    return batch


def _one_thread(worker: int) -> None:  # noqa: ARG001 (torch's signature)
    torch.set_num_threads(1)


def seconds_a_step(prepared: Prepared, settings: TrainSettings, init: str | None) -> float:
    """Time of one step, measured on a network that is thrown away."""
    module = new_module(new_model(settings, init), prepared.books, settings)
    timed = dataclasses.replace(settings, steps=_TIMED_STEPS * 4 + 2, probe_every=10**9)
    module.settings = timed
    clock = _Clock()
    trainer = _trainer(timed, [clock], None)
    trainer.fit(module, batches(prepared, timed, 0))
    return clock.seconds()


def _trainer(settings: TrainSettings, callbacks: list[Any], folder: Path | None) -> Trainer:
    device = resolve_device(settings.device)
    narrow = resolve_precision(settings.precision, device) is torch.bfloat16
    logger = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Trainer(
            max_steps=settings.steps, max_epochs=1, accelerator="gpu" if device.type == "cuda" else "cpu", devices=1,
            precision="bf16-mixed" if narrow else "32-true", gradient_clip_val=settings.clip, callbacks=callbacks,
            logger=logger, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
            default_root_dir=folder, use_distributed_sampler=False, num_sanity_val_steps=0,
        )  # fmt: skip
