"""Options come from the description of a tool: whoever adds a field has added the option, the keyword and the form."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import Any

import click
import pytest
from click.testing import CliRunner

from gfm_core.cli.options import parsed, with_parameters
from gfm_core.parameters import (
    ClassifyParameters,
    EmbedParameters,
    Parameters,
    Role,
    SynthParameters,
    describe,
    parameter,
    parameters_of,
)
from gfm_core.progress import CancelCheck, ProgressCallback
from gfm_core.tools.call import described_by
from tests.conftest import RunGfm


@dataclass(frozen=True, kw_only=True)
class FlyParameters(EmbedParameters):
    """Embed from above."""

    altitude: float = parameter("Height above ground.", Role.DISTANCE, default=120.0, unit="m", flag="height")
    colours: tuple[str, ...] = parameter("Colours to fly.", Role.CHOICES, default=("red",), choices=("red", "blue"))
    loud: bool = parameter("Make noise.", Role.FLAG, default=False)


def caught(*words: str, cls: type[Parameters] = FlyParameters) -> Any:
    """What a command made from `cls` gets for the words of a command line."""
    got: list[Any] = []

    @click.command()
    @with_parameters(cls)
    def command(**values: Any) -> None:
        got.append(parsed(cls, values))

    result = CliRunner().invoke(command, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return got[0]


def test_a_new_field_is_an_option_with_its_help_and_default() -> None:
    assert caught("a.tif", "-o", "b.tif").altitude == 120.0
    given = caught("a.tif", "-o", "b.tif", "--height", "80", "--colours", "red, blue", "--loud")
    assert (given.altitude, given.colours, given.loud) == (80.0, ("red", "blue"), True)

    @click.command(context_settings={"max_content_width": 200, "terminal_width": 200})
    @with_parameters(FlyParameters)
    def command(**values: Any) -> None: ...

    shown = CliRunner().invoke(command, ["--help"]).output
    assert re.search(r"--height METRES +Height above ground\. \[default: 120\.0\]", shown)
    assert re.search(r"--colours red,blue +Colours to fly\. \[default: red\]", shown)
    assert re.search(r"--loud +Make noise\.", shown)


def test_a_new_field_is_a_keyword_of_the_call_and_stands_in_its_help() -> None:
    @described_by(FlyParameters)
    def fly(
        rasters: Any, output: Any, *, progress: ProgressCallback | None = None, cancel: CancelCheck | None = None,
        **options: Any,
    ) -> None:  # fmt: skip
        """Fly."""

    signature = inspect.signature(fly)
    assert signature.parameters["altitude"].default == 120.0
    assert signature.parameters["altitude"].kind is inspect.Parameter.KEYWORD_ONLY
    assert list(signature.parameters)[:2] == ["rasters", "output"]
    assert list(signature.parameters)[-2:] == ["progress", "cancel"]
    assert "altitude (m): Height above ground." in (fly.__doc__ or "")


def test_a_new_field_stands_in_the_description() -> None:
    described = {item["name"]: item for item in describe(FlyParameters)["parameters"]}
    assert described["altitude"]["flag"] == "height"
    assert described["altitude"]["default"] == 120.0


@pytest.mark.parametrize("cls", [EmbedParameters, ClassifyParameters, SynthParameters])
def test_every_parameter_of_a_tool_is_on_its_command_line(run_gfm: RunGfm, cls: type[Parameters]) -> None:
    shown = " ".join(run_gfm(describe(cls)["name"], "--help").out.split())
    for info in parameters_of(cls):
        positional = info.spec.role is Role.RASTERS or (info.spec.role is Role.OUTPUT_FOLDER and info.required)
        assert positional or f"--{info.flag} " in shown, info.name
        assert positional or info.spec.help in shown, info.name


def test_what_is_not_given_keeps_its_default_and_values_are_checked_by_the_description() -> None:
    assert caught("a.tif", "b.tif", "-o", "c.tif", cls=EmbedParameters) == EmbedParameters(
        rasters=("a.tif", "b.tif"), output="c.tif"  # type: ignore[arg-type]
    )  # fmt: skip
    assert caught("a.tif", "-o", "c.tif", "--extent", "-5,-6,7,8", cls=EmbedParameters).extent == "-5,-6,7,8"
