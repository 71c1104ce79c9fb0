"""How every long call talks and stops: it reports `Progress` and raises `Cancelled`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from typing import Any

from gfm_core.errors import GfmError


class Cancelled(GfmError):
    """The caller asked to stop; whatever was half written has been removed."""


class Interrupted(Cancelled):
    """Stopped with what was done so far kept: the message says how to go on."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a long call stands: `fraction` done (0-1), what it does, and ground covered in this step so far (km²)."""

    fraction: float
    message: str
    area_km2: float = 0.0


ProgressCallback = Callable[[Progress], None]
CancelCheck = Callable[[], bool]


_asked: ContextVar[CancelCheck | None] = ContextVar("asked", default=None)


def stop_if_asked() -> None:
    """A place where a long computation may be left: raises `Cancelled` if the call it belongs to was asked to stop.

    For code deep inside that has nothing to report; it costs nothing where nobody listens (see `Reporter.listening`).
    """
    cancel = _asked.get()
    if cancel is not None and cancel():
        raise Cancelled(_STOPPED)


def in_this_call(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` for another thread, where `stop_if_asked` then asks what it would ask here."""
    context = copy_context()
    return lambda *arguments: context.copy().run(function, *arguments)


_STOPPED = "Stopped on request; nothing was written."


@dataclass(frozen=True, slots=True)
class Reporter:
    """Carries a caller's `progress` and `cancel` through the steps of a call; each step owns a span of the whole."""

    progress: ProgressCallback | None = None
    cancel: CancelCheck | None = None
    start: float = 0.0
    stop: float = 1.0

    def step(self, start: float, stop: float) -> Reporter:
        """The reporter of a part of this one: from `start` to `stop`, both fractions of this span."""
        width = self.stop - self.start
        return Reporter(self.progress, self.cancel, self.start + start * width, self.start + stop * width)

    def update(self, fraction: float, message: str, area_km2: float = 0.0) -> None:
        """Report `fraction` of this span, then stop here if the caller asked to (raises `Cancelled`)."""
        if self.progress is not None:
            whole = self.start + min(max(fraction, 0.0), 1.0) * (self.stop - self.start)
            self.progress(Progress(whole, message, area_km2))
        self.check()

    def check(self) -> None:
        """Raise `Cancelled` if the caller asked to stop."""
        if self.cancel is not None and self.cancel():
            raise Cancelled(_STOPPED)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Within, `stop_if_asked` asks this caller."""
        token = _asked.set(self.cancel)
        try:
            yield
        finally:
            _asked.reset(token)
