"""A report of one answer: `report.html`, which opens anywhere without a net, and `report.json` for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gfm_core.errors import OutputError
from gfm_core.report.html import encoded, plain, whole_page
from gfm_core.report.sections import section, text
from gfm_core.whole import write_whole

_PLOT, _EDGE = 420, 46  # pixels: side of a scatter plot, and of its margins
_MOST_POINTS = 1500


def write_page(folder: Path, title: str, body: Iterable[str], told: Mapping[str, Any]) -> Path:
    """Write both files into `folder` (made if missing); returns the page. Raises `OutputError` if it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The report folder {folder} cannot be made ({error.strerror}); choose another place."
        ) from error
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
    points = list(zip(true, told, strict=True))[::step]
    every = [*true, *told]
    low, high = min(every), max(every)
    wide = (high - low) or 1.0
    low, high = low - 0.03 * wide, high + 0.03 * wide
    size = _PLOT - 2 * _EDGE

    def x(value: float) -> float:
        return _EDGE + size * (value - low) / (high - low)

    def y(value: float) -> float:
        return _PLOT - _EDGE - size * (value - low) / (high - low)

    dots = "".join(f'<circle cx="{x(one):.1f}" cy="{y(other):.1f}" r="2.2"/>' for one, other in points)
    band = " ".join(
        f"{x(at):.1f},{y(max(min(at + off, high), low)):.1f}"
        for at, off in ((low, half_width), (high, half_width), (high, -half_width), (low, -half_width))
    )
    ticks = "".join(
        f'<text x="{x(at):.1f}" y="{_PLOT - _EDGE + 16}" text-anchor="middle">{at:.4g}</text>'
        f'<text x="{_EDGE - 6}" y="{y(at) + 4:.1f}" text-anchor="end">{at:.4g}</text>'
        for at in (low + (high - low) * share for share in (0.05, 0.35, 0.65, 0.95))
    )
    drawing = (
        f'<svg viewBox="0 0 {_PLOT} {_PLOT}" role="img" aria-label="{text(title)}" '
        f'style="max-width:{_PLOT}px;font-size:11px;fill:currentColor">'
        f'<rect x="{_EDGE}" y="{_EDGE}" width="{size}" height="{size}" fill="none" stroke="var(--line)"/>'
        f'<polygon points="{band}" fill="var(--accent-soft)"/>'
        f'<line x1="{x(low)}" y1="{y(low)}" x2="{x(high)}" y2="{y(high)}" stroke="var(--soft)"/>'
        f'<g fill="var(--accent)" fill-opacity=".45">{dots}</g>{ticks}'
        f'<text x="{_PLOT / 2}" y="{_PLOT - 6}" text-anchor="middle">known</text>'
        f'<text x="14" y="{_PLOT / 2}" text-anchor="middle" transform="rotate(-90 14 {_PLOT / 2})">estimated</text>'
        "</svg>"
    )
    return section(title, f"<figure>{drawing}<figcaption>The band is the interval of the result.</figcaption></figure>")
