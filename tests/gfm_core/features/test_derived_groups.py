from __future__ import annotations

import datetime

import numpy as np
import pytest
from sklearn.cluster import KMeans

from gfm_core.bands import Band, BandKind, Normalisation
from gfm_core.features.groups import Column, statistic_columns
from gfm_core.features.indices import SensorBands, find_indices, index_columns, index_values
from gfm_core.features.prototypes import COUNT, Prototypes

RED, NIR = Band("B04", BandKind.OPTICAL, 665.0), Band("B08", BandKind.OPTICAL, 842.0)
UNITS = (Normalisation(0.0001, 0.0, 0.08, 0.06), Normalisation(0.0001, 0.0, 0.25, 0.1))


def columns_of(sensor: SensorBands) -> tuple[Column, ...]:
    dates: list[datetime.date | None] = [datetime.date(2020, 1 + number, 1) for number in range(sensor.dates)]
    return statistic_columns("fine", sensor.modality, dates, sensor.bands)


def test_ndvi_comes_out_of_normalised_columns_in_reflectance() -> None:
    sensor = SensorBands("s2_10m", 1, (RED, NIR), UNITS)
    columns = columns_of(sensor)
    found = find_indices(columns, [sensor])
    assert [item.name for item in index_columns(found)] == ["s2_10m nir - red value", "s2_10m nir - red mean5"]
    reflectance = np.random.default_rng(0).uniform(0.02, 0.5, (2, 6, 7))
    fine = np.zeros((len(columns), 6, 7), np.float32)
    names = [column.name for column in columns]
    for band, units, values in zip(("B04", "B08"), UNITS, reflectance, strict=True):
        for statistic in ("value", "mean5"):
            fine[names.index(f"s2_10m {band} {statistic}")] = (values - units.centre) / units.spread
    red, nir = reflectance
    np.testing.assert_allclose(index_values(found, fine)[0], (nir - red) / (nir + red), atol=1e-5)


def test_every_date_has_its_own_and_unknown_bands_have_none() -> None:
    twice = SensorBands("s2_10m", 2, (RED, NIR), UNITS)
    assert [item.name for item in find_indices(columns_of(twice), [twice])] == [
        f"s2_10m date {date} nir - red {statistic}" for date in (1, 2) for statistic in ("value", "mean5")
    ]
    unknown = SensorBands("custom_1m", 1, (Band("band 1", BandKind.CUSTOM), NIR), UNITS)
    assert find_indices(columns_of(unknown), [unknown]) == ()
    radar = SensorBands("s1", 1, (Band("VV", BandKind.SAR), Band("VH", BandKind.SAR)), UNITS)
    assert find_indices(columns_of(radar), [radar]) == ()


def test_of_neighbouring_bands_the_one_in_the_middle_has_the_role() -> None:
    edges = [Band(name, BandKind.OPTICAL, nm) for name, nm in (("B8A", 865.0), ("B08", 833.0), ("B04", 665.0))]
    sensor = SensorBands("s2", 1, edges, (UNITS[1], UNITS[1], UNITS[0]))
    columns = columns_of(sensor)
    index = find_indices(columns, [sensor])[0]
    assert columns[index.first].name == "s2 B08 value"


def test_an_index_is_a_gap_where_a_band_is_and_never_leaves_its_range() -> None:
    sensor = SensorBands("s2_10m", 1, (RED, NIR), UNITS)
    columns = columns_of(sensor)
    fine = np.full((len(columns), 3), -50, np.float32)
    fine[:, 1] = np.nan
    value = index_values(find_indices(columns, [sensor]), fine)[0]
    assert np.isnan(value[1])
    assert np.abs(value[[0, 2]]).max() <= 1


def test_the_triangle_code_is_how_much_nearer_than_average_a_centre_is() -> None:
    rng = np.random.default_rng(0)
    sample = {"fine": rng.normal(size=(3000, 5)), "coarse": rng.normal(size=(3000, 3)), "network": np.zeros((3000, 2))}
    prototypes = Prototypes.fit(sample)
    assert prototypes is not None
    assert prototypes.centres.shape == (COUNT, 8)
    assert len(prototypes.columns) == COUNT
    rows = prototypes.scaler.apply(np.concatenate([sample["fine"], sample["coarse"]], axis=1))
    distance = np.linalg.norm(rows[:50, None] - prototypes.centres, axis=2)
    expected = np.maximum(distance.mean(axis=1, keepdims=True) - distance, 0)
    few = {group: values[:50] for group, values in sample.items()}
    np.testing.assert_allclose(prototypes.of(few), expected, atol=1e-5)
    best = KMeans(COUNT, n_init=1, random_state=0).fit(rows).inertia_
    ours = (np.linalg.norm(rows[:, None] - prototypes.centres, axis=2).min(axis=1) ** 2).sum()
    assert ours < 1.1 * best


def test_a_pixel_has_the_same_code_alone_and_among_others_to_the_bit() -> None:
    rng = np.random.default_rng(0)
    sample = {"fine": rng.normal(size=(500, 6)).astype(np.float32)}
    prototypes = Prototypes.fit(sample)
    assert prototypes is not None
    whole = prototypes.of(sample)
    np.testing.assert_array_equal(prototypes.of({"fine": sample["fine"][123:124]}), whole[123:124])
    np.testing.assert_array_equal(prototypes.of({"fine": sample["fine"][::7]}), whole[::7])


def test_what_is_not_known_has_no_code_and_gaps_count_as_the_mean() -> None:
    rng = np.random.default_rng(0)
    sample = rng.normal(size=(500, 6))
    prototypes = Prototypes.fit({"fine": sample})
    assert prototypes is not None
    row = sample[:1].copy()
    row[0, 2] = np.nan
    filled = row.copy()
    filled[0, 2] = prototypes.scaler.mean[2]
    np.testing.assert_allclose(prototypes.of({"fine": row}), prototypes.of({"fine": filled}), atol=1e-6)
    assert np.isnan(prototypes.of({"fine": np.full((2, 6), np.nan)})).all()


@pytest.mark.parametrize("values", [np.ones((50, 3)), np.full((50, 3), np.nan)])
def test_a_scene_without_anything_to_tell_apart_has_no_prototypes(values: np.ndarray) -> None:
    assert Prototypes.fit({"fine": values}) is None
    assert Prototypes.fit({"network": values}) is None


def test_a_handful_of_different_pixels_gives_as_many_prototypes() -> None:
    prototypes = Prototypes.fit({"fine": np.repeat(np.arange(5.0)[:, None], 40, axis=0)})
    assert prototypes is not None
    assert len(prototypes.centres) == 5
