"""An implementation gets the numbers of a case, and may not change what is true."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from conformance import REQUIREMENTS, Budget, Case, Crashed, Passed, Result, Support, check
from conformance.implementations.failures import Misbehaviour, Raised
from conformance.implementations.handing import handed
from conformance.implementations.implementation import answer, offered_gradients
from reference import Configuration, lstm, rounded
from tests.support import deceiving
from tests.support.cases import random_case

SIZES = Configuration(2, 3)


def made(name: str) -> Any:
    return getattr(deceiving, name)()


def given_to(case: Case, use: Callable[[Case], object]) -> None:
    """Let `use` have the case as an implementation gets it."""
    with handed(case) as given:
        use(given)


def clear(given: Case) -> None:
    given.input[...] = 0
    given.parameters["weight_hh_l0"][0, 0] += 1


def clear_and_raise(given: Case) -> None:
    clear(given)
    raise KeyError


def test_case_is_the_same_in_views() -> None:
    """Numbers, strides and options are those of the case; the arrays are others."""
    case = random_case(SIZES, dtype="float64")
    case = replace(case, input=np.asfortranarray(case.input))
    with handed(case) as given:
        assert given is not case
        assert given.input is not case.input
        assert np.shares_memory(given.input, case.input)
        assert given.input.strides == case.input.strides
        assert given.configuration is case.configuration
        assert {name: array.tobytes() for name, array in given.parameters.items()} == {
            name: array.tobytes() for name, array in case.parameters.items()
        }


def test_what_is_written_into_a_case_is_put_back_and_told() -> None:
    """Every array that has other numbers than before is named."""
    case = random_case(SIZES, dtype="float64")
    before = case.input.copy(), case.parameters["weight_hh_l0"].copy()
    with pytest.raises(Misbehaviour, match="altered weight_hh_l0, input of the case"):
        given_to(case, clear)
    np.testing.assert_array_equal(case.input, before[0])
    np.testing.assert_array_equal(case.parameters["weight_hh_l0"], before[1])


def test_what_is_raised_comes_out_as_it_is() -> None:
    """Arrays are put back after an exception as well."""
    case = random_case(SIZES, dtype="float64")
    before = case.input.copy()
    with pytest.raises(KeyError):
        given_to(case, clear_and_raise)
    np.testing.assert_array_equal(case.input, before)


def test_not_a_number_is_no_alteration() -> None:
    """Numbers are compared by their bits."""
    case = random_case(SIZES, dtype="float64")
    case.input[...] = np.nan
    case.input.view(np.uint64)[0] += 1
    with handed(case) as given:
        given.input[...] = given.input.copy()


def test_altered_cotangents_are_named() -> None:
    """Gradients are of the cotangents that were given."""

    class Alters:
        supports = Support()

        def gradients(self, case: Case, cotangents: Result) -> Any:
            cotangents.h_n[...] = 0
            return {"input": np.zeros_like(case.input)}

    case = random_case(SIZES, dtype="float64")
    ones = Result.of(np.ones_like(array) for _, array in lstm(case).items())
    implementation: Any = Alters()
    with pytest.raises(Misbehaviour, match="altered cotangent h_n of the case"):
        offered_gradients(implementation, case, ones)
    assert (ones.h_n == 1).all()


def test_altered_case_is_a_crash() -> None:
    """Zeros are not right for a case that the LSTM has set to zero."""
    item = REQUIREMENTS["results_match_reference"]
    verdict = check(item, made("AltersItsCase"), budget=Budget(4, 3, 0.0))
    assert isinstance(verdict, Crashed), verdict.lines()
    assert verdict.lines()[0].startswith("altered ")


def test_mapping_of_parameters_is_its_own() -> None:
    """What it takes out of the mapping is in the case all the same."""
    item = REQUIREMENTS["splitting_time_changes_nothing"]
    verdict = check(item, made("TakesOutParameters"), budget=Budget(4, 3, 0.0))
    assert isinstance(verdict, Passed), verdict.lines()


def test_results_are_those_of_their_call() -> None:
    """Arrays that are used again do not change what an earlier call returned."""
    case = random_case(SIZES, dtype="float64")
    implementation = made("UsesItsArraysAgain")
    first = answer(implementation, case)
    answer(implementation, replace(case, input=case.input + 1))
    for name, array in rounded(lstm(case), case.dtype).items():
        np.testing.assert_array_equal(getattr(first, name), array)


def test_array_without_end_is_no_result() -> None:
    """A view of one number, repeated more often than memory has room, is a fault of the answer."""

    class Repeats(deceiving.Sevens):
        def run(self, case: Case) -> Result:
            wide = np.broadcast_to(np.float64(7), (2**20, 2**20, 4))
            return Result.of([wide, wide, wide])

    repeats: Any = Repeats()
    with pytest.raises(Raised, match="MemoryError"):
        answer(repeats, random_case(SIZES, dtype="float64"))
