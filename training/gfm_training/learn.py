"""The steps of a run: batches, Lightning's trainer, the state that it goes on from, the best network."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import inspect
import logging
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from gfm_core.errors import OutputError
from gfm_core.model.checkpoint import BEST, load_jepa, load_model, save_checkpoint
from gfm_core.model.config import SIZES
from gfm_core.model.device import resolve_device
from gfm_core.model.encoder import CellEncoder
from gfm_core.model.jepa import JepaModel, build_model
from gfm_core.model.precision import resolve_precision
from gfm_core.progress import Interrupted
from gfm_training.across import from_first, launched, rank
from gfm_training.anchors import Books
from gfm_training.batch import Batch
from gfm_training.card import header_of
from gfm_training.data import PlaceBatchSampler, Places, Survey, WindowDataset
from gfm_training.discover import Discovery
from gfm_training.launch import GOES_ON
from gfm_training.lightning_parts import Callback, DDPStrategy, FSDPStrategy, Trainer
from gfm_training.module import JepaTraining, SlowCopy
from gfm_training.monitor import ProbePoint, Prober, Watch, survey_latents
from gfm_training.objective import Objective
from gfm_training.records import LOSSES, Diverged, LossLog, tensorboard
from gfm_training.settings import TrainSettings

LAST = "last.ckpt"
PART = "last.part"  # that state while it is being written

_WARMING_STEPS, _TIMED_STEPS = 4, 24
_COVERED = 5.0  # standard deviations of a latent that 8 bits hold
# The state holds tensors and plain values only; older Lightning does not know the word.
_SAFE_LOADING = {"weights_only": True} if "weights_only" in inspect.signature(Trainer.fit).parameters else {}

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a run needs before its first step."""

    places: Places
    books: Books
    surveys: tuple[Survey, ...]
    prober: Prober | None  # only the first of several processes probes


def new_model(settings: TrainSettings, init: str | None) -> JepaModel:
    """An untrained network, or a checkpoint's to go on from."""
    if init is None:
        return build_model(SIZES[settings.size], settings.seed)
    return load_jepa(load_model(init).path, seed=settings.seed)


def new_module(model: JepaModel, books: Books, settings: TrainSettings) -> JepaTraining:
    """The network with its anchor heads, ready to train."""
    return JepaTraining(Objective(model, books, settings), settings)


def batches(prepared: Prepared, settings: TrainSettings, first: int) -> DataLoader[Batch]:
    """The batches of steps `first` to the last, prepared by worker processes."""
    sampler = PlaceBatchSampler(prepared.places, settings, range(first, settings.steps), rank=rank())
    dataset = WindowDataset(prepared.places, settings, prepared.books, rank=rank())
    return DataLoader(
        dataset, batch_sampler=sampler, collate_fn=_as_it_is, num_workers=settings.workers,
        worker_init_fn=_as_worker, prefetch_factor=4 if settings.workers else None,
        multiprocessing_context="fork" if settings.workers else None,  # the places in memory are shared, not copied
    )  # fmt: skip


def _as_it_is(batch: Any) -> Any:
    return batch


def _as_worker(worker: int) -> None:  # noqa: ARG001 (torch's signature)
    """One thread, and no word of its own when the run is stopped: the process that learns says it."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.excepthook = _unless_parted


def _unless_parted(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    """Tell of an error, unless it only says that the process at the other end has gone."""
    if not issubclass(kind, EOFError | ConnectionError):
        sys.__excepthook__(kind, error, trace)


def learn(
    prepared: Prepared, module: JepaTraining, folder: Path, *, command: str, discovery: Discovery, say: Say
) -> Watch:
    """Train `module` to the end, from the folder's last state if it holds one; leaves the best network in `folder`."""
    settings = module.settings
    fixed = [item.inputs for item in prepared.surveys]

    def keep(encoder: CellEncoder, point: ProbePoint) -> None:
        if rank() > 0:
            return
        header = header_of(discovery, settings, command, watch.points, point)
        header["quantisation"] = {"network": quantisation(survey_latents(encoder, fixed))}
        save_checkpoint(folder / BEST, with_encoder(module.objective.model, encoder), header)

    watch = Watch(prepared.prober, every=settings.probe_every, keep=keep, say=say)
    last = folder / LAST
    first = from_first(lambda: step_of(last) if last.is_file() else 0)
    if first:
        say(f"going on at step {first} of {settings.steps}")
    callbacks = [SlowCopy(), LossLog(folder / LOSSES), watch, SaveState(last, every=settings.save_every)]
    trainer = new_trainer(settings, callbacks, logger=tensorboard(folder, first))
    with quiet(), _sentences(folder):
        try:
            trainer.fit(module, batches(prepared, settings, first), ckpt_path=last if first else None, **_SAFE_LOADING)
        except SystemExit as stopped:  # Lightning's answer to Ctrl-C
            raise Interrupted(GOES_ON) from stopped
    return watch


def step_of(checkpoint: Path) -> int:
    """The step that a run's last state was saved at."""
    return int(torch.load(checkpoint, map_location="cpu", weights_only=True)["global_step"])


class SaveState(Callback):  # type: ignore[misc]
    """Saves all that a run needs to go on, now and then and at the end; never a half-written file."""

    def __init__(self, path: Path, *, every: int) -> None:
        self.path, self.every = path, every

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int  # noqa: ARG002
    ) -> None:  # fmt: skip
        """After the probe of the same step, which belongs to the state."""
        if trainer.global_step % self.every != 0 and trainer.global_step != trainer.max_steps:
            return
        if not all(bool(weight.isfinite().all()) for weight in pl_module.parameters()):
            raise Diverged(
                f"Weights are no numbers at step {trainer.global_step}; the state before that is kept. Begin another "
                "run with a lower learning_rate, or with precision float32."
            )
        part = self.path.with_name(PART)
        try:
            trainer.save_checkpoint(part)
            if trainer.is_global_zero:
                part.replace(self.path)
        except (OSError, RuntimeError) as error:  # torch tells of a full disk by a RuntimeError
            part.unlink(missing_ok=True)
            raise OutputError(
                f"{self.path} cannot be written ({_reason(error)}); make room and give the same command again: the run "
                "goes on."
            ) from error


def _reason(error: Exception) -> str:
    """Why a file cannot be written, in a few words."""
    cause = error if isinstance(error, OSError) else error.__cause__ or error.__context__
    return (isinstance(cause, OSError) and cause.strerror) or str(error).splitlines()[0][:120]


@contextlib.contextmanager
def _sentences(folder: Path) -> Iterator[None]:
    """The system's refusal to write logs as one sentence."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written ({error.strerror or error}); make room and give the same command again: the "
            "run goes on."
        ) from error


def with_encoder(model: JepaModel, encoder: CellEncoder) -> JepaModel:
    """A copy of `model` whose encoder is `encoder`: the slow copy, when it is the better one."""
    return JepaModel(model.config, copy.deepcopy(encoder), copy.deepcopy(encoder), copy.deepcopy(model.predictor))


def quantisation(latents: Tensor) -> dict[str, list[float]]:
    """Scale and offset of bytes 1-255 of each dimension: mean +- 5 standard deviations of `latents` `[N, D]`."""
    mean, sd = latents.double().mean(dim=0), latents.double().std(dim=0).clamp_min(1e-3)
    scale = 2 * _COVERED / 254 * sd
    offset = mean - _COVERED * sd - scale
    return {"scale": [float(f"{x:.6g}") for x in scale], "offset": [float(f"{x:.6g}") for x in offset]}


def seconds_a_step(prepared: Prepared, settings: TrainSettings, init: str | None) -> float:
    """Median time of a step, measured on a network that is thrown away."""
    timed = dataclasses.replace(settings, steps=_TIMED_STEPS)
    module = new_module(new_model(settings, init), prepared.books, timed)
    clock = _Clock()
    with quiet():
        new_trainer(timed, [SlowCopy(), clock]).fit(module, batches(prepared, timed, 0))
    later = clock.times[_WARMING_STEPS:]
    return (later[-1] - later[0]) / (len(later) - 1)


def seconds_a_probe(prepared: Prepared, settings: TrainSettings, init: str | None) -> float:
    """Time to score one network."""
    assert prepared.prober is not None
    start = time.monotonic()
    prepared.prober(new_model(settings, init).context, 0, "student")
    return time.monotonic() - start


class _Clock(Callback):  # type: ignore[misc]
    def __init__(self) -> None:
        self.times: list[float] = []

    def on_train_batch_end(self, *arguments: Any) -> None:  # noqa: ARG002
        self.times.append(time.monotonic())


def new_trainer(settings: TrainSettings, callbacks: list[Any], *, logger: Any = False) -> Trainer:
    """A trainer that runs `settings.steps` steps and says nothing itself."""
    device = resolve_device(settings.device)
    narrow = resolve_precision(settings.precision, device) is torch.bfloat16
    several = launched()
    with quiet():
        return Trainer(
            max_steps=settings.steps, max_epochs=1, accelerator="gpu" if device.type == "cuda" else "cpu",
            devices=settings.devices if several else 1, num_nodes=settings.num_nodes if several else 1,
            strategy=_strategy(settings.strategy) if several else "auto",
            precision="bf16-mixed" if narrow else "32-true", gradient_clip_val=settings.clip, callbacks=callbacks,
            logger=logger, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
            use_distributed_sampler=False,
        )  # fmt: skip


def _strategy(name: str) -> Any:
    """Lightning's strategy of several processes. Heads of other modality sets have no part in a step's loss."""
    if name == "fsdp":
        return FSDPStrategy(state_dict_type="full")
    return DDPStrategy(find_unused_parameters=True)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without Lightning's advice, which is for other people's loops."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric", "pytorch_lightning")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
