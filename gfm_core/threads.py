"""Computing in one thread, where the last bit must not depend on how many cores a machine has."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Iterator

from threadpoolctl import ThreadpoolController


@contextlib.contextmanager
def one_thread(api: str | None = None) -> Iterator[None]:
    """Products and sums of NumPy, SciPy and scikit-learn in one thread: sharing them out moves the last bit.

    `api`: of threadpoolctl; "blas" leaves OpenMP, and with it torch, as it is.
    """
    with _controller(len(sys.modules)).limit(limits=1, user_api=api):
        yield


@functools.lru_cache(maxsize=1)
def _controller(_modules: int) -> ThreadpoolController:
    """The loaded libraries with thread pools: to look for them costs 5 ms, and only an import brings another."""
    return ThreadpoolController()
