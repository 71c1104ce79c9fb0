"""What a file is, as it is understood here, and why."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import gfm_core as gfm
from gfm_core.tools.info import info
from tests.conftest import MakeRaster
from tests.gfm_core.tools.conftest import CELL, Made


def test_a_raster_is_told_with_its_bands_and_the_reasons(make_raster: MakeRaster) -> None:
    pixels = np.random.default_rng(0).integers(300, 3000, (2, 16, 16)).astype(np.uint16)
    told = info(make_raster("S2A_MSIL2A_20230504.tif", pixels, names=["B04", "B8A"]))
    assert told["kind"] == "raster"
    (source,) = told["sources"]
    assert source["sensor"] == "sentinel2-l2a"
    assert [band["name"] for band in source["bands"]] == ["B04", "B8A"]
    text = "\n".join(told["text"])
    assert "EPSG:32633" in text
    assert "2023-05-04" in text
    assert "because: " in text


def test_what_is_declared_counts(make_raster: MakeRaster) -> None:
    path = make_raster("height.tif", np.random.default_rng(0).random((1, 16, 16)).astype(np.float32))
    assert info(f"{path}:as=dem:date=2020-01-02")["sources"][0]["sensor"] == "dem"


def test_an_embedding_is_told_with_what_it_was_made_from(made: Made, nano_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "embedding.tif"
    gfm.embed(made.scene.paths[:1], path, cell_size=CELL, model=str(nano_path))
    told = info(path)
    assert told["kind"] == "embedding"
    assert told["cell_size"] == CELL
    assert set(told["groups"]) == {"fine", "coarse", "network"}
    assert told["model"]["sha256"] == gfm.load_model(nano_path).sha256
    text = "\n".join(told["text"])
    assert str(made.scene.paths[0]) in text
    assert "versions: jepa-gfm" in text


def test_a_head_and_a_checkpoint_are_told_apart(made: Made, nano_path: Path) -> None:
    head = info(made.head)
    assert head["kind"] == "head"
    assert head["classes"] == [item.name for item in made.result.classes]
    model = info(nano_path)
    assert model["kind"] == "model"
    assert model["parameters"] == sum(item.numel() for item in gfm.load_model(nano_path).encoder.parameters())
    assert f"sha256 {model['sha256']}" in "\n".join(model["text"])


def test_a_model_is_told_by_name_file_and_run(nano_path: Path, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(nano_path.read_bytes())
    by_name, by_file, by_run = info("nano"), info(nano_path), info(tmp_path)
    assert by_name["sha256"] == gfm.load_model("nano").sha256
    assert by_file["sha256"] == by_run["sha256"]
    counts = by_run["parameters_by_network"]
    assert counts["tokeniser"] + counts["fusion"] + counts["encoder"] == counts["embeds"] == by_run["parameters"]
    assert counts["embeds"] + counts["predictor"] == counts["trains"]


def test_a_file_of_ours_that_is_damaged_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "broken.safetensors"
    path.write_bytes(b"\x10\0\0\0\0\0\0\0broken")
    with pytest.raises(gfm.CheckpointError, match=r"broken\.safetensors"):
        info(path)


def test_everything_told_is_plain_json(made: Made, nano_path: Path) -> None:
    for file in (made.scene.paths[0], made.head, nano_path):
        assert json.loads(json.dumps(info(file))) == info(file)
