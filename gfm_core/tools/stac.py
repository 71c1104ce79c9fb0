"""The STAC item of an embedding (https://stacspec.org, 1.1), with the fields of the embeddings extension.

geo-embeddings/embeddings-stac-specification 0.0.1 is a proposal without a published schema: its `emb:` fields are
written as it names them, and the extension is not declared.
"""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path
from typing import Any

import pystac
from pystac.extensions.projection import ProjectionExtension
from shapely import Polygon, box, unary_union
from shapely.affinity import translate
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from gfm_core.embedding.file import EmbeddingFile
from gfm_core.grid import CORE, WINDOW
from gfm_core.raster.ground import as_crs, transformer

_WGS84 = "EPSG:4326"
_TIFF = pystac.MediaType.GEOTIFF
_COG = pystac.MediaType.COG


def stac_item(embedding: EmbeddingFile, output: Path, *, picture: Path | None, cog: bool) -> dict[str, Any]:
    """The item of an embedding that will lie at `output`, as plain values."""
    lattice, cells = embedding.lattice, embedding.cells
    when = _when(embedding)
    footprint, bbox = _footprint(embedding)
    item = pystac.Item(
        id=output.stem, geometry=mapping(footprint), bbox=bbox, datetime=when[0], properties={},
        start_datetime=when[1], end_datetime=when[2],
    )  # fmt: skip
    crs = as_crs(lattice.crs)
    projection = ProjectionExtension.ext(item, add_if_missing=True)
    projection.apply(
        epsg=crs.to_epsg(), wkt2=None if crs.to_epsg() else crs.to_wkt(), shape=list(cells.shape),
        transform=list(lattice.transform(cells))[:6],
    )  # fmt: skip
    item.properties |= {"gsd": lattice.cell_size, **_told(embedding)}
    asset = pystac.Asset(href=f"./{output.name}", media_type=_COG if cog else _TIFF, roles=["data"], title="Embedding")
    asset.extra_fields = {"data_type": embedding.dtype, "bands": _bands(embedding)}
    item.add_asset("embeddings", asset)
    if picture is not None:
        item.add_asset(
            "thumbnail", pystac.Asset(f"./{picture.name}", media_type=pystac.MediaType.PNG, roles=["thumbnail"])
        )
    for source in embedding.sources:
        for path in source["paths"]:
            item.add_link(pystac.Link("emb:source-data", _href(path, output), title=source["name"]))
    plain = item.to_dict(include_self_link=False, transform_hrefs=False)
    return dict(json.loads(json.dumps(plain)))


def _footprint(embedding: EmbeddingFile) -> tuple[BaseGeometry, list[float]]:
    """The ground in degrees, cut at the antimeridian as RFC 7946 asks, and its bounding box (west may be > east)."""
    edges = embedding.lattice.bounds(embedding.cells)
    around = box(*edges.as_tuple()).segmentize(max(edges.right - edges.left, edges.top - edges.bottom) / 4)
    to_degrees = transformer(embedding.lattice.crs, _WGS84)
    ring = [(float(x), float(y)) for x, y in zip(*to_degrees.transform(*around.exterior.coords.xy), strict=True)]
    crosses = max(x for x, _ in ring) - min(x for x, _ in ring) > 180
    whole = Polygon([(x + 360 if crosses and x < 0 else x, y) for x, y in ring])
    west, south, east, north = whole.bounds
    if not crosses:
        return whole, [west, south, east, north]
    east_of_it = translate(whole.intersection(box(180, -90, 540, 90)), xoff=-360)
    return unary_union([whole.intersection(box(-180, -90, 180, 90)), east_of_it]), [west, south, east - 360, north]


def _href(path: str, output: Path) -> str:
    """A local file by its way from the item, as far as there is one."""
    if "://" in path or not Path(path).exists():
        return path
    try:
        return Path(os.path.relpath(path, output.absolute().parent)).as_posix()
    except ValueError:  # another drive
        return Path(path).as_uri()


def _when(embedding: EmbeddingFile) -> tuple[datetime.datetime | None, ...]:
    """Date, or first and last, of the sources; without dates, the last change of a file stands for it."""
    dates = sorted({source["date"] for source in embedding.sources if source["date"]})
    if not dates:
        times = [
            Path(path).stat().st_mtime for source in embedding.sources for path in source["paths"] if _is_file(path)
        ]
        return datetime.datetime.fromtimestamp(int(max(times, default=0)), datetime.UTC), None, None
    first, last = (datetime.datetime.fromisoformat(day).replace(tzinfo=datetime.UTC) for day in (dates[0], dates[-1]))
    return (first, None, None) if first == last else (None, first, last)


def _is_file(path: str) -> bool:
    return "://" not in path and Path(path).is_file()


def _told(embedding: EmbeddingFile) -> dict[str, Any]:
    stored = {
        "method": "linear, scale and offset a band, 0 = nodata", "original_dtype": "float32", "dtype": embedding.dtype,
    }  # fmt: skip
    return {
        "emb:type": "pixel",
        "emb:dimensions": len(embedding.columns),
        "emb:groups": {name: [bands.start, len(bands)] for name, bands in embedding.groups.items()},
        "emb:chip_layout": {"layout": "grid", "chip_size": [WINDOW, WINDOW], "stride": [CORE, CORE]},
        "emb:model": embedding.model,
        "emb:runtime_parameters": embedding.parameters,
        "processing:software": embedding.versions,
        **({"emb:quantization": stored} if embedding.dtype == "uint8" else {}),
    }


def _bands(embedding: EmbeddingFile) -> list[dict[str, Any]]:
    told = []
    for column in embedding.columns:
        coded = {"raster:scale": column.storage.scale, "raster:offset": column.storage.offset, "nodata": 0}
        told.append(
            {"name": column.name, "data_type": embedding.dtype, **(coded if embedding.dtype == "uint8" else {})}
        )
    return told
