"""The embedding file: named feature groups as bands of a GeoTIFF whose tags suffice to repeat the run."""

from __future__ import annotations

import importlib.metadata
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError, RasterioIOError
from rasterio.windows import Window

from gfm_core.bands import Normalisation
from gfm_core.embedding.quantise import NODATA, dequantise
from gfm_core.errors import CheckpointError, InputError
from gfm_core.features.groups import Column, Storage
from gfm_core.grid import CellRange, Lattice
from gfm_core.raster.ground import as_crs
from gfm_core.raster.source import Source, unreadable
from gfm_core.raster.stack import BandKey, Stack, every_source
from gfm_core.raster.vrt import VrtBand, VrtGrid, VrtPart, write_vrt
from gfm_core.raster.write import BlockRowWriter

FORMAT_VERSION = 1

_LARGEST = 1 << 40  # cells: far beyond the Earth at a centimetre
_TAG = "JEPA_GFM_EMBEDDING"  # JSON: everything that is not a band


@dataclass(frozen=True, slots=True)
class EmbeddingFile:
    """An embedding on disk. `groups` tells which bands (from 0) belong to which feature group."""

    path: Path
    lattice: Lattice
    cells: CellRange
    groups: dict[str, range]
    columns: tuple[Column, ...]
    dtype: str
    model: dict[str, str]  # name, sha256
    sources: tuple[dict[str, Any], ...]
    constants: dict[BandKey, Normalisation]
    parameters: dict[str, Any]
    versions: dict[str, str]

    def columns_of(self, group: str) -> tuple[Column, ...]:
        """The columns of one group; raises `InputError` if the file does not hold it."""
        if group not in self.groups:
            raise InputError(
                f"{self.path.name} holds no group {group}, only {', '.join(self.groups)}; embed again with it."
            )
        return tuple(self.columns[number] for number in self.groups[group])

    def read(self, group: str, cells: CellRange) -> NDArray[np.float32]:
        """Values `[columns, rows, cols]` of `cells` (absolute addresses), NaN where nodata or outside the file."""
        columns = self.columns_of(group)
        values = np.full((len(columns), *cells.shape), np.nan, np.float32)
        shared = cells.intersection(self.cells)
        if shared is None:
            return values
        rows, cols = shared.slices_in(cells)
        values[:, rows, cols] = self.read_shrunk(group, shared, shared.shape)
        return values

    def read_shrunk(self, group: str, cells: CellRange, shape: tuple[int, int]) -> NDArray[np.float32]:
        """Values `[columns, *shape]` of `cells` inside the file: means from overviews, or every so manieth cell."""
        columns = self.columns_of(group)
        rows, cols = cells.slices_in(self.cells)
        window = Window(col_off=cols.start, row_off=rows.start, width=cells.cols, height=cells.rows)
        bands = [number + 1 for number in self.groups[group]]
        try:
            with rasterio.open(self.path) as dataset:
                stored = dataset.read(bands, window=window, out_shape=(len(columns), *shape))
        except RasterioError as error:
            raise unreadable(self.path.name, error) from error
        return self.values_of(group, stored)

    def read_small(self, group: str, longest: int) -> NDArray[Any]:
        """A group over all cells as it is stored (see `values_of`), no more than `longest` cells a side."""
        columns = self.columns_of(group)
        shrink = max(1.0, max(self.cells.shape) / longest)
        shape = (max(1, int(self.cells.rows / shrink)), max(1, int(self.cells.cols / shrink)))
        with rasterio.open(self.path) as dataset:  # from the overviews, where there are some
            return np.asarray(
                dataset.read([number + 1 for number in self.groups[group]], out_shape=(len(columns), *shape))
            )

    def values_of(self, group: str, stored: NDArray[Any]) -> NDArray[np.float32]:
        """What numbers of the file mean, `[columns, ...]`: values, NaN where nodata."""
        return stored if self.dtype == "float32" else dequantise(stored, self.columns_of(group))


def is_embedding(path: str | Path) -> bool:
    """Whether a file is an embedding of ours, told by its tags."""
    try:
        with rasterio.open(path) as dataset:
            return _TAG in dataset.tags()
    except RasterioIOError:
        return False


def open_embedding(path: str | Path) -> EmbeddingFile:
    """Open an embedding; raises `CheckpointError` if it is none, damaged, or made by a newer version."""
    try:
        with rasterio.open(path) as dataset:
            text = dataset.tags().get(_TAG)
            dtype = dataset.dtypes[0]
            scales, offsets, names = dataset.scales, dataset.offsets, dataset.descriptions
            crs = dataset.crs.to_wkt() if dataset.crs else ""
            shape = dataset.shape
    except RasterioIOError as error:
        raise InputError(f"{path} cannot be read as a raster; give an embedding made by gfm embed.") from error
    if text is None:
        raise CheckpointError(f"{path} is not an embedding of ours; make one with gfm embed.")
    try:
        told = json.loads(text)
        newer = told["format"] > FORMAT_VERSION
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path) from error
    if newer:
        raise CheckpointError(f"{path} was made by a newer version of jepa-gfm; update it.")
    try:
        columns = tuple(
            Column(name or "", Storage(scale, offset))
            for name, scale, offset in zip(names, scales, offsets, strict=True)
        )
        grid = told["grid"]
        cells = CellRange(*(_whole(grid[name]) for name in ("row", "col", "rows", "cols")))
        if cells.shape != shape:
            raise ValueError("the tags tell of another grid")
        return EmbeddingFile(
            path=Path(path),
            lattice=Lattice(crs, *(_finite(grid[name]) for name in ("cell_size", "phase_x", "phase_y"))),
            cells=cells,
            groups=_groups(told["groups"], len(columns)),
            columns=columns,
            dtype=dtype,
            model={str(name): str(value) for name, value in told["model"].items()},
            sources=tuple(told["sources"]),
            constants=_constants(told["sources"]),
            parameters=dict(told["parameters"]),
            versions={str(name): str(value) for name, value in told["versions"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(path) from error


def _groups(told: Mapping[str, tuple[int, int]], columns: int) -> dict[str, range]:
    """Bands by group in the order of the file; raises ValueError unless each band lies in one."""
    spans = {name: range(_whole(first), first + _whole(count)) for name, (first, count) in told.items()}
    ordered = dict(sorted(spans.items(), key=lambda group: group[1].start))
    if [band for span in ordered.values() for band in span] != list(range(columns)):
        raise ValueError("the groups do not fit the bands")
    return ordered


def _whole(value: Any) -> int:
    if type(value) is not int or abs(value) > _LARGEST:
        raise ValueError(f"{value!r} is no whole number of cells or bands")
    return value


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no length")
    return value


def _damaged(path: str | Path) -> CheckpointError:
    return CheckpointError(f"The tags of {path} are damaged; make the embedding again with gfm embed.")


def _constants(sources: Sequence[Mapping[str, Any]]) -> dict[BandKey, Normalisation]:
    found: dict[BandKey, Normalisation] = {}
    for source in sources:
        names = tuple(band["name"] for band in source["bands"])
        for band in source["bands"]:
            key = BandKey(source["sensor"], source["gsd"], names, band["name"])
            found.setdefault(key, Normalisation(**band["normalisation"]))  # of a modality, the first source's
    return found


def create(
    path: Path, stack: Stack, columns: Mapping[str, Sequence[Column]], *, dtype: str,
    model: Mapping[str, str], parameters: Mapping[str, Any],
) -> BlockRowWriter:  # fmt: skip
    """A new embedding file with all its tags and no pixels yet."""
    every = [column for group in columns.values() for column in group]
    lattice, cells = stack.lattice, stack.cells
    writer = BlockRowWriter(
        path, shape=cells.shape, bands=len(every), dtype=dtype, crs=as_crs(lattice.crs).to_wkt(),
        transform=lattice.transform(cells), nodata=np.nan if dtype == "float32" else NODATA, dense=True,
    )  # fmt: skip
    dataset = writer.dataset
    dataset.descriptions = tuple(column.name for column in every)
    if dtype == "uint8":
        dataset.scales = tuple(column.storage.scale for column in every)
        dataset.offsets = tuple(column.storage.offset for column in every)
    dataset.update_tags(**{_TAG: json.dumps(_told(stack, columns, model, parameters), sort_keys=True)})
    return writer


def write_mosaic(
    path: Path, stack: Stack, columns: Mapping[str, Sequence[Column]], parts: Sequence[EmbeddingFile], folder: Path
) -> EmbeddingFile:
    """A virtual raster over `parts`, embeddings of one stack side by side that lie (or will lie) in `folder`.

    It is an embedding like any other, with all tags of the whole.
    """
    first, cells = parts[0], stack.cells
    grid = VrtGrid(
        cells.shape, as_crs(stack.lattice.crs).to_wkt(), stack.lattice.transform(cells), first.dtype,
        np.nan if first.dtype == "float32" else NODATA,
    )  # fmt: skip
    bands = [VrtBand(column.name, column.storage.scale, column.storage.offset) for column in first.columns]
    placed = [
        VrtPart(folder / part.path.name, part.cells.row - cells.row, part.cells.col - cells.col, part.cells.shape)
        for part in parts
    ]
    told = _told(stack, columns, first.model, first.parameters)
    write_vrt(path, grid, bands, placed, {_TAG: json.dumps(told, sort_keys=True)})
    return replace(first, path=path, cells=cells)


def _told(
    stack: Stack, columns: Mapping[str, Sequence[Column]], model: Mapping[str, str], parameters: Mapping[str, Any]
) -> dict[str, Any]:
    lattice, cells = stack.lattice, stack.cells
    groups: dict[str, tuple[int, int]] = {}
    first = 0
    for name, group in columns.items():
        groups[name] = (first, len(group))
        first += len(group)
    return {
        "format": FORMAT_VERSION,
        "grid": {
            "cell_size": float(lattice.cell_size), "phase_x": lattice.phase_x, "phase_y": lattice.phase_y,
            "row": cells.row, "col": cells.col, "rows": cells.rows, "cols": cells.cols,
        },
        "groups": groups,
        "model": dict(model),
        "parameters": dict(parameters),
        "sources": source_records(stack),
        "versions": versions(),
    }  # fmt: skip


def source_records(stack: Stack) -> list[dict[str, Any]]:
    """Every source in canonical order as plain values: where it is, what it holds, how it was normalised."""
    records = []
    for modality in stack.modalities:
        for source in every_source(modality):
            bands = zip(source.bands, source.indexes, source.normalisation, modality.normalisation, strict=True)
            records.append(
                {
                    **_whereabouts(source),
                    "modality": modality.name,
                    "sensor": source.sensor,
                    "gsd": source.gsd,
                    "reasons": list(source.reasons),
                    "date": source.date.isoformat() if source.date else None,
                    "bands": [
                        {
                            "name": band.name, "kind": str(band.kind), "wavelength_nm": band.wavelength_nm,
                            "index": index, "normalisation": (known or constant).to_dict(),
                        }
                        for band, index, known, constant in bands
                    ],
                }
            )  # fmt: skip
    return records


def _whereabouts(source: Source) -> dict[str, Any]:
    """Where a source lies: absolute paths of the local files behind it, else what was opened (a URL)."""
    return {
        "name": source.name,
        "paths": [str(path.absolute()) for path in source.files] or [source.path],
        "bytes": source.fingerprint[0],
        "shape": list(source.shape),
        "crs": source.crs,
        "transform": list(source.transform)[:6],
        # JSON knows no NaN.
        "nodata": [str(value) if value is not None and math.isnan(value) else value for value in source.nodata],
    }


def versions() -> dict[str, str]:
    """The versions that can change a pixel."""
    return {name: importlib.metadata.version(name) for name in ("jepa-gfm", "torch", "rasterio", "numpy")}
