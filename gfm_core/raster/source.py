"""A source: one raster file (or one date in it) with everything needed to place and read it."""

from __future__ import annotations

import datetime
import math
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from rasterio.enums import MaskFlags, Resampling
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from gfm_core.bands import Band, Normalisation
from gfm_core.errors import InputError
from gfm_core.grid import Bounds, bounds_of
from gfm_core.raster.argument import RasterArgument, parse_argument
from gfm_core.raster.facts import Facts, environment, facts_of, zero_corners
from gfm_core.raster.georeference import Georeference, georeference_of, warped_by_points
from gfm_core.raster.guess import Understanding, alpha_bands, guess
from gfm_core.raster.products import Product, products_in
from gfm_core.raster.sensors import SENSORS
from gfm_core.raster.tiff import missing_bytes

BLACK_CORNER = (
    "a corner is 0 in every band and no nodata value is declared: if that is the outside, say so with FILE:nodata=0"
)
warnings.filterwarnings("ignore", category=NotGeoreferencedWarning)  # georeference_of says it in our words
_BLOCK = re.compile(r"X offset (?P<across>\d+), Y offset (?P<down>\d+)")  # as GDAL tells of a block that fails


@dataclass(frozen=True, slots=True)
class Source:
    """One raster on the ground: its grid, the bands to read and what they mean.

    `indexes`, `nodata` and `normalisation` go with `bands`, one each. `indexes` are GDAL's band numbers (from 1).
    """

    path: str  # what rasterio opens: a file, URL, or the text of a VRT
    name: str  # for messages
    crs: str  # WKT2
    transform: Affine  # of the file's pixels: south-up and rotated ones as they are; with gcps, of the warped grid
    width: int
    height: int
    dtype: str
    sensor: str  # a key of sensors.SENSORS
    bands: tuple[Band, ...]
    indexes: tuple[int, ...]
    nodata: tuple[float | None, ...]  # NaN in float data is invalid whatever stands here
    mask_band: bool  # an internal mask or alpha: the dataset's mask counts too
    normalisation: tuple[Normalisation | None, ...]  # None: to be fitted once, on the whole source
    date: datetime.date | None
    gsd: float  # metres on the ground at the centre, geometric mean of both axes
    gcps: bool  # placed by ground control points: read through a WarpedVRT onto crs, transform, width, height
    reasons: tuple[str, ...]  # what was understood and why, a line each
    fingerprint: tuple[int, int]  # size and mtime in ns; (0, 0) for URLs and archives
    files: tuple[Path, ...] = ()  # the local files behind it

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, columns."""
        return self.height, self.width

    @property
    def bounds(self) -> Bounds:
        """Outer edges in the source's own CRS; of a rotated one, the rectangle around it."""
        return bounds_of(self.transform, self.shape)


def open_source(argument: str | Path) -> tuple[Source, ...]:
    """What is in a raster file, product folder or URL, one source a sensor, GSD and date in it: usually one.

    `argument` may declare what the file does not say: `FILE:as=SENSOR:crs=EPSG:N:date=YYYY-MM-DD:nodata=0`; of a file
    whose bands repeat, all dates: `:date=2019-01-15,2019-02-15`; of one that lies nowhere, its pixels: `:gsd=0.5`.
    Pixels are read only for a small fixed sample. Raises InputError (ParameterError for the declarations) with one
    sentence.
    """
    given = parse_argument(argument)
    if not given.local:
        return _sources(given, Product(given.path, given.name, ()))
    path = Path(given.path)
    try:
        exists = path.exists()
    except OSError as error:
        raise InputError(f"{given.path} cannot be looked at ({error.strerror}); check the path.") from error
    if not exists:
        raise InputError(f"{given.path} does not exist; check the path.")
    products = products_in(path) if path.is_dir() or path.suffix.lower() in (".safe", ".xml") else ()
    if not products and path.is_dir():
        raise InputError(f"{given.path} is a folder without rasters; give a raster file or a product folder.")
    if products:
        return tuple(source for product in products for source in _sources(given, product))
    return _sources(given, Product(given.path, given.name, (path,)))


def open_dataset(source: Source) -> DatasetReader | WarpedVRT:
    """The source's pixels, on exactly the grid that `source` describes; the caller closes it.

    What ground control points place is warped on the fly, with everything outside masked. Raises rasterio's errors.
    """
    with environment(remote=_is_remote(source.path)):
        dataset = rasterio.open(source.path)
        if not source.gcps:
            return dataset
        nodata = next((value for value in source.nodata if value is not None), None)
        resampling = Resampling.nearest if source.sensor == "map" else Resampling.bilinear
        return warped_by_points(dataset, source.crs, nodata=nodata, resampling=resampling)


def unreadable(name: str, error: Exception, *, what: str = "to its end") -> InputError:
    """The sentence for a raster that GDAL cannot read: the damaged block where it tells which, else its reason."""
    told = [str(error)]
    while isinstance(error.__cause__, Exception):
        error = error.__cause__
        told.append(str(error))
    block = next(filter(None, map(_BLOCK.search, told)), None)
    if block:
        where = f"block {block['across']} across, {block['down']} down, counted from 0"
        return InputError(f"{name} is damaged ({where}: {_one_line(told[-1])}); copy or download it again.")
    return InputError(
        f"{name} cannot be read {what} ({_one_line(told[min(1, len(told) - 1)])}); check it or get it again."
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200].rstrip(".")


_REMOTE = re.compile(r"/vsi(curl|s3|gs|az|adls|oss|swift|webhdfs)|^[A-Za-z][A-Za-z0-9+.-]+://")


def _is_remote(path: str) -> bool:
    return bool(_REMOTE.search(path))


def describe_source(source: Source) -> list[str]:
    """Lines for `gfm info`: what was understood of a source, and why."""
    rows, cols = source.shape
    bounds = ", ".join(f"{edge:.10g}" for edge in source.bounds.as_tuple())
    lines = [
        f"{source.name}: {SENSORS[source.sensor].title} ({source.sensor})",
        f"  {cols} x {rows} px of {source.gsd:g} m, {source.dtype}, {source.date or 'no date'}",
        f"  {_crs_name(source.crs)}: {bounds}",
    ]
    constants = zip(source.bands, source.indexes, source.normalisation, source.nodata, strict=True)
    lines += [_describe_band(*band) for band in constants]
    return lines + [f"  because: {reason}" for reason in source.reasons]


def _describe_band(band: Band, index: int, normalisation: Normalisation | None, nodata: float | None) -> str:
    wave = "" if band.wavelength_nm is None else f" {band.wavelength_nm:g} nm"
    if normalisation is None:
        constants = "normalised by its own values"
    else:
        constants = f"(value x {normalisation.scale:.6g} {normalisation.offset:+g} - {normalisation.centre:g}) / "
        constants += f"{normalisation.spread:g}"
    return f"  band {index}: {band.name}, {band.kind}{wave}, {constants}, nodata {'none' if nodata is None else nodata}"


def _crs_name(wkt: str) -> str:
    crs = rasterio.CRS.from_wkt(wkt)
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else wkt.split('"')[1] if '"' in wkt else wkt


def _sources(given: RasterArgument, product: Product) -> tuple[Source, ...]:
    """The sources of one dataset."""
    with environment(remote=_is_remote(given.path)), _opened(product) as dataset:
        _check(dataset, product.name)
        place = georeference_of(dataset, product.name, given.crs, given.gsd)
        nodata, nodata_reasons = _nodata(dataset, given.nodata)
        folders = Path(given.path).parts[-3:-1][::-1] if given.local else ()
        facts = facts_of(dataset, name=product.name, folders=folders, gsd=place.gsd, nodata=nodata)
        alpha = alpha_bands(facts)
        mask = bool(alpha) or _has_mask(dataset)
        # Warping leaves an outside, which open_dataset masks.
        whole = _Whole(product, place, nodata, mask or place.gcps, nodata_reasons)
        black_corner = not mask and all(value is None for value in nodata) and zero_corners(dataset)
        parts = guess(facts, sensor=given.sensor, dates=given.dates, alpha=alpha)
        return tuple(_source(whole, facts, part, black_corner=black_corner) for part in parts)


@dataclass(frozen=True, slots=True)
class _Whole:
    """What all parts of a dataset share."""

    product: Product
    place: Georeference
    nodata: tuple[float | None, ...]
    mask: bool
    reasons: tuple[str, ...]


def _source(whole: _Whole, facts: Facts, part: Understanding, *, black_corner: bool) -> Source:
    product, place = whole.product, whole.place
    # Zero metres and class 0 are common; zero light or echo is not.
    suspect = black_corner and part.sensor not in ("dem", "map", "index")
    return Source(
        path=product.path,
        name=f"{product.name} [{part.label}]" if part.label else product.name,
        crs=place.crs,
        transform=place.transform,
        width=place.width,
        height=place.height,
        dtype=facts.dtypes[part.indexes[0] - 1],
        sensor=part.sensor,
        bands=part.bands,
        indexes=part.indexes,
        nodata=tuple(whole.nodata[index - 1] for index in part.indexes),
        mask_band=whole.mask,
        normalisation=part.normalisation,
        date=part.date,
        gsd=place.gsd,
        gcps=place.gcps,
        reasons=(*part.reasons, *place.reasons, *whole.reasons, *((BLACK_CORNER,) if suspect else ())),
        fingerprint=fingerprint(product.files),
        files=product.files,
    )


def fingerprint(files: tuple[Path, ...]) -> tuple[int, int]:
    """Size and newest mtime (ns) of the files behind a source: another pair means that they changed."""
    stats = [file.stat() for file in files]
    return sum(stat.st_size for stat in stats), max((stat.st_mtime_ns for stat in stats), default=0)


@contextmanager
def _opened(product: Product) -> Iterator[DatasetReader]:
    """An open dataset whose failures, now and while it is looked at, become one sentence with the file's name."""
    for file in product.files:
        _check_whole(file)
    try:
        with rasterio.open(product.path) as dataset:
            yield dataset
    except RasterioError as error:
        where = product.path if not product.path.startswith("<") else product.name
        raise unreadable(where, error, what="as a raster") from error


def _check_whole(file: Path) -> None:
    try:
        size, missing = file.stat().st_size, missing_bytes(file)
    except OSError as error:
        raise InputError(f"{file} cannot be opened ({error.strerror}); check its permissions.") from error
    if size == 0:
        raise InputError(f"{file} is empty; copy or download it again.")
    if missing:
        raise InputError(f"{file} is cut off: {missing} of its bytes are missing; copy or download it again.")


def _check(dataset: DatasetReader, name: str) -> None:
    """Refuse what can be opened but not used."""
    if dataset.count == 0:
        inside = list(dataset.subdatasets)
        mend = f"give one of its parts, such as {inside[0]}" if inside else "give a raster that has some"
        raise InputError(f"{name} has no bands of its own; {mend}.")
    for dtype in dataset.dtypes:
        if "complex" in str(dtype):
            raise InputError(
                f"{name} holds complex numbers ({dtype}); give its amplitude or intensity, in dB for radar."
            )
    if dataset.driver != "GTiff":  # GDAL's other formats say only at reading that the end is missing
        dataset.read(dataset.count, window=Window(dataset.width - 1, dataset.height - 1, 1, 1))


def _has_mask(dataset: DatasetReader) -> bool:
    """Whether the file has a mask of its own; an alpha band is judged apart, for GDAL sees too many."""
    return any(MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags for flags in dataset.mask_flag_enums)


def _nodata(dataset: DatasetReader, declared: float | None) -> tuple[tuple[float | None, ...], tuple[str, ...]]:
    """Nodata of each band, without values that its dtype cannot hold."""
    given = dataset.nodatavals if declared is None else (declared,) * dataset.count
    values: list[float | None] = []
    impossible: dict[float, None] = {}
    for value, dtype in zip(given, dataset.dtypes, strict=True):
        if value is not None and not _can_hold(dtype, value):
            impossible[value] = None
            values.append(None)
        else:
            values.append(value)
    word = "declared" if declared is None else "given"
    reasons = (f"nodata {value:g} is {word} but cannot occur in {dataset.dtypes[0]}: ignored" for value in impossible)
    return tuple(values), tuple(reasons)


def _can_hold(dtype: str, value: float) -> bool:
    if np.issubdtype(np.dtype(dtype), np.floating):
        return True
    info = np.iinfo(dtype)
    return math.isfinite(value) and value == int(value) and info.min <= value <= info.max
