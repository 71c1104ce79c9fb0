"""The report of an evaluation: one page that opens anywhere without a net."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gfm_core.report.html import whole_page
from gfm_core.report.sections import section, text
from gfm_training.evaluation.fusion import Share, Without
from gfm_training.evaluation.ground import Likeness, mean_likeness
from gfm_training.evaluation.pictures import LAYER_COLOURS
from gfm_training.evaluation.prediction import MASKS, SOURCES, Prediction, by_mask
from gfm_training.evaluation.probing import QUESTIONS, SETS, SHOTS, Probed, difference, mean_and_error, over_scenes
from gfm_training.evaluation.resolution import Coarser, by_factor
from gfm_training.page import table

PAGE = "report.html"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything that was measured, as plain values."""

    model: Mapping[str, Any]
    command: str
    resolution: Sequence[Coarser]
    untrained_resolution: Sequence[Coarser]
    without: Sequence[Without]
    shares: Sequence[Share]
    predictions: Sequence[Prediction]
    probed: Sequence[Probed]
    places: Sequence[Mapping[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, with the means that the page shows."""
        return {
            "model": dict(self.model),
            "command": self.command,
            "places": list(self.places),
            "resolution": [_plain(one) for one in self.resolution],
            "resolution_untrained": [_plain(one) for one in self.untrained_resolution],
            "without": [_plain(one) for one in self.without],
            "fusion_shares": [dataclasses.asdict(one) for one in self.shares],
            "prediction": [_plain(one) for one in self.predictions],
            "probe": [_probed(one) for one in self.probed],
            "probe_differences": {
                question: {str(k): _rounded(over_scenes(self.probed, question, k)) for k in SHOTS}
                for question in QUESTIONS
            },
        }


@dataclass(frozen=True, slots=True)
class Drawn:
    """Pictures of one place as data URIs by caption; `layers` in the order of their colours."""

    place: str
    layers: Sequence[str]
    pictures: Mapping[str, str]


def page(found: Evaluation, drawn: Sequence[Drawn]) -> str:
    """The page."""
    body = [
        _head(found),
        section("Maps from a few labels", _probe(found.probed)),
        section("Another resolution", _resolution(found)),
        section("What each layer and date gives", _fusion(found)),
        section("Knowing what is hidden", _prediction(found)),
        *(section(f"Pictures: {one.place}", _pictures(one)) for one in drawn),
        section("Do it again", f"<pre>{text(found.command)}</pre>"),
    ]
    return whole_page(f"Evaluation of {found.model['name']}", body)


# ---- Parts ----------------------------------------------------------------------------------------------------------


def _head(found: Evaluation) -> str:
    model = found.model
    facts = {
        "size": model["size"],
        "trained": f"to step {model['step']}, objective {model['objective']}" if model["trained"] else "no: step 0",
        "places": len(found.places),
        "windows": sum(place["windows"] for place in found.places),
        "sha256": model["sha256"][:12],
    }
    told = "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in facts.items())
    warning = (
        ""
        if model["trained"]
        else '<div class="warnings"><h2>Please note</h2>This model is the untrained network: differences from it are '
        "0, and its predictor has learnt nothing.</div>"
    )
    return f'<header><h1>Evaluation of {text(model["name"])}</h1><dl class="facts">{told}</dl></header>{warning}'


def _probe(probed: Sequence[Probed]) -> str:
    note = (
        "<p>Macro-F1 of small classifiers fitted on so many labels a class and scored on other ground squares, mean "
        "over draws; every row has the same draws. ± is the standard error of a paired difference, over draws for one "
        "scene and over scenes for their mean. Differences under 0.01 are noise.</p>"
    )
    rows = []
    for one in probed:
        for name in SETS:
            means = [mean_and_error(one.scores[name][k])[0] for k in SHOTS]
            rows.append(row((one.scene, name), [f"{mean:.3f}" for mean in means]))
    heads = ("scene", "features", *(f"{k} labels" for k in SHOTS))
    differences = []
    for question in QUESTIONS:
        for one in probed:
            differences.append(row((one.scene, question), [signed(difference(one, question, k)) for k in SHOTS]))
        if len(probed) > 1:
            over = [signed(over_scenes(probed, question, k)) for k in SHOTS]
            differences.append(row((f"mean of {len(probed)} scenes", question), over))
    return (
        note + table(heads, rows) + "<h3>Differences</h3>" + table(("scene", "first - second", *heads[2:]), differences)
    )


def _resolution(found: Evaluation) -> str:
    note = (
        "<p>One modality at a time is averaged to pixels twice and four times as large and read again. Cosine 1 means "
        "that the latents stay what they were; <em>found</em> is how often a cell's nearest one among the cells of its "
        "window is itself.</p>"
    )
    ours, theirs = by_factor(found.resolution), by_factor(found.untrained_resolution)
    rows = [
        row((f"{factor} x coarser", name), _likeness(parts[factor]))
        for factor in ours
        for name, parts in (("this network", ours), ("untrained network", theirs))
        if parts[factor]
    ]
    each = [
        row((one.place, one.modality, f"{one.factor} x"), _likeness([one.likeness])) for one in found.resolution
    ]  # fmt: skip
    heads = ("cosine", "found", "chance")
    return note + table(("", "", *heads), rows) + _folded("Each modality", ("place", "modality", "", *heads), each)


def _fusion(found: Evaluation) -> str:
    note = "<p>How much the latents change when something is missing; 1 means that it decided nothing.</p>"
    heads = ("cosine", "found", "chance")
    rows = []
    for kind in ("sensor", "date", "rgb"):
        names = dict.fromkeys(one.missing for one in found.without if one.kind == kind)
        if kind == "date" and names:
            rows.append(row(("any one date",), _likeness([one.likeness for one in found.without if one.kind == kind])))
            continue
        for name in names:
            label = name if kind == "rgb" else f"without {name}"
            rows.append(row((label,), _likeness([one.likeness for one in found.without if one.missing == name])))
    shares = [row((one.place, one.modality), [f"{one.share:.0%}"]) for one in found.shares]
    each = [row((one.place, one.missing), _likeness([one.likeness])) for one in found.without]
    return (
        note + table(("", *heads), rows)
        + _folded("Each place", ("place", "missing", *heads), each)
        + _folded("Share of each modality in the fusion", ("place", "modality", "share"), shares)
    )  # fmt: skip


def _prediction(found: Evaluation) -> str:
    note = (
        "<p>The predictor tells latents of hidden cells from the visible ones. Beside it: copying the mean of the "
        "visible cells of the window, and the visible cell nearest on the ground. Where a whole sensor is hidden no "
        "cell is whole, so there is nothing to copy.</p>"
    )
    grouped = by_mask(found.predictions)
    rows = [
        row((mask, source), _likeness(grouped[mask, source]))
        for mask in MASKS
        for source in SOURCES
        if (mask, source) in grouped
    ]
    return note + table(("hidden", "guessed by", "cosine", "found", "chance"), rows)


def _pictures(one: Drawn) -> str:
    figures = "".join(
        f'<figure><figcaption>{text(caption)}</figcaption><img src="{uri}" alt="{text(caption)}"></figure>'
        for caption, uri in one.pictures.items()
    )
    legend = "".join(
        f'<li><span class="swatch" style="background: rgb{LAYER_COLOURS[number % len(LAYER_COLOURS)]}"></span>'
        f"<span>{text(name)}</span></li>"
        for number, name in enumerate(one.layers)
    )
    return f'<div class="map">{figures}<ul class="legend">{legend if len(one.layers) > 1 else ""}</ul></div>'


# ---- Words and numbers ----------------------------------------------------------------------------------------------


def row(names: Iterable[object], numbers: Iterable[str]) -> str:
    """A row of a table: names, then numbers."""
    told = [f"<td>{text(name)}</td>" for name in names]
    told += [f'<td class="n">{text(number)}</td>' for number in numbers]
    return f"<tr>{''.join(told)}</tr>"


def signed(pair: tuple[float, float]) -> str:
    """A difference and its error."""
    return f"{pair[0]:+.3f} ± {pair[1]:.3f}"


def _likeness(parts: Sequence[Likeness]) -> list[str]:
    mean = mean_likeness(parts)
    return [f"{mean.cosine:.3f}", f"{mean.found:.0%}", f"{mean.chance:.1%}"]


def _folded(title: str, heads: Sequence[str], rows: Sequence[str]) -> str:
    return f"<details><summary>{text(title)}</summary>{table(heads, rows)}</details>" if rows else ""


def _plain(one: Coarser | Without | Prediction) -> dict[str, Any]:
    values = {item.name: getattr(one, item.name) for item in dataclasses.fields(one) if item.name != "likeness"}
    return {**values, **one.likeness.to_dict()}


def _probed(one: Probed) -> dict[str, Any]:
    return {
        "scene": one.scene,
        "classes": one.classes,
        "macro_f1": {
            name: {str(k): _rounded(mean_and_error(values)) for k, values in scores.items()}
            for name, scores in one.scores.items()
        },
        "differences": {
            question: {str(k): _rounded(difference(one, question, k)) for k in SHOTS} for question in QUESTIONS
        },
    }


def _rounded(pair: tuple[float, float]) -> list[float]:
    return [round(value, 5) for value in pair]
