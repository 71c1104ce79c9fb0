"""Folders -> places: the rasters of one folder that share ground are one place, unless `places.toml` says otherwise."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gfm_core.errors import GfmError, MissingCrsError, ParameterError
from gfm_core.raster.extent import around
from gfm_core.raster.source import Source, open_source
from gfm_core.raster.stack import Modality, Stack, every_source, open_stack
from gfm_training.manifest import PlaceRule, PlacesFile, read_places
from gfm_training.maps import MapLayer, is_map, maps_over
from gfm_training.settings import Manifest

RASTER_ENDINGS = (".tif", ".tiff", ".jp2", ".img", ".vrt", ".png", ".jpg", ".jpeg")

_SAME_SIZE = 1.5  # modalities up to this much coarser than the finest widen the place
_UNKNOWN = "not stated"


@dataclass(frozen=True, slots=True)
class Place:
    """Ground to learn from: `name` is the folder's path below the one given, `licence` its credit line."""

    name: str
    folder: Path
    stack: Stack
    licence: str
    maps: tuple[MapLayer, ...] = ()  # of classes: targets, never inputs


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found: places, what was left out and why (one line each)."""

    places: tuple[Place, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Raster:
    """A file that opens. `argument` is its path and what is declared of it; `alone`: it lies nowhere."""

    path: Path
    argument: str
    sources: tuple[Source, ...]
    alone: bool

    @property
    def is_map(self) -> bool:
        return all(map(is_map, self.sources))


def discover(folders: Sequence[Path], manifest: Manifest | None = None) -> Discovery:
    """The places in `folders`, in order of name. A raster that cannot be used is left out, and that is said.

    Raises `ParameterError` for a folder that does not exist, for a wrong `places.toml`, or if nothing is left to learn
    from.
    """
    rules = manifest or Manifest()
    places: list[Place] = []
    left_out: list[str] = []
    for top in folders:
        if not top.is_dir():
            raise ParameterError(f"{top} is not a folder; give the folder that holds your rasters.")
    for top in _outermost(folders):
        places += _Search(top, rules, left_out).places()
    if not places:
        names = ", ".join(str(folder) for folder in folders)
        raise ParameterError(f"No raster in {names} can be learnt from; {left_out[0] if left_out else 'add some.'}")
    return Discovery(tuple(places), tuple(left_out))


def _outermost(folders: Sequence[Path]) -> list[Path]:
    """The folders, without those given twice or lying in another one: no place counts twice."""
    real = {folder: folder.resolve() for folder in folders}
    kept: list[Path] = []
    for folder, where in real.items():
        inside = any(other != where and other in where.parents for other in real.values())
        if not inside and where not in [real[one] for one in kept]:
            kept.append(folder)
    return kept


class _Search:
    """Looks through one folder that was given; what is left out goes to `left_out`, a line each."""

    def __init__(self, top: Path, rules: Manifest, left_out: list[str]) -> None:
        self.top, self.rules, self.left_out = top, rules, left_out
        self._taken: set[Path] = set()  # by a [[place]]

    def places(self) -> Iterator[Place]:
        """The places of the folder and those below it, in order."""
        told: dict[Path, PlacesFile] = {}
        for folder in self._folders():
            own = read_places(folder)
            above = next((told[parent] for parent in folder.parents if parent in told), None)
            if own is not None:
                told[folder] = own
                for number, rule in enumerate(own.places, start=1):
                    yield from self._named(own, rule, number)
            yield from self._by_ground(folder, own or above)

    def _folders(self) -> Iterator[Path]:
        """`top` and the folders below it that hold rasters, sorted; product folders are not entered."""
        for where, below, _ in os.walk(self.top):
            folder = Path(where)
            if self.rules.skips(folder):
                self.left_out.append(f"{folder.name}: the recipe skips this folder.")
                below.clear()
                continue
            below.sort()
            below[:] = [name for name in below if not name.startswith(".") and not name.endswith(".SAFE")]
            yield folder

    def _named(self, told: PlacesFile, rule: PlaceRule, number: int) -> Iterator[Place]:
        """The place of a `[[place]]`."""
        files = [path for path in told.members(rule) if path not in self._taken]
        self._taken |= set(files)
        rasters = list(self._opened(files, told))
        images = [raster for raster in rasters if not raster.is_map]
        name = rule.name or f"{self._name(told.folder)}:{number}"
        if images:
            yield from self._place(name, told.folder, images, rasters, rule.licence)
        else:
            self.left_out.append(f"{name}: no raster of it can be learnt from.")

    def _by_ground(self, folder: Path, told: PlacesFile | None) -> Iterator[Place]:
        """The places of one folder: its rasters that share ground."""
        files = [path for path in sorted(folder.iterdir()) if _is_raster(path) and path not in self._taken]
        rasters = list(self._opened(files, told))
        groups = _sharing_ground([raster for raster in rasters if not raster.is_map])
        if not groups:
            lonely = [f"{folder.name}/{raster.path.name}" for raster in rasters]
            self.left_out += [f"{name}: it is a map of classes without an image beside it." for name in lonely]
        name = self._name(folder)
        for number, group in enumerate(groups, start=1):
            maps = [] if group[0].alone else [raster for raster in rasters if not raster.alone]
            yield from self._place(name if len(groups) == 1 else f"{name}:{number}", folder, group, maps, None)

    def _opened(self, files: Sequence[Path], told: PlacesFile | None) -> Iterator[_Raster]:
        """The files that open and that the recipe lets in."""
        for path in files:
            label = f"{path.parent.name}/{path.name}"
            if self.rules.leaves_out(path):
                self.left_out.append(f"{label}: the recipe leaves it out.")
                continue
            declared = told.declared(path) if told else {}
            try:
                yield _open(path, declared, self.rules.gsd)
            except GfmError as error:
                self.left_out.append(f"{label}: {error}")

    def _place(
        self, name: str, folder: Path, images: Sequence[_Raster], maps: Sequence[_Raster], licence: str | None
    ) -> Iterator[Place]:
        """One place, or none and a line."""
        try:
            stack = _with_full_ground(open_stack([image.argument for image in images]))
        except GfmError as error:
            self.left_out.append(f"{name}: {error}")
            return
        sources = [source for raster in maps for source in raster.sources]
        over = maps_over(stack.lattice.bounds(stack.cells), stack.lattice.crs, sources)
        yield Place(name, folder, stack, licence or self.rules.licence(folder, self.top), over)

    def _name(self, folder: Path) -> str:
        return folder.name if folder == self.top else folder.relative_to(self.top).as_posix()


def _is_raster(path: Path) -> bool:
    return (path.suffix.lower() in RASTER_ENDINGS and path.is_file()) or path.suffix == ".SAFE"


def _open(path: Path, declared: dict[str, str], gsd: float | None) -> _Raster:
    """A file with what is declared of it; where it lies nowhere, with the recipe's GSD."""
    argument = _argument(path, declared)
    try:
        return _Raster(path, argument, open_source(argument), alone="gsd" in declared)
    except MissingCrsError as error:
        if gsd is None:
            raise MissingCrsError(
                f"{path.name} has no CRS; declare it in a places.toml, or, if it lies nowhere, give its pixels' size: "
                "gsd = METRES in the recipe's [data]."
            ) from error
        argument = _argument(path, {**declared, "gsd": f"{gsd:g}"})
        return _Raster(path, argument, open_source(argument), alone=True)


def _argument(path: Path, declared: dict[str, str]) -> str:
    return str(path) + "".join(f":{key}={value}" for key, value in declared.items())


def _sharing_ground(rasters: Sequence[_Raster]) -> list[list[_Raster]]:
    """Rasters in groups, so that those of one group overlap, directly or through others; in order of first name.

    One that lies nowhere shares its ground with none.
    """
    if not rasters:
        return []
    boxes = [shapely.box(*around(raster.sources, "EPSG:4326").as_tuple()) for raster in rasters]
    one, other = shapely.STRtree(boxes).query(boxes, predicate="intersects")
    with_area = shapely.area(shapely.intersection(np.take(boxes, one), np.take(boxes, other))) > 0
    alone = np.array([raster.alone for raster in rasters])
    joined = with_area & ~alone[one] & ~alone[other]
    count = len(rasters)
    links = coo_array((np.ones(int(joined.sum())), (one[joined], other[joined])), shape=(count, count))
    groups: dict[int, list[_Raster]] = {}
    for raster, label in zip(rasters, connected_components(links, directed=False)[1], strict=True):
        groups.setdefault(int(label), []).append(raster)
    return list(groups.values())


def _with_full_ground(stack: Stack) -> Stack:
    """The stack over all modalities about as fine as the finest: a small time series must not cut a large image."""
    limit = _SAME_SIZE * stack.modalities[0].gsd
    fine = [source for item in stack.modalities if item.gsd <= limit for source in every_source(item)]
    ground = around(fine, stack.lattice.crs)
    return replace(stack, cells=stack.lattice.covering(ground))


def with_cell_pixels(stack: Stack, pixels: int) -> Stack:
    """The same ground in cells of `pixels` x `pixels` of the finest modality (the stack's own are of 2)."""
    size = stack.lattice.cell_size / 2 * pixels
    lattice = replace(stack.lattice, cell_size=size)
    return replace(stack, lattice=lattice, cells=lattice.covering(stack.lattice.bounds(stack.cells)))


# ---- In words -------------------------------------------------------------------------------------------------------

_TOLD_SINGLY = 60  # places; of more, those that are alike are counted
_TOLD_LEFT_OUT = 30


def told(discovery: Discovery) -> list[str]:
    """What will be learnt from and what not, a line each; of many places and files only the first ones singly."""
    places = discovery.places
    lines = [f"{len(places)} places:" if len(places) > 1 else "1 place:"]
    lines += [f"  {place.name}: {_extent(place)}, {_modalities(place)}" for place in places[:_TOLD_SINGLY]]
    more = Counter(_modalities(place) for place in places[_TOLD_SINGLY:])
    lines += [f"  and {count} more with {modalities}" for modalities, count in more.most_common()]
    left_out = discovery.left_out
    lines += [f"  left out: {line}" for line in left_out[:_TOLD_LEFT_OUT]]
    if len(left_out) > _TOLD_LEFT_OUT:
        lines.append(f"  left out: {len(left_out) - _TOLD_LEFT_OUT} more files or places")
    unknown = [place.name for place in places if place.licence == _UNKNOWN]
    if unknown:
        shown = ", ".join(unknown[:10]) + (f" and {len(unknown) - 10} more" if len(unknown) > 10 else "")
        lines.append(f"  licence not stated for {shown}: think before you share the weights")
    return lines


def _extent(place: Place) -> str:
    rows, cols = place.stack.cells.shape
    return f"{rows} x {cols} cells of {place.stack.lattice.cell_size:g} m"


def _modalities(place: Place) -> str:
    return ", ".join(map(_modality, place.stack.modalities)) + (
        f", targets: {', '.join(layer.name for layer in place.maps)}" if place.maps else ""
    )


def _modality(item: Modality) -> str:
    dates = f", {len(item.dates)} dates" if len(item.dates) > 1 else ""
    return f"{item.name} ({len(item.bands)} band{'s' if len(item.bands) > 1 else ''}{dates})"
