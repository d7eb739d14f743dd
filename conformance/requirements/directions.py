"""Requirements on bidirectional LSTMs: the reverse direction reads time backwards."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conformance.checking.comparison import against_reference, agree, close, plus, truth
from conformance.checking.requirement import requirement
from conformance.implementations.implementation import Implementation, run
from conformance.requirements.helpers.needs import returning
from conformance.requirements.variations import (
    direction_alone,
    time_axis,
    with_directions_exchanged,
    with_input,
)
from reference import Case, Result

BIDIRECTIONAL = (
    "torch.nn.LSTM documentation, 'Outputs': for bidirectional LSTMs, forward and backward are "
    "directions 0 and 1; output is their concatenation at each step"
)


@requirement(
    source=BIDIRECTIONAL, level="sequence", bidirectional=True, num_layers=(1, 1), lengths=False
)
def directions_are_concatenated(implementation: Implementation, case: Case) -> float:
    """Both directions together equal a forward LSTM and one on reversed time, side by side.

    The output of the LSTM on reversed time is put back into the order of time.
    """
    if False not in implementation.supports.bidirectional:
        return against_reference(implementation, case)
    forward = run(implementation, direction_alone(case, 0))
    reverse = run(implementation, direction_alone(case, 1))
    time = time_axis(case)
    expected = Result(
        np.concatenate([forward.output, np.flip(reverse.output, time)], axis=-1),
        np.concatenate([forward.h_n, reverse.h_n]),
        np.concatenate([forward.c_n, reverse.c_n]),
    )
    bound = truth(case, implementation).bound
    return agree(run(implementation, case), expected, plus(bound, bound))


@requirement(source=BIDIRECTIONAL, level="sequence", bidirectional=True, lengths=False)
def reversing_time_exchanges_directions(implementation: Implementation, case: Case) -> float:
    """Reversing time and exchanging the weights and states of both directions exchanges results.

    The output, whose halves are exchanged, is reversed in time as well.
    """
    size = case.configuration.output_size
    exchanged = with_directions_exchanged(case)
    got, whole = run(implementation, exchanged), run(implementation, case)
    time = time_axis(case)
    order = np.arange(2 * case.configuration.num_layers).reshape(-1, 2)[:, ::-1].ravel()

    def turned(result: Result) -> Result:
        halves = [result.output[..., size:], result.output[..., :size]]
        output = np.flip(np.concatenate(halves, axis=-1), time)
        return Result(output, result.h_n[order], result.c_n[order])

    bound = turned(truth(case, implementation).bound)
    return agree(got, turned(whole), plus(bound, bound))


def _with_other_end(case: Case, at_start: bool) -> tuple[Case, slice]:
    """Change the input in the later (or earlier) half; returns the case and the unchanged steps."""
    x = case.time_major(case.input).copy()
    middle = case.seq_len // 2
    changed = slice(0, middle) if at_start else slice(middle, None)
    x[changed] = 1 - x[changed]
    return with_input(case, x), slice(middle, None) if at_start else slice(0, middle)


def _half_is_unchanged(implementation: Implementation, case: Case, reverse: bool) -> float:
    changed, kept = _with_other_end(case, at_start=reverse)
    size = case.configuration.output_size
    half = slice(size, None) if reverse else slice(0, size)
    (before, bound), (after, other) = (
        [
            case.time_major(result.output)[kept, ..., half]
            for result in (run(implementation, each), truth(each, implementation).bound)
        ]
        for each in (case, changed)
    )
    return close("output", after, before, bound + other)


@requirement(
    source="torch.nn.LSTM documentation, equations: h_t depends on x_t and h_(t-1)",
    level="core",
    applies=returning("output"),
    num_layers=(1, 1),
    seq_len=(2, 64),
    lengths=False,
)
def forward_direction_is_causal(implementation: Implementation, case: Case) -> float:
    """The forward output at a step does not depend on the input at later steps."""
    return _half_is_unchanged(implementation, case, reverse=False)


@requirement(
    source=BIDIRECTIONAL,
    level="sequence",
    applies=returning("output"),
    bidirectional=True,
    num_layers=(1, 1),
    seq_len=(2, 64),
    lengths=False,
)
def reverse_direction_is_anticausal(implementation: Implementation, case: Case) -> float:
    """The reverse output at a step does not depend on the input at earlier steps."""
    return _half_is_unchanged(implementation, case, reverse=True)


@requirement(
    source=BIDIRECTIONAL,
    level="sequence",
    bidirectional=True,
    states=True,
    num_layers=(1, 1),
    share_of_cases=0.5,
)
def directions_have_their_own_states(implementation: Implementation, case: Case) -> float:
    """The initial states of the reverse direction do not influence the forward direction."""
    h_0, c_0 = (None if state is None else state.copy() for state in (case.h_0, case.c_0))
    assert h_0 is not None
    assert c_0 is not None
    h_0[1], c_0[1] = 1 - h_0[1], 1 - c_0[1]
    size = case.configuration.output_size
    bound = truth(case, implementation).bound
    before, after = run(implementation, case), run(implementation, replace(case, h_0=h_0, c_0=c_0))
    return max(
        close(
            "output",
            after.output[..., :size],
            before.output[..., :size],
            2 * bound.output[..., :size],
        ),
        close("h_n", after.h_n[:1], before.h_n[:1], 2 * bound.h_n[:1]),
        close("c_n", after.c_n[:1], before.c_n[:1], 2 * bound.c_n[:1]),
    )


@requirement(
    source=f"{BIDIRECTIONAL}; (h_0, c_0) and (h_n, c_n) have D * num_layers rows of states",
    level="sequence",
    bidirectional=True,
    num_layers=(2, 3),
    share_of_cases=0.5,
)
def states_go_layer_by_layer(implementation: Implementation, case: Case) -> float:
    """States are in the order of layers, forward before reverse; each layer reads both halves."""
    return against_reference(implementation, case)
