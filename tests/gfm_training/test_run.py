from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from gfm_training import learn as learning
from gfm_training import run as running
from gfm_training.cli import parse_budget, train_command
from gfm_training.learn import quantisation
from gfm_training.module import JepaTraining
from gfm_training.records import Diverged, read_losses
from gfm_training.run import Order, begin, train
from gfm_training.scenes import Probes
from gfm_training.settings import LabelledScene, Manifest, Recipe, TrainSettings

from gfm_core.assets import sample_folder
from gfm_core.errors import CheckpointError, OutputError, ParameterError
from gfm_core.model.checkpoint import load_jepa, load_model

SETTINGS = TrainSettings(
    steps=6, batch=2, clusters=4, cell_pixels=(2, 3), cell_weights=(1.0, 1.0), probe_every=3, workers=0,
    precision="float32", save_every=3,
)  # fmt: skip


def order(folder: Path, output: Path, **changes: Any) -> Order:
    recipe = Recipe(dataclasses.replace(SETTINGS, **changes), Manifest(licences={"*": "made up"}))
    return Order((folder,), output, recipe)


@pytest.fixture
def no_scenes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "find_probes", lambda *_: Probes((), ()))


@pytest.fixture(scope="module")
def finished(place_folders: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A run of six steps as users run it: a worker process, the sample scene as probe."""
    output = tmp_path_factory.mktemp("runs") / "whole"
    said: list[str] = []
    sample = str(sample_folder())
    probe = LabelledScene("sample", (f"{sample}/s2_*.tif",), f"{sample}/landuse.gpkg", where="split = 'train'")
    plain = order(place_folders, output, workers=1)
    train(dataclasses.replace(plain, recipe=dataclasses.replace(plain.recipe, probes=(probe,))), say=said.append)
    return output, said


def test_a_run_leaves_a_checkpoint_that_loads_and_says_what_it_learnt_from(finished: tuple[Path, list[str]]) -> None:
    output, _ = finished
    model = load_model(output)
    assert model.config.name == "nano"
    assert [place["name"] for place in model.header["training_data"]] == ["north", "south"]
    assert model.header["training_data"][0]["rasters"] == [
        "dem.tif", "s1_db.tif", "s2_l2a_2020-06-01_10m.tif", "s2_l2a_2020-06-01_60m.tif",
    ]  # fmt: skip
    assert model.header["licences"] == ["north, south: made up"]
    assert TrainSettings.from_dict(model.header["settings"]).batch == 2


def test_the_checkpoint_is_the_point_that_the_report_calls_best(finished: tuple[Path, list[str]]) -> None:
    output, _ = finished
    numbers = json.loads((output / "report.json").read_text())["numbers"]
    assert [(point["step"], point["network"]) for point in numbers["curve"]] == [
        (0, "student"), (3, "student"), (3, "average"), (6, "student"), (6, "average"),
    ]  # fmt: skip
    best = numbers["best"]["score"]
    assert best in [point["score"] for point in numbers["curve"]]
    assert best >= numbers["curve"][0]["score"]
    assert load_model(output).header["numbers"]["best"] == numbers["best"]
    assert numbers["difference"]["fused"] == pytest.approx(best - numbers["curve"][0]["score"], abs=1e-5)


def test_progress_tells_samples_a_second_and_loss(finished: tuple[Path, list[str]]) -> None:
    _, said = finished
    line = next(line for line in said if line.startswith("step 6/6"))
    assert "samples/s" in line
    assert "total" in line
    assert any("2 places" in line for line in said)


def test_the_model_card_names_data_command_and_difference(finished: tuple[Path, list[str]]) -> None:
    output, _ = finished
    card = (output / "README.md").read_text()
    assert "gfm train" in card
    assert "north, south: made up" in card
    assert "untrained" in card
    assert "| sample | 5 |" in card


def test_a_finished_run_is_not_touched_again(finished: tuple[Path, list[str]], place_folders: Path) -> None:
    output, _ = finished
    before = (output / "model.safetensors").read_bytes()
    with pytest.raises(OutputError, match="finished run"):
        train(order(place_folders, output, workers=1), say=lambda line: None)
    assert (output / "model.safetensors").read_bytes() == before


def test_a_run_can_start_from_another_one(finished: tuple[Path, list[str]]) -> None:
    output, _ = finished
    model = learning.new_model(SETTINGS, str(output))
    stored = load_jepa(output / "model.safetensors")
    assert all(
        torch.equal(one, other)
        for one, other in zip(model.context.parameters(), stored.context.parameters(), strict=True)
    )


@pytest.mark.long
def test_a_run_that_was_stopped_ends_as_if_it_had_not_been(
    place_folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_scenes: None
) -> None:
    train(order(place_folders, tmp_path / "whole"), say=lambda line: None)
    plain_step = JepaTraining.training_step

    def stopping_step(self: JepaTraining, batch: Any, batch_idx: int) -> torch.Tensor:
        if batch.step == 4:
            raise RuntimeError("power cut")
        return plain_step(self, batch, batch_idx)

    monkeypatch.setattr(JepaTraining, "training_step", stopping_step)
    with pytest.raises(RuntimeError, match="power cut"):
        train(order(place_folders, tmp_path / "stopped"), say=lambda line: None)
    monkeypatch.setattr(JepaTraining, "training_step", plain_step)
    said: list[str] = []
    torch.rand(7)
    train(order(place_folders, tmp_path / "stopped"), say=said.append)
    assert "going on at step 3 of 6" in said
    whole, stopped = (torch.load(tmp_path / name / "last.ckpt", weights_only=True) for name in ("whole", "stopped"))
    assert whole["global_step"] == stopped["global_step"] == 6
    assert whole["state_dict"].keys() == stopped["state_dict"].keys()
    assert all(torch.equal(tensor, stopped["state_dict"][name]) for name, tensor in whole["state_dict"].items())
    curves = [
        json.loads((tmp_path / name / "report.json").read_text())["numbers"]["curve"] for name in ("whole", "stopped")
    ]
    assert curves[0] == curves[1]


def test_fault_33_a_loss_that_is_no_number_ends_the_run_and_the_best_network_stays(
    place_folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_scenes: None
) -> None:
    plain_step = JepaTraining.training_step

    def breaking_step(self: JepaTraining, batch: Any, batch_idx: int) -> torch.Tensor:
        loss = plain_step(self, batch, batch_idx)
        if batch.step == 4:
            self.last_loss["total"] = float("nan")
            return loss * torch.nan
        return loss

    monkeypatch.setattr(JepaTraining, "training_step", breaking_step)
    with pytest.raises(Diverged, match="no number at step 5"):
        train(order(place_folders, tmp_path / "run"), say=lambda line: None)
    kept = load_model(tmp_path / "run")
    assert kept.header["numbers"]["best"]["step"] in (0, 3)
    state = torch.load(tmp_path / "run/last.ckpt", weights_only=True)
    assert state["global_step"] == 3
    assert all(bool(tensor.isfinite().all()) for tensor in state["state_dict"].values())
    assert [line["step"] for line in read_losses(tmp_path / "run/losses.jsonl")] == [1, 2, 3, 4]


BROKEN_MODELS = {
    "cut off": lambda whole: whole[: len(whole) // 2],
    "a pickle": lambda whole: b"\x80\x04" + whole,
    "a text": lambda whole: b"weights",
    "empty": lambda whole: b"",
}


@pytest.mark.parametrize("change", BROKEN_MODELS.values(), ids=BROKEN_MODELS.keys())
def test_fault_21_a_start_from_something_that_is_no_model_leaves_no_folder(
    change: Callable[[bytes], bytes], place_folders: Path, tmp_path: Path, finished: tuple[Path, list[str]]
) -> None:
    path = tmp_path / "start.safetensors"
    path.write_bytes(change((finished[0] / "model.safetensors").read_bytes()))
    with pytest.raises(CheckpointError, match=r"start\.safetensors"):
        train(dataclasses.replace(order(place_folders, tmp_path / "run"), init=str(path)), say=lambda line: None)
    assert not (tmp_path / "run").exists()


def test_learning_changes_every_part_and_the_slow_copy_follows(
    place_folders: Path, tmp_path: Path, no_scenes: None
) -> None:
    train(order(place_folders, tmp_path / "run"), say=lambda line: None)
    state = torch.load(tmp_path / "run/last.ckpt", weights_only=True)["state_dict"]
    untrained = learning.new_model(SETTINGS, None).state_dict()
    for part in ("context.encoder", "context.fusion", "context.tokeniser", "target.encoder", "predictor"):
        names = [name for name in untrained if name.startswith(part)]
        assert any(not torch.equal(untrained[name], state[f"objective.model.{name}"]) for name in names), part
    assert any(
        not torch.equal(state[f"objective.model.context.{name[7:]}"], state[f"objective.model.{name}"])
        for name in untrained
        if name.startswith("target.")
    )


def test_a_run_with_other_settings_does_not_go_on(place_folders: Path, tmp_path: Path) -> None:
    started = order(place_folders, tmp_path / "run")
    begin(started)
    (tmp_path / "run/last.ckpt").write_bytes(b"")
    assert begin(started) == (SETTINGS, True)
    with pytest.raises(OutputError, match="other settings"):
        begin(order(place_folders, tmp_path / "run", batch=3))


def test_a_folder_of_something_else_is_left_alone(place_folders: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="holds other files"):
        begin(order(place_folders, tmp_path))
    with pytest.raises(OutputError, match="holds other files"):
        begin(dataclasses.replace(order(place_folders, tmp_path), overwrite=True))
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_overwriting_removes_what_a_run_writes_and_nothing_else(
    place_folders: Path, tmp_path: Path, no_scenes: None
) -> None:
    folder = tmp_path / "run"
    train(order(place_folders, folder), say=lambda line: None)
    (folder / "mine.txt").write_text("mine")
    again = dataclasses.replace(order(place_folders, folder, seed=8), overwrite=True)
    assert begin(again) == (again.recipe.train, False)
    assert sorted(item.name for item in folder.iterdir()) == ["mine.txt", "run.json"]
    assert (folder / "mine.txt").read_text() == "mine"


def test_five_deviations_fit_in_the_bytes() -> None:
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn((20_000, 3), generator=generator) * torch.tensor([1.0, 0.2, 3.0]) + torch.tensor(
        [0.0, 1.0, -2.0]
    )
    made = quantisation(latents)
    for dim, (scale, offset) in enumerate(zip(made["scale"], made["offset"], strict=True)):
        mean, sd = float(latents[:, dim].mean()), float(latents[:, dim].std())
        assert 1 * scale + offset == pytest.approx(mean - 5 * sd, abs=1e-3)
        assert 255 * scale + offset == pytest.approx(mean + 5 * sd, abs=1e-3)


# ---- The command ----------------------------------------------------------------------------------------------------


def test_a_dry_run_says_what_was_understood_and_writes_nothing(place_folders: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(train_command, [str(place_folders), "-o", str(tmp_path / "run"), "--dry-run"])
    assert result.exit_code == 0, result.output
    assert "north: 60 x 60 cells of 20 m" in result.output
    assert "licence not stated for north, south" in result.output
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("text", "seconds"), [("10m", 600), ("1h", 3600), ("90s", 90), ("1.5h", 5400)])
def test_budgets_are_times_with_a_unit(text: str, seconds: float) -> None:
    assert parse_budget(text) == seconds


@pytest.mark.parametrize("text", ["10", "", "0m", "-5m", "ten minutes"])
def test_other_budgets_are_refused_with_examples(text: str) -> None:
    with pytest.raises(ParameterError, match="such as 10m, 1h or 90s"):
        parse_budget(text)


def test_a_budget_becomes_steps_that_fit_it(
    place_folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_scenes: None
) -> None:
    # What this process has done so far is the other tests', and no part of a run's budget.
    monkeypatch.setattr(running.time, "process_time", lambda: 5.0)
    monkeypatch.setattr(running, "seconds_a_step", lambda *_: 2.0)
    monkeypatch.setattr(running, "seconds_a_probe", lambda *_: 10.0)
    monkeypatch.setattr(running, "learn", lambda prepared, module, *_, **__: pytest.fail(f"{module.settings.steps}"))
    with pytest.raises(pytest.fail.Exception) as stopped:
        train(dataclasses.replace(order(place_folders, tmp_path / "run", probe_every=10), seconds=1000.0), say=print)
    # 1000 s less 8 for the end, 30 for three probes and the set-up; a step costs 2.1 s and a tenth of two probes.
    assert 150 < int(str(stopped.value)) <= (1000 - 38) / 4.1
