"""What a run says about itself: the checkpoint's header, the report, the model card."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gfm_core.embedding.file import versions
from gfm_core.whole import write_whole
from gfm_training.discover import Discovery, Place
from gfm_training.monitor import ProbePoint
from gfm_training.page import PAGE, run_page
from gfm_training.probe import DRAWS
from gfm_training.records import LOSSES, read_losses
from gfm_training.settings import TrainSettings

REPORT, CARD = "report.json", "README.md"

_BY_LABELS = "macro-F1 by few-label LDA heads, mean over scenes and 5 and 20 labels a class"
_BY_AGREEMENT = "agreement of cells alike with a hidden sensor or date, beyond chance, across places"


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
        "measure": _BY_LABELS if best.scenes else _BY_AGREEMENT,
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


def told_gain(points: Sequence[ProbePoint], best: ProbePoint) -> str:
    """What the network that is kept is ahead of the untrained one by."""
    return f"{best.score - points[0].score:+.4f} {'macro-F1' if best.scenes else 'agreement'} to untrained"


def write_report(folder: Path, discovery: Discovery, header: dict[str, Any], **facts: Any) -> None:
    """`report.json`, the page `report.html` and the model card `README.md` of a finished run."""
    report = {**header, "left_out": list(discovery.left_out), "machine": platform.machine(), **facts}
    page = run_page(report, read_losses(folder / LOSSES))
    written = {REPORT: json.dumps(report, indent=1, sort_keys=True) + "\n", CARD: card(header), PAGE: page}
    for name, text in written.items():
        write_whole(folder / name, text.encode("utf-8", errors="replace"))


_CARD = """# Model card: {size}

A JEPA encoder of ground cells, trained for {steps} steps of {batch} windows, objective `{objective}`, seed {seed}.
Kept: {kept}: {rule}.

```
{command}
```

## How good

{how_good}

## Learnt from

{learnt}

{licences}
"""


_PROBED = """Macro-F1 of few-label LDA heads on spatially held-out cells, mean of {draws} draws. *Fused*: a head on fine
statistics, one on coarse ones, one on the network, log-probabilities added. The probe chose what was kept, so these
numbers are a little kind; differences below 0.01 are noise.

| scene | labels a class | statistics alone | untrained: alone, fused | kept: alone, fused | kept - untrained, fused |
|---|---|---|---|---|---|
{rows}"""

_UNPROBED = """No labels lay beside the rasters, so nothing is known of maps. What was measured: how far cells that look
alike to the network, in other places, see the same in a sensor or date that was hidden from it, beyond chance (0 is
chance, 1 is always): {best:.3f}, the untrained network {untrained:.3f}."""

_BY_PROBE = (
    "the best along the run by the probe below, if it beats the untrained network by more than one standard error"
)
_WITHOUT = "the one that knew best, along the run, what it did not see"
_PIXELS = "Pixels only; labels were used by the probe alone."
_PIXELS_AND_MAPS = "Pixels, and the maps of classes that lie in the folders, as targets."


def card(header: dict[str, Any]) -> str:
    """The model card: on what, how, how good, as Markdown."""
    best, untrained = header["numbers"]["best"], header["numbers"]["untrained"]
    network = "a running average of the weights" if best["network"] == "average" else "the weights themselves"
    if best["scenes"]:
        how_good = _PROBED.format(draws=DRAWS, rows="\n".join(_rows(best, untrained)))
    else:
        how_good = _UNPROBED.format(best=best["score"], untrained=untrained["score"])
    with_maps = header["settings"]["objective"] != "ema" and "map" in header["settings"]["anchors"]
    return _CARD.format(
        **header["settings"],
        kept="the untrained network" if best["step"] == 0 else f"step {best['step']} ({network})",
        rule=_BY_PROBE if best["scenes"] else _WITHOUT,
        command=header["command"],
        how_good=how_good,
        learnt=_PIXELS_AND_MAPS if with_maps else _PIXELS,
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
