"""Text in pictures: a font that has the letters, lines that fit."""

from __future__ import annotations

from functools import lru_cache

from PIL import ImageFont

Font = ImageFont.FreeTypeFont

# Tried in this order for texts that Pillow's own font (Latin only) cannot write; found by name on each system.
_FALLBACKS = (
    "DejaVuSans.ttf", "NotoSans-Regular.ttf", "NotoSansCJK-Regular.ttc", "DroidSansFallbackFull.ttf", "wqy-zenhei.ttc",
    "arial.ttf", "Arial Unicode.ttf", "msgothic.ttc", "msyh.ttc", "malgun.ttf", "seguiemj.ttf",
    "NotoSansArabic-Regular.ttf", "NotoSansHebrew-Regular.ttf", "NotoSansThai-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf", "Nirmala.ttf",
)  # fmt: skip


def font_for(text: str, size: int) -> Font:
    """Pillow's own font if it has all letters of `text`, else the installed one that lacks the fewest."""
    letters = frozenset(text)
    return _font(min(_names(), key=lambda name: _lacking(name, letters)), size)


def one_line(text: str) -> str:
    """`text` with line breaks and tabs as single spaces."""
    return " ".join(text.split()) or "(no name)"


def fitted(text: str, font: Font, width: int) -> str:
    """`text`, cut with an ellipsis if it is wider than `width` pixels."""
    if font.getlength(text) <= width:
        return text
    low, high = 0, len(text)
    while low < high:  # the longest beginning that fits
        middle = (low + high + 1) // 2
        low, high = (middle, high) if font.getlength(text[:middle].rstrip() + "…") <= width else (low, middle - 1)
    return text[:low].rstrip() + "…"


@lru_cache(maxsize=1)
def _names() -> tuple[str, ...]:
    return ("", *(name for name in _FALLBACKS if _installed(name)))


def _installed(name: str) -> bool:
    try:
        ImageFont.truetype(name, 12)
    except OSError:
        return False
    return True


@lru_cache(maxsize=128)
def _font(name: str, size: int) -> Font:
    font = ImageFont.truetype(name, size) if name else ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow was built without FreeType"
    return font


@lru_cache(maxsize=4096)
def _lacking(name: str, letters: frozenset[str]) -> int:
    """How many of `letters` the font draws as its "missing" box."""
    font = _font(name, 12)
    missing = bytes(font.getmask("\uffff"))
    return sum(not letter.isspace() and bytes(font.getmask(letter)) == missing for letter in letters)
