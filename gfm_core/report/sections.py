"""The parts of the report's page. Each takes plain values and gives HTML, or "" where there is nothing to tell.

Every text of a user goes through `text`, which makes it harmless wherever it stands.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

from gfm_core.classes import MapClass
from gfm_core.report.area import ClassArea
from gfm_core.report.style import colour_of, hex_of

_LEGEND_COLUMNS = 16  # from this many classes on, the legend beside the map runs in columns
_MATRIX = 40  # more classes than this make a matrix that nobody reads; the largest confusions are listed instead

Scores = Mapping[str, Any]


def text(value: object) -> str:
    """`value` as text in HTML: nothing in it can be markup."""
    return html.escape(str(value), quote=True)


def head(title: str, map_name: str, facts: Mapping[str, str]) -> str:
    """Title, file and the facts of the map."""
    told = "".join(f"<div><dt>{text(key)}</dt><dd>{text(value)}</dd></div>" for key, value in facts.items())
    listed = f'<dl class="facts">{told}</dl>' if told else ""
    return f'<header><h1>{text(title)}</h1><p class="soft"><code>{text(map_name)}</code></p>{listed}</header>'


def warnings(told: Sequence[str]) -> str:
    """What the user should know before using the map."""
    return f'<section class="warnings"><h2>Please note</h2>{_bullets(told)}</section>' if told else ""


def headline(
    folds: Scores | None, raw_bands: Scores | None, check: Scores | None, *,
    per_fold: Sequence[float], square_m: float | None, check_name: str,
) -> str:  # fmt: skip
    """The score beside that of raw bands alone, and on check labels; or that there is none."""
    cards = []
    if folds is not None:
        known = [score for score in per_fold if math.isfinite(score)]
        spread = f"single folds {min(known):.2f} to {max(known):.2f}" if len(known) > 1 else ""
        count = f"{len(per_fold)} spatial folds" if per_fold else "spatial folds"
        cards.append(_card("main", folds, f"Macro-F1 on {count}", spread))
    if raw_bands is not None:
        cards.append(_card("", raw_bands, "Raw bands alone", "same labels, folds and classifier"))
    if check is not None:
        where = f"{check.get('n', 0)} pixels of {check_name}" if check_name else f"{check.get('n', 0)} pixels"
        cards.append(_card("" if folds else "main", check, "Macro-F1 on check labels", where))
    if not cards:
        return section("How good is it?", "<p>This map has not been scored: no labels were given to score it on.</p>")
    cards_html = f'<div class="cards">{"".join(cards)}</div>'
    return f"<section>{cards_html}{_verdict(folds, raw_bands)}{_meaning(folds, square_m)}</section>"


def _card(kind: str, scores: Scores, label: str, detail: str) -> str:
    accuracy = f"accuracy {_share(scores.get('accuracy'))}"
    lines = "".join(f'<div class="soft">{text(line)}</div>' for line in (accuracy, detail) if line)
    number = _share(scores.get("macro_f1"))
    top = f'<div class="label">{text(label)}</div><div class="number">{number}</div>'
    return f'<div class="card {kind}">{top}{lines}</div>'


def _verdict(folds: Scores | None, raw_bands: Scores | None) -> str:
    """What the features added, in words that do not flatter."""
    if folds is None or raw_bands is None:
        return ""
    gain = float(folds.get("macro_f1", math.nan)) - float(raw_bands.get("macro_f1", math.nan))
    if not math.isfinite(gain):
        return ""
    if gain >= 0.01:
        told = f"The features of this map add {gain:.2f} to what the raw bands alone reach."
    elif gain > -0.01:
        told = "The features of this map do as well as the raw bands alone: here they add nothing."
    else:
        told = f"The raw bands alone do better here, by {-gain:.2f}; try other groups, cells or labels."
    return f"<p><strong>{told}</strong></p>"


def _meaning(folds: Scores | None, square_m: float | None) -> str:
    told = (
        "Macro-F1 is the mean over classes, so a rare class counts as much as a common one; 1 is perfect. Accuracy is"
        " the share that is right among the sampled labels, which is not the share of the map's ground."
    )
    if folds is not None:
        side = f" of {square_m:,.0f} m" if square_m and square_m >= 1 else ""
        told += (
            f" For spatial folds the labels are cut into ground squares{side}, and each square is scored by classifiers"
            " that never saw it. The scores speak of places like the labelled ones; for the whole map they hold only"
            " as far as the labels are a fair sample of it."
        )
    return f'<p class="soft">{told}</p>'


def map_and_legend(uri: str, map_name: str, classes: Sequence[MapClass]) -> str:
    """The picture of the map, and its legend as text."""
    if not uri:
        return ""
    lines = "".join(f"<li>{swatch(item)}<span>{text(item.name)}</span></li>" for item in classes)
    kind = "legend many" if len(classes) >= _LEGEND_COLUMNS else "legend"
    picture = f'<figure><img src="{uri}" alt="{text(f"Picture of the map {map_name}")}"></figure>'
    return f'<section class="map">{picture}<ul class="{kind}">{lines}</ul></section>'


def groups(
    folds: Scores | None, group_f1: Mapping[str, float], raw_bands: Scores | None, weights: Mapping[str, float],
    choice: Mapping[str, Any] | None,
) -> str:  # fmt: skip
    """Bars: all groups together, each alone with its weight, and raw bands; then how the weights were found."""
    if folds is None or not group_f1:
        return ""
    rows = [("all groups together", folds.get("macro_f1"), "main", "")]
    rows += [(f"{name} alone", score, "", _weight(weights.get(name))) for name, score in group_f1.items()]
    if raw_bands is not None:
        rows.append(("raw bands alone", raw_bands.get("macro_f1"), "", ""))
    told = "".join(
        f'<tr><td>{text(name)}</td><td class="n">{_share(score)}</td>'
        f'<td class="track"><div class="{kind}" style="width:{_percent(score):.1f}%"></div></td>'
        f'<td class="n soft">{weight}</td></tr>'
        for name, score, kind, weight in rows
    )
    return section("What each feature group knows", f'<table class="bars">{told}</table>{_chosen(choice)}')


def _weight(value: float | None) -> str:
    return "" if value is None else f"weight {value:.2f}"


def _chosen(choice: Mapping[str, Any] | None) -> str:
    if choice is None or choice["error"] is None or math.isnan(choice["error"]):
        return ""
    gain = f"{choice['gain']:+.3f} ± {choice['error']:.3f}"
    if choice["learnt"]:
        told = f"The weights were learnt on the folds: {gain} in the log-probability of the true class over equal ones."
    else:
        told = f"All groups count the same: other weights gained no more than chance on the folds ({gain})."
    return f'<p class="soft">{told}</p>'


def per_class(
    classes: Sequence[MapClass], folds: Scores | None, check: Scores | None, areas: Mapping[int, ClassArea]
) -> str:
    """A row a class: scores and area."""
    if not classes:
        return ""
    scored = [(label, scores) for label, scores in (("Spatial folds", folds), ("Check labels", check)) if scores]
    unit, divisor = _area_unit(areas)
    tops = "".join(f'<th class="group" colspan="4">{label}</th>' for label, _ in scored)
    tops += '<th class="group" colspan="2">Mapped area</th>' if areas else ""
    names = '<th class="n">Precision</th><th class="n">Recall</th><th class="n">F1</th><th class="n">Labels</th>' * len(
        scored
    )
    names += f'<th class="n">{unit}</th><th class="n">%</th>' if areas else ""
    tables = [_by_code(scores) for _, scores in scored]
    rows = []
    for item in classes:
        cells = "".join(_score_cells(table.get(item.code)) for table in tables)
        cells += _area_cells(areas.get(item.code), divisor) if areas else ""
        label = f"{swatch(item)} {text(item.name)}"
        rows.append(f'<tr><td class="n">{item.code}</td><th class="name" scope="row">{label}</th>{cells}</tr>')
    table = (
        f'<div class="wide"><table><thead><tr><th colspan="2"></th>{tops}</tr><tr><th class="n">Code</th>'
        f"<th>Class</th>{names}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )
    told = "<p class='soft'>Precision: how much of what the map calls so is so. Recall: how much of it the map finds."
    told += " Areas are counts of map pixels: confusions between classes shift them.</p>" if areas else "</p>"
    return section("Classes", table + told)


def confusion(classes: Sequence[MapClass], scores: Scores | None, where: str) -> str:
    """The confusion matrix, or the largest confusions where there are too many classes to read one."""
    matrix = list(scores.get("confusion", ())) if scores else []
    if not scores or not matrix:
        return ""
    known = {item.code: item for item in classes}
    items = [known.get(row["code"], MapClass(row["code"], row["name"], "")) for row in scores["classes"]]
    shown = _matrix(items, matrix) if len(items) <= _MATRIX else _largest(items, matrix)
    return section(f"What is taken for what, {where}", shown)


def _matrix(items: Sequence[MapClass], matrix: Sequence[Sequence[int]]) -> str:
    tops = "".join(f"<th>{text(item.name)}</th>" for item in items)
    rows = []
    for at, (item, row) in enumerate(zip(items, matrix, strict=True)):
        whole = sum(row)
        cells = "".join(
            f'<td class="{"right" if at == column else ""}"'
            f' style="background:rgba(var(--heat),{_heat(count, whole):.2f})">{count or "·"}</td>'
            for column, count in enumerate(row)
        )
        name = f"{swatch(item)} {text(item.name)}"
        rows.append(f'<tr><th class="name" scope="row">{name}</th>{cells}<td class="soft">{whole}</td></tr>')
    return (
        '<div class="wide"><table class="matrix"><caption>Rows: what the labels say. Columns: what was predicted. '
        'Shade: share of the row.</caption><thead><tr><th class="level">labels ↓ predicted →</th>'
        f"{tops}<th>all</th></tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _largest(items: Sequence[MapClass], matrix: Sequence[Sequence[int]], listed: int = 30) -> str:
    pairs = [
        (count, row, column)
        for row, counts in enumerate(matrix)
        for column, count in enumerate(counts)
        if count and row != column
    ]
    pairs.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
    rows = "".join(
        f'<tr><td class="name">{swatch(items[row])} {text(items[row].name)}</td>'
        f'<td class="name">{swatch(items[column])} {text(items[column].name)}</td><td class="n">{count}</td>'
        f'<td class="n">{100 * count / sum(matrix[row]):.0f}</td></tr>'
        for count, row, column in pairs[:listed]
    )
    return (
        f'<div class="wide"><table><caption>The {min(listed, len(pairs))} largest confusions of {len(items)} classes; '
        "the whole matrix is in report.json.</caption><thead><tr><th>Labels say</th><th>Predicted</th>"
        f'<th class="n">Pixels</th><th class="n">% of the class</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def confidence(uri: str) -> str:
    """The picture of the confidence."""
    if not uri:
        return ""
    told = "Probability of the class that won, as the classifiers see it: dark places are worth a look, or a label."
    picture = f'<figure><img src="{uri}" alt="Picture of the confidence"><figcaption>{told}</figcaption></figure>'
    return section("Where the map is sure", picture)


def notes(told: Sequence[str]) -> str:
    """What happened on the way."""
    return section("Notes", _bullets(told)) if told else ""


def inputs(told: Sequence[Mapping[str, Any]]) -> str:
    """Every source, and what was understood of it."""
    if not told:
        return ""
    keys = list(dict.fromkeys(key for item in told for key in item if key != "reasons"))
    tops = "".join(f"<th>{text(_heading(key))}</th>" for key in keys)
    rows = []
    for item in told:
        cells = "".join(f'<td class="name">{text(_shown(item.get(key)))}</td>' for key in keys)
        why = item.get("reasons") or ()
        more = f"<details><summary>why</summary>{_bullets(why)}</details>" if why else ""
        rows.append(f"<tr>{cells}<td>{more}</td></tr>")
    table = (
        f'<div class="wide"><table><thead><tr>{tops}<th></th></tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )
    return section("Inputs as understood", table)


def repeat(command: str, python: str, parameters: Mapping[str, Any]) -> str:
    """How to make this map again."""
    parts = []
    for key, label, code in (("command", "As a command", command), ("python", "As Python", python)):
        if code:
            button = f'<button type="button" data-copy="{key}" hidden>Copy</button>'
            parts.append(f'<h3>{label}</h3><div class="copy"><pre id="{key}">{text(code)}</pre>{button}</div>')
    rows = "".join(
        f"<tr><td>{text(key)}</td><td class='name'>{text(_shown(value))}</td></tr>" for key, value in parameters.items()
    )
    if rows:
        parts.append(f"<details><summary>All parameters</summary><table><tbody>{rows}</tbody></table></details>")
    return section("Make it again", "".join(parts)) if parts else ""


def versions(told: Mapping[str, str]) -> str:
    """What made the map."""
    line = ", ".join(f"{text(name)} {text(version)}" for name, version in told.items())
    return f'<footer><h2>Versions</h2><p class="soft">{line}</p></footer>' if told else ""


def section(title: str, content: str) -> str:
    """A titled part of the page; `content` is HTML already."""
    return f"<section><h2>{text(title)}</h2>{content}</section>"


def _bullets(told: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{text(line)}</li>' for line in told)}</ul>"


def swatch(item: MapClass) -> str:
    """A square of the class's colour."""
    if item.colour is None:
        return ""
    return f'<span class="swatch" style="background:{hex_of(colour_of(item))}"></span>'


def _by_code(scores: Scores) -> dict[int, dict[str, Any]]:
    """Rows of the classes, with precision and recall None where nothing was claimed or nothing is there."""
    matrix = list(scores.get("confusion", ()))
    found = {}
    for at, row in enumerate(scores.get("classes", ())):
        claimed = sum(line[at] for line in matrix) if matrix else 1
        found[row["code"]] = {
            **row,
            "precision": row["precision"] if claimed else None,
            "recall": row["recall"] if row["support"] else None,
            "f1": row["f1"] if claimed or row["support"] else None,
        }
    return found


def _score_cells(row: Mapping[str, Any] | None) -> str:
    told = [_share(row[key]) if row else "–" for key in ("precision", "recall", "f1")]
    told.append(str(row["support"]) if row else "–")
    return "".join(f'<td class="n">{value}</td>' for value in told)


def _area_cells(area: ClassArea | None, divisor: float) -> str:
    size, share = (area.area_m2 / divisor, area.share) if area else (0.0, 0.0)
    digits = 0 if size >= 1000 or size == 0 else max(0, 2 - math.floor(math.log10(size)))
    return f'<td class="n">{size:,.{min(digits, 6)}f}</td><td class="n">{100 * share:.1f}</td>'


def _area_unit(areas: Mapping[int, ClassArea]) -> tuple[str, float]:
    """One unit for all rows, so that they can be compared: that which suits the whole map."""
    whole = sum(item.area_m2 for item in areas.values())
    return ("km²", 1e6) if whole >= 1e6 else ("ha", 1e4) if whole >= 1e4 else ("m²", 1.0)


def _share(value: float | None) -> str:
    return "–" if value is None or not math.isfinite(value) else f"{value:.2f}"


def _percent(value: float | None) -> float:
    return 0.0 if value is None or not math.isfinite(value) else 100 * min(max(value, 0.0), 1.0)


def _heat(count: int, whole: int) -> float:
    return 0.55 * count / whole if whole else 0.0


def _heading(key: str) -> str:
    """`gsd_m` → `GSD (m)`."""
    name, metres = key.removesuffix("_m"), " (m)" if key.endswith("_m") else ""
    return ("GSD" if name == "gsd" else name.replace("_", " ").capitalize()) + metres


def _shown(value: Any) -> str:
    """A value of a parameter or an input, in words."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "–"
    return f"{value:g}" if isinstance(value, float) else str(value)
