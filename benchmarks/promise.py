"""The whole promise on one scene: aerial, two dates of Sentinel-2, radar and elevation in three CRSs → a map.

    python benchmarks/promise.py [--side 1920]

The scene is made up (`gfm synth`), the aerial picture of 1 m in EPSG:3035 made from its first date with noise. Twenty
clicks, five in each of four classes, are drawn from the truth. Told: seconds of each step on this machine, macro-F1 of
the finished map with the truth, and the median of twenty previews with another label each (of a worker that is warm).
One JSON in benchmarks/results.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.warp import calculate_default_transform, reproject
from shapely.geometry import Point
from sklearn.metrics import f1_score

import gfm_core as gfm
from gfm_core.parameters import PreviewParameters
from gfm_core.progress import Reporter
from gfm_core.tools.preview import run_preview
from gfm_core.tools.ready import Ready
from gfm_core.worker.live import LiveMaps

RESULTS = Path(__file__).parent / "results" / "promise.json"
CLASSES, CLICKS, PREVIEWS = 4, 5, 20


def main() -> int:
    """Every step, then what it took."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--side", type=float, default=1920.0, help="metres of ground")
    asked = parser.parse_args()
    told: dict[str, float] = {"side_m": asked.side}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        scene = gfm.write_scene(folder / "scene", seed=5, size_m=asked.side, classes=CLASSES)
        rasters = [aerial(scene.paths, folder / "aerial_1m.tif"), *in_degrees(scene.paths, folder)]
        systems = {str(crs_of(path)) for path in rasters}
        told |= {"rasters": len(rasters), "crs": len(systems)}
        clicks = click(scene, folder / "clicks.gpkg")
        print(f"{len(rasters)} rasters in {len(systems)} CRSs, {asked.side:.0f} m of ground, {len(clicks)} clicks")

        embedding, told["embed_s"] = timed(lambda: gfm.embed(rasters, folder / "embedding.tif", cell_size=10))
        live = LiveMaps()
        seconds = []
        for number in range(PREVIEWS + 2):
            click(scene, folder / "more.gpkg", extra=number)
            parameters = PreviewParameters(
                embedding=str(embedding.path), output=folder / "view.tif", labels=str(folder / "more.gpkg"),
                field="class", overwrite=True,
            )  # fmt: skip
            made, taken = timed(lambda p=parameters: run_preview(p, Reporter(), Ready(live=live.open)))
            seconds.append((taken, made.refit_seconds))
        told["first_preview_s"] = seconds[0][0]
        told["preview_s"] = statistics.median(taken for taken, _ in seconds[2:])
        told["refit_s"] = statistics.median(refit for _, refit in seconds[2:])
        mapped, told["classify_s"] = timed(
            lambda: gfm.classify(
                rasters, folder / "map.tif", labels=folder / "clicks.gpkg", field="class", cell_size=10
            )
        )
        told["macro_f1"] = agreement(mapped, scene)
    told["all_s"] = told["embed_s"] + told["first_preview_s"] + told["classify_s"]
    for name, value in told.items():
        print(f"{name}: {value:.3g}")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(told, indent=1), encoding="utf-8")
    return 0


def timed(work):  # noqa: ANN001, ANN201 - whatever it gives
    """What `work` gives, and its seconds."""
    started = time.perf_counter()
    found = work()
    return found, time.perf_counter() - started


def crs_of(path: Path) -> CRS:
    """The CRS of a raster."""
    with rasterio.open(path) as dataset:
        return dataset.crs


def aerial(paths: tuple[Path, ...], target: Path) -> Path:
    """Red, green and blue of the first 10 m raster at 1 m in EPSG:3035, with noise: no better picture is at hand."""
    source = next(path for path in paths if "10m" in path.name)
    crs = CRS.from_epsg(3035)
    with rasterio.open(source) as dataset:
        transform, width, height = calculate_default_transform(
            dataset.crs, crs, dataset.width, dataset.height, *dataset.bounds, resolution=1.0
        )
        pixels = np.zeros((3, height, width), np.float32)
        for band in range(3):
            reproject(
                dataset.read(band + 1).astype(np.float32), pixels[band], src_transform=dataset.transform,
                src_crs=dataset.crs, dst_transform=transform, dst_crs=crs, resampling=Resampling.bilinear,
                src_nodata=0, dst_nodata=0,
            )  # fmt: skip
    known = pixels > 0
    noise = np.random.default_rng(0).normal(0, 8, pixels.shape)
    scaled = np.clip(pixels / np.quantile(pixels[known], 0.99) * 220 + noise, 1, 255)
    with rasterio.open(
        target, "w", driver="GTiff", width=width, height=height, count=3, dtype="uint8", crs=crs, transform=transform,
        nodata=0, tiled=True, compress="deflate", photometric="RGB",
    ) as image:  # fmt: skip
        image.write(np.where(known, scaled, 0).astype(np.uint8))
    return target


def in_degrees(paths: tuple[Path, ...], folder: Path) -> list[Path]:
    """The rasters, the elevation among them in EPSG:4326, as such models come."""
    found = []
    for path in paths:
        if "dem" not in path.name.lower():
            found.append(path)
            continue
        with rasterio.open(path) as dataset:
            transform, width, height = calculate_default_transform(
                dataset.crs, "EPSG:4326", dataset.width, dataset.height, *dataset.bounds
            )
            profile = {**dataset.profile, "crs": "EPSG:4326", "transform": transform, "width": width, "height": height}
            for option in ("blockxsize", "blockysize", "tiled"):
                profile.pop(option, None)
            if profile.get("nodata") is None:
                profile["nodata"] = -9999
            with rasterio.open(folder / path.name, "w", **profile) as image:
                for band in range(1, dataset.count + 1):
                    reproject(
                        rasterio.band(dataset, band), rasterio.band(image, band), resampling=Resampling.bilinear,
                        dst_nodata=profile["nodata"],
                    )  # fmt: skip
                image.descriptions = dataset.descriptions
                image.update_tags(**dataset.tags())
        found.append(folder / path.name)
    return found


def click(scene: gfm.SyntheticScene, path: Path, *, extra: int = 0) -> gpd.GeoDataFrame:
    """Places a class from the truth, and `extra` more, as a user would click."""
    names = {item.code: item.name for item in scene.classes}
    with rasterio.open(scene.truth) as dataset:
        truth, transform, crs = dataset.read(1), dataset.transform, dataset.crs
    chance = np.random.default_rng(1)
    rows = []
    for code, name in names.items():
        places = np.argwhere(truth == code)
        for row, col in places[chance.permutation(len(places))[:CLICKS]]:
            rows.append({"class": name, "geometry": Point(transform * (col + 0.5, row + 0.5))})
    places = np.argwhere(truth > 0)
    for row, col in places[chance.permutation(len(places))[:extra]]:
        rows.append({"class": names[int(truth[row, col])], "geometry": Point(transform * (col + 0.5, row + 0.5))})
    frame = gpd.GeoDataFrame(rows, crs=crs)
    frame.to_file(path)
    return frame


def agreement(mapped: gfm.ClassMap, scene: gfm.SyntheticScene) -> float:
    """Macro-F1 of the map with the truth, on the truth's pixels."""
    names = {item.code: item.name for item in mapped.classes}
    with rasterio.open(scene.truth) as truth, rasterio.open(mapped.path) as found:
        codes = np.zeros(truth.shape, np.int32)
        reproject(
            found.read(1).astype(np.int32), codes, src_transform=found.transform, src_crs=found.crs,
            dst_transform=truth.transform, dst_crs=truth.crs, resampling=Resampling.mode, src_nodata=0, dst_nodata=0,
        )  # fmt: skip
        expected = truth.read(1)
    order = {item.name: item.code for item in scene.classes}
    there = codes > 0
    told = np.array([order[names[code]] for code in codes[there].tolist()])
    return float(f1_score(expected[there], told, average="macro"))


if __name__ == "__main__":
    raise SystemExit(main())
