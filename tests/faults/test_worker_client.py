"""Fault matrix, rows 29 and 31, on the plugin's side: whatever becomes of the worker, a sentence with the mend, soon.

The workers are small programs that fail in one way each; what the real one does is tested with it.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from qgis_plugin.worker_client import Listener, WorkerClient, WorkerError
from tests.qgis_plugin.fake_worker import Desk, Told, is_running, seconds_to_cancel, sentence_of, wait_until

OPTIONS = "Settings > Options > JEPA-GFM"
BACK = 1.3  # seconds from Cancel until the call is back, at most


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


def broken(client: WorkerClient, *, limit: float = 2.0) -> str:
    """The sentence of a call that fails, within `limit` seconds, and then no process is left."""
    before = time.monotonic()
    sentence = sentence_of(lambda: client.call("embed", {}))
    assert time.monotonic() - before < limit
    assert client.pid is None
    return sentence


def works_again(desk: Desk, client: WorkerClient) -> None:
    """The next run, after the mend, starts a new worker."""
    desk.mend()
    assert client.call("embed", {"a": 1})["echo"] == {"a": 1}


# ---- 29: the environment ---------------------------------------------------------------------------------------------


def test_fault_29_no_python_there(desk: Desk) -> None:
    client = desk.client(desk.folder / "python")
    assert broken(client) == (
        f"There is no Python at {desk.folder / 'python'}; choose the Python of its environment in {OPTIONS}."
    )
    works_again(desk, client)


def test_fault_29_the_python_that_an_environment_was_made_from_is_gone(desk: Desk) -> None:
    (desk.folder / "python").symlink_to(desk.folder / "uninstalled")
    sentence = broken(desk.client(desk.folder / "python"))
    assert "is gone; make the environment again" in sentence
    assert OPTIONS in sentence


def test_fault_29_a_file_that_may_not_be_executed(desk: Desk) -> None:
    (desk.folder / "python").write_text("text")
    sentence = broken(desk.client(desk.folder / "python"))
    assert (
        sentence == f"{desk.folder / 'python'} may not be executed; choose the Python of its environment in {OPTIONS}."
    )


def test_fault_29_a_folder_that_is_no_environment(desk: Desk) -> None:
    sentence = broken(desk.client(desk.folder))
    assert sentence.startswith(f"{desk.folder} is a folder without a Python;")
    assert OPTIONS in sentence


def test_fault_29_a_file_that_is_no_program(desk: Desk) -> None:
    (desk.folder / "python").write_bytes(b"\0\1\2\3")
    (desk.folder / "python").chmod(0o755)
    sentence = broken(desk.client(desk.folder / "python"))
    assert "cannot be started" in sentence
    assert OPTIONS in sentence


def test_fault_29_an_environment_without_jepa_gfm(desk: Desk) -> None:
    """A Python without it: this one, told to look nowhere."""
    bare = desk.folder / "bare"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    assert broken(desk.client(bare)) == (
        f"{bare} holds no JEPA-GFM; choose the environment it was installed in, in {OPTIONS}."
    )


def test_fault_29_a_jepa_gfm_from_before_the_worker(desk: Desk) -> None:
    client = desk.fake("print('python: No module named gfm_core.worker.__main__', file=sys.stderr); sys.exit(1)")
    sentence = broken(client)
    assert "is older than this plugin; update it" in sentence
    assert OPTIONS in sentence


def test_fault_29_a_python_that_is_too_old(desk: Desk) -> None:
    client = desk.fake("sys.exit('SyntaxError: invalid syntax')", version=(3, 9))
    sentence = broken(client)
    assert sentence.startswith(f"{client.python} is Python 3.9 and JEPA-GFM needs 3.11 or newer;")
    assert OPTIONS in sentence


def test_fault_29_an_environment_without_torch_tells_the_worker_s_own_sentence(desk: Desk) -> None:
    told = "torch is not installed; install jepa-gfm again."
    client = desk.fake(f"def hello(request): fail(request, -32000, {told!r})")
    assert broken(client) == told
    works_again(desk, client)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"protocol": 2}, "speaks protocol 2 and this plugin 1"),
        ({"version": "9.8.7"}, "holds JEPA-GFM 9.8.7 and this plugin is 0.1.0"),
        ({"version": None}, "holds JEPA-GFM of an unknown version and this plugin is 0.1.0"),
    ],
)
def test_fault_29_a_worker_of_another_version(desk: Desk, change: dict[str, object], words: str) -> None:
    client = desk.fake(f"def hello(request): answer(request, {{**greeting(), **{change!r}}})")
    sentence = broken(client)
    assert words in sentence
    assert "update the older of the two" in sentence
    assert OPTIONS in sentence
    works_again(desk, client)


# ---- 29: the worker --------------------------------------------------------------------------------------------------


def test_fault_29_a_worker_that_dies_at_once(desk: Desk) -> None:
    client = desk.fake("sys.exit('ImportError: libgomp.so.1 is missing')")
    sentence = broken(client)
    assert "ended before it was ready (ImportError: libgomp.so.1 is missing)" in sentence
    assert str(desk.log) in sentence
    assert OPTIONS in sentence
    works_again(desk, client)


@pytest.mark.parametrize(
    ("death", "words"),
    [
        ("os._exit(3)", "in the middle of the run (exit code 3)"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "in the middle of the run (signal SIGSEGV)"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "for want of memory"),
    ],
)
def test_fault_29_a_worker_that_dies_in_the_middle_leaves_nothing(desk: Desk, death: str, words: str) -> None:
    client = desk.fake(f"def run(request): hide(request); {death}")
    params = {"folder": str(desk.folder)}
    sentence = sentence_of(lambda: client.call("embed", params, outputs=[str(desk.folder / "out.tif")]))
    assert words in sentence
    assert str(desk.log) in sentence
    assert not list(desk.folder.glob(".gfm*"))
    works_again(desk, client)


def test_fault_29_a_worker_killed_by_hand_costs_every_waiting_call_a_sentence(desk: Desk) -> None:
    client = desk.fake("def run(request): tell('started', request, command='', python=''); time.sleep(60)")
    sentences: list[str] = []
    told = Told()

    def call(listener: Listener) -> None:
        try:
            client.call("embed", {}, listener)
        except WorkerError as error:
            sentences.append(str(error))

    threads = [threading.Thread(target=call, args=(told.listener(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    wait_until(lambda: told.has("started"))
    time.sleep(0.2)  # the others are sent as well
    assert client.pid is not None
    os.kill(client.pid, signal.SIGTERM)
    for thread in threads:
        thread.join(2)
    assert len(sentences) == 3
    assert all("signal SIGTERM" in sentence for sentence in sentences)
    works_again(desk, client)


def test_fault_29_a_worker_killed_between_two_runs_is_replaced(desk: Desk) -> None:
    client = desk.fake()
    pid = client.hello()["pid"]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: client.pid is None)
    assert client.call("embed", {})["pid"] != pid


@pytest.mark.parametrize("before_hello", [False, True])
def test_fault_29_a_worker_that_hangs(desk: Desk, before_hello: bool) -> None:
    """Stopped by a signal, it does nothing at all; the listener is asked all the while, and QGIS stays responsive."""
    stop = "os.kill(os.getpid(), signal.SIGSTOP)"
    client = desk.fake(stop if before_hello else f"def run(request): {stop}")
    client.QUIET, client.HANG, client.START = 0.2, 0.6, 1.0
    asked: list[float] = []
    before = time.monotonic()
    sentence = sentence_of(
        lambda: client.call("embed", {}, Listener(cancelled=lambda: bool(asked.append(time.monotonic()))))
    )
    assert 0.7 < time.monotonic() - before < 2.5
    assert max(later - earlier for earlier, later in pairwise(asked)) < 0.5
    assert ("was not ready after 1 s" if before_hello else "gave no sign of life for 1 s") in sentence
    assert str(desk.log) in sentence
    works_again(desk, client)


def test_fault_29_a_worker_that_hangs_on_a_full_pipe(desk: Desk) -> None:
    """Nobody reads what is written to it, and the request is larger than a pipe."""
    client = desk.fake("def serve(): hello(json.loads(sys.stdin.buffer.readline())); time.sleep(60)")
    client.QUIET, client.HANG = 0.2, 0.6
    sentence = sentence_of(lambda: client.call("embed", {"rasters": ["x" * 1000] * 900}))
    assert "gave no sign of life" in sentence
    assert seconds_to_cancel(client, {"rasters": ["x" * 1000] * 900}, _soon()) < BACK


def test_fault_29_a_worker_that_never_says_hello(desk: Desk) -> None:
    client = desk.fake("def hello(request): pass")
    client.START = 0.5
    sentence = broken(client)
    assert "was not ready after" in sentence
    assert OPTIONS in sentence
    works_again(desk, client)


@pytest.mark.parametrize(
    "flood",
    [
        r"out.write(b'Hello, world!\n' * 1000)",
        r"out.write(b'\n' * 1000)",
        r"out.write(bytes(range(255, 9, -1)) + b'[1]\nnull\n{}\n{\"jsonrpc\": 1}\n' * 1000)",
        r"out.write(b'[' * 100_000 + b'\n' + b'no\n' * 1000)",
        r"[out.write(b'x' * 1_000_000) for _ in range(200)]",
        r"answer(request, {'x': 'x' * 1_100_000})",
    ],
    ids=["words", "nothing", "other JSON", "deep", "an endless line", "an answer that is too long"],
)
@pytest.mark.parametrize("before_hello", [False, True])
def test_fault_29_garbage_on_stdout(desk: Desk, flood: str, before_hello: bool) -> None:
    client = desk.fake(f"def {'hello' if before_hello else 'run'}(request): {flood}")
    sentence = broken(client, limit=5.0)
    assert "does not speak as a JEPA-GFM worker does" in sentence
    assert OPTIONS in sentence
    assert "not a message: " in desk.log.read_text(errors="replace")
    assert desk.log.stat().st_size < 100_000
    works_again(desk, client)


@pytest.mark.parametrize(
    "strange",
    [
        "say(id=[1], result={})", "say(id={}, error=5)", "say(method=5, params=7)", "say(id=None, error={'code': 1})",
        "say(method='progress', params={'id': [], 'fraction': 'x'})", "tell('progress', request, fraction='x')",
        "tell('log', request)", "say(id=10**30, result=1)",
    ],
)  # fmt: skip
def test_fault_29_messages_of_wrong_types_are_passed_over(desk: Desk, strange: str) -> None:
    client = desk.fake(f"def run(request): {strange}; out.write(b'stray\\n'); answer(request, {{}})")
    assert client.call("embed", {}, Told().listener()) == {}


@pytest.mark.parametrize("answer", ["say(id=request['id'])", "answer(request, 5)", "say(id=request['id'], error='x')"])
def test_fault_29_an_answer_that_is_none(desk: Desk, answer: str) -> None:
    client = desk.fake(f"def run(request): {answer}")
    assert sentence_of(lambda: client.call("embed", {})) == (
        f"The worker gave an answer that is none; its log is {desk.log}."
    )


def test_fault_29_a_worker_that_closes_its_output_is_ended(desk: Desk) -> None:
    client = desk.fake("def run(request): out.close(); os.close(1); time.sleep(60)")
    pid = client.hello()["pid"]
    assert "closed its output" in broken(client)
    assert not is_running(pid)


# ---- 31 --------------------------------------------------------------------------------------------------------------


def _soon(seconds: float = 0.2) -> Told:
    """A user who cancels after a while."""
    end = time.monotonic() + seconds
    return Told(lambda _: time.monotonic() > end)


MOMENTS = {
    "before hello": "def hello(request): time.sleep(60)",
    "a start that is stopped": "os.kill(os.getpid(), signal.SIGSTOP)",
    "a run that listens": "def run(request): hide(request); tell('progress', request, fraction=0.99, message='');"
    " wait_for_cancel_and_clean(request)",
    "a run that is deaf": "def run(request): hide(request); lock.acquire(); time.sleep(60)",
    "a run that is stopped": "def run(request): hide(request); os.kill(os.getpid(), signal.SIGSTOP)",
    "a flood of progress": "def run(request):\n hide(request)\n"
    " while True: tell('progress', request, fraction=0.5, message='x' * 1000)",
    "a flood of strange answers": "def run(request):\n hide(request)\n while True: say(id=77, result={})",
    "a run that dies then": "def heard_cancel(): os._exit(1)\ndef run(request): hide(request); time.sleep(60)",
}

HELP = """
import shutil

def wait_for_cancel_and_clean(request):
    while request["id"] not in cancelled:
        time.sleep(0.01)
    shutil.rmtree(request["params"]["folder"] + "/.gfm-partial-0123456789abcdef")
    fail(request, -32800, "Cancelled.")

def heard_cancel():
    pass

usual = heard

def heard(request):
    usual(request)
    if request["method"] == "cancel":
        heard_cancel()
"""


@pytest.mark.parametrize("moment", MOMENTS)
def test_fault_31_cancel_is_back_in_time_and_nothing_is_left(desk: Desk, moment: str) -> None:
    client = desk.fake(f"{HELP}\n{MOMENTS[moment]}")
    outputs = [str(desk.folder / "out.tif"), str(desk.folder / "out_pca.png")]
    assert seconds_to_cancel(client, {"folder": str(desk.folder)}, _soon(), outputs) < BACK
    assert not list(desk.folder.glob(".gfm*"))
    if moment not in ("a run that listens",):
        wait_until(lambda: client.pid is None, 0.5)
        works_again(desk, client)


def test_fault_31_what_another_process_hides_beside_the_output_stays(desk: Desk) -> None:
    locks = {"other": str(os.getpid()), "empty": "", "words": "no number"}
    for name, text in locks.items():
        hidden = desk.folder / f".gfm-partial-{name}"
        hidden.mkdir()
        (hidden / "lock").write_text(text)
    (desk.folder / ".gfm-partial-bare").mkdir()
    before = sorted(desk.folder.glob(".gfm*"))
    client = desk.fake("def run(request): hide(request); time.sleep(60)")
    params = {"folder": str(desk.folder)}
    assert seconds_to_cancel(client, params, _soon(), [str(desk.folder / "out.tif")]) < BACK
    assert sorted(desk.folder.glob(".gfm*")) == before


def test_fault_31_a_start_that_another_call_waits_for_goes_on(desk: Desk) -> None:
    client = desk.fake("def hello(request): time.sleep(1); answer(request, greeting())")
    results: list[dict[str, object]] = []
    thread = threading.Thread(target=lambda: results.append(client.call("embed", {"a": 1})))
    thread.start()
    assert seconds_to_cancel(client, {}, _soon()) < 0.3
    thread.join(5)
    assert results[0]["echo"] == {"a": 1}


def test_fault_29_every_sentence_is_one_sentence() -> None:
    """Each function of the module, by reading its source: no text has a full stop inside."""
    source = (Path(__file__).resolve().parents[2] / "qgis_plugin" / "worker_errors.py").read_text(encoding="utf-8")
    texts = re.findall(r'f"([^"]*)"', source)
    assert len(texts) > 15
    assert not [text for text in texts if re.search(r"\. [A-Z]", text)]
