"""Watches a run: probes it, keeps the best network so far, tells how far it is."""

from __future__ import annotations

import contextlib
import copy
import functools
import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from gfm_core.errors import GfmError
from gfm_core.model.encoder import CellEncoder
from gfm_core.model.tokens import ModalityInput
from gfm_training.across import from_first
from gfm_training.lightning_parts import Callback, Trainer
from gfm_training.module import JepaTraining
from gfm_training.probe import Scene, Score, probe
from gfm_training.vitals import Examiner, Vitals, collapse

_PATIENCE = 100  # steps that a network must stay collapsed before the run is given up


class Collapsed(GfmError, RuntimeError):
    """The network stopped telling cells apart; what was kept before is still good."""


@dataclass(frozen=True, slots=True)
class ProbePoint:
    """One network at one step: `network` is what learns ("student") or its slow copy ("average").

    `score` is the mean over scenes and label numbers of fused macro-F1: what decides which network is kept. Where no
    scene can be probed it is the agreement of the vitals.
    """

    step: int
    network: str
    score: float
    alone: float
    without: float
    vitals: Vitals
    scenes: tuple[Score, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values; numbers of labels become text, as JSON wants it."""
        values = asdict(self)
        for scene in values["scenes"]:
            for part in ("without", "network", "fused"):
                scene[part] = {str(k): value for k, value in scene[part].items()}
        return values


@dataclass
class Prober:
    """Probes encoders on `scenes` and takes their vitals; scores of the statistics alone are computed once."""

    scenes: Sequence[Scene]
    examiner: Examiner
    without: dict[str, dict[int, float]] = field(default_factory=dict)

    def __call__(self, encoder: CellEncoder, step: int, network: str) -> ProbePoint:
        """The scores of one encoder as a checkpoint would hold it (bf16 weights), run on the CPU in float32."""
        own = copy.deepcopy(encoder).to("cpu", torch.bfloat16).float().eval()
        scores = []
        for scene in self.scenes:
            score = probe(own, scene, self.without.get(scene.name))
            self.without[scene.name] = score.without
            scores.append(score)
        vitals = self.examiner(own)
        fused, alone, without = (
            _mean([getattr(score, part) for score in scores]) for part in ("fused", "network", "without")
        )
        score = fused if scores else vitals.agreement or 0.0
        return ProbePoint(step, network, score, alone, without, vitals, tuple(scores))


def _mean(scores: Sequence[dict[int, float]]) -> float:
    values = [value for score in scores for value in score.values()]
    return round(sum(values) / len(values), 5) if values else 0.0


def survey_latents(encoder: CellEncoder, inputs: Sequence[list[ModalityInput]]) -> Tensor:
    """Latents `[N, D]` of all present cells in fixed windows."""
    found = []
    with torch.inference_mode():
        for modalities in inputs:
            latents = encoder(modalities)
            found.append(latents.values[latents.present])
    return torch.cat(found)


class Watch(Callback):  # type: ignore[misc]
    """Probes at step 0, every `every` steps and at the end; hands the best network to `keep`; talks through `say`.

    A network that has collapsed ends the run with `Collapsed`; the best one before it has been kept. Of several
    processes the first one probes, keeps and talks; all know the points.
    """

    def __init__(
        self,
        prober: Prober | None,
        *,
        every: int,
        keep: Callable[[CellEncoder, ProbePoint], None],
        say: Callable[[str], None],
    ) -> None:
        self.prober, self.every, self.keep, self.say = prober, every, keep, say
        self.points: list[ProbePoint] = []
        self._started = self._told = time.monotonic()
        self._first_step = self._told_step = 0

    @property
    def best(self) -> ProbePoint:
        """The best point so far, the earliest of equal ones; the untrained network until one has earned its place.

        One that has collapsed earns nothing, whatever it scores.
        """
        untrained = self.points[0]
        earned = [untrained]
        earned += [
            point
            for point in self.points[1:]
            if beyond_error(point, untrained) and collapse(point.vitals, untrained.vitals) is None
        ]
        return max(earned, key=lambda point: (point.score, -point.step))

    def state_dict(self) -> dict[str, Any]:
        """What a run that goes on must remember."""
        return {"points": [point.to_dict() for point in self.points]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Remember."""
        self.points = [point_from_dict(values) for values in state_dict["points"]]

    def on_train_start(self, trainer: Trainer, pl_module: JepaTraining) -> None:
        """The untrained network is the first to be beaten."""
        if not self.points:
            self._probe(trainer, pl_module, 0, students_only=True)
        self._started = self._told = time.monotonic()
        self._first_step = self._told_step = trainer.global_step

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: JepaTraining, outputs: Any, batch: Any, batch_idx: int  # noqa: ARG002
    ) -> None:  # fmt: skip
        """Tell now and then, probe when it is time."""
        step, steps = trainer.global_step, pl_module.settings.steps
        if time.monotonic() - self._told > 10 or step in (1, steps):
            self._tell(pl_module, step, steps)
        if step % self.every == 0 or step == steps:
            self._probe(trainer, pl_module, step)

    def _tell(self, module: JepaTraining, step: int, steps: int) -> None:
        now = time.monotonic()
        pace = max(step - self._told_step, 1) / max(now - self._told, 1e-9)
        left = (steps - step) / max((step - self._first_step) / max(now - self._started, 1e-9), 1e-9)
        loss = "  ".join(f"{name} {value:.3f}" for name, value in module.last_loss.items())
        windows = pace * module.settings.batch
        self.say(f"step {step}/{steps}  {loss}  {windows:.1f} samples/s  {left / 60:.1f} min left")
        self._told, self._told_step = now, step

    def _probe(self, trainer: Trainer, module: JepaTraining, step: int, *, students_only: bool = False) -> None:
        model = module.objective.model
        networks = {"student": model.context} if students_only else {"student": model.context, "average": model.target}
        for name, encoder in networks.items():
            with whole_weights(trainer.strategy.model):
                point = from_first(functools.partial(self._point, encoder, step, name))
            self.points.append(point)
            self._stop_if_no_numbers(point)
            self.say(f"probe at {step}, {name}: {_scored(point, self.points[0])}{_told(point.vitals)}")
            self._log(trainer, point)
            if self.best is point:
                with whole_weights(trainer.strategy.model):
                    self.keep(encoder, point)
            self._stop_if_collapsed(point)

    def _point(self, encoder: CellEncoder, step: int, name: str) -> ProbePoint:
        assert self.prober is not None
        return self.prober(encoder, step, name)

    def _stop_if_no_numbers(self, point: ProbePoint) -> None:
        if not math.isfinite(point.vitals.rank):
            self.points.pop()
            raise Collapsed(
                f"The network's latents are no numbers at step {point.step}; the best one so far is kept. Begin "
                "another run with a lower learning_rate, or with precision float32."
            )

    def _stop_if_collapsed(self, point: ProbePoint) -> None:
        """End the run if this network has been collapsed for `_PATIENCE` steps: in its first ones the rank dips."""
        untrained = self.points[0].vitals
        mine = [item for item in self.points[1:] if item.network == point.network]
        since = point.step
        for item in reversed(mine):
            if collapse(item.vitals, untrained) is None:
                break
            since = item.step
        if point.step - since < _PATIENCE:
            return
        raise Collapsed(
            f"The network collapsed at step {since}: {collapse(point.vitals, untrained)}; the best one before it (step "
            f"{self.best.step}) is kept. Begin another run with a lower learning_rate, or objective 'dual' or 'anchor'."
        )

    def _log(self, trainer: Trainer, point: ProbePoint) -> None:
        """Scores and vitals as curves, beside the losses."""
        if trainer.logger is not None:
            trainer.logger.log_metrics(curves(point), step=point.step)


def whole_weights(module: Any) -> contextlib.AbstractContextManager[Any]:
    """Lets a network be used alone although its weights are spread over several chips (FSDP)."""
    from torch.distributed.fsdp import FullyShardedDataParallel

    if isinstance(module, FullyShardedDataParallel):
        return FullyShardedDataParallel.summon_full_params(module, writeback=False)
    return contextlib.nullcontext()


def _scored(point: ProbePoint, untrained: ProbePoint) -> str:
    """The scores of a probe in words; nothing where no scene was probed."""
    if not point.scenes:
        return ""
    return (
        f"macro-F1 {point.score:.4f} fused ({point.score - untrained.score:+.4f} against untrained), "
        f"{point.alone:.4f} alone, {point.without:.4f} without network, "
    )


def _told(vitals: Vitals) -> str:
    agreement = "" if vitals.agreement is None else f", agreement {vitals.agreement:.3f}"
    return f"rank {vitals.rank:.1f}{agreement}"


def curves(point: ProbePoint) -> dict[str, float]:
    """A point as named numbers; the network's name is in theirs, for both are probed at one step."""
    vitals = point.vitals
    plain = {
        "probe/fused": point.score, "probe/alone": point.alone, "probe/without": point.without,
        "vitals/rank": vitals.rank, "vitals/sd": vitals.sd, "vitals/cosine_within": vitals.cosine_within,
        "vitals/cosine_between": vitals.cosine_between, "vitals/agreement": vitals.agreement,
        **{f"fusion/{sensor}": share for sensor, share in vitals.shares.items()},
    }  # fmt: skip
    return {f"{name}/{point.network}": value for name, value in plain.items() if value is not None}


def beyond_error(point: ProbePoint, untrained: ProbePoint) -> bool:
    """Whether the fused gain over the untrained network exceeds its standard error over scenes.

    The best of a dozen noisy points is above the first by luck alone, so a mere maximum would always choose to train.
    """
    gains = [
        _mean([ours.fused]) - _mean([theirs.fused]) for ours, theirs in zip(point.scenes, untrained.scenes, strict=True)
    ]
    error = statistics.stdev(gains) / math.sqrt(len(gains)) if len(gains) > 1 else 0.0
    return statistics.fmean(gains) > error if gains else point.score > untrained.score


def point_from_dict(values: dict[str, Any]) -> ProbePoint:
    """The inverse of `ProbePoint.to_dict`."""
    scenes = tuple(
        Score(one["scene"], *({int(k): value for k, value in one[part].items()} for part in _PARTS))
        for one in values["scenes"]
    )
    return ProbePoint(**{**values, "scenes": scenes, "vitals": Vitals(**values["vitals"])})


_PARTS = ("without", "network", "fused")
