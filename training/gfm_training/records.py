"""What a run writes down of every step: a line in RUN/losses.jsonl, and curves for TensorBoard."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from gfm_core.errors import GfmError
from gfm_training.lightning_parts import Callback, TensorBoardLogger, Trainer
from gfm_training.module import JepaTraining

LOSSES = "losses.jsonl"
CURVES = "tensorboard"

_CURVE_EVERY = 10  # steps


class Diverged(GfmError, RuntimeError):
    """The loss is no number any more; what was kept before is still good."""


class LossLog(Callback):  # type: ignore[misc]
    """Writes the loss of every step in full digits; a run that goes on drops the lines behind its state.

    Ends the run with `Diverged` at a loss that is no number, before it reaches anything that is kept.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_train_start(self, trainer: Trainer, pl_module: JepaTraining) -> None:  # noqa: ARG002 (Lightning's names)
        """Keep the lines up to the state that the run goes on from."""
        if trainer.is_global_zero:
            kept = [line for line in read_losses(self.path) if line["step"] <= trainer.global_step]
            self.path.write_text("".join(f"{json.dumps(line)}\n" for line in kept), encoding="utf-8")

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: JepaTraining, outputs: Any, batch: Any, batch_idx: int  # noqa: ARG002
    ) -> None:  # fmt: skip
        """Write a line, and now and then a point of the curves."""
        step, losses = trainer.global_step, pl_module.last_loss
        if not math.isfinite(losses["total"]):
            raise Diverged(
                f"The loss is no number at step {step} ({batch.place}); what was kept before that is in "
                f"{self.path.parent}. Begin another run with a lower learning_rate, or with precision float32."
            )
        if not trainer.is_global_zero:
            return
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, "place": batch.place, **losses}) + "\n")
        if trainer.logger is not None and step % _CURVE_EVERY == 0:
            rate = trainer.optimizers[0].param_groups[0]["lr"]
            curves = {f"loss/{name}": value for name, value in losses.items()}
            trainer.logger.log_metrics({**curves, "learning_rate": rate}, step=step)


def read_losses(path: Path) -> list[dict[str, Any]]:
    """The lines of a loss log; a line that was cut off by the end of a process is left out."""
    found: list[dict[str, Any]] = []
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
    return found


def tensorboard(folder: Path, first: int) -> Any:
    """TensorBoard's logger for the run in `folder`, which goes on behind step `first`."""
    return TensorBoardLogger(folder, name=None, version=CURVES, purge_step=first + 1 if first else None)
