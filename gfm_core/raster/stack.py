"""A stack: the rasters of one place, sorted into modalities, and the cells of the ground they cover."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from affine import Affine

from gfm_core.bands import Band, BandKind, Normalisation
from gfm_core.errors import InputError, NoOverlapError, ParameterError
from gfm_core.grid import Bounds, CellRange, Lattice, cut
from gfm_core.raster.extent import around, requested_bounds
from gfm_core.raster.frame import Frame
from gfm_core.raster.ground import as_crs, is_metric, pixel_size_in, same_crs, transform_bounds, utm_crs
from gfm_core.raster.normalise import fit_normalisation
from gfm_core.raster.source import BLACK_CORNER, Source, open_source


class BandKey(NamedTuple):
    """Which band normalisation constants belong to.

    Two `custom` rasters are told apart by their GSD (metres) and by the names of all their bands: each has a "band 1".
    """

    sensor: str
    gsd: float
    bands: tuple[str, ...]
    band: str


Constants = Mapping[BandKey, Normalisation]

PIXELS_ALONG_CELL = 64  # a patch of more pixels along a side is read averaged: overviews serve there

_ABOUT_SAME_GSD = 0.2  # natural logarithm: constants are reused between 10 m and 12 m, not between 10 m and 20 m
_SAME_GSD = 0.02  # relative: what the same product differs by from place to place in degrees
_MOST_CELLS = 2**33  # beyond, the cell size is a slip of the unit


@dataclass(frozen=True, slots=True)
class Modality:
    """Bands of one sensor at one GSD, over one or several dates (`sources[t]`: first valid in that order wins).

    `frame` is the pixel grid in the stack's CRS on which cells are read; `gsd` is in metres on the ground. Every
    date is read in the numbers of the first source: `normalisation` goes with those.
    """

    name: str
    sensor: str
    gsd: float
    bands: tuple[Band, ...]
    normalisation: tuple[Normalisation, ...]
    dates: tuple[datetime.date | None, ...]
    sources: tuple[tuple[Source, ...], ...]
    frame: Frame

    @property
    def shape(self) -> tuple[int, int]:
        """Dates, bands."""
        return len(self.dates), len(self.bands)


@dataclass(frozen=True, slots=True)
class Stack:
    """Modalities, finest first, and the cells they are embedded on; `notes` say what was assumed.

    `doubts` are what a tool found implausible in the numbers (`plausible.doubts`), a sentence each.
    """

    lattice: Lattice
    cells: CellRange
    modalities: tuple[Modality, ...]
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def finest(self) -> Source:
        """The first source in canonical order: its pixel grid is the map's."""
        return self.modalities[0].sources[0][0]

    @property
    def sources(self) -> tuple[Source, ...]:
        """Every source, in canonical order of modalities and dates."""
        return tuple(source for item in self.modalities for source in every_source(item))

    @property
    def first_date(self) -> datetime.date | None:
        """The earliest date of any modality."""
        dates = [date for item in self.modalities for date in item.dates if date is not None]
        return min(dates, default=None)

    @property
    def constants(self) -> dict[BandKey, Normalisation]:
        """Normalisation by band: what travels to other dates and places."""
        return {
            BandKey(item.sensor, item.sources[0][0].gsd, band_names(item.bands), band.name): constant
            for item in self.modalities
            for band, constant in zip(item.bands, item.normalisation, strict=True)
        }

    @property
    def area_km2(self) -> float:
        """Ground covered by the cells."""
        return self.lattice.area_km2(self.cells)


def band_names(bands: Iterable[Band]) -> tuple[str, ...]:
    """The names of bands, in order."""
    return tuple(band.name for band in bands)


def open_stack(
    rasters: Iterable[str | Path],
    *,
    cell_size: float | None = None,
    extent: str | None = None,
    crs: str | None = None,
    constants: Constants | None = None,
    lattice: Lattice | None = None,
) -> Stack:
    """Open rasters of one place as modalities on one lattice of cells.

    `cell_size` is in metres (default: 2 pixels of the finest); `extent` is `"x0,y0,x1,y1"` in the grid's CRS, a layer's
    file, `"union"` or `"intersection"`; `constants` are normalisations to reuse, by band, not to fit; `lattice` is that
    of another stack or embedding, for the same cells.
    The order of `rasters` does not matter. Raises `InputError` for rasters that cannot be used, `NoOverlapError` for
    those that share no ground.
    """
    sources = _canonical(source for raster in rasters for source in open_source(raster))
    sources, notes = _without_maps(sources)
    if not sources:
        raise InputError("There is no raster to read: every one given is a map of classes; add an image.")
    notes += [f"{source.name}: {BLACK_CORNER}." for source in sources if BLACK_CORNER in source.reasons]
    groups = _modality_groups(sources, sources[0].crs, notes)
    finest = [source for date in groups[0] for source in date]
    lattice = lattice or _lattice(finest[0], cell_size, crs, notes)
    _check_overlap(sources, lattice)
    ground = around(finest, lattice.crs)
    cells = _cells(lattice, ground, sources, extent)
    if cells.rows * cells.cols > _MOST_CELLS:
        raise ParameterError(
            f"cell_size of {lattice.cell_size:g} m makes {cells.rows} x {cells.cols} cells; give a larger one."
        )
    modalities = tuple(_modality(group, lattice, constants or {}, notes) for group in groups)
    return Stack(lattice, cells, _distinctly_named(modalities), tuple(notes))


def every_source(modality: Modality) -> tuple[Source, ...]:
    """The sources of all dates of a modality, in order."""
    return tuple(source for date in modality.sources for source in date)


def finest_cells(stack: Stack) -> CellRange:
    """The cells that the finest modality covers: those of a stack that was cut to no extent."""
    return stack.lattice.covering(around(every_source(stack.modalities[0]), stack.lattice.crs))


def with_ring(stack: Stack, cells_wide: int) -> Stack:
    """A stack whose cells were cut to an extent with more cells around, as far as the finest modality has ground.

    What is interpolated between cells, or smoothed over near pixels, then comes out the same at the edge of an extent
    as in the whole.
    """
    whole, cells = finest_cells(stack), stack.cells
    if cells.intersection(whole) != cells:  # more than the finest modality was asked for: nothing was cut
        return stack
    row, col, both = cells.row - cells_wide, cells.col - cells_wide, 2 * cells_wide
    grown = CellRange(row, col, cells.rows + both, cells.cols + both).intersection(whole)
    return replace(stack, cells=grown or cells)


def _canonical(sources: Iterable[Source]) -> list[Source]:
    """Sorted by GSD, sensor, date, bounds and name; a file given twice counts once."""
    unique = {(source.path, source.indexes, source.date): source for source in sources}
    return sorted(
        unique.values(),
        key=lambda source: (
            source.gsd, source.sensor, source.date or datetime.date.min, source.bounds.as_tuple(), source.name,
            source.path, source.indexes,
        ),
    )  # fmt: skip


def _without_maps(sources: Sequence[Source]) -> tuple[list[Source], list[str]]:
    """Sources that measure something; maps of classes are training targets only."""
    kept = [source for source in sources if any(band.kind is not BandKind.MAP for band in source.bands)]
    left = [source.name for source in sources if source not in kept]
    return kept, [f"{name} is a map of classes and is not embedded." for name in left]


def _lattice(finest: Source, cell_size: float | None, crs: str | None, notes: list[str]) -> Lattice:
    """The grid: the finest source's CRS and pixel phase where it is in metres, else its UTM zone and phase 0."""
    if crs is not None and not is_metric(as_crs(crs).to_wkt()):
        raise ParameterError(f"crs {crs} does not count in metres; give a projected CRS such as a UTM zone.")
    if crs is not None:
        target = as_crs(crs).to_wkt()
    elif is_metric(finest.crs):
        target = finest.crs
    else:
        target = utm_crs(finest.bounds, finest.crs)
        notes.append(f"The grid is in {as_crs(target).name}, for {finest.name} is not in metres.")
    transform = finest.transform
    upright = transform.b == 0 and transform.d == 0
    if upright and same_crs(target, finest.crs):
        width, height = abs(transform.a), abs(transform.e)
        size = cell_size or 2 * math.sqrt(width * height)
        return Lattice(finest.crs, size, _phase(transform.c, width), _phase(transform.f, height))
    size = cell_size or 2 * pixel_size_in(target, transform, finest.shape, finest.crs)
    return Lattice(target, size)


def _phase(origin: float, size: float) -> float:
    """Where pixel edges lie between 0 and `size`; rounding noise counts as 0."""
    phase = origin - math.floor(origin / size) * size
    return 0.0 if min(phase, size - phase) < 1e-6 * size else phase


def _modality_groups(sources: Sequence[Source], crs: str, notes: list[str]) -> list[list[list[Source]]]:
    """Sources as modalities, each a list of dates, each a list of sources to mosaic; finest first."""
    groups: list[list[Source]] = []
    for source in sources:
        home = next((group for group in groups if _same_modality(group[0], source)), None)
        if home is None:
            groups.append([source])
        else:
            home.append(source)
    return [_dates(group, crs, notes) for group in groups]


def _same_modality(first: Source, other: Source) -> bool:
    """Same sensor, bands and GSD, and the same quantity: its coding can change between dates of a product."""
    names = band_names(first.bands) == band_names(other.bands)
    return (
        names and first.sensor == other.sensor and abs(other.gsd / first.gsd - 1) < _SAME_GSD
        and all(map(_same_quantity, first.normalisation, other.normalisation))
    )  # fmt: skip


def _same_quantity(one: Normalisation | None, two: Normalisation | None) -> bool:
    """Whether both lead to the same units; reading puts what differs in scale and offset right."""
    if one is None or two is None:
        return one is two
    return (one.centre, one.spread) == (two.centre, two.spread)


def _dates(group: Sequence[Source], crs: str, notes: list[str]) -> list[list[Source]]:
    """One modality's sources by date; undated ones are a mosaic if they overlap by less than half, else dates."""
    dated: dict[datetime.date, list[Source]] = {}
    undated: list[Source] = []
    for source in group:
        if source.date is None:
            undated.append(source)
        else:
            dated.setdefault(source.date, []).append(source)
    slots: list[list[Source]] = []
    for source in sorted(undated, key=lambda item: (item.name, item.path, item.indexes)):
        mosaic = next((slot for slot in slots if not any(_share_half(source, other, crs) for other in slot)), None)
        if mosaic is None:
            slots.append([source])
        else:
            mosaic.append(source)
    if len(slots) > 1:
        names = ", ".join(slot[0].name for slot in slots)
        notes.append(f"{names} overlap and carry no date: taken as {len(slots)} dates in order of name.")
    in_order = [sorted(slot, key=group.index) for slot in slots]  # canonical: the first valid pixel wins
    return in_order + [dated[date] for date in sorted(dated)]


def _share_half(first: Source, other: Source, crs: str) -> bool:
    one, two = (transform_bounds(item.bounds, item.crs, crs) for item in (first, other))
    shared = one.intersection(two)
    return shared is not None and _area(shared) >= 0.5 * min(_area(one), _area(two))


def _area(bounds: Bounds) -> float:
    return (bounds.right - bounds.left) * (bounds.top - bounds.bottom)


def _check_overlap(sources: Sequence[Source], lattice: Lattice) -> None:
    """All sources hang together, by a cell of shared ground or as adjoining tiles of a mosaic, else one is named."""
    boxes = [transform_bounds(source.bounds, source.crs, lattice.crs) for source in sources]

    def meet(one: int, two: int) -> bool:
        if _same_modality(sources[one], sources[two]):
            return _grown(boxes[one], lattice.cell_size).intersection(boxes[two]) is not None
        shared = boxes[one].intersection(boxes[two])
        least = 0.999 * min(lattice.cell_size**2, _area(boxes[one]), _area(boxes[two]))
        return shared is not None and _area(shared) >= least

    clusters = _clusters(len(sources), meet)
    if len(clusters) > 1:
        apart = min(clusters, key=len)
        named = [source.name for number, source in enumerate(sources) if number not in apart]
        raise NoOverlapError(
            f"{sources[min(apart)].name} does not overlap {' or '.join(named) if len(named) < 3 else 'others'} by a "
            "cell; give rasters of one place, or check its CRS."
        )


def _clusters(count: int, meet: Callable[[int, int], bool]) -> list[set[int]]:
    """The numbers below `count`, sorted into those that meet one another, if by way of others."""
    left, clusters = set(range(count)), []
    while left:
        cluster: set[int] = set()
        reached = {min(left)}
        while reached:
            one = reached.pop()
            left.discard(one)
            cluster.add(one)
            reached |= {two for two in left - reached if meet(one, two)}
        clusters.append(cluster)
    return clusters


def _grown(bounds: Bounds, margin: float) -> Bounds:
    return Bounds(bounds.left - margin, bounds.bottom - margin, bounds.right + margin, bounds.top + margin)


def _cells(lattice: Lattice, ground: Bounds, sources: Sequence[Source], extent: str | None) -> CellRange:
    """The cells to embed: the footprint of the finest modality, or what `extent` asks for, cut to it."""
    whole = lattice.covering(ground)
    if extent is None:
        return whole
    boxes = [transform_bounds(source.bounds, source.crs, lattice.crs) for source in sources]
    if extent == "union":
        return lattice.covering(around(sources, lattice.crs))
    if extent == "intersection":
        shared: Bounds | None = ground
        for box in boxes:
            shared = shared.intersection(box) if shared else None
        if shared is None:
            raise NoOverlapError("The rasters have no ground in common for the extent 'intersection'; use 'union'.")
        return cut(whole, lattice.covering(shared), what="The intersection of the rasters")
    return cut(whole, lattice.covering(requested_bounds(extent, lattice.crs)), what=f"extent {extent}")


def _modality(dates: list[list[Source]], lattice: Lattice, constants: Constants, notes: list[str]) -> Modality:
    """One modality with its frame and its complete normalisation."""
    every = [source for date in dates for source in date]
    first = every[0]
    frame, gsd = _frame(first, lattice)
    for source in every[1:]:
        if same_crs(source.crs, first.crs) and frame.placement(first) and not frame.placement(source):
            notes.append(f"{source.name} lies on another pixel grid than {first.name} and is warped onto it.")
    normalisation = tuple(
        _normalisation(every, number, constants, notes) for number in range(len(first.bands))
    )  # fmt: skip
    name = f"{first.sensor}_{gsd:g}m"
    dates_of = tuple(date[0].date for date in dates)
    return Modality(name, first.sensor, gsd, first.bands, normalisation, dates_of, tuple(map(tuple, dates)), frame)


def _handed(constants: Constants, wanted: BandKey) -> Normalisation | None:
    """Constants of the same band at the nearest GSD, if about the same: in degrees it differs from place to place."""
    same = [key for key in constants if key._replace(gsd=wanted.gsd) == wanted]
    nearest = min(same, key=lambda key: abs(math.log(key.gsd / wanted.gsd)), default=None)
    if nearest is None or abs(math.log(nearest.gsd / wanted.gsd)) > _ABOUT_SAME_GSD:
        return None
    return constants[nearest]


def _normalisation(sources: list[Source], band: int, constants: Constants, notes: list[str]) -> Normalisation:
    """The band's constants: known ones, those handed in, or fitted on the whole sources."""
    first = sources[0]
    known = first.normalisation[band]
    if known is not None:
        return known
    handed = _handed(constants, BandKey(first.sensor, first.gsd, band_names(first.bands), first.bands[band].name))
    if handed is not None:
        return handed
    fitted, warning = fit_normalisation(sources, band)
    if warning:
        notes.append(warning)
    return fitted


def _frame(source: Source, lattice: Lattice) -> tuple[Frame, float]:
    """The pixel grid on which cells of this modality are read, and its GSD on the ground in metres.

    A source that fits keeps its own pixels; one in another CRS, or turned, gets square pixels of its size at phase 0.
    Patches of far more pixels than the network needs are read averaged.
    """
    transform = source.transform
    upright = transform.b == 0 and transform.d == 0 and transform.a > 0
    if upright and same_crs(source.crs, lattice.crs):
        top = transform.f if transform.e < 0 else transform.f + source.height * transform.e
        own = Affine(transform.a, 0.0, transform.c, 0.0, -abs(transform.e), top)
    else:
        size = pixel_size_in(lattice.crs, transform, source.shape, source.crs)
        own = Affine(size, 0.0, 0.0, 0.0, -size, 0.0)
    along = lattice.cell_size / max(own.a, -own.e)
    factor = max(1, 2 ** math.ceil(math.log2(along / PIXELS_ALONG_CELL))) if along > PIXELS_ALONG_CELL else 1
    return Frame(lattice.crs, own * Affine.scale(factor)), source.gsd * factor


def _distinctly_named(modalities: tuple[Modality, ...]) -> tuple[Modality, ...]:
    """Names told apart by a number where two modalities share sensor and GSD."""
    seen: dict[str, int] = {}
    named = []
    for item in modalities:
        seen[item.name] = seen.get(item.name, 0) + 1
        named.append(item if seen[item.name] == 1 else replace(item, name=f"{item.name}_{seen[item.name]}"))
    return tuple(named)
