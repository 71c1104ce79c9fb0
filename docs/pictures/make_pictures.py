"""The picture of the README, from what `make demo` made: Sentinel-2, its embedding, and the map.

    python docs/pictures/make_pictures.py demo/

writes `sample.png` beside this file. The embedding and the map are drawn from the demo's files, with the map's own
colours and class names, so the picture shows what the command gives.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import click
import numpy as np
import rasterio
from PIL import Image, ImageDraw
from rasterio.enums import Resampling

from gfm_core.assets import sample_folder
from gfm_core.report.lettering import font_for

WIDTH, GAP, MARGIN = 1024, 8, 14  # px: of the map, between panels, around all
COLOURS = 144  # of the palette: a third of the bytes
LARGEST = 300_000  # bytes

_PAPER, _INK = (255, 255, 255), (38, 40, 43)
_CAPTION, _LEGEND = 26, 30  # px
_NATURAL = ("B04", "B03", "B02")


def main() -> int:
    """Draw and write; 1 if the picture is too large for a README."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("demo", type=Path, help="folder that gfm demo wrote")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "sample.png")
    args = parser.parse_args()
    small = (WIDTH - GAP) // 2
    image, classes = map_picture(args.demo / "landcover.tif")
    panels = [
        ("Sentinel-2, 10 m, natural colours", natural_colours(sample_folder() / "s2_l1c_10m.tif"), small),
        ("its embedding: the three main components", Image.open(args.demo / "embedding_pca.png").convert("RGB"), small),
        ("the land-cover map", image, WIDTH),
    ]
    sheet = drawn(panels, classes)
    sheet.quantize(COLOURS, dither=Image.Dither.NONE).save(args.out, optimize=True)
    size = args.out.stat().st_size
    click.echo(f"{args.out}: {sheet.width} x {sheet.height} px, {size / 1000:.0f} kB")
    return 0 if size <= LARGEST else 1


def natural_colours(path: Path) -> Image.Image:
    """Red, green and blue of a Sentinel-2 file, each from its haze to its 97th percentile."""
    with rasterio.open(path) as dataset:
        bands = dataset.read([dataset.descriptions.index(name) + 1 for name in _NATURAL]).astype(np.float64)
    low = np.percentile(bands, 0.5, axis=(1, 2), keepdims=True)
    lit = bands - 0.9 * low  # not all of the haze: what is left of it keeps soil from turning red
    share = (lit / np.percentile(lit, 97, axis=(1, 2), keepdims=True)).clip(0, 1) ** 0.85
    return Image.fromarray(np.rint(255 * np.moveaxis(share, 0, -1)).astype(np.uint8))


def map_picture(path: Path) -> tuple[Image.Image, list[tuple[tuple[int, int, int], str]]]:
    """A class map in its colours, and (colour, name) of the classes in it."""
    with rasterio.open(path) as dataset:
        codes = dataset.read(1, resampling=Resampling.nearest)
        colormap = dataset.colormap(1)
        names = {int(key.removeprefix("CLASS_")): name for key, name in dataset.tags().items() if key[:6] == "CLASS_"}
    table = np.array([colormap[code][:3] for code in range(256)], np.uint8)
    table[0] = _PAPER
    there = [code for code in sorted(names) if (codes == code).any()]
    return Image.fromarray(table[codes]), [(tuple(table[code].tolist()), names[code]) for code in there]


def drawn(panels: list[tuple[str, Image.Image, int]], classes: list[tuple[tuple[int, int, int], str]]) -> Image.Image:
    """The sheet: two panels side by side, the last one under them in full width, and the legend."""
    scaled = [
        (caption, image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS))
        for caption, image, width in panels
    ]
    upper = max(image.height for _, image in scaled[:2])
    height = 2 * MARGIN + 2 * _CAPTION + upper + GAP + scaled[2][1].height + _LEGEND
    sheet = Image.new("RGB", (WIDTH + 2 * MARGIN, height), _PAPER)
    places = [
        (MARGIN, MARGIN), (MARGIN + scaled[0][1].width + GAP, MARGIN), (MARGIN, MARGIN + _CAPTION + upper + GAP),
    ]  # fmt: skip
    draw = ImageDraw.Draw(sheet)
    for (left, top), (caption, image) in zip(places, scaled, strict=True):
        draw.text((left, top + _CAPTION // 2), caption, fill=_INK, font=font_for(caption, 16), anchor="lm")
        sheet.paste(image, (left, top + _CAPTION))
    _legend(draw, classes, sheet.height - MARGIN - _LEGEND // 2 + 4)
    return sheet


def _legend(draw: ImageDraw.ImageDraw, classes: list[tuple[tuple[int, int, int], str]], middle: int) -> None:
    step = WIDTH / len(classes)
    for place, (colour, name) in enumerate(classes):
        left = MARGIN + round(place * step)
        draw.rounded_rectangle((left, middle - 8, left + 20, middle + 8), 3, fill=colour)
        draw.text((left + 27, middle), name, fill=_INK, font=font_for(name, 16), anchor="lm")


if __name__ == "__main__":
    sys.exit(main())
