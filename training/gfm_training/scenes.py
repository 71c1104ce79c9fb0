"""Which labels judge a run: those that the recipe names, else those that lie beside the rasters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gfm_core.assets import sample_folder
from gfm_core.errors import GfmError, ParameterError
from gfm_core.raster.stack import open_stack
from gfm_training.discover import Discovery, Place
from gfm_training.probe import SHOTS, Scene, SceneSource, prepare
from gfm_training.settings import LabelledScene, Recipe

_VECTORS = (".gpkg", ".geojson", ".fgb", ".shp")
_MOST_SCENES = 12  # found beside the rasters: more make probes slow, and no surer
_MOST_TRIED = 40


@dataclass(frozen=True, slots=True)
class Probes:
    """Scenes that can be probed, and why others cannot, a line each."""

    scenes: tuple[Scene, ...]
    reasons: tuple[str, ...]


def find_probes(
    recipe: Recipe, folders: Sequence[Path], discovery: Discovery, *, shots: Sequence[int] = SHOTS
) -> Probes:
    """The labelled scenes of a run, ready to be probed.

    Those of the recipe; if it names none that is there, the vector layers with a plain class field in the places'
    folders, and the maps over the places unless the run learns from them.
    """
    scenes: list[Scene] = []
    reasons: list[str] = []
    named = list(named_scenes(recipe.probes, folders, reasons))
    for tried, source in enumerate(named or _beside(recipe, discovery)):
        if not named and (len(scenes) == _MOST_SCENES or tried == _MOST_TRIED):
            reasons.append(f"others: {len(scenes)} scenes of {tried} that were tried are enough.")
            break
        try:
            scene = prepare(source, seed=recipe.train.seed, shots=shots)
        except GfmError as error:
            reasons.append(f"{source.name}: {error}")
            continue
        if scene.draws:
            scenes.append(scene)
        else:
            reasons.append(f"{source.name}: its labels are in too few squares.")
    return Probes(tuple(scenes), tuple(reasons))


def sample_scene(seed: int, *, shots: Sequence[int] = SHOTS) -> Scene:
    """The scene that ships: it judges a run which nothing else can judge."""
    folder = sample_folder()
    rasters = sorted(str(path) for path in folder.glob("s2_*.tif"))
    return prepare(SceneSource("sample", open_stack(rasters), folder / "landuse.gpkg"), seed=seed, shots=shots)


def named_scenes(probes: Sequence[LabelledScene], folders: Sequence[Path], reasons: list[str]) -> Iterator[SceneSource]:
    """The recipe's scenes, each in the first folder that holds it."""
    for probe in probes:
        top = next((folder for folder in folders if (folder / probe.labels).is_file()), None)
        if top is None:
            reasons.append(f"{probe.name}: no folder holds {probe.labels}.")
            continue
        try:
            stack = open_stack([name for pattern in probe.rasters for name in _files(top, pattern, probe.name)])
        except GfmError as error:
            reasons.append(f"{probe.name}: {error}")
            continue
        yield SceneSource(probe.name, stack, top / probe.labels, probe.field, probe.where)


def _files(top: Path, pattern: str, name: str) -> list[str]:
    """The rasters that a pattern means, with the options behind it."""
    glob, colon, options = pattern.partition(":")
    whole = Path(glob)
    found = sorted(Path(whole.anchor).glob(str(whole.relative_to(whole.anchor))) if whole.anchor else top.glob(glob))
    if not found:
        raise ParameterError(f"{top} holds no {glob}; mend the rasters of probe {name}.")
    return [f"{path}{colon}{options}" for path in found]


def _beside(recipe: Recipe, discovery: Discovery) -> Iterator[SceneSource]:
    """Scenes out of what lies in the folders of the places."""
    for place in discovery.places:
        for path in sorted(place.folder.iterdir()):
            if path.suffix.lower() in _VECTORS and _is_of(place, path):
                yield SceneSource(f"{place.name}, {path.name}", place.stack, path)
        if "map" not in recipe.train.anchors or recipe.train.objective == "ema":
            for layer in place.maps:
                yield SceneSource(f"{place.name}, {layer.name}", place.stack, Path(layer.source.path))


def _is_of(place: Place, path: Path) -> bool:
    """Whether a vector layer is polygons or points that share ground with the place."""
    import pyogrio
    from pyogrio.errors import DataSourceError

    from gfm_core.grid import Bounds
    from gfm_core.raster.ground import transform_bounds

    try:
        told = pyogrio.read_info(path)
    except (DataSourceError, ValueError):
        return False
    if told["geometry_type"] is None or told["crs"] is None or "Line" in str(told["geometry_type"]):
        return False
    lattice = place.stack.lattice
    ground = transform_bounds(Bounds(*told["total_bounds"]), told["crs"], lattice.crs)
    return ground.intersection(lattice.bounds(place.stack.cells)) is not None
