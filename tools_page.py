"""`docs/tools.md`, from the description of the tools: what each asks for and gives (build_plugin.py --tools)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gfm_core.parameters import StackParameters, parameters_of
from gfm_core.tools.copy_as import INPUTS

SHARED = {info.name for info in parameters_of(StackParameters)} - {*INPUTS, "output"}


def tools_page(described: dict[str, Any]) -> str:
    """The page, from `catalogue()`."""
    every = described["tools"]
    shared = [item for item in every[0]["parameters"] if item["name"] in SHARED]
    lines = [
        "# The tools",
        "",
        "Made from the description that Python, the command line and QGIS are made from. Where each of them runs: "
        "[everywhere](everywhere.md).",
        "",
        "Tools that read rasters share these:",
        "",
        *_table(shared),
    ]
    for tool in every:
        lines += ["", f"## {tool['title']}", "", f"{tool['help']}", ""]
        lines += [part for paragraph in tool["about"].split("\n\n") if paragraph for part in (paragraph, "")]
        lines += ["```sh", *tool["examples"], "```", ""]
        lines += _table([item for item in tool["parameters"] if item["name"] not in SHARED])
        lines += ["", "It gives:", ""]
        lines += [f"* {item['label']}: {item['help']}" for item in tool["outcome"] if item["kind"] != "text"]
    return "\n".join(lines) + "\n"


def _table(parameters: list[dict[str, Any]]) -> Iterator[str]:
    yield "| option | in QGIS and Python | what | default |"
    yield "|---|---|---|---|"
    for item in parameters:
        default = "" if item["default"] in (None, False) else _shown(item["default"])
        named = f"`--{item['flag']}`" if item["name"] not in INPUTS else "first words"
        unit = f" ({item['unit']})" if item["unit"] and item["unit"] not in item["label"] else ""
        needed = "**needed**" if item["required"] else default
        yield f"| {named} | {item['label']}{unit}, `{item['name']}` | {item['help']} | {needed} |"


def _shown(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
