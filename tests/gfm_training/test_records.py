"""What a run writes down: losses, curves, its page; and that it ends at a loss that is no number."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from gfm_training.learn import SaveState
from gfm_training.page import run_page
from gfm_training.records import Diverged, LossLog, read_losses, tensorboard


def step(log: LossLog, number: int, total: float) -> None:
    trainer = SimpleNamespace(global_step=number, is_global_zero=True, logger=None)
    log.on_train_batch_end(trainer, SimpleNamespace(last_loss={"total": total}), None, SimpleNamespace(place="here"), 0)


def start(log: LossLog, number: int) -> None:
    log.on_train_start(SimpleNamespace(global_step=number, is_global_zero=True), None)


def test_a_loss_is_written_in_all_its_digits(tmp_path: Path) -> None:
    log = LossLog(tmp_path / "losses.jsonl")
    start(log, 0)
    value = float(np.float32(0.1) + np.float32(1e-7))
    step(log, 1, value)
    assert read_losses(log.path) == [{"step": 1, "place": "here", "total": value}]


def test_a_run_that_goes_on_drops_what_lies_behind_its_state_and_a_line_cut_off(tmp_path: Path) -> None:
    log = LossLog(tmp_path / "losses.jsonl")
    start(log, 0)
    for number in range(1, 6):
        step(log, number, 1.0 / number)
    with log.path.open("a") as file:
        file.write('{"step": 6, "tot')
    start(log, 3)
    step(log, 4, 0.5)
    assert [(line["step"], line["total"]) for line in read_losses(log.path)] == [
        (1, 1.0),
        (2, 0.5),
        (3, 1 / 3),
        (4, 0.5),
    ]


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_ends_the_run_with_the_step_and_the_mend(tmp_path: Path, loss: float) -> None:
    log = LossLog(tmp_path / "losses.jsonl")
    start(log, 0)
    with pytest.raises(Diverged, match=r"no number at step 7 \(here\).*lower learning_rate, or with precision float32"):
        step(log, 7, loss)
    assert read_losses(log.path) == []


def test_weights_that_are_no_numbers_are_not_saved(tmp_path: Path) -> None:
    import torch
    from torch import nn

    layer = nn.Linear(2, 2)
    state = SaveState(tmp_path / "last.ckpt", every=1)
    saved: list[Path] = []

    def save(path: Path) -> None:
        saved.append(path)
        path.write_bytes(b"state")

    trainer: Any = SimpleNamespace(global_step=1, max_steps=9, is_global_zero=True, save_checkpoint=save)
    state.on_train_batch_end(trainer, layer, None, None, 0)
    assert (tmp_path / "last.ckpt").read_bytes() == b"state"
    with torch.no_grad():
        layer.weight[0, 0] = float("nan")
    with pytest.raises(Diverged, match="no numbers at step 1"):
        state.on_train_batch_end(trainer, layer, None, None, 0)
    assert len(saved) == 1


def test_curves_can_be_read_by_tensorboard(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logger = tensorboard(tmp_path, 0)
    logger.log_metrics({"loss/total": 0.25}, step=10)
    logger.save()
    logger.finalize("success")
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss/total")] == [(10, 0.25)]


# ---- The page -------------------------------------------------------------------------------------------------------


def report(*, labelled: bool) -> dict[str, Any]:
    """What report.json holds after three probes."""
    scenes = [{"scene": "<b>field</b>", "without": {"5": 0.5}, "network": {"5": 0.4}, "fused": {"5": 0.55}}]

    def point(number: int, network: str, score: float) -> dict[str, Any]:
        vitals = {
            "rank": 8.0, "sd": 0.5, "cosine_within": 0.2, "cosine_between": None, "agreement": None,
            "shares": {"s2": 1.0},
        }  # fmt: skip
        return {"step": number, "network": network, "score": score, "alone": score - 0.1, "vitals": vitals}

    curve = [point(0, "student", 0.5), point(50, "student", 0.53), point(50, "average", 0.52)]
    best, untrained = ({**one, "without": 0.5, "scenes": scenes if labelled else []} for one in (curve[1], curve[0]))
    return {
        "settings": {"size": "nano", "objective": "dual", "steps": 50, "batch": 4, "devices": 2, "num_nodes": 1},
        "numbers": {"measure": "macro-F1", "best": best, "untrained": untrained, "curve": curve},
        "training_data": [{"name": "a & b", "modalities": ["s2_10m"], "dates": 2, "licence": "CC BY"}],
        "left_out": ["x.tif: broken"], "command": "gfm train <folder>", "init": None, "seconds": {"all": 60.0},
    }  # fmt: skip


@pytest.mark.parametrize("labelled", [True, False])
def test_the_page_of_a_run_loads_nothing_and_lets_no_name_be_markup(labelled: bool) -> None:
    page = run_page(report(labelled=labelled), [{"step": 1, "total": 0.7}, {"step": 2, "total": 0.6}])
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    assert "<b>field" not in page
    assert "a &amp; b" in page
    assert "gfm train &lt;folder&gt;" in page
    assert "+0.030" in page
    assert ("&lt;b&gt;field" in page) == labelled
    assert "cosine of cells of two places" not in page  # not known: no empty picture


def test_the_same_run_gives_the_same_page() -> None:
    told = json.loads(json.dumps(report(labelled=True)))
    assert run_page(told, []) == run_page(told, [])
