from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
import torch
from gfm_training import objective as losses
from gfm_training.anchors import AnchorSet, Answers
from gfm_training.batch import Batch
from gfm_training.codebook import Codebook, Projection
from gfm_training.objective import Loss, Objective, cluster_term, latent_term, projection_term
from gfm_training.settings import ANCHORS, TrainSettings
from gfm_training.targets import latent_targets

from gfm_core.bands import Band, BandKind
from gfm_core.errors import ParameterError
from gfm_core.model.config import ModelConfig
from gfm_core.model.jepa import build_model
from gfm_core.model.tokens import TOKEN_FEATURES, ModalityInput

TINY = ModelConfig("tiny", 32, 2, 2, band_dim=16, predictor_dim=16, predictor_depth=1)
SIDE, WINDOWS = 16, 2


def book(clusters: int) -> Codebook:
    return Codebook(torch.zeros(1), torch.ones(1), torch.arange(float(clusters)).unsqueeze(1))


BOOKS = {
    "set": AnchorSet(
        book(5), book(6), Projection(torch.zeros(1), torch.ones(1), torch.ones(1, 3), torch.zeros(3)),
        {"s1": book(4), "s2": book(7)}, {"lulc": torch.tensor([1, 2, 9])},
    )
}  # fmt: skip


def random_batch(*, hidden: float = 0.5, windows: int = WINDOWS, seed: int = 0) -> Batch:
    """Cells of two bands; each anchor knows an answer everywhere, `other` in the last window alone."""
    generator = torch.Generator().manual_seed(seed)
    shape = (windows, 1, SIDE, SIDE, 2)
    features = torch.randn((*shape, TOKEN_FEATURES), generator=generator)
    lost = torch.rand((windows, 1, SIDE, SIDE, 1), generator=generator) < hidden
    present = torch.ones(shape, dtype=torch.bool)

    def made(there: torch.Tensor) -> ModalityInput:
        return ModalityInput(
            features * there.unsqueeze(-1), there, (Band("red", BandKind.OPTICAL, 665.0), Band("vv", BandKind.SAR)),
            10.0, 20.0, torch.full((windows, 1), math.nan), torch.full((windows, 1), math.nan),
            torch.zeros(windows, SIDE, SIDE, 2),
        )  # fmt: skip

    def ids(clusters: int) -> torch.Tensor:
        return torch.randint(0, clusters, (windows, SIDE, SIDE), generator=generator)

    other, sensor = ids(4), torch.full((windows,), -1)
    other[:-1], sensor[-1] = -1, 0
    answers = Answers(
        near=ids(5), wide=ids(6), projection=torch.randn((windows, SIDE, SIDE, 3), generator=generator), other=other,
        other_sensor=sensor, other_time=torch.rand((windows, 3), generator=generator), maps={"lulc": ids(3)},
    )  # fmt: skip
    return Batch(0, "place", "set", [made(present & ~lost)], [made(present)], answers)


def objective(**changes: Any) -> Objective:
    settings = TrainSettings(**{"ema_weight": 0.25, **changes})
    return Objective(build_model(TINY, 0), BOOKS, settings)


def parts_of(loss: Loss) -> dict[str, float]:
    return {name: float(value) for name, value in loss.parts.items()}


# ---- Terms ----------------------------------------------------------------------------------------------------------


def mean(term: losses.Term) -> float:
    return float(term.total) / term.count


def test_an_even_guess_costs_one_and_a_sure_one_nothing() -> None:
    ids = torch.tensor([0, 3, -1])
    assert mean(cluster_term(torch.zeros(3, 7), ids)) == pytest.approx(1.0)
    sure = 100.0 * torch.nn.functional.one_hot(torch.tensor([0, 3, 0]), 7)
    assert mean(cluster_term(sure, ids)) == pytest.approx(0.0, abs=1e-6)
    assert cluster_term(sure, ids).count == 2


@pytest.mark.parametrize(("clusters", "ids"), [(1, [0, 0]), (4, [-1, -1])])
def test_nothing_to_tell_apart_is_no_term(clusters: int, ids: list[int]) -> None:
    term = cluster_term(torch.zeros(2, clusters), torch.tensor(ids))
    assert term.count == 0
    assert float(term.total) == 0


def test_the_latent_loss_is_the_textbook_smooth_l1() -> None:
    predicted, target = torch.tensor([[0.0, 0.0]]), torch.tensor([[0.2, 2.0]])
    wanted = (0.5 * 0.2**2 / 0.5 + (2.0 - 0.25)) / 2  # beta 0.5: square below it, straight above
    assert mean(latent_term(predicted, target)) == pytest.approx(wanted)


def test_answering_the_mean_of_a_projection_costs_one() -> None:
    target = torch.randn((50_000, 2), generator=torch.Generator().manual_seed(0))
    assert mean(projection_term(torch.zeros_like(target), target)) == pytest.approx(1.0, abs=0.01)


# ---- What is asked, and that it is ----------------------------------------------------------------------------------


def test_the_default_asks_latents_and_near_and_wide_clusters() -> None:
    assert parts_of(objective()(random_batch())).keys() == {
        "ema_hidden", "ema_visible", "near_hidden", "near_seen", "wide_hidden", "wide_seen",
    }  # fmt: skip


@pytest.mark.parametrize("name", ANCHORS)
def test_each_anchor_teaches_heads_encoder_and_predictor_and_only_if_it_is_asked(name: str) -> None:
    one = objective(objective="anchor", anchors=(name,))
    loss = one(random_batch())
    assert loss.parts.keys() == {f"{name}_hidden", f"{name}_seen"}
    assert min(parts_of(loss).values()) > 0.5
    loss.total.backward()
    for module in (one.heads["hidden"], one.heads["seen"], one.model.context, one.model.predictor):
        grads = [weight.grad for weight in module.parameters() if weight.grad is not None]
        assert any(bool(grad.any()) for grad in grads)
    assert name not in {
        part.split("_")[0] for part in objective(anchors=tuple({*ANCHORS} - {name}))(random_batch()).parts
    }


@pytest.mark.parametrize("name", ANCHORS)
def test_each_anchor_can_be_learnt_by_heart(name: str) -> None:
    torch.manual_seed(0)
    one, batch = objective(objective="anchor", anchors=(name,)), random_batch(windows=1)
    optimiser = torch.optim.Adam(one.parameters(), lr=1e-2)
    first = float(one(batch).total.detach())
    for _ in range(30):
        optimiser.zero_grad()
        one(batch).total.backward()
        optimiser.step()
    assert float(one(batch).total.detach()) < 0.9 * first


def test_the_other_sensor_is_asked_in_its_window_alone() -> None:
    one, batch = objective(objective="anchor", anchors=("other",)), random_batch()
    changed = dataclasses.replace(batch.answers, other=batch.answers.other.clone())
    changed.other[0] = 2  # of a window that asks nothing
    same = one(dataclasses.replace(batch, answers=changed))
    assert torch.equal(same.total, one(batch).total)
    nothing = dataclasses.replace(batch.answers, other_sensor=torch.tensor([-1, -1]))
    silent = one(dataclasses.replace(batch, answers=nothing))
    assert not silent.parts
    assert float(silent.total.detach()) == 0


def test_when_the_other_sensor_was_there_matters() -> None:
    one, batch = objective(objective="anchor", anchors=("other",)), random_batch()
    later = dataclasses.replace(batch.answers, other_time=batch.answers.other_time + 0.5)
    assert not torch.equal(one(dataclasses.replace(batch, answers=later)).total, one(batch).total)


def test_a_map_has_one_head_wherever_it_lies() -> None:
    two = {"set": BOOKS["set"], "elsewhere": BOOKS["set"]}
    one = Objective(build_model(TINY, 0), two, TrainSettings(objective="anchor", anchors=("map",)))
    assert len(one.heads["hidden"].maps) == 1
    batch = random_batch()
    assert torch.equal(one(batch).total, one(dataclasses.replace(batch, books="elsewhere")).total)


def test_a_place_without_a_map_is_not_asked_for_it() -> None:
    batch = random_batch()
    without = dataclasses.replace(batch, answers=dataclasses.replace(batch.answers, maps={}))
    assert "map_hidden" not in objective(anchors=("near", "map"))(without).parts


def test_anchors_that_nobody_knows_are_refused() -> None:
    with pytest.raises(ParameterError, match="anchors cannot hold 'nearby'"):
        TrainSettings(anchors=("nearby",))
    with pytest.raises(ParameterError, match="needs anchors"):
        TrainSettings(objective="anchor", anchors=())
    assert objective(objective="ema", anchors=()).anchors == ()


# ---- How it is put together -----------------------------------------------------------------------------------------


def test_dual_weighs_both_parts() -> None:
    loss = objective(ema_visible=0.5, anchors=("near", "wide"))(random_batch())
    parts = parts_of(loss)
    latent = (parts["ema_hidden"] + 0.5 * parts["ema_visible"]) / 1.5
    anchor = (parts["near_hidden"] + parts["near_seen"] + parts["wide_hidden"] + parts["wide_seen"]) / 4
    assert float(loss.total.detach()) == pytest.approx(0.25 * latent + 0.75 * anchor, rel=1e-5)


@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_visible_cells_are_asked_for_by_their_weight(weight: float) -> None:
    one, batch = objective(objective="ema", ema_visible=weight), random_batch()
    asked = []
    plain = one.model.predict

    def recording(latents: torch.Tensor, visible: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        asked.append(targets)
        return plain(latents, visible, targets)

    one.model.predict = recording  # type: ignore[method-assign]
    assert ("ema_visible" in one(batch).parts) == bool(weight)
    assert bool(asked[0].all()) == bool(weight)
    assert torch.equal(asked[0] | bool(weight), losses.asked_cells(batch) | bool(weight))


@pytest.mark.parametrize("kind", ["last", "layers"])
def test_a_perfect_prediction_of_the_target_has_no_latent_loss(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one, batch = objective(objective="ema", ema_targets=kind), random_batch()
    target = latent_targets(*one.model.target_layers(batch.target), kind)
    monkeypatch.setattr(one.model, "predict", lambda latents, visible, targets: target)
    assert all(value == pytest.approx(0.0, abs=1e-6) for value in parts_of(one(batch)).values())
    other = objective(objective="ema", ema_targets="last" if kind == "layers" else "layers")
    monkeypatch.setattr(other.model, "predict", lambda latents, visible, targets: target)
    assert parts_of(other(batch))["ema_hidden"] > 0.01


@pytest.mark.parametrize(("kind", "heads_learn"), [("ema", False), ("anchor", True), ("dual", True)])
def test_gradients_reach_what_the_objective_trains_and_never_the_target(kind: str, heads_learn: bool) -> None:
    one = objective(objective=kind, anchors=ANCHORS)
    one(random_batch()).total.backward()
    assert all(weight.grad is None for weight in one.model.target.parameters())
    assert any(weight.grad is not None and weight.grad.any() for weight in one.model.context.parameters())
    assert any(weight.grad is not None and bool(weight.grad.any()) for weight in one.heads.parameters()) == heads_learn


@pytest.mark.parametrize("hidden", [0.0, 1.1])
def test_nothing_hidden_or_nothing_seen_still_gives_a_finite_loss(hidden: float) -> None:
    one = objective(anchors=ANCHORS)
    loss = one(random_batch(hidden=hidden)).total
    loss.backward()
    assert bool(loss.isfinite())


def test_the_loss_is_float32_under_autocast() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = objective(anchors=ANCHORS)(random_batch())
    assert loss.total.dtype is torch.float32
    assert {value.dtype for value in loss.parts.values()} == {torch.float32}


def test_two_processes_weigh_every_cell_as_one_with_all_windows_would(monkeypatch: pytest.MonkeyPatch) -> None:
    one = objective(objective="anchor", anchors=ANCHORS)
    halves = [random_batch(seed=1), random_batch(seed=2, hidden=0.2)]  # with different numbers of hidden cells
    counts: list[torch.Tensor] = []

    def noting(values: torch.Tensor) -> torch.Tensor:
        counts.append(values)
        return values

    monkeypatch.setattr(losses, "summed", noting)
    for half in halves:
        one(half)
    both = counts[0] + counts[1]
    assert not torch.equal(counts[0], counts[1])
    monkeypatch.setattr(losses, "summed", lambda values: both)
    monkeypatch.setattr(losses, "processes", lambda: 2)
    together = sum(one(half).total for half in halves) / 2
    monkeypatch.setattr(losses, "summed", lambda values: values)
    monkeypatch.setattr(losses, "processes", lambda: 1)
    assert float(together.detach()) == pytest.approx(float(one(joined(*halves)).total.detach()), rel=1e-5)


def joined(first: Batch, second: Batch) -> Batch:
    """One batch with the windows of both."""

    def cat(one: Any, two: Any) -> Any:
        names = ("features", "present", "day_of_year", "days_since_first", "offset")
        return dataclasses.replace(one, **{name: torch.cat([getattr(one, name), getattr(two, name)]) for name in names})

    a, b = first.answers, second.answers
    plain = {
        name: torch.cat([getattr(a, name), getattr(b, name)])
        for name in ("near", "wide", "projection", "other", "other_sensor", "other_time")
    }
    return dataclasses.replace(
        first,
        context=[cat(*pair) for pair in zip(first.context, second.context, strict=True)],
        target=[cat(*pair) for pair in zip(first.target, second.target, strict=True)],
        answers=Answers(**plain, maps={name: torch.cat([a.maps[name], b.maps[name]]) for name in a.maps}),
    )
