"""Builds the QGIS plugin, `dist/jepa_gfm-VERSION.zip`: QGIS installs it from the file.

    .venv/bin/python build_plugin.py            the zip
    .venv/bin/python build_plugin.py --tools    what the plugin is given by the library and by its own code, written
                                                anew: qgis_plugin/tools.json, the translations' template, docs/tools.md,
                                                docs/tools/, docs/reference/
    .venv/bin/python build_plugin.py --pins     the versions that the plugin's set-up installs, those of this
                                                environment: qgis_plugin/setup/pins.txt

The zip holds `qgis_plugin/` as `jepa_gfm/`, its translations compiled (`build_translations.py`), the metadata, the
licence, and the library itself as a wheel. The same sources give the same bytes.
"""

from __future__ import annotations

import argparse
import ast
import configparser
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from build_translations import NO_LRELEASE, BuildError, Message, compiled, lrelease, ts_text
from gfm_core.tools.catalogue import catalogue
from reference_pages import commands_page, python_page
from tools_page import tool_pages, tools_page

REPOSITORY = Path(__file__).resolve().parent
PLUGIN = REPOSITORY / "qgis_plugin"
TOOLS = PLUGIN / "tools.json"
STRINGS = PLUGIN / "i18n" / "jepa_gfm.ts"
DOCS = REPOSITORY / "docs"
PINS = PLUGIN / "setup" / "pins.txt"

NAME = "jepa_gfm"  # of the plugin's folder in QGIS
LARGEST = 25_000_000  # bytes: what plugins.qgis.org takes
KINDS = {".py", ".json", ".svg", ".png", ".ts", ".txt"}  # of files of a plugin; any other has to be thought about

# What QGIS or its plugin repository reads; the four addresses are asked for by the repository alone.
NEEDED = (
    "name", "description", "about", "version", "author", "qgisMinimumVersion", "supportsQt6", "hasProcessingProvider",
    "icon", "experimental", "deprecated", "category", "tags", "license", "changelog",
)  # fmt: skip
ADDRESSES = ("email", "repository", "tracker", "homepage")

LIBRARY = ("pyproject.toml", "README.md", "LICENSE", "LICENSES", "gfm_core", "training/gfm_training")
EPOCH = 315_532_800  # 1980-01-01, the first date that a zip can hold
DATE = (1980, 1, 1, 0, 0, 0)

CONTEXT = "JepaGfm"  # of the translations: that of qgis_plugin/translation.py
MARKS = ("tr", "translatable")  # functions that take a visible text
VISIBLE = ("title", "help", "about", "label", "in_form", "keywords")  # in tools.json


def main() -> int:
    """Build, or write the generated files; 1 with a sentence if something is not as it must be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tools", action="store_true", help="write tools.json and the template of translations")
    parser.add_argument("--pins", action="store_true", help="write the versions of this environment to pins.txt")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "dist", help="folder of the zip")
    options = parser.parse_args()
    try:
        if options.tools:
            write_generated()
        elif options.pins:
            PINS.write_text(pins(), encoding="utf-8")
        else:
            tell(build(options.out))
    except BuildError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


def tell(archive: Path) -> None:
    """Say what was built, and what publishing it would need."""
    print(f"{archive}: {archive.stat().st_size / 1e6:.1f} MB; Plugins > Manage and Install Plugins > Install from ZIP")
    if lrelease() is None:
        print(NO_LRELEASE)
    missing = [key for key in ADDRESSES if key not in metadata()]
    if missing:
        print(f"plugins.qgis.org wants more in metadata.txt: {', '.join(missing)}.")


# ---- Generated files -------------------------------------------------------------------------------------------------


def write_generated() -> None:
    """Write tools.json, then the template, which holds its strings too."""
    TOOLS.write_text(tools_json(), encoding="utf-8")
    STRINGS.write_text(strings_template(), encoding="utf-8")
    for path, text in reference().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def reference() -> dict[Path, str]:
    """The pages of docs/ that are made from the code."""
    described = catalogue()
    made = {"tools.md": tools_page(described), "reference/commands.md": commands_page()}
    made |= {f"tools/{name}.md": text for name, text in tool_pages(described).items()}
    return {DOCS / name: text for name, text in (made | {"reference/python.md": python_page()}).items()}


def tools_json() -> str:
    """The description of all tools, as the library gives it."""
    return json.dumps(catalogue(), indent=1, ensure_ascii=False) + "\n"


def strings_template() -> str:
    """The template of translations (Qt's TS): every visible string of the code and of the tools, each once."""
    found = [*(text for path in code_files() for text in strings_of(path)), *visible_strings(json.loads(tools_json()))]
    return ts_text([Message(text) for text in dict.fromkeys(found)], CONTEXT)


def code_files() -> list[Path]:
    """The plugin's own code."""
    return [path for path in plugin_files() if path.suffix == ".py"]


def strings_of(path: Path) -> Iterator[str]:
    """What a file hands to `MARKS` as a literal. Raises `BuildError` for a text that is put together before."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    calls = [node for node in nodes if isinstance(node, ast.Call) and node.args and _is_tr(node.func)]
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
        text = call.args[0]
        if isinstance(text, ast.JoinedStr | ast.BinOp):
            place = f"{path.relative_to(REPOSITORY)}, line {call.lineno}"
            raise BuildError(f"{place}: a text put together inside tr() cannot be translated; format it after tr().")
        if isinstance(text, ast.Constant) and isinstance(text.value, str):
            yield text.value


def _is_tr(function: ast.expr) -> bool:
    return getattr(function, "id", getattr(function, "attr", "")) in MARKS


def visible_strings(described: Any, *, visible: bool = False) -> Iterator[str]:
    """The texts of tools.json that a user sees."""
    if isinstance(described, dict):
        for key, value in described.items():
            yield from visible_strings(value, visible=key in VISIBLE)
    elif isinstance(described, list):
        for value in described:
            yield from visible_strings(value, visible=visible)
    elif isinstance(described, str) and visible and described:
        yield from described.split("\n\n")  # a paragraph at a time


# ---- The versions that were tested ----------------------------------------------------------------------------------

_PINS_SAY = """\
# The versions that JEPA-GFM was tested with, as a constraint for pip: what the plugin's set-up installs. Written by
# `build_plugin.py --pins`. torch is a range, for its builds differ from computer to computer. What only other systems
# need (NVIDIA's libraries, Windows's colorama) follows from these.
"""
_RANGES = {"torch": ">=2.6,<2.15", "setuptools": ">=70"}  # some releases of torch want setuptools below 82

_OF_TORCH = ("nvidia-", "cuda-", "triton")


def pins() -> str:
    """The packages of this environment that the library needs, directly or not, each with its version."""
    lines = []
    for name, version in sorted(needed_packages().items()):
        tested = f"  # tested: {version}" if name in _RANGES else ""
        lines.append(f"{name}{_RANGES.get(name, f'=={version}')}{tested}\n")
    return _PINS_SAY + "".join(lines)


def needed_packages() -> dict[str, str]:
    """What the library needs here: names as registries write them, and versions.

    A marker that does not hold here is seen by the package not being there. NVIDIA's packages are left to torch: each
    of its releases wants others.
    """
    waiting = list(dependencies())
    found: dict[str, str] = {}
    while waiting:
        name = waiting.pop()
        if name in found or name.startswith(_OF_TORCH):
            continue
        try:
            package = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        found[name] = package.version
        waiting += [name_of(line) for line in package.requires or [] if "extra ==" not in line]
    return found


def dependencies() -> list[str]:
    """The names of what the library asks for."""
    told = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    return [name_of(line) for line in told["project"]["dependencies"]]


def name_of(requirement: str) -> str:
    """The name of a package in one spelling: `lazy_loader>=0.4` is `lazy-loader`."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0]).lower()


def check_pins() -> None:
    """Raise `BuildError` for a dependency without a tested version."""
    lines = PINS.read_text(encoding="utf-8").splitlines() if PINS.is_file() else []
    missing = sorted(set(dependencies()) - {name_of(line) for line in lines})
    if missing:
        name = PINS.relative_to(REPOSITORY)
        raise BuildError(f"{name} lacks {', '.join(missing)}; run .venv/bin/python build_plugin.py --pins.")


# ---- Checks ----------------------------------------------------------------------------------------------------------


def metadata() -> dict[str, str]:
    """`metadata.txt` as QGIS reads it."""
    parser = configparser.ConfigParser()
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # QGIS keeps upper case
    parser.read(REPOSITORY / "metadata.txt", encoding="utf-8")
    return dict(parser["general"])


def project_version() -> str:
    """The one version number."""
    return str(tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def check_metadata(told: dict[str, str]) -> None:
    """Raise `BuildError` for a key that is missing or says what is not so."""
    missing = [key for key in NEEDED if not told.get(key, "").strip()]
    if missing:
        raise BuildError(f"metadata.txt lacks {', '.join(missing)}; add it.")
    if told["version"] != project_version():
        raise BuildError(f"metadata.txt is {told['version']} and pyproject.toml {project_version()}; make them one.")
    if not (PLUGIN / told["icon"]).is_file():
        raise BuildError(f"metadata.txt names the icon {told['icon']}, which is not in qgis_plugin; name one that is.")
    for key in ADDRESSES:
        if re.search(r"^$|\bexample\.|\blocalhost\b|\bTODO\b", told.get(key, "-")):
            raise BuildError(f"{key} in metadata.txt leads nowhere; leave it out until there is an address.")


def check_generated() -> None:
    """Raise `BuildError` if the generated files are not those of this library and this code."""
    made = {TOOLS: tools_json(), STRINGS: strings_template(), **reference()}
    for path, text in made.items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            name = path.relative_to(REPOSITORY)
            raise BuildError(f"{name} is out of date; run .venv/bin/python build_plugin.py --tools.")


# ---- The library's wheel ---------------------------------------------------------------------------------------------


def build_wheel(into: Path) -> Path:
    """Build the library's wheel from a copy, for what an earlier build left in the repository must not get in."""
    with tempfile.TemporaryDirectory() as place:
        source = Path(place) / "source"
        copy_library(source)
        command = [
            sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps",
            *([] if _needs_isolation() else ["--no-build-isolation"]), "--wheel-dir", str(into), str(source),
        ]  # fmt: skip
        environ = {**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH)}
        ran = subprocess.run(command, env=environ, umask=0o022, capture_output=True, text=True, check=False)
    wheels = list(into.glob("*.whl"))
    if ran.returncode != 0 or len(wheels) != 1:
        last = ((ran.stderr or ran.stdout).strip().splitlines() or ["it said nothing"])[-1]
        raise BuildError(f"pip could not build the library's wheel ({last}); see it all with: {' '.join(command)}")
    return wheels[0]


def copy_library(target: Path) -> None:
    """Copy what the wheel is made from; the modes of data files, which the wheel keeps, are everybody's to read."""
    skipped = shutil.ignore_patterns("__pycache__", ".*", "*.egg-info", "*.aux.xml")
    for name in LIBRARY:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=skipped, copy_function=shutil.copyfile)
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target / name)
    for path in target.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _needs_isolation() -> bool:
    """Whether pip has to fetch setuptools by itself: what is here is too old to build this project, or not there."""
    try:
        return int(importlib.metadata.version("setuptools").split(".")[0]) < 77
    except importlib.metadata.PackageNotFoundError:
        return True


# ---- The zip ---------------------------------------------------------------------------------------------------------


def plugin_files() -> list[Path]:
    """The files of the plugin. Raises `BuildError` for one of a kind that has no place there."""
    found = [path for path in sorted(PLUGIN.rglob("*")) if path.is_file() and not _left_out(path)]
    strange = [path.relative_to(REPOSITORY) for path in found if path.suffix not in KINDS]
    if strange:
        raise BuildError(f"{strange[0]} is no file of a plugin; remove it, or add its kind to build_plugin.py.")
    return found


def _left_out(path: Path) -> bool:
    parts = path.relative_to(PLUGIN).parts
    if path.suffix == ".qm":
        return True  # compiled earlier, perhaps from another translation; the build compiles its own
    return any(part.startswith(".") or part in {"__pycache__", "tests"} for part in parts)


def contents(wheel: Path, translations: list[Path]) -> dict[str, Path]:
    """Every file of the zip: its name inside, and where it is now."""
    found = {path.relative_to(PLUGIN).as_posix(): path for path in plugin_files()}
    found["metadata.txt"] = REPOSITORY / "metadata.txt"
    found["LICENSE"] = REPOSITORY / "LICENSES" / "GPL-2.0-or-later.txt"
    found[f"wheels/{wheel.name}"] = wheel
    found |= {f"i18n/{path.name}": path for path in translations}
    return {f"{NAME}/{name}": path for name, path in sorted(found.items())}


def write_zip(archive: Path, files: dict[str, Path]) -> None:
    """Write the files with one date and mode, so that only their bytes count."""
    with zipfile.ZipFile(archive, "w") as target:
        for name, path in files.items():
            entry = zipfile.ZipInfo(name, DATE)
            entry.external_attr = 0o100644 << 16
            target.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, 9)


def build(folder: Path) -> Path:
    """Check, build and return the zip; an older one of the same name is replaced."""
    check_metadata(metadata())
    check_generated()
    check_pins()
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f"{NAME}-{project_version()}.zip"
    with tempfile.TemporaryDirectory(dir=folder) as place:
        made = Path(place) / archive.name
        translations = compiled(PLUGIN / "i18n", Path(place))
        write_zip(made, contents(build_wheel(Path(place)), translations))
        if made.stat().st_size > LARGEST:
            size = made.stat().st_size / 1e6
            raise BuildError(f"The plugin has {size:.1f} MB and plugins.qgis.org takes 25; make it smaller.")
        made.replace(archive)
    return archive


if __name__ == "__main__":
    sys.exit(main())
