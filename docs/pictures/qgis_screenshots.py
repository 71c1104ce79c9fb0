"""The pictures of QGIS in the docs: its window with the sample's map, the dialog of Classify land cover, and the dock.

    .venv/bin/python docs/pictures/qgis_screenshots.py

Starts a real QGIS without a screen (Xvfb), in a profile of its own with the plugin from its zip, runs both tools there
and then the dock from embedding to the whole map, and writes `qgis_*.png` and `dock_*.png` beside this file. How long
the dock takes to repaint is printed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import click
from PIL import Image

from gfm_core.assets import sample_folder

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
SCRIPTS = {  # what runs inside QGIS, and the pictures that it makes
    "inside_qgis.py": ("qgis_window.png", "qgis_dialog.png"),
    "dock_in_qgis.py": (
        "dock_1_embed.png", "dock_2_label.png", "dock_3_map.png", "dock_4_next.png", "dock_5_alike.png",
        "dock_6_whole.png",
    ),
}  # fmt: skip
TIMES = "dock_times.txt"
LARGEST = 150_000  # bytes
SECONDS, TIMED_OUT = 900, 124

# QGIS finds its Python through PATH: an environment on it would be taken for QGIS's own.
_LEFT_OUT = ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH", "QT_QPA_PLATFORM")
_PATH = "/usr/local/bin:/usr/bin:/bin"

_SETTINGS = """\
[PythonPlugins]
jepa_gfm=true
processing=true

[qgis]
checkVersion=false
showTips=false
iconSize=24
newProjectDefault=false
"""


def main() -> int:
    """Run QGIS, then make its pictures small; 1 with a sentence if there are none."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the pictures")
    parser.add_argument("--only", choices=SCRIPTS, help="one of the scripts alone")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    missing = [name for name in ("xvfb-run", "qgis") if not shutil.which(name, path=_PATH)]
    if missing:
        click.echo(f"Error: {missing[0]} is not here; install it, as ./setup_environments.sh qgis does.", err=True)
        return 1
    sizes = []
    for script in [asked.only] if asked.only else SCRIPTS:
        with tempfile.TemporaryDirectory() as place:
            profile_in(Path(place))
            told = run_qgis(Path(place), script)
            if told:
                click.echo(f"Error: no pictures were made ({told}).", err=True)
                return 1
            made = Path(place) / "pictures"
            sizes += [small_copy(made / name, asked.out / name) for name in SCRIPTS[script]]
            if (made / TIMES).is_file():
                click.echo((made / TIMES).read_text(encoding="utf-8"))
    return 0 if max(sizes) <= LARGEST else 1


def profile_in(place: Path) -> None:
    """A clean profile with the plugin from the zip, and the file that leads it to this environment."""
    build = [sys.executable, str(REPOSITORY / "build_plugin.py"), "--out", str(place)]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    profile = place / "config" / "profiles" / "default"
    with zipfile.ZipFile(next(place.glob("*.zip"))) as archive:
        archive.extractall(profile / "python" / "plugins")
    (profile / "QGIS").mkdir()
    (profile / "QGIS" / "QGIS3.ini").write_text(_SETTINGS, encoding="utf-8")
    doctor = [sys.executable, "-m", "gfm_core.cli", "doctor", "--for-qgis"]
    environ = {**os.environ, "XDG_DATA_HOME": str(place / "data")}
    subprocess.run(doctor, env=environ, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for name in ("pictures", "temporary"):
        (place / name).mkdir()
    shutil.copytree(sample_folder(), place / "sample")  # QGIS writes statistics beside what it shows


def run_qgis(place: Path, script: str) -> str:
    """Run a script in QGIS's window; what went wrong, or nothing."""
    program = "qgis.bin" if shutil.which("qgis.bin", path=_PATH) else "qgis"
    command = [
        "timeout", str(SECONDS), "xvfb-run", "-a", "-s", "-screen 0 1400x900x24",
        program, "--nologo", "--noversioncheck", "--code", str(HERE / script),
    ]  # fmt: skip
    environ = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
    environ |= {
        "PATH": _PATH, "PYTHONPATH": str(HERE),  # for in_window.py
        "QGIS_CUSTOM_CONFIG_PATH": str(place / "config"), "XDG_DATA_HOME": str(place / "data"),
        "GFM_SAMPLE": str(place / "sample"), "GFM_PICTURES": str(place / "pictures"), "LC_ALL": "C.UTF-8",
        "TMPDIR": str(place / "temporary"),  # else QGIS takes the results for temporary ones, and asks before it ends
    }  # fmt: skip
    ran = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if ran.returncode == TIMED_OUT:
        return f"QGIS did not end in {SECONDS} s"
    failed = place / "pictures" / "failed.txt"
    if failed.is_file():
        return failed.read_text(encoding="utf-8")
    lost = [name for name in SCRIPTS[script] if not (place / "pictures" / name).is_file()]
    return f"QGIS wrote no {lost[0]}: {ran.stderr.strip()[-300:]}" if lost else ""


def small_copy(source: Path, target: Path) -> int:
    """Write a picture with as many colours as its size allows, and tell its bytes."""
    picture = Image.open(source).convert("RGB")
    for colours in (256, 128, 96, 64, 48, 32):
        picture.quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(target, optimize=True)
        size = target.stat().st_size
        if size <= LARGEST:
            break
    click.echo(f"{target}: {picture.width} x {picture.height} px, {colours} colours, {size / 1000:.0f} kB")
    return size


if __name__ == "__main__":
    sys.exit(main())
