"""A warning, and a flag of the processor, is no failure, however the process treats them."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from conformance import REQUIREMENTS, Budget, Crashed, Failed, Misbehaviour, Passed, check
from conformance.implementations.implementation import run
from conformance.implementations.lenient import lenient
from conformance.implementations.loading import of_class
from reference import Case, Result
from tests.support.cases import RoundedReference
from tests.support.kinds import PLAIN


def raise_the_flag_of_an_infinity() -> None:
    """What a matrix product with an infinity does on some processors, on every one."""
    np.multiply(np.array([np.inf]), np.array([0.0]))


class Warns(RoundedReference):
    """Is right, but sets off a flag and warns at each call."""

    def run(self, case: Case) -> Result:
        raise_the_flag_of_an_infinity()
        warnings.warn("a kernel that is not the fastest", UserWarning, stacklevel=1)
        return super().run(case)


class InsistsOnFlags(Warns):
    """Has asked for an exception itself."""

    def run(self, case: Case) -> Result:
        with np.errstate(invalid="raise"):
            return super().run(case)


class ChangesFilters(Warns):
    """Leaves a filter behind."""

    def run(self, case: Case) -> Result:
        warnings.simplefilter("ignore", UnicodeWarning)
        return super().run(case)


class WarnsAsModule(torch.nn.LSTM):
    """Warns when it is made and when it is called."""

    def __init__(self, *args: Any, **options: Any) -> None:
        warnings.warn("made", FutureWarning, stacklevel=1)
        super().__init__(*args, **options)

    def forward(self, *args: Any) -> Any:
        warnings.warn("called", FutureWarning, stacklevel=1)
        return super().forward(*args)


@pytest.fixture(autouse=True)
def strict() -> Iterator[None]:
    """Every warning and every flag is an exception, and is so afterwards."""
    with warnings.catch_warnings(record=True), np.errstate(all="raise"):
        warnings.simplefilter("error")
        filters = list(warnings.filters)
        yield
        assert list(warnings.filters) == filters
        assert set(np.geterr().values()) == {"raise"}
        with pytest.raises(FloatingPointError):
            raise_the_flag_of_an_infinity()
        with pytest.raises(UserWarning):
            warnings.warn("again", UserWarning, stacklevel=1)


@pytest.mark.parametrize(
    "name",
    [
        "results_match_reference",
        "infinity_stays_in_its_row",
        "huge_preactivations_saturate",
        "tiny_numbers_are_kept",
    ],
)
def test_right_lstm_that_warns_is_right(name: str) -> None:
    """No requirement takes its warnings for a failure, whatever numbers it draws."""
    verdict = check(REQUIREMENTS[name], Warns(), budget=Budget(4, seed=3))
    assert verdict.conformant, verdict


def test_single_run_is_not_ended_by_a_warning() -> None:
    """Also where an implementation is called alone, as in a test of somebody's own."""
    assert run(Warns(), PLAIN).output.shape == PLAIN.output_shape()


def test_module_that_warns_is_adapted_with_all_that_it_takes() -> None:
    """No option is taken for unsupported because trying it warned."""
    silent = of_class(torch.nn.LSTM, "silent")
    warning = of_class(WarnsAsModule, "warning")
    assert warning.supports == silent.supports
    verdict = check(REQUIREMENTS["results_match_reference"], warning, budget=Budget(4, seed=3))
    assert isinstance(verdict, Passed), verdict


def test_what_an_implementation_sets_to_raise_does_raise() -> None:
    """The exception is what it wanted, so it is the implementation's."""
    with pytest.raises(Misbehaviour, match="raised FloatingPointError: invalid value"):
        run(InsistsOnFlags(), PLAIN)
    requirement = REQUIREMENTS["results_match_reference"]
    assert isinstance(check(requirement, InsistsOnFlags(), budget=Budget(2, seed=3)), Crashed)


def test_filter_that_an_implementation_leaves_behind_is_found() -> None:
    """Strict warnings hide neither the change nor, afterwards, themselves."""
    verdict = check(REQUIREMENTS["process_state_is_left_alone"], ChangesFilters())
    assert isinstance(verdict, Failed), verdict
    assert verdict.counterexample is not None
    assert verdict.counterexample.what == "warnings.filters"


def test_filters_set_within_outlive_the_context() -> None:
    """Beside those that were there, which are as before."""
    with warnings.catch_warnings():
        before = list(warnings.filters)
        with lenient():
            warnings.simplefilter("ignore", UnicodeWarning)
            with pytest.warns(UserWarning, match="seen"):
                warnings.warn("seen", UserWarning, stacklevel=1)
        after = list(warnings.filters)
    assert after[1:] == before
    assert after[0][0] == "ignore"
