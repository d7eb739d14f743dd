"""Comparing results element by element."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from conformance.checking.comparison import against_reference, agree, close, plus
from conformance.checking.truth import arithmetic, truth
from conformance.implementations.failures import Mismatch
from reference import (
    DTYPES,
    Case,
    Configuration,
    Result,
    backward,
    gradient_bound,
    rounded,
    trace,
)
from tests.support.cases import RoundedReference, random_case

NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    ("got", "expected", "bound", "share"),
    [
        (1.0, 1.0, 0.0, 0.0),
        (1.5, 1.0, 1.0, 0.5),
        (0.5, 1.0, 1.0, 0.5),
        (2.0, 1.0, 1.0, 1.0),
        (NAN, NAN, 0.1, 0.0),
        (INF, INF, 0.1, 0.0),
        (-INF, -INF, INF, 0.0),
        (7.0, 1.0, INF, 0.0),
        (NAN, 1.0, INF, 0.0),
        (INF, 1.0, NAN, 0.0),
    ],
)
def test_close_tells_the_share_of_the_bound(
    got: float, expected: float, bound: float, share: float
) -> None:
    """The distance is measured in bounds; NaN equals NaN; an infinite bound claims nothing."""
    assert close("h_n", np.array([got]), np.array([expected]), np.array([bound])) == share


@pytest.mark.parametrize(
    ("got", "expected", "bound"),
    [
        (2.1, 1.0, 1.0),
        (1.0 + 1e-15, 1.0, 0.0),
        (NAN, 1.0, 1e9),
        (1.0, NAN, 1e9),
        (1.0, NAN, INF),
        (INF, 1.0, 1e9),
        (INF, -INF, 1e9),
        (1e300, INF, 1e9),
        (1e300, INF, INF),
        (INF, NAN, 1e9),
    ],
)
def test_close_refuses_what_is_off_by_more_than_the_bound(
    got: float, expected: float, bound: float
) -> None:
    """A number beyond the bound is refused, and NaN or infinity where there should be none."""
    with pytest.raises(Mismatch):
        close("h_n", np.array([got]), np.array([expected]), np.array([bound]))


def test_close_shows_the_worst_element() -> None:
    """The message has what, where, got, should be and allowed, of the element furthest off."""
    got, bound = np.array([[1.0, 2.0], [3.0, 9.0]]), np.array([[0.1, 1.0], [1.0, 3.0]])
    with pytest.raises(Mismatch) as caught:
        close("c_n", got, np.zeros((2, 2)), bound)
    mismatch = caught.value
    assert (mismatch.what, mismatch.where) == ("c_n", "[0, 0]")
    assert (mismatch.got, mismatch.expected, mismatch.allowed) == ("1.0", "0.0", 0.1)
    assert str(mismatch) == "c_n[0, 0] = 1.0, but should be 0.0 ± 0.1"


def test_close_shows_a_number_alone_without_a_place() -> None:
    """A number without dimensions has no place."""
    with pytest.raises(Mismatch, match=r"^the share = 2\.0, but should be 1\.0 ± 0\.5$"):
        close("the share", np.array(2.0), np.array(1.0), 0.5)


def test_close_refuses_another_shape() -> None:
    """Arrays that broadcast to each other do not agree."""
    with pytest.raises(Mismatch) as caught:
        close("output", np.zeros((1, 2)), np.zeros((2, 2)), 1.0)
    assert str(caught.value) == "output.shape = (1, 2), but should be (2, 2)"


def test_close_takes_empty_arrays() -> None:
    """Nothing is off where there is nothing."""
    assert close("output", np.zeros((3, 0)), np.zeros((3, 0)), np.zeros((3, 0))) == 0


def test_close_takes_one_bound_for_all() -> None:
    """A number stands for the bound on every element."""
    assert close("h_n", np.array([1.0, 3.0]), np.array([1.5, 2.0]), 4.0) == 0.25


def test_close_measures_in_the_wider_type() -> None:
    """An error below float64's resolution is seen if the true value is wider."""
    if DTYPES["float64"].wide == np.float64:
        pytest.skip("long double is no wider than double here")
    true = np.array([1.0], np.longdouble) + np.finfo(np.longdouble).eps
    share = close("h_n", np.array([1.0]), true, float(np.finfo(np.longdouble).eps) * 2)
    assert share == 0.5


@pytest.mark.parametrize("dtype", DTYPES)
def test_agree_takes_the_rounded_truth(dtype: str) -> None:
    """In every dtype the reference rounded to it lies within the bound, but not exactly."""
    case = random_case(Configuration(3, 4, num_layers=2), dtype=dtype)
    known = truth(case, RoundedReference())
    share = agree(rounded(known.result, case.dtype), known.result, known.bound)
    assert 0 < share < 1


@pytest.mark.parametrize("name", ["output", "h_n", "c_n"])
def test_agree_looks_at_every_array(name: str) -> None:
    """One element of any array that is off by twice its bound is named."""
    known = truth(random_case(Configuration(3, 4, num_layers=2)), RoundedReference())
    arrays = {key: array.copy() for key, array in known.result.items()}
    bound = dict(known.bound.items())[name]
    arrays[name][1, 2, 3] += 2 * bound[1, 2, 3]
    with pytest.raises(Mismatch) as caught:
        agree(Result.of(arrays.values()), known.result, known.bound)
    assert (caught.value.what, caught.value.where) == (name, "[1, 2, 3]")
    assert caught.value.allowed == bound[1, 2, 3]


def test_plus_adds_bounds() -> None:
    """The sum of two bounds is that of each array's elements."""
    ones: Any = Result(np.ones(2), np.ones(3), np.ones(4))
    total = plus(ones, plus(ones, ones))
    assert [array.tolist() for _, array in total.items()] == [[3] * 2, [3] * 3, [3] * 4]


def test_against_reference_runs_the_implementation() -> None:
    """The share of an implementation that rounds the truth is positive and below one."""
    implementation = RoundedReference()
    case = random_case(Configuration(3, 4))
    assert 0 < against_reference(implementation, case) < 1
    (seen,) = implementation.seen
    assert np.shares_memory(seen.input, case.input), "a view of the same case"


@pytest.mark.parametrize("dtype", DTYPES)
def test_float32_on_cuda_may_take_subnormal_numbers_for_zero(dtype: str) -> None:
    """Bounds allow it there and nowhere else; 2^-130 is lost only there."""
    case = random_case(Configuration(2, 2), dtype=dtype)
    on_cuda = replace(case, device="cuda:0")
    implementation = RoundedReference()
    here, there = (arithmetic(each, implementation) for each in (case, on_cuda))
    assert here.subnormal == DTYPES[dtype].subnormal
    assert there.flushes == (dtype == "float32")
    assert replace(there, subnormal=here.subnormal, flushes=False) == here


@pytest.mark.parametrize("weight", [1.0, 1000.0])
def test_what_is_lost_with_a_subnormal_factor_grows_with_the_other_one(weight: float) -> None:
    """The gradient of the candidate's sum, 2^-127, may be taken for zero; 2^-110 may not."""
    case = random_case(Configuration(1, 1), seq_len=1, batch_size=1)
    parameters = {name: np.zeros_like(array) for name, array in case.parameters.items()}
    parameters["weight_ih_l0"][2] = weight  # the candidate's
    zero = np.zeros((1, 1, 1), np.float32)

    def of_input(size: float, device: str) -> tuple[float, float]:
        asked = Case(case.configuration, parameters, zero, zero, zero, device=device)
        evaluated, of_c = trace(asked), Result(zero, zero, zero + 2 * np.float32(size))
        bound = gradient_bound(evaluated, of_c, arithmetic(asked, RoundedReference()))
        return backward(evaluated, of_c)["input"].item(), bound["input"].item()

    gradient, bound = of_input(2.0**-127, "cuda:0")
    assert gradient == weight * 2.0**-127
    assert gradient < bound
    assert of_input(2.0**-127, "cpu")[1] < gradient / 2
    gradient, bound = of_input(2.0**-110, "cuda:0")
    assert gradient == weight * 2.0**-110
    assert bound < gradient / 2
