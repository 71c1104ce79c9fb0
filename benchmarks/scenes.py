"""The development scenes as the product reads them: what `quality.py` and `suggest.py` measure on.

The scenes, the candidate pixels, the draws and the controls are those of a folder with `protocol.py`, `scenes.py` and
`controls.py` (`--protocol`, or GFM_EVAL, default `../shared/eval`); the rasters lie in its neighbour `data`
(GFM_EVAL_DATA). Ours are read through the product: `open_stack` at native resolution, the embedding in 8 bits as
`gfm embed` stores it, the features of the map's own pixels.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import sys
import tempfile
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import rasterio
import torch
from numpy.typing import NDArray

import gfm_core as gfm
from gfm_core.embedding.make import Recipe, make_embedding
from gfm_core.features.groups import band_positions
from gfm_core.heads.scene import SceneFacts
from gfm_core.heads.validate import RAW_BANDS
from gfm_core.model.jepa import build_model
from gfm_core.parameters import ClassifyParameters
from gfm_core.progress import Reporter
from gfm_core.tools.embed import engine_of
from gfm_core.tools.map_inputs import MapInputs, map_inputs
from gfm_core.tools.ready import Ready

PROTOCOL = Path(os.environ.get("GFM_EVAL", Path(__file__).resolve().parents[2] / "shared" / "eval"))

_TERRAMESH = ("s2_l2a.tif", "s1_rtc_db.tif", "dem.tif")
FILES = {  # of each scene, in the folder of the data, as a user would name them
    "brandenburg": ("brandenburg", ("s2_l1c_10m.tif", "s2_l1c_20m.tif", "s2_l1c_60m.tif")),
    "north_carolina": ("north_carolina", ("lsat7_28m.tif",)),
    "gewata": ("gewata", ("landsat7_30m.tif",)),
    "patagonia": ("terramesh/patagonia", _TERRAMESH),
    "parana": ("terramesh/parana", _TERRAMESH),
    "kenya": ("terramesh/kenya", _TERRAMESH),
    "languedoc": (
        "languedoc",
        tuple(f"s2_l2a_{date}_{gsd}m.tif" for date in ("2018-04-18", "2018-07-07", "2018-09-20") for gsd in (10, 20)),
    ),
    "west_virginia": ("west_virginia", ("naip_new.tif:date=2014-07-01", "naip_old.tif:date=2011-07-01")),
    "kootenay": ("kootenay", ("ortho_rgb.tif",)),
    "taizhou": ("taizhou", ("landsat7_2000.tif", "landsat7_2003.tif")),
}

_TILE = 128, 1024  # pixels read at once

Blocks = dict[str, NDArray[np.float32]]  # [n, D] by group


def protocol_module(name: str, folder: Path = PROTOCOL) -> ModuleType:
    """`protocol`, `scenes` or `controls` of the evaluation's folder, under a name of its own."""
    key = f"gfm_eval_{name}"
    if key not in sys.modules:
        spec = importlib.util.spec_from_file_location(key, folder / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[key] = module
        spec.loader.exec_module(module)
    return sys.modules[key]


def load_models(names: list[str], untrained: int) -> dict[str, gfm.LoadedModel]:
    """The models by what they were called, and `untrained` random initialisations of the first one's architecture."""
    models = {name: gfm.load_model(name) for name in names}
    first = models[names[0]]
    for seed in range(1, untrained + 1):
        encoder = build_model(first.config, seed=1000 + seed).context.eval()
        models[f"untrained {seed}"] = dataclasses.replace(first, encoder=encoder, name="untrained", sha256="")
    return models


class Case:
    """A scene: candidate pixels with classes, features of every pixel of its map, what the scene tells of itself.

    `networks` are the names of the models; the group `network NAME` holds the latents of each.
    """

    def __init__(
        self, name: str, models: dict[str, gfm.LoadedModel], folder: Path, change: Any = None, dtype: str = "uint8"
    ) -> None:
        scenes, protocol = protocol_module("scenes"), protocol_module("protocol")
        self.name, self.scene = name, scenes.SCENES[name]()
        self.block = self.scene.block
        self.rc, self.y = protocol.candidates(self.scene.labels, block=self.block)
        self.networks, self._dtype = list(models), dtype
        rasters = _rasters(name, self.scene, scenes.DATA, folder)
        rasters = change(rasters, folder) if change else rasters
        self._opened = ExitStack()
        self._stored: dict[str, np.memmap[Any, np.dtype[np.float32]]] = {}
        for number, (model, loaded) in enumerate(models.items()):
            groups = ("auto",) if number == 0 else ("network",)
            source = self._source(rasters, groups, loaded, folder)
            if number == 0:
                self.source, self.facts = source.look()
            self._keep(source, model, folder)
            if number:
                _, facts = source.look()
                self.facts.scalers[_network(model)] = facts.scalers["network"]
        self.facts.scalers[_network(self.networks[0])] = self.facts.scalers["network"]

    def _source(self, rasters: list[str], groups: tuple[str, ...], model: gfm.LoadedModel, folder: Path) -> MapInputs:
        parameters = ClassifyParameters(rasters=tuple(rasters), output=folder / "map.tif", groups=groups)
        stack = gfm.open_stack(rasters)
        stored = ("coarse", "network") if groups == ("auto",) else ("network",)
        # Untrained networks in float32, for their 8-bit range was never measured.
        recipe = Recipe(stored, self._dtype if model.sha256 else "float32", model, {})
        path = folder / f"{len(self._stored)}.tif"
        embedding = make_embedding(path, stack, recipe, engine_of(parameters, model), threads=None, reporter=Reporter())
        ready = Ready(stack=stack, model=model, embedding=embedding)
        source = map_inputs(parameters, folder, self._opened, Reporter(), ready=ready, constants=None)
        if source.features.grid.shape != self.scene.labels.shape:
            raise ValueError(f"{self.name}: the map has {source.features.grid.shape} pixels, not those of the labels")
        return source

    def _keep(self, source: MapInputs, model: str, folder: Path) -> None:
        """Every pixel's stored groups in files that are read as they are needed."""
        names = {group: _network(model) if group == "network" else group for group in source.features.base.columns}
        for group, columns in source.features.base.columns.items():
            shape = (*source.features.grid.shape, len(columns))
            path = folder / f"{len(self._stored)}.npy"
            self._stored[names[group]] = np.lib.format.open_memmap(path, "w+", np.float32, shape)
        for part in source.features.grid.tiles(*_TILE):
            for group, values in source.features.base.read(part).items():
                place = np.s_[part.row : part.row + part.rows, part.col : part.col + part.cols]
                self._stored[names[group]][place] = np.moveaxis(values, 0, -1)

    def at(self, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> Blocks:
        """Features `[n, D]` of single pixels, those beyond the map NaN: as `MapInputs.at`, a group a network."""
        height, width = self.scene.labels.shape
        inside = (rows >= 0) & (rows < height) & (cols >= 0) & (cols < width)
        found: Blocks = {}
        for group, stored in self._stored.items():
            values = stored[rows.clip(0, height - 1), cols.clip(0, width - 1)]
            values[~inside] = np.nan
            found[group] = values
        column_first = {group: values.T for group, values in found.items()}
        derived = self.source.features.with_derived(column_first)
        for group in ("indices", "prototypes"):
            if group in derived:
                found[group] = derived[group].T
        found[RAW_BANDS] = found["fine"][:, self.band_columns]
        return found

    @cached_property
    def band_columns(self) -> list[int]:
        """Which columns of `fine` are the raw bands."""
        return band_positions(self.source.features.base.columns["fine"])

    @cached_property
    def candidates(self) -> Blocks:
        """Features of the candidate pixels."""
        return self.at(self.rc[:, 0].copy(), self.rc[:, 1].copy())

    def facts_with(self, model: str) -> SceneFacts:
        """What the scene tells, with the scale of that model's latents."""
        return SceneFacts({**self.facts.scalers, "network": self.facts.scalers[_network(model)]}, self.facts.nearby)

    def controls(self) -> dict[str, Any]:
        """The protocol's own features; the cut between fine and coarse is that of its `control_features`."""
        module = protocol_module("controls")
        cube, (rows, cols) = self.scene.cube(), self.rc.T
        bands = cube[:, rows, cols].T
        parts = [module.local_statistics(cube, (window,))[:, rows, cols].T for window in (*module.WINDOWS, 33, 65)]
        narrow = len(module.WINDOWS) - 1  # windows 3, 5, 9
        return {
            "bands": bands,
            "bands+stats": np.concatenate([bands, *parts[: narrow + 1]], axis=1),
            "fine & coarse": [
                np.concatenate([bands, *parts[:narrow]], axis=1), np.concatenate(parts[narrow:], axis=1)
            ],
        }  # fmt: skip

    def close(self) -> None:
        """Let the files go."""
        self._opened.close()
        self._stored.clear()


def open_case(
    name: str, models: dict[str, gfm.LoadedModel], change: Any = None, dtype: str = "uint8"
) -> tuple[Case | None, Any]:
    """A scene and the folder that its files lie in; None where its rasters are missing.

    `change(rasters, folder)` gives the raster arguments that are used instead; `dtype` is how the embedding is stored.
    """
    torch.set_num_threads(1)
    folder = tempfile.TemporaryDirectory(prefix="gfm-scene-")
    try:
        return Case(name, models, Path(folder.name), change, dtype), folder
    except rasterio.errors.RasterioIOError:
        return None, folder


def _network(model: str) -> str:
    return f"network {model}"


def named(model: str, blocks: Blocks) -> Blocks:
    """The blocks with that model's latents as `network`, and no others."""
    own = {group: values for group, values in blocks.items() if not group.startswith("network")}
    return {**own, "network": blocks[_network(model)]}


def _rasters(name: str, scene: Any, data: Path, folder: Path) -> list[str]:
    """The scene's files as raster arguments; those without a position are placed where the protocol places them."""
    place, files = FILES[name]
    arguments = [str(data / place / file) for file in files]
    if name != "west_virginia":
        return arguments
    placed = []
    for argument in arguments:
        path, _, date = argument.partition(":date=")
        with rasterio.open(path) as source:
            profile = {**source.profile, "transform": scene.transform, "crs": scene.crs}
            with rasterio.open(folder / Path(path).name, "w", **profile) as copy:
                copy.write(source.read())
                copy.descriptions = source.descriptions
        placed.append(f"{folder / Path(path).name}:date={date}")
    return placed
