from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gfm_core.classes import MapClass
from gfm_core.errors import OutputError
from gfm_core.report.area import ClassArea
from gfm_core.report.html import ReportData, report_dict, report_html, write_report
from gfm_core.report.palette import with_colours

VOID = {"meta", "img", "br", "link", "hr", "input"}
EVIL = "<script>alert(1)</script>\"'&</td>"


class Page(HTMLParser):
    """A page as its elements and visible text; fails on tags that are not closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open and "script" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)


def scores(matrix: list[list[int]], classes: tuple[MapClass, ...], macro_f1: float = 0.5) -> dict[str, Any]:
    """Scores of a confusion matrix, as `Scores.to_dict()` gives them."""
    counts = np.array(matrix)
    rows = [
        {"code": item.code, "name": item.name, "precision": 0.25, "recall": 0.75, "f1": 0.375, "support": int(support)}
        for item, support in zip(classes, counts.sum(axis=1), strict=True)
    ]
    return {"macro_f1": macro_f1, "accuracy": 0.625, "n": int(counts.sum()), "classes": rows, "confusion": matrix}


def class_areas(counts: dict[int, int], pixel: float) -> tuple[ClassArea, ...]:
    total = sum(counts.values())
    return tuple(ClassArea(code, count, count * pixel, count / total) for code, count in counts.items())


@pytest.fixture
def data(class_map: Path, classes: tuple[MapClass, ...]) -> ReportData:
    matrix = [[30, 2, 0], [5, 20, 0], [4, 0, 0]]
    return ReportData(
        title="Map of somewhere", map_name="map.tif", classes=classes, map_path=class_map,
        facts={"Pixel": "10 m"}, areas=class_areas({1: 200, 2: 200, 5: 300}, 1e4),
        folds=scores(matrix, classes, 0.674), per_fold=(0.61, 0.72, float("nan")), square_m=960.0,
        raw_bands=scores(matrix, classes, 0.583), group_f1={"fine": 0.64, "coarse": 0.6},
        check=scores([[9, 0, 0], [0, 7, 0], [0, 0, 0]], classes, 0.71), check_name="check.gpkg",
        warnings=("Class meadow is in 2 squares only.",), notes=("3 polygons lie outside.",),
        inputs=({"name": "s2.tif", "sensor": "sentinel2-l2a", "bands": ["B02", "B03"], "reasons": ["band names"]},),
        parameters={"rasters": ["s2.tif"], "cell_size": None, "overwrite": False},
        command="gfm classify s2.tif -o map.tif --labels l.gpkg", python="gfm.classify(['s2.tif'])",
        versions={"jepa-gfm": "0.1.0"},
    )  # fmt: skip


def test_the_report_tells_scores_beside_raw_bands_and_on_check_labels(data: ReportData) -> None:
    told = Page(report_html(data)).text
    assert "Macro-F1 on 3 spatial folds 0.67" in told
    assert "Raw bands alone 0.58" in told
    assert "add 0.09 to what the raw bands alone reach" in told
    assert "single folds 0.61 to 0.72" in told
    assert "Macro-F1 on check labels 0.71" in told
    assert "ground squares of 960 m" in told


def test_the_report_says_so_when_raw_bands_do_better_or_as_well(data: ReportData) -> None:
    assert data.raw_bands is not None
    better = replace(data, raw_bands={**data.raw_bands, "macro_f1": 0.73})
    assert "raw bands alone do better here, by 0.06" in Page(report_html(better)).text
    equal = replace(data, raw_bands={**data.raw_bands, "macro_f1": 0.68})
    assert "here they add nothing" in Page(report_html(equal)).text


def test_a_map_without_labels_is_said_to_be_unscored(data: ReportData) -> None:
    bare = ReportData(title="t", map_name="map.tif", classes=data.classes)
    told = Page(report_html(bare)).text
    assert "has not been scored" in told
    assert "0.00" not in told


def test_what_is_not_known_is_a_dash_and_not_zero(data: ReportData) -> None:
    told = Page(report_html(data)).text
    # Meadow: never claimed by the map on the folds (no precision), absent from the check labels (nothing known).
    assert "5 meadow – 0.75 0.38 4 – – – 0" in told


def test_areas_are_told_in_a_unit_that_suits_the_map(data: ReportData) -> None:
    told = Page(report_html(data)).text
    assert "km² %" in told
    assert "3.00 42.9" in told  # 300 pixels of 1 ha of 700
    small = replace(data, areas=class_areas({1: 8, 2: 2}, 4.0))
    assert "32.0 80.0" in Page(report_html(small)).text
    assert "m² %" in Page(report_html(small)).text


def test_the_confusion_matrix_has_truth_in_rows(data: ReportData) -> None:
    told = Page(report_html(data)).text
    assert "labels ↓ predicted → forest water meadow all forest 30 2 · 32 water 5 20 · 25" in told


def test_many_classes_give_a_list_of_confusions_instead_of_a_huge_matrix(data: ReportData) -> None:
    many = with_colours(tuple(MapClass(code, f"class {code}", code) for code in range(1, 301)))
    matrix = np.eye(300, dtype=int) * 5
    matrix[7, 11] = 4
    page = Page(report_html(replace(data, classes=many, folds=scores(matrix.tolist(), many), check=None)))
    assert "class 8 class 12 4 44" in page.text
    assert page.count("td") < 5000


def test_inputs_are_told_with_units_and_reasons(data: ReportData) -> None:
    told = Page(report_html(replace(data, inputs=({"name": "a.tif", "gsd_m": 10.0, "reasons": ["a tag"]},)))).text
    assert "Name GSD (m) a.tif 10 why a tag" in told


def test_nothing_in_a_name_becomes_markup(data: ReportData) -> None:
    evil = (MapClass(1, EVIL, EVIL, (1, 2, 3)), *data.classes[1:])
    matrix = [[1, 1, 1]] * 3
    everywhere = replace(
        data, title=EVIL, map_name=EVIL, classes=evil, facts={EVIL: EVIL}, warnings=(EVIL,), notes=(EVIL,),
        folds=scores(matrix, evil), check=scores(matrix, evil), check_name=EVIL, group_f1={EVIL: 0.5},
        inputs=({"name": EVIL, EVIL: [EVIL], "reasons": [EVIL]},), parameters={EVIL: EVIL}, command=EVIL, python=EVIL,
        versions={EVIL: EVIL},
    )  # fmt: skip
    page = Page(report_html(everywhere))
    assert page.count("script") == 1  # our own
    assert page.text.count("alert(1)") > 15
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)


def test_the_page_loads_nothing_from_anywhere(data: ReportData) -> None:
    page = Page(report_html(data))
    addresses = [
        value or "" for _, attributes in page.elements for key, value in attributes.items() if key in ("src", "href")
    ]
    assert addresses
    assert all(address.startswith("data:image/png;base64,") for address in addresses)
    assert "http://" not in report_html(data).replace("http-equiv", "")
    assert "https://" not in report_html(data)


def test_command_and_python_stand_there_to_copy(data: ReportData) -> None:
    page = Page(report_html(data))
    targets = {attributes["data-copy"] for tag, attributes in page.elements if tag == "button"}
    assert targets == {attributes["id"] for tag, attributes in page.elements if tag == "pre"} == {"command", "python"}
    assert data.command in page.text


def test_json_holds_the_same_and_unknown_numbers_are_null(data: ReportData, tmp_path: Path) -> None:
    files = write_report(tmp_path / "report", data)

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    told = json.loads(files.json.read_text(encoding="utf-8"), parse_constant=refuse)
    assert list(told) == [
        "format_version", "title", "map", "facts", "classes", "scores", "suspects", "warnings", "notes", "inputs",
        "parameters", "copy_as", "versions",
    ]  # fmt: skip
    assert told["scores"]["per_fold_macro_f1"] == [0.61, 0.72, None]
    assert told["classes"][2] == {
        "code": 5, "name": "meadow", "value": "meadow", "colour": "#aac85a", "pixels": 300, "area_m2": 3e6,
        "area_share": pytest.approx(3 / 7),
    }  # fmt: skip
    assert told["scores"]["check"]["confusion"] == [[9, 0, 0], [0, 7, 0], [0, 0, 0]]


def test_json_takes_numbers_of_numpy_and_paths(data: ReportData, tmp_path: Path) -> None:
    strange = replace(data, per_fold=(np.float32(0.5),), parameters={"p": tmp_path, "a": np.arange(2)})
    told = json.loads(json.dumps(report_dict(strange)))
    assert told["parameters"] == {"p": str(tmp_path), "a": [0, 1]}


def test_a_report_folder_holds_page_data_and_pictures_and_is_the_same_each_time(
    data: ReportData, tmp_path: Path
) -> None:
    first, second = (write_report(tmp_path / name / "report", data).html.parent for name in ("a", "b"))
    names = sorted(item.name for item in first.iterdir())
    assert names == ["legend.png", "map.png", "report.html", "report.json"]
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in names)


def test_a_confidence_raster_is_shown(data: ReportData, tmp_path: Path) -> None:
    files = write_report(tmp_path / "report", replace(data, confidence_path=data.map_path))
    assert (files.html.parent / "confidence.png").is_file()
    assert Page(files.html.read_text(encoding="utf-8")).count("img") == 2


def test_a_folder_that_is_a_file_is_refused_with_a_mend(data: ReportData, tmp_path: Path) -> None:
    (tmp_path / "report").write_text("mine")
    with pytest.raises(OutputError, match=r"report .*choose another place"):
        write_report(tmp_path / "report", data)


def test_a_file_name_of_undecodable_bytes_does_not_stop_the_report(data: ReportData, tmp_path: Path) -> None:
    files = write_report(tmp_path / "report", replace(data, map_name="caf\udce9.tif"))
    assert "caf?.tif" in files.html.read_text(encoding="utf-8")
