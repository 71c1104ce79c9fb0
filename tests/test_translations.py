"""The plugin in other languages: each translation is whole, and the tool that keeps it so loses nothing."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

import build_translations
from build_translations import BuildError, Message, merged

PLUGIN = Path(build_translations.FOLDER).parent
LANGUAGES = build_translations.languages(PLUGIN / "i18n")

# What a user types or reads elsewhere as it is: in backticks, options, names of files, values of parameters, units.
LITERAL = r"`[^`]+`|--[\w-]+|gfm \w+|\bauto\b|\bGB\b|m²|R²|RMSE|JEPA-GFM|\.gpkg|\.parquet|FILE:\S+|\d+"


def sentences(path: Path) -> list[str]:
    return [node.text or "" for node in ElementTree.parse(path).iter("source")]


# ---- The translations that there are ---------------------------------------------------------------------------------


def test_german_is_there() -> None:
    assert "de" in LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_every_sentence_of_the_template_and_no_other(language: str) -> None:
    """If not: `make translations`, and then `build_translations.py --missing LANGUAGE` (or Qt Linguist)."""
    root = ElementTree.parse(LANGUAGES[language]).getroot()
    assert root.get("language") == language
    assert [node.text for node in root.iter("name")] == ["JepaGfm"]
    assert sentences(LANGUAGES[language]) == sentences(PLUGIN / "i18n" / "jepa_gfm.ts")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_translated(language: str) -> None:
    messages = list(ElementTree.parse(LANGUAGES[language]).iter("message"))
    translations = [(node.findtext("source"), node.find("translation")) for node in messages]
    assert not [source for source, found in translations if found is None or not (found.text or "").strip()]
    assert not [source for source, found in translations if found is not None and found.get("type")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_and_what_is_typed_stay_as_they_are(language: str) -> None:
    for node in ElementTree.parse(LANGUAGES[language]).iter("message"):
        source, translation = node.findtext("source", ""), node.findtext("translation", "")
        assert sorted(re.findall(r"{\w*}|%\d", translation)) == sorted(re.findall(r"{\w*}|%\d", source))
        assert sorted(re.findall(LITERAL, translation)) == sorted(re.findall(LITERAL, source))
        assert source.endswith((".", "…", ":")) == translation.endswith((".", "…", ":")), source


# ---- In step with the template ---------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Translations of our own: a copy of the plugin's."""
    monkeypatch.setattr(build_translations, "FOLDER", tmp_path)
    for path in (PLUGIN / "i18n").glob("*.ts"):
        shutil.copy(path, tmp_path)
    return tmp_path


def run(*arguments: str) -> int:
    return build_translations.main(list(arguments))


def test_new_sentences_wait_known_ones_stay_and_lost_ones_are_kept_as_vanished() -> None:
    old = [Message("lost", "verloren", "finished"), Message("known", "bekannt", "finished"), Message("lost too")]
    new, known, lost = merged(["new", "known"], old)
    assert new == Message("new", "", "unfinished")
    assert known == Message("known", "bekannt", "finished")
    assert lost == Message("lost", "verloren", "vanished")
    assert merged(["lost"], [new, known, lost])[0] == Message("lost", "verloren", "finished")
    assert merged(["known"], old, keep_vanished=False) == [known]


def test_what_is_in_step_is_written_again_byte_by_byte(folder: Path) -> None:
    for language, path in build_translations.languages(folder).items():
        before = path.read_bytes()
        build_translations.update(path, language)
        assert path.read_bytes() == before


def test_a_new_language_begins_with_a_copy_of_the_template(folder: Path) -> None:
    shutil.copy(folder / "jepa_gfm.ts", folder / "jepa_gfm_fr.ts")
    build_translations.update(folder / "jepa_gfm_fr.ts", "fr")
    assert ElementTree.parse(folder / "jepa_gfm_fr.ts").getroot().get("language") == "fr"
    assert list(build_translations.missing("fr")) == sentences(folder / "jepa_gfm.ts")


def test_signs_of_xml_and_a_translator_s_note_survive(folder: Path) -> None:
    message = Message("a & b < \"c\" 'd'", "ä & b > „c“", "finished", note="two & more")
    build_translations.write(folder / "jepa_gfm_xx.ts", "xx", [message], "JepaGfm")
    assert build_translations.read(folder / "jepa_gfm_xx.ts") == [message]


def test_missing_sentences_go_out_as_json_and_come_back(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "jepa_gfm.ts"
    added = '<message><source>New {name}</source><translation type="unfinished"></translation></message></context>'
    path.write_text(path.read_text(encoding="utf-8").replace("</context>", added), encoding="utf-8")
    assert run("--missing", "de") == 0
    assert json.loads(capsys.readouterr().out) == {"New {name}": ""}
    given = folder / "given.json"
    given.write_text(json.dumps({"New {name}": "Neu: {name}"}))
    assert run("--fill", "de", str(given)) == 0
    assert build_translations.missing("de") == {}
    assert build_translations.read(folder / "jepa_gfm_de.ts")[-1].text == "Neu: {name}"


@pytest.mark.parametrize(
    ("language", "given", "sentence"),
    [
        ("de", '{"Copied.": "{x} kopiert."}', r"'{x} kopiert.' must hold no placeholder like 'Copied.'; mend it"),
        ("de", '{"Written to {path}.": "Da."}', r"must hold {path} like 'Written to {path}.'; mend it"),
        ("de", '{"No such": "Nichts"}', r"has no sentence 'No such'; take what --missing de prints"),
        ("de", "nothing", r"cannot be read .*; give the JSON of --missing, filled in"),
        ("xx", "{}", r"jepa_gfm_xx.ts is not there; begin it with: cp "),
    ],
)
def test_what_cannot_be_taken_is_refused_in_a_sentence_and_changes_nothing(
    language: str, given: str, sentence: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (folder / "jepa_gfm_de.ts").read_bytes()
    (folder / "given.json").write_text(given)
    assert run("--fill", language, str(folder / "given.json")) == 1
    assert re.search(sentence, capsys.readouterr().err)
    assert (folder / "jepa_gfm_de.ts").read_bytes() == before


# ---- Compiled --------------------------------------------------------------------------------------------------------


def test_a_translation_with_other_placeholders_is_not_compiled(folder: Path) -> None:
    build_translations.write(folder / "jepa_gfm_de.ts", "de", [Message("{a}", "{b}", "finished")], "JepaGfm")
    with pytest.raises(BuildError, match=r"jepa_gfm_de\.ts: '{b}' must hold {a}"):
        build_translations.compiled(folder, folder)


def test_without_lrelease_nothing_is_compiled_and_a_sentence_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build_translations, "lrelease", lambda: None)
    assert run() == 0
    assert not list(folder.glob("*.qm"))
    assert "install qttools5-dev-tools" in capsys.readouterr().out
