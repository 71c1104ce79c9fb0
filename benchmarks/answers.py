"""What the answers from one embedding are worth beside a simple peer, and how long they take.

    python benchmarks/answers.py [similar change cluster estimate flood speed ...] [--cells 2000]

similar   precision at 100 from 5 places of a class, beside the cosine on raw bands: 4 scenes, 3 draws a class
change    F1 on the marks of `taizhou` at our own threshold, beside image differencing at its best one; F1 on changes
          that are known because they were made (5 % of three scenes, under another sun)
cluster   adjusted Rand index with the labels, beside k-means on standardised bands: 6 scenes
estimate  R² on spatial folds, beside ridge on bands and on bands with statistics: tree cover, canopy height
flood     IoU with the hand-drawn water, from 20 labelled cells a class, beside the best threshold of a water index
speed     seconds of each tool from an embedding of so many cells a side, start of the process included

One JSON in benchmarks/results. Where the development scenes are absent this says so and ends with 0 (GFM_SHARED_DATA).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize
from rasterio.warp import Resampling, reproject
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

import gfm_core as gfm
from gfm_core.answers.change import ChangeModel, change_threshold
from gfm_core.embedding.space import CellSpace, Vectors
from gfm_core.features.groups import band_positions, narrow_positions

REPOSITORY = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("GFM_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
RESULTS = Path(__file__).parent / "results" / "answers.json"
GFM = (sys.executable, "-m", "gfm_core.cli", "-q")

Labels = NDArray[np.int64]
Peers = dict[str, Any]


def main() -> int:
    """Run what was asked for, print a line each, write the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", nargs="*", default=list(QUESTIONS), help=", ".join(QUESTIONS))
    parser.add_argument("--cells", type=int, default=2000, help="side of the embedding for `speed`")
    args = parser.parse_args()
    if not DATA.is_dir():
        print(f"skipped: the development scenes are not in {DATA}; set GFM_SHARED_DATA")
        return 0
    found: Peers = {}
    with tempfile.TemporaryDirectory() as place:
        for name in args.what:
            begun = time.perf_counter()
            found[name] = QUESTIONS[name](Path(place), args)
            print(f"{name}: {json.dumps(found[name])} ({time.perf_counter() - begun:.0f} s)")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


# ---- Scenes ----------------------------------------------------------------------------------------------------------

SCENES: dict[str, tuple[str, float, str, str | None]] = {  # rasters, cell, labels, field
    "gewata": ("gewata/landsat7_30m.tif", 60, "gewata/lulc.tif", None),
    "patagonia": ("terramesh/patagonia/s*.tif", 20, "terramesh/patagonia/lulc.tif", None),
    "parana": ("terramesh/parana/s*.tif", 20, "terramesh/parana/lulc.tif", None),
    "kenya": ("terramesh/kenya/s*.tif", 20, "terramesh/kenya/lulc.tif", None),
    "brandenburg": ("brandenburg/*.tif", 20, "brandenburg/osm_landuse.gpkg", "fclass"),
    "languedoc": ("languedoc/*.tif", 20, "languedoc/parcels.gpkg", "crop"),
}


def scene(name: str, place: Path) -> tuple[gfm.EmbeddingFile, Labels]:
    """The embedding and the label of every cell, 0 where there is none."""
    pattern, cell, labels, field = SCENES[name]
    path = place / f"{name}.tif"
    if not path.is_file():
        gfm.embed(sorted(DATA.glob(pattern)), path, cell_size=cell)
    embedding = gfm.open_embedding(path)
    transform, crs = embedding.lattice.transform(embedding.cells), embedding.lattice.crs
    if field is not None:
        frame = gpd.read_file(DATA / labels).to_crs(crs)
        codes = 1 + np.unique(frame[field].astype(str), return_inverse=True)[1]
        shapes = zip(frame.geometry, codes.tolist(), strict=True)
        return embedding, rasterize(shapes, embedding.cells.shape, transform=transform).astype(np.int64).ravel()
    with rasterio.open(DATA / labels) as source:
        codes = np.zeros(embedding.cells.shape, np.int32)
        reproject(
            source.read(1).astype(np.int32), codes, src_transform=source.transform, src_crs=source.crs,
            dst_transform=transform, dst_crs=crs, resampling=Resampling.mode,
        )  # fmt: skip
    return embedding, codes.astype(np.int64).ravel()


def raw_bands(embedding: gfm.EmbeddingFile) -> NDArray[np.float64]:
    """The bands alone, `[bands, cells]`."""
    values = embedding.read("fine", embedding.cells)[band_positions(embedding.columns_of("fine"))]
    return np.nan_to_num(values.reshape(len(values), -1)).astype(np.float64)


# ---- Questions -------------------------------------------------------------------------------------------------------


def similar(place: Path, _: argparse.Namespace) -> Peers:
    """Precision at 100 by scene, ours and the cosine on raw bands."""
    found: Peers = {}
    for name in ("gewata", "patagonia", "parana", "kenya"):
        embedding, labels = scene(name, place)
        bands = raw_bands(embedding)
        scores: list[tuple[float, float]] = []
        for number, shown, allowed in draws(embedding, labels):
            path = examples(embedding, shown, place / f"examples_{number}.gpkg")
            made = gfm.similar(embedding, place / "alike.tif", labels=str(path), overwrite=True)
            with rasterio.open(made.path) as source:
                ours = source.read(1).ravel().astype(float)
            mean = bands[:, shown].mean(axis=1)
            cosine = mean @ bands / (np.linalg.norm(bands, axis=0) * np.linalg.norm(mean) + 1e-9)
            kind = labels[shown[0]]
            scores.append(tuple(precision(score, labels == kind, allowed) for score in (ours, cosine)))  # type: ignore[arg-type]
        ours, peer = np.mean(scores, axis=0)
        found[name] = {"ours": round(ours, 3), "cosine on bands": round(peer, 3), "draws": len(scores)}
    return found


def draws(embedding: gfm.EmbeddingFile, labels: Labels) -> Iterator[tuple[int, Labels, NDArray[np.bool_]]]:
    """For each class three times 5 places of 3 x 3 cells, and the cells that are not near them."""
    chance = np.random.default_rng(0)
    rows, cols = embedding.cells.shape
    number = 0
    for kind in np.unique(labels[labels > 0]):
        where = np.flatnonzero(labels == kind)
        if len(where) < 600:
            continue
        for _ in range(3):
            near, shown = np.zeros((rows, cols), np.bool_), np.zeros((rows, cols), np.bool_)
            for at in chance.choice(where, 5, replace=False):
                row, col = divmod(int(at), cols)
                near[max(row - 8, 0) : row + 9, max(col - 8, 0) : col + 9] = True
                shown[max(row - 1, 0) : row + 2, max(col - 1, 0) : col + 2] = True
            number += 1
            yield number, np.flatnonzero(shown.ravel() & (labels == kind)), ~near.ravel() & (labels > 0)


def examples(embedding: gfm.EmbeddingFile, cells: Labels, path: Path) -> Path:
    """Points in the middle of cells."""
    rows, cols = np.divmod(cells, embedding.cells.cols)
    x, y = embedding.lattice.transform(embedding.cells) * (cols + 0.5, rows + 0.5)
    frame = gpd.GeoDataFrame(geometry=shapely.points(x, y), crs=embedding.lattice.crs)
    frame.to_file(path)
    return path


def precision(score: NDArray[np.float64], right: NDArray[np.bool_], allowed: NDArray[np.bool_]) -> float:
    """The share of the 100 best allowed cells that are right."""
    best = np.argsort(-np.where(allowed, score, -np.inf), kind="stable")[:100]
    return float(right[best].mean())


def change(place: Path, _: argparse.Namespace) -> Peers:
    """F1 on marks and on changes that were made."""
    dates = [DATA / "taizhou" / f"landsat7_{year}.tif" for year in (2000, 2003)]
    made = gfm.change([dates[0]], place / "change.tif", after=[str(dates[1])], cell_size=30)
    with rasterio.open(made.path) as source, rasterio.open(DATA / "taizhou" / "change.tif") as marks:
        magnitude, marked = source.read(1).ravel(), marks.read(1).ravel()
    changed = marked[marked > 0] == 2
    raw = [rasterio.open(path).read().reshape(6, -1).astype(float) for path in dates]
    even = [(item - item.mean(axis=1, keepdims=True)) / item.std(axis=1, keepdims=True) for item in raw]
    found: Peers = {
        "taizhou": {
            "ours": round(f1_of(magnitude[marked > 0] >= made.threshold, changed), 3),
            "ours, best threshold": best_f1(magnitude[marked > 0], changed),
            "differencing": best_f1(np.linalg.norm(raw[0] - raw[1], axis=0)[marked > 0], changed),
            "differencing, dates standardised": best_f1(np.linalg.norm(even[0] - even[1], axis=0)[marked > 0], changed),
        }
    }
    for name in ("gewata", "brandenburg", "parana"):
        embedding, _labels = scene(name, place)
        found[f"made in {name}"] = made_change(embedding)
    return found


def made_change(embedding: gfm.EmbeddingFile) -> Peers:
    """5 % of a scene replaced by other places of it, all of it with other gains and noise."""
    chance = np.random.default_rng(0)
    narrow = {"fine": narrow_positions(embedding.columns_of("fine"))}
    before = CellSpace.of(embedding, ["fine"], columns=narrow).read(embedding.cells)
    rows, cols = embedding.cells.shape
    moved = np.zeros((rows, cols), np.bool_)
    while moved.mean() < 0.05:
        row, col, high, wide = (int(chance.integers(*span)) for span in ((0, rows), (0, cols), (3, 9), (3, 9)))
        moved[row : row + high, col : col + wide] = True
    there = moved.ravel() & before.anywhere
    values = before.values["fine"].copy()
    values[:, there] = values[:, chance.permutation(values.shape[1])][:, there]
    values = values * 1.2 + 0.3 + chance.normal(0, 0.25, values.shape) + 0.15 * np.roll(values, 1, axis=0)
    after = Vectors({"fine": values.astype(np.float32)}, before.known)
    sample = chance.choice(np.flatnonzero(before.anywhere), min(30_000, int(before.anywhere.sum())), replace=False)
    found = ChangeModel.fit(before.take(sample), after.take(sample)).magnitude(before, after)
    plain = np.linalg.norm(after.values["fine"] - before.values["fine"], axis=0)
    return {
        "ours": round(f1_of(found >= change_threshold(found), there), 3),
        "ours, best threshold": best_f1(found, there), "differencing": best_f1(plain, there),
    }  # fmt: skip


def f1_of(told: NDArray[np.bool_], right: NDArray[np.bool_]) -> float:
    """F1 of cells told to have changed."""
    return float(2 * (told & right).sum() / max(told.sum() + right.sum(), 1))


def best_f1(score: NDArray[np.floating[Any]], right: NDArray[np.bool_]) -> float:
    """F1 at the best of 200 thresholds: one that nobody without the truth could choose."""
    return round(max(f1_of(score >= at, right) for at in np.nanquantile(score, np.linspace(0, 1, 201)[:-1])), 3)


def cluster(place: Path, _: argparse.Namespace) -> Peers:
    """Adjusted Rand index by scene, as many clusters as classes."""
    found: Peers = {}
    for name in SCENES:
        embedding, labels = scene(name, place)
        count = max(len(np.unique(labels[labels > 0])), 2)
        bands = raw_bands(embedding)
        known = labels > 0
        bands = (bands - bands.mean(axis=1, keepdims=True)) / (bands.std(axis=1, keepdims=True) + 1e-9)
        ours, peer = [], []
        for seed in range(3):
            made = gfm.cluster(embedding, place / "c.tif", count=count, seed=seed, overwrite=True)
            with rasterio.open(made.path) as source:
                ours.append(adjusted_rand_score(labels[known], source.read(1).ravel()[known]))
            sample = np.random.default_rng(seed).choice(bands.shape[1], min(20_000, bands.shape[1]), replace=False)
            numbers = KMeans(count, n_init=2, random_state=seed).fit(bands[:, sample].T).predict(bands.T)
            peer.append(adjusted_rand_score(labels[known], numbers[known]))
        found[name] = {"ours": round(float(np.mean(ours)), 3), "k-means on bands": round(float(np.mean(peer)), 3)}
    means = {
        key: round(float(np.mean([item[key] for item in found.values()])), 3) for key in next(iter(found.values()))
    }
    return {**found, "mean": means}


def estimate(place: Path, _: argparse.Namespace) -> Peers:
    """R² on spatial folds by method, with the peers on the same folds."""
    found: Peers = {}
    cases: tuple[tuple[str, str, float, str, dict[str, float]], ...] = (
        ("tree cover", "gewata/landsat7_30m.tif", 60, "gewata/tree_cover_percent.tif", {"lowest": 0, "highest": 100}),
        ("canopy height", "kootenay/ortho_rgb.tif", 1, "kootenay/canopy_height.tif", {}),
    )
    for name, raster, cell, numbers, bounds in cases:
        embedding = gfm.embed([DATA / raster], place / f"{name}.tif", cell_size=cell)
        for method in ("ridge", "both"):
            made = gfm.estimate(
                embedding, place / "e.tif", labels=str(DATA / numbers), method=method, overwrite=True, **bounds
            )
            assert made.goodness is not None
            assert made.raw_bands is not None
            assert made.statistics is not None
            found[f"{name}, {method}"] = {
                "ours": round(made.goodness.r2, 3), "rmse": round(made.goodness.rmse, 3),
                "ridge on bands": round(made.raw_bands.r2, 3),
                "ridge on bands and statistics": round(made.statistics.r2, 3),
                "inside the 90 % interval": round(made.coverage or 0.0, 3),
            }  # fmt: skip
    return found


def flood(place: Path, _: argparse.Namespace) -> Peers:
    """IoU of water, five draws of 20 labelled cells a class; peers at the threshold that fits the truth best."""
    folder = DATA / "spain_flood"
    stack = [folder / "s1_grd_db.tif", folder / "s2_l1c.tif"]
    embedding = gfm.embed(stack, place / "flood.tif", cell_size=20)
    with rasterio.open(folder / "water.tif") as source:
        truth, grid = source.read(1), {"transform": source.transform, "crs": source.crs}
    codes = np.zeros(embedding.cells.shape, np.uint8)
    reproject(
        truth, codes, src_transform=grid["transform"], src_crs=grid["crs"],
        dst_transform=embedding.lattice.transform(embedding.cells), dst_crs=embedding.lattice.crs,
        resampling=Resampling.mode,
    )  # fmt: skip
    labels = codes.ravel().astype(np.int64)
    ours = []
    for seed in range(5):
        chance = np.random.default_rng(seed)
        shown = np.concatenate([chance.choice(np.flatnonzero(labels == code), 20, replace=False) for code in (1, 2)])
        path = examples(embedding, shown, place / "water.gpkg")
        frame = gpd.read_file(path).assign(kind=["land"] * 20 + ["water"] * 20)
        frame.to_file(path)
        made = gfm.classify(embedding, place / "map.tif", labels=str(path), field="kind", overwrite=True)
        water = next(item.code for item in made.classes if item.name == "water")
        with rasterio.open(made.path) as source:
            told = source.read(1).ravel() == water
        rest = (labels > 0) & ~np.isin(np.arange(len(labels)), shown)
        ours.append(iou(told[rest], labels[rest] == 2))
    with rasterio.open(stack[0]) as radar, rasterio.open(stack[1]) as optical:
        vv = radar.read(1).astype(float)
        names = list(optical.descriptions)
        green, swir = (optical.read(names.index(name) + 1).astype(float) for name in ("B03", "B11"))
    peers = {"VV": -vv, "MNDWI": (green - swir) / np.maximum(green + swir, 1)}
    known = truth > 0
    best = {
        name: round(
            max(iou(score[known] >= at, truth[known] == 2) for at in np.quantile(score[known], np.linspace(0, 1, 201))),
            3,
        )
        for name, score in peers.items()
    }
    return {
        "ours": round(float(np.mean(ours)), 3),
        "sd over draws": round(float(np.std(ours)), 3),
        "best threshold": best,
    }


def iou(told: NDArray[np.bool_], right: NDArray[np.bool_]) -> float:
    """Intersection over union."""
    return float((told & right).sum() / max((told | right).sum(), 1))


def speed(place: Path, args: argparse.Namespace) -> Peers:
    """Seconds and megabytes of each tool's whole command, best of 2."""
    labels = DATA / "brandenburg" / "osm_landuse.gpkg"
    small, _ = scene("brandenburg", place)
    large = repeated(small, place / "large.tif", args.cells)
    head = place / "head.safetensors"
    gfm.classify(
        small, place / "m.tif", labels=str(labels), field="fclass", save_head=head, overwrite=True
    )  # fmt: skip
    frame = gpd.read_file(labels)
    frame[frame["fclass"] == "water"].to_file(place / "water.gpkg")
    frame.assign(number=np.arange(len(frame)) % 17 * 1.0)[["number", "geometry"]].to_file(place / "numbers.gpkg")
    commands = {
        "similar": ["--labels", place / "water.gpkg"], "change": ["--after", large], "cluster": [],
        "estimate": ["--labels", place / "numbers.gpkg", "--field", "number"],
        "vector": ["--polygons", labels], "apply": ["--head", head],
    }  # fmt: skip
    found: Peers = {}
    for name, options in commands.items():
        output = place / f"speed_{name}.{'gpkg' if name == 'vector' else 'tif'}"
        command = [*GFM, name, str(large), "-o", str(output), "--overwrite", *map(str, options)]
        seconds = []
        for _ in range(2):
            begun = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            seconds.append(time.perf_counter() - begun)
        found[name] = round(min(seconds), 1)
    found["cells a side"] = args.cells
    found["most memory of them, GB"] = round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6, 2)
    return found


def repeated(small: gfm.EmbeddingFile, path: Path, side: int) -> Path:
    """The embedding side by side until it has so many cells a side."""
    with rasterio.open(small.path) as source:
        profile, tags = source.profile, source.tags()
        told = json.loads(tags["JEPA_GFM_EMBEDDING"])
        told["grid"] |= {"rows": side, "cols": side}
        times = (-(-side // source.height), -(-side // source.width))
        profile.update(height=side, width=side)
        with rasterio.open(path, "w", **profile) as target:
            for band in range(1, source.count + 1):
                target.write(np.tile(source.read(band), times)[:side, :side], band)
            target.descriptions, target.scales, target.offsets = source.descriptions, source.scales, source.offsets
            target.update_tags(JEPA_GFM_EMBEDDING=json.dumps(told))
    return path


QUESTIONS: dict[str, Callable[[Path, argparse.Namespace], Peers]] = {
    "similar": similar, "change": change, "cluster": cluster, "estimate": estimate, "flood": flood, "speed": speed,
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main())
