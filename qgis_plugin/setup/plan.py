"""What a set-up needs and runs: room on the disk, pip's variables and commands."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from ..environment import clean_environ
from .builds import Torch
from .failures import AGAIN, SetupError

_HERE = Path(__file__).resolve().parent
PINS = _HERE / "pins.txt"
_UNPACKING = 1.25

# Of pip's variables those that would lead the packages to another place, or ask somebody who is not there.
_DROPPED = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_DRY_RUN", "PIP_NO_DEPS",
            "PIP_REQUIREMENT", "PIP_EDITABLE", "PIP_REQUIRE_VIRTUALENV", "PIP_REPORT")  # fmt: skip


@dataclass(frozen=True)
class Order:
    """What is asked for: where, from which files, and what the user has chosen."""

    folder: Path
    wheel: Path
    pins: Path
    version: str  # of the plugin
    python: str = ""  # to make it with; empty: found by itself
    wheel_folder: str = ""  # of wheels, for a computer without internet
    proxy: str = ""  # QGIS's own


def bundled_wheel(plugin: Path = _HERE.parent) -> Path:
    """The library that comes with the plugin."""
    found = sorted(plugin.glob("wheels/jepa_gfm-*.whl"))
    if not found:
        raise SetupError(
            "This copy of the plugin brings no library; install the plugin from its zip (`make plugin`), or run "
            "`make demo` in the repository."
        )
    return found[-1]


# ---- Room on the disk ------------------------------------------------------------------------------------------------


def free_space(folder: Path) -> float:
    """GB that are free where the folder is, or would be."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free / 1e9


def refuse_without_room(folder: Path, need: float) -> None:
    """Raise `SetupError` where the disk has no room for it, and for the packages while they are unpacked."""
    free = free_space(folder)
    if free < need * _UNPACKING:
        raise SetupError(
            f"The environment needs {need:.1f} GB, and {need * _UNPACKING:.1f} GB while it is made, but "
            f"{folder.parent} has {free:.1f} GB free; free some space and {AGAIN}."
        )


def checked_wheel_folder(name: str) -> str:
    """The folder of wheels that the user has chosen; raises `SetupError` for one without any."""
    name = name.strip().strip('"')
    if not name:
        return ""
    folder = Path(name).expanduser().absolute()
    if not folder.is_dir() or not any(folder.glob("*.whl")):
        raise SetupError(f"{name} is no folder with wheels (*.whl) in it; choose another, or leave the field empty.")
    return str(folder)


# ---- Commands --------------------------------------------------------------------------------------------------------


def pip(python: str, *arguments: str) -> list[str]:
    """A command of the environment's own pip; it asks nobody anything."""
    return [python, "-I", "-X", "utf8", "-m", "pip", *arguments, "--no-input", "--disable-pip-version-check"]


def sources(order: Order) -> list[str]:
    """Where packages come from, where that is not left to pip's own settings."""
    return ["--no-index", "--find-links", order.wheel_folder] if order.wheel_folder else []


def install(python: str, order: Order, torch: Torch) -> list[str]:
    """The command that installs the library with all that it needs, in the versions that were tested."""
    return pip(
        python, "install", str(order.wheel), "--constraint", str(order.pins), "--no-user", "--progress-bar", "off",
        *sources(order), *torch.arguments,
    )  # fmt: skip


def environ(order: Order, temporary: Path) -> dict[str, str]:
    """The variables of a step: pip's and the network's as the user has them, and room for pip's temporary files.

    The proxy goes the way of a variable: a command can be read by every user of the computer.
    """
    kept = {name: value for name, value in clean_environ().items() if name.upper() not in _DROPPED}
    if order.proxy and "PIP_PROXY" not in kept:
        kept["PIP_PROXY"] = order.proxy
    place = str(temporary)
    return {**kept, "TMPDIR": place, "TEMP": place, "TMP": place, "PYTHONUTF8": "1", "NO_COLOR": "1", "COLUMNS": "200"}


def embed_piece(python: str, output: Path) -> list[str]:
    """The command that embeds a piece of the sample scene: that everything works is seen, not believed."""
    code = (
        "import runpy, sys; from gfm_core.assets import sample_folder;"
        "sys.argv = ['gfm', 'embed', str(sample_folder() / 's2_l1c_60m.tif'), '--extent', *sys.argv[1:]];"
        "runpy.run_module('gfm_core.cli', run_name='__main__')"
    )
    return [python, "-I", "-X", "utf8", "-c", code, "339600,5816760,342000,5819160", "-o", str(output)]


def tell_qgis(python: str) -> list[str]:
    """The command that tells the plugin of the environment, in every profile."""
    return [python, "-I", "-X", "utf8", "-m", "gfm_core.cli", "doctor", "--for-qgis"]


def python_of(folder: Path) -> str:
    """The Python of an environment."""
    return str(folder / "Scripts" / "python.exe" if os.name == "nt" else folder / "bin" / "python")
