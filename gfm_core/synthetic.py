"""A made-up place: georeferenced rasters of several sensors, resolutions, dates and CRSs, with labels and the truth.

Everything is a function of the ground, not of a pixel grid: smooth random fields decide the class and the height at any
point, so that an image at 10 m, one at 20 m and an elevation model at 30 m in another CRS show the same place.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.warp import transform as transform_points
from rasterio.warp import transform_bounds
from scipy import ndimage

from gfm_core.classes import RGB, MapClass
from gfm_core.errors import OutputError, ParameterError
from gfm_core.parameters import SynthParameters
from gfm_core.raster.sensors import SENSORS

Floats = NDArray[np.floating[Any]]

CRS = "EPSG:32633"
ELEVATION_CRS = "EPSG:3035"  # turned against UTM by a few degrees
LEFT, TOP = 400_020.0, 5_800_020.0
GRAIN = 10.0  # metres: the ground has one class in each such square
SQUARE = 240.0  # metres: labels of a square are all for training or all for checking

# How far crops are from bare stubble (0) at each date.
_DATES = ((date(2023, 5, 4), 1.0), (date(2023, 8, 22), 0.0), (date(2023, 6, 25), 0.7), (date(2023, 10, 10), 0.3))
_RADAR_DATE = date(2023, 5, 6)

_ANCHORS_NM = (490.0, 560.0, 665.0, 740.0, 842.0, 1610.0, 2190.0)
_STUBBLE = (0.08, 0.12, 0.15, 0.19, 0.23, 0.33, 0.26)


@dataclass(frozen=True, slots=True)
class _Cover:
    """What a class looks like: reflectance at `_ANCHORS_NM`, its relative spread, radar in dB, and where it lies."""

    name: str
    colour: RGB
    reflectance: tuple[float, ...]
    texture: float
    vv_db: float
    vh_db: float
    height: float  # taste for high ground; negative: for valleys


_COVERS = (
    _Cover("water", (65, 135, 205), (0.050, 0.045, 0.030, 0.020, 0.015, 0.008, 0.005), 0.03, -20.0, -27.0, -1.5),
    _Cover("trees", (45, 110, 60), (0.025, 0.045, 0.030, 0.180, 0.280, 0.130, 0.060), 0.12, -9.0, -14.5, 0.8),
    _Cover("crops", (235, 190, 90), (0.045, 0.075, 0.060, 0.220, 0.340, 0.200, 0.110), 0.05, -11.5, -18.0, -0.3),
    _Cover("grass", (165, 205, 105), (0.040, 0.080, 0.070, 0.190, 0.270, 0.250, 0.150), 0.06, -13.0, -20.0, 0.3),
    _Cover("built", (200, 70, 60), (0.120, 0.140, 0.160, 0.180, 0.200, 0.240, 0.230), 0.30, -5.0, -13.0, 0.0),
    _Cover("bare", (175, 160, 140), (0.100, 0.140, 0.190, 0.230, 0.270, 0.360, 0.330), 0.08, -13.5, -23.0, 0.6),
)
_SENTINEL2 = {band.name: band.wavelength_nm or 0.0 for band in SENSORS["sentinel2-l2a"].bands}
_OPTICAL = {10: ("B02", "B03", "B04", "B08"), 20: ("B05", "B06", "B07", "B8A", "B11", "B12")}


@dataclass(frozen=True, slots=True)
class SyntheticScene:
    """What `write_scene` wrote: `paths` are the rasters, `truth` the class codes of every 10 m, `labels` polygons.

    The labels' field `class` holds the name of the class, `split` is `train` or `check`, by ground squares.
    """

    folder: Path
    paths: tuple[Path, ...]
    labels: Path
    truth: Path
    classes: tuple[MapClass, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A smooth random field with mean 0, variance 1 and a Gaussian covariance, defined at every point of a plane.

    A sum of plane waves whose wave vectors are normal (random Fourier features, Rahimi and Recht 2007, section 3).
    """

    wave_x: Floats  # [K], radians a metre
    wave_y: Floats
    phase: Floats

    @classmethod
    def draw(cls, generator: np.random.Generator, *, length: float, waves: int = 96) -> Field:
        """A field whose covariance falls to exp(-1/2) at `length` metres."""
        wave = generator.normal(0.0, 1.0 / length, (2, waves))
        return cls(wave[0], wave[1], generator.uniform(0.0, 2 * np.pi, waves))

    def on_grid(self, x: Floats, y: Floats) -> Floats:
        """Values `[len(y), len(x)]` where the columns lie at `x` and the rows at `y`."""
        # cos(a + b) as a product of exponentials: two small matrices instead of a cosine a point and wave.
        rows = np.exp(1j * (np.outer(y, self.wave_y) + self.phase))
        columns = np.exp(1j * np.outer(self.wave_x, x))
        values: Floats = np.sqrt(2.0 / self.phase.size) * np.real(rows @ columns)
        return values

    def at(self, x: Floats, y: Floats) -> Floats:
        """Values at the points `(x, y)`, of any shape."""
        total: Floats = np.zeros(x.shape)
        for wave_x, wave_y, phase in zip(self.wave_x, self.wave_y, self.phase, strict=True):
            total += np.cos(wave_x * x + wave_y * y + phase)
        total *= np.sqrt(2.0 / self.phase.size)
        return total


@dataclass(frozen=True, slots=True)
class _Place:
    """The ground: a field a class, and the height. Coordinates are metres east and south of the north-west corner."""

    covers: tuple[_Cover, ...]
    fields: tuple[Field, ...]
    height: Field

    @classmethod
    def draw(cls, seed: int, classes: int) -> _Place:
        generator = np.random.default_rng([seed, 0])
        fields = tuple(Field.draw(generator, length=130.0) for _ in range(classes))
        return cls(_COVERS[:classes], fields, Field.draw(generator, length=500.0))

    def codes(self, x: Floats, y: Floats) -> NDArray[np.uint8]:
        """Class codes (1..n) on the grid of columns `x` and rows `y`: the class whose field is highest wins."""
        height = self.height.on_grid(x, y)
        best, codes = np.full(height.shape, -np.inf), np.zeros(height.shape, np.uint8)
        for code, (cover, field) in enumerate(zip(self.covers, self.fields, strict=True), start=1):
            score = field.on_grid(x, y) + cover.height * height
            codes[score > best] = code
            best = np.maximum(best, score)
        return codes

    def elevation(self, x: Floats, y: Floats) -> Floats:
        """Metres above sea level at any points."""
        return 150.0 + 40.0 * self.height.at(x, y)


def write_scene(
    folder: str | Path,
    *,
    seed: int = 0,
    size_m: float | tuple[float, float] = 1920.0,
    classes: int = 5,
    dates: int = 2,
    nodata_edge: bool = False,
    overwrite: bool = False,
) -> SyntheticScene:
    """Write a made-up place into `folder`: rasters, `labels.gpkg` and `truth/classes.tif`.

    `size_m` is the ground's side in metres, or (width, height); it is cut to whole multiples of 60 m. The same seed
    gives the same place, whatever the size: a larger scene holds a smaller one, but for its noise.
    Raises `ParameterError` for values that cannot work and `OutputError` if a file is there and `overwrite` is not set.
    """
    width, height = size_m if isinstance(size_m, tuple) else (size_m, size_m)
    return synth(
        SynthParameters(
            output=Path(folder), seed=seed, width=width, height=height, classes=classes, dates=dates,
            nodata_edge=nodata_edge, overwrite=overwrite,
        )
    )  # fmt: skip


def synth(parameters: SynthParameters) -> SyntheticScene:
    """`write_scene` from the tool's description."""
    folder = parameters.output
    rows, cols = (int(side // 60.0) * 6 for side in (parameters.height, parameters.width))
    place = _Place.draw(parameters.seed, parameters.classes)
    x, y = (np.arange(cols) + 0.5) * GRAIN, (np.arange(rows) + 0.5) * GRAIN
    codes = place.codes(x, y)
    made = list(_rasters(place, codes, parameters))
    truth = _Raster("truth/classes.tif", codes[None], CRS, Affine(GRAIN, 0, LEFT, 0, -GRAIN, TOP), 0, ("class",))
    names = [raster.name for raster in (*made, truth)] + ["labels.gpkg"]
    _refuse_existing(folder, names, parameters.overwrite)
    classes = tuple(MapClass(i, cover.name, cover.name, cover.colour) for i, cover in enumerate(place.covers, 1))
    # Written beside the target and moved, so that a file with its final name is whole.
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".synth-", dir=folder) as scratch:
        for raster in (*made, truth):
            raster.write(Path(scratch))
        _write_labels(Path(scratch) / "labels.gpkg", codes, classes, parameters.seed)
        for name in names:
            (folder / name).parent.mkdir(exist_ok=True)
            (Path(scratch) / name).replace(folder / name)
    paths = tuple(folder / raster.name for raster in made)
    return SyntheticScene(folder, paths, folder / "labels.gpkg", folder / truth.name, classes)


def _refuse_existing(folder: Path, names: Sequence[str], overwrite: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; give a folder to write the rasters into.")
    there = [name for name in names if (folder / name).exists()]
    if there and not overwrite:
        raise OutputError(f"{folder / there[0]} exists; choose another folder, or replace it with --overwrite.")


# ---- Rasters ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Raster:
    name: str
    pixels: NDArray[Any]  # [C, H, W]
    crs: str
    transform: Affine
    nodata: float
    bands: tuple[str, ...]
    day: date | None = None

    def write(self, folder: Path) -> None:
        path = folder / self.name
        path.parent.mkdir(exist_ok=True)
        count, height, width = self.pixels.shape
        with rasterio.open(
            path, "w", driver="GTiff", width=width, height=height, count=count, dtype=self.pixels.dtype, crs=self.crs,
            transform=self.transform, nodata=self.nodata, tiled=True, blockxsize=256, blockysize=256,
            compress="deflate",
        ) as image:  # fmt: skip
            image.write(self.pixels)
            image.descriptions = self.bands
            image.update_tags(SYNTHETIC="made by gfm synth")
            if self.day is not None:
                image.update_tags(TIFFTAG_DATETIME=f"{self.day:%Y:%m:%d} 10:00:00")


def _rasters(place: _Place, codes: NDArray[np.uint8], parameters: SynthParameters) -> Iterator[_Raster]:
    """Every raster of the scene, each with noise of its own."""
    brightness = _brightness(place.covers, codes, np.random.default_rng([parameters.seed, 1]))
    dates = sorted(_DATES[: parameters.dates])
    for number, (day, greenness) in enumerate(dates):
        for gsd, bands in _OPTICAL.items():
            ground = _spectra(place.covers, bands, greenness)[:, codes - 1] * brightness
            pixels = _seen(ground, gsd // int(GRAIN), np.random.default_rng([parameters.seed, 2, number, gsd]))
            if parameters.nodata_edge and number == len(dates) - 1:
                pixels[:, _corner(pixels.shape[1:])] = 0
            where = Affine(gsd, 0, LEFT, 0, -gsd, TOP)
            yield _Raster(f"s2_l2a_{day:%Y%m%d}_{gsd}m.tif", pixels, CRS, where, 0, bands, day)
    radar = _radar(place.covers, codes, np.random.default_rng([parameters.seed, 3]))
    if parameters.nodata_edge:
        radar[:, _corner(radar.shape[1:])] = np.nan
    where = Affine(GRAIN, 0, LEFT, 0, -GRAIN, TOP)
    name = f"s1_rtc_db_{_RADAR_DATE:%Y%m%d}_10m.tif"
    yield _Raster(name, radar, CRS, where, float("nan"), ("VV", "VH"), _RADAR_DATE)
    yield _elevation(place, codes.shape, np.random.default_rng([parameters.seed, 4]))


def _brightness(covers: tuple[_Cover, ...], codes: NDArray[np.uint8], generator: np.random.Generator) -> Floats:
    """How much brighter than its class each square of the ground is `[H, W]`: built land is patchy, water is even."""
    texture = np.array([cover.texture for cover in covers])[codes - 1]
    brightness: Floats = np.exp(texture * generator.standard_normal(codes.shape))
    return brightness


def _spectra(covers: tuple[_Cover, ...], bands: Sequence[str], greenness: float) -> Floats:
    """Reflectance `[C, classes]` of each class in each band."""
    wavelengths = [_SENTINEL2[band] for band in bands]
    return np.array([np.interp(wavelengths, _ANCHORS_NM, _anchors(cover, greenness)) for cover in covers]).T


def _seen(ground: Floats, step: int, generator: np.random.Generator) -> NDArray[np.uint16]:
    """Reflectance x 10 000 in pixels of `step` x `step` squares of `ground` `[C, H, W]`, with the sensor's noise."""
    bands, height, width = ground.shape
    mean = ground.reshape(bands, height // step, step, width // step, step).mean(axis=(2, 4))
    noisy = mean + generator.normal(0.0, 0.004, mean.shape)
    pixels: NDArray[np.uint16] = np.clip(np.rint(noisy * 1e4), 1, 20_000).astype(np.uint16)  # 0 is nodata
    return pixels


def _anchors(cover: _Cover, greenness: float) -> Floats:
    spectrum = np.array(cover.reflectance)
    return greenness * spectrum + (1 - greenness) * np.array(_STUBBLE) if cover.name == "crops" else spectrum


def _radar(covers: tuple[_Cover, ...], codes: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.float32]:
    """VV and VH in dB `[2, H, W]`, with the speckle of 8 looks (a gamma distribution of mean 1)."""
    mean_db = np.array([[cover.vv_db, cover.vh_db] for cover in covers])[codes - 1]  # [H, W, 2]
    speckle = generator.gamma(8.0, 1 / 8.0, mean_db.shape)
    decibel: NDArray[np.float32] = np.moveaxis(mean_db + 10 * np.log10(speckle), -1, 0).astype(np.float32)
    return decibel


def _elevation(place: _Place, shape: tuple[int, int], generator: np.random.Generator) -> _Raster:
    """Heights at 30 m in `ELEVATION_CRS`, a little beyond the scene on every side."""
    gsd = 30.0
    ground = (LEFT, TOP - shape[0] * GRAIN, LEFT + shape[1] * GRAIN, TOP)
    left, bottom, right, top = transform_bounds(CRS, ELEVATION_CRS, *ground)
    left, top = np.floor(left / gsd - 3) * gsd, np.ceil(top / gsd + 3) * gsd
    cols, rows = int(np.ceil((right - left) / gsd)) + 3, int(np.ceil((top - bottom) / gsd)) + 3
    x, y = np.meshgrid(left + (np.arange(cols) + 0.5) * gsd, top - (np.arange(rows) + 0.5) * gsd)
    east, north = transform_points(ELEVATION_CRS, CRS, x.ravel(), y.ravel())
    heights = place.elevation(np.array(east) - LEFT, TOP - np.array(north)).reshape(rows, cols)
    heights += generator.normal(0.0, 0.3, heights.shape)
    return _Raster(
        "dem_30m.tif", heights[None].astype(np.float32), ELEVATION_CRS, Affine(gsd, 0, left, 0, -gsd, top), -9999.0,
        ("elevation",),
    )  # fmt: skip


def _corner(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The south-east corner behind the line that joins the middles of two sides."""
    rows, cols = np.indices(shape)
    return (rows + 0.5) / shape[0] + (cols + 0.5) / shape[1] > 1.5  # type: ignore[no-any-return]


# ---- Labels ----------------------------------------------------------------------------------------------------------


def _write_labels(path: Path, codes: NDArray[np.uint8], classes: tuple[MapClass, ...], seed: int) -> None:
    """Squares of 30 to 70 m inside patches of one class, as many as fit up to 12 a class and side of the split."""
    import geopandas as gpd
    from shapely import box

    generator = np.random.default_rng([seed, 5])
    shapes, names, splits = [], [], []
    free = np.ones(codes.shape, bool)
    for map_class in classes:
        for check, split in enumerate(("train", "check")):
            for row, col, reach in _sites(codes == map_class.code, free, check, generator):
                left, top = LEFT + (col - reach) * GRAIN, TOP - (row - reach) * GRAIN
                side = (2 * reach + 1) * GRAIN
                shapes.append(box(left, top - side, left + side, top))
                names.append(map_class.name)
                splits.append(split)
    frame = gpd.GeoDataFrame({"class": names, "split": splits}, geometry=shapes, crs=CRS)
    frame.to_file(path, layer="labels", driver="GPKG")


def _sites(
    of_class: NDArray[np.bool_], free: NDArray[np.bool_], check: int, generator: np.random.Generator, count: int = 12
) -> Iterator[tuple[int, int, int]]:
    """Row, column and reach of squares (side 2 * reach + 1) that lie wholly in the class and in squares of the ground
    whose side of the split is `check`, apart from one another. What they take is cleared in `free`."""
    rows, cols = np.indices(of_class.shape) // int(SQUARE / GRAIN)
    ours = of_class & ((rows + cols) % 2 == check)
    taken = 0
    for reach in (3, 2, 1):
        inside = ndimage.binary_erosion(ours, np.ones((2 * reach + 1,) * 2))
        for row, col in generator.permutation(np.argwhere(inside)):
            around = (slice(row - reach - 1, row + reach + 2), slice(max(col - reach - 1, 0), col + reach + 2))
            if taken == count:
                return
            if free[around].all():
                free[around] = False
                taken += 1
                yield int(row), int(col), reach


# ---- The proof of concept's generator --------------------------------------------------------------------------------


class GeospatialDataGenerator:
    """The proof of concept's generator of square (or rectangular) layers over the same ground, without georeference.

    Each call of `generate_sample` gives another place; the same `seed` gives the same row of places.
    """

    MODALITIES = ("rgb", "elevation", "vegetation", "multispectral")

    def __init__(self, base_size: int = 256, *, seed: int = 0) -> None:
        self.base_size = base_size
        self._generator = np.random.default_rng(seed)

    def generate_sample(
        self, modalities: Sequence[str] = MODALITIES, size: int | tuple[int, int] | None = None
    ) -> dict[str, NDArray[np.float32]]:
        """Layers `[3, H, W]` between 0 and 1 by name, in the order asked for; `size` is H = W, or (H, W), in pixels.

        `rgb` is red, green, blue; `multispectral` is near infrared and two short-wave infrared bands; `elevation` and
        `vegetation` (NDVI, 0.5 = none) are the same in all three channels.
        Raises `ParameterError` for a modality that is not one of `MODALITIES` and for a size below 1.
        """
        unknown = [name for name in modalities if name not in self.MODALITIES]
        if unknown:
            raise ParameterError(f"modalities cannot hold {unknown[0]!r}; use {', '.join(self.MODALITIES)}.")
        size = self.base_size if size is None else size
        height, width = size if isinstance(size, tuple) else (size, size)
        if min(height, width) < 1:
            raise ParameterError(f"size must be at least 1 pixel, not {min(height, width)}.")
        layers = self._layers(height, width)
        return {name: layers[name].astype(np.float32) for name in modalities}

    def _layers(self, height: int, width: int) -> dict[str, Floats]:
        place = _Place.draw(int(self._generator.integers(2**31)), len(_COVERS))
        x, y = (np.arange(width) + 0.5) * GRAIN, (np.arange(height) + 0.5) * GRAIN
        codes = place.codes(x, y)
        brightness = _brightness(place.covers, codes, self._generator)
        spectra = np.array([cover.reflectance for cover in place.covers])
        blue, green, red, _, nir, swir16, swir22 = np.moveaxis(spectra[codes - 1] * brightness[..., None], -1, 0)
        terrain = np.clip(0.5 + place.height.on_grid(x, y) / 6, 0, 1)
        vegetation = 0.5 + (nir - red) / (nir + red) / 2
        return {
            "rgb": np.clip(np.stack([red, green, blue]) * 3, 0, 1),
            "elevation": np.stack([terrain] * 3),
            "vegetation": np.stack([vegetation] * 3),
            "multispectral": np.clip(np.stack([nir, swir16, swir22]), 0, 1),
        }
