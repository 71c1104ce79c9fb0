"""The tools as the library describes them: `tools.json`, written by `build_plugin.py --tools`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).resolve().parent / "tools.json"


@dataclass(frozen=True)
class Parameter:
    """One parameter of a tool; `role` says which widget it needs, `help` is meant for a form."""

    name: str
    label: str
    help: str
    role: str
    type: str
    unit: str
    minimum: float | None
    maximum: float | None
    choices: tuple[str, ...]
    default: Any
    required: bool
    advanced: bool


@dataclass(frozen=True)
class Outcome:
    """One value that a finished run tells; `kind` is raster, vector, file, html, number or text."""

    name: str
    label: str
    kind: str
    help: str


@dataclass(frozen=True)
class Tool:
    """One tool: `name` as the worker calls it, `title` as users do."""

    name: str
    title: str
    help: str
    about: str
    keywords: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def id(self) -> str:
        """`Embed layers` → `embedlayers`: the name in Processing, which never changes."""
        return self.title.lower().replace(" ", "")

    @property
    def labels(self) -> str:
        """Name of the parameter whose layer gives fields and expressions; empty if the tool reads no features."""
        return next((item.name for item in self.parameters if item.role == "labels"), "")

    def asks(self, name: str) -> bool:
        """Whether the tool has a parameter of this name."""
        return any(item.name == name for item in self.parameters)


@lru_cache(maxsize=1)
def tools() -> tuple[Tool, ...]:
    """All tools, in the library's order."""
    return tuple(_tool(item) for item in json.loads(_FILE.read_text(encoding="utf-8"))["tools"])


def _tool(told: dict[str, Any]) -> Tool:
    return Tool(
        name=told["name"],
        title=told["title"],
        help=told["help"],
        about=told["about"],
        keywords=tuple(told["keywords"]),
        parameters=tuple(_parameter(item) for item in told["parameters"]),
        outcomes=tuple(Outcome(**item) for item in told["outcome"]),
    )


def _parameter(told: dict[str, Any]) -> Parameter:
    plain = ("name", "label", "role", "type", "unit", "minimum", "maximum", "default", "required", "advanced")
    return Parameter(
        **{name: told[name] for name in plain},
        help=told["in_form"] or told["help"],
        choices=tuple(told["choices"]),
    )
