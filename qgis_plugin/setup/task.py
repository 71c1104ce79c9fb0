"""A set-up that runs beside QGIS's window: it goes on when the options are closed, and there is one at a time."""

from __future__ import annotations

from contextlib import suppress
from typing import IO

from qgis.core import QgsApplication, QgsTask
from qgis.PyQt.QtCore import pyqtSignal

from .. import session, settings
from ..translation import tr
from .failures import AGAIN, SetupError
from .installer import Installer
from .plan import Order
from .processes import SetupCancelled
from .report import blanked, log_file

_running: list[SetupTask] = []  # one at most; without a reference QGIS would lose the Python behind the task


class SetupTask(QgsTask):
    """Carries out an order; `told` brings each line of its log, and `ended` comes last with what there is to say."""

    told = pyqtSignal(str)
    ended = pyqtSignal(bool, str)

    def __init__(self, order: Order) -> None:
        super().__init__(tr("Setting up JEPA-GFM"), QgsTask.Flag.CanCancel)
        self.lines: list[str] = []
        self.sentence = ""
        self._order = order
        self._log: IO[str] | None = None
        self._over = False
        self.taskTerminated.connect(lambda: self.finished(False))  # also one that was cancelled before it began

    def run(self) -> bool:
        """The work, in a thread of its own."""
        try:
            self._log = log_file().open("w", encoding="utf-8") if _has_data_folder() else None
            Installer(self._order, log=self._tell, progress=self.setProgress, cancelled=self.isCanceled).run()
            self.sentence = tr("Everything works.")
        except SetupCancelled:
            self.sentence = tr("Cancelled; what was begun is removed again.")
        except SetupError as error:
            self.sentence = str(error)
        except Exception as error:  # noqa: BLE001 - QGIS would only say that a task failed
            self.sentence = f"The set-up failed ({type(error).__name__}: {error}); send the report, or {AGAIN}."
        else:
            return self._close(True)
        self._tell(self.sentence)
        return self._close(False)

    def finished(self, result: bool) -> None:
        """In QGIS's own thread: the settings follow the environment that was made. Comes once."""
        if self._over:
            return
        self._over = True
        _running.clear()
        if result:
            settings.choose_python("")
            session.stop_worker()
        self.ended.emit(result, self.sentence or tr("Cancelled; what was begun is removed again."))

    def _tell(self, line: str) -> None:
        line = blanked(line)
        self.lines.append(line)
        if self._log is not None:
            with suppress(OSError):  # a full disk is told by the step that it breaks
                print(line, file=self._log, flush=True)
        self.told.emit(line)

    def _close(self, result: bool) -> bool:
        if self._log is not None:
            with suppress(OSError):
                self._log.close()
        return result


def _has_data_folder() -> bool:
    with suppress(OSError, RuntimeError):
        log_file().parent.mkdir(parents=True, exist_ok=True)
        return True
    return False


def current() -> SetupTask | None:
    """The set-up that is under way, if there is one."""
    return _running[0] if _running else None


def start(order: Order) -> SetupTask:
    """Begin a set-up; a worker would hold files of the environment that is replaced."""
    session.stop_worker()
    task = SetupTask(order)
    _running.append(task)
    QgsApplication.taskManager().addTask(task)
    return task


def stop(seconds: float = 10.0) -> None:
    """Cancel the set-up, if there is one, and wait until its processes are ended."""
    task = current()
    if task is not None:
        task.cancel()
        task.waitForFinished(int(seconds * 1000))
