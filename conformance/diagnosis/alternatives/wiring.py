"""LSTMs that connect steps, directions, layers, rows or axes wrongly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from conformance.diagnosis.alternatives.altered import AlteredLSTM, Shown
from conformance.requirements.variations import with_input
from reference import Array, Case, LayerTrace, Result, Step


def as_processed(layer: LayerTrace, _: Sequence[Step], output: Array, _top: bool) -> Array:
    """Leave the output in the order in which the steps were processed."""
    return output[::-1] if layer.suffix.endswith("_reverse") else output


def cells(layer: LayerTrace, steps: Sequence[Step], _output: Array, _: bool) -> Array:
    """Return the cell states (T, N, hidden_size) in place of the output."""
    by_time = dict(zip(layer.order, steps, strict=True))
    return np.stack([by_time[t].c for t in range(len(steps))])


def before(layer: LayerTrace, steps: Sequence[Step], _output: Array, _: bool) -> Array:
    """Return the hidden states (T, N, R) from before each step in place of the output."""
    by_time = dict(zip(layer.order, steps, strict=True))
    return np.stack([by_time[t].h_prev for t in range(len(steps))])


def last(_: LayerTrace, steps: Sequence[Step], output: Array, _top: bool) -> Array:
    """Return the hidden state (N, R) after the last step in place of every step's."""
    found: Array = np.broadcast_to(steps[-1].h, output.shape)
    return found


def only_where(top: bool, shown: Shown) -> Shown:
    """Make the change `shown` in the top layer only, or else in all layers but the top one."""
    return lambda layer, steps, output, is_top: (
        shown(layer, steps, output, is_top) if is_top == top else output
    )


def forward_weights(case: Case) -> Case:
    """Use the parameters of the forward direction in both directions."""
    names = {name: name.removesuffix("_reverse") for name in case.parameters}
    return replace(case, parameters={name: case.parameters[of] for name, of in names.items()})


def forward_weight_hh(case: Case) -> Case:
    """Use the weight_hh of the forward direction in both directions."""
    names = {
        name: name.removesuffix("_reverse") if name.startswith("weight_hh") else name
        for name in case.parameters
    }
    return replace(case, parameters={name: case.parameters[of] for name, of in names.items()})


def forward_twice(case: Case, result: Result) -> Result:
    """Return the forward half of the output for both directions."""
    if not case.configuration.bidirectional:
        return result
    half = result.output[..., : case.configuration.output_size]
    return replace(result, output=np.concatenate([half, half], -1))


def reverse_first(case: Case, result: Result) -> Result:
    """Exchange the halves of the output."""
    size = (case.configuration.num_directions - 1) * case.configuration.output_size
    return replace(result, output=np.roll(result.output, size, -1))


def takes_time_first(case: Case, batch_first: bool) -> Case:
    """Keep the arrays, but read their axes by `batch_first`."""
    return replace(case, configuration=replace(case.configuration, batch_first=batch_first))


def batch_first_input(case: Case) -> Array:
    """Return the input if it is batch-first; raises :class:`ValueError` if it is not."""
    if not (case.batched and case.configuration.batch_first):
        raise ValueError("not batch-first")
    return case.input


def input_reshaped(case: Case) -> Case:
    """Make batch-first input time-major by a reshape."""
    x = batch_first_input(case)
    return replace(case, input=x.reshape(x.shape[1], x.shape[0], -1).swapaxes(0, 1))


def output_reshaped(case: Case, result: Result) -> Result:
    """Make time-major output batch-first by a reshape."""
    if not (case.batched and case.configuration.batch_first):
        return result
    output = result.output.swapaxes(0, 1).reshape(result.output.shape)
    return replace(result, output=output)


def output_time_major(case: Case, result: Result) -> Result:
    """Leave batch-first output time-major."""
    swapped = case.batched and case.configuration.batch_first
    return replace(result, output=result.output.swapaxes(0, 1)) if swapped else result


def states_rows_first(case: Case, result: Result) -> Result:
    """Return final states with rows first."""
    if not case.batched:
        return result
    return Result(result.output, result.h_n.swapaxes(0, 1), result.c_n.swapaxes(0, 1))


def states_reshaped(case: Case) -> Case:
    """Read initial states as if rows came first."""
    if case.h_0 is None or case.c_0 is None or not case.batched:
        raise ValueError("no batched initial states")
    h_0, c_0 = (
        state.reshape(state.shape[1], state.shape[0], -1).swapaxes(0, 1)
        for state in (case.h_0, case.c_0)
    )
    return replace(case, h_0=h_0, c_0=c_0)


def steps_backwards(case: Case) -> Case:
    """Reverse the steps of the input; raises :class:`ValueError` if the case has lengths."""
    if case.lengths is not None:
        raise ValueError("lengths")
    return with_input(case, case.time_major(case.input)[::-1])


def output_backwards(case: Case, result: Result) -> Result:
    """Reverse the steps of the output."""
    return replace(result, output=case.user_order(case.time_major(result.output)[::-1]))


NOT_TURNED = AlteredLSTM(
    "whose reverse output is left in the order of processing", shown=as_processed
)
REVERSE_FIRST = AlteredLSTM("that puts the reverse half of its output first", result=reverse_first)
BACKWARDS = AlteredLSTM(
    "that processes the steps from the last to the first",
    case=steps_backwards,
    result=output_backwards,
)
OUTPUT_BACKWARDS = AlteredLSTM(
    "that returns its output from the last step to the first", result=output_backwards
)
INPUT_RESHAPED = AlteredLSTM(
    "that makes batch-first input time-major by a reshape instead of a transpose",
    case=input_reshaped,
)
OUTPUT_RESHAPED = AlteredLSTM(
    "that makes its output batch-first by a reshape instead of a transpose", result=output_reshaped
)
OUTPUT_TIME_MAJOR = AlteredLSTM(
    "that returns batch-first output time-major", result=output_time_major
)

WIRING = (
    AlteredLSTM("whose reverse direction runs forward", reverses=False),
    NOT_TURNED,
    AlteredLSTM(
        "whose reverse output is left in the order of processing in the top layer only",
        shown=only_where(True, as_processed),
    ),
    AlteredLSTM("that uses the forward weights in both directions", case=forward_weights),
    AlteredLSTM("that uses the forward weight_hh in both directions", case=forward_weight_hh),
    REVERSE_FIRST,
    AlteredLSTM("that returns the forward half of its output twice", result=forward_twice),
    AlteredLSTM("that feeds the cell state to the next layer", shown=only_where(False, cells)),
    AlteredLSTM(
        "that feeds the hidden state from before the step to the next layer",
        shown=only_where(False, before),
    ),
    AlteredLSTM("that starts each layer from the final states of the one below", handed_up=True),
    AlteredLSTM(
        "whose reverse direction starts from the final states of the forward direction",
        handed_over=True,
    ),
    AlteredLSTM("that returns the cell state as output", shown=only_where(True, cells)),
    AlteredLSTM(
        "that returns the hidden state from before each step as output",
        shown=only_where(True, before),
    ),
    AlteredLSTM(
        "that returns the last hidden state for every step, as if all outputs were one array",
        shown=only_where(True, last),
    ),
    AlteredLSTM(
        "that returns the cell state as output and feeds the cell state to the next layer",
        shown=cells,
    ),
    AlteredLSTM(
        "that reads batch-first input as time-major, with batch and time swapped",
        case=lambda case: takes_time_first(case, False),
    ),
    AlteredLSTM(
        "that reads time-major input as batch-first, with batch and time swapped",
        case=lambda case: takes_time_first(case, True),
    ),
    INPUT_RESHAPED,
    OUTPUT_RESHAPED,
    OUTPUT_TIME_MAJOR,
    BACKWARDS,
    OUTPUT_BACKWARDS,
    AlteredLSTM("that returns h_n and c_n with rows first", result=states_rows_first),
    AlteredLSTM("that reads h_0 and c_0 as if rows came first", case=states_reshaped),
)
"""Every hypothesis on how steps, directions, layers, rows and axes are connected."""
