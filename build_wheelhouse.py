"""Collects all that the QGIS plugin's set-up installs as wheels, `dist/wheelhouse/`: for computers without internet.

    .venv/bin/python build_wheelhouse.py                        for this Python
    .venv/bin/python build_wheelhouse.py --python python3.12    for another; the same system and processor

In QGIS the folder is named in Settings > Options > JEPA-GFM > Wheel folder. It serves that version of Python alone.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from build_plugin import PINS, REPOSITORY, BuildError, build_wheel, check_pins
from qgis_plugin.setup import builds


def main() -> int:
    """Build, and say what there is; 1 with a sentence if a package could not be had."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--python", default=sys.executable, help="that the wheels are for; default: this one")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "dist" / "wheelhouse", help="folder of the wheels")
    options = parser.parse_args()
    try:
        build(options.out, options.python)
    except BuildError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    wheels = list(options.out.glob("*.whl"))
    size = sum(wheel.stat().st_size for wheel in wheels) / 1e6
    print(f"{options.out}: {len(wheels)} wheels, {size:.0f} MB; Settings > Options > JEPA-GFM > Wheel folder")
    return 0


def build(folder: Path, python: str = sys.executable) -> None:
    """Collect the wheels in a folder; of an earlier time there remains nothing. Raises `BuildError`."""
    check_pins()
    folder.mkdir(parents=True, exist_ok=True)
    for wheel in folder.glob("*.whl"):
        wheel.unlink()
    with tempfile.TemporaryDirectory() as place:
        library = build_wheel(Path(place))
        command = [
            *_pip(python, "wheel"), "-qq", "--constraint", str(PINS), "--wheel-dir", str(folder),
            str(library), *choose_torch(python),
        ]  # fmt: skip
        if subprocess.run(command, check=False).returncode != 0:
            raise BuildError(f"pip could not collect the wheels, see above; try again with: {' '.join(command)}")


def choose_torch(python: str) -> tuple[str, ...]:
    """The arguments for the build of torch that the set-up would take here, without a graphics card."""
    if sys.platform != "linux":
        return ()
    local = builds.local_cpu_torch(_versions_of_torch(python), PINS.read_text(encoding="utf-8"))
    quick = ("--index-url", builds.CPU_INDEX, "--timeout", "5", "--retries", "0")
    found = local or builds.cpu_index_torch(_versions_of_torch(python, *quick)) or builds.LARGE
    return found.arguments


def _versions_of_torch(python: str, *arguments: str) -> list[str]:
    command = [*_pip(python, "index"), "versions", "torch", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()


def _pip(python: str, command: str) -> list[str]:
    return [python, "-m", "pip", command, "--disable-pip-version-check"]


if __name__ == "__main__":
    sys.exit(main())
