"""Maps of classes in the training folders: found, read on cells, never an input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from affine import Affine
from gfm_training import maps as reading
from gfm_training.discover import discover
from gfm_training.maps import MapLayer, map_classes
from pyproj import Transformer

from gfm_core.bands import BandKind
from gfm_core.errors import ParameterError
from gfm_core.grid import CellRange, Lattice
from gfm_core.raster.ground import as_crs
from gfm_core.raster.source import open_source
from tests.conftest import write_raster

UTM = as_crs("EPSG:32633").to_wkt()
LATTICE = Lattice(UTM, 20.0)
EAST, NORTH = 400_000.0, 5_800_000.0
CELLS = CellRange(-290_000, 20_000, 6, 5)  # of 20 m, from that corner


def placed(size: float, east: float = EAST, north: float = NORTH) -> Affine:
    return Affine(size, 0.0, east, 0.0, -size, north)


def layer(path: Path, values: Any, size: float, **profile: Any) -> MapLayer:
    where = {"transform": placed(size), **profile}
    (source,) = open_source(write_raster(path, values[None], names=["land cover"], **where))
    return MapLayer(source)


def test_a_cell_is_what_most_of_it_is_and_the_lower_class_of_equal_ones(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(1, 5, (24, 20)).astype(np.uint8)  # 5 m: 16 pixels a cell
    found = layer(tmp_path / "lulc.tif", values, 5.0).classes(LATTICE, CELLS)
    for row in range(6):
        for col in range(5):
            counts = np.bincount(values[row * 4 : row * 4 + 4, col * 4 : col * 4 + 4].ravel(), minlength=5)
            assert found[row, col] == counts.argmax()


def test_a_cell_of_which_most_has_no_class_has_none(tmp_path: Path) -> None:
    values = np.full((24, 20), 3, np.uint8)
    values[:4, :2] = values[4:8, :3] = 0  # half, then three quarters of a cell
    found = layer(tmp_path / "lulc.tif", values, 5.0, nodata=0).classes(LATTICE, CellRange(-290_000, 20_000, 6, 6))
    assert found[0, 0] == 3
    assert found[1, 0] == -1
    assert (found[:, 5] == -1).all()  # beyond the map


def analytic(east: Any, north: Any) -> Any:
    """A class at every point: squares of 100 m."""
    return (1 + np.floor(east / 100) % 3 + 3 * (np.floor(north / 100) % 2)).astype(np.uint8)


def test_a_map_in_another_crs_is_read_without_mixing_its_classes(tmp_path: Path) -> None:
    to_utm = Transformer.from_crs("EPSG:3035", "EPSG:32633", always_xy=True)
    left, top = Transformer.from_crs("EPSG:32633", "EPSG:3035", always_xy=True).transform(EAST + 300, NORTH - 300)
    x, y = np.meshgrid(left - 500 + 4 * (np.arange(250) + 0.5), top + 500 - 4 * (np.arange(250) + 0.5))
    values = analytic(*to_utm.transform(x, y))
    where = placed(4.0, left - 500, top + 500)
    found = layer(tmp_path / "lulc.tif", values, 4.0, crs="EPSG:3035", transform=where)
    cells = CellRange(-290_000, 20_000, 30, 30)
    middle = (np.arange(30) + 0.5) * 20
    wanted = analytic(EAST + middle[None, :], NORTH - middle[:, None])
    assert (found.classes(LATTICE, cells) == wanted).all()


def test_a_map_too_large_for_memory_is_read_as_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).integers(1, 9, (60, 60)).astype(np.uint8)
    small, large = (layer(tmp_path / f"{name}.tif", values, 10.0) for name in "ab")
    small.load()
    monkeypatch.setattr(reading, "_KEPT", 100)
    large.load()
    assert large._whole is None
    for shift in (0, 8, -3, 400):
        cells = CellRange(-290_000 + shift, 20_000 + shift, 16, 16)
        np.testing.assert_array_equal(small.classes(LATTICE, cells), large.classes(LATTICE, cells))


def test_maps_of_one_name_are_one_whatever_their_dates(tmp_path: Path) -> None:
    west, east = np.full((6, 5), 2, np.uint8), np.full((6, 5), 7, np.uint8)
    layers = [
        layer(tmp_path / "lulc_2017.tif", west, 20.0, transform=placed(20.0, EAST - 60)),
        layer(tmp_path / "LULC_2018-06-01.tif", east, 20.0),
    ]
    assert {one.name for one in layers} == {"lulc: land cover"}
    found = map_classes(layers, LATTICE, [CELLS, CELLS])["lulc: land cover"].view(2, 6, 5)
    assert (found[0, :, :2] == 2).all()  # where both lie, the first
    assert (found[0, :, 2:] == 7).all()
    assert torch.equal(found[0], found[1])


# ---- In folders -----------------------------------------------------------------------------------------------------


def image(path: Path, east: float = EAST) -> None:
    values = np.random.default_rng(0).integers(500, 3000, (2, 40, 40)).astype(np.uint16)
    write_raster(path, values, names=["B04", "B08"], transform=placed(10.0, east))


def test_a_map_is_a_target_and_no_modality(tmp_path: Path) -> None:
    image(tmp_path / "s2.tif")
    layer(tmp_path / "lulc.tif", np.ones((40, 40), np.uint8), 10.0)
    (place,) = discover([tmp_path]).places
    assert [one.name for one in place.maps] == ["lulc: land cover"]
    assert all(band.kind is not BandKind.MAP for item in place.stack.modalities for band in item.bands)


def test_a_map_under_two_images_that_lie_apart_belongs_to_both_and_does_not_join_them(tmp_path: Path) -> None:
    image(tmp_path / "a.tif")
    image(tmp_path / "b.tif", EAST + 5000)
    image(tmp_path / "far.tif", EAST + 90_000)
    layer(tmp_path / "lulc.tif", np.ones((40, 600), np.uint8), 10.0)
    places = discover([tmp_path]).places
    assert [len(place.maps) for place in places] == [1, 1, 0]


def test_a_folder_of_maps_alone_holds_nothing_to_learn_from(tmp_path: Path) -> None:
    layer(tmp_path / "lulc.tif", np.ones((40, 40), np.uint8), 10.0)
    with pytest.raises(ParameterError, match=r"lulc\.tif: it is a map of classes"):
        discover([tmp_path])
