"""Requirements on what must not matter: memory layout, order of hidden units, order of biases."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from conformance.checking.comparison import agree, plus, same_results
from conformance.checking.requirement import requirement
from conformance.checking.truth import truth
from conformance.implementations.implementation import Implementation, run
from conformance.requirements.variations import (
    sliced,
    transposed,
    with_arrays,
    with_hidden_units_permuted,
)
from reference import Array, Case, Result

EQUATIONS = "torch.nn.LSTM documentation, equations"


@requirement(
    source="torch.Tensor documentation: strides are a matter of storage, not of value",
    level="core",
)
def memory_layout_does_not_matter(implementation: Implementation, case: Case) -> float:
    """Strided, transposed, expanded and offset tensors give the results of contiguous copies."""
    expected, bound = run(implementation, case), truth(case, implementation).bound
    allowed = plus(bound, bound)
    worst = 0.0
    for layout in (sliced, transposed, _offset):
        laid_out = run(implementation, with_arrays(case, layout))
        worst = max(worst, agree(laid_out, expected, allowed))
    if case.batched and case.batch_size:
        axis = 0 if case.configuration.batch_first else 1
        expanded = replace(
            with_arrays(case, partial(_expanded, axis=1)), input=_expanded(case.input, axis)
        )
        copies = with_arrays(expanded, lambda array: array.copy())
        worst = max(worst, same_results(implementation, expanded, copies))
    return worst


def _offset(array: Array) -> Array:
    longer = np.full((array.shape[0] + 1, *array.shape[1:]), 9, array.dtype)
    longer[1:] = array
    return longer[1:]


def _expanded(array: Array, axis: int) -> Array:
    return np.broadcast_to(array.take([0], axis), array.shape)


@requirement(
    source="the equations: they name no unit; permuting the units permutes the states",
    level="core",
    projection=False,
    num_layers=(1, 1),
    hidden_size=(2, 33),
)
def hidden_units_can_be_permuted(implementation: Implementation, case: Case) -> float:
    """Permuting the hidden units in weights and states permutes the results in the same way."""
    order = np.arange(case.configuration.hidden_size)[::-1]
    size = case.configuration.hidden_size
    halves = [half * size + order for half in range(case.configuration.num_directions)]

    def permuted(result: Result) -> Result:
        output = result.output[..., np.concatenate(halves)]
        return Result(output, result.h_n[..., order], result.c_n[..., order])

    return same_results(implementation, with_hidden_units_permuted(case, order), case, permuted)


@requirement(source=f"{EQUATIONS}: the biases occur as b_ih + b_hh only", level="core", bias=True)
def only_sum_of_biases_matters(implementation: Implementation, case: Case) -> float:
    """Exchanging bias_ih and bias_hh does not change the results."""
    other = {"bias_ih": "bias_hh", "bias_hh": "bias_ih"}
    exchanged = {
        name: case.parameters[other.get(name[:7], name[:7]) + name[7:]] for name in case.parameters
    }
    return same_results(implementation, replace(case, parameters=exchanged), case)
