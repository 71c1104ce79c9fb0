"""Heads in files: one safetensors file of plain arrays with a JSON header. Nothing is ever unpickled.

The header is the safetensors metadata entry `jepa_gfm_head`; tensors are named `group/array`. Forests and neighbours
are stored as arrays too, and checked before compiled code walks them.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from gfm_core.classes import MapClass
from gfm_core.errors import CheckpointError, OutputError
from gfm_core.heads.classifiers import READS, Arrays
from gfm_core.heads.fit import GroupHead, Scaler
from gfm_core.heads.fuse import FusedHead

FORMAT_VERSION = 1
_HEADER = "jepa_gfm_head"


def save_head(path: str | Path, head: FusedHead, meta: Mapping[str, Any]) -> None:
    """Write `head` and plain values `meta`, whole or not at all (OutputError).

    `meta` says what the head belongs to, for `check_head`: `model` {name, sha256}, `groups` {group: [column names]},
    `normalisation`, `cell_size` (metres).
    """
    path = Path(path)
    header = {
        "format_version": FORMAT_VERSION,
        "classes": [asdict(item) for item in head.classes],
        "heads": {
            group: {"kind": item.kind, "weight": head.weights[group]} for group, item in sorted(head.heads.items())
        },
        "meta": dict(meta),
    }
    tensors = {
        f"{group}/{name}": np.ascontiguousarray(array)
        for group, item in head.heads.items()
        for name, array in _arrays(item).items()
    }
    data = save(tensors, metadata={_HEADER: json.dumps(header, ensure_ascii=False, sort_keys=True)})
    try:
        _write_whole(path, data)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}); give a folder that can be.") from error


def load_head(path: str | Path) -> tuple[FusedHead, dict[str, Any]]:
    """The head and its `meta`. Raises CheckpointError for a file that is missing, foreign, damaged or newer."""
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"Head {path.name} does not exist in {path.parent}; give a file from --save-head.")
    header, tensors = _read(path)
    try:
        classes = tuple(
            MapClass(item["code"], item["name"], item["value"], tuple(item["colour"]) if item["colour"] else None)
            for item in header["classes"]
        )
        heads = {group: _head(group, item["kind"], tensors) for group, item in header["heads"].items()}
        weights = {group: float(item["weight"]) for group, item in header["heads"].items()}
        fused = FusedHead(classes, heads, weights)
        _check_classes(fused)
        return fused, header["meta"]
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        reason = str(error) if isinstance(error, CheckpointError) else "something is missing in it"
        raise CheckpointError(f"Head {path.name} is damaged ({reason}); save it again.") from error


def check_head(meta: Mapping[str, Any], wanted: Mapping[str, Any], *, name: str = "The head") -> None:
    """Refuse features that a head was not fitted on; both are what `save_head` takes as `meta`.

    `wanted` describes the features at hand. Raises CheckpointError naming both sides. Groups that the features have
    beyond the head's are no fault.
    """
    groups, at_hand = dict(meta.get("groups", {})), dict(wanted.get("groups", {}))
    missing = [group for group in groups if group not in at_hand]
    if missing:
        raise CheckpointError(
            f"{name} was fitted on groups {_listed(groups)} but the features are {_listed(at_hand)}; "
            f"embed with {missing[0]} too."
        )
    if "network" in groups:
        _check_same(name, "embeddings of", _model(meta), _model(wanted), "embed with that model")
    _check_same(name, "cells of", _metres(meta), _metres(wanted), "give that cell size")
    for group, columns in groups.items():
        if list(columns) != list(at_hand[group]):
            what = f"the columns of group {group}:"
            _check_same(name, what, _listed(columns), _listed(at_hand[group]), "give rasters with the same bands")
    if meta.get("normalisation") != wanted.get("normalisation"):
        ours, theirs = json.dumps(meta.get("normalisation")), json.dumps(wanted.get("normalisation"))
        _check_same(name, "features normalised by", ours, theirs, "embed with --like an embedding of the first kind")


def _check_same(name: str, what: str, ours: str, theirs: str, mend: str) -> None:
    if ours != theirs:
        raise CheckpointError(
            f"{name} was fitted on {what} {ours} but these are of {theirs}; {mend}, or fit a new head."
        )


def _model(meta: Mapping[str, Any]) -> str:
    model = meta.get("model") or {}
    return f"model {model.get('name', 'none')} ({str(model.get('sha256', ''))[:12]})"


def _metres(meta: Mapping[str, Any]) -> str:
    size = meta.get("cell_size")
    return "an unknown size" if size is None else f"{float(size):.12g} m"


def _listed(names: Any) -> str:
    listed = [str(name) for name in names]
    return ", ".join(listed[:8]) + (f" and {len(listed) - 8} more" if len(listed) > 8 else "")


def _arrays(head: GroupHead) -> Arrays:
    own: Arrays = {"classes": head.classes, "mean": head.scaler.mean, "sd": head.scaler.sd}
    return {**own, **head.classifier.arrays()}


def _head(group: str, kind: str, tensors: Mapping[str, NDArray[Any]]) -> GroupHead:
    arrays = {name.removeprefix(f"{group}/"): item for name, item in tensors.items() if name.startswith(f"{group}/")}
    if any(item.dtype.kind == "f" and not np.isfinite(item).all() for item in arrays.values()):
        raise CheckpointError(f"group {group} holds numbers that are not finite")
    if kind not in READS:
        raise CheckpointError(f"group {group} is of the unknown kind {kind!r}")
    mean, sd, classes = arrays["mean"], arrays["sd"], arrays["classes"]
    if mean.ndim != 1 or mean.shape != sd.shape or classes.ndim != 1 or not (sd > 0).all():
        raise CheckpointError(f"the scale of group {group} does not fit")
    return GroupHead(kind, classes, Scaler(mean, sd), READS[kind](arrays, len(classes), len(mean)))


def _check_classes(fused: FusedHead) -> None:
    codes = fused.codes
    rising = bool((np.diff(codes) > 0).all())
    if not fused.heads or not rising or any(not np.isin(item.classes, codes).all() for item in fused.heads.values()):
        raise CheckpointError("its classes do not fit together")


def _read(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Header and tensors of a file of ours."""
    foreign = CheckpointError(f"{path.name} is not a head of JEPA-GFM, or is cut off; give a file from --save-head.")
    try:
        with safe_open(str(path), framework="numpy") as file:
            metadata = file.metadata() or {}
            header = json.loads(metadata.get(_HEADER, "null"))
            version = header.get("format_version") if isinstance(header, dict) else None
            if not isinstance(version, int):
                raise foreign
            if version > FORMAT_VERSION:
                raise CheckpointError(
                    f"Head {path.name} was made by a newer version (format {version}, not {FORMAT_VERSION}); "
                    "update jepa-gfm."
                )
            return header, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (SafetensorError, OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise foreign from error


def _write_whole(path: Path, data: bytes) -> None:
    """Beside the target, to disk, then renamed: a file with the final name is whole."""
    number, temporary = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)  # as any file of the user's; mkstemp's are private
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
