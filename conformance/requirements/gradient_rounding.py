"""Gradients are rounded to the nearest number, and not to one side."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np

from conformance.checking.requirement import requirement
from conformance.checking.sweep import OPEN, SHUT
from conformance.checking.truth import arithmetic
from conformance.implementations.failures import Mismatch
from conformance.implementations.implementation import Implementation
from conformance.requirements.helpers.gradients import cotangents, gradients_of
from conformance.requirements.helpers.needs import and_also, gradients, returning
from conformance.requirements.rounding import NEAREST, Rounded, to_one_side
from reference import Array, Case, Result

UNITS = 24
"""The units, and the features, of the products that are rounded."""


@requirement(
    source=NEAREST,
    level="training",
    applies=and_also(gradients, returning("c_n")),
    share_of_cases=0.05,
    by_dtype=True,
    num_layers=(1, 1),
    bias=True,
    states=True,
    batched=True,
    lengths=False,
)
def gradients_are_rounded_to_nearest(implementation: Implementation, case: Case) -> None:
    """Gradients by weights are not all rounded to one side.

    Each is one product of two known numbers: the gradient of c_n, which open gates and the tanh of
    0 hand on, as the gradient by the bias shows, and the input or h_0. What is a fault, and the
    probability of a false alarm, are as in `results_are_rounded_to_nearest`. Where factors are
    rounded before they are multiplied, as is declared for TF32, nothing is claimed.
    """
    made, weights = _products(case)
    if not arithmetic(made, implementation).factors.exact:
        return
    got = gradients_of(implementation, made, weights, ("c_n",))
    assert made.h_0 is not None
    x, part = made.time_major(made.input)[0, 0], slice(2 * UNITS, 3 * UNITS)
    for slot, suffix in enumerate(made.configuration.suffixes()):
        handed = weights.c_n[slot, 0]
        if not np.array_equal(got[f"bias_ih{suffix}"][part], handed):
            continue
        for name, factor in (("weight_ih", x), ("weight_hh", made.h_0[slot, 0])):
            wide = made.dtype.wide
            true = np.outer(handed.astype(wide), factor.astype(wide))
            rounded = got[name + suffix][part].astype(wide)
            for side, expected in to_one_side(rounded, Rounded(name, (), true), case.dtype).items():
                share = float((rounded == expected)[~np.isnan(expected)].mean())
                raise Mismatch(
                    f"share of the gradient of {name}{suffix} rounded {side}",
                    "",
                    f"{share:.3g} where another number is nearer",
                    "about 0",
                )


def _products(case: Case) -> tuple[Case, Result]:
    """Make one step of one row whose weight gradients are products, and the cotangents."""
    rng, dtype = np.random.default_rng(zlib.crc32(case.input.tobytes())), case.dtype.numpy

    def numbers(shape: tuple[int, ...]) -> Array:
        made: Array = rng.choice([-1, 1], shape) * np.exp2(rng.uniform(0, 1.5, shape))
        return made.astype(dtype)

    configuration = replace(case.configuration, input_size=UNITS, hidden_size=UNITS, proj_size=0)
    gates = np.repeat([OPEN, SHUT, 0, OPEN], UNITS).astype(dtype)
    parameters = {
        name: gates if name.startswith("bias_ih") else np.zeros(shape, dtype)
        for name, shape in configuration.parameter_shapes().items()
    }
    states = configuration.num_directions, 1, UNITS
    made = Case(
        configuration,
        parameters,
        numbers((1, 1, UNITS)),
        numbers(states),
        np.zeros(states, dtype),
        device=case.device,
    )
    return made, replace(cotangents(made, ()), c_n=numbers(states))
