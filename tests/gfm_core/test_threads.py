"""One thread: what threadpoolctl itself says of the libraries."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import sklearn.cluster  # noqa: F401 - brings OpenMP
from threadpoolctl import threadpool_info

from gfm_core.threads import one_thread


def threads() -> list[int]:
    return [library["num_threads"] for library in threadpool_info()]


def test_one_thread_holds_inside_and_is_given_back() -> None:
    np.ones((2, 2)) @ np.ones((2, 2))
    before = threads()
    with one_thread():
        assert set(threads()) == {1}
        with one_thread():
            assert set(threads()) == {1}
        assert set(threads()) == {1}
    assert threads() == before


def test_one_thread_is_given_back_after_an_error() -> None:
    before = threads()
    with pytest.raises(ZeroDivisionError), one_thread():
        1 / 0  # noqa: B018
    assert threads() == before


def test_a_library_that_is_loaded_later_is_held_too() -> None:
    program = """
from gfm_core.threads import one_thread
with one_thread():
    pass
import sklearn.cluster
from threadpoolctl import threadpool_info
assert any(library["user_api"] == "openmp" for library in threadpool_info())
with one_thread():
    print({library["num_threads"] for library in threadpool_info()})
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "{1}"
