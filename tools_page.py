"""`docs/tools.md` and `docs/tools/`, from the description of the tools: what each asks for and gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gfm_core.parameters import StackParameters, parameters_of
from gfm_core.tools.copy_as import INPUTS

SHARED = {info.name for info in parameters_of(StackParameters)} - {*INPUTS, "output"}


def tools_page(described: dict[str, Any]) -> str:
    """The index of the tools, from `catalogue()`, with the options that they share."""
    every = described["tools"]
    shared = [item for item in every[0]["parameters"] if item["name"] in SHARED]
    lines = [
        "# The tools",
        "",
        "Made from the description that Python, the command line and QGIS are made from. Where each of them runs: "
        "[everywhere](everywhere.md).",
        "",
        "| tool | command | what it does |",
        "|---|---|---|",
        *(f"| [{tool['title']}](tools/{tool['name']}.md) | `gfm {tool['name']}` | {tool['help']} |" for tool in every),
        "",
        "`gfm suggest`, which names places worth a label next, and what else `gfm` can do, stand among the "
        "[commands](reference/commands.md).",
        "",
        "## Shared options",
        "",
        "Tools that read rasters share these:",
        "",
        *_table(shared),
    ]
    return "\n".join(lines) + "\n"


def tool_pages(described: dict[str, Any]) -> dict[str, str]:
    """The page of each tool, by its name."""
    return {tool["name"]: "\n".join(_tool(tool)) + "\n" for tool in described["tools"]}


def _tool(tool: dict[str, Any]) -> Iterator[str]:
    yield from (f"# {tool['title']}", "", f"{tool['help']}", "")
    for paragraph in tool["about"].split("\n\n"):
        if paragraph:
            yield from (paragraph, "")
    yield from ("```sh", *tool["examples"], "```", "")
    reads_rasters = {item["name"] for item in tool["parameters"]} >= SHARED
    yield from _table([item for item in tool["parameters"] if not (reads_rasters and item["name"] in SHARED)])
    if reads_rasters:
        yield from ("", "Cell size, model, extent, device and the like are [shared](../tools.md#shared-options).")
    yield from ("", "It gives:", "")
    for item in tool["outcome"]:
        if item["kind"] != "text":
            yield f"* {item['label']}: {item['help']}"
    yield from ("", f"In Python: [gfm.{tool['name']}](../reference/python.md#{tool['name']}).")


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
