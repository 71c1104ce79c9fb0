"""How a long call shows itself: rich bars on a terminal, plain lines in logs, with km²/s and time left."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gfm_core.progress import Progress, ProgressCallback

_LINE_EVERY = 10.0  # seconds between plain lines


@dataclass(slots=True)
class _Pace:
    """Ground a second and time left, from what has been reported."""

    start: float = field(default_factory=time.monotonic)
    step: str = ""
    step_start: float = 0.0

    def text(self, progress: Progress) -> str:
        """`12.3 km²/s, 0:42 left`, as far as it is known."""
        now = time.monotonic()
        if progress.message != self.step:
            self.step, self.step_start = progress.message, now
        parts = []
        if progress.area_km2 and now - self.step_start > 0.5:
            parts.append(f"{progress.area_km2 / (now - self.step_start):.3g} km²/s")
        if progress.fraction > 0.02 and now - self.start > 1:
            left = (now - self.start) * (1 - progress.fraction) / progress.fraction
            parts.append(f"{int(left // 60)}:{int(left % 60):02d} left")
        return ", ".join(parts)


@contextmanager
def progress_shown(quiet: bool) -> Iterator[ProgressCallback | None]:
    """A progress callback for the terminal at hand: a bar, plain lines, or nothing."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with _bar() as callback:
            yield callback
    else:
        yield _lines()


@contextmanager
def _bar() -> Iterator[ProgressCallback]:
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as RichProgress

    pace = _Pace()
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[pace]}"))
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0, pace="")
        yield lambda progress: bar.update(
            task, completed=progress.fraction, description=progress.message, pace=pace.text(progress)
        )


def _lines() -> ProgressCallback:
    pace, shown, message = _Pace(), 0.0, ""

    def show(progress: Progress) -> None:
        nonlocal shown, message
        now = time.monotonic()
        if progress.message == message and now - shown < _LINE_EVERY:
            return
        shown, message = now, progress.message
        sys.stderr.write(f"{100 * progress.fraction:3.0f} % {progress.message} {pace.text(progress)}".rstrip() + "\n")
        sys.stderr.flush()

    return show
