"""Fault 21: a checkpoint that is damaged, foreign or from another version is refused with one sentence."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from gfm_core.errors import CheckpointError, GfmError, OutputError, ParameterError
from gfm_core.model import checkpoint
from gfm_core.model.checkpoint import load_checkpoint, load_jepa, load_model, save_checkpoint
from gfm_core.model.config import ModelConfig
from gfm_core.model.jepa import JepaModel, build_model
from gfm_core.model.tokens import ModalityInput


@pytest.fixture
def saved(tmp_path: Path, tiny_model: JepaModel) -> Path:
    path = tmp_path / "tiny.safetensors"
    save_checkpoint(path, tiny_model, {"licences": ["CC0"]})
    return path


def rewritten(
    path: Path, change: Callable[[dict[str, Any]], None], weights: dict[str, torch.Tensor] | None = None
) -> Path:
    """The checkpoint with `change` made to its header (and other weights)."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["jepa_gfm"])
    change(header)
    path.write_bytes(safetensors.torch.save(weights or safetensors.torch.load(data), {"jepa_gfm": json.dumps(header)}))
    return path


def refused(path: Path, words: str) -> None:
    with pytest.raises(CheckpointError, match=words) as caught:
        load_checkpoint(path)
    sentence = str(caught.value)
    assert path.name in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


# ---- What is whole comes back ----


def test_loaded_encoder_gives_the_latents_of_the_saved_one_up_to_bf16(
    saved: Path, tiny_model: JepaModel, make_input: Callable[..., ModalityInput]
) -> None:
    loaded = load_checkpoint(saved)
    for name, weight in tiny_model.context.state_dict().items():
        assert torch.equal(loaded.encoder.state_dict()[name], weight.to(torch.bfloat16).float()), name
    assert not loaded.encoder.training
    assert not any(weight.requires_grad for weight in loaded.encoder.parameters())
    difference = loaded.encoder([make_input()]).values - tiny_model.context([make_input()]).values
    assert difference.abs().max() < 0.1


def test_header_says_what_the_weights_are(saved: Path, tiny_config: ModelConfig) -> None:
    loaded = load_checkpoint(saved)
    assert loaded.config == tiny_config
    assert loaded.name == "tiny"
    assert loaded.header["licences"] == ["CC0"]
    assert loaded.header["window"] == {"cells": 16, "core": 12, "halo": 2}
    scale, offset = (np.array(loaded.header["quantisation"]["network"][key]) for key in ("scale", "offset"))
    np.testing.assert_allclose(1 * scale + offset, -4)
    np.testing.assert_allclose(255 * scale + offset, 4)
    stored = safetensors.torch.load_file(saved)
    assert {weight.dtype for weight in stored.values()} == {torch.bfloat16}


def test_same_model_gives_the_same_bytes_and_nothing_else_is_left(saved: Path, tiny_model: JepaModel) -> None:
    first = saved.read_bytes()
    save_checkpoint(saved, tiny_model, {"licences": ["CC0"]})
    assert saved.read_bytes() == first
    assert [path.name for path in saved.parent.iterdir()] == ["tiny.safetensors"]
    assert len(load_checkpoint(saved).sha256) == 64


def test_training_goes_on_from_a_checkpoint_with_its_predictor(saved: Path, tiny_model: JepaModel) -> None:
    again = load_jepa(saved, seed=99)
    for name, weight in tiny_model.predictor.state_dict().items():
        assert torch.equal(again.predictor.state_dict()[name], weight.to(torch.bfloat16).float())
    for slow, fast in zip(again.target.parameters(), again.context.parameters(), strict=True):
        assert torch.equal(slow, fast)
        assert slow.data_ptr() != fast.data_ptr()
        assert fast.requires_grad
        assert not slow.requires_grad


def test_loading_leaves_the_global_random_numbers_alone(saved: Path) -> None:
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    load_checkpoint(saved)
    assert torch.equal(torch.rand(1), expected)


def test_bare_encoder_is_saved_with_its_configuration_and_refused_without(
    tmp_path: Path, tiny_model: JepaModel, tiny_config: ModelConfig
) -> None:
    path = tmp_path / "encoder.safetensors"
    with pytest.raises(ParameterError, match="config"):
        save_checkpoint(path, tiny_model.context, {})
    save_checkpoint(path, tiny_model.context, {}, config=tiny_config)
    assert load_checkpoint(path).config == tiny_config
    fresh = build_model(tiny_config, seed=7).predictor.state_dict()
    assert torch.equal(load_jepa(path, seed=7).predictor.state_dict()["mask_token"], fresh["mask_token"])


def test_model_is_found_by_packaged_name_file_or_run_folder(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = saved.parent / "run 7"
    run.mkdir()
    (run / "model.safetensors").write_bytes(saved.read_bytes())
    monkeypatch.setattr(checkpoint, "model_files", lambda: {"nano": saved})
    assert load_model("nano").name == "nano"
    assert load_model(str(saved)).name == "tiny"
    assert load_model(run).name == "run 7"
    with pytest.raises(CheckpointError, match=r"packaged model \(nano\)"):
        load_model("nanno")
    (run / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"holds no model\.safetensors"):
        load_model(run)


def test_folder_that_cannot_be_written_is_said(tmp_path: Path, tiny_model: JepaModel) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        save_checkpoint(tmp_path / "none" / "a.safetensors", tiny_model, {})


# ---- What is not is refused ----


@pytest.mark.parametrize("share", [0.0, 0.00001, 0.001, 0.2, 0.5, 0.999])
def test_fault_21_truncated_checkpoint(saved: Path, share: float) -> None:
    data = saved.read_bytes()
    saved.write_bytes(data[: int(len(data) * share)])
    refused(saved, "cut off|not a checkpoint")


def test_fault_21_wrong_magic(saved: Path) -> None:
    saved.write_bytes(b"II*\x00" + saved.read_bytes()[4:])
    refused(saved, "cut off|not a checkpoint")
    saved.write_text("this is text, not a checkpoint")
    refused(saved, "not a checkpoint")


def test_fault_21_safetensors_of_another_program(saved: Path) -> None:
    saved.write_bytes(safetensors.torch.save({"weight": torch.zeros(3)}, {"format": "pt"}))
    refused(saved, "not a checkpoint of jepa-gfm")


def test_fault_21_checkpoint_of_a_newer_version(saved: Path) -> None:
    refused(rewritten(saved, lambda header: header.update(format_version=2)), "newer version.*update jepa-gfm")


class _Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("/tmp/jepa_gfm_was_unpickled"),)


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_fault_21_pickle_is_never_opened(saved: Path, protocol: int) -> None:
    saved.write_bytes(pickle.dumps(_Bomb(), protocol=protocol))
    refused(saved, "pickle")
    torch.save({"weight": torch.zeros(2)}, saved)
    refused(saved, "pickle")
    assert not Path("/tmp/jepa_gfm_was_unpickled").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"architecture": "vit-9"}, "another architecture"),
        ({"window": {"cells": 24, "core": 20, "halo": 2}}, "another window"),
        ({"band_vocabulary": ["sar"]}, "another band vocabulary"),
        ({"format_version": "one"}, "format version"),
        ({"config": {"name": "x"}}, "cannot be built"),
        ({"config": None}, "cannot be built"),
        ({"quantisation": {"network": {"scale": [1.0], "offset": [0.0]}}}, "quantisation"),
    ],
)
def test_fault_21_other_architecture(saved: Path, change: dict[str, Any], words: str) -> None:
    refused(rewritten(saved, lambda header: header.update(change)), words)


@pytest.mark.parametrize(
    ("field", "times"),
    [("depth", 2), ("depth", 0.5), ("depth", 8000), ("dim", 2), ("dim", 500), ("band_dim", 2), ("fusion_layers", 0.5)],
)
def test_fault_21_weights_of_another_size_than_the_header_says(saved: Path, field: str, times: float) -> None:
    def twice(header: dict[str, Any]) -> None:
        header["config"][field] = int(header["config"][field] * times)
        header["quantisation"]["network"] = checkpoint.default_quantisation(header["config"]["dim"])

    refused(rewritten(saved, twice), "another network")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_fault_21_weights_that_are_not_numbers(saved: Path, value: float) -> None:
    weights = safetensors.torch.load_file(saved)
    weights["encoder.fusion.query"][0, 3] = value
    refused(rewritten(saved, lambda header: None, weights), r"not numbers \(encoder\.fusion\.query\)")


def test_fault_21_damage_anywhere_gives_a_sentence_or_other_weights_but_no_other_error(saved: Path) -> None:
    data, random = saved.read_bytes(), np.random.default_rng(0)
    length = int.from_bytes(data[:8], "little")
    for number in range(150):
        damaged = bytearray(data)
        for place in random.integers(0, length + 8 if number % 2 else len(data), size=3):
            damaged[place] = random.integers(256)
        saved.write_bytes(damaged)
        try:
            load_checkpoint(saved)
        except GfmError as error:
            assert re.search(r"\.$", str(error))
