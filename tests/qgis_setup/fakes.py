"""A library that is set up in seconds: wheels made here, with a doctor and a sample that do what a test wants."""

from __future__ import annotations

import json
import os
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest

VERSION = "0.1.0"

# What the set-up runs of the library. FAKE_DOCTOR: seconds to take, or a finding that fails; FAKE_EMBED: an error.
_CLI = """
import json, os, subprocess, sys, time
from pathlib import Path

def data_folder():
    return Path(os.environ["XDG_DATA_HOME"]) / "jepa-gfm"

if "--for-qgis" in sys.argv:
    data_folder().mkdir(parents=True, exist_ok=True)
    told = {"format": 1, "python": sys.executable, "version": "VERSION"}
    (data_folder() / "environment.json").write_text(json.dumps(told))
    print("told")
elif sys.argv[1] == "doctor":
    wish = os.environ.get("FAKE_DOCTOR", "0")
    if wish.isdigit():
        if int(wish):
            (data_folder() / "child.pid").write_text(str(subprocess.Popen(["sleep", wish]).pid))
        (data_folder() / "doctor.pid").write_text(str(os.getpid()))
        time.sleep(int(wish))
    import tiny_part
    broken = [] if wish.isdigit() else [{"name": "torch", "ok": False, "found": wish, "mend": "Install it."}]
    print(json.dumps([{"name": "JEPA-GFM", "ok": True, "found": "VERSION"}, *broken]))
    sys.exit(bool(broken))
elif sys.argv[1] == "embed":
    assert Path(sys.argv[2]).name == "s2_l1c_60m.tif", sys.argv
    Path(sys.argv[sys.argv.index("-o") + 1]).write_text("an embedding")
    sys.exit(os.environ.get("FAKE_EMBED"))
"""


def write_wheel(folder: Path, name: str, version: str, files: dict[str, str], requires: tuple[str, ...] = ()) -> Path:
    """A wheel with these files."""
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {line}\n" for line in requires)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as opened:
        for place, text in files.items():
            opened.writestr(place, textwrap.dedent(text))
        opened.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}")
        opened.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        opened.writestr(f"{info}/RECORD", "")
    return path


def write_library(folder: Path, version: str = VERSION) -> Path:
    """The library's wheel: it needs `tiny-part`."""
    files = {
        "gfm_core/__init__.py": "",
        "gfm_core/assets/__init__.py": (
            "from pathlib import Path\ndef sample_folder():\n    return Path(__file__).parent\n"
        ),
        "gfm_core/cli/__init__.py": "",
        "gfm_core/cli/__main__.py": _CLI.replace("VERSION", version),
    }
    return write_wheel(folder, "jepa_gfm", version, files, ("tiny-part>=1",))


def write_part(folder: Path) -> Path:
    """What the library needs."""
    return write_wheel(folder, "tiny_part", "1.0", {"tiny_part.py": ""})


def write_base(path: Path, version: tuple[int, int, int], *, has_venv: bool = True, is_64_bit: bool = True) -> str:
    """A program that says of itself that it is such a Python."""
    told = json.dumps([str(path), list(version), has_venv, is_64_bit])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{told}'\n")
    path.chmod(0o755)
    return str(path)


def plain_pip(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    """A user whose pip has no settings, and whose data lie in the test's folder."""
    for name in [*os.environ]:
        if name.upper().startswith("PIP_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("XDG_DATA_HOME", str(data))


def base_python() -> str:
    """The Python under that of the tests."""
    return getattr(sys, "_base_executable", sys.executable)
