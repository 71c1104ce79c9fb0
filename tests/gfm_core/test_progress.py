"""How long calls talk and stop."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from gfm_core.errors import GfmError
from gfm_core.progress import Cancelled, Progress, Reporter, in_this_call, stop_if_asked


def test_steps_report_their_place_in_the_whole() -> None:
    seen: list[Progress] = []
    whole = Reporter(progress=seen.append)
    read, fit = whole.step(0.0, 0.8), whole.step(0.8, 1.0)
    read.update(0.5, "reading", area_km2=3.0)
    fit.step(0.5, 1.0).update(0.5, "fitting")
    assert [(item.fraction, item.message, item.area_km2) for item in seen] == [
        (pytest.approx(0.4), "reading", 3.0),
        (pytest.approx(0.8 + 0.2 * 0.75), "fitting", 0.0),
    ]


@pytest.mark.parametrize(("given", "reported"), [(-1.0, 0.2), (0.0, 0.2), (1.0, 0.6), (7.0, 0.6)])
def test_a_step_never_reports_outside_its_span(given: float, reported: float) -> None:
    seen: list[Progress] = []
    Reporter(progress=seen.append).step(0.2, 0.6).update(given, "")
    assert seen[0].fraction == pytest.approx(reported)


def test_a_call_stops_at_the_next_report_after_it_was_asked_to() -> None:
    wanted = False
    reporter = Reporter(cancel=lambda: wanted).step(0.0, 0.5)
    reporter.update(0.1, "on")
    wanted = True
    with pytest.raises(Cancelled, match="nothing was written") as caught:
        reporter.update(0.2, "on")
    assert isinstance(caught.value, GfmError)


def test_without_listeners_nothing_happens() -> None:
    Reporter().update(0.5, "quiet")
    Reporter().check()


def test_code_deep_inside_stops_where_it_may_while_its_caller_listens() -> None:
    reporter = Reporter(cancel=lambda: True)
    stop_if_asked()
    with reporter.listening(), pytest.raises(Cancelled, match="nothing was written"):
        stop_if_asked()
    stop_if_asked()


def test_other_threads_stop_only_for_the_call_that_they_work_for() -> None:
    def ask(_: int) -> str:
        try:
            stop_if_asked()
        except Cancelled:
            return "stopped"
        return "went on"

    with ThreadPoolExecutor(2) as pool, Reporter(cancel=lambda: True).listening():
        assert set(pool.map(in_this_call(ask), range(8))) == {"stopped"}
        assert set(pool.map(ask, range(8))) == {"went on"}
