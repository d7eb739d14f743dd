"""Requirements on the call: shapes, dtypes and devices of results, and no side effects."""

from __future__ import annotations

from typing import Any

from conformance.checking import process_state
from conformance.checking.requirement import requirement
from conformance.implementations.failures import Mismatch, WrongAttribute
from conformance.implementations.implementation import (
    Implementation,
    answer,
    documented_shapes,
    run,
)
from conformance.implementations.plain import dtype_of
from conformance.implementations.torch_module import is_torch_module
from conformance.recording.ending import unequal
from conformance.requirements.helpers.needs import devices, this_process
from conformance.requirements.helpers.torch_only import session
from conformance.requirements.variations import given_and_omitted, with_dropout
from reference import Case

OUTPUTS = "torch.nn.LSTM and torch.nn.LSTMCell documentation, 'Outputs'"


@requirement(source=OUTPUTS, level="core")
def shapes_are_as_documented(implementation: Implementation, case: Case) -> None:
    """Output and final states have the documented shapes.

    The output is (T, N, D * R), (N, T, D * R) with batch_first, or (T, D * R) without a batch;
    states are (D * L, N, features), or (D * L, features) without a batch. There are T steps, N
    rows, D directions, L layers, and R features: proj_size, or hidden_size without projection.
    """
    result = answer(implementation, case)
    expected = documented_shapes(case)
    for name, array in result.items():
        if array.shape != expected[name]:
            raise WrongAttribute(name, "shape", array.shape, expected[name], array)


@requirement(source="torch.nn.Module.to documentation; type promotion of equal types", level="core")
def dtypes_follow_input(implementation: Implementation, case: Case) -> None:
    """Results have the dtype of input and parameters, with and without initial states."""
    for each in given_and_omitted(case, implementation.supports.states):
        for name, array in answer(implementation, each).items():
            if array.dtype != case.dtype.numpy:
                raise WrongAttribute(name, "dtype", dtype_of(array), case.dtype.name, array)


@requirement(
    source="torch.nn.Module.to documentation; results live where their operands do",
    level="core",
    applies=devices,
)
def results_stay_on_device(implementation: Implementation, case: Case) -> None:
    """Output, h_n and c_n are on the device of the input and the parameters."""
    result = run(implementation, case)
    for name, array in result.items():
        device = result.devices.get(name, "not reported")
        if device != case.device:
            wrong = WrongAttribute(name, "device", device, case.device, array)
            noted = unequal(f"{{it}}.devices.get({name!r})", case.device, it=result)
            wrong.ending = noted or wrong.ending
            raise wrong


@requirement(
    source="torch.nn.LSTM documentation: a call returns output, (h_n, c_n); it names no effect on "
    "the process",
    level="core",
    applies=this_process,
    share_of_cases=0.3,
)
def process_state_is_left_alone(implementation: Implementation, case: Case) -> None:
    """A call that drops nothing changes no setting of its process, in eval mode and in train mode.

    Among these are the default dtype, the number of threads, the grad mode and the warnings
    filters. The random state is compared where the call can be separated from the initialisation of
    the module.
    """
    with process_state.restored(random=True):
        run(implementation, case)  # what is imported at the first call may have its own effects
    if not is_torch_module(implementation):
        before = process_state.snapshot()
        run(implementation, case)
        _unchanged(before)
        return
    single = case.configuration.num_layers == 1
    modes = [(case, False), (case, True)]
    if implementation.supports.dropout:
        modes += [(with_dropout(case, 0.5), single)]
    for each, training in modes:
        kept = session(implementation, each)
        kept.train(training)
        before = process_state.snapshot(random=True)
        kept.run(each)
        _unchanged(before)


def _unchanged(before: dict[str, Any]) -> None:
    """Raise :class:`Mismatch` for a setting that is not as it was `before`."""
    for name in process_state.changed(before):
        raise Mismatch(name, "", "changed by the call", "left as it was")


@requirement(
    source="torch.nn.LSTM documentation: a call returns output, (h_n, c_n), and prints nothing",
    level="core",
    applies=this_process,
    share_of_cases=0.1,
    should=True,
)
def nothing_is_printed(implementation: Implementation, case: Case) -> None:
    """A call writes nothing to standard output, where a program may write data."""
    with process_state.standard_output() as written:
        run(implementation, case)
    text = written.getvalue()
    if text:
        raise Mismatch("standard output", "", repr(text[:80]), "empty")
