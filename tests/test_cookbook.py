"""Every page of the cookbook runs as it is written, and what it says that it printed is what it prints.

Real scenes (`GFM_SHARED_DATA`) judge the figures. Where they are absent the pages run on made-up rasters of the same
names, bands and types, and only have to end well. One page is quick enough for every run; the others are `long`.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
from affine import Affine
from PIL import Image
from rasterio.features import shapes
from shapely.geometry import shape

from tests.conftest import REPOSITORY, write_raster

PICTURES = REPOSITORY / "docs" / "pictures"
QUICK = ("yield",)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
Array = np.ndarray[Any, Any]


def _loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cookbook_pictures", PICTURES / "cookbook_pictures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


BOOK = _loaded()


def agree(said: str, printed: str) -> None:
    """The same lines, with numbers that are equal within 0.04 or 8 %: other chips round otherwise."""
    assert len(said.splitlines()) == len(printed.splitlines()), printed
    for there, here in zip(said.splitlines(), printed.splitlines(), strict=True):
        assert NUMBER.sub("#", there) == NUMBER.sub("#", here)
        for one, other in zip(NUMBER.findall(there), NUMBER.findall(here), strict=True):
            assert float(other) == pytest.approx(float(one), rel=0.08, abs=0.04), f"{there!r}, but printed {here!r}"


@pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.long) for n in BOOK.page_names()]
)
def test_a_page_runs_and_prints_what_it_says(name: str, tmp_path: Path) -> None:
    data = Path(os.environ.get("GFM_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    real = data.is_dir()
    if not real:
        data = tmp_path / "data"
        STAND_INS[name](data)
    folder = tmp_path / "here"
    folder.mkdir()
    figures = 0
    for step in BOOK.steps_of(name):
        printed = BOOK.run_step(step, folder, data.resolve())
        if step.printed is not None:
            figures += 1
            if real:
                agree(step.printed, printed)
    assert figures == 1


# ---- What the pages are ----------------------------------------------------------------------------------------------


def test_every_page_has_a_picture_a_stand_in_and_a_line_in_the_index() -> None:
    names = BOOK.page_names()
    index = (BOOK.PAGES / "README.md").read_text(encoding="utf-8")
    assert set(names) == set(STAND_INS) == set(BOOK.SHEETS)
    for name in names:
        assert f"]({name}.md)" in index
        page = (BOOK.PAGES / f"{name}.md").read_text(encoding="utf-8")
        assert f"(../pictures/cookbook_{name}.png)" in page
        for heading in ("## The data", "## What it cannot tell", "## In QGIS"):
            assert heading in page, f"{name}.md lacks {heading!r}"


def test_pictures_are_small() -> None:
    for name in BOOK.page_names():
        path = PICTURES / f"cookbook_{name}.png"
        assert path.stat().st_size <= BOOK.LARGEST
        with Image.open(path) as picture:
            assert picture.width == BOOK.WIDTH + 2 * BOOK.MARGIN


def test_numbers_that_differ_by_more_than_rounding_are_seen() -> None:
    agree("IoU: 0.65 of 12", "IoU: 0.66 of 12")
    with pytest.raises(AssertionError):
        agree("IoU: 0.65", "IoU: 0.55")
    with pytest.raises(AssertionError):
        agree("IoU: 0.65", "F1: 0.65")


# ---- Made-up data ----------------------------------------------------------------------------------------------------

METRES = Affine(10, 0, 500_000, 0, -10, 4_800_000)
DEGREES = Affine(9e-5, 0, 9.0, 0, -9e-5, 0.02)
S2 = ["B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12"]


def patches(height: int, width: int, kinds: int, side: int = 12) -> Array:
    """Squares of `side` pixels of the kinds 1 to `kinds`, every kind in every part."""
    rows, cols = np.indices((height, width)) // side
    return (1 + (rows + 2 * cols) % kinds).astype(np.uint8)


def bands_of(kinds: Array, bands: int, *, seed: int = 0, low: float = 400, step: float = 500) -> Array:
    """`[bands, H, W]`: a level for each kind and band, and noise."""
    generator = np.random.default_rng(seed)
    levels = low + step * generator.random((bands, int(kinds.max()) + 1)) * 3
    return levels[:, kinds] + generator.normal(0, step / 20, (bands, *kinds.shape))


def polygons(path: Path, kinds: Array, *, transform: Affine, crs: str, names: dict[int, str], field: str) -> None:
    """A polygon a patch, drawn a little inside it."""
    found = [(shape(one).buffer(-2.1 * transform.a), int(code)) for one, code in shapes(kinds, transform=transform)]
    kept = [(one, names[code]) for one, code in found if code in names and not one.is_empty]
    frame = gpd.GeoDataFrame({field: [name for _, name in kept]}, geometry=[one for one, _ in kept], crs=crs)
    frame.to_file(path)


def _flood(data: Path) -> None:
    kinds, folder = patches(96, 96, 2), data / "spain_flood"
    degrees: dict[str, Any] = {"crs": "EPSG:4326", "transform": DEGREES}
    radar = (bands_of(kinds, 2, low=-20, step=2)).astype(np.float32)
    write_raster(folder / "s1_grd_db.tif", radar, names=["VV", "VH"], nodata=np.nan, **degrees)
    optical = bands_of(kinds, 13).astype(np.int16)
    write_raster(folder / "s2_l1c.tif", optical, names=[*S2[:10], "B10", *S2[10:]], nodata=0, **degrees)
    write_raster(folder / "water.tif", kinds[None], nodata=0, **degrees)


def _burnt(data: Path) -> None:
    kinds, folder = patches(80, 80, 4), data / "australia"
    details: dict[str, Any] = {"crs": "EPSG:4326", "transform": DEGREES, "nodata": 0, "scale": 1 / 65535}
    later = [name for name in S2 if name not in ("B8A", "B12")]
    for name, date, bands, seed in (("2018-12-01", "2018:12:01", S2, 0), ("2019-01-05", "2019:01:05", later, 1)):
        values = bands_of(kinds, len(bands), seed=seed, low=4000, step=3000).astype(np.uint16)
        write_raster(folder / f"s2_l2a_{name}.tif", values, names=bands,
                     tags={"TIFFTAG_DATETIME": f"{date} 00:00:00"}, **details)  # fmt: skip


def _estuary(data: Path) -> None:
    kinds, folder = (
        patches(602, 676, 4, side=40),
        data / "madagascar",
    )  # the clicks are pixels: the size is that of the real one
    details: dict[str, Any] = {"crs": "EPSG:4326", "transform": Affine(5.4e-4, 0, 46.9, 0, -5.4e-4, -15.3)}
    names = [f"B0{number}" for number in range(1, 8)]
    for seed, date in enumerate(("2017-01-18", "2020-01-27")):
        values = bands_of(kinds, 7, seed=seed, low=4000, step=3000).astype(np.uint16)
        write_raster(folder / f"landsat8_{date}.tif", values, names=names, nodata=0, scale=1 / 65535, **details)


def _landcover(data: Path) -> None:
    kinds, folder = patches(120, 120, 3, side=20), data / "gewata"
    where: dict[str, Any] = {"transform": Affine(30, 0, 810_000, 0, -30, 850_000), "crs": "EPSG:32636", "nodata": 0}
    names = ["blue", "green", "red", "nir", "swir16", "swir22"]
    write_raster(folder / "landsat7_30m.tif", bands_of(kinds, 6).astype(np.uint16), names=names, **where)
    write_raster(folder / "lulc.tif", np.array([0, 1, 5, 6], np.uint8)[kinds][None], **where)
    percent = bands_of(kinds, 1, low=10, step=25)[:1].clip(0, 100).astype(np.uint8)
    write_raster(folder / "tree_cover_percent.tif", percent, **{**where, "nodata": 255})
    classes = {1: "cropland", 2: "forest", 3: "wetland"}
    polygons(
        folder / "training.gpkg", kinds, transform=where["transform"], crs=where["crs"], names=classes, field="Class"
    )


def _town(data: Path) -> None:
    kinds = patches(280, 420, 5)
    values = bands_of(kinds, 4, low=30, step=60).clip(1, 255).astype(np.uint8)
    write_raster(
        data / "rgbn_5m/rgbn.tif", values, names=["blue", "green", "red", "nir"], nodata=0, crs="EPSG:32618",
        transform=Affine(5, 0, 792_988, 0, -5, 2_050_382),
    )  # fmt: skip


def _yield(data: Path) -> None:
    kinds, folder = patches(218, 287, 3, side=17), data / "kootenay"
    where: dict[str, Any] = {"crs": "EPSG:32611", "transform": Affine(0.5, 0, 439_689, 0, -0.5, 5_526_562)}
    photo = bands_of(kinds, 3, low=30, step=60).clip(1, 255).astype(np.uint8)
    write_raster(folder / "ortho_rgb.tif", photo, names=["red", "green", "blue"], nodata=0, **where)
    heights = bands_of(kinds, 1, low=1, step=3)[:1].astype(np.float32)
    write_raster(folder / "canopy_height.tif", heights, nodata=np.nan, **where)


def _crops(data: Path) -> None:
    kinds, folder = patches(96, 96, 5), data / "languedoc"
    dates = ["2018-01-23", "2018-04-18", "2018-06-27", "2018-08-06"]
    for seed, date in enumerate(dates):
        for size, names in ((10, ["B02", "B03", "B04", "B08"]), (20, ["B05", "B06", "B07", "B8A", "B11", "B12"])):
            values = bands_of(kinds, len(names), seed=seed)[:, :: size // 10, :: size // 10].astype(np.uint16)
            where = Affine(size, 0, METRES.c, 0, -size, METRES.f)
            write_raster(folder / f"s2_l2a_{date}_{size}m.tif", values, names=names, nodata=0, crs="EPSG:32631",
                         transform=where)  # fmt: skip
    crops = dict(enumerate(("vineyards", "durum", "fallow", "grassland", "soft wheat"), start=1))
    polygons(folder / "parcels.gpkg", kinds, transform=METRES, crs="EPSG:32631", names=crops, field="crop")


STAND_INS: dict[str, Callable[[Path], None]] = {
    "flood": _flood, "burnt": _burnt, "estuary": _estuary, "landcover": _landcover, "town": _town, "yield": _yield,
    "crops": _crops,
}  # fmt: skip
