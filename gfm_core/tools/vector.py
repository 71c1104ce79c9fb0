"""Vector: an embedding and polygons → the polygons with mean and standard deviation of every band inside them."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse

from gfm_core.embedding.file import EmbeddingFile
from gfm_core.embedding.pipeline import worker_threads
from gfm_core.errors import LabelError, MissingExtraError, NoOverlapError, ParameterError
from gfm_core.grid import CellRange
from gfm_core.labels.places import read_features
from gfm_core.parameters import VectorParameters
from gfm_core.progress import Reporter, in_this_call
from gfm_core.raster.ground import as_crs
from gfm_core.raster.write import BLOCK, Outputs
from gfm_core.tools.call import call_of
from gfm_core.tools.cells import cells_of
from gfm_core.tools.embed import read_files
from gfm_core.tools.layers import write_layer
from gfm_core.tools.ready import NOTHING, Ready

_MOST_FIELDS = 1990  # that SQLite, which a GeoPackage is, holds beside its own
_AREAS = (3, 6)  # shapely's type numbers of polygons


@dataclass(frozen=True, slots=True)
class VectorTable:
    """Polygons with their statistics (`path`): `rows` of them, `empty` ones outside; `fields` that were added."""

    path: Path
    rows: int
    fields: tuple[str, ...]
    empty: int


def run_vector(parameters: VectorParameters, reporter: Reporter, ready: Ready = NOTHING) -> VectorTable:
    """The tool itself, for the command line, the worker and `vector`."""
    made = parameters.output
    _check_kind(made)
    frame = read_features(parameters.labels, layer=parameters.layer, where=parameters.where)
    name = Path(parameters.labels).name
    kinds = shapely.get_type_id(frame.geometry.array)
    if not np.isin(kinds, _AREAS).any():
        raise LabelError(f"{name} has no polygons; give a layer of polygons.")
    if not np.isin(kinds, _AREAS).all():
        raise LabelError(f"{name} has features that are no polygons; leave them out with --where, or mend the layer.")
    inputs = [*read_files(parameters), parameters.labels]
    with reporter.listening(), Outputs([made], inputs=inputs, overwrite=parameters.overwrite) as outputs:
        cells = cells_of(parameters, outputs, reporter.step(0, 0.5), ready)
        embedding = cells.embedding
        groups = [group for group in embedding.groups if "auto" in parameters.groups or group in parameters.groups]
        bands = [number for group in groups for number in embedding.groups[group]]
        _check_fields(made, len(frame.columns) + len(bands) * len(parameters.statistics), groups)
        placed = _placed(embedding, frame)
        _check_ground(embedding, placed, name)
        found = _statistics(
            embedding, bands, placed, parameters.statistics, reporter.step(0.5, 0.95), threads=parameters.threads
        )
        told = gpd.GeoDataFrame(pd.concat([frame, found], axis=1), geometry=frame.geometry.name, crs=frame.crs)
        _write(outputs.partial(made), told)
        cells.check_unchanged()
        reporter.update(1.0, "done")
    empty = int(found.isna().all(axis=1).sum())
    return VectorTable(made, len(told), tuple(map(str, found.columns)), empty)


vector = call_of(VectorParameters, run_vector, "Give polygons the mean and deviation of an embedding inside them.")


def _check_kind(path: Path) -> None:
    kind = path.suffix.lower()
    if kind not in (".gpkg", ".parquet"):
        raise ParameterError(f"output {path.name} must end on .gpkg or .parquet; give such a name.")
    if kind == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise MissingExtraError(
            "GeoParquet needs the extra `parquet`: pip install 'jepa-gfm[parquet]', or give a name on .gpkg."
        )


def _check_fields(path: Path, count: int, groups: Sequence[str]) -> None:
    if path.suffix.lower() == ".gpkg" and count > _MOST_FIELDS:
        raise ParameterError(
            f"A GeoPackage holds {_MOST_FIELDS} fields and this would be {count}; choose fewer of the groups "
            f"{', '.join(groups)}, one statistic, or a name on .parquet."
        )


def _check_ground(embedding: EmbeddingFile, placed: gpd.GeoDataFrame, name: str) -> None:
    ground = shapely.box(*embedding.lattice.bounds(embedding.cells).as_tuple())
    if not shapely.intersects(placed.geometry.array, ground).any():
        raise NoOverlapError(f"No polygon of {name} lies inside the rasters; give polygons of their ground.")


def _placed(embedding: EmbeddingFile, frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Polygons alone, in the embedding's CRS."""
    alone = gpd.GeoDataFrame(geometry=frame.geometry.array, index=frame.index, crs=frame.crs)
    if frame.crs is None:  # taken to be in the raster's, as labels are; said where they are read
        return alone.set_crs(embedding.lattice.crs)
    return alone.to_crs(embedding.lattice.crs)


def _statistics(
    embedding: EmbeddingFile, bands: Sequence[int], placed: gpd.GeoDataFrame, statistics: Sequence[str],
    reporter: Reporter, *, threads: int | None,
) -> pd.DataFrame:  # fmt: skip
    """The columns to add, cells counted by their share inside each polygon; those of polygons outside are null.

    exactextract tells the shares once; every band is then a product with them, a row of blocks at a time.
    """
    shares = _shares(embedding, placed)
    sums = np.zeros((3, len(placed), len(bands)))  # of the shares of known cells, of the values, of their squares
    cells = embedding.cells
    starts = [row for row in range(0, cells.rows, BLOCK) if shares[:, _part(cells, row)].nnz]
    groups = [group for group, span in embedding.groups.items() if span[0] in bands]
    work = in_this_call(partial(_sums, embedding, groups, shares))
    with worker_threads(threads or os.cpu_count() or 1) as pool:
        for number, found in enumerate(pool.map(work, starts), start=1):
            sums += found
            reporter.update(number / len(starts), "measuring polygons")
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = sums[1] / sums[0]
        deviation = np.sqrt(np.maximum(sums[2] / sums[0] - mean**2, 0))
    told = {"mean": mean, "stdev": deviation}
    names = _field_names([embedding.columns[number].name for number in bands])
    columns = {
        f"{name}_{statistic}": told[statistic][:, at] for at, name in enumerate(names) for statistic in statistics
    }
    return pd.DataFrame(columns, index=placed.index)


def _shares(embedding: EmbeddingFile, placed: gpd.GeoDataFrame) -> sparse.csc_array:
    """Which share of each cell lies in each polygon, `[polygons, cells]`."""
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource

    cells = embedding.cells
    left, bottom, right, top = embedding.lattice.bounds(cells).as_tuple()
    ground = NumPyRasterSource(
        np.broadcast_to(np.uint8(1), cells.shape), xmin=left, ymin=bottom, xmax=right, ymax=top,
        srs_wkt=as_crs(embedding.lattice.crs).to_wkt(),
    )  # fmt: skip
    found = exact_extract(ground, placed, ["cell_id", "coverage"], output="pandas")
    ids, covered = list(found["cell_id"]), list(found["coverage"])
    polygons = np.repeat(np.arange(len(ids)), [len(item) for item in ids])
    where = (polygons, np.concatenate(ids).astype(np.int64))
    shape = (len(placed), cells.rows * cells.cols)
    return sparse.coo_array((np.concatenate(covered).astype(np.float64), where), shape).tocsc()


def _part(cells: CellRange, row: int) -> slice:
    """The numbers of the cells of a row of blocks."""
    return slice(row * cells.cols, min(row + BLOCK, cells.rows) * cells.cols)


def _sums(embedding: EmbeddingFile, groups: Sequence[str], shares: sparse.csc_array, row: int) -> NDArray[np.float64]:
    """What a row of blocks adds to the sums `[3, polygons, bands]`."""
    cells = embedding.cells
    inside = shares[:, _part(cells, row)]
    used = np.flatnonzero(np.diff(inside.indptr))
    first, last = int(used.min() // cells.cols), int(used.max() // cells.cols)
    part = CellRange(cells.row + row + first, cells.col, last - first + 1, cells.cols)
    weights = inside[:, used]
    found = []
    for group in groups:
        values = embedding.read(group, part).reshape(len(embedding.groups[group]), -1)
        values = values[:, used - first * cells.cols].T.astype(np.float64)
        known = np.isfinite(values)
        values[~known] = 0
        found.append(np.stack([weights @ known.astype(np.float64), weights @ values, weights @ values**2]))
    return np.concatenate(found, axis=2)


def _field_names(columns: Sequence[str]) -> list[str]:
    """Names that every database takes: letters, digits and underscores, none twice."""
    names: list[str] = []
    for column in columns:
        plain = re.sub(r"\W+", "_", column).strip("_").lower()
        names.append(plain if plain not in names else f"{plain}_{len(names)}")
    return names


def _write(path: Path, frame: gpd.GeoDataFrame) -> None:
    if path.suffix.lower() == ".parquet":
        frame.to_parquet(path, index=False)
        return
    kinds = set(frame.geometry.geom_type)
    kind = "Polygon" if kinds == {"Polygon"} else "MultiPolygon"
    if kind == "MultiPolygon":
        frame = frame.set_geometry(
            gpd.GeoSeries(
                [shapely.MultiPolygon([item]) if item.geom_type == "Polygon" else item for item in frame.geometry],
                index=frame.index, crs=frame.crs,
            )
        )  # fmt: skip
    write_layer(path, frame, layer="polygons", geometry_type=kind)
