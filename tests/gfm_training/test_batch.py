"""A batch from windows: what is dropped is as if never there, what is asked for belongs to its cell."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from affine import Affine
from gfm_training.anchors import AnchorSet, fit_books
from gfm_training.batch import Batch, make_batch
from gfm_training.data import PlaceBatchSampler, Places, cells_of, read_windows, survey
from gfm_training.discover import discover
from gfm_training.maps import map_classes
from gfm_training.settings import TrainSettings

from gfm_core.bands import BandKind
from gfm_core.synthetic import LEFT, TOP, write_scene
from tests.conftest import write_raster

ALONE: dict[str, Any] = {
    "hidden": 0.0, "blocks": 0.0, "hide_sensor": 0.0, "hide_date": 0.0, "drop_bands": 0.0, "drop_modalities": 0.0,
    "drop_dates": 0.0, "gain": 0.0, "shift": 0.0,
}  # fmt: skip
SETTINGS = TrainSettings(batch=4, clusters=4, cell_pixels=(2,), cell_weights=(1.0,), **ALONE)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Two dates of Sentinel-2, radar, heights; a corner without data; a map of classes that tell a band of its own."""
    folder = tmp_path_factory.mktemp("scene")
    write_scene(folder, size_m=960.0, dates=2, nodata_edge=True)
    ground = np.random.default_rng(0).standard_normal((1, 48, 48)).astype(np.float32)
    where = Affine(20, 0, LEFT, 0, -20, TOP)
    write_raster(folder / "plain_20m.tif", ground, names=["part"], transform=where)
    write_raster(folder / "lulc.tif", (1 + (ground > 0)).astype(np.uint8), names=["land cover"], transform=where)
    places = Places(discover([folder]).places)
    places.load()
    return places


@pytest.fixture(scope="module")
def anchors(scene: Places) -> AnchorSet:
    (one,) = fit_books([(item.key, item.facts) for item in survey(scene, SETTINGS, windows=2)], SETTINGS).values()
    return one


def drawn(scene: Places, anchors: AnchorSet, seed: int = 0, **changes: Any) -> Batch:
    queries = PlaceBatchSampler(scene, SETTINGS, range(9)).batch(1)
    dataset = scene.dataset(0, 2)
    cells = cells_of(dataset.stack, [item.query for item in queries])
    windows = read_windows(dataset, dataset.stack, cells)
    maps = map_classes(scene.places[0].maps, dataset.stack.lattice, cells)
    settings = dataclasses.replace(SETTINGS, **changes)
    return make_batch(dataset.stack, windows, settings, anchors, np.random.default_rng(seed), maps=maps)


def sensors_of(scene: Places) -> list[str]:
    return [item.sensor for item in scene.places[0].stack.modalities]


def test_nothing_hidden_and_nothing_dropped_shows_the_context_all_that_the_target_sees(
    scene: Places, anchors: AnchorSet
) -> None:
    batch = drawn(scene, anchors)
    assert len(batch.context) == len(sensors_of(scene))
    for seen, whole in zip(batch.context, batch.target, strict=True):
        assert torch.equal(seen.features, whole.features)
        assert torch.equal(seen.present, whole.present)


def test_a_map_is_asked_for_and_never_shown(scene: Places, anchors: AnchorSet) -> None:
    assert "map" not in sensors_of(scene)
    batch = drawn(scene, anchors)
    assert all(band.kind is not BandKind.MAP for item in (*batch.context, *batch.target) for band in item.bands)
    assert list(batch.answers.maps) == ["lulc: land cover"]


@pytest.mark.parametrize("seed", range(6))
def test_answers_are_turned_with_the_cells_they_belong_to(scene: Places, anchors: AnchorSet, seed: int) -> None:
    batch = drawn(scene, anchors, seed)
    part = next(item for item in batch.target if [band.name for band in item.bands] == ["part"])
    there, value = part.present[:, 0, ..., 0], part.features[:, 0, ..., 0, 16]  # the patch's mean
    ids = batch.answers.maps["lulc: land cover"]
    assert bool(((ids >= 0) == there).all())
    assert value[there & (ids == 1)].min() > value[there & (ids == 0)].max()  # the class is whether it is above a limit
    everything = torch.stack([item.present.any(dim=-1).any(dim=1) for item in batch.target]).any(dim=0)
    for answer in (batch.answers.near, batch.answers.wide):
        assert torch.equal(answer >= 0, everything)


def test_dropped_modalities_are_neither_seen_nor_in_the_target(scene: Places, anchors: AnchorSet) -> None:
    counts = set()
    for seed in range(8):
        batch = drawn(scene, anchors, seed, drop_modalities=0.5)
        assert [item.bands for item in batch.context] == [item.bands for item in batch.target]
        counts.add(len(batch.target))
    assert min(counts) < len(sensors_of(scene))
    assert min(counts) >= 1


def test_a_dropped_date_leaves_a_stack_that_never_had_it(scene: Places, anchors: AnchorSet) -> None:
    whole = drawn(scene, anchors, drop_dates=0.0)
    assert {item.present.shape[1] for item in whole.target} == {1, 2}
    seen = set()
    for seed in range(12):
        batch = drawn(scene, anchors, seed, drop_dates=0.5)
        days = torch.cat([item.days_since_first[0] for item in batch.target])
        days = days[days.isfinite()]
        assert float(days.min()) == 0  # counted from the first that is left
        seen.add(len(days))
    assert len(seen) > 1


def test_a_band_that_is_dropped_is_missing_from_the_context_alone(scene: Places, anchors: AnchorSet) -> None:
    batch = drawn(scene, anchors, drop_bands=1.0)
    pairs = list(zip(batch.context, batch.target, strict=True))
    lost = [bool((whole.present & ~seen.present).any()) for seen, whole in pairs]
    assert any(lost)
    assert all(bool(seen.present.any()) for seen, _ in pairs)


def test_light_changes_context_and_target_alike_and_no_heights(scene: Places, anchors: AnchorSet) -> None:
    plain, changed = drawn(scene, anchors), drawn(scene, anchors, gain=0.3, shift=0.3)
    for before, seen, whole in zip(plain.target, changed.context, changed.target, strict=True):
        assert torch.equal(seen.features, whole.features)
        heights = before.bands[0].kind is BandKind.ELEVATION
        assert torch.equal(before.features, whole.features) == heights
    assert torch.equal(plain.answers.near, changed.answers.near)


# ---- The other sensor or date ---------------------------------------------------------------------------------------


def test_nothing_else_is_asked_where_the_context_sees_every_sensor_and_date(scene: Places, anchors: AnchorSet) -> None:
    answers = drawn(scene, anchors, hidden=0.75).answers
    assert (answers.other_sensor == -1).all()
    assert (answers.other == -1).all()


@pytest.mark.parametrize("changes", [{"hide_sensor": 1.0}, {"hide_date": 1.0}, {"drop_modalities": 0.8}])
def test_one_sensor_at_one_date_of_which_the_context_sees_nothing_is_asked(
    scene: Places, anchors: AnchorSet, changes: dict[str, float]
) -> None:
    batch = next(
        one
        for one in (drawn(scene, anchors, seed, **changes) for seed in range(9))
        if len(one.context) == (len(sensors_of(scene)) if "drop_modalities" not in changes else 1)
    )
    answers = batch.answers
    assert (answers.other_sensor >= 0).all()
    asked = answers.other.flatten(1)
    assert (asked >= 0).any(dim=1).all()
    for window, sensor in enumerate(answers.other_sensor.tolist()):
        name = anchors.sensors[sensor]
        assert asked[window].max() < len(anchors.other[name].centres)
        if "hide_sensor" in changes:  # the one that lost all its tokens
            lost = [not item.present[window].any() for item in batch.context]
            assert name in {own for own, gone in zip(sensors_of(scene), lost, strict=True) if gone}


def test_what_is_asked_of_a_hidden_sensor_is_its_cluster_whatever_is_asked_beside(
    scene: Places, anchors: AnchorSet
) -> None:
    batch = drawn(scene, anchors, 3, hide_sensor=1.0)
    number = anchors.sensors.index("custom")
    (windows,) = (batch.answers.other_sensor == number).nonzero(as_tuple=True)
    for seed in range(4, 30):
        if len(windows):
            break
        batch = drawn(scene, anchors, seed, hide_sensor=1.0)
        (windows,) = (batch.answers.other_sensor == number).nonzero(as_tuple=True)
    window = int(windows[0])
    part = next(item for item in batch.target if [band.name for band in item.bands] == ["part"])
    there, value = part.present[window, 0, ..., 0], part.features[window, 0, ..., 0, 16]
    ids = batch.answers.other[window]
    assert torch.equal(ids >= 0, there)
    spread = torch.stack([value[ids == one].mean() for one in ids[there].unique()])
    assert float(spread.max() - spread.min()) > float(value[there].std())  # clusters of that sensor's own numbers
    assert (batch.answers.other_time[window] == 0).all()  # it has no date
