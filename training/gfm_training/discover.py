"""Folders -> places: the rasters of one folder that share ground are one place."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gfm_core.errors import GfmError, ParameterError
from gfm_core.raster.extent import around
from gfm_core.raster.source import Source, open_source
from gfm_core.raster.stack import Stack, every_source, open_stack
from gfm_training.maps import MapLayer, is_map, maps_over
from gfm_training.settings import Manifest

RASTER_ENDINGS = (".tif", ".tiff", ".jp2", ".img", ".vrt")

_SAME_SIZE = 1.5  # modalities up to this much coarser than the finest widen the place


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


def discover(folders: Sequence[Path], manifest: Manifest | None = None) -> Discovery:
    """The places in `folders`, in order of name. A raster that cannot be used is left out, and that is said.

    Raises `ParameterError` for a folder that does not exist or if nothing is left to learn from.
    """
    rules = manifest or Manifest()
    places: list[Place] = []
    left_out: list[str] = []
    for top in folders:
        if not top.is_dir():
            raise ParameterError(f"{top} is not a folder; give the folder that holds your rasters.")
        for folder in _folders(top, rules, left_out):
            places += _places_of(folder, top, rules, left_out)
    if not places:
        names = ", ".join(str(folder) for folder in folders)
        raise ParameterError(f"No raster in {names} can be learnt from; {left_out[0] if left_out else 'add some.'}")
    return Discovery(tuple(places), tuple(left_out))


def _folders(top: Path, rules: Manifest, left_out: list[str]) -> Iterator[Path]:
    """`top` and the folders below it that hold rasters, sorted; product folders are not entered."""
    for where, below, _ in os.walk(top):
        folder = Path(where)
        if rules.skips(folder):
            left_out.append(f"{folder.name}: the recipe skips this folder.")
            below.clear()
            continue
        below.sort()
        below[:] = [name for name in below if not name.startswith(".") and not name.endswith(".SAFE")]
        yield folder


def _places_of(folder: Path, top: Path, rules: Manifest, left_out: list[str]) -> list[Place]:
    rasters = []
    for path in sorted(folder.iterdir()):
        if not (path.suffix.lower() in RASTER_ENDINGS and path.is_file()) and path.suffix != ".SAFE":
            continue
        if rules.leaves_out(path):
            left_out.append(f"{folder.name}/{path.name}: the recipe leaves it out.")
        else:
            rasters.append(path)
    sources: list[tuple[Path, tuple[Source, ...]]] = []
    for path in rasters:
        try:
            sources.append((path, open_source(path)))
        except GfmError as error:
            left_out.append(f"{folder.name}/{path.name}: {error}")
    maps = [source for _, found in sources for source in found if is_map(source)]
    groups = _sharing_ground([pair for pair in sources if not all(map(is_map, pair[1]))])
    if not groups:
        left_out += [
            f"{folder.name}/{source.name}: it is a map of classes without an image beside it." for source in maps
        ]
    name = folder.name if folder == top else folder.relative_to(top).as_posix()
    places = []
    for number, group in enumerate(groups, start=1):
        own = name if len(groups) == 1 else f"{name}:{number}"
        try:
            stack = _with_full_ground(open_stack(group))
        except GfmError as error:
            left_out.append(f"{own}: {error}")
            continue
        over = maps_over(stack.lattice.bounds(stack.cells), stack.lattice.crs, maps)
        places.append(Place(own, folder, stack, rules.licence(folder, top), over))
    return places


def _sharing_ground(sources: Sequence[tuple[Path, tuple[Source, ...]]]) -> list[list[Path]]:
    """Files in groups, so that files of one group overlap, directly or through others; in order of first name."""
    boxes = [around(found, "EPSG:4326") for _, found in sources]
    groups: list[list[int]] = []
    for number, box in enumerate(boxes):
        touching = [group for group in groups if any(box.intersection(boxes[other]) for other in group)]
        merged = [*sorted(index for group in touching for index in group), number]
        groups = [group for group in groups if group not in touching] + [merged]
    return [[sources[number][0] for number in group] for group in sorted(groups)]


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


def told(discovery: Discovery) -> list[str]:
    """What will be learnt from and what not, a line each."""
    lines = [f"{len(discovery.places)} places:"]
    for place in discovery.places:
        parts = [
            f"{item.name} ({len(item.bands)} bands" + (f", {len(item.dates)} dates)" if len(item.dates) > 1 else ")")
            for item in place.stack.modalities
        ]
        rows, cols = place.stack.cells.shape
        lines.append(
            f"  {place.name}: {rows} x {cols} cells of {place.stack.lattice.cell_size:g} m, {', '.join(parts)}"
        )
    lines += [f"  left out: {line}" for line in discovery.left_out]
    unknown = [place.name for place in discovery.places if place.licence == "not stated"]
    if unknown:
        lines.append(f"  licence not stated for {', '.join(unknown)}: think before you share the weights")
    return lines
