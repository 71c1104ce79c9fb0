"""Keeps the translations of the plugin, `qgis_plugin/i18n/jepa_gfm_LANGUAGE.ts`, in step with their template.

    .venv/bin/python build_translations.py                  every language takes over the template's sentences: what is
                                                            translated stays, new ones are unfinished, lost ones are
                                                            marked vanished; all are compiled for QGIS (.qm)
    .venv/bin/python build_translations.py --no-obsolete    the same, and vanished ones go
    .venv/bin/python build_translations.py --missing de     what is not translated, as JSON: {"sentence": ""}
    .venv/bin/python build_translations.py --fill de FILE   takes such a JSON back, filled in

The template itself, `jepa_gfm.ts`, is written by `build_plugin.py --tools`. Needs nothing but Python, and Qt's
`lrelease` to compile: Debian's package qttools5-dev-tools.
"""

from __future__ import annotations

import argparse
import functools
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

FOLDER = Path(__file__).resolve().parent / "qgis_plugin" / "i18n"
NAME = "jepa_gfm"

# As a path, since Debian's /usr/bin/lrelease is a chooser that may have nothing to choose from.
LRELEASE = ("/usr/lib/qt5/bin/lrelease", "lrelease", "lrelease-qt5", "lrelease-qt6", "/usr/lib/qt6/bin/lrelease")
NO_LRELEASE = (
    "Qt's lrelease is missing, so the plugin speaks English alone; install qttools5-dev-tools (Debian, Ubuntu)."
)


class BuildError(Exception):
    """What cannot be built as it is: one sentence with the mend."""


@dataclass(frozen=True)
class Message:
    """A sentence and its translation; `state`: finished, unfinished, or vanished from the template."""

    source: str
    text: str = ""
    state: str = "unfinished"
    note: str = ""  # the translator's own


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line asks; 1 with a sentence if something is not as it must be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--no-obsolete", action="store_true", help="drop translations of what the template lost")
    parser.add_argument("--missing", metavar="LANGUAGE", help="print what is not translated, as JSON")
    parser.add_argument("--fill", nargs=2, metavar=("LANGUAGE", "FILE"), help="take translations from such a JSON")
    options = parser.parse_args(arguments)
    try:
        if options.missing:
            print(json.dumps(missing(options.missing), indent=1, ensure_ascii=False))
        elif options.fill:
            fill(options.fill[0], Path(options.fill[1]))
        else:
            update_all(keep_vanished=not options.no_obsolete)
    except BuildError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


# ---- Files -----------------------------------------------------------------------------------------------------------


def template() -> Path:
    """The file with every sentence and no translation."""
    return FOLDER / f"{NAME}.ts"


def languages(folder: Path) -> dict[str, Path]:
    """The translations that there are: `{"de": .../jepa_gfm_de.ts}`."""
    return {path.stem.removeprefix(f"{NAME}_"): path for path in sorted(folder.glob(f"{NAME}_*.ts"))}


def read(path: Path) -> list[Message]:
    """The sentences of a TS file. Raises `BuildError` if it is none."""
    try:
        return [_message(node) for node in ElementTree.parse(path).iter("message")]
    except (OSError, ElementTree.ParseError) as error:
        raise BuildError(f"{path} cannot be read ({error}); mend it, or copy {NAME}.ts to it anew.") from error


def _message(node: ElementTree.Element) -> Message:
    state = ""
    translation = node.find("translation")
    if translation is not None:
        state = translation.get("type", "finished")
    state = {"obsolete": "vanished"}.get(state, state or "unfinished")
    return Message(
        node.findtext("source") or "",
        node.findtext("translation") or "",
        state,
        node.findtext("translatorcomment") or "",
    )


def write(path: Path, language: str, messages: list[Message], context: str) -> None:
    """Write a language's TS file."""
    path.write_text(ts_text(messages, context, language), encoding="utf-8")


def ts_text(messages: list[Message], context: str, language: str = "") -> str:
    """A TS file as Qt's own tools write it; the template has no language."""
    spoken = f' language="{language}"' if language else ""
    attributes = f'version="2.1"{spoken} sourcelanguage="en"'
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<!DOCTYPE TS>", f"<TS {attributes}>", "<context>"]
    lines.append(f"    <name>{context}</name>")
    for message in messages:
        state = "" if message.state == "finished" else f' type="{message.state}"'
        lines += ["    <message>", f"        <source>{_escaped(message.source)}</source>"]
        if message.note:
            lines.append(f"        <translatorcomment>{_escaped(message.note)}</translatorcomment>")
        lines += [f"        <translation{state}>{_escaped(message.text)}</translation>", "    </message>"]
    return "\n".join([*lines, "</context>", "</TS>", ""])


def _escaped(text: str) -> str:
    return escape(text, {'"': "&quot;", "'": "&apos;"})


# ---- In step with the template ---------------------------------------------------------------------------------------


def merged(sources: list[str], old: list[Message], *, keep_vanished: bool = True) -> list[Message]:
    """The template's sentences in its order with the old translations; then, vanished, the translations of others."""
    known = {message.source: message for message in old}
    now = []
    for source in sources:
        message = known.pop(source, Message(source))
        back = message.state == "vanished"  # it came back into the template
        now.append(replace(message, state="finished") if back else message)
    gone = [replace(message, state="vanished") for message in known.values() if message.text and keep_vanished]
    return [*now, *gone]


def update(path: Path, language: str, *, keep_vanished: bool = True) -> list[Message]:
    """Bring one language in step with the template; what it holds now."""
    sources = [message.source for message in read(template())]
    messages = merged(sources, read(path), keep_vanished=keep_vanished)
    write(path, language, messages, _context())
    return messages


def _context() -> str:
    return ElementTree.parse(template()).findtext("context/name") or ""


def update_all(*, keep_vanished: bool) -> None:
    """Bring every language in step, and compile it beside its source, where a plugin run from here finds it."""
    for language, path in languages(FOLDER).items():
        count = Counter(message.state for message in update(path, language, keep_vanished=keep_vanished))
        told = ", ".join(f"{count[state]} {state}" for state in ("finished", "unfinished", "vanished"))
        print(f"{path.name}: {told}")
    if not compiled(FOLDER, FOLDER):
        print(NO_LRELEASE)


def missing(language: str) -> dict[str, str]:
    """The sentences that wait for a translator, with what was begun."""
    messages = update(_of(language), language)
    return {message.source: message.text for message in messages if message.state == "unfinished"}


def fill(language: str, given: Path) -> None:
    """Take translations from a JSON; those that are empty stay unfinished."""
    path = _of(language)
    try:
        texts = json.loads(given.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BuildError(f"{given} cannot be read ({error}); give the JSON of --missing, filled in.") from error
    messages = [
        replace(message, text=texts[message.source], state="finished") if texts.get(message.source) else message
        for message in update(path, language)
    ]
    check(messages, path)
    unknown = sorted(set(texts) - {message.source for message in messages})
    if unknown:
        raise BuildError(f"{path.name} has no sentence {unknown[0]!r}; take what --missing {language} prints.")
    write(path, language, messages, _context())


def _of(language: str) -> Path:
    path = FOLDER / f"{NAME}_{language}.ts"
    if not path.is_file():
        raise BuildError(f"{path.name} is not there; begin it with: cp {template()} {path}")
    return path


# ---- Checked and compiled --------------------------------------------------------------------------------------------


def placeholders(text: str) -> list[str]:
    """What is put in later: `{name}` and `%1`."""
    return sorted(re.findall(r"\{\w*\}|%L?\d+|%n", text))


def check(messages: list[Message], path: Path) -> None:
    """Raise `BuildError` for a translation that would put in something else than its sentence."""
    for message in messages:
        if message.text and placeholders(message.text) != placeholders(message.source):
            raise BuildError(
                f"{path.name}: {message.text!r} must hold {' '.join(placeholders(message.source)) or 'no placeholder'}"
                f" like {message.source!r}; mend it."
            )


@functools.cache
def lrelease() -> str | None:
    """Qt's compiler of translations that runs here, if any does."""
    for name in LRELEASE:
        program = shutil.which(name)
        if program and subprocess.run([program, "-version"], capture_output=True, check=False).returncode == 0:
            return program
    return None


def compiled(folder: Path, into: Path) -> list[Path]:
    """Compile every translation of a folder for QGIS; none without `lrelease`. Raises `BuildError` for a wrong one."""
    found = languages(folder)
    for path in found.values():
        check(read(path), path)
    program = lrelease()
    if program is None:
        return []
    made = []
    for path in found.values():
        target = into / f"{path.stem}.qm"
        command = [program, "-silent", str(path), "-qm", str(target)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        if ran.returncode != 0 or not target.is_file():
            raise BuildError(f"lrelease refused {path} ({(ran.stderr or ran.stdout).strip()}); mend it.")
        made.append(target)
    return made


if __name__ == "__main__":
    sys.exit(main())
