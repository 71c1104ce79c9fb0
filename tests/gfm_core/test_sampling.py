"""The GeoDataset of a stack, with torchgeo's own samplers and datasets; run where the train extra is installed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio.features
from affine import Affine

from gfm_core.errors import MissingExtraError, ParameterError
from gfm_core.grid import WINDOW, Bounds, CellRange, Lattice
from gfm_core.raster.read import StackReader
from gfm_core.raster.stack import Stack, open_stack
from tests.conftest import REPOSITORY, write_raster

if TYPE_CHECKING:
    from gfm_core.sampling import StackDataset

pytestmark = pytest.mark.train

SIDE = 120  # pixels of 10 m: 60 cells


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """Two dates of four bands at 10 m, and one undated radar band at 20 m."""
    folder = tmp_path_factory.mktemp("place")
    rng = np.random.default_rng(0)
    rasters = [
        write_raster(
            folder / f"s2_l2a_{date}.tif",
            rng.integers(100, 5000, (4, SIDE, SIDE)).astype(np.uint16),
            names=["B02", "B03", "B04", "B08"],
        )
        for date in ("2020-06-01", "2020-08-15")
    ]
    radar = (-10 + rng.standard_normal((2, SIDE // 2, SIDE // 2))).astype(np.float32)
    rasters.append(
        write_raster(folder / "s1_db.tif", radar, names=["VV", "VH"], transform=Affine(20, 0, 4e5, 0, -20, 5.8e6))
    )
    return open_stack(rasters)


@pytest.fixture(scope="module")
def dataset(stack: Stack) -> StackDataset:
    from gfm_core.sampling import StackDataset

    return StackDataset(stack, margin=8)


def assert_same_pixels(sample: dict[str, Any], stack: Stack, margin: int) -> None:
    """The sample holds what a reader of `gfm embed` gives for its cells."""
    reader = StackReader(stack)
    for modality in stack.modalities:
        wanted, found = reader.window(modality, sample["cells"], margin), sample["modalities"][modality.name]
        for name in ("pixels", "valid", "inside", "rows", "cols", "offset"):
            np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))


def test_a_random_sample_is_what_embed_reads_there(stack: Stack, dataset: StackDataset) -> None:
    from torchgeo.samplers import RandomGeoSampler

    for query in RandomGeoSampler(dataset, WINDOW, length=4):
        sample = dataset[query]
        assert sample["cells"].shape == (WINDOW, WINDOW)
        assert_same_pixels(sample, stack, margin=8)


def test_a_sample_is_placed_where_rasterio_says(stack: Stack, dataset: StackDataset) -> None:
    from torchgeo.samplers import RandomBatchGeoSampler

    (batch,) = list(RandomBatchGeoSampler(dataset, WINDOW, batch_size=3, length=3))
    source = stack.finest
    for query in batch:
        window = dataset[query]["modalities"][stack.modalities[0].name]
        with rasterio.open(source.path) as file:
            place = (
                file.window(query[0].start, query[1].start, query[0].stop, query[1].stop)
                .round_offsets()
                .round_lengths()
            )
            wanted = file.read(list(source.indexes), window=place)
        rows, cols = slice(*window.rows[[0, -1], [0, 1]]), slice(*window.cols[[0, -1], [0, 1]])
        np.testing.assert_array_equal(window.pixels[0, :, rows, cols], wanted)


def test_a_grid_covers_every_cell(stack: Stack, dataset: StackDataset) -> None:
    from torchgeo.samplers import GridGeoSampler

    seen = np.zeros(stack.cells.shape, int)
    for query in GridGeoSampler(dataset, WINDOW, stride=12):
        sample = dataset[query]
        shared = sample["cells"].intersection(stack.cells)
        assert shared is not None
        seen[shared.slices_in(stack.cells)] += 1
    assert seen.min() >= 1


def test_cells_beyond_the_rasters_are_there_and_hold_nothing(stack: Stack, dataset: StackDataset) -> None:
    edge = stack.lattice.bounds(stack.cells)
    sample = dataset[edge.right - 100 : edge.right + 220, edge.bottom - 220 : edge.bottom + 100]
    window = sample["modalities"][stack.modalities[0].name]
    assert sample["cells"].shape == (16, 16)
    rows, cols = slice(*window.rows[[0, -1], [0, 1]]), slice(*window.cols[[0, -1], [0, 1]])
    here = window.valid[0, 0, rows, cols]
    assert here[:10, :10].all()
    assert here.sum() == 100


def test_a_query_is_snapped_to_the_nearest_cells() -> None:
    from gfm_core.sampling import snap

    lattice = Lattice("EPSG:32633", 20.0, 5.0, 5.0)
    cells = CellRange(-3, 7, 4, 5)
    exact = lattice.bounds(cells)
    for shift in (-9.9, 0.0, 9.9):
        moved = Bounds(*(side + shift for side in exact.as_tuple()))
        assert snap(lattice, moved) == cells
    assert snap(lattice, Bounds(exact.left, exact.top - 1, exact.left + 1, exact.top)).shape == (1, 1)


def test_a_time_of_interest_chooses_the_dates_and_keeps_what_has_none(stack: Stack, dataset: StackDataset) -> None:
    import pandas as pd
    from torchgeo.samplers import GridGeoSampler

    def dates(first: str, last: str) -> tuple[int, ...]:
        query = next(iter(GridGeoSampler(dataset, WINDOW, toi=pd.Interval(pd.Timestamp(first), pd.Timestamp(last)))))
        found = dataset[query]["modalities"]
        return tuple(len(found[item.name].pixels) if item.name in found else 0 for item in stack.modalities)

    assert dates("2020-05-01", "2020-07-01") == (1, 1)
    assert dates("2020-08-15", "2020-08-16") == (1, 1)
    assert dates("2020-06-01", "2020-12-31") == (2, 1)
    second = dataset[:, :, np.datetime64("2020-08-01") : np.datetime64("2020-09-01")]["modalities"][
        stack.modalities[0].name
    ]
    whole = dataset[:, :]["modalities"][stack.modalities[0].name]
    np.testing.assert_array_equal(second.pixels[0], whole.pixels[1])


def test_an_intersection_with_polygons_gives_their_mask(stack: Stack, dataset: StackDataset, tmp_path: Path) -> None:
    import geopandas as gpd
    import shapely
    from torchgeo.datasets import VectorDataset
    from torchgeo.samplers import RandomGeoSampler

    ground = stack.lattice.bounds(stack.cells)
    middle = (ground.left + ground.right) / 2
    west = shapely.box(ground.left, ground.bottom, middle, ground.top)
    east = shapely.box(middle, ground.bottom, ground.right, ground.top)
    frame = gpd.GeoDataFrame({"code": [1, 2]}, geometry=[west, east], crs=stack.lattice.crs)
    frame.to_file(tmp_path / "polygons.gpkg")
    both = dataset & VectorDataset(tmp_path / "polygons.gpkg", label_name="code")
    for query in RandomGeoSampler(both, WINDOW, length=3):
        sample = both[query]
        wanted = rasterio.features.rasterize(
            [(west, 1), (east, 2)],
            sample["cells"].shape,
            transform=stack.lattice.transform(sample["cells"]),
        )
        np.testing.assert_array_equal(sample["mask"].squeeze(0).numpy(), wanted)
        assert_same_pixels(sample, stack, margin=8)


def test_a_place_smaller_than_a_window_is_padded(tmp_path: Path) -> None:
    from torchgeo.samplers import RandomGeoSampler

    from gfm_core.sampling import StackDataset

    path = write_raster(tmp_path / "s2.tif", np.full((4, 6, 10), 900, np.uint16), names=["B02", "B03", "B04", "B08"])
    small = StackDataset(open_stack([path]))
    (query,) = list(RandomGeoSampler(small, WINDOW, length=1))
    (window,) = small[query]["modalities"].values()
    assert window.valid[0, 0].sum() == 60


def test_a_query_off_the_place_is_an_index_error(dataset: StackDataset) -> None:
    with pytest.raises(IndexError, match="outside of the place"):
        dataset[0.0:100.0, 0.0:100.0]
    with pytest.raises(IndexError, match="outside of the place"):
        _dated_only(dataset)


def _dated_only(dataset: StackDataset) -> Any:
    """A query of a time without any image, on the dated modality alone."""
    import dataclasses

    from gfm_core.sampling import StackDataset

    stack = dataclasses.replace(dataset.stack, modalities=dataset.stack.modalities[:1])
    return StackDataset(stack)[:, :, np.datetime64("1990-01-01") : np.datetime64("1991-01-01")]


def test_a_stack_keeps_its_crs_and_cell_size(dataset: StackDataset) -> None:
    from pyproj import CRS

    with pytest.raises(ParameterError, match="put it first"):
        dataset.crs = CRS.from_epsg(4326)
    with pytest.raises(ParameterError, match="keeps its cell size"):
        dataset.res = 5.0
    dataset.crs, dataset.res = dataset.crs, dataset.res  # what an intersection does to its first part


def test_a_batch_depends_on_its_generator_and_leaves_the_global_one_alone(dataset: StackDataset) -> None:
    import torch

    from gfm_core.sampling import random_batch

    def drawn(seed: int) -> list[Any]:
        return random_batch(dataset, windows=4, generator=torch.Generator().manual_seed(seed))

    torch.manual_seed(1)
    first, after = drawn(5), torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(1), after)
    assert drawn(5) == first
    assert drawn(6) != first
    assert len(first) == 4


def test_a_missing_torchgeo_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    from gfm_core import sampling

    for name in ("torchgeo", "torchgeo.datasets", "torchgeo.samplers"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=r"install jepa-gfm\[train\]"):
        sampling._import_torchgeo()


def test_only_sampling_imports_torchgeo() -> None:
    files = [*(REPOSITORY / "gfm_core").rglob("*.py"), *(REPOSITORY / "training").rglob("*.py")]
    lines = ((path, line.strip()) for path in files for line in path.read_text(encoding="utf-8").splitlines())
    importing = {path.name for path, line in lines if line.startswith(("import torchgeo", "from torchgeo"))}
    assert importing == {"sampling.py"}
