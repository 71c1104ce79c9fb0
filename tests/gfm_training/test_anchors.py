from __future__ import annotations

import dataclasses
import datetime
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from gfm_training.anchors import AnchorSet, CellFacts, fit_books, load_books, save_books, time_code
from gfm_training.settings import TrainSettings
from gfm_training.windows import Unit

SETTINGS = TrainSettings(clusters=5, projections=3)
JUNE, JULY = datetime.date(2020, 6, 1), datetime.date(2020, 7, 1)


def facts(seed: int = 0, cells: int = 200, **changes: Any) -> CellFacts:
    """Made-up cells of two sensors, one of them on two dates, and a map of three classes."""
    generator = torch.Generator().manual_seed(seed)

    def numbers(columns: int) -> torch.Tensor:
        return torch.randn((cells, columns), generator=generator)

    there = torch.ones(cells, dtype=torch.bool)
    units = {
        Unit("s2", JUNE): (numbers(4), there),
        Unit("s2", JULY): (numbers(4), there),
        Unit("s1", None): (numbers(2), there),
    }
    codes = torch.tensor([-1, 4, 7, 9])[torch.randint(0, 4, (cells,), generator=generator)]
    made = CellFacts(numbers(6), numbers(5), there, units, {"lulc": codes})
    return dataclasses.replace(made, **changes)


def fitted(*cells: CellFacts, **changes: Any) -> AnchorSet:
    (one,) = fit_books([("set", item) for item in cells], dataclasses.replace(SETTINGS, **changes)).values()
    return one


def test_every_sensor_has_a_codebook_for_all_its_dates() -> None:
    one = fitted(facts())
    assert one.sensors == ["s1", "s2"]
    assert one.other["s2"].centres.shape == (5, 4)
    assert one.other["s1"].centres.shape == (5, 2)


def test_a_sensor_that_is_nowhere_has_none() -> None:
    found = facts()
    nowhere = {**found.units, Unit("dem", None): (torch.zeros(200, 3), torch.zeros(200, dtype=torch.bool))}
    assert fitted(dataclasses.replace(found, units=nowhere)).sensors == ["s1", "s2"]


def test_absent_cells_decide_no_cluster() -> None:
    found = facts()
    there = torch.arange(200) < 150
    broken = dataclasses.replace(found, near=torch.where(there.unsqueeze(1), found.near, torch.nan), present=there)
    one = fitted(broken)
    assert bool(one.near.centres.isfinite().all())
    assert bool(one.projection.matrix.isfinite().all())


def test_classes_of_a_map_are_numbered_over_all_places_and_unknown_ones_are_not_asked() -> None:
    first = facts(maps={"lulc": torch.tensor([4, 9, -1, 4])}, cells=4)
    second = facts(maps={"lulc": torch.tensor([7, 7, 7, 9])}, cells=4)
    books = fit_books([("one", first), ("two", second), ("three", facts(maps={}))], SETTINGS)
    assert books["one"].maps["lulc"].tolist() == books["two"].maps["lulc"].tolist() == [4, 7, 9]
    assert not books["three"].maps
    seen = facts(maps={"lulc": torch.tensor([9, 7, 5, -1, 100, 0])}, cells=6)
    assert books["one"].called("lulc", seen).tolist() == [2, 1, -1, -1, -1, -1]


@pytest.mark.parametrize("codes", [torch.full((300,), 3), torch.arange(300)])
def test_a_map_of_one_class_or_of_hundreds_asks_nothing(codes: torch.Tensor) -> None:
    assert not fitted(facts(cells=300, maps={"heights": codes})).maps


def test_anchors_come_back_from_their_file(tmp_path: Path) -> None:
    books = fit_books([("b", facts(0)), ("a", facts(1, maps={}))], SETTINGS)
    save_books(tmp_path / "anchors.safetensors", books)
    again = load_books(tmp_path / "anchors.safetensors")
    assert list(again) == list(books) == ["a", "b"]
    for key, one in books.items():
        other, cells = again[key], facts(2)
        assert torch.equal(one.near.assign(cells.near, cells.present), other.near.assign(cells.near, cells.present))
        assert torch.equal(one.wide.assign(cells.wide, cells.present), other.wide.assign(cells.wide, cells.present))
        assert torch.equal(one.projected(cells), other.projected(cells))
        assert one.sensors == other.sensors
        assert all(torch.equal(one.other[name].centres, other.other[name].centres) for name in one.sensors)
        assert {name: codes.tolist() for name, codes in one.maps.items()} == {
            name: codes.tolist() for name, codes in other.maps.items()
        }


def test_the_same_cells_and_seed_give_the_same_anchors() -> None:
    one, again, other = fitted(facts()), fitted(facts()), fitted(facts(), seed=1)
    assert torch.equal(one.near.centres, again.near.centres)
    assert torch.equal(one.projection.matrix, again.projection.matrix)
    assert not torch.equal(one.projection.matrix, other.projection.matrix)


def test_a_time_is_its_season_and_its_distance_either_way() -> None:
    assert time_code(None, JUNE) == [0.0, 0.0, 0.0]
    (sine, cosine, later), (*_, earlier) = time_code(JULY, JUNE), time_code(JUNE, JULY)
    assert later == pytest.approx(math.log(31) / 8)
    assert earlier == -later
    assert sine**2 + cosine**2 == pytest.approx(1)
    assert time_code(JUNE, JUNE)[2] == time_code(JUNE, None)[2] == 0
