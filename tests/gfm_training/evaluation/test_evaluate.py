"""`gfm evaluate` from the command line: one page, one JSON file, pictures that show what they should."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from gfm_training.discover import discover
from gfm_training.evaluation.cli import evaluate_command
from gfm_training.evaluation.ground import chosen_grounds, inputs_of, read_pixels
from gfm_training.evaluation.pictures import (
    area_of,
    attention_of_middle,
    components,
    deciding_layers,
    natural,
    ramped,
    stretched,
)
from gfm_training.evaluation.run import Order, evaluate
from gfm_training.settings import Recipe
from PIL import Image

from gfm_core.errors import CheckpointError, OutputError, ParameterError
from gfm_core.grid import WINDOW
from gfm_core.model.checkpoint import save_checkpoint
from gfm_core.model.config import ModelConfig
from gfm_core.model.jepa import build_model
from tests.conftest import write_raster

TINY = ModelConfig("tiny", 32, 1, 2, band_dim=16, predictor_dim=16, predictor_depth=1)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    save_checkpoint(path, build_model(TINY, 5), {"numbers": {"best": {"step": 40}}, "settings": {"objective": "ema"}})
    return path


@pytest.fixture(scope="module")
def report(model: Path, place_folders: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("evaluated") / "report"
    done = CliRunner().invoke(
        evaluate_command, [str(model), str(place_folders), "-o", str(output), "--places", "1", "--windows", "2"]
    )
    assert done.exit_code == 0, done.output
    assert "report.html" in done.output
    return output


def test_the_page_is_one_file_that_loads_nothing(report: Path) -> None:
    page = (report / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    for part in ("Maps from a few labels", "Another resolution", "What each layer and date gives", "Knowing what is",
                 "Which layer decided here", "to step 40, objective ema"):  # fmt: skip
        assert part in page
    uris = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    assert len(uris) == 7
    for uri in uris:
        assert np.asarray(Image.open(io.BytesIO(base64.b64decode(uri)))).std() > 1  # not one colour


def test_the_numbers_are_json_without_anything_that_is_none(report: Path) -> None:
    text = (report / "report.json").read_text(encoding="utf-8")
    told = json.loads(text)
    assert "NaN" not in text
    assert {one["factor"] for one in told["resolution"]} == {2, 4}
    assert {one["kind"] for one in told["without"]} == {"sensor", "rgb"}
    assert {one["source"] for one in told["prediction"]} >= {"predictor", "nearest visible cell"}
    assert set(told["probe"][0]["macro_f1"]["raw bands"]) == {"5", "20", "100"}
    assert sum(one["share"] for one in told["fusion_shares"]) == pytest.approx(1, abs=0.01)


def test_the_same_order_gives_the_same_bytes(report: Path, model: Path, place_folders: Path, tmp_path: Path) -> None:
    told = json.loads((report / "report.json").read_text())
    order = Order(str(model), (place_folders,), tmp_path, Recipe(), places=1, windows=2, command=told["command"])
    evaluate(order, say=lambda line: None)
    assert (tmp_path / "report.json").read_bytes() == (report / "report.json").read_bytes()
    assert (tmp_path / "report.html").read_bytes() == (report / "report.html").read_bytes()


def test_a_report_is_replaced_only_when_asked(report: Path, model: Path, place_folders: Path) -> None:
    with pytest.raises(OutputError, match="holds a report"):
        evaluate(Order(str(model), (place_folders,), report, Recipe()), say=lambda line: None)


def test_what_cannot_be_is_one_sentence_and_leaves_nothing(model: Path, place_folders: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="neither a file nor a packaged model"):
        evaluate(Order("nonsense", (place_folders,), tmp_path / "a", Recipe()), say=lambda line: None)
    with pytest.raises(ParameterError, match="is not a folder"):
        evaluate(Order(str(model), (tmp_path / "none",), tmp_path / "b", Recipe()), say=lambda line: None)
    assert not list(tmp_path.iterdir())


def test_a_single_pixel_is_evaluated_and_a_place_without_any_is_one_sentence(model: Path, tmp_path: Path) -> None:
    names = ["B02", "B03", "B04", "B08"]
    write_raster(tmp_path / "one/s2.tif", np.full((4, 1, 1), 900, np.uint16), names=names)
    write_raster(tmp_path / "none/s2.tif", np.zeros((4, 60, 60), np.uint16), names=names, nodata=0)
    assert evaluate(Order(str(model), (tmp_path / "one",), tmp_path / "a", Recipe()), say=lambda line: None).is_file()
    with pytest.raises(ParameterError, match="none has no valid pixel"):
        evaluate(Order(str(model), (tmp_path / "none",), tmp_path / "b", Recipe()), say=lambda line: None)
    assert not (tmp_path / "b").exists()


# ---- Pictures -------------------------------------------------------------------------------------------------------


def test_pictures_cover_the_middle_of_the_place(place_folders: Path) -> None:
    ground = chosen_grounds(discover([place_folders]).places, most=1, windows=1)[0]
    encoder = build_model(TINY, 0).context.eval()
    area = area_of(ground)
    assert (area.rows, area.cols) == (5, 5)  # 60 cells of the place, in cores of 12
    wanted = (60 * 6, 60 * 6, 3)
    assert natural(area).shape == components(encoder, area).shape == deciding_layers(encoder, area).shape == wanted


def test_windows_are_stitched_where_they_lie(place_folders: Path) -> None:
    import rasterio

    ground = chosen_grounds(discover([place_folders / "north"]).places, most=1, windows=1)[0]
    area = area_of(ground)
    number = next(n for n, item in enumerate(area.inputs) if item.bands[0].name == "B02")
    field = area.stitched(area.inputs[number].features[:, 0, :, :, 0, 16])
    with rasterio.open(place_folders / "north/s2_l2a_2020-06-01_10m.tif") as dataset:
        cells = dataset.read(1).astype(float).reshape(60, 2, 60, 2).mean(axis=(1, 3))
    assert np.corrcoef(field.ravel(), cells.ravel())[0, 1] == pytest.approx(1, abs=1e-5)


def test_the_cell_that_is_looked_from_is_marked(place_folders: Path) -> None:
    ground = chosen_grounds(discover([place_folders]).places, most=1, windows=1)[0]
    inputs = inputs_of(ground.stack, read_pixels(ground.stack, ground.cells))
    picture = attention_of_middle(build_model(TINY, 0).context.eval(), inputs)
    assert picture.shape == (WINDOW * 12, WINDOW * 12, 3)
    assert tuple(picture[8 * 12, 8 * 12]) == (214, 39, 40)


def test_unknown_cells_are_grey_and_outliers_do_not_darken_the_rest() -> None:
    field = np.random.default_rng(0).random((20, 20, 3)).astype(np.float32)
    field[0, 0] = 1e6
    known = np.ones((20, 20), bool)
    known[5] = False
    picture = stretched(field, known)
    assert (picture[5] == (225, 227, 230)).all()
    assert picture[known].std() > 50
    assert tuple(ramped(np.array([[0.0, 1.0]], np.float32), np.array([(0, 0, 0), (255, 100, 0)], float))[0, 1]) == (
        255, 100, 0,
    )  # fmt: skip
