"""The parts of the report's page that say how far the map can be trusted; HTML, or "" where nothing is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gfm_core.report.sections import section, swatch, text
from gfm_core.report.style import CERTAINTY

_MOST_SUSPECTS = 20
_SIDE, _EDGE = 220, 28  # of the diagram, in its own units


def calibration(told: Mapping[str, Any] | None) -> str:
    """The reliability diagram on held-out folds, and the error before and after."""
    if told is None or not told["bins"]:
        return ""
    words = (
        f"<p>Where the map says 80 %, 80 of 100 pixels should be right. On held-out folds its probabilities are off by "
        f"{100 * told['error_after']:.1f} percentage points on average ({100 * told['error_before']:.1f} before they "
        f"were calibrated, temperature {told['temperature']:.2f}).</p>"
    )
    return section("What its probabilities are worth", words + _diagram(told["bins"]))


def _diagram(bins: Sequence[Mapping[str, Any]]) -> str:
    """Share that is right over probability, a dot a span, as large as its samples are many."""
    whole = sum(item["count"] for item in bins)
    inner = _SIDE - 2 * _EDGE

    def place(probability: float, right: float) -> tuple[float, float]:
        return _EDGE + inner * probability, _SIDE - _EDGE - inner * right

    dots = []
    for item in bins:
        x, y = place(item["probability"], item["right"])
        radius = 3 + 9 * (item["count"] / whole) ** 0.5
        told = f"{item['count']:.0f} samples: {item['probability']:.0%} said, {item['right']:.0%} right"
        place_and_size = f'cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"'
        dots.append(f'<circle {place_and_size} class="dot" fill="#17725f"><title>{told}</title></circle>')
    (x0, y0), (x1, y1) = place(0, 0), place(1, 1)
    return (
        f'<figure><svg viewBox="0 0 {_SIDE} {_SIDE}" width="280" role="img" aria-label="Reliability diagram">'
        f'<rect x="{x0}" y="{y1}" width="{x1 - x0}" height="{y0 - y1}" class="frame" fill="none" stroke="#9aa3a9"/>'
        f'<line x1="{x0}" y1="{y0}" x2="{x1}" y2="{y1}" class="ideal" stroke="#9aa3a9"/>'
        f"{''.join(dots)}"
        f'<text x="{(x0 + x1) / 2}" y="{_SIDE - 6}" text-anchor="middle" font-size="11">probability</text>'
        f'<text x="12" y="{(y0 + y1) / 2}" text-anchor="middle" font-size="11" '
        f'transform="rotate(-90 12 {(y0 + y1) / 2})">right</text>'
        "</svg><figcaption>On the line: as right as it says. Below it: too sure.</figcaption></figure>"
    )


def candidates(told: Mapping[str, Any] | None, uri: str, outside: float | None) -> str:
    """How much of the map is sure, and whether the promise was kept on held-out folds."""
    if told is None:
        return ""
    listed = "".join(
        f"<li>{swatch(item)} {text(item.name)}: {told['map'][item.name]:.0%} of the map</li>" for item in CERTAINTY
    )
    words = (
        f"<p>Each pixel's candidates are to hold its true class in {told['level']:.0%} of cases; on held-out folds "
        f"they did in {told['coverage']:.1%}.</p><ul>{listed}</ul>"
    )
    if outside is not None:
        words += (
            f"<p>{outside:.1%} of the map looks unlike anything that was labelled (outside the area of applicability): "
            "no score speaks of it.</p>"
        )
    picture = f'<figure><img src="{uri}" alt="Picture of the certainty"></figure>' if uri else ""
    return section("Sure, two candidates, or don't know", words + picture)


def suspects(told: Sequence[Mapping[str, Any]]) -> str:
    """The labels that look like another class, the worst first."""
    if not told:
        return ""
    rows = "".join(
        f"<tr><td class='n'>{number}</td><td>{text(item['labelled'])}</td><td>{text(item['looks_like'])}</td>"
        f"<td class='n'>{item['quality']:.0%}</td><td class='n'>{item['pixels']}</td>"
        f"<td class='n'>{item['x']:.7g}, {item['y']:.7g}</td></tr>"
        for number, item in enumerate(told[:_MOST_SUSPECTS], start=1)
    )
    left = len(told) - _MOST_SUSPECTS
    more = f"<p class='soft'>And {left} more in the layer.</p>" if left > 0 else ""
    table = (
        "<div class='wide'><table><thead><tr><th class='n'>Rank</th><th>Labelled</th><th>Looks like</th>"
        "<th class='n'>Probability of its label</th><th class='n'>Pixels</th><th class='n'>Place (x, y)</th></tr>"
        f"</thead><tbody>{rows}</tbody></table></div>"
    )
    words = "<p>Labels that other folds would have called something else. Look at them first: mend or confirm.</p>"
    return section("Suspicious labels", words + table + more)
