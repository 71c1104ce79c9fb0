"""A report of one answer: `report.html`, which opens anywhere without a net, and `report.json` for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gfm_core.report.html import encoded, make_folder, plain, whole_page
from gfm_core.report.sections import section, text
from gfm_core.whole import write_whole

_PLOT, _EDGE = 420, 46  # pixels: side of a scatter plot, and of its margins
_MOST_POINTS = 1500
_GREEN = "#2a9d83"  # reads on white and on black


def write_page(folder: Path, title: str, body: Iterable[str], told: Mapping[str, Any]) -> Path:
    """Write both files into `folder` (made if missing); returns the page. Raises `OutputError` if it cannot be."""
    make_folder(folder)
    data = json.dumps(plain(told), indent=2, ensure_ascii=False, allow_nan=False)
    write_whole(folder / "report.json", encoded(data + "\n"))
    return write_whole(folder / "report.html", encoded(whole_page(title, body)))


def cards(told: Sequence[tuple[str, str, str]]) -> str:
    """Large numbers side by side, the first marked: number, label, detail."""
    parts = [
        f'<div class="card{" main" if at == 0 else ""}"><div class="number">{text(number)}</div>'
        f'<div class="label">{text(label)}</div><div class="soft">{text(detail)}</div></div>'
        for at, (number, label, detail) in enumerate(told)
    ]
    return f'<section><div class="cards">{"".join(parts)}</div></section>'


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], *, caption: str = "") -> str:
    """A table whose first column holds names."""
    tops = "".join(f"<th>{text(head)}</th>" for head in heads)
    lines = "".join(
        "<tr>"
        + "".join(
            f'<td class="name">{text(cell)}</td>' if at == 0 else f"<td>{text(cell)}</td>"
            for at, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    told = f"<caption>{text(caption)}</caption>" if caption else ""
    return f'<div class="wide"><table>{told}<thead><tr>{tops}</tr></thead><tbody>{lines}</tbody></table></div>'


def scatter(title: str, true: Sequence[float], told: Sequence[float], *, half_width: float) -> str:
    """Numbers told against true ones as a picture, with the line where they are equal and the interval around it."""
    if not true:
        return ""
    step = max(1, -(-len(true) // _MOST_POINTS))
    every = [*true, *told]
    wide = (max(every) - min(every)) or 1.0
    low, high = min(every) - 0.03 * wide, max(every) + 0.03 * wide
    size = _PLOT - 2 * _EDGE

    def at(value: float) -> float:
        return size * (value - low) / (high - low)

    dots = "".join(
        f'<circle cx="{at(one):.1f}" cy="{size - at(other):.1f}" r="2.2"/>'
        for one, other in list(zip(true, told, strict=True))[::step]
    )
    band = " ".join(
        f"{at(value):.1f},{size - at(value + off):.1f}"
        for value, off in ((low, half_width), (high, half_width), (high, -half_width), (low, -half_width))
    )
    ticks = "".join(
        f'<text x="{_EDGE + at(value):.1f}" y="{_PLOT - _EDGE + 16}" text-anchor="middle">{value:.4g}</text>'
        f'<text x="{_EDGE - 6}" y="{_PLOT - _EDGE - at(value) + 4:.1f}" text-anchor="end">{value:.4g}</text>'
        for value in _ticks(low, high)
    )
    drawing = (
        f'<svg viewBox="0 0 {_PLOT} {_PLOT}" role="img" aria-label="{text(title)}" '
        f'style="max-width:{_PLOT}px;font-size:11px;fill:currentColor">'
        f'<svg x="{_EDGE}" y="{_EDGE}" width="{size}" height="{size}">'  # cuts what leaves the frame
        f'<polygon points="{band}" fill="{_GREEN}" fill-opacity=".16"/>'
        f'<line x1="0" y1="{size}" x2="{size}" y2="0" stroke="currentColor" stroke-opacity=".5"/>'
        f'<g fill="{_GREEN}" fill-opacity=".45">{dots}</g></svg>'
        f'<rect x="{_EDGE}" y="{_EDGE}" width="{size}" height="{size}" fill="none" stroke="currentColor" '
        f'stroke-opacity=".4"/>{ticks}'
        f'<text x="{_PLOT / 2}" y="{_PLOT - 6}" text-anchor="middle">known</text>'
        f'<text x="14" y="{_PLOT / 2}" text-anchor="middle" transform="rotate(-90 14 {_PLOT / 2})">estimated</text>'
        "</svg>"
    )
    return section(title, f"<figure>{drawing}<figcaption>The band is the interval of the result.</figcaption></figure>")


def _ticks(low: float, high: float) -> list[float]:
    """Three to six round numbers between two others."""
    raw = (high - low) / 4
    unit = 10.0 ** math.floor(math.log10(raw))
    step = unit * next(times for times in (1, 2, 5, 10) if times * unit >= raw)
    first = math.ceil(low / step)
    return [step * number for number in range(first, math.floor(high / step) + 1)]
