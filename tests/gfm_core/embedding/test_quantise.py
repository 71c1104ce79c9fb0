"""8 bits: round trip, clipping, and GDAL's own reading of scale and offset."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gfm_core.embedding.quantise import NODATA, Clipping, dequantise, quantise
from gfm_core.features.groups import MEAN_STORAGE, SD_STORAGE, Column, Storage

COLUMNS = (Column("mean", MEAN_STORAGE), Column("sd", SD_STORAGE), Column("latent", Storage(0.03, -4.0)))


@given(arrays.arrays(np.float32, (3, 4, 5), elements=st.floats(-3.4375, 5.0, width=32)))
def test_values_within_the_range_come_back_within_half_a_step(values: np.ndarray) -> None:
    values = np.abs(values)
    values[0] -= 1
    clipping = Clipping()
    stored = quantise(values, COLUMNS, clipping)
    steps = np.array([column.storage.scale for column in COLUMNS]).reshape(3, 1, 1)
    assert stored.dtype == np.uint8
    assert stored.min() >= 1
    high = np.array([column.storage.scale * 255 + column.storage.offset for column in COLUMNS]).reshape(3, 1, 1)
    inside = values <= high
    error = np.abs(dequantise(stored, COLUMNS) - values)
    assert (error <= 0.5001 * steps + 1e-6)[inside].all()
    assert clipping.clipped <= (~inside).sum() + 3
    assert clipping.values == values.size


@given(st.integers(1, 255))
def test_stored_bytes_come_back_as_themselves(byte: int) -> None:
    stored = np.full((3, 1, 1), byte, np.uint8)
    assert np.array_equal(quantise(dequantise(stored, COLUMNS), COLUMNS, Clipping()), stored)


def test_nodata_is_zero_and_nothing_else_is() -> None:
    values = np.array([[np.nan, -1e9, 1e9, 0.0]] * 3, np.float32)
    stored = quantise(values, COLUMNS, Clipping())
    assert (stored[:, 0] == NODATA).all()
    assert (stored[:, 1] == 1).all()
    assert (stored[:, 2] == 255).all()
    back = dequantise(stored, COLUMNS)
    assert np.isnan(back[:, 0]).all()
    assert np.isfinite(back[:, 1:]).all()


def test_half_a_step_rounds_up() -> None:
    halves = (Column("x", Storage(1.0, 0.0)),)
    values = np.array([[1.5, 2.5, 3.5, 3.49]], np.float32)
    assert quantise(values, halves, Clipping()).tolist() == [[2, 3, 4, 3]]


def test_cut_values_are_counted_and_gaps_are_not() -> None:
    column = (Column("x", Storage(1.0, 0.0)),)  # holds 1 to 255
    clipping = Clipping()
    quantise(np.array([[0.4, 0.6, 100, 255.4, 255.6, np.nan]], np.float32), column, clipping)
    assert (clipping.clipped, clipping.values) == (2, 5)
    quantise(np.array([[3, 3, 3]], np.float32), column, clipping)
    assert clipping.share == pytest.approx(2 / 8)
    assert Clipping().share == 0


def test_gdal_reads_the_values_by_scale_and_offset(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(1, 1, (3, 6, 7)).clip(0, 3).astype(np.float32)
    stored = quantise(values, COLUMNS, Clipping())
    path = tmp_path / "stored.tif"
    with rasterio.open(path, "w", driver="GTiff", height=6, width=7, count=3, dtype="uint8", nodata=NODATA,
                       crs="EPSG:32633", transform=rasterio.Affine(20, 0, 0, 0, -20, 0)) as dataset:  # fmt: skip
        dataset.write(stored)
        dataset.scales = [column.storage.scale for column in COLUMNS]
        dataset.offsets = [column.storage.offset for column in COLUMNS]
    with rasterio.open(path) as dataset:
        scales, offsets = (np.array(item).reshape(3, 1, 1) for item in (dataset.scales, dataset.offsets))
        read = dataset.read() * scales + offsets
    assert np.allclose(read, dequantise(stored, COLUMNS), atol=1e-5)
