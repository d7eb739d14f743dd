"""Shapes, dtypes and devices of what is returned."""

from __future__ import annotations

from conformance.failures import Mismatch, blamed
from conformance.implementation import Implementation, documented_shapes, run
from conformance.requirement import requirement
from conformance.variations import given_and_omitted
from reference import Case

OUTPUTS = "torch.nn.LSTM and torch.nn.LSTMCell documentation, 'Outputs'"


@requirement(source=OUTPUTS, level="core")
def shapes_are_as_documented(implementation: Implementation, case: Case) -> None:
    """Output is (T, N, D * R), (N, T, D * R) or (T, D * R); states are (D * L, N, features)."""
    with blamed(case):
        result = implementation.run(case)
    expected = documented_shapes(case)
    for name, array in result.items():
        if array.shape != expected[name]:
            raise Mismatch(f"{name}.shape", "", str(array.shape), str(expected[name]))


@requirement(source="torch.nn.Module.to documentation; type promotion of equal types", level="core")
def dtypes_follow_input(implementation: Implementation, case: Case) -> None:
    """Output, h_n and c_n have the dtype of input and parameters, also without initial states."""
    for each in given_and_omitted(case, implementation.supports.states):
        with blamed(each):
            result = implementation.run(each)
        for name, array in result.items():
            if array.dtype != case.dtype.numpy:
                raise Mismatch(f"{name}.dtype", "", array.dtype.name, case.dtype.name)


@requirement(
    source="torch.nn.Module.to documentation; results live where their operands do", level="core"
)
def results_stay_on_device(implementation: Implementation, case: Case) -> None:
    """Output, h_n and c_n are on the device of the input and the parameters."""
    for name, device in run(implementation, case).devices.items():
        if device != case.device:
            raise Mismatch(f"{name}.device", "", device, case.device)
