"""What holds for the repository as a whole: versions, arrows, a light import, the public API, small files."""

from __future__ import annotations

import configparser
import inspect
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
API_FILE = Path(__file__).with_name("public_api.txt")
HEAVY = ("torch", "torchgeo", "torchvision", "sklearn", "lightning", "matplotlib")


def project() -> dict[str, Any]:
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def plugin_metadata() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # QGIS keeps upper case
    parser.read(REPOSITORY / "metadata.txt", encoding="utf-8")
    return parser["general"]


# ---- Versions and licences -------------------------------------------------------------------------------------------


def test_the_plugin_and_the_citation_have_the_version_of_the_library() -> None:
    version = project()["version"]
    assert plugin_metadata()["version"] == version
    assert re.search(rf"^version: {re.escape(version)}$", (REPOSITORY / "CITATION.cff").read_text(), re.MULTILINE)


def test_the_changelog_tells_of_this_version() -> None:
    assert f"## [{project()['version']}]" in (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_plugin_says_what_qgis_needs_to_know() -> None:
    metadata = plugin_metadata()
    assert metadata["qgisMinimumVersion"] == "3.22"
    assert metadata["hasProcessingProvider"] == "yes"
    assert {"name", "description", "about", "author"} <= set(metadata)


def test_licence_texts_are_there() -> None:
    assert "MIT License" in (REPOSITORY / "LICENSE").read_text()
    gpl = (REPOSITORY / "LICENSES" / "GPL-2.0-or-later.txt").read_text()
    assert "GNU GENERAL PUBLIC LICENSE" in gpl
    assert "Version 2, June 1991" in gpl
    credits = (REPOSITORY / "LICENSES" / "sample-data.md").read_text(encoding="utf-8")
    assert "contains modified Copernicus Sentinel data 2017" in credits
    assert "OpenStreetMap contributors" in credits


# ---- Code ------------------------------------------------------------------------------------------------------------


def test_imports_follow_the_arrows() -> None:
    arrows = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    result = subprocess.run(arrows, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_importing_the_library_is_fast_and_loads_nothing_heavy() -> None:
    code = (
        "import sys, time; start = time.perf_counter(); import gfm_core; print(time.perf_counter() - start);"
        f"print(*(name for name in {HEAVY} if name in sys.modules))"
    )
    seconds = []
    for _ in range(5):  # the best of five: others may keep the machine busy
        run = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
        taken, loaded = run.stdout.splitlines()
        assert loaded == ""
        seconds.append(float(taken))
    assert min(seconds) < 0.3


# ---- The public API --------------------------------------------------------------------------------------------------


def api_of(name: str, thing: Any) -> list[str]:
    """A public name as text: its signature and, of a class, its public methods and properties."""
    if not callable(thing):
        return [f"{name}: {type(thing).__name__}"]
    lines = [f"{name}{signature(thing)}"]
    if inspect.isclass(thing):
        for member, value in sorted(inspect.getmembers_static(thing)):
            owner = next((kind for kind in thing.__mro__ if member in vars(kind)), object)
            if member.startswith("_") or not owner.__module__.startswith("gfm_core"):
                continue
            function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
            lines.append(f"{name}.{member}{signature(function) if inspect.isfunction(function) else ''}")
    return lines


def signature(thing: Any) -> str:
    try:
        return re.sub(r" at 0x[0-9a-f]+", "", str(inspect.signature(thing)))
    except (TypeError, ValueError):
        return "(...)"


def test_the_public_api_is_the_one_that_was_promised() -> None:
    """After a change on purpose: GFM_WRITE_API=1 python -m pytest tests/test_repository.py, and a line in CHANGELOG."""
    import gfm_core

    assert set(gfm_core.__all__) <= set(dir(gfm_core))
    text = "\n".join(line for name in sorted(gfm_core.__all__) for line in api_of(name, getattr(gfm_core, name))) + "\n"
    if os.environ.get("GFM_WRITE_API"):
        API_FILE.write_text(text, encoding="utf-8")
    assert API_FILE.is_file(), "tests/public_api.txt is missing; write it with GFM_WRITE_API=1."
    assert text == API_FILE.read_text(encoding="utf-8")


# ---- Files -----------------------------------------------------------------------------------------------------------


def tracked_files() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if listing.returncode != 0:
        pytest.skip("this is no git checkout, so nothing is tracked")
    return [REPOSITORY / name for name in listing.stdout.split("\0") if name and (REPOSITORY / name).is_file()]


def test_no_tracked_file_is_larger_than_3_mb() -> None:
    large = [f"{path.relative_to(REPOSITORY)}" for path in tracked_files() if path.stat().st_size > 3_000_000]
    assert not large


def pages() -> list[Path]:
    return [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_no_page_waits_for_its_figures(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.findall(r"^[A-Z][A-Z _-]{2,}$", text, re.MULTILINE)


def test_there_is_no_drawer_for_everything() -> None:
    drawers = {"utils", "util", "helpers", "helper", "misc", "common"}
    assert not [path for path in tracked_files() if path.suffix == ".py" and drawers & {path.stem, path.parent.name}]
