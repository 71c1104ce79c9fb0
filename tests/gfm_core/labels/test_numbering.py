from __future__ import annotations

import datetime
import math

import numpy as np
import pandas as pd
import pytest

from gfm_core.classes import MapClass
from gfm_core.errors import LabelError
from gfm_core.labels.numbering import codes_of, lookalikes, number_classes, plain_value


def test_whole_numbers_from_1_to_255_keep_their_number() -> None:
    assert [(item.code, item.name, item.value) for item in number_classes([200, 3, 17])] == [
        (3, "3", 3),
        (17, "17", 17),
        (200, "200", 200),
    ]


def test_whole_numbers_in_a_text_field_keep_their_number_too() -> None:
    assert [(item.code, item.value) for item in number_classes(["10", "9"])] == [(9, "9"), (10, "10")]


def test_a_leading_zero_makes_a_text_that_is_no_number() -> None:
    assert [(item.code, item.value) for item in number_classes(["7", "07"])] == [(1, "07"), (2, "7")]


@pytest.mark.parametrize("values", [[0, 1, 2], [-3, 4], [1, 256], [1.5, 2], [1, "water"]])
def test_all_other_values_are_numbered_from_one_in_sorted_order(values: list[object]) -> None:
    classes = number_classes(values[::-1])  # type: ignore[arg-type]
    assert [item.code for item in classes] == list(range(1, len(values) + 1))
    assert [item.value for item in classes] == values


def test_names_are_kept_to_the_last_character() -> None:
    names = ['a,"b"', "zwei\nZeilen", "森林 🌲", "x" * 200, " leading"]
    assert sorted(item.name for item in number_classes(names)) == sorted(names)


def test_more_classes_than_a_map_can_hold_are_refused() -> None:
    with pytest.raises(LabelError, match="65536 different values"):
        number_classes(range(65_536))


@pytest.mark.parametrize("item", [None, "", "  ", float("nan"), math.inf, pd.NaT, pd.NA])
def test_null_blank_and_infinite_are_no_class(item: object) -> None:
    assert plain_value(item) is None


@pytest.mark.parametrize(
    ("item", "value"),
    [
        (np.float32(0.1), 0.1),
        (3.0, 3),
        (np.int16(-4), -4),
        (np.bool_(False), "false"),
        (datetime.date(2024, 5, 1), "2024-05-01"),
    ],
)
def test_values_become_plain_python(item: object, value: object) -> None:
    plain = plain_value(item)
    assert plain == value
    assert type(plain) is type(value)


def test_check_labels_take_the_codes_of_the_map_by_name() -> None:
    known = (MapClass(1, "forest", "forest"), MapClass(2, "water", "water"))
    codes, classes, unknown = codes_of(["water", "town"], known=known)
    assert codes == {"water": 2}
    assert classes == known
    assert unknown == ["town"]


def test_check_labels_of_bare_numbers_are_codes_of_the_map() -> None:
    known = (MapClass(1, "forest", "forest"), MapClass(2, "water", "water"))
    assert codes_of([2, 1], known=known)[0] == {2: 2, 1: 1}
    assert codes_of([2, 5], known=known)[0] == {}


def test_names_that_differ_only_in_case_are_told() -> None:
    (note,) = lookalikes(number_classes(["Forest", "forest ", "water"]))
    assert "'Forest' and 'forest '" in note
