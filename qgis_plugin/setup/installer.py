"""Sets up the environment: Python, packages, a run of the sample. Each step is a process; nothing here is of QGIS."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from .. import environment
from . import builds, folder, plan, processes, pythons
from .builds import Torch
from .failures import AGAIN, Scene, SetupError, failure
from .plan import Order
from .processes import Ran, unheard

# Parts of the whole, in hundredths: most of the time goes into loading and unpacking the packages.
_MADE, _COLLECTED, _INSTALLED, _CHECKED = 5.0, 50.0, 80.0, 92.0
_PACKAGES = 65  # that pip names one by one while it collects them


class Installer:
    """Carries out one order; `log` gets lines, `progress` hundredths, and `cancelled` is asked often."""

    def __init__(
        self,
        order: Order,
        *,
        log: Callable[[str], None] = unheard,
        progress: Callable[[float], None] = unheard,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self._order, self._log, self._progress, self._cancelled = order, log, progress, cancelled
        self._place = folder.Workplace(order.folder)
        self._python = plan.python_of(order.folder)
        self._scene = Scene("", str(order.folder), order.wheel_folder)
        self._collected = 0

    def run(self) -> str:
        """Set up, and return the environment's Python.

        Raises `SetupError` or `SetupCancelled`; then there is what was there before.
        """
        started = time.monotonic()
        base = pythons.find_base(self._order.python)
        self._scene = Scene(base.text, str(self._order.folder), self._order.wheel_folder)
        self._log(f"Python {base.text} at {base.path}; the environment goes to {self._order.folder}.")
        nvidia = builds.has_nvidia()
        plan.refuse_without_room(self._order.folder, builds.NEED_GPU if nvidia else builds.NEED_CPU)
        with folder.locked(self._order.folder):
            try:
                self._place.begin()
                self._make(base.path, nvidia=nvidia)
            except BaseException:
                self._place.undo()
                raise
        self._log(f"The environment is ready after {(time.monotonic() - started) / 60:.1f} minutes.")
        self._progress(100.0)
        return self._python

    def _make(self, base: str, *, nvidia: bool) -> None:
        self._step("Making the environment", [base, "-I", "-m", "venv", str(self._order.folder)])
        self._progress(_MADE)
        torch = self._choose_torch(nvidia=nvidia)
        self._log(f"Installing with {torch.text}; this takes some minutes and {torch.need:.1f} GB.")
        plan.refuse_without_room(self._order.folder, torch.need)
        self._step("Installing the packages", plan.install(self._python, self._order, torch), heard=self._heard)
        self._progress(_INSTALLED)
        found = self._check()
        self._progress(_CHECKED)
        output = self._place.temporary / "embedding.tif"
        self._step("Embedding a piece of the sample", plan.embed_piece(self._python, output))
        self._tell_qgis()
        self._place.finish({"version": self._order.version, "packages": found})

    # ---- torch -------------------------------------------------------------------------------------------------------

    def _choose_torch(self, *, nvidia: bool) -> Torch:
        offline = bool(self._order.wheel_folder)
        if nvidia or sys.platform != "linux":
            return builds.default_torch(nvidia=nvidia, offline=offline)
        pins = self._order.pins.read_text(encoding="utf-8")
        local = builds.local_cpu_torch(self._versions_of_torch(*plan.sources(self._order)), pins)
        if local is not None or offline:
            return local or builds.default_torch(nvidia=False, offline=True)
        quick = ("--index-url", builds.CPU_INDEX, "--timeout", "5", "--retries", "0")
        return builds.cpu_index_torch(self._versions_of_torch(*quick)) or builds.LARGE

    def _versions_of_torch(self, *arguments: str) -> list[str]:
        """What pip would find; that it finds nothing is no failure yet."""
        return self._run(plan.pip(self._python, "index", "versions", "torch", *arguments)).out

    # ---- Checks ------------------------------------------------------------------------------------------------------

    def _check(self) -> dict[str, str]:
        """Run `gfm doctor`; the versions that it found. Raises `SetupError` for what does not work."""
        self._log("Checking that everything works; the first time takes up to a minute.")
        ran = self._run(environment.check_command(self._python))
        out, err = ("\n".join(lines).encode("utf-8") for lines in (ran.out, ran.err))
        checks = environment.for_version(environment.checks_of(self._python, out, err), self._order.version)
        for item in checks:
            self._log(f"{'ok' if item.ok else 'FAIL'} {item.name}: {item.found}")
        broken = next((item for item in checks if not item.ok), None)
        if broken is not None:
            told = failure(f"The check of {broken.name}", 1, [f"{broken.found}; {broken.mend}"], self._scene)
            raise told
        return {item.name: item.found for item in checks}

    def _tell_qgis(self) -> None:
        told = self._step("Telling QGIS", plan.tell_qgis(self._python))
        if environment.installed_python() != str(Path(self._python).absolute()):
            reason = (told.out or ["it said nothing"])[-1].rstrip(".")
            raise SetupError(f"QGIS could not be told of the environment ({reason}); mend that and {AGAIN}.")

    # ---- Processes ---------------------------------------------------------------------------------------------------

    def _step(self, name: str, command: list[str], heard: Callable[[str], None] | None = None) -> Ran:
        """Run a step whose lines go to the log. Raises `SetupError` if it fails."""
        self._log(f"{name}: {' '.join(command)}")
        ran = self._run(command, heard or self._log)
        if ran.code != 0:
            raise failure(name, ran.code, ran.said, self._scene)
        return ran

    def _run(self, command: list[str], heard: Callable[[str], None] = unheard) -> Ran:
        environ = plan.environ(self._order, self._place.temporary)
        try:
            return processes.run(command, environ, log=heard, cancelled=self._cancelled)
        except OSError as error:
            raise failure(f"Starting {command[0]}", None, [str(error)], self._scene) from error

    def _heard(self, line: str) -> None:
        """A line of pip: as many of them as there are packages make the progress."""
        self._log(line)
        if line.startswith(("Collecting ", "Processing ")):
            self._collected = min(self._collected + 1, _PACKAGES)
            self._progress(_MADE + (_COLLECTED - _MADE) * self._collected / _PACKAGES)
        elif line.startswith("Installing collected packages"):
            self._progress(_COLLECTED)
