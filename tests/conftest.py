"""Fixtures that several test folders share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# No deadline: a busy machine is not a defect.
settings.register_profile("gfm", deadline=None)
settings.load_profile("gfm")

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real development scenes; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("GFM_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the development scenes are not here ({folder}); set GFM_SHARED_DATA to their folder")
    return folder
