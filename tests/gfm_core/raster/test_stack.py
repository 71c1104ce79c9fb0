"""Stacks: canonical order, the lattice, modalities, extents."""

from __future__ import annotations

import dataclasses
import datetime
import itertools
import math
from pathlib import Path

import numpy as np
import pyproj
import pytest
import rasterio.warp
from affine import Affine

from gfm_core.errors import InputError, NoOverlapError, ParameterError
from gfm_core.grid import CellRange
from gfm_core.raster.read import StackReader
from gfm_core.raster.stack import PIXELS_ALONG_CELL, Stack, open_stack
from tests.conftest import NORTH_UP, MakeRaster

S2 = ["B02", "B03", "B04", "B08"]
DAY, LATER = datetime.date(2021, 6, 1), datetime.date(2021, 8, 1)


def optical(rows: int = 60, cols: int = 40, bands: int = 4) -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
    return np.random.default_rng(0).integers(500, 3000, (bands, rows, cols)).astype(np.uint16)


def moved(cols: float, rows: float, transform: Affine = NORTH_UP) -> Affine:
    return transform * Affine.translation(cols, rows)


def epsg(stack: Stack) -> int | None:
    return pyproj.CRS(stack.lattice.crs).to_epsg()


def names(stack: Stack) -> list[list[list[str]]]:
    """File names by modality and date."""
    return [[[source.name for source in date] for date in item.sources] for item in stack.modalities]


# ---- Canonical order -------------------------------------------------------------------------------------------------


def test_the_order_of_the_arguments_never_matters(make_raster: MakeRaster) -> None:
    coarse = Affine(20, 0, 400_000, 0, -20, 5_800_000)
    height = Affine(1e-3, 0, 13.52, 0, -1e-3, 52.345)
    paths = [
        make_raster("s2_a_20210601.tif", optical(), names=S2),
        make_raster("s2_b_20210601.tif", optical(), names=S2, transform=moved(40, 0)),
        make_raster("s2_c_20210801.tif", optical(), names=S2, transform=moved(3, 0.5)),
        make_raster("swir.tif", optical(30, 20, 2), names=["B11", "B12"], transform=coarse),
        make_raster("dem.tif", np.full((1, 30, 30), 80.0, np.float32), crs="EPSG:4326", transform=height),
    ]
    first = open_stack(paths)
    assert names(first) == [
        [["s2_a_20210601.tif", "s2_b_20210601.tif"], ["s2_c_20210801.tif"]], [["swir.tif"]], [["dem.tif"]],
    ]  # fmt: skip
    assert first.first_date == DAY
    for order in itertools.islice(itertools.permutations(paths), 0, 120, 7):
        assert open_stack(order) == first


def test_a_file_given_twice_counts_once(make_raster: MakeRaster) -> None:
    path = make_raster("s2.tif", optical(), names=S2)
    assert open_stack([path, str(path)]) == open_stack([path])


def test_the_finest_is_the_first_of_the_modality_that_the_lattice_comes_from(make_raster: MakeRaster) -> None:
    # By name b is second, by bounds it is first: whichever wins must win for both.
    east, west = moved(41.3, 0), moved(0.7, 0)
    stack = open_stack(
        [
            make_raster("tile_a.tif", optical(), names=S2, transform=east),
            make_raster("tile_b.tif", optical(), names=S2, transform=west),
        ]
    )
    assert stack.finest.transform == stack.modalities[0].frame.transform
    assert stack.lattice.phase_x == pytest.approx(stack.finest.transform.c % 10.0)


# ---- The lattice -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cell_size", "expected"), [(None, 20.0), (35.0, 35.0), (0.5, 0.5)])
def test_a_cell_is_two_pixels_of_the_finest_unless_told(
    make_raster: MakeRaster, cell_size: float | None, expected: float
) -> None:
    assert open_stack([make_raster()], cell_size=cell_size).lattice.cell_size == expected


def test_cell_edges_lie_on_the_finest_sources_pixel_edges(make_raster: MakeRaster) -> None:
    stack = open_stack([make_raster(transform=Affine(10, 0, 400_003.25, 0, -10, 5_800_007.5))])
    assert (stack.lattice.phase_x, stack.lattice.phase_y) == (3.25, 7.5)
    bounds = stack.lattice.bounds(stack.cells)
    assert (bounds.left - 400_003.25) % 10 == 0
    assert (bounds.top - 5_800_007.5) % 10 == 0


@pytest.mark.parametrize(
    ("profile", "code"),
    [
        ({"crs": "EPSG:4326", "transform": Affine(1e-4, 0, 14.0, 0, -1e-4, 52.0)}, 32633),
        ({"crs": "EPSG:2264", "transform": Affine(30, 0, 1_500_000, 0, -30, 600_000)}, 32617),  # US survey feet
        ({"transform": NORTH_UP * Affine.rotation(30)}, 32633),
    ],
)
def test_a_finest_source_in_degrees_or_feet_or_turned_has_phase_zero_and_a_measured_cell(
    make_raster: MakeRaster, profile: dict[str, object], code: int
) -> None:
    stack = open_stack([make_raster(**profile)])
    assert epsg(stack) == code
    assert (stack.lattice.phase_x, stack.lattice.phase_y) == (0, 0)
    # Twice the GSD on the ground, up to the scale of the projection.
    assert stack.lattice.cell_size == pytest.approx(2 * stack.finest.gsd, rel=0.01)
    told = [note for note in stack.notes if "is not in metres" in note]
    assert len(told) == (0 if "crs" not in profile else 1)


def test_another_crs_for_the_grid_may_be_asked_for_in_metres_only(make_raster: MakeRaster) -> None:
    path = make_raster()
    assert epsg(open_stack([path], crs="EPSG:3035")) == 3035
    with pytest.raises(ParameterError, match="crs EPSG:4326 does not count in metres"):
        open_stack([path], crs="EPSG:4326")


def test_pixels_that_are_not_square_give_cells_of_twice_their_mean_side(make_raster: MakeRaster) -> None:
    stack = open_stack([make_raster(transform=Affine(5, 0, 400_000, 0, -20, 5_800_000))])
    assert stack.lattice.cell_size == 2 * math.sqrt(5 * 20)


# ---- Modalities, mosaics and dates -----------------------------------------------------------------------------------


def test_files_of_one_date_are_a_mosaic_and_other_dates_another_time(make_raster: MakeRaster) -> None:
    stack = open_stack(
        [
            make_raster("s2_x_20210801.tif", optical(), names=S2),
            make_raster("s2_y_20210601.tif", optical(), names=S2),
            make_raster("s2_z_20210601.tif", optical(), names=S2, transform=moved(20, 0)),
        ]
    )
    (item,) = stack.modalities
    assert item.dates == (DAY, LATER)
    assert item.shape == (2, 4)
    assert names(stack) == [[["s2_y_20210601.tif", "s2_z_20210601.tif"], ["s2_x_20210801.tif"]]]


@pytest.mark.parametrize(("shift", "dates"), [(40, 1), (21, 1), (20, 2), (0, 2)])
def test_undated_files_that_overlap_by_half_are_dates_and_else_a_mosaic(
    make_raster: MakeRaster, shift: int, dates: int
) -> None:
    stack = open_stack(
        [
            make_raster("early.tif", optical(), names=S2, transform=moved(shift, 0)),
            make_raster("late.tif", optical(), names=S2),
        ]
    )
    assert len(stack.modalities[0].dates) == dates
    said = [note for note in stack.notes if "overlap and carry no date" in note]
    told = ["early.tif, late.tif overlap and carry no date: taken as 2 dates in order of name."]
    assert said == ([] if dates == 1 else told)


def test_a_modality_is_one_sensor_at_one_gsd(make_raster: MakeRaster) -> None:
    coarse = Affine(20, 0, 400_000, 0, -20, 5_800_000)
    stack = open_stack(
        [
            make_raster("s2.tif", optical(), names=S2),
            make_raster("s2_coarse.tif", optical(30, 20), names=S2, transform=coarse),
            make_raster("s1.tif", np.full((2, 60, 40), -12.5, np.float32), names=["VV", "VH"]),
        ]
    )
    found = [(item.sensor, item.gsd) for item in stack.modalities]
    assert found == [("sentinel1-db", 10.0), ("sentinel2-l2a", 10.0), ("sentinel2-l2a", 20.0)]
    assert len({item.name for item in stack.modalities}) == 3


def test_dates_whose_numbers_are_coded_differently_are_dates_of_one_modality_in_one_coding(
    make_raster: MakeRaster,
) -> None:
    # From processing baseline 04.00 on, 1000 is added to Sentinel-2's numbers.
    values = optical()
    old = make_raster("s2_20210601.tif", values, names=S2, tags={"PROCESSING_BASELINE": "03.00"})
    new = make_raster("s2_20230601.tif", values + 1000, names=S2, tags={"PROCESSING_BASELINE": "05.09"})
    stack = open_stack([old, new])
    (item,) = stack.modalities
    one, two = (date[0].normalisation[0] for date in item.sources)
    assert one is not None
    assert two is not None
    assert two.offset - one.offset == pytest.approx(-0.1)
    with StackReader(stack) as reader:
        found = reader.window(item, stack.cells, 0)
    assert np.array_equal(found.pixels[0], values)
    assert np.allclose(found.pixels[1], values, atol=1e-3)


def test_a_source_on_another_pixel_grid_is_warped_and_that_is_said(make_raster: MakeRaster) -> None:
    stack = open_stack(
        [
            make_raster("s2_a_20210601.tif", optical(), names=S2),
            make_raster("s2_b_20210601.tif", optical(), names=S2, transform=moved(20.5, 0)),
        ]
    )
    assert [note for note in stack.notes if "warped" in note] == [
        "s2_b_20210601.tif lies on another pixel grid than s2_a_20210601.tif and is warped onto it."
    ]


def test_patches_of_very_many_pixels_are_read_averaged(make_raster: MakeRaster) -> None:
    path = make_raster("s2.tif", optical(300, 300), names=S2)
    plain = open_stack([path], cell_size=10.0 * PIXELS_ALONG_CELL).modalities[0]
    averaged = open_stack([path], cell_size=10.0 * PIXELS_ALONG_CELL * 3).modalities[0]
    assert (plain.gsd, plain.frame.transform.a) == (10.0, 10.0)
    assert (averaged.gsd, averaged.frame.transform.a) == (40.0, 40.0)


def test_maps_of_classes_are_left_out_and_alone_refused(make_raster: MakeRaster) -> None:
    classes = np.random.default_rng(0).integers(1, 5, (1, 60, 40)).astype(np.uint8)
    image, cover = make_raster("s2.tif", optical(), names=S2), make_raster("landcover.tif", classes)
    stack = open_stack([image, f"{cover}:as=map"])
    assert names(stack) == [[["s2.tif"]]]
    assert "landcover.tif is a map of classes and is not embedded." in stack.notes
    with pytest.raises(InputError, match="every one given is a map of classes"):
        open_stack([f"{cover}:as=map"])


# ---- The ground covered ----------------------------------------------------------------------------------------------


def test_the_cells_cover_the_finest_modality_and_no_more(make_raster: MakeRaster) -> None:
    coarse = Affine(60, 0, 399_000, 0, -60, 5_801_000)
    stack = open_stack(
        [
            make_raster("s2_a_20210601.tif", optical(), names=S2),
            make_raster("s2_b_20210601.tif", optical(), names=S2, transform=moved(40, 0)),
            make_raster("wide.tif", optical(60, 60, 2), names=["B01", "B09"], transform=coarse),
        ]
    )
    assert stack.lattice.bounds(stack.cells).as_tuple() == (400_000, 5_799_400, 400_800, 5_800_000)
    assert stack.area_km2 == pytest.approx(0.48)


def test_union_and_intersection_take_all_rasters(make_raster: MakeRaster) -> None:
    coarse = Affine(20, 0, 400_200, 0, -20, 5_800_100)
    paths = [
        make_raster("s2.tif", optical(), names=S2),
        make_raster("swir.tif", optical(30, 20, 2), names=["B11", "B12"], transform=coarse),
    ]
    union, shared = open_stack(paths, extent="union"), open_stack(paths, extent="intersection")
    assert union.lattice.bounds(union.cells).as_tuple() == (400_000, 5_799_400, 400_600, 5_800_100)
    assert shared.lattice.bounds(shared.cells).as_tuple() == (400_200, 5_799_500, 400_400, 5_800_000)


def test_an_extent_is_widened_to_whole_cells_and_cut_to_the_rasters(make_raster: MakeRaster) -> None:
    path = make_raster("s2.tif", optical(), names=S2)
    stack = open_stack([path], extent="399000,5799990,400030,5800500")
    assert stack.lattice.bounds(stack.cells).as_tuple() == (400_000, 5_799_980, 400_040, 5_800_000)
    with pytest.raises(NoOverlapError, match="extent 0,0,10,10 does not touch the rasters"):
        open_stack([path], extent="0,0,10,10")


def test_the_extent_changes_the_cells_and_nothing_else(make_raster: MakeRaster) -> None:
    path = make_raster("s2.tif", optical(), names=S2)
    part = open_stack([path], extent="400100,5799700,400200,5799800")
    assert dataclasses.replace(open_stack([path]), cells=part.cells) == part
    assert part.cells == CellRange(-289_990, 20_005, 5, 5)


def test_fault_04_the_raster_far_from_the_others_is_named(make_raster: MakeRaster) -> None:
    near = [
        make_raster(f"s2_2021060{day}.tif", optical(), names=S2, transform=moved(day, 0)) for day in range(1, 5)
    ]  # fmt: skip
    far = make_raster("far.tif", optical(bands=2), names=["B11", "B12"], transform=moved(5000, 0))
    with pytest.raises(NoOverlapError, match=r"far\.tif does not overlap others by a cell"):
        open_stack([*near, far])
    with pytest.raises(NoOverlapError, match=r"does not overlap (far|s2_20210601)\.tif by a cell"):
        open_stack([near[0], far])
    # 2 x 1 pixels in common: 200 m², less than a cell.
    touching = make_raster("touching.tif", optical(bands=2), names=["B11", "B12"], transform=moved(39, 59))
    with pytest.raises(NoOverlapError, match="by a cell"):
        open_stack([near[0], touching], cell_size=50)


def test_fault_04_tiles_of_a_mosaic_may_adjoin_but_not_lie_apart(make_raster: MakeRaster) -> None:
    first = make_raster("tile_a.tif", optical(), names=S2)
    adjoining = make_raster("tile_b.tif", optical(), names=S2, transform=moved(40, 0))
    apart = make_raster("tile_c.tif", optical(), names=S2, transform=moved(143, 0))
    stack = open_stack([first, adjoining])
    assert stack.cells.shape == (30, 40)
    assert len(stack.modalities[0].dates) == 1
    with pytest.raises(NoOverlapError, match=r"tile_c\.tif does not overlap tile_a\.tif or tile_b\.tif by a cell"):
        open_stack([first, adjoining, apart])


def test_fault_04_two_clusters_far_apart_are_not_one_place(make_raster: MakeRaster) -> None:
    coarse, far = Affine(20, 0, 400_000, 0, -20, 5_800_000), moved(20_000, 0)
    pairs = [
        [
            make_raster(f"p{number}a.tif", optical(), names=S2, transform=place),
            make_raster(f"p{number}b.tif", optical(30, 20, 2), names=["B11", "B12"], transform=place * Affine.scale(2)),
        ]
        for number, place in ((1, NORTH_UP), (2, far))
    ]
    third = make_raster("p1c.tif", optical(30, 20, 1), names=["B05"], transform=coarse)
    with pytest.raises(NoOverlapError, match=r"^p2a\.tif does not overlap others by a cell"):
        open_stack([*pairs[0], third, *pairs[1]])
    wide = make_raster("dem.tif", np.full((1, 60, 2040), 80.0, np.float32), transform=NORTH_UP * Affine.scale(10, 10))
    assert len(open_stack([*pairs[0], *pairs[1], f"{wide}:as=dem"]).modalities) == 3  # what lies under both joins them


def test_a_raster_smaller_than_a_cell_overlaps_what_it_lies_in(make_raster: MakeRaster) -> None:
    speck = make_raster("speck.tif", np.full((1, 1, 1), 80.0, np.float32), transform=moved(20, 20))
    stack = open_stack([make_raster("s2.tif", optical(), names=S2), f"{speck}:as=dem"], cell_size=60)
    assert len(stack.modalities) == 2


def test_tiles_in_two_utm_zones_are_one_stack_in_the_finest_ones_crs(make_raster: MakeRaster, tmp_path: Path) -> None:
    west = Affine(10, 0, 780_000, 0, -10, 5_700_000)
    left, bottom, _, _ = rasterio.warp.transform_bounds("EPSG:32632", "EPSG:32633", 780_000, 5_699_400, 780_400, 5.7e6)
    east = Affine(10, 0, round(left / 10) * 10 + 200, 0, -10, round(bottom / 10) * 10 + 600)
    for first, second in (("a.tif", "b.tif"), ("b.tif", "a.tif")):
        stack = open_stack(
            [
                make_raster(first, optical(), names=S2, crs="EPSG:32632", transform=west),
                make_raster(second, optical(), names=S2, crs="EPSG:32633", transform=east),
            ]
        )
        assert epsg(stack) == pyproj.CRS(stack.finest.crs).to_epsg()
        assert stack.modalities[0].frame.placement(stack.finest) is not None


def test_a_slip_of_the_unit_is_refused(make_raster: MakeRaster) -> None:
    wide = make_raster(transform=Affine(10_000, 0, 400_000, 0, -10_000, 5_800_000))
    with pytest.raises(ParameterError, match=r"cell_size of 0\.001 m makes .* cells; give a larger one"):
        open_stack([wide], cell_size=0.001)
