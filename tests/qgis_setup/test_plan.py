"""What is run, with which variables, and which build of torch is taken."""

from __future__ import annotations

import importlib.metadata
import re
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

import build_plugin
from qgis_plugin.environment import Check
from qgis_plugin.setup import builds, plan
from qgis_plugin.setup.failures import SetupError
from qgis_plugin.setup.plan import Order
from qgis_plugin.setup.report import blanked, report

REPOSITORY = Path(__file__).resolve().parents[2]
PINS = plan.PINS.read_text(encoding="utf-8")
ORDER = Order(Path("/data/environment"), Path("/plugin/jepa_gfm.whl"), plan.PINS, "0.1.0")


# ---- torch -----------------------------------------------------------------------------------------------------------

OFFERED = ["torch (2.15.0)", "Available versions: 2.15.0+cpu, 2.14.1, 2.13.0+cpu, 2.13.0, 2.12.0+cpu, 2.5.1+cpu"]


def test_of_what_pip_offers_the_newest_cpu_build_in_the_tested_range_is_taken() -> None:
    found = builds.local_cpu_torch(OFFERED, PINS)
    assert found is not None
    assert found.arguments == ("torch==2.13.0+cpu",)
    assert builds.local_cpu_torch(["Available versions: 2.14.1, 2.5.1+cpu"], PINS) is None
    assert builds.local_cpu_torch([], PINS) is None


def test_the_index_of_cpu_builds_is_used_if_it_answered_with_one() -> None:
    assert builds.cpu_index_torch(["Available versions: 2.14.1"]) is None
    found = builds.cpu_index_torch(OFFERED)
    assert found is not None
    assert found.arguments == ("--extra-index-url", "https://download.pytorch.org/whl/cpu")


@pytest.mark.parametrize(
    ("platform", "asked", "arguments", "need"),
    [
        ("linux", {"nvidia": True, "offline": False}, (), 7.0),
        ("linux", {"nvidia": False, "offline": False}, (), 7.0),
        ("linux", {"nvidia": False, "offline": True}, (), 1.6),
        ("win32", {"nvidia": False, "offline": False}, (), 1.6),
        ("win32", {"nvidia": True, "offline": False}, ("--extra-index-url", builds.CUDA_INDEX), 7.0),
        ("win32", {"nvidia": True, "offline": True}, (), 1.6),
        ("darwin", {"nvidia": False, "offline": False}, (), 1.6),
    ],
)
def test_without_a_cpu_build_the_registry_s_torch_is_taken_for_what_it_weighs(
    monkeypatch: pytest.MonkeyPatch, platform: str, asked: dict[str, bool], arguments: tuple[str, ...], need: float
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    found = builds.default_torch(**asked)
    assert (found.arguments, found.need) == (arguments, need)


@pytest.mark.parametrize(("script", "there"), [("echo 'GPU 0: NVIDIA H100'", True), ("exit 9", False), (None, False)])
def test_a_graphics_card_is_one_that_its_driver_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, there: bool
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    if script is not None:
        (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "nvidia-smi").chmod(0o755)
    assert builds.has_nvidia() is there


# ---- Commands and variables ------------------------------------------------------------------------------------------


def test_the_wheel_is_installed_with_the_tested_versions_and_into_no_other_place() -> None:
    command = plan.install("/e/bin/python", ORDER, builds.Torch(("torch==2.13.0+cpu",)))
    assert command[:6] == ["/e/bin/python", "-I", "-X", "utf8", "-m", "pip"]
    assert ["/plugin/jepa_gfm.whl", "--constraint", str(plan.PINS)] == command[7 + command[6:].index("install") - 0 :][
        :3
    ]
    assert {"--no-user", "--no-input", "torch==2.13.0+cpu"} <= set(command)
    assert "--no-index" not in command


def test_pip_gets_the_user_s_settings_and_the_proxy_by_a_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = {"PIP_INDEX_URL": "https://mirror", "PIP_CERT": "/c.pem", "HTTPS_PROXY": "http://p:1"}
    dropped = {"PIP_USER": "1", "PIP_TARGET": "/t", "PYTHONPATH": "/qgis", "GDAL_DATA": "/qgis"}
    for name, value in {**kept, **dropped}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PIP_PROXY", raising=False)
    order = replace(ORDER, proxy="http://ana:secret@proxy:3128")
    told = plan.environ(order, tmp_path)
    assert kept.items() <= told.items()
    assert not set(dropped) & set(told)
    assert told["TMPDIR"] == str(tmp_path)
    assert told["PIP_PROXY"] == "http://ana:secret@proxy:3128"
    assert "secret" not in " ".join(plan.install("python", order, builds.Torch()))
    monkeypatch.setenv("PIP_PROXY", "http://own:1")
    assert plan.environ(order, tmp_path)["PIP_PROXY"] == "http://own:1"


def test_a_wheel_folder_without_wheels_is_refused(tmp_path: Path) -> None:
    assert plan.checked_wheel_folder("  ") == ""
    with pytest.raises(SetupError, match="is no folder with wheels"):
        plan.checked_wheel_folder(str(tmp_path))
    (tmp_path / "some.whl").touch()
    assert plan.checked_wheel_folder(f' "{tmp_path}" ') == str(tmp_path)


def test_a_plugin_without_its_library_says_where_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="brings no library; install the plugin from its zip"):
        plan.bundled_wheel(tmp_path)


def test_room_is_asked_for_where_the_folder_will_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []
    monkeypatch.setattr("shutil.disk_usage", lambda path: (asked.append(path), type("Usage", (), {"free": 2e9}))[1])
    assert plan.free_space(tmp_path / "not" / "there") == 2.0
    assert asked == [tmp_path]


# ---- Pins ------------------------------------------------------------------------------------------------------------


def pinned() -> dict[str, str]:
    """The lines of the pins: names and what follows them."""
    lines = [line.partition("#")[0].strip() for line in PINS.splitlines()]
    return {build_plugin.name_of(line): re.sub(r"^[\w.-]+", "", line) for line in lines if line}


def test_every_dependency_has_a_tested_version_within_its_bounds() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for line in project["dependencies"]:
        name, _, bound = line.partition(">=")
        version = re.sub(r"^(==|>=)", "", pinned()[build_plugin.name_of(name)]).partition(",")[0]
        assert tuple(map(int, re.findall(r"\d+", version))) >= tuple(map(int, re.findall(r"\d+", bound))), line


def test_all_but_torch_and_its_tools_are_exact_and_none_is_a_tool_of_developers() -> None:
    assert {name for name, version in pinned().items() if not version.startswith("==")} == {"torch", "setuptools"}
    assert not {"pytest", "ruff", "mypy", "dask", "distributed", "hypothesis", "jepa-gfm"} & set(pinned())
    assert not re.search(r"==[^#\n]*\+", PINS)  # a local build is nowhere but here


@pytest.mark.long
def test_the_tested_versions_are_those_of_this_environment() -> None:
    """Not among the quick ones: a new release of a package must not fail a change that is not its own."""
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the pins are of Python 3.11")
    here = build_plugin.needed_packages()
    assert set(here) <= set(pinned()), "run build_plugin.py --pins"
    exact = {name: version[2:] for name, version in pinned().items() if version.startswith("==")}
    assert {name: here.get(name) for name in exact} == exact, "run build_plugin.py --pins"


def test_a_dependency_without_a_tested_version_stops_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = tmp_path / "pins.txt"
    few.write_text(PINS.replace("cleanlab==", "clean-lab=="))
    monkeypatch.setattr(build_plugin, "PINS", few)
    monkeypatch.setattr(build_plugin, "dependencies", lambda: ["torch", "cleanlab"])
    monkeypatch.setattr(build_plugin, "REPOSITORY", tmp_path)
    with pytest.raises(build_plugin.BuildError, match=r"pins\.txt lacks cleanlab; run .* --pins"):
        build_plugin.check_pins()


def test_the_packages_of_torch_for_nvidia_are_left_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    class Package:
        version = "1.0"
        requires = ("nvidia-cublas==13.1; platform_system == 'Linux'", "tiny_part>=1", "pytest; extra == 'test'")

    monkeypatch.setattr(build_plugin, "dependencies", lambda: ["torch"])
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: Package)
    assert build_plugin.needed_packages() == {"torch": "1.0", "tiny-part": "1.0"}


# ---- The report ------------------------------------------------------------------------------------------------------


def test_the_report_has_all_and_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://ana:secret@proxy:3128")
    monkeypatch.setenv("PIP_INDEX_URL", "https://token@mirror/simple")
    text = report({"QGIS": "3.22"}, [Check("torch", False, "gone", "Mend it.")], "Looking in http://bob:pw@host/\nend")
    for part in ("QGIS: 3.22", "system: ", "FAIL torch: gone - Mend it.", "***@proxy:3128", "***@mirror/simple", "end"):
        assert part in text
    for secret in ("secret", "ana", "token", "bob", "pw"):
        assert secret not in text.replace("system", "")
    assert blanked("https://pypi.org/simple") == "https://pypi.org/simple"
