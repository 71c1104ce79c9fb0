from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from gfm_core.bands import Band, BandKind
from gfm_core.errors import ParameterError, ShapeError
from gfm_core.model import statistics
from gfm_core.model.statistics import (
    STATISTIC_WINDOWS,
    box_statistics,
    cell_statistics,
    derive,
    hide,
    margin_pixels,
)

ELEVATION = Band("dem", BandKind.ELEVATION)
RED = Band("B04", BandKind.OPTICAL, 664.6)


def spans(cells: int, pixels: int, start: int = 0) -> NDArray[np.int64]:
    """First and stop pixel of `cells` cells of `pixels` pixels each, from pixel `start` on."""
    first = start + np.arange(cells) * pixels
    return np.stack([first, first + pixels], axis=1)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def some_valid(*shape: int, share: float = 0.7, seed: int = 1) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < share


def everywhere(pixels: Tensor) -> Tensor:
    return torch.ones_like(pixels, dtype=torch.bool)


def loop_box(pixels: NDArray[np.float64], valid: NDArray[np.bool_], window: int) -> tuple[Tensor, Tensor]:
    """Mean and deviation of valid pixels in a box around each pixel of one plane, the slow and obvious way."""
    half = window // 2
    mean, sd = np.zeros(pixels.shape), np.zeros(pixels.shape)
    for row, col in np.ndindex(pixels.shape):
        box = slice(max(row - half, 0), row + half + 1), slice(max(col - half, 0), col + half + 1)
        inside = pixels[box][valid[box]]
        if inside.size:
            mean[row, col], sd[row, col] = inside.mean(), inside.std()
    return torch.from_numpy(mean), torch.from_numpy(sd)


# ---- Boxes ----


@pytest.mark.parametrize("window", STATISTIC_WINDOWS)
def test_box_mean_and_deviation_equal_scipy_where_the_raster_has_no_gaps(window: int) -> None:
    pixels = noise(1, 1, 100, 90)
    mean, sd = box_statistics(pixels, everywhere(pixels), (window,))
    plane, half = pixels[0, 0].numpy().astype(np.float64), window // 2
    expected = ndimage.uniform_filter(plane, window, mode="constant")
    squares = ndimage.uniform_filter(plane**2, window, mode="constant")
    core = slice(half, -half), slice(half, -half)
    np.testing.assert_allclose(mean[0, 0, 0][core], expected[core], atol=1e-6)
    np.testing.assert_allclose(sd[0, 0, 0][core], np.sqrt(squares - expected**2)[core], atol=1e-6)


@pytest.mark.parametrize("window", [3, 9, 17])
def test_box_statistics_count_valid_pixels_only(window: int) -> None:
    pixels, valid = noise(1, 2, 21, 18), some_valid(1, 2, 21, 18, share=0.15)
    mean, sd = box_statistics(pixels, valid, (window,))
    for band in range(2):
        expected = loop_box(pixels[0, band].double().numpy(), valid[0, band].numpy(), window)
        torch.testing.assert_close(mean[0, band, 0].double(), expected[0], atol=1e-6, rtol=0)
        torch.testing.assert_close(sd[0, band, 0].double(), expected[1], atol=1e-6, rtol=0)


@pytest.mark.parametrize(("down", "right"), [(1, 0), (0, 1), (7, 13), (32, 5)])
def test_box_statistics_are_bit_equal_wherever_the_array_was_cut(down: int, right: int) -> None:
    pixels, valid = noise(1, 2, 170, 150), some_valid(1, 2, 170, 150)
    whole = box_statistics(pixels, valid)
    part = box_statistics(pixels[..., down:, right:], valid[..., down:, right:])
    for from_whole, from_part in zip(whole, part, strict=True):
        core = from_whole[..., down + 32 : -32, right + 32 : -32]
        assert core.shape[-1] > 20
        assert torch.equal(core, from_part[..., 32:-32, 32:-32])


def test_box_statistics_of_valid_pixels_are_the_same_bits_as_with_a_gap_far_away() -> None:
    pixels = noise(1, 1, 90, 90)
    gap = everywhere(pixels)
    gap[..., 0, 0] = False
    assert torch.equal(
        box_statistics(pixels, everywhere(pixels))[1][..., 40:, 40:], box_statistics(pixels, gap)[1][..., 40:, 40:]
    )


@pytest.mark.parametrize("value", [0.0, 0.1, 3.7, 8000.3])
def test_equal_pixels_have_no_deviation(value: float) -> None:
    pixels = torch.full((1, 1, 40, 40), value)
    mean, sd = box_statistics(pixels, some_valid(1, 1, 40, 40))
    assert not sd.any()
    torch.testing.assert_close(mean[0, 0, -1], pixels[0, 0])


@pytest.mark.parametrize("windows", [(4,), (7,), (9, 3), (1, 3)])
def test_windows_that_do_not_double_are_refused(windows: tuple[int, ...]) -> None:
    with pytest.raises(ParameterError, match="windows cannot be"):
        box_statistics(noise(1, 1, 80, 80), everywhere(noise(1, 1, 80, 80)), windows)


# ---- Cells ----


def test_cell_statistics_equal_a_loop_over_cells() -> None:
    pixels, valid = noise(1, 2, 36, 41), some_valid(1, 2, 36, 41, share=0.6)
    inside = torch.ones(36, 41, dtype=torch.bool)
    rows, cols = np.array([[3, 8], [8, 12], [12, 17]]), np.array([[5, 9], [9, 14], [14, 18], [18, 22]])
    found = cell_statistics(pixels, valid, inside, rows, cols, windows=(3, 5, 9))
    planes = [(pixels[0, band].double().numpy(), valid[0, band].numpy()) for band in range(2)]
    boxes = [[loop_box(plane, mask, window) for window in (3, 5, 9)] for plane, mask in planes]
    for time, band, row, col in np.ndindex(1, 2, 3, 4):
        box = slice(*rows[row]), slice(*cols[col])
        plane, mask = planes[band]
        here = mask[box]
        present = here.sum() >= 1 and 2 * here.sum() >= here.size
        assert found.present[time, band, row, col] == present
        means, deviations = [plane[box][here].mean()], [plane[box][here].std()]
        for mean, sd in boxes[band]:
            means.append(mean[box].numpy()[here].mean())
            deviations.append(sd[box].numpy()[here].mean())
        np.testing.assert_allclose(found.mean[time, band, row, col], np.array(means) * present, atol=1e-6)
        np.testing.assert_allclose(found.sd[time, band, row, col], np.array(deviations) * present, atol=1e-6)


def test_patch_is_an_area_average_where_sizes_divide() -> None:
    pixels = noise(1, 3, 24, 32)
    found = cell_statistics(pixels, everywhere(pixels), everywhere(pixels[0, 0]), spans(3, 8), spans(4, 8))
    expected = torch.nn.functional.avg_pool2d(pixels, 2)  # 8 px -> 4
    torch.testing.assert_close(found.patch[0].permute(0, 1, 3, 2, 4).reshape(3, 12, 16), expected[0])


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 3), (3, 5), (6, 7), (13, 4)])
def test_patch_of_any_size_is_the_area_average_of_repeated_pixels(height: int, width: int) -> None:
    pixels = noise(1, 1, height, width)
    found = cell_statistics(pixels, everywhere(pixels), everywhere(pixels[0, 0]), spans(1, height), spans(1, width))
    fine = np.kron(pixels[0, 0].double().numpy(), np.ones((4, 4)))  # [4 h, 4 w]: every part is whole pixels
    expected = fine.reshape(4, height, 4, width).mean(axis=(1, 3))
    np.testing.assert_allclose(found.patch[0, 0, 0, 0], expected, atol=1e-6)


def test_part_of_a_patch_without_valid_pixels_gets_the_mean_of_the_others() -> None:
    pixels, valid = noise(1, 1, 4, 4), torch.ones(1, 1, 4, 4, dtype=torch.bool)
    valid[0, 0, 1, 2] = False
    found = cell_statistics(pixels, valid, valid[0, 0] | True, spans(1, 4), spans(1, 4))
    expected = pixels[0, 0].clone()
    expected[1, 2] = pixels[valid].mean()
    torch.testing.assert_close(found.patch[0, 0, 0, 0], expected)


def test_cells_that_share_a_coarse_pixel_have_its_numbers() -> None:
    pixels = noise(1, 1, 3, 3)
    rows = np.array([[0, 1], [0, 1], [1, 2], [2, 3]])
    found = cell_statistics(pixels, everywhere(pixels), everywhere(pixels[0, 0]), rows, spans(3, 1))
    torch.testing.assert_close(found.mean[0, 0, :, :, 0], pixels[0, 0][[0, 0, 1, 2]])
    assert not found.sd[..., 0].any()


def test_band_less_than_half_valid_inside_the_raster_is_absent_and_zero() -> None:
    pixels = noise(1, 1, 4, 12) + 5
    valid, inside = torch.zeros(1, 1, 4, 12, dtype=torch.bool), torch.ones(4, 12, dtype=torch.bool)
    valid[..., :2, 0:4] = True  # half
    valid[..., 1, 4:8] = True  # a quarter
    valid[..., 1, 8:12] = True  # a quarter, but half of what is inside the raster
    inside[2:, 8:12] = False
    found = cell_statistics(pixels, valid, inside, spans(1, 4), spans(3, 4))
    assert found.present[0, 0, 0].tolist() == [True, False, True]
    assert not found.patch[0, 0, 0, 1].any()
    assert not found.mean[0, 0, 0, 1].any()


def test_cell_outside_the_raster_is_absent() -> None:
    pixels = noise(1, 1, 4, 4)
    outside = torch.zeros(4, 4, dtype=torch.bool)
    assert not cell_statistics(pixels, everywhere(pixels) & False, outside, spans(2, 2), spans(2, 2)).present.any()


def test_cell_statistics_are_bit_equal_whatever_array_they_were_cut_from() -> None:
    pixels, valid = noise(1, 2, 150, 160), some_valid(1, 2, 150, 160, share=0.9)
    inside = torch.ones(150, 160, dtype=torch.bool)
    whole = cell_statistics(pixels, valid, inside, spans(20, 3, 40), spans(25, 3, 40))
    again = cell_statistics(pixels[..., 8:, 8:], valid[..., 8:, 8:], inside[8:, 8:], spans(20, 3, 32), spans(25, 3, 32))
    for name in ("patch", "mean", "sd", "present"):
        assert torch.equal(getattr(again, name), getattr(whole, name)), name


def test_blocks_of_cells_do_not_change_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels, valid = noise(1, 3, 130, 110), some_valid(1, 3, 130, 110, share=0.9)
    inside = torch.ones(130, 110, dtype=torch.bool)
    whole = cell_statistics(pixels, valid, inside, spans(26, 5), spans(22, 5))
    monkeypatch.setattr(statistics, "_BLOCK_SIDE", 80)
    parts = cell_statistics(pixels, valid, inside, spans(26, 5), spans(22, 5))
    for name in ("patch", "mean", "sd", "present"):
        assert torch.equal(getattr(parts, name), getattr(whole, name)), name


@pytest.mark.parametrize("filler", [math.nan, math.inf, 1e38])
def test_what_stands_in_invalid_pixels_changes_nothing(filler: float) -> None:
    pixels, valid = noise(1, 2, 40, 40), some_valid(1, 2, 40, 40)
    inside = torch.ones(40, 40, dtype=torch.bool)
    clean = cell_statistics(torch.where(valid, pixels, 0), valid, inside, spans(10, 4), spans(10, 4))
    dirty = cell_statistics(torch.where(valid, pixels, filler), valid, inside, spans(10, 4), spans(10, 4))
    for name in ("patch", "mean", "sd", "present"):
        assert torch.equal(getattr(dirty, name), getattr(clean, name)), name


def test_shapes_that_do_not_fit_are_refused() -> None:
    pixels = noise(1, 1, 4, 4)
    with pytest.raises(ShapeError, match="do not fit"):
        cell_statistics(pixels, everywhere(pixels), torch.ones(3, 4, dtype=torch.bool), spans(1, 4), spans(1, 4))


def test_a_real_scene_gives_finite_numbers_in_every_present_cell(shared_data: Path) -> None:
    rasterio = pytest.importorskip("rasterio")
    path = shared_data / "brandenburg" / "s2_l1c_10m.tif"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    with rasterio.open(path) as source:
        raw = torch.from_numpy(source.read(window=((0, 128), (0, 128))).astype(np.float32))[None] / 10_000
    inside = torch.ones(128, 128, dtype=torch.bool)
    found = cell_statistics(raw, raw > 0, inside, spans(64, 2), spans(64, 2))
    assert found.present.float().mean() > 0.9
    assert found.mean[found.present].isfinite().all()
    expected = raw[0, 0].view(64, 2, 64, 2).mean(dim=(1, 3))
    torch.testing.assert_close(found.mean[0, 0, ..., 0][found.present[0, 0]], expected[found.present[0, 0]])


# ---- Hiding ----


def test_hiding_makes_exactly_the_pixels_of_hidden_cells_invalid() -> None:
    valid = torch.ones(2, 1, 7, 9, dtype=torch.bool)
    valid[0, 0, 6, 8] = False
    hidden = torch.tensor([[True, False, False], [False, False, True]])
    left = hide(valid, spans(2, 3), spans(3, 3), hidden)
    expected = valid.clone()
    expected[..., 0:3, 0:3] = False
    expected[..., 3:6, 6:9] = False
    assert torch.equal(left, expected)
    assert valid.sum() == 2 * 63 - 1  # what was handed in is as it was


def test_coarse_pixel_is_hidden_with_any_of_its_cells() -> None:
    cols = np.array([[0, 1], [0, 1], [1, 2], [1, 2], [2, 3], [2, 3]])
    hidden = torch.tensor([[True, True, True, False, False, False]])
    valid = torch.ones(1, 1, 1, 3, dtype=torch.bool)
    assert hide(valid, np.array([[0, 1]]), cols, hidden)[0, 0, 0].tolist() == [False, False, True]


# ---- Elevation ----


def test_relief_of_a_plane_is_zero_and_slope_its_steepness() -> None:
    row, col = torch.meshgrid(torch.arange(140.0), torch.arange(140.0), indexing="ij")
    height = (300 + 3 * col + 4 * row)[None, None]  # at 30 m: 5 m in 30 m
    pixels, _, bands = derive(height, everywhere(height), [ELEVATION], gsd=30.0)
    assert [band.name for band in bands] == ["dem relief", "dem slope"]
    torch.testing.assert_close(pixels[0, 0, 32:-32, 32:-32], torch.zeros(76, 76), atol=1e-5, rtol=0)
    torch.testing.assert_close(pixels[0, 1], torch.full((140, 140), 5 / 30 / 0.2), atol=1e-5, rtol=0)


def test_relief_is_height_above_the_mean_of_valid_pixels_around() -> None:
    height, valid = noise(1, 1, 80, 80) * 50 + 500, some_valid(1, 1, 80, 80)
    valid[..., 40, 40] = True
    pixels, _, _ = derive(height, valid, [ELEVATION], gsd=10.0)
    around = height[0, 0, 8:73, 8:73][valid[0, 0, 8:73, 8:73]].mean()
    assert valid[0, 0, 40, 40]
    torch.testing.assert_close(pixels[0, 0, 40, 40], (height[0, 0, 40, 40] - around) / 20, atol=1e-4, rtol=0)


def test_slope_beside_a_gap_takes_the_neighbour_that_is_there() -> None:
    height = torch.tensor([0.0, 1.0, 9.0, 3.0, 4.0]).repeat(1, 1, 5, 1)
    valid = everywhere(height)
    valid[..., 2] = False
    pixels, _, _ = derive(height, valid, [ELEVATION], gsd=1.0)
    assert pixels[0, 1, 2].tolist() == pytest.approx([5, 5, 0, 5, 5])  # 1 m/m, in units of 0.2


def test_derive_leaves_other_bands_as_they_are_and_in_order() -> None:
    pixels, valid = noise(1, 2, 8, 8), some_valid(1, 2, 8, 8)
    same, mask, bands = derive(pixels, valid, [RED, ELEVATION], gsd=30.0)
    assert [band.name for band in bands] == ["B04", "dem relief", "dem slope"]
    assert torch.equal(same[:, 0], pixels[:, 0])
    assert torch.equal(mask[:, 1], valid[:, 1])
    untouched = derive(pixels, valid, [RED, RED], gsd=30.0)
    assert untouched[0] is pixels


def test_margin_holds_the_widest_box_and_the_relief_within_it() -> None:
    assert margin_pixels([RED]) == 32
    assert margin_pixels([RED, ELEVATION]) == 64
