"""Runs as processes of the system: several that learn together, and one that is killed."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from gfm_training import run as running_module
from gfm_training.across import together
from gfm_training.anchors import Answers, Books
from gfm_training.batch import Batch
from gfm_training.data import PlaceBatchSampler, Places, WindowDataset
from gfm_training.learn import new_model, new_module, new_trainer, quiet
from gfm_training.lightning_parts import Callback
from gfm_training.run import Order, train
from gfm_training.settings import TrainSettings, read_recipe
from torch import Tensor, multiprocessing
from torch.utils.data import DataLoader

from gfm_core.model.checkpoint import load_model
from gfm_core.model.tokens import ModalityInput

SETTINGS = TrainSettings(
    steps=1, batch=2, clusters=4, cell_pixels=(2, 3), cell_weights=(1.0, 1.0), drop_modalities=0.0, drop_dates=0.0,
    workers=0, precision="float32", clip=1e9, device="cpu",
)  # fmt: skip


# ---- Two processes learn what one with twice the batch does ---------------------------------------------------------


class Gradients(Callback):  # type: ignore[misc]
    """Keeps what the first step would change."""

    def __init__(self) -> None:
        self.found: dict[str, Tensor] = {}

    def on_before_optimizer_step(self, trainer: Any, pl_module: Any, optimizer: Any) -> None:
        named = pl_module.named_parameters()
        self.found = {name: weight.grad.clone() for name, weight in named if weight.grad is not None}


def first_gradients(batch: Batch, books: Books, settings: TrainSettings) -> dict[str, Tensor]:
    module = new_module(new_model(settings, None), books, settings)
    gradients = Gradients()
    with quiet():
        new_trainer(settings, [gradients]).fit(module, DataLoader([batch], batch_size=None, collate_fn=lambda one: one))
    return gradients.found


def learn_one_of_two(rank: int, batches: list[Batch], books: Books, folder: str) -> None:
    told = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2, "MASTER_PORT": 29_617}
    os.environ |= {name: str(value) for name, value in told.items()}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "TORCHELASTIC_RUN_ID": "test"}  # as torchrun does
    torch.set_num_threads(1)
    with together(torch.device("cpu")):
        found = first_gradients(batches[rank], books, dataclasses.replace(SETTINGS, devices=2))
        torch.save(found, f"{folder}/{rank}.pt")


def both(one: Batch, other: Batch) -> Batch:
    """The windows of two batches in one."""

    def inputs(left: list[ModalityInput], right: list[ModalityInput]) -> list[ModalityInput]:
        return [
            dataclasses.replace(
                a, **{name: torch.cat([getattr(a, name), getattr(b, name)])
                      for name in ("features", "present", "offset", "day_of_year", "days_since_first")}
            )
            for a, b in zip(left, right, strict=True)
        ]  # fmt: skip

    plain = ("near", "wide", "projection", "other", "other_sensor", "other_time")
    answers = {name: torch.cat([getattr(one.answers, name), getattr(other.answers, name)]) for name in plain}
    return dataclasses.replace(
        one, context=inputs(one.context, other.context), target=inputs(one.target, other.target),
        answers=Answers(**answers, maps={}),
    )  # fmt: skip


def two_batches_of_a_place(places: Places, books: Books) -> list[Batch]:
    """Batches that can be joined: of one place in cells of one size."""
    found: dict[tuple[int, int], Batch] = {}
    for rank in range(20):
        queries = PlaceBatchSampler(places, SETTINGS, range(1), rank=rank).batch(0)
        batch = WindowDataset(places, SETTINGS, books, rank=rank).__getitems__(queries)
        key = (queries[0].place, queries[0].pixels)
        if key in found:
            return [found[key], batch]
        found[key] = batch
    pytest.fail("no two of twenty draws are of one place and cell size")


def test_two_processes_have_the_gradients_of_one_with_twice_the_batch(
    places: Places, books: Books, tmp_path: Path
) -> None:
    batches = two_batches_of_a_place(places, books)
    multiprocessing.start_processes(
        learn_one_of_two, args=(batches, books, str(tmp_path)), nprocs=2, start_method="spawn"
    )
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    whole = first_gradients(both(*batches), books, SETTINGS)
    alone = first_gradients(batches[0], books, SETTINGS)
    assert first.keys() == second.keys() >= whole.keys()
    for name, gradient in whole.items():
        scale = float(gradient.abs().max())
        assert torch.equal(first[name], second[name]), name
        assert float((first[name] - gradient).abs().max()) <= 1e-5 * max(scale, 1e-6), name
    largest = max(whole, key=lambda name: float(whole[name].norm()))
    assert float((alone[largest] - whole[largest]).norm()) > 0.01 * float(whole[largest].norm())


# ---- The command ----------------------------------------------------------------------------------------------------

RECIPE = """
[train]
steps = 16
batch = 2
clusters = 4
cell_pixels = [2]
cell_weights = [1.0]
probe_every = 8
save_every = 6
precision = "float32"
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipes") / "quick.toml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


def command(folder: Path, run: Path, recipe: Path, *more: str) -> list[str]:
    return [
        sys.executable, "-m", "gfm_core.cli", "train", str(folder), "-o", str(run), "--config", str(recipe), *more,
    ]  # fmt: skip


def losses(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "losses.jsonl").read_text(encoding="utf-8").splitlines()]


def weights(run: Path) -> dict[str, Tensor]:
    found: dict[str, Tensor] = torch.load(run / "last.ckpt", weights_only=True)["state_dict"]
    return found


def wait_for_steps(running: subprocess.Popen[Any], run: Path, steps: int) -> None:
    """Until a run has written so many losses."""
    patience = time.monotonic() + 120
    while not (run / "losses.jsonl").is_file() or len((run / "losses.jsonl").read_bytes().splitlines()) < steps:
        assert time.monotonic() < patience
        assert running.poll() is None
        time.sleep(0.01)


def test_a_run_that_was_killed_goes_on_to_the_same_losses_and_weights_bit_by_bit(
    place_folders: Path, tmp_path: Path, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, killed = tmp_path / "whole" / "run", tmp_path / "killed" / "run"
    monkeypatch.setattr(running_module, "_CORES", 1)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    before = torch.get_num_threads()
    train(Order((place_folders,), whole, read_recipe(recipe)), say=lambda line: None)
    torch.set_num_threads(before)
    running = subprocess.Popen(command(place_folders, killed, recipe), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    wait_for_steps(running, killed, 9)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert 9 <= len(losses(killed)) < 16
    again = subprocess.run(command(place_folders, killed, recipe), check=True, capture_output=True, text=True)
    assert "going on at step 6 of 16" in again.stdout
    assert losses(killed) == losses(whole)
    assert [line["step"] for line in losses(whole)] == list(range(1, 17))
    ours, theirs = weights(killed), weights(whole)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in ours.items())
    curves = [json.loads((run / "report.json").read_text())["numbers"]["curve"] for run in (killed, whole)]
    assert curves[0] == curves[1]


@pytest.mark.long
@pytest.mark.parametrize("processes", [1, 2])
def test_a_run_that_is_interrupted_says_how_it_goes_on(
    place_folders: Path, tmp_path: Path, recipe: Path, processes: int
) -> None:
    run = tmp_path / "run"
    more = ("--steps", "4000", "--devices", str(processes))
    running = subprocess.Popen(
        command(place_folders, run, recipe, *more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for_steps(running, run, 2)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert said.strip().splitlines()[-1].startswith("Stopped; the run goes on from its last state")
    assert "Traceback" not in said


@pytest.mark.long
def test_two_processes_train_one_network(place_folders: Path, tmp_path: Path, recipe: Path) -> None:
    done = subprocess.run(
        command(place_folders, tmp_path / "run", recipe, "--devices", "2", "--steps", "4"),
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("step 4/4") == 1  # the first process alone talks
    assert "2 windows in each of 2 processes" in done.stdout
    assert load_model(tmp_path / "run").config.name == "nano"
    assert len(losses(tmp_path / "run")) == 4
    assert not (tmp_path / "run/last.part").exists()


@pytest.mark.long
def test_the_error_of_two_processes_is_one_sentence(tmp_path: Path, recipe: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = subprocess.run(
        command(tmp_path / "empty", tmp_path / "run", recipe, "--devices", "2"),
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("No raster in") == 1
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.long
@pytest.mark.parametrize(("megabytes", "told"), [(1, "model.safetensors"), (4, "last.ckpt")])
def test_a_full_disk_is_one_sentence_and_leaves_no_half_file(
    place_folders: Path, tmp_path: Path, recipe: Path, megabytes: int, told: str
) -> None:
    """No file may grow beyond a limit, which is how a full disk looks to a writer."""
    run = tmp_path / "run"
    limited = ["bash", "-c", f'ulimit -f {megabytes * 1024}; exec "$@"', "bash", *command(place_folders, run, recipe)]
    done = subprocess.run(limited, check=False, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    assert told in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not list(run.glob("*.part"))
    assert not list(run.glob(".gfm-*"))
    assert (run / "model.safetensors").is_file() == (told == "last.ckpt")
