"""Points on a logarithmic axis."""

import math

import pytest

from conformance.running.reporting.pages.strips import LEFT, RIGHT, SHARES, UNITS, Scale


@pytest.mark.parametrize("scale", [SHARES, UNITS])
def test_powers_of_ten_are_equally_far_apart(scale: Scale) -> None:
    """From one end to the other."""
    count = round(math.log10(scale.most / scale.least))
    places = [scale.at(scale.least * 10**power) for power in range(count + 1)]
    step = (RIGHT - LEFT) / count
    assert places == pytest.approx([LEFT + step * number for number in range(count + 1)], abs=0.01)


@pytest.mark.parametrize(
    ("value", "place"), [(0, LEFT), (1e-9, LEFT), (math.nan, LEFT), (1e9, RIGHT), (math.inf, RIGHT)]
)
def test_what_lies_beyond_an_end_is_at_the_end(value: float, place: float) -> None:
    """Zero and infinity as well."""
    assert SHARES.at(value) == place
