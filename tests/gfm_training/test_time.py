"""Time: dates reach the network, and tell apart what nothing else does."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from gfm_training.anchors import fit_books
from gfm_training.data import PlaceBatchSampler, Places, WindowDataset, survey
from gfm_training.discover import discover
from gfm_training.learn import new_model, new_module
from gfm_training.manifest import NAME
from gfm_training.settings import Manifest, TrainSettings
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

import gfm_core as gfm
from tests.conftest import write_raster

FIELDS, FIELD = 14, 12  # fields along a side, pixels of each
SIDE = FIELDS * FIELD
LEFT, TOP = 400_000.0, 5_800_000.0

# What the two crops look like on each date: the same values, at other times. Optical and radar dates differ.
OPTICAL = {"2020-04-11": (0, 2), "2020-06-20": (1, 1), "2020-08-29": (2, 0)}
RADAR = {"2020-05-02": (1, 0), "2020-08-03": (0, 1)}
REFLECTANCE = [(900.0, 2100.0), (700.0, 3000.0), (500.0, 4000.0)]  # red, near infrared of three stages of growth
BACKSCATTER = [(-13.0, -20.0), (-9.0, -15.0)]  # VV, VH


@pytest.fixture(scope="module")
def crops() -> np.ndarray[Any, Any]:
    """Which crop each field `[14, 14]` has."""
    return np.random.default_rng(3).integers(0, 2, (FIELDS, FIELDS))


def write_series(folder: Path, crops: np.ndarray[Any, Any], *, dated: bool) -> list[Path]:
    """A raster a date; without dates the same rasters under names that say nothing of them."""
    chance = np.random.default_rng(0)
    grid = Affine(10.0, 0.0, LEFT, 0.0, -10.0, TOP)
    paths = []
    for sensor, series, values, noise in (
        ("s2_l2a", OPTICAL, REFLECTANCE, 90.0), ("s1_db", RADAR, BACKSCATTER, 0.8),
    ):  # fmt: skip
        for number, (date, stages) in enumerate(series.items()):
            pixels = np.array([values[stage] for stage in stages])[crops].repeat(FIELD, 0).repeat(FIELD, 1)
            noisy = np.moveaxis(pixels, -1, 0) + noise * chance.standard_normal((2, SIDE, SIDE))
            array = noisy.astype(np.float32) if sensor == "s1_db" else noisy.round().astype(np.uint16)
            name = f"{sensor}_{date}.tif" if dated else f"{sensor}_{'abc'[number]}.tif"
            bands = ["VV", "VH"] if sensor == "s1_db" else ["B04", "B08"]
            paths.append(write_raster(folder / name, array, names=bands, transform=grid))
    return paths


def accuracy(paths: list[Path], folder: Path, crops: np.ndarray[Any, Any]) -> float:
    """Of a linear classifier on latents of the shipped network: fields in the north train, those in the south test."""
    embedding = gfm.embed(paths, folder / "embedding.tif", groups="network", dtype="float32")
    with rasterio.open(embedding.path) as dataset:
        latents = dataset.read()
    cells = FIELD // 2
    middle = latents[:, cells // 2 :: cells, cells // 2 :: cells].reshape(len(latents), -1).T  # one cell a field
    known, half = crops.ravel(), crops.size // 2
    head = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto").fit(middle[:half], known[:half])
    return float(head.score(middle[half:], known[half:]))


def test_dates_tell_two_crops_apart_that_are_alike_in_everything_else(
    tmp_path: Path, crops: np.ndarray[Any, Any]
) -> None:
    dated = accuracy(write_series(tmp_path / "dated", crops, dated=True), tmp_path / "dated", crops)
    blind = accuracy(write_series(tmp_path / "blind", crops, dated=False), tmp_path / "blind", crops)
    assert dated >= 0.95
    assert blind <= 0.70


# ---- A year of Sentinel-1, Sentinel-2 and weather in one file -------------------------------------------------------

MONTHS = [datetime.date(2019 + (month > 12), (month - 1) % 12 + 1, 15) for month in range(2, 14)]


@pytest.fixture
def togo(tmp_path: Path, shared_data: Path) -> Path:
    """The file in a folder of its own, with a places.toml that tells the months."""
    path = tmp_path / "togo" / "monthly_s1_s2_era5_srtm.tif"
    path.parent.mkdir()
    path.symlink_to(shared_data / "togo" / path.name)
    dates = ", ".join(map(str, MONTHS))
    (path.parent / NAME).write_text(f'[[raster]]\nmatch = "monthly_*"\ndate = [{dates}]\n', encoding="utf-8")
    return path


def test_a_year_of_months_becomes_modalities_of_twelve_dates(togo: Path) -> None:
    (place,) = discover([togo.parent]).places
    dates = {item.name: item.dates for item in place.stack.modalities}
    assert sorted(len(own) for own in dates.values()) == [1, 1, 12, 12, 12]
    assert {own for own in dates.values() if len(own) > 1} == {tuple(MONTHS)}
    with rasterio.open(togo) as dataset:
        whole = dict(zip(dataset.descriptions, dataset.read(), strict=True))
    for item in place.stack.modalities:
        for month, sources in enumerate(item.sources):
            with rasterio.open(sources[0].path) as dataset:
                for index, band in zip(sources[0].indexes, item.bands, strict=True):
                    plain = band.name.replace("B0", "B")
                    wanted = plain if month == 0 else f"{plain}_{month}"
                    np.testing.assert_array_equal(dataset.read(index), whole[wanted])


def test_a_year_of_months_trains_and_months_in_another_order_are_another_place(togo: Path, tmp_path: Path) -> None:
    settings = TrainSettings(batch=2, clusters=4, cell_pixels=(2,), cell_weights=(1.0,), dates=4, drop_dates=0.0)
    places = Places(discover([togo.parent]).places)
    books = fit_books([(item.key, item.facts) for item in survey(places, settings, windows=1)], settings)
    batch = WindowDataset(places, settings, books).__getitems__(PlaceBatchSampler(places, settings, range(1)).batch(0))
    known = {int(day) for item in batch.target for day in item.day_of_year[0][item.day_of_year[0].isfinite()]}
    assert len(known) == 4
    assert known <= {date.timetuple().tm_yday for date in MONTHS}

    def latents(order: list[datetime.date], name: str) -> np.ndarray[Any, Any]:
        made = gfm.embed(
            [f"{togo}:date={','.join(map(str, order))}"], tmp_path / name, groups="network", dtype="float32"
        )
        with rasterio.open(made.path) as dataset:
            return dataset.read()

    year, turned = latents(MONTHS, "year.tif"), latents(MONTHS[6:] + MONTHS[:6], "turned.tif")
    inside = (slice(None), slice(2, -2), slice(2, -2))  # the outermost cells reach beyond the turned raster
    assert np.isfinite(year[inside]).all()
    assert np.abs(year - turned)[inside].max() > 0.05


# ---- 166 dates, mostly gaps -----------------------------------------------------------------------------------------


def test_a_long_series_with_gaps_has_tokens_only_where_there_is_data(shared_data: Path) -> None:
    series = shared_data / "gewata" / "ndvi_series_30m.tif"
    (place,) = discover([shared_data / "gewata"], Manifest(leave_out=("lulc", "tree*", "landsat*"))).places
    assert len(place.stack.modalities[0].dates) == 166
    assert len(set(place.stack.modalities[0].dates)) == 166
    settings = TrainSettings(batch=1, clusters=4, cell_pixels=(1,), cell_weights=(1.0,), dates=166)
    places = Places([place])
    (whole,) = survey(places, settings, windows=1)
    present = whole.inputs[0].present
    assert present.shape[1] == 166
    with rasterio.open(series) as dataset:
        valid = dataset.read_masks() > 0
        valid &= np.isfinite(dataset.read())
    # In cells of one pixel a token is there where the pixel is.
    tokens = int(present.sum())
    assert 0.01 < tokens / present.numel() < 0.9
    windows = np.lib.stride_tricks.sliding_window_view(valid.sum(axis=0), (16, 16)).sum(axis=(2, 3))
    assert tokens in windows


def test_a_step_on_a_long_series_draws_its_dates_and_learns(shared_data: Path) -> None:
    leave_out = Manifest(leave_out=("lulc", "tree*", "landsat*"))
    places = Places(discover([shared_data / "gewata"], leave_out).places)
    settings = TrainSettings(batch=1, clusters=4, cell_pixels=(2,), cell_weights=(1.0,), dates=5, drop_dates=0.0)
    books = fit_books([(item.key, item.facts) for item in survey(places, settings, windows=1)], settings)
    sampler, dataset = PlaceBatchSampler(places, settings, range(3)), WindowDataset(places, settings, books)
    batches = [dataset.__getitems__(sampler.batch(step)) for step in range(3)]
    drawn = [tuple(batch.target[0].day_of_year[0].tolist()) for batch in batches]
    assert [len(days) for days in drawn] == [5, 5, 5]
    assert len(set(drawn)) == 3  # others in each step
    module = new_module(new_model(settings, None), books, settings)
    module.objective(batches[0]).total.backward()
    gradient = module.objective.model.context.tokeniser.time.weight.grad
    assert gradient is not None
    assert gradient.isfinite().all()
    assert gradient.abs().max() > 0
