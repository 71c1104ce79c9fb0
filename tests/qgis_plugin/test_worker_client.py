"""A client of a worker that does as it should: calls, what they tell, Cancel, the end."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from qgis_plugin import worker_link, worker_process
from qgis_plugin.worker_client import Listener, WorkerCancelled, WorkerError
from tests.qgis_plugin.fake_worker import Desk, Told, is_running, seconds_to_cancel, sentence_of, wait_until

REPOSITORY = Path(__file__).resolve().parents[2]

WAIT = """
def run(request):
    tell("started", request, command="gfm embed", python="import gfm_core")
    wait_for_cancel(request)
"""


# ---- Calls -----------------------------------------------------------------------------------------------------------


def test_making_a_client_starts_nothing(desk: Desk) -> None:
    client = desk.fake()
    assert client.pid is None
    assert not desk.log.exists()


def test_a_call_returns_the_result_and_tells_all_that_happened_before_in_the_thread_that_called(desk: Desk) -> None:
    told = Told()
    result = desk.fake(
        """
        def run(request):
            tell("started", request, command="gfm embed a.tif", python="import gfm_core as gfm")
            tell("progress", request, fraction=0, message="reading", area_km2=0)
            tell("log", request, level="warning", message="Ä constant band")
            tell("unheard_of", request, anything=1)
            tell("progress", request, fraction=1.5, message="writing")
            answer(request, {"output": "ü.tif"})
        """
    ).call("embed", {}, told.listener())
    assert result == {"output": "ü.tif"}
    assert told.events == [
        ("started", "gfm embed a.tif", "import gfm_core as gfm"),
        ("progress", 0.0, "reading"),
        ("log", "warning", "Ä constant band"),
        ("progress", 1.0, "writing"),
    ]
    assert told.threads == {threading.get_ident()}


def test_file_names_arrive_as_they_are_also_undecodable_ones(desk: Desk) -> None:
    names = ["ä ö.tif", 'qu"ote\n.tif', os.fsdecode(b"\xff.tif")]
    assert desk.fake().call("embed", {"rasters": names})["echo"] == {"rasters": names}


def test_the_worker_is_kept_for_the_next_call(desk: Desk) -> None:
    client = desk.fake()
    first, second = (client.call("embed", {})["pid"] for _ in range(2))
    assert first == second == client.pid


def test_the_worker_tells_of_itself(desk: Desk) -> None:
    told = desk.fake().hello()
    assert (told["protocol"], told["version"]) == (1, "0.1.0")


def test_several_calls_may_wait_at_once_and_each_gets_its_own_answer(desk: Desk) -> None:
    client = desk.fake()
    results: dict[int, Any] = {}

    def call(number: int) -> None:
        results[number] = client.call("embed", {"number": number})

    threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert {number: result["echo"]["number"] for number, result in results.items()} == {n: n for n in range(8)}
    assert len({result["pid"] for result in results.values()}) == 1


@pytest.mark.parametrize("code", [-32000, -32602])
def test_a_sentence_of_the_worker_is_shown_as_it_is(desk: Desk, code: int) -> None:
    client = desk.fake(f"def run(request): fail(request, {code}, 'a.tif has no CRS; give one.')")
    assert sentence_of(lambda: client.call("embed", {})) == "a.tif has no CRS; give one."


def test_a_fault_of_ours_is_told_with_the_log(desk: Desk) -> None:
    client = desk.fake("def run(request): fail(request, -32603, 'This should not have happened (KeyError: x).')")
    sentence = sentence_of(lambda: client.call("embed", {}))
    assert sentence == f"This should not have happened (KeyError: x); its log is {desk.log}."
    assert is_running(client.hello()["pid"])


def test_a_request_that_no_line_can_hold_is_refused_before_anything_starts(desk: Desk) -> None:
    client = desk.fake()
    sentence = sentence_of(lambda: client.call("embed", {"rasters": ["x" * 100] * 11_000}))
    assert "1 MiB" in sentence
    assert client.pid is None


def test_a_listener_that_fails_leaves_no_run_behind(desk: Desk) -> None:
    client = desk.fake(
        """
        def run(request):
            tell("started", request, command="", python="")
            if request["params"]:
                wait_for_cancel(request)
            answer(request, {"cancelled": sorted(cancelled)})
        """
    )

    def started(command: str, python: str) -> None:
        raise KeyError("a widget that is gone")

    with pytest.raises(KeyError):
        client.call("embed", {"wait": True}, Listener(started=started))
    assert len(client.call("embed", {})["cancelled"]) == 1


def test_what_qgis_sets_for_itself_does_not_reach_the_worker(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = (
        "PYTHONHOME", "PYTHONPATH", "GDAL_DATA", "GDAL_DRIVER_PATH", "PROJ_LIB", "PROJ_DATA", "QT_PLUGIN_PATH",
        "LD_LIBRARY_PATH", "VIRTUAL_ENV",
    )  # fmt: skip
    for name in foreign:
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("GDAL_HTTP_PROXY", "proxy:3128")
    environ = desk.fake("def run(request): answer(request, dict(os.environ))").call("embed", {})
    assert not set(foreign) & set(environ)
    assert environ["GDAL_HTTP_PROXY"] == "proxy:3128"
    assert environ["PATH"] == os.environ["PATH"]


def test_a_flood_of_progress_is_told_without_filling_the_memory(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_link, "_MOST_EVENTS", 10)
    told = Told()
    slow = Listener(progress=lambda *event: (told.events.append(event), time.sleep(0.01))[1])
    desk.fake(
        """
        def run(request):
            for number in range(20_000):
                tell("progress", request, fraction=number / 19_999, message="")
            answer(request, {})
        """
    ).call("embed", {}, slow)
    assert len(told.events) < 10_000
    assert told.events[-1][0] == 1.0


def test_what_a_library_prints_now_and_then_does_no_harm(desk: Desk) -> None:
    client = desk.fake("def run(request): out.write(b'a native library\\n' * 60); answer(request, {})")
    for _ in range(4):
        assert client.call("embed", {}) == {}


# ---- Signs of life ---------------------------------------------------------------------------------------------------


def test_a_run_that_is_silent_is_kept_while_pings_are_answered(desk: Desk) -> None:
    client = desk.fake("def run(request): time.sleep(1.5); answer(request, {})")
    client.QUIET, client.HANG = 0.1, 0.3
    assert client.call("embed", {}) == {}


BUSY = """
def run(request):
    lock.acquire()  # no ping is answered, as if native code kept the interpreter
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        WAIT
    lock.release()
    answer(request, {})
"""


def test_a_run_that_answers_no_ping_but_works_is_kept(desk: Desk) -> None:
    client = desk.fake(BUSY.replace("WAIT", "pass"))
    client.QUIET, client.HANG = 0.1, 1.0
    assert client.call("embed", {}) == {}


def test_where_the_system_does_not_tell_whether_it_works_it_is_waited_for_as_well(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_link, "cpu_seconds", lambda pid: None)
    client = desk.fake(BUSY.replace("WAIT", "time.sleep(0.1)"))
    client.QUIET, client.HANG = 0.1, 1.0
    assert client.call("embed", {}) == {}


def test_a_run_that_answers_no_ping_is_not_waited_for_without_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_link, "_PATIENCE", 1.9)
    client = desk.fake(BUSY.replace("WAIT", "pass"))
    client.QUIET, client.HANG = 0.1, 1.0
    before = time.monotonic()
    assert "no sign of life" in sentence_of(lambda: client.call("embed", {}))
    assert 2.0 < time.monotonic() - before < 2.5


def test_processor_time_is_that_which_the_system_counts() -> None:
    before = sum(os.times()[:2])
    told = worker_process.cpu_seconds(os.getpid())
    assert told is not None
    assert before - 0.1 < told < sum(os.times()[:2]) + 0.1
    assert worker_process.cpu_seconds(2**22 + 1) is None


def test_a_computer_that_was_asleep_is_no_worker_that_hangs(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    client = desk.fake("def run(request): time.sleep(0.6); answer(request, {})")
    client.hello()
    clock = itertools.count(time.monotonic(), 600.0)
    with monkeypatch.context() as patch:
        patch.setattr(worker_link.time, "monotonic", lambda: next(clock))
        assert client.call("embed", {}) == {}


# ---- Cancel ----------------------------------------------------------------------------------------------------------


def test_cancel_is_answered_and_the_worker_lives_on(desk: Desk) -> None:
    client = desk.fake(WAIT)
    assert seconds_to_cancel(client, {}, Told(lambda told: told.has("started"))) < 0.5
    before = client.pid
    assert seconds_to_cancel(client, {}, Told(lambda told: told.has("started"))) < 0.5
    assert client.pid == before


def test_cancel_before_the_call_starts_nothing(desk: Desk) -> None:
    client = desk.fake()
    assert seconds_to_cancel(client, {}, Told(lambda told: True)) < 0.1
    assert not desk.log.exists()


def test_a_run_that_the_worker_cancelled_by_itself_is_a_cancelled_one(desk: Desk) -> None:
    client = desk.fake("def run(request): fail(request, -32800, 'Cancelled.')")
    with pytest.raises(WorkerCancelled):
        client.call("embed", {})


def test_a_cancelled_call_that_waits_behind_a_deaf_run_leaves_that_run_alone(desk: Desk) -> None:
    """The reading thread is held up by native code, so Cancel goes unheard for a while."""
    client = desk.fake(
        """
        def run(request):
            tell("started", request, command="", python="")
            lock.acquire()  # nobody says anything now
            time.sleep(2.5)
            lock.release()
            answer(request, {})
        """
    )
    client.hello()
    first, told = [], Told()
    thread = threading.Thread(target=lambda: first.append(client.call("embed", {}, told.listener())))
    thread.start()
    wait_until(lambda: told.has("started"))
    asked = time.monotonic()
    assert seconds_to_cancel(client, {}, Told(lambda _: time.monotonic() - asked > 0.2)) < 1.4
    thread.join(5)
    assert first == [{}]


# ---- The end ---------------------------------------------------------------------------------------------------------


def test_stop_ends_the_worker_and_may_be_called_again(desk: Desk) -> None:
    client = desk.fake()
    pid = client.hello()["pid"]
    client.stop()
    assert not is_running(pid)
    assert client.pid is None
    client.stop()
    assert client.call("embed", {})["pid"] != pid


def test_stop_kills_a_worker_that_does_not_go(desk: Desk) -> None:
    client = desk.fake("def gone(): time.sleep(60)")
    pid = client.hello()["pid"]
    before = time.monotonic()
    client.stop()
    assert 0.9 < time.monotonic() - before < 1.8
    assert not is_running(pid)


def test_stop_ends_the_calls_that_wait(desk: Desk) -> None:
    client = desk.fake(WAIT)
    told = Told()
    errors: list[BaseException] = []

    def call() -> None:
        try:
            client.call("embed", {}, told.listener())
        except WorkerError as error:
            errors.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    wait_until(lambda: told.has("started"))
    client.stop()
    thread.join(2)
    assert "stopped" in str(errors[0])


def test_the_log_holds_what_this_worker_said_on_stderr(desk: Desk) -> None:
    client = desk.fake("print('first from', os.getpid(), file=sys.stderr, flush=True)")
    first = client.hello()["pid"]
    client.stop()
    second = client.hello()["pid"]
    client.stop()
    assert desk.log.read_text() == f"first from {second}\n"
    assert first != second


def test_a_log_that_cannot_be_written_does_not_stop_a_run(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "profile").write_text("a file where the folder should be")
    assert desk.fake("print('hm', file=sys.stderr)").call("embed", {"a": 1})["echo"] == {"a": 1}


SCRIPT = """
import sys, threading
from pathlib import Path
from qgis_plugin.worker_client import Listener, WorkerCancelled, WorkerClient
client = WorkerClient(sys.argv[1], version="0.1.0", log_file=Path(sys.argv[2]))
print(client.hello()["pid"], flush=True)
if sys.argv[3] == "stop":
    client.stop()
if sys.argv[3] == "killed":
    threading.Event().wait(60)
"""


def script(desk: Desk, how: str, *options: str) -> subprocess.Popen[str]:
    python = desk.fake().python
    command = [sys.executable, *options, "-c", SCRIPT, python, str(desk.log), how]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("how", ["stop", "exit"])
def test_a_program_that_ends_leaves_neither_a_process_nor_an_open_pipe(desk: Desk, how: str) -> None:
    with script(desk, how, "-X", "dev", "-W", "error::ResourceWarning") as process:
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert err == ""
    assert not is_running(int(out))


def test_a_program_that_is_killed_leaves_no_process(desk: Desk) -> None:
    with script(desk, "killed") as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        wait_until(lambda: not is_running(pid), 2.0)


# ---- Where it must run -----------------------------------------------------------------------------------------------


def test_the_standard_library_is_all_that_is_imported() -> None:
    code = (
        "import sys; before = set(sys.modules); import qgis_plugin.worker_client;"
        "import json; print(json.dumps(sorted({name.partition('.')[0] for name in set(sys.modules) - before})))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert set(json.loads(run.stdout)) <= sys.stdlib_module_names | {"qgis_plugin"}
