"""What a run says about itself: the checkpoint's header, the report, the model card."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gfm_core.embedding.file import versions
from gfm_training.discover import Discovery, Place
from gfm_training.monitor import ProbePoint
from gfm_training.probe import DRAWS
from gfm_training.settings import TrainSettings

REPORT, CARD = "report.json", "README.md"


def header_of(
    discovery: Discovery, settings: TrainSettings, command: str, points: Sequence[ProbePoint], best: ProbePoint
) -> dict[str, Any]:
    """Training data, licences, command and numbers for a checkpoint; the untrained network is the first point."""
    return {
        "training_data": [told_place(place) for place in discovery.places],
        "licences": licences(discovery.places),
        "command": command,
        "settings": settings.to_dict(),
        "numbers": numbers(points, best),
        "versions": versions(),
    }


def told_place(place: Place) -> dict[str, Any]:
    """A place as plain values: what was read there."""
    return {
        "name": place.name,
        "rasters": sorted({Path(source.path).name for source in place.stack.sources}),
        "modalities": [item.name for item in place.stack.modalities],
        "dates": len({date for item in place.stack.modalities for date in item.dates}),
        "licence": place.licence,
    }


def licences(places: Sequence[Place]) -> list[str]:
    """Credit lines, each with the places that it is for."""
    lines: dict[str, list[str]] = {}
    for place in places:
        lines.setdefault(place.licence, []).append(place.name)
    return [f"{', '.join(names)}: {line}" for line, names in lines.items()]


def numbers(points: Sequence[ProbePoint], best: ProbePoint) -> dict[str, Any]:
    """The probe curve, and the best network beside the untrained one."""
    untrained = points[0]
    return {
        "measure": "macro-F1 by few-label LDA heads, mean over scenes and 5 and 20 labels a class",
        "best": best.to_dict(),
        "untrained": untrained.to_dict(),
        "difference": {
            "fused": round(best.score - untrained.score, 5),
            "alone": round(best.alone - untrained.alone, 5),
        },
        "curve": [
            {name: value for name, value in asdict(point).items() if name not in ("scenes", "without")}
            for point in points
        ],
    }


def write_report(folder: Path, discovery: Discovery, header: dict[str, Any], **facts: Any) -> None:
    """`report.json` and the model card `README.md` of a finished run, from the header of its last state."""
    report = {**header, "left_out": list(discovery.left_out), "machine": platform.machine(), **facts}
    (folder / REPORT).write_text(json.dumps(report, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    (folder / CARD).write_text(card(header), encoding="utf-8")


_CARD = """# Model card: {size}

A JEPA encoder of ground cells, trained for {steps} steps of {batch} windows, objective `{objective}`, seed {seed}.
Kept: {kept}: the best along the run by the probe below, if it beats the untrained network by more than one standard
error over scenes.

```
{command}
```

## How good

Macro-F1 of few-label LDA heads on spatially held-out cells, mean of {draws} draws. *Fused*: a head on fine statistics,
one on coarse ones, one on the network, log-probabilities added. The probe chose what was kept, so these numbers are
a little kind; differences below 0.01 are noise.

| scene | labels a class | statistics alone | untrained: alone, fused | kept: alone, fused | kept - untrained, fused |
|---|---|---|---|---|---|
{rows}

## Learnt from

Pixels only; labels were used by the probe alone.

{licences}
"""


def card(header: dict[str, Any]) -> str:
    """The model card: on what, how, how good, as Markdown."""
    best, untrained = header["numbers"]["best"], header["numbers"]["untrained"]
    network = "a running average of the weights" if best["network"] == "average" else "the weights themselves"
    return _CARD.format(
        **header["settings"],
        kept="the untrained network" if best["step"] == 0 else f"step {best['step']} ({network})",
        command=header["command"],
        draws=DRAWS,
        rows="\n".join(_rows(best, untrained)),
        licences="\n".join(f"* {line}" for line in header["licences"]),
    )


def _rows(best: dict[str, Any], untrained: dict[str, Any]) -> Iterator[str]:
    for ours, theirs in zip(best["scenes"], untrained["scenes"], strict=True):
        for k in ours["fused"]:
            yield _row(
                (ours["scene"], k, ours["without"][k]),
                (theirs["network"][k], theirs["fused"][k]),
                (ours["network"][k], ours["fused"][k]),
            )
    yield _row(
        ("**mean**", "", best["without"]), (untrained["alone"], untrained["score"]), (best["alone"], best["score"])
    )


def _row(scene: tuple[str, str, float], untrained: tuple[float, float], kept: tuple[float, float]) -> str:
    name, k, without = scene
    return (
        f"| {name} | {k} | {without:.3f} | {untrained[0]:.3f}, {untrained[1]:.3f} | {kept[0]:.3f}, {kept[1]:.3f} | "
        f"{kept[1] - untrained[1]:+.4f} |"
    )
