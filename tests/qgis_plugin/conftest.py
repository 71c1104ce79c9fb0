"""What the tests of the plugin's parts without QGIS share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.qgis_plugin.fake_worker import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Clients of fake workers in the test's own folder."""
    made = Desk(tmp_path)
    yield made
    made.close()
