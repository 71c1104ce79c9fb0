"""From the zip to a result: the set-up that the plugin brings, with the real packages, from the internet and without.

Both take minutes and GB. What is run is the code in the zip, by QGIS's own Python; the last word has `qgis_process`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.qgis.test_installed import FOREIGN, PATH, REPOSITORY, SAMPLE, WORKER_PYTHON, Home, archive, new_home

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not Path(WORKER_PYTHON).exists(), reason=f"{WORKER_PYTHON} is not there; run make setup"),
]
__all__ = ["archive"]  # a fixture

_SET_UP = """
import sys
sys.path.insert(0, sys.argv[1])
from jepa_gfm.setup import folder, plan
from jepa_gfm.setup.installer import Installer
order = plan.Order(
    folder.default_folder(), plan.bundled_wheel(), plan.PINS, sys.argv[2], sys.argv[3],
    plan.checked_wheel_folder(sys.argv[4]),
)
Installer(order, log=lambda line: print(line, flush=True)).run()
"""


def set_up(home: Home, *, python: str = "", wheels: str = "", cut_off: bool = False) -> None:
    """Set the environment up for this user; how long it took and what it weighs is told."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    environ |= {"PATH": PATH, "XDG_DATA_HOME": str(home.data)}
    plugins = home.config / "profiles" / "default" / "python" / "plugins"
    version = next(plugins.glob("jepa_gfm/wheels/*.whl")).name.split("-")[1]
    without = ["unshare", "-n"] if cut_off else []
    if cut_off and subprocess.run([*without, "true"], check=False).returncode != 0:  # only root may
        without = []
        environ |= {f"{kind}_proxy": "http://127.0.0.1:9" for kind in ("http", "https", "all")}
    started = time.monotonic()
    command = [*without, sys.executable, "-c", _SET_UP, str(plugins), version, python, wheels]
    ran = subprocess.run(command, env=environ, cwd=home.data, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    weight = sum(path.lstat().st_size for path in home.data.rglob("*")) / 1e6
    tell(f"{ran.stdout.splitlines()[0]} {(time.monotonic() - started) / 60:.1f} minutes, {weight:.0f} MB")
    if "+cpu" in ran.stdout:
        assert weight < 1700


def folder_for(tmp_path: Path) -> Path:
    """A user's folder with a blank in its name."""
    made = tmp_path / "a home"
    made.mkdir()
    return made


def tell(text: str) -> None:
    """A figure for the release notes: seen with `-s`."""
    sys.stdout.write(f"{text.strip()}\n")


def maps(home: Home, folder: Path, started: float) -> None:
    """QGIS maps the sample scene in that environment, which nobody has told it of but the set-up."""
    sample = shutil.copytree(SAMPLE, folder / "sample")
    inputs = [f"INPUTS={path}" for path in sorted(sample.glob("*.tif"))]
    labels = (f"LABELS={sample / 'landuse.gpkg'}", "FIELD=fclass", f"OUTPUT={folder / 'map.tif'}")
    ran = home.run("run", "jepagfm:classifylandcover", "--", *inputs, *labels)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (folder / "map.tif").stat().st_size > 10_000
    assert (folder / "map_report" / "report.html").is_file()
    tell(f"from the zip to the map of the sample scene: {(time.monotonic() - started) / 60:.1f} minutes")


def test_from_the_zip_to_the_first_map(archive: Path, tmp_path: Path) -> None:
    started = time.monotonic()
    home = new_home(archive, folder_for(tmp_path))
    set_up(home)
    maps(home, tmp_path, started)


def test_from_a_folder_of_wheels_without_any_network(archive: Path, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    command = [WORKER_PYTHON, "build_wheelhouse.py", "--out", str(wheels)]
    ran = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    tell(ran.stdout)
    started = time.monotonic()
    home = new_home(archive, folder_for(tmp_path))
    set_up(home, python=WORKER_PYTHON, wheels=str(wheels), cut_off=True)
    shutil.rmtree(wheels)
    maps(home, tmp_path, started)
