"""Cut-off TIFFs are noticed from their tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.shutil import copy as copy_raster

from gfm_core.raster.tiff import missing_bytes

LAYOUTS = [
    {},
    {"tiled": True, "blockxsize": 64, "blockysize": 64, "compress": "deflate"},
    {"BIGTIFF": "YES", "compress": "lzw"},
    {"ENDIANNESS": "BIG", "interleave": "band"},
]


@pytest.fixture(params=LAYOUTS, ids=["strips", "tiles", "bigtiff", "big-endian"])
def tiff(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "whole.tif"
    values = np.random.default_rng(0).integers(0, 9999, (3, 200, 150), dtype=np.uint16)
    profile = {"driver": "GTiff", "width": 150, "height": 200, "count": 3, "dtype": "uint16", **request.param}
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.write(values)
    return path


def test_a_whole_file_misses_nothing(tiff: Path) -> None:
    assert missing_bytes(tiff) == 0


@pytest.mark.parametrize("kept", [0.5, 0.95])
def test_a_cut_file_misses_what_was_cut(tiff: Path, kept: float) -> None:
    whole = tiff.read_bytes()
    tiff.write_bytes(whole[: int(len(whole) * kept)])
    missing = missing_bytes(tiff)
    assert 0 < missing <= len(whole) - int(len(whole) * kept)


def test_overviews_and_cogs_are_looked_at_too(tiff: Path, tmp_path: Path) -> None:
    cog = tmp_path / "cog.tif"
    copy_raster(tiff, cog, driver="COG", blocksize=64)
    assert missing_bytes(cog) == 0
    cog.write_bytes(cog.read_bytes()[:-2000])
    assert missing_bytes(cog) > 0


@pytest.mark.parametrize("content", [b"", b"hello", b"II*\0", b"II*\0\xff\xff\xff\x7f" + b"\0" * 20, b"\x89PNG" * 10])
def test_what_is_no_tiff_is_left_to_gdal(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.tif"
    path.write_bytes(content)
    assert missing_bytes(path) == 0


def test_random_bytes_behind_a_tiff_head_never_raise(tmp_path: Path) -> None:
    path = tmp_path / "noise.tif"
    noise = np.random.default_rng(1)
    for head in (b"II*\0\x08\0\0\0", b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0", b"MM\0*\0\0\0\x08"):
        for _ in range(100):
            path.write_bytes(head + noise.bytes(300))
            assert missing_bytes(path) >= 0
