"""Numbers that are all rounded to one side are told from those that are rounded to nearest."""

from collections.abc import Callable

import numpy as np
import pytest

from conformance.requirements.rounding import Rounded, to_one_side
from reference import DTYPES, Array

TRUE = np.random.default_rng(0).choice([-1, 1], 2000) * np.exp2(
    np.random.default_rng(1).uniform(-4, 1, 2000).astype(np.longdouble)
)


def directed(true: Array, name: str, of: Callable[[Array], Array]) -> Array:
    """Round by `of` the numbers of units in the last place of the dtype `name`."""
    _, exponent = np.frexp(true)
    unit = np.ldexp(np.longdouble(2 * DTYPES[name].unit_roundoff), exponent - 1)
    rounded: Array = of(true / unit) * unit
    return rounded


@pytest.mark.parametrize("dtype", list(DTYPES))
@pytest.mark.parametrize(
    ("side", "of"),
    [
        ("toward zero", np.trunc),
        ("up", np.ceil),
        ("down", np.floor),
        ("one unit up", lambda units: np.rint(units) + 1),
    ],
)
def test_numbers_rounded_to_one_side_are_found(
    dtype: str, side: str, of: Callable[[Array], Array]
) -> None:
    """In every dtype, also if one in twenty is rounded to nearest."""
    got = directed(TRUE, dtype, of)
    got[::20] = directed(TRUE, dtype, np.rint)[::20]
    assert side in to_one_side(got, Rounded("c_n", (), TRUE), DTYPES[dtype])


@pytest.mark.parametrize("dtype", list(DTYPES))
@pytest.mark.parametrize("off", [-0.3, 0.0, 0.3, 1.7])
def test_approximations_are_not_taken_for_numbers_rounded_to_one_side(
    dtype: str, off: float
) -> None:
    """Neither the nearest numbers nor those of a function that is a little off."""
    near = TRUE * (1 + off * DTYPES[dtype].unit_roundoff)
    got = directed(near, dtype, np.rint)
    assert not to_one_side(got, Rounded("c_n", (), TRUE), DTYPES[dtype])


def test_few_numbers_tell_nothing() -> None:
    """Nor do those of one binade only."""
    dtype = DTYPES["float16"]
    one = np.abs(TRUE) / np.exp2(np.floor(np.log2(np.abs(TRUE))))
    for true in (TRUE[:100], one):
        got = directed(true, "float16", np.trunc)
        assert not to_one_side(got, Rounded("c_n", (), true), dtype)
