"""Lightning's view of the run: one step, its optimiser, the rate along the run, and the slow copy."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from gfm_training.batch import Batch
from gfm_training.lightning_parts import Callback, LightningModule, Trainer
from gfm_training.objective import Objective
from gfm_training.settings import TrainSettings

_DECAY_SHARE = 0.2  # the last fifth of the run
_HEAD_RATE = 5.0  # times the rate of the network, at most


class JepaTraining(LightningModule):  # type: ignore[misc]
    """Trains an `Objective` for `settings.steps` steps."""

    def __init__(self, objective: Objective, settings: TrainSettings) -> None:
        super().__init__()
        self.objective, self.settings = objective, settings
        self.last_loss: dict[str, float] = {}

    def training_step(self, batch: Batch, batch_idx: int) -> torch.Tensor:  # noqa: ARG002 (Lightning's name)
        """The loss of one batch."""
        loss = self.objective(batch)
        self.last_loss = {name: float(value) for name, value in {"total": loss.total.detach(), **loss.parts}.items()}
        total: torch.Tensor = loss.total
        return total

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:  # noqa: ARG002
        """Lightning moves plain containers by itself, not our values."""
        return batch.to(device)

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW; weights that multiply decay, offsets, norms and single vectors do not."""
        optimiser = torch.optim.AdamW(self._groups(), lr=self.settings.learning_rate, betas=(0.9, 0.95))
        steps, warmup = self.settings.steps, self.settings.warmup
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: rate(step, steps, warmup=warmup))
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def configure_gradient_clipping(
        self, optimizer: torch.optim.Optimizer, gradient_clip_val: Any = None, gradient_clip_algorithm: Any = None
    ) -> None:
        """Clip by the norm of all gradients; weights that are spread over chips (FSDP) know how to do it themselves."""
        from torch.distributed.fsdp import FullyShardedDataParallel

        whole = self.trainer.strategy.model
        if isinstance(whole, FullyShardedDataParallel):
            whole.clip_grad_norm_(self.settings.clip)
        else:
            self.clip_gradients(
                optimizer, gradient_clip_val=gradient_clip_val, gradient_clip_algorithm=gradient_clip_algorithm
            )

    def _groups(self) -> list[dict[str, Any]]:
        decay = self.settings.weight_decay
        learnt = [item for item in self.objective.model.named_parameters() if item[1].requires_grad]
        return [
            {"params": [weight for name, weight in learnt if decaying(name, weight)], "weight_decay": decay},
            {"params": [weight for name, weight in learnt if not decaying(name, weight)], "weight_decay": 0.0},
            # A head learns only in the steps of its own modality set.
            {
                "params": list(self.objective.heads.parameters()),
                "weight_decay": decay,
                "lr": self.settings.learning_rate * head_rate(self.objective.modality_sets),
            },
        ]


class SlowCopy(Callback):  # type: ignore[misc]
    """Lets the slow copy follow after every step.

    A callback, and the first one: Lightning calls the module's own hook after the callbacks, so that they would probe
    and save a copy that is one step behind.
    """

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: JepaTraining,
        outputs: Any,  # noqa: ARG002 (Lightning's names)
        batch: Batch,  # noqa: ARG002
        batch_idx: int,  # noqa: ARG002
    ) -> None:
        """Move it by the momentum of this step."""
        pl_module.objective.model.update_target(momentum(trainer.global_step, pl_module.settings.steps))


def rate(step: int, steps: int, *, warmup: int) -> float:
    """Share of the rate at `step`: rises over `warmup` (at most a tenth of the run), falls over the last fifth."""
    rising = min((step + 1) / max(min(warmup, steps // 10), 1), 1.0)
    falling = min((steps - step) / max(steps * _DECAY_SHARE, 1), 1.0)
    return max(min(rising, falling), 0.0)


def momentum(step: int, steps: int) -> float:
    """Momentum of the slow copy, fitted to the run: 1 - 5/steps at first, 1 - 1/steps at the end, along a cosine.

    A fixed .996 would leave the copy at its initialisation in a short run.
    """
    along = 0.5 - 0.5 * math.cos(math.pi * min(step / max(steps, 1), 1.0))
    return max(1 - (5 - 4 * along) / max(steps, 1), 0.0)


def head_rate(modality_sets: int) -> float:
    """Rate of the heads, times that of the network: 1 if there is one modality set, 5 if there are 25 or more."""
    return min(math.sqrt(max(modality_sets, 1)), _HEAD_RATE)


def decaying(name: str, weight: nn.Parameter) -> bool:
    """Whether weight decay acts on a weight: matrices only, and neither embeddings nor queries."""
    return weight.ndim > 1 and not name.endswith(("vocabulary.weight", "slot.weight", "query"))
