"""A check of an environment that runs beside QGIS's window, and can be stopped."""

from __future__ import annotations

import os
from pathlib import Path

from qgis.PyQt.QtCore import QObject, QProcess, QProcessEnvironment, pyqtSignal

from ..environment import Check, check_command, checks_of, clean_environ
from ..worker_errors import cannot_start


class CheckRun(QObject):
    """Runs `gfm doctor` of one Python at a time; `done` brings its list of checks, unless it was stopped."""

    done = pyqtSignal(list)

    def __init__(self) -> None:
        super().__init__()
        self._python = ""
        self._process: QProcess | None = None

    @property
    def running(self) -> bool:
        """Whether a check is under way."""
        return self._process is not None

    def start(self, python: str) -> None:
        """Check this Python; a check that is under way is stopped."""
        self.stop()
        self._python = python
        process = self._process = QProcess(self)
        environ = QProcessEnvironment()
        for name, value in clean_environ().items():
            environ.insert(name, value)
        process.setProcessEnvironment(environ)
        process.setStandardInputFile(os.devnull)
        process.finished.connect(self._finished)
        process.errorOccurred.connect(self._failed)
        program, *arguments = check_command(python)
        process.start(program, arguments)

    def stop(self) -> None:
        """End the check, if there is one; `done` will not come."""
        process = self._leave()
        if process is not None:
            process.blockSignals(True)
            process.kill()
            process.waitForFinished(1000)

    def _leave(self) -> QProcess | None:
        """The process, which is no longer the one under way; it is deleted after its signals are through."""
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()
        return process

    def _finished(self) -> None:
        process = self._leave()
        if process is not None:
            out, err = bytes(process.readAllStandardOutput()), bytes(process.readAllStandardError())
            self.done.emit(checks_of(self._python, out, err))

    def _failed(self, error: QProcess.ProcessError) -> None:
        """A process that did not even start; any other failure is told when it has finished."""
        if error == QProcess.ProcessError.FailedToStart and self._leave() is not None:
            reason = PermissionError() if Path(self._python).exists() else FileNotFoundError()
            self.done.emit([Check("python", False, self._python, cannot_start(self._python, reason))])
