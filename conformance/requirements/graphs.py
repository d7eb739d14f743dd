"""Requirements on gradients in a larger graph: of what is computed, shared, or changed later."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.checking.comparison import agree
from conformance.checking.requirement import requirement
from conformance.checking.truth import truth
from conformance.implementations.failures import Misbehaviour, blamed
from conformance.implementations.torch_module import TorchModule
from conformance.recording.noting import note, paused
from conformance.requirements.helpers.gradients import (
    CASES,
    close_gradients,
    cotangents,
    module_gradients,
    true_gradients,
)
from conformance.requirements.helpers.needs import and_also, returning
from conformance.requirements.helpers.torch_only import differentiated, to_result
from conformance.requirements.parts import steps, time_axis
from conformance.requirements.variations import with_weights_negated
from reference import Array, Case, DType

AUTOGRAD = "PyTorch documentation, autograd mechanics"


def _added_up(
    gradients: Sequence[Array], bounds: Sequence[Array], dtype: DType
) -> tuple[Array, Array]:
    """Sum gradients of one shape, each addition rounded to `dtype`, in any order; and the bound."""
    largest = sum(np.abs(each) + bound for each, bound in zip(gradients, bounds, strict=True))
    rounding = 2 * len(gradients) * dtype.unit_roundoff * largest
    return np.sum(gradients, axis=0), np.sum(bounds, axis=0) + rounding


@requirement(
    source="torch.Tensor.expand and torch.func.functional_call documentation; "
    f"{AUTOGRAD}: gradients are those by the leaves of the graph",
    applies=module_gradients,
    **{**CASES, "batch_size": (1, 6), "share_of_cases": 0.3},
)
def gradients_pass_through_what_was_computed(implementation: TorchModule, case: Case) -> float:
    """Arguments and parameters that come out of a computation hand their gradients on.

    The first row of the input and of each state is expanded to all rows, so that its gradient is
    the sum over them. The parameters are negated, and given by torch.func.functional_call.
    """
    from conformance.implementations.pytorch.weights import negated

    axes = dict.fromkeys(case.arguments(), int(case.batched))
    axes["input"] = 1 - time_axis(case) if case.batched else 0
    equal: dict[str, Any] = {
        name: np.repeat(array.take([0], axes[name]), array.shape[axes[name]], axes[name])
        for name, array in case.arguments().items()
    }
    alike, weights = with_weights_negated(replace(case, **equal)), cotangents(case)
    gradients, bound = true_gradients(implementation, alike, weights)
    for name in case.parameters:
        gradients[name] = -gradients[name]
    for name, axis in axes.items():
        rows = equal[name].shape[axis]
        parts, bounds = (np.split(each[name], rows, axis) for each in (gradients, bound))
        rest = [np.zeros_like(each) for each in parts[1:]]
        summed = _added_up(parts, bounds, case.dtype)
        gradients[name], bound[name] = (np.concatenate([each, *rest], axis) for each in summed)
    call = differentiated(implementation, case, train=case.seq_len % 2 == 0)
    for name, axis in axes.items():
        call.expand(name, axis)
    call.module = negated(call.module)
    call.backward(weights)
    return close_gradients(call.gradients(), gradients, bound)


@requirement(
    source="torch.nn.Module.named_parameters documentation: there can be duplicates; "
    f"{AUTOGRAD}: gradients accumulate in the leaves",
    applies=module_gradients,
    **{**CASES, "share_of_cases": 0.3},
)
def shared_parameters_learn_together(implementation: TorchModule, case: Case) -> float:
    """A parameter in several places computes as copies do, and its gradients there add up.

    All parameters of one shape are the same: those of several layers, directions and kinds. Both
    initial states are the same tensor, where there is no projection.
    """
    from conformance.implementations.pytorch.weights import sharing

    arrays = {**case.parameters, **case.arguments()}
    groups: dict[object, list[str]] = {}
    for name, array in case.parameters.items():
        groups.setdefault(array.shape, []).append(name)
    if case.h_0 is not None and not case.configuration.proj_size:
        groups["states"] = ["h_0", "c_0"]
    first = {name: names[0] for names in groups.values() for name in names}
    parameters = {name: arrays[first[name]] for name in case.parameters}
    alike = replace(case, parameters=parameters, c_0=case.h_0 if "c_0" in first else case.c_0)
    weights, known = cotangents(alike), truth(alike, implementation)
    gradients, bound = true_gradients(implementation, alike, weights)
    for names in groups.values():
        parts, bounds = ([each[name] for name in names] for each in (gradients, bound))
        total, allowed = _added_up(parts, bounds, case.dtype)
        gradients |= dict.fromkeys(names, total)
        bound |= dict.fromkeys(names, allowed)
    within, module = sharing(implementation, alike, first)
    call = differentiated(within, alike, module=module)
    if "c_0" in first:
        call.leaves["c_0"] = call.given["c_0"] = call.leaves["h_0"]
    call.backward(weights)
    share = agree(to_result(call.answer, alike), known.result, known.bound)
    return max(share, close_gradients(call.gradients(), gradients, bound))


@requirement(
    source="torch.nn.LSTM documentation: (h_n, c_n) are the final states, (h_0, c_0) the initial; "
    f"{AUTOGRAD}: gradients pass through every operation",
    applies=and_also(module_gradients, returning("output", "h_n", "c_n")),
    **{**CASES, "seq_len": (2, 12), "share_of_cases": 0.2},
    bidirectional=False,
    states=True,
    lengths=False,
)
def gradients_pass_through_states_handed_on(implementation: TorchModule, case: Case) -> float:
    """A sequence in two calls, the second from the states of the first, is trained as one call is.

    The second call leaves the results of the first as they are.
    """
    weights, middle = cotangents(case), case.seq_len // 2
    d_output = case.time_major(weights.output)
    cut = steps(case, 0, middle), steps(case, middle, case.seq_len)
    first = differentiated(implementation, cut[0])
    zeros = replace(cotangents(cut[0], ()), output=case.user_order(d_output[:middle]))
    losses = [first.loss(zeros)]
    second = differentiated(implementation, cut[1], module=first.module)
    second.given |= dict(zip(("h_0", "c_0"), first.answer[1:], strict=True))
    losses.append(second.loss(replace(weights, output=case.user_order(d_output[middle:]))))
    note("sum({losses}).backward()", losses=tuple(losses))
    with blamed():
        sum(losses).backward()  # type: ignore[union-attr]
    known = truth(cut[0], implementation)
    expected, bound = true_gradients(implementation, case, weights)
    got = first.gradients()
    parts = [each.gradients()["input"] for each in (first, second)]
    got["input"] = np.concatenate(parts, time_axis(case))
    u = 2 * case.dtype.unit_roundoff  # the parts of a sum are stored
    allowed = {name: each + u * (np.abs(expected[name]) + each) for name, each in bound.items()}
    share = agree(to_result(first.answer, cut[0]), known.result, known.bound)
    return max(share, close_gradients(got, expected, allowed))


@requirement(
    source=f"{AUTOGRAD}, in-place correctness checks: if a tensor has been changed that a backward "
    "pass needs, that raises an error",
    applies=module_gradients,
    **{**CASES, "seq_len": (1, 6), "num_layers": (1, 2), "share_of_cases": 0.3},
    lengths=False,
    should=True,
)
def later_changes_are_not_taken_for_earlier_values(
    implementation: TorchModule, case: Case
) -> float:
    """Where tensors are changed in place after a call, its backward pass is right or raises.

    They are the parameters, as in a step of an optimizer, the arguments, and the results. An LSTM
    that computes steps again in its backward pass, as torch.utils.checkpoint does, meets this only
    if it looks whether they changed.
    """
    weights, share = cotangents(case), 0.0
    known = true_gradients(implementation, case, weights)
    kinds = ("weight_ih", "weight_hh", "bias", "weight_hr", "input", "h_0", "c_0", "")
    with paused():  # a script would need to know where the other LSTM raises
        built = implementation.build(case)
        for kind in kinds:
            call = differentiated(implementation, case, module=built)
            loss = call.loss(weights)
            leaves = [leaf for name, leaf in call.leaves.items() if kind and name.startswith(kind)]
            changed = leaves if kind else call.answer
            _negate(changed)
            with contextlib.suppress(Misbehaviour):
                with blamed():
                    loss.backward()  # type: ignore[no-untyped-call]
                share = max(share, close_gradients(call.gradients(), *known))
            _negate(changed)
    return share


def _negate(tensors: Iterable[Any]) -> None:
    import torch

    with torch.no_grad():
        for each in tensors:
            each.neg_()
