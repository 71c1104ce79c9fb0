"""Runs the pages of the cookbook, and draws their pictures from what the commands made.

    GFM_SHARED_DATA=/path/to/shared/data python docs/pictures/cookbook_pictures.py [PAGE...]

writes `cookbook_PAGE.png` beside this file. `tests/test_cookbook.py` reads and runs the pages with the same functions.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from gfm_core.report.lettering import fitted, font_for

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = REPOSITORY / "docs" / "cookbook"
WIDTH, GAP, MARGIN = 1000, 8, 12  # px: of a sheet without its margins, between panels, around all
LARGEST = 150_000  # bytes
_COLOURS = (224, 160, 96, 64, 48, 32, 24)  # of the palette: the first that makes the file small enough
_CAPTION, _LINE, _LETTER = 24, 26, 14  # px

_PAPER, _INK = (255, 255, 255), (38, 40, 43)
_LAND, _WATER, _NEW = (226, 214, 178), (43, 103, 186), (214, 40, 130)
_SET_ASIDE = (190, 190, 190)
_KINDS = ((86, 120, 70), (222, 188, 120), (176, 88, 60), (120, 160, 200), (150, 130, 160), (70, 70, 80))
_RAMP = ((23, 25, 60), (60, 60, 140), (40, 130, 140), (110, 190, 100), (250, 225, 60))  # low to high

Colour = tuple[int, int, int]
Pixels = NDArray[np.uint8]  # [H, W, 3]
_FENCE = re.compile(r"^```(sh|python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Step:
    """One block of a page: what to run, and what the page says that it prints (None: nothing is said)."""

    language: str  # "sh" or "python"
    code: str
    printed: str | None


def page_names() -> list[str]:
    """The applications, without the index."""
    return sorted(path.stem for path in PAGES.glob("*.md") if path.stem != "README")


def steps_of(name: str) -> Iterator[Step]:
    """The blocks of a page in their order; a `text` block holds what the block before it prints."""
    blocks = _FENCE.findall((PAGES / f"{name}.md").read_text(encoding="utf-8"))
    for place, (language, code) in enumerate(blocks):
        if language == "text":
            continue
        after = blocks[place + 1] if place + 1 < len(blocks) else ("", "")
        yield Step(language, code, after[1] if after[0] == "text" else None)


def run_step(step: Step, folder: Path, data: Path) -> str:
    """Run a block in `folder`; returns what it printed. Raises `RuntimeError` with its last lines if it fails."""
    python = shlex.quote(sys.executable)
    if step.language == "sh":
        command = ["bash", "-e", "-c", re.sub(r"^gfm ", f"{python} -m gfm_core.cli ", step.code, flags=re.MULTILINE)]
    else:
        command = [sys.executable, "-c", step.code]
    path = os.pathsep.join(filter(None, (str(REPOSITORY), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "DATA": str(data), "PYTHONPATH": path, "PYTHONWARNINGS": "ignore"}
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(f"{step.code[:300]}...\nended with {ran.returncode}:\n{ran.stderr[-1000:]}")
    return ran.stdout


# ---- Pictures --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sheet:
    """Panels of one place side by side, each with its caption, and a legend; `aspect` is height by width."""

    panels: tuple[tuple[str, Pixels], ...]
    legend: tuple[tuple[Colour, str], ...]
    aspect: float


def colours_of(path: Path, bands: tuple[int, int, int]) -> Pixels:
    """Three bands as red, green and blue, each from its 1st to its 98th percentile; black where nothing is."""
    with rasterio.open(path) as source:
        values = source.read(list(bands)).astype(float)
    lit = values[:, (values > 0).any(axis=0)]
    low, high = np.percentile(lit, (1, 98), axis=1)[..., None, None]
    share = ((values - low) / (high - low)).clip(0, 1) ** 0.85
    return np.rint(255 * np.moveaxis(share, 0, -1)).astype(np.uint8)


def ramp_of(values: NDArray[np.floating], low: float, high: float) -> Pixels:
    """Numbers in the colours of the ramp; white where none is known."""
    place = np.nan_to_num((values - low) / (high - low)).clip(0, 1) * (len(_RAMP) - 1)
    colours = np.array(_RAMP, float)
    below = np.floor(place).astype(int).clip(0, len(_RAMP) - 2)
    share = (place - below)[..., None]
    shown = colours[below] * (1 - share) + colours[below + 1] * share
    shown[~np.isfinite(values)] = 255
    return np.rint(shown).astype(np.uint8)


def codes_of(codes: NDArray[np.integer], colours: dict[int, Colour]) -> Pixels:
    """Codes in the colours given, white where there is none."""
    table = np.full((256, 3), 255, np.uint8)
    for code, colour in colours.items():
        table[code] = colour
    return table[codes]


def band(path: Path, number: int = 1) -> NDArray[np.floating]:
    """One band, its nodata as NaN."""
    with rasterio.open(path) as source:
        return source.read(number, masked=True).astype(float).filled(np.nan)


def classes_of(path: Path) -> dict[str, tuple[int, Colour]]:
    """Code and colour of each class of a map, by its name."""
    with rasterio.open(path) as source:
        colormap = source.colormap(1)
        names = {name: int(key[6:]) for key, name in source.tags().items() if key.startswith("CLASS_")}
    return {name: (code, colormap[code][:3]) for name, code in sorted(names.items(), key=lambda item: item[1])}


def map_of(path: Path) -> Pixels:
    """A map of classes in its own colours."""
    with rasterio.open(path) as source:
        return codes_of(source.read(1), dict(classes_of(path).values()))


def drawn(sheet: Sheet) -> Image.Image:
    """The sheet as a picture."""
    count = len(sheet.panels)
    width = (WIDTH - GAP * (count - 1)) // count
    height = round(width * sheet.aspect)
    places, left, line = [], 0, 0
    for colour, name in sheet.legend:
        wide = 34 + math.ceil(font_for(name, _LETTER).getlength(name))
        if left and left + wide > WIDTH:
            left, line = 0, line + 1
        places.append((left, line, colour, name))
        left += wide + 14
    picture = Image.new("RGB", (WIDTH + 2 * MARGIN, 2 * MARGIN + _CAPTION + height + 6 + (line + 1) * _LINE), _PAPER)
    draw = ImageDraw.Draw(picture)
    for number, (caption, pixels) in enumerate(sheet.panels):
        x, font = MARGIN + number * (width + GAP), font_for(caption, _LETTER)
        draw.text((x, MARGIN + _CAPTION // 2), fitted(caption, font, width), fill=_INK, font=font, anchor="lm")
        small = Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS)
        picture.paste(small, (x, MARGIN + _CAPTION))
    for left, line, colour, name in places:
        x, middle = MARGIN + left, MARGIN + _CAPTION + height + 6 + line * _LINE + _LINE // 2
        draw.rounded_rectangle((x, middle - 7, x + 20, middle + 7), 3, fill=colour, outline=_INK)
        draw.text((x + 27, middle), name, fill=_INK, font=font_for(name, _LETTER), anchor="lm")
    return picture


def _ramp_legend(low: str, high: str) -> tuple[tuple[Colour, str], ...]:
    return ((_RAMP[0], low), (_RAMP[len(_RAMP) // 2], "between"), (_RAMP[-1], high))


def _flood(made: Path, data: Path) -> Sheet:
    codes = {name: code for name, (code, _) in classes_of(made / "flood.tif").items()}
    with rasterio.open(made / "flood.tif") as source:
        mapped, aspect = source.read(1), source.height / source.width
    truth = band(data / "spain_flood/water.tif").astype(np.uint8)
    panels = (
        ("Sentinel-2 (B11, B08, B04)", colours_of(data / "spain_flood/s2_l1c.tif", (12, 8, 4))),
        ("water drawn by hand", codes_of(truth, {1: _LAND, 2: _WATER})),
        ("gfm classify, 40 points", codes_of(mapped, {codes["land"]: _LAND, codes["water"]: _WATER})),
    )
    legend = ((_LAND, "land"), (_WATER, "water"), (_PAPER, "unknown; the 40 points lie in the western quarter"))
    return Sheet(panels, legend, aspect)


def _burnt(made: Path, data: Path) -> Sheet:
    with rasterio.open(made / "kinds.tif") as source:
        kinds, aspect = source.read(1), source.height / source.width
    change = band(made / "change.tif")
    colours = dict(enumerate(((70, 30, 40), *_KINDS), start=1))
    panels = (
        ("before (B11, B08, B04)", colours_of(made / "before_2018-12-01.tif", (10, 8, 4))),
        ("after", colours_of(data / "australia/s2_l2a_2019-01-05.tif", (10, 8, 4))),
        ("difference of the index", ramp_of(_fall_of_ndii(made, data), 0, 0.3)),
        ("gfm change", ramp_of(change, 0, 4)),
        ("gfm cluster, 4 kinds", codes_of(kinds, colours)),
    )
    legend = (*_ramp_legend("index 0; change 0 sd", "index 0.3; change 4 sd"),
              *((colours[kind], f"kind {kind}") for kind in range(1, 5)))  # fmt: skip
    return Sheet(panels, legend, aspect)


def _fall_of_ndii(made: Path, data: Path) -> NDArray[np.floating]:
    def index(path: Path) -> NDArray[np.floating]:
        nir, swir = band(path, 8), band(path, 10)
        return (nir - swir) / (nir + swir)

    return index(made / "before_2018-12-01.tif") - index(data / "australia/s2_l2a_2019-01-05.tif")


def _estuary(made: Path, data: Path) -> Sheet:
    before, after = (data / f"madagascar/landsat8_{date}.tif" for date in ("2017-01-18", "2020-01-27"))
    colours = {
        "dry land": _LAND, "mangrove and flats": (86, 140, 90), "newly under water": _NEW, "open water": _WATER,
    }  # fmt: skip
    codes = classes_of(made / "history.tif")
    with rasterio.open(made / "history.tif") as source:
        history, aspect = source.read(1), source.height / source.width

    def wetness(path: Path) -> NDArray[np.floating]:
        green, swir = band(path, 3), band(path, 6)
        return (green - swir) / (green + swir)

    wet = [wetness(path) > 0 for path in (before, after)]
    index = np.select([wet[0] & wet[1], ~wet[0] & wet[1]], [4, 3], 1) * np.isfinite(band(before))
    panels = (
        ("2017 (B6, B5, B4)", colours_of(before, (6, 5, 4))),
        ("2020", colours_of(after, (6, 5, 4))),
        ("gfm classify, both dates", codes_of(history, {codes[name][0]: colour for name, colour in colours.items()})),
        ("index of water: MNDWI > 0", codes_of(index.astype(np.uint8), {1: _LAND, 3: _NEW, 4: _WATER})),
    )
    return Sheet(panels, tuple((colour, name) for name, colour in colours.items()), aspect)


def _landcover(made: Path, data: Path) -> Sheet:
    gewata = data / "gewata"
    codes = classes_of(made / "map.tif")
    colours = {"cropland": (226, 200, 110), "forest": (44, 110, 60), "wetland": (90, 150, 200)}
    with rasterio.open(made / "map.tif") as source:
        mapped, aspect = source.read(1), source.height / source.width
    by_number = {1: "cropland", 2: "forest", 3: "cropland", 4: "forest", 5: "forest", 6: "wetland"}
    reference = band(gewata / "lulc.tif")
    panels = (
        ("Landsat 7 (swir, nir, red)", colours_of(gewata / "landsat7_30m.tif", (5, 4, 3))),
        ("gfm classify, 16 polygons", codes_of(mapped, {codes[name][0]: colour for name, colour in colours.items()})),
        ("map of 2011", codes_of(np.nan_to_num(reference).astype(np.uint8),
                                 {number: colours[name] for number, name in by_number.items()})),
        ("gfm estimate: tree cover", ramp_of(band(made / "trees.tif"), 0, 100)),
    )  # fmt: skip
    legend = (*((colour, name) for name, colour in colours.items()), *_ramp_legend("0 %", "100 % tree cover"))
    return Sheet(panels, legend, aspect)


def _town(made: Path, data: Path) -> Sheet:
    part = (slice(80, 200), slice(58, 211))  # of the pixels, where most of the roofs are
    whole = colours_of(data / "rgbn_5m/rgbn.tif", (3, 2, 1))
    with rasterio.open(made / "kinds.tif") as source:
        kinds = codes_of(source.read(1), dict(enumerate(_KINDS, start=1)))
        places = gpd.read_file(made / "alike_places.gpkg").head(30)
        points = [~source.transform * (point.x, point.y) for point in places.geometry.centroid]
        clicks = gpd.read_file(made / "roofs.gpkg")
        examples = [~source.transform * (point.x, point.y) for point in clicks.geometry]
    ringed = Image.fromarray(whole.repeat(3, 0).repeat(3, 1))
    draw = ImageDraw.Draw(ringed)
    for spots, colour in ((points, (255, 240, 40)), (examples, (0, 230, 255))):
        for x, y in spots:
            draw.ellipse((3 * x - 15, 3 * y - 15, 3 * x + 15, 3 * y + 15), outline=colour, width=2)
    alike = ramp_of(band(made / "alike.tif"), 20, 80)
    panels = (
        ("a part, natural colours; places found", np.asarray(ringed)[240:600, 174:633]),
        ("gfm similar: how alike", alike[part]),
        ("gfm cluster, 6 kinds; the whole image", kinds),
    )
    legend = (((0, 230, 255), "five clicks"), ((255, 240, 40), "the first 30 places"), *_ramp_legend("20", "80 alike"),
              *((colour, f"{number}") for number, colour in enumerate(_KINDS, start=1)))  # fmt: skip
    return Sheet(panels, legend, 403 / 515)


def _yield(made: Path, data: Path) -> Sheet:
    with rasterio.open(made / "height.tif") as source:
        estimate, aspect = source.read(1, masked=True).astype(float).filled(np.nan), source.height / source.width
    panels = (
        ("drone photo, 0.5 m", colours_of(data / "kootenay/ortho_rgb.tif", (1, 2, 3))),
        ("height as measured", ramp_of(band(data / "kootenay/canopy_height.tif"), 0, 9)),
        ("gfm estimate, 300 points", ramp_of(estimate, 0, 9)),
    )
    return Sheet(panels, _ramp_legend("0 m", "9 m and more"), aspect)


_CROPS = {
    "vineyards_wine_vine_rebland_grapes": ("vineyard", (120, 60, 120)),
    "winter_durum_hard_wheat": ("durum wheat", (225, 170, 40)),
    "winter_common_soft_wheat": ("soft wheat", (250, 225, 120)),
    "fallow_land_not_crop": ("fallow", (170, 140, 110)),
    "pasture_meadow_grassland_grass": ("grassland", (110, 170, 90)),
}


def _crops(made: Path, data: Path) -> Sheet:
    from rasterio.features import rasterize  # noqa: PLC0415 - for this picture only

    codes = {name: code for name, (code, _) in classes_of(made / "crops.tif").items()}
    colours = {codes[name]: colour for name, (_, colour) in _CROPS.items()}
    with rasterio.open(data / "languedoc/s2_l2a_2018-06-27_10m.tif") as source:
        parcels = gpd.read_file(data / "languedoc/parcels.gpkg").to_crs(source.crs)
        shapes = ((shape, codes.get(crop, 200)) for shape, crop in zip(parcels.geometry, parcels["crop"], strict=True))
        declared = rasterize(shapes, source.shape, transform=source.transform, dtype="uint8")
        aspect = source.height / source.width
    with rasterio.open(made / "crops.tif") as source:
        mapped = source.read(1)
    infrared = [
        colours_of(data / f"languedoc/s2_l2a_2018-{date}_10m.tif", (4, 3, 2)) for date in ("04-18", "06-27")
    ]  # fmt: skip
    panels = (
        ("18 April (nir, red, green)", infrared[0]),
        ("27 June", infrared[1]),
        ("declared parcels", codes_of(declared, {**colours, 200: _SET_ASIDE})),
        ("gfm classify, nine dates", codes_of(mapped, colours)),
    )
    return Sheet(panels, (*((colour, name) for name, colour in _CROPS.values()), (_SET_ASIDE, "left out")), aspect)


SHEETS: dict[str, Callable[[Path, Path], Sheet]] = {
    "flood": _flood, "burnt": _burnt, "estuary": _estuary, "landcover": _landcover, "town": _town, "yield": _yield,
    "crops": _crops,
}  # fmt: skip


def main() -> int:
    """Run and draw; 1 if a picture is too large."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pages", nargs="*", metavar="PAGE", help="default: all")
    parser.add_argument("--keep", type=Path, help="folder in which each page finds, or leaves, its files")
    args = parser.parse_args()
    data = Path(os.environ.get("GFM_SHARED_DATA", REPOSITORY.parent / "shared" / "data")).resolve()
    large = False
    for name in args.pages or page_names():
        with tempfile.TemporaryDirectory() as passing:
            folder = (args.keep or Path(passing)).resolve() / name
            if not folder.is_dir():
                folder.mkdir(parents=True)
                began = time.monotonic()
                for step in steps_of(name):
                    printed = run_step(step, folder, data)
                    sys.stdout.write(printed if step.language == "python" else "")
                sys.stdout.write(f"{name}: {time.monotonic() - began:.0f} s\n")
            path = Path(__file__).parent / f"cookbook_{name}.png"
            picture = drawn(SHEETS[name](folder, data))
            for colours in _COLOURS:
                picture.quantize(colours, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
                    path, optimize=True
                )
                if path.stat().st_size <= LARGEST:
                    break
            sys.stdout.write(f"{path}: {path.stat().st_size / 1000:.0f} kB\n")
            large = large or path.stat().st_size > LARGEST
    return int(large)


if __name__ == "__main__":
    sys.exit(main())
