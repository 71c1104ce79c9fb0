"""What a band is, and how stored numbers become the network's units."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gfm_core.bands import Band, BandKind, Normalisation
from gfm_core.errors import InputError


@pytest.mark.parametrize("wavelength", [0.56, 0.0, -560.0, 2e6, float("nan")])
def test_a_wavelength_that_cannot_be_nanometres_is_refused(wavelength: float) -> None:
    with pytest.raises(InputError, match=r"Band green has a wavelength of .* give it in nanometres"):
        Band("green", BandKind.OPTICAL, wavelength)


@given(
    st.floats(-1e4, 1e4), st.floats(1e-5, 10), st.floats(-10, 10), st.floats(-300, 300), st.floats(0.01, 300)
)  # fmt: skip
def test_factor_and_constant_say_the_same_as_the_four_numbers(
    value: float, scale: float, offset: float, centre: float, spread: float
) -> None:
    factor, constant = Normalisation(scale, offset, centre, spread).linear()
    expected = ((value * scale + offset) - centre) / spread
    assert value * factor + constant == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_reflectance_of_typical_land_becomes_zero() -> None:
    factor, constant = Normalisation(scale=1e-4, offset=-0.1, centre=0.25, spread=0.1).linear()
    assert 3500 * factor + constant == pytest.approx(0.0, abs=1e-12)
    assert 4500 * factor + constant == pytest.approx(1.0)


def test_a_normalisation_survives_json() -> None:
    kept = Normalisation(1e-4, -0.1, 0.25, 0.1, fitted=True)
    assert Normalisation(**json.loads(json.dumps(kept.to_dict()))) == kept
