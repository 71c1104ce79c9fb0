"""Pictures of results: the map with its legend and scale, the confidence, the embedding's main components.

All are small PNG files read through overviews or decimated, the same bytes for the same input, and written whole.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from gfm_core.classes import RGB, MapClass
from gfm_core.errors import ShapeError
from gfm_core.report.area import ground_pixel
from gfm_core.report.lettering import Font, fitted, font_for, one_line
from gfm_core.report.style import CONFIDENCE_RAMP, colour_of
from gfm_core.whole import write_whole

_PAPER: RGB = (255, 255, 255)
_INK: RGB = (38, 40, 43)
_FAINT: RGB = (150, 153, 158)
_NO_DATA: RGB = (233, 234, 236)

_LETTER, _LINE, _SWATCH, _MARGIN = 17, 28, 20, 18  # px
_LEGEND_WIDTH = 300  # px, of one column of names
_LISTED = 40  # classes beside a map; all stand in `legend_png` and in the report
_SAMPLE = 8_000  # cells that components and ranges are fitted on: evenly spread, plenty for a picture
_COLUMNS = 512  # columns that components are made of: their fit takes the cube of their number
_PIECE = 8_000  # cells that are projected at a time


@dataclass(frozen=True, slots=True)
class _SmallRaster:
    """A raster reduced to picture size: `values [h, w]`, metres on the ground a picture pixel (None: unknown)."""

    values: NDArray[Any]
    nodata: float | None
    metres: float | None
    north_up: bool


def legend_png(path: str | Path, classes: Sequence[MapClass]) -> Path:
    """Write a legend of all classes, in as many columns as keep it readable."""
    rows = max(12, math.ceil(math.sqrt(len(classes) * 4)))
    columns = max(1, math.ceil(len(classes) / rows))
    rows = max(1, math.ceil(len(classes) / columns))
    width = _legend_width([item.name for item in classes]) + _MARGIN
    size = (_MARGIN + columns * width, rows * _LINE + 2 * _MARGIN)
    sheet = Image.new("RGB", size, _PAPER)
    for place, item in enumerate(classes):
        column, row = divmod(place, rows)
        corner = (_MARGIN + column * width, _MARGIN + row * _LINE)
        _legend_line(sheet, corner, colour_of(item), item.name)
    return write_whole(Path(path), _png(sheet))


def map_png(
    path: str | Path, map_path: str | Path, classes: Sequence[MapClass], *, legend: bool = True, max_width: int = 1600
) -> Path:
    """Write a picture of a class map, at most `max_width` px wide, with a scale bar and (unless told not to) legend."""
    return write_whole(Path(path), draw_map(map_path, classes, legend=legend, max_width=max_width))


def draw_map(map_path: str | Path, classes: Sequence[MapClass], *, legend: bool, max_width: int) -> bytes:
    """The PNG file of `map_png`."""
    beside = _legend_width([item.name for item in classes]) + _MARGIN if legend else 0
    small = _read_small(map_path, max_width - 2 * _MARGIN - beside)
    table = np.full((65536, 3), _NO_DATA, np.uint8)
    for item in classes:
        table[item.code] = colour_of(item)
    if small.nodata is not None and 0 <= small.nodata <= 65535:
        table[int(small.nodata)] = _NO_DATA
    lines = _legend_lines(small, classes) if legend else []
    return _png(_sheet(table[small.values.clip(0, 65535).astype(np.int64)], small, lines))


def confidence_png(path: str | Path, confidence_path: str | Path, *, max_width: int = 1600) -> Path:
    """Write a picture of a confidence raster (percent, 255 = nodata) on the ramp of its style, with that ramp."""
    return write_whole(Path(path), draw_confidence(confidence_path, max_width=max_width))


def draw_confidence(confidence_path: str | Path, *, max_width: int) -> bytes:
    """The PNG file of `confidence_png`."""
    small = _read_small(confidence_path, max_width - 2 * _MARGIN)
    percents, colours = zip(*CONFIDENCE_RAMP, strict=True)
    table = np.full((256, 3), _NO_DATA, np.uint8)
    for channel in range(3):
        table[:101, channel] = np.rint(np.interp(np.arange(101), percents, [colour[channel] for colour in colours]))
    sheet = _sheet(table[small.values.clip(0, 255).astype(np.int64)], small, [])
    return _png(_with_ramp(sheet, table[:101]))


def pca_preview(
    path: str | Path, embedding: NDArray[Any], *, nodata: int | None = None, min_side: int = 512, max_side: int = 1600
) -> Path:
    """Write the three main components of an embedding `[D, h, w]` as red, green and blue; gaps are transparent.

    Gaps are NaN, or `nodata` in stored numbers. Columns are standardised first, so that no unit outweighs another and
    8-bit storage will do (of very many columns, evenly spread ones are taken); each component is stretched from its 2nd
    to its 98th percentile. Signs are fixed (the largest loading is positive), so the same embedding gives the same
    colours.
    """
    if embedding.ndim != 3:
        raise ShapeError(f"embedding must be [D, h, w], got {list(embedding.shape)}; add the missing axis.")
    step = max(1, math.ceil(max(embedding.shape[1:]) / max_side))
    values = embedding[:: math.ceil(len(embedding) / _COLUMNS), ::step, ::step]
    depth, height, width = values.shape
    cells = values.reshape(depth, -1)
    known = np.ones(cells.shape[1], np.bool_)
    for column in cells:  # one by one: there are many
        known &= np.isfinite(column) if nodata is None else column != nodata
    picture = np.zeros((height * width, 4), np.uint8)
    if known.any():
        picture[:, :3] = np.where(known[:, None], _components(cells, np.flatnonzero(known)), 0)
        picture[known, 3] = 255
    factor = max(1, min_side // max(height, width))
    image = picture.reshape(height, width, 4).repeat(factor, axis=0).repeat(factor, axis=1)
    return write_whole(Path(path), _png(Image.fromarray(image)))


def rgb_bands(sample: NDArray[np.floating[Any]]) -> tuple[tuple[int, int, int], tuple[tuple[float, float], ...]]:
    """Three bands of `sample [D, n]` to show as red, green, blue (numbers from 1), and their 2-98 % ranges.

    The band of the largest variance first, then those with most variance that the chosen ones do not explain: three
    copies of one thing would be a grey picture. NaN columns are left out; with fewer than three bands one repeats.
    """
    known = np.asarray(sample[:, _spread(np.flatnonzero(np.isfinite(sample).all(axis=0)))], np.float64)
    if known.shape[1] == 0:
        known = np.zeros((sample.shape[0], 1))
    rest = known - known.mean(axis=1, keepdims=True)
    chosen: list[int] = []
    for _ in range(3):
        variance = (rest**2).mean(axis=1)
        variance[chosen] = -1.0
        chosen.append(int(variance.argmax()) if len(chosen) < len(rest) else chosen[-1])
        direction = rest[chosen[-1]].copy()
        length = float(direction @ direction)
        if length > 0:
            rest = rest - np.outer(rest @ direction / length, direction)
    ranges = tuple(_range(known[band]) for band in chosen)
    return (chosen[0] + 1, chosen[1] + 1, chosen[2] + 1), ranges


def _components(cells: NDArray[Any], known: NDArray[np.int64]) -> NDArray[np.uint8]:
    """`[n, 3]` bytes: main components of `cells [D, n]`, stretched; components that are not there are mid-grey.

    They are fitted on the cells numbered `known`; what comes out for the others means nothing.
    """
    sample = np.asarray(cells[:, _spread(known)].T, np.float64)
    centre, spread = sample.mean(axis=0), sample.std(axis=0)
    spread[spread < 1e-9 * (1 + abs(centre))] = np.inf  # a constant column says nothing
    scaled = (sample - centre) / spread
    strength, vectors = np.linalg.eigh(scaled.T @ scaled / len(sample))
    order = np.argsort(-strength, kind="stable")[:3]
    kept = [index for index in order if strength[index] > 1e-9 * max(strength.max(), 1e-9)]
    loadings = vectors[:, kept] * np.sign(vectors[np.abs(vectors[:, kept]).argmax(axis=0), kept])
    low, high = np.array([_range(column) for column in (scaled @ loadings).T]).reshape(-1, 2).T
    bytes_ = np.full((cells.shape[1], 3), 128, np.uint8)
    for first in range(0, len(bytes_), _PIECE):
        piece = np.nan_to_num((cells[:, first : first + _PIECE].T - centre) / spread)
        share = (piece @ loadings - low) / (high - low)
        bytes_[first : first + _PIECE, : len(kept)] = np.rint(share.clip(0, 1) * 255)
    if len(kept) == 1:  # one component is a grey picture, not a red one
        bytes_[:, 1:] = bytes_[:, :1]
    return bytes_


def _spread(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """At most `_SAMPLE` of `numbers`, evenly spread."""
    return numbers[:: max(1, math.ceil(len(numbers) / _SAMPLE))]


def _range(values: NDArray[np.float64]) -> tuple[float, float]:
    """2nd and 98th percentile, never equal."""
    low, high = (float(bound) for bound in np.percentile(values, (2, 98)))
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _read_small(path: str | Path, max_side: int) -> _SmallRaster:
    """The first band, nearest (no class between classes is invented), in the ground's proportions, north up."""
    import rasterio
    from rasterio.enums import Resampling

    with rasterio.open(path) as dataset:
        rows, cols, transform = dataset.height, dataset.width, dataset.transform
        width, height = 1.0, 1.0
        if dataset.crs is not None:
            pixel = ground_pixel(dataset.crs.to_wkt(), transform, row=rows / 2, col=cols / 2)
            if 0 < pixel.width < math.inf and 0 < pixel.height < math.inf:
                width, height = pixel.width, pixel.height
        finest, longest = min(width, height), max(cols * width, rows * height)
        # Small maps are enlarged by a whole number, so that all pixels stay equally large.
        scale = max(1, int(900 * finest // longest)) / finest
        scale = min(scale, max_side / longest)  # picture pixels a metre
        shape = max(1, round(rows * height * scale)), max(1, round(cols * width * scale))
        values = dataset.read(1, out_shape=(min(rows, shape[0]), min(cols, shape[1])), resampling=Resampling.nearest)
        nodata, known = dataset.nodata, dataset.crs is not None
    values = values[_nearest(shape[0], values.shape[0])][:, _nearest(shape[1], values.shape[1])]
    straight = transform.b == 0 and transform.d == 0
    if straight:
        values = values[:: -1 if transform.e > 0 else 1, :: -1 if transform.a < 0 else 1]
    return _SmallRaster(values, nodata, 1 / scale if known else None, straight and known)


def _nearest(wanted: int, there: int) -> NDArray[np.int64]:
    return (np.arange(wanted) * 2 + 1) * there // (2 * wanted)


def _sheet(colours: NDArray[np.uint8], small: _SmallRaster, lines: Sequence[tuple[RGB | None, str]]) -> Image.Image:
    """The map on paper: a thin frame, the scale under it, legend lines to its right."""
    height, width = colours.shape[:2]
    legend_width = _legend_width([text for _, text in lines]) + _MARGIN if lines else 0
    tall = max(height, len(lines) * _LINE)
    sheet = Image.new("RGB", (max(width, 160) + legend_width + 2 * _MARGIN, tall + _LINE + 2 * _MARGIN), _PAPER)
    sheet.paste(Image.fromarray(colours), (_MARGIN, _MARGIN))
    draw = ImageDraw.Draw(sheet)
    draw.rectangle((_MARGIN - 1, _MARGIN - 1, _MARGIN + width, _MARGIN + height), outline=_FAINT)
    for place, (colour, text) in enumerate(lines):
        _legend_line(sheet, (max(width, 160) + 2 * _MARGIN, _MARGIN + place * _LINE), colour, text)
    if small.metres is not None:
        _scale_bar(sheet, small, max(width, 160), _MARGIN + height + 12)
    return sheet


def _scale_bar(sheet: Image.Image, small: _SmallRaster, width: int, top: int) -> None:
    assert small.metres is not None
    wanted = width * small.metres / 4
    unit = 10.0 ** math.floor(math.log10(wanted))
    length = unit * max(step for step in (1, 2, 5) if step * unit <= wanted)
    stop = _MARGIN + round(length / small.metres)
    ends = (_MARGIN, top, _MARGIN, top + 8, stop, top + 8, stop, top)
    ImageDraw.Draw(sheet).line(ends, fill=_INK, width=2)
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m" if length >= 1 else f"{length * 100:g} cm"
    text += "    ↑ north" if small.north_up else ""
    _write(sheet, (stop + 10, top + 3), text, font_for(text, 15))


def _legend_lines(small: _SmallRaster, classes: Sequence[MapClass]) -> list[tuple[RGB | None, str]]:
    """Colour and name of the classes, the commonest if there are too many, and what else the picture holds."""
    shown = list(classes)
    if len(shown) > _LISTED:
        counts = np.bincount(small.values.clip(0, 65535).ravel().astype(np.int64), minlength=65536)
        common = sorted(shown, key=lambda item: -counts[item.code])[: _LISTED - 1]
        shown = [item for item in shown if item in common]
    lines: list[tuple[RGB | None, str]] = [(colour_of(item), item.name) for item in shown]
    if len(shown) < len(classes):
        lines.append((None, f"and {len(classes) - len(shown)} more classes"))
    if small.nodata is not None and (small.values == small.nodata).any():
        lines.append((_NO_DATA, "no data"))
    return lines


def _legend_line(sheet: Image.Image, corner: tuple[int, int], colour: RGB | None, name: str) -> None:
    left, top = corner
    if colour is not None:
        draw = ImageDraw.Draw(sheet)
        draw.rounded_rectangle((left, top, left + _SWATCH + 6, top + _SWATCH), 3, fill=colour, outline=_FAINT)
    text = one_line(name)
    font = font_for(text, _LETTER)
    text = fitted(text, font, _LEGEND_WIDTH - _SWATCH - 16)
    _write(sheet, (left + _SWATCH + 16, top + _SWATCH // 2), text, font)


def _write(sheet: Image.Image, middle: tuple[int, int], text: str, font: Font) -> None:
    """Text from `middle` of its left edge, smoothed in eight steps only, so that the sheet still fits a palette."""
    smooth = Image.new("L", sheet.size)
    ImageDraw.Draw(smooth).text(middle, text, fill=255, font=font, anchor="lm")
    box = smooth.getbbox()
    if box is not None:
        stepped = smooth.crop(box).point([round(level / 255 * 8) * 255 // 8 for level in range(256)])
        sheet.paste(_INK, box, stepped)


def _with_ramp(sheet: Image.Image, ramp: NDArray[np.uint8]) -> Image.Image:
    """The sheet with the confidence ramp (101 colours) and its ends on a line of its own."""
    taller = Image.new("RGB", (sheet.width, sheet.height + _LINE), _PAPER)
    taller.paste(sheet, (0, 0))
    top = sheet.height - _MARGIN + 6
    bar = Image.fromarray(np.tile(ramp[None], (14, 1, 1)))
    taller.paste(bar, (_MARGIN, top))
    text = "0 to 100 % sure"
    _write(taller, (_MARGIN + 111, top + 7), text, font_for(text, 15))
    return taller


def _legend_width(names: Sequence[str]) -> int:
    """Pixels that a column of `names` takes, the swatches included; longer names are cut."""
    lines = [one_line(name) for name in names] or [""]
    longest = max(font_for(line, _LETTER).getlength(line) for line in lines)
    return min(_LEGEND_WIDTH, max(130, math.ceil(longest) + _SWATCH + 20))


def _png(image: Image.Image) -> bytes:
    """A PNG file, with a palette where that loses nothing: a third of the size."""
    if image.mode == "RGB" and image.getcolors(256) is not None:
        pixels = np.asarray(image).astype(np.uint32)
        packed = pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]
        colours, index = np.unique(packed, return_inverse=True)
        image = Image.fromarray(index.reshape(packed.shape).astype(np.uint8), "P")
        image.putpalette([int(colour) >> shift & 255 for colour in colours for shift in (16, 8, 0)])
    content = io.BytesIO()
    image.save(content, "PNG", optimize=image.mode == "P")  # of a photograph it takes long and gains nothing
    return content.getvalue()
