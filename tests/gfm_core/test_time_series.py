"""Dates from names, tags and declarations reach the latents; a long series with gaps is read as it is."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.windows import Window
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

import gfm_core as gfm
from gfm_core.embedding.pipeline import modality_statistics, network_input
from gfm_core.grid import CellRange
from gfm_core.model.checkpoint import save_checkpoint
from gfm_core.model.config import SIZES
from gfm_core.model.jepa import build_model
from gfm_core.raster.frame import Region
from gfm_core.raster.read import StackReader
from tests.conftest import write_raster

FIELDS, FIELD = 8, 6  # fields along a side of a place, pixels of each
SIDE = FIELDS * FIELD
HALF_A_YEAR = 183
NAMELESS = "kdvbxqazhrme"  # what files are called that do not tell their dates, in no order


@dataclass(frozen=True, slots=True)
class Season:
    """Days of 2021 on which a place was seen; each day has a partner half a year later."""

    optical: tuple[int, ...]
    radar: tuple[int, ...]


# No day is shared by two places, or by the two sensors of a place.
SEASONS = (
    Season((20, 75), (45, 120)), Season((98, 150), (10, 60, 160)), Season((5, 110), (33, 81)),
    Season((52, 141), (68, 170)), Season((26, 87), (133, 155)), Season((40, 103), (15, 126)),
    Season((64, 147), (92, 36)), Season((30, 115), (57, 166)),
)  # fmt: skip
TRAINING = 6  # the places that a classifier learns from


def growth(day: int) -> np.ndarray[Any, Any]:
    """How green two crops are, 0 to 1: the second one's year is the first one's, half a year later."""
    first, later = (0.5 + 0.5 * np.cos(2 * np.pi * (d - 120) / 365) for d in (day, _partner(day)))
    return np.array([first, later])


def _partner(day: int) -> int:
    return day + HALF_A_YEAR if day <= 175 else day - HALF_A_YEAR


def _days(starts: Sequence[int]) -> list[int]:
    return [*starts, *map(_partner, starts)]


def write_place(folder: Path, number: int, *, dated: bool) -> tuple[list[str], np.ndarray[Any, Any]]:
    """Rasters of one place, a file a date, as arguments for `gfm.embed`, and the crop of each field `[8, 8]`.

    With dates: in the name, but for the first optical date (in a tag) and the last one (declared by the user).
    """
    chance = np.random.default_rng(number)
    crops = chance.integers(0, 2, (FIELDS, FIELDS))
    names = iter(NAMELESS)
    arguments = []
    for sensor, starts in (("s2_l2a", SEASONS[number].optical), ("s1_db", SEASONS[number].radar)):
        days = _days(starts)
        for day in days:
            date = datetime.date(2021, 1, 1) + datetime.timedelta(day - 1)
            pixels = _pixels(sensor, growth(day)[crops].repeat(FIELD, 0).repeat(FIELD, 1), chance)
            how = "name" if dated else "nowhere"
            if dated and sensor == "s2_l2a":
                how = {days[0]: "tag", days[-1]: "argument"}.get(day, how)
            path = write_raster(
                folder / f"{sensor}_{date if how == 'name' else next(names)}.tif",
                pixels,
                names=["B04", "B08"] if sensor == "s2_l2a" else ["VV", "VH"],
                tags={"ACQUISITION_DATE": str(date)} if how == "tag" else None,
                transform=Affine(10.0, 0.0, 400_000.0, 0.0, -10.0, 5_800_000.0),
            )
            arguments.append(f"{path}:date={date}" if how == "argument" else str(path))
    return arguments, crops


def _pixels(sensor: str, green: np.ndarray[Any, Any], chance: np.random.Generator) -> np.ndarray[Any, Any]:
    """Red and near infrared, or VV and VH in dB, `[2, SIDE, SIDE]` with noise."""
    noise = chance.standard_normal((2, *green.shape))
    if sensor == "s2_l2a":
        return np.round(np.stack([900 - 500 * green, 1800 + 2200 * green]) + 90 * noise).astype(np.uint16)
    return (np.stack([-13 + 4 * green, -20 + 5 * green]) + 0.8 * noise).astype(np.float32)


def latents(arguments: Sequence[str | Path], out: Path, model: Path) -> np.ndarray[Any, Any]:
    """The network's bands `[D, rows, cols]` of an embedding, NaN where there is none."""
    made = gfm.embed(arguments, out, groups="network", dtype="float32", model=str(model), overwrite=True)
    with rasterio.open(made.path) as dataset:
        return np.where(dataset.read_masks(1) > 0, dataset.read(), np.nan)


def share_told_apart(folder: Path, model: Path, *, dated: bool) -> float:
    """Accuracy of a linear classifier of the two crops, on other places than it learnt from and on other dates."""
    known, cells = [], FIELD // 2
    for number in range(len(SEASONS)):
        arguments, crops = write_place(folder / f"{number}_{dated}", number, dated=dated)
        found = latents(arguments, folder / "embedding.tif", model)
        known.append((found[:, cells // 2 :: cells, cells // 2 :: cells].reshape(len(found), -1).T, crops.ravel()))
    learnt = map(np.concatenate, zip(*known[:TRAINING], strict=True))
    head = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto").fit(*learnt)
    return float(np.mean([head.score(*place) for place in known[TRAINING:]]))


def untrained(folder: Path, seed: int) -> Path:
    """A nano network that has learnt nothing."""
    path = folder / f"untrained_{seed}.safetensors"
    save_checkpoint(path, build_model(SIZES["nano"], seed=seed), {})
    return path


def test_the_two_crops_differ_only_in_when() -> None:
    for season in SEASONS:
        for starts in (season.optical, season.radar):
            one, other = np.array([growth(day) for day in _days(starts)]).T
            np.testing.assert_allclose(np.sort(one), np.sort(other))
            assert np.abs(one - other).max() > 0.3


def test_every_way_to_tell_a_date_is_heard(tmp_path: Path) -> None:
    arguments, _ = write_place(tmp_path, 0, dated=True)
    told = {item.sensor: item.dates for item in gfm.open_stack(arguments).modalities}
    for sensor, starts in (("sentinel2-l2a", SEASONS[0].optical), ("sentinel1-db", SEASONS[0].radar)):
        wanted = [datetime.date(2021, 1, 1) + datetime.timedelta(day - 1) for day in sorted(_days(starts))]
        assert list(told[sensor]) == wanted


@pytest.mark.parametrize("seed", [0, 1])
def test_crops_that_only_time_tells_apart_are_told_apart_on_dates_never_seen(tmp_path: Path, seed: int) -> None:
    assert share_told_apart(tmp_path, untrained(tmp_path, seed), dated=True) >= 0.95


def test_without_dates_they_are_not(tmp_path: Path) -> None:
    assert share_told_apart(tmp_path, untrained(tmp_path, 0), dated=False) <= 0.65


# ---- A year of Sentinel-1, Sentinel-2 and weather in one file -------------------------------------------------------


def test_a_year_of_months_is_read_band_by_band_as_rasterio_reads_it(shared_data: Path, tmp_path: Path) -> None:
    with rasterio.open(shared_data / "togo" / "monthly_s1_s2_era5_srtm.tif") as dataset:
        names, plain = list(dataset.descriptions), dataset.read()
    # The same pixels on a grid in metres: one in degrees is interpolated.
    path = write_raster(tmp_path / "monthly.tif", plain, names=names)
    months = [datetime.date(2019 + (month > 12), (month - 1) % 12 + 1, 15) for month in range(2, 14)]
    stack = gfm.open_stack([f"{path}:date={','.join(map(str, months))}"])
    by_name = dict(zip(names, plain, strict=True))
    compared = set()
    with StackReader(stack) as reader:
        for item in stack.modalities:
            assert list(item.dates) == (months if len(item.dates) > 1 else [None])
            read = reader.region(item.sources, item.frame, Region(0, 0, 17, 17))
            for month, number in np.ndindex(read.pixels.shape[:2]):
                # A month's B2 is called B2, B2_1, B2_2, ... in the file, and B02 by us.
                name = item.bands[number].name.replace("B0", "B") + (f"_{month}" if month else "")
                seen = np.isfinite(by_name[name])  # the slope is NaN in places
                np.testing.assert_array_equal(read.valid[month, number], seen)
                np.testing.assert_array_equal(read.pixels[month, number][seen], by_name[name][seen])
                compared.add(name)
    assert compared == set(names)


# ---- 166 dates with gaps --------------------------------------------------------------------------------------------


@pytest.fixture
def series(shared_data: Path) -> Path:
    """NDVI of 166 Landsat scenes as the bands of one file, called like the scenes."""
    return shared_data / "gewata" / "ndvi_series_30m.tif"


def test_a_long_series_has_its_dates_and_tokens_where_rasterio_sees_data(series: Path) -> None:
    stack = gfm.open_stack([series], cell_size=30)
    (modality,) = stack.modalities
    cells = CellRange(stack.cells.row + 30, stack.cells.col + 20, 50, 60)
    with rasterio.open(series) as dataset:
        order = np.argsort([name[9:16] for name in dataset.descriptions])
        days = [datetime.datetime.strptime(dataset.descriptions[i][9:16], "%Y%j").date() for i in order]
        seen = dataset.read_masks(window=Window(20, 30, 60, 50))[order] > 0
    assert list(modality.dates) == days
    assert len(set(days)) == 166
    assert len(set(np.diff(np.array(days, np.datetime64)))) > 10  # irregular
    with StackReader(stack) as reader:
        statistics, bands, offset = modality_statistics(reader, modality, cells)
    present = network_input(stack, modality, statistics, bands, offset).present[0, ..., 0].numpy()
    np.testing.assert_array_equal(present, seen)  # in cells of one pixel
    assert 0.6 < present.mean() < 0.8


def test_cells_that_no_date_shows_are_nodata_in_the_embedding(series: Path, tmp_path: Path) -> None:
    with rasterio.open(series) as dataset:
        pixels = dataset.read(window=Window(41, 41, 48, 48))
        pixels[:, 12:24, 20:36] = dataset.nodata
        path = write_raster(
            tmp_path / "holed.tif", pixels, names=list(dataset.descriptions), nodata=dataset.nodata, crs=dataset.crs,
            transform=dataset.window_transform(Window(41, 41, 48, 48)),
        )  # fmt: skip
    found = latents([f"{path}:as=index"], tmp_path / "embedding.tif", untrained(tmp_path, 0))
    with rasterio.open(path) as dataset:
        seen = (dataset.read_masks() > 0).any(axis=0)
    cells = seen.reshape(24, 2, 24, 2).any(axis=(1, 3))
    assert 0 < (~cells).sum() < cells.size
    np.testing.assert_array_equal(np.isfinite(found).all(axis=0), cells)
    np.testing.assert_array_equal(np.isfinite(found).any(axis=0), cells)


@pytest.mark.long
def test_a_long_series_is_embedded_in_bounded_memory(series: Path, tmp_path: Path) -> None:
    script = (
        "import resource, sys, gfm_core as gfm\n"
        "gfm.embed([sys.argv[1]], sys.argv[2], groups='network')\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(series), str(tmp_path / "embedding.tif")],
        capture_output=True, text=True, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, timeout=120,
    )  # fmt: skip
    assert int(run.stdout.split()[-1]) < 2_000_000  # kB on Linux
