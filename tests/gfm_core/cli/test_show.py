"""How a long call shows itself: plain lines in logs, a bar on a terminal, nothing when quiet."""

from __future__ import annotations

import io
import sys

import pytest

from gfm_core.cli import show
from gfm_core.cli.show import progress_shown
from gfm_core.progress import Progress


class Clock:
    """Time that goes as the test says."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


def lines(monkeypatch: pytest.MonkeyPatch, reports: list[tuple[float, Progress]]) -> list[str]:
    """What is written to a log for reports that come so many seconds after the start."""
    clock, err = Clock(), io.StringIO()
    monkeypatch.setattr(show, "_Pace", lambda: pace)
    monkeypatch.setattr(show, "time", clock)
    pace = PACE(start=clock.now)
    monkeypatch.setattr(sys, "stderr", err)
    with progress_shown(quiet=False) as progress:
        assert progress is not None
        for after, report in reports:
            clock.now = 100.0 + after
            progress(report)
    return err.getvalue().splitlines()


PACE = show._Pace


def test_a_line_tells_the_step_the_pace_and_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    told = lines(monkeypatch, [(0, Progress(0.0, "embedding")), (40, Progress(0.25, "embedding", 100.0))])
    assert told == ["  0 % embedding", " 25 % embedding 2.5 km²/s, 2:00 left"]


def test_a_step_is_told_every_ten_seconds_and_when_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    reports = [(0.1 * number, Progress(number / 400, "embedding")) for number in range(250)]
    told = lines(monkeypatch, [*reports, (25.1, Progress(0.7, "fitting")), (25.2, Progress(0.8, "writing"))])
    assert len(told) == 3 + 2
    assert " 70 % fitting" in told[3]


def test_quiet_shows_nothing() -> None:
    with progress_shown(quiet=True) as progress:
        assert progress is None


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress_shown(quiet=False) as progress:
        assert progress is not None
        progress(Progress(0.5, "embedding", 3.0))
    assert "embedding" in terminal.getvalue()
    assert "50%" in terminal.getvalue()
