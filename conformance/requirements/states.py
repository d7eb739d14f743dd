"""Requirements on states: how they are given, and that nothing else goes from call to call."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.checking.comparison import agree, close, nothing, plus
from conformance.checking.requirement import requirement
from conformance.checking.truth import truth
from conformance.implementations.failures import Mismatch, Quantity
from conformance.implementations.implementation import Implementation, run
from conformance.implementations.torch_module import TorchModule, is_torch_module
from conformance.recording.ending import unequal
from conformance.requirements.helpers.needs import returning, torch_module
from conformance.requirements.helpers.torch_only import differentiated, to_result
from conformance.requirements.helpers.torch_only import session as session_of
from conformance.requirements.parts import concatenated_in_time, steps
from conformance.requirements.variations import given_and_omitted, with_input
from reference import RESULTS, Case

CALL = "torch.nn.LSTM documentation, 'Inputs' and 'Outputs'"


@requirement(
    source="torch.nn.LSTM documentation: (h_n, c_n) contain the final states, (h_0, c_0) the "
    "initial ones; the equations depend on the past through h_(t-1) and c_(t-1) alone",
    level="core",
    applies=returning("h_n", "c_n"),
    bidirectional=False,
    lengths=False,
    states=True,
    seq_len=(2, 64),
)
def splitting_time_changes_nothing(implementation: Implementation, case: Case) -> float:
    """A sequence run in two parts, the second from the states of the first, equals one run."""
    middle = 1 + (case.batch_size + case.configuration.hidden_size) % (case.seq_len - 1)
    first = run(implementation, steps(case, 0, middle))
    rest = steps(case, middle, case.seq_len)
    second = run(implementation, replace(rest, h_0=first.h_n, c_0=first.c_n))
    bound = truth(case, implementation).bound
    split = concatenated_in_time(case, first, second)
    return agree(split, run(implementation, case), plus(bound, bound))


@requirement(
    source="torch.nn.Module.eval documentation", level="module", applies=torch_module, should=True
)
def same_call_gives_same_bits(implementation: TorchModule, case: Case) -> float:
    """In eval mode, the same call twice gives the same bits, with and without initial states."""
    share = 0.0
    for each in given_and_omitted(case, implementation.supports.states):
        session = session_of(implementation, each)
        first = session.run(each)
        share = max(share, agree(session.run(each), first, nothing(first)))
    return share


@requirement(source=CALL, level="module", applies=torch_module)
def arguments_are_not_mutated(implementation: TorchModule, case: Case) -> None:
    """A call changes neither the input nor the initial states nor the parameters."""
    session = session_of(implementation, case)
    session.run(case)
    for name, (after, before) in session.arguments().items():
        close(f"{name} after the call", after, before, 0.0, quantity=Quantity.OTHER)


@requirement(source=CALL, level="module", applies=torch_module, should=True)
def results_do_not_alias(implementation: TorchModule, case: Case) -> None:
    """Overwriting one result changes neither the other results nor the arguments."""
    for overwritten in ("output", "h_n", "c_n"):
        session = session_of(implementation, case)
        before = dict(session.run(case).items())
        session.overwrite(overwritten)
        for name, after in session.results().items():
            if name != overwritten:
                close(f"{name} after {overwritten} was overwritten", after, before[name], 0.0)
        for name, (now, then) in session.arguments().items():
            what = f"{name} after {overwritten} was overwritten"
            close(what, now, then, 0.0, quantity=Quantity.OTHER)


@requirement(source=CALL, level="module", applies=torch_module)
def earlier_results_stay(implementation: TorchModule, case: Case) -> float:
    """A later call does not change the results of an earlier one, with or without gradients."""
    import torch

    other = with_input(case, 1 - case.time_major(case.input))
    share = 0.0
    for grad in (False, True):
        module = implementation.build(case)
        with torch.set_grad_enabled(grad):
            tensors = implementation.call(module, case)
            before = to_result(tensors, case)
            implementation.call(module, other)
        share = max(share, agree(to_result(tensors, case), before, nothing(before)))
    return share


@requirement(
    source="torch.no_grad and torch.inference_mode documentation: they disable gradient "
    "calculation only",
    level="module",
    applies=torch_module,
)
def grad_mode_changes_nothing(implementation: TorchModule, case: Case) -> float:
    """Results without gradients equal those with gradients, within the sum of both bounds.

    Gradients are switched off, or all parameters are frozen. Then results do not require gradients.
    """
    bound = truth(case, implementation).bound
    session = session_of(implementation, case)
    expected = session.run(case)
    without = []
    for grad in (False, None):
        without.append(session.run(case, grad=grad))
        _check_without_graph(session.returned)
    leaves = [*case.parameters, *case.arguments()]
    module = differentiated(implementation, case, frozen=leaves, module=session.module, train=False)
    module.results(())
    without.append(to_result(module.answer, case))
    _check_without_graph(dict(zip(RESULTS, module.answer, strict=True)))
    return max(agree(result, expected, plus(bound, bound)) for result in without)


def _check_without_graph(results: Mapping[str, Any]) -> None:
    for name, tensor in results.items():
        if tensor.requires_grad:
            shown = unequal("{it}.requires_grad", False, it=tensor)
            raise Mismatch(f"{name}.requires_grad", "", "True", "False", ending=shown)


def _names_states_hx(implementation: Implementation) -> TorchModule | str:
    if not is_torch_module(implementation):
        return torch_module(implementation)
    taken = inspect.signature(implementation.cls.forward).parameters
    return implementation if "hx" in taken else "does not call the initial states hx"


@requirement(
    source="torch.nn.LSTM and torch.nn.LSTMCell, signature of forward: hx, of two tensors",
    applies=_names_states_hx,
    level="module",
    hidden_size=(1, 6),
    input_size=(1, 6),
    batch_size=(1, 6),
    num_layers=(1, 2),
    seq_len=(1, 8),
    states=True,
    share_of_cases=0.25,
)
def form_of_states_does_not_matter(implementation: TorchModule, case: Case) -> float:
    """Initial states can be given as a tuple or a list, by position or as the keyword hx.

    They can be parts of larger tensors. One tensor can be both, and the input as well, where the
    sizes are equal.
    """
    from conformance.implementations.pytorch.wrapped import FORMS, TRIPLETS, TWINS, Wrapped

    equal = _without_projection(case)
    first = steps(equal, 0, 1) if implementation.is_cell else equal
    tried = [(case, FORMS), (replace(first, c_0=first.h_0), TWINS)]
    if False in implementation.supports.batch_first or not case.batched:
        tried += [
            (each, {form: TRIPLETS[form]})
            for form, each in zip(TRIPLETS, _alike(equal), strict=True)
        ]
    share = 0.0
    for given, forms in tried:
        module, known = implementation.build(given), truth(given, implementation)
        for text, form in forms.items():
            answer = implementation.call(Wrapped.of(module, form, text), given)
            share = max(share, agree(to_result(answer, given), known.result, known.bound))
    return share


def _without_projection(case: Case) -> Case:
    """Take on all features of h, and give h_0 as many as c_0 has."""
    configuration = replace(case.configuration, proj_size=0)
    assert case.h_0 is not None
    h_0 = np.resize(case.h_0, case.state_shape(configuration.hidden_size))
    shapes = configuration.parameter_shapes()
    parameters = {name: np.resize(case.parameters[name], shapes[name]) for name in shapes}
    return replace(case, configuration=configuration, parameters=parameters, h_0=h_0)


def _alike(case: Case) -> list[Case]:
    """Give as the input h_0, c_0, or h_0 which is c_0 as well: time first, without lengths."""
    assert case.h_0 is not None
    assert case.c_0 is not None
    configuration = replace(
        case.configuration, input_size=case.configuration.hidden_size, batch_first=False
    )
    shapes = configuration.parameter_shapes()
    parameters = {name: np.resize(each, shapes[name]) for name, each in case.parameters.items()}
    alone = replace(
        case, configuration=configuration, parameters=parameters, input=case.h_0, lengths=None
    )
    return [alone, replace(alone, input=case.c_0), replace(alone, c_0=case.h_0)]
