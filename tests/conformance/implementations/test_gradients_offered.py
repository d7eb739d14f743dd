"""Gradients of implementations that are not torch modules."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from conformance import (
    REQUIREMENTS,
    Budget,
    Crashed,
    Failed,
    NotApplicable,
    Passed,
    Verdict,
    check,
)
from conformance.implementations.implementation import is_differentiable
from reference import Array, Case, Result, backward, trace
from tests.support.cases import RoundedReference

OFFERED = [
    "gradients_match_backpropagation",
    "gradients_of_output_are_right",
    "gradients_of_h_n_are_right",
    "gradients_of_c_n_are_right",
    "gradients_pass_through_packed_batches",
    "gradient_reaches_first_step",
]


class Offers(RoundedReference):
    """The reference with its gradients, rounded to the dtype."""

    def gradients(self, case: Case, cotangents: Result) -> Mapping[str, Array]:
        true = backward(trace(case), cotangents)
        return {name: array.astype(case.dtype.numpy) for name, array in true.items()}


class DoublesBiasGradient(Offers):
    """Counts bias_hh twice."""

    def gradients(self, case: Case, cotangents: Result) -> Mapping[str, Array]:
        found = dict(super().gradients(case, cotangents))
        return {n: 2 * a if n.startswith("bias_hh") else a for n, a in found.items()}


class NamesAStranger(Offers):
    """Has a gradient by what is no parameter."""

    def gradients(self, case: Case, cotangents: Result) -> Mapping[str, Array]:
        return {"kernel": np.zeros(1, case.dtype.numpy)}


class AnswersInFloat64(Offers):
    """Answers in float64 whatever was asked."""

    def gradients(self, case: Case, cotangents: Result) -> Mapping[str, Array]:
        found = super().gradients(case, cotangents)
        return {name: array.astype(np.float64) for name, array in found.items()}


class AnswersNothing(Offers):
    """Answers with no gradient at all."""

    def gradients(self, case: Case, cotangents: Result) -> Mapping[str, Array]:
        return {}


class DropsAxis(Offers):
    """Answers with flat arrays."""

    def gradients(self, case: Case, cotangents: Result) -> Mapping[str, Array]:
        return {name: a.ravel() for name, a in super().gradients(case, cotangents).items()}


class KnowsOneOnly(Offers):
    """Offers the gradient by the input alone."""

    def gradients(self, case: Case, cotangents: Result) -> Mapping[str, Array]:
        return {"input": super().gradients(case, cotangents)["input"]}


def verdict(
    implementation: RoundedReference, requirement: str = OFFERED[0], *, offered: bool = True
) -> Verdict:
    supports = replace(implementation.supports, dtypes=("float32",), gradients=offered)
    implementation.supports = supports
    return check(REQUIREMENTS[requirement], implementation, budget=Budget(40, seed=2))


@pytest.mark.parametrize("requirement", OFFERED)
def test_offered_gradients_are_verified(requirement: str) -> None:
    """Right gradients pass each requirement that needs no torch module."""
    decided = verdict(Offers(), requirement)
    assert isinstance(decided, Passed), decided.lines()


def test_wrong_gradients_are_found() -> None:
    """A doubled gradient fails, and the message names it."""
    decided = verdict(DoublesBiasGradient())
    assert isinstance(decided, Failed)
    assert "gradient of bias_hh_l0" in "\n".join(decided.lines())


def test_what_is_left_out_is_not_verified() -> None:
    """An implementation may offer some of the gradients only."""
    assert isinstance(verdict(KnowsOneOnly()), Passed)


@pytest.mark.parametrize(
    ("implementation", "kind", "told"),
    [
        (NamesAStranger(), Crashed, "'kernel', which the case does not have"),
        (AnswersInFloat64(), Failed, "dtype = float64, but should be float32"),
        (AnswersNothing(), Crashed, "returned no gradients by name"),
        (DropsAxis(), Failed, "shape = ("),
    ],
)
@pytest.mark.parametrize("requirement", [OFFERED[0], OFFERED[-1]])
def test_answer_that_is_no_gradient_is_told(
    implementation: RoundedReference, kind: type[Verdict], told: str, requirement: str
) -> None:
    """Strange names, dtypes and shapes become verdicts that name them, nothing at all as well."""
    decided = verdict(implementation, requirement)
    assert isinstance(decided, kind)
    assert told in "\n".join(decided.lines())


def test_gradients_that_are_not_offered_are_not_applicable() -> None:
    """Neither an implementation without the method nor one that says it has none is judged."""
    assert not is_differentiable(RoundedReference())
    assert isinstance(verdict(RoundedReference()), NotApplicable)
    assert isinstance(verdict(Offers(), offered=False), NotApplicable)
