"""Each command: one library call, and what it prints about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import rasterio

import gfm_core as gfm
from gfm_core.model import checkpoint
from gfm_core.tools import demo as demo_tool
from gfm_core.tools.doctor import Check
from tests.conftest import MakeRaster, RunGfm


@pytest.fixture
def place(run_gfm: RunGfm, tmp_path: Path) -> list[Path]:
    """A small place that `gfm synth` wrote, in the order in which it told the files."""
    ran = run_gfm("synth", tmp_path / "place", "--width", 480, "--height", 480, "--seed", 1, "--classes", 3)
    assert ran.code == 0
    return [Path(line) for line in ran.out.splitlines()]


def test_synth_tells_the_files_that_it_wrote(place: list[Path]) -> None:
    assert all(path.is_file() for path in place)
    assert {path.suffix for path in place} == {".tif", ".gpkg"}


def test_embed_tells_what_it_made(run_gfm: RunGfm, place: list[Path], nano_path: Path, tmp_path: Path) -> None:
    made = tmp_path / "embedding.tif"
    ran = run_gfm("-q", "embed", *place[:2], "-o", made, "--cell", 40, "--model", nano_path)
    embedding = gfm.open_embedding(made)
    rows, cols = embedding.cells.shape
    assert ran.out.splitlines() == [
        f"{made}: {rows} x {cols} cells of 40 m, {len(embedding.columns)} bands",
        f"{tmp_path / 'embedding_pca.png'}: a picture of it",
    ]
    assert ran.err == ""


def test_classify_tells_the_scores(run_gfm: RunGfm, place: list[Path], tmp_path: Path) -> None:
    labels = next(path for path in place if path.suffix == ".gpkg")
    made = tmp_path / "map.tif"
    ran = run_gfm(
        "-q", "classify", place[0], "-o", made, "--labels", labels, "--field", "class", "--groups", "fine",
        "--where", "split = 'train'", "--check", "rest",
    )  # fmt: skip
    told = ran.out.splitlines()
    assert told[0] == f"{made}: 3 classes"
    report = json.loads((tmp_path / "map_report" / "report.json").read_text(encoding="utf-8"))["scores"]
    assert told[2].startswith(f"{tmp_path / 'map_candidates.tif'}: sure")
    assert told[3].startswith(f"{tmp_path / 'map_suspects.gpkg'}: labels")
    assert f"macro-F1 on spatial folds: {report['spatial_folds']['macro_f1']:.3f}" in told[4]
    assert f"(raw bands alone: {report['raw_bands_alone']['macro_f1']:.3f})" in told[4]
    check = report["check"]
    assert told[5] == f"macro-F1 on the check labels: {check['macro_f1']:.3f} ({check['n']} pixels)"
    assert told[6] == f"{tmp_path / 'map_report' / 'report.html'}: the report"


def test_info_tells_all_files_in_order_and_as_json(run_gfm: RunGfm, make_raster: MakeRaster) -> None:
    first, second = make_raster("first.tif"), make_raster("second.tif")
    told = run_gfm("info", first, second).out
    assert told.index("first.tif:") < told.index("second.tif:")
    plain = json.loads(run_gfm("info", "--json", first, second).out)
    assert [item["kind"] for item in plain] == ["raster", "raster"]
    assert plain[1]["sources"][0]["name"] == "second.tif"
    assert "none.tif does not exist" in run_gfm("info", first, first.with_name("none.tif")).sentence


def test_doctor_leaves_with_0_if_all_is_well_and_else_tells_the_mend(
    run_gfm: RunGfm, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = [Check("python", True, "3.11"), Check("torch", False, "missing", "Install it.")]
    monkeypatch.setattr("gfm_core.tools.doctor.check_installation", lambda: checks)
    ran = run_gfm("doctor")
    assert ran.code == 1
    assert ran.out.splitlines() == ["ok   python: 3.11", "FAIL torch: missing", "     Install it."]
    assert json.loads(run_gfm("doctor", "--json").out)[1]["mend"] == "Install it."
    checks.pop()
    assert run_gfm("doctor").code == 0


def test_demo_embeds_classifies_and_tells_where_everything_is(
    run_gfm: RunGfm, place: list[Path], nano_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = tmp_path / "sample"
    sample.mkdir()
    (sample / "s2_10m.tif").write_bytes(place[0].read_bytes())
    import geopandas

    labels = next(path for path in place if path.suffix == ".gpkg")
    geopandas.read_file(labels).rename(columns={"class": "fclass"}).to_file(sample / "landuse.gpkg")
    monkeypatch.setattr(demo_tool, "sample_folder", lambda: sample)
    monkeypatch.setattr(checkpoint, "model_files", lambda: {"nano": nano_path})
    folder = tmp_path / "demo"
    for _ in range(2):  # it may be run again over its own results
        ran = run_gfm("-q", "demo", folder)
        assert ran.code == 0, ran.err
    told = ran.out
    for name in ("embedding.tif", "landcover.tif", "landcover_confidence.tif", "landcover_report/report.html"):
        assert str(folder / name) in told
        assert (folder / name).is_file()
    assert f"{folder / 'landcover_report' / 'map.png'}: a picture of the map" in told
    assert "macro-F1 on the check labels" in told
    with rasterio.open(folder / "landcover.tif") as dataset, rasterio.open(place[0]) as image:
        assert dataset.shape == image.shape
