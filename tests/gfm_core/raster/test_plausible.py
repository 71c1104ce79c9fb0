from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

import gfm_core as gfm
from gfm_core.assets import sample_folder
from gfm_core.raster.plausible import doubts


def changed(tmp_path: Path, *, order: list[int] | None = None, factor: float = 1.0, name: str = "s2.tif") -> Path:
    """The sample's 10 m bands in another order under the same names, or times something."""
    with rasterio.open(sample_folder() / "s2_l1c_10m.tif") as source:
        pixels, profile, names = source.read(), source.profile, source.descriptions
    with rasterio.open(tmp_path / name, "w", **profile) as target:
        target.write((pixels[order or [0, 1, 2, 3]] * factor).clip(0, 65535).astype(pixels.dtype))
        target.descriptions = names
    return tmp_path / name


def test_the_sample_is_as_it_should_be() -> None:
    assert doubts(gfm.open_stack(sorted(sample_folder().glob("s2_*.tif")))) == ()


def test_no_real_raster_is_doubted(shared_data: Path) -> None:
    files = sorted(shared_data.rglob("s2_*.tif")) + sorted(shared_data.rglob("landsat*.tif"))
    seen = 0
    for path in files:
        try:
            stack = gfm.open_stack([path])
        except gfm.MissingCrsError:
            continue
        assert doubts(stack) == (), path
        seen += 1
    assert seen > 60


def test_bands_in_another_order_are_noticed(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "terramesh" / "kenya" / "s2_l2a.tif"
    with rasterio.open(path) as source:
        pixels, profile, names = source.read(), source.profile, source.descriptions
    with rasterio.open(tmp_path / "s2_l2a.tif", "w", **profile) as target:
        target.write(pixels[::-1])
        target.descriptions = names
    (told,) = doubts(gfm.open_stack([tmp_path / "s2_l2a.tif"]))
    assert "the bands look as if they were in another order" in told
    assert told.startswith("s2_l2a.tif: ")


@pytest.mark.parametrize("factor", [30.0, 1e-9])
def test_a_scale_that_no_ground_has_is_noticed(factor: float, tmp_path: Path) -> None:
    path = changed(tmp_path)
    with rasterio.open(path, "r+") as dataset:
        dataset.scales = (1e-4 * factor,) * 4
    told = doubts(gfm.open_stack([path]))
    assert len(told) == 1
    assert "as reflectance, which no ground has" in told[0]


def test_radar_that_is_no_decibel_and_metres_that_are_none(tmp_path: Path) -> None:
    profile = {"driver": "GTiff", "height": 64, "width": 64, "count": 1, "dtype": "float32", "crs": "EPSG:32633",
               "transform": rasterio.Affine(10, 0, 4e5, 0, -10, 5e6)}  # fmt: skip
    for name, value in (("dem.tif", 40_000.0), ("fine_dem.tif", 300.0)):
        with rasterio.open(tmp_path / name, "w", **profile) as target:
            target.write(np.random.default_rng(0).normal(value, 5, (1, 64, 64)).astype(np.float32))
            target.descriptions = ("elevation",)
    assert "elevation in metres, which no ground has" in doubts(gfm.open_stack([tmp_path / "dem.tif"]))[0]
    assert doubts(gfm.open_stack([tmp_path / "fine_dem.tif"])) == ()


def test_a_black_edge_without_nodata_is_no_reason(tmp_path: Path) -> None:
    path = changed(tmp_path)
    with rasterio.open(path, "r+") as dataset:
        pixels = dataset.read()
        pixels[:, :, : pixels.shape[2] * 3 // 4] = 0
        dataset.write(pixels)
    assert doubts(gfm.open_stack([path])) == ()


def test_what_is_doubted_is_said_and_stands_in_the_report(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = changed(tmp_path)
    with rasterio.open(path, "r+") as dataset:
        dataset.scales = (3e-3,) * 4
    with caplog.at_level("WARNING", logger="gfm_core"):
        made = gfm.classify(
            [path], tmp_path / "map.tif", labels=sample_folder() / "landuse.gpkg", groups=("fine",),
            extent="329000,5816000,333000,5820000",
        )  # fmt: skip
    assert "which no ground has" in caplog.text
    assert "which no ground has" in made.report.read_text(encoding="utf-8").split("Please note")[1]
