"""Hidden means hidden: whatever stands in hidden pixels, the context's latents and the predictions stay the same bits.

On a place of several sensors, resolutions, CRSs and dates, through the same calls as training.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from gfm_training import batch as batching
from gfm_training.anchors import Books, fit_books
from gfm_training.data import PlaceBatchSampler, Places, cells_of, read_windows, survey
from gfm_training.discover import discover
from gfm_training.masking import draw_hidden
from gfm_training.objective import asked_cells
from gfm_training.settings import TrainSettings

from gfm_core.model.config import ModelConfig
from gfm_core.model.jepa import JepaModel, build_model
from gfm_core.model.statistics import margin_pixels
from gfm_core.raster.frame import patches
from gfm_core.synthetic import write_scene

if TYPE_CHECKING:
    from gfm_training.batch import Batch

    from gfm_core.grid import CellRange
    from gfm_core.raster.read import PixelWindow
    from gfm_core.raster.stack import Modality, Stack

    Windows = list[list[PixelWindow]]

ALONE: dict[str, Any] = {  # nothing is hidden, dropped or changed
    "hidden": 0.0, "blocks": 0.0, "hide_sensor": 0.0, "hide_date": 0.0, "drop_bands": 0.0, "drop_modalities": 0.0,
    "drop_dates": 0.0, "gain": 0.0, "shift": 0.0,
}  # fmt: skip
FAMILIES: dict[str, dict[str, Any]] = {
    "cells": {"hidden": 0.75}, "blocks": {"blocks": 1.0}, "sensors": {"hide_sensor": 1.0}, "dates": {"hide_date": 1.0},
    "all": {"hidden": 0.75, "blocks": 0.5, "hide_sensor": 0.5, "hide_date": 0.5, "drop_bands": 0.5},
    "nothing": {},
}  # fmt: skip
SETTINGS = TrainSettings(batch=3, clusters=4, cell_pixels=(2, 3), cell_weights=(1.0, 1.0), **ALONE)
TINY = ModelConfig("tiny", 32, 2, 2, band_dim=16, predictor_dim=16, predictor_depth=1)

NDVI, NDMI = "ndvi_20230504_10m.tif", "ndmi_20230822_10m.tif"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Two dates of Sentinel-2 at 10 and 20 m, radar, heights in another CRS, and two indices of Sentinel-2's bands."""
    from tests.conftest import write_raster

    folder = tmp_path_factory.mktemp("scene")
    write_scene(folder, size_m=960.0, dates=2)
    for name, band in ((NDVI, "ndvi"), (NDMI, "ndmi")):
        rubbish = np.random.default_rng(0).uniform(-1, 1, (1, 96, 96)).astype(np.float32)
        write_raster(folder / name, rubbish, names=[band], transform=_affine(10.0))
    places = Places(discover([folder]).places)
    places.load()
    return places


def _affine(gsd: float) -> Any:
    from affine import Affine

    from gfm_core.synthetic import LEFT, TOP

    return Affine(gsd, 0.0, LEFT, 0.0, -gsd, TOP)


@dataclass
class Drawing:
    """Draws batches of one scene as training does, and keeps what they hid, `[window][modality]`."""

    stack: Stack
    cells: list[CellRange]
    windows: Windows
    books: Books
    hidden: list[list[Any]] = field(default_factory=list)

    def batch(self, windows: Windows, family: str, seed: int = 3) -> Batch:
        self.hidden = []

        def recording(*arguments: Any) -> list[Any]:
            self.hidden.append(draw_hidden(*arguments))
            return self.hidden[-1]

        settings = dataclasses.replace(SETTINGS, **FAMILIES[family])
        ((key, one),) = self.books.items()
        with patch.object(batching, "draw_hidden", recording):
            drawn = batching.make_batch(self.stack, windows, settings, one, np.random.default_rng(seed))
        return dataclasses.replace(drawn, books=key)


@pytest.fixture(scope="module")
def books(scene: Places) -> Books:
    return fit_books([(item.key, item.facts) for item in survey(scene, SETTINGS, windows=1)], SETTINGS)


@pytest.fixture(scope="module", params=[2, 3])
def drawing(request: pytest.FixtureRequest, scene: Places, books: Books) -> Drawing:
    """Windows in cells of 20 m, which all pixels of Sentinel-2 fill, or of 30 m, which those of 20 m do not."""
    settings = dataclasses.replace(SETTINGS, cell_pixels=(request.param,), cell_weights=(1.0,))
    queries = PlaceBatchSampler(scene, settings, range(9)).batch(0)
    dataset = scene.dataset(queries[0].place, request.param)
    cells = cells_of(dataset.stack, [item.query for item in queries])
    return Drawing(dataset.stack, cells, read_windows(dataset, dataset.stack, cells), books)


@pytest.fixture(scope="module")
def model() -> JepaModel:
    return build_model(TINY, 0)


def under(window: PixelWindow, hidden: Any) -> Any:
    """The pixels `[T, H, W]` of hidden cells, one cell after the other."""
    covered = np.zeros((len(window.pixels), *window.inside.shape), np.bool_)
    for time, row, col in np.argwhere(hidden):
        covered[time, slice(*window.rows[row]), slice(*window.cols[col])] = True
    return covered


def with_rubbish(windows: Windows, hidden: list[list[Any]], rubbish: Any) -> Windows:
    """Other numbers in every valid pixel that is hidden; the valid mask stays as it is."""
    changed: Windows = []
    for modality, own in enumerate(windows):
        changed.append([])
        for number, window in enumerate(own):
            gone = under(window, hidden[number][modality])[:, None] & window.valid
            pixels = window.pixels.copy()
            pixels[gone] = np.resize(rubbish, int(gone.sum()))
            changed[-1].append(dataclasses.replace(window, pixels=pixels))
    return changed


def outcome(model: JepaModel, batch: Batch) -> tuple[torch.Tensor, ...]:
    """Context latents, where they are, and the predictions of what was hidden."""
    with torch.no_grad():
        seen = model.encode_context(batch.context, batch.answers.near >= 0)
        asked = asked_cells(batch)
        assert bool(asked.any())
        return seen.values, seen.present, model.predict(seen.values, seen.present, asked), asked


RANDOM = np.random.default_rng(1).uniform(0, 5000, 997).astype(np.float32)
RUBBISH = {
    "random and huge": np.concatenate([RANDOM, np.array([1e30, -1e30], np.float32)]),
    "not numbers": np.array([np.nan, np.inf, -np.inf], np.float32),
}


@pytest.mark.parametrize("rubbish", RUBBISH)
@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "nothing"])
def test_whatever_is_written_into_hidden_pixels_latents_and_predictions_stay_bit_equal(
    drawing: Drawing, model: JepaModel, family: str, rubbish: str
) -> None:
    batch = drawing.batch(drawing.windows, family)
    hidden = drawing.hidden
    changed = with_rubbish(drawing.windows, hidden, RUBBISH[rubbish])
    other = drawing.batch(changed, family)
    assert all(map(np.array_equal, chain(*hidden), chain(*drawing.hidden)))
    for one, two in zip(outcome(model, batch), outcome(model, other), strict=True):
        assert torch.equal(one, two)
    pairs = [(one.features, two.features) for one, two in zip(batch.target, other.target, strict=True)]
    assert sum(int((one != two).sum()) for one, two in pairs) > 10_000, "the target does see it"


# ---- Indices --------------------------------------------------------------------------------------------------------


def pixel_centres(modality: Modality, stack: Stack, cells: CellRange) -> tuple[Any, Any]:
    """East of each column and north of each row of a window's pixels."""
    region = patches(modality.frame, stack.lattice, cells).region(margin_pixels(modality.bands))
    frame = modality.frame.transform
    east = frame.c + frame.a * (region.col + np.arange(region.cols) + 0.5)
    return east, frame.f + frame.e * (region.row + np.arange(region.rows) + 0.5)


def computed_index(
    stack: Stack, windows: Windows, cells: list[CellRange], index: int, bands: tuple[int, int, int]
) -> None:
    """Put (a - b) / (a + b) of two bands at one date, by nearest pixel, into the windows of an index, in place."""
    source, date, *pair = bands[0], bands[1], bands[2], bands[2] + 1
    for number, where in enumerate(cells):
        east, north = pixel_centres(stack.modalities[index], stack, where)
        own_east, own_north = pixel_centres(stack.modalities[source], stack, where)
        cols = np.abs(east[:, None] - own_east).argmin(axis=1)
        rows = np.abs(north[:, None] - own_north).argmin(axis=1)
        first, second = (windows[source][number].pixels[date, band][np.ix_(rows, cols)] for band in pair)
        valid = windows[source][number].valid[date, pair[0]][np.ix_(rows, cols)]
        value = np.where(valid, (second - first) / np.maximum(second + first, 1), 0).astype(np.float32)
        windows[index][number] = dataclasses.replace(
            windows[index][number], pixels=value[None, None], valid=valid[None, None]
        )


def with_indices(stack: Stack, windows: Windows, cells: list[CellRange]) -> Windows:
    """NDVI of the first date's B04 and B08 at 10 m, NDMI of the second date's B11 and B12 at 20 m."""
    own = [list(part) for part in windows]
    names = [(item.sensor, item.gsd, item.dates[0]) for item in stack.modalities]
    fine, coarse = (next(n for n, item in enumerate(names) if item[:2] == ("sentinel2-l2a", gsd)) for gsd in (10, 20))
    first, second = (n for n, item in enumerate(names) if item[0] == "index")
    computed_index(stack, own, cells, first, (fine, 0, 2))
    computed_index(stack, own, cells, second, (coarse, 1, 4))
    return own


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "nothing"])
def test_an_index_does_not_tell_what_its_hidden_bands_hold(drawing: Drawing, model: JepaModel, family: str) -> None:
    windows = with_indices(drawing.stack, drawing.windows, drawing.cells)
    batch = drawing.batch(windows, family, seed=1)
    changed = with_rubbish(windows, drawing.hidden, RANDOM)
    recomputed = with_indices(drawing.stack, changed, drawing.cells)  # also where the index itself was not hidden
    for one, two in zip(outcome(model, batch), outcome(model, drawing.batch(recomputed, family, seed=1)), strict=True):
        assert torch.equal(one, two)


def test_indices_are_seen_where_nothing_is_hidden(drawing: Drawing) -> None:
    batch = drawing.batch(drawing.windows, "nothing")
    shown = [
        bool(item.present.all())
        for item, own in zip(batch.context, drawing.stack.modalities, strict=True)
        if own.sensor == "index"
    ]
    assert shown == [True, True]
