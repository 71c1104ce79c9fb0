"""The page of a finished run: how good, how it got there, from what; one file that opens anywhere without a net."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gfm_core.report.html import whole_page
from gfm_core.report.sections import section, text

PAGE = "report.html"

_NAMES = {"student": "the weights themselves", "average": "their running average"}
_COLOURS = {"student": "#17725f", "average": "#c06c1e"}
_SMOOTH = 25  # steps of the loss that are averaged: each is of another place

# What the curves of the vitals are, and when to worry.
_VITALS = {
    "rank": "effective rank: dimensions in use (below the line, a third of the first value, it has collapsed)",
    "sd": "deviation of a dimension over cells (near 0 is a collapse)",
    "cosine_within": "cosine of cells of one place",
    "cosine_between": "cosine of cells of two places",
    "agreement": "agreement with a hidden sensor or date, across places (0 is chance)",
}


def run_page(report: Mapping[str, Any], losses: Sequence[Mapping[str, Any]]) -> str:
    """The page as HTML from what `report.json` holds and the lines of the loss log."""
    numbers, settings = report["numbers"], report["settings"]
    curve = numbers["curve"]
    sensors = sorted({name for point in curve for name in point["vitals"]["shares"]})
    levels = {"rank": curve[0]["vitals"]["rank"] / 3, "agreement": 0.0}
    vitals = [
        picture(lines(curve, lambda point, key=key: point["vitals"][key]), told, level=levels.get(key))
        for key, told in _VITALS.items()
        if any(point["vitals"][key] is not None for point in curve)
    ]
    body = [
        f"<header><h1>Training run: {text(settings['size'])}</h1>{_facts(report)}</header>",
        _headline(report),
        section("Better than untrained, and when?", _differences(curve, labelled=bool(numbers["best"]["scenes"]))),
        section("By scene", _scenes(numbers)) if numbers["best"]["scenes"] else "",
        section("The health of the network", "".join(vitals)),
        section("Which sensor decides in the fusion", _shares(curve, sensors)) if sensors else "",
        section("The loss", _losses(losses)) if losses else "",
        section("Learnt from", _places(report)),
        section("Do it again", f"<pre>{text(report['command'])}</pre>{_settings(settings)}"),
    ]
    return whole_page(f"Training run {settings['size']}", body)


# ---- Parts ----------------------------------------------------------------------------------------------------------


def _facts(report: Mapping[str, Any]) -> str:
    settings = report["settings"]
    told = {
        "objective": settings["objective"],
        "steps": settings["steps"],
        "windows a step": settings["batch"] * settings["devices"] * settings["num_nodes"],
        "places": len(report["training_data"]),
        "started from": report["init"] or "random weights",
        "minutes": f"{report['seconds']['all'] / 60:.1f}",
    }
    return (
        '<dl class="facts">'
        + "".join(f"<div><dt>{text(key)}</dt><dd>{text(value)}</dd></div>" for key, value in told.items())
        + "</dl>"
    )


def _headline(report: Mapping[str, Any]) -> str:
    numbers = report["numbers"]
    best, untrained = numbers["best"], numbers["untrained"]
    kept = "the untrained network" if best["step"] == 0 else f"step {best['step']} ({_NAMES[best['network']]})"
    gain = best["score"] - untrained["score"]
    cards = [("main", "Kept", f"{gain:+.3f}", f"{kept}, against the untrained network")]
    cards.append(("", "Its score", f"{best['score']:.3f}", numbers["measure"]))
    if best["scenes"]:
        cards.append(("", "Without any network", f"{best['without']:.3f}", "the statistics alone, same labels"))
    told = "".join(
        f'<div class="card {kind}"><div class="label">{text(label)}</div><div class="number">{number}</div>'
        f'<div class="soft">{text(detail)}</div></div>'
        for kind, label, number, detail in cards
    )
    verdict = (
        "No network along this run was better than the untrained one beyond the error: the untrained one is kept."
        if best["step"] == 0
        else "Differences below 0.01 are noise; the probe chose this network, so its score is a little kind."
    )
    return f'<section><div class="cards">{told}</div><p>{verdict}</p></section>'


def _differences(curve: Sequence[Mapping[str, Any]], *, labelled: bool) -> str:
    first = curve[0]
    if not labelled:
        return picture(
            lines(curve, lambda point: point["score"] - first["score"]), "agreement minus untrained", level=0.0
        )
    told = "macro-F1 minus that of the untrained network, same read-out, labels and draws"
    return picture(
        lines(curve, lambda point: point["score"] - first["score"]), f"beside the other groups: {told}", level=0.0
    ) + picture(lines(curve, lambda point: point["alone"] - first["alone"]), f"alone: {told}", level=0.0)


def _scenes(numbers: Mapping[str, Any]) -> str:
    rows = []
    for ours, theirs in zip(numbers["best"]["scenes"], numbers["untrained"]["scenes"], strict=True):
        for k in ours["fused"]:
            values = (
                ours["without"][k], theirs["network"][k], ours["network"][k], theirs["fused"][k], ours["fused"][k],
            )  # fmt: skip
            cells = "".join(f'<td class="n">{value:.3f}</td>' for value in values)
            gain = f'<td class="n">{ours["fused"][k] - theirs["fused"][k]:+.3f}</td>'
            rows.append(f'<tr><td>{text(ours["scene"])}</td><td class="n">{k}</td>{cells}{gain}</tr>')
    heads = (
        "scene", "labels a class", "statistics alone", "untrained alone", "kept alone", "untrained fused", "kept fused",
        "fused difference",
    )  # fmt: skip
    return table(heads, rows)


def _shares(curve: Sequence[Mapping[str, Any]], sensors: Sequence[str]) -> str:
    first, last = curve[0], curve[-1]
    rows = [
        f'<tr><td>{text(name)}</td><td class="n">{_percent(first, name)}</td>'
        f'<td class="n">{_percent(last, name)}</td></tr>'
        for name in sensors
    ]
    return table(("sensor", "untrained", f"step {last['step']}"), rows)


def _percent(point: Mapping[str, Any], sensor: str) -> str:
    share = point["vitals"]["shares"].get(sensor)
    return "" if share is None else f"{share:.0%}"


def _losses(losses: Sequence[Mapping[str, Any]]) -> str:
    steps = [line["step"] for line in losses]
    values = [line["total"] for line in losses]
    smooth = [
        sum(values[max(number - _SMOOTH + 1, 0) : number + 1]) / len(values[max(number - _SMOOTH + 1, 0) : number + 1])
        for number in range(len(values))
    ]
    note = "<p>A falling loss says nothing about features; the curves above do.</p>"
    return note + picture({"": (steps, smooth)}, f"mean of the last {_SMOOTH} steps")


def _places(report: Mapping[str, Any]) -> str:
    rows = [
        f"<tr><td>{text(place['name'])}</td><td>{text(', '.join(place['modalities']))}</td>"
        f'<td class="n">{place["dates"] or ""}</td><td>{text(place["licence"])}</td></tr>'
        for place in report["training_data"]
    ]
    left = "".join(f"<li>{text(line)}</li>" for line in report["left_out"])
    return table(("place", "modalities", "dates", "licence"), rows) + (
        f"<h3>Left out</h3><ul>{left}</ul>" if left else ""
    )


def _settings(settings: Mapping[str, Any]) -> str:
    rows = [f"<tr><td>{text(name)}</td><td>{text(value)}</td></tr>" for name, value in settings.items()]
    return f"<details><summary>All settings</summary>{table(('setting', 'value'), rows)}</details>"


# ---- Tables and curves ----------------------------------------------------------------------------------------------


def table(heads: Iterable[str], rows: Iterable[str]) -> str:
    """A table of rows that are HTML already."""
    top = "".join(f"<th>{text(head)}</th>" for head in heads)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


Lines = Mapping[str, tuple[Sequence[float], Sequence[float]]]


def lines(curve: Sequence[Mapping[str, Any]], value: Any) -> Lines:
    """A line of `value(point)` over steps for each network; the untrained one begins both."""
    found = {}
    for network in dict.fromkeys(point["network"] for point in curve):
        mine = [point for point in curve if point["network"] == network or point["step"] == 0]
        known = [(point["step"], value(point)) for point in mine if value(point) is not None]
        found[network] = ([step for step, _ in known], [number for _, number in known])
    return found


def picture(series: Lines, caption: str, *, level: float | None = None) -> str:
    """Curves over steps as a figure inside the page, with a thin line at a `level` to compare them with."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 2.4), layout="constrained")
    axes = figure.add_subplot()
    if level is not None:
        axes.axhline(level, color="#888888", linewidth=0.8)
    for name, (steps, values) in series.items():
        marker = "o" if len(steps) < 60 else None
        axes.plot(
            steps, values, color=_COLOURS.get(name, "#17725f"), linewidth=1.4, marker=marker, markersize=3,
            label=_NAMES.get(name),
        )  # fmt: skip
    axes.set_xlabel("steps")
    axes.spines[["top", "right"]].set_visible(False)
    if len(series) > 1:
        axes.legend(frameon=False, fontsize="small")
    drawn = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "gfm"}):  # the same run gives the same bytes
        FigureCanvasSVG(figure).print_svg(drawn, metadata={"Date": None})
    uri = base64.b64encode(drawn.getvalue()).decode()
    return (
        f"<figure><figcaption>{text(caption)}</figcaption>"
        f'<img src="data:image/svg+xml;base64,{uri}" alt="{text(caption)}"></figure>'
    )
