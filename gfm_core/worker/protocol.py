"""JSON-RPC 2.0 (jsonrpc.org/specification), one object a line, both ways; lines are bounded.

A line of any length takes no more memory than the bound, and nothing that comes in is executed: it becomes a `Request`
or an error.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import RawIOBase
from typing import Any

PROTOCOL = 1
MAX_LINE = 1 << 20  # bytes

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
UNKNOWN_METHOD = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
FAILED = -32000  # a GfmError: its sentence is the message
CANCELLED = -32800  # as the Language Server Protocol has it

_READ = 1 << 16
_LONGEST_ID = 200  # characters of an id that is a text

Id = int | str | None


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `id` is None for a notification, which gets no answer."""

    id: Id
    method: str
    params: dict[str, Any]


class ProtocolError(Exception):
    """A line that is no request; `id` is the request's where it could be read."""

    def __init__(self, code: int, message: str, id: Id = None) -> None:
        super().__init__(message)
        self.code, self.id = code, id


TOO_LONG = object()  # in place of a line that was skipped


def lines(stream: RawIOBase) -> Iterator[bytes | object]:
    """Lines of `stream` without their ends, blank ones left out; `TOO_LONG` stands for one beyond `MAX_LINE`."""
    rest, skipping = b"", False
    while part := stream.read(_READ):
        *whole, last = part.split(b"\n")
        for piece in whole:
            line, rest = rest + piece, b""
            if skipping or len(line) > MAX_LINE:
                skipping = False
                yield TOO_LONG
            elif line.strip():
                yield line
        rest = b"" if skipping else rest + last
        if len(rest) > MAX_LINE:
            rest, skipping = b"", True


def parse(line: bytes | object) -> Request:
    """One line as a request; raises `ProtocolError`."""
    if not isinstance(line, bytes):
        raise ProtocolError(PARSE_ERROR, f"The line is longer than {MAX_LINE} bytes; send less at once.")
    try:
        message = json.loads(line.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(PARSE_ERROR, f"The line is not JSON ({type(error).__name__}); send one object.") from error
    if not isinstance(message, dict):
        raise ProtocolError(INVALID_REQUEST, "A request is one JSON object; batches are not taken.")
    return _request(message)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _request(message: Mapping[str, Any]) -> Request:
    id, method, params = message.get("id"), message.get("method"), message.get("params", {})
    if not _is_id(id):
        raise ProtocolError(INVALID_REQUEST, "The id of a request is a whole number or a short text.")
    if message.get("jsonrpc") != "2.0" or not isinstance(method, str):
        raise ProtocolError(INVALID_REQUEST, 'A request has "jsonrpc": "2.0" and a method.', id)
    if not isinstance(params, dict):
        raise ProtocolError(INVALID_PARAMS, f"The params of {method[:50]} are an object of names and values.", id)
    return Request(id, method, params)


def _is_id(id: Any) -> bool:
    if isinstance(id, str):
        return len(id) <= _LONGEST_ID
    return id is None or (isinstance(id, int) and not isinstance(id, bool) and abs(id) < 2**63)


class Sender:
    """Writes messages, a line each, from any thread. A reader who has gone is no error here: stdin tells of it."""

    def __init__(self, stream: RawIOBase) -> None:
        self._stream, self._lock = stream, threading.Lock()

    def result(self, id: Id, result: Mapping[str, Any]) -> None:
        """The answer to a request."""
        self._send({"id": id, "result": dict(result)})

    def error(self, id: Id, code: int, message: str, kind: str | None = None) -> None:
        """The answer to a request that failed; `kind` names the class of a `GfmError`."""
        told: dict[str, Any] = {"code": code, "message": message}
        if kind is not None:
            told["data"] = {"kind": kind}
        self._send({"id": id, "error": told})

    def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """News that nobody answers."""
        self._send({"method": method, "params": dict(params)})

    def _send(self, message: Mapping[str, Any]) -> None:
        text = json.dumps(
            {"jsonrpc": "2.0", **message}, allow_nan=False
        )  # ASCII: lone surrogates of file names survive
        data = memoryview(text.encode("ascii") + b"\n")
        with self._lock:
            try:
                while data:
                    data = data[self._stream.write(data) or 0 :]
            except OSError:
                pass
