"""The dock on scaled displays, in a dark theme, in another language: nothing cut off, nothing too pale to read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import build_translations

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("scale", "theme", "language", "text"),
    [
        ("1.25", "light", "en", "Embed the view"),
        ("1.5", "dark", "en", "Embed the view"),
        ("2", "dark", "de", "Ansicht einbetten"),
    ],
)
def test_the_dock_can_be_read(scale: str, theme: str, language: str, text: str, tmp_path: Path) -> None:
    if language != "en":
        if build_translations.lrelease() is None:
            pytest.skip(build_translations.NO_LRELEASE)
        assert build_translations.compiled(REPOSITORY / "qgis_plugin" / "i18n", tmp_path)
    environ = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": scale, "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "tests.qgis.dock_on_display", theme, language, str(tmp_path)]
    done = subprocess.run(command, env=environ, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["scale"] == float(scale)
    assert found["embed"] == text
    assert found["cut"] == []
    assert found["styled"] == []  # colours and sizes are the theme's
    assert found["pale"] == []
    assert (found["brightness"] < 90) == (theme == "dark")
    assert found["width"] <= 640  # device-independent: a third of a small screen
