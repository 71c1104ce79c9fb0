"""One Processing algorithm for every tool: parameters in, one call to the worker, outputs out."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
)
from qgis.PyQt.QtGui import QIcon

from .. import session
from ..description import Tool
from ..translation import tr
from ..worker_client import Listener, WorkerCancelled, WorkerError
from .form import definitions, output_name, outputs
from .refinements import EXAMPLES
from .results import arrange_layers, load_as_wanted, load_nothing, loading
from .values import FormReader, Request

_ICONS = Path(__file__).resolve().parent.parent / "icons"


class ToolAlgorithm(QgsProcessingAlgorithm):
    """An algorithm made from the description of one tool."""

    def __init__(self, tool: Tool) -> None:
        super().__init__()
        self._tool = tool
        self._request: Request | None = None
        self._refusal = ""
        self._loading: QgsProcessingContext.LayerDetails | None = None

    # ---- What it is --------------------------------------------------------------------------------------------------

    def createInstance(self) -> ToolAlgorithm:
        """A fresh one for each run."""
        return type(self)(self._tool)

    def name(self) -> str:
        """The part of the id that stands for the tool."""
        return self._tool.id

    def displayName(self) -> str:
        """As the toolbox shows it."""
        return tr(self._tool.title)

    def tags(self) -> list[str]:
        """Words by which the toolbox finds it."""
        return [tr(word) for word in self._tool.keywords]

    def icon(self) -> QIcon:
        """The tool's own."""
        return QIcon(self.svgIconPath())

    def svgIconPath(self) -> str:
        """The file of the icon."""
        own = _ICONS / f"{self._tool.id}.svg"
        return str(own if own.is_file() else _ICONS / "jepa_gfm.svg")

    def shortDescription(self) -> str:
        """One sentence."""
        return tr(self._tool.help)

    def shortHelpString(self) -> str:
        """What it does and when, every parameter, what comes out, an example."""
        return help_page(self._tool)

    # ---- Its form ----------------------------------------------------------------------------------------------------

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        """Parameters and outputs from the description."""
        for definition in definitions(self._tool):
            self.addParameter(definition)
        for _, definition in outputs(self._tool):
            self.addOutput(definition)

    def canExecute(self) -> tuple[bool, str]:
        """Whether there is an environment to run in; if not, where to set it up."""
        try:
            session.worker()
        except WorkerError as error:
            return False, str(error)
        return True, ""

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        """QGIS's own checks, then ours: a sentence before anything starts."""
        fine, reason = super().checkParameterValues(parameters, context)
        if not fine:
            return fine, reason
        possible, reason = self.canExecute()
        reason = reason if not possible else FormReader(self, self._tool, parameters, context).refusal()
        return not reason, reason

    # ---- A run -------------------------------------------------------------------------------------------------------

    def prepareAlgorithm(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,  # noqa: ARG002
    ) -> bool:
        """In the main thread: what is needed of layers."""
        reader = FormReader(self, self._tool, parameters, context)
        self._refusal = reader.refusal()  # models and scripts may come without having checked
        if not self._refusal:
            try:
                self._request = reader.request()
                self._loading = loading(self._request.params["output"], context)
            except QgsProcessingException as error:
                self._refusal = str(error)
        return True  # QGIS would put a general sentence in place of ours; the run raises it

    def processAlgorithm(
        self,
        parameters: dict[str, Any],  # noqa: ARG002
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> dict[str, Any]:
        """In a thread of its own: one call to the worker."""
        if self._request is None:
            raise QgsProcessingException(self._refusal)
        params = self._request.params
        try:
            outcome = session.worker().call(
                self._tool.name, params, _listener(feedback, self._request), outputs=[params["output"]]
            )
        except WorkerCancelled:
            load_nothing(params["output"], context)
            feedback.pushInfo(tr("Stopped; nothing was written."))
            return {}
        except WorkerError as error:
            raise QgsProcessingException(str(error)) from error
        load_as_wanted(params["output"], self._loading, context)
        arrange_layers(self._tool, self._request, outcome, context, version=session.plugin_version())
        return self._results(outcome)

    def _results(self, outcome: dict[str, Any]) -> dict[str, Any]:
        """The outcome by the names of outputs; what a run does not have is left out."""
        named = {output_name(self._tool, item): outcome.get(item.name) for item, _ in outputs(self._tool)}
        assert self._request is not None
        folders = {
            item.name.upper(): self._request.params[item.name]
            for item in self._tool.parameters
            if item.role in ("output file", "output folder") and item.name in self._request.params
        }
        found = {"OUTPUT": outcome["output"], **folders, **named}
        return {name: value for name, value in found.items() if value is not None}


def _listener(feedback: QgsProcessingFeedback, request: Request) -> Listener:
    """What the worker tells, in QGIS's log and progress bar."""
    told = ""

    def progress(fraction: float, message: str) -> None:
        nonlocal told
        feedback.setProgress(100 * fraction)
        if message != told:
            told = message
            feedback.setProgressText(message)

    def log(level: str, message: str) -> None:
        if level == "info":
            feedback.pushInfo(message)
        else:
            feedback.pushWarning(message)

    def started(command: str, python: str) -> None:
        feedback.pushInfo(tr("As a command:"))
        feedback.pushCommandInfo(command)
        feedback.pushInfo(tr("As Python:"))
        feedback.pushCommandInfo(python)
        if request.copies:
            feedback.pushInfo(
                tr("The labels were copied to {files}, which QGIS removes; to repeat the run, save the layer.").format(
                    files=", ".join(request.copies)
                )
            )

    return Listener(progress=progress, log=log, started=started, cancelled=feedback.isCanceled)


# ---- Help ------------------------------------------------------------------------------------------------------------


def help_page(tool: Tool) -> str:
    """The help beside the form, as HTML."""
    paragraphs = [tool.help, *tool.about.split("\n\n")]
    text = "".join(f"<p>{escape(tr(item))}</p>" for item in paragraphs if item)
    asked = "".join(_line(item.displayed, item.help) for item in _entries(tool))
    given = "".join(_line(tr(item.label), tr(item.help)) for item in tool.outcomes if item.kind != "text")
    example = EXAMPLES.get(tool.name)
    parts = [text, f"<h2>{tr('Parameters')}</h2>{asked}", f"<h2>{tr('Outputs')}</h2>{given}"]
    if example:
        parts.append(f"<h2>{tr('Example')}</h2><p>{escape(tr(example))}</p>")
    return "".join(parts)


class _Entry:
    """A parameter of the form in the help."""

    def __init__(self, displayed: str, help: str) -> None:
        self.displayed, self.help = displayed, help


def _entries(tool: Tool) -> list[_Entry]:
    units = {item.label: item.unit for item in tool.parameters}
    entries = []
    for definition in definitions(tool):
        unit = units.get(definition.description(), "")
        shown = f"{definition.description()} ({unit})" if unit else definition.description()
        entries.append(_Entry(shown, definition.help()))
    return entries


def _line(label: str, help: str) -> str:
    return f"<p><b>{escape(label)}</b>: {escape(help)}</p>"
