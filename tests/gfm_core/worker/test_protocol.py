"""Lines become requests or errors, whatever comes in."""

from __future__ import annotations

import io
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gfm_core.worker.protocol import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    MAX_LINE,
    PARSE_ERROR,
    TOO_LONG,
    ProtocolError,
    Request,
    Sender,
    lines,
    parse,
)


class Dripping(io.RawIOBase):
    """A stream that gives a few bytes at a time."""

    def __init__(self, data: bytes, step: int) -> None:
        self._data, self._step = data, step

    def read(self, size: int = -1) -> bytes:
        part, self._data = self._data[: self._step], self._data[self._step :]
        return part


@given(st.lists(st.binary(max_size=40).filter(lambda line: b"\n" not in line), max_size=8), st.integers(1, 50))
def test_lines_are_those_of_split_however_they_drip_in(parts: list[bytes], step: int) -> None:
    data = b"".join(part + b"\n" for part in parts)
    assert list(lines(Dripping(data, step))) == [part for part in parts if part.strip()]


def test_the_last_line_counts_only_when_it_has_ended() -> None:
    assert list(lines(Dripping(b"one\ntwo", 2))) == [b"one"]


def test_a_line_beyond_the_bound_is_skipped_and_its_neighbours_are_read() -> None:
    data = b"one\n" + b"x" * (MAX_LINE + 1) + b"\ntwo\n" + b"y" * MAX_LINE + b"\n"
    found = list(lines(Dripping(data, 70_000)))
    assert found[:3] == [b"one", TOO_LONG, b"two"]
    assert found[3] == b"y" * MAX_LINE


class Endless(io.RawIOBase):
    """A line of 200 MB that is never in memory."""

    def __init__(self) -> None:
        self._left = 200_000_000

    def read(self, size: int = -1) -> bytes:
        size = min(size, self._left)
        self._left -= size
        return b"x" * size


def test_a_line_of_200_mb_takes_no_more_memory_than_the_bound() -> None:
    tracemalloc.start()
    try:
        assert list(lines(Endless())) == []
        assert tracemalloc.get_traced_memory()[1] < 6 * MAX_LINE
    finally:
        tracemalloc.stop()


def line(**changes: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 7, "method": "embed", "params": {"a": 1}, **changes}).encode()


def test_a_request_is_read() -> None:
    assert parse(line()) == Request(7, "embed", {"a": 1})
    assert parse(line(id="seven", method="x")) == Request("seven", "x", {"a": 1})
    assert parse(b'{"jsonrpc": "2.0", "method": "cancel", "params": {"id": 7}}').id is None


REFUSED = {
    "no JSON": (b"hello", PARSE_ERROR, None),
    "no UTF-8": (b'"\xff"', PARSE_ERROR, None),
    "not a number": (b'{"jsonrpc": "2.0", "id": NaN, "method": "x"}', PARSE_ERROR, None),
    "too deep": (b"[" * 100_000, PARSE_ERROR, None),
    "too long": (TOO_LONG, PARSE_ERROR, None),
    "a batch": (b"[" + line() + b"]", INVALID_REQUEST, None),
    "a number": (b"3", INVALID_REQUEST, None),
    "another version": (line(jsonrpc="1.0"), INVALID_REQUEST, 7),
    "no method": (b'{"jsonrpc": "2.0", "id": 7}', INVALID_REQUEST, 7),
    "a method of the wrong type": (line(method=3), INVALID_REQUEST, 7),
    "an id of the wrong type": (line(id=[1]), INVALID_REQUEST, None),
    "an id that is a fraction": (line(id=1.5), INVALID_REQUEST, None),
    "an id that is true": (line(id=True), INVALID_REQUEST, None),
    "an id that is huge": (line(id=10**30), INVALID_REQUEST, None),
    "an id that is a novel": (line(id="x" * 5000), INVALID_REQUEST, None),
    "params in a list": (line(params=[1]), INVALID_PARAMS, 7),
}


@pytest.mark.parametrize(("wrong", "code", "id"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_request_gets_its_code(wrong: Any, code: int, id: Any) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse(wrong)
    assert (caught.value.code, caught.value.id) == (code, id)
    assert str(caught.value).endswith((".", "method."))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
REQUESTLIKE = st.fixed_dictionaries(
    {},
    optional={"jsonrpc": st.just("2.0") | ANYTHING, "id": ANYTHING, "method": st.text() | ANYTHING, "params": ANYTHING},
)


def survives(data: bytes) -> None:
    """Whatever bytes come in, each line is a request or an error, and the answer to it can be written."""
    written = io.BytesIO()
    sender = Sender(written)  # type: ignore[arg-type]
    for item in lines(Dripping(data + b"\n", 17)):
        try:
            request = parse(item)
            sender.result(request.id, {})
        except ProtocolError as error:
            sender.error(error.id, error.code, str(error))
    for answer in written.getvalue().splitlines():
        assert json.loads(answer)["jsonrpc"] == "2.0"


@given(st.binary(max_size=200))
@settings(max_examples=250)
def test_any_bytes_are_survived(data: bytes) -> None:
    survives(data)


@given(REQUESTLIKE | ANYTHING)
@settings(max_examples=250)
def test_any_json_is_survived(value: Any) -> None:
    survives(json.dumps(value).encode("utf-8", "surrogatepass"))


@pytest.mark.long
@given(st.binary(max_size=200), REQUESTLIKE | ANYTHING)
@settings(max_examples=10_000)
def test_ten_thousand_lines_are_survived(data: bytes, value: Any) -> None:
    survives(data)
    survives(json.dumps(value).encode("utf-8", "surrogatepass"))


def test_an_answer_is_one_line_of_strict_json_whatever_its_text() -> None:
    written = io.BytesIO()
    Sender(written).result(1, {"path": "a\nb \udc80 ü"})  # type: ignore[arg-type]
    assert written.getvalue().count(b"\n") == 1
    assert json.loads(written.getvalue())["result"]["path"] == "a\nb \udc80 ü"
    with pytest.raises(ValueError, match="JSON"):
        Sender(io.BytesIO()).result(1, {"score": float("nan")})  # type: ignore[arg-type]


def test_a_reader_who_has_gone_is_no_error() -> None:
    class Closed(io.RawIOBase):
        def write(self, data: Any) -> int:
            raise BrokenPipeError

    Sender(Closed()).notify("progress", {})
