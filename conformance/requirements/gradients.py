"""Requirements on gradients: they are those of back-propagation through time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from hypothesis import assume

from conformance.checking.requirement import requirement
from conformance.implementations.failures import (
    Mismatch,
    blamed,
)
from conformance.implementations.implementation import (
    Implementation,
)
from conformance.implementations.torch_module import TorchModule
from conformance.recording.ending import unequal
from conformance.recording.noting import bind, note
from conformance.requirements.helpers.gradients import (
    ALL,
    CASES,
    close_gradients,
    cotangents,
    gradients_of,
    module_gradients,
    true_gradients,
)
from conformance.requirements.helpers.needs import and_also, gradients, returning
from conformance.requirements.helpers.torch_only import differentiated
from reference import TOP, Case

CHAIN_RULE = "the chain rule applied to the equations of the torch.nn.LSTM documentation"


def _matches(
    implementation: Implementation, case: Case, of: Collection[str] = ALL, *, train: bool = True
) -> float:
    returned = implementation.supports.results
    of = [name for name in (*of, *[TOP] * ("h_n" in of)) if name in returned]
    weights = cotangents(case, of)
    got = gradients_of(implementation, case, weights, of, train)
    return close_gradients(got, *true_gradients(implementation, case, weights))


@requirement(source=CHAIN_RULE, applies=gradients, **{**CASES, "share_of_cases": 0.9})
def gradients_match_backpropagation(implementation: Implementation, case: Case) -> float:
    """Gradients by input, h_0, c_0 and parameters of a loss on all results are the true ones."""
    return _matches(implementation, case)


@requirement(
    source=CHAIN_RULE,
    applies=and_also(gradients, returning("output")),
    **{**CASES, "share_of_cases": 0.9},
)
def gradients_of_output_are_right(implementation: Implementation, case: Case) -> float:
    """Gradients of a loss on output alone are those of back-propagation through time."""
    return _matches(implementation, case, ("output",))


@requirement(source=CHAIN_RULE, applies=and_also(gradients, returning("h_n")), **CASES)
def gradients_of_h_n_are_right(implementation: Implementation, case: Case) -> float:
    """Gradients of a loss on h_n alone are those of back-propagation through time."""
    return _matches(implementation, case, ("h_n",))


@requirement(source=CHAIN_RULE, applies=and_also(gradients, returning("c_n")), **CASES)
def gradients_of_c_n_are_right(implementation: Implementation, case: Case) -> float:
    """Gradients of a loss on c_n alone are those of back-propagation through time."""
    return _matches(implementation, case, ("c_n",))


@requirement(
    source=CHAIN_RULE,
    applies=gradients,
    **{
        **CASES,
        "hidden_size": (10, 17),
        "input_size": (1, 17),
        "seq_len": (20, 40),
        "batch_size": (9, 17),
        "num_layers": (1, 1),
        "share_of_cases": 0.2,
    },
    batched=True,
    dtypes=["float64"],
)
def gradients_of_larger_batches_are_right(implementation: Implementation, case: Case) -> float:
    """Over 20 steps and more of nine rows and more, all gradients are the true ones."""
    return _matches(implementation, case)


@requirement(
    source=CHAIN_RULE,
    applies=gradients,
    **{
        **CASES,
        "hidden_size": (34, 130),
        "input_size": (1, 67),
        "seq_len": (1, 2),
        "batch_size": (1, 19),
        "num_layers": (1, 3),
        "share_of_cases": 0.5,
    },
    dtypes=["float64"],
)
def gradients_of_wide_networks_are_right(implementation: Implementation, case: Case) -> float:
    """With 34 units and more, in every layer and direction, all gradients are the true ones."""
    return _matches(implementation, case)


@requirement(
    source=CHAIN_RULE,
    applies=gradients,
    **{**CASES, "num_layers": (4, 5), "seq_len": (1, 6), "share_of_cases": 0.2},
    dtypes=["float64"],
)
def gradients_of_deep_networks_are_right(implementation: Implementation, case: Case) -> float:
    """Through four and five layers, all gradients are the true ones."""
    return _matches(implementation, case)


@requirement(
    source="torch.nn.Module.eval documentation: it changes what modules compute, not autograd",
    applies=module_gradients,
    **CASES,
)
def gradients_are_the_same_in_eval(implementation: Implementation, case: Case) -> float:
    """Gradients in eval mode equal those in train mode without dropout."""
    return _matches(implementation, case, train=False)


@requirement(
    source=CHAIN_RULE, applies=gradients, **{**CASES, "lengths": True, "share_of_cases": 0.8}
)
def gradients_pass_through_packed_batches(implementation: Implementation, case: Case) -> float:
    """Gradients of a packed batch are right; those by input beyond a row's length are zero."""
    return _matches(implementation, case)


@requirement(
    source=CHAIN_RULE,
    applies=gradients,
    **{**CASES, "seq_len": (2, 12), "num_layers": (1, 1), "bidirectional": False},
    lengths=False,
    dtypes=["float64", "float32"],
    weights=["zeros", "one", "default", "unit", "small", "wide"],
)
def gradient_reaches_first_step(implementation: Implementation, case: Case) -> float:
    """A loss on the last step has the true gradient by the input of the first step, not zero."""
    output = np.zeros(case.output_shape(), case.dtype.numpy)
    case.time_major(output)[-1] = 1
    weights = replace(cotangents(case, ()), output=output)
    got = gradients_of(implementation, case, weights, ("output",))
    assume("input" in got)
    first, expected, bound = (
        {"input": case.time_major(each["input"])[0]}
        for each in (got, *true_gradients(implementation, case, weights))
    )
    at_start = "[:, 0]" if case.batched and case.configuration.batch_first else "[0]"
    bind(first["input"], got["input"], at_start if case.batched else "[:1]")
    return close_gradients(first, expected, bound)


@requirement(
    source="torch.Tensor.backward documentation: it accumulates gradients in the leaves",
    applies=module_gradients,
    **CASES,
)
def backward_twice_accumulates(implementation: TorchModule, case: Case) -> float:
    """Gradients of several backward passes, three of them through one graph, add up."""
    weights = cotangents(case)
    expected, bound = true_gradients(implementation, case, weights)
    module = differentiated(implementation, case)
    module.backward(weights)
    loss = module.loss(weights)
    note(
        "for retained in (True, True, False):\n    {loss}.backward(retain_graph=retained)",
        loss=loss,
    )
    with blamed():
        for retained in (True, True, False):
            loss.backward(retain_graph=retained)  # type: ignore[no-untyped-call]
    u = 3 * case.dtype.unit_roundoff
    allowed = {name: bound[name] + u * (np.abs(expected[name]) + bound[name]) for name in bound}
    return close_gradients(module.gradients(), expected, allowed, times=4)


@requirement(
    source="torch.Tensor.requires_grad documentation: gradients are computed for leaves that "
    "require them",
    applies=module_gradients,
    **{**CASES, "share_of_cases": 0.4},
)
def frozen_leaves_change_no_other_gradient(implementation: TorchModule, case: Case) -> float:
    """Freezing some parameters or arguments does not change the gradients of the others.

    Frozen are, in turn, the parameters, the arguments, every second leaf, all parameters of one
    kind, of the lowest layer, and of the reverse direction, and all but the states or the biases.
    """
    weights = cotangents(case)
    expected, bound = true_gradients(implementation, case, weights)
    leaves, built = [*expected], implementation.build(case)
    groups = [[*case.parameters], [*case.arguments()], leaves[::2], leaves[1::2]]
    kinds = (
        "input",
        "h_0",
        "c_0",
        "weight",
        "bias",
        "weight_ih",
        "weight_hh",
        "bias_ih",
        "bias_hh",
    )
    for part in (*kinds, "_l0", "_reverse"):
        groups.append([name for name in leaves if part in name])
    for part in ("_0", "bias"):
        groups.append([name for name in leaves if part not in name])
    worst = 0.0
    for frozen in groups:
        if not frozen or len(frozen) == len(expected):
            continue
        module = differentiated(implementation, case, frozen=frozen, module=built)
        module.backward(weights)
        got = module.gradients()
        for name in frozen:
            if module.leaves[name].grad is not None:
                shown = unequal("{it}.grad", None, it=module.leaves[name])
                what = f"gradient of frozen {name}"
                raise Mismatch(what, "", "a tensor", "None", ending=shown)
        worst = max(worst, close_gradients(got, expected, bound))
    return worst
