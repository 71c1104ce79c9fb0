"""Whatever the forms ask to be translated, translators find in the template."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from qgis.core import QgsApplication

from qgis_plugin import translation
from qgis_plugin.algorithms.tool import ToolAlgorithm
from qgis_plugin.description import tools
from qgis_plugin.setup.options import OptionsPage

TEMPLATE = Path(translation.__file__).with_name("i18n") / "jepa_gfm.ts"


class Translator:
    """Stands for Qt's: keeps what is asked, and returns it changed, so that nobody can do without asking."""

    def __init__(self) -> None:
        self.asked: set[tuple[str, str]] = set()

    def translate(self, context: str, text: str) -> str:
        self.asked.add((context, text))
        return f"«{text}»"


@pytest.fixture
def translator(monkeypatch: pytest.MonkeyPatch) -> Translator:
    made = Translator()
    monkeypatch.setattr(translation, "QCoreApplication", made)
    return made


def in_template() -> set[tuple[str, str]]:
    context = ElementTree.parse(TEMPLATE).getroot().find("context")
    assert context is not None
    return {(context.findtext("name", ""), source.text or "") for source in context.iter("source")}


def test_every_text_that_a_form_shows_is_translated_and_in_the_template(
    qgis_app: QgsApplication, translator: Translator
) -> None:
    for tool in tools():
        algorithm = ToolAlgorithm(tool).create()
        shown = [algorithm.displayName(), algorithm.shortDescription(), *algorithm.tags()]
        shown += [definition.description() for definition in algorithm.parameterDefinitions()]
        shown += [definition.help() for definition in algorithm.parameterDefinitions()]
        shown += [definition.description() for definition in algorithm.outputDefinitions()]
        assert not [text for text in shown if "«" not in text]
        assert algorithm.shortHelpString()
    assert translator.asked
    assert translator.asked <= in_template()


def test_every_text_of_the_options_is_in_the_template(qgis_app: QgsApplication, translator: Translator) -> None:
    page = OptionsPage(None)
    assert len(translator.asked) > 5
    assert translator.asked <= in_template()
    page.deleteLater()
