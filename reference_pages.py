"""`docs/reference/`: every command, from click, and every public name of the library (build_plugin.py --tools)."""

from __future__ import annotations

import enum
import inspect
import re
from collections.abc import Iterable, Iterator
from typing import Any

import click

import gfm_core
from gfm_core.cli.main import gfm
from gfm_core.parameters import parameters_of
from gfm_core.tools.catalogue import catalogue

_WIDTH = 100  # of a signature in one line

# ---- Commands --------------------------------------------------------------------------------------------------------


def commands_page() -> str:
    """The page of `gfm`, its commands in the order of `gfm --help`."""
    group = click.Context(gfm, info_name="gfm", **gfm.context_settings)  # click keeps the -h that it sees first
    lines = [
        "# Commands",
        "",
        "Made from the commands themselves; `gfm COMMAND --help` says the same. What a tool is for, and what it "
        "gives, stands on [its page](../tools.md). An error is one sentence and exit code 1, wrong usage is 2, an "
        "interrupt 130.",
        "",
        "Before the command, as in `gfm --quiet embed ...`:",
        "",
        *_options(gfm.params),
    ]
    for name in gfm.list_commands(group):
        command = gfm.get_command(group, name)
        if command is not None:
            lines += ["", f"## gfm {name}", "", *_command(command, click.Context(command, group, name))]
    return "\n".join(lines) + "\n"


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    """What it says of itself, its examples, its usage and its options."""
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        if paragraph.startswith("\b\n"):
            examples = [re.sub(r"(?<=\S) {3,}(?=\S)", "    # ", line) for line in paragraph.splitlines()[1:]]
            yield from ("```sh", *examples, "```", "")
        else:
            yield from (_cell(paragraph), "")
    usage = " ".join(command.collect_usage_pieces(context))
    yield from ("```text", f"gfm {context.info_name} {usage}", "```", "")
    yield from _options(command.params)


def _options(parameters: Iterable[click.Parameter]) -> Iterator[str]:
    """A table of the options that are shown; nothing where there is none."""
    shown = [item for item in parameters if isinstance(item, click.Option) and not item.hidden]
    if not shown:
        yield "It has no options."
        return
    yield "| option | value | what |"
    yield "|---|---|---|"
    for item in shown:
        needed = " **Needed.**" if item.required else ""
        yield f"| {_code(item.opts)} | {_value(item)} | {_cell(item.help or '')}{needed} |"


def _value(option: click.Option) -> str:
    """What an option takes; nothing for a switch."""
    if option.is_flag:
        return ""
    if option.metavar:
        return _code(option.metavar.split("|"))
    if isinstance(option.type, click.Choice):
        return _code(map(str, option.type.choices))
    return _code([option.type.name.removesuffix(" range").upper()])


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


# ---- The library -----------------------------------------------------------------------------------------------------

_PARTS = (
    ("Functions", "What a script calls. Those of the tools take the parameters of the tool's page by name."),
    ("Objects", "What the functions take and give."),
    (
        "Parameters",
        "One frozen object a tool: the description that forms, commands and functions are made from. "
        "`from_dict` and `to_dict` read and write plain values, `provenance` gives what can change a result.",
    ),
    ("Errors", "Every error that a user can mend is a `GfmError`: one sentence that says what is wrong, and its mend."),
)
_TOOLS = {tool["name"] for tool in catalogue()["tools"]}  # each has a page


def python_page() -> str:
    """The page of `gfm_core.__all__`: signatures and docstrings."""
    names: dict[str, list[str]] = {part: [] for part, _ in _PARTS}
    for name in sorted(gfm_core.__all__):
        names[_part_of(getattr(gfm_core, name))].append(name)
    lines = [
        "# Python",
        "",
        f"Every public name of `gfm_core`, {len(gfm_core.__all__)} in all, made from the code. `import gfm_core as "
        "gfm` is quick: what is heavy loads when it is first used. A first script stands in [the index](../index.md).",
    ]
    for part, what in _PARTS:
        lines += ["", f"## {part}", "", what]
        for name in names[part]:
            lines += ["", f"### {name}", "", *_thing(name, getattr(gfm_core, name))]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


def _part_of(thing: Any) -> str:
    if not inspect.isclass(thing):
        return "Functions"
    if issubclass(thing, BaseException):
        return "Errors"
    return "Parameters" if thing.__name__.endswith("Parameters") else "Objects"


def _thing(name: str, thing: Any) -> Iterator[str]:
    """Signature and docstring; of a class its public methods and properties too."""
    part = _part_of(thing)
    text = inspect.getdoc(thing) or ""
    if part == "Parameters":
        yield f"{text.partition(chr(10))[0]} Its fields: {_code(info.name for info in parameters_of(thing))}."
        return
    if part == "Errors":
        yield f"A `{thing.__mro__[1].__name__}`. {text}"
        return
    if inspect.isclass(thing) and issubclass(thing, enum.Enum):
        yield from (text, "", f"Values: {_code(member.name for member in thing)}.")
        return
    yield from ("```python", *_signature(name, thing), "```", "")
    yield from _docstring(text)
    if name in _TOOLS:
        yield from (f"Parameters: [{name}](../tools/{name}.md).", "")
    elif name == "suggest_labels":
        yield from ("Parameters: those of [gfm suggest](commands.md#gfm-suggest).", "")
    if inspect.isclass(thing):
        yield from _members(thing)


def _docstring(text: str) -> Iterator[str]:
    """Without the list of parameters, which stands on the tool's page; what is indented stays as it is."""
    text = text.partition("\n\nParameters:\n")[0]
    for paragraph in text.split("\n\n"):
        if paragraph.startswith("    "):
            yield from ("```python", *inspect.cleandoc(paragraph).splitlines(), "```", "")
        else:
            yield from (paragraph.replace("<", "&lt;"), "")


def _members(kind: type) -> Iterator[str]:
    """A line for each public method and property of ours, with its first sentence."""
    for name, value in sorted(inspect.getmembers_static(kind)):
        owner = next((one for one in kind.__mro__ if name in vars(one)), object)
        if name.startswith("_") or not owner.__module__.startswith("gfm_core"):
            continue
        function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        if inspect.isfunction(function):
            called = "".join(_signature(name, function, width=10_000)).removeprefix("def ")
        elif isinstance(value, property):
            called = name
        else:
            continue
        said = " ".join((inspect.getdoc(function) or "").split("\n\n")[0].split())
        yield f"* `{called}`: {said}" if said else f"* `{called}`"


def _signature(name: str, thing: Any, *, width: int = _WIDTH) -> list[str]:
    """`name(...)` as it is written, a parameter a line where one line is too long; without `self`."""
    signature = inspect.signature(thing)
    words = [_shown(item) for item in signature.parameters.values() if item.name not in ("self", "cls")]
    stars = [place for place, item in enumerate(signature.parameters.values()) if item.kind is item.KEYWORD_ONLY]
    skipped = len(signature.parameters) - len(words)
    if stars and not any(item.kind is item.VAR_POSITIONAL for item in signature.parameters.values()):
        words.insert(stars[0] - skipped, "*")
    given = "" if inspect.isclass(thing) else f" -> {_annotation(signature.return_annotation)}"
    line = f"{name}({', '.join(words)}){given}"
    if len(line) <= width:
        return [line]
    return [f"{name}(", *(f"    {word}," for word in words), f"){given}"]


def _shown(item: inspect.Parameter) -> str:
    stars = {item.VAR_POSITIONAL: "*", item.VAR_KEYWORD: "**"}.get(item.kind, "")
    said = stars + item.name
    if item.annotation is not item.empty:
        said += f": {_annotation(item.annotation)}"
    if item.default is not item.empty:
        said += f" = {re.sub(r' at 0x[0-9a-f]+', '', repr(item.default))}"
    return said


def _annotation(annotation: Any) -> str:
    """A type as it is written, without the names of modules."""
    said = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Za-z])", "", said.strip("'"))
