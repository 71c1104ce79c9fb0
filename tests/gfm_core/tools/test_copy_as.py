"""A run as text that repeats it, through the parser of the command line itself."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import gfm_core as gfm
from gfm_core.cli.options import parsed, with_parameters
from gfm_core.parameters import GROUPS, HEADS, ClassifyParameters, EmbedParameters, Parameters, SynthParameters
from gfm_core.tools.copy_as import as_command, as_python

# What a user may type; a NUL cannot be an argument, nor a lone surrogate text.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
FILE = TEXT.filter(lambda text: str(Path(text)) == text)


def through_the_command_line(parameters: Parameters) -> Any:
    """What the command of a tool makes of the text."""
    cls, got = type(parameters), []

    @click.command()
    @with_parameters(cls)
    def command(**values: Any) -> None:
        got.append(parsed(cls, values))

    words = shlex.split(as_command(parameters))
    result = CliRunner().invoke(command, words[2:], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return got[0]


@given(
    rasters=st.lists(FILE.filter(lambda text: not text.startswith("-")), min_size=1, max_size=3), output=FILE,
    cell_size=st.none() | st.floats(0.001, 1e6), extent=st.none() | TEXT, groups=st.sets(st.sampled_from(GROUPS)),
    labels=st.none() | TEXT, where=st.none() | TEXT, head=st.sampled_from(HEADS) | TEXT, batch=st.integers(1, 4096),
    save_head=st.none() | FILE.map(Path), map_gsd=st.none() | st.floats(0.001, 1e6),
)  # fmt: skip
def test_a_command_parses_back_to_the_same_parameters(groups: set[str], **values: Any) -> None:
    chosen = tuple(group for group in GROUPS if group in groups) or ("auto",)
    parameters = ClassifyParameters(groups=chosen, **values)
    assert through_the_command_line(parameters) == parameters


def test_only_what_differs_from_the_defaults_is_told() -> None:
    parameters = EmbedParameters(rasters=("a b.tif", "c.tif:as=dem"), output=Path("out.tif"), cell_size=20)
    assert as_command(parameters) == "gfm embed 'a b.tif' c.tif:as=dem -o out.tif --cell 20.0"
    assert as_python(parameters) == (
        "import gfm_core as gfm\ngfm.embed(['a b.tif', 'c.tif:as=dem'], 'out.tif', cell_size=20.0)"
    )


def test_whether_to_replace_outputs_is_not_repeated() -> None:
    parameters = EmbedParameters(rasters=("a.tif",), output=Path("out.tif"), overwrite=True)
    assert "overwrite" not in as_command(parameters) + as_python(parameters)


def test_a_file_that_looks_like_an_option_stays_a_file() -> None:
    parameters = EmbedParameters(rasters=("-o.tif",), output=Path("-x.tif"))
    again = through_the_command_line(parameters)
    assert again.rasters == ("./-o.tif",)
    assert again.output == Path("-x.tif")


def test_a_place_is_told_as_its_folder() -> None:
    parameters = SynthParameters(output=Path("my place"), seed=3, nodata_edge=True)
    assert as_command(parameters) == "gfm synth 'my place' --seed 3 --nodata-edge"
    assert through_the_command_line(parameters) == parameters


def test_the_python_text_makes_the_same_call(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = ClassifyParameters(
        rasters=("it's.tif",), output=Path("out.tif"), labels="l.gpkg", where="split = 'train'", groups=("fine",),
        save_head=Path("h.safetensors"),
    )  # fmt: skip
    got = []

    def classify(rasters: Any, output: Any, **options: Any) -> None:
        got.append(ClassifyParameters(rasters=rasters, output=output, **options))

    monkeypatch.setattr(gfm, "classify", classify)
    exec(as_python(parameters), {})
    assert got == [parameters]
