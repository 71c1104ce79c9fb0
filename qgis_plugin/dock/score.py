"""The scores of a preview as a few lines: the map beside the floor, the classes, what to know before believing them."""

from __future__ import annotations

from html import escape
from typing import Any

from ..translation import tr, translatable

_HEADS = (translatable("Class"), translatable("Labels"), translatable("F1"), translatable("Share"))
_MOST_WARNINGS = 3


def score_html(answer: dict[str, Any]) -> str:
    """Rich text for a label; colours are left to the palette."""
    return "".join([_headline(answer), _classes(answer["classes"]), _warnings(answer["warnings"])])


def _headline(answer: dict[str, Any]) -> str:
    score, floor = answer.get("macro_f1"), answer.get("macro_f1_raw_bands")
    if score is None:
        return f"<p>{escape(tr('No score yet: label more places of each class, apart from each other.'))}</p>"
    told = tr("Macro-F1 on ground that was not seen: {score}").format(score=f"<b>{score:.2f}</b>")
    if floor is not None:
        told += "<br>" + tr("Raw bands alone: {score}").format(score=f"{floor:.2f}")
    return f"<p>{told}</p>"


def _classes(classes: list[dict[str, Any]]) -> str:
    head = "".join(f"<th align='left'>{escape(tr(text))} </th>" for text in _HEADS)
    rows = "".join(
        f"<tr><td>{escape(str(item['name']))} </td><td>{item['labels']}</td>"
        f"<td>{_number(item['f1'])}</td><td>{100 * item['share']:.0f} %</td></tr>"
        for item in classes
    )
    return f"<table cellpadding='3'><tr>{head}</tr>{rows}</table>"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _warnings(warnings: list[str]) -> str:
    return "".join(f"<p><i>{escape(text)}</i></p>" for text in warnings[:_MOST_WARNINGS])
