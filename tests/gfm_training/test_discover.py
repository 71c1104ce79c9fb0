from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from gfm_training.discover import discover, with_cell_pixels
from gfm_training.settings import Manifest, read_recipe

from gfm_core.errors import ParameterError
from tests.conftest import REPOSITORY, write_raster


def test_a_folder_is_a_place_and_its_rasters_are_modalities(place_folders: Path) -> None:
    found = discover([place_folders])
    assert [place.name for place in found.places] == ["north", "south"]
    assert len(found.places[0].stack.modalities) == 4


def test_rasters_of_one_folder_that_share_no_ground_are_places_of_their_own(tmp_path: Path) -> None:
    values = np.full((3, 30, 30), 100, np.uint8)
    for number, east in enumerate((400_000.0, 400_100.0, 500_000.0)):
        write_raster(tmp_path / f"{number}.tif", values, transform=Affine(10, 0, east, 0, -10, 5_800_000))
    found = discover([tmp_path])
    rasters = [sorted({source.name for source in place.stack.sources}) for place in found.places]
    assert rasters == [["0.tif", "1.tif"], ["2.tif"]]


def test_what_cannot_be_read_or_is_skipped_is_left_out_and_said(tmp_path: Path, place_folders: Path) -> None:
    (tmp_path / "text.tif").write_text("no raster", encoding="utf-8")
    found = discover([tmp_path, place_folders], Manifest(leave_out=("DEM*",), skip=("south",)))
    assert [place.name for place in found.places] == ["north"]
    told = " ".join(found.left_out)
    assert "text.tif" in told
    assert "dem.tif: the recipe leaves it out" in told
    assert "south: the recipe skips this folder" in told
    assert all(source.name != "dem.tif" for source in found.places[0].stack.sources)


def test_a_folder_without_rasters_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="No raster in"):
        discover([tmp_path])
    with pytest.raises(ParameterError, match="is not a folder"):
        discover([tmp_path / "missing"])


def test_a_small_time_series_does_not_cut_a_large_image(tmp_path: Path) -> None:
    large, small = np.full((2, 60, 60), 900, np.uint16), np.full((1, 10, 10), 0.5, np.float32)
    write_raster(tmp_path / "s2.tif", large, names=["B04", "B08"])
    write_raster(tmp_path / "ndvi.tif", small, names=["ndvi"])
    assert discover([tmp_path]).places[0].stack.cells.shape == (30, 30)


def test_cells_of_more_pixels_cover_the_same_ground(place_folders: Path) -> None:
    stack = discover([place_folders]).places[0].stack
    larger = with_cell_pixels(stack, 6)
    assert larger.lattice.cell_size == pytest.approx(60)
    ours, wanted = larger.lattice.bounds(larger.cells), stack.lattice.bounds(stack.cells)
    assert ours.intersection(wanted) == wanted
    assert ours.right - ours.left <= wanted.right - wanted.left + 2 * 60


def test_no_label_of_the_development_scenes_is_learnt_from(shared_data: Path) -> None:
    manifest = read_recipe(REPOSITORY / "training/recipes/default.toml").data
    found = discover([shared_data / "gewata", shared_data / "chiapas", shared_data / "terramesh"], manifest)
    names = {Path(source.path).name for place in found.places for source in place.stack.sources}
    assert names == {
        "landsat7_30m.tif", "ndvi_series_30m.tif", "landsat7_1999-11-18.tif", "landsat7_2002-04-16.tif",
        "s2_l2a.tif", "s1_rtc_db.tif", "dem.tif",
    }  # fmt: skip
