"""The hidden folder of an output: one owner at a time, and nothing left when it is given up or its owner died."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gfm_core.errors import OutputError
from gfm_core.hidden import PREFIX, HiddenFolder, abandon_outputs

HOLD = """
import sys, time
from pathlib import Path
from gfm_core.hidden import HiddenFolder
folder = HiddenFolder.claim(Path(sys.argv[1]))
(folder.new / "half.tif").write_text("half")
for name in sys.argv[2:]:
    (folder.old / name).write_text("old")
print("held", flush=True)
time.sleep(60)
"""


def holder(target: Path, *old: str) -> subprocess.Popen[str]:
    """Another process that holds the hidden folder of `target`, with something half-made in it."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(target), *old], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_claimed_folder_is_hidden_beside_the_target_and_gone_after_release(tmp_path: Path) -> None:
    folder = HiddenFolder.claim(tmp_path / "map.tif")
    assert [path.name.startswith(PREFIX) for path in tmp_path.iterdir()] == [True]
    assert folder.new.is_dir()
    assert (folder.path / "lock").read_text() == str(os.getpid())
    (folder.new / "map.tif").write_text("half")
    folder.release()
    folder.release()
    assert list(tmp_path.iterdir()) == []


def test_another_process_is_told_who_holds_the_output(tmp_path: Path) -> None:
    target = tmp_path / "map.tif"
    process = holder(target)
    try:
        with pytest.raises(OutputError, match=rf"map.tif is being written by another run \(process {process.pid}\)"):
            HiddenFolder.claim(target)
        HiddenFolder.claim(tmp_path / "other.tif").release()
    finally:
        end(process)


@pytest.mark.skipif(sys.platform == "win32", reason="links to folders need rights there")
def test_another_spelling_of_the_folder_is_the_same_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.chdir(tmp_path / "real")
    process = holder(tmp_path / "link" / "map.tif")
    try:
        for spelling in (Path("map.tif"), Path("../real/map.tif"), tmp_path / "link" / "map.tif"):
            with pytest.raises(OutputError, match="another run"):
                HiddenFolder.claim(spelling)
    finally:
        end(process)


def test_the_folder_of_a_dead_owner_is_taken_over_empty(tmp_path: Path) -> None:
    target = tmp_path / "map.tif"
    end(holder(target))
    assert list(tmp_path.iterdir()) != []
    folder = HiddenFolder.claim(target)
    assert list(folder.new.iterdir()) == []
    folder.release()
    assert list(tmp_path.iterdir()) == []


def test_what_a_dead_owner_had_put_aside_comes_back(tmp_path: Path) -> None:
    (tmp_path / "map.qml").write_text("new")
    end(holder(tmp_path / "map.tif", "map.tif", "map.qml"))
    HiddenFolder.claim(tmp_path / "map.tif").release()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"map.tif": "old", "map.qml": "new"}


def test_a_process_that_ends_at_once_can_remove_all_that_it_holds(tmp_path: Path) -> None:
    for name in ("map.tif", "map_report"):
        (HiddenFolder.claim(tmp_path / name).new / "half").write_text("half")
    abandon_outputs()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told_and_holds_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        HiddenFolder.claim(tmp_path / "absent" / "map.tif")


def _claim_often(target: Path, seconds: float, results: Any) -> None:
    """Claim and release as fast as it goes; a second owner at the same time would see the first one's mark."""
    stop, claimed, both = time.monotonic() + seconds, 0, 0
    while time.monotonic() < stop:
        try:
            folder = HiddenFolder.claim(target)
        except OutputError:
            continue
        mark = folder.new / "mark"
        both += mark.exists()
        mark.write_text(str(os.getpid()))
        both += mark.read_text() != str(os.getpid())
        claimed += 1
        folder.release()
    results.put((claimed, both))


def test_of_many_processes_one_at_a_time_is_the_owner(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    processes = [context.Process(target=_claim_often, args=(tmp_path / "map.tif", 1.5, results)) for _ in range(4)]
    for process in processes:
        process.start()
    found = [results.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert sum(claimed for claimed, _ in found) > 20
    assert sum(both for _, both in found) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_a_child_does_not_keep_the_lock_of_its_dead_parent(tmp_path: Path) -> None:
    """A worker may have started a process of its own; that one must not hold the output for ever."""
    code = HOLD.replace('print("held"', 'import subprocess; subprocess.Popen(["sleep", "5"]); print("held"')
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "map.tif")], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.kill()
    process.wait()
    HiddenFolder.claim(tmp_path / "map.tif").release()
    assert list(tmp_path.iterdir()) == []
