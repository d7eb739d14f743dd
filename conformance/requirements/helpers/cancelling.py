"""Networks in which large products cancel, so that the precision of their sums shows.

Each sum has products of up to 64, of which half are the negatives of the others, in an order in
which partial sums grow to hundreds. Accumulated in float32 almost nothing is lost. Where partial
sums or products are rounded to 16 bits, more is lost than the rest of a step can lose.

The factors of the products are known exactly: they are given, or saturated. In whatever type they
are computed, sigmoid and tanh of 64 are 1, tanh of 0 is 0, and so is sigmoid of -64 beside 1.
"""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np

from conformance.requirements.variations import with_arrays
from reference import Arithmetic, Array, Case

OPEN = 64.0
"""The pre-activation of an open gate, minus that of a shut one, and a cell state with tanh 1."""
TERMS = 16
"""The number of products in a sum."""


def saturates(model: Arithmetic) -> bool:
    """Return whether gates and tanh are judged as exact where they are saturated.

    They are not where sigmoid or tanh may be less accurate than in the dtype.
    """
    return max(model.sigmoid, model.tanh) <= 4 * model.unit_roundoff


def ordinary(case: Case) -> Case:
    """Make one step of a network with the options of `case`, and with small numbers."""
    projected = bool(case.configuration.proj_size)
    configuration = replace(
        case.configuration,
        input_size=3,
        hidden_size=TERMS + 2 * projected,
        proj_size=TERMS * projected,
        bias=True,
    )
    rng, dtype = np.random.default_rng(zlib.crc32(case.input.tobytes())), case.dtype.numpy
    states, rows = configuration.num_layers * configuration.num_directions, 2
    return Case(
        configuration,
        {
            name: rng.uniform(-0.25, 0.25, shape).astype(dtype)
            for name, shape in configuration.parameter_shapes().items()
        },
        rng.uniform(-1, 1, (rows, 1, 3) if configuration.batch_first else (1, rows, 3)).astype(
            dtype
        ),
        np.tile(rng.uniform(0.5, 1, (states, rows, TERMS // 2)), 2).astype(dtype),
        rng.uniform(-1, 1, (states, rows, configuration.hidden_size)).astype(dtype),
        device=case.device,
    )


def cancelling(shape: tuple[int, ...], like: Array, axis: int = -1) -> Array:
    """Make a weight whose second half along `axis` is the negative of the first, up to 64 large."""
    numbers = np.resize(np.abs(like.astype(np.float64)).ravel() * 4, shape)
    half = np.split(32 + 32 * numbers, 2, axis)[0]
    weight: Array = np.concatenate([half, -half], axis).astype(like.dtype)
    return weight


def with_recurrent_sums(case: Case) -> Case:
    """Let what every layer's recurrent weights multiply with h_0 cancel; h_0 is known exactly."""
    parameters = {
        name: cancelling(array.shape, array) if name.startswith("weight_hh") else array
        for name, array in case.parameters.items()
    }
    return replace(case, parameters=parameters)


def with_saturated_layer(case: Case, layer: int) -> Case:
    """Let all units of a `layer` be 1, and if there is a projection, multiply them by the identity.

    Its i gates are shut, f and o open, and c is 64.
    """
    assert case.c_0 is not None
    parameters, c_0 = dict(case.parameters), case.c_0.copy()
    directions = case.configuration.num_directions
    for slot in range(layer * directions, (layer + 1) * directions):
        suffix = case.configuration.suffixes()[slot]
        for name in (f"weight_ih{suffix}", f"weight_hh{suffix}", f"bias_hh{suffix}"):
            parameters[name] = np.zeros_like(parameters[name])
        gates = np.repeat([-OPEN, OPEN, 0, OPEN], case.configuration.hidden_size)
        parameters[f"bias_ih{suffix}"] = gates.astype(case.dtype.numpy)
        if case.configuration.proj_size:
            name = f"weight_hr{suffix}"
            shape = parameters[name].shape
            parameters[name] = np.eye(*shape, dtype=np.float64).astype(case.dtype.numpy)
        c_0[slot] = OPEN
    return replace(case, parameters=parameters, c_0=c_0)


def with_input_sums(case: Case, layer: int) -> Case:
    """Let what a `layer` multiplies with the layer below, all of whose units are 1, cancel."""
    below = with_saturated_layer(case, layer - 1)
    parameters = {
        name: cancelling(array.shape, array)
        if name.removesuffix("_reverse") == f"weight_ih_l{layer}"
        else array
        for name, array in below.parameters.items()
    }
    return replace(below, parameters=parameters)


def with_projected_sums(case: Case, layer: int) -> Case:
    """Let the projection of a `layer`, all of whose units are 1, cancel up to small numbers."""
    saturated = with_saturated_layer(case, layer)
    parameters = dict(saturated.parameters)
    for name, array in case.parameters.items():
        if name.removesuffix("_reverse") == f"weight_hr_l{layer}":
            weight = cancelling(array.shape, array)
            weight[:, -1] = array[:, -1]
            parameters[name] = weight
    return replace(saturated, parameters=parameters)


def with_gradient_sums(case: Case, upper: bool = False) -> Case:
    """Let every layer hand the gradient of c_n through its candidate, which is tanh of 0.

    Its i and o gates are open and f is shut. What the weights of the candidate multiply with equal
    gradients in both halves of the units cancels, and so does what projections multiply. Layers
    above the lowest read zero times what is below, or, if `upper`, weights that cancel.
    """
    hidden = case.configuration.hidden_size
    gates = np.repeat([OPEN, -OPEN, 0, OPEN], hidden).astype(case.dtype.numpy)
    parameters = {}
    for name, array in case.parameters.items():
        changed = np.zeros_like(array)
        if name.startswith(("weight_ih" if upper else "weight_ih_l0", "weight_hh")):
            shape = hidden, array.shape[1]
            changed[2 * hidden : 3 * hidden] = cancelling(shape, array[:hidden], axis=0)
        elif name.startswith("bias_ih"):
            changed = gates
        elif name.startswith("weight_hr"):
            changed = cancelling(array.shape, array, axis=0)
        parameters[name] = changed
    return replace(with_arrays(case, np.zeros_like), parameters=parameters)


def with_row_sums(case: Case) -> Case:
    """Let every layer hand the gradient of c_n to its candidate's weights, and ignore its input.

    Its i and o gates are open, f is shut and the candidate is tanh of 0. The input and h_0 of a row
    in the second half of the rows are those of one in the first, so that gradients of c_n which are
    the negatives of each other cancel in sums over the rows.
    """
    assert case.h_0 is not None
    assert case.c_0 is not None
    gates = np.repeat([OPEN, -OPEN, 0, OPEN], case.configuration.hidden_size)
    parameters = {
        name: gates.astype(array.dtype) if name.startswith("bias_ih") else np.zeros_like(array)
        for name, array in case.parameters.items()
    }
    rng = np.random.default_rng(zlib.crc32(case.input.tobytes()))

    def halves(array: Array, axis: int) -> Array:
        shape = *array.shape[:axis], TERMS, *array.shape[axis + 1 :]
        return np.concatenate([rng.uniform(32, 64, shape)] * 2, axis).astype(array.dtype)

    rows = case.configuration.num_layers * case.configuration.num_directions, 2 * TERMS
    return replace(
        case,
        parameters=parameters,
        input=halves(case.input, 0 if case.configuration.batch_first else 1),
        h_0=halves(case.h_0, 1),
        c_0=np.zeros((*rows, case.configuration.hidden_size), case.c_0.dtype),
    )
