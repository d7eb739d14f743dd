"""Changes of a case, or of its results, between which requirements state relations."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.recording.ending import Ending, ending
from reference import DTYPES, Array, Case, Result


def _states(case: Case, change: Callable[[Array], Array]) -> dict[str, Any]:
    """Change both initial states, if given; returns them by name, None where none are given."""
    given = {"h_0": case.h_0, "c_0": case.c_0}
    return {name: None if state is None else change(state) for name, state in given.items()}


def with_arrays(case: Case, change: Callable[[Array], Array]) -> Case:
    """Change the input and, if given, both initial states."""
    return replace(case, input=change(case.input), **_states(case, change))


def sliced(array: Array) -> Array:
    """Copy an array to every second element of a wider one, along the last axis."""
    wider = np.full((*array.shape[:-1], 2 * array.shape[-1]), 9, array.dtype)
    wider[..., ::2] = array
    return wider[..., ::2]


def transposed(array: Array) -> Array:
    """Copy an array to memory in which its axes come in the opposite order."""
    return np.ascontiguousarray(array.T).T


def first_layers(case: Case, count: int) -> Case:
    """Keep the lowest `count` layers, with their parameters and initial states."""
    configuration = replace(case.configuration, num_layers=count)
    names = configuration.parameter_shapes()
    states = count * configuration.num_directions
    return replace(
        case,
        configuration=configuration,
        parameters={name: case.parameters[name] for name in names},
        **_states(case, lambda state: state[:states]),
    )


def with_axes_swapped(case: Case) -> Case:
    """Invert `batch_first`, and swap the axes of the input accordingly."""
    configuration = replace(case.configuration, batch_first=not case.configuration.batch_first)
    return replace(
        case,
        configuration=configuration,
        input=np.ascontiguousarray(case.input.swapaxes(0, 1)),
    )


def without_batch(case: Case) -> Case:
    """Keep the first row of a batch, without the batch dimension and without lengths."""
    return replace(
        case,
        input=case.time_major(case.input)[:, 0],
        lengths=None,
        **_states(case, lambda state: state[:, 0]),
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


def last_steps(case: Case, output: Array) -> Array:
    """Select from the `output` of `case` what each direction computed last.

    That is the last valid step in the forward direction and step 0 in the reverse one. The shape is
    (D, N, R), or (D, R) without a batch: those of the top layer's part of h_n.
    """
    features = case.configuration.output_size
    steps = case.time_major(output)
    ends = np.full(case.batch_size, case.seq_len) if case.lengths is None else case.lengths
    last = [steps[ends - 1, np.arange(case.batch_size), :features]]
    if case.configuration.bidirectional:
        last.append(steps[0, :, features:])
    stacked = np.stack(last)
    return stacked if case.batched else stacked[:, 0]


def shown_by_last_step(case: Case, result: Result, where: tuple[int, ...]) -> Ending | None:
    """Give the ending that compares the element `where` of :func:`last_steps` with that of h_n."""
    state, step = _last_place(case, where)
    text = f"got, expected = {{h_n}}{list(state)}.item(), {{output}}{list(step)}.item()\n"
    text += "fault = got != expected and got == got\n"
    text += f'print("h_n{list(state)}:", got, "output{list(step)}:", expected)'
    return ending(text, h_n=result.h_n, output=result.output)


def _last_place(case: Case, where: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Locate an element of :func:`last_steps` in h_n and in the output."""
    direction, *row, feature = where
    first = (case.configuration.num_layers - 1) * case.configuration.num_directions
    ends = [case.seq_len] * case.batch_size if case.lengths is None else case.lengths.tolist()
    step = 0 if direction else ends[row[0] if row else 0] - 1
    place = [step, *row][:: -1 if row and case.configuration.batch_first else 1]
    column = direction * case.configuration.output_size + feature
    return (first + direction, *row, feature), (*place, column)


def time_axis(case: Case) -> int:
    """Return the axis of time in the input and the output of `case`."""
    return 1 if case.batched and case.configuration.batch_first else 0


def steps(case: Case, start: int, stop: int) -> Case:
    """Keep the time steps from `start` to before `stop`, and the initial states as they are."""
    chosen = np.arange(start, stop)
    return replace(case, input=case.input.take(chosen, time_axis(case)), lengths=None)


def concatenated_in_time(case: Case, first: Result, second: Result) -> Result:
    """Join two consecutive runs: both outputs, and the final states of the second."""
    output = np.concatenate([first.output, second.output], time_axis(case))
    return Result(output, second.h_n, second.c_n)


def rows(case: Case, chosen: Array) -> Case:
    """Keep the `chosen` rows of a batched case, in that order, and the steps that they need."""
    axis = 0 if case.configuration.batch_first else 1
    lengths = None if case.lengths is None else case.lengths[chosen]
    cut = replace(
        case,
        input=case.input.take(chosen, axis),
        lengths=None,
        **_states(case, lambda state: state.take(chosen, 1)),
    )
    if lengths is None or not len(lengths):
        return cut
    return replace(steps(cut, 0, int(lengths.max())), lengths=lengths)


def rows_of(case: Case, result: Result, chosen: Array) -> Result:
    """Keep the `chosen` rows of a result, or bound, of `case`."""
    axis = 0 if case.configuration.batch_first else 1
    return Result(
        result.output.take(chosen, axis), result.h_n.take(chosen, 1), result.c_n.take(chosen, 1)
    )


def resized(case: Case, steps: int, rows: int) -> Case:
    """Give the same network other input, of `steps` steps and `rows` rows, all of full length.

    What the case has is repeated, each time with the other sign. An unbatched case, and one without
    rows, keeps its rows.
    """
    rows = rows if case.batched and case.batch_size else case.batch_size
    x = -_repeated(_repeated(case.time_major(case.input), steps, 0), rows, 1)
    states = _states(case, lambda each: -_repeated(each, rows, 1) if case.batched else -each)
    shell = replace(case, lengths=None)
    return replace(shell, input=_in_user_order(shell, x), **states)


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
    states = _states(case, lambda state: state.astype(numpy))
    return Case(
        case.configuration, parameters, x, **states, lengths=case.lengths, device=case.device
    )


def with_weights_negated(case: Case, *kinds: str) -> Case:
    """Negate the parameters whose names begin with one of `kinds`, or all of them."""
    parameters = {
        name: -array if name.startswith(kinds or ("",)) else array
        for name, array in case.parameters.items()
    }
    return replace(case, parameters=parameters)


def _in_user_order(case: Case, x: Array) -> Array:
    return np.ascontiguousarray(case.user_order(x))


def with_input(case: Case, x: Array) -> Case:
    """Replace the input by `x`, (T, N, input_size)."""
    return replace(case, input=_in_user_order(case, x.astype(case.dtype.numpy)))


def layer_alone(case: Case, layer: int, features: int) -> Case:
    """Make a network of one `layer` of the case, with zeros (T, N, features) as its input."""
    configuration = replace(case.configuration, num_layers=1, input_size=features)
    directions = configuration.num_directions
    here = slice(layer * directions, (layer + 1) * directions)
    return replace(
        case,
        configuration=configuration,
        parameters={
            name: case.parameters[name.replace("_l0", f"_l{layer}")]
            for name in configuration.parameter_shapes()
        },
        input=np.zeros((*case.input.shape[:-1], features), case.dtype.numpy),
        **_states(case, lambda state: state[here]),
    )


def direction_alone(case: Case, direction: int) -> Case:
    """Make a forward LSTM of one direction of a single layer, on reversed time for direction 1."""
    configuration = replace(case.configuration, bidirectional=False)
    suffix = "_reverse" if direction else ""
    x = case.time_major(case.input)
    here = slice(direction, direction + 1)
    return replace(
        case,
        configuration=configuration,
        parameters={
            name: case.parameters[name + suffix] for name in configuration.parameter_shapes()
        },
        input=_in_user_order(case, x[::-1] if direction else x),
        **_states(case, lambda state: state[here]),
    )


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
        input=_in_user_order(case, case.time_major(case.input)[::-1]),
        **_states(case, lambda state: state[order]),
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
        **_states(case, lambda state: state[..., order]),
    )


def with_dropout(case: Case, p: float) -> Case:
    """Set dropout `p` between the layers."""
    return replace(case, configuration=replace(case.configuration, dropout=p))
