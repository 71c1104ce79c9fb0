"""The health of a network: numbers that scikit-learn and closed forms give too."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from gfm_training.anchors import Books
from gfm_training.data import Survey
from gfm_training.vitals import (
    NEIGHBOURS,
    Examiner,
    Vitals,
    at_dates,
    collapse,
    cosines,
    effective_rank,
    fusion_shares,
    neighbours_agree,
)
from sklearn.neighbors import NearestNeighbors

from gfm_core.model.config import ModelConfig
from gfm_core.model.encoder import CellEncoder
from gfm_core.model.jepa import build_model

TINY = ModelConfig("tiny", 32, 1, 2, band_dim=16, predictor_dim=16, predictor_depth=1)


@pytest.fixture(scope="module")
def encoder() -> CellEncoder:
    return build_model(TINY, 0).context.eval()


def test_the_effective_rank_of_equal_directions_is_their_number() -> None:
    eye = torch.eye(6).repeat(50, 1)
    assert effective_rank(torch.cat([eye, -eye])) == pytest.approx(6.0, rel=1e-6)
    line = torch.linspace(-1, 1, 100).unsqueeze(1) @ torch.ones(1, 6)
    assert effective_rank(line) == pytest.approx(1.0, abs=1e-3)


def test_places_of_one_kind_each_are_alike_within_and_opposite_between() -> None:
    one, other = torch.tensor([[1.0, 0.0]]).repeat(8, 1), torch.tensor([[-1.0, 0.0]]).repeat(8, 1)
    assert cosines([one, other]) == (pytest.approx(1.0), pytest.approx(-1.0))


def test_what_all_cells_share_is_no_likeness() -> None:
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(2, 500, 64, generator=generator)
    within, between = cosines(list(noise + 100))
    assert abs(within) < 0.05
    assert abs(between) < 0.05


def test_the_agreement_is_that_of_scikit_learns_neighbours_in_other_places() -> None:
    rng = np.random.default_rng(0)
    ids, parts = rng.integers(0, 3, 300), np.repeat([0, 1, 2], 100)
    latents = rng.standard_normal((300, 5)) + 0.8 * np.eye(5)[ids]
    unit = latents / np.linalg.norm(latents, axis=1, keepdims=True)
    agree, chance = [], []
    for part in range(3):
        mine, elsewhere = np.flatnonzero(parts == part), np.flatnonzero(parts != part)
        nearest = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(unit[elsewhere]).kneighbors(unit[mine])[1]
        agree.append((ids[elsewhere][nearest] == ids[mine, None]).mean(axis=1))
        chance.append((ids[elsewhere] == ids[mine, None]).mean(axis=1))
    wanted = (np.mean(agree) - np.mean(chance)) / (1 - np.mean(chance))
    found = neighbours_agree(torch.from_numpy(latents), torch.from_numpy(ids), torch.from_numpy(parts))
    assert wanted > 0.05
    assert found == pytest.approx(wanted, abs=1e-6)


def test_cells_of_one_place_are_no_evidence() -> None:
    latents, ids = torch.randn(40, 4), torch.zeros(40, dtype=torch.long)
    assert neighbours_agree(latents, ids, torch.zeros(40)) is None
    assert neighbours_agree(latents, ids - 1, torch.arange(40)) is None


def test_shares_of_the_sensors_sum_to_one(encoder: CellEncoder, surveys: tuple[Survey, ...]) -> None:
    with torch.no_grad():
        shares = fusion_shares(encoder, surveys)
    assert sum(shares.values()) == pytest.approx(1.0, abs=1e-5)
    assert set(shares) == set(surveys[0].sensors)
    assert len(shares) == 3


def test_a_sensor_that_is_nowhere_present_has_no_share(encoder: CellEncoder, surveys: tuple[Survey, ...]) -> None:
    first = surveys[0]
    absent = [
        dataclasses.replace(item, present=torch.zeros_like(item.present)) if sensor == first.sensors[0] else item
        for sensor, item in zip(first.sensors, first.inputs, strict=True)
    ]
    with torch.no_grad():
        shares = fusion_shares(encoder, [dataclasses.replace(first, inputs=absent)])
    assert shares[first.sensors[0]] == 0.0


def test_a_question_hides_its_sensor_from_the_network(
    encoder: CellEncoder, surveys: tuple[Survey, ...], books: Books
) -> None:
    """Whatever the sensor holds, the latents asked for do not change; the clusters stay those of its statistics."""
    examiner = Examiner(surveys, books)
    assert len(examiner.questions) == len(set(surveys[0].sensors))
    for question in examiner.questions:
        sensor = question.name.rsplit(": ", 1)[1]
        changed = [
            dataclasses.replace(
                item,
                inputs=[
                    dataclasses.replace(one, features=torch.randn_like(one.features)) if name == sensor else one
                    for name, one in zip(item.sensors, item.inputs, strict=True)
                ],
            )
            for item in surveys
        ]
        again = next(item for item in Examiner(changed, books).questions if item.name == question.name)
        with torch.no_grad():
            for ours, theirs in zip(question.inputs, again.inputs, strict=True):
                assert torch.equal(encoder(ours).values, encoder(theirs).values)
        assert torch.equal(question.ids, again.ids)
        assert question.ids.unique().numel() > 1


def test_one_set_of_windows_a_place_in_the_smallest_cells(surveys: tuple[Survey, ...], books: Books) -> None:
    chosen = Examiner(surveys, books).surveys
    assert [item.place for item in chosen] == ["north", "south"]
    assert {item.inputs[0].cell_size for item in chosen} == {20.0}


def test_an_untrained_network_has_vitals_and_is_not_called_collapsed(
    encoder: CellEncoder, surveys: tuple[Survey, ...], books: Books
) -> None:
    vitals = Examiner(surveys, books)(encoder)
    assert vitals.rank > 1
    assert vitals.agreement is not None
    assert vitals == Examiner(surveys, books)(encoder)
    assert collapse(vitals, vitals) is None


HEALTHY = Vitals(9.0, 0.8, 0.3, 0.1, 0.2, {})
COLLAPSED = {
    "a third of the rank": ({"rank": 2.9}, "2.9 dimensions"),
    "all alike": ({"sd": 0.01}, "nearly the same"),
    "no numbers": ({"rank": float("nan")}, "no numbers"),
}


@pytest.mark.parametrize(("changed", "told"), COLLAPSED.values(), ids=COLLAPSED.keys())
def test_a_collapse_is_told_in_words(changed: dict[str, float], told: str) -> None:
    assert told in (collapse(dataclasses.replace(HEALTHY, **changed), HEALTHY) or "")
    assert collapse(dataclasses.replace(HEALTHY, rank=3.1), HEALTHY) is None


def test_dates_of_an_input_are_chosen_by_number(surveys: tuple[Survey, ...]) -> None:
    item = surveys[0].inputs[0]
    twice = dataclasses.replace(
        item,
        features=torch.cat([item.features, item.features + 1], dim=1),
        present=item.present.repeat(1, 2, 1, 1, 1),
        day_of_year=item.day_of_year.repeat(1, 2),
        days_since_first=item.days_since_first.repeat(1, 2),
    )
    assert torch.equal(at_dates(twice, [1]).features, item.features + 1)
