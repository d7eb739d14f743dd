"""Parts of a case, or of its results: some steps, rows, layers or one direction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conformance.recording.ending import Ending, ending
from conformance.requirements.variations import in_user_order, with_states
from reference import Array, Case, Result


def first_layers(case: Case, count: int) -> Case:
    """Keep the lowest `count` layers, with their parameters and initial states."""
    configuration = replace(case.configuration, num_layers=count)
    names = configuration.parameter_shapes()
    states = count * configuration.num_directions
    return replace(
        case,
        configuration=configuration,
        parameters={name: case.parameters[name] for name in names},
        **with_states(case, lambda state: state[:states]),
    )


def without_batch(case: Case) -> Case:
    """Keep the first row of a batch, without the batch dimension and without lengths."""
    return replace(
        case,
        input=case.time_major(case.input)[:, 0],
        lengths=None,
        **with_states(case, lambda state: state[:, 0]),
    )


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


def rows(case: Case, chosen: Array) -> Case:
    """Keep the `chosen` rows of a batched case, in that order, and the steps that they need."""
    axis = 0 if case.configuration.batch_first else 1
    lengths = None if case.lengths is None else case.lengths[chosen]
    cut = replace(
        case,
        input=case.input.take(chosen, axis),
        lengths=None,
        **with_states(case, lambda state: state.take(chosen, 1)),
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
        **with_states(case, lambda state: state[here]),
    )


def turned(case: Case, array: Array) -> Array:
    """Reverse the time of `array`, (T, N, ...), of each row within its length."""
    steps = np.arange(case.seq_len)[:, None]
    ends = np.full(case.batch_size, case.seq_len) if case.lengths is None else case.lengths
    order = np.where(steps < ends, ends - 1 - steps, steps)
    return array[order, np.arange(case.batch_size)]


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
        input=in_user_order(case, turned(case, x) if direction else x),
        **with_states(case, lambda state: state[here]),
    )


def concatenated_in_time(case: Case, first: Result, second: Result) -> Result:
    """Join two consecutive runs: both outputs, and the final states of the second."""
    output = np.concatenate([first.output, second.output], time_axis(case))
    return Result(output, second.h_n, second.c_n)
