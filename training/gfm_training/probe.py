"""The honest question along the run: are a few labels worth more with these latents than without them?

Labelled scenes are cut to a fixed set of windows whose network inputs are made once; a probe is then forward passes and
small linear heads. Labels are used here and nowhere else: no gradient ever sees them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gfm_core.classes import MapClass
from gfm_core.embedding.pipeline import modality_statistics, network_input
from gfm_core.features.groups import Column, band_positions, cell_columns, statistic_columns
from gfm_core.features.indices import SensorBands, find_indices, index_values
from gfm_core.features.prototypes import Prototypes
from gfm_core.features.scaler import Scaler
from gfm_core.grid import CORE, CellRange, windows
from gfm_core.heads.fuse import fit_fused
from gfm_core.heads.scene import SceneFacts
from gfm_core.labels.burn import burn
from gfm_core.labels.read import read_labels
from gfm_core.model.encoder import CellEncoder
from gfm_core.model.tokens import ModalityInput, batch_inputs
from gfm_core.raster.read import StackReader
from gfm_core.raster.stack import Stack

SHOTS = (5, 20)
DRAWS = 8
_WINDOWS = 64  # a scene: those with most labelled cells
_PER_CLASS = 1500  # labelled cells
_TESTED = 200  # cells a class and draw
_LEAST = max(SHOTS)  # labelled cells of a class on each side
_SQUARES = 9  # along the longer side: half of them train, half test


@dataclass(frozen=True, slots=True)
class SceneSource:
    """A stack and labels of its ground: a file, its class field, and which features count (SQL)."""

    name: str
    stack: Stack
    labels: Path
    field: str | None = None
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Draw:
    """Rows of the scene's cells to fit on, for every number of labels a class, and to test on."""

    train: dict[int, NDArray[np.int64]]
    test: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Scene:
    """A labelled scene, ready: inputs of its windows, places of its labelled cells in them, their classes, draws."""

    name: str
    inputs: list[list[ModalityInput]]  # [batch][modality]
    window: NDArray[np.int64]  # [n]
    row: NDArray[np.int64]
    col: NDArray[np.int64]
    codes: NDArray[np.int32]
    groups: dict[str, NDArray[np.float32]]  # those of a map but the network [n, D], NaN where not known
    bands: tuple[int, ...]  # the columns of fine that are the raw bands
    draws: tuple[Draw, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """Macro-F1 of a scene by number of labels a class: statistics alone, network alone, both fused."""

    scene: str
    without: dict[int, float]
    network: dict[int, float]
    fused: dict[int, float]


# ---- Preparing ------------------------------------------------------------------------------------------------------


def prepare(source: SceneSource, *, seed: int = 0, shots: Sequence[int] = SHOTS) -> Scene:
    """Read a scene once, with draws of `shots` labels a class; raises `GfmError` if its labels cannot be probed."""
    stack = source.stack
    labels = read_labels(str(source.labels), field=source.field, where=source.where)
    found = burn(
        labels, stack.lattice.transform(stack.cells), stack.lattice.crs, stack.cells.shape, per_class=_PER_CLASS
    )
    rows, cols = found.rows + stack.cells.row, found.cols + stack.cells.col
    chosen, where = _richest_windows(rows, cols, stack.cells)
    kept = where >= 0
    rows, cols, where, codes = rows[kept], cols[kept], where[kept], found.codes[kept]
    every: list[list[ModalityInput]] = []
    columns: dict[str, list[NDArray[np.float32]]] = {"fine": [], "coarse": []}
    row = rows - np.array([item.row for item in chosen])[where]
    col = cols - np.array([item.col for item in chosen])[where]
    names: tuple[Column, ...] = ()
    with StackReader(stack) as reader:
        for number, cells in enumerate(chosen):
            names = ()
            inputs: list[ModalityInput] = []
            parts: dict[str, list[NDArray[np.float32]]] = {group: [] for group in columns}
            for modality in stack.modalities:
                statistics, bands, offset = modality_statistics(reader, modality, cells)
                inputs.append(network_input(stack, modality, statistics, bands, offset))
                names += statistic_columns("fine", modality.name, modality.dates, bands)
                for group, part in parts.items():
                    part.append(cell_columns(group, statistics))
            here = where == number
            for group, part in parts.items():
                columns[group].append(np.concatenate(part)[:, row[here], col[here]].T)
            every.append(inputs)
    order = np.argsort(where, kind="stable")  # as the columns were gathered
    groups = _with_derived({group: np.concatenate(parts) for group, parts in columns.items()}, names, stack, seed)
    rows, cols, codes = rows[order], cols[order], codes[order]
    draws = tuple(draw(rows, cols, codes, seed=seed + number, shots=shots) for number in range(DRAWS))
    return Scene(
        source.name, _batches(every), where[order], row[order], col[order], codes, groups,
        tuple(band_positions(names)), tuple(item for item in draws if item is not None),
    )  # fmt: skip


def _with_derived(
    groups: dict[str, NDArray[np.float32]], names: tuple[Column, ...], stack: Stack, seed: int
) -> dict[str, NDArray[np.float32]]:
    """What a map makes of statistics on the way: a network has to add something beside these too."""
    sensors = [SensorBands(item.name, len(item.dates), item.bands, item.normalisation) for item in stack.modalities]
    found = dict(groups)
    if indices := find_indices(names, sensors):
        found["indices"] = index_values(indices, groups["fine"].T).T
    if (prototypes := Prototypes.fit(groups, seed=seed)) is not None:
        found["prototypes"] = prototypes.of(groups)
    return found


def _richest_windows(
    rows: NDArray[np.int64], cols: NDArray[np.int64], cells: CellRange
) -> tuple[list[CellRange], NDArray[np.int64]]:
    """The windows whose cores hold most labelled cells, and the number of each cell's window (-1: none of them)."""
    ids = np.stack([rows // CORE, cols // CORE], axis=1)
    unique, inverse, counts = np.unique(ids, axis=0, return_inverse=True, return_counts=True)
    best = np.sort(np.argsort(-counts, kind="stable")[:_WINDOWS])
    place = np.full(len(unique), -1)
    place[best] = np.arange(len(best))
    known = {(index.row, index.col): index.cells for index in windows(cells)}
    return [known[int(row), int(col)] for row, col in unique[best]], place[inverse.ravel()]


def _batches(every: Sequence[list[ModalityInput]], size: int = 16) -> list[list[ModalityInput]]:
    """Windows joined along B."""
    return [
        [batch_inputs(same) for same in zip(*every[start : start + size], strict=True)]
        for start in range(0, len(every), size)
    ]


def draw(
    rows: NDArray[np.int64], cols: NDArray[np.int64], codes: NDArray[np.int32], *, seed: int,
    shots: Sequence[int] = SHOTS,
) -> Draw | None:  # fmt: skip
    """Half of the ground squares train, half test; None: too few. A class that is rare on one side is left out.

    Of a class that has fewer than the most `shots` on the training side all that it has are drawn.
    """
    chance = np.random.default_rng(seed)
    side = max(int(max(np.ptp(rows), np.ptp(cols)) + 1) // _SQUARES, 1)
    offset = chance.integers(0, side, 2)
    square = (rows + offset[0]) // side * 100_003 + (cols + offset[1]) // side
    names = np.unique(square)
    train = np.isin(square, chance.permutation(names)[: len(names) // 2])
    kept = [
        code
        for code in np.unique(codes)
        if (train & (codes == code)).sum() >= _LEAST and (~train & (codes == code)).sum() >= _LEAST
    ]
    if len(kept) < 2:
        return None
    order = {code: chance.permutation(np.flatnonzero(train & (codes == code))) for code in kept}
    tested = [chance.permutation(np.flatnonzero(~train & (codes == code)))[:_TESTED] for code in kept]
    return Draw({k: np.concatenate([order[code][:k] for code in kept]) for k in shots}, np.concatenate(tested))


# ---- Probing --------------------------------------------------------------------------------------------------------


def latents_of(encoder: CellEncoder, scene: Scene) -> NDArray[np.float32]:
    """Latents `[n, D]` of the scene's labelled cells."""
    with torch.inference_mode():
        values = torch.cat([encoder(inputs).values for inputs in scene.inputs]).cpu().numpy()
    found: NDArray[np.float32] = values[scene.window, scene.row, scene.col]
    return found


def probe(encoder: CellEncoder, scene: Scene, without: dict[int, float] | None = None) -> Score:
    """Score one scene; `without`, which no network changes, may be handed in from an earlier probe."""
    network = {"network": latents_of(encoder, scene)}
    return Score(
        scene.name,
        without if without is not None else macro_f1(scene.groups, scene),
        macro_f1(network, scene),
        macro_f1({**scene.groups, **network}, scene),
    )


def macro_f1(groups: Mapping[str, NDArray[np.float32]], scene: Scene) -> dict[int, float]:
    """Mean over the draws of `scores_of`."""
    return {k: round(float(np.mean(values)), 4) for k, values in scores_of(groups, scene).items()}


def scores_of(groups: Mapping[str, NDArray[np.float32]], scene: Scene) -> dict[int, list[float]]:
    """Macro-F1 in each draw of the heads that `gfm classify` fits to `groups` `[n, D]`, by labels a class.

    As in a map, the features are scaled over all the cells and not over the labelled few.
    """
    from sklearn.metrics import f1_score

    cells = SceneFacts({group: Scaler.fit(X) for group, X in groups.items()})
    classes = tuple(MapClass(int(code), str(code), int(code)) for code in np.unique(scene.codes))
    scores: dict[int, list[float]] = {k: [] for one in scene.draws[:1] for k in one.train}
    for one in scene.draws:
        tested = {group: X[one.test] for group, X in groups.items()}
        for k, train in one.train.items():
            known = {group: X[train] for group, X in groups.items()}
            head = fit_fused(known, scene.codes[train], classes, "lda", cells)
            guessed, _ = head.predict(tested)
            scores[k].append(float(f1_score(scene.codes[one.test], guessed, labels=head.codes, average="macro")))
    return scores
