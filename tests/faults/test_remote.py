"""Rasters behind URLs: read by ranges, retried a bounded number of times, and one sentence when it does not work."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window

from gfm_core.raster.read import StackReader
from gfm_core.raster.stack import open_stack
from tests.conftest import RunGfm, write_raster


class Served(ThreadingHTTPServer):
    """A server of one folder that knows ranges, and misbehaves as it is told."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.asked: list[str] = []  # the range of every request
        self.status: dict[int, int] = {}  # of request number n: this status instead
        self.always: int | None = None
        self.slow = False
        self.cut_from = 1 << 62  # bytes beyond never arrive: the connection is closed in their place

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Served
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        served = self.server
        number = len(served.asked)
        served.asked.append(self.headers.get("Range", ""))
        path = served.folder / self.path.lstrip("/").split("?")[0].removeprefix("bucket/")
        status = served.always or served.status.get(number) or (200 if path.is_file() else 404)
        if served.slow:
            threading.Event().wait(3)
        if status != 200:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = path.read_bytes()
        first, last = 0, len(data) - 1
        span = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if span:
            first, last = int(span[1]), min(int(span[2] or last), last)
        self.send_response(206 if span else 200)
        if span:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        if body:
            self.wfile.write(data[first : min(last + 1, served.cut_from)])
            if last >= served.cut_from:
                self.close_connection = True


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A tiled raster of 17 MB behind a server of its own; waits are short, and nothing is remembered between tests."""
    monkeypatch.setenv("GDAL_HTTP_RETRY_DELAY", "0.05")
    monkeypatch.setenv("GDAL_HTTP_TIMEOUT", "2")
    folder = tmp_path / "served"
    folder.mkdir()
    values = np.random.default_rng(0).integers(300, 4000, (4, 2048, 1024)).astype(np.uint16)
    write_raster(folder / "s2.tif", values, names=["B02", "B03", "B04", "B08"], nodata=0, tiled=True,
                 blockxsize=128, blockysize=128)  # fmt: skip
    server = Served(folder)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("form", ["{url}/s2.tif", "/vsicurl/{url}/s2.tif", "s3://bucket/s2.tif"])
def test_fault_12_a_raster_behind_a_url_has_the_pixels_of_the_file_and_only_what_is_needed_is_fetched(
    served: Served, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "AWS_S3_ENDPOINT": served.url.removeprefix("http://"), "AWS_HTTPS": "NO", "AWS_VIRTUAL_HOSTING": "FALSE",
        "AWS_NO_SIGN_REQUEST": "YES", "AWS_REGION": "eu-central-1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    stack = open_stack([form.format(url=served.url)])
    (modality,) = stack.modalities
    with StackReader(stack) as reader:
        window = reader.window(modality, stack.cells.__class__(stack.cells.row + 5, stack.cells.col + 5, 10, 10), 0)
    with rasterio.open(served.folder / "s2.tif") as dataset:
        expected = dataset.read(window=Window(10, 10, 20, 20))
    assert np.array_equal(window.pixels[0], expected.astype(np.float32))
    fetched = sum(
        int(last) - int(first) + 1
        for first, last in (item.removeprefix("bytes=").split("-") for item in served.asked if item)
    )
    assert 0 < fetched < (served.folder / "s2.tif").stat().st_size / 2


def test_fault_13_a_server_that_stumbles_is_asked_again(served: Served, run_gfm: RunGfm, tmp_path: Path) -> None:
    first = run_gfm("embed", str(served.folder / "s2.tif"), "-o", str(tmp_path / "file.tif"), "--groups", "fine")
    assert first.code == 0
    served.status = {2: 500, 3: 503, 6: 502}
    made = run_gfm("embed", f"{served.url}/s2.tif", "-o", str(tmp_path / "url.tif"), "--groups", "fine")
    assert made.code == 0, made.err
    with rasterio.open(tmp_path / "url.tif") as url, rasterio.open(tmp_path / "file.tif") as file:
        assert np.array_equal(url.read(), file.read())


@pytest.mark.parametrize("fault", ["404", "500", "slow", "cut off"])
def test_fault_13_a_url_that_does_not_work_is_one_sentence_after_a_few_tries(
    served: Served, run_gfm: RunGfm, tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GDAL_HTTP_MAX_RETRY", "2")
    name = f"{fault.replace(' ', '_')}.tif"  # GDAL remembers what it knows of a URL
    if fault != "404":
        (served.folder / "s2.tif").rename(served.folder / name)
    served.always = 500 if fault == "500" else None
    served.slow = fault == "slow"
    served.cut_from = 1_000_000 if fault == "cut off" else served.cut_from
    folder = tmp_path / "out"
    folder.mkdir()
    ran = run_gfm("embed", f"{served.url}/{name}", "-o", str(folder / "e.tif"), "--groups", "fine")
    assert name in ran.sentence
    assert list(folder.iterdir()) == []
    assert len(served.asked) < 40
