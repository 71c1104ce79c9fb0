from __future__ import annotations

from pathlib import Path

import pytest
from gfm_training.settings import Manifest, TrainSettings, read_recipe

from gfm_core.errors import ParameterError

RECIPES = Path(__file__).resolve().parents[2] / "training" / "recipes"


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_misspelt_setting_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    recipe = write(tmp_path / "r.toml", "[train]\nlearning_rat = 0.1\n")
    with pytest.raises(ParameterError, match="learning_rat is unknown in train; use learning_rate"):
        read_recipe(recipe)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[train]\nhidden = 1.5\n", "hidden must be between 0 and 1"),
        ("[train]\nsize = 'huge'\n", "use nano"),
        ("[train]\nobjective = 'mae'\n", "use dual, ema, anchor"),
        ("[train]\ncell_pixels = [2, 3]\n", "same length"),
        ("[trian]\n", "trian is unknown"),
        ("[train\n", "not valid TOML"),
    ],
)
def test_a_recipe_that_cannot_work_is_one_sentence(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ParameterError, match=told):
        read_recipe(write(tmp_path / "r.toml", text))


def test_settings_survive_the_way_through_a_header() -> None:
    settings = TrainSettings(steps=7, cell_pixels=(2, 3), cell_weights=(1.0, 1.0))
    assert TrainSettings.from_dict(settings.to_dict()) == settings


def test_the_default_recipe_leaves_out_every_label_raster_and_unclear_licence() -> None:
    data = read_recipe(RECIPES / "default.toml").data
    labels = "lulc landcover nlcd water change labelled_pixels tree_cover_percent canopy_height fmask_2002-04-16"
    assert all(data.leaves_out(Path(f"{name}.tif")) for name in labels.split())
    assert not data.leaves_out(Path("landsat7_30m.tif"))
    assert all(data.skips(Path(name)) for name in ("west_virginia", "kootenay", "mato_grosso"))


def test_a_place_has_the_credit_line_of_its_nearest_named_folder() -> None:
    manifest = Manifest(licences={"oscd": "Copernicus", "rio": "own"})
    top = Path("data")
    assert manifest.licence(top / "oscd/milano", top) == "Copernicus"
    assert manifest.licence(top / "oscd/rio", top) == "own"
    assert manifest.licence(top / "else", top) == "not stated"


WRONG_TYPES = {
    '[train]\nsteps = "many"\n': "steps in train must be a whole number, not 'many'",
    "[train]\nsteps = 1e3\n": "steps in train must be a whole number",
    "[train]\nhidden = true\n": "hidden in train must be a number, not True",
    "[train]\ncell_pixels = 2\n": "cell_pixels in train must be a list of whole numbers",
    '[train]\nanchors = "near"\n': "anchors in train must be a list of texts",
    "[train]\nsize = 3\n": "size in train must be a text",
    "[train]\nworkers = -1\n": "workers must be 0 or more",
    "[train]\nclip = 0.0\n": "clip must be positive",
    '[train]\ndevice = "gpu7"\n': "device cannot be 'gpu7'; use auto, cpu, cuda",
    "train = 3\n": r"write \[train\] above its settings",
    '[data]\nleave_out = "lulc"\n': "leave_out in data must be a list of texts",
    "[data]\ngsd = -1\n": "gsd must be positive",
    "[data.licences]\na = 'b'\n": "licences is a table of its own",
    "[licences]\na = 3\n": "licences in data must be a table of texts",
    "probe = 3\n": "with two brackets",
    '[[probe]]\nname = "a"\nrasters = "x"\nlabels = "y"\n': "rasters in probe must be a list of texts",
}


@pytest.mark.parametrize(("text", "told"), WRONG_TYPES.items(), ids=range(len(WRONG_TYPES)))
def test_a_value_of_another_type_is_one_sentence(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ParameterError, match=told):
        read_recipe(write(tmp_path / "r.toml", text))


def test_whole_numbers_are_numbers_too(tmp_path: Path) -> None:
    assert read_recipe(write(tmp_path / "r.toml", "[train]\ngain = 0\n[data]\ngsd = 2\n")).data.gsd == 2
