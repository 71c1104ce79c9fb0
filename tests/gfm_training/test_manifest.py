"""`places.toml`, and rasters that lie nowhere."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from gfm_training.discover import discover
from gfm_training.manifest import NAME
from gfm_training.settings import Manifest, read_recipe

from gfm_core.errors import ParameterError
from gfm_core.grid import CellRange
from gfm_core.raster.read import StackReader
from tests.conftest import write_raster
from tests.gfm_training.conftest import ground


def manifest(folder: Path, text: str) -> None:
    (folder / NAME).write_text(text, encoding="utf-8")


def write_chip(path: Path, seed: int = 0, bands: int = 3, side: int = 80) -> Path:
    return write_raster(path, ground(seed, bands, side), crs=None, transform=rasterio.Affine.identity())


# ---- Which rasters go together --------------------------------------------------------------------------------------


def test_rasters_of_a_place_may_lie_in_several_folders(tmp_path: Path) -> None:
    names = ["B02", "B03", "B04", "B08"]
    for year in (2019, 2020):
        write_raster(tmp_path / f"{year}/scene.tif", ground(year, 4, 80), names=names)
    write_raster(tmp_path / "dem/height.tif", ground(1, 1, 80).astype(np.float32), names=["elevation"])
    write_raster(tmp_path / "dem/other.tif", ground(2, 1, 80).astype(np.float32), names=["elevation"])
    manifest(
        tmp_path,
        '[[place]]\nname = "valley"\nrasters = ["20*/scene.tif", "dem/height.tif"]\nlicence = "CC BY 4.0"\n'
        '[[raster]]\nmatch = "20*/scene.tif"\nas = "sentinel2-l2a"\n'
        '[[raster]]\nmatch = "2019/*"\ndate = 2019-07-01\n[[raster]]\nmatch = "2020/*"\ndate = "2020-08-03"\n',
    )
    valley, rest = discover([tmp_path]).places
    assert (valley.name, valley.licence) == ("valley", "CC BY 4.0")
    optical = next(item for item in valley.stack.modalities if item.sensor == "sentinel2-l2a")
    assert optical.dates == (datetime.date(2019, 7, 1), datetime.date(2020, 8, 3))
    assert {Path(source.path).name for source in valley.stack.sources} == {"scene.tif", "height.tif"}
    assert (rest.name, [Path(source.path).name for source in rest.stack.sources]) == ("dem", ["other.tif"])


def test_dates_can_be_found_in_names(tmp_path: Path) -> None:
    for day in (3, 20):
        write_raster(tmp_path / f"d{day}m5y2021.tif", ground(day, 4, 60), names=["B02", "B03", "B04", "B08"])
    pattern = r"d(?P<day>\\d+)m(?P<month>\\d+)y(?P<year>\\d+)"
    manifest(tmp_path, f'[[raster]]\nmatch = "d*"\ndate_from = "{pattern}"\n')
    (place,) = discover([tmp_path]).places
    assert place.stack.modalities[0].dates == (datetime.date(2021, 5, 3), datetime.date(2021, 5, 20))


WRONG = {
    '[[places]]\nrasters = ["a"]\n': "places is unknown in .*places.toml; use place",
    '[[place]]\nraster = ["a"]\n': "raster is unknown in place of .*; use rasters",
    '[[place]]\nname = "a"\n': "needs rasters, a list of patterns",
    '[[place]]\nrasters = ["gone_*.tif"]\n': "no raster is called gone_",
    '[place]\nrasters = ["a"]\n': "with two brackets",
    '[[raster]]\nas = "sentinel2-l2a"\n': "needs match",
    '[[raster]]\nmatch = "*"\ndate_from = "("\n': "no regular expression",
    '[[raster]]\nmatch = "*"\ndate_from = "x"\n': "needs groups",
    '[[raster]]\nmatch = "*"\ndate_from = "(?P<year>[0-9]{4})"\n': "finds no date in scene.tif",
    "[[raster\n": "is not valid TOML",
}


@pytest.mark.parametrize(("text", "sentence"), WRONG.items())
def test_a_wrong_file_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    write_raster(tmp_path / "scene.tif", ground(0, 4, 60))
    manifest(tmp_path, text)
    with pytest.raises(ParameterError, match=sentence) as caught:
        discover([tmp_path])
    assert "\n" not in str(caught.value).strip()


def test_a_wrong_sensor_leaves_the_raster_out_with_the_nearest_name(tmp_path: Path) -> None:
    write_raster(tmp_path / "a.tif", ground(0, 4, 60))
    write_raster(tmp_path / "b.tif", ground(0, 4, 60))
    manifest(tmp_path, '[[raster]]\nmatch = "a.tif"\nas = "sentinel2-l2b"\n')
    assert "did you mean sentinel2-l2a" in discover([tmp_path]).left_out[0]


# ---- Rasters that lie nowhere ---------------------------------------------------------------------------------------


def test_without_a_pixel_size_the_mend_is_said(tmp_path: Path) -> None:
    write_chip(tmp_path / "chip.tif")
    with pytest.raises(ParameterError, match=r"chip.tif has no CRS.*gsd = METRES in the recipe's \[data\]"):
        discover([tmp_path])


def test_chips_become_places_of_their_own_in_local_metres(tmp_path: Path) -> None:
    for number in range(3):
        write_chip(tmp_path / f"chip_{number}.tif", number)
    places = discover([tmp_path], Manifest(gsd=0.5)).places
    assert [place.name for place in places] == [f"{tmp_path.name}:{number}" for number in (1, 2, 3)]
    for place in places:
        assert place.stack.modalities[0].gsd == 0.5
        assert place.stack.lattice.cell_size == 1.0
        assert place.stack.cells.shape == (40, 40)


def test_the_pixels_of_a_chip_are_those_of_the_file(tmp_path: Path) -> None:
    path = write_chip(tmp_path / "chip.tif", 5)
    (place,) = discover([tmp_path], Manifest(gsd=0.5)).places
    with StackReader(place.stack) as reader:
        read = reader.window(place.stack.modalities[0], CellRange(2, 4, 3, 5), 0)
    with rasterio.open(path) as dataset:
        plain = dataset.read()[:, 4:10, 8:18].astype(float)
    constants = place.stack.modalities[0].normalisation
    wanted = np.stack([(band - own.offset) / own.scale for band, own in zip(plain, constants, strict=True)])
    found = read.pixels[0] if read.pixels.shape[-2:] == (6, 10) else None
    assert found is not None
    for band, own in zip(found, wanted, strict=True):
        assert np.corrcoef(band.ravel(), own.ravel())[0, 1] == pytest.approx(1, abs=1e-6)


def test_chips_that_belong_together_are_joined_by_the_file(tmp_path: Path) -> None:
    for name, bands in (("rgb", 3), ("nir", 1)):
        write_chip(tmp_path / f"{name}.tif", bands, bands)
    classes = (ground(3, 1, 80) > 1500).astype(np.uint8) + 1
    write_raster(tmp_path / "lulc.tif", classes, names=["land cover"], crs=None, transform=rasterio.Affine.identity())
    manifest(tmp_path, '[[place]]\nrasters = ["*.tif"]\n[[raster]]\nmatch = "*"\ngsd = 0.25\n')
    (place,) = discover([tmp_path]).places
    assert len(place.stack.sources) == 2
    assert [layer.name for layer in place.maps] == ["lulc: land cover"]


def test_a_raster_that_lies_somewhere_needs_no_size(tmp_path: Path) -> None:
    write_raster(tmp_path / "here.tif", ground(0, 4, 60))
    manifest(tmp_path, '[[raster]]\nmatch = "here.tif"\ngsd = 0.5\n')
    with pytest.raises(ParameterError, match="says where it lies"):
        discover([tmp_path])


@pytest.mark.parametrize("value", ["0", "-1.0", '"small"'])
def test_a_size_that_is_none_is_refused(tmp_path: Path, value: str) -> None:
    recipe = tmp_path / "r.toml"
    recipe.write_text(f"[data]\ngsd = {value}\n", encoding="utf-8")
    with pytest.raises(ParameterError, match=r"gsd (must be|in data must be)"):
        read_recipe(recipe)


def test_a_sheet_of_aerial_photos_without_a_place_trains(shared_data: Path) -> None:
    from gfm_training.anchors import fit_books
    from gfm_training.data import PlaceBatchSampler, Places, WindowDataset, survey
    from gfm_training.settings import TrainSettings

    rules = Manifest(leave_out=("landcover", "nlcd", "landsat*"), gsd=1.0)
    settings = TrainSettings(batch=2, clusters=4, cell_pixels=(2,), cell_weights=(1.0,))
    places = Places(discover([shared_data / "west_virginia"], rules).places)
    assert {place.stack.modalities[0].gsd for place in places.places} == {1.0}
    books = fit_books([(item.key, item.facts) for item in survey(places, settings, windows=1)], settings)
    batch = WindowDataset(places, settings, books).__getitems__(PlaceBatchSampler(places, settings, range(1)).batch(0))
    assert bool(batch.target[0].present.any())
