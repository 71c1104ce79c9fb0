"""Columns of the feature groups, against scipy.ndimage on rasters without gaps."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
import scipy.ndimage
import torch
from numpy.typing import NDArray

from gfm_core.bands import Band, BandKind
from gfm_core.features.groups import (
    COARSE_WINDOWS,
    FINE_WINDOWS,
    MEAN_STORAGE,
    SD_STORAGE,
    band_positions,
    cell_columns,
    network_columns,
    pixel_columns,
    statistic_columns,
)
from gfm_core.model.statistics import CellStatistics, cell_statistics

BANDS = (Band("red", BandKind.OPTICAL, 650), Band("nir", BandKind.OPTICAL, 850), Band("VV", BandKind.SAR))
CELLS, PIXELS, MARGIN = (5, 7), 3, 40  # cells, pixels a cell, pixels around


def raster(seed: int = 0, dates: int = 2) -> NDArray[np.float32]:
    """Smooth ground with noise on it, `[T, C, H, W]`."""
    height, width = (count * PIXELS + 2 * MARGIN for count in CELLS)
    noise = np.random.default_rng(seed).normal(size=(dates, len(BANDS), height, width))
    return (noise + 3 * scipy.ndimage.gaussian_filter(noise, (0, 0, 9, 9))).astype(np.float32)


def moments(pixels: NDArray[np.float32], window: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and deviation of the box around each pixel, by scipy."""
    exact = pixels.astype(np.float64)
    size = (1,) * (pixels.ndim - 2) + (window, window)
    mean = scipy.ndimage.uniform_filter(exact, size)
    square = scipy.ndimage.uniform_filter(exact**2, size)
    return mean, np.sqrt(np.maximum(square - mean**2, 0))


def of_cells(field: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of a field `[T, C, H, W]` over the pixels of each cell."""
    core = field[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
    return core.reshape(*core.shape[:2], CELLS[0], PIXELS, CELLS[1], PIXELS).mean(axis=(3, 5))


def statistics(pixels: NDArray[np.float32], valid: NDArray[np.bool_] | None = None) -> CellStatistics:
    valid = np.ones(pixels.shape, bool) if valid is None else valid
    rows, cols = (
        np.stack([first, first + PIXELS], axis=1) for first in (MARGIN + PIXELS * np.arange(count) for count in CELLS)
    )
    inside = torch.ones(pixels.shape[-2:], dtype=torch.bool)
    return cell_statistics(torch.from_numpy(pixels), torch.from_numpy(valid), inside, rows, cols)


@pytest.mark.parametrize("group", ["fine", "coarse"])
def test_columns_of_cells_are_scipys_means_and_deviations_in_the_order_of_their_names(group: str) -> None:
    pixels = raster()
    found = cell_columns(group, statistics(pixels))
    names = [column.name for column in statistic_columns(group, "s2_10m", (None, None), BANDS)]
    assert len(found) == len(names) == 2 * len(BANDS) * (7 if group == "fine" else 6)
    expected = {}
    for window in FINE_WINDOWS if group == "fine" else COARSE_WINDOWS:
        mean, deviation = (of_cells(field) for field in moments(pixels, window))
        for date in range(2):
            for number, band in enumerate(BANDS):
                place = f"s2_10m date {date + 1} {band.name}"
                expected[f"{place} mean{window}"] = mean[date, number]
                expected[f"{place} sd{window}"] = deviation[date, number]
                if group == "fine":
                    expected[f"{place} value"] = of_cells(pixels.astype(np.float64))[date, number]
    assert set(expected) == set(names)
    for name, values in zip(names, found, strict=True):
        assert np.allclose(values, expected[name], atol=1e-4), name


def test_fine_columns_of_pixels_are_scipys_too() -> None:
    pixels, margin = raster(), 4
    found = pixel_columns(pixels, np.ones(pixels.shape, bool), margin)
    core = (..., slice(margin, -margin), slice(margin, -margin))
    parts = [pixels.astype(np.float64), *(moments(pixels, window)[0] for window in FINE_WINDOWS)]
    parts += [moments(pixels, window)[1] for window in FINE_WINDOWS]
    expected = np.stack(parts, axis=2)[core]
    assert np.allclose(found, expected.reshape(found.shape), atol=1e-4)


def test_pixels_and_cells_share_the_order_of_columns() -> None:
    pixels = raster()
    by_pixel = pixel_columns(pixels, np.ones(pixels.shape, bool), MARGIN)
    by_cell = by_pixel.reshape(len(by_pixel), CELLS[0], PIXELS, CELLS[1], PIXELS).mean(axis=(2, 4))
    assert np.allclose(by_cell, cell_columns("fine", statistics(pixels)), atol=1e-4)


def test_an_absent_band_is_nan_and_never_zero() -> None:
    pixels, valid = raster(), np.ones((2, len(BANDS), CELLS[0] * PIXELS + 80, CELLS[1] * PIXELS + 80), bool)
    valid[1, 2, :, : MARGIN + PIXELS] = False  # the radar's first column of cells on the second date
    found = cell_columns("fine", statistics(pixels, valid))
    names = [column.name for column in statistic_columns("fine", "x", (None, None), BANDS)]
    absent = np.isnan(found)
    for name, gaps in zip(names, absent, strict=True):
        expected = np.zeros(CELLS, bool)
        expected[:, 0] = name.startswith("x date 2 VV")
        assert np.array_equal(gaps, expected), name
    hidden = valid.copy()
    pixels[~valid] = 1e6  # what stands in a gap is not looked at
    assert np.array_equal(cell_columns("fine", statistics(pixels, hidden)), found, equal_nan=True)


def test_a_pixel_without_data_has_no_fine_columns_but_its_neighbours_have() -> None:
    pixels, margin = raster(dates=1), 4
    valid = np.ones(pixels.shape, bool)
    valid[0, 1, 50, 52] = False
    gaps = np.isnan(pixel_columns(pixels, valid, margin))
    assert gaps.sum() == 7
    assert gaps[7:14, 50 - margin, 52 - margin].all()


def test_names_do_not_tell_dates_so_that_heads_serve_other_years() -> None:
    one = statistic_columns("fine", "s2_10m", (datetime.date(2020, 6, 1),), BANDS)
    other = statistic_columns("fine", "s2_10m", (datetime.date(2024, 7, 9),), BANDS)
    assert one == other
    assert [column.name for column in one[:7]] == [
        "s2_10m red value", "s2_10m red mean3", "s2_10m red mean5", "s2_10m red mean9",
        "s2_10m red sd3", "s2_10m red sd5", "s2_10m red sd9",
    ]  # fmt: skip
    every = statistic_columns("fine", "s2_10m", (None, None), BANDS)
    assert len({column.name for column in every}) == len(every)


def test_the_raw_bands_are_told_among_the_columns() -> None:
    columns = statistic_columns("fine", "s2_10m", (None, None), BANDS)
    raw = [columns[number].name for number in band_positions(columns)]
    assert raw == [f"s2_10m date {date} {band.name} value" for date in (1, 2) for band in BANDS]


def test_storage_holds_land_snow_and_roofs_in_bytes_1_to_255() -> None:
    for storage, low, high in ((MEAN_STORAGE, -3.5, 9.2), (SD_STORAGE, 0.0, 5.08)):
        assert storage.offset + storage.scale == pytest.approx(low)
        assert storage.offset + 255 * storage.scale == pytest.approx(high)
    names = {column.storage for column in statistic_columns("coarse", "x", (None,), BANDS) if "sd" in column.name}
    assert names == {SD_STORAGE}


def test_network_columns_carry_the_checkpoints_storage() -> None:
    columns = network_columns([0.1, 0.2], [-1.0, -2.0])
    assert [column.name for column in columns] == ["network 0", "network 1"]
    assert [(column.storage.scale, column.storage.offset) for column in columns] == [(0.1, -1.0), (0.2, -2.0)]
