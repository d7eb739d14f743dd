"""Requirements on the weights of a torch module, loaded or changed after it was constructed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from conformance.checking.comparison import agree
from conformance.checking.requirement import requirement
from conformance.checking.truth import truth
from conformance.implementations.failures import Mismatch, WrongElement, blamed
from conformance.implementations.implementation import Implementation
from conformance.implementations.torch_module import TorchModule, is_torch_module
from conformance.recording.noting import note, paused
from conformance.requirements.helpers.gradients import (
    CASES,
    close_gradients,
    cotangents,
    module_gradients,
    true_gradients,
)
from conformance.requirements.helpers.needs import torch_module
from conformance.requirements.helpers.randomness import seeded
from conformance.requirements.helpers.refusals import refused
from conformance.requirements.helpers.torch_only import differentiated, entered, to_result
from conformance.requirements.helpers.torch_only import session as session_of
from conformance.requirements.variations import with_weights_negated
from reference import Case, Result

if TYPE_CHECKING:
    from conformance.implementations.pytorch.sessions import Session


@requirement(
    source="torch.nn.Module.load_state_dict documentation, strict: the keys have to match exactly",
    applies=torch_module,
    level="module",
    share_of_cases=0.3,
    hidden_size=(2, 6),
    input_size=(2, 6),
    num_layers=(1, 3),
    should=True,
)
def state_dict_that_does_not_fit_is_refused(implementation: TorchModule, case: Case) -> None:
    """A state_dict with a key missing, a key too many or a tensor of another shape is refused.

    Tensors of another shape are refused with strict=False as well.
    """
    module = implementation.build(case)
    state = dict(module.state_dict())
    for what, wrong, strict in _wrong(state, [*map(implementation.rename, case.parameters)]):
        refused(f"state_dict {what}, {strict=}", partial(_load, module, wrong, strict))


def _wrong(state: dict[str, Any], names: Sequence[str]) -> Iterator[tuple[str, Any, bool]]:
    """Yield what is wrong with a state_dict, the state_dict, and whether it is loaded strictly."""
    first, last = names[0], names[-1]
    for name in (first, last):
        yield f"without {name}", {n: each for n, each in state.items() if n != name}, True
    yield f"with {last}_more", {**state, f"{last}_more": state[last]}, True
    for name in dict.fromkeys((first, names[1], last)):
        right = state[name]
        shapes = {"a row less": right[1:], "a column less": right[..., 1:], "one row": right[:1]}
        for what, tensor in {**shapes, "one dimension more": right[None]}.items():
            if tensor.shape != right.shape:
                for strict in (True, False):
                    yield f"with {what} in {name}", {**state, name: tensor}, strict


def _load(module: Any, state: Any, strict: bool) -> None:
    note(f"{{module}}.load_state_dict({{state}}, {strict=})", module=module, state=state)
    module.load_state_dict(state, strict=strict)


@requirement(
    source="torch.nn.Module.load_state_dict, torch.func.functional_call and torch.optim "
    "documentation",
    **{**CASES, "level": "module", "share_of_cases": 0.4},
    applies=torch_module,
)
def changed_weights_take_effect(implementation: TorchModule, case: Case) -> float:
    """After its weights have been changed, a module computes and learns with the new weights.

    They are changed in place, through ``.data``, by an optimizer, loaded, replaced, or given by
    torch.func.functional_call, all or those of one kind, each after calls in train and eval mode.
    """
    from conformance.implementations.pytorch.weights import WAYS, functional

    now, then = case, with_weights_negated(case)
    known = {
        id(each): true_gradients(implementation, each, cotangents(each))
        for each in (now, then)
        if not isinstance(module_gradients(implementation), str)
    }
    with entered(implementation) as within:
        session = session_of(within, case)
        share = _is(implementation, session, now, known, "as loaded")
        for way, change in WAYS.items():
            with blamed():
                change(within, session.module, then)
            now, then = then, now
            share = max(share, _is(implementation, session, now, known, way))
        with _told("by functional_call"):
            called = functional(within, session.module, then)
            result = to_result(within.call(called, then), then)
            share = max(share, _agrees(implementation, result, then))
        session.train(False)  # before the weights are changed
        session.run(now, grad=False)
        for kind in ("weight_ih", "weight_hh", "bias"):
            then = with_weights_negated(now, kind)
            WAYS["in place"](within, session.module, then)
            with _told(f"{kind} in place"):
                for grad in (True, False):
                    result = session.run(then, grad=grad)
                    share = max(share, _agrees(implementation, result, then))
    return share


@requirement(
    source="torch.Tensor.stride documentation: strides are a matter of storage, not of value",
    **{**CASES, "level": "module", "share_of_cases": 0.2},
    applies=torch_module,
)
def layout_of_weights_does_not_matter(implementation: TorchModule, case: Case) -> float:
    """A module takes weights that are transposed in memory, and biases with gaps."""
    from conformance.implementations.pytorch.weights import strided

    known = {}
    if not isinstance(module_gradients(implementation), str):
        known[id(case)] = true_gradients(implementation, case, cotangents(case))
    with entered(implementation) as within:
        session = session_of(within, case)
        with blamed():
            strided(within, session.module, case)
        return _is(implementation, session, case, known, "as strided .data")


@requirement(
    source="torch.nn.utils.parametrize documentation: a parametrized tensor is computed by its "
    "parametrization each time it is used",
    **{**CASES, "level": "module", "gradients": False, "share_of_cases": 0.2},
    applies=torch_module,
    should=True,
)
def parametrized_weights_take_effect(implementation: TorchModule, case: Case) -> float:
    """Parameters under torch.nn.utils.parametrize are what a ReLU makes of their originals.

    So they are after a call without parametrizations, and after the originals have changed.
    """
    from conformance.implementations.pytorch.weights import negate, rectify

    session = session_of(implementation, case)
    session.run(case, grad=False)
    with blamed():
        rectify(implementation, session.module, case)
    share = 0.0
    for each in (case, with_weights_negated(case)):
        positive = {name: np.maximum(array, 0) for name, array in each.parameters.items()}
        with _told("by parametrizations"):
            for training, grad in ((False, False), (True, True)):
                session.train(training)
                result = session.run(case, grad=grad)
                rectified = replace(case, parameters=positive)
                share = max(share, _agrees(implementation, result, rectified))
        negate(session.module)
    return share


def _resets(implementation: Implementation) -> TorchModule | str:
    if not is_torch_module(implementation):
        return torch_module(implementation)
    return (
        implementation
        if hasattr(implementation.cls, "reset_parameters")
        else "has nothing to reset"
    )


@requirement(
    source="torch.nn.LSTM, its method reset_parameters: it draws all parameters anew",
    **{**CASES, "level": "module", "gradients": False, "share_of_cases": 0.2},
    applies=_resets,
    dtypes=["float64", "float32"],
    should=True,
)
def reset_parameters_take_effect(implementation: TorchModule, case: Case) -> float:
    """Of parameters that all are 7, reset_parameters leaves none, and calls use the new ones."""
    from conformance.implementations.pytorch.tensors import to_array

    sevens = {name: np.full_like(array, 7) for name, array in case.parameters.items()}
    case = replace(case, parameters=sevens)
    with paused(), seeded(case):  # a script would need to know what was drawn
        session = session_of(implementation, case)
        for grad in (False, True):
            session.run(case, grad=grad)
        module: Any = session.module
        with blamed():
            module.reset_parameters()
        tensors = implementation.parameters(session.module, case)
        drawn = {name: to_array(tensor, name) for name, tensor in tensors.items()}
        for name, array in drawn.items():
            what, was = f"{name} after reset_parameters", sevens[name]
            if (array.dtype, array.shape) != (was.dtype, was.shape):
                got = f"{array.dtype} of shape {array.shape}"
                raise Mismatch(what, "", got, f"{was.dtype} of shape {was.shape}")
            if (array == 7).any():
                raise Mismatch(what, "", "7.0", "another number")
        new = replace(case, parameters=drawn)
        with _told("by reset_parameters"):
            results = [session.run(new, grad=grad) for grad in (False, True)]
            return max(_agrees(implementation, each, new) for each in results)


def _is(
    implementation: TorchModule, session: Session, case: Case, known: Mapping[int, Any], way: str
) -> float:
    """Call and train the module, whose weights were changed this way to those of `case`."""
    share = 0.0
    with _told(way):
        for training, grad in ((False, None), (False, False), (True, True)):
            session.train(training)
            share = max(share, _agrees(implementation, session.run(case, grad=grad), case))
        if known:
            module = differentiated(session.implementation, case, module=session.module)
            module.backward(cotangents(case))
            share = max(share, close_gradients(module.gradients(), *known[id(case)]))
            module.reset()
    return share


def _agrees(implementation: TorchModule, result: Result, case: Case) -> float:
    known = truth(case, implementation)
    return agree(result, known.result, known.bound)


@contextlib.contextmanager
def _told(way: str) -> Iterator[None]:
    """Say in a mismatch how the weights were changed."""
    try:
        yield
    except WrongElement as mismatch:
        mismatch.what += f" (weights changed: {way})"
        raise
