from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from gfm_training.anchors import Books
from gfm_training.data import Survey
from gfm_training.monitor import ProbePoint, Prober, point_from_dict
from gfm_training.probe import Scene, Score, draw, latents_of, macro_f1, probe
from gfm_training.scenes import named_scenes, sample_scene
from gfm_training.settings import read_recipe
from gfm_training.vitals import Examiner, Vitals

from gfm_core.assets import sample_folder
from gfm_core.embedding.pipeline import modality_statistics, network_input
from gfm_core.model.config import ModelConfig
from gfm_core.model.jepa import build_model
from gfm_core.raster.read import StackReader
from gfm_core.raster.stack import open_stack

RECIPES = Path(__file__).resolve().parents[2] / "training" / "recipes"
TINY = ModelConfig("tiny", 32, 1, 2, band_dim=16, predictor_dim=16, predictor_depth=1)


@pytest.fixture(scope="module")
def sample() -> Iterator[Scene]:
    yield sample_scene(0)


def test_the_shipped_sample_can_be_probed_everywhere(sample: Scene) -> None:
    assert len(sample.draws) == 8
    assert len(np.unique(sample.codes)) >= 4
    assert all(len(X) == len(sample.codes) for X in sample.groups.values())


def test_training_and_test_cells_never_share_a_ground_square() -> None:
    rows, cols = np.mgrid[0:90, 0:90]
    rows, cols = rows.ravel(), cols.ravel()
    codes = (rows // 30 + 1).astype(np.int32)
    one = draw(rows, cols, codes, seed=3)
    assert one is not None
    train, test = one.train[20], one.test
    assert [int((codes[train] == code).sum()) for code in (1, 2, 3)] == [20, 20, 20]
    # Squares are 10 cells wide: whatever their offset, a training and a test cell are in different ones.
    for shift_row in range(10):
        for shift_col in range(10):
            square = (rows + shift_row) // 10 * 1000 + (cols + shift_col) // 10
            if not set(square[train]) & set(square[test]):
                return
    pytest.fail("no grid of squares parts training and test cells")


def test_labels_in_too_few_squares_are_no_draw() -> None:
    rows = np.arange(8)
    assert draw(rows, rows, np.ones(8, np.int32), seed=0) is None


def test_features_that_tell_the_class_score_one_and_noise_scores_chance(sample: Scene) -> None:
    rng = np.random.default_rng(0)
    classes = np.unique(sample.codes)
    telling = (sample.codes[:, None] == classes).astype(np.float32) + 0.01 * rng.standard_normal(
        (len(sample.codes), len(classes))
    ).astype(np.float32)
    noise = rng.standard_normal((len(sample.codes), 4)).astype(np.float32)
    assert macro_f1({"network": telling}, sample) == {5: pytest.approx(1.0), 20: pytest.approx(1.0)}
    assert macro_f1({"network": noise}, sample)[20] < 2 / len(classes)


def test_latents_are_those_of_the_cells_that_were_labelled(sample: Scene) -> None:
    """Against the network on one window read anew, as `gfm embed` reads it."""
    encoder = build_model(TINY, 0).context.eval()
    ours = latents_of(encoder, sample)
    stack = open_stack(sorted(map(str, sample_folder().glob("s2_*.tif"))))
    number = int(sample.window[0])
    here = np.flatnonzero(sample.window == number)
    batch = sample.inputs[number // 16]
    with StackReader(stack) as reader:
        found = None
        for index in _windows_of(stack):
            read = [modality_statistics(reader, item, index) for item in stack.modalities[:1]]
            if torch.equal(
                network_input(stack, stack.modalities[0], *read[0]).features[0], batch[0].features[number % 16]
            ):
                found = index
                break
        assert found is not None
        inputs = [network_input(stack, item, *modality_statistics(reader, item, found)) for item in stack.modalities]
    with torch.no_grad():
        wanted = encoder(inputs).values[0].numpy()[sample.row[here], sample.col[here]]
    np.testing.assert_allclose(ours[here], wanted, atol=1e-5)


def _windows_of(stack: object) -> Iterator[object]:
    from gfm_core.grid import windows

    return (index.cells for index in windows(stack.cells))  # type: ignore[attr-defined]


def test_the_same_encoder_scores_the_same_and_statistics_are_scored_once(
    sample: Scene, surveys: tuple[Survey, ...], books: Books
) -> None:
    encoder = build_model(TINY, 0).context
    prober = Prober([sample], Examiner(surveys, books))
    first, again = prober(encoder, 0, "student"), prober(encoder, 0, "student")
    assert first == again
    assert first.scenes[0].without == probe(encoder, sample).without


def test_a_probe_point_comes_back_from_its_plain_values() -> None:
    vitals = Vitals(3.0, 0.8, 0.2, 0.1, None, {"dem": 1.0})
    point = ProbePoint(5, "average", 0.5, 0.4, 0.45, vitals, (Score("one", {5: 0.1}, {5: 0.2}, {5: 0.3}),))
    assert point_from_dict(point.to_dict()) == point
    assert dataclasses.asdict(point)["scenes"][0]["fused"] == {5: 0.3}


def test_the_default_recipe_is_judged_by_eight_scenes(shared_data: Path) -> None:
    reasons: list[str] = []
    recipe = read_recipe(RECIPES / "default.toml")
    names = [scene.name for scene in named_scenes(recipe.probes, [shared_data], reasons)]
    assert names == [
        "brandenburg", "north_carolina", "gewata", "patagonia", "parana", "kenya", "languedoc", "taizhou",
    ]  # fmt: skip
    assert not reasons
