"""Requirements on bidirectional LSTMs: the reverse direction reads time backwards."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conformance.checking.comparison import against_reference, agree, close, plus, same_results
from conformance.checking.requirement import requirement
from conformance.checking.truth import truth
from conformance.implementations.implementation import Implementation, run
from conformance.requirements.helpers.needs import returning
from conformance.requirements.parts import direction_alone, time_axis
from conformance.requirements.variations import with_directions_exchanged, with_input
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
    """Reversing time, and exchanging the directions' weights and states, exchanges their results.

    The output, whose halves are exchanged, is reversed in time as well.
    """
    size = case.configuration.output_size
    time = time_axis(case)
    order = np.arange(2 * case.configuration.num_layers).reshape(-1, 2)[:, ::-1].ravel()

    def turned(result: Result) -> Result:
        halves = [result.output[..., size:], result.output[..., :size]]
        output = np.flip(np.concatenate(halves, axis=-1), time)
        return Result(output, result.h_n[order], result.c_n[order])

    return same_results(implementation, with_directions_exchanged(case), case, turned)


def _half_is_unchanged(implementation: Implementation, case: Case, reverse: bool) -> float:
    """Change the later half of the input; the forward output in the earlier half stays.

    With `reverse` the earlier half is changed, and the reverse output in the later half stays.
    """
    early, late = slice(0, case.seq_len // 2), slice(case.seq_len // 2, None)
    kept, changed = (late, early) if reverse else (early, late)
    x = case.time_major(case.input).copy()
    x[changed] = 1 - x[changed]
    size = case.configuration.output_size
    half = slice(size, None) if reverse else slice(0, size)
    (before, bound), (after, other) = (
        [
            case.time_major(result.output)[kept, ..., half]
            for result in (run(implementation, each), truth(each, implementation).bound)
        ]
        for each in (case, with_input(case, x))
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
    forward = {"output": (..., slice(size)), "h_n": slice(1), "c_n": slice(1)}
    return max(
        close(
            name, getattr(after, name)[of], getattr(before, name)[of], 2 * getattr(bound, name)[of]
        )
        for name, of in forward.items()
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
