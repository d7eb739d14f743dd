"""Requirements on gradients that are judged step by step, at any size and in every dtype.

Each gate has an input of its own, with a weight of 1. The gradient by that input is that by the
gate, so that each step of back-propagation is judged by itself, see
:mod:`reference.local_gradients`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import assume

from conformance.checking.comparison import arithmetic
from conformance.checking.requirement import requirement
from conformance.implementations.implementation import Implementation, run
from conformance.requirements.gradients import CHAIN_RULE
from conformance.requirements.helpers.gradients import close_gradients, cotangents, gradients_of
from conformance.requirements.helpers.needs import and_also, at_once, gradients, returning
from conformance.requirements.real_sizes import sizes
from reference import Case
from reference.local_gradients import local_gradient_bound
from strategies.tame import TAME


def seen_through(case: Case) -> Case:
    """Give each gate an input of its own, so that the gradient by it is that by the gate.

    The weights of these inputs are the identity.
    """
    c = case.configuration
    gates = 4 * c.hidden_size
    wider = replace(c, input_size=c.input_size + gates)
    identity = np.eye(gates, dtype=case.dtype.numpy)
    weight = np.concatenate([case.parameters["weight_ih_l0"], identity], axis=1)
    more = np.resize(case.input[..., ::-1], (*case.input.shape[:-1], gates))
    return replace(
        case,
        configuration=wider,
        parameters={**case.parameters, "weight_ih_l0": weight},
        input=np.concatenate([case.input, more], axis=-1),
    )


def _match_step_by_step(implementation: Implementation, case: Case) -> float:
    case = seen_through(case)
    of = implementation.supports.results
    weights = cotangents(case, of)
    result = run(implementation, case)
    got = gradients_of(implementation, case, weights, of)
    assume("input" in got)
    model = arithmetic(case, implementation)
    known = local_gradient_bound(case, result.output, got["input"], weights, model)
    return close_gradients(got, *known)


GRADIENTS: dict[str, Any] = {
    "source": CHAIN_RULE,
    "level": "training",
    "applies": and_also(gradients, returning("output")),
    "bidirectional": False,
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
    **sizes(2**23, (15, 130), (34, 257), (15, 65), (2, 9)),
)
def gradients_of_wide_layers_are_right(implementation: Implementation, case: Case) -> float:
    """With hundreds of hidden units, back-propagation is right in every unit, row and step."""
    return _match_step_by_step(implementation, case)


@requirement(
    **GRADIENTS | {"applies": and_also(gradients, returning("output"), at_once)},
    **sizes(2**23, (1, 50), (2, 50), (1, 17), (64, 513), lengths=None),
)
def gradients_of_long_sequences_are_right(implementation: Implementation, case: Case) -> float:
    """Back-propagation reaches each one of hundreds of steps, also in packed batches."""
    return _match_step_by_step(implementation, case)
