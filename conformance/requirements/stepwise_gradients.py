"""Requirements on gradients that are judged step by step, at any size and in every dtype.

Each gate has an input of its own, with a weight of 1. The gradient by that input is that by the
gate, so that each step of back-propagation is judged by itself, see
:mod:`reference.local_gradients`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import assume

from conformance.checking.requirement import requirement
from conformance.checking.truth import arithmetic
from conformance.implementations.implementation import Implementation, run
from conformance.implementations.torch_module import is_torch_module
from conformance.requirements.gradients import CHAIN_RULE
from conformance.requirements.helpers.gradients import close_gradients, cotangents, gradients_of
from conformance.requirements.helpers.needs import and_also, at_once, gradients, returning
from conformance.requirements.helpers.torch_only import differentiated
from conformance.requirements.parts import direction_alone, turned
from conformance.requirements.precision import TF32
from conformance.requirements.real_sizes import sizes
from reference import Arithmetic, Array, Case, Result
from reference.local_gradients import Bounded, local_gradient_bound
from strategies.tame import TAME


def seen_through(case: Case) -> Case:
    """Give each gate an input of its own, so that the gradient by it is that by the gate.

    The weights of these inputs are the identity. Each direction has its own.
    """
    c = case.configuration
    gates = 4 * c.hidden_size
    more = c.num_directions * gates
    parameters = dict(case.parameters)
    for direction, suffix in enumerate(c.suffixes()):
        weight = parameters[f"weight_ih{suffix}"]
        own = np.eye(gates, more, direction * gates, dtype=weight.dtype)
        parameters[f"weight_ih{suffix}"] = np.concatenate([weight, own], axis=1)
    given = np.resize(case.input[..., ::-1], (*case.input.shape[:-1], more))
    return replace(
        case,
        configuration=replace(c, input_size=c.input_size + more),
        parameters=parameters,
        input=np.concatenate([case.input, given], axis=-1),
    )


def _match_step_by_step(implementation: Implementation, case: Case, every: int = 1) -> float:
    """Check the gradients of a loss on each result, on every element or one in `every` so many.

    An output that takes a call for each step has no part in the loss: the gradients by the gates
    would be sums over these calls, and what rounding they hide from each other would not be seen.
    """
    case = seen_through(case)
    of = set(implementation.supports.results)
    if isinstance(at_once(implementation), str):
        of.remove("output")
    weights = Result.of(
        np.where(np.arange(each.size).reshape(each.shape) % every, np.zeros_like(each), each)
        for _, each in cotangents(case, of).items()
    )
    output: Array
    got: Mapping[str, Array]
    if is_torch_module(implementation):
        module = differentiated(implementation, case)
        module.backward(weights, of)
        output, got, strayed = module.output(), module.gradients(), False
    else:  # without gradients it may compute by other kernels, which round otherwise
        output, strayed = run(implementation, case).output, True
        got = gradients_of(implementation, case, weights, of)
    assume("input" in got)
    model = arithmetic(case, implementation)
    known = known_gradients(case, output, got["input"], weights, model, strayed=strayed)
    return close_gradients(got, *known, own=True)


def known_gradients(
    case: Case,
    output: Array,
    dx: Array,
    weights: Result,
    model: Arithmetic,
    *,
    strayed: bool = False,
) -> Bounded:
    """Give what each gradient should be, and its bound, from the implementation's own numbers.

    The reverse direction is a forward LSTM on reversed time. `case` is one :func:`seen_through`,
    and `weights` are the cotangents. The output is `strayed` if it is that of another run.
    """
    of = case.configuration
    gates = 4 * of.hidden_size
    halves = [
        np.split(case.time_major(each), of.num_directions, -1) for each in (output, weights.output)
    ]
    parts: tuple[dict[str, list[Array]], dict[str, list[Array]]] = {}, {}
    for direction, suffix in enumerate(of.suffixes()):
        columns = np.arange(of.input_size)
        own = of.input_size + (direction - of.num_directions) * gates + np.arange(gates)
        order = np.concatenate([np.delete(columns, own), own])  # those of its gates come last
        back = np.argsort(order)

        def laid_out(array: Array, direction: int = direction) -> Array:
            return case.user_order(turned(case, array) if direction else array)

        alone = direction_alone(case, direction)
        name, here = "weight_ih_l0", slice(direction, direction + 1)
        alone = replace(
            alone,
            parameters={**alone.parameters, name: alone.parameters[name][:, order]},
            input=alone.input[..., order],
        )
        shown, cotangent = (laid_out(each[direction]) for each in halves)
        given = Result(cotangent, weights.h_n[here], weights.c_n[here])
        seen = laid_out(case.time_major(dx))[..., order]
        for into, found in zip(
            parts,
            local_gradient_bound(alone, shown, seen, given, model, strayed=strayed),
            strict=True,
        ):
            for key, array in found.items():
                if key in ("input", name):
                    array = array[..., back]
                if key == "input":
                    array = laid_out(case.time_major(array))
                renamed = key.replace("_l0", suffix)
                into.setdefault(renamed, []).append(array)
    expected, bound = (
        {
            name: np.sum(arrays, 0) if name == "input" else np.concatenate(arrays)
            for name, arrays in found.items()
        }
        for found in parts
    )
    if of.num_directions == 2:  # the gradients by the input are added up
        largest = np.abs(expected["input"]) + bound["input"]
        bound["input"] = bound["input"] + model.unit_roundoff * largest
    return expected, bound


GRADIENTS: dict[str, Any] = {
    "source": CHAIN_RULE,
    "level": "training",
    "applies": and_also(gradients, returning("output")),
}


SHORT: dict[str, Any] = {
    "dtypes": ["float16", "bfloat16"],
    "num_layers": (1, 1),
    "input_size": (1, 9),
    "hidden_size": (1, 9),
    "seq_len": (2, 4),
    "batch_size": (1, 3),
    "weights": TAME,
    "share_of_cases": 0.5,
}
"""Cases in which bounds on gradients in 16 bits say something."""


@requirement(**GRADIENTS, **SHORT)
def gradients_in_16_bits_are_right_step_by_step(
    implementation: Implementation, case: Case
) -> float:
    """In float16 and bfloat16, back-propagation is right in each of several steps and rows.

    Over several steps, the bound on the gradients as a whole would say nothing in 16 bits.
    """
    return _match_step_by_step(implementation, case)


@requirement(
    **GRADIENTS,
    **sizes(2**23, (15, 130), (34, 257), (15, 65), (2, 9), bidirectional=False),
)
def gradients_of_wide_layers_are_right(implementation: Implementation, case: Case) -> float:
    """With hundreds of hidden units, back-propagation is right in every unit, row and step."""
    return _match_step_by_step(implementation, case)


@requirement(
    **GRADIENTS,
    **{**sizes(2**20, (1, 34), (1, 17), (190, 257), (1, 3), lengths=None), "share_of_cases": 0.2}
    | {"weights": ["default", "small"]},
)
def gradients_of_hundreds_of_rows_are_right(implementation: Implementation, case: Case) -> float:
    """Back-propagation is right in every one of hundreds of rows, also in packed batches."""
    return _match_step_by_step(implementation, case)


@requirement(
    **GRADIENTS | {"applies": and_also(gradients, returning("output"), at_once)},
    **{**sizes(2**23, (1, 34), (2, 34), (1, 17), (64, 257), lengths=None), "share_of_cases": 0.35},
)
def gradients_of_long_sequences_are_right(implementation: Implementation, case: Case) -> float:
    """Back-propagation reaches each of hundreds of steps, in both directions, also if packed."""
    return _match_step_by_step(implementation, case)


@requirement(
    **{**GRADIENTS, "source": f"{CHAIN_RULE}; {TF32}"},
    **{**sizes(2**22, (15, 65), (127, 129), (15, 33), (1, 2)), "share_of_cases": 0.1}
    | {"weights": ["default", "small"]},
    bidirectional=False,
    dtypes=["float32"],
)
def gradients_of_wide_layers_have_full_precision(
    implementation: Implementation, case: Case
) -> float:
    """In float32, gradients by weights and inputs of a hundred units are not computed as TF32.

    The loss is on one element in 97 of each result. So sums have few terms, and small bounds.
    """
    return _match_step_by_step(implementation, case, every=97)
