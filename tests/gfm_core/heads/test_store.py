from __future__ import annotations

import contextlib
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from gfm_core.classes import MapClass
from gfm_core.errors import CheckpointError, OutputError
from gfm_core.features.prototypes import Prototypes
from gfm_core.features.scaler import Scaler
from gfm_core.heads.fit import KINDS
from gfm_core.heads.fuse import fit_fused
from gfm_core.heads.mapper import MapHead, fit_map_head
from gfm_core.heads.scene import SceneFacts
from gfm_core.heads.store import check_head, load_head, save_head
from tests.gfm_core.heads.conftest import CLASSES, Clouds

MakeClouds = Callable[..., Clouds]
META: dict[str, Any] = {
    "model": {"name": "nano", "sha256": "aa" * 32},
    "groups": {"fine": ["B02 mean", "B03 mean"], "network": ["n1"]},
    "normalisation": [
        {
            "sensor": "sentinel2",
            "gsd": 10.0,
            "bands": ["B02", "B03"],
            "band": band,
            "scale": 0.0001,
            "offset": 0.0,
            "centre": 0.1,
            "spread": 0.06,
            "fitted": False,
        }
        for band in ("B02", "B03")
    ],
    "cell_size": 20.0,
}


def other_constants(**change: Any) -> list[dict[str, Any]]:
    return [{**item, **change} for item in META["normalisation"]]


def fitted(clouds: MakeClouds, kind: str = "lda") -> tuple[MapHead, dict[str, np.ndarray]]:
    """A head with every part that a file can hold."""
    (fine, y), (coarse, _), (bands, _) = (clouds(n=20, features=size, seed=size) for size in (8, 5, 2))
    features = {"fine": fine, "coarse": coarse}
    prototypes = Prototypes.fit(features)
    assert prototypes is not None
    features["prototypes"] = prototypes.of(features)
    scene = SceneFacts({group: Scaler.fit(X) for group, X in {**features, "bands": bands}.items()})
    folds = np.arange(len(y)) % 2
    made = fit_map_head({**features, "bands": bands}, y, folds, CLASSES, kind, scene=scene, prototypes=prototypes)
    assert made.head.applicability is not None
    return made.head, features


def plain(X: np.ndarray, y: np.ndarray, classes: tuple[MapClass, ...], kind: str) -> MapHead:
    return MapHead(fit_fused({"fine": X}, y, classes, kind))


def rewritten(path: Path, change: Callable[[dict[str, Any], dict[str, np.ndarray]], None]) -> Path:
    """A file of ours with its header or tensors changed by hand."""
    with safe_open(str(path), framework="numpy") as file:
        header = json.loads(file.metadata()["jepa_gfm_head"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    change(header, tensors)
    save_file(tensors, path, metadata={"jepa_gfm_head": json.dumps(header)})
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_a_stored_head_answers_to_the_bit(clouds: MakeClouds, kind: str, tmp_path: Path) -> None:
    head, features = fitted(clouds, kind)
    save_head(tmp_path / "head.safetensors", head, META)
    again, meta = load_head(tmp_path / "head.safetensors")
    np.testing.assert_array_equal(again.fused.log_proba(features), head.fused.log_proba(features))
    assert meta == META
    assert again.classes == head.classes
    assert again.fused.weights == head.fused.weights
    assert (again.level, again.threshold) == (head.level, head.threshold)
    assert again.prototypes is not None and head.prototypes is not None
    np.testing.assert_array_equal(again.prototypes.of(features), features["prototypes"])
    assert again.applicability is not None and head.applicability is not None
    np.testing.assert_array_equal(
        again.applicability.inside(features["fine"] * 1.5), head.applicability.inside(features["fine"] * 1.5)
    )
    assert again.guide is not None and head.guide is not None
    np.testing.assert_array_equal(again.guide.mean, head.guide.mean)


def test_a_head_without_the_parts_that_folds_tell_comes_back_so(clouds: MakeClouds, tmp_path: Path) -> None:
    X, y = clouds()
    save_head(tmp_path / "h", plain(X, y, CLASSES, "lda"), META)
    again, _ = load_head(tmp_path / "h")
    assert (again.prototypes, again.guide, again.threshold, again.applicability) == (None, None, None, None)


def test_class_names_and_values_survive_exactly(clouds: MakeClouds, tmp_path: Path) -> None:
    X, y = clouds()
    classes = (
        MapClass(2, 'Wald,\n"森林" 🌲', -3, (1, 2, 3)),
        MapClass(5, "x" * 200, 0.1),
        MapClass(9, "true", "true"),
    )
    save_head(tmp_path / "h", plain(X, y, classes, "lda"), {})
    again = load_head(tmp_path / "h")[0].classes
    assert again == classes
    assert [type(item.value) for item in again] == [int, float, str]


def test_same_head_same_bytes_and_nothing_else_in_the_folder(clouds: MakeClouds, tmp_path: Path) -> None:
    head, _ = fitted(clouds)
    save_head(tmp_path / "a", head, META)
    save_head(tmp_path / "b", head, META)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(item.name for item in tmp_path.iterdir()) == ["a", "b"]


def test_a_folder_that_is_not_there_is_an_error_of_the_output(clouds: MakeClouds, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        save_head(tmp_path / "gone" / "head", fitted(clouds)[0], META)


class _Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("/tmp/gfm-head-was-unpickled"),))


@pytest.mark.parametrize("content", [b"", b"text", pickle.dumps(_Trap()), b"PK\x03\x04" + b"\0" * 100])
def test_a_foreign_file_is_refused_and_never_unpickled(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "head"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="head is not a head of JEPA-GFM"):
        load_head(path)
    assert not Path("/tmp/gfm-head-was-unpickled").exists()
    with pytest.raises(CheckpointError, match="does not exist"):
        load_head(tmp_path / "gone")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_head_cut_off_is_refused(clouds: MakeClouds, share: float, tmp_path: Path) -> None:
    path = tmp_path / "head"
    save_head(path, fitted(clouds)[0], META)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(CheckpointError, match="cut off"):
        load_head(path)


def test_a_checkpoint_of_weights_is_no_head(tmp_path: Path) -> None:
    save_file({"w": np.zeros(3)}, tmp_path / "model.safetensors", metadata={"jepa_gfm": "{}"})
    with pytest.raises(CheckpointError, match=r"model\.safetensors is not a head"):
        load_head(tmp_path / "model.safetensors")


def test_a_newer_format_is_said(clouds: MakeClouds, tmp_path: Path) -> None:
    save_head(tmp_path / "head", fitted(clouds)[0], META)
    path = rewritten(tmp_path / "head", lambda header, _: header.update(format_version=99))
    with pytest.raises(CheckpointError, match=r"made by a newer version \(format 99"):
        load_head(path)
    path = rewritten(path, lambda header, _: header.update(format_version=1))
    with pytest.raises(CheckpointError, match=r"made by an older version \(format 1, not 2\)"):
        load_head(path)


DAMAGE: dict[str, Callable[[dict[str, Any], dict[str, np.ndarray]], None]] = {
    "child outside": lambda _, t: t["fine/left"].__setitem__(0, 10**6),
    "child before its parent": lambda _, t: t["fine/right"].__setitem__(int(np.argmax(t["fine/right"] > 0)), 0),
    "half a leaf": lambda _, t: t["fine/right"].__setitem__(int(np.argmax(t["fine/right"] < 0)), 1),
    "feature outside": lambda _, t: t["fine/feature"].__setitem__(0, 8),
    "tree outside": lambda _, t: t["fine/starts"].__setitem__(-1, 10**6),
    "leaf without classes": lambda _, t: t["fine/shares"].__setitem__(0, 0.0),
    "not finite": lambda _, t: t["fine/threshold"].__setitem__(0, np.nan),
    "scale of zero": lambda _, t: t["fine/sd"].__setitem__(0, 0.0),
    "array missing": lambda _, t: t.pop("fine/left").sum(),
    "other classes": lambda _, t: t["fine/classes"].__setitem__(0, 3),
    "unknown kind": lambda h, _: h["heads"]["fine"].update(kind="oracle"),
    "no classes": lambda h, _: h.pop("classes").clear(),
    "negative weight": lambda h, _: h["heads"]["fine"].update(weight=-1.0),
    "temperature of zero": lambda h, _: h.update(temperature=0.0),
}

# Of the parts that are no head of a group.
PARTS: dict[str, Callable[[dict[str, Any], dict[str, np.ndarray]], None]] = {
    "prototypes of other columns": lambda _, t: t.update(
        {":prototypes/centres": t[":prototypes/centres"][:, 1:].copy()}
    ),
    "no guide": lambda _, t: t.pop(":guide/mean").sum(),
    "samples of other columns": lambda _, t: t.update({":applicability/samples": np.zeros((3, 2))}),
    "samples that are not finite": lambda _, t: t[":applicability/samples"].__setitem__(0, np.inf),
}


@pytest.mark.parametrize("damage", PARTS)
def test_damage_in_what_belongs_to_the_map_is_found(clouds: MakeClouds, damage: str, tmp_path: Path) -> None:
    save_head(tmp_path / "head", fitted(clouds)[0], META)
    with pytest.raises(CheckpointError, match="Head head is damaged"):
        load_head(rewritten(tmp_path / "head", PARTS[damage]))


@pytest.fixture(scope="module")
def stored_forest(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    rng = np.random.default_rng(0)
    head = plain(rng.normal(size=(30, 8)), np.repeat([2, 5, 9], 10), CLASSES, "forest")
    path = tmp_path_factory.mktemp("forest") / "head"
    save_head(path, head, META)
    return path.read_bytes()


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found_before_compiled_code_walks_it(stored_forest: bytes, damage: str, tmp_path: Path) -> None:
    (tmp_path / "head").write_bytes(stored_forest)
    load_head(tmp_path / "head")
    with pytest.raises(CheckpointError, match="Head head is damaged"):
        load_head(rewritten(tmp_path / "head", DAMAGE[damage]))


@pytest.mark.parametrize("kind", ["lda", "knn"])
def test_arrays_that_do_not_fit_are_refused(clouds: MakeClouds, kind: str, tmp_path: Path) -> None:
    save_head(tmp_path / "head", fitted(clouds, kind)[0], META)
    name = "fine/coefficients" if kind == "lda" else "fine/samples"
    path = rewritten(tmp_path / "head", lambda _, t: t.update({name: t[name][:, 1:].copy()}))
    with pytest.raises(CheckpointError, match="do not fit its classes and columns"):
        load_head(path)


def test_features_of_the_same_kind_are_accepted_with_groups_to_spare() -> None:
    check_head(META, {**META, "groups": {**META["groups"], "coarse": ["x"]}})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cell_size": 30.0}, "cells of 20 m but these are of 30 m"),
        (
            {"model": {"name": "small", "sha256": "bb" * 32}},
            r"model nano \(aaaa.*\) but these are of model small \(bbbb",
        ),
        ({"groups": {"fine": ["B02 mean"], "network": ["n1"]}}, "B02 mean, B03 mean but these are of B02 mean;"),
        (
            {"groups": {"fine": META["groups"]["fine"]}},
            "groups fine, network but the features are fine; embed with network",
        ),
        ({"normalisation": other_constants(centre=0.4)}, "0.1.* but these are of .*0.4"),
        ({"normalisation": other_constants(spread=0.2)}, "0.06.* but these are of .*0.2"),
        ({"normalisation": other_constants(gsd=20.0)}, "10.0.* but these are of .*20.0"),
        ({"normalisation": META["normalisation"][:1]}, "normalised by"),
    ],
)
def test_features_of_another_kind_are_refused_naming_both(change: dict[str, Any], said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        check_head(META, {**META, **change}, name="Head h.safetensors")


def test_a_product_whose_files_are_coded_otherwise_is_the_same_kind() -> None:
    newer = other_constants(offset=-0.1, bands=("B02", "B03"))
    check_head(META, {**META, "normalisation": newer})
    check_head({**META, "normalisation": newer}, META)


@pytest.mark.parametrize(
    ("ours", "theirs", "fits"),
    [
        ("sentinel2_24.1m B02 mean3", "sentinel2_23.6m B02 mean3", True),
        ("custom_24.1m_2 date 1 band 1 sd5", "custom_23.6m_2 date 1 band 1 sd5", True),
        ("sentinel2_10m B02 mean3", "sentinel2_20m B02 mean3", False),
        ("sentinel2_24.1m B02 mean3", "sentinel2_23.6m B02 mean5", False),
        ("sentinel2_24.1m B02 mean3", "landsat8_23.6m B02 mean3", False),
        ("custom_24.1m_2 band 1 sd5", "custom_23.6m band 1 sd5", False),
    ],
)
def test_columns_may_differ_a_little_in_their_gsd_and_in_nothing_else(ours: str, theirs: str, fits: bool) -> None:
    # The ninth: what differs far down a list counts as well.
    stored, at_hand = (
        {**META, "groups": {"fine": [*(f"column {number}" for number in range(8)), last, "end"]}}
        for last in (ours, theirs)
    )
    for pair in ((stored, at_hand), (at_hand, stored)):
        with contextlib.nullcontext() if fits else pytest.raises(CheckpointError, match="columns of group fine"):
            check_head(*pair)


def test_another_model_is_no_fault_of_a_head_without_network() -> None:
    meta = {**META, "groups": {"fine": META["groups"]["fine"]}}
    check_head(meta, {**meta, "model": {"name": "small", "sha256": "bb" * 32}})
