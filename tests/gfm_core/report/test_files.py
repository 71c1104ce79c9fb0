from __future__ import annotations

from pathlib import Path

import pytest

from gfm_core.errors import OutputError
from gfm_core.report.files import write_whole


def test_a_file_is_replaced_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old and longer")
    assert write_whole(path, b"new") == path
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_that_is_a_folder_is_refused_with_a_mend_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OutputError, match="choose another place"):
        write_whole(tmp_path / "a", b"new")
    assert [item.name for item in tmp_path.iterdir()] == ["a"]
