"""The plugin in the language of QGIS: German where QGIS is German, and English again once it has gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from qgis.core import QgsApplication, QgsSettings

import build_translations
from qgis_plugin import translation
from qgis_plugin.plugin import JepaGfmPlugin
from qgis_plugin.translation import tr

SOURCES = Path(translation.__file__).with_name("i18n")

pytestmark = pytest.mark.skipif(build_translations.lrelease() is None, reason=build_translations.NO_LRELEASE)


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The translations as the zip has them."""
    assert build_translations.compiled(SOURCES, tmp_path)
    monkeypatch.setattr(translation, "FOLDER", tmp_path)


@pytest.fixture
def language() -> Iterator[QgsSettings]:
    """Where *Settings > Options > General > Override system locale* keeps its choice."""
    settings = QgsSettings()
    kept = {key: settings.value(key) for key in ("locale/overrideFlag", "locale/userLocale")}
    settings.setValue("locale/overrideFlag", True)
    yield settings
    for key, value in kept.items():
        settings.setValue(key, value) if value is not None else settings.remove(key)


@pytest.fixture
def plugin(processing_in_qgis: None, compiled: None) -> Iterator[JepaGfmPlugin]:
    """The plugin, not yet begun; no other provider of ours is there."""
    if QgsApplication.processingRegistry().providerById("jepagfm") is not None:
        QgsApplication.processingRegistry().removeProvider("jepagfm")
    made = JepaGfmPlugin(None)
    yield made
    made.unload()


def shown() -> tuple[str, str, str]:
    """What a user reads of an algorithm: its name, a parameter's label, an output's."""
    algorithm = QgsApplication.processingRegistry().algorithmById("jepagfm:classifylandcover")
    return (
        algorithm.displayName(),
        algorithm.parameterDefinition("FIELD").description(),
        algorithm.outputDefinition("REPORT_HTML").description(),
    )


GERMAN = ("Landbedeckung klassifizieren", "Klassenfeld", "Bericht")
ENGLISH = ("Classify land cover", "Class field", "Report")


@pytest.mark.parametrize(
    ("locale", "expected"), [("de", GERMAN), ("de_AT", GERMAN), ("en_US", ENGLISH), ("xx", ENGLISH)]
)
def test_names_and_labels_are_in_the_language_of_qgis(
    locale: str, expected: tuple[str, ...], language: QgsSettings, plugin: JepaGfmPlugin
) -> None:
    language.setValue("locale/userLocale", locale)
    plugin.initProcessing()
    assert shown() == expected


def test_a_choice_that_is_not_switched_on_does_not_count(language: QgsSettings, plugin: JepaGfmPlugin) -> None:
    language.setValue("locale/overrideFlag", False)
    language.setValue("locale/userLocale", "de")
    plugin.initProcessing()
    assert shown() == ENGLISH


def test_a_plugin_that_is_taken_away_takes_its_language_along(language: QgsSettings, plugin: JepaGfmPlugin) -> None:
    language.setValue("locale/userLocale", "de")
    plugin.initProcessing()
    assert tr("Copied.") == "Kopiert."
    plugin.unload()
    assert tr("Copied.") == "Copied."


def test_a_text_that_is_empty_stays_empty(language: QgsSettings, plugin: JepaGfmPlugin) -> None:
    language.setValue("locale/userLocale", "de")
    plugin.initProcessing()
    assert tr("") == ""
