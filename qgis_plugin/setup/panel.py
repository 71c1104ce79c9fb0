"""The part of the options that sets the environment up, and removes it."""

from __future__ import annotations

from qgis.gui import QgsFileWidget
from qgis.PyQt.QtCore import QCoreApplication, QEventLoop, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QApplication,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from .. import session, settings
from ..translation import tr
from . import builds, network, plan, removal, task
from .failures import SetupError
from .folder import default_folder, is_interrupted, is_ours

_LOG_LINES = 5000


class SetupPanel(QGroupBox):
    """Set up, Cancel and Remove, with the log as it comes; `changed` tells that the environment is another."""

    changed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("Set up an environment"), parent)
        self.need, self.told = QLabel(), QLabel()
        for text in (self.need, self.told):
            text.setWordWrap(True)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.base = self._base_field()
        self.wheels = self._wheels_field()
        self.start, self.cancel, self.remove = (
            QPushButton(text) for text in (tr("Set up"), tr("Cancel"), tr("Remove…"))
        )
        self.start.clicked.connect(self._start)
        self.cancel.clicked.connect(self._cancel)
        self.remove.clicked.connect(self._remove)
        self.bar, self.log = QProgressBar(), QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setMaximumBlockCount(_LOG_LINES)
        self._lay_out()
        self._show_state()
        if task.current() is not None:
            self._follow(task.current())

    # ---- Its parts ---------------------------------------------------------------------------------------------------

    def _base_field(self) -> QgsFileWidget:
        field = QgsFileWidget()
        field.setStorageMode(QgsFileWidget.StorageMode.GetFile)
        field.lineEdit().setPlaceholderText(tr("found by itself"))
        field.setToolTip(tr("Python 3.11 or newer that the environment is made with. Empty: the best that is found."))
        return field

    def _wheels_field(self) -> QgsFileWidget:
        field = QgsFileWidget()
        field.setStorageMode(QgsFileWidget.StorageMode.GetDirectory)
        field.lineEdit().setPlaceholderText(tr("from the internet"))
        field.setToolTip(tr("For a computer without internet: a folder of wheels, made by `make wheelhouse`."))
        return field

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.addRow(tr("Python to make it with"), self.base)
        form.addRow(tr("Wheel folder"), self.wheels)
        row = QHBoxLayout()
        for button in (self.start, self.cancel, self.remove):
            row.addWidget(button)
        room = self.bar.sizePolicy()
        room.setRetainSizeWhenHidden(True)
        self.bar.setSizePolicy(room)
        row.addWidget(self.bar, 1)
        page = QVBoxLayout(self)
        page.addWidget(self.need)
        page.addLayout(form)
        page.addLayout(row)
        page.addWidget(self.told)
        page.addWidget(self.log, 1)

    # ---- What there is -----------------------------------------------------------------------------------------------

    def _show_state(self) -> None:
        """What would be needed, and which buttons make sense now."""
        running = task.current() is not None
        self.start.setEnabled(not running)
        self.cancel.setEnabled(running)
        self.bar.setVisible(running)
        self.log.setVisible(running or bool(self.log.toPlainText()))
        try:
            folder = default_folder()
        except SetupError as error:
            self.need.setText(str(error))
            self.remove.setEnabled(False)
            return
        self.remove.setEnabled(not running and is_ours(folder))
        text = tr("Needs {cpu} GB on the disk ({gpu} GB with an NVIDIA graphics card); {free} GB are free at {folder}.")
        self.need.setText(
            text.format(
                cpu=f"{builds.NEED_CPU:.1f}", gpu=f"{builds.NEED_GPU:.0f}", free=f"{plan.free_space(folder):.0f}",
                folder=folder,
            )
        )  # fmt: skip
        if not running and is_interrupted(folder):
            self.told.setText(tr("The last set-up was interrupted; press Set up, and it is made anew."))

    # ---- Set up ------------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        try:
            order = plan.Order(
                default_folder(), plan.bundled_wheel(), plan.PINS, session.plugin_version(),
                python=self.base.filePath(), wheel_folder=plan.checked_wheel_folder(self.wheels.filePath()),
                proxy=network.proxy(),
            )  # fmt: skip
        except SetupError as error:
            self.told.setText(str(error))
            return
        self.log.clear()
        self._follow(task.start(order))

    def _follow(self, running: task.SetupTask) -> None:
        """Show a set-up from here on, and what it has said so far."""
        self.told.setText(tr("Setting up; QGIS can be used meanwhile, and this window may be closed."))
        self.log.setPlainText("\n".join(running.lines))
        running.told.connect(self._tell)
        running.progressChanged.connect(self._progress)
        running.ended.connect(self._ended)
        self._progress(running.progress())
        self._show_state()

    def _tell(self, line: str) -> None:
        self.log.appendPlainText(line)

    def _progress(self, percent: float) -> None:
        self.bar.setValue(int(percent))

    def _cancel(self) -> None:
        running = task.current()
        if running is not None:
            self.told.setText(tr("Cancelling."))
            running.cancel()

    def _ended(self, _result: bool, sentence: str) -> None:
        self._show_state()
        self.told.setText(sentence)
        self.changed.emit()

    # ---- Remove ------------------------------------------------------------------------------------------------------

    def _remove(self) -> None:
        folder = default_folder()
        question = tr("Remove the environment in {folder}? Your files, settings and results stay.").format(
            folder=folder
        )
        if QMessageBox.question(self, "JEPA-GFM", question) != QMessageBox.StandardButton.Yes:
            return
        self.told.setText(tr("Removing."))
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
        QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
        try:
            session.stop_worker()
            removal.remove(folder)
            if removal.lies_in(settings.chosen_python(), folder):
                settings.choose_python("")
            sentence = tr("The environment is removed.")
        except SetupError as error:
            sentence = str(error)
        finally:
            QApplication.restoreOverrideCursor()
        self._show_state()
        self.told.setText(sentence)
        self.changed.emit()
