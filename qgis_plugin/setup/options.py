"""Settings > Options > JEPA-GFM: the Python environment and its set-up, whether all works there, and the device."""

from __future__ import annotations

from pathlib import Path

from qgis.gui import QgsFileWidget, QgsOptionsPageWidget, QgsOptionsWidgetFactory
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QHideEvent, QIcon
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from .. import session, settings
from ..environment import Check, find_python, for_version, installed_python, python_in
from ..translation import tr
from . import report_file
from .check_run import CheckRun
from .panel import SetupPanel

_ICON = Path(__file__).resolve().parent.parent / "icons" / "jepa_gfm.svg"


class OptionsFactory(QgsOptionsWidgetFactory):
    """Adds the page to QGIS's options; nothing is looked for or started until it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.setTitle("JEPA-GFM")
        self.setIcon(QIcon(str(_ICON)))

    def createWidget(self, parent: QWidget | None = None) -> QgsOptionsPageWidget:
        """The page, made anew each time the options are opened."""
        return OptionsPage(parent)


class OptionsPage(QgsOptionsPageWidget):
    """What the user can choose; `apply` keeps it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run = CheckRun()
        self._run.done.connect(self._show)
        self.destroyed.connect(self._run.stop)
        self.python = self._python_field()
        self.source = QLabel()
        self.device = self._device_field()
        self.button = QPushButton()
        self.button.clicked.connect(self._check_or_stop)
        self.told = QLabel()
        self.results = QListWidget()
        for text in (self.source, self.told):
            text.setWordWrap(True)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.results.setWordWrap(True)
        self.report = QPushButton(tr("Report…"))
        self.report.clicked.connect(self._ask_for_report)
        self._report_to = ""
        self.setup = SetupPanel()
        self.setup.changed.connect(self._environment_changed)
        self._lay_out()
        self._tell_source()
        self._tell_idle("")

    def apply(self) -> None:
        """Keep what was chosen; a worker of another Python than before is stopped."""
        before = find_python(settings.chosen_python())
        settings.choose_python(self._chosen())
        settings.choose_device(self.device.currentData())
        if find_python(settings.chosen_python()) != before:
            session.stop_worker()

    def hideEvent(self, event: QHideEvent) -> None:
        """Closing the options stops a check; looking at another page of them does not."""
        if not self.window().isVisible():
            self._run.stop()
        super().hideEvent(event)

    # ---- Its parts ---------------------------------------------------------------------------------------------------

    def _python_field(self) -> QgsFileWidget:
        field = QgsFileWidget()
        field.setStorageMode(QgsFileWidget.StorageMode.GetFile)
        field.setDialogTitle(tr("Python of the environment that JEPA-GFM is installed in"))
        field.lineEdit().setPlaceholderText(installed_python() or tr("none found"))
        field.setFilePath(settings.chosen_python())
        field.setToolTip(tr("The python program, or the folder of its environment. Empty: the one found."))
        field.fileChanged.connect(self._tell_source)
        return field

    def _device_field(self) -> QComboBox:
        texts = {
            "auto": tr("Automatic: the GPU if there is one"),
            "cpu": tr("Processor (CPU)"),
            "cuda": tr("Graphics card (NVIDIA, CUDA)"),
        }
        field = QComboBox()
        for name in settings.DEVICES:
            field.addItem(texts[name], name)
        field.setCurrentIndex(settings.DEVICES.index(settings.device()))
        field.setToolTip(tr("Where the network runs, unless a run says otherwise."))
        return field

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.addRow(tr("Python environment"), self.python)
        form.addRow("", self.source)
        form.addRow(tr("Device"), self.device)
        row = QHBoxLayout()
        row.addWidget(self.button)
        row.addWidget(self.told, 1)
        row.addWidget(self.report)
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.addLayout(form)
        page.addLayout(row)
        page.addWidget(self.results, 1)
        page.addWidget(self.setup, 2)

    # ---- The environment ---------------------------------------------------------------------------------------------

    def _chosen(self) -> str:
        """What stands in the field, without the quotes that come along when a path is copied."""
        return str(self.python.filePath()).strip().strip('"')

    def _tell_source(self) -> None:
        chosen, found = self._chosen(), installed_python()
        if chosen:
            text = tr("Chosen here: {python}").format(python=python_in(chosen))
        elif found:
            text = tr("Found: set up here, or written by `gfm doctor --for-qgis` or `make demo`.")
        else:
            text = tr("None found: press Set up, choose one here, or run `gfm doctor --for-qgis` in the environment.")
        self.source.setText(text)

    def _environment_changed(self) -> None:
        """It was set up or removed: what the settings hold now stands in the field."""
        self._run.stop()
        self.results.clear()
        self.python.setFilePath(settings.chosen_python())
        self.python.lineEdit().setPlaceholderText(installed_python() or tr("none found"))
        self._tell_source()
        self._tell_idle("")

    # ---- The check ---------------------------------------------------------------------------------------------------

    def _check_or_stop(self) -> None:
        python = find_python(self._chosen())
        if self._run.running:
            self._run.stop()
            self._tell_idle(tr("Stopped."))
        elif python is None:
            self._show([Check("python", False, tr("none found"), tr("Choose the Python of an environment."))])
        else:
            self.results.clear()
            self.button.setText(tr("Stop"))
            self.told.setText(tr("Checking; the first time takes up to a minute."))
            self._run.start(python)

    def _tell_idle(self, text: str) -> None:
        self.button.setText(tr("Check"))
        self.told.setText(text)

    def _show(self, checks: list[Check]) -> None:
        checks = for_version(checks, session.plugin_version())
        self.results.clear()
        for item in checks:
            self.results.addItem(_line_of(item))
        failed = sum(not item.ok for item in checks)
        if failed:
            self._tell_idle(tr("Not everything works: see the lines with a cross."))
        else:
            self._tell_idle(tr("Everything works."))
        if self._report_to:
            self.told.setText(report_file.write(self._report_to, self._chosen(), checks))
            self._report_to = ""

    # ---- The report --------------------------------------------------------------------------------------------------

    def _ask_for_report(self) -> None:
        """Check, and write what is found to a file of the user's choice."""
        self._report_to = report_file.ask(self)
        if self._report_to:
            self._run.stop()
            self._check_or_stop()


def _line_of(item: Check) -> QListWidgetItem:
    """A line of the list; the mend stands under it."""
    text = f"{'✓' if item.ok else '✗'} {item.name}: {item.found}"
    return QListWidgetItem(f"{text}\n{item.mend}" if item.mend else text)
