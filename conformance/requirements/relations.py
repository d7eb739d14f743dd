"""Requirements on the results of one call, or of two related calls, among each other."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from conformance.checking.comparison import against_reference, close, same_results
from conformance.checking.requirement import requirement
from conformance.checking.truth import truth
from conformance.implementations.implementation import Implementation, run
from conformance.requirements.helpers.needs import returning, supporting
from conformance.requirements.parts import (
    first_layers,
    last_steps,
    shown_by_last_step,
    without_batch,
)
from conformance.requirements.variations import (
    given_and_omitted,
    with_axes_swapped,
    with_zero_states,
)
from reference import Case, Result


@requirement(
    source="torch.nn.LSTM documentation: h_n contains the final hidden state for each element in "
    "the sequence",
    level="core",
    applies=returning("output", "h_n"),
)
def h_n_is_last_output(implementation: Implementation, case: Case) -> float:
    """In each layer and direction, h_n is the last output that the direction computes.

    In the top layer, h_n equals the last output exactly. In a lower layer, h_n equals the last
    output of the network that ends with that layer, within the sum of both bounds.
    """
    directions = case.configuration.num_directions
    result = run(implementation, case)
    top = last_steps(case, result.output)
    shown = partial(shown_by_last_step, case, result)
    share = close("h_n", result.h_n[-directions:], top, 0.0, ending=shown)
    for count in range(implementation.supports.min_layers, case.configuration.num_layers):
        cut = first_layers(case, count)
        known = truth(cut, implementation)
        here = slice((count - 1) * directions, count * directions)
        allowed = 2 * known.bound.h_n[here]
        last = last_steps(cut, run(implementation, cut).output)
        share = max(share, close(f"h_n[{here.start}:{here.stop}]", result.h_n[here], last, allowed))
    return share


@requirement(
    source="torch.nn.LSTM documentation: defaults to zeros if (h_0, c_0) is not provided",
    level="core",
    states=False,
)
def omitted_states_are_zeros(implementation: Implementation, case: Case) -> float:
    """Omitting the initial states gives the same results as giving zeros."""
    if True not in implementation.supports.states:
        return against_reference(implementation, case)
    return same_results(implementation, case, with_zero_states(case))


@requirement(
    source="torch.nn.LSTM documentation: batch_first does not apply to hidden or cell states",
    level="sequence",
    applies=supporting(lambda each: len(each.batch_first) == 2, "batch_first cannot be chosen"),
    batched=True,
)
def batch_first_only_swaps_axes(implementation: Implementation, case: Case) -> float:
    """With batch_first, input and output have their first two axes swapped; nothing else changes.

    This holds with and without initial states.
    """

    def swapped_back(result: Result) -> Result:
        return replace(result, output=np.swapaxes(result.output, 0, 1))

    return max(
        same_results(implementation, each, with_axes_swapped(each), swapped_back)
        for each in given_and_omitted(case, implementation.supports.states)
    )


@requirement(
    source="torch.nn.LSTM and torch.nn.LSTMCell documentation: shapes of unbatched input",
    level="sequence",
    applies=supporting(
        lambda each: len(each.batched) == 2, "does not take both batched and unbatched input"
    ),
    batched=True,
    batch_size=(1, 1),
    lengths=False,
)
def unbatched_is_batch_of_one(implementation: Implementation, case: Case) -> float:
    """Input without a batch dimension gives the results of a batch of that one row."""
    axis = 0 if case.configuration.batch_first else 1

    def row(batch: Result) -> Result:
        return Result(batch.output.take(0, axis), batch.h_n[:, 0], batch.c_n[:, 0])

    return same_results(implementation, without_batch(case), case, row)


@requirement(
    source="torch.nn.LSTM documentation, bias: if False, the layer does not use b_ih and b_hh",
    level="core",
    applies=supporting(lambda each: True in each.bias, "does not take biases"),
    bias=False,
)
def no_bias_is_a_bias_of_zeros(implementation: Implementation, case: Case) -> float:
    """Without biases the results are the same as with biases of zeros."""
    configuration = replace(case.configuration, bias=True)
    zeros = {
        name: case.parameters.get(name, np.zeros(shape, case.dtype.numpy))
        for name, shape in configuration.parameter_shapes().items()
    }
    biased = replace(case, configuration=configuration, parameters=zeros)
    return same_results(implementation, case, biased)
