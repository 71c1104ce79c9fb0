"""Embed on the workers of a Dask cluster: rows of pieces become tasks, and each fills its part of the journal.

The machine that asked then makes the file from the journal, as after any interruption: so a lost worker costs its task,
an interrupted run goes on, and the file is the one that a single machine would have made, to the byte.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gfm_core.embedding.journal import open_journal
from gfm_core.embedding.kept import Kept, piece_keys
from gfm_core.embedding.make import Recipe, Run, check_unchanged, embedding_columns, journal_with_room
from gfm_core.embedding.pipeline import Engine
from gfm_core.errors import GfmError, MissingExtraError, OutputError, ParameterError
from gfm_core.grid import CellRange, Tile
from gfm_core.model.checkpoint import load_model
from gfm_core.parameters import EmbedParameters
from gfm_core.progress import Reporter
from gfm_core.raster.stack import Stack
from gfm_core.tools.embed import engine_of

if TYPE_CHECKING:
    from distributed import Client

_TILES_A_TASK = 16  # of one row: a task is lost with its worker, and should be minutes of work at most
_CONNECT_SECONDS = 20
_RETRIES = 3
_LOOK_EVERY = 0.2  # seconds between looks at progress and cancel

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """Everything a worker has to know of a run; plain enough to be sent."""

    stack: Stack
    parameters: EmbedParameters  # the model is a name or a path that the worker knows too
    journal: Path

    def ready(self) -> tuple[Recipe, Engine | None, dict[str, str]]:
        """Model, network and keys as they are on this machine."""
        groups, dtype = self.parameters.groups, self.parameters.dtype
        model = load_model(self.parameters.model) if "network" in groups else None
        engine = engine_of(self.parameters, model)
        recipe = Recipe(groups, dtype, model, {})
        return recipe, engine, piece_keys(self.stack, groups, dtype, recipe.told_model, engine)


def fill_journal(work: Work, recipe: Recipe, address: str, reporter: Reporter) -> Kept:
    """Let the workers behind `address` make every piece that the journal lacks; returns the journal.

    Raises `MissingExtraError` without the extra `cluster`, `ParameterError` if no scheduler answers, and what a worker
    raised.
    """
    with _connected(address) as client:
        # One worker tells the keys: the machine that asks may have another chip.
        first = client.submit(_keys_of, work, pure=False, retries=_RETRIES)
        _watch(client, {first: 0}, reporter, lambda _: None)
        keys = first.result()
        columns = embedding_columns(work.stack, recipe)
        kept = Kept(journal_with_room(work.journal, keys, work.stack, columns, recipe.dtype), {})
        missing = Run(work.stack, columns, recipe.dtype, kept, work.stack.cells).missing()
        tasks = {
            client.submit(_fill, work, cells, keys, pure=False, retries=_RETRIES): count
            for cells, count in rows_of(list(missing), work.stack.cells)
        }
        logger.info("%d pieces in %d tasks on %s.", len(missing), len(tasks), address)
        done = 0

        def share(count: int) -> None:
            nonlocal done
            done += count
            part = done / len(missing)
            reporter.update(part, "embedding on the cluster", work.stack.area_km2 * part)

        _watch(client, tasks, reporter, share)
    return kept


def rows_of(tiles: list[Tile], cells: CellRange) -> Iterator[tuple[CellRange, int]]:
    """Neighbouring tiles of one row joined to tasks: the cells of their pieces, and how many tiles that are."""
    runs: list[list[Tile]] = []
    for tile in sorted(tiles, key=lambda tile: (tile.row, tile.col)):
        before = runs[-1][-1] if runs else None
        if before is not None and (before.row, before.col + 1) == (tile.row, tile.col):
            runs[-1].append(tile)
        else:
            runs.append([tile])
    for run in runs:
        for start in range(0, len(run), _TILES_A_TASK):
            part = run[start : start + _TILES_A_TASK]
            first, last = part[0].piece, part[-1].piece
            whole = CellRange(first.row, first.col, first.rows, last.stop[1] - first.col)
            wanted = whole.intersection(cells)
            assert wanted is not None
            yield wanted, len(part)


def _keys_of(work: Work) -> dict[str, str]:
    check_unchanged(work.stack)
    return work.ready()[2]


def _fill(work: Work, cells: CellRange, keys: Mapping[str, str]) -> int:
    """On a worker: make the pieces of `cells` in the journal; returns how many."""
    check_unchanged(work.stack)
    recipe, engine, own = work.ready()
    if own != dict(keys):
        raise ParameterError(
            "The workers of the cluster differ in device, precision, model or version of jepa-gfm; give all the same, "
            "or --device cpu --precision float32."
        )
    kept = Kept(open_journal(work.journal, keys), {})
    run = Run(work.stack, embedding_columns(work.stack, recipe), recipe.dtype, kept, cells)
    return sum(1 for _ in run.pieces(engine, 1, Reporter()))


def _connected(address: str) -> Client:
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingExtraError(
            "A Dask scheduler needs the extra `cluster`: pip install 'jepa-gfm[cluster]'."
        ) from error
    try:
        client = Client(  # type: ignore[no-untyped-call]
            address, timeout=_CONNECT_SECONDS, set_as_default=False
        )
    except (OSError, ValueError, TimeoutError) as error:
        raise ParameterError(
            f"No Dask scheduler answers at {address}; start one with `dask scheduler` and give its address."
        ) from error
    if not client.scheduler_info()["workers"]:
        client.close()  # type: ignore[no-untyped-call]
        raise ParameterError(f"The scheduler at {address} has no workers; start some with `dask worker {address}`.")
    return client


def _watch(client: Client, tasks: dict[Any, int], reporter: Reporter, share: Callable[[int], None]) -> None:
    """Wait for all tasks, telling `share` how many pieces came; an error or a cancel ends the others."""
    left = set(tasks)
    try:
        while left:
            found = {task for task in left if task.done()}
            for task in found:
                _raise_of(task)
                share(tasks[task])
            left -= found
            reporter.check()
            time.sleep(_LOOK_EVERY)
    finally:
        client.cancel(list(left))  # type: ignore[no-untyped-call]


def _raise_of(task: Any) -> None:
    """Raise what a task raised, in one sentence."""
    if task.status == "finished":
        return
    error = task.exception()
    if isinstance(error, GfmError):
        raise error
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    raise OutputError(f"A task failed on the cluster ({reason}); look at the workers' logs and run again.")
