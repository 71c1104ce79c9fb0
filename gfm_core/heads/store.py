"""Heads in files: one safetensors file of plain arrays with a JSON header. Nothing is ever unpickled.

The header is the safetensors metadata entry `jepa_gfm_head`; tensors are named `group/array`. Forests and neighbours
are stored as arrays too, and checked before compiled code walks them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from gfm_core.classes import MapClass
from gfm_core.errors import CheckpointError
from gfm_core.features.prototypes import Prototypes
from gfm_core.features.scaler import Scaler
from gfm_core.heads.applicability import Applicability
from gfm_core.heads.classifiers import READS, Arrays
from gfm_core.heads.fit import GroupHead
from gfm_core.heads.fuse import FusedHead
from gfm_core.heads.mapper import MapHead
from gfm_core.whole import write_whole

FORMAT_VERSION = 2
_HEADER = "jepa_gfm_head"
_PROTOTYPES, _GUIDE, _APPLICABILITY = ":prototypes", ":guide", ":applicability"  # parts that are no head of a group

_MODALITY_GSD = re.compile(r"\S*?_(?P<gsd>\d\S*?)m(_\d+)?(?= )")  # the modality in a column's name: sensor_10m
_ABOUT_SAME_GSD = math.log(1.2)


def save_head(path: str | Path, head: MapHead, meta: Mapping[str, Any]) -> None:
    """Write `head` and plain values `meta`, whole or not at all (OutputError).

    `meta` says what the head belongs to, for `check_head`: `model` {name, sha256}, `groups` {group: [column names]},
    `normalisation`, `cell_size` (metres).
    """
    path = Path(path)
    fused, prototypes, applicability = head.fused, head.prototypes, head.applicability
    header = {
        "format_version": FORMAT_VERSION,
        "classes": [asdict(item) for item in head.classes],
        "heads": {
            group: {"kind": item.kind, "weight": fused.weights[group]} for group, item in sorted(fused.heads.items())
        },
        "temperature": fused.temperature,
        "level": head.level,
        "threshold": head.threshold,
        "prototypes": list(prototypes.groups) if prototypes else None,
        "guide": head.guide is not None,
        "applicability": {
            "group": applicability.group, "unit": applicability.unit, "threshold": applicability.threshold,
        } if applicability else None,
        "meta": dict(meta),
    }  # fmt: skip
    tensors = {
        f"{group}/{name}": np.ascontiguousarray(array)
        for group, arrays in _parts(head).items()
        for name, array in arrays.items()
    }
    data = save(tensors, metadata={_HEADER: json.dumps(header, ensure_ascii=False, sort_keys=True)})
    write_whole(path, data)


def _parts(head: MapHead) -> dict[str, Arrays]:
    """The arrays of a head, by the part that they belong to; parts that are no group begin with a colon."""
    parts = {group: _arrays(item) for group, item in head.fused.heads.items()}
    if head.prototypes is not None:
        parts[_PROTOTYPES] = {**_scale(head.prototypes.scaler), "centres": head.prototypes.centres}
    if head.guide is not None:
        parts[_GUIDE] = _scale(head.guide)
    if head.applicability is not None:
        parts[_APPLICABILITY] = {"importance": head.applicability.importance, "samples": head.applicability.samples}
    return parts


def load_head(path: str | Path) -> tuple[MapHead, dict[str, Any]]:
    """The head and its `meta`. Raises CheckpointError for a file that is missing, foreign, damaged, older or newer."""
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"Head {path.name} does not exist in {path.parent}; give a file from --save-head.")
    header, tensors = _read(path)
    try:
        return _map_head(header, tensors), header["meta"]
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        reason = str(error) if isinstance(error, CheckpointError) else "something is missing in it"
        raise CheckpointError(f"Head {path.name} is damaged ({reason}); save it again.") from error


def _map_head(header: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> MapHead:
    classes = tuple(
        MapClass(item["code"], item["name"], item["value"], tuple(item["colour"]) if item["colour"] else None)
        for item in header["classes"]
    )
    heads = {group: _head(group, item["kind"], tensors) for group, item in header["heads"].items()}
    weights = {group: float(item["weight"]) for group, item in header["heads"].items()}
    fused = FusedHead(classes, heads, weights, float(header["temperature"]))
    _check_fused(fused)
    threshold = header["threshold"]
    return MapHead(
        fused,
        _prototypes(header["prototypes"], _part(_PROTOTYPES, tensors)) if header["prototypes"] else None,
        _scaler(_part(_GUIDE, tensors), _GUIDE) if header["guide"] else None,
        float(header["level"]),
        None if threshold is None else float(threshold),
        _applicability(header["applicability"], tensors, heads) if header["applicability"] else None,
    )


def _prototypes(groups: list[str], arrays: Arrays) -> Prototypes:
    scaler, centres = _scaler(arrays, _PROTOTYPES), arrays["centres"].astype(np.float64)
    if centres.ndim != 2 or centres.shape[1] != len(scaler.mean):
        raise CheckpointError("its prototypes do not fit their columns")
    return Prototypes(tuple(groups), scaler, centres)


def _applicability(
    told: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]], heads: Mapping[str, GroupHead]
) -> Applicability:
    """It is scaled as the head of its group."""
    arrays, scaler = _part(_APPLICABILITY, tensors), heads[told["group"]].scaler
    importance, samples = arrays["importance"], arrays["samples"]
    if samples.ndim != 2 or importance.shape != scaler.mean.shape or samples.shape[1] != len(importance):
        raise CheckpointError("its area of applicability does not fit its columns")
    return Applicability(
        told["group"], scaler, importance.astype(np.float64), samples.astype(np.float64), float(told["unit"]),
        float(told["threshold"]),
    )  # fmt: skip


def check_head(meta: Mapping[str, Any], wanted: Mapping[str, Any], *, name: str = "The head") -> None:
    """Refuse features that a head was not fitted on; both are what `save_head` takes as `meta`.

    `wanted` describes the features at hand. Raises CheckpointError naming both sides. Groups that the features have
    beyond the head's are no fault, nor is a GSD that is about the same (in degrees it differs from place to place),
    nor another coding of the same physical numbers (a product's scale and offset only decode its files).
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
        what, mend = f"the columns of group {group}:", "give rasters with the same bands"
        ours, theirs = _differing([str(item) for item in columns], [str(item) for item in at_hand[group]], _same_column)
        _check_same(name, what, _listed(ours), _listed(theirs), mend)
    what, mend = "features normalised by", "embed with --like an embedding of the first kind"
    ours, theirs = _differing(meta.get("normalisation") or [], wanted.get("normalisation") or [], _same_constants)
    _check_same(name, what, json.dumps(ours), json.dumps(theirs), mend)


def _differing(ours: list[Any], theirs: list[Any], same: Callable[[Any, Any], bool]) -> tuple[list[Any], list[Any]]:
    """What differs in two lists; of lists of different length everything."""
    if len(ours) != len(theirs):
        return ours, theirs
    pairs = [pair for pair in zip(ours, theirs, strict=True) if not same(*pair)]
    return [one for one, _ in pairs], [other for _, other in pairs]


def _same_column(ours: str, theirs: str) -> bool:
    """Whether two names of columns mean the same: they differ at most a little in the GSD of their modality."""
    one, two = _MODALITY_GSD.match(ours), _MODALITY_GSD.match(theirs)
    if one is None or two is None:
        return ours == theirs
    rest = ours[: one.start("gsd")] + ours[one.end("gsd") :] == theirs[: two.start("gsd")] + theirs[two.end("gsd") :]
    return rest and _about(float(one["gsd"]), float(two["gsd"]))


def _same_constants(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """Whether two bands are the same in the network's units: what decodes the file (scale, offset) may differ."""
    what = ("sensor", "bands", "band", "centre", "spread", "fitted")
    same = all(_plain(ours.get(name)) == _plain(theirs.get(name)) for name in what)
    return same and _about(float(ours["gsd"]), float(theirs["gsd"]))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value  # as JSON gives it back


def _about(one: float, two: float) -> bool:
    return abs(math.log(one / two)) <= _ABOUT_SAME_GSD


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
    own: Arrays = {"classes": head.classes, **_scale(head.scaler)}
    return {**own, **head.classifier.arrays()}


def _scale(scaler: Scaler) -> Arrays:
    return {"mean": scaler.mean, "sd": scaler.sd}


def _part(part: str, tensors: Mapping[str, NDArray[Any]]) -> Arrays:
    """The arrays of one part; CheckpointError if a number in them is not finite."""
    arrays = {name.removeprefix(f"{part}/"): item for name, item in tensors.items() if name.startswith(f"{part}/")}
    if any(item.dtype.kind == "f" and not np.isfinite(item).all() for item in arrays.values()):
        raise CheckpointError(f"{part.strip(':')} holds numbers that are not finite")
    return arrays


def _scaler(arrays: Arrays, part: str) -> Scaler:
    mean, sd = arrays["mean"], arrays["sd"]
    if mean.ndim != 1 or mean.shape != sd.shape or not (sd > 0).all():
        raise CheckpointError(f"the scale of {part.strip(':')} does not fit")
    return Scaler(mean, sd)


def _head(group: str, kind: str, tensors: Mapping[str, NDArray[Any]]) -> GroupHead:
    arrays = _part(group, tensors)
    if kind not in READS:
        raise CheckpointError(f"group {group} is of the unknown kind {kind!r}")
    scaler, classes = _scaler(arrays, f"group {group}"), arrays["classes"]
    if classes.ndim != 1:
        raise CheckpointError(f"the classes of group {group} do not fit")
    return GroupHead(kind, classes, scaler, READS[kind](arrays, len(classes), len(scaler.mean)))


def _check_fused(fused: FusedHead) -> None:
    codes = fused.codes
    rising = bool((np.diff(codes) > 0).all())
    if not fused.heads or not rising or any(not np.isin(item.classes, codes).all() for item in fused.heads.values()):
        raise CheckpointError("its classes do not fit together")
    weights = list(fused.weights.values())
    if not all(math.isfinite(item) and item >= 0 for item in weights) or sum(weights) <= 0 or not fused.temperature > 0:
        raise CheckpointError("its weights are no weights")


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
            if version < FORMAT_VERSION:
                raise CheckpointError(
                    f"Head {path.name} was made by an older version (format {version}, not {FORMAT_VERSION}), which "
                    "fused groups in another way; fit it again."
                )
            if version > FORMAT_VERSION:
                raise CheckpointError(
                    f"Head {path.name} was made by a newer version (format {version}, not {FORMAT_VERSION}); "
                    "update jepa-gfm."
                )
            return header, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (SafetensorError, OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise foreign from error
