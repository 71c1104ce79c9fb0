"""The pages of docs/: links lead somewhere, commands exist, the tutorial runs, the references are those of the code."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
import pytest

import build_plugin
import gfm_core
from gfm_core.cli.main import gfm
from tests.conftest import REPOSITORY
from tests.test_cookbook import BOOK, agree

DOCS = REPOSITORY / "docs"
PAGES = [REPOSITORY / "README.md", *sorted(DOCS.rglob("*.md"))]
MKDOCS = REPOSITORY / ".venv-docs" / "bin" / "mkdocs"
PART = "337200,5816760,340800,5820360"  # of the sample scene, with every class on both sides of its split


def named(page: Path) -> str:
    return page.relative_to(REPOSITORY).as_posix()


def prose_of(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


# ---- Links -----------------------------------------------------------------------------------------------------------


def anchors_of(page: Path) -> set[str]:
    """Of the headings, where GitHub and MkDocs make the same of them: a link has to work in both."""
    found = set()
    for heading in re.findall(r"^#+ +(.+?)\s*$", prose_of(page), re.MULTILINE):
        shown = re.sub(r"[`*]|\]\([^)]*\)|\[", "", heading)
        plain = unicodedata.normalize("NFKD", shown).encode("ascii", "ignore").decode()
        mkdocs = re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower())
        github = re.sub(r"[^\w\s-]", "", shown.lower()).replace(" ", "-")
        if mkdocs == github:
            found.add(github)
    return found


def links_of(text: str) -> list[str]:
    """What a page links to and shows, but for addresses of the web."""
    links = re.findall(r"\]\(<?([^)\s>]+)", text) + re.findall(r"(?:src|href)=\"([^\"]+)\"", text)
    return [link for link in links if not re.match(r"[a-z]+:", link)]


def lost_links(page: Path) -> Iterator[str]:
    for link in links_of(prose_of(page)):
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_picture_and_anchor_of_a_page_leads_somewhere(page: Path) -> None:
    assert not list(lost_links(page))


def test_links_that_lead_nowhere_are_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One & two\n## `a` head\n[1](#a-head) [2](#b) [3](gone.md) ![4](no.png) [5](#one-two)\n[6](https://a/)"
    )
    assert list(lost_links(page)) == ["#b", "gone.md", "no.png", "#one-two"]


def test_every_page_stands_once_in_the_navigation_of_the_site() -> None:
    nav = (REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    told = re.findall(r"([\w/-]+\.md)$", nav, re.MULTILINE)
    assert sorted(told) == sorted(page.relative_to(DOCS).as_posix() for page in PAGES[1:])


# ---- Commands --------------------------------------------------------------------------------------------------------


def lines_of(page: Path) -> Iterator[str]:
    """Every line of the page's shell blocks that calls gfm; a line that goes on is one."""
    for block in re.findall(r"^```(?:sh|bash)\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if line.strip().startswith("gfm "):
                yield line.strip()


def options_of(parameters: list[click.Parameter]) -> set[str]:
    return {"--help", "-h", *(name for item in parameters for name in (*item.opts, *item.secondary_opts))}


def unknown_in(line: str) -> list[str]:
    """What `gfm` would refuse in a line: a command or options that do not exist."""
    words = shlex.split(line, comments=True)[1:]
    context = click.Context(gfm)
    name = next((word for word in words if not word.startswith("-")), "")
    command = gfm.get_command(context, name)
    if command is None:
        return [name]
    known = options_of(gfm.params) | options_of(command.params)
    return [word for word in words if re.match(r"--?[a-z]", word) and word.partition("=")[0] not in known]


@pytest.mark.parametrize("page", [page for page in PAGES if list(lines_of(page))], ids=named)
def test_the_commands_and_options_of_a_page_exist(page: Path) -> None:
    assert not [(line, unknown) for line in lines_of(page) if (unknown := unknown_in(line))]


def test_commands_and_options_that_do_not_exist_are_seen() -> None:
    assert unknown_in("gfm embed a.tif -o b.tif --cell 20 # --nothing") == []
    assert unknown_in("gfm embed a.tif --sell 20 -z") == ["--sell", "-z"]
    assert unknown_in("gfm imbed a.tif") == ["imbed"]


# ---- Pages that are made from the code -------------------------------------------------------------------------------


def test_the_references_are_those_of_the_code() -> None:
    """After a change: .venv/bin/python build_plugin.py --tools."""
    made = build_plugin.reference()
    assert [path.name for path, text in made.items() if path.read_text(encoding="utf-8") != text] == []
    there = {*(DOCS / "tools").glob("*.md"), *(DOCS / "reference").glob("*.md"), DOCS / "tools.md"}
    assert there == set(made)


def test_the_references_tell_of_every_command_option_and_name() -> None:
    page = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")
    context = click.Context(gfm)
    for name in gfm.list_commands(context):
        part = page.partition(f"\n## gfm {name}\n")[2].partition("\n## ")[0]
        command = gfm.get_command(context, name)
        assert command is not None
        told = [item for item in command.params if isinstance(item, click.Option) and not item.hidden]
        assert not [item.opts for item in told if f"`{item.opts[-1]}`" not in part], name
    names = re.findall(r"^### (\w+)$", (DOCS / "reference" / "python.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(names) == sorted(gfm_core.__all__)


# ---- The tutorial ----------------------------------------------------------------------------------------------------


def test_the_tutorial_runs_on_a_part_of_the_scene(tmp_path: Path) -> None:
    steps = list(BOOK.steps_of("../tutorial"))
    commands = [line for step in steps for line in step.code.splitlines() if line.startswith("gfm ")]
    assert [line.split()[1] for line in commands] == [
        "demo", "info", "embed", "classify", "suggest", "similar", "cluster", "cache",
    ]  # fmt: skip
    for step in steps:
        if step.code.startswith("gfm demo"):
            continue  # its steps follow one by one
        part = re.sub(r"^(gfm embed .*)$", rf"\1 --extent {PART}", step.code, flags=re.MULTILINE)
        BOOK.run_step(replace(step, code=part), tmp_path, tmp_path)
    for name in ("embedding_pca.png", "map_report/report.html", "next.gpkg", "alike_places.gpkg", "kinds.tif"):
        assert (tmp_path / name).stat().st_size > 0


@pytest.mark.long
def test_the_tutorial_prints_what_it_says(tmp_path: Path) -> None:
    for step in BOOK.steps_of("../tutorial"):
        printed = BOOK.run_step(step, tmp_path, tmp_path)
        if step.printed is not None:
            agree(step.printed, printed)


# ---- The site --------------------------------------------------------------------------------------------------------


def built(project: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """The site as `make docs` builds it, without a network."""
    if not MKDOCS.is_file():
        pytest.skip("no .venv-docs; make docs makes it")
    environ = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "HTTPS_PROXY": "http://127.0.0.1:9"}
    command = [str(MKDOCS), "build", "--strict", "--config-file", str(project / "mkdocs.yml"), "--site-dir", str(site)]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


@pytest.mark.long
def test_the_site_builds_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    ran = built(REPOSITORY, tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "WARNING" not in ran.stderr
    assert len(list(tmp_path.rglob("*.html"))) == len(PAGES[1:]) + 1  # and 404.html
    loaded = re.compile(r"<(?:script|img|iframe)[^>]*\ssrc=\"?(?:https?:)?//|<link[^>]*stylesheet[^>]*href=\"?https?:")
    assert not [page.name for page in tmp_path.rglob("*.html") if loaded.search(page.read_text(encoding="utf-8"))]


@pytest.mark.long
@pytest.mark.parametrize("line", ["[a](gone.md)", "[a](tools.md#gone)", "[a](../README.md)", "![a](gone.png)"])
def test_a_link_that_leads_nowhere_stops_the_site(line: str, tmp_path: Path) -> None:
    shutil.copytree(DOCS, tmp_path / "docs")
    shutil.copy(REPOSITORY / "mkdocs.yml", tmp_path)
    with (tmp_path / "docs" / "faq.md").open("a", encoding="utf-8") as page:
        page.write(f"\n{line}\n")
    assert built(tmp_path, tmp_path / "site").returncode == 1
