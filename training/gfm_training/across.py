"""What the processes of a run tell one another: they learn what one with all their windows would.

The first process (rank 0) writes, probes and talks; the others get from it what they must know.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from typing import TypeVar

import torch
from torch import Tensor, distributed

T = TypeVar("T")


def launched() -> bool:
    """Whether torchrun, or `launch`, has started this process as one of several."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 and "RANK" in os.environ


@contextlib.contextmanager
def together(device: torch.device) -> Iterator[None]:
    """Meet the other processes, if there are any, and part from them at the end.

    After an error only the end of the process parts them, so that it has been said before the others notice.
    """
    if not launched() or distributed.is_initialized():
        yield
        return
    # A process that waits for another one listens to no exception: it must end when the launcher says so.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if device.type == "cuda":
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    yield
    distributed.destroy_process_group()


def rank() -> int:
    """The number of this process, 0 = the first."""
    return distributed.get_rank() if _several() else 0


def after_first(make: Callable[[], T]) -> T:
    """What `make` gives in each process, in the first one before the others: it says what is wrong for all."""
    made = make() if rank() == 0 else None
    from_first(lambda: None)
    return make() if made is None else made


def from_first(make: Callable[[], T]) -> T:
    """What `make` gives in the first process, in all of them."""
    if not _several():
        return make()
    told = [make() if rank() == 0 else None]
    distributed.broadcast_object_list(told)
    value: T = told[0]  # type: ignore[assignment]
    return value


def processes() -> int:
    """How many processes learn together."""
    return distributed.get_world_size() if _several() else 1


def summed(values: Tensor) -> Tensor:
    """`values` added over all processes, which must all call this in the same order; without gradients."""
    if not _several():
        return values
    total = values.detach().clone()
    distributed.all_reduce(total)
    return total


def _several() -> bool:
    return distributed.is_available() and distributed.is_initialized()
