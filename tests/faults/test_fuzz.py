"""Damaged files and lines of ours: each is refused with one of our errors, or is what it was; nothing else happens.

500 inputs each; `make fuzz` (GFM_FUZZ=10000) tries more.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gfm_core as gfm
from gfm_core.embedding.pieces import read_piece, write_piece
from gfm_core.errors import GfmError
from gfm_core.grid import CellRange
from gfm_core.model.checkpoint import load_checkpoint
from gfm_core.worker.protocol import ProtocolError, Request, parse
from tests.conftest import NORTH_UP

fuzz = settings(
    max_examples=int(os.environ.get("GFM_FUZZ", "500")), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
# Where the bytes of a good file are replaced, by what, and where it ends: all as shares of its length.
wounds = st.tuples(st.floats(0, 1), st.binary(max_size=40), st.floats(0, 1))
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)


def wounded(data: bytes, wound: tuple[float, bytes, float]) -> bytes:
    place, new, end = int(wound[0] * len(data)), wound[1], int(len(data) * wound[2] ** 0.1)
    return (data[:place] + new + data[place + len(new) :])[:end]


@given(wounds)
@fuzz
def test_fault_23_a_wounded_piece_is_none_or_whole(tmp_path_factory: pytest.TempPathFactory, wound: object) -> None:
    path = tmp_path_factory.getbasetemp() / "wounded.piece"
    write_piece(path, CellRange(-3, 5, 8, 9), np.arange(2 * 72, dtype=np.uint8).reshape(2, 8, 9))
    whole = path.read_bytes()
    path.write_bytes(wounded(whole, wound))  # type: ignore[arg-type]
    assert read_piece(path) is None or path.read_bytes() == whole


@pytest.fixture(scope="module")
def small_checkpoint(nano_path: Path) -> bytes:
    """The first 20 kB of a checkpoint, and its true length: the header is what is parsed."""
    return nano_path.read_bytes()[:20_000]


@given(wounds)
@fuzz
def test_fault_21_a_wounded_checkpoint_is_refused(
    small_checkpoint: bytes, tmp_path_factory: pytest.TempPathFactory, wound: object
) -> None:
    path = tmp_path_factory.getbasetemp() / "wounded.safetensors"
    path.write_bytes(wounded(small_checkpoint, wound))  # type: ignore[arg-type]
    with pytest.raises(GfmError):
        load_checkpoint(path)


@given(st.data())
@fuzz
def test_fault_22_wounded_tags_of_an_embedding_are_refused_or_mean_something(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    told = json.loads(json.dumps(TAGS))
    place, keys = told, data.draw(st.lists(st.sampled_from(sorted(TAGS)), min_size=1, max_size=2))
    place[keys[0]] = data.draw(anything)
    if data.draw(st.booleans()):
        inner = json.loads(json.dumps(TAGS))
        group = data.draw(st.sampled_from(["grid", "groups", "model"]))
        inner[group][data.draw(st.sampled_from(sorted(inner[group])))] = data.draw(anything)
        told = inner
    text = json.dumps(told)
    text = data.draw(st.sampled_from([text, text[: len(text) // 2], ""]))
    path = tmp_path_factory.getbasetemp() / "tags.tif"
    profile = {"driver": "GTiff", "height": 2, "width": 2, "count": 1, "dtype": "uint8", "crs": "EPSG:32633"}
    with rasterio.open(path, "w", transform=NORTH_UP, **profile) as dataset:
        dataset.update_tags(JEPA_GFM_EMBEDDING=text)
    with contextlib.suppress(GfmError):
        embedding = gfm.open_embedding(path)
        for group in embedding.groups:
            embedding.read(group, CellRange(0, 0, 1, 1))


TAGS = {
    "format": 1,
    "grid": {"cell_size": 20.0, "phase_x": 0.0, "phase_y": 0.0, "row": 0, "col": 0, "rows": 2, "cols": 2},
    "groups": {"fine": [0, 1]},
    "model": {"name": "nano", "sha256": "0"},
    "parameters": {},
    "sources": [],
    "versions": {},
}

LINE = b'{"jsonrpc": "2.0", "id": 7, "method": "embed", "params": {"rasters": ["a.tif"], "output": "b.tif"}}'


@given(st.one_of(wounds.map(lambda wound: wounded(LINE, wound)), st.binary(max_size=200), anything.map(
    lambda value: json.dumps(value).encode())))  # fmt: skip
@fuzz
def test_fault_32_any_line_is_a_request_or_a_protocol_error(line: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        assert isinstance(parse(line), Request)
