"""Arrays of wrong shapes, given to what is no torch module."""

from dataclasses import replace

import pytest

from conformance import REQUIREMENTS, Budget, Failed, NotApplicable, Passed, Support, Verdict, check
from reference import Case, Result
from tests.support.cases import RoundedReference

HANDED_ON = (
    "wrong_feature_size_is_refused",
    "wrong_state_features_are_refused",
    "wrong_state_batch_is_refused",
    "empty_sequence_is_refused",
)


class Checking(RoundedReference):
    """Raises what PyTorch would not raise where the shapes are not those of the case."""

    def run(self, case: Case) -> Result:
        c = case.configuration
        steps, features = case.input.shape[int(c.batch_first)], case.input.shape[-1]
        if not steps or features != c.input_size:
            raise KeyError("input")
        for state, size in ((case.h_0, c.output_size), (case.c_0, c.hidden_size)):
            if state is not None and state.shape != case.state_shape(size):
                raise KeyError("state")
        return super().run(case)


class Careless(Checking):
    """Takes whatever it is given, and answers with zeros."""

    def run(self, case: Case) -> Result:
        return Result.of([case.input, case.input, case.input])


def verdict(requirement: str, implementation: RoundedReference) -> Verdict:
    return check(REQUIREMENTS[requirement], implementation, budget=Budget(10))


SUPPORT = Support(projection=False, lengths=False, hands_on_arrays=True)


@pytest.mark.parametrize("requirement", HANDED_ON)
def test_wrong_shapes_have_to_be_refused(requirement: str) -> None:
    """Any exception is a refusal; an answer is none."""
    assert isinstance(verdict(requirement, Checking(support=SUPPORT)), Passed)
    failed = verdict(requirement, Careless(support=SUPPORT))
    assert isinstance(failed, Failed)
    assert failed.counterexample is not None
    assert "= accepted, but should be refused" in failed.counterexample.message


@pytest.mark.parametrize("requirement", HANDED_ON)
def test_wrong_shapes_are_given_to_those_who_hand_them_on(requirement: str) -> None:
    """Where an implementation does not say so, its adapter might be what refuses."""
    silent = replace(SUPPORT, hands_on_arrays=False)
    assert isinstance(verdict(requirement, Checking(support=silent)), NotApplicable)
