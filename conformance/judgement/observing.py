"""Running an implementation such that the output of every layer is seen."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from conformance.implementations.implementation import Implementation, run
from conformance.judgement.layers import layer_alone
from conformance.requirements.parts import first_layers
from reference import Case, Result


def observed(implementation: Implementation, case: Case) -> Iterator[Result]:
    """Yield the results of the lowest layer of `case`, of the lowest two, and so on up to all.

    Each layer below the top one is run alone, then the whole network. If the whole shows other
    states of these layers, by a bit, then the network is run with the lowest layer, with the lowest
    two, and so on. An implementation of one layer computes the layers one after another. Raises
    what :func:`conformance.implementations.implementation.run` raises. Of one that has no fewer
    layers only the whole is seen.
    """
    layers, supports = case.configuration.num_layers, implementation.supports
    if layers > supports.max_layers:
        yield from _in_turn(implementation, case, layers)
        return
    whole = run(implementation, case)
    if supports.min_layers == 1:
        lower = list(_in_turn(implementation, case, layers - 1)) if layers > 2 else []
        if lower and _same_states(lower[-1], whole):
            yield from lower
        else:
            yield from (run(implementation, first_layers(case, n)) for n in range(1, layers))
    yield whole


def _in_turn(implementation: Implementation, case: Case, count: int) -> Iterator[Result]:
    """Run the lowest `count` layers, each on the output of the one below."""
    below, states = case.input, []
    for number in range(count):
        one = run(implementation, layer_alone(case, number, below))
        states.append((one.h_n, one.c_n))
        h_n, c_n = (np.concatenate(each) for each in zip(*states, strict=True))
        below = one.output
        yield Result(below, h_n, c_n)


def _same_states(lower: Result, whole: Result) -> bool:
    """Whether the final states of the `lower` layers have the same bits in the `whole` network."""
    pairs = (lower.h_n, whole.h_n), (lower.c_n, whole.c_n)
    return all(np.array_equal(few, all_[: len(few)], equal_nan=True) for few, all_ in pairs)


def lacking(implementation: Implementation, case: Case) -> list[str]:
    """List what prevents `implementation` from computing `case`, several layers in turn or not."""
    several = case.configuration.num_layers <= implementation.supports.max_layers
    return implementation.supports.lacking_for(case if several else first_layers(case, 1))
