"""Which labels judge a run."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from gfm_training.discover import discover
from gfm_training.scenes import find_probes
from gfm_training.settings import LabelledScene, Recipe, TrainSettings, printed, read_recipe
from shapely.geometry import LineString, box

from gfm_core.errors import ParameterError
from tests.conftest import write_raster
from tests.gfm_training.conftest import write_place

LEFT, TOP = 400_000.0, 5_800_000.0


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place with a layer of squares in a chequered order of two classes, a layer of roads, and a map of classes."""
    from affine import Affine

    top = tmp_path_factory.mktemp("labelled")
    folder = write_place(top / "field")
    squares = [(row, col) for row in range(12) for col in range(12)]
    frame = gpd.GeoDataFrame(
        {"crop": ["wheat" if (row + col) % 2 else "maize" for row, col in squares]},
        geometry=[box(LEFT + 100 * c, TOP - 100 * r - 100, LEFT + 100 * c + 100, TOP - 100 * r) for r, c in squares],
        crs="EPSG:32633",
    )  # fmt: skip
    frame.to_file(folder / "parcels.gpkg")
    roads = gpd.GeoDataFrame(
        {"type": ["road"]}, geometry=[LineString(frame.geometry.iloc[0].exterior)], crs="EPSG:32633"
    )
    roads.to_file(folder / "roads.geojson")
    rows, cols = np.mgrid[0:120, 0:120] // 10
    write_raster(
        folder / "lulc.tif", ((rows + cols) % 2 + 1).astype(np.uint8)[None], names=["land cover"],
        transform=Affine(10.0, 0.0, LEFT, 0.0, -10.0, TOP),
    )  # fmt: skip
    return top


def names(recipe: Recipe, folder: Path) -> tuple[list[str], tuple[str, ...]]:
    probes = find_probes(recipe, [folder], discover([folder], recipe.data))
    return [scene.name for scene in probes.scenes], probes.reasons


def test_labels_beside_the_rasters_judge_a_run(labelled: Path) -> None:
    assert names(Recipe(), labelled) == (["field, parcels.gpkg", "field, lulc: land cover"], ())


def test_a_map_that_is_learnt_from_does_not_judge(labelled: Path) -> None:
    recipe = Recipe(train=TrainSettings(anchors=("near", "map")))
    assert names(recipe, labelled)[0] == ["field, parcels.gpkg"]
    only_latents = dataclasses.replace(recipe.train, objective="ema")
    assert len(names(dataclasses.replace(recipe, train=only_latents), labelled)[0]) == 2


def test_the_recipe_says_which_labels_count(labelled: Path, tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text(
        '[[probe]]\nname = "crops"\nrasters = ["field/s2_*10m.tif", "field/s1_db.tif:date=2020-06-03"]\n'
        'labels = "field/parcels.gpkg"\nfield = "crop"\n[[probe]]\nname = "gone"\nrasters = ["x.tif"]\n'
        'labels = "gone.gpkg"\n',
        encoding="utf-8",
    )
    recipe = read_recipe(path)
    assert names(recipe, labelled) == (["crops"], ("gone: no folder holds gone.gpkg.",))
    again = tmp_path / "again.toml"
    again.write_text(printed(recipe), encoding="utf-8")
    assert read_recipe(again) == recipe


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('name = "a"\nrasters = ["a.tif"]\n', "A probe has no labels"),
        ('name = "a"\nraster = ["a.tif"]\nlabels = "b"\n', "raster is unknown in probe; use rasters"),
    ],
)
def test_a_probe_that_cannot_be_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "r.toml"
    path.write_text(f"[[probe]]\n{text}", encoding="utf-8")
    with pytest.raises(ParameterError, match=told):
        read_recipe(path)


def test_rasters_of_a_probe_that_are_not_there_are_said(labelled: Path) -> None:
    recipe = Recipe(probes=(LabelledScene("crops", ("field/none_*.tif",), "field/parcels.gpkg"),))
    found, reasons = names(recipe, labelled)
    assert found == ["field, parcels.gpkg", "field, lulc: land cover"]  # those beside the rasters instead
    assert "holds no field/none_*.tif; mend the rasters of probe crops" in reasons[0]
