"""The QGIS plugin as it is handed out: what is in the zip, what is not, and what its code may use."""

from __future__ import annotations

import ast
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

import build_plugin
from build_plugin import BuildError
from build_translations import NO_LRELEASE, compiled, lrelease

REPOSITORY = Path(__file__).resolve().parent.parent
PLUGIN = REPOSITORY / "qgis_plugin"
VERSION = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
WHEEL = f"jepa_gfm/wheels/jepa_gfm-{VERSION}-py3-none-any.whl"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip, built by the command."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, str(REPOSITORY / "build_plugin.py"), "--out", str(folder)]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert [path.name for path in folder.iterdir()] == [f"jepa_gfm-{VERSION}.zip"]
    return folder / f"jepa_gfm-{VERSION}.zip"


@pytest.fixture(scope="module")
def names(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as opened:
        return opened.namelist()


@pytest.fixture(scope="module")
def wheel(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with zipfile.ZipFile(archive) as opened:
        return Path(opened.extract(WHEEL, tmp_path_factory.mktemp("wheel")))


# ---- The zip ---------------------------------------------------------------------------------------------------------


def test_the_zip_is_one_folder_with_what_qgis_looks_for(names: list[str]) -> None:
    assert {name.partition("/")[0] for name in names} == {"jepa_gfm"}
    wanted = ("__init__.py", "metadata.txt", "LICENSE", "tools.json", "icons/icon.png", "icons/jepa_gfm.svg")
    assert {f"jepa_gfm/{name}" for name in wanted} | {WHEEL} <= set(names)


def test_every_module_of_the_plugin_is_in_the_zip(names: list[str]) -> None:
    modules = {path.relative_to(PLUGIN).as_posix() for path in PLUGIN.rglob("*.py")}
    assert {f"jepa_gfm/{name}" for name in modules} == {name for name in names if name.endswith(".py")}


def test_every_translation_is_in_the_zip_as_qgis_reads_it(archive: Path, names: list[str], tmp_path: Path) -> None:
    if lrelease() is None:
        pytest.skip(NO_LRELEASE)
    made = {f"jepa_gfm/i18n/{path.name}": path for path in compiled(PLUGIN / "i18n", tmp_path)}
    assert made.keys() == {name for name in names if name.endswith(".qm")}
    with zipfile.ZipFile(archive) as opened:
        assert all(opened.read(name) == path.read_bytes() for name, path in made.items())


def test_a_translation_compiled_earlier_does_not_get_into_the_zip(
    tmp_path: Path, plugin_in: Callable[[Path], Path]
) -> None:
    (plugin_in(tmp_path) / "i18n" / "jepa_gfm_xx.qm").write_bytes(b"old")
    assert not [path for path in build_plugin.plugin_files() if path.suffix == ".qm"]


def test_nothing_compiled_hidden_or_of_a_test_is_in_the_zip(names: list[str]) -> None:
    forbidden = re.compile(r"(^|/)(\.|__pycache__|__MACOSX|tests?/)|\.(pyc|pyo|so|pyd|dll|dylib|orig|bak)$|~$")
    assert not [name for name in names if forbidden.search(name)]


def test_the_zip_is_small_enough_for_the_plugin_repository(archive: Path) -> None:
    assert archive.stat().st_size <= 25_000_000


def test_the_licence_in_the_zip_is_the_gpl(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        text = opened.read("jepa_gfm/LICENSE").decode()
    assert "GNU GENERAL PUBLIC LICENSE" in text
    assert "Version 2, June 1991" in text


def test_the_same_sources_give_the_same_bytes_whatever_the_umask(archive: Path, tmp_path: Path) -> None:
    umask = os.umask(0o077)
    try:
        again = build_plugin.build(tmp_path)
    finally:
        os.umask(umask)
    assert again.read_bytes() == archive.read_bytes()


def test_a_file_of_an_unknown_kind_stops_the_build(tmp_path: Path, plugin_in: Callable[[Path], Path]) -> None:
    (plugin_in(tmp_path) / "notes.docx").write_text("")
    with pytest.raises(BuildError, match=r"qgis_plugin/notes\.docx is no file of a plugin"):
        build_plugin.plugin_files()


@pytest.fixture
def plugin_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Path]:
    """Makes a copy of the plugin in a folder, which is then the one to build."""

    def copy(folder: Path) -> Path:
        shutil.copytree(PLUGIN, folder / "qgis_plugin", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("metadata.txt", "pyproject.toml"):
            shutil.copy(REPOSITORY / name, folder)
        monkeypatch.setattr(build_plugin, "REPOSITORY", folder)
        monkeypatch.setattr(build_plugin, "PLUGIN", folder / "qgis_plugin")
        monkeypatch.setattr(build_plugin, "TOOLS", folder / "qgis_plugin" / "tools.json")
        monkeypatch.setattr(build_plugin, "STRINGS", folder / "qgis_plugin" / "i18n" / "jepa_gfm.ts")
        monkeypatch.setattr(build_plugin, "DOCS", folder / "docs")
        monkeypatch.setattr(build_plugin, "PINS", folder / "qgis_plugin" / "setup" / "pins.txt")
        return folder / "qgis_plugin"

    return copy


# ---- Metadata and icons ----------------------------------------------------------------------------------------------


def test_the_metadata_of_the_zip_are_those_that_qgis_needs(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        assert opened.read("jepa_gfm/metadata.txt") == (REPOSITORY / "metadata.txt").read_bytes()
        assert f"jepa_gfm/{build_plugin.metadata()['icon']}" in opened.namelist()
    told = build_plugin.metadata()
    assert told["version"] == VERSION
    assert told["license"] == "GPL-2.0-or-later"
    assert told["changelog"].startswith(VERSION)
    assert len(told["description"]) < 200


def test_no_address_of_the_metadata_is_made_up() -> None:
    text = (REPOSITORY / "metadata.txt").read_text(encoding="utf-8")
    assert not re.search(r"example\.(org|com|net)|localhost|your[-_ ]?(name|org)|TODO", text)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("category=Raster\n", "", r"metadata\.txt lacks category"),
        (f"version={VERSION}", "version=9.9.9", r"metadata\.txt is 9\.9\.9 and pyproject\.toml"),
        ("icon=icons/icon.png", "icon=icon.png", r"names the icon icon\.png"),
        ("category=", "homepage=https://example.org\ncategory=", "homepage in metadata.txt leads nowhere"),
        ("category=", "email=\ncategory=", "email in metadata.txt leads nowhere"),
    ],
)
def test_metadata_that_are_not_right_stop_the_build(
    old: str, new: str, sentence: str, tmp_path: Path, plugin_in: Callable[[Path], Path]
) -> None:
    plugin_in(tmp_path)
    text = (tmp_path / "metadata.txt").read_text(encoding="utf-8")
    (tmp_path / "metadata.txt").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BuildError, match=sentence):
        build_plugin.build(tmp_path)


def test_the_picture_of_the_plugin_is_small_and_square(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        data = opened.read("jepa_gfm/icons/icon.png")
    picture = Image.open(io.BytesIO(data))
    assert picture.format == "PNG"
    assert picture.size == (64, 64)
    assert len(data) < 10_000


def test_the_plugin_and_every_tool_have_a_drawn_icon() -> None:
    tools = json.loads((PLUGIN / "tools.json").read_text(encoding="utf-8"))["tools"]
    for name in ("jepa_gfm", *(re.sub(r"\W", "", tool["title"]).lower() for tool in tools)):
        root = ElementTree.parse(PLUGIN / "icons" / f"{name}.svg").getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root.get("viewBox") == "0 0 24 24"


# ---- Generated files -------------------------------------------------------------------------------------------------


def test_tools_json_is_the_library_s_own_description() -> None:
    assert (PLUGIN / "tools.json").read_text(encoding="utf-8") == build_plugin.tools_json()


def test_the_template_of_translations_is_up_to_date() -> None:
    assert build_plugin.STRINGS.read_text(encoding="utf-8") == build_plugin.strings_template()


def test_the_template_holds_every_text_of_the_forms_once() -> None:
    sources = [node.text for node in ElementTree.parse(build_plugin.STRINGS).iter("source")]
    assert len(sources) == len(set(sources))
    for tool in json.loads((PLUGIN / "tools.json").read_text(encoding="utf-8"))["tools"]:
        texts = [tool["title"], tool["help"], *tool["about"].split("\n\n")]
        texts += [item[key] for item in (*tool["parameters"], *tool["outcome"]) for key in ("label", "help")]
        assert set(texts) <= set(sources)


def test_texts_of_tr_are_found_in_the_order_of_the_code(tmp_path: Path) -> None:
    path = tmp_path / "some.py"
    path.write_text('self.tr("One & <two>").format(translatable("Two"), tr(name))\nx = tr("Three")\n')
    assert list(build_plugin.strings_of(path)) == ["One & <two>", "Two", "Three"]


@pytest.mark.parametrize("text", ['f"Hello {name}"', '"Hello " + name', '"Hello %s" % name'])
def test_a_text_put_together_inside_tr_stops_the_build(
    text: str, tmp_path: Path, plugin_in: Callable[[Path], Path]
) -> None:
    path = plugin_in(tmp_path) / "some.py"
    path.write_text(f"\nfrom x import tr\ntr({text})\n")
    with pytest.raises(BuildError, match=r"qgis_plugin/some\.py, line 3"):
        list(build_plugin.strings_of(path))


@pytest.mark.parametrize("name", ["tools.json", "i18n/jepa_gfm.ts"])
def test_a_generated_file_that_is_out_of_date_stops_the_build(
    name: str, tmp_path: Path, plugin_in: Callable[[Path], Path]
) -> None:
    path = plugin_in(tmp_path) / name
    path.write_text(path.read_text(encoding="utf-8").replace("Cell size", "Cell side"), encoding="utf-8")
    with pytest.raises(BuildError, match=r"is out of date; run .*build_plugin\.py --tools"):
        build_plugin.build(tmp_path / "dist")


# ---- The library inside ----------------------------------------------------------------------------------------------


def test_the_library_inside_installs_and_brings_its_model_and_its_sample(wheel: Path, tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(tmp_path)]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    code = (
        "import json, gfm_core, importlib.metadata as m; from gfm_core.assets import model_files, sample_folder;"
        "print(json.dumps([gfm_core.__file__, m.version('jepa-gfm'), [str(p) for p in model_files().values()],"
        "[str(p) for p in sample_folder().iterdir()]]))"
    )
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", code], env=environ, cwd=tmp_path, capture_output=True, check=True)
    place, version, models, sample = json.loads(ran.stdout)
    assert Path(place).parent.parent == tmp_path
    assert version == VERSION
    assert models
    for path in (*models, *sample):
        source = REPOSITORY / Path(path).relative_to(tmp_path)
        if source.is_file():
            assert Path(path).read_bytes() == source.read_bytes()
    assert {"landuse.gpkg", "s2_l1c_10m.tif", "s2_l1c_20m.tif", "s2_l1c_60m.tif"} <= {Path(p).name for p in sample}


def test_the_library_inside_is_the_whole_library_with_its_licences(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
    for package, place in (("gfm_core", "gfm_core"), ("gfm_training", "training/gfm_training")):
        modules = {path.relative_to(REPOSITORY / place).as_posix() for path in (REPOSITORY / place).rglob("*.py")}
        assert {f"{package}/{module}" for module in modules} == {
            name for name in names if name.startswith(f"{package}/") and name.endswith(".py")
        }
    assert {Path(name).name for name in names} >= {"LICENSE", "sample-data.md", "weights.md", "py.typed"}
    assert not [name for name in names if name.endswith(".aux.xml")]  # QGIS's statistics, beside what it once showed


# ---- The plugin's code -----------------------------------------------------------------------------------------------


def modules() -> list[Path]:
    return sorted(PLUGIN.rglob("*.py"))


def imported(tree: ast.AST) -> Iterator[str]:
    """The top names of what a module imports, but for its own package."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (item.name.partition(".")[0] for item in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield str(node.module).partition(".")[0]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PLUGIN)))
def test_a_module_of_the_plugin_uses_nothing_but_qgis_and_the_standard_library(path: Path) -> None:
    allowed = {*sys.stdlib_module_names, "qgis", "processing"} - {"tomllib"}  # not in Python 3.9
    assert not sorted(set(imported(ast.parse(path.read_text(encoding="utf-8")))) - allowed)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PLUGIN)))
def test_a_module_of_the_plugin_can_be_read_by_the_oldest_python_of_qgis(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
    newer = {"zip": {"strict"}, "dataclass": {"slots", "kw_only", "match_args"}, "field": {"kw_only"}}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            assert not {word.arg for word in node.keywords} & newer.get(called, set()), f"line {node.lineno}"
            if called in {"isinstance", "issubclass"}:
                assert not isinstance(node.args[1], ast.BinOp), f"line {node.lineno}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PLUGIN)))
def test_annotations_of_the_plugin_are_not_run(path: Path) -> None:
    """`str | None` in an annotation is an error in Python 3.9 if it is run."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AnnAssign)]
    future = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    assert future or not functions
