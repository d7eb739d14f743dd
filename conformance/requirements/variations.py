"""Changes of a case, or of its results, between which requirements state relations."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import numpy as np

from reference import DTYPES, Array, Case


def with_states(case: Case, change: Callable[[Array], Array]) -> dict[str, Any]:
    """Change both initial states, if given; returns them by name, None where none are given."""
    given = {"h_0": case.h_0, "c_0": case.c_0}
    return {name: None if state is None else change(state) for name, state in given.items()}


def with_arrays(case: Case, change: Callable[[Array], Array]) -> Case:
    """Change the input and, if given, both initial states."""
    return replace(case, input=change(case.input), **with_states(case, change))


def sliced(array: Array) -> Array:
    """Copy an array to every second element of a wider one, along the last axis."""
    wider = np.full((*array.shape[:-1], 2 * array.shape[-1]), 9, array.dtype)
    wider[..., ::2] = array
    return wider[..., ::2]


def transposed(array: Array) -> Array:
    """Copy an array to memory in which its axes come in the opposite order."""
    return np.ascontiguousarray(array.T).T


def with_axes_swapped(case: Case) -> Case:
    """Invert `batch_first`, and swap the axes of the input accordingly."""
    configuration = replace(case.configuration, batch_first=not case.configuration.batch_first)
    return replace(
        case,
        configuration=configuration,
        input=np.ascontiguousarray(case.input.swapaxes(0, 1)),
    )


def with_zero_states(case: Case) -> Case:
    """Give initial states of zeros explicitly."""
    features = case.configuration.output_size, case.configuration.hidden_size
    h_0, c_0 = (np.zeros(case.state_shape(size), case.dtype.numpy) for size in features)
    return replace(case, h_0=h_0, c_0=c_0)


def given_and_omitted(case: Case, states: Collection[bool]) -> list[Case]:
    """List `case` and, if `states` of the support allows, the same without initial states."""
    if case.h_0 is None or False not in states:
        return [case]
    return [case, replace(case, h_0=None, c_0=None)]


def resized(case: Case, steps: int, rows: int) -> Case:
    """Give the same network other input, of `steps` steps and `rows` rows, all of full length.

    What the case has is repeated, each time with the other sign. An unbatched case, and one without
    rows, keeps its rows.
    """
    rows = rows if case.batched and case.batch_size else case.batch_size
    x = -_repeated(_repeated(case.time_major(case.input), steps, 0), rows, 1)
    states = with_states(case, lambda each: -_repeated(each, rows, 1) if case.batched else -each)
    shell = replace(case, lengths=None)
    return replace(shell, input=in_user_order(shell, x), **states)


def _repeated(array: Array, size: int, axis: int) -> Array:
    """Repeat what is along an axis, every second time negated, up to this size."""
    there = array.shape[axis]
    if not there:
        return array
    signs = np.where(np.arange(size) // there % 2, -1, 1).astype(array.dtype)
    along = [1] * array.ndim
    along[axis] = size
    repeated: Array = array.take(np.arange(size) % there, axis) * signs.reshape(along)
    return repeated


def converted(case: Case, dtype: str) -> Case:
    """Convert parameters, input and states to `dtype`, rounded where it is narrower."""
    numpy = DTYPES[dtype].numpy
    parameters = {name: array.astype(numpy) for name, array in case.parameters.items()}
    x = case.input.astype(numpy)
    states = with_states(case, lambda state: state.astype(numpy))
    return Case(
        case.configuration, parameters, x, **states, lengths=case.lengths, device=case.device
    )


def packed(case: Case) -> Case:
    """Give the rows of a batch lengths, from all steps down to one."""
    return replace(case, lengths=np.maximum(case.seq_len - np.arange(case.batch_size), 1))


def with_weights_negated(case: Case, *kinds: str) -> Case:
    """Negate the parameters whose names begin with one of `kinds`, or all of them."""
    parameters = {
        name: -array if name.startswith(kinds or ("",)) else array
        for name, array in case.parameters.items()
    }
    return replace(case, parameters=parameters)


def in_user_order(case: Case, x: Array) -> Array:
    """Lay `x` (T, N, ...) out as the user of `case` has it."""
    return np.ascontiguousarray(case.user_order(x))


def with_input(case: Case, x: Array) -> Case:
    """Replace the input by `x`, (T, N, input_size)."""
    return replace(case, input=in_user_order(case, x.astype(case.dtype.numpy)))


def with_directions_exchanged(case: Case) -> Case:
    """Reverse time; exchange directions in weights, in states and in the upper layers' input."""
    configuration = case.configuration
    size = configuration.output_size
    parameters = {}
    for name in case.parameters:
        other = name.removesuffix("_reverse") if name.endswith("_reverse") else f"{name}_reverse"
        array = case.parameters[other]
        if name.startswith("weight_ih") and not name.startswith("weight_ih_l0"):
            array = np.concatenate([array[:, size:], array[:, :size]], axis=1)
        parameters[name] = array
    order = np.arange(2 * configuration.num_layers).reshape(-1, 2)[:, ::-1].ravel()
    return replace(
        case,
        parameters=parameters,
        input=in_user_order(case, case.time_major(case.input)[::-1]),
        **with_states(case, lambda state: state[order]),
    )


def with_hidden_units_permuted(case: Case, order: Array) -> Case:
    """Reorder the hidden units of a single layer without projection, in weights and states."""
    size = case.configuration.hidden_size
    stacked = np.concatenate([gate * size + order for gate in range(4)])
    parameters = {}
    for name, array in case.parameters.items():
        array = array[stacked]
        parameters[name] = array[:, order] if name.startswith("weight_hh") else array
    return replace(
        case,
        parameters=parameters,
        **with_states(case, lambda state: state[..., order]),
    )


def with_dropout(case: Case, p: float) -> Case:
    """Set dropout `p` between the layers."""
    return replace(case, configuration=replace(case.configuration, dropout=p))


def enlarged(case: Case, **options: Any) -> Case:
    """Give a network of one layer more layers or directions; its numbers are repeated there."""
    configuration = replace(case.configuration, **options)
    shapes = configuration.parameter_shapes()
    there = {name: np.resize(case.parameters[_lowest(name)], shapes[name]) for name in shapes}
    count = configuration.num_layers * configuration.num_directions
    states = with_states(case, lambda state: np.resize(state, (count, *state.shape[1:])))
    return replace(case, configuration=configuration, parameters=there, **states)


def _lowest(name: str) -> str:
    return f"{name.partition('_l')[0]}_l0"
