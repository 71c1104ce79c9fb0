"""Which network of a run is kept."""

from __future__ import annotations

import pytest

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

    def point(step: int, scores: list[float]) -> ProbePoint:
        scenes = tuple(Score(str(n), {5: 0.5}, {5: 0.5}, {5: score}) for n, score in enumerate(scores))
        return ProbePoint(step, "student", sum(scores) / len(scores), 0.5, 0.5, 5.0, scenes)

    watch = Watch(None, every=500, keep=lambda *_: None, say=print)
    watch.points = [point(0, [0.5, 0.6, 0.7]), point(500, [0.5 + gains[0], 0.6 + gains[1], 0.7 + gains[2]])]
    assert watch.best.step == kept
