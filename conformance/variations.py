"""One case turned into another that a requirement relates to it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from reference import Array, Case


def first_layers(case: Case, count: int) -> Case:
    """The network of the lowest `count` layers, with their parameters and initial states."""
    configuration = replace(case.configuration, num_layers=count)
    names = configuration.parameter_shapes()
    states = count * configuration.num_directions
    return replace(
        case,
        configuration=configuration,
        parameters={name: case.parameters[name] for name in names},
        h_0=None if case.h_0 is None else case.h_0[:states],
        c_0=None if case.c_0 is None else case.c_0[:states],
    )


def with_axes_swapped(case: Case) -> Case:
    """The same numbers with `batch_first` the other way round."""
    configuration = replace(
        case.configuration, batch_first=not case.configuration.batch_first
    )
    return replace(
        case,
        configuration=configuration,
        input=np.ascontiguousarray(case.input.swapaxes(0, 1)),
    )


def without_batch(case: Case) -> Case:
    """The only row of a batch of one, without its batch dimension."""
    return replace(
        case,
        input=case.time_major(case.input)[:, 0],
        h_0=None if case.h_0 is None else case.h_0[:, 0],
        c_0=None if case.c_0 is None else case.c_0[:, 0],
        lengths=None,
    )


def with_zero_states(case: Case) -> Case:
    """With initial states of zeros, given explicitly."""
    features = case.configuration.output_size, case.configuration.hidden_size
    h_0, c_0 = (np.zeros(case.state_shape(size), case.dtype.numpy) for size in features)
    return replace(case, h_0=h_0, c_0=c_0)


def last_steps(case: Case, output: Array) -> Array:
    """From the `output` of `case`, what each direction computed last: (D, N, R), or (D, R).

    That is the last valid step in the forward direction and the first in the reverse one.
    """
    features = case.configuration.output_size
    steps = case.time_major(output)
    ends = np.full(case.batch_size, case.seq_len) if case.lengths is None else case.lengths
    last = [steps[ends - 1, np.arange(case.batch_size), :features]]
    if case.configuration.bidirectional:
        last.append(steps[0, :, features:])
    stacked = np.stack(last)
    return stacked if case.batched else stacked[:, 0]
