"""Normalisation against numpy and scipy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from gfm_core.bands import Band, BandKind, Normalisation
from gfm_core.raster.normalise import LIMIT, fit_normalisation, normalise
from gfm_core.raster.source import open_source
from gfm_core.raster.stack import Constants, Stack, open_stack
from tests.conftest import NORTH_UP, MakeRaster

RED = Band("red", BandKind.OPTICAL, 650)
HEIGHT = Band("height", BandKind.ELEVATION)
REFLECTANCE = Normalisation(scale=1e-4, offset=-0.1, centre=0.1, spread=0.06)


def test_numbers_become_physical_then_centred_and_spread() -> None:
    stored = np.array([1000, 2000, 3500], np.float32).reshape(1, 1, 1, 3)
    found = normalise(stored, np.ones(stored.shape, bool), [REFLECTANCE], [RED])
    reflectance = stored * 1e-4 - 0.1  # as the product's handbook says
    assert np.allclose(found, (reflectance - 0.1) / 0.06, atol=1e-5)
    assert found.dtype == np.float32


def test_invalid_pixels_are_zero_whatever_they_hold() -> None:
    stored = np.array([np.nan, np.inf, -9999, 5], np.float32).reshape(1, 1, 1, 4)
    valid = np.array([False, False, False, True]).reshape(stored.shape)
    with np.errstate(all="raise"):
        found = normalise(stored, valid, [Normalisation(spread=0.5)], [RED])
    assert found.ravel().tolist() == [0, 0, 0, 10]


def test_outliers_are_cut_but_mountains_are_not() -> None:
    stored = np.array([8848, -9999, 8848, -9999], np.float32).reshape(1, 2, 1, 2)
    found = normalise(stored, np.ones(stored.shape, bool), [Normalisation()] * 2, [RED, HEIGHT])
    assert found[0, 0].ravel().tolist() == [LIMIT, -LIMIT]
    assert found[0, 1].ravel().tolist() == [8848, -9999]


# ---- Fitted constants ------------------------------------------------------------------------------------------------


def dim_values(shape: tuple[int, int] = (64, 64), seed: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(seed).normal(300, 40, (1, *shape)).astype(np.float32)


def test_fitted_constants_are_the_median_and_the_scaled_absolute_deviation(make_raster: MakeRaster) -> None:
    values = dim_values()
    values[0, :10] = -1.0  # nodata
    values[0, 20, 20] = 1e6  # an outlier moves neither
    sources = open_source(make_raster("measured.tif", values, nodata=-1))
    fitted, warning = fit_normalisation(sources, 0)
    known = values[values != -1]
    assert fitted.fitted
    assert warning is None
    assert fitted.centre == pytest.approx(np.median(known), rel=1e-5)
    assert fitted.spread == pytest.approx(scipy.stats.median_abs_deviation(known, scale="normal"), rel=1e-4)


def test_a_large_raster_is_sampled_all_over(make_raster: MakeRaster) -> None:
    values = dim_values((700, 900))
    values += np.linspace(0, 500, 900, dtype=np.float32)  # brighter to the east
    values += np.linspace(0, 300, 700, dtype=np.float32)[:, None]
    fitted, _ = fit_normalisation(open_source(make_raster("measured.tif", values)), 0)
    spread = float(scipy.stats.median_abs_deviation(values, axis=None, scale="normal"))
    assert fitted.centre == pytest.approx(np.median(values), abs=0.1 * spread)
    assert fitted.spread == pytest.approx(spread, rel=0.1)


def test_fitted_constants_do_not_depend_on_the_extent(make_raster: MakeRaster) -> None:
    path = make_raster("measured.tif", dim_values((200, 200)) + np.arange(200, dtype=np.float32))
    whole = open_stack([path])
    part = open_stack([path], extent="400000,5799500,400200,5799700")
    assert part.cells != whole.cells
    assert part.modalities == whole.modalities
    assert whole.modalities[0].normalisation[0].fitted


def test_handed_constants_are_reused_and_never_refitted(make_raster: MakeRaster, tmp_path: Path) -> None:
    first = open_stack([make_raster("first.tif", dim_values())])
    other = open_stack([make_raster("first2.tif", dim_values(seed=1) * 3)], constants=first.constants)
    assert other.modalities[0].normalisation == first.modalities[0].normalisation


def test_handed_constants_of_two_custom_rasters_are_told_apart_by_their_gsd(make_raster: MakeRaster) -> None:
    names = ("fine.tif", "coarse.tif")
    coarse = NORTH_UP * NORTH_UP.scale(3)

    def stack(prefix: str, factor: int, handed: Constants | None = None) -> Stack:
        first = make_raster(prefix + names[0], dim_values() * factor)
        return open_stack([first, make_raster(prefix + names[1], dim_values(seed=1) * 7 * factor, transform=coarse)],
                          constants=handed)  # fmt: skip

    one = stack("a_", 1)
    fine, wide = (item.normalisation for item in one.modalities)
    assert fine != wide
    assert [item.normalisation for item in stack("b_", 2, one.constants).modalities] == [fine, wide]


def test_constants_of_two_custom_rasters_of_one_gsd_are_told_apart_by_their_bands(make_raster: MakeRaster) -> None:
    def stack(prefix: str, factor: int, handed: Constants | None = None) -> Stack:
        few, more = (np.concatenate([dim_values(seed=seed) for seed in seeds]) for seeds in ((0, 1), (2, 3, 4)))
        paths = [
            make_raster(prefix + "few.tif", few * factor), make_raster(prefix + "more.tif", more * 7 * factor),
        ]  # fmt: skip
        return open_stack([f"{path}:as=custom" for path in paths], constants=handed)

    one = stack("a_", 1)
    assert len(one.constants) == 5  # not 3: "band 1" and "band 2" are in both
    wanted = [item.normalisation for item in one.modalities]
    assert [item.normalisation for item in stack("b_", 2, one.constants).modalities] == wanted


def test_a_constant_band_is_said_and_does_not_divide_by_zero(make_raster: MakeRaster) -> None:
    path = make_raster("measured.tif", np.full((1, 20, 20), 7.5, np.float32))
    fitted, warning = fit_normalisation(open_source(path), 0)
    assert fitted == Normalisation(centre=7.5, spread=1.0, fitted=True)
    assert warning is not None
    assert warning.startswith("measured.tif: band ")
    assert warning.endswith("is constant.")
    assert warning in open_stack([path]).notes


def test_a_band_that_is_mostly_one_value_uses_the_standard_deviation(make_raster: MakeRaster) -> None:
    values = np.zeros((1, 20, 20), np.float32)
    values[0, :4] = 10
    fitted, _ = fit_normalisation(open_source(make_raster("measured.tif", values)), 0)
    assert fitted.spread == pytest.approx(values.std(), rel=1e-5)


def test_a_band_without_valid_pixels_is_said(make_raster: MakeRaster) -> None:
    path = make_raster("measured.tif", np.zeros((1, 20, 20), np.float32), nodata=0)
    fitted, warning = fit_normalisation(open_source(path), 0)
    assert fitted == Normalisation(fitted=True)
    assert warning is not None
    assert "no valid pixel" in warning


def test_several_sources_of_a_modality_are_fitted_together(make_raster: MakeRaster) -> None:
    east = NORTH_UP.translation(640, 0) * NORTH_UP
    low, high = dim_values(), dim_values(seed=1) + 500
    sources = [
        *open_source(make_raster("measured_a.tif", low)),
        *open_source(make_raster("measured_b.tif", high, transform=east)),
    ]
    fitted, _ = fit_normalisation(sources, 0)
    assert fitted.centre == pytest.approx(np.median(np.stack([low, high])), rel=1e-5)
