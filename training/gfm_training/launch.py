"""Starts a run as several processes of this machine: the same command again, by torch's own launcher."""

from __future__ import annotations

import os
import sys
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path

from gfm_core.errors import GfmError
from gfm_core.progress import Interrupted

GOES_ON = "Stopped; the run goes on from its last state when the same command is given again."


class ProcessFailed(GfmError, RuntimeError):
    """One of several processes ended with an error."""


def launch(arguments: Sequence[str], processes: int) -> None:
    """Run `gfm` with `arguments` in so many `processes`, which find one another as those of torchrun do.

    The first one talks as usual, the others keep silent. Raises `ProcessFailed` with the last line of the one that
    failed, unless that was the first, which has said it.
    """
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, Std
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 1) // processes, 1)))
    with tempfile.TemporaryDirectory(prefix="gfm-processes-") as logs:
        silent = dict.fromkeys(range(1, processes), Std.ALL)
        config = LaunchConfig(
            min_nodes=1, max_nodes=1, nproc_per_node=processes, run_id=uuid.uuid4().hex, rdzv_backend="c10d",
            rdzv_endpoint="localhost:0", max_restarts=0, logs_specs=DefaultLogsSpecs(log_dir=logs, redirects=silent),
        )  # fmt: skip
        try:
            elastic_launch(config, sys.executable)("-m", "gfm_core.cli", *arguments)
        except SignalException as error:
            raise Interrupted(GOES_ON) from error
        except ChildFailedError as error:
            if 0 in error.failures:
                code = error.failures[0].exitcode
                sys.exit(code if code > 0 else 1)
            number, _ = error.get_first_failure()
            raise ProcessFailed(_last_line(Path(logs), number)) from error


def _last_line(logs: Path, number: int) -> str:
    """The last words of a process."""
    for file in sorted(logs.glob(f"**/{number}/stderr.log")):
        lines = file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        if lines:
            return lines[-1].removeprefix("Error: ")
    return f"Process {number} of the run ended without a word; look for it in the system's log (out of memory?)."
