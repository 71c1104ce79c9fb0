"""What `gfm evaluate` measures, against plain numpy and scipy."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from gfm_training.discover import Discovery, discover
from gfm_training.evaluation.fusion import RGB_ONLY, fusion_weights, rgb_bands, shares_of, without_each
from gfm_training.evaluation.ground import (
    Ground,
    chosen_grounds,
    inputs_of,
    latents_of,
    likeness,
    mean_likeness,
    read_pixels,
    spread_windows,
)
from gfm_training.evaluation.prediction import (
    MASKS,
    SOURCES,
    Hidden,
    copies,
    error_map,
    hide,
    predictions,
    targets_over,
)
from gfm_training.evaluation.probing import BANDS, FUSED, NETWORK, UNTRAINED, difference, over_scenes, probe_scene
from gfm_training.evaluation.resolution import averaged, coarser_latents, coarser_modality
from gfm_training.scenes import sample_scene
from gfm_training.settings import TrainSettings
from scipy.ndimage import distance_transform_edt

from gfm_core.grid import CellRange
from gfm_core.model.config import ModelConfig
from gfm_core.model.jepa import JepaModel, build_model
from gfm_core.raster.read import StackReader

TINY = ModelConfig("tiny", 32, 1, 2, band_dim=16, predictor_dim=16, predictor_depth=1)


@pytest.fixture(scope="module")
def found(place_folders: Path) -> Discovery:
    return discover([place_folders])


@pytest.fixture(scope="module")
def ground(found: Discovery) -> Ground:
    return chosen_grounds(found.places, most=1, windows=4)[0]


@pytest.fixture(scope="module")
def model() -> JepaModel:
    return build_model(TINY, 0).eval()


# ---- Which ground ---------------------------------------------------------------------------------------------------


def test_windows_lie_side_by_side_inside_the_place() -> None:
    cells = CellRange(100, 40, 60, 35)
    windows = spread_windows(cells, 9)
    assert len(windows) == 6  # three down, two across have room
    covered = np.zeros((60, 35), int)
    for one in windows:
        assert one.intersection(cells) == one
        covered[one.row - 100 : one.row - 84, one.col - 40 : one.col - 24] += 1
    assert covered.max() == 1


def test_of_many_places_that_are_alike_some_are_taken(found: Discovery) -> None:
    many = [dataclasses.replace(found.places[0], name=str(number)) for number in range(11)]
    assert [one.place.name for one in chosen_grounds(many, most=4, windows=1)] == ["0", "3", "6", "9"]


# ---- How alike ------------------------------------------------------------------------------------------------------


def test_likeness_is_the_centred_cosine_and_the_share_that_finds_itself() -> None:
    generator = torch.Generator().manual_seed(0)
    theirs = torch.randn((2, 4, 4, 8), generator=generator) + 5
    ours = theirs + 0.8 * torch.randn(theirs.shape, generator=generator)
    there = torch.ones((2, 4, 4), dtype=torch.bool)
    there[1, :2] = False
    alike = likeness(ours, theirs, there)
    assert alike is not None
    centre = theirs[there].numpy().mean(axis=0)
    cosines, hits = [], 0
    for window in range(2):
        a, b = (part[window][there[window]].numpy() - centre for part in (ours, theirs))
        table = (a @ b.T) / np.linalg.norm(a, axis=1)[:, None] / np.linalg.norm(b, axis=1)
        cosines += np.diag(table).tolist()
        hits += int((table.argmax(axis=1) == np.arange(len(a))).sum())
    assert alike.cosine == pytest.approx(np.mean(cosines), abs=1e-6)
    assert alike.found == pytest.approx(hits / 24)
    assert alike.chance == pytest.approx(2 / 24)
    assert likeness(ours, theirs, torch.zeros_like(there)) is None
    assert likeness(theirs, theirs, there).cosine == pytest.approx(1, abs=1e-6)  # type: ignore[union-attr]


def test_means_count_every_cell_alike() -> None:
    one = likeness(torch.eye(4).view(1, 2, 2, 4), torch.eye(4).view(1, 2, 2, 4), torch.ones(1, 2, 2, dtype=torch.bool))
    assert one is not None
    other = dataclasses.replace(one, cosine=0.0, found=0.0, cells=12)
    assert mean_likeness([one, other]).found == pytest.approx(4 / 16)


# ---- Another resolution ---------------------------------------------------------------------------------------------


def test_coarser_pixels_are_means_over_valid_ones() -> None:
    generator = np.random.default_rng(0)
    pixels = generator.normal(size=(2, 9, 8)).astype(np.float32)[:, :8]
    valid = generator.random((2, 8, 8)) > 0.4
    values, known = averaged(pixels, valid, 4)
    blocks = np.ma.array(pixels, mask=~valid).reshape(2, 2, 4, 2, 4)
    np.testing.assert_allclose(values[known], blocks.mean(axis=(2, 4)).data[known], rtol=1e-6)
    np.testing.assert_array_equal(known, (~blocks.mask).sum(axis=(2, 4)) >= 8)


def test_a_modality_made_coarser_reads_as_a_raster_of_larger_pixels(ground: Ground, tmp_path: Path) -> None:
    modality = next(item for item in ground.stack.modalities if len(item.bands) == 4)
    coarser = coarser_modality(modality, 2, tmp_path)
    assert coarser is not None
    assert (coarser.gsd, coarser.frame.transform.a) == (20, 20)
    with rasterio.open(modality.sources[0][0].path) as dataset:
        plain = dataset.read().astype(float).reshape(4, 60, 2, 60, 2).mean(axis=(2, 4))
    stack = dataclasses.replace(ground.stack, modalities=(coarser,))
    with StackReader(stack) as reader:
        window = reader.window(coarser, CellRange(ground.stack.cells.row, ground.stack.cells.col, 60, 60), 0)
    constants = [(item.offset, item.scale) for item in modality.normalisation]
    for band, wanted in zip(window.pixels[0], plain, strict=True):
        np.testing.assert_allclose(np.corrcoef(band.ravel(), wanted.ravel())[0, 1], 1, atol=1e-6)
    assert len(constants) == 4


def test_a_raster_without_detail_stays_what_it_is(place_folders: Path, model: JepaModel, tmp_path: Path) -> None:
    from tests.conftest import write_raster

    smooth = np.kron(np.random.default_rng(1).integers(800, 3000, (3, 15, 15)), np.ones((1, 8, 8))).astype(np.uint16)
    write_raster(tmp_path / "in/s2_l2a.tif", smooth, names=["B02", "B03", "B04"])
    place = discover([tmp_path / "in"]).places[0]
    (tmp_path / "out").mkdir()
    # In cells of 8 px a pixel twice as large tells the same means; deviations in 3 and 5 px change.
    whole, half = (
        coarser_latents(model.context, Ground(place, (place.stack.cells,)), tmp_path / "out")[number].likeness
        for number in (0, 1)
    )
    assert whole.cosine > half.cosine > 0.3


# ---- What is missing ------------------------------------------------------------------------------------------------


def test_every_sensor_is_left_out_in_turn_and_red_green_blue_stand_alone(ground: Ground, model: JepaModel) -> None:
    found = without_each(model.context, ground)
    assert [(one.kind, one.missing) for one in found if one.kind != "date"] == [
        ("sensor", "sentinel1-db"), ("sensor", "sentinel2-l2a"), ("sensor", "dem"), ("rgb", RGB_ONLY),
    ]  # fmt: skip
    assert all(one.likeness.cosine < 0.999 for one in found)


def test_red_green_and_blue_are_found_by_wavelength(ground: Ground) -> None:
    inputs = inputs_of(ground.stack, read_pixels(ground.stack, ground.cells))
    item = next(one for one in inputs if [band.name for band in one.bands][:1] == ["B02"])
    assert rgb_bands(item) == (2, 1, 0)
    assert [rgb_bands(one) for one in inputs if one is not item] == [None] * 3


def test_shares_of_the_fusion_sum_to_one(ground: Ground, model: JepaModel) -> None:
    assert sum(one.share for one in shares_of(model.context, ground)) == pytest.approx(1, abs=1e-3)
    weights = fusion_weights(model.context, inputs_of(ground.stack, read_pixels(ground.stack, ground.cells)))
    torch.testing.assert_close(weights.sum(dim=0), torch.ones_like(weights[0]), atol=1e-5, rtol=0)


# ---- What is hidden -------------------------------------------------------------------------------------------------


def test_the_nearest_visible_cell_is_scipys() -> None:
    generator = torch.Generator().manual_seed(1)
    targets = torch.randn((2, 16, 16, 3), generator=generator)
    shown = torch.rand((2, 16, 16), generator=generator) > 0.8
    hidden = Hidden(targets, torch.zeros_like(targets), ~shown, shown)
    made = copies(hidden)
    for number in range(2):
        where = distance_transform_edt(~shown[number].numpy(), return_distances=True)
        rows, cols = np.nonzero(shown[number].numpy())
        for row, col in ((0, 0), (7, 9), (15, 3)):
            distances = np.hypot(rows - row, cols - col)
            assert distances.min() == pytest.approx(where[row, col])
            near = {tuple(targets[number, r, c].tolist()) for r, c in zip(rows, cols, strict=True)
                    if np.hypot(r - row, c - col) == pytest.approx(distances.min())}  # fmt: skip
            assert tuple(made[SOURCES[2]][number, row, col].tolist()) in near
        mean = targets[number][shown[number]].mean(dim=0)
        torch.testing.assert_close(made[SOURCES[1]][number, 3, 3], mean)


def test_masks_hide_what_they_are_called(ground: Ground, model: JepaModel) -> None:
    settings, targets = TrainSettings(), targets_over(model, [ground], TrainSettings())
    cells, blocks, sensor = (hide(model, targets, ground, settings, mask, seed=1) for mask in list(MASKS)[:3])
    assert cells is not None and blocks is not None and sensor is not None
    # More than what was drawn: a pixel of 60 m that touches a hidden cell is gone for its neighbours, too.
    assert 0.7 < float(cells.asked.float().mean()) < 1
    assert 0.3 < float(blocks.asked.float().mean()) < 0.98
    assert bool(sensor.asked.all())  # every cell has lost a token, none is whole
    assert not bool((cells.asked & cells.shown).any())
    drawn = error_map(cells, 0)
    assert torch.equal(drawn.isnan(), ~cells.asked[0])


def test_a_predictor_that_knows_is_ahead_of_both_copies(
    ground: Ground, model: JepaModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    targets = targets_over(model, [ground], TrainSettings())
    whole = inputs_of(ground.stack, read_pixels(ground.stack, ground.cells))
    known = targets(*model.target_layers(whole))
    monkeypatch.setattr(JepaModel, "predict", lambda self, latents, visible, asked: known)
    found = {(one.mask, one.source): one.likeness for one in predictions(model, targets, ground, TrainSettings(), 0)}
    for mask in list(MASKS)[:2]:
        assert found[mask, SOURCES[0]].cosine == pytest.approx(1, abs=1e-4)
        assert found[mask, SOURCES[0]].found == 1
        assert found[mask, SOURCES[2]].cosine < 0.99


# ---- Maps from a few labels -----------------------------------------------------------------------------------------


def test_the_untrained_network_is_no_better_than_itself() -> None:
    scene = sample_scene(0, shots=(5, 20, 100))
    scene = dataclasses.replace(scene, draws=scene.draws[:3])
    encoder = build_model(TINY, 0).context.eval()
    probed = probe_scene(encoder, encoder, scene)
    assert list(probed.scores[BANDS]) == [5, 20, 100]
    assert probed.scores[NETWORK] == probed.scores[UNTRAINED]
    for k in (5, 20, 100):
        assert difference(probed, "this network - untrained, alone", k) == (0.0, 0.0)
        first, second = (np.array(probed.scores[name][k]) for name in (FUSED, BANDS))
        mean, error = difference(probed, "everything - raw bands", k)
        assert mean == pytest.approx((first - second).mean())
        assert error == pytest.approx((first - second).std(ddof=1) / np.sqrt(3))
    assert over_scenes([probed, probed], "everything - raw bands", 5)[1] == 0
    assert np.mean(probed.scores[FUSED][100]) > np.mean(probed.scores[FUSED][5])


def test_latents_for_measures_are_those_of_the_encoder(ground: Ground, model: JepaModel) -> None:
    inputs = inputs_of(ground.stack, read_pixels(ground.stack, ground.cells))
    values, present = latents_of(model.context, inputs)
    with torch.no_grad():
        torch.testing.assert_close(values, model.context(inputs).values)
    assert bool(present.all())
