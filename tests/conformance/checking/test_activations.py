"""Sigmoid and tanh are measured through an implementation, which is then judged by that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from conformance import REQUIREMENTS, Budget, Failed, Passed, check, load
from conformance.checking import activations
from conformance.checking.activations import MARGIN, judging, loosen, measure, measured
from conformance.checking.engine import attempt
from conformance.checking.sweep import LIMIT
from conformance.implementations.implementation import Implementation
from conformance.implementations.pytorch.probing import adapt
from conformance.running.limiting import with_precision
from reference import DTYPES, Case, Configuration, Result
from reference.precision import DTYPES_OWN
from tests.support import specimens
from tests.support.cases import random_case
from tests.support.specimens import PlainCell

ACCURATE = REQUIREMENTS["activations_are_accurate"]
FEW = Budget(10, 0, shrink_seconds=0.0)
RIGHT = ["torch.nn.LSTM", "torch.nn.LSTMCell", "stacked-cells"]
UNIT = 2.0**-24


class OffInTanh(PlainCell):
    """Its float32 tanh is off by `units`, but not the derivative."""

    units = 124.0

    def tanh(self, a: torch.Tensor) -> torch.Tensor:
        t = torch.tanh(a)
        off = self.units * UNIT if a.dtype == torch.float32 else 0.0
        return t - (off / 0.3849 * t * (1 - t * t)).detach()


class FarOff(OffInTanh):
    """Its float32 tanh is off by more than an approximation's."""

    units = 1.1 * LIMIT / UNIT


class SlightlyOff(OffInTanh):
    """It is off by less than tanh and the gates beside it may be together, its derivative too."""

    units = 6.0

    def tanh(self, a: torch.Tensor) -> torch.Tensor:
        t = super().tanh(a).detach()
        return t + (a - a.detach()) * (1 - t * t)


@pytest.fixture(autouse=True)
def _judging_anew() -> Iterator[None]:
    with activations.judging_anew():
        yield


def adapted(cls: type[torch.nn.Module]) -> Implementation:
    return adapt(cls, cls.__name__)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", RIGHT)
def test_activations_of_torch_are_accurate(name: str, dtype: str) -> None:
    """Neither function is off by more than 2 units, and the precision stays the dtype's own."""
    implementation = load(name)
    if dtype not in implementation.supports.dtypes:
        pytest.skip(f"this PyTorch has no {dtype} on the CPU")
    found = measure(implementation, DTYPES[dtype], "cpu")
    assert found is not None
    assert found.accurate
    assert found.judging == DTYPES_OWN
    assert set(found.errors) == {"sigmoid", "tanh"}
    assert all(0.2 < error.units < 2 for error in found.errors.values())


def test_error_is_measured_in_units() -> None:
    """124 units are found, about where they are largest, in tanh alone and in float32 alone."""
    implementation = adapted(OffInTanh)
    found = measure(implementation, DTYPES["float32"], "cpu")
    assert found is not None
    assert not found.accurate
    tanh = found.errors["tanh"]
    assert tanh.units == pytest.approx(124, rel=0.03)
    assert abs(tanh.at) == pytest.approx(np.arctanh(3**-0.5), abs=0.05)
    assert found.errors["sigmoid"].units < 2
    sigmoid, judged = found.judging.units()
    assert sigmoid == DTYPES_OWN.activation
    assert judged == MARGIN * tanh.units + DTYPES_OWN.activation
    other = measure(implementation, DTYPES["float64"], "cpu")
    assert other is not None
    assert other.accurate


def test_sigmoid_is_told_apart_from_tanh() -> None:
    """A sigmoid that is off is not taken for a tanh, though c comes through a gate."""
    found = measure(adapted(specimens.MissesSigmoidBy2e5), DTYPES["float32"], "cpu")
    assert found is not None
    assert found.errors["sigmoid"].units == pytest.approx(2e-5 / UNIT, rel=0.02)
    assert found.errors["tanh"].units < 3
    assert found.judging.tanh is None


@pytest.mark.parametrize("cls", [FarOff, specimens.ComputesFloat64InFloat32])
def test_what_is_not_an_approximation_is_judged_by_the_dtype(cls: type[torch.nn.Module]) -> None:
    """Nor is a computation in a narrower type, in which more is off than the activations."""
    implementation = adapted(cls)
    dtype = DTYPES["float32" if cls is FarOff else "float64"]
    found = measure(implementation, dtype, "cpu")
    assert found is not None
    assert not found.accurate
    assert found.judging == DTYPES_OWN
    assert not loosen(implementation, dtype, "cpu")


def test_inaccurate_tanh_is_one_failure() -> None:
    """The requirement names the place; others pass, and say by what they are judged."""
    implementation = adapted(OffInTanh)
    red = check(ACCURATE, implementation, budget=FEW)
    assert isinstance(red, Failed)
    assert red.counterexample is not None
    assert red.counterexample.what.startswith("tanh of the c")
    assert red.figures[1].startswith("float32: tanh 12")
    for name in ("cell_matches_equations", "results_match_reference", "gradients_of_h_n_are_right"):
        verdict = check(REQUIREMENTS[name], implementation, budget=FEW)
        assert isinstance(verdict, Passed), verdict.lines()
        (by,) = verdict.judged_by
        assert by.startswith("float32 tanh 12"), by
        assert by.endswith(" units (measured)")


def test_tanh_that_is_slightly_off_is_judged_by_what_was_measured() -> None:
    """The bound of the sweep has room for it, that of results may not: it is no failure there."""
    found = measure(adapted(SlightlyOff), DTYPES["float32"], "cpu")
    assert found is not None
    assert found.accurate
    assert 5 < found.errors["tanh"].units < 7
    sigmoid, judged = found.judging.units()
    assert (sigmoid, judged) == (4, MARGIN * found.errors["tanh"].units + 4)


def test_added_bias_says_nothing_of_activations() -> None:
    """With it declared, an inaccurate tanh is still one failure."""
    declared = with_precision(adapted(OffInTanh), "added_bias=1")
    found = measure(declared, DTYPES["float32"], "cpu")
    assert found is not None
    assert found.judging.added_bias == 1
    assert found.judging.units()[1] == MARGIN * found.errors["tanh"].units + 4


def test_what_is_measured_holds_for_calls_in_another_dtype() -> None:
    """A case in float64 is judged by the measured float32 tanh where it calls in float32."""
    case = random_case(Configuration(3, 2), dtype="float64")
    implementation = adapted(OffInTanh)
    share = attempt(REQUIREMENTS["calls_are_independent"], implementation, case)
    assert isinstance(share, float), share
    assert judging(implementation, DTYPES["float32"], "cpu").tanh is not None


def test_declaration_goes_before_what_is_measured() -> None:
    """What is declared is neither widened nor found inaccurate."""
    declared = with_precision(adapted(OffInTanh), "tanh=130")
    assert not loosen(declared, DTYPES["float32"], "cpu")
    verdict = check(ACCURATE, declared, budget=FEW)
    assert isinstance(verdict, Passed), verdict.lines()
    assert verdict.largest_share is not None
    assert verdict.largest_share > 0.8


def test_what_is_measured_is_in_force_within_its_context() -> None:
    """Each requirement begins with what is declared, so that their order does not matter."""
    implementation, dtype = adapted(OffInTanh), DTYPES["float32"]
    with activations.judging_anew():
        assert loosen(implementation, dtype, "cpu")
        assert not loosen(implementation, dtype, "cpu")
        assert judging(implementation, dtype, "cpu").tanh is not None
        assert judging(implementation, DTYPES["float64"], "cpu") == DTYPES_OWN
    assert judging(implementation, dtype, "cpu") == DTYPES_OWN


class BatchFirst:
    """torch.nn.LSTM, which takes the batch first only and has no gradients."""

    name = "BatchFirst"

    def __init__(self) -> None:
        self.inner = load("torch.nn.LSTM")
        self.supports = replace(self.inner.supports, batch_first=(True,), gradients=False)

    def run(self, case: Case) -> Result:
        assert case.configuration.batch_first
        return self.inner.run(case)


def test_batch_first_is_measured() -> None:
    """What an implementation does not take is not asked of it."""
    found = measured(BatchFirst(), DTYPES["float32"], "cpu")
    assert found is not None
    assert found.accurate
