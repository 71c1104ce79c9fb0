from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from gfm_core.report import trust
from gfm_core.report.sections import groups

BINS = [
    {"count": 10.0, "probability": 0.35, "right": 0.3},
    {"count": 40.0, "probability": 0.6, "right": 0.62},
    {"count": 20.0, "probability": 0.9, "right": 0.8},
]
CALIBRATION = {"bins": BINS, "error_before": 0.125, "error_after": 0.04, "temperature": 1.4}
CANDIDATES = {
    "level": 0.9, "threshold": 0.2, "coverage": 0.883, "sizes": [0.0, 0.6, 0.3, 0.1],
    "map": {"sure": 0.61, "two candidates": 0.25, "don't know": 0.14},
}  # fmt: skip
SUSPECT = {
    "labelled": "<b>farm</b>",
    "looks_like": "meadow",
    "quality": 0.02,
    "x": 336055.0,
    "y": 5815105.0,
    "pixels": 9,
}


def test_dots_lie_where_said_and_right_meet_and_are_as_large_as_their_samples() -> None:
    page = trust.calibration(CALIBRATION)
    assert "off by 4.0 percentage points" in page
    assert "(12.5 before" in page
    svg = re.search(r"<svg.*?</svg>", page, re.S)
    assert svg is not None
    dots = ElementTree.fromstring(svg[0]).findall("circle")
    ideal = ElementTree.fromstring(svg[0]).find("line")
    assert ideal is not None
    x0, y0, x1, y1 = (float(ideal.attrib[name]) for name in ("x1", "y1", "x2", "y2"))
    for dot, item in zip(dots, BINS, strict=True):
        assert float(dot.attrib["cx"]) == pytest.approx(x0 + (x1 - x0) * item["probability"], abs=0.06)
        assert float(dot.attrib["cy"]) == pytest.approx(y0 + (y1 - y0) * item["right"], abs=0.06)
    radii = [float(dot.attrib["r"]) for dot in dots]
    assert radii[1] > radii[2] > radii[0]


def test_candidates_tell_shares_promise_and_what_lies_outside() -> None:
    page = trust.candidates(CANDIDATES, "data:image/png;base64,AA==", 0.068)
    for told in ("90% of cases", "88.3%", "sure: 61% of the map", "don&#x27;t know: 14%", "6.8% of the map"):
        assert told in page
    assert "unlike anything" not in trust.candidates(CANDIDATES, "", None)


def test_suspects_are_listed_the_worst_first_and_cannot_be_markup() -> None:
    page = trust.suspects([SUSPECT] * 23)
    assert page.count("<tr><td") == 20
    assert "And 3 more in the layer" in page
    assert "<b>farm" not in page
    assert "&lt;b&gt;farm" in page
    assert "336055, 5815105" in page


def test_nothing_is_said_of_what_is_not_known() -> None:
    assert trust.calibration(None) == trust.calibration({**CALIBRATION, "bins": []}) == ""
    assert trust.candidates(None, "", 0.5) == ""
    assert trust.suspects([]) == ""


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"learnt": True, "gain": 0.03, "error": 0.004}, "learnt on the folds: +0.030 ± 0.004"),
        ({"learnt": False, "gain": 0.001, "error": 0.004}, "All groups count the same"),
        ({"learnt": False, "gain": float("nan"), "error": float("nan")}, None),
        (None, None),
    ],
)
def test_the_weights_of_groups_say_how_they_were_found(choice: dict[str, object] | None, said: str | None) -> None:
    page = groups({"macro_f1": 0.7}, {"fine": 0.6, "coarse": 0.5}, None, {"fine": 0.8, "coarse": 0.2}, choice)
    assert "weight 0.80" in page
    assert (said in page) if said else ("log-probability" not in page and "count the same" not in page)
