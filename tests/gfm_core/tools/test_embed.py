"""The tool `embed`: what it leaves, what it refuses, how it is repeated."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from PIL import Image

from gfm_core.embedding.file import EmbeddingFile, open_embedding
from gfm_core.errors import CheckpointError, GfmError, InputError, NoOverlapError, OutputError, ParameterError
from gfm_core.model.checkpoint import LoadedModel, save_checkpoint
from gfm_core.model.config import SIZES
from gfm_core.model.jepa import build_model
from gfm_core.parameters import EmbedParameters, parameters_of
from gfm_core.progress import Cancelled, Progress
from gfm_core.raster.stack import open_stack
from gfm_core.tools.embed import embed, plain_paths
from gfm_core.tools.embed_write import preview_path
from tests.conftest import NORTH_UP, write_raster

TAG = "JEPA_GFM_EMBEDDING"
SMALL = "400200,5799500,400340,5799640"  # 7 x 7 cells: quick


@pytest.fixture(scope="module")
def made(place: tuple[Path, ...], nano_path: Path, tmp_path_factory: pytest.TempPathFactory) -> EmbeddingFile:
    folder = tmp_path_factory.mktemp("made")
    return embed(place, folder / "e.tif", model=str(nano_path), extent=SMALL, precision="float32", threads=1)


def told(path: Path) -> dict[str, Any]:
    with rasterio.open(path) as dataset:
        found: dict[str, Any] = json.loads(dataset.tags()[TAG])
    return found


# ---- What it leaves --------------------------------------------------------------------------------------------------


def test_it_leaves_the_embedding_its_style_and_a_picture(made: EmbeddingFile) -> None:
    folder = made.path.parent
    assert sorted(path.name for path in folder.iterdir()) == ["e.qml", "e.tif", "e_pca.png"]
    assert preview_path(made.path) == folder / "e_pca.png"
    with Image.open(folder / "e_pca.png") as picture:
        assert picture.mode == "RGBA"
        assert picture.width == picture.height
    with rasterio.open(made.path) as dataset:
        assert dataset.shape == (7, 7)
        assert dataset.nodata == 0


def test_paths_a_stack_and_a_loaded_model_give_the_same_pixels(
    made: EmbeddingFile, place: tuple[Path, ...], nano: LoadedModel, tmp_path: Path
) -> None:
    again = embed(
        open_stack(place[::-1], extent=SMALL), tmp_path / "e.tif", model=nano, precision="float32", threads=2, batch=3
    )
    assert again.model == {"name": "untrained", "sha256": nano.sha256}
    with rasterio.open(made.path) as first, rasterio.open(again.path) as other:
        assert np.array_equal(first.read(), other.read())


def test_the_same_call_gives_the_same_bytes(
    made: EmbeddingFile, place: tuple[Path, ...], nano_path: Path, tmp_path: Path
) -> None:
    again = embed(place, tmp_path / "other.tif", model=str(nano_path), extent=SMALL, precision="float32", threads=2)
    assert again.path.read_bytes() == made.path.read_bytes()
    for beside in ("{}.qml", "{}_pca.png"):
        mine, first = tmp_path / beside.format("other"), made.path.parent / beside.format("e")
        assert mine.read_bytes() == first.read_bytes()


@pytest.mark.parametrize(
    "grid",
    [{}, {"extent": SMALL}, {"extent": "union"}, {"cell_size": 60, "extent": "intersection"}, {"crs": "EPSG:3035"}],
)
def test_a_stack_and_its_files_give_the_same_bytes_and_the_tags_give_them_again(
    place: tuple[Path, ...], tmp_path: Path, grid: dict[str, Any]
) -> None:
    by_files = embed(place[3:], tmp_path / "files.tif", groups=("fine",), **grid)
    by_stack = embed(open_stack(place[3:], **grid), tmp_path / "stack.tif", groups=("fine",))
    assert by_stack.path.read_bytes() == by_files.path.read_bytes()
    given = {name: by_files.parameters[name] for name in ("cell_size", "extent", "crs")}
    again = embed(place[3:], tmp_path / "again.tif", groups=("fine",), **given)
    assert again.path.read_bytes() == by_files.path.read_bytes()


def test_the_tags_tell_what_can_change_pixels_and_nothing_else(made: EmbeddingFile, nano_path: Path) -> None:
    parameters = told(made.path)["parameters"]
    assert set(parameters) == {"cell_size", "crs", "dtype", "extent", "groups", "like", "model", "precision"}
    assert [float(edge) for edge in parameters["extent"].split(",")] == [float(edge) for edge in SMALL.split(",")]
    assert parameters["cell_size"] == 20.0
    assert parameters["crs"] == "EPSG:32633"
    assert parameters["model"] == str(nano_path)
    assert told(made.path)["model"]["sha256"] == made.model["sha256"]


def test_the_tags_tell_the_precision_that_auto_came_to(
    place: tuple[Path, ...], nano_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for flags, expected in ((frozenset({"avx512_bf16"}), "bf16"), (frozenset({"avx2"}), "float32")):
        monkeypatch.setattr("gfm_core.model.precision.cpu_flags", lambda flags=flags: flags)
        one_cell = "400200,5799500,400210,5799510"
        embed(place, tmp_path / f"{expected}.tif", model=str(nano_path), extent=one_cell, device="cpu")
        assert told(tmp_path / f"{expected}.tif")["parameters"]["precision"] == expected


def test_groups_choose_what_is_stored_and_no_model_is_needed_without_network(
    place: tuple[Path, ...], tmp_path: Path
) -> None:
    made = embed(place, tmp_path / "e.tif", groups=("fine",), model="no such model", extent=SMALL)
    assert list(made.groups) == ["fine"]
    assert made.model == {}


def test_every_parameter_stands_in_the_signature_and_its_help_in_the_docstring() -> None:
    signature = inspect.signature(embed)
    for info in parameters_of(EmbedParameters):
        assert info.name in signature.parameters
        assert info.spec.help in (embed.__doc__ or "")
    assert list(signature.parameters)[:2] == ["rasters", "output"]


# ---- The same elsewhere ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """The same kinds of rasters on other ground, with other numbers in the unknown sensor."""
    folder = tmp_path_factory.mktemp("elsewhere")
    generator = np.random.default_rng(5)
    away = eastwards(50_000)
    s2 = generator.integers(300, 4000, (4, 40, 40)).astype(np.uint16)
    measured = generator.normal(500, 90, (1, 10, 10)).astype(np.float32)
    return (
        write_raster(folder / "s2_10m_20230601.tif", s2, names=["B02", "B03", "B04", "B08"], transform=away),
        write_raster(folder / "measured.tif", measured, transform=away * away.scale(4)),
    )


def eastwards(metres: float) -> Any:
    return NORTH_UP.translation(metres, 0) * NORTH_UP


def test_like_repeats_a_run_elsewhere_with_its_normalisation_and_choices(
    place: tuple[Path, ...], elsewhere: tuple[Path, ...], nano_path: Path, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"model": str(nano_path), "groups": ("network", "fine"), "dtype": "float32"}
    first = embed(place, tmp_path / "first.tif", cell_size=40, precision="float32", extent=SMALL, **options)
    other = embed(elsewhere, tmp_path / "other.tif", like=str(first.path))
    assert other.lattice.cell_size == 40
    assert list(other.groups) == list(first.groups) == ["network", "fine"]
    assert other.dtype == "float32"
    assert other.model == first.model
    assert other.parameters["precision"] == "float32"
    fitted = {name: constant for name, constant in first.constants.items() if constant.fitted}
    assert fitted
    for name, constant in fitted.items():
        assert other.constants[name] == constant
    alone = embed(elsewhere, tmp_path / "alone.tif", cell_size=40, groups=("fine",))
    assert not set(fitted.items()) & set(alone.constants.items())
    # And the numbers are those of the first run's constants.
    column = next(number for number, item in enumerate(other.columns_of("fine")) if "custom" in item.name)
    constant = next(iter(fitted.values()))
    with rasterio.open(elsewhere[1]) as dataset:
        expected = ((dataset.read(1) - constant.centre) / constant.spread).clip(-20, 20)
    assert np.allclose(other.read("fine", other.cells)[column], expected, atol=1e-3)


def test_like_refuses_another_grid_or_storage_than_the_files(
    made: EmbeddingFile, place: tuple[Path, ...], tmp_path: Path
) -> None:
    for options, said in (
        ({"cell_size": 40}, "cell_size is 20 in e.tif, not 40; leave cell_size out, or like."),
        ({"dtype": "float32"}, "dtype is uint8 in e.tif, not float32; leave dtype out, or like."),
        ({"groups": ("fine",)}, "groups is fine,coarse,network in e.tif, not fine; leave groups out, or like."),
    ):
        assert refused(tmp_path, ParameterError, place, tmp_path / "o.tif", like=str(made.path), **options) == said
    fine = embed(place[3:4], tmp_path / "fine.tif", groups=("fine",), cell_size=40)
    again = embed(place[3:4], tmp_path / "again.tif", like=str(fine.path), cell_size=40, groups=("fine",))
    assert again.lattice.cell_size == 40


def test_like_of_another_model_is_refused_and_the_same_model_may_have_moved(
    made: EmbeddingFile, elsewhere: tuple[Path, ...], nano_path: Path, tmp_path: Path
) -> None:
    stranger = tmp_path / "stranger.safetensors"
    save_checkpoint(stranger, build_model(SIZES["nano"], seed=1), {})
    with pytest.raises(
        CheckpointError, match=r"e\.tif was made by model untrained .* give the same model with --model"
    ):
        embed(elsewhere, tmp_path / "other.tif", like=str(made.path), model=str(stranger))
    moved = tmp_path / "moved.safetensors"
    moved.write_bytes(nano_path.read_bytes())
    again = embed(elsewhere, tmp_path / "other.tif", like=str(made.path), model=str(moved))
    assert again.model["sha256"] == made.model["sha256"]
    assert told(again.path)["parameters"]["model"] == str(moved)


# ---- What it refuses, and nothing left -------------------------------------------------------------------------------


def refused(tmp_path: Path, kind: type[GfmError], *arguments: Any, **options: Any) -> str:
    """One sentence, and the folder as it was."""
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with pytest.raises(kind) as error:
        embed(*arguments, **options)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    sentence = str(error.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_bad_input_is_one_sentence_and_nothing_is_left(
    place: tuple[Path, ...], tmp_path: Path, nano_path: Path
) -> None:
    out, model = tmp_path / "e.tif", str(nano_path)
    assert "does not exist" in refused(tmp_path, InputError, ["nowhere.tif"], out, model=model)
    assert "does not touch" in refused(tmp_path, NoOverlapError, place, out, model=model, extent="0,0,1,1")
    assert "is neither a file nor a packaged model" in refused(tmp_path, CheckpointError, place, out, model="nono")
    assert "cell_size" in refused(tmp_path, ParameterError, place, out, cell_size=-5)
    assert "groups cannot be 'trees'" in refused(tmp_path, ParameterError, place, out, groups=("trees",))
    assert "is not an embedding of ours" in refused(tmp_path, CheckpointError, place, out, like=str(place[0]))
    said = refused(tmp_path, OutputError, place, tmp_path / "nowhere" / "e.tif", model=model)
    assert "does not exist; make it first" in said


def test_fault_15_outputs_that_exist_or_are_inputs_are_refused_before_any_work(
    place: tuple[Path, ...], nano_path: Path, tmp_path: Path
) -> None:
    out = tmp_path / "e.tif"
    out.write_text("mine")
    assert "e.tif exists" in refused(tmp_path, OutputError, ["nowhere.tif"], out)
    out.unlink()
    (tmp_path / "e_pca.png").write_text("mine")
    assert "e_pca.png exists" in refused(tmp_path, OutputError, ["nowhere.tif"], out)
    mine = write_raster(tmp_path / "s2.tif")
    for raster in (str(mine), f"{mine}:as=custom"):
        said = refused(tmp_path, OutputError, [raster], mine, overwrite=True, model=str(nano_path))
        assert "is one of the inputs" in said


def test_options_that_belong_to_the_stack_are_not_silently_ignored(
    place: tuple[Path, ...], made: EmbeddingFile, tmp_path: Path
) -> None:
    stack = open_stack(place)
    for option in ({"cell_size": 40}, {"extent": SMALL}, {"crs": "EPSG:3035"}, {"like": str(made.path)}):
        said = refused(tmp_path, ParameterError, stack, tmp_path / "e.tif", **option)
        assert said.startswith(f"{next(iter(option))} cannot change an opened stack")


def _cancel(count: int) -> Callable[[], bool]:
    asked = iter(range(count))
    return lambda: next(asked, None) is None


@pytest.mark.parametrize("moment", [0, 1, 2])
def test_cancelling_at_any_moment_leaves_nothing(
    place: tuple[Path, ...], nano_path: Path, tmp_path: Path, moment: int
) -> None:
    with pytest.raises(Cancelled, match="Stopped on request"):
        embed(place, tmp_path / "e.tif", model=str(nano_path), groups=("fine",), cancel=_cancel(moment))
    assert list(tmp_path.iterdir()) == []


def test_an_old_embedding_outlives_a_run_that_fails(
    made: EmbeddingFile, place: tuple[Path, ...], tmp_path: Path
) -> None:
    out = tmp_path / "e.tif"
    for name in ("e.tif", "e.qml", "e_pca.png"):
        (tmp_path / name).write_bytes((made.path.parent / name).read_bytes())

    def fail(progress: Progress) -> None:
        raise RuntimeError("a caller's own mistake")

    with pytest.raises(RuntimeError):
        embed(place, out, groups=("fine",), overwrite=True, progress=fail)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e.qml", "e.tif", "e_pca.png"]
    assert open_embedding(out).groups == made.groups
    replaced = embed(place, out, groups=("fine",), overwrite=True, extent=SMALL)
    assert list(replaced.groups) == ["fine"]


def test_an_input_that_changes_during_the_run_leaves_nothing(nano_path: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    raster = write_raster(tmp_path / "in" / "s2.tif")

    def meddle(progress: Progress) -> None:
        raster.touch()

    with pytest.raises(InputError, match=r"s2\.tif changed during the run"):
        embed([raster], tmp_path / "out" / "e.tif", groups=("fine",), progress=meddle)
    assert list((tmp_path / "out").iterdir()) == []


def test_declarations_behind_a_path_are_not_part_of_the_file() -> None:
    assert plain_paths(["/data/s2.tif:as=sentinel2-l2a:date=2020-01-01", "/data/dem.tif"]) == [
        "/data/s2.tif", "/data/dem.tif",
    ]  # fmt: skip


def test_an_embedding_is_not_embedded_again(made: EmbeddingFile, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=f"{made.path.name} is an embedding already; give the rasters"):
        embed([made.path], tmp_path / "again.tif")
    assert not list(tmp_path.iterdir())


def test_cells_of_a_millimetre_are_refused_before_any_work(place: tuple[Path, ...], tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="give a larger one"):
        embed(place, tmp_path / "e.tif", cell_size=0.001)
    assert not list(tmp_path.iterdir())


def test_a_stop_that_is_asked_for_at_the_very_end_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raster, asked = write_raster(tmp_path / "a.tif", np.full((1, 40, 40), 7, np.uint8)), []
    monkeypatch.setattr("gfm_core.tools.embed_write.write_preview", lambda *_: asked.append(True))
    (tmp_path / "out").mkdir()
    with pytest.raises(Cancelled):
        embed([raster], tmp_path / "out" / "e.tif", groups=["fine"], cancel=lambda: bool(asked))
    assert list((tmp_path / "out").iterdir()) == []
