"""One base for our errors, and the built-in kind for everyone else."""

from __future__ import annotations

import inspect

import pytest

from gfm_core import errors

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, Exception) and kind is not errors.GfmError
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_ours_and_of_the_built_in_kind_that_others_expect(kind: type[Exception]) -> None:
    assert issubclass(kind, errors.GfmError)
    assert issubclass(kind, ValueError | OSError | ImportError)
    assert str(kind("The file is empty.")) == "The file is empty."


def test_an_unwritable_output_is_an_os_error_and_a_missing_extra_an_import_error() -> None:
    assert issubclass(errors.OutputError, OSError)
    assert issubclass(errors.MissingExtraError, ImportError)
    assert issubclass(errors.MissingCrsError, errors.InputError)
