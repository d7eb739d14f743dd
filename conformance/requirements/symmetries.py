"""Requirements on what must not matter: memory layout, order of hidden units, order of biases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conformance.checking.comparison import agree, plus, truth
from conformance.checking.requirement import requirement
from conformance.implementations.implementation import Implementation, run
from conformance.requirements.variations import with_hidden_units_permuted
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
    for layout in (_sliced, _transposed, _offset):
        laid_out = replace(
            case,
            input=layout(case.input),
            h_0=None if case.h_0 is None else layout(case.h_0),
            c_0=None if case.c_0 is None else layout(case.c_0),
        )
        worst = max(worst, agree(run(implementation, laid_out), expected, allowed))
    if case.batched and case.batch_size:
        x, h_0, c_0 = (_expanded(case, name) for name in ("input", "h_0", "c_0"))
        assert x is not None
        same = replace(case, input=x, h_0=h_0, c_0=c_0)
        copies = replace(
            same,
            input=x.copy(),
            h_0=None if h_0 is None else h_0.copy(),
            c_0=None if c_0 is None else c_0.copy(),
        )
        bound = truth(copies, implementation).bound
        expected = run(implementation, copies)
        worst = max(worst, agree(run(implementation, same), expected, plus(bound, bound)))
    return worst


def _sliced(array: Array) -> Array:
    wider = np.full((*array.shape[:-1], 2 * array.shape[-1]), 9, array.dtype)
    wider[..., ::2] = array
    return wider[..., ::2]


def _transposed(array: Array) -> Array:
    return np.ascontiguousarray(array.T).T


def _offset(array: Array) -> Array:
    longer = np.full((array.shape[0] + 1, *array.shape[1:]), 9, array.dtype)
    longer[1:] = array
    return longer[1:]


def _expanded(case: Case, name: str) -> Array | None:
    array: Array | None = getattr(case, name)
    if array is None:
        return None
    axis = 0 if name == "input" and case.configuration.batch_first else 1
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

    bound = permuted(truth(case, implementation).bound)
    got = run(implementation, with_hidden_units_permuted(case, order))
    return agree(got, permuted(run(implementation, case)), plus(bound, bound))


@requirement(source=f"{EQUATIONS}: the biases occur as b_ih + b_hh only", level="core", bias=True)
def only_sum_of_biases_matters(implementation: Implementation, case: Case) -> float:
    """Exchanging bias_ih and bias_hh does not change the results."""
    exchanged = {
        name: case.parameters[
            name.replace("bias_ih", "bias_?")
            .replace("bias_hh", "bias_ih")
            .replace("bias_?", "bias_hh")
        ]
        for name in case.parameters
    }
    bound = truth(case, implementation).bound
    got = run(implementation, replace(case, parameters=exchanged))
    return agree(got, run(implementation, case), plus(bound, bound))
