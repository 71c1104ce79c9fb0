"""Colours of classes: the user's own, else well-known land-cover colours by name, else a colour-blind-safe cycle.

Two classes never share a colour, whatever the style says: a map with two equal colours cannot be read.
"""

from __future__ import annotations

import colorsys
import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from gfm_core.classes import RGB, MapClass
from gfm_core.report.label_style import label_styles

# Okabe and Ito (2008), "Color Universal Design", without black, which reads as "no data".
OKABE_ITO: tuple[RGB, ...] = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167),
)  # fmt: skip

_APART = 14.0  # CIE 1976 difference that colours made here keep from all others; about 2 is just noticeable
_CHECKED = 400  # beyond this many classes only equality is avoided: nobody tells so many colours apart


@dataclass(frozen=True, slots=True)
class Theme:
    """A kind of land cover: its colour, and the words, beginnings and endings of words that name it."""

    colour: RGB
    words: frozenset[str]
    beginnings: tuple[str, ...]
    endings: tuple[str, ...]

    def names(self, word: str) -> bool:
        """Whether `word` (lower case, no accents) speaks of this land cover."""
        return word in self.words or word.startswith(self.beginnings) or word.endswith(self.endings)


def _theme(colour: str, told: str) -> Theme:
    number, words = int(colour, 16), told.split()
    whole = [word for word in words if "*" not in word]
    return Theme(
        colour=(number >> 16, number >> 8 & 255, number & 255),
        words=frozenset(word + plural for word in whole for plural in ("", "s", "es", "n", "en")),
        beginnings=tuple(word[:-1] for word in words if word.endswith("*")),
        endings=tuple(word[1:] for word in words if word.startswith("*")),
    )


# Hues as in ESA WorldCover and Dynamic World where they agree, toned so that neighbours on paper stay apart. The first
# theme with a fitting word wins, so the particular comes before the general ("flooded vegetation", "burnt forest").
# English, German, French, Spanish, Portuguese, Italian; lower case without accents. "forest*" begins a word, "*wald"
# ends one (German compounds), others are whole words, in the plural too.
THEMES: tuple[Theme, ...] = (
    _theme("9a9a9a", "unknown unbekannt inconnu desconocido other autre sonstige otro unclassified unlabel* undefined"),
    _theme("3d2b2b", "burn* fire wildfire brand brul* quema* queima* bruciat*"),
    _theme("d4d7dc", "cloud* wolke* nuage* nube nuvem"),
    _theme("53565c", "shadow* schatten ombre sombra ombra"),
    _theme("12a88a", "mangrove* mangle* mangue* mangrovia"),
    _theme(
        "2a9d9a",
        "wetland* flooded* marsh* saltmarsh* swamp* bog fen peat* mire reed* moor *moor sumpf* *sumpf *ried feucht* "
        "marais humide* tourbi* humedal* pantan* umid* palud* salzwiese",
    ),
    _theme("7cc6c3", "rice paddy paddies reis arroz* riz riso"),
    _theme("85497b", "vine vineyard* vignoble* vigne* vinedo* vinha* vigneto vigneti rebe *reben wein* *weinberg"),
    _theme(
        "8faf2e",
        "orchard* olive* coffee cocoa palm plantation* fruit* obst* verger* huerto* pomar* frutteto frutteti cafe",
    ),
    _theme(
        "d3c089",
        "sand sandy beach* dune* sediment* strand* *strand plage* playa* praia* spiaggia shoal* mudflat* tidal",
    ),
    _theme(
        "8a837d",
        "rock* fels* quarry quarries mine mining gravel scree roche* roca* rocha* roccia* pedreira steinbruch tagebau",
    ),
    _theme(
        "4a4a52",
        "road* street* railway* rail highway* asphalt parking strasse* *strasse *weg route* carretera* estrada* strada",
    ),
    _theme("8d3d6e", "industr* commerc* gewerbe* retail airport"),
    _theme(
        "2f74b8",
        "water* river* lake* sea ocean* pond* reservoir* canal* stream* wasser* *wasser *see fluss* *fluss gewasser* "
        "*gewasser eau eaux lac riviere* agua* rio lago* acqua* fiume fiumi mar meer",
    ),
    _theme("eaf2f8", "snow* ice glacier* schnee* eis gletscher neige glace nieve hielo neve gelo ghiaccio ghiacciai*"),
    _theme(
        "c63a2f",
        "built* building* urban* resident* developed settle* impervious town* city cities house housing artificial* "
        "roof* siedlung* *siedlung stadt* *stadt gebaude* *gebaude versiegel* bebau* bati urbain* ville edific* "
        "construi* ciudad* cidade* edificat*",
    ),
    _theme("14583b", "conifer* needle* evergreen* pine spruce fir nadel* pino pinheiro pinus picea"),
    _theme("4c9a4f", "deciduous broadlea* bamboo laub* feuillu* oak beech birch eucalypt* quercus fagus"),
    _theme(
        "1f7040",
        "forest* tree* wood* canopy jungle wald* *wald *walder forst* *forst foret* arbre* bosque* arbol* floresta* "
        "arvore* foresta bosco boschi mata",
    ),
    _theme(
        "b07f35",
        "shrub* scrub* bush* heath* garrigue* maquis chaparral cerrado gebusch* heide* *heide arbust* matorral* "
        "cespugl*",
    ),
    _theme("caa873", "fallow* brache* jachere* barbecho* pousio* maggese"),
    _theme(
        "f0b93a",
        "crop* farm* agri* arable cultivat* field* wheat* maize corn cereal* barley oat soy* rapeseed acker* *acker "
        "*feld felder weizen mais getreide* *getreide gerste culture* ble trigo maiz lavoura* grano coltiv* labour*",
    ),
    _theme(
        "a9cc5c",
        "grass* meadow* pasture* range rangeland* prairie* savanna* steppe* herb* lawn* park gras* wiese* *wiese "
        "*wiesen weide* *weide *grun grun* rasen pelouse* pasto* pradera* pastizal* pastag* campo* prato prati erba "
        "vegetation vegetal* vegetated",
    ),
    _theme(
        "b9afa3",
        "bare* barren* soil* desert* clear cleared clearing* offen* kahl* boden* sol sols nu nus suelo* desnudo solo "
        "solos exposto suolo suoli nudo ground land",
    ),
    _theme("e2d9a4", "moss* lichen* tundra moos* flechte*"),
)

_NEGATIONS = frozenset(("no", "non", "not", "without", "nicht", "kein", "keine", "ohne", "sans", "sin", "sem", "nao"))


def with_colours(
    classes: tuple[MapClass, ...], label_path: str | Path | None = None, field: str | None = None,
    *, layer: str | None = None,
) -> tuple[MapClass, ...]:  # fmt: skip
    """The classes with a colour each, no two alike; a colour that a class already has stays.

    `label_path` is the labels' file: its QML, GeoPackage style (`layer`) or colour table comes first, if that style
    shows `field`. Then colours by name in the order of `classes`, then a colour-blind-safe cycle.
    """
    chosen = _distinct({item.code: item.colour for item in classes if item.colour is not None})
    for code, colour in _from_labels(classes, label_path, field, layer).items():
        if code not in chosen and colour not in chosen.values():
            chosen[code] = colour
    taken = _Taken(len(classes), list(chosen.values()))
    named = {item.code: theme for item in classes if (theme := theme_of(item.name)) is not None}
    for item in classes:
        if item.code not in chosen and item.code in named:
            chosen[item.code] = taken.take(_shades(named[item.code].colour))
    cycle = _cycle()  # shared: whatever it gave once is taken
    for item in classes:
        if item.code not in chosen:
            chosen[item.code] = taken.take(cycle)
    return tuple(replace(item, colour=chosen[item.code]) for item in classes)


def theme_of(name: str) -> Theme | None:
    """The land cover that a class name speaks of, or None; "no forest" and "non-water" speak of none."""
    plain = unicodedata.normalize("NFKD", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)).casefold()
    words = re.findall(r"[a-z]+", "".join(mark for mark in plain if not unicodedata.combining(mark)))
    if _NEGATIONS.intersection(words):
        return None
    return next((theme for theme in THEMES if any(theme.names(word) for word in words)), None)


def _from_labels(
    classes: tuple[MapClass, ...], label_path: str | Path | None, field: str | None, layer: str | None
) -> dict[int, RGB]:
    """Colours by code from the first style of the labels that knows at least one of the classes."""
    if label_path is None:
        return {}
    for style in label_styles(Path(label_path), field=field, layer=layer):
        found = {item.code: style.colour_of(item.value, item.name) for item in classes}
        known = _distinct({code: colour for code, colour in found.items() if colour is not None})
        if known:
            return known
    return {}


def _distinct(colours: dict[int, RGB]) -> dict[int, RGB]:
    """Only the first class of those with the same colour; the others will get one of their own."""
    first: dict[RGB, int] = {}
    for code, colour in colours.items():
        first.setdefault(colour, code)
    return {code: colour for colour, code in first.items()}


class _Taken:
    """The colours in use; `take` gives the first candidate that is far enough from all of them."""

    def __init__(self, expected: int, colours: list[RGB]) -> None:
        self._seen = set(colours)
        self._labs = [_lab(colour) for colour in colours]
        # The more classes, the nearer their colours must be: the gamut is finite.
        self._apart = 0.0 if expected > _CHECKED else min(_APART, 90 / max(expected, 1) ** 0.6)

    def take(self, candidates: Iterator[RGB]) -> RGB:
        for tries, colour in enumerate(candidates):
            lab = _lab(colour)
            apart = self._apart * 0.9 ** (tries // 60)  # gives way slowly, so that an end is certain
            if colour not in self._seen and all(_difference(lab, other) >= apart for other in self._near()):
                self._seen.add(colour)
                self._labs.append(lab)
                return colour
        raise AssertionError("candidates never end")

    def _near(self) -> list[tuple[float, float, float]]:
        return self._labs if self._apart > 0 else []


def _shades(base: RGB) -> Iterator[RGB]:
    """The base, then lighter, darker and slightly turned ones of the same hue, then the cycle."""
    hue, light, saturation = colorsys.rgb_to_hls(*(value / 255 for value in base))
    yield base
    for turn in (0.0, 0.04, -0.04):
        for step in (0.14, -0.14, 0.26, -0.24):
            if 0.12 < light + step < 0.92:
                yield _rgb(hue + turn, light + step, saturation)
    yield from _cycle()


def _cycle() -> Iterator[RGB]:
    """Okabe-Ito, then endless hues a golden angle apart in changing lightness and strength."""
    yield from OKABE_ITO
    index = 0
    while True:
        # Multiples of irrational numbers never repeat, so neither do the colours until 8 bits are used up.
        light = 0.30 + 0.48 * (index * 0.7548776662 % 1)
        saturation = 0.45 + 0.50 * (index * 0.5698402910 % 1)
        yield _rgb(0.08 + index * 0.6180339887, light, saturation)
        index += 1


def _rgb(hue: float, light: float, saturation: float) -> RGB:
    red, green, blue = colorsys.hls_to_rgb(hue % 1, light, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)


def _lab(colour: RGB) -> tuple[float, float, float]:
    """CIE L*a*b* (D65) of an sRGB colour (IEC 61966-2-1)."""
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in colour)
    )
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089
    fx, fy, fz = (value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116 for value in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def _difference(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    return math.dist(one, other)
