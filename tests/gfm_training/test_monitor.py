"""Which network of a run is kept, and that a run whose network collapses is ended."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from gfm_training.anchors import Books
    from gfm_training.data import Places, Survey

pytestmark = pytest.mark.train

GAINS = {
    "every scene gains": ([0.03, 0.02, 0.04], 500),
    "the mean is above, but within its error": ([0.09, -0.05, -0.02], 0),
    "every scene loses": ([-0.01, -0.02, -0.03], 0),
}


@pytest.mark.parametrize(("gains", "kept"), GAINS.values(), ids=GAINS.keys())
def test_the_untrained_network_is_kept_until_another_wins_beyond_the_error_over_scenes(
    gains: list[float], kept: int
) -> None:
    from gfm_training.monitor import ProbePoint, Watch
    from gfm_training.probe import Score
    from gfm_training.vitals import Vitals

    vitals = Vitals(5.0, 0.8, 0.2, 0.1, None, {})

    def point(step: int, scores: list[float]) -> ProbePoint:
        scenes = tuple(Score(str(n), {5: 0.5}, {5: 0.5}, {5: score}) for n, score in enumerate(scores))
        return ProbePoint(step, "student", sum(scores) / len(scores), 0.5, 0.5, vitals, scenes)

    watch = Watch(None, every=500, keep=lambda *_: None, say=print)
    watch.points = [point(0, [0.5, 0.6, 0.7]), point(500, [0.5 + gains[0], 0.6 + gains[1], 0.7 + gains[2]])]
    assert watch.best.step == kept


def test_without_scenes_the_network_that_knows_best_what_it_does_not_see_is_kept() -> None:
    from gfm_training.monitor import ProbePoint, Watch
    from gfm_training.vitals import Vitals

    def point(step: int, agreement: float) -> ProbePoint:
        return ProbePoint(step, "student", agreement, 0.0, 0.0, Vitals(5.0, 0.8, 0.2, 0.1, agreement, {}), ())

    watch = Watch(None, every=500, keep=lambda *_: None, say=print)
    watch.points = [point(0, 0.30), point(500, 0.34), point(1000, 0.32)]
    assert watch.best.step == 500


def test_an_ema_objective_made_to_collapse_is_caught_and_the_network_before_it_is_kept(
    places: Places, surveys: tuple[Survey, ...], books: Books, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No slow copy and no stop-gradient: the targets are the network's own latents, and it may make them all alike."""
    from gfm_training import monitor, targets
    from gfm_training.discover import Discovery
    from gfm_training.learn import Prepared, learn, new_model, new_module
    from gfm_training.monitor import Collapsed, Prober
    from gfm_training.settings import TrainSettings
    from gfm_training.vitals import Examiner

    from gfm_core.model.checkpoint import load_model

    settings = TrainSettings(
        steps=320, batch=2, clusters=4, cell_pixels=(2,), cell_weights=(1.0,), probe_every=40, workers=0,
        objective="ema", ema_targets="last", learning_rate=1e-2, warmup=1, precision="float32",
    )  # fmt: skip
    monkeypatch.setattr(monitor, "_PATIENCE", 40)
    monkeypatch.setattr(targets.LatentTargets, "forward", lambda self, layers, present: layers[-1] * present[..., None])
    module = new_module(new_model(settings, None), books, settings)
    model = module.objective.model
    monkeypatch.setattr(type(model), "target_layers", lambda self, inputs: self.context.layers(inputs))
    prepared = Prepared(places, books, surveys, Prober((), Examiner(surveys, books)))
    said: list[str] = []
    with pytest.raises(Collapsed, match=r"collapsed at step \d+: .*kept") as caught:
        learn(prepared, module, tmp_path, command="gfm train", discovery=Discovery(places.places, ()), say=said.append)
    assert "lower learning_rate" in str(caught.value)
    kept = load_model(tmp_path)
    assert kept.header["numbers"]["best"]["vitals"]["sd"] > 0.05
