"""The Python calls are described by the same dataclass as everything else."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gfm_core as gfm
from gfm_core.parameters import ClassifyParameters, EmbedParameters, Parameters, parameters_of

CALLS = [(gfm.embed, EmbedParameters), (gfm.classify, ClassifyParameters)]


@pytest.mark.parametrize(("call", "cls"), CALLS)
def test_the_signature_holds_every_parameter_with_its_default(call: Callable[..., Any], cls: type[Parameters]) -> None:
    signature = inspect.signature(call)
    assert list(signature.parameters)[:2] == ["rasters", "output"]
    for info in parameters_of(cls):
        assert info.name in signature.parameters
        if not info.required:
            assert signature.parameters[info.name].default == info.default
        assert f"{info.name}" in (call.__doc__ or "")
        assert info.spec.help in (call.__doc__ or "")


@pytest.mark.parametrize(("call", "cls"), CALLS)
def test_a_value_that_cannot_work_is_a_sentence(
    call: Callable[..., Any], cls: type[Parameters], tmp_path: Path
) -> None:
    with pytest.raises(gfm.ParameterError, match="cell_size must be at least"):
        call(["a.tif"], tmp_path / "out.tif", cell_size=-1)


def test_a_parameter_that_does_not_exist_is_pythons_own_error(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="altitude"):
        gfm.embed(["a.tif"], tmp_path / "out.tif", altitude=3)
