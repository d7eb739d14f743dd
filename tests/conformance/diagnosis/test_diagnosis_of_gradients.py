"""What explains the wrong gradients of each faulty LSTM."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from conformance import REQUIREMENTS, Case, Mismatch
from conformance.checking.comparison import against_reference
from conformance.checking.counterexample import Diagnosis
from conformance.implementations.pytorch.probing import adapt
from tests.faults import equations, gradients
from tests.faults.plain import PlainLSTM
from tests.faults.zoo import Fault, implementation
from tests.support.findings import diagnosed
from tests.support.kinds import DEEP, PLAIN

GRADIENTS: list[tuple[Fault, str, str]] = [
    (
        gradients.DetachesStateEachStep,
        "gradients_match_backpropagation",
        "that stops after one step",
    ),
    (
        gradients.DetachesCellStateEachStep,
        "gradients_match_backpropagation",
        "that passes no gradient of c to the previous step",
    ),
    (
        gradients.DetachesInitialStates,
        "gradients_match_backpropagation",
        "that gives h_0 and c_0 no gradient",
    ),
    (gradients.DetachesBetweenLayers, "gradients_of_output_are_right", "that stops between layers"),
    (
        gradients.DropsGradientOfFinalCell,
        "gradients_of_c_n_are_right",
        "that drops the gradient of c_n",
    ),
    (
        gradients.DropsGradientOfFinalHiddenState,
        "gradients_of_h_n_are_right",
        "that drops the gradient of h_n",
    ),
    (
        gradients.DoublesBiasGradient,
        "gradients_match_backpropagation",
        "that gives bias_ih twice the gradient",
    ),
    (
        gradients.FreezesItsBiases,
        "gradients_match_backpropagation",
        "that gives bias_ih and bias_hh no gradient",
    ),
    (
        gradients.ForgetsSigmoidPrime,
        "gradients_match_backpropagation",
        "that uses sigmoid in place of its derivative",
    ),
    (
        gradients.GivesTheReverseInputNoGradient,
        "gradients_match_backpropagation",
        "whose reverse direction passes no gradient to its input",
    ),
]


def gradients_diagnosed(fault: Fault, requirement: str, case: Case) -> Diagnosis:
    body = REQUIREMENTS[requirement].body
    with pytest.raises(Mismatch):
        body(implementation(fault), case)
    return diagnosed(implementation(fault), case, body)


@pytest.mark.parametrize(("fault", "requirement", "says"), GRADIENTS)
def test_diagnosis_explains_gradients(fault: Fault, requirement: str, says: str) -> None:
    """What is wrong with back-propagation is told by it alone, the results being right."""
    found = gradients_diagnosed(fault, requirement, DEEP)
    assert found.details[0].startswith(
        "The results are right. For a loss on output, h_n and c_n, the "
    )
    also = "here and in 2 further cases"
    assert found.explanations == (f"The gradients equal those of back-propagation {says}, {also}.",)


def test_diagnosis_lists_wrong_gradients() -> None:
    """Wrong gradients are listed, and without a simple explanation none is given."""
    fault = gradients.GivesBiasesTheForgetGatesDelta
    found = gradients_diagnosed(fault, "gradients_match_backpropagation", PLAIN)
    assert found.details == (
        "The results are right. For a loss on output, h_n and c_n, the gradient of bias_ih_l0 is "
        "wrong, and all others are right.",
    )
    assert found.explanations == ()


def test_diagnosis_tells_that_one_backward_pass_is_right() -> None:
    """What is wrong with a second backward pass only is said to be right with one."""
    fault = gradients.ClobbersItsSavedTensors
    found = gradients_diagnosed(fault, "backward_twice_accumulates", PLAIN)
    assert found == Diagnosis(
        details=("The results are right, and so are the gradients of a single backward pass.",)
    )


def test_diagnosis_of_gradients_looks_at_results_first() -> None:
    """Gradients that are wrong because results are, in other cases, are explained by these."""
    zeros = {name: 0 * array for name, array in PLAIN.parameters.items()}
    zeros["bias_hh_l0"] = PLAIN.parameters["bias_hh_l0"] * (np.arange(12) < 3)
    h_0, c_0 = np.zeros((1, 3, 3)), np.zeros((1, 3, 3))
    case = replace(PLAIN, parameters=zeros, h_0=h_0, c_0=c_0)
    fault = equations.SwapsInputAndForgetGates
    against_reference(implementation(fault), case)
    found = gradients_diagnosed(fault, "gradients_match_backpropagation", case)
    assert found.details[0].startswith(
        "The results of this case are right, but those of <LSTM 2->3"
    )
    assert "(input gate and forget gate are swapped)" in found.explanations[0]


class _Sigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        s = a.sigmoid()
        ctx.save_for_backward(s)
        return s

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (s,) = ctx.saved_tensors
        return gradient * (s * (1 - s) + 1e-8)


class AddsAnEpsilon(PlainLSTM):
    """Adds 1e-8 to the derivative of sigmoid, which is never zero then."""

    def sigmoid(self, a: Tensor) -> Tensor:
        shifted: Tensor = _Sigmoid.apply(a)
        return shifted


def test_epsilon_in_a_derivative_is_told() -> None:
    """With its size, from gradients that are off by less than a millionth."""
    body = REQUIREMENTS["gradients_match_backpropagation"].body
    lstm = adapt(AddsAnEpsilon, "adds an epsilon")
    (explanation,) = diagnosed(lstm, PLAIN, body).explanations
    assert "that adds 1e-08 to the derivative of sigmoid, here" in explanation
