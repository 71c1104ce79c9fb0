"""One description of every tool: types, ranges and choices are checked, and every reader gets the same."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gfm_core.errors import GfmError, ParameterError
from gfm_core.parameters import (
    ClassifyParameters,
    EmbedParameters,
    Parameters,
    Role,
    SynthParameters,
    describe,
    parameters_of,
    tool_name,
)

TOOLS = (EmbedParameters, ClassifyParameters, SynthParameters)


def embed(**values: Any) -> EmbedParameters:
    return EmbedParameters(**{"rasters": ("a.tif",), "output": "out.tif", **values})


def test_loose_input_becomes_strict() -> None:
    parameters = embed(rasters=["a.tif", Path("b.tif")], output="out.tif", cell_size="20", threads="4")
    assert parameters.rasters == ("a.tif", "b.tif")
    assert parameters.output == Path("out.tif")
    assert parameters.cell_size == 20.0
    assert isinstance(parameters.cell_size, float)
    assert parameters.threads == 4


def test_a_whole_number_beyond_the_precision_of_floats_is_kept() -> None:
    assert SynthParameters(output="place", seed=2**63 + 1).seed == 2**63 + 1


def test_one_raster_may_be_given_without_a_list() -> None:
    assert embed(rasters="a.tif").rasters == ("a.tif",)
    assert embed(rasters=Path("a.tif")).rasters == ("a.tif",)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"cell_size": "wide"}, "cell_size must be a number, not 'wide'."),
        ({"cell_size": 0}, "cell_size must be at least 0.001 and at most 1e+06, not 0."),
        ({"cell_size": -5}, "cell_size must be at least 0.001 and at most 1e+06, not -5."),
        ({"cell_size": float("nan")}, "cell_size must be at least 0.001 and at most 1e+06, not nan."),
        ({"cell_size": float("inf")}, "cell_size must be at least 0.001 and at most 1e+06, not inf."),
        ({"cell_size": True}, "cell_size must be a number, not True."),
        (
            {"output": "maps/Map.PNG"},
            "output would be a GeoTIFF under the name Map.PNG; name it Map.tif.",
        ),
        ({"threads": 2.5}, "threads must be a whole number, not 2.5."),
        ({"threads": "2.5"}, "threads must be a whole number, not '2.5'."),
        ({"threads": float("nan")}, "threads must be a whole number, not nan."),
        ({"threads": float("inf")}, "threads must be a whole number, not inf."),
        ({"threads": 0}, "threads must be at least 1 and at most 1024, not 0."),
        ({"device": "tpu"}, "device cannot be 'tpu'; use auto, cpu, cuda."),
        ({"groups": ["fine", "finest"]}, "groups cannot be 'finest'; use fine, coarse, network."),
        ({"overwrite": "yes"}, "overwrite must be true or false, not 'yes'."),
        ({"overwrite": 1}, "overwrite must be true or false, not 1."),
        ({"rasters": 7}, "rasters must be a list of texts, not 7."),
        ({"rasters": ()}, "rasters needs at least one value; give rasters of one place"),
        ({"device": None}, "device needs a value; give where the network runs."),
        ({"rasters": ["a.tif", "b\0.tif"]}, "rasters holds a NUL character"),
        ({"output": "out\0.tif"}, "output holds a NUL character"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_parameter_and_mend(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        embed(**values)
    assert str(caught.value).startswith(message)
    assert isinstance(caught.value, GfmError)


def test_none_is_a_value_only_where_it_says_so() -> None:
    assert embed(cell_size=None).cell_size is None
    with pytest.raises(ParameterError, match=r"^model needs a value"):
        embed(model=None)


def test_a_head_may_be_a_name_or_a_file() -> None:
    values = {"rasters": ("a.tif",), "output": "map.tif"}
    assert ClassifyParameters(**values, head="forest").head == "forest"
    assert ClassifyParameters(**values, head="my_head.safetensors").head == "my_head.safetensors"


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ParameterError, match=r"^cellsize is not a parameter of embed; use .*cell_size.*\.$"):
        EmbedParameters.from_dict({"rasters": ["a.tif"], "output": "o.tif", "cellsize": 20})


def test_a_missing_value_is_named() -> None:
    with pytest.raises(ParameterError, match=r"^embed needs output; give it a value\.$"):
        EmbedParameters.from_dict({"rasters": ["a.tif"]})


def test_parameters_never_change_once_made() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        embed().cell_size = 10.0  # type: ignore[misc]


@given(
    rasters=st.lists(st.text(st.characters(exclude_characters="\0"), min_size=1), min_size=1, max_size=3),
    cell_size=st.none() | st.floats(0.001, 1e6),
    groups=st.lists(st.sampled_from(["fine", "coarse", "network"]), min_size=1, unique=True),
    threads=st.none() | st.integers(1, 1024),
    overwrite=st.booleans(),
)
def test_what_is_written_as_json_reads_back_the_same(**values: Any) -> None:
    parameters = embed(**values)
    assert EmbedParameters.from_dict(json.loads(json.dumps(parameters.to_dict()))) == parameters


def test_provenance_tells_what_can_change_pixels_and_nothing_else() -> None:
    told = set(embed().provenance())
    assert {"rasters", "cell_size", "model", "extent", "crs", "precision", "groups", "dtype"} <= told
    assert not told & {"output", "overwrite", "device", "threads", "batch"}


def test_runs_that_differ_only_in_how_they_ran_have_the_same_provenance() -> None:
    one = embed(output="a.tif", threads=1, batch=1, overwrite=True, device="cpu")
    assert one.provenance() == embed(output="b.tif", threads=8, batch=64).provenance()
    assert one.provenance() != embed(cell_size=30).provenance()


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_describes_itself_in_plain_values(tool: type[Parameters]) -> None:
    description = json.loads(json.dumps(describe(tool)))
    assert description["name"] == tool_name(tool)
    assert description["help"].endswith(".")
    names = [item["name"] for item in description["parameters"]]
    assert names == [field.name for field in dataclasses.fields(tool)]


@pytest.mark.parametrize("tool", TOOLS)
def test_every_parameter_has_a_sentence_of_help_and_a_flag_of_its_own(tool: type[Parameters]) -> None:
    infos = parameters_of(tool)
    assert all(info.spec.help.endswith((".", ")")) and info.spec.help[0].isupper() for info in infos)
    assert all(info.spec.role in Role for info in infos)
    for names in ([info.flag for info in infos], [info.spec.short for info in infos if info.spec.short]):
        assert len(names) == len(set(names))


@pytest.mark.parametrize("tool", TOOLS)
def test_every_default_is_a_value_its_own_checks_accept(tool: type[Parameters]) -> None:
    required = {
        info.name: ("a.tif",) if info.name == "rasters" else "x" for info in parameters_of(tool) if info.required
    }
    made = tool(**required)
    for info in parameters_of(tool):
        if not info.required:
            assert getattr(made, info.name) == info.default


def test_flags_are_those_that_users_type() -> None:
    flags = {info.name: info.flag for info in parameters_of(ClassifyParameters)}
    assert flags["cell_size"] == "cell"
    assert flags["map_gsd"] == "map-gsd"
    assert flags["save_head"] == "save-head"
