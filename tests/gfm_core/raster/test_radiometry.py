"""How stored numbers become physical."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from gfm_core.bands import Normalisation
from gfm_core.raster.guess import guess

from .conftest import facts

S2 = ["B02", "B03", "B04", "B08"]
NEW, OLD = datetime.date(2023, 6, 1), datetime.date(2018, 6, 1)


def coding(names: list[str], date: datetime.date | None = None, **more: Any) -> tuple[float, float] | None:
    """Scale and offset of the first band as `guess` finds them; None if it is left to be fitted."""
    first = guess(facts(list(names), **more), dates=[date] if date else [])[0].normalisation[0]
    assert first is None or isinstance(first, Normalisation)
    return None if first is None else (pytest.approx(first.scale), pytest.approx(first.offset))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, (1e-4, 0)),
        ({"tags": {"QUANTIFICATION_VALUE": "1000"}}, (1e-3, 0)),
        ({"tags": {"BOA_ADD_OFFSET": "-1000", "QUANTIFICATION_VALUE": "10000"}}, (1e-4, -0.1)),
        ({"tags": {"PROCESSING_BASELINE": "04.00"}}, (1e-4, -0.1)),
        ({"tags": {"PROCESSING_BASELINE": "02.04"}, "date": NEW}, (1e-4, 0)),
        ({"name": "S2A_MSIL2A_20230601T1_N0509_R1.tif"}, (1e-4, -0.1)),
        ({"name": "S2A_MSIL2A_20180601T1_N0208_R1.tif"}, (1e-4, 0)),
        ({"date": NEW, "values": (1050.0, 4000.0)}, (1e-4, -0.1)),
        ({"date": NEW, "values": (300.0, 4000.0)}, (1e-4, 0)),
        ({"date": OLD, "values": (1050.0, 4000.0)}, (1e-4, 0)),
        ({"values": (9_000.0, 60_000.0)}, None),
        ({"scales": (1 / 65535,) * 4}, (1 / 65535, 0)),
        ({"dtype": "uint8", "values": (0.0, 255.0)}, None),
        ({"dtype": "float32", "values": (0.0, 0.6)}, (1, 0)),
    ],
)
def test_sentinel2_coding(more: dict[str, Any], expected: tuple[float, float] | None) -> None:
    settings = {"values": (200.0, 3000.0), "name": "s2_l2a.tif", **more}
    assert coding(S2, **settings) == expected


@pytest.mark.parametrize(
    ("names", "more", "expected"),
    [
        (["SR_B2", "SR_B3"], {"values": (7400.0, 12_000.0)}, (2.75e-5, -0.2)),
        (["SR_B2", "SR_B3"], {"values": (100.0, 3000.0), "dtype": "int16"}, (1e-4, 0)),
        (["blue", "green"], {"name": "landsat8.tif", "values": (7400.0, 9000.0)}, None),
        (["blue", "green"], {"tags": {"PRODUCT": "Landsat 8 surface reflectance x 10000"}}, (1e-4, 0)),
        (["blue", "green"], {"tags": {"PRODUCT": "Landsat 7 digital numbers"}, "dtype": "uint8"}, None),
        (["blue", "green"], {"name": "drone.tif"}, None),
        (["sur_refl_b01"], {"dtype": "int16"}, (1e-4, 0)),
        (["red", "green", "blue"], {"dtype": "uint8", "values": (0.0, 255.0)}, (1 / 255, 0)),
        (["NDVI"], {"dtype": "int16", "values": (-2000.0, 9000.0)}, (1e-4, 0)),
        (["NDVI"], {"dtype": "float32", "values": (-0.2, 0.9)}, (1, 0)),
        (["elevation"], {"dtype": "int16"}, (1, 0)),
        (["elevation"], {"dtype": "float32", "units": ("ft",)}, (0.3048, 0)),
        (["elevation"], {"dtype": "int16", "scales": (0.1,)}, (0.1, 0)),
        (["VV", "VH"], {"dtype": "float32", "values": (-25.0, 0.0)}, (1, 0)),
        (["VV", "VH"], {"dtype": "uint16", "values": (0.0, 900.0)}, None),
        (["foo"], {}, None),
    ],
)
def test_coding_of_other_sensors(names: list[str], more: dict[str, Any], expected: tuple[float, float] | None) -> None:
    assert coding(names, **more) == expected


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        (295.0, "float32", (1, 0)),
        (2950.0, "float32", (0.1, 0)),
        (22.0, "float32", (1, 273.15)),
        (42_700.0, "uint16", (0.00341802, 149.0)),
        (90.0, "uint8", None),
    ],
)
def test_thermal_numbers_become_kelvin(value: float, dtype: str, expected: tuple[float, float] | None) -> None:
    assert coding(["ST_B10"], values=value, dtype=dtype) == expected


def test_what_was_assumed_is_said() -> None:
    (found,) = guess(facts(list(S2), name="s2_l2a.tif", values=(1050.0, 4000.0)))
    assert any("assumed" in reason and "-1000" in reason for reason in found.reasons)
